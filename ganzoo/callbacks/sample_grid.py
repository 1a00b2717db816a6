"""Grids of samples, written to files or shown in a notebook."""

import itertools
import math
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.callbacks.base import Writes
from ganzoo.files.atomic import replacing
from ganzoo.files.run_folder import SampleFiles
from ganzoo.modalities import kind_of


class SampleGrid(Writes):
    """Saves a grid of samples after every epoch, always from the same latents.

    For a model that transforms images, such as a translator, the grid shows images of the data,
    next to each the model's output and, if it is known, what that should be. An upscaler gets them
    small, and the grid shows their bicubic enlargement.

    Args:
        folder: gets `epoch-0001.png`, `epoch-0002.png`, …; and `epoch-0000.png` from the untrained
            generator, if training starts at the beginning. Sounds also get folders of WAV files,
            `epoch-0001/`, ….
        n: number of images in the grid.
        seed: seed of the latents.
    """

    def __init__(self, folder: types.Path, n: int = 64, seed: int = 0) -> None:
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.n = validation.integer("n", n)
        self.seed = seed
        self._data = None
        self._shown = None

    def see(self, data: Any) -> None:
        """Called by `fit` with its data."""
        self._data = data

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "generate"):
            self._shown = first_examples(self._data, max(1, self.n // 2))

    def _samples(self):
        """`(images, number of images that belong together)`."""
        if self._shown is None:
            return self.model.generate(self.n, seed=self.seed), 1
        before, after, targets, *_ = self.model.trial(*self._shown)
        columns = [before, after] if targets is None else [before, after, targets]
        return np.stack(columns, axis=1).reshape(-1, *before.shape[1:]), len(columns)

    def _grid(self):
        return self._drawn(*self._samples())

    def _drawn(self, samples, group):
        columns = group * math.ceil(math.sqrt(len(samples)) / group)
        return self.model.modality.preview(samples, columns)

    def _save(self, epoch):
        files, kind = SampleFiles(self.folder), self.model.modality
        samples, group = self._samples()
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(files.path(epoch)) as path:
            self._drawn(samples, group).save(path)
        if kind.kept:
            kind.save(samples[: kind.kept], files.single(epoch))

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self._save(0)

    def on_epoch_end(self, epoch, logs=None):
        self._write(f"The samples of epoch {epoch + 1}", lambda: self._save(epoch + 1))


class Show(SampleGrid):
    """Shows the grid of samples in a notebook; each epoch's grid replaces the last one.

    Outside a notebook it shows nothing.

    Args:
        n: number of images in the grid.
        seed: seed of the latents.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("vanilla", seed=0)
    >>> ds = ganzoo.datasets.load("digits")
    >>> history = model.fit(ds, epochs=1, verbose=0, callbacks=[Show(n=16)])
    """

    def __init__(self, n: int = 64, seed: int = 0) -> None:
        super().__init__("", n, seed)  # it writes nothing
        self._place = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._place = None

    def _save(self, epoch):
        IPython = sys.modules.get("IPython")  # a notebook has loaded it
        if not hasattr(IPython and IPython.get_ipython(), "kernel"):
            return
        if self._place is None:
            self._place = IPython.display.display(self._grid(), display_id=True)
        else:
            self._place.update(self._grid())


def first_batches(data: Any, n: int) -> Iterator[tuple[Any, ...]]:
    """The first batches of a data set, as tuples, until they have `n` examples: always the same
    ones, those of its first epoch."""
    batches = data
    if isinstance(data, keras.utils.PyDataset):
        endless = data.num_batches is None
        batches = (data[i] for i in (itertools.count() if endless else range(data.num_batches)))
    with backend.first_epoch(data):
        for batch in batches:
            batch = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
            yield batch
            n -= len(batch[0])
            if n <= 0:
                return


def first_examples(data: Any, n: int) -> list[np.ndarray]:
    """The first `n` examples of a data set of batches, as samples are, a list of arrays; labels
    stay as they are."""
    rows = first_batches(data, n)
    columns = [np.concatenate([np.asarray(part) for part in column])[:n] for column in zip(*rows)]
    shown = lambda x: x.ndim < 2 or x.dtype.kind in "biu"  # bfloat16 is "V"
    made = lambda x: kind_of(x.shape[1:]).from_network(x.astype("float32"))
    return [x if shown(x) else made(x) for x in columns]
