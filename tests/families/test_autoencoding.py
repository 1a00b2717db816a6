"""Models that encode, against closed forms, principal components and known inverses."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import losses
from ganzoo import zoo
from ganzoo.families.autoencoding import Autoencoding
from ganzoo.models.autoencoder import Autoencoder
from ganzoo.models.vae import VAE
from tests.cases import CASES

NAMES = ["aae", "autoencoder", "bigan", "vae", "vae_gan"]
each_model = pytest.mark.parametrize("name", NAMES)


def make(name, **config):
    return ganzoo.get(name, **{"seed": 0, "jit_compile": False, **CASES[name].config, **config})


def digits():
    """All training pictures of the 8×8 digits, as floats in [-1, 1]."""
    batches = ganzoo.datasets.load("digits", shuffle=False)
    images = np.concatenate([np.asarray(images) for images in batches])
    return images.astype("float32") / 127.5 - 1


def error(model, images):
    again = model.reconstruct(images)
    again = again / 127.5 - 1 if again.dtype == np.uint8 else again
    return float(np.mean(np.square(again - images)))


# What users can ask for -------------------------------------------------------------------------


def test_these_are_the_models_that_encode():
    assert set(NAMES) <= set(ganzoo.list_models(can="encode"))
    assert set(NAMES) <= set(ganzoo.list_models(can="reconstruct"))
    assert set(NAMES) - set(ganzoo.list_models(can="generate")) == {"autoencoder"}


@each_model
def test_codes_and_reconstructions_have_the_promised_form(name, rng):
    model = make(name, image_shape=(8, 8, 1))
    images = rng.integers(0, 256, (11, 8, 8, 1)).astype("uint8")
    codes, again = model.encode(images), model.reconstruct(images)
    assert codes.shape == (11, model.latent_dim) and codes.dtype == np.float32
    assert again.shape == images.shape and again.dtype == np.uint8
    np.testing.assert_array_equal(model.decode(codes), again)
    if hasattr(model, "generate"):
        np.testing.assert_array_equal(model.generate(11, latents=codes), again)
    for batch_size in (1, 4):
        # Sums in another order, for numbers of about 1.
        other = model.encode(images, batch_size=batch_size)
        np.testing.assert_allclose(other, codes, atol=1e-5)
    as_floats = model.encode(images / 127.5 - 1)
    np.testing.assert_allclose(as_floats, codes, atol=1e-5)
    np.testing.assert_array_equal(model.encode(images), codes)


@each_model
def test_images_that_do_not_fit_are_refused(name, rng):
    model = make(name, image_shape=(8, 8, 1))
    images = rng.uniform(-1, 1, (3, 8, 8, 1)).astype("float32")
    for use in (model.encode, model.reconstruct):
        for wrong in (images[0], images[:0], images[:, :7], np.zeros((3, 8, 8, 3))):
            with pytest.raises(ValueError, match=r"takes images of shape \(n, 8, 8, 1\)"):
                use(wrong)
        with pytest.raises(ValueError, match="must lie in"):
            use(3 * images)
        with pytest.raises(ValueError, match="NaN"):
            use(images * np.nan)
        with pytest.raises(ValueError, match="must be uint8"):
            use(np.zeros((3, 8, 8, 1), "int64"))
        with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
            use(images, batch_size=0)
    for wrong in (np.zeros((3, 99)), np.zeros((0, model.latent_dim)), np.zeros(model.latent_dim)):
        with pytest.raises(ValueError, match="`codes` must have shape"):
            model.decode(wrong)


@each_model
def test_before_fit_there_must_be_a_shape(name):
    images = np.zeros((2, 8, 8, 1), "uint8")
    for use in (make(name).encode, make(name).reconstruct):
        with pytest.raises(ValueError, match="has no networks yet"):
            use(images)
    assert len(make(name, image_shape=(8, 8, 1)).encode(images)) == 2


def test_what_a_model_lacks_it_says_with_the_models_that_have_it():
    with pytest.raises(AttributeError, match="no `generate`: nothing says .*bigan.*dcgan.*vae"):
        make("autoencoder").generate  # noqa: B018
    for ability in ("encode", "reconstruct"):
        with pytest.raises(AttributeError, match=f"no `{ability}`.*autoencoder.*bigan.*vae"):
            getattr(ganzoo.get("dcgan"), ability)


def test_wrong_arguments_are_named():
    for name in ("aae", "bigan", "vae", "vae_gan", "vanilla"):
        with pytest.raises(ValueError, match="takes no labels: leave `num_classes` out"):
            ganzoo.get(name, num_classes=10)
    for name, argument, value in [
        ("vae", "beta", -1.0),
        ("vae", "noise", 0.0),
        ("vae_gan", "gamma", -1.0),
        ("vae_gan", "beta", -1.0),
        ("bigan", "objective", "hinge"),
        ("autoencoder", "hidden", (0,)),
        ("autoencoder", "latent_dim", 0),
        ("aae", "discriminator_units", (0,)),
    ]:
        with pytest.raises(ValueError, match=argument):
            ganzoo.get(name, **{argument: value})
    with pytest.raises(ValueError, match="update='one_stage' would not be exact"):
        make("bigan", update="one_stage", objective="minimax", image_shape=(8, 8, 1))


@each_model
def test_dense_networks_take_points_and_images(name, rng):
    config = {"hidden": (16, 8), "latent_dim": 2}
    for shape in ((2,), (9, 8, 3)):
        model = make(name, image_shape=shape, **config)
        points = rng.uniform(-1, 1, (16, *shape)).astype("float32")
        model.fit(points, batch_size=8, verbose=0)
        assert model.encode(points).shape == (16, 2)
        assert model.reconstruct(points).shape == points.shape


@pytest.mark.parametrize(
    "name, config, count",
    [
        # Section "deep autoencoder" of the supporting text: 784-1000-500-250-30 and back, each
        # layer with biases, (784+1)·1000 + (1000+1)·500 + (500+1)·250 + (250+1)·30 = 1,418,280
        # and (30+1)·250 + (250+1)·500 + (500+1)·1000 + (1000+1)·784 = 1,419,034.
        ("autoencoder", {"hidden": (1000, 500, 250), "latent_dim": 30}, 2_837_314),
        # Section 5: 500 hidden units, here with 20 latents: mean and variance have a head each,
        # 785·500 + 2·501·20 + 21·500 + 501·784; and one number, the noise.
        ("vae", {"hidden": (500,), "latent_dim": 20}, 392_500 + 20_040 + 10_500 + 392_784 + 1),
        # Appendix A.1: two layers of 1000 in encoder, decoder and discriminator; 8 latents.
        (
            "aae",
            {"hidden": (1000, 1000), "latent_dim": 8},
            (785 + 1001) * 1000 + 1001 * 8 + (9 + 1001) * 1000 + 1001 * 784 + 1_011_001,
        ),
    ],
)
def test_the_papers_networks_on_mnist(name, config, count):
    model = ganzoo.get(name, image_shape=(28, 28, 1), **config)
    networks = {id(n): n for player in model.players for n in player.networks}.values()
    assert sum(network.count_params() for network in networks) == count


# Closed forms -----------------------------------------------------------------------------------


def test_the_divergence_is_its_closed_form_and_its_definition(rng):
    mean, log_variance = rng.normal(0, 1, (2, 3, 2)).astype("float32")
    got = ops.convert_to_numpy(losses.gaussian_divergence(mean, log_variance))
    # Of one number: log(1/σ) + (σ² + μ²)/2 − 1/2.
    sigma = np.exp(log_variance / 2)
    np.testing.assert_allclose(
        got, (np.log(1 / sigma) + (sigma**2 + mean**2) / 2 - 0.5).sum(axis=1), rtol=1e-5
    )
    z = mean + sigma * rng.standard_normal((200_000, 3, 2))
    log_q = -0.5 * ((z - mean) / sigma) ** 2 - np.log(sigma)
    # The standard error of 200,000 draws is about 0.005 here: five of them.
    np.testing.assert_allclose(got, (log_q + 0.5 * z**2).sum(axis=2).mean(axis=0), atol=0.025)
    assert float(losses.gaussian_divergence(np.zeros((1, 4)), np.zeros((1, 4)))[0]) == 0


def test_codes_are_drawn_as_said_and_gradients_reach_mean_and_variance():
    """E[z²] is μ² + σ²: its derivatives to μ and to log σ² are 2 μ and σ²."""
    model = make("vae", image_shape=(8, 8, 1))
    mean = keras.Variable(np.full((200_000, 1), 0.7, "float32"))
    log_variance = keras.Variable(np.full((200_000, 1), -0.4, "float32"))

    def loss():
        found = {"mean": ops.convert_to_tensor(mean), "log_variance": log_variance * 1.0}
        z = model.sample_codes(found)
        return ops.sum(ops.square(z)) / 200_000, (ops.mean(z), ops.var(z))

    everything = [*model.variables, model.seed_generator.state, mean, log_variance]
    (_, (centre, variance)), gradients, _ = backend.value_and_grad(
        loss, [mean, log_variance], None, everything
    )
    # Standard errors of 200,000 draws are below 0.004.
    assert float(centre) == pytest.approx(0.7, abs=0.015)
    assert float(variance) == pytest.approx(np.exp(-0.4), abs=0.015)
    slopes = [float(ops.sum(g)) for g in gradients]
    np.testing.assert_allclose(slopes, [1.4, np.exp(-0.4)], atol=0.02)


def low_rank(rng, n=4000):
    """Points in 5 dimensions: 2 directions and noise around them, within [-1, 1]."""
    directions = np.array([[0.22, 0.0], [0.1, 0.15], [-0.12, 0.1], [0.0, -0.12], [0.05, 0.05]])
    points = rng.standard_normal((n, 2)) @ directions.T + 0.05 * rng.standard_normal((n, 5))
    return (points + [0.1, -0.1, 0.0, 0.05, 0.0]).clip(-1, 1).astype("float32")


class Linear(Autoencoding):
    """Linear networks in place of all others."""

    accepts_points = True

    def __init__(self, **kwargs):
        super().__init__(hidden=(), **kwargs)

    def build_decoder(self):
        codes = keras.Input((self.latent_dim,))
        return keras.Model(codes, layers.Dense(*self.image_shape, dtype="float32")(codes))


class LinearAutoencoder(Linear, Autoencoder):
    """Finds principal components."""


class LinearVAE(Linear, VAE):
    """Finds probabilistic principal components."""


def rates(start, end, steps):
    schedule = keras.optimizers.schedules.CosineDecay(start, steps, alpha=end / start)
    # A short memory of squared gradients, because the first are hundreds of times the last.
    return {"autoencoder": keras.optimizers.Adam(schedule, beta_2=0.98)}


def test_a_linear_autoencoder_reaches_the_error_of_principal_components(rng):
    points = low_rank(rng)
    spectrum = np.linalg.eigvalsh(np.cov(points.T, bias=True))
    model = LinearAutoencoder(latent_dim=2, seed=0)
    model.compile(rates(1e-2, 1e-4, 50 * 25))
    model.fit(points, batch_size=80, epochs=25, verbose=0)
    got, best = error(model, points), spectrum[:3].sum() / 5
    # No linear map through two numbers does better; 2 % is left for where training stands.
    assert best * 0.999 < got < best * 1.02, (got, best)
    assert got < 0.2 * points.var(axis=0).mean()


@pytest.mark.parametrize("noise", [pytest.param(None, marks=pytest.mark.slow), 0.1])
def test_the_bound_of_a_linear_vae_reaches_the_likelihood_of_probabilistic_components(noise, rng):
    """Tipping, Bishop 1999, equations 3 to 8: at its maximum the likelihood is known, and the
    posterior is a Gaussian of the encoder's kind, so that the bound is tight (Lucas et al. 2019).
    """
    points = low_rank(rng)
    spectrum = np.linalg.eigvalsh(np.cov(points.T, bias=True))[::-1]
    # Whatever the noise σ², as long as it is below λ₂, the best model has the variances λ₁ and λ₂
    # in the span of W. The rest has σ²: by maximum likelihood the mean of the other eigenvalues.
    variance = spectrum[2:].mean() if noise is None else noise**2
    log_determinant = np.log(spectrum[:2]).sum() + 3 * np.log(variance)
    trace = 2 + spectrum[2:].sum() / variance
    best = -0.5 * (5 * np.log(2 * np.pi) + log_determinant + trace)
    model = LinearVAE(latent_dim=2, noise=noise, seed=0)
    model.compile(rates(1e-2, 1e-4, 50 * 50))
    model.fit(points, batch_size=80, epochs=50, verbose=0)
    many = np.tile(points, (10, 1))
    logs = model.evaluate(many, batch_size=len(many), verbose=0, return_dict=True)
    # A bound cannot be above; 40,000 draws, which vary by 1.6 nats, know it to 0.008. Measured with
    # six seeds: 0.002 to 0.02 below, and noise within 0.4 %.
    assert best - 0.06 < logs["elbo"] < best + 0.03, (logs, best)
    assert logs["noise"] == pytest.approx(np.sqrt(variance), rel=0.03)
    assert logs["loss"] == pytest.approx(-logs["elbo"], rel=1e-5)


def test_beta_weighs_the_prior_and_leaves_the_bound():
    images = digits()[:64]
    logs = {}
    for beta in (1.0, 4.0):
        model = make("vae", beta=beta, image_shape=(8, 8, 1))
        logs[beta] = model.evaluate(images, batch_size=64, verbose=0, return_dict=True)
    assert logs[1.0]["elbo"] == logs[4.0]["elbo"]
    assert logs[4.0]["prior"] == pytest.approx(4 * logs[1.0]["prior"], rel=1e-5)
    more = logs[4.0]["loss"] - logs[1.0]["loss"]
    assert more == pytest.approx(3 * logs[1.0]["prior"], rel=1e-3, abs=1e-3)


# What each one is for ---------------------------------------------------------------------------


def energy_distance(a, b):
    """Székely, Rizzo: 0 for two samples of one distribution, up to their error."""
    mean = lambda x, y: np.linalg.norm(x[:, None] - y[None], axis=2).mean()
    return 2 * mean(a, b) - mean(a, a) - mean(b, b)


def test_codes_of_an_adversarial_autoencoder_follow_the_prior(rng):
    images = digits()
    model = ganzoo.get(
        "aae",
        hidden=(128,),
        latent_dim=2,
        discriminator_units=(64, 64),
        learning_rate=1e-3,
        image_shape=(8, 8, 1),
        seed=0,
    )
    prior = rng.standard_normal((len(images), 2))
    before = energy_distance(model.encode(images), prior)
    start = error(model, images)
    model.fit(images, batch_size=64, epochs=60, verbose=0)
    codes = model.encode(images)
    # Two samples of N(0, 1) of this size are about 0.002 apart. Measured with six seeds: 0.0016 to
    # 0.0036, means within 0.05, deviations from 0.96 to 1.03, errors of 0.42 to 0.55 of the first.
    assert energy_distance(codes, prior) < min(0.05, before / 5), before
    assert np.abs(codes.mean(axis=0)).max() < 0.25
    assert 0.75 < codes.std(axis=0).min() <= codes.std(axis=0).max() < 1.25
    assert error(model, images) < 0.75 * start


def test_a_vae_reconstructs_and_its_samples_are_like_the_data():
    images = digits()
    model = ganzoo.get("vae", channels=8, latent_dim=8, seed=0, learning_rate=3e-3)
    history = model.fit(images, batch_size=64, epochs=15, verbose=0).history
    # Measured with six seeds: 57 to 60 nats, an error of 0.25 to 0.27, means within 0.045.
    assert history["elbo"][-1] > history["elbo"][0] + 30
    variance = images.var(axis=0).mean()
    assert error(model, images) < 0.4 * variance
    samples = model.generate(len(images), seed=0) / 127.5 - 1
    assert np.abs(samples.mean(axis=0) - images.mean(axis=0)).mean() < 0.1


def correlations(model, n=1000):
    """Of each latent with the code of the picture made of it."""
    latents = model.prior(np.random.default_rng(3), n)
    codes = model.encode(model.generate(n, latents=latents))
    return np.array([np.corrcoef(z, c)[0, 1] for z, c in zip(latents.T, codes.T)])


def test_the_encoder_of_a_bigan_undoes_the_generator_in_one_dimension(rng):
    """Data from N(0.1, 0.3²): a generator that makes them of one latent is x = 0.1 ± 0.3 z, and its
    inverse (x − 0.1) / ±0.3. The generator never sees its pictures encoded."""
    points = (0.1 + 0.3 * rng.standard_normal((20_000, 1))).clip(-1, 1).astype("float32")
    model = ganzoo.get(
        "bigan", hidden=(64, 64), latent_dim=1, learning_rate=1e-3, ema_decay=0.995, seed=0
    )
    model.fit(points, batch_size=200, epochs=20, verbose=0)
    made = model.generate(4000, seed=0)
    # Measured with six seeds: means of 0.097 to 0.110, deviations of 0.275 to 0.307, correlations
    # of 0.989 to 0.999, codes within 0.04 to 0.31 where they range over ±1.7.
    assert made.mean() == pytest.approx(0.1, abs=0.06)
    assert made.std() == pytest.approx(0.3, abs=0.08)
    assert correlations(model)[0] > 0.9
    x = np.linspace(-0.4, 0.6, 11, dtype="float32")[:, None]
    codes = model.encode(x)[:, 0]
    sign = np.sign(codes[-1] - codes[0])
    np.testing.assert_allclose(codes, sign * (x[:, 0] - 0.1) / 0.3, atol=0.8)


@pytest.mark.slow
def test_codes_of_a_bigan_know_the_latents_of_digits():
    images = digits()
    model = ganzoo.get("bigan", hidden=(256, 256), latent_dim=10, seed=0)
    model.setup((8, 8, 1))
    before = correlations(model).mean()  # of ten directions of an untrained encoder: up to chance
    model.fit(images, batch_size=64, epochs=60, verbose=0)
    # By chance each is within ±0.1 of zero (1,000 pictures), and their mean within ±0.03. Measured
    # with six seeds: 0.34 to 0.50, and before at most 0.13.
    assert correlations(model).mean() > max(0.2, before + 0.1)


def test_a_vae_gan_reconstructs_what_the_discriminator_sees():
    images = digits()
    model = ganzoo.get(
        "vae_gan",
        channels=8,
        latent_dim=8,
        gamma=0.1,
        beta=0.1,
        learning_rate=1e-3,
        image_shape=(8, 8, 1),
        seed=0,
    )
    features = lambda x: ops.convert_to_numpy(model.discriminator(x)["features"])
    model.fit(images, batch_size=64, epochs=25, verbose=0)
    again = model.reconstruct(images).astype("float32") / 127.5 - 1
    others = again[np.random.default_rng(0).permutation(len(again))]
    # Its own reconstruction is nearer than another picture's, to the discriminator and to us.
    for see in (features, lambda x: x):
        own, other = (np.square(see(x) - see(images)).mean() for x in (again, others))
        assert own < 0.75 * other, (own, other)  # measured: 0.28 to 0.57, with six seeds


def test_each_half_of_the_autoencoder_is_averaged():
    for name, networks in [("vae", ("encoder", "decoder")), ("bigan", ("encoder", "generator"))]:
        model = make(name, image_shape=(8, 8, 1))
        for network in networks:
            assert model.in_use(network) is getattr(model, f"ema_{network}")
        model = make(name, image_shape=(8, 8, 1), ema_decay=None)
        for network in networks:
            assert model.in_use(network) is getattr(model, network)


def test_default_rates_are_what_describe_says():
    for name in NAMES:
        arguments, cls = zoo.describe(name)["arguments"], zoo.model_class(name)
        assert arguments == {k: v for k, v in cls.arguments().items() if k in arguments}
        model = make(name)
        for optimizer in model.optimizer.optimizers:
            assert float(optimizer.learning_rate) == pytest.approx(arguments["learning_rate"])
