"""Convolutions and resizing in other forms have the results and derivatives of Keras's own."""

import keras
import numpy as np
import pytest
from keras import ops

from ganzoo import backend
from ganzoo import layers
from tests.helpers import compiled_gradients

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the layers are Keras's own"
)
SAME, VALID, CAUSAL = ({"padding": name} for name in ("same", "valid", "causal"))
# The layer, its arguments and the shape of an example: odd lengths, strides that leave a remainder
# or skip inputs, one channel, sides that differ.
CASES = {
    "sound": ("Conv1D", {"filters": 5, "kernel_size": 25, "strides": 4, **SAME}, (64, 1)),
    "odd length": ("Conv1D", {"filters": 5, "kernel_size": 25, "strides": 4, **SAME}, (61, 3)),
    "remainder": ("Conv1D", {"filters": 2, "kernel_size": 5, "strides": 3, **VALID}, (30, 2)),
    "inputs unseen": ("Conv1D", {"filters": 2, "kernel_size": 2, "strides": 4, **VALID}, (31, 2)),
    "small kernel": ("Conv1D", {"filters": 2, "kernel_size": 2, "strides": 3, **SAME}, (31, 1)),
    "causal": ("Conv1D", {"filters": 2, "kernel_size": 4, "strides": 2, **CAUSAL}, (9, 2)),
    "to few places": ("Conv1D", {"filters": 64, "kernel_size": 5, "strides": 4, **SAME}, (7, 6)),
    "to one place": ("Conv1D", {"filters": 32, "kernel_size": 3, "strides": 2, **VALID}, (4, 5)),
    "neither": ("Conv1D", {"filters": 3, "kernel_size": 5, "strides": 2, **SAME}, (9, 5)),
    "no stride": ("Conv1D", {"filters": 3, "kernel_size": 5, **SAME}, (9, 2)),
    "dilated": ("Conv1D", {"filters": 3, "kernel_size": 5, "dilation_rate": 2, **SAME}, (9, 2)),
    "to sound": (
        "Conv1DTranspose",
        {"filters": 1, "kernel_size": 25, "strides": 4, **SAME},
        (9, 3),
    ),
    "all taps": (
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 25, "strides": 4, **VALID},
        (5, 1),
    ),
    "gaps": ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "strides": 3, **SAME}, (4, 2)),
    "gaps, valid": (
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 2, "strides": 3, **VALID},
        (4, 2),
    ),
    "longer": (
        "Conv1DTranspose",
        {"filters": 2, "kernel_size": 5, "strides": 3, "output_padding": 2, **VALID},
        (4, 2),
    ),
    "from few places": (
        "Conv1DTranspose",
        {"filters": 6, "kernel_size": 5, "strides": 4, **SAME},
        (2, 64),
    ),
    "video": ("Conv3D", {"filters": 3, "kernel_size": 4, "strides": 2, **SAME}, (4, 6, 8, 2)),
    "odd sides": ("Conv3D", {"filters": 3, "kernel_size": 4, "strides": 2, **SAME}, (5, 7, 3, 1)),
    "mixed": (
        "Conv3D",
        {"filters": 2, "kernel_size": (3, 2, 4), "strides": (2, 1, 3), **VALID},
        (6, 5, 9, 2),
    ),
    "video to few places": (
        "Conv3D",
        {"filters": 64, "kernel_size": (4, 3, 4), "strides": 2, **SAME},
        (2, 3, 2, 5),
    ),
    "to video": (
        "Conv3DTranspose",
        {"filters": 3, "kernel_size": 4, "strides": 2, **SAME},
        (2, 3, 4, 2),
    ),
    "to grey": (
        "Conv3DTranspose",
        {"filters": 1, "kernel_size": 3, "strides": 2, **VALID},
        (2, 3, 2, 1),
    ),
    "to mixed": (
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": (3, 2, 4), "strides": (2, 1, 3), **SAME},
        (3, 5, 2, 2),
    ),
    "video from few places": (
        "Conv3DTranspose",
        {"filters": 5, "kernel_size": (4, 3, 4), "strides": 2, **SAME},
        (1, 2, 1, 64),
    ),
    "each channel": ("DepthwiseConv2D", {"kernel_size": 5, **SAME}, (5, 7, 4)),
    "narrow": ("DepthwiseConv2D", {"kernel_size": 3, **SAME}, (5, 7, 4)),
    "one channel": ("DepthwiseConv2D", {"kernel_size": 5, **VALID}, (8, 6, 1)),
    "every second": ("DepthwiseConv2D", {"kernel_size": 5, "strides": 2, **SAME}, (7, 8, 3)),
    "two each": (
        "DepthwiseConv2D",
        {"kernel_size": (2, 7), "depth_multiplier": 2, **SAME},
        (6, 5, 3),
    ),
}


