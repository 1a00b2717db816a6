"""`compare`: several trainings side by side."""

import dataclasses
import pathlib
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from ganzoo import types
from ganzoo import validation
from ganzoo.evaluation import Score
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.runs.comparison import entries as trainings
from ganzoo.runs.comparison import protocols
from ganzoo.runs.comparison import rows as grouping
from ganzoo.runs.comparison import tables
from ganzoo.runs.comparison.entries import Entry
from ganzoo.runs.comparison.rows import Row

PAGE = "comparison.html"
"""The name of the page, where a folder is given."""
COLUMNS = (
    *("frechet", "precision", "recall", "density", "coverage", "diversity"),
    *("psnr", "ssim", "efficientnet_distance", "consistency"),
)
"""The scores of the table, unless others are wanted."""
NO_SCORES = (
    "There are no scores to compare: the table shows losses at the last epoch, which do not tell "
    "whose samples are better, because each depends on the other player."
)
OVER_SEEDS = "±: standard deviation over the seeds of a row."
OVER_SETS = (
    "±: standard deviation over the sets of samples of one model, which says nothing of other "
    "seeds."
)
OVER_BOTH = (
    "±: standard deviation over the seeds of a row; where there is one seed, over the sets of "
    "samples of its model, which says nothing of other seeds."
)
WITHOUT = "Without ±: one seed, and one set of samples."
BEST = "Marked as best: better than all others by more than both error bars together."
NO_BEST = (
    "No value is marked as best: none is better than all others by more than both error bars "
    "together."
)
NO_ERRORS = "No value is marked as best, because without ± nothing tells how far seeds differ."


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Several trainings side by side. As text, it is a table.

    Attributes:
        rows: one for each setting; trainings that differ in nothing but the seed share a row.
        which: `"last"` or `"best"`: the model of each training whose scores these are.
        names: of the scores that the table shows; losses, if there are none.
        scores: `{name: score}` of each training, in the order of `entries`; {} without scores.
        passport: how the scores were made: what their passports share, and the data; None without
            scores.
        notes: what is left out, and why, and how to read the table.
        advice: how to score what has no scores, with paths on this machine; may be empty.
        curves: which scores over time compare.
    """

    rows: tuple[Row, ...]
    which: str
    names: tuple[str, ...]
    scores: tuple[dict[str, Score], ...]
    passport: dict[str, Any] | None
    notes: tuple[str, ...]
    advice: str
    entries: tuple[Entry, ...]
    curves: protocols.Choice

    @property
    def table(self) -> tables.Table:
        """The table."""
        return tables.make(self.rows, self.names)

    @property
    def title(self) -> str:
        """What is compared, as a line."""
        models, data = (
            dict.fromkeys(values)
            for values in zip(*((x.model, x.settings["data"]) for x in self.entries))
        )
        text = f"{len(self.entries)} trainings"
        text += f" of {next(iter(models))}" if len(models) == 1 else ""
        text += f" on {next(iter(data))}" if len(data) == 1 else ""
        grouped = len(self.rows) < len(self.entries)
        return f"{text}, in {len(self.rows)} row{'s' * (len(self.rows) > 1)}" if grouped else text

    @property
    def protocol(self) -> str:
        """How the scores were made, as a line; empty without scores."""
        if self.passport is None:
            return ""
        data = self.passport.get("data") or {}
        samples, count = self.passport.get("samples"), data.get("count")
        source = texts.without_folders(str(data.get("source")))
        parts = [
            f"{self.which} models",
            f"{samples:,} samples" if samples else "",
            f"against {f'{count:,} images of ' if count else ''}{source}, {data.get('split')}",
            f"by {self.passport['extractor']}" if self.passport.get("extractor") else "",
        ]
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int | None = None) -> str:
        """The table and its notes as text. The best values have a star.

        Args:
            width: of the terminal; columns that do not fit follow below. None: it has no end.
        """
        head = ": ".join(part for part in (self.title, self.protocol) if part)
        return "\n".join(
            [head, "", self.table.to_text(width), "", *self.notes, self.advice]
        ).rstrip()

    def to_markdown(self) -> str:
        """The table and its notes in Markdown. The best values are bold."""
        notes = [f"- {note}" for note in (self.protocol, *self.notes) if note]
        return "\n".join([self.table.to_markdown(), "", *notes])

    def to_latex(self) -> str:
        """The table in LaTeX, for the package booktabs, with its notes as comments. The best values
        are bold."""
        notes = [f"% {note}" for note in ("Needs \\usepackage{booktabs}.", self.protocol)]
        return "\n".join([*notes, *(f"% {note}" for note in self.notes), self.table.to_latex()])

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data; numbers that are not finite are text."""
        names = list(dict.fromkeys(name for row in self.rows for name in row.scores))
        winners = {name: grouping.best([x.scores.get(name) for x in self.rows]) for name in names}
        facts = {
            "which": self.which,
            "rows": [_facts(row) for row in self.rows],
            "best": {name: None if i is None else self.rows[i].name for name, i in winners.items()},
            "passport": self.passport,
            "notes": [note for note in (*self.notes, self.advice) if note],
        }
        return _to_json(facts)

    def save(self, path: types.Path = PAGE) -> pathlib.Path:
        """Write the page: one file of HTML that needs nothing else. A file that exists is replaced.

        Args:
            path: ends in `.html`, or is a folder.

        Returns:
            The path.

        Raises:
            ValueError: the path has another ending.
            OSError: it cannot be written.
        """
        from ganzoo.runs.comparison import page  # loads matplotlib, which takes time

        path = place(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_atomically(path, page.render(self))
        except OSError as error:
            raise OSError(
                f"The page {str(path)!r} cannot be written: {error.strerror or error}. Choose "
                "another with --out."
            ) from None
        return path


def place(out: types.Path) -> pathlib.Path:
    """The path of a page that is to be written.

    Raises:
        ValueError: it is neither a folder nor ends in `.html`.
    """
    path = pathlib.Path(out).expanduser()
    if path.is_dir() or str(out).endswith("/"):
        return path / PAGE
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(
            f"--out ends in .html, or is a folder. Received: {str(out)!r}. For a folder of this "
            f"name, type {str(out) + '/'!r}."
        )
    return path


def compare(
    runs: Iterable[types.Path],
    *,
    metrics: str | Sequence[str] | None = None,
    best: bool = False,
) -> Comparison:
    """Compare trainings: their scores, their curves and their samples.

    Those that differ in nothing but the seed are one row, with the mean of each score and its
    standard deviation.

    Args:
        runs: run folders, and names of weights that come with ganzoo, such as `"r3gan.mnist"`; two
            or more. A run need not be finished.
        metrics: names of the scores in the table, with or without the extractor; None: the usual
            ones. The page has all.
        best: whether to compare the best model of each training, in place of the last one.

    Returns:
        A `Comparison`: print it, or call its `save`, `to_markdown`, `to_latex` or `to_dict`.

    Raises:
        ValueError: there are fewer than two, or two are the same; one is no run folder, or damaged;
            their images differ in size; or their scores do not compare, because they were made in
            different ways. The message says what differs, and how to make scores that compare.

    Example:

    >>> from ganzoo import runs
    >>> comparison = runs.compare(["dcgan.mnist", "r3gan.mnist"], metrics=["frechet"])
    >>> print(comparison.title)
    2 trainings on mnist
    >>> comparison.names
    ('frechet[mnist-classifier-v1]',)
    """
    which = "best" if best else "last"
    entries = trainings.read(runs if isinstance(runs, str) else list(runs))
    protocols.must_be_of_one_shape(entries)
    choice, curves = protocols.choose(entries, which), protocols.curves(entries)
    if metrics is not None and not choice.sheets:
        raise ValueError(
            f"There are no scores among which `metrics` (--metrics) could choose. {choice.advice}"
        )
    if choice.sheets:
        scores = {
            i: {name: x.scores[name] for name in choice.names} for i, x in choice.sheets.items()
        }
    else:
        scores = {i: _losses(entry) for i, entry in enumerate(entries)}
    rows, remarks = grouping.of(entries, scores)
    names = _columns(choice.names, metrics) if choice.sheets else _names(scores)
    notes = [
        *([] if choice.sheets else [NO_SCORES]),
        *choice.notes,
        *remarks,
        *_states(entries, which, choice),
        *curves.notes,
        *(_legend(rows, names) if choice.sheets else []),
    ]
    passport = _shared(choice.sheets) if choice.sheets else None
    each = tuple(scores.get(i, {}) for i in range(len(entries)))
    return Comparison(
        tuple(rows),
        which,
        names,
        each,
        passport,
        tuple(notes),
        choice.advice,
        tuple(entries),
        curves,
    )


def _losses(entry):
    """The losses of the newest epoch, as scores of which no end is better."""
    last = entry.log[-1] if entry.log else {}
    return {name: Score(value) for name, value in last.items() if name.endswith("loss")}


def _names(scores):
    return tuple(dict.fromkeys(name for each in scores.values() for name in each))


def _columns(names, wanted):
    """The names of the scores that the table shows."""
    short = lambda name: name.partition("[")[0]
    if wanted is None:
        return tuple(n for n in names if short(n) in COLUMNS) or tuple(names)
    wanted = (wanted,) if isinstance(wanted, str) else wanted
    for word in wanted:
        if word not in (*names, *map(short, names)):
            raise validation.unknown("score", word, {short(name) for name in names})
    return tuple(dict.fromkeys(n for word in wanted for n in names if word in (n, short(n))))


def _states(entries, which, choice):
    """Notes on runs that are not finished, and on scores of an earlier epoch."""
    going = [entry.name for entry in entries if not entry.finished]
    notes = [f"Not finished: {', '.join(going)}."] if going else []
    for i, entry in enumerate(entries):
        sheet = choice.sheets.get(i)
        own = sheet is not None and sheet is entry.sheet("training", which)
        if own and which == "last" and entry.scored is not None:
            notes.append(f"The scores of {entry.name} are of epoch {entry.scored}.")
    return notes


def _legend(rows, names):
    """How to read the error bars and the marks of a table."""
    notes = []
    for row in rows:
        if 0 < row.scored < row.seeds:
            notes.append(f"{row.name}: the scores are of {row.scored} of {row.seeds} seeds.")
    shown = [(row.scored, row.scores[name]) for row in rows for name in names if name in row.scores]
    several = any(n > 1 for n, score in shown if score.error is not None)
    one = any(n == 1 for n, score in shown if score.error is not None)
    notes += [OVER_BOTH if one else OVER_SEEDS] if several else [OVER_SETS] if one else []
    notes += [WITHOUT] if any(score.error is None for _, score in shown) else []
    if any(grouping.best([row.scores.get(n) for row in rows]) is not None for n in names):
        return [*notes, BEST]
    unknown = all(any(row.scores.get(n, Score(0)).error is None for row in rows) for n in names)
    return [*notes, NO_ERRORS if unknown else NO_BEST]


def _shared(sheets):
    """What the passports of comparable sheets have in common, with the data."""
    first, *others = [sheet.passport for sheet in sheets.values()]
    keys = [key for key in first if all(x.get(key) == first[key] for x in others)]
    return {key: first[key] for key in dict.fromkeys([*keys, "data"]) if key in first}


def _facts(row):
    """A row as plain data."""
    means = {what: row.mean(what) for what in tables.MEASURES}
    return {
        "name": row.name,
        "model": row.model,
        "setting": row.setting,
        "runs": [entry.word for entry in row.entries],
        "seeds": [entry.seed for entry in row.entries],
        "epochs": row.epochs,
        "finished": all(entry.finished for entry in row.entries),
        **{what: None if x is None else round(x, 4) for what, x in means.items()},
        "scored": row.scored,
        "scores": {
            name: {key: x for key, x in dataclasses.asdict(score).items() if key != "settings"}
            for name, score in row.scores.items()
        },
    }


def _to_json(value):
    """Plain data, with the text of numbers that JSON lacks."""
    if isinstance(value, dict):
        return {key: _to_json(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(x) for x in value]
    return validation.known_to_json(value)
