"""The base class of metrics: Keras's four methods, over states that can be merged."""

import copy
from collections.abc import Iterable
from typing import Any
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation

SIDES = ("real", "fake", "train")


class Metric:
    """A streaming metric with the methods of Keras's metrics: `update_state`, `result`,
    `reset_state`, `merge_state`.

    Its state is kept in NumPy, mostly in float64, because a distance computed from float32 sums
    would depend on the batch size. So it runs outside the compiled step.

    A subclass names the rows it takes (`uses`) and the sides it needs (`sides`), creates the state
    of one side (`remember`) and computes results from the states (`result`).

    Attributes:
        name: short name, the key of its first result.
        uses: the rows that `ganzoo.evaluate` passes: `"features"`, `"logits"`, `"modes"` or
            `"pixels"`.
        sides: those of `"real"`, `"fake"` and `"train"` that `result` needs.
        labelled: whether it needs labels.
        scores: names of all results that it may return.
        better: `"lower"` or `"higher"`, for the results that have a better end.
    """

    name = "metric"
    uses = "features"
    sides: tuple[str, ...] = ("real", "fake")
    labelled = False
    scores: tuple[str, ...] = ()
    better: dict[str, str] = {}

    def __init__(self) -> None:
        self.reset_state()

    def remember(self) -> Any:
        """A new, empty state of one side."""
        raise NotImplementedError

    def result(self) -> dict[str, float]:
        """A dict from name to float."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, for the record."""
        return {}

    def reset_state(self) -> None:
        """Forget all rows."""
        self._length = None
        self.states = {side: self.remember() for side in SIDES}

    def update_state(
        self,
        real: ArrayLike | None = None,
        fake: ArrayLike | None = None,
        *,
        train: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        keys: ArrayLike | None = None,
    ) -> None:
        """Add rows of one side, or of several.

        Args:
            real: `(n, …)` rows of the data to compare with.
            fake: `(n, …)` rows of the samples.
            train: `(n, …)` rows of the data trained on, for the metrics that distinguish these from
                `real`.
            labels: `(n,)` whole numbers, if the metric compares classes.
            keys: `(n,)` uint64 that identify the rows; None: their bytes. A metric that cannot keep
                all rows chooses by their keys, and keeps or drops rows with equal keys together:
                give each sample its own key if samples may be equal. Labels and keys belong to one
                side: pass one side per call.
        """
        sides = {s: x for s, x in zip(SIDES, (real, fake, train)) if x is not None}
        if len(sides) > 1 and (labels is not None or keys is not None):
            raise ValueError("`labels` and `keys` belong to one side: pass one side per call.")
        # All sides are checked before any state changes.
        sides = {side: self.check(side, np.asarray(rows)) for side, rows in sides.items()}
        for side, rows in sides.items():
            labels, keys = _column("label", labels, rows), _column("key", keys, rows)
            if len(rows):
                self.states[side].update(rows, labels, keys)

    def check(self, side: str, rows: np.ndarray) -> np.ndarray:
        """The rows, if this metric can take them."""
        if rows.ndim != 2 or rows.dtype.kind != "f":
            raise ValueError(
                f"{type(self).__name__} takes {self.uses}: float arrays of shape (n, length). "
                f"Received {side}: {rows.dtype} of shape {rows.shape}. An extractor turns images "
                "into features: `ganzoo.metrics.extractor(…)(images)`."
            )
        bad = ~np.isfinite(rows).all(axis=1)
        if bad.any():
            raise ValueError(
                f"The {self.uses} of {side} contain NaN or infinity, first in row "
                f"{int(bad.argmax())} of this batch ({int(bad.sum())} of {len(rows)} rows). The "
                "model may have diverged, or the extractor is broken."
            )
        self._check_length(rows.shape[1])
        return rows

    def _check_length(self, length):
        if self._length not in (None, length):
            raise ValueError(
                f"All rows must have the same length. Received {length} after {self._length}: real "
                "and fake must come from the same extractor."
            )
        self._length = length

    def merge_state(self, metrics: Iterable[Self]) -> None:
        """Add the rows of other metrics of the same kind, such as those of other shards."""
        for other in metrics:
            if type(other) is not type(self) or other.settings() != self.settings():
                raise ValueError(
                    f"Only metrics with the same settings merge. Received {other!r} for {self!r}."
                )
            if other._length is not None:
                self._check_length(other._length)
            for side in SIDES:
                self.states[side].merge(other.states[side])

    def beside(self) -> Self:
        """Another metric with the same real and training rows, and no samples.

        These rows are shared, not copied: neither metric may get more of them.
        """
        other = copy.copy(self)
        other.states = {**self.states, "fake": self.remember()}
        return other

    def need(self, *sides: str, least: int = 2) -> list[Any]:
        """The states of these sides, if each has at least `least` rows."""
        for side in sides:
            count = self.states[side].count
            if count < least:
                raise ValueError(
                    f"{type(self).__name__} needs at least {least} rows of {side}. Received: "
                    f"{count}."
                )
        return [self.states[side] for side in sides]

    def __repr__(self):
        inside = ", ".join(f"{k}={v!r}" for k, v in self.settings().items())
        return f"{type(self).__name__}({inside})"


def _column(name, values, rows):
    """Labels or keys as an array, if they are one whole number per row."""
    if values is None:
        return None
    values = np.asarray(values)
    if values.shape != rows.shape[:1] or values.dtype.kind not in "iu":
        raise ValueError(
            f"There must be one {name} per row, a whole number. Received {values.dtype} of shape "
            f"{values.shape} for {len(rows)} rows."
        )
    return values


def positive(**arguments: Any) -> None:
    """Check that arguments, passed by name, are whole numbers of at least 1."""
    for name, value in arguments.items():
        validation.integer(name, value)
