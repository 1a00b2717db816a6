"""The report of a run while it trains."""

from collections.abc import Callable

import keras

from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from ganzoo.runs import outlook

REFRESHED = '<meta http-equiv="refresh"'
"""What only the report of a training that goes on has: browsers load it again and again."""
PAUSE = 60.0
"""Least seconds between two reports."""
WORTH = 20
"""How many times as long as it takes to write a report nothing is written after it."""


class LiveReport(keras.callbacks.Callback):
    """Writes the report of a run when its training begins and after its first epoch; after others
    once a minute at most. With each score, and after the first epoch, it says the forecast.

    The training counts the time that this takes as its own, as it does for scores.

    Args:
        run: the run's folder.
        say: called with a line of text.
        score: the name of the score that is forecast; None: the run is not scored.
    """

    def __init__(
        self, run: RunFolder, say: Callable[[str], object], score: str | None = None
    ) -> None:
        super().__init__()
        self.run = run
        self.say = say
        self.score = score
        self._next = 0.0
        self._first = True

    def on_train_begin(self, logs=None):
        self._write()

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 >= self.params["epochs"]:  # the last report follows
            return
        first, self._first = self._first, False
        if first or any(name.startswith(outlook.SCORE) for name in logs or {}):
            for line in outlook.told(lambda: outlook.of_run(self.run, self.score)):
                self.say(line)
        if first or time_budget.clock() >= self._next:
            self._write()

    def _write(self):
        from ganzoo.runs import report  # loads matplotlib, which takes time

        start = time_budget.clock()
        try:
            report.write(self.run, running=True, score=self.score)
        except Exception as error:  # the training is worth more
            self.say(f"The report could not be written: {error}")
        end = time_budget.clock()
        self._next = end + max(PAUSE, WORTH * (end - start))


def unfinished(run: RunFolder) -> bool:
    """Whether the report of a run is missing, or says that the training goes on."""
    if not run.report.exists():
        return True
    return REFRESHED in run.report.read_text(encoding="utf-8", errors="replace")[:2_000]
