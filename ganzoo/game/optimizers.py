"""Optimizers: those of Keras, in fewer passes over memory."""

from typing import Any

import keras
from keras import ops

from ganzoo import backend


@keras.saving.register_keras_serializable(package="ganzoo")
class Adam(keras.optimizers.Adam):
    """Keras's Adam (Kingma, Ba 2014), which on TensorFlow updates each variable in one operation.

    Keras's own makes eight passes over memory, which on a CPU is half the time of a step of a
    multilayer perceptron. The arguments, the state and the result are the same.

    Example:

    >>> optimizer = Adam(2e-4, beta_1=0.5)
    >>> w = keras.Variable([1.0])
    >>> optimizer.apply([keras.ops.ones(1)], [w])
    >>> round(float(w[0]), 5)
    0.9998
    """

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        step = ops.cast(self.iterations + 1, "float32")
        corrections = ops.sqrt(1 - ops.power(self.beta_2, step)) / (
            1 - ops.power(self.beta_1, step)
        )
        rate = ops.cast(learning_rate, "float32") * corrections
        left = [
            (gradient, variable)
            for gradient, variable in zip(grads, trainable_variables)
            if self.amsgrad or not self._update(gradient, variable, rate)
        ]
        if left:
            super()._backend_update_step(*map(list, zip(*left)), learning_rate)

    def _update(self, gradient, variable, rate):
        index = self._get_variable_index(variable)
        return backend.adam(
            variable,
            gradient,
            self._momentums[index],
            self._velocities[index],
            rate,
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )


@keras.saving.register_keras_serializable(package="ganzoo")
class AnnealedAdam(Adam):
    """Adam whose learning rate falls and whose beta_2 rises while `course`, a number that its user
    sets, goes from 0 to 1 (see `ganzoo.game.schedule`).

    `learning_rate` is the first one, and stays the number to read and set. As in PyTorch's Adam,
    the bias correction is as if all moves so far had had the beta_2 of this one. Where beta_2
    rises, moves are never larger than with the exact correction, and as large once beta_2 to the
    power of their number is small.

    Args:
        learning_rate: the first learning rate.
        beta_2: the last decay of the second moment.
        last_rate: factor of the learning rate at the end, above 0.
        first_beta_2: the first decay of the second moment.
        **kwargs: see `keras.optimizers.Adam`.

    Example:

    >>> optimizer = AnnealedAdam(1e-3, first_beta_2=0.9, beta_2=0.99)
    >>> round(float(optimizer.beta_2), 3)
    0.9
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        *,
        beta_2: float = 0.99,
        last_rate: float = 0.25,
        first_beta_2: float = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_2=beta_2, **kwargs)
        self.last_rate = last_rate
        self.first_beta_2 = first_beta_2
        self.course = self.add_variable((), aggregation="only_first_replica", name="course")

    @property
    def beta_2(self) -> Any:
        """The decay of the second moment now."""
        return self.first_beta_2 + (self.last_beta_2 - self.first_beta_2) * self.course

    @beta_2.setter
    def beta_2(self, value: float) -> None:
        self.last_beta_2 = value

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        rate = ops.cast(learning_rate, "float32") * (1.0 + (self.last_rate - 1.0) * self.course)
        super()._backend_update_step(grads, trainable_variables, rate)

    def get_config(self):
        own = {"last_rate": self.last_rate, "first_beta_2": self.first_beta_2}
        return {**super().get_config(), "beta_2": self.last_beta_2, **own}
