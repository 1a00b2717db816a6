"""`auto`: a training whose model and settings are chosen by the data and the time."""

import os
from typing import Any

from ganzoo import backend
from ganzoo import callbacks
from ganzoo import datasets
from ganzoo import validation
from ganzoo import zoo
from ganzoo.callbacks import TimeBudget
from ganzoo.datasets.contents import Contents
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import Game
from ganzoo.game import time_budget
from ganzoo.runs import outlook
from ganzoo.runs.planning import Plan
from ganzoo.runs.planning import applied
from ganzoo.runs.planning import choose
from ganzoo.runs.planning import notes_on
from ganzoo.runs.planning import plan
from ganzoo.runs.planning import shape_of
from ganzoo.runs.training import train


def auto(data: Any, minutes: float, **options: Any) -> Game:
    """Train a model that suits the data and the time, with all settings chosen.

    What is chosen, and why, is a table: see the page on your own images. The same call resumes the
    run with the same choice, and uses the rest of its time.

    Args:
        data: what `ganzoo.datasets.load` takes: with a name or a path, the training has a run
            folder. Or a data set that it has returned, which stays as it is.
        minutes: total wall time, above 0.
        **options: settings to use in place of those of the table, and others of
            `ganzoo.runs.train`: `to` (the second domain), `out` (the run folder, by default
            `runs/DATA`), `image_size`, `batch_size`, `arguments`, `seed`, …. Without a run folder:
            `arguments`, `seed`, `say`, `verbose` and, for arrays, `image_size` and `batch_size`.

    Returns:
        The trained model.

    Raises:
        ValueError: there are too few images, or as in `ganzoo.runs.train`.
        TypeError: an argument is unknown.

    Example:

    >>> import ganzoo
    >>> quiet = {"say": lambda line: None, "verbose": 0}
    >>> ds = ganzoo.datasets.load("digits", batch_size=32)
    >>> model = ganzoo.auto(ds, minutes=0.02, arguments={"channels": (8,)}, **quiet)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)
    """
    options = {"since": time_budget.clock(), **options}
    if not isinstance(data, (str, os.PathLike)):
        return _without_a_folder(data, minutes, **options)
    chosen = plan(data, minutes=minutes, **options)
    say = options.get("say", texts.say)
    lines = [*chosen.choices(), *outlook.told(lambda: chosen.expected)]
    for line in lines if backend.first() else ():
        say(line)
    settings = {"out": chosen.run, **chosen.settings}
    return train(settings.pop("model"), settings.pop("data"), **settings)


def _without_a_folder(data, minutes, *, since, say=texts.say, seed=0, verbose="auto", **given):
    """`auto` on arrays, or on what `ganzoo.datasets.load` has returned."""
    budget = TimeBudget(minutes, since=since)
    survey = _survey_of(data)
    loaded = survey is not None
    known = ("arguments",) if loaded else ("arguments", "batch_size", "image_size")
    for name in given:
        if name not in known:
            what = "argument of `auto` without a file"
            raise validation.unknown(what, name, known, error=TypeError)
    if survey is None:
        survey = datasets.survey(data)
    else:
        size = len(next(callbacks.first_batches(data, 1))[0])
        given = {**given, "image_size": survey.size, "batch_size": size}
    rows, settings, facts, _ = choose((survey,), given, budget.left)
    notes = tuple(notes_on(facts, settings))
    shown = Plan(run=RunFolder(""), settings=settings, notes=notes, **applied(rows, facts, given))
    for line in shown.choices():
        say(line)
    arguments = settings["arguments"]
    if not loaded:
        data = datasets.load(
            data,
            image_size=shape_of(settings, survey)[:2],
            batch_size=settings["batch_size"],
            labels="num_classes" in arguments,
            seed=seed,
            verbose=False,
        )
    elif survey.num_classes is not None:
        arguments = {"num_classes": survey.num_classes, **arguments}
    if arguments.get("flip") == "auto":
        found = datasets.mirrored(data)
        say(str(found))
        arguments = {**arguments, "flip": found.safe}
    model = zoo.get(settings["model"], weights=settings.get("weights"), seed=seed, **arguments)
    model.fit(data, verbose=verbose, callbacks=[budget])
    return model


def _survey_of(ds):
    """The `Survey` of what `ganzoo.datasets.load` has returned; None for other data."""
    contents = getattr(ds, "contents", None)
    if not isinstance(contents, Contents):
        return None
    if len(contents.shape) != 3:
        raise ValueError(f"The data set holds {contents.shape}, not images: name a model instead.")
    return datasets.Survey(
        images=contents.images,
        looked_at=contents.images,
        distinct=contents.images,
        size=contents.shape[:2],
        sizes=1,
        alike=1.0,
        channels=contents.shape[2],
        transparent=0,
        classes=contents.classes,
        names=None,
        contents=contents,
        named=bool(getattr(ds, "class_names", None)),
    )
