"""`project`: the latents of a given image."""

import numpy as np
import pytest

import ganzoo
from ganzoo.families import inversion


def varied(name, larger=20, **config):
    """An untrained model whose samples differ much: its kernels are larger than a new model's."""
    model = ganzoo.get(
        name, **{"image_shape": (8, 8, 1), "channels": 4, "latent_dim": 4, "seed": 0, **config}
    )
    model.setup(model.image_shape)
    for variable in model.sampler.weights:
        if len(variable.shape) > 1:
            variable.assign(variable * larger)
    return model


@pytest.mark.parametrize(
    "name, config",
    [
        ("dcgan", {}),
        ("cogan", {}),
        ("stylegan2", {"larger": 1, "max_channels": 8, "style_dim": 8}),
        ("vae", {}),
        ("progan", {"larger": 1, "max_channels": 8}),  # it reads its step to know its size
    ],
)
def test_a_models_own_samples_are_found_again(name, config):
    model = varied(name, **config)
    images = model.generate(5, seed=3)
    assert np.std(images.astype(float), axis=0).mean() > 10
    found = model.project(images, steps=100, starts=6)
    assert found.latents.shape == (5, model.latent_width) and found.labels is None
    again = model.generate(5, latents=found.latents)
    errors = np.sqrt(np.square(again.astype(float) - images).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(errors, found.errors)
    assert np.sort(errors)[3] <= 3  # one may end in a local minimum


def test_classes_are_found_too():
    model = varied("cgan", larger=12, num_classes=3)
    labels = np.array([2, 0, 1, 1])
    images = model.generate(4, seed=5, labels=labels)
    found = model.project(images, steps=100)
    assert found.labels.tolist() == labels.tolist() and found.errors.max() <= 3
    told = model.project(images, steps=1, labels=labels[::-1].copy())
    assert told.labels.tolist() == labels[::-1].tolist()
    assert model.project(images, steps=1, labels=1).labels.tolist() == [1] * 4


def test_more_moves_come_nearer_and_the_batch_size_changes_nothing(monkeypatch):
    monkeypatch.setattr(inversion, "POLISH", 0)
    model = varied("dcgan")
    images = model.generate(3, seed=4)
    first, later = (model.project(images, steps=n, starts=2) for n in (1, 100))
    assert (later.errors < first.errors).all()
    parts = model.project(images, steps=20, starts=2, batch_size=2)
    whole = model.project(images, steps=20, starts=2)
    np.testing.assert_allclose(parts.latents, whole.latents, atol=1e-3)


def test_the_polish_goes_on_where_moves_end(monkeypatch):
    model = varied("dcgan")
    images = model.generate(3, seed=4)
    polished = model.project(images, steps=20)
    monkeypatch.setattr(inversion, "POLISH", 0)
    moved = model.project(images, steps=20)
    assert np.median(polished.errors / moved.errors) < 0.5


def test_latents_stay_near_the_prior(rng):
    model = varied("dcgan", larger=5)
    far = 8 * rng.standard_normal((3, 4)).astype("float32")
    images = model.generate(3, latents=far)
    found = model.project(images, steps=30)  # without a bound their mean squares are 7, 46 and 35
    assert np.square(found.latents).mean(axis=1).max() < 3.5


def test_an_encoder_gives_one_of_the_starts():
    model = varied("vae")
    images = model.generate(4, seed=6)
    calls = []

    def encode(images):
        calls.append(len(images))
        return np.full((len(images), 4), 7.0, "float32")

    model.encode = encode
    model.project(images, steps=1, starts=1)
    assert calls == [4]


def test_points_have_latents_as_well():
    config = {"image_shape": (2,), "channels": (16,), "latent_dim": 2}
    model = varied("r3gan", larger=0.7, **config)
    points = model.generate(4, seed=1)
    assert np.std(points, axis=0).min() > 0.05
    found = model.project(points, steps=100)
    np.testing.assert_allclose(model.generate(4, latents=found.latents), points, atol=0.02)


def test_bad_input():
    model = varied("dcgan")
    images = model.generate(2, seed=0)
    with pytest.raises(ValueError, match=r"\(n, 8, 8, 1\).*Received: \(8, 8, 1\)"):
        model.project(images[0])
    with pytest.raises(ValueError, match=r"`steps`"):
        model.project(images, steps=0)
    with pytest.raises(ValueError, match=r"has no classes: leave `labels` out"):
        model.project(images, labels=1)
    with pytest.raises(ValueError, match=r"int64"):
        model.project(images.astype("int64"))
    with pytest.raises(ValueError, match=r"takes models with normal latents"):
        varied("infogan").project(images)
    with pytest.raises(ValueError, match=r"must be one whole number or 2"):
        varied("cgan", num_classes=3).project(images, labels=[1, 2, 0])
