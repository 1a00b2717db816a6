"""The report of a run: one self-contained page of HTML, which any browser opens offline."""

import contextlib
import pathlib

import numpy as np
from matplotlib.figure import Figure

from ganzoo import callbacks
from ganzoo import evaluation
from ganzoo import types
from ganzoo.callbacks import terminal
from ganzoo.files import atomic
from ganzoo.files import json_lines
from ganzoo.files import texts
from ganzoo.runs import commands
from ganzoo.runs import data_sheet
from ganzoo.runs import live
from ganzoo.runs import outlook
from ganzoo.runs import pages
from ganzoo.runs import records
from ganzoo.zoo import catalogue

REFRESH = 15
"""Seconds after which a browser loads the report of a training again."""
GRIDS = 8
"""Number of grids that show the course of a training."""
READING = {
    "Losses": "Each depends on the other player: they need not fall.",
    "The discriminator's mean output": "For real examples (d_real) and samples (d_fake). Equal: it "
    "cannot tell them apart; the further apart, the surer it is.",
    "The discriminator's accuracy": "0.5 is guessing; near 1 it is right about almost all.",
    "Fréchet distance": "From samples to real examples: lower is better.",
    "Shares": "Precision and density: how many samples look real. Recall and coverage: how much of "
    "the data the samples reach. Class agreement: samples of the requested class. Higher is "
    "better; these are 0 while all samples are far from the data, as in the first minutes.",
    "Diversity": "How much samples differ from one another: best near the floor, that of the data.",
}
"""How to read the curves, by their title."""
ASIDE = ("epoch", "step", "images", "seconds", "cpu_seconds", "spent")


def write(run: types.Path, *, running: bool = False, score: str | None = None) -> pathlib.Path:
    """Write `report.html` into a run folder, replacing an older one.

    It shows real images, or other examples, next to samples, the score over time with its floor and
    forecast, the settings and the command, curves of all logs, grids over time and the animation,
    the doctor's findings, and, if there are any, the scores with their passport, the samples next
    to the nearest training images, and those before and after a start from weights. Sounds can be
    played.

    Args:
        run: a folder of `ganzoo train`.
        running: whether the training goes on: browsers then load the page again every 15 s, and it
            leaves out the animation.
        score: the name of the score that is to come, for a forecast before the first one.

    Returns:
        The path.

    Raises:
        ValueError: it is not a run folder.
        OSError: it cannot be written.

    Example:

    >>> import tempfile
    >>> from ganzoo import runs
    >>> folder = tempfile.mkdtemp()
    >>> quiet = {"say": lambda line: None, "verbose": 0, "score_every": 0}
    >>> model = runs.train("vanilla", out=folder, epochs=1, **quiet)
    >>> write(folder).name
    'report.html'
    """
    record = records.read(run)
    folder = record.run
    try:
        page = pages.render(
            "report.html",
            number=catalogue.number,
            **_facts(record),
            **_live(folder, running, score),
        )
    except Exception as error:  # a file may be wrong in any way
        raise records.damaged(folder, error) from error
    atomic.write_atomically(folder.report, page)
    return folder.report


def _facts(record):
    """What the page shows of a run: variables of its template."""
    run, settings, epochs, minutes = record.run, record.settings, record.epochs, record.minutes
    made_by = commands.command(settings, epochs, run.path, imports=record.imports, minutes=minutes)
    grids, floors = run.samples.by_epoch(), outlook.floors_of(run)
    private = {  # paths on this machine
        key: texts.without_folders(settings[key])
        for key in ("data", "to", "weights")
        if settings.get(key) is not None
    }
    settings = {**settings, **private}
    return {
        "command": made_by,
        "device": record.device,
        "versions": record.versions,
        "model": settings["model"],
        "things": record.things,
        "domains": " and ".join(settings[k] for k in ("data", "to") if k in settings),
        "settings": settings,
        "progress": record.progress,
        "of": f"of {epochs} epochs" if minutes is None else f"epochs of {minutes:g} minutes in all",
        "done": record.done,
        "finished": record.finished,
        "steps": record.steps,
        "minutes": record.wall_minutes,
        "cpu_minutes": record.cpu_minutes,
        "curves": [
            (title, READING.get(title, ""), pages.svg(figure))
            for title, figure in curves(record.log, floors)
        ],
        "floors": floors,
        "grids": [(epoch, pages.embedded(grids[epoch])) for epoch in some(sorted(grids))],
        "nearest": pages.embedded(run.nearest),
        "change": pages.embedded(run.change),
        "findings": json_lines.read(run.findings),
        "sheets": sheets(run),
    }


