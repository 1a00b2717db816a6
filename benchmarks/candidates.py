"""Equivalents of convolutions and resizing that `operations.py` compares with Keras's own.

Each takes the inputs and the kernel, where there is one, and has the result of Keras's layer.
"""

import keras
import tensorflow as tf

from ganzoo.backend import tensorflow_kernels as kernels

# Convolutions of samples and frames -------------------------------------------------------------


def _axes(x, kernel, strides, padding):
    return kernels._axes(kernels._Axis, x.shape[1:-1], kernel, strides, padding)


def _axes_of_transpose(y, kernel, strides, padding):
    return kernels._axes(kernels._Axis.of_transpose, y.shape[1:-1], kernel, strides, padding)


def strided_blocks(x, kernel, *config):
    """A convolution of stride 1 of blocks of neighbours."""
    axes = _axes(x, kernel, *config)
    kernel = kernels._kernel_of_blocks(kernel, axes)
    return tf.nn.convolution(kernels._to_blocks(x, axes), kernel, 1, "VALID")


def strided_blocks_transpose(y, kernel, *config):
    """The transpose of `strided_blocks`."""
    return kernels._blocks_transpose(y, kernel, _axes_of_transpose(y, kernel, *config))


def columns(x, kernel, *config):
    """A matrix product of all inputs under the kernel."""
    return kernels._columns(x, kernel, _axes(x, kernel, *config))


def columns_transpose(y, kernel, *config):
    """The transpose of `columns`."""
    return kernels._columns_transpose(y, kernel, _axes_of_transpose(y, kernel, *config))


# Convolutions of each channel -------------------------------------------------------------------


def blocks(x, kernel, padding, channels=16):
    """Ordinary convolutions of so many channels each, with zeros between different ones."""
    each = tf.split(kernel, kernel.shape[2] // channels, axis=2)
    each = [part * tf.eye(channels, dtype=x.dtype) for part in each]
    parts = zip(tf.split(x, len(each), axis=-1), each)
    return tf.concat([tf.nn.conv2d(*part, 1, padding.upper()) for part in parts], axis=-1)


# Convolutions of groups -------------------------------------------------------------------------


def grouped(x, kernel, groups, at_once=1):
    """Ordinary convolutions of `at_once` groups each, with zeros between different ones."""
    inputs, outputs = kernel.shape[-2:]
    outputs //= groups
    side = tf.eye(at_once, dtype=x.dtype)[:, None, :, None]
    parts = []
    pairs = zip(*(tf.split(v, groups // at_once, axis=-1) for v in (x, kernel)))
    for part, each in pairs:
        each = tf.reshape(each, (*each.shape[:2], 1, inputs, at_once, outputs)) * side
        each = tf.reshape(each, (*each.shape[:2], at_once * inputs, at_once * outputs))
        parts.append(tf.nn.conv2d(part, each, 1, "SAME"))
    return tf.concat(parts, axis=-1)


def _shifted(x, size):
    """The inputs under each of the kernel's taps, for stride 1 and padding "same"."""
    before = (size - 1) // 2
    around = (before, size - 1 - before)
    _, height, width, _ = x.shape
    x = tf.pad(x, [(0, 0), around, around, (0, 0)])
    return [x[:, i : i + height, j : j + width] for i in range(size) for j in range(size)]


def grouped_columns(x, kernel, groups):
    """A matrix product for each group, of all inputs under the kernel."""
    size, _, inputs, outputs = kernel.shape
    columns = tf.stack(_shifted(x, size), axis=3)
    columns = tf.reshape(columns, (-1, size * size, groups, inputs))
    columns = tf.reshape(tf.transpose(columns, (2, 0, 1, 3)), (groups, -1, size**2 * inputs))
    kernel = tf.reshape(kernel, (size**2 * inputs, groups, outputs // groups))
    y = tf.matmul(columns, tf.transpose(kernel, (1, 0, 2)))
    return tf.reshape(tf.transpose(y, (1, 0, 2)), (-1, *x.shape[1:3], outputs))


# Resizing ---------------------------------------------------------------------------------------


def repeated(x):
    """Each pixel as four, by one operation."""
    _, height, width, channels = x.shape
    x = tf.broadcast_to(x[:, :, None, :, None], (tf.shape(x)[0], height, 2, width, 2, channels))
    return tf.reshape(x, (-1, 2 * height, 2 * width, channels))


def tiled(x):
    """`ganzoo.layers.UpSampling2D`."""
    _, height, width, channels = x.shape
    rows = tf.reshape(tf.tile(x, (1, 1, 1, 2)), (-1, height, 2 * width * channels))
    return tf.reshape(tf.tile(rows, (1, 1, 2)), (-1, 2 * height, 2 * width, channels))


def _doubled(x, axis):
    """Bilinear, along one axis: pairs of results as channels."""
    size = [-1] * len(x.shape)
    take = lambda begin, count: tf.slice(
        x,
        [begin * (i == axis) for i in range(len(size))],
        [count if i == axis else -1 for i in range(len(size))],
    )
    before = tf.concat([take(0, 1), take(0, x.shape[axis] - 1)], axis)
    after = tf.concat([take(1, x.shape[axis] - 1), take(x.shape[axis] - 1, 1)], axis)
    most = 0.75 * x
    return tf.concat([most + 0.25 * before, most + 0.25 * after], -1)


def stencil_up(x):
    """Bilinear, twice as large, by sums of neighbours."""
    _, height, width, channels = x.shape
    x = tf.reshape(_doubled(x, 2), (-1, height, 2 * width * channels))
    return tf.reshape(_doubled(x, 1), (-1, 2 * height, 2 * width, channels))


def pooled(x):
    """Bilinear, half as large: the mean of four pixels."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def _halved(x, axis):
    """(1, 3, 3, 1) / 8 of every second place along an axis, with a sum of 1 at the border too."""
    length = x.shape[axis]
    sums = tf.constant([7 / 8] + [1.0] * (length // 2 - 2) + [7 / 8], x.dtype)
    sums = tf.reshape(sums, [-1 if i == axis else 1 for i in range(4)])
    x = tf.pad(x, [(1, 1) if i == axis else (0, 0) for i in range(4)])
    part = lambda i: x[(slice(None),) * axis + (slice(i, i + length - 1, 2),)]
    inner, outer = part(1) + part(2), part(0) + part(3)
    return (0.375 * inner + 0.125 * outer) / sums


def stencil_down(x):
    """Half as large with (1, 3, 3, 1) / 8."""
    return _halved(_halved(x, 1), 2)


def picked(x):
    """Nearest, half as large: every second pixel."""
    return x[:, 1::2, 1::2]


def keras_resize(interpolation, antialias=False, factor=2.0):
    """Keras's own."""

    def run(x):
        size = tuple(int(factor * n) for n in x.shape[1:3])
        return keras.ops.image.resize(x, size, interpolation, antialias)

    return run


def matrices(interpolation, antialias=False, factor=2.0):
    """Two matrix products."""

    def run(x):
        size = tuple(int(factor * n) for n in x.shape[1:3])
        return kernels._products(x, size, interpolation, antialias)

    return run


def ganzoo_resize(interpolation, antialias=False, factor=2.0):
    """`ganzoo.layers.Resizing`."""

    def run(x):
        size = tuple(int(factor * n) for n in x.shape[1:3])
        return kernels.resize(x, size, interpolation, antialias)

    return run
