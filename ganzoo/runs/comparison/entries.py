"""What is compared: runs, and trained weights that come with ganzoo."""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

from ganzoo import callbacks
from ganzoo import evaluation
from ganzoo import types
from ganzoo import validation
from ganzoo import zoo
from ganzoo.evaluation import ScoreSheet
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import place_of
from ganzoo.runs import commands
from ganzoo.runs import outlook
from ganzoo.runs import records
from ganzoo.runs import timing
from ganzoo.runs.settings import plain
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights

SOURCES = ("evaluate", "training")
"""What makes score sheets: `ganzoo evaluate`, which is preferred, and the training itself."""
PATHS = ("data", "to", "weights")
"""Settings that may be paths."""
SHARED = ("batch_size", "on_error", "value_range")
"""Further settings of a run that say what was trained. The size of the images must be the same."""
LENGTH = ("epochs", "minutes")
"""Its length: one of them."""
UNSAID = ("seed", "name", "image_shape")
"""Arguments of models that do not tell two settings apart."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """A training: of a run, or of weights that come with ganzoo.

    Attributes:
        word: how the user has named it.
        name: how a page names it, without the folders of this machine.
        model: registry name of the model.
        settings: what was trained, without the seed. Paths have no folders.
        identity: the same as text, with whole paths: equal for runs that differ in the seed alone.
        seed: its seed.
        epochs: their number, as text that marks a run that is not finished.
        finished: whether it is.
        steps, images, minutes, cpu_minutes: how long it has trained, as far as that is known.
        device, versions: where it was made.
        command: the command that makes it.
        shape: of its images, or None.
        sheets: `{source: {"last" or "best": sheet}}`, the sources those of `SOURCES`.
        scored: the epoch of the training's last scores, if it is not the last one.
        log: the numbers of each epoch; `minutes` among them.
        run: its folder; None for weights.
    """

    word: str
    name: str
    model: str
    settings: dict[str, Any]
    identity: str
    seed: int | None
    epochs: str
    finished: bool
    steps: int | None
    images: int | None
    minutes: float | None
    cpu_minutes: float | None
    device: str
    versions: dict[str, str]
    command: str
    shape: tuple[int, ...] | None
    sheets: dict[str, dict[str, ScoreSheet]]
    scored: int | None
    log: list[dict[str, float]]
    run: RunFolder | None

    def sheet(self, source: str, which: str) -> ScoreSheet | None:
        """The sheet of the `"last"` or the `"best"` model, if it has scores."""
        sheet = self.sheets.get(source, {}).get(which)
        return sheet if sheet is not None and sheet.scores else None


def read(words: Sequence[types.Path]) -> list[Entry]:
    """What words name, in their order.

    Raises:
        TypeError: they are not a list.
        ValueError: there are fewer than two, one is neither a run folder nor the name of weights
            that come with ganzoo, two are the same, or records are damaged.
    """
    if isinstance(words, (str, os.PathLike)):
        raise TypeError(f"`runs` is a list of run folders. Received: {words!r}.")
    words = [word if isinstance(word, str) else os.fspath(word) for word in words]
    rows = catalogue.rows()
    for word in words:
        if word not in rows:
            _must_be_a_run(word, rows)
    if len(words) < 2:
        raise ValueError(_too_few(words))
    places = [word if word in rows else os.path.realpath(RunFolder(word)) for word in words]
    for (a, one), (b, other) in itertools.combinations(zip(words, places), 2):
        if one == other:
            raise ValueError(f"{a!r} and {b!r} are the same. Leave one of them out.")
    names = _names(words, rows)
    return [
        _of_weights(word, rows[word]) if word in rows else _of_run(word, name)
        for word, name in zip(words, names)
    ]


def _too_few(words):
    """What to do with one run, or none."""
    others = [str(run) for run in RunFolder.usual_ones() if str(run) not in words]
    known = [*words, *others][:2]
    example = shlex.join(known) if len(known) == 2 else "runs/ONE runs/OTHER"
    received = f"Received one, {words[0]!r}" if words else "Received none"
    return f"Name two runs or more: ganzoo compare {example}. {received}."


def _must_be_a_run(word, rows):
    run = RunFolder(word)
    if run.config.exists():
        return
    if not run.path.exists():
        names = [] if os.path.dirname(word) else rows
        known = [*map(str, RunFolder.usual_ones()), *names]
        raise validation.unknown("run folder or weights", word, known)
    inside = sorted(path.parent for path in run.path.glob(f"*/{run.config.name}"))
    hint = f" It holds some: ganzoo compare {shlex.join(map(str, inside[:3]))}" if inside else ""
    raise ValueError(f"{word!r} is not a run folder of `ganzoo train`.{hint}")


def _names(words, rows):
    """The shortest ends of paths that tell runs apart: usually the names of their folders."""
    parts = [
        (word,) if word in rows else pathlib.Path(os.path.abspath(RunFolder(word))).parts
        for word in words
    ]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return [texts.shown(texts.kept(name)) for name in names]


# Weights ----------------------------------------------------------------------------------------


def _of_weights(word, row):
    sheets = {}
    if row.passport:
        facts = {"scores": row.scores, "passport": row.passport, "notes": []}
        sheet = ScoreSheet.from_dict(facts)
        sheets = {"evaluate": {"last": sheet, "best": sheet}}
    arguments = {key: x for key, x in row.config.items() if key not in UNSAID}
    return Entry(
        word=word,
        name=word,
        model=row.model,
        settings={**arguments, "data": row.data["name"], "epochs": row.epochs},
        identity=word,
        seed=row.seed,
        epochs=str(row.epochs),
        finished=True,
        steps=None,
        images=None,
        minutes=None,
        cpu_minutes=row.cpu_minutes,
        device=row.device,
        versions=row.versions,
        command=row.command,
        shape=tuple(row.config.get("image_shape") or ()) or None,
        sheets=sheets,
        scored=None,
        log=[],
        run=None,
    )


# Runs -------------------------------------------------------------------------------------------


def _of_run(word, name):
    record = records.read(word)
    try:
        return _entry(word, name, record)
    except Exception as error:  # a file may be wrong in any way
        raise records.damaged(word, error) from error


def _entry(word, name, record):
    run, log = record.run, _numbers(record)
    model, seed = record.settings["model"], record.settings["seed"]
    if not isinstance(model, str) or not isinstance(seed, int):
        raise TypeError(f"the model is {model!r}, its seed {seed!r}")
    sheets, scored = _sheets(run, log)
    settings = _settings(record)
    paths = {key: settings[key] for key in PATHS if settings[key] is not None}
    shown = {**settings, **{key: texts.without_folders(x) for key, x in paths.items()}}
    for key, path in paths.items():
        place = place_of(path, record.directory)
        settings[key] = path if place is None else os.path.realpath(place)
    known = lambda number: number or None
    return Entry(
        word=word,
        name=name,
        model=model,
        settings=shown,
        identity=json.dumps([model, settings], sort_keys=True, default=str),
        seed=seed,
        epochs=_epochs(record),
        finished=record.finished,
        steps=known(record.steps),
        images=known(record.images),
        minutes=record.wall_minutes,
        cpu_minutes=known(record.cpu_minutes),
        device=str(record.device),
        versions=record.versions,
        command=commands.command(
            record.settings, record.epochs, run.path, record.imports, record.minutes
        ),
        shape=_shape(run, sheets),
        sheets=sheets,
        scored=scored if scored != record.done else None,
        log=log,
        run=run,
    )


def _numbers(record):
    """The numbers of each epoch, with the minutes at its end."""
    passed = outlook.passed_at(record.log, record.minutes is not None)
    number = lambda x: isinstance(x, (int, float)) and not isinstance(x, bool)
    return [
        {**{key: float(x) for key, x in row.items() if number(x)}, "minutes": minutes}
        for row, minutes in zip(record.log, passed)
    ]


def _settings(record):
    """What was trained, without the seed, with the defaults of the model."""
    given, defaults = record.settings, {}
    with contextlib.suppress(ValueError):  # a model that needs --import
        defaults = plain(zoo.model_class(given["model"]).arguments())
    arguments = {**{k: x for k, x in defaults.items() if k not in UNSAID}, **given["arguments"]}
    shared = {key: given.get(key) for key in (*PATHS, *SHARED)}
    return {**arguments, **shared, "epochs": record.epochs, "minutes": record.minutes}


def _epochs(record):
    if record.finished:
        return str(record.done)
    if record.minutes is None:
        return f"{record.done} of {record.epochs}, not finished"
    spent = timing.spent(record.run) / 60
    return f"{record.done}, {spent:.3g} of {record.minutes:g} minutes, not finished"


def _sheets(run, log):
    """`{source: {which: sheet}}`, and the epoch of the training's last scores.

    A damaged sheet is left out, as there may be none. The log has the scores of the training
    without their passport, which is that of its best model.
    """
    sheets, epoch = {}, None
    missing = (ValueError, FileNotFoundError)
    for which, path in (("last", run.scores), ("best", run.best_scores)):
        with contextlib.suppress(*missing):
            sheets.setdefault("evaluate", {})[which] = evaluation.ScoreSheet.load(path)
    with contextlib.suppress(*missing):
        _, _, best = callbacks.read_best(run.checkpoints.best)
        sheets["training"] = {"best": best}
        scored = [row for row in log if not best.scores.keys().isdisjoint(row)]
        for row in scored[-1:]:
            epoch = int(row["epoch"])
            scores = {
                key: dataclasses.replace(score, value=row[key], error=None)
                for key, score in best.scores.items()
                if key in row
            }
            sheets["training"]["last"] = ScoreSheet(scores, best.passport)
    return sheets, epoch


def _shape(run, sheets):
    """The shape of a run's images, from its newest readable checkpoint or a passport; None if none
    tells."""
    for path in reversed(run.checkpoints.by_epoch().values()):
        with contextlib.suppress(ValueError):
            shape = weights.read(path)[1].get("image_shape")
            if shape:
                return tuple(shape)
    for sheet in (sheet for each in sheets.values() for sheet in each.values()):
        data = sheet.passport.get("data")
        if isinstance(data, dict) and data.get("image_shape"):
            return tuple(data["image_shape"])
    return None