def _live(run, running, score):
    """What the page shows first: variables of its template too."""
    found = outlook.of_run(run, score)
    return {
        "refresh": REFRESH if running else None,
        "mark": live.REFRESHED,
        "tiles": tiles(run, found),
        "data": pages.embedded(run.data),
        "real_sounds": _sounds(run.data_files),
        "sounds": _sounds(run.samples.single(run.samples.newest)),
        "described": data_sheet.described(run),
        "newest": _newest(run.samples.by_epoch()),
        "score": pages.svg(score_figure(found))
        if found and (found.minutes or found.ahead)
        else None,
        "animation": None if running else pages.embedded(run.animation),
    }


def _sounds(folder):
    """The sounds in a folder, in the order of their names, for the page."""
    return [pages.embedded(path) for path in sorted(folder.glob("*.wav"))]


def _newest(grids):
    """`(epoch, image)` of the newest grid of samples; None without any."""
    return (max(grids), pages.embedded(grids[max(grids)])) if grids else None


def tiles(run, found):
    """`(what, number, remark)` of what a reader wants to know first.

    Args:
        run: a `RunFolder`.
        found: its `Outlook`; None: it has no scores.
    """
    if found is None:
        return []
    short, curve, shown = catalogue.number, found.curve, []
    if curve.values:
        shown.append(("Fréchet distance now", short(curve.values[-1]), "lower is better"))
    with contextlib.suppress(ValueError, FileNotFoundError):
        epoch, score, sheet = callbacks.read_best(run.checkpoints.best)
        shown.append(("best so far", short(sheet[score].value), f"epoch {epoch}"))
    if curve.floor:
        shown.append(("its floor", short(curve.floor), "real examples in place of samples"))
    for minutes, one in found.ahead:
        when = terminal.duration(60 * minutes)
        shown.append((f"forecast at {when}", str(one), f"80%: {one.low:.3g} to {one.high:.3g}"))
    return shown


