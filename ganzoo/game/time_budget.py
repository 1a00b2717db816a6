"""Training for a number of minutes, in place of a number of epochs."""

import collections
import math
import statistics
import time
from collections.abc import Callable

import keras

from ganzoo import backend
from ganzoo import validation

clock = time.monotonic
ENDLESS = math.lcm(*range(1, 33)) * 10_000
"""Steps of an epoch that only the clock ends; any number of steps that run at once divides it."""
EPOCHS = 60
"""Epochs in which a budget is spent, unless they would be shorter or longer than these:"""
SHORTEST, LONGEST = 10.0, 300.0
"""Seconds of an epoch."""
WORTH = 9
"""How many times as long as what follows it (grids, checkpoints) an epoch lasts at least."""
NOTED = 15.0
"""Seconds between two notes of the time within an epoch: as much as a kill may make free."""
UNKNOWN = 1.0
"""Seconds that are kept free for what follows an epoch until it has been measured."""


class _Over:
    """The value of `stop_training` when an epoch's time is over, and not the training's: any other
    callback that ends the training replaces it."""


class TimeBudget(keras.callbacks.Callback):
    """Ends the training after a number of minutes, with all that happens within them: compilation,
    grids, scores, checkpoints.

    An epoch is then a share of the time, not a pass over the data: a sixtieth, but at least 10 s,
    at most 5 min, and long against what follows it. The data goes on from epoch to epoch. Which
    examples step k reads depends on the seed and on k alone, and so a training that was interrupted
    goes on exactly, however long its epochs are. What is left is divided again before each epoch,
    and the last one ends with the step in which the time is over.

    `model.fit(ds, minutes=5)` is short for `model.fit(ds, callbacks=[TimeBudget(5)])`. Other
    callbacks find the number of epochs, as far as it is known, in `params["epochs"]`, and this one
    in `params["budget"]`.

    Args:
        minutes: wall time, above 0; it begins with the first `fit`.
        spent: seconds of it that an earlier process has used.
        since: time of `time.monotonic()` at which it began; None: with the first `fit`.
        reserve: seconds of it to keep free for work that follows the training.
        note: called with the seconds spent so far, before each epoch, every 15 s within it, and at
            the end.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("vanilla", seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), minutes=0.01, verbose=0)
    >>> history.epoch
    [0]
    """

    def __init__(
        self,
        minutes: float,
        *,
        spent: float = 0.0,
        since: float | None = None,
        reserve: float = 0.0,
        note: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__()
        self.seconds = 60 * validation.real("minutes", minutes, above=0)
        self.reserve = validation.real("reserve", reserve, least=0)
        self._before = validation.real("spent", spent, least=0)
        self._since = since
        self._note = note
        self._usual: collections.deque[float] = collections.deque(maxlen=5)
        self._scored = 0.0  # seconds that followed the newest epoch with scores
        self._most: float = math.inf
        self.speed: float | None = None

    # The time -----------------------------------------------------------------------------------

    @property
    def spent(self) -> float:
        """Seconds spent so far."""
        return self._before + (0.0 if self._since is None else clock() - self._since)

    @property
    def left(self) -> float:
        """Seconds left, 0 at the end."""
        return max(0.0, self.seconds - self.spent)

    @property
    def share(self) -> float:
        """Seconds of an epoch."""
        share = min(max(self.seconds / EPOCHS, SHORTEST), LONGEST)
        return max(share, WORTH * self._after)

    @property
    def _after(self):
        """Seconds that usually follow an epoch."""
        return statistics.fmean(self._usual or [UNKNOWN])

    def _for_training(self):
        """Seconds left to train in, if the epoch that uses them up is the last one."""
        after = max(self._scored, *(self._usual or [UNKNOWN]))
        return self.seconds - self.spent - self.reserve - after

    # What Keras calls ---------------------------------------------------------------------------

    def begin(self, initial_epoch: int) -> int:
        """Start the clock unless it is running. Returns the number of epochs for Keras's `fit`."""
        if self._since is None:
            self._since = clock()
        count = max(1, round(self._for_training() / self.share))
        epochs: int = initial_epoch + backend.led(lambda: count)
        self._most = epochs
        return epochs

    def on_train_begin(self, logs=None):
        self.params["steps"] = None  # only the clock knows
        self.params["budget"] = self
        self._compiled = False
        self._ended = None

    def on_epoch_begin(self, epoch, logs=None):
        self._measure_what_followed()
        self._tell()
        self._epoch = epoch
        self._size = self.model.examples_per_step
        self._counted, self._counted_at = 0, clock()
        self._plan()

    def _tell(self):
        self._told = clock()
        if self._note is not None:
            self._note(self.spent)

    def _measure_what_followed(self):
        if self._ended is None:
            return
        seconds = clock() - self._ended
        if any("[" in name for name in self._logs):
            self._scored = seconds
        else:
            self._usual.append(seconds)

    def _plan(self):
        """Divide the time that is left among epochs, and set the end of this one."""

        def decide():
            left = self._for_training()
            count = min(max(1, round(left / self.share)), self._most - self._epoch)
            self._end = clock() + (left if count == 1 else left / count - self._after)
            return count

        self.params["epochs"] = self._epoch + backend.led(decide)

    def on_train_batch_end(self, batch, logs=None):
        now = clock()
        if not self._compiled:  # the time before this says nothing about the next steps
            self._compiled = True
            self._counted, self._counted_at = batch + 1, now
            self._plan()
        elif now > self._counted_at:
            steps = batch + 1 - self._counted
            self.speed = steps * self._size / (now - self._counted_at)
        if now - self._told >= NOTED:
            self._tell()
        if backend.led(lambda: now >= self._end):
            self._ended = now
            if not self.model.stop_training:
                self.model.stop_training = _Over

    def on_epoch_end(self, epoch, logs=None):
        self._logs = logs or {}
        if self.model.stop_training is not _Over:
            return
        if backend.led(lambda: self._for_training() - self._after < self.share / 2):
            self.params["epochs"] = epoch + 1
        else:
            self.model.stop_training = False

    def on_train_end(self, logs=None):
        self._tell()
