"""The settings of a training, and the check that a run began with the same ones."""

import contextlib
import dataclasses
import json
import operator
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import TextIO
from typing import TypedDict

import numpy as np

from ganzoo import backend
from ganzoo import datasets
from ganzoo import types
from ganzoo import validation
from ganzoo import zoo
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import name_of
from ganzoo.files.run_folder import place_of
from ganzoo.game import time_budget
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights

EPOCHS = 60
"""Epochs of a training, unless their number or its time is given."""


class Options(TypedDict, total=False):
    """The keyword arguments of `train`, for type checkers: the fields of `Settings` except the
    model and its data."""

    to: types.Path | None
    out: types.Path | None
    weights: types.Path | None
    epochs: int | None
    minutes: float | None
    since: float | None
    batch_size: int
    devices: int | Literal["all"]
    image_size: int | tuple[int, int] | None
    sample_rate: int | None
    length: int | None
    data_dir: types.Path | None
    on_error: Literal["raise", "skip"]
    value_range: tuple[float, float] | None
    seed: int
    arguments: dict[str, Any] | None
    samples: int
    checkpoint_seconds: float
    score_every: int | None
    tensorboard: bool
    on_divergence: Literal["stop", "rollback"]
    imports: Sequence[str]
    say: Callable[[str], object]
    verbose: int | Literal["auto"]
    file: TextIO | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The arguments of `ganzoo.runs.train`, which describes them."""

    model: str
    data: types.Path = "digits"
    to: types.Path | None = None
    out: types.Path | None = None
    weights: types.Path | None = None
    epochs: int | None = None
    minutes: float | None = None
    since: float | None = None
    batch_size: int = 64
    devices: int | Literal["all"] = 1
    image_size: int | tuple[int, int] | None = None
    sample_rate: int | None = None
    length: int | None = None
    data_dir: types.Path | None = None
    on_error: Literal["raise", "skip"] = "raise"
    value_range: tuple[float, float] | None = None
    seed: int = 0
    arguments: dict[str, Any] | None = None
    samples: int = 64
    checkpoint_seconds: float = 15.0
    score_every: int | None = None
    tensorboard: bool = False
    on_divergence: Literal["stop", "rollback"] = "stop"
    imports: Sequence[str] = ()
    say: Callable[[str], object] = texts.say
    verbose: int | Literal["auto"] = "auto"
    file: TextIO | None = None

    @classmethod
    def of(cls, model: str, data: types.Path, options: Mapping[str, Any]) -> "Settings":
        """The settings of a call of `train`.

        Raises:
            TypeError: an option is unknown; the message names similar ones.
        """
        for name in options:
            if name not in Options.__annotations__:
                raise validation.unknown(
                    "argument of `train`", name, Options.__annotations__, error=TypeError
                )
        settings = cls(model=model, data=data, **options)
        if settings.minutes is None and settings.epochs is None:
            return dataclasses.replace(settings, epochs=EPOCHS)
        if settings.since is None:
            return dataclasses.replace(settings, since=time_budget.clock())
        return settings

    @property
    def run(self) -> RunFolder:
        """The run folder."""
        return RunFolder(self.out) if self.out else RunFolder.usual(self.model, self.data)

    @property
    def model_arguments(self) -> dict[str, Any]:
        """The arguments of the model, except its seed and `flip="auto"`, which the data decides."""
        arguments = dict(self.arguments or {})
        if self.decides_flips:
            del arguments["flip"]
        return arguments

    @property
    def decides_flips(self) -> bool:
        """Whether the data decides if images are mirrored."""
        return (self.arguments or {}).get("flip") == "auto"

    @property
    def domains(self) -> str:
        """The data of all domains, as text."""
        return f"{self.data}" if self.to is None else f"{self.data} and {self.to}"

    def check(self) -> None:
        """Raise an error for an argument that is out of range."""
        if self.minutes is not None and self.epochs is not None:
            raise ValueError(
                "Both --minutes and --epochs (`minutes=`, `epochs=`) say how long the training "
                f"lasts. Leave out one of them: --minutes {self.minutes} or --epochs {self.epochs}."
            )
        validation.optional(validation.real, "minutes", self.minutes, above=0)
        validation.optional(validation.integer, "epochs", self.epochs)
        validation.integer("batch_size", self.batch_size)
        validation.real("checkpoint_seconds", self.checkpoint_seconds, least=0)
        validation.one_of("on_divergence", self.on_divergence, ("stop", "rollback"))
        validation.optional(validation.integer, "score_every", self.score_every, least=0)
        if "seed" in self.model_arguments:
            raise ValueError("Give the seed by --seed (`seed=`), not among the model's arguments.")

    def record(self) -> dict[str, Any]:
        """The settings that `config.json` keeps, which a later call must repeat to resume the
        run."""
        record = {
            "model": self.model,
            "arguments": dict(self.arguments or {}),
            "data": name_of(self.data),
            "image_size": self.image_size,
            "sample_rate": self.sample_rate,
            "length": self.length,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "on_error": self.on_error,
            "value_range": self.value_range,
            "weights": None if self.weights is None else texts.kept(os.fspath(self.weights)),
        }
        if self.to is not None:
            record["to"] = name_of(self.to)
        return plain(record)


def plain(value):
    """A value as JSON returns it: lists for tuples and arrays, Python's numbers for NumPy's."""
    if isinstance(value, dict):
        return {key: plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def check_settings(run, settings):
    """Raise a `ValueError` unless a training may begin or go on in a run folder.

    Args:
        run: a `RunFolder`.
        settings: a dict, see `Settings.record`.
    """
    if not run.config.exists():
        if run.path.is_dir() and any(not p.name.startswith(".") for p in run.path.iterdir()):
            raise ValueError(
                f"{str(run)!r} is not empty and not a run folder. Choose another folder with --out."
            )
        return
    if not run.begun:  # as after an error in the data: there is nothing to protect
        return
    try:
        record = run.read_config()
        before, place = dict(record["settings"]), record.get("directory")
        differing = _differing(run, before, settings, place)
    except Exception:  # a file may be wrong in any way
        raise ValueError(
            f"{str(run.config)!r} is damaged. Choose another folder with --out."
        ) from None
    if differing:
        changes = ", ".join(_change(k, before.get(k), settings[k], place) for k in differing)
        raise ValueError(
            f"{str(run)!r} holds a run with other settings: {changes}. Choose another folder "
            "with --out, or give the settings of that run to go on with it."
        )


def _change(key, was, now, place):
    """A setting's value in a run and in today's command, as text."""
    if was == now:  # a path, from two folders
        was, now = str(place_of(was, place)), os.path.abspath(now)
    return f"{key} was {was!r}, not {now!r}"


def _differing(run, before, settings, place):
    """Names of the settings whose meaning differs from the run's, however both are written.

    Args:
        run: a `RunFolder`.
        before: the run's settings.
        settings: those of today's command.
        place: the folder in which the run's command was given, or None.
    """

    def size(was, now):
        pair = lambda side: [side, side] if isinstance(side, int) else side
        return pair(was) == pair(now)

    def arguments(was, now):
        if was == now or before["model"] != settings["model"]:
            return was == now
        defaults = plain(zoo.model_class(settings["model"]).arguments())
        # Arguments that the run was not given come from its model: defaults may have changed.
        used = {**defaults, **_used(run), **was}
        return all(used.get(k) == {**defaults, **now}.get(k) for k in {*was, *now})

    def data(was, now):
        return was is not None and _same_data(was, now, place)

    def weights_of(was, now):
        tags = [f"{settings['model']}.{word}" in catalogue.rows() for word in (was, now)]
        return was == now or not (any(tags) or None in (was, now)) and _same_data(was, now, place)

    same = {"image_size": size, "arguments": arguments, "data": data, "to": data}
    same["weights"] = weights_of
    return [k for k in settings if not same.get(k, operator.eq)(before.get(k), settings[k])]


def _same_data(was, now, place):
    """Whether two names mean the same data, the first as seen from the folder `place`."""
    before, after = place_of(was, place), place_of(now)
    if before is not None and after is not None:
        return before.samefile(after)
    if was in datasets.BUILT_IN or now in datasets.BUILT_IN:
        return was == now
    before, after = (pathlib.Path(os.path.expanduser(name)) for name in (was, now))
    # Equal words, where the files have moved together with the folder of the command.
    from_there = os.path.join(texts.local(place or ""), before)
    return before == after or os.path.abspath(from_there) == os.path.abspath(after)


def _used(run):
    """The arguments of the model in a run's newest readable checkpoint."""
    for path in reversed(run.checkpoints.by_epoch().values()):
        with contextlib.suppress(ValueError):
            return weights.read(path)[1]
    return {}


