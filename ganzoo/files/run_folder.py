"""The files of a run folder: what each is called, and where it is.

    config.json       the settings, the command and the versions
    metrics.jsonl     one line per epoch
    time.json         how long the run has lasted, if its minutes are limited
    data.png          images of the data, as the model receives them
    data/             some examples of it as files, of kinds that an image does not wholly show
    samples/          a grid per epoch, always from the same latents; likewise
    training.gif      these grids, one after the other
    checkpoints/      the newest two, whole models; and the best one, where the run was scored
    scores.json       the score sheet of the last model by `ganzoo evaluate`; scores-best.json: of
                      the best one
    nearest.png       samples next to the nearest training images
    before-after.png  samples of the weights to start from, of the last model, and real images
    doctor.jsonl      what the doctor reported
    tensorboard/      logs and samples for TensorBoard, if requested
    report.html       all of it on one page

No other module names these files. Others ask a `RunFolder`, or a `CheckpointFiles` or `SampleFiles`
if they have only that folder.
"""

import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any
from typing import ClassVar

from ganzoo import types
from ganzoo.files import locks
from ganzoo.files import texts

RUNS = "runs"
"""The folder, in the current one, for runs without a folder of their own."""
CONFIG = "config.json"
SCORES = "scores.json"
NEAREST = "nearest.png"


class EpochFiles:
    """The files of one kind in a folder, numbered by epoch: `epoch-0001…`, `epoch-0002…`, ….

    Args:
        folder: the folder that they are in; it need not exist.
    """

    ending: ClassVar[str]
    """The ending of their names, with the dot."""

    def __init__(self, folder: types.Path) -> None:
        self.folder = pathlib.Path(folder)

    def path(self, epoch: int) -> pathlib.Path:
        """The file of an epoch, which need not exist."""
        return self.folder / f"epoch-{epoch:04d}{self.ending}"

    def by_epoch(self) -> dict[int, pathlib.Path]:
        """`{epoch: path}` of the files that exist, in the order of the epochs."""
        numbered = {}
        for path in self.folder.glob(f"epoch-*{self.ending}"):
            number = path.name.removeprefix("epoch-").removesuffix(self.ending)
            if number.isdecimal():
                numbered[int(number)] = path
        return dict(sorted(numbered.items()))

    @property
    def newest(self) -> int:
        """The newest epoch that has a file; 0 if none has."""
        return max(self.by_epoch(), default=0)

    @property
    def partial(self) -> Iterable[pathlib.Path]:
        """The half-written files that a killed process left behind."""
        return self.folder.glob(f".epoch-*.partial{self.ending}")


class SampleFiles(EpochFiles):
    """The grids of samples of a run, one for each epoch."""

    ending = ".png"

    def single(self, epoch: int) -> pathlib.Path:
        """The folder of some samples of an epoch as files of their own."""
        return self.folder / f"epoch-{epoch:04d}"


class CheckpointFiles(EpochFiles):
    """The checkpoints of a run, and its best model.

    Example:

    >>> CheckpointFiles("runs/dcgan-digits/checkpoints").path(7).name
    'epoch-0007.keras'
    """

    ending = ".keras"

    @property
    def best(self) -> pathlib.Path:
        """The model with the best score so far, which holds its epoch and its score sheet."""
        return self.folder / "best.keras"

    @staticmethod
    def keep_damaged(path: pathlib.Path) -> None:
        """Rename a checkpoint that cannot be read, so that later runs ignore it."""
        path.rename(path.with_name(f"{path.name}.damaged"))


