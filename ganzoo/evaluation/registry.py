"""The metrics by name."""

from typing import Any

from ganzoo import datasets
from ganzoo import extractors
from ganzoo import metrics as all_metrics
from ganzoo.extractors import efficientnet

METRICS: dict[str, type[all_metrics.Metric]] = {
    "frechet": all_metrics.FrechetDistance,
    "kernel": all_metrics.KernelDistance,
    "precision_recall": all_metrics.PrecisionRecall,
    "density_coverage": all_metrics.DensityCoverage,
    "class_score": all_metrics.ClassScore,
    "class_agreement": all_metrics.ClassAgreement,
    "intra_class_frechet": all_metrics.IntraClassFrechet,
    "modes": all_metrics.ModeCoverage,
    "diversity": all_metrics.Diversity,
    "memorisation": all_metrics.Memorisation,
}
"""The metrics that `evaluate` knows by name."""
METRIC_OF = {score: name for name, metric in METRICS.items() for score in metric.scores}
"""The metric that gives each score, such as `"precision_recall"` for `"precision"`."""


def knows(description: dict[str, Any]) -> extractors.Extractor | None:
    """The extractor that comes with ganzoo and knows this data; None if there is none.

    Args:
        description: attribute of a data set from `ganzoo.datasets.load`.
    """
    source = description["source"]
    if source in datasets.MIXTURES:
        return extractors.Points(*datasets.MIXTURES[source])
    rank = len(description.get("image_shape") or ())
    if rank == 1:
        return extractors.Points()
    if rank == 2:
        return extractors.LogMel(description.get("sample_rate"))
    if source in [*extractors.shipped(), "stacked_mnist"]:
        return extractors.extractor(source)
    return None


def by_default(description: dict[str, Any]) -> tuple[extractors.Extractor, tuple[str, ...]]:
    """The extractor for data if the user names none, and notes on it for the reader of the scores.

    It is the one that knows the data, otherwise `"efficientnet-lite0"`; and `"pixels"`, with a note
    that says why, where that takes no such images or its weights are not installed.

    Args:
        description: see `knows`.

    Raises:
        ValueError: the installed weights are damaged.
    """
    known = knows(description)
    if known is not None:
        return known, ()
    *_, channels = description.get("image_shape") or efficientnet.CHANNELS
    if channels in efficientnet.CHANNELS:
        try:
            return extractors.extractor(efficientnet.NAME), ()
        except ImportError as error:
            reason = str(error)
    else:
        reason = f"{efficientnet.NAME!r} takes 1, 3 or 4 channels, not {channels}."
    note = f"scores compare pixels at 16×16, which show layout and colour, not meaning. {reason}"
    return extractors.extractor("pixels"), (note,)


EXPORTED = ("samples", "data")
"""Sub-folders that `Evaluator.export` fills."""
