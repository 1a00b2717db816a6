"""Dense layers: maxout and weight-normalised ones."""

import functools
from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import validation


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

    def __init__(
        self, units: int, pieces: int = 2, kernel_initializer: str = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = validation.integer("units", units)
        self.pieces = validation.integer("pieces", pieces)
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
class UnitDense(keras.layers.Layer):
    """A dense layer whose units have weights of length one: weight normalisation.

    Salimans, Kingma 2016, "Weight Normalization", sections 2 and 3. Unless the length is learned,
    the effect of noise in the inputs on the units stays bounded.

    Args:
        units: length of the output.
        learned_length: whether the length is learned, starting from one.
        first_deviation: the standard deviation to which each unit, minus its mean, is scaled on
            the first batch of training, and from then on by the same factor; None: no scaling.

    Example:

    >>> layer = UnitDense(3)
    >>> y = layer(keras.ops.eye(4))  # zero biases, so this is the weights
    >>> bool(keras.ops.all(abs(keras.ops.sum(y * y, axis=0) - 1) < 1e-6))
    True
    """

    def __init__(
        self,
        units: int,
        learned_length: bool = False,
        first_deviation: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = validation.integer("units", units)
        self.learned_length = learned_length
        validation.optional(validation.real, "first_deviation", first_deviation, above=0)
        self.first_deviation = first_deviation

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="kernel",
        )
        add = functools.partial(self.add_weight, shape=(self.units,))
        self.bias = add(initializer="zeros", name="bias")
        self.length = add(initializer="ones", name="length") if self.learned_length else None
        if self.first_deviation is not None:
            add = functools.partial(add, trainable=False, dtype="float32", autocast=False)
            self.mean = add(initializer="zeros", name="mean")
            self.factor = add(initializer="zeros", name="factor")  # zero: not yet set

    def call(self, inputs, training=False):
        kernel = ops.cast(self.kernel, "float32")
        factor = ops.rsqrt(ops.sum(ops.square(kernel), axis=0) + 1e-12)
        if self.first_deviation is not None:
            return self._scaled(inputs, kernel * factor, training)
        if self.length is not None:
            factor = factor * ops.cast(self.length, "float32")
        return ops.matmul(inputs, ops.cast(kernel * factor, inputs.dtype)) + self.bias

    def _scaled(self, inputs, kernel, training):
        y = ops.cast(ops.matmul(inputs, ops.cast(kernel, inputs.dtype)), "float32")
        mean, factor = (ops.convert_to_tensor(v) for v in (self.mean, self.factor))
        if training:
            axes = list(range(len(y.shape) - 1))
            center = backend.average(ops.mean(ops.stop_gradient(y), axes))
            variance = backend.average(ops.mean(ops.square(ops.stop_gradient(y) - center), axes))
            scale = self.first_deviation * ops.rsqrt(ops.maximum(variance, 1e-8))
            mean = ops.where(factor == 0, center, mean)
            factor = ops.where(factor == 0, scale, factor)
            self.mean.assign(mean)
            self.factor.assign(factor)
        # Before training there is no first batch: assume mean 0 and variance 1.
        factor = ops.where(factor == 0, self.first_deviation, factor)
        if self.length is not None:
            factor = factor * ops.cast(self.length, "float32")
        y = (y - mean) * factor + ops.cast(self.bias, "float32")
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        settings = {
            "units": self.units,
            "learned_length": self.learned_length,
            "first_deviation": self.first_deviation,
        }
        return {**super().get_config(), **settings}
