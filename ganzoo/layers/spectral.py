"""Spectral normalisation of a layer's kernel."""

from typing import Any

import keras
from keras import ops

from ganzoo import types
from ganzoo import validation


def _unit_vector(shape, dtype=None):
    vector = keras.initializers.RandomNormal(stddev=1.0)(shape, dtype)
    return vector / ops.norm(vector)


@keras.saving.register_keras_serializable(package="ganzoo")
class SpectralNorm(keras.layers.Wrapper):
    """Spectral normalisation: divides a layer's kernel by its largest singular value.

    Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative Adversarial
    Networks", section 2.1 and algorithm 1. The value comes from a power iteration that continues
    with each call in training. The gradient flows through it, and it is used at inference too.
    Keras's own layer overwrites the kernel, passes no gradient on TensorFlow and does not normalise
    at inference.

    Args:
        layer: a `Dense`, `Conv2D`, `Conv2DTranspose` or `Embedding` layer.
        power_iterations: iterations in each call in training.

    Example:

    >>> layer = SpectralNorm(keras.layers.Dense(3, use_bias=False), power_iterations=50)
    >>> _ = layer(keras.ops.eye(3), training=True)
    >>> round(float(keras.ops.norm(layer(keras.ops.eye(3)), ord=2)), 3)
    1.0
    """

    def __init__(self, layer: keras.layers.Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = validation.integer("power_iterations", power_iterations)

    @property
    def _weight(self):
        return self.layer.kernel if hasattr(self.layer, "kernel") else self.layer.embeddings

    def _matrix(self):
        """The kernel in float32, reshaped to `(all other axes, outputs)`."""
        kernel = ops.cast(self._weight, "float32")
        if isinstance(self.layer, keras.layers.Conv2DTranspose):
            kernel = ops.swapaxes(kernel, -1, -2)
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def build(self, input_shape=None):
        super().build(input_shape)
        self.direction = self.add_weight(
            shape=(self._matrix().shape[-1],),
            initializer=_unit_vector,
            trainable=False,
            dtype="float32",
            autocast=False,
            name="direction",
        )

    def normalized(self, training: bool = False) -> types.Tensor:
        """The kernel divided by its largest singular value, in the kernel's shape and dtype."""
        matrix = self._matrix()
        still = ops.stop_gradient(matrix)
        right = ops.convert_to_tensor(self.direction)
        for _ in range(self.power_iterations if training else 0):
            right = ops.matmul(ops.matmul(still, right), still)
            right = right * ops.rsqrt(ops.sum(ops.square(right)) + 1e-24)
        if training:
            self.direction.assign(right)
        # The unit vector is constant: the gradient is then that of the singular value.
        largest = ops.sqrt(ops.sum(ops.square(ops.matmul(matrix, ops.stop_gradient(right)))))
        return ops.cast(ops.cast(self._weight, "float32") / largest, self._weight.dtype)

    def call(self, inputs, training=False):
        values = {id(v): v.value for v in self.layer.variables}
        values[id(self._weight)] = self.normalized(training)
        # All variables of the layer: a scope hides an outer one's values of those it omits.
        mapping = [(v, values[id(v)]) for v in self.layer.variables]
        with keras.StatelessScope(state_mapping=mapping):
            return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
