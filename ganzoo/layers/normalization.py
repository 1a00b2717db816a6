"""Normalisation: by batch, layer, instance, pixel, class, or a reference batch."""

from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import validation


@keras.saving.register_keras_serializable(package="ganzoo")
class LayerNorm(keras.layers.Layer):
    """Layer normalisation: mean 0 and variance 1 for each example, then a scale per channel.

    Ba, Kiros, Hinton 2016, "Layer Normalization". Unlike batch normalisation it does not couple
    examples, so that a penalty on the gradient at each example is well defined (Gulrajani et al.
    2017, section 4). On TensorFlow the second derivative through Keras's own is wrong.

    Args:
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> y = LayerNorm()(x)[0]
    >>> abs(round(float(keras.ops.mean(y)), 3)), round(float(keras.ops.std(y)), 3)
    (0.0, 1.0)
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = validation.real("epsilon", epsilon, above=0)

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

    Keras's own takes some ten operations on TensorFlow. Arguments, weights and result are the same;
    the second derivative, which is wrong in Keras's own on TensorFlow, is right.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> round(abs(float(keras.ops.mean(BatchNorm()(x, training=True)))), 4)
    0.0
    """

    def call(self, inputs, training=None, mask=None):
        plain = mask is None and not self.renorm
        plain = plain and self.axis in (-1, len(inputs.shape) - 1) and not self.synchronized
        results = None
        if training and self.trainable and plain:
            inputs = ops.convert_to_tensor(inputs)
            width = inputs.shape[-1:]
            gamma = ops.convert_to_tensor(self.gamma) if self.scale else ops.ones(width)
            beta = ops.convert_to_tensor(self.beta) if self.center else ops.zeros(width)
            results = backend.batch_norm(inputs, gamma, beta, self.epsilon)
        if results is None:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = results
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1.0 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable(package="ganzoo")
class ConditionalBatchNorm(keras.layers.Layer):
    """Batch normalisation whose scale and offset depend on the class.

    Dumoulin, Shlens, Kudlur 2017, "A Learned Representation for Artistic Style", section 2.2.
    Called with `[inputs, labels]`.

    Args:
        num_classes: number of classes; labels are whole numbers below it.
        momentum, epsilon: as in `keras.layers.BatchNormalization`.

    Example:

    >>> x, labels = keras.ops.ones((2, 4, 4, 3)), keras.ops.zeros((2,), "int32")
    >>> tuple(ConditionalBatchNorm(10)([x, labels], training=True).shape)
    (2, 4, 4, 3)
    """

    def __init__(
        self, num_classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = validation.integer("num_classes", num_classes)
        self.momentum = validation.real("momentum", momentum, least=0, most=1)
        self.epsilon = validation.real("epsilon", epsilon, above=0)
        self.norm = BatchNorm(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        shape, _ = input_shape
        self.norm.build(shape)
        table = (self.num_classes, shape[-1])
        self.gamma = self.add_weight(shape=table, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=table, initializer="zeros", name="beta")

    def call(self, inputs, training=None):
        x, labels = inputs
        x = self.norm(x, training=training)
        shape = (-1, *(1 for _ in x.shape[2:]), x.shape[-1])
        gamma, beta = (
            ops.reshape(ops.take(ops.convert_to_tensor(t), labels, axis=0), shape)
            for t in (self.gamma, self.beta)
        )
        return x * gamma + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="ganzoo")
class PixelNorm(keras.layers.Layer):
    """Scales the channels of each pixel to a mean square of 1.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.2.

    Example:

    >>> y = PixelNorm()(keras.ops.convert_to_tensor([[3.0, 4.0]]))
    >>> round(float(keras.ops.mean(keras.ops.square(y))), 3)
    1.0
    """

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-8)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="ganzoo")
class InstanceNorm(keras.layers.Layer):
    """Instance normalisation: mean 0 and variance 1 for each channel of each image.

    Ulyanov, Vedaldi, Lempitsky 2016, "Instance Normalization". The same as batch normalisation of
    batches of one image.

    Args:
        affine: whether a learned scale and offset per channel follow.
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> y = InstanceNorm()(x)[0, ..., 0]
    >>> abs(round(float(keras.ops.mean(y)), 3)), round(float(keras.ops.std(y)), 3)
    (0.0, 1.0)
    """

    def __init__(self, affine: bool = False, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.affine = affine
        self.epsilon = validation.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        if self.affine:
            around_one = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
            shape = (input_shape[-1],)
            self.gamma = self.add_weight(shape=shape, initializer=around_one, name="gamma")
            self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        width = x.shape[-1:]
        gamma, beta = ops.ones(width, "float32"), ops.zeros(width, "float32")
        if self.affine:
            gamma, beta = (ops.cast(v, "float32") for v in (self.gamma, self.beta))
        return backend.instance_norm(x, gamma, beta, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "affine": self.affine, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ganzoo")
class WithReference(keras.layers.Layer):
    """Prepends the same normally distributed examples to each batch, drawn when the layer is built.

    Args:
        count: number of examples.

    Example:

    >>> tuple(WithReference(5)(keras.ops.ones((2, 3))).shape)
    (7, 3)
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = validation.integer("count", count)

    def build(self, input_shape):
        self.reference = self.add_weight(
            shape=(self.count, *input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="reference",
        )

    def call(self, inputs):
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def compute_output_shape(self, input_shape):
        count = None if input_shape[0] is None else input_shape[0] + self.count
        return (count, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="ganzoo")
class WithoutReference(keras.layers.Layer):
    """Removes the first examples, which `WithReference` prepended.

    Args:
        count: number of examples.

    Example:

    >>> tuple(WithoutReference(5)(keras.ops.ones((7, 3))).shape)
    (2, 3)
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = validation.integer("count", count)

    def call(self, inputs):
        return inputs[self.count :]

    def compute_output_shape(self, input_shape):
        count = None if input_shape[0] is None else input_shape[0] - self.count
        return (count, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="ganzoo")
class VirtualBatchNorm(keras.layers.Layer):
    """Batch normalisation by the statistics of a reference batch and the example itself.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.5. It does not couple
    the examples of a batch. The first `count` examples are the reference batch (see
    `WithReference`), which is normalised by its own statistics; each other example is normalised by
    those of the reference batch and itself, `count` + 1 examples.

    Args:
        count: examples in the reference batch.
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.convert_to_tensor([[1.0], [3.0], [2.0]])
    >>> [round(float(y[0])) for y in VirtualBatchNorm(2)(x)]
    [-1, 1, 0]
    """

    def __init__(self, count: int, epsilon: float = 1e-2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = validation.integer("count", count)
        self.epsilon = validation.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        shape = input_shape[-1:]
        self.gamma = self.add_weight(
            shape=shape,
            initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
            name="gamma",
        )
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        # Moments of each example; then of the reference batch, whose examples have equal size.
        places = tuple(range(1, len(x.shape) - 1))
        moments = [ops.mean(m, places, keepdims=True) if places else m for m in (x, ops.square(x))]
        whole = [ops.mean(m[: self.count], axis=0, keepdims=True) for m in moments]
        share = 1.0 / (self.count + 1)
        mean, square = (
            ops.concatenate(
                [
                    ops.broadcast_to(w, (self.count, *w.shape[1:])),
                    (1.0 - share) * w + share * m[self.count :],
                ]
            )
            for w, m in zip(whole, moments)
        )
        variance = ops.maximum(square - ops.square(mean), 0.0)
        gamma, beta = (ops.cast(v, "float32") for v in (self.gamma, self.beta))
        scale = ops.rsqrt(variance + self.epsilon) * gamma
        return ops.cast(x * scale + (beta - mean * scale), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "count": self.count, "epsilon": self.epsilon}
