"""Layers that compare the examples of a batch."""

from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import validation


@keras.saving.register_keras_serializable(package="ganzoo")
class MinibatchStddev(keras.layers.Layer):
    """Appends a channel with the standard deviation over a group of examples.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 3.

    Args:
        group_size: examples that are compared with each other; the batch is split into groups of
            that size, or of the largest size below it that divides the batch.

    Example:

    >>> tuple(MinibatchStddev()(keras.ops.ones((8, 4, 4, 3))).shape)
    (8, 4, 4, 4)
    """

    def __init__(self, group_size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group_size = validation.integer("group_size", group_size)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        count = x.shape[0]
        sizes = range(min(count or self.group_size, self.group_size), 0, -1)
        size = next(n for n in sizes if not count or count % n == 0)
        groups = ops.reshape(x, (size, -1, *x.shape[1:]))
        # Epsilon inside the root: its derivative at zero is infinite.
        spread = ops.sqrt(ops.var(groups, axis=0) + 1e-8)
        spread = ops.mean(spread, axis=tuple(range(1, len(x.shape))), keepdims=True)
        spread = ops.tile(spread, (size, *(1 for _ in x.shape[1:])))
        plane = ops.broadcast_to(spread, (*ops.shape(x)[:-1], 1))
        return ops.concatenate([inputs, ops.cast(plane, self.compute_dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}


@keras.saving.register_keras_serializable(package="ganzoo")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends the closeness of each example to the others of its batch to its features.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.2: features are mapped
    to `kernels` vectors of length `dimension`; for each kernel, the sum over the batch of
    exp(−L1 distance) is a new feature.

    Args:
        kernels: number of new features.
        dimension: length of the vectors that are compared.

    Example:

    >>> print(keras.ops.convert_to_numpy(MinibatchDiscrimination(1)(keras.ops.ones((3, 2)))[0]))
    [1. 1. 3.]
    """

    def __init__(self, kernels: int = 100, dimension: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernels = validation.integer("kernels", kernels)
        self.dimension = validation.integer("dimension", dimension)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.kernels * self.dimension),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
            name="kernel",
        )

    def call(self, inputs):
        vectors = ops.reshape(ops.matmul(inputs, self.kernel), (-1, self.kernels, self.dimension))
        vectors = ops.cast(vectors, "float32")
        distance = ops.sum(ops.abs(vectors[:, None] - backend.whole(vectors)[None]), axis=-1)
        near = ops.sum(ops.exp(-distance), axis=1)
        return ops.concatenate([inputs, ops.cast(near, self.compute_dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        return {**super().get_config(), "kernels": self.kernels, "dimension": self.dimension}