def write_config(
    run, settings, epochs, class_names, imports=(), devices=1, *, minutes=None, things="images"
):
    """Create a run folder and write its `config.json`: settings, command, versions, devices, and
    what its examples are called."""
    config = {
        "settings": settings,
        "directory": texts.kept(os.path.abspath("")),  # from where relative paths lead
        "epochs": epochs,
        **({} if minutes is None else {"minutes": minutes}),
        "things": things,
        "class_names": class_names and [texts.kept(name) for name in class_names],
        "imports": list(imports),
        "command": [texts.kept(word) for word in sys.argv],
        "versions": backend.versions(),
        "device": {
            "name": f"{devices} × {backend.device()}" if devices > 1 else backend.device(),
            "gpu": backend.accelerated(),
        },
    }
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        atomic.write_atomically(run.config, json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise unwritable(run, error) from None


def unwritable(run, error):
    return OSError(
        f"The run folder {str(run)!r} cannot be written: {error.strerror or error}. Choose another "
        "with --out."
    )


def data_of(folder: types.Path) -> dict[str, Any]:
    """The arguments of `ganzoo.datasets.load` that read the data of a run or a published model:
    `data` and, for a run, `on_error`, `value_range` and `class_names`."""
    facts = catalogue.trained_on(folder)
    if not facts:
        raise ValueError(
            f"{str(RunFolder(folder).config)!r} does not name the data of the run. Give it with "
            "--data."
        )
    data = texts.local(facts["data"][0])
    place = place_of(facts["data"][0], facts.get("directory"))
    if place is not None and not (os.path.exists(data) and place.samefile(data)):
        data = str(place)  # from here, the relative path leads elsewhere
    reading: dict[str, Any] = {k: facts[k] for k in ("on_error", "value_range") if k in facts}
    if "class_names" in facts:
        reading["class_names"] = list(map(texts.local, facts["class_names"]))
    return {"data": data, **reading}
