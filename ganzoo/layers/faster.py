"""Keras's layers with faster kernels on a CPU. Arguments, weights and results are the same."""

import keras

from ganzoo import backend
from ganzoo.layers.convolution import Faster


class _Convolution(Faster):
    def _fast(self, inputs):
        if self.groups > 1 or self.padding == "causal":
            return None
        return backend.strided_conv(inputs, self.kernel, self.strides, self.padding)


class _Transpose(Faster):
    def _fast(self, inputs):
        if self.output_padding is not None:
            return None
        return backend.strided_conv_transpose(inputs, self.kernel, self.strides, self.padding)


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv1D(_Convolution, keras.layers.Conv1D):
    """Keras's convolution of sequences, such as sound, faster with strides on a CPU.

    It is faster from few channels (the gradient to them), and to few places with many channels.
    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv1D(8, 25, strides=4, padding="same")(keras.ops.ones((2, 64, 1))).shape)
    (2, 16, 8)
    """


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv1DTranspose(_Transpose, keras.layers.Conv1DTranspose):
    """Keras's transposed convolution of sequences, such as sound, faster with strides on a CPU.

    It is faster to few channels, and from few places with many channels. Arguments, weights and
    result are the same.

    Example:

    >>> tuple(Conv1DTranspose(1, 25, strides=4, padding="same")(keras.ops.ones((2, 16, 8))).shape)
    (2, 64, 1)
    """


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv3D(_Convolution, keras.layers.Conv3D):
    """Keras's convolution of frames, such as video, faster with strides on a CPU.

    It is faster from few channels (the gradient to them). Arguments, weights and result are the
    same.

    Example:

    >>> tuple(Conv3D(8, 4, strides=2, padding="same")(keras.ops.ones((2, 4, 8, 8, 3))).shape)
    (2, 2, 4, 4, 8)
    """


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv3DTranspose(_Transpose, keras.layers.Conv3DTranspose):
    """Keras's transposed convolution of frames, such as video, faster with strides on a CPU.

    It is faster to few channels. Arguments, weights and result are the same.

    Example:

    >>> layer = Conv3DTranspose(3, 4, strides=2, padding="same")
    >>> tuple(layer(keras.ops.ones((2, 2, 4, 4, 8))).shape)
    (2, 4, 8, 8, 3)
    """


@keras.saving.register_keras_serializable(package="ganzoo")
class DepthwiseConv2D(Faster, keras.layers.DepthwiseConv2D):
    """Keras's convolution of each channel by itself, with a faster gradient to kernels of more than
    three columns on a CPU.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(DepthwiseConv2D(5, padding="same")(keras.ops.ones((2, 8, 8, 6))).shape)
    (2, 8, 8, 6)
    """

    def _fast(self, inputs):
        return backend.depthwise_conv(inputs, self.kernel, self.strides, self.padding)


@keras.saving.register_keras_serializable(package="ganzoo")
class Resizing(keras.layers.Resizing):
    """Keras's resizing of images, with all derivatives, and faster in bfloat16 on a CPU.

    On TensorFlow the second derivative through Keras's own is missing, which a gradient penalty
    needs, and `antialias` fails in bfloat16. Arguments and result are the same. With
    `antialias=True`, half the size is a filter of (1, 3, 3, 1) / 8.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> [round(float(pixel), 3) for pixel in Resizing(1, 2, antialias=True)(x)[0, 0, :, 0]]
    [0.714, 2.286]
    """

    def transform_images(self, images, transformation=None, training=True):
        whole = not (self.crop_to_aspect_ratio or self.pad_to_aspect_ratio)
        floats = keras.backend.is_float_dtype(images.dtype) and len(images.shape) == 4
        resized = None
        if whole and floats and self.data_format == "channels_last":
            size = (self.height, self.width)
            resized = backend.resize(images, size, self.interpolation, self.antialias)
        if resized is None:
            return super().transform_images(images, transformation, training)
        return resized
