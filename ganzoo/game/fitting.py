"""Callbacks that every `fit` has."""

import math
import warnings
from typing import Any

import keras


class Stages(keras.callbacks.Callback):
    """Has the step compiled anew where the game enters another stage."""

    def on_epoch_begin(self, epoch, logs=None):
        self.game = self.model  # to ask for it costs time on JAX: it is then brought up to date
        self.start = int(self.game.step.numpy())
        self.on_train_batch_begin(0)

    def on_train_batch_begin(self, batch, logs=None):
        if self.game._enter(self.start + batch):
            self.game.make_train_function()


class Bar(keras.callbacks.ProgbarLogger):
    """Keras's progress bar, which on TensorFlow, where several steps run at once, would end at
    step 32 of 23."""

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(min(batch, (self.target or math.inf) - 1), logs)


class OnNaN(keras.callbacks.Callback):
    """In place of Keras's `TerminateOnNaN`, which looks at a log called `loss` alone: looks at all,
    and a warning names those that are not finite."""

    def on_train_batch_end(self, batch, logs=None):
        wrong = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if wrong:
            self.model.stop_training = True
            warnings.warn(
                f"Training ends at batch {batch}, where NaN or infinity came up in "
                f"{', '.join(wrong)}.",
                stacklevel=2,
            )


def as_pair(data: Any) -> tuple[Any, Any]:
    """`images` or `(images, labels)` as a pair."""
    return (*data, None)[:2] if isinstance(data, (tuple, list)) else (data, None)
