"""Layers that keep a history of images or parameters during training."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation


@keras.saving.register_keras_serializable(package="ganzoo")
class ImageHistory(keras.layers.Layer):
    """Replaces half of the new images by earlier ones.

    Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial
    Training", section 2.3; as in CycleGAN. Until the layer is full, it stores and returns the
    images of each batch. Then each new image replaces, with probability one half, a stored one,
    which is returned instead. The store is a weight, so that it is saved. Images of one batch take
    different places; if a batch is larger than the store, the rest passes unchanged.

    Args:
        size: number of images stored; 0: all images pass unchanged.

    Example:

    >>> history = ImageHistory(4)
    >>> old = history(keras.ops.zeros((4, 1, 1, 1)))
    >>> new = history(keras.ops.ones((4, 1, 1, 1)))
    >>> float(keras.ops.sum(new)) + float(keras.ops.sum(history.kept))
    4.0
    """

    def __init__(self, size: int = 50, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = validation.integer("size", size, least=0)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        options = {"initializer": "zeros", "trainable": False, "autocast": False}
        self.kept = self.add_weight(
            shape=(self.size, *input_shape[1:]), dtype="float32", name="kept", **options
        )
        self.count = self.add_weight(shape=(), dtype="int32", name="count", **options)

    def call(self, inputs):
        if not self.size:
            return inputs
        new = backend.whole(ops.stop_gradient(ops.cast(inputs, "float32")))
        old, count = ops.convert_to_tensor(self.kept), ops.convert_to_tensor(self.count)
        batch, size = new.shape[0], self.size
        full = count >= size
        # The image of the batch that may come to each place, and the place for each image.
        shuffled = ops.argsort(keras.random.uniform((size,), seed=self.seed_generator))
        image = ops.where(full, ops.cast(shuffled, "int32"), ops.arange(size) - count)
        place = ops.argsort(shuffled)[: min(batch, size)]
        coins = keras.random.uniform((batch,), seed=self.seed_generator) < 0.5
        swaps = ops.logical_and(full, coins)
        there = ops.logical_and(image >= 0, image < batch)
        image = ops.clip(image, 0, batch - 1)
        comes = ops.logical_and(there, ops.logical_or(count < size, ops.take(swaps, image)))
        each = lambda mask: ops.reshape(mask, (-1, 1, 1, 1))
        first = ops.where(each(swaps[: min(batch, size)]), ops.take(old, place, axis=0), new[:size])
        kept = ops.where(each(comes), ops.take(new, image, axis=0), old)
        count = ops.minimum(count + batch, size)
        # Last, because on TensorFlow the values read above still refer to the variables.
        self.kept.assign(kept)
        self.count.assign(count)
        return backend.own(ops.concatenate([first, new[size:]]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="ganzoo")
class ParameterHistory(keras.layers.Layer):
    """The mean of all past values of variables.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.3.

    Args:
        variables: the variables.

    Example:

    >>> v = keras.Variable([1.0])
    >>> history = ParameterHistory([v])
    >>> _ = v.assign([4.0])
    >>> float(history.distance([v])), float(history.means[0][0])
    (9.0, 2.5)
    """

    def __init__(self, variables: Sequence[keras.Variable], **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        # The variables themselves are not stored, or they would become this layer's too.
        self.means = [
            self.add_weight(shape=v.shape, initializer="zeros", trainable=False, name=f"mean_{i}")
            for i, v in enumerate(variables)
        ]
        for mean, variable in zip(self.means, variables):
            mean.assign(ops.copy(variable))  # a copy, whose memory JAX may reuse
        self.count = self.add_weight(shape=(), initializer="ones", trainable=False, name="count")
        self.built = True

    def distance(self, variables: Sequence[keras.Variable]) -> types.Tensor:
        """The sum of squared distances to the means, which are then updated."""
        total = 0.0
        share = 1.0 / (self.count + 1.0)
        for mean, variable in zip(self.means, variables):
            ahead = ops.convert_to_tensor(variable) - ops.convert_to_tensor(mean)
            total = total + ops.sum(ops.square(ahead))
            mean.assign_add(share * ops.stop_gradient(ahead))
        self.count.assign_add(1.0)
        return total
