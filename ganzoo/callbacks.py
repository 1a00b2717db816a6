"""Callbacks: pictures, numbers and checkpoints while a model trains."""

import contextlib
import json
import math
import os
import pathlib
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from ganzoo import archives
from ganzoo import checks
from ganzoo import evaluation
from ganzoo import hints
from ganzoo import images
from ganzoo import texts
from ganzoo import weights
from ganzoo.pictures import to_pictures


class _Writes(keras.callbacks.Callback):
    """Of callbacks that write files: once something has been trained, a full disk or a folder that
    is gone is said, and does not end the training."""

    say: Callable[[str], object] = staticmethod(texts.say)

    def _write(self, what, write):
        """Whether `write` has written `what`."""
        try:
            write()
        except OSError as error:
            self.say(
                f"{what} could not be written: {error.strerror or error}. The training goes on; it "
                "is tried again after the next epoch."
            )
            return False
        return True


class SampleGrid(_Writes):
    """Saves a grid of samples after every epoch, always from the same latents.

    Of a model that makes its pictures of others, such as a translator: pictures of the data, beside
    each what is made of it and, where the data has pairs, what should be.

    Args:
        folder: gets `epoch-0001.png`, `epoch-0002.png`, …; and `epoch-0000.png`, the untrained
            generator's, where training starts at the beginning.
        n: pictures in the grid.
        seed: of the latents.
    """

    def __init__(self, folder: hints.Path, n: int = 64, seed: int = 0) -> None:
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.n = checks.integer("n", n)
        self.seed = seed
        self._data = None
        self._shown = None

    def see(self, data: Any) -> None:
        """Called by `fit` with what it reads."""
        self._data = data

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "generate"):
            self._shown = _first(self._data, max(1, self.n // 2))

    def _samples(self):
        """Pictures, and how many belong together."""
        if self._shown is None:
            return self.model.generate(self.n, seed=self.seed), 1
        translates = hasattr(self.model, "translate")
        make = self.model.translate if translates else self.model.reconstruct
        source, *targets = self._shown
        columns = [source, make(source), *(targets if self.model.paired else [])]
        return np.stack(columns, axis=1).reshape(-1, *source.shape[1:]), len(columns)

    def _grid(self):
        samples, together = self._samples()
        return images.grid(samples, together * math.ceil(math.sqrt(len(samples)) / together))

    def _save(self, epoch):
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / f"epoch-{epoch:04d}.png") as path:
            self._grid().save(path)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self._save(0)

    def on_epoch_end(self, epoch, logs=None):
        self._write(f"The samples of epoch {epoch + 1}", lambda: self._save(epoch + 1))


class Show(SampleGrid):
    """Shows the grid of samples in a notebook, in one place: each epoch's takes that of the last.

    Elsewhere it shows nothing.

    Args:
        n: pictures in the grid.
        seed: of the latents.

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
        IPython = sys.modules.get("IPython")  # which is loaded, where there is a notebook
        if not hasattr(IPython and IPython.get_ipython(), "kernel"):
            return
        if self._place is None:
            self._place = IPython.display.display(self._grid(), display_id=True)
        else:
            self._place.update(self._grid())


class TensorBoard(SampleGrid):
    """Writes all logs and the grid of samples of each epoch for TensorBoard, on any backend.

    A resumed run's epochs take the place of those after its first.

    Args:
        folder: for `tensorboard --logdir FOLDER`.
        n: pictures in the grid.
        seed: of the latents.

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

    def __init__(self, folder: hints.Path, n: int = 64, seed: int = 0) -> None:
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
        self._write("What TensorBoard shows", self._writer.flush)

    def close(self) -> None:
        """Called by `fit`, however it ends."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def first_batches(data: Any, n: int) -> Iterator[tuple[Any, ...]]:
    """The batches of a data set, as tuples, until they have `n` examples."""
    if isinstance(data, keras.utils.PyDataset):
        data = (data[i] for i in range(data.num_batches))
    for batch in data:
        batch = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        yield batch
        n -= len(batch[0])
        if n <= 0:
            return


def _first(data, n):
    """The first `n` examples of a data set of batches, a list of uint8 arrays."""
    found = first_batches(data, n)
    columns = [np.concatenate([np.asarray(part) for part in column])[:n] for column in zip(*found)]
    return [x if x.dtype == np.uint8 else np.asarray(to_pictures(x)[0]) for x in columns]


class MetricsLog(_Writes):
    """Appends one line of JSON per epoch: its number, step, seconds (of the clock, and of the
    processor's cores together for the training alone), and all logs.

    A resumed run first drops the lines of epochs that it is going to train again.

    Args:
        path: the `.jsonl` file.
    """

    def __init__(self, path: hints.Path) -> None:
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
        row = {
            "epoch": epoch + 1,
            "step": int(keras.ops.convert_to_numpy(self.model.step)),
            "seconds": round(time.perf_counter() - self._start, 3),
            "cpu_seconds": round(self._cpu_now - self._cpu, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        self._rows.append(row)
        if self._write(f"The log of epoch {epoch + 1}", lambda: append(self.path, *self._rows)):
            self._rows = []


def append(path: pathlib.Path, *rows: dict[str, Any]) -> None:
    """Add lines of JSON to a file: all of them or, if there is an error, none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))
    except OSError:
        with contextlib.suppress(OSError):
            os.truncate(path, before)
        raise


