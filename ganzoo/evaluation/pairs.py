"""Scores of models whose output has a right answer: upscalers, and translators of pairs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ganzoo import backend
from ganzoo import metrics
from ganzoo.evaluation.census import Census
from ganzoo.evaluation.census import Look
from ganzoo.evaluation.samples import batches_of
from ganzoo.evaluation.samples import first
from ganzoo.evaluation.samples import quantised
from ganzoo.evaluation.samples import who
from ganzoo.evaluation.score_sheet import Score
from ganzoo.evaluation.score_sheet import ScoreSheet
from ganzoo.extractors import efficientnet
from ganzoo.game import Game
from ganzoo.metrics.states import keys_of

BETTER = {
    "psnr": "higher",
    "ssim": "higher",
    "efficientnet_distance": "lower",
    "consistency": "higher",
}
"""The scores, each with its better end."""


def applies(model: Game) -> bool:
    """Whether a model's output has a right answer."""
    return hasattr(model, "upscale") or (hasattr(model, "translate") and model.paired is True)


def judge(
    model: Game,
    data: Any,
    description: dict[str, Any],
    most: int,
    progress: Callable[[int], object] | None = None,
) -> ScoreSheet:
    """The score sheet of a model that images are put through.

    Args:
        model: an upscaler, or a translator of pairs.
        data: images, or `(images, targets)`: a data set, or arrays.
        description: of the data.
        most: number of images, at most: the first ones.
        progress: called with the number of images seen so far.

    Raises:
        ValueError: the model has no networks yet, or there are no targets, or no images.
    """
    model.must_be_built()
    names, notes = [], []
    values: dict[str, dict[str, list]] = {}
    census, baseline = Census(), ""
    for images, targets in first(batches_of(data), most):
        trial = _trial(model, images, targets)
        if not census.count:
            names, notes = _names(trial.targets.shape[1:])
        baseline = trial.baseline
        census.add(Look(images.shape[1:], {}, None, keys_of(images)))
        for side in ("after", "before"):
            for name, each in _measured(model, names, trial, getattr(trial, side)).items():
                values.setdefault(name, {}).setdefault(side, []).append(each)
        if progress is not None:
            progress(census.count)
    if not census.count:
        raise ValueError("`data` is empty: it yields no image.")
    scores = {name: _score(name, sides, notes) for name, sides in values.items()}
    judged = "efficientnet_distance" in scores
    if judged and getattr(model, "content", None) == efficientnet.NAME:
        notes.append(
            "efficientnet_distance favours this model, which was trained on features of the same "
            "network"
        )
    passport = {
        **who(model),
        "task": f"upscale ×{model.scale}" if hasattr(model, "upscale") else "translate",
        "extractor": efficientnet.NAME if judged else None,
        "extractor_sha256": efficientnet.SHA256 if judged else None,
        "samples": census.count,
        "repeats": 1,
        "data": {**description, **census.passport()},
        "baseline": baseline,
        "versions": backend.versions("scipy", "pillow"),
    }
    return ScoreSheet(scores, passport, tuple(notes))


def _score(name, sides, notes):
    """The mean over the images, as the papers on upscaling report it; of those that the model or
    the baseline makes without any error, the PSNR is infinite: they are noted, and left out."""
    both = np.stack([np.concatenate(sides[side]) for side in ("after", "before")])
    finite = np.isfinite(both).all(axis=0)
    if finite.any() and not finite.all():
        exact = int(np.sum(~finite))
        notes.append(
            f"{name} is the mean over {np.sum(finite):,} images: of {exact:,}, the model or the "
            "baseline makes an exact copy, for which it is infinite"
        )
        both = both[:, finite]
    value, baseline = both.mean(axis=1).tolist()
    return Score(value, better=BETTER[name], baseline=baseline)


def _trial(model, images, targets):
    if not model.paired:
        return model.trial(images)
    if targets is None:
        raise ValueError(
            "A translator is scored on images with their targets: pass `(images, targets)`, or a "
            "data set from `ganzoo.datasets.load_pair(…, paired=True)`, to `ganzoo.evaluate`: in "
            "Python only."
        )
    return model.trial(images, quantised(targets))


def _names(shape):
    """The distances from targets of this shape that can be measured, and notes on the others."""
    names, notes = ["psnr", "ssim", "efficientnet_distance"], []
    if min(shape[:2]) < 11:
        names.remove("ssim")
        notes.append("ssim is left out: it compares windows of 11×11 pixels")
    if shape[2] not in efficientnet.CHANNELS or not efficientnet.is_installed():
        names.remove("efficientnet_distance")
        reason = 'images of 1, 3 or 4 channels, and `pip install "ganzoo[features]"`'
        notes.append(f"efficientnet_distance is left out: it needs {reason}")
    return names, notes


def _measured(model, names, trial, made):
    """Each score of each image, before or after."""
    values = {name: getattr(metrics, name)(trial.targets, made) for name in names}
    if trial.given is not None:
        values["consistency"] = metrics.psnr(trial.given, model.shrink(made))
    return values
