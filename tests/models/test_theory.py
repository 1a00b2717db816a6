"""The papers' own claims, as tests."""

import functools

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import losses
from ganzoo import penalties
from ganzoo.families.gan import GAN
from ganzoo.models.wgan_gp import WGANGP


def normal(x, mean, sigma):
    return np.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


class OneDimension(GAN):
    """A fixed generator of N(0.2, 0.2²) against a discriminator that learns."""

    accepts_points = True

    def build_generator(self):
        z = keras.Input((1,))
        shift = layers.Rescaling(0.2, offset=0.2)
        # One weight that never matters, because a player must have something to move.
        idle = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        return keras.Model(z, shift(z) + 0.0 * idle(z), name="generator")

    def build_discriminator(self):
        x = keras.Input((1,))
        h = layers.Dense(64, activation="tanh")(x * 4.0)
        return keras.Model(x, layers.Dense(1)(layers.Dense(64, activation="tanh")(h)))


def settle(model):
    """`model`, whose discriminator ends at its best answer: with a constant rate it would move
    around it, by twice as much as the samples' own error."""
    slower = keras.optimizers.schedules.CosineDecay(4e-3, 400)
    rates = {"generator": 1e-3, "discriminator": slower}
    model.compile({name: keras.optimizers.Adam(rate) for name, rate in rates.items()})
    return model


def test_the_trained_discriminator_is_p_over_p_plus_q():
    """Goodfellow et al. 2014, proposition 1."""
    rng = np.random.default_rng(0)
    real = (0.25 * rng.standard_normal((20_000, 1)) - 0.2).clip(-1, 1).astype("float32")
    model = settle(OneDimension(latent_dim=1, seed=0))
    model.fit(real, batch_size=512, epochs=10, verbose=0)
    x = np.linspace(-0.6, 0.6, 25, dtype="float32")[:, None]
    got = ops.convert_to_numpy(ops.sigmoid(model.discriminator(x)))[:, 0]
    p, q = normal(x[:, 0], -0.2, 0.25), normal(x[:, 0], 0.2, 0.2)
    # About 20,000 samples tell the logit to a few hundredths. Measured: 0.014 to 0.026, with seven
    # seeds.
    np.testing.assert_allclose(got, p / (p + q), atol=0.05)


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_at_equilibrium_the_value_is_minus_log_4(name):
    """Goodfellow et al. 2014, theorem 1: D = 1/2 everywhere."""
    undecided = np.zeros((5, 1), "float32")
    loss = float(losses.get(name).discriminator(undecided, undecided))
    assert -loss == pytest.approx(-np.log(4), rel=1e-6)


def test_the_least_squares_discriminator_is_p_over_p_plus_q():
    """Mao et al. 2017, equation 5, with a = 0 and b = 1."""
    rng = np.random.default_rng(0)
    real = (0.25 * rng.standard_normal((20_000, 1)) - 0.2).clip(-1, 1).astype("float32")
    model = settle(OneDimension(objective="least_squares", latent_dim=1, seed=0))
    model.fit(real, batch_size=512, epochs=10, verbose=0)
    x = np.linspace(-0.6, 0.6, 25, dtype="float32")[:, None]
    got = ops.convert_to_numpy(model.discriminator(x))[:, 0]
    p, q = normal(x[:, 0], -0.2, 0.25), normal(x[:, 0], 0.2, 0.2)
    # Measured: 0.014 to 0.025, with seven seeds.
    np.testing.assert_allclose(got, p / (p + q), atol=0.05)


class Transport(OneDimension):
    """The same generator against a critic whose slope is held at 1."""

    penalty_weight = 10.0
    discriminator_terms = WGANGP.discriminator_terms


def test_the_critic_measures_the_earth_movers_distance():
    """Gulrajani et al. 2017: quantiles of N(-0.2, 0.25²) and N(0.2, 0.2²) are 0.4 apart on average,
    and the best critic is a straight line of slope 1 between them."""
    rng = np.random.default_rng(0)
    real = (0.25 * rng.standard_normal((20_000, 1)) - 0.2).clip(-1, 1).astype("float32")
    model = Transport(objective="wasserstein", latent_dim=1, learning_rate=2e-3, beta_1=0.9, seed=0)
    history = model.fit(real, batch_size=512, epochs=12, verbose=0).history
    # The penalty is soft: the slope ends a few per cent above 1, W/(2λ) = 0.02. Measured with six
    # seeds: 0.406 to 0.408, and slopes that differ from 1 by at most 0.044.
    assert -history["d_adversarial"][-1] == pytest.approx(0.4, rel=0.05)
    x = np.linspace(-0.4, 0.4, 9, dtype="float32")[:, None]
    slopes = np.diff(ops.convert_to_numpy(model.discriminator(x))[:, 0]) / 0.1
    np.testing.assert_allclose(slopes, -1, atol=0.1)


