"""The choice of an evaluation's metrics."""

import collections.abc
import copy

from ganzoo import metrics as all_metrics
from ganzoo import validation
from ganzoo.evaluation.registry import METRIC_OF
from ganzoo.evaluation.registry import METRICS


class Choice:
    """The metrics that a user names, or all that apply to the data.

    Args:
        metrics: see `ganzoo.evaluation.Evaluator`.
        extractor: a `ganzoo.extractors.Extractor`.
        source: name of the data.
        has_train: whether there is training data.
    """

    def __init__(self, metrics, extractor, source, has_train):
        self.extractor, self.source, self.has_train = extractor, source, has_train
        if isinstance(metrics, (str, all_metrics.Metric)):
            metrics = (metrics,)
        if not isinstance(metrics, (collections.abc.Iterable, type(None))):
            raise TypeError(
                "`metrics` is a name, a metric or a list of these, such as ['frechet', 'recall']. "
                f"Received: {metrics!r}."
            )
        # Two scores of one metric request it once.
        self.wanted = None if metrics is None else tuple(dict.fromkeys(map(self._metric, metrics)))
        names = [getattr(metric, "name", metric) for metric in self.wanted or ()]
        if len(set(names)) < len(names):
            raise ValueError(
                f"Each metric may be given once. Received {', '.join(names)}: evaluate twice for "
                "two settings of one."
            )

    def _metric(self, metric):
        """The name in `METRICS` for the name of a metric or score; a `Metric` as it is."""
        if isinstance(metric, all_metrics.Metric):
            return metric
        word, bracket, measured_by = str(metric).partition("[")
        name = METRIC_OF.get(word, word)
        if name not in METRICS or not isinstance(metric, str):
            raise validation.unknown("metric or score in `metrics`", metric, {*METRICS, *METRIC_OF})
        own = "pixels" if METRICS[name].uses == "pixels" else self.extractor.name
        if bracket and measured_by != f"{own}]":
            raise ValueError(
                f"`metrics` has {metric!r}, but here {own!r} measures {word!r}: name {word!r}, or "
                "pass another `extractor`."
            )
        return name

    @property
    def _modes(self):
        """The number of modes that the extractor distinguishes, or None."""
        centres = getattr(self.extractor, "centres", None)
        return self.extractor.classes if centres is None else len(centres)

    def metrics_for(self, look):
        """New metrics for data whose first batch is `look`."""
        if self.wanted is not None:
            for metric in self.wanted:
                self._check(METRICS[metric] if isinstance(metric, str) else type(metric), look)
            return [
                copy.deepcopy(m) if not isinstance(m, str) else self._make(m) for m in self.wanted
            ]
        apply = {
            name: cls.uses in look.rows
            and not (cls.labelled and look.labels is None)
            and not ("train" in cls.sides and not self.has_train)
            for name, cls in METRICS.items()
        }
        apply["class_agreement"] &= self.extractor.name.startswith(f"{self.source}-")
        apply["modes"] &= self._modes is not None
        return [self._make(name) for name, use in apply.items() if use]

    def _make(self, name):
        if name != "modes":
            return METRICS[name]()
        # An extractor with centres of the modes can tell that a sample is far from all of them.
        strays = getattr(self.extractor, "centres", None) is not None
        return all_metrics.ModeCoverage(self._modes, strays=strays)

    def _check(self, metric, look):
        name = metric.__name__
        if metric.uses not in look.rows:
            raise ValueError(
                f"{name} needs {metric.uses}, which the extractor {self.extractor.name!r} does "
                "not return. Leave it out or choose another extractor."
            )
        if metric.labelled and look.labels is None:
            raise ValueError(f"{name} needs labels: pass data with them, `load(…, labels=True)`.")
        if "train" in metric.sides and not self.has_train:
            raise ValueError(f"{name} needs the training images: pass `train=`.")
