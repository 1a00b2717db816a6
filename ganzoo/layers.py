"""Layers that Keras lacks."""

import keras
from keras import ops

from ganzoo import backend
from ganzoo import checks


@keras.saving.register_keras_serializable(package="ganzoo")
class Maxout(keras.layers.Layer):
    """The largest of several affine maps, for each unit.

    Goodfellow et al. 2013, "Maxout Networks", section 3.

    Args:
        units: length of the output.
        pieces: affine maps for each unit.
        kernel_initializer: of the affine maps.

    Example:

    >>> tuple(Maxout(3, pieces=5)(keras.ops.ones((2, 4))).shape)
    (2, 3)
    """

    def __init__(self, units, pieces=2, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = checks.integer("units", units)
        self.pieces = checks.integer("pieces", pieces)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units * self.pieces),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units * self.pieces,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        maps = ops.matmul(inputs, self.kernel) + self.bias
        return ops.max(ops.reshape(maps, (-1, self.units, self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        config = super().get_config()
        config.update(
            units=self.units,
            pieces=self.pieces,
            kernel_initializer=keras.initializers.serialize(self.kernel_initializer),
        )
        return config


@keras.saving.register_keras_serializable(package="ganzoo")
class LayerNorm(keras.layers.Layer):
    """Each example brought to mean 0 and variance 1 by itself, then scaled per channel.

    Ba, Kiros, Hinton 2016, "Layer Normalization". Unlike batch normalisation it couples no
    examples, so that a penalty on the slope at each example means what it says (Gulrajani et al.
    2017, section 4). On TensorFlow the second derivative through Keras's own is wrong.

    Args:
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> y = LayerNorm()(x)[0]
    >>> abs(round(float(keras.ops.mean(y)), 3)), round(float(keras.ops.std(y)), 3)
    (0.0, 1.0)
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = checks.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # squares overflow float16
        gamma, beta = (ops.cast(v, "float32") for v in (self.gamma, self.beta))
        return ops.cast(backend.layer_norm(x, gamma, beta, self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ganzoo")
class BatchNorm(keras.layers.BatchNormalization):
    """Keras's batch normalisation (Ioffe, Szegedy 2015), in one operation where there is one.

    Keras's own is made of some ten on TensorFlow. Arguments, weights and result are the same; the
    second derivative, which Keras's has wrong on TensorFlow, is right.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> round(abs(float(keras.ops.mean(BatchNorm()(x, training=True)))), 4)
    0.0
    """

    def call(self, inputs, training=None, mask=None):
        plain = mask is None and self.scale and self.center and not self.renorm
        plain = plain and self.axis in (-1, len(inputs.shape) - 1) and not self.synchronized
        found = None
        if training and self.trainable and plain:
            inputs = ops.convert_to_tensor(inputs)
            gamma, beta = map(ops.convert_to_tensor, (self.gamma, self.beta))
            found = backend.batch_norm(inputs, gamma, beta, self.epsilon)
        if found is None:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = found
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1.0 - self.momentum))
        return outputs


def _at_the_pictures(layer, channels):
    """Whether a convolution is of the kind that stands at the pictures' end of a GAN."""
    rows, columns = layer.kernel_size
    return (
        channels <= 4
        and layer.strides == (2, 2)
        and rows == columns
        and rows % 2 == 0
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
    )


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2D(keras.layers.Conv2D):
    """Keras's convolution; its gradient to pictures of few channels takes less time on a CPU.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2D(8, 4, strides=2, padding="same")(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 4, 4, 8)
    """

    def convolution_op(self, inputs, kernel):
        found = None
        if _at_the_pictures(self, inputs.shape[-1]) and self.groups == 1:
            found = backend.picture_conv(inputs, kernel)
        return super().convolution_op(inputs, kernel) if found is None else found


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's transposed convolution; to pictures of few channels it takes less time on a CPU.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2DTranspose(3, 4, strides=2, padding="same")(keras.ops.ones((2, 4, 4, 8))).shape)
    (2, 8, 8, 3)
    """

    def call(self, inputs):
        found = None
        if _at_the_pictures(self, self.filters) and self.output_padding is None:
            found = backend.picture_conv_transpose(inputs, self.kernel)
        if found is None:
            return super().call(inputs)
        outputs = found + self.bias if self.use_bias else found
        return outputs if self.activation is None else self.activation(outputs)