def forget(path: pathlib.Path, epoch: int) -> None:
    """Drop the lines of a file of JSON lines that are of later epochs, or cut short."""
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        kept = "".join(f"{x}\n" for x in text.splitlines() if _epoch_of(x) <= epoch)
        if kept != text:
            write_atomically(path, kept)


def _epoch_of(line):
    """A line's epoch; infinity for a line that a kill has cut short."""
    try:
        return json.loads(line)["epoch"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return float("inf")


class Checkpoints(_Writes):
    """Saves the whole model at ends of epochs, and keeps the newest two.

    A checkpoint is written under another name, synced, read again and then renamed: whatever
    interrupts it, the ones before stay whole. A model of whose losses, weights or optimizers' state
    something is no longer finite is not saved. If a checkpoint cannot be written, that is said, and
    tried again after the next epoch; the last one then goes to the folder of temporary files.

    Args:
        folder: gets `epoch-0001.keras`, ….
        seconds: save no more often than this, so that short epochs are not spent on saving; 0
            saves at every epoch. The last epoch is always saved.

    Raises:
        OSError: the last one cannot be written; the message says where it is.
    """

    keep = 2

    def __init__(self, folder: hints.Path, seconds: float = 15.0) -> None:
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.seconds = checks.real("seconds", seconds, least=0)
        self._last = time.monotonic()
        self._unsaved = None

    def on_train_begin(self, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        for left_behind in self.folder.glob(".epoch-*.partial.keras"):  # by a kill
            left_behind.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        # A score, "name[extractor]", may be infinite for good reasons.
        losses = [value for name, value in (logs or {}).items() if "[" not in name]
        if not all(map(math.isfinite, losses)):
            self._unsaved = None  # what has diverged must not push out what had not
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
            name = f"epoch-{self._unsaved:04d}.keras"
            other = pathlib.Path(tempfile.mkdtemp(prefix="ganzoo-")) / name
            save_atomically(self.model, other)
            raise OSError(
                f"The last checkpoint could not be written to {str(self.folder)!r}: "
                f"{error.strerror or error}. It is {str(other)!r}: move it there."
            ) from error

    def _save(self):
        state = [*self.model.variables, *self.model.optimizer.variables]
        # Else the last step has broken it, whose loss was still finite.
        if all(np.isfinite(keras.ops.convert_to_numpy(v)).all() for v in state):
            self.folder.mkdir(parents=True, exist_ok=True)
            save_atomically(self.model, self.folder / f"epoch-{self._unsaved:04d}.keras")
            # Later epochs than this one are of another run in the same folder: not ours to remove.
            found = weights.by_epoch(self.folder, ".keras")
            for old in [x for number, x in found.items() if number <= self._unsaved][: -self.keep]:
                old.unlink(missing_ok=True)
            self._last = time.monotonic()
        self._unsaved = None


BEST = "score.json"
"""The member of `best.keras` that holds its epoch, the name of the score and the sheet."""


class Evaluate(keras.callbacks.Callback):
    """Scores the model while it trains, and keeps the best one by a score of your choice.

    The scores join the logs under their full names, so that `History`, `MetricsLog` and Keras's
    own callbacks see them: list it before those. Whatever goes wrong while scoring is said and
    does not stop the training.

    Args:
        evaluator: a `ganzoo.evaluation.Evaluator`; one with few samples and `repeats=1` takes
            little time. It looks at the real pictures once.
        every: epochs between two evaluations; the last epoch is always evaluated.
        best: a score's name, such as `"frechet"`: the model with the best one is saved.
        folder: gets `best.keras`, a model file with its epoch and score sheet inside: see
            `best_so_far`.
        say: called with a line of text.
        verbose: 1 for a progress bar of its own, 0 for none.

    Example:

    >>> import ganzoo
    >>> evaluator = ganzoo.evaluation.Evaluator(
    ...     "digits", metrics=("frechet",), samples=300, repeats=1
    ... )
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(
    ...     ganzoo.datasets.load("digits"),
    ...     epochs=2,
    ...     verbose=0,
    ...     callbacks=[Evaluate(evaluator, verbose=0)],
    ... )
    >>> len(history.history["frechet[digits-classifier-v1]"])
    2
    """

    def __init__(
        self,
        evaluator: evaluation.Evaluator,
        every: int = 1,
        best: str | None = None,
        folder: hints.Path | None = None,
        say: Callable[[str], object] = texts.say,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.every = checks.integer("every", every)
        if (best is None) != (folder is None):
            raise ValueError("`best` and `folder` go together: which score, and where to save.")
        self.best = best
        self.folder = None if folder is None else pathlib.Path(folder)
        self.say = say
        self.verbose = verbose
        self.sheet = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every and epoch + 1 != self.params["epochs"]:
            return
        try:
            self.sheet = self._judge()
            if logs is not None:
                logs.update({name: score.value for name, score in self.sheet.scores.items()})
            if self.best is not None:
                self._keep_best(epoch + 1)
        except Exception as error:  # a training is worth more than its score
            self.say(f"Epoch {epoch + 1} could not be scored: {error}")

    def _judge(self):
        if not self.verbose:
            return self.evaluator.judge(self.model)
        total = self.evaluator.samples * self.evaluator.repeats
        bar = keras.utils.Progbar(total, unit_name="sample")
        return self.evaluator.judge(self.model, progress=bar.update)

    def _keep_best(self, epoch):
        score = self.sheet[self.best]
        before = self.best_so_far()
        sign = -1 if score.better == "higher" else 1
        if not math.isfinite(score.value):
            return
        if before is not None and not sign * score.value < sign * before[1]:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {"epoch": epoch, "score": self.best, **self.sheet.to_dict()}
        # In one file: a kill between two would leave a model with the score of another.
        with replacing(self.folder / "best.keras") as path:
            self.model.save(path)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(BEST, json.dumps(found, indent=2, allow_nan=False) + "\n")

    def report(self) -> None:
        """Say the last score and the best."""
        if self.sheet is None or self.best is None:
            return
        try:
            epoch, value = self.best_so_far()
        except (ValueError, KeyError, TypeError, OSError):  # it has been said
            return
        last = self.sheet[self.best].value
        self.say(f"{self.best}: {last:.4g} at the last epoch, {value:.4g} at the best, {epoch}")

    def best_so_far(self) -> tuple[int, float] | None:
        """`(epoch, value)` of the best model saved, of earlier runs in the folder too, or None."""
        path = self.folder / "best.keras"  # type: ignore[operator]
        if not path.exists():
            return None
        epoch, score, sheet = read_best(path)
        return epoch, sheet[score].value


def read_best(path: hints.Path) -> tuple[int, str, evaluation.ScoreSheet]:
    """`(epoch, name of the score, ScoreSheet)` of a `best.keras` that `Evaluate` wrote.

    Raises:
        ValueError: it is no such file, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archives.read(archive, BEST, archives.TEXT))
        sheet = evaluation.ScoreSheet.from_dict(found)
        sheet[found["score"]]  # an error, where there is none of this name
        return checks.integer("epoch", found["epoch"]), found["score"], sheet
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(f"{str(path)!r} holds no score: {error!r}.") from None


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives another path to write to; what is written there then replaces `path` at once.

    Whatever interrupts it, `path` holds either what it held or all of the new.
    """
    # A name may be as long as the file system takes, and this one must not be longer.
    temporary = path.with_name(f".{path.stem[:50]}.partial{path.suffix}")
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync(folder):
    """Have a new name in a folder outlive a loss of power, where folders can be synced."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def save_atomically(model: keras.Model, path: pathlib.Path) -> None:
    """`model.save`, so that `path` holds either what it held or all of the new file, read again.

    Raises:
        OSError: it cannot be written, or not so that it can be read again.
    """
    with replacing(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise OSError(f"{damaged!r} of it reads otherwise than it was written")


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Write a text file, so that `path` holds either what it held or all of the new text."""
    with replacing(path) as temporary:
        temporary.write_text(texts.shown(text), encoding="utf-8")