def score_figure(found):
    """The Fréchet distance over minutes, with its floor and its forecast."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axis = figure.subplots()
    curve = found.curve
    axis.plot(
        found.minutes, curve.values, color=pages.INK, marker="o", markersize=4, label="measured"
    )
    start = max(found.minutes, default=found.now[1])
    coming = found.at(*np.linspace(start, found.ahead[0][0], 25)[1:]) if found.ahead else []
    rows = [(minutes, one.low, one.median, one.high) for minutes, one in coming]
    times, low, medians, high = zip(*rows) if rows else ((),) * 4
    axis.fill_between(times, low, high, color=pages.MARK, alpha=0.18, linewidth=0)
    axis.plot(
        times, medians, color=pages.MARK, linestyle="--", label="forecast, with its 80% interval"
    )
    if curve.floor:
        axis.axhline(curve.floor, color=pages.FAINT, linestyle=":", label="floor: real examples")
    # The first scores may be far above the others.
    high = [*sorted(curve.values)[: 1 + len(curve.values) // 2], *high]
    axis.set_ylim(0, 1.3 * max(high))
    axis.set_xlim(0, None)
    axis.set(xlabel="minutes", ylabel="Fréchet distance")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize="small")
    return figure


def some(epochs):
    """A selection of at most `GRIDS` epochs: the first, the last, and between them those nearest to
    round numbers, denser at the start, where most changes.

    >>> some(range(81))
    [0, 1, 2, 5, 10, 20, 50, 80]
    """
    if len(epochs) <= GRIDS:
        return list(epochs)
    first, last = epochs[0], epochs[-1]
    rounds = (n * 10**k for k in range(len(str(last))) for n in (1, 2, 5))
    between = [n for n in rounds if first < n < 0.75 * last][-(GRIDS - 2) :]
    return sorted({first, last, *(min(epochs, key=lambda e: abs(e - n)) for n in between)})


def _is_term(key):
    """Whether a log is a term of a loss or a signal of a player."""
    if "[" in key or "accuracy" in key or key.endswith("loss"):
        return False
    return key not in (*OUTPUTS, RATE)


OUTPUTS, RATE = ("d_real", "d_fake"), "learning_rate"
SHARES = ("precision", "recall", "density", "coverage", "class_agreement")
CURVES = {
    "Losses": lambda key: key.endswith("loss"),
    "The discriminator's mean output": lambda key: key in OUTPUTS,
    "The discriminator's accuracy": lambda key: "accuracy" in key,
    "Other terms of the losses": _is_term,
    "Fréchet distance": lambda key: "[" in key and key.startswith("frechet"),
    "Shares": lambda key: "[" in key and key.startswith(SHARES),
    "Diversity": lambda key: "[" in key and key.startswith("diversity"),
    "Learning rate": lambda key: key == RATE,
}
"""Which logs each figure shows, by its title. A score has its extractor's name in brackets."""


def curves(log, floors=()):
    """`(title, matplotlib figure)` for all values in a log.

    Args:
        log: rows of `metrics.jsonl`, one for each epoch.
        floors: `{score: floor}`, drawn as dotted lines.
    """
    keys = [k for k in dict.fromkeys(k for row in log for k in row) if k not in ASIDE]
    parts = [(title, [k for k in keys if belongs(k)]) for title, belongs in CURVES.items()]
    shown = {k for _, group in parts for k in group}
    # Others have scales of their own.
    parts += [(k.partition("[")[0], [k]) for k in keys if k not in shown]
    figures = []
    for title, group in parts:
        if group:
            figure = Figure(figsize=(5, 3), layout="constrained")
            curve(figure.subplots(), log, group, floors)
            figures.append((title, figure))
    return figures


def curve(axis, log, keys, floors=()):
    """Plot logs over epochs, with their floors, if they have any, as dotted lines."""
    short = [key.partition("[")[0] for key in keys]
    for key, name in zip(keys, short):
        points = [(row["epoch"], row[key]) for row in log if row.get(key) is not None]
        label = name if short.count(name) == 1 else key
        dots = "." if len(points) < 20 else None
        (line,) = axis.plot(*zip(*points), label=label.replace("$", r"\$"), marker=dots)
        if key in floors:
            axis.axhline(floors[key], color=line.get_color(), linestyle=":")
    axis.set(xlabel="epoch")
    if all("[" in key for key in keys):  # the distance from zero matters for scores
        axis.set_ylim(bottom=0)
    axis.legend(fontsize="small")


def sheets(run):
    """`{title: score sheet as a dict}`, of `ganzoo evaluate` and of the best model so far."""
    by_title, missing = {}, (ValueError, FileNotFoundError)  # a damaged sheet is not shown either
    for title, path in (("The last model", run.scores), ("The best model", run.best_scores)):
        with contextlib.suppress(*missing):
            by_title[title] = evaluation.ScoreSheet.load(path)
    with contextlib.suppress(*missing):
        epoch, score, best = callbacks.read_best(run.checkpoints.best)
        by_title[f"The best by {score}: epoch {epoch}"] = best
    return {
        title: {**sheet.to_dict(), "passport": pages.shown_passport(sheet.passport)}
        for title, sheet in by_title.items()
    }