class RunFolder:
    """The files of one run. Each property is a path, whether or not the file exists.

    Args:
        path: the folder; it need not exist. `~` is your home folder.

    Example:

    >>> run = RunFolder("runs/dcgan-digits")
    >>> run.metrics.name, run.checkpoints.path(7).name
    ('metrics.jsonl', 'epoch-0007.keras')
    """

    def __init__(self, path: types.Path) -> None:
        self.path = pathlib.Path(path).expanduser()

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"RunFolder({str(self)!r})"

    def __fspath__(self) -> str:
        return str(self.path)

    # Which folder ---------------------------------------------------------------------------

    @classmethod
    def usual(cls, model: str | None, data: types.Path) -> "RunFolder":
        """The default folder of a run: `runs/dcgan-digits` for the model `dcgan` and the data
        `digits`; `runs/digits` for a model that ganzoo chooses, None."""
        name = pathlib.Path(data).stem or "data"
        return cls(pathlib.Path(RUNS) / (name if model is None else f"{model}-{name}"))

    @classmethod
    def usual_ones(cls) -> "list[RunFolder]":
        """The runs in the folder `runs` of the current folder, in the order of their names."""
        return [cls(path) for path in sorted(pathlib.Path(RUNS).glob("*")) if cls(path).is_run]

    @property
    def is_run(self) -> bool:
        """Whether it has a folder of checkpoints."""
        return self.checkpoints.folder.is_dir()

    @property
    def begun(self) -> bool:
        """Whether a training has written a result to it."""
        return self.metrics.exists() or bool(self.checkpoints.by_epoch())

    # The files ------------------------------------------------------------------------------

    @property
    def config(self) -> pathlib.Path:
        """The settings, the command and the versions, as JSON."""
        return self.path / CONFIG

    @property
    def metrics(self) -> pathlib.Path:
        """The logs: a line of JSON for each epoch."""
        return self.path / "metrics.jsonl"

    @property
    def time(self) -> pathlib.Path:
        """How long the run has lasted, as JSON, if its minutes are limited."""
        return self.path / "time.json"

    @property
    def data(self) -> pathlib.Path:
        """Images of the data, as the model receives them."""
        return self.path / "data.png"

    @property
    def data_files(self) -> pathlib.Path:
        """The folder of some examples of the data as files of their own."""
        return self.path / "data"

    @property
    def samples(self) -> SampleFiles:
        """A grid of samples for each epoch."""
        return SampleFiles(self.path / "samples")

    @property
    def animation(self) -> pathlib.Path:
        """The grids, one after the other."""
        return self.path / "training.gif"

    @property
    def checkpoints(self) -> CheckpointFiles:
        """The newest models, and the best one."""
        return CheckpointFiles(self.path / "checkpoints")

    @property
    def scores(self) -> pathlib.Path:
        """The score sheet of the last model."""
        return self.path / SCORES

    @property
    def best_scores(self) -> pathlib.Path:
        """The score sheet of the best model, by the same evaluation."""
        return sheet_of(self.scores, "best")

    @property
    def nearest(self) -> pathlib.Path:
        """Samples of the last model next to the nearest images of the data."""
        return self.path / NEAREST

    @property
    def change(self) -> pathlib.Path:
        """Samples of the weights that it began with, next to those of the last model."""
        return self.path / "before-after.png"

    @property
    def findings(self) -> pathlib.Path:
        """What the doctor reported: a line of JSON for each finding."""
        return self.path / "doctor.jsonl"

    @property
    def tensorboard(self) -> pathlib.Path:
        """The folder for `tensorboard --logdir`."""
        return self.path / "tensorboard"

    @property
    def report(self) -> pathlib.Path:
        """All of it on one page."""
        return self.path / "report.html"

    # What is in them ------------------------------------------------------------------------

    def read_config(self) -> Any:
        """The content of `config`: a dict, unless the file is damaged.

        Raises:
            OSError, ValueError: it cannot be read, or is not JSON.
        """
        try:
            return json.loads(self.config.read_text(encoding="utf-8"))
        except RecursionError:
            raise ValueError(f"{str(self.config)!r} is nested too deeply.") from None

    def is_last(self, epoch: int) -> bool:
        """Whether the checkpoint of an epoch is the run's last model: it is the newest, and no
        training is writing to the folder."""
        return locks.holder(self.path) is None and self.checkpoints.newest == epoch

    def set_aside(self, epoch: int) -> None:
        """Add the epoch to the names of the files about the last model, before training goes on
        from it."""
        for path in (self.scores, self.best_scores, self.nearest, self.change):
            if path.exists():
                path.replace(of_epoch(path, epoch))


def of_epoch(path: pathlib.Path, epoch: int) -> pathlib.Path:
    """The name of a file about the last model, for the model of an epoch.

    >>> of_epoch(RunFolder("runs/dcgan-digits").nearest, 7).name
    'nearest-epoch-0007.png'
    """
    return path.with_name(f"{path.stem}-epoch-{epoch:04d}{path.suffix}")


def sheet_of(sheet: pathlib.Path, which: str) -> pathlib.Path:
    """The score sheet of the `"last"` or the `"best"` model; `sheet` is that of the last one."""
    return sheet if which == "last" else sheet.with_name(f"{sheet.stem}-{which}.json")


def name_of(source: types.Path) -> str:
    """The data set as `config.json` names it. A path object is never written like a name."""
    word = texts.kept(os.fspath(source))
    plain = not isinstance(source, str) and os.path.dirname(word) == ""
    return os.path.join(".", word) if plain else word


def place_of(name: str, place: str | None = None) -> pathlib.Path | None:
    """The path of a data set's files; None if it is a name, or they do not exist.

    Args:
        name: as in `config.json`.
        place: the folder in which relative paths begin. None: the current one.
    """
    path = pathlib.Path(texts.local(place or ""), os.path.expanduser(texts.local(name)))
    return path if os.path.exists(path) else None
