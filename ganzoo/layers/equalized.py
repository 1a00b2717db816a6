"""Layers with an equalised learning rate."""

import math

import keras
from keras import ops

from ganzoo import validation
from ganzoo.layers.convolution import Conv2D


class _Equalized:
    """Weights from N(0, 1), multiplied at each use by the standard deviation of He's
    initialisation, so that an optimizer such as Adam moves all layers at the same pace.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.1.
    """

    def __init__(self, *args, gain=1.0, lr_multiplier=1.0, **kwargs):
        self.gain = validation.real("gain", gain, above=0)
        self.lr_multiplier = validation.real("lr_multiplier", lr_multiplier, above=0)
        # Also when the layer is created from its config.
        kwargs["kernel_initializer"] = keras.initializers.RandomNormal(stddev=1 / lr_multiplier)
        super().__init__(*args, **kwargs)

    @property
    def scale(self):
        """The factor of the kernel."""
        return self.gain * self.lr_multiplier / math.sqrt(math.prod(self.kernel.shape[:-1]))

    def get_config(self):
        config = {**super().get_config(), "gain": self.gain, "lr_multiplier": self.lr_multiplier}
        del config["kernel_initializer"]
        return config


@keras.saving.register_keras_serializable(package="ganzoo")
class EqualizedDense(_Equalized, keras.layers.Dense):
    """A dense layer with an equalised learning rate.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.1: weights from
    N(0, 1) are multiplied, at each use, by the standard deviation of He's initialisation. Adam then
    moves all layers at the same pace.

    Args:
        *args, **kwargs: see `keras.layers.Dense`.
        gain: √2 before rectified units that do not compensate themselves.
        lr_multiplier: learning rate relative to other layers.

    Example:

    >>> layer = EqualizedDense(100, lr_multiplier=0.01)
    >>> round(float(keras.ops.std(layer(keras.random.normal((200, 50), seed=0)))), 1)
    1.0
    >>> 90 < float(keras.ops.std(layer.kernel)) < 110
    True
    """

    def call(self, inputs):
        # Inputs, not the kernel, are scaled: TensorFlow would move the factor out of the sum of
        # several calls' gradients, in an order that depends on names, which loading changes.
        x = ops.matmul(inputs * self.scale, self.kernel)
        if self.use_bias:
            x = x + self.bias * self.lr_multiplier
        return x if self.activation is None else self.activation(x)


@keras.saving.register_keras_serializable(package="ganzoo")
class EqualizedConv2D(_Equalized, Conv2D):
    """A convolution with an equalised learning rate: see `EqualizedDense`.

    Args:
        *args, **kwargs: see `keras.layers.Conv2D`.
        gain: √2 before rectified units that do not compensate themselves.
        lr_multiplier: learning rate relative to other layers.

    Example:

    >>> layer = EqualizedConv2D(64, 3, padding="same")
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 8, 8, 64)
    """

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel * self.scale)