def generator_slope(objective, logit):
    """Derivative of the generator's loss to the logit of one fake."""
    loss = lambda x: losses.get(objective).generator(x)
    logits = ops.convert_to_tensor(np.array([[logit]], "float32"))
    return float(ops.convert_to_numpy(backend.input_gradient(loss, logits))[0, 0])


def test_where_the_discriminator_wins_the_minimax_gradient_vanishes():
    """Goodfellow et al. 2014, section 3: −σ(l) against −(1 − σ(l))."""
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    for logit in (-10.0, -2.0, 0.0, 3.0):
        assert generator_slope("minimax", logit) == pytest.approx(-sigmoid(logit), rel=1e-4)
        assert generator_slope("non_saturating", logit) == pytest.approx(
            -(1 - sigmoid(logit)), rel=1e-4
        )
    assert abs(generator_slope("minimax", -10.0)) < 1e-4
    assert abs(generator_slope("non_saturating", -10.0)) > 0.999


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_loss(real, fake):
    return -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()


# The papers' formulas, with logarithms of probabilities: `(discriminator's, generator's)`.
FORMULAS = {
    "minimax": (log_loss, lambda real, fake: np.log(1 - sigmoid(fake)).mean()),
    "non_saturating": (log_loss, lambda real, fake: -np.log(sigmoid(fake)).mean()),
    "hinge": (
        lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        lambda real, fake: -fake.mean(),
    ),
    "least_squares": (
        lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
        lambda real, fake: ((fake - 1) ** 2).mean() / 2,
    ),
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()),
    "relativistic": (
        lambda real, fake: -np.log(sigmoid(real - fake)).mean(),
        lambda real, fake: -np.log(sigmoid(fake - real)).mean(),
    ),
    "relativistic_average": (
        lambda real, fake: log_loss(real - fake.mean(), fake - real.mean()),
        lambda real, fake: log_loss(fake - real.mean(), real - fake.mean()),
    ),
}


@pytest.mark.parametrize("name", sorted(losses.OBJECTIVES))
def test_objectives_against_the_papers_formulas(name):
    rng = np.random.default_rng(0)
    real, fake = 2 * rng.standard_normal((2, 7, 1)).astype("float32")
    objective = losses.get(name)
    got = objective.discriminator(real, fake), objective.answer(fake, real)
    for value, formula in zip(got, FORMULAS[name]):
        assert float(value) == pytest.approx(formula(real, fake), rel=1e-5)


@pytest.mark.parametrize("name", sorted(losses.OBJECTIVES))
def test_objectives_are_finite_for_logits_of_any_size(name):
    for dtype in ("float16", "float32"):
        far = ops.cast(np.array([[-6e4], [6e4]], "float32"), dtype)
        objective = losses.get(name)
        for loss in (objective.discriminator(far, far), objective.answer(far, far)):
            assert keras.backend.standardize_dtype(loss.dtype) == "float32"
            assert np.isfinite(float(loss))


def shares(points, centres, radius):
    """Share of all points that lies within `radius` of each centre."""
    distance = np.linalg.norm(points[:, None] - centres[None], axis=2)
    return (distance < radius).mean(axis=0)


def test_vanilla_covers_a_ring():
    """Eight Gaussians on a circle, the first test of collapse in the literature."""
    angle = np.arange(8) * 2 * np.pi / 8
    centres = 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    model = ganzoo.get(
        "vanilla",
        objective="minimax",
        latent_dim=2,
        generator_units=(128, 128),
        discriminator_units=(128, 128),
        pieces=2,
        dropout=(0.0, 0.5),
        learning_rate=1e-3,
        discriminator_learning_rate=2e-3,
        ema_decay=0.999,
        seed=0,
    )
    model.compile(steps_per_execution=30)
    model.fit(ganzoo.datasets.load("ring", batch_size=256), epochs=6, verbose=0)
    points = model.generate(2500, seed=0)
    # Neighbouring modes are 0.61 apart. Of the data each has an eighth; a collapsed generator
    # leaves some with nothing.
    near = shares(points, centres, 0.1)
    assert near.min() > 0.04, near
    assert near.sum() > 0.7, near
    # PacGAN's protocol: a mode is covered if a sample lies within three sigma of it.
    assert (shares(points, centres, 3 * 0.008) > 0).all()


def test_the_ring_itself_scores_what_a_perfect_sampler_does():
    ring = ganzoo.datasets.load("ring", split="test", batch_size=2500)
    angle = np.arange(8) * 2 * np.pi / 8
    centres = 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.asarray(next(iter(ring)))
    # 1 - exp(-9/2) = 0.989; the error of 2,500 samples is 0.002, four of them are allowed.
    assert shares(points, centres, 3 * 0.008).sum() == pytest.approx(0.989, abs=0.008)


# Penalties ------------------------------------------------------------------------------------


