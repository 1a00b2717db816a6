"""TensorFlow: forms of convolutions and resizing that are faster on a CPU than Keras's own.

`benchmarks/operations.py` measures them. A function returns None where Keras's own is as fast.
"""

import functools
import math

import keras
import tensorflow as tf

from ganzoo.backend.tensorflow_devices import accelerated
from ganzoo.backend.tensorflow_ops import once


def _pad(x, axis, before, after):
    if not before and not after:
        return x
    paddings = [(0, 0)] * len(x.shape)
    paddings[axis] = (before, after)
    return tf.pad(x, paddings)


def _part(x, axis, start, stop):
    return x[(slice(None),) * axis + (slice(start, stop),)]


class _Axis:
    """A convolution along one of its axes, of inputs of a known length.

    With `stride` neighbours as one block, the kernel covers `taps` blocks and its stride is 1.
    """

    def __init__(self, length, size, stride, padding):
        same = padding == "same"
        self.length, self.size, self.stride = length, size, stride
        self.places = -(-length // stride) if same else (length - size) // stride + 1
        covered = (self.places - 1) * stride + size
        self.before = max(covered - length, 0) // 2 if same else 0
        self.taps = -(-size // stride)
        self.blocks = self.places - 1 + self.taps
        self.after = self.blocks * stride - self.before - length

    @classmethod
    def of_transpose(cls, places, size, stride, padding):
        """The axis of the convolution whose transpose has `places` inputs."""
        longer = 0 if padding == "same" else max(size - stride, 0)
        return cls(places * stride + longer, size, stride, padding)

    def fit(self, x, axis):
        """Pad or crop inputs to whole blocks."""
        x = _part(x, axis, 0, self.length + min(self.after, 0))
        return _pad(x, axis, self.before, max(self.after, 0))

    def unfit(self, x, axis):
        """The transpose of `fit`."""
        x = _part(x, axis, self.before, self.before + self.length)
        return _pad(x, axis, 0, max(-self.after, 0))


def _axes(of, lengths, kernel, strides, padding):
    return [of(*each, padding) for each in zip(lengths, kernel.shape, strides)]


# Blocks of neighbours as channels ---------------------------------------------------------------


def _to_blocks(x, axes):
    for i, axis in enumerate(axes, 1):
        x = axis.fit(x, i)
    sides = [n for axis in axes for n in (axis.blocks, axis.stride)]
    x = tf.reshape(x, (-1, *sides, x.shape[-1]))
    x = tf.transpose(x, (0, *range(1, len(sides), 2), *range(2, len(sides) + 1, 2), len(sides) + 1))
    return tf.reshape(x, (-1, *sides[::2], math.prod(sides[1::2]) * x.shape[-1]))


def _from_blocks(x, axes):
    """The transpose of `_to_blocks`."""
    count, strides = len(axes), [axis.stride for axis in axes]
    x = tf.reshape(x, (-1, *x.shape[1:-1], *strides, x.shape[-1] // math.prod(strides)))
    pairs = [i for k in range(1, count + 1) for i in (k, k + count)]
    x = tf.transpose(x, (0, *pairs, 2 * count + 1))
    x = tf.reshape(x, (-1, *(axis.blocks * axis.stride for axis in axes), x.shape[-1]))
    for i, axis in enumerate(axes, 1):
        x = axis.unfit(x, i)
    return x


def _kernel_of_blocks(kernel, axes):
    """The kernel of stride 1 that does to blocks what `kernel` does to their members."""
    for i, axis in enumerate(axes):
        kernel = _pad(kernel, i, 0, axis.taps * axis.stride - axis.size)
    channels, width = kernel.shape[-2:]
    sides = [n for axis in axes for n in (axis.taps, axis.stride)]
    kernel = tf.reshape(kernel, (*sides, channels, width))
    order = (*range(0, len(sides), 2), *range(1, len(sides), 2), len(sides), len(sides) + 1)
    kernel = tf.transpose(kernel, order)
    return tf.reshape(kernel, (*sides[::2], math.prod(sides[1::2]) * channels, width))


# Few channels: sound, images and video themselves -----------------------------------------------


def _blocks_transpose(y, kernel, axes):
    kernel = _kernel_of_blocks(kernel, axes)
    shape = (tf.shape(y)[0], *(axis.blocks for axis in axes), kernel.shape[-2])
    return _from_blocks(tf.nn.conv_transpose(y, kernel, shape, 1, "VALID"), axes)


# Few places of sequences: the layers next to the latents and the logits --------------------------


def _columns(x, kernel, axes):
    """A matrix product of the inputs under the kernel, where the kernel is the larger one.

    A convolution would first rearrange the kernel in memory, and so would this one along more than
    one axis: of video it took eight times as long as Keras's own.
    """
    (axis,) = axes
    kernel = _kernel_of_blocks(kernel, axes)
    kernel = tf.reshape(kernel, (-1, kernel.shape[-1]))
    x = _to_blocks(x, axes)
    x = tf.concat([_part(x, 1, k, k + axis.places) for k in range(axis.taps)], axis=-1)
    y = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), kernel)
    return tf.reshape(y, (-1, axis.places, kernel.shape[-1]))


def _columns_transpose(y, kernel, axes):
    (axis,) = axes
    kernel = _kernel_of_blocks(kernel, axes)
    kernel = tf.reshape(kernel, (-1, kernel.shape[-1]))
    x = tf.matmul(tf.reshape(y, (-1, y.shape[-1])), kernel, transpose_b=True)
    x = tf.reshape(x, (-1, axis.places, kernel.shape[0]))
    parts = enumerate(tf.split(x, axis.taps, axis=-1))
    x = tf.add_n([_pad(part, 1, k, axis.taps - 1 - k) for k, part in parts])
    return _from_blocks(x, axes)


# Both ---------------------------------------------------------------------------------------------


def _gradient(function, x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = function(x)
    return tape.gradient(out, x, y)


@functools.cache
def _pair(deep, strides, padding):
    """A convolution and its transpose; the gradient to the inputs of each is the other."""

    def down(x, kernel):
        if not deep:  # its gradient to the kernel is fast too
            return tf.nn.convolution(x, kernel, strides, padding.upper())
        return _columns(x, kernel, _axes(_Axis, x.shape[1:-1], kernel, strides, padding))

    def up(y, kernel, axes):
        return (_columns_transpose if deep else _blocks_transpose)(y, kernel, axes)

    def to_kernel(x, y, kernel):
        return _gradient(lambda kernel: down(x, kernel), kernel, y)

    def conv(x, kernel):
        axes = _axes(_Axis, x.shape[1:-1], kernel, strides, padding)
        return down(x, kernel), lambda y: (up(y, kernel, axes), to_kernel(x, y, kernel))

    def transpose(y, kernel):
        axes = _axes(_Axis.of_transpose, y.shape[1:-1], kernel, strides, padding)
        return up(y, kernel, axes), lambda x: (down(x, kernel), to_kernel(x, y, kernel))

    return once(conv), once(transpose)


def _fast(of, x, kernel, strides, padding):
    """The pair for these inputs; None if Keras's own is as fast."""
    if accelerated() or None in x.shape[1:-1] or max(strides) == 1:
        return None
    axis, *others = _axes(of, x.shape[1:-1], kernel, strides, padding)
    channels, width = kernel.shape[-2:]
    # A usual batch has fewer inputs under the kernel than the kernel has weights.
    deep = not others and 32 * axis.places <= width
    return _pair(channels > 4, strides, padding) if deep or channels <= 4 else None


def strided_conv(x, kernel, strides, padding):
    """A convolution with strides, of few channels or to few places of sequences; None otherwise."""
    pair = _fast(_Axis, x, kernel, strides, padding)
    return pair and pair[0](*map(tf.convert_to_tensor, (x, kernel)))


def strided_conv_transpose(y, kernel, strides, padding):
    """The transpose of `strided_conv`, whose kernel has the outputs before the inputs."""
    pair = _fast(_Axis.of_transpose, y, kernel, strides, padding)
    return pair and pair[1](*map(tf.convert_to_tensor, (y, kernel)))


# Each channel by itself -------------------------------------------------------------------------


@functools.cache
def _depthwise(stride, padding, most=3):
    strides = (1, stride, stride, 1)

    def plain(x, kernel):
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding.upper())

    def to_kernel(x, y, kernel):
        """Three columns of the kernel at a time: oneDNN has no fast gradient of wider kernels."""
        rows, columns, *channels = kernel.shape
        axes = _axes(_Axis, x.shape[1:3], kernel, (stride, stride), padding)
        for i, axis in enumerate(axes, 1):
            x = axis.fit(x, i)
        height, width = ((axis.places - 1) * stride for axis in axes)
        parts = []
        for start in range(0, columns, most):
            wide = min(most, columns - start)
            part = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=x[:, : height + rows, start : start + width + wide],
                filter_sizes=(rows, wide, *channels),
                out_backprop=y,
                strides=strides,
                padding="VALID",
            )
            parts.append(part)
        return tf.concat(parts, axis=1)

    def conv(x, kernel):
        return plain(x, kernel), lambda y: (
            _gradient(lambda x: plain(x, kernel), x, y),
            to_kernel(x, y, kernel),
        )

    return once(conv)


def depthwise_conv(x, kernel, strides, padding):
    """A depthwise convolution with a wide kernel; None otherwise."""
    known = None not in x.shape[1:3] and strides[0] == strides[1]
    if accelerated() or not known or kernel.shape[1] <= 3:
        return None
    return _depthwise(strides[0], padding)(*map(tf.convert_to_tensor, (x, kernel)))


# Resizing ---------------------------------------------------------------------------------------


def _keras_resize(x, size, interpolation, antialias):
    return keras.ops.image.resize(x, size, interpolation, antialias, data_format="channels_last")


@functools.cache
def _resizing(source, size, interpolation, antialias):
    """Keras's own, whose gradient TensorFlow cannot differentiate: it is the transpose."""

    def plain(x):
        return _keras_resize(x, size, interpolation, antialias)

    @tf.custom_gradient
    def resized(x):
        return plain(x), lambda y: transpose(y)

    @tf.custom_gradient
    def transpose(y):
        x = tf.zeros((tf.shape(y)[0], *source, y.shape[-1]), y.dtype)
        return _gradient(plain, x, y), lambda x: resized(x)

    return tf.function(resized, autograph=False)


def _matrix(length, target, interpolation, antialias):
    """The matrix by which Keras resizes an axis."""
    with tf.init_scope():
        each = tf.eye(length)[None, ..., None]
        return _keras_resize(each, (target, length), interpolation, antialias)[0, ..., 0].numpy()


def _products(x, size, interpolation, antialias):
    """A matrix product along each axis."""
    _, height, width, channels = x.shape
    matrices = (_matrix(*pair, interpolation, antialias) for pair in zip((height, width), size))
    rows, columns = (tf.constant(matrix, x.dtype) for matrix in matrices)
    x = tf.matmul(rows, tf.reshape(x, (-1, height, width * channels)))
    x = tf.matmul(columns, tf.reshape(x, (-1, width, channels)))
    return tf.reshape(x, (-1, *size, channels))


def resize(x, size, interpolation, antialias):
    """Resize images, with all derivatives; None on a GPU and of other types than float32 and
    bfloat16, which TensorFlow gives back as float32."""
    sides = x.shape[1:3]
    if accelerated() or None in sides or x.dtype not in (tf.float32, tf.bfloat16):
        return None
    # In bfloat16 TensorFlow's own, except the nearest pixel, takes up to five times as long.
    if x.dtype == tf.bfloat16 and interpolation != "nearest":
        return _products(x, size, interpolation, antialias)
    return _resizing(tuple(sides), size, interpolation, antialias)(x)
