"""Logs and samples for TensorBoard."""

import numpy as np

from ganzoo import types
from ganzoo.callbacks.sample_grid import SampleGrid


class TensorBoard(SampleGrid):
    """Writes all logs and the grid of samples of each epoch for TensorBoard, on any backend.

    A resumed run replaces earlier logs from its first epoch on.

    Args:
        folder: for `tensorboard --logdir FOLDER`.
        n: number of images in the grid.
        seed: seed of the latents.

    Raises:
        ImportError: tensorboardX is not installed.

    Example:

    >>> import tempfile, ganzoo
    >>> model = ganzoo.get("vanilla", seed=0)
    >>> board = TensorBoard(tempfile.mkdtemp(), n=4)
    >>> ds = ganzoo.datasets.load("digits")
    >>> history = model.fit(ds, epochs=1, verbose=0, callbacks=[board])
    >>> len(list(board.folder.glob("events*")))
    1
    """

    def __init__(self, folder: types.Path, n: int = 64, seed: int = 0) -> None:
        super().__init__(folder, n, seed)
        try:
            import tensorboardX
        except ImportError:
            raise ImportError(
                "TensorBoard needs tensorboardX: `pip install 'ganzoo[tensorboard]'`."
            ) from None
        self._open = tensorboardX.SummaryWriter
        self._writer = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._writer is None:
            self._writer = self._open(str(self.folder), purge_step=epoch + 1 if epoch else 0)
        super().on_epoch_begin(epoch, logs)

    def _save(self, epoch):
        grid = np.asarray(self._grid().convert("RGB"))
        self._writer.add_image("samples", grid, epoch, dataformats="HWC")

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self._writer.add_scalar(name, float(value), epoch + 1)
        super().on_epoch_end(epoch, logs)
        self._write("The log for TensorBoard", self._writer.flush)

    def close(self) -> None:
        """Called by `fit`, however it ends."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