def critic(seed=0):
    rng = np.random.default_rng(seed)
    w1 = ops.convert_to_tensor(rng.standard_normal((6, 5)).astype("float32"))
    w2 = ops.convert_to_tensor(rng.standard_normal((5, 1)).astype("float32"))
    return lambda x: ops.matmul(ops.tanh(ops.matmul(ops.reshape(x, (-1, 6)), w1)), w2)


def test_input_gradient_equals_finite_differences():
    x = np.random.default_rng(1).standard_normal((3, 6)).astype("float32")
    f = critic()
    got = ops.convert_to_numpy(backend.input_gradient(f, ops.convert_to_tensor(x)))
    h = 1e-2
    for i in range(6):
        step = np.zeros_like(x)
        step[:, i] = h
        up, down = (ops.convert_to_numpy(f(x + s))[:, 0] for s in (step, -step))
        # Central differences err by h²/6 · f''' ~ 2e-4 here, and by float32 noise / h ~ 1e-4.
        np.testing.assert_allclose(got[:, i], (up - down) / (2 * h), atol=2e-3)


def test_gradient_penalty_of_a_linear_critic_is_known():
    """Its slope is ‖w‖ everywhere: the penalty is (‖w‖ − 1)², whatever the interpolation."""
    w = np.array([[3.0], [4.0]], "float32")
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 8, 2)).astype("float32")
    seed = keras.random.SeedGenerator(0)
    linear = lambda x: ops.matmul(x, w)
    got = float(penalties.gradient_penalty(linear, real, fake, seed=seed))
    assert got == pytest.approx((5 - 1) ** 2, rel=1e-5)
    flat = float(penalties.gradient_penalty(lambda x: 0 * linear(x), real, fake, seed=seed))
    assert flat == pytest.approx(1.0, abs=1e-5)


def test_squared_slopes_of_a_linear_critic_are_known():
    w = np.array([[3.0], [4.0]], "float32")
    x = np.random.default_rng(0).standard_normal((8, 2)).astype("float32")
    got = penalties.squared_slopes(lambda x: ops.matmul(x, w), x)
    np.testing.assert_allclose(ops.convert_to_numpy(got), np.full(8, 25.0), rtol=1e-5)


def test_gradient_penalty_interpolates_each_example_by_its_own_uniform_weight():
    seen = []
    real, fake = np.ones((4000, 2), "float32"), np.zeros((4000, 2), "float32")

    def look(x):
        seen.append(ops.convert_to_numpy(ops.stop_gradient(x)) if not _traced(x) else None)
        return ops.sum(x, axis=1, keepdims=True)

    if keras.backend.backend() == "jax":
        pytest.skip("values inside jax.grad cannot be looked at")
    penalties.gradient_penalty(look, real, fake, seed=keras.random.SeedGenerator(0))
    weight = seen[0]
    assert (weight[:, 0] == weight[:, 1]).all()
    # Kolmogorov-Smirnov distance to the uniform; 1.63/sqrt(n) is its 1 % point.
    distance = np.abs(np.sort(weight[:, 0]) - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 1.63 / np.sqrt(4000)


def _traced(x):
    return not hasattr(x, "numpy")


def test_gradient_of_the_penalty_equals_finite_differences():
    """The second-order gradient, to the critic's weights."""
    rng = np.random.default_rng(2)
    real, fake = rng.standard_normal((2, 4, 3)).astype("float32")
    w = keras.Variable(rng.standard_normal((3, 4)).astype("float32"))

    def penalty():
        f = lambda x: ops.sum(ops.tanh(ops.matmul(x, w)), axis=1, keepdims=True)
        seed = keras.random.SeedGenerator(7)
        return penalties.gradient_penalty(f, real, fake, seed=seed)

    assert_gradient(penalty, w)


def test_judgement_and_slopes_from_one_pass_have_both_gradients():
    """Of each alone and of their sum, to the critic's weights."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((4, 3)).astype("float32")
    w = keras.Variable(rng.standard_normal((3, 4)).astype("float32"))

    def total(judged, slopes):
        look = lambda x: {
            "logits": ops.sum(ops.tanh(ops.matmul(x, w)), axis=1, keepdims=True),
            "more": ops.sum(ops.sin(w)),
        }
        said = penalties.with_squared_slopes(look, x)
        more = judged * (ops.mean(ops.square(said["logits"])) + said["more"])
        return more + slopes * ops.mean(said["squared_slopes"])

    for weights in ((1, 0), (0, 1), (1, 1)):
        assert_gradient(functools.partial(total, *weights), w)


def assert_gradient(loss, w):
    """The gradient of `loss` to a matrix of weights equals central differences."""
    _, (gradient,), _ = backend.value_and_grad(lambda: (loss(), None), [w], None, [w])
    start, h = np.array(ops.convert_to_numpy(w.value)), 1e-2
    for index in np.ndindex(*start.shape):
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[index] += sign * h
            w.assign(moved)
            values.append(float(loss()))
        w.assign(start)
        difference = (values[0] - values[1]) / (2 * h)
        assert float(gradient[index]) == pytest.approx(difference, abs=5e-3)
