"""Callbacks: pictures, numbers and checkpoints while a model trains."""

import json
import os
import pathlib
import time

import keras

from ganzoo import checks
from ganzoo import images


class SampleGrid(keras.callbacks.Callback):
    """Saves a grid of samples after every epoch, always from the same latents.

    Args:
        folder: gets `epoch-0001.png`, `epoch-0002.png`, …; and `epoch-0000.png`, the untrained
            generator's, where training starts at the beginning.
        n: pictures in the grid.
        seed: of the latents.
    """

    def __init__(self, folder, n=64, seed=0):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.n = checks.integer("n", n)
        self.seed = seed

    def _save(self, epoch):
        samples = self.model.generate(self.n, seed=self.seed)
        images.save_grid(samples, self.folder / f"epoch-{epoch:04d}.png")

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self._save(0)

    def on_epoch_end(self, epoch, logs=None):
        self._save(epoch + 1)


class MetricsLog(keras.callbacks.Callback):
    """Appends one line of JSON per epoch: its number, step, seconds, and all logs.

    A resumed run first drops the lines of epochs that it is going to train again.

    Args:
        path: the `.jsonl` file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _epoch_of(line) <= epoch]
            if kept != lines:
                write_atomically(self.path, "".join(kept))

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": epoch + 1,
            "step": int(self.model.step),
            "seconds": round(time.perf_counter() - self._start, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _epoch_of(line):
    """A line's epoch; infinity for a line that a kill has cut short."""
    try:
        return json.loads(line)["epoch"]
    except (ValueError, KeyError):
        return float("inf")


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole model at ends of epochs, and keeps the newest two.

    A checkpoint is written under another name, synced and then renamed: whatever interrupts it,
    the ones before stay whole.

    Args:
        folder: gets `epoch-0001.keras`, ….
        seconds: save no more often than this, so that short epochs are not spent on saving.
            The last epoch is always saved.
    """

    keep = 2

    def __init__(self, folder, seconds=15.0):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.seconds = seconds
        self._last = time.monotonic()

    def on_train_begin(self, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        last_epoch = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if not last_epoch and time.monotonic() - self._last < self.seconds:
            return
        save_atomically(self.model, self.folder / f"epoch-{epoch + 1:04d}.keras")
        for old in sorted(self.folder.glob("epoch-*.keras"))[: -self.keep]:
            old.unlink()
        self._last = time.monotonic()


def save_atomically(model, path):
    """`model.save`, so that `path` holds either what it held or all of the new file."""
    temporary = path.with_name(f".{path.stem}.partial.keras")
    model.save(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_atomically(path, text):
    """Write a text file, so that `path` holds either what it held or all of the new text."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
