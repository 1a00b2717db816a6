"""What a run records: its settings, its length, how far it is, and its logs."""

import dataclasses
import functools
from typing import Any

from ganzoo import types
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import timing


@dataclasses.dataclass(frozen=True)
class Record:
    """The records of a run, which may be unfinished.

    Attributes:
        run: its folder.
        settings: see `Settings.record`.
        epochs: their total number; None if the run lasts for a number of minutes.
        minutes: total time, or None.
        directory: the folder from which relative paths in the settings lead; None if unknown.
        device: what it trained on.
        versions: of Python, ganzoo, Keras and others.
        imports: values of `--import`.
        things: the name of its examples.
    """

    run: RunFolder
    settings: dict[str, Any]
    epochs: int | None
    minutes: float | None
    directory: str | None
    device: str
    versions: dict[str, str]
    imports: tuple[str, ...]
    things: str = "images"

    @functools.cached_property
    def log(self) -> list[dict[str, Any]]:
        """The rows of `metrics.jsonl`, without those that were cut short."""
        return json_lines.read(self.run.metrics)

    @property
    def done(self) -> int:
        """Number of epochs that have ended."""
        return max((row.get("epoch", 0) for row in self.log), default=0)

    @property
    def steps(self) -> int:
        """Number of training steps, with those of the weights that it began with."""
        return max((row.get("step", 0) for row in self.log), default=0)

    @property
    def images(self) -> int:
        """Number of training images that it has seen."""
        return max((row.get("images", 0) for row in self.log), default=0)

    @property
    def wall_minutes(self) -> float:
        """Time of all epochs."""
        return sum(row.get("seconds", 0) for row in self.log) / 60

    @property
    def cpu_minutes(self) -> float:
        """Processor time of all epochs, of all cores together, for the training alone."""
        return sum(row.get("cpu_seconds", 0) for row in self.log) / 60

    @property
    def progress(self) -> float:
        """The part of it that has passed, from 0 to 1."""
        if self.minutes is None:
            return min(1.0, self.done / self.epochs)  # type: ignore[operator]
        return min(1.0, timing.spent(self.run) / 60 / self.minutes)

    @property
    def finished(self) -> bool:
        """Whether it has had all its epochs, or all its minutes."""
        if self.minutes is None:
            return self.done >= self.epochs  # type: ignore[operator]
        return timing.spent(self.run) >= 60 * self.minutes


def read(folder: types.Path) -> Record:
    """The records in a run folder.

    Raises:
        ValueError: it is not a run folder.
    """
    run = RunFolder(folder)
    try:
        config = run.read_config()
        return Record(
            run,
            dict(config["settings"]),
            config["epochs"],
            config.get("minutes"),
            config.get("directory"),
            config["device"]["name"],
            dict(config["versions"]),
            tuple(config.get("imports", ())),
            config.get("things", "images"),
        )
    except Exception:  # a file may be wrong in any way
        raise ValueError(f"{str(run)!r} is not a run folder of `ganzoo train`.") from None


def damaged(run: types.Path, error: Exception) -> ValueError:
    """The error about records that cannot be understood."""
    return ValueError(
        f"The records in {str(run)!r} are damaged, or of an older version of ganzoo "
        f"({type(error).__name__}: {error})."
    )
