"""What an evaluation collects from real examples and from samples."""

import collections.abc
import dataclasses
import typing

import numpy as np

from ganzoo.metrics.states import Distinct


class Reference(typing.NamedTuple):
    """The results on real examples alone: see `ganzoo.evaluation.reference`."""

    chosen: list
    limits: dict
    floor: str
    real: "Census"
    train: "Census | None"


@dataclasses.dataclass
class Look:
    """A batch as the metrics take it: rows, labels, and keys that identify each image."""

    shape: tuple
    rows: dict
    labels: np.ndarray | None
    keys: np.ndarray

    def take(self, which):
        rows = {name: x[which] for name, x in self.rows.items()}
        labels = None if self.labels is None else self.labels[which]
        return Look(self.shape, rows, labels, self.keys[which])

    def show(self, side, among):
        for metric in among:
            labels = self.labels if metric.labelled else None
            metric.update_state(**{side: self.rows[metric.uses]}, labels=labels, keys=self.keys)

    def must_be(self, shape, whose):
        require(self.shape, shape, whose)


def require(shape, wanted, whose):
    if shape != wanted:
        raise ValueError(
            f"{whose} shape {shape}, the data {wanted}: they must be the same. Load the data at "
            "the model's size: `ganzoo.datasets.load(…, image_size=…)`."
        )


class Census:
    """The number of images and their fingerprint, which does not depend on their order."""

    def __init__(self):
        self.count = 0
        self.fingerprint = 0
        self.distinct = Distinct()
        self.shape = None
        self.classes = collections.Counter()

    def add(self, look):
        self.shape = look.shape
        self.count += len(look.keys)
        self.fingerprint = (self.fingerprint + int(look.keys.sum(dtype="uint64"))) % 2**64
        self.distinct.update(look.keys)
        if look.labels is not None:
            self.classes.update(look.labels.tolist())

    @property
    def labels(self):
        """All labels, sorted; None if there were none."""
        if not self.classes:
            return None
        classes, counts = zip(*sorted(self.classes.items()))
        return np.repeat(classes, counts)

    def passport(self):
        return {"count": self.count, "fingerprint": f"{self.fingerprint:016x}"}


def result_or_nothing(metric):
    """The result of a metric; empty if it cannot be computed, as from too few images."""
    try:
        return metric.result()
    except ValueError:
        return {}
