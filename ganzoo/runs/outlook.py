"""How good a run will be, and when: its curve and its forecasts, over minutes."""

import contextlib
import dataclasses
import functools
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

from ganzoo import callbacks
from ganzoo import types
from ganzoo.evaluation import registry
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import forecast

SCORE = "frechet["
"""How the names of scores begin that are forecast: `"frechet[…]"`, for all extractors."""
LONGER = 3
"""How many times as long as the training the second forecast looks ahead."""
FEWEST = 4_000
"""Training images below which nothing is forecast: a score may then be anything."""
EARLIER = 20
"""Most earlier runs whose curves are considered."""


@dataclasses.dataclass(frozen=True)
class Outlook:
    """The curve of a run so far, and forecasts.

    Attributes:
        curve: the scores so far, over images; there may be none.
        minutes: the time at each of them.
        now: images so far, and minutes.
        speed: images in a minute.
        end: minutes at which the training ends.
    """

    curve: forecast.Curve
    minutes: tuple[float, ...]
    now: tuple[float, float]
    speed: float
    end: float
    others: tuple[forecast.Curve, ...] = ()

    def at(self, *minutes: float) -> list[tuple[float, forecast.Forecast]]:
        """`(minutes, forecast)` at those of some times that are after now, and at which there have
        been `FEWEST` images."""
        images = {m: self.now[0] + self.speed * (m - self.now[1]) for m in minutes}
        least = max(self.now[0] + 1, FEWEST)
        coming = {m: n for m, n in images.items() if n >= least}
        if not coming:
            return []
        known = (*forecast.recorded()[1], *self.others)
        found = forecast.forecast(self.curve, list(coming.values()), others=known)
        return list(zip(coming, found))

    @functools.cached_property
    def ahead(self) -> list[tuple[float, forecast.Forecast]]:
        """`(minutes, forecast)` at the end of the training, unless it has ended, and for one that
        is `LONGER` times as long."""
        return self.at(self.end, LONGER * self.end)

    def __str__(self) -> str:
        ahead = [f"{one} at {_minutes(minutes)}" for minutes, one in self.ahead]
        return f"Forecast: Fréchet distance {'; '.join(ahead)} (80% intervals)."

    def facts(self) -> list[dict[str, Any]]:
        """The forecasts as plain data."""
        return [
            {"score": self.curve.score, "minutes": round(m, 2), **dataclasses.asdict(one)}
            for m, one in self.ahead
        ]


def told(find: Callable[[], Outlook | None]) -> list[str]:
    """What to say of an outlook: its forecast; [] if nothing is ahead of it.

    An error is reported too: a forecast does not end a training.

    Args:
        find: returns the outlook, or None.
    """
    try:
        found = find()
        return [str(found)] if found is not None and found.ahead else []
    except Exception as error:
        return [f"The forecast could not be made: {error}"]


def _minutes(minutes):
    return f"{minutes:.0f} minutes" if minutes >= 3 else f"{60 * minutes:.0f} seconds"


def of_run(
    folder: types.Path, score: str | None = None, length: dict[str, float | None] | None = None
) -> Outlook | None:
    """The outlook of a run by its own curve; None if its records do not allow one.

    Args:
        folder: the run folder.
        score: the name of the score that is to come: before the first one, the outlook is by the
            curves of other runs. None: there is no outlook before.
        length: total `minutes` and `epochs` of the run; None: those in its record.
    """
    run = RunFolder(folder)
    try:
        config, rows = run.read_config() | (length or {}), json_lines.read(run.metrics)
        minutes, settings = config.get("minutes"), config["settings"]
        passed = passed_at(rows, minutes is not None)
        images, seconds = [row["images"] for row in rows], [row["seconds"] for row in rows]
        speed = 60 * images[-1] / sum(seconds)
        if len(rows) > 1:  # the first epoch compiles
            speed = 60 * (images[-1] - images[0]) / sum(seconds[1:])
        if minutes is None:
            left = max(0, config["epochs"] - rows[-1]["epoch"])
            minutes = passed[-1] + images[-1] / rows[-1]["epoch"] * left / speed
        others, now = earlier(run), (images[-1], passed[-1])
        curve = curve_of(run, settings, rows)
        if curve is None:
            curve = expected(settings, score, others)
        if curve is None:
            return None
        times = dict(zip(images, passed))
        return Outlook(curve, tuple(times[n] for n in curve.images), now, speed, minutes, others)
    except (OSError, ValueError, KeyError, TypeError, IndexError, ZeroDivisionError):
        return None


