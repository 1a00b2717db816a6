"""The time of a run that lasts for a number of minutes."""

import contextlib
import datetime
import json
import math

from ganzoo import backend
from ganzoo import datasets
from ganzoo.callbacks import TimeBudget
from ganzoo.callbacks import terminal
from ganzoo.files import atomic

CLOSING = 4.0
"""Seconds that the animation, the nearest images and the report of a run usually take."""
READING = 400
"""Image files that are read in a second; for the nearest images, those of a run are read again if
they are not in memory."""
NEVER_SCORED = 5.0
"""A run of fewer minutes is not scored unless asked to be: a score would take too much of it."""


def spent(run):
    """Seconds that a run has lasted so far, in all calls with minutes; others write none."""
    try:
        seconds = float(json.loads(run.time.read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is damaged
        return 0.0
    return seconds if 0 <= seconds < math.inf else 0.0


def keep(run, seconds, say):
    """Write how long a run has lasted so far."""
    try:
        atomic.write_atomically(run.time, json.dumps({"seconds": seconds}) + "\n")
    except OSError as error:
        say(f"The time of the run could not be written: {error.strerror or error}.")


@contextlib.contextmanager
def kept(budget, settings):
    """A scope in which a run trains: its time is written at the end, also if an error ends it. What
    a whole training leaves is for what follows."""
    whole = 0.0
    try:
        yield
        whole = 0.0 if budget is None else budget.seconds
    finally:
        if budget is not None and backend.first():
            keep(settings.run, max(budget.spent, whole), settings.say)


def budget_of(settings, contents, most_near):
    """The `TimeBudget` of a run, in the process that writes; None if its epochs are counted.

    Args:
        settings: the `Settings` of the training.
        contents: the `Contents` of its data.
        most_near: number of training images that are searched for the nearest.
    """
    if settings.minutes is None:
        return None
    images, size = contents.images, math.prod(contents.shape)
    note = lambda seconds: keep(settings.run, seconds, settings.say)
    read_again = min(images, most_near) if images * size > datasets.CACHE_BYTES else 0
    return TimeBudget(
        settings.minutes,
        spent=spent(settings.run),
        since=settings.since,
        reserve=CLOSING + read_again / READING,
        note=note if backend.first() else None,
    )


def end_after(seconds, now=None):
    """The time of day after `seconds`, as text."""
    now = now or datetime.datetime.now()
    try:
        end = now + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return "the end of the calendar"
    return end.strftime("%H:%M" if end.date() == now.date() else "%Y-%m-%d %H:%M")


def forecast(speed, seconds, things="images"):
    """How far a training gets in `seconds`, as a sentence.

    Args:
        speed: examples per second.
        seconds: time to train in.
        things: what the examples are called.
    """
    return (
        f"{speed:,.0f} {things} a second: about {rounded(speed * seconds):,} in the "
        f"{terminal.duration(seconds)} left, until {end_after(seconds)}."
    )


def rounded(number):
    """A whole number with two digits that are not 0."""
    if number < 1:
        return 0
    step = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return round(number / step) * step
