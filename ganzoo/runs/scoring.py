"""Scores of a run, while it trains and afterwards."""

import math
from collections.abc import Callable
from typing import Any

from ganzoo import callbacks
from ganzoo import evaluation
from ganzoo import images
from ganzoo import types
from ganzoo import zoo
from ganzoo.runs import timing

MOST_NEAR = 60_000
"""Number of training images that are searched for the nearest."""


def show_nearest(network, ds, run, seed):
    """Write samples next to the training examples nearest to them."""
    if hasattr(network, "generate") and network.modality.rank > 1:
        data = callbacks.first_batches(ds, MOST_NEAR)
        kind = network.modality
        evaluation.save_nearest(network.generate(12, seed=seed), data, run.nearest, modality=kind)


SAMPLES, OWN_SAMPLES = 2_000, 1_000
"""Most samples in an evaluation, of data that an extractor of its own knows and of other data."""
REAL = 5_000
"""Most real images that samples of other data are compared with. Their features take 25 seconds of
a processor core, once."""
PACE = 20
"""Training images, at least, between two evaluations, for each sample of other data. The features
of 1,000 take 5 seconds of a processor core, as 400 training images of `dcgan` at 64×64; to make the
samples and to compare them takes about as long again."""
SCORES = ("frechet", "precision_recall", "density_coverage", "diversity")
"""Metrics measured while a run trains: few, because they take time from training."""


def plan(known, images):
    """`(samples, epochs)`: the size of an evaluation, and the epochs between two.

    They depend on the number of images alone, and not on the time that anything takes: the same
    command scores the same epochs everywhere.

    Args:
        known: whether an extractor of its own knows the data.
        images: number of training images.

    Example:

    >>> plan(False, 300), plan(False, 1_500), plan(False, 50_000)
    ((300, 20), (1000, 14), (1000, 10))
    """
    if known:
        return SAMPLES, 10
    samples = min(OWN_SAMPLES, max(images, 2))
    return samples, max(10, math.ceil(PACE * samples / max(images, 1)))


def scoring(settings, start):
    """The callback that scores the run, in a list; empty if there is nothing to score.

    Args:
        settings: the `Settings` of the training.
        start: its `Start`.

    Raises:
        ValueError, ImportError: scores were asked for, and cannot be made.
    """
    network, description = start.model, start.data.description
    every = settings.score_every if hasattr(network, "generate") else 0
    short = settings.minutes is not None and settings.minutes < timing.NEVER_SCORED
    if every == 0 or (every is None and short):
        return []
    known = evaluation.knows(description)
    contents = start.data.contents if settings.to is None else start.data.contents[0]
    samples, usual = plan(known is not None, contents.images)
    try:
        evaluator = _evaluator(settings, start, known, samples)
    except Exception as error:
        if every is not None:
            raise
        settings.say(f"The training is not scored: {error}")
        return []
    for note in evaluator.notes:
        settings.say(f"Note: {note}")
    return [
        callbacks.Evaluate(
            evaluator,
            every=usual if every is None else every,
            best="frechet",
            folder=settings.run.checkpoints.folder,
            say=settings.say,
            verbose=0,
        )
    ]


def _evaluator(settings, start, known, samples):
    """The evaluator of a training, which has processed the real images already: in the first score
    they would seem to belong to the time of every score."""
    conditional = getattr(start.model, "num_classes", None) is not None
    hears = known is not None and known.classes is not None  # it tells the classes apart
    evaluator = evaluation.Evaluator(
        settings.data,
        **start.reading,
        metrics=SCORES + (("class_agreement",) if conditional and hears else ()),
        samples=samples,
        real=None if known is not None else REAL,
        repeats=1,
        verbose=False,
    )
    evaluator.prepare()
    return evaluator


def evaluate(
    models: dict[str, tuple[str, types.Path]],
    data: types.Path,
    *,
    data_dir: types.Path | None = None,
    export: types.Path | None = None,
    nearest: types.Path | None = None,
    show: Callable[[str], object] | None = None,
    **settings: Any,
) -> dict[str, evaluation.ScoreSheet]:
    """Score models of one image size against the same data.

    Args:
        models: dict from a name such as `"last"` to `(registry name, weights)`.
        data: a name, folder or file that `ganzoo.datasets.load` knows.
        export: None, or a folder that gets the last model's samples and the data as PNG files.
        nearest: None, or the PNG file that gets the last model's samples, if it makes any, next to
            the training and held-out images nearest to them.
        show: None, or a function that is called with each sheet as text.
        **settings: see `ganzoo.evaluation.Evaluator`.

    Returns:
        A dict from the same names to score sheets.

    Raises:
        ValueError: models and data do not fit, or `export` is given for models without samples.
    """
    if export is not None:  # before the scores take their time
        images.must_be_empty(export, "--export", evaluation.EXPORTED)
    sheets, evaluator = {}, None
    for which, (name, source) in models.items():
        network = zoo.get(name, weights=source)
        samples = hasattr(network, "generate_batches")
        if export is not None and not samples:
            raise ValueError(
                f"`export` (--export) is for the samples of a model, and {name!r} makes none of "
                f"its own. Leave it out. Received: {str(export)!r}."
            )
        if evaluator is None:
            reading = {"data_dir": data_dir, "verbose": False, **network.modality.reading}
            evaluator = evaluation.Evaluator(data, **{**reading, **settings})
            if show is not None:
                for line in evaluator.contents:
                    show(line)
        sheets[which] = evaluator.judge(network)
        if show is not None:
            show(f"{which}: {sheets[which]}" if len(models) > 1 else str(sheets[which]))
        if nearest is not None and which == "last" and samples and network.modality.rank > 1:
            evaluator.save_nearest(network, nearest)
        if export is not None and which == "last":
            counts = evaluator.export(network, export)
            if show is not None:
                show(f"{export}: {counts['samples']} samples, {counts['data']} images of data")
    return sheets
