"""Checkpoints during training."""

import math
import tempfile
import time

import keras
import numpy as np

from ganzoo import types
from ganzoo import validation
from ganzoo.callbacks.base import Writes
from ganzoo.files.atomic import save_atomically
from ganzoo.files.run_folder import CheckpointFiles


class Checkpoints(Writes):
    """Saves the whole model at ends of epochs, and keeps the newest two.

    A checkpoint is written under another name, synced, read again and then renamed: an interruption
    leaves the earlier ones intact. A model with NaN or infinity in its losses, weights or
    optimizers' state is not saved. If a checkpoint cannot be written, this is reported, and tried
    again after the next epoch; the last one goes to the folder of temporary files instead.

    Args:
        folder: gets `epoch-0001.keras`, ….
        seconds: minimum time between two checkpoints, so that short epochs are not spent on saving;
            0 saves at every epoch. The last epoch is always saved.

    Raises:
        OSError: the last one cannot be written; the message says where it is.
    """

    keep = 2

    def __init__(self, folder: types.Path, seconds: float = 15.0) -> None:
        super().__init__()
        self.files = CheckpointFiles(folder)
        self.folder = self.files.folder
        self.seconds = validation.real("seconds", seconds, least=0)
        self._last = time.monotonic()
        self._unsaved = None

    def on_train_begin(self, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        for left_behind in self.files.partial:  # by a kill
            left_behind.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        # A score, "name[extractor]", may legitimately be infinite.
        losses = [value for name, value in (logs or {}).items() if "[" not in name]
        if not all(map(math.isfinite, losses)):
            self._unsaved = None  # a diverged model must not replace a sound one
            return
        self._unsaved = epoch + 1
        last = epoch + 1 == self.params["epochs"]
        if not last and time.monotonic() - self._last >= self.seconds:
            self._write(f"The checkpoint of epoch {epoch + 1}", self._save)

    def on_train_end(self, logs=None):
        if self._unsaved is None:
            return
        try:
            self._save()
        except OSError as error:
            other = CheckpointFiles(tempfile.mkdtemp(prefix="ganzoo-")).path(self._unsaved)
            save_atomically(self.model, other)
            raise OSError(
                f"The last checkpoint could not be written to {str(self.folder)!r}: "
                f"{error.strerror or error}. It is {str(other)!r}: move it there."
            ) from error

    def _save(self):
        state = [*self.model.variables, *self.model.optimizer.variables]
        # The last step may have broken the state although its loss was finite.
        if all(np.isfinite(keras.ops.convert_to_numpy(v)).all() for v in state):
            self.folder.mkdir(parents=True, exist_ok=True)
            save_atomically(self.model, self.files.path(self._unsaved))
            # Later epochs belong to another run in the same folder: not ours to remove.
            saved = self.files.by_epoch()
            for old in [x for number, x in saved.items() if number <= self._unsaved][: -self.keep]:
                old.unlink(missing_ok=True)
            self._last = time.monotonic()
        self._unsaved = None
