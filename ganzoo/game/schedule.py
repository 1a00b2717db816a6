"""A schedule: constants that change along half a cosine over the first part of a training."""

import math
from typing import Any

import keras
from keras import ops

from ganzoo import types
from ganzoo import validation

PART = 0.6
"""The part of a training over which constants change; then they stay."""


class Schedule(keras.layers.Layer):
    """How far a training has come on its way from the first constants to the last ones.

    `course` rises from 0 to 1 as (1 − cos πs) / 2, where s is the share of `PART * images` that has
    been read since the training began, or since `Game.restart_averages`, at most 1. It is a weight
    of the model that owns this layer: a checkpoint holds it. Steps are counted, so another batch
    size in mid-training changes how far it has come.

    Args:
        images: number of images that the whole training reads, at least 1.

    Example:

    >>> schedule = Schedule(1000)
    >>> round(float(schedule.between(0.2, 0.4)), 3)
    0.2
    """

    def __init__(self, images: int) -> None:
        super().__init__(dtype="float32", name="schedule")
        self.images = validation.integer("images", images)
        self.course = self.add_weight((), "zeros", trainable=False, name="course")
        self.built = True

    def follow(self, game: Any, images: types.Tensor) -> None:
        """Update the course at the beginning of a step that reads `images` images, and that of the
        optimizers that have one."""
        steps = ops.cast(game.step - game.averages.since, "float32")
        share = ops.minimum(steps * (images / (PART * self.images)), 1.0)
        course = 0.5 * (1.0 - ops.cos(math.pi * share))
        self.course.assign(course)
        for optimizer in game.optimizer.optimizers:
            own = getattr(getattr(optimizer, "inner_optimizer", optimizer), "course", None)
            if own is not None:
                own.assign(course)

    def between(self, first: float, last: float) -> types.Tensor:
        """The constant now that goes from `first` to `last`."""
        return first + (last - first) * self.course

    def load_own_variables(self, store):
        """Load `course`; weights of a model without a schedule have none, and it begins at 0."""
        if len(store.keys()):
            super().load_own_variables(store)
