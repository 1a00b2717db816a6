"""Walks through latents, on models whose pictures say what they were made of."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import latent
from ganzoo.modalities import Images
from tests.cases import CASES
from tests.helpers import some_slow


class Shown:
    """Makes pictures of 8×8 whose first row is its latents, and the second its labels."""

    latent_width = 8
    modality = Images((8, 8, 1))

    def __init__(self, num_classes=None):
        self.num_classes = num_classes

    def prior(self, rng, count):
        return rng.standard_normal((count, self.latent_width), "float32")

    def generate(self, n, *, latents, labels=None):
        pictures = np.zeros((n, 8, 8, 1), "uint8")
        pictures[:, 0, :, 0] = np.round(latents * 16 + 128)  # exact for sixteenths within ±7.9
        if labels is not None:
            assert labels.shape == (n,)
            pictures[:, 1, :, 0] = labels[:, None]
        return pictures


def shown(walk):
    """The latents that the pictures of a walk show."""
    return (walk.pictures[..., 0, :, 0].astype("float64") - 128) / 16


def angles(way):
    unit = way / np.linalg.norm(way, axis=-1, keepdims=True)
    sine = np.linalg.norm(unit[1:] - unit[:-1], axis=-1) / 2
    return 2 * np.arcsin(sine)


# The way ----------------------------------------------------------------------------------------


def test_between_unit_vectors_the_norm_stays_and_the_angles_are_equal(rng):
    for _ in range(20):
        start, end = (x / np.linalg.norm(x) for x in rng.standard_normal((2, 7)))
        way = latent.slerp(start, end, np.linspace(0, 1, 9)[:, None])
        np.testing.assert_allclose(np.linalg.norm(way, axis=1), 1, atol=1e-12)
        whole = np.arccos(np.clip(start @ end, -1, 1))
        np.testing.assert_allclose(angles(way), whole / 8, atol=1e-9)
        assert (way[0] == start).all() and (way[-1] == end).all()
        # Shoemake's formula.
        t, sine = 3 / 8, np.sin(whole)
        formula = np.sin((1 - t) * whole) / sine * start + np.sin(t * whole) / sine * end
        np.testing.assert_allclose(way[3], formula, atol=1e-12)


def test_between_other_vectors_the_length_changes_evenly(rng):
    start, end = rng.standard_normal((2, 7)) * [[1.0], [3.0]]
    way = latent.slerp(start, end, np.linspace(0, 1, 9)[:, None])
    lengths = np.linspace(np.linalg.norm(start), np.linalg.norm(end), 9)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), lengths, rtol=1e-12)
    np.testing.assert_allclose(angles(way), angles(way)[0], atol=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 1e-17, 1e-12, 1e-6])
def test_parallel_opposite_and_zero_vectors_are_no_trouble(tilt, rng):
    share = np.linspace(0, 1, 9)[:, None]
    start = rng.standard_normal(5)
    start /= np.linalg.norm(start)
    off = tilt * rng.standard_normal(5)
    same = latent.slerp(start, start + off, share)
    np.testing.assert_allclose(same, np.tile(start, (9, 1)), atol=1e-5)
    opposite = latent.slerp(start, -start + off, share)
    np.testing.assert_allclose(np.linalg.norm(opposite, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(angles(opposite), np.pi / 8, atol=1e-5)
    np.testing.assert_array_equal(opposite, latent.slerp(start, -start + off, share))
    from_zero = latent.slerp(np.zeros(5), start, share)
    np.testing.assert_allclose(from_zero, share * start, atol=1e-12)
    assert (latent.slerp(np.zeros(5), np.zeros(5), share) == 0).all()


# The tools --------------------------------------------------------------------------------------


def test_interpolation_goes_from_start_to_end():
    start, end = np.eye(8)[[0, 1]] * 4, np.eye(8)[[2, 3]] * 4
    walk = latent.interpolate(Shown(), start, end, steps=5)
    assert walk.pictures.shape == (2, 5, 8, 8, 1) and walk.pictures.dtype == np.uint8
    assert walk.latents.shape == (2, 5, 8) and walk.latents.dtype == np.float32
    np.testing.assert_array_equal(shown(walk)[:, 0], start)
    np.testing.assert_array_equal(shown(walk)[:, -1], end)
    middle = 4 * np.sqrt(0.5) * (np.eye(8)[[0, 1]] + np.eye(8)[[2, 3]])
    np.testing.assert_allclose(walk.latents[:, 2], middle / 1.0, atol=1e-6)
    one = latent.interpolate(Shown(), start, end[0], steps=5)
    np.testing.assert_array_equal(one.latents[0], walk.latents[0])
    np.testing.assert_array_equal(one.latents[:, -1], end[[0, 0]])


def test_drawn_ends_come_from_the_prior_and_the_seed():
    walk = latent.interpolate(Shown(), rows=3, steps=2, seed=4)
    drawn = Shown().prior(np.random.default_rng(4), 6).reshape(2, 3, 8)
    np.testing.assert_array_equal(walk.latents, np.swapaxes(drawn, 0, 1))
    again = latent.interpolate(Shown(), rows=3, steps=2, seed=4)
    np.testing.assert_array_equal(again.latents, walk.latents)
    other = latent.interpolate(Shown(), rows=3, steps=2, seed=5)
    assert (other.latents != walk.latents).all()
    # A given start does not change the end.
    half = latent.interpolate(Shown(), np.zeros((3, 8)), rows=9, steps=2, seed=4)
    np.testing.assert_array_equal(half.latents[:, 1], walk.latents[:, 1])


def test_a_traversal_changes_one_dimension_only():
    values = [-2.0, -0.5, 0.0, 1.0]
    start = np.arange(8) / 4
    walk = latent.traverse(Shown(), [0, 5], values, start=start)
    assert walk.pictures.shape == (2, 4, 8, 8, 1)
    for row, dim in zip(shown(walk), [0, 5]):
        np.testing.assert_array_equal(row[:, dim], values)
        others = np.arange(8) != dim
        np.testing.assert_array_equal(row[:, others], np.tile(start[others], (4, 1)))
    drawn = latent.traverse(Shown(), 3, seed=2)
    others = np.arange(8) != 3
    prior = Shown().prior(np.random.default_rng(2), 1)[0]
    assert (drawn.latents[0][:, others] == prior[others]).all()


def test_arithmetic_is_exact():
    a, b, c = np.random.default_rng(0).integers(-16, 17, (3, 4, 8)) / 8
    walk = latent.arithmetic(Shown(), a, b[:2], c[0])
    wanted = np.stack([a.mean(0), b[:2].mean(0), c[0], a.mean(0) - b[:2].mean(0) + c[0]])
    np.testing.assert_allclose(walk.latents[0], wanted, atol=1e-6)
    # Four pictures of sixteenths are exact, means of four of eighths are so to a half grey level.
    np.testing.assert_allclose(shown(walk)[0], wanted, atol=0.5 / 16)
    np.testing.assert_array_equal(latent.arithmetic(Shown(), a, a, a).latents[0, 3], a.mean(0))


def test_the_strip_shows_all_images_in_their_places():
    walk = latent.traverse(Shown(), [0, 1, 2], [-1.0, 1.0])
    assert walk.strip == ganzoo.images.grid(walk.pictures.reshape(6, 8, 8, 1), columns=2)
    pictures, latents, strip = walk
    assert pictures is walk.pictures and latents is walk.latents and strip is walk.strip
    assert strip.height > strip.width


def test_each_row_has_one_class():
    model = Shown(num_classes=3)
    labels = lambda walk: walk.pictures[:, :, 1, 0, 0].tolist()
    assert labels(latent.interpolate(model, steps=2)) == [[0, 0], [1, 1], [2, 2], [0, 0]]
    assert labels(latent.interpolate(model, steps=2, rows=2, labels=2)) == [[2, 2], [2, 2]]
    assert labels(latent.interpolate(model, steps=2, rows=2, labels=[2, 1])) == [[2, 2], [1, 1]]
    # One picture is varied, so all rows have its class.
    assert labels(latent.traverse(model, [0, 1], [0.0])) == [[0], [0]]
    assert labels(latent.arithmetic(model, *np.zeros((3, 1, 8)), labels=1)) == [[1] * 4]
    with pytest.raises(ValueError, match="one for each of the 2 rows"):
        latent.interpolate(model, rows=2, labels=[1, 2, 0])


def test_on_models_of_the_zoo(rng):
    images = rng.integers(0, 256, (4, 8, 8, 1)).astype("uint8")
    vae = ganzoo.get("vae", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    codes = vae.encode(images)
    walk = ganzoo.latent.interpolate(vae, codes[:2], codes[2:], steps=3)
    np.testing.assert_array_equal(walk.pictures[:, 0], vae.reconstruct(images[:2]))
    np.testing.assert_array_equal(walk.pictures[:, 2], vae.reconstruct(images[2:]))
    cgan = ganzoo.get("cgan", num_classes=3, channels=4, latent_dim=6, image_shape=(8, 8, 1))
    walk = latent.traverse(cgan, 1, [0.0, 1.0], labels=2)
    same = cgan.generate(2, labels=2, latents=walk.latents[0])
    np.testing.assert_array_equal(walk.pictures[0], same)
    ring = ganzoo.get("vanilla", latent_dim=2, generator_units=(4,), image_shape=(2,))
    assert latent.interpolate(ring, steps=3).pictures.shape == (4, 3, 2)


def test_bad_input_is_named():
    model = Shown()
    for wrong in (np.zeros((2, 7)), np.zeros((0, 8)), np.zeros((2, 2, 8))):
        with pytest.raises(ValueError, match=r"`start` must be latents of shape \(n, 8\)"):
            latent.interpolate(model, wrong)
        with pytest.raises(ValueError, match=r"`c` must be latents of shape \(n, 8\)"):
            latent.arithmetic(model, np.zeros(8), np.zeros(8), wrong)
    with pytest.raises(ValueError, match="`b` must be latents.*None"):
        latent.arithmetic(model, np.zeros(8), None, np.zeros(8))
    with pytest.raises(ValueError, match="as many rows as each other"):
        latent.interpolate(model, np.zeros((2, 8)), np.zeros((3, 8)))
    with pytest.raises(ValueError, match="`end` contains NaN"):
        latent.interpolate(model, end=np.full(8, np.nan))
    with pytest.raises(ValueError, match="`steps` must be at least 2"):
        latent.interpolate(model, steps=1)
    with pytest.raises(ValueError, match=r"`dims` must be numbers of latent dimensions, 0..7"):
        latent.traverse(model, [8])
    with pytest.raises(ValueError, match="`dims`"):
        latent.traverse(model, [])
    with pytest.raises(ValueError, match="`dims` must be at least 0"):
        latent.traverse(model, -1)
    with pytest.raises(TypeError, match="`dims` must be a whole number"):
        latent.traverse(model, [0.5])
    with pytest.raises(ValueError, match="`values` must be a list of finite numbers"):
        latent.traverse(model, 0, values=[])
    with pytest.raises(ValueError, match="`start` must be one vector"):
        latent.traverse(model, 0, start=np.zeros((2, 8)))
    with pytest.raises(ValueError, match="has no networks yet"):
        latent.interpolate(ganzoo.get("dcgan"))
    with pytest.raises(ValueError, match="has no classes"):
        latent.interpolate(ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1)), labels=1)
    autoencoder = ganzoo.get("autoencoder", channels=4, image_shape=(8, 8, 1))
    for walk in (
        lambda: latent.interpolate(autoencoder),
        lambda: latent.traverse(autoencoder, 0),
        lambda: latent.arithmetic(autoencoder, *np.zeros((3, 64))),
    ):
        with pytest.raises(AttributeError, match="no `generate`: nothing says.*dcgan"):
            walk()


# Principal directions ---------------------------------------------------------------------------


class Linear(ganzoo.GAN):
    """Its first layer is a matrix that the test knows."""

    activation = None

    def build_generator(self):
        x = inputs = keras.Input((self.latent_dim,))
        x = keras.layers.Dense(12, self.activation, use_bias=False, name="known")(x)
        x = keras.layers.Dense(64)(x)
        return keras.Model(inputs, keras.layers.Reshape((8, 8, 1))(x))

    def build_discriminator(self):
        inputs = keras.Input((8, 8, 1))
        return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))


def test_a_dead_generator_has_no_directions():
    model = Linear(latent_dim=5, image_shape=(8, 8, 1), ema_decay=None, seed=0)
    kernel = model.sampler.get_layer("known").kernel
    kernel.assign(np.zeros((5, 12)))
    for method in ("sefa", "ganspace"):
        np.testing.assert_array_equal(latent.directions(model, 3, method=method).shares, 0)


@pytest.mark.parametrize(
    "method, activation", [("sefa", None), ("sefa", "relu"), ("ganspace", None)]
)
def test_directions_are_those_that_the_first_layer_stretches_most(
    method, activation, rng, monkeypatch
):
    """Of a linear layer with singular vectors that are known, both methods find them."""
    monkeypatch.setattr(Linear, "activation", activation)
    model = Linear(latent_dim=5, image_shape=(8, 8, 1), ema_decay=None, seed=0)
    lengths = np.array([9.0, 5.0, 3.0, 2.0, 1.0])
    known = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    across = np.linalg.qr(rng.standard_normal((12, 5)))[0]
    model.sampler.get_layer("known").kernel.assign((known * lengths) @ across.T)
    found = latent.directions(model, 4, method=method, samples=4000, seed=1)
    assert found.method == method
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, rtol=1e-5)
    cosines = np.abs(np.sum(found.vectors * known.T[:4], axis=1))
    # Exact weights, or 4,000 samples: a covariance is then known to 1 / sqrt(4000), 1.6 %.
    assert cosines.min() > (0.99999 if method == "sefa" else 0.995)
    wanted = lengths**2 / np.sum(lengths**2)
    np.testing.assert_allclose(found.shares, wanted[:4], rtol=1e-4 if method == "sefa" else 0.1)
    again = latent.directions(model, 4, method=method, samples=4000, seed=1)
    np.testing.assert_array_equal(found.vectors, again.vectors)


def test_directions_of_a_model_with_classes_are_not_its_classes():
    """Of weights for which the first component of all samples together is 93 % a matter of class,
    and of which latents say as good as nothing."""
    model = ganzoo.get("cgan", weights="mnist")
    found = latent.directions(model, 5, samples=1000)
    drawn = model.prior(np.random.default_rng(0), 200)
    pictures = []
    for step in (0.0, 2.0):
        for vector in (found.vectors[0], np.eye(model.latent_width)[0]):
            made = model.generate(200, latents=(drawn + step * vector).astype("float32"))
            pictures.append(made.astype("float64"))
    strongest, any_one = (np.abs(pictures[2 + i] - pictures[i]).mean() for i in (0, 1))
    assert strongest > 1.2 * any_one


WAYS_IN = ("dcgan", "cgan", "infogan", "progan", "stylegan2")
"""Models with other first layers than the rest: with labels, codes, a first block, a mapping."""


@some_slow(WAYS_IN, sorted({*ganzoo.list_models(can="generate")} - {*WAYS_IN}))
def test_every_model_that_generates_has_directions(name):
    shape = CASES[name].shapes[0]
    shape = (16, 16, 1) if len(shape) == 3 else shape
    model = ganzoo.get(name, image_shape=shape, seed=0, **CASES[name].config)
    for method in ("sefa", "ganspace"):
        found = latent.directions(model, 2, method=method, samples=100)
        assert found.vectors.shape == (2, model.latent_width)
        assert np.isfinite(found.vectors).all() and 0 < found.shares.sum() <= 1 + 1e-6
    labels = 1 if model.num_classes else None
    walk = latent.along(model, found.vectors, [-2, 0, 2], labels=labels)
    steps = np.diff(walk.latents, axis=1)
    np.testing.assert_allclose(steps[:, 1], 2 * found.vectors, atol=1e-6)
    assert walk.pictures.shape[:2] == (2, 3)


@pytest.mark.parametrize(
    "settings, wrong",
    [
        ({"count": 99}, "at most"),
        ({"method": "umap"}, "ganspace"),
        ({"samples": 3}, "samples"),
    ],
)
def test_directions_that_cannot_be(settings, wrong):
    model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    with pytest.raises(ValueError, match=wrong):
        latent.directions(model, **{"count": 2, **settings})
    with pytest.raises(ValueError, match="vectors"):
        latent.along(model, np.ones((2, 5)))