def passed_at(rows, timed):
    """The time at the end of each epoch, in minutes.

    Args:
        rows: of the `metrics.jsonl`.
        timed: whether the run lasts for a number of minutes: time 0 is then where they begin, and
            earlier epochs, which do not count, end before it.
    """
    at = max((row.get("spent", 0.0) for row in rows), default=0.0)
    at = at if timed else sum(row["seconds"] for row in rows)
    passed = []
    for row in reversed(rows):
        at = row.get("spent", at) if timed else at
        passed.append(at / 60)
        at -= row["seconds"]
    return passed[::-1]


def curve_of(run, settings, rows):
    """The curve of a run's Fréchet distances; None if it has none.

    Args:
        run: a `RunFolder`.
        settings: those in its `config.json`.
        rows: of its `metrics.jsonl`.
    """
    names = [name for row in rows for name in row if name.startswith(SCORE)]
    if not names:
        return None
    points = [(row["images"], row[names[-1]]) for row in rows if row.get(names[-1]) is not None]
    points = [(n, x) for n, x in points if n > 0 and 0 < x < math.inf]
    if not points:
        return None
    images, values = zip(*points)
    floor = floors_of(run).get(names[-1], 0.0)
    data = of_data(settings["data"])
    return forecast.Curve(names[-1], data, settings["model"], floor, images, values)


def floors_of(run):
    """`{score: floor}` of the scores in a run's log, as far as there are any.

    They are read from `best.keras`, whose extractor and number of samples are the log's.
    """
    with contextlib.suppress(ValueError, FileNotFoundError):
        _, _, sheet = callbacks.read_best(run.checkpoints.best)
        return {k: score.floor for k, score in sheet.scores.items() if score.floor is not None}
    return {}


def of_data(name):
    """The name of a data set, without folders, by which curves resemble each other."""
    return pathlib.PurePath(name).name


def earlier(run):
    """The curves of other runs in the same folder."""
    curves = []
    folders = sorted(run.path.parent.glob("*/metrics.jsonl"), key=os.path.getmtime)
    for path in folders[-EARLIER:]:
        other = RunFolder(path.parent)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            settings = other.read_config()["settings"]
            curve = curve_of(other, settings, json_lines.read(path))
            if other.path != run.path and curve is not None and settings.get("weights") is None:
                curves.append(curve)
    return tuple(curves)


def before(
    run: RunFolder, settings: dict[str, Any], shape: types.Shape, speed: float, seconds: float
) -> Outlook | None:
    """The outlook of a run that has not begun, by the curves of others.

    Args:
        run: its folder; earlier runs may lie next to it.
        settings: keyword arguments of `ganzoo.runs.train`, `model` and `data` among them.
        shape: of its images.
        speed: images per second.
        seconds: how long it takes.
    """
    try:
        extractor, _ = registry.by_default({"source": settings["data"], "image_shape": shape})
    except ValueError:  # its weights are damaged, as the training will report
        return None
    others = earlier(run)
    curve = expected(settings, f"{SCORE}{extractor.name}]", others)
    if curve is None:
        return None
    return Outlook(curve, (), (0, 0.0), 60 * speed, seconds / 60, others)


def expected(settings, score, others):
    """The curve of a run without scores, and without a floor, which the first score tells; None if
    no other curve has this score, or the run starts from trained weights or has two domains."""
    if settings.get("weights") is not None or settings.get("to") is not None:
        return None
    if all(other.score != score for other in (*forecast.recorded()[1], *others)):
        return None
    return forecast.Curve(score, of_data(settings["data"]), settings["model"])
