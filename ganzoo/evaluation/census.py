"""What an evaluation collects of real and of generated examples."""

import collections.abc
import dataclasses
import typing

import numpy as np

from ganzoo.metrics.states import Distinct


class Reference(typing.NamedTuple):
    """What is known before any sample: see `Evaluator._reference`."""

    chosen: list
    limits: dict
    floor: str
    real: "Census"
    train: "Census | None"


@dataclasses.dataclass
class Look:
    """What is known of a batch of pictures: rows for the metrics, labels, identities."""

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
    """How many pictures there were, and which: whatever the order, the same fingerprint."""

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
    """A floor that cannot be had, such as of too few pictures, is left out."""
    try:
        return metric.result()
    except ValueError:
        return {}
