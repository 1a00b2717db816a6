"""Which metrics an evaluation takes."""

import collections.abc
import copy

from ganzoo import metrics as all_metrics
from ganzoo import validation
from ganzoo.evaluation.registry import METRIC_OF
from ganzoo.evaluation.registry import METRICS


class Choice:
    """The metrics that a user asks for, or all that apply to the data.

    Args:
        metrics: see `ganzoo.evaluation.Evaluator`.
        extractor: a `ganzoo.extractors.Extractor`.
        source: name of the data.
        has_train: whether there are images that were trained on.
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
        # Two scores of one metric ask for it once.
        self.wanted = None if metrics is None else tuple(dict.fromkeys(map(self._named, metrics)))
        names = [getattr(metric, "name", metric) for metric in self.wanted or ()]
        if len(set(names)) < len(names):
            raise ValueError(
                f"Each metric gives its scores once. Received {', '.join(names)}: evaluate twice "
                "for two settings of one."
            )

    def _named(self, metric):
        """The name in `METRICS` that a word means; a metric as it is."""
        if isinstance(metric, all_metrics.Metric):
            return metric
        word, bracket, measured_by = str(metric).partition("[")
        name = METRIC_OF.get(word, word)
        if name not in METRICS or not isinstance(metric, str):
            raise validation.unknown("metric or score in `metrics`", metric, {*METRICS, *METRIC_OF})
        own = "pixels" if METRICS[name].uses == "pixels" else self.extractor.name
        if bracket and measured_by != f"{own}]":
            raise ValueError(
                f"`metrics` asks for {metric!r}, and here {word!r} is measured by {own!r}: ask for "
                f"{word!r}, or pass another `extractor`."
            )
        return name

    @property
    def _modes(self):
        """How many modes the extractor tells apart, or None."""
        centres = getattr(self.extractor, "centres", None)
        return self.extractor.classes if centres is None else len(centres)

    def metrics_for(self, look):
        """Fresh metrics for data of which `look` is the first batch."""
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
        # An extractor that knows where the modes lie can say that a sample is far from all of them.
        strays = getattr(self.extractor, "centres", None) is not None
        return all_metrics.ModeCoverage(self._modes, strays=strays)

    def _check(self, metric, look):
        name = metric.__name__
        if metric.uses not in look.rows:
            raise ValueError(
                f"{name} looks at {metric.uses}, which the extractor {self.extractor.name!r} does "
                "not give. Leave it out or choose another extractor."
            )
        if metric.labelled and look.labels is None:
            raise ValueError(f"{name} needs labels: pass data with them, `load(…, labels=True)`.")
        if "train" in metric.sides and not self.has_train:
            raise ValueError(f"{name} needs the pictures trained on: pass `train=`.")
