"""The page of a comparison: one file of HTML that needs nothing else."""

from typing import TYPE_CHECKING

from ganzoo.runs import pages
from ganzoo.runs.comparison import charts
from ganzoo.runs.comparison import tables
from ganzoo.runs.comparison.rows import Row

if TYPE_CHECKING:
    from ganzoo.runs.comparison.comparing import Comparison

MOST = 12
"""Grids of samples of one row, at most."""


def render(comparison: "Comparison") -> str:
    """The page."""
    rows, entries = comparison.rows, comparison.entries
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    colours = {id(x): charts.colour(i) for i, row in enumerate(rows) for x in row.entries}
    alone = [
        Row((entry,), {"seed": entry.seed}, scores, bool(scores))
        for entry, scores in zip(entries, comparison.scores)
    ]
    everything = [name for name in names if name not in comparison.names]
    passport = comparison.passport
    return pages.render(
        "comparison.html",
        title=f"Comparison of {comparison.title}",
        protocol=comparison.protocol,
        unfinished=[not all(entry.finished for entry in row.entries) for row in rows],
        table=tables.make(rows, comparison.names, lengths=False),
        lengths=tables.make(rows, ()),
        colours=[charts.colour(i) for i in range(len(rows))],
        settings=[tables.setting(row) for row in rows],
        notes=comparison.notes,
        scores=_scores(comparison),
        losses=_losses(comparison),
        samples=_samples(rows),
        real=_real(entries),
        each=tables.make(alone, comparison.names) if len(alone) > len(rows) else None,
        each_colours=[colours[id(entry)] for entry in entries],
        everything=tables.make(rows, everything, lengths=False) if everything else None,
        passport=None if passport is None else pages.shown_passport(passport),
        made=[(x.name, colours[id(x)], x.command, x.device, _versions(x)) for x in entries],
    )


def _versions(entry):
    return ", ".join(f"{key} {value}" for key, value in entry.versions.items())


def _scores(comparison):
    """`[(name, [drawing over steps, images, minutes])]` of scores over time, the first of the table
    first."""
    choice = comparison.curves
    known = {id(comparison.entries[i]) for i in choice.sheets}
    groups = [[x for x in row.entries if id(x) in known] for row in comparison.rows]
    first = [name for name in comparison.names if name in choice.names]
    drawn = []
    for name in dict.fromkeys([*first, *choice.names]):
        score = next(iter(choice.sheets.values())).scores[name]
        over = tuple(charts.OVER) if not drawn else ("images",)
        figures = [charts.chart(groups, name, x, score.floor, score.better) for x in over]
        shown = [pages.svg(figure) for figure in figures if figure is not None]
        if shown:
            short = name.partition("[")[0]
            drawn.append((f"{short} {tables.ARROWS[score.better]}".strip(), shown))
    return drawn


def _losses(comparison):
    """`[(name, drawing over images)]` of the losses."""
    logs = [row for entry in comparison.entries for row in entry.log]
    names = dict.fromkeys(name for row in logs for name in row if name.endswith("loss"))
    groups = [row.entries for row in comparison.rows]
    figures = [(name, charts.chart(groups, name, "images")) for name in names]
    return [(name, pages.svg(figure)) for name, figure in figures if figure is not None]


def _samples(rows):
    """`[(row's name, setting, colour, [(caption, image)])]`: the newest grid of each run."""
    shown = []
    for i, row in enumerate(rows):
        grids = []
        for entry in row.entries[:MOST]:
            newest = entry.run.samples.by_epoch() if entry.run is not None else {}
            image = pages.embedded(newest[max(newest)]) if newest else None
            if image is not None:
                grids.append((f"{entry.name}, epoch {max(newest)}, seed {entry.seed}", image))
        shown.append((row.name, tables.setting(row), charts.colour(i), grids))
    return [x for x in shown if x[-1]]


def _real(entries):
    """Images of the data of the first run that has some."""
    images = (pages.embedded(entry.run.data) for entry in entries if entry.run is not None)
    return next((image for image in images if image is not None), None)
