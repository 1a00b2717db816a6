"""Layers that enlarge images of any height and width."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import validation


@keras.saving.register_keras_serializable(package="ganzoo")
class PixelShuffle(keras.layers.Layer):
    """The second half of a sub-pixel convolution, `keras.ops.depth_to_space` as a layer: groups of
    channels become the pixels of a block, row by row.

    Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network", section 2.2.

    Args:
        scale: factor of height and width, at least 2. Its square divides the number of channels.

    Example:

    >>> tuple(PixelShuffle(2)(keras.ops.ones((1, 5, 4, 12))).shape)
    (1, 10, 8, 3)
    """

    def __init__(self, scale: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = validation.integer("scale", scale, least=2)

    def call(self, inputs):
        return ops.depth_to_space(inputs, self.scale, data_format="channels_last")

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def _cubic(distance):
    """The kernel of bicubic interpolation, Keys 1981, with a = −1/2."""
    x = np.abs(distance)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@keras.saving.register_keras_serializable(package="ganzoo")
class Enlarge(keras.layers.Layer):
    """Bicubic enlargement by a whole factor, in float32; outside of the image its reflection.

    It is one convolution of the small image, for images of any size from 2×2.

    Args:
        scale: factor of height and width, at least 2.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> x = keras.ops.tile(x, (1, 2, 1, 1))
    >>> y = keras.ops.convert_to_numpy(Enlarge(2)(x)).astype(float)
    >>> y.shape, y[0, 0, 2:6, 0].round(2).tolist()
    ((1, 4, 8, 1), [0.73, 1.25, 1.75, 2.27])
    """

    def __init__(self, scale: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.scale = validation.integer("scale", scale, least=2)

    def call(self, inputs):
        channels = inputs.shape[-1]
        x = ops.pad(inputs, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")
        kernel = ops.convert_to_tensor(self._kernel(channels), "float32")
        x = ops.conv(x, kernel, padding="valid", data_format="channels_last")
        return ops.depth_to_space(x, self.scale, data_format="channels_last")

    def _kernel(self, channels):
        """`(5, 5, channels, scale² · channels)`: each pixel of a block from 5×5 small ones."""
        places = (np.arange(self.scale) + 0.5) / self.scale - 0.5
        weights = _cubic(places - np.arange(-2, 3)[:, None])
        kernel = np.einsum("ir,jq,ab->ijarqb", weights, weights, np.eye(channels))
        return kernel.reshape(5, 5, channels, -1)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(n and self.scale * n for n in sides), channels)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
