"""TensorFlow: convolutions that are faster on a CPU than Keras's own.

Each is linear in both of its arguments, so its gradients are convolutions of the same kind, and
derivatives of any order need no further operations.
"""

import functools

import numpy as np
import tensorflow as tf

from ganzoo.backend.tensorflow_devices import accelerated
from ganzoo.backend.tensorflow_ops import once

FEW = 4  # channels of an image
SHORT = 8  # pixels in a short row


def conv(x, kernel, strides, padding):
    """A convolution whose gradients are fast; None where Keras's own is as fast."""
    if accelerated() or None in x.shape[1:]:
        return None
    x, kernel = map(tf.convert_to_tensor, (x, kernel))
    sides, size = tuple(x.shape[1:3]), tuple(kernel.shape[:2])
    if _halves(size, strides, padding) and x.shape[-1] <= FEW:
        return _from_image(x, kernel) if all(n % 2 == 0 for n in sides) else None
    if not _is_short(x, _Window(sides, size, strides, padding)):
        return None
    return _of_short_rows(sides, size, strides, padding)[0](x, kernel)


def conv_transpose(y, kernel, strides, padding):
    """A transposed convolution, fast like `conv`; None where Keras's own is as fast."""
    if accelerated() or None in y.shape[1:]:
        return None
    y, kernel = map(tf.convert_to_tensor, (y, kernel))
    size = tuple(kernel.shape[:2])
    if _halves(size, strides, padding) and kernel.shape[2] <= FEW:
        return _to_image(y, kernel)
    sides = tuple(n * stride for n, stride in zip(y.shape[1:3], strides))
    if padding != "same" or not _is_short(y, _Window(sides, size, strides, padding)):
        return None
    return _of_short_rows(sides, size, strides, padding)[1](y, kernel)


# Images of few channels ------------------------------------------------------------------------


def _halves(size, strides, padding):
    """Whether a convolution is of the kind that GANs apply to images themselves."""
    rows, columns = size
    return strides == (2, 2) and rows == columns and rows % 2 == 0 and padding == "same"


def _from_half(y, kernel):
    """The transpose of a convolution of stride 2 of images with few channels.

    With the pixels of each 2×2 block as channels, an image is a smaller one and the convolution
    has stride 1: oneDNN, made for many channels, then takes about half the time.
    """
    size, _, channels, width = kernel.shape
    half, border = size // 2, size // 2 - 1
    kernel = tf.reshape(kernel, (half, 2, half, 2, channels, width))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    kernel = tf.reshape(kernel, (half, half, 4 * channels, width))
    height, across = (n + half - 1 for n in y.shape[1:3])
    blocks = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.stack([tf.shape(y)[0], height, across, 4 * channels]),
        filter=kernel,
        out_backprop=y,
        strides=[1, 1, 1, 1],
        padding="VALID",
    )
    pixels = tf.nn.depth_to_space(blocks, 2)
    return pixels[:, border : 2 * height - border, border : 2 * across - border]


def _half(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _to_kernel(x, y, kernel):
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=kernel.shape, out_backprop=y, strides=[1, 2, 2, 1], padding="SAME"
    )


@once
def _from_image(x, kernel):
    out = _half(x, kernel)

    def back(y):
        y = tf.ensure_shape(y, out.shape)
        return _from_half(y, kernel), _to_kernel(x, y, kernel)

    return out, back


@once
def _to_image(y, kernel):
    return _from_half(y, kernel), lambda x: (_half(x, kernel), _to_kernel(x, y, kernel))


# Short rows in bfloat16 ------------------------------------------------------------------------


class _Window:
    """Where a convolution's window reads, along both sides."""

    def __init__(self, sides, size, strides, padding):
        self.out, self.pads, starts = [], [(0, 0)], []
        for side, taps, stride in zip(sides, size, strides):
            out = -(-side // stride) if padding == "same" else (side - taps) // stride + 1
            added = max((out - 1) * stride + taps - side, 0) if padding == "same" else 0
            self.out.append(out)
            self.pads.append((added // 2, added - added // 2))
            starts.append(np.arange(out)[:, None] * stride + np.arange(taps))
        self.pads.append((0, 0))
        self.padded = [side + sum(pad) for side, pad in zip(sides, self.pads[1:])]
        self.starts = starts
        self.taps = size[0] * size[1]

    @functools.cached_property
    def places(self):
        """Which pixels of the padded image, row by row, the window reads."""
        rows, columns = self.starts
        places = rows[:, None, :, None] * self.padded[1] + columns[None, :, None, :]
        return places.astype("int32").ravel()

    def read(self, x):
        """What the window reads at each place, as a row: `(batch * places, taps * channels)`."""
        channels = x.shape[-1]
        x = tf.reshape(tf.pad(x, self.pads), (-1, self.padded[0] * self.padded[1], channels))
        return tf.reshape(tf.gather(x, self.places, axis=1), (-1, self.taps * channels))


def _is_short(x, window):
    return x.dtype == tf.bfloat16 and window.taps > 1 and 0 < window.out[1] <= SHORT


@functools.cache
def _of_short_rows(sides, size, strides, padding):
    """A convolution of images with these sides, and its transpose.

    oneDNN's gradient to a kernel is a sum of products of single rows. Where rows are short, most of
    a bfloat16 unit's tile stays empty: rows of 4 pixels take a seventh of the time as one product
    of all places of the batch.
    """
    window = _Window(sides, size, strides, padding)
    strides, padding = [1, *strides, 1], padding.upper()

    @once
    def convolve(x, kernel):
        out = tf.nn.conv2d(x, kernel, strides, padding)

        def back(y):
            y = tf.ensure_shape(y, out.shape)
            return transposed(y, kernel), to_kernel(x, y)

        return out, back

    @once
    def transposed(y, kernel):
        x = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.stack([tf.shape(y)[0], *sides, kernel.shape[2]]),
            filter=kernel,
            out_backprop=y,
            strides=strides,
            padding=padding,
        )
        x = tf.ensure_shape(x, (y.shape[0], *sides, kernel.shape[2]))
        return x, lambda x: (convolve(x, kernel), to_kernel(x, y))

    @once
    def to_kernel(x, y):
        product = tf.matmul(window.read(x), tf.reshape(y, (-1, y.shape[-1])), transpose_a=True)
        kernel = tf.reshape(product, (*size, x.shape[-1], y.shape[-1]))
        return kernel, lambda kernel: (transposed(y, kernel), convolve(x, kernel))

    return convolve, transposed


# Groups ----------------------------------------------------------------------------------------


@functools.cache
def _groups(count):
    """Two functions that are each other's gradients: to take channels apart, and to join them.

    TensorFlow's gradient of `tf.concat` is slices; theirs pads each group to all channels.
    """

    @once
    def apart(x):
        return tuple(tf.split(x, count, axis=-1)), lambda *parts: joined(*parts)

    @once
    def joined(*parts):
        return tf.concat(parts, axis=-1), lambda x: apart(x)

    return apart, joined


def grouped_conv(convolve, x, kernel, groups):
    """On a CPU, a grouped convolution group by group, because Keras leaves it to XLA, whose
    gradients take a hundred times as long; None if there is a GPU."""
    if accelerated():
        return None
    apart, joined = _groups(groups)
    parts = (apart(tf.convert_to_tensor(tensor)) for tensor in (x, kernel))
    return joined(*(convolve(*part) for part in zip(*parts)))
