"""Convolutions, and layers that change the size of images."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation


def is_plain(layer: keras.layers.Layer) -> bool:
    """Whether a convolution is of the kind that has faster forms."""
    return max(layer.dilation_rate) == 1 and layer.data_format == "channels_last"


class Faster:
    """Calls `_fast(inputs)`, and Keras's own where that returns None."""

    def call(self, inputs):
        outputs = self._fast(inputs) if is_plain(self) else None
        if outputs is None:
            return super().call(inputs)
        outputs = outputs + self.bias if self.use_bias else outputs
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2D(keras.layers.Conv2D):
    """Keras's convolution, on a CPU with faster gradients to images of few channels and, in
    bfloat16, of small images to the kernel, and with faster groups.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2D(8, 4, strides=2, padding="same")(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 4, 4, 8)
    """

    def convolution_op(self, inputs, kernel):
        outputs = None
        if self.groups > 1 and self.data_format == "channels_last":
            convolve = super().convolution_op
            kernel = ops.convert_to_tensor(kernel)
            outputs = backend.grouped_conv(convolve, inputs, kernel, self.groups)
        elif self.groups == 1 and is_plain(self):
            outputs = backend.conv(inputs, kernel, self.strides, self.padding)
        return super().convolution_op(inputs, kernel) if outputs is None else outputs


@keras.saving.register_keras_serializable(package="ganzoo")
class UpSampling2D(keras.layers.UpSampling2D):
    """Keras's upsampling by 2: each pixel becomes four. Height and width of the result stay known
    when the batch size is not, which other runtimes need. For channels last.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> keras.ops.convert_to_numpy(UpSampling2D()(x))[0, :, :, 0].astype(int).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size=2, **kwargs)

    def call(self, inputs):
        _, height, width, channels = inputs.shape
        # Each pixel next to itself, then each row below itself. By one operation each: a gradient
        # of more than two terms may be summed in any order.
        rows = ops.reshape(ops.tile(inputs, (1, 1, 1, 2)), (-1, height, 2 * width * channels))
        return ops.reshape(ops.tile(rows, (1, 1, 2)), (-1, 2 * height, 2 * width, channels))

    def get_config(self):
        config = super().get_config()
        return {
            k: v for k, v in config.items() if k not in ("size", "data_format", "interpolation")
        }


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2DTranspose(Faster, keras.layers.Conv2DTranspose):
    """Keras's transposed convolution, on a CPU faster to images of few channels and, in bfloat16,
    with a faster gradient of small images to the kernel.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2DTranspose(3, 4, strides=2, padding="same")(keras.ops.ones((2, 4, 4, 8))).shape)
    (2, 8, 8, 3)
    """

    def _fast(self, inputs):
        if self.output_padding is not None:
            return None
        return backend.conv_transpose(inputs, self.kernel, self.strides, self.padding)


@keras.saving.register_keras_serializable(package="ganzoo")
class ReflectionPadding(keras.layers.Layer):
    """Pads images with their reflection.

    Args:
        padding: pixels on each side.
        multiple: pixels are added below and on the right until height and width, without
            `padding`, are multiples of this.

    Example:

    >>> tuple(ReflectionPadding(3, multiple=4)(keras.ops.ones((1, 9, 8, 3))).shape)
    (1, 18, 14, 3)
    """

    def __init__(self, padding: int, multiple: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = validation.integer("padding", padding)
        self.multiple = validation.integer("multiple", multiple)

    def _after(self, side):
        return self.padding + -side % self.multiple

    def call(self, inputs):
        sides = [(self.padding, self._after(side)) for side in ops.shape(inputs)[1:3]]
        return ops.pad(inputs, [(0, 0), *sides, (0, 0)], mode="reflect")

    def compute_output_shape(self, input_shape):
        sides = (n and self.padding + n + self._after(n) for n in input_shape[1:3])
        return (input_shape[0], *sides, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "multiple": self.multiple}


@keras.saving.register_keras_serializable(package="ganzoo")
class CropLike(keras.layers.Layer):
    """Crops images, below and on the right, to the height and width of others.

    Called with `[inputs, like]`.

    Example:

    >>> tuple(CropLike()([keras.ops.ones((1, 8, 8, 3)), keras.ops.ones((1, 7, 5, 1))]).shape)
    (1, 7, 5, 3)
    """

    def call(self, inputs):
        x, like = inputs
        height, width = ops.shape(like)[1:3]
        return x[:, :height, :width]

    def compute_output_shape(self, input_shape):
        shape, like = input_shape
        return (shape[0], *like[1:3], shape[-1])


def _means(length, times, padding):
    """The matrix that pads with zeros and then takes means of neighbours `times` times."""
    matrix = np.pad(np.eye(length), (padding, (0, 0)))
    for _ in range(times):
        matrix = (matrix[1:] + matrix[:-1]) / 2
    return matrix


@keras.saving.register_keras_serializable(package="ganzoo")
class Blur(keras.layers.Layer):
    """A low-pass filter: repeated means of two neighbours along both axes.

    Three repetitions give (1, 3, 3, 1) / 8. Karras et al. 2019, "A Style-Based Generator
    Architecture for Generative Adversarial Networks", section 2, use (1, 2, 1).

    Args:
        times: number of repetitions; each makes the image one pixel smaller.
        padding: zeros added first, `(before, after)` along both axes.

    Example:

    >>> y = Blur(2, padding=(1, 1))(keras.ops.ones((1, 3, 3, 1)))
    >>> keras.ops.convert_to_numpy(y)[0, :, :, 0].tolist()
    [[0.5625, 0.75, 0.5625], [0.75, 1.0, 0.75], [0.5625, 0.75, 0.5625]]
    """

    def __init__(self, times: int, padding: Sequence[int] = (0, 0), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times = validation.integer("times", times)
        self.padding = tuple(padding)

    def call(self, inputs):
        return self.filter(inputs, self.times, self.padding)

    @staticmethod
    def filter(x: types.Tensor, times: int, padding: Any) -> types.Tensor:
        """Filter a tensor; see the class."""
        _, height, width, channels = x.shape
        if max(height, width) > 128:
            x = ops.pad(x, ((0, 0), padding, padding, (0, 0)))
            for _ in range(times):
                x = (x[:, 1:] + x[:, :-1]) * 0.5
            for _ in range(times):
                x = (x[:, :, 1:] + x[:, :, :-1]) * 0.5
            return x
        # On small images two matrix products are fewer and faster operations.
        means = [_means(n, times, padding) for n in (height, width)]
        rows, columns = (ops.convert_to_tensor(matrix, x.dtype) for matrix in means)
        x = ops.matmul(rows, ops.reshape(x, (-1, height, width * channels)))
        x = ops.matmul(columns, ops.reshape(x, (-1, width, channels)))
        return ops.reshape(x, (-1, *map(len, means), channels))

    def compute_output_shape(self, input_shape):
        batch, *places, channels = input_shape
        change = sum(self.padding) - self.times
        return (batch, *(n + change for n in places), channels)

    def get_config(self):
        return {**super().get_config(), "times": self.times, "padding": self.padding}