def pair(kind, config, shape, **more):
    """A layer of ganzoo's and Keras's own, with the same weights."""
    both = [getattr(home, kind)(**config, **more) for home in (layers, keras.layers)]
    keras.utils.set_random_seed(0)
    for layer in both:
        layer.build((None, *shape))
    both[1].set_weights(both[0].get_weights())
    return both


def derivatives(layer, x, weights):
    """A layer's output; the gradients of a weighted sum of its squares to its weights and to `x`;
    and those of the square of the latter gradient."""
    total = lambda x: ops.sum(ops.square(layer(x)) * weights)

    def penalty(x):
        return ops.sum(ops.square(backend.input_gradient(total, x))), None

    variables = layer.trainable_variables, x, layer.variables
    _, own, to_x = backend.value_and_grad(lambda x: (total(x), None), *variables)
    _, own_second, to_x_second = backend.value_and_grad(penalty, *variables)
    found = [layer(x), *own, *to_x, *own_second, *to_x_second]
    return [ops.convert_to_numpy(value) for value in found]


@pytest.mark.parametrize("case", CASES)
def test_results_and_derivatives_are_keras_own(case, rng):
    *_, shape = CASES[case]
    ours, theirs = pair(*CASES[case], bias_initializer="ones")
    x = ops.convert_to_tensor(rng.normal(size=(3, *shape)).astype("float32"))
    weights = rng.normal(size=theirs(x).shape).astype("float32")
    for a, b in zip(derivatives(ours, x, weights), derivatives(theirs, x, weights), strict=True):
        assert a.shape == b.shape and np.abs(a).max() > 0
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


@pytest.mark.parametrize("case", CASES)
def test_weights_and_configs_are_keras_own(case, tmp_path):
    *_, shape = CASES[case]
    ours, theirs = pair(*CASES[case], name="layer")
    assert [(v.name, v.shape) for v in ours.weights] == [(v.name, v.shape) for v in theirs.weights]
    assert ours.get_config() == theirs.get_config()
    other = keras.layers.deserialize(keras.layers.serialize(ours))
    assert type(other) is type(ours)
    keras.Sequential([keras.Input(shape), theirs]).save_weights(tmp_path / "a.weights.h5")
    model = keras.Sequential([keras.Input(shape), other])
    model.load_weights(tmp_path / "a.weights.h5")
    for a, b in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# An operation, with its strides, that only ganzoo's form of a layer has.
ADDED = {
    "sound": ("Conv2DBackpropInput", (1, 1, 1, 1)),
    "to few places": ("MatMul", ()),
    "to sound": ("Conv2DBackpropInput", (1, 1, 1, 1)),
    "from few places": ("MatMul", ()),
    "video": ("Conv3DBackpropInputV2", (1, 1, 1, 1, 1)),
    "to video": ("Conv3DBackpropInputV2", (1, 1, 1, 1, 1)),
    "each channel": ("StridedSlice", ()),
}


def operations_of(run):
    """`{(name, strides)}` of the operations of a compiled function and of those inside it."""
    graph = run.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return {(n.op, tuple(n.attr["strides"].list.i)) for n in nodes}


