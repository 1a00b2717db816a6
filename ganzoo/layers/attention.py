"""Self-attention over the positions of an image."""

from typing import Any

import keras
from keras import ops

from ganzoo import validation
from ganzoo.layers.spectral import SpectralNorm


@keras.saving.register_keras_serializable(package="ganzoo")
class SelfAttention(keras.layers.Layer):
    """Self-attention: each position of a feature map attends to all others; the result is added
    with a learned factor that starts at zero.

    Zhang, Goodfellow, Metaxas, Odena 2019, "Self-Attention Generative Adversarial Networks",
    section 3; with the pooled keys and values of the authors' code.

    Args:
        spectral: whether the four projections are spectrally normalised, each by itself.

    Example:

    >>> x = keras.random.normal((2, 4, 4, 8), seed=0)
    >>> y = SelfAttention()(x)
    >>> bool(keras.ops.all(x == y))  # the factor is zero
    True
    """

    def __init__(self, spectral: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spectral = bool(spectral)

    def build(self, input_shape):
        channels = input_shape[-1]
        narrow, wide = max(1, channels // 8), max(1, channels // 2)

        def project(inputs, outputs, name):
            options = {"name": name, "dtype": self.dtype_policy}
            layer = keras.layers.Conv2D(outputs, 1, use_bias=False, **options)
            layer = SpectralNorm(layer, **options) if self.spectral else layer
            layer.build((*input_shape[:-1], inputs))
            return layer

        names = {"queries": narrow, "keys": narrow, "values": wide}
        self.inward = [project(channels, n, name) for name, n in names.items()]
        self.outward = project(wide, channels, "found")
        self.gain = Gain(dtype=self.dtype_policy)
        self.gain.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        # One convolution instead of three, so that the gradient to the inputs is a sum of two
        # terms: with more, its last bit depends on the order of TensorFlow's threads.
        kernels = [p.normalized(training) if self.spectral else p.kernel for p in self.inward]
        kernel = ops.cast(ops.concatenate(kernels, axis=-1), inputs.dtype)
        last = {"data_format": "channels_last"}  # whatever keras.json says
        queries, *others = ops.split(
            ops.conv(inputs, kernel, **last),
            [kernels[0].shape[-1], 2 * kernels[0].shape[-1]],
            axis=-1,
        )
        flat = lambda x: ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[-1]))
        # On JAX Keras needs explicit strides.
        pool = lambda x: ops.max_pool(x, (2, 2), strides=(2, 2), padding="same", **last)
        keys, values = (flat(pool(x)) for x in others)
        scores = ops.matmul(flat(queries), ops.swapaxes(keys, 1, 2))
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32")), inputs.dtype)
        attended = ops.matmul(weights, values)
        attended = ops.reshape(attended, (-1, *inputs.shape[1:3], values.shape[-1]))
        outward = {"training": training} if self.spectral else {}
        return inputs + self.gain(self.outward(attended, **outward))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "spectral": self.spectral}


@keras.saving.register_keras_serializable(package="ganzoo")
class Gain(keras.layers.Layer):
    """Multiplies by one learned factor.

    Args:
        initial: initial value of the factor.

    Example:

    >>> keras.ops.convert_to_numpy(Gain(0.5)(keras.ops.ones((2,)))).tolist()
    [0.5, 0.5]
    """

    def __init__(self, initial: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = validation.real("initial", initial)

    def build(self, input_shape):
        self.gain = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(self.initial), name="gain"
        )

    def call(self, inputs):
        return inputs * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}
