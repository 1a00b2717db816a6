"""The log of a training, one line of JSON per epoch."""

import pathlib
import time
from typing import Any

import keras

from ganzoo import types
from ganzoo.callbacks.base import Writes
from ganzoo.files.json_lines import append
from ganzoo.files.json_lines import forget


class MetricsLog(Writes):
    """Appends one line of JSON per epoch: its number, the steps that the model has trained so far,
    the examples it has seen in them (without the steps that loaded weights have had), wall-clock
    seconds, processor seconds of all cores together for the training alone, with a `TimeBudget` the
    seconds of it that were spent, and all logs.

    A resumed run first drops the lines of epochs that it will train again.

    Args:
        path: the `.jsonl` file.
    """

    def __init__(self, path: types.Path) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        self._rows: list[dict[str, Any]] | None = None  # not written yet

    def on_train_begin(self, logs=None):
        self._rows = None

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()
        self._cpu = self._cpu_now = time.process_time()
        if self._rows is None:
            self._rows = []
            forget(self.path, epoch)

    def on_train_batch_end(self, batch, logs=None):
        self._cpu_now = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        step = int(keras.ops.convert_to_numpy(self.model.step))
        budget = (self.params or {}).get("budget")
        row = {
            "epoch": epoch + 1,
            "step": step,
            "images": (step - self.model.averages.since) * self.model.examples_per_step,
            "seconds": round(time.perf_counter() - self._start, 3),
            "cpu_seconds": round(self._cpu_now - self._cpu, 3),
            **({} if budget is None else {"spent": round(budget.spent, 3)}),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        self._rows.append(row)
        if self._write(f"The log of epoch {epoch + 1}", lambda: append(self.path, *self._rows)):
            self._rows = []
