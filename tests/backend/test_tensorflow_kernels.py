"""Convolutions and resizing in other forms have the results and derivatives of Keras's own."""

import keras
import numpy as np
import pytest
from keras import ops

from ganzoo import backend
from ganzoo import layers

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


def pair(name, config, shape, **more):
    """A layer of ganzoo's and Keras's own, with the same weights."""
    both = [getattr(home, name)(**config, **more) for home in (layers, keras.layers)]
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
