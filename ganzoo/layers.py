"""Layers that Keras lacks."""

import keras
from keras import ops

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
