"""Trainings that differ in nothing but the seed, as one row: means with their spread."""

import collections
import dataclasses
import json
import math
import statistics
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from ganzoo.evaluation import Score
from ganzoo.runs.comparison.entries import LENGTH
from ganzoo.runs.comparison.entries import PATHS
from ganzoo.runs.comparison.entries import SHARED
from ganzoo.runs.comparison.entries import Entry

GENERAL = (*PATHS, *SHARED, *LENGTH)
"""Settings that all models have. None says that one was not given."""
LONGEST = 30
"""Letters of the names in a row, above which only the first and the last are shown."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting.

    Attributes:
        entries: its trainings, one for each seed.
        setting: the settings in which it differs from other rows.
        scores: by name.
        scored: number of trainings that have them.
    """

    entries: tuple[Entry, ...]
    setting: dict[str, Any]
    scores: dict[str, Score]
    scored: int

    @property
    def name(self) -> str:
        """The names of its trainings."""
        names = [entry.name for entry in self.entries]
        whole = ", ".join(names)
        return whole if len(whole) <= LONGEST or len(names) < 3 else f"{names[0]} … {names[-1]}"

    @property
    def model(self) -> str:
        """The registry name of the model."""
        return self.entries[0].model

    @property
    def seeds(self) -> int:
        """The number of its seeds."""
        return len(self.entries)

    @property
    def epochs(self) -> str:
        """The number of epochs of each training, as text."""
        return " / ".join(dict.fromkeys(entry.epochs for entry in self.entries))

    def mean(self, what: str) -> float | None:
        """The mean of `"steps"`, `"images"`, `"minutes"` or `"cpu_minutes"`; None if one is
        unknown."""
        values = [getattr(entry, what) for entry in self.entries]
        return None if None in values else statistics.fmean(values)


def of(
    entries: Sequence[Entry], scores: Mapping[int, Mapping[str, Score]]
) -> tuple[list[Row], list[str]]:
    """The rows, in the order of their first trainings, and notes on them.

    A training that is not finished has a row of its own, and so have trainings of equal settings
    and seed, which do not show how results spread over seeds.

    Args:
        entries: the trainings.
        scores: by the position of the training.
    """
    groups: dict[Any, list[int]] = {}
    notes = []
    for i, entry in enumerate(entries):
        groups.setdefault(entry.identity if entry.finished else i, []).append(i)
    apart: list[list[int]] = []
    for members in groups.values():
        group = [entries[i] for i in members]
        if len({entry.seed for entry in group}) == len(group):
            apart.append(members)
            notes += _remarks(group)
            continue
        apart += [[i] for i in members]
        names = ", ".join(entry.name for entry in group)
        notes.append(
            f"{names}: their settings are equal, and so are seeds. They have a row each, because "
            "equal seeds show nothing of how results spread."
        )
    apart.sort()
    settings = _differing([entries[members[0]] for members in apart])
    return [
        _row(entries, members, setting, scores) for members, setting in zip(apart, settings)
    ], notes


def _row(entries, members, setting, scores):
    found = [scores[i] for i in members if i in scores]
    names = list(dict.fromkeys(name for each in found for name in each))
    together = {name: over_seeds([each[name] for each in found if name in each]) for name in names}
    return Row(tuple(entries[i] for i in members), setting, together, len(found))


def over_seeds(scores: Sequence[Score]) -> Score:
    """The mean of several trainings' scores and, as its error, their standard deviation; the score
    of one training as it is."""
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores]
    error = statistics.stdev(values) if all(map(math.isfinite, values)) else None
    return dataclasses.replace(scores[0], value=statistics.fmean(values), error=error)


def best(scores: Sequence[Score | None]) -> int | None:
    """The position of the score that is better than each of the others by more than both error bars
    together; None if there is none, if any has no error bar, or if neither end is better."""
    if len(scores) < 2 or any(x is None or x.error is None or x.better is None for x in scores):
        return None
    sign = -1 if scores[0].better == "higher" else 1  # type: ignore[union-attr]
    ranked = sorted(range(len(scores)), key=lambda i: sign * scores[i].value)  # type: ignore
    first, *rest = (scores[i] for i in ranked)
    clear = all(sign * (x.value - first.value) > x.error + first.error for x in rest)  # type: ignore
    return ranked[0] if clear else None


def _remarks(group):
    """In what trainings of one row differ, besides the seed."""
    remarks = []
    places = {
        "device": [entry.device for entry in group],
        "versions": [", ".join(f"{k} {v}" for k, v in x.versions.items()) for x in group],
    }
    for what, values in places.items():
        if len(set(values)) > 1:
            names = ", ".join(entry.name for entry in group)
            remarks.append(f"{names} also differ in {what}: {'; '.join(dict.fromkeys(values))}.")
    return remarks


def _differing(entries):
    """For each training, one of each row, the settings that tell it from others.

    Arguments are compared within a model, because other models have others. What is not recorded of
    one, as for weights that come with ganzoo, tells nothing.
    """
    models = collections.defaultdict(list)
    for entry in entries:
        models[entry.model].append(entry)
    general = _uneven(entries, GENERAL)
    within = {model: _uneven(each) for model, each in models.items()}
    return [
        {
            key: value
            for key, value in entry.settings.items()
            if (key in general and value is not None)
            or (key in within[entry.model] and key not in GENERAL)
        }
        for entry in entries
    ]


def _uneven(entries, among=None):
    """The names of the settings that all trainings record, with different values; `among`: those
    that count, None: all."""
    common = set.intersection(*(set(entry.settings) for entry in entries))
    values = lambda key: {json.dumps(entry.settings[key], default=str) for entry in entries}
    return {k for k in common if (among is None or k in among) and len(values(k)) > 1}