@pytest.mark.parametrize("case, jit", [*((case, False) for case in ADDED), ("sound", True)])
def test_compiled_for_any_batch_in_the_faster_form(case, jit, rng):
    import tensorflow as tf

    *_, shape = CASES[case]
    runs = [compiled_gradients(layer, shape, jit) for layer in pair(*CASES[case])]
    for count in (2, 5):
        x = tf.constant(rng.normal(size=(count, *shape)).astype("float32"))
        for a, b in zip(*(run(x) for run in runs)):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())
    if not backend.accelerated():
        assert [ADDED[case] in operations_of(run) for run in runs] == [True, False]


@pytest.mark.parametrize("case", CASES)
def test_bfloat16_is_as_exact_as_keras_own(case, rng):
    *_, shape = CASES[case]
    x = rng.normal(size=(3, *shape)).astype("float32")
    _, exact = pair(*CASES[case])
    half = pair(*CASES[case], dtype="mixed_bfloat16")
    wanted = ops.convert_to_numpy(exact(x))
    errors = []
    for layer in half:
        layer.set_weights(exact.get_weights())
        found = layer(x)
        assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
        found = ops.convert_to_numpy(ops.cast(found, "float32"))
        errors.append(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert errors[0] < max(1.5 * errors[1], 2**-8)


# Resizing ---------------------------------------------------------------------------------------

SIZES = [((8, 6), (16, 12)), ((8, 6), (4, 3)), ((5, 7), (9, 4)), ((4, 4), (2, 8))]
WAYS = [("bilinear", False), ("bilinear", True), ("nearest", False), ("bicubic", False)]


def resizing(home, size, interpolation, antialias, **more):
    return home.Resizing(*size, interpolation=interpolation, antialias=antialias, **more)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("source, size", SIZES)
def test_resizing_is_keras_resizing(source, size, way, rng):
    x = ops.convert_to_tensor(rng.normal(size=(2, *source, 3)).astype("float32"))
    weights = rng.normal(size=(2, *size, 3)).astype("float32")
    both = [resizing(home, size, *way) for home in (layers, keras.layers)]
    found = []
    for layer in both:
        total = lambda x, layer=layer: ops.sum(ops.square(layer(x)) * weights)
        values = layer(x), backend.input_gradient(total, x)
        found.append([ops.convert_to_numpy(value) for value in values])
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert both[0].get_config() == {**both[1].get_config(), "name": both[0].name}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_second_derivatives_of_resizing(way, dtype, rng):
    """By hand: resizing is linear, `A x`, and the gradients follow from the matrix."""
    source, size = (4, 3), (6, 2)
    layer = resizing(layers, size, *way, dtype=dtype)
    plain = resizing(keras.layers, size, *way)
    each = np.eye(12, dtype="float32").reshape(12, *source, 1)
    matrix = ops.convert_to_numpy(plain(each)).reshape(12, -1).T  # a column for each pixel
    x = rng.normal(size=12).astype("float32")
    y = matrix @ x
    gradient = 4 * matrix.T @ y**3
    wanted = 2 * matrix.T @ (12 * y**2 * (matrix @ gradient))

    def slope(x):
        power = lambda x: ops.sum(ops.square(ops.square(layer(x))))
        return ops.sum(ops.square(backend.input_gradient(power, x)))

    tensor = ops.cast(x.reshape(1, *source, 1), dtype)
    found = backend.input_gradient(slope, tensor)
    found = ops.convert_to_numpy(ops.cast(found, "float32")).ravel()
    tolerance = 1e-4 if dtype == "float32" else 0.05
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * abs(wanted).max())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_resizing_gives_the_type_that_keras_gives(dtype):
    x = np.ones((1, 4, 4, 1), dtype)
    ours, theirs = (home.Resizing(8, 8, dtype=dtype)(x).dtype for home in (layers, keras.layers))
    assert ours == theirs == dtype
