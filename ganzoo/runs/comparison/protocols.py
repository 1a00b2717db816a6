"""Which scores of several trainings compare, and why others do not."""

import dataclasses
import json
import shlex
from collections.abc import Sequence

from ganzoo.evaluation import ScoreSheet
from ganzoo.runs.comparison.entries import SOURCES
from ganzoo.runs.comparison.entries import Entry

OPTIONS = {
    "extractor": "--extractor",
    "extractor_sha256": "--extractor",
    "samples": "--samples",
    "truncation": "--truncation",
    "data": "--data",
    "train": "--data",
}
"""Options of `ganzoo evaluate` that decide an entry of a passport."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """Sheets that compare.

    Attributes:
        sheets: by the position of the training; those without scores are missing.
        names: of the scores that all of them have, with the same settings.
        notes: what is left out, and why.
        advice: how to score the others, with their paths on this machine; empty if none is missing.
    """

    sheets: dict[int, ScoreSheet]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    advice: str = ""


def must_be_of_one_shape(entries: Sequence[Entry]) -> None:
    """Raise a `ValueError` if trainings are of images of different sizes, as far as is known."""
    shapes = {i: x.shape for i, x in enumerate(entries) if x.shape is not None}
    if len(set(shapes.values())) > 1:
        text = {i: "×".join(map(str, shape)) for i, shape in shapes.items()}
        raise ValueError(
            "Trainings on images of different sizes have no scores that compare: "
            f"{_by_value(entries, text)}. Compare those of one size, or train all with the same "
            "--image-size."
        )


def choose(entries: Sequence[Entry], which: str = "last") -> Choice:
    """The scores that compare: made in the same way, by `ganzoo evaluate` for all, or otherwise by
    the trainings themselves.

    Args:
        entries: the trainings.
        which: `"last"` or `"best"`: the model whose scores are compared.

    Raises:
        ValueError: there are scores, and they do not compare.
    """
    offers = {
        i: {source: sheet for source in SOURCES if (sheet := entry.sheet(source, which))}
        for i, entry in enumerate(entries)
    }
    protocols: dict[str, dict[int, str]] = {}  # the source of each training's sheet
    for source in SOURCES:
        for i, offered in offers.items():
            if source in offered:
                protocols.setdefault(_key(offered[source]), {}).setdefault(i, source)
    chosen = max(protocols.values(), key=len, default={})  # the first of those that most have
    sheets = {i: offers[i][chosen[i]] for i in sorted(chosen)}
    others = {i: next(iter(x.values())) for i, x in offers.items() if x and i not in chosen}
    if others:
        raise ValueError(_refusal(entries, sheets | others))
    names, notes = _in_common(entries, sheets)
    if sheets and not names:
        raise ValueError(
            f"These trainings have no score in common. {' '.join(notes)} "
            f"{_advice([entries[i] for i in sheets])}"
        )
    unscored = [entry for i, entry in enumerate(entries) if i not in sheets]
    if unscored and sheets:
        notes.insert(0, f"No scores: {_listed(unscored)}.")
    if "training" in chosen.values():
        notes += _evaluated(entries, offers)
    return Choice(sheets, names, tuple(notes), _advice(unscored) if unscored else "")


def _evaluated(entries, offers):
    """Why scores by `ganzoo evaluate` are left out, if there are any."""
    made = {i: offered["evaluate"] for i, offered in offers.items() if "evaluate" in offered}
    if not made:
        return []
    missing = [entry for i, entry in enumerate(entries) if i not in made]
    reason = f"none of {_listed(missing)}" if missing else _differences(entries, made)
    return [
        "These are the scores of the trainings. Those by ganzoo evaluate, of "
        f"{_listed([entries[i] for i in made])}, are left out: {reason}."
    ]


def curves(entries: Sequence[Entry]) -> Choice:
    """The scores over the course of the trainings, by the passports of their best models; those
    that do not compare are left out, as notes say."""
    sheets = {i: x.sheet("training", "best") for i, x in enumerate(entries)}
    found = {i: sheet for i, sheet in sheets.items() if sheet is not None}
    if len({_key(sheet) for sheet in found.values()}) > 1:
        reasons = _differences(entries, found)
        note = f"No curves of scores, which were made in different ways: {reasons}."
        return Choice({}, (), (note,))
    names, notes = _in_common(entries, found)
    lost = [
        x
        for i, x in enumerate(entries)
        if i not in found and any("[" in key for row in x.log for key in row)
    ]
    if lost:
        notes.append(
            f"No curves of {_listed(lost)}: checkpoints/best.keras, which records how the scores "
            "were made, is missing or damaged."
        )
    return Choice(found, names, tuple(notes))


def _key(sheet):
    return json.dumps(sheet.protocol, sort_keys=True, default=str)


def _in_common(entries, sheets):
    """The names of the scores that all sheets have, and notes on the others."""
    names = list(dict.fromkeys(name for sheet in sheets.values() for name in sheet.scores))
    partial = {}  # those that have them → names
    uneven = []
    for name in names:
        having = {i: sheet.scores[name] for i, sheet in sheets.items() if name in sheet.scores}
        if len(having) < len(sheets):
            owners = _listed([entries[i] for i in having])
            partial.setdefault(owners, []).append(name)
        elif len({json.dumps(x.settings, sort_keys=True) for x in having.values()}) > 1:
            uneven.append(name)
    notes = [f"Left out: {', '.join(each)}; only of {x}." for x, each in partial.items()]
    if uneven:
        notes.append(f"Left out: {', '.join(uneven)}, whose settings differ.")
    missing = {*uneven, *(name for each in partial.values() for name in each)}
    return tuple(name for name in names if name not in missing), notes


def _refusal(entries, sheets):
    return (
        "These scores do not compare, because they were made in different ways: "
        f"{_differences(entries, sheets)}. {_advice([entries[i] for i in sheets], entries, sheets)}"
    )


def _differences(entries, sheets):
    """In what the protocols of sheets differ, and whose are which."""
    reasons = []
    protocols = {i: sheet.protocol for i, sheet in sheets.items()}
    for key in next(iter(protocols.values())):
        values = {i: protocol[key] for i, protocol in protocols.items()}
        parts = {key: values}
        if all(isinstance(x, dict) for x in values.values()):
            inner = list(dict.fromkeys(k for x in values.values() for k in x))
            parts = {f"{key} {k}": {i: x.get(k) for i, x in values.items()} for k in inner}
        for title, part in parts.items():
            text = {i: _shown(x) for i, x in part.items()}
            if len(set(text.values())) > 1:
                reasons.append(f"{title}: {_by_value(entries, text)}")
    return "; ".join(reasons)


def _shown(value):
    return f"{value:,}" if type(value) is int else str(value)


def _by_value(entries, values):
    """`2,000 (a, b) and 10,000 (c)`."""
    owners = {}
    for i, value in values.items():
        owners.setdefault(value, []).append(entries[i])
    return " and ".join(f"{value} ({_listed(each)})" for value, each in owners.items())


def _listed(entries):
    return ", ".join(x.name for x in entries)


def _advice(
    entries: Sequence[Entry],
    everyone: Sequence[Entry] = (),
    sheets: dict[int, ScoreSheet] | None = None,
) -> str:
    """How to make scores that compare.

    Args:
        entries: the trainings that need scores.
        everyone: all trainings.
        sheets: those that do not compare, by position; None: there are none.
    """
    words = []
    if sheets:
        first, *rest = (sheet.protocol for sheet in sheets.values())
        differing = [key for key in first if any(x[key] != first[key] for x in rest)]
        options = list(dict.fromkeys(OPTIONS[key] for key in differing if key in OPTIONS))
        counts = {i: sheet.passport.get("samples") or 0 for i, sheet in sheets.items()}
        fixed = [n for i, n in counts.items() if everyone[i].run is None]
        known = {"--samples": str(max(fixed or counts.values()))}
        words = [word for x in options for word in (x, known.get(x, x.strip("-").upper()))]
    runs = [x for x in entries if x.run is not None]
    commands = "; ".join(
        " ".join(["ganzoo evaluate", shlex.quote(x.word), *words]) for x in runs[:4]
    )
    if not commands:
        return "Compare weights that were scored in the same way: `ganzoo list --weights`."
    more = "; and so on" if len(runs) > 4 else ""
    return f"Score {'all in the same way' if sheets else 'them'}: {commands}{more}"
