"""Curves of several trainings in one chart."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ganzoo.runs import pages
from ganzoo.runs.comparison.entries import Entry

COLOURS = (
    "#2f7fc1",
    "#d9661f",
    "#2f9e5b",
    "#c2407f",
    "#8660d0",
    "#9a8400",
    "#3a9ca6",
    "#a4584a",
)
"""Of the rows, in turn: legible on white and on black."""
STYLES = ("-", "--", "-.")
"""Of their lines, where there are more rows than colours."""
LARGEST = 1e30
"""Numbers from here on are not drawn: those of a training that has diverged."""
HIGH = 3
"""Distances above this many times their medians, as the first ones may be, are cut off."""
OVER = {"steps": "step", "images": "images", "minutes": "minutes"}
"""What curves are drawn over: titles, and names in the log."""


def colour(i: int) -> str:
    """The colour of a row."""
    return COLOURS[i % len(COLOURS)]


def series(entry: Entry, name: str, over: str) -> tuple[list[float], list[float]]:
    """The values of a log that can be drawn, over another, which rises."""
    points = {row[over]: row[name] for row in entry.log if over in row and name in row}
    known = sorted(point for point in points.items() if all(abs(x) < LARGEST for x in point))
    return [x for x, _ in known], [y for _, y in known]


def together(
    curves: Sequence[tuple[list[float], list[float]]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The mean of several curves and their standard deviation, where all of them are known, between
    their points by straight lines.

    Returns:
        Places, means and deviations, each of shape `(n,)`; None if no place is known of all.
    """
    low, high = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    places = np.unique([x for xs, _ in curves for x in xs if low <= x <= high])
    if not places.size:
        return None
    values = np.stack([np.interp(places, xs, ys) for xs, ys in curves])
    return places, values.mean(axis=0), values.std(axis=0, ddof=1)


def chart(
    groups: Sequence[Sequence[Entry]],
    name: str,
    over: str,
    floor: float | None = None,
    better: str | None = None,
) -> Figure | None:
    """The curves of a log of several trainings; None if there is none.

    Trainings of one group have thin lines, and their mean a thick one, with a band of one standard
    deviation.

    Args:
        groups: the trainings of each row.
        name: of the log.
        over: a name in `OVER`.
        floor: is dotted.
        better: `"lower"` or `"higher"` for scores, which are drawn from 0, None for others.
    """
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axis = figure.subplots()
    drawn: list[list[float]] = []
    for i, group in enumerate(groups):
        curves = [series(entry, name, OVER[over]) for entry in group]
        curves = [curve for curve in curves if curve[0]]
        if curves:
            _draw(axis, curves, colour(i), STYLES[i // len(COLOURS) % len(STYLES)])
        drawn += [ys for _, ys in curves]
    if not drawn:
        return None
    if floor is not None and math.isfinite(floor):
        axis.axhline(floor, color=pages.FAINT, linestyle=":", linewidth=1.5)
    if better is not None:
        axis.set_ylim(bottom=min(0.0, *(min(ys) for ys in drawn)))
    usual = max(sorted(ys)[len(ys) // 2] for ys in drawn)
    if better == "lower" and 0 < HIGH * usual < max(max(ys) for ys in drawn):
        axis.set_ylim(top=HIGH * usual)
    axis.set_xlim(left=0)
    axis.set(xlabel=over)
    axis.spines[["top", "right"]].set_visible(False)
    if over != "minutes":
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axis.locator_params(axis="x", nbins=5, integer=True)
    return figure


def _draw(axis, curves, colour, style):
    """The curves of one row."""
    mean = together(curves) if len(curves) > 1 else None
    thin = {"linewidth": 0.8, "alpha": 0.75} if mean is not None else {"linewidth": 1.8}
    for xs, ys in curves:
        dots = "o" if len(xs) < 20 and mean is None else None
        axis.plot(xs, ys, color=colour, linestyle=style, marker=dots, markersize=3.5, **thin)
    if mean is not None:
        places, means, spread = mean
        axis.fill_between(
            places, means - spread, means + spread, color=colour, alpha=0.18, linewidth=0
        )
        axis.plot(places, means, color=colour, linestyle=style, linewidth=2)
