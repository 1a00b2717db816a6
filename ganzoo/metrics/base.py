"""What all metrics share: Keras's four methods over states that merge."""

import copy
from collections.abc import Iterable
from typing import Any
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation

SIDES = ("real", "fake", "train")


class Metric:
    """A streaming metric with the methods of Keras's: `update_state`, `result`, `reset_state`,
    `merge_state`.

    Its state is kept in NumPy, mostly in float64, because a distance that is made of float32
    sums would depend on the batch size. So it runs beside the compiled step, not inside it.

    A subclass names what it looks at (`uses`), which sides it needs, what it remembers of one
    side (`remember`) and how a result comes from that (`result`).

    Attributes:
        name: short name, the key of its first result.
        uses: `"features"`, `"logits"`, `"modes"` or `"pixels"`: which rows `ganzoo.evaluate`
            gives it.
        sides: which of `"real"`, `"fake"` and `"train"` must be seen before `result`.
        labelled: whether it needs labels.
        scores: names of all results that it may give.
        better: `"lower"` or `"higher"`, for the results of which one end is better.
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
        """Forget everything seen."""
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
        """See more rows of one side, or of several.

        Args:
            real: `(n, …)` rows of the data to compare with.
            fake: `(n, …)` rows of the samples.
            train: `(n, …)` rows of the data trained on, for the metrics that tell these from
                `real`.
            labels: `(n,)` whole numbers, where the metric compares classes.
            keys: `(n,)` uint64, what identifies a row; None: its bytes. They choose the rows that
                a metric keeps where it cannot keep all, and equal ones are kept or dropped
                together: give samples that may be equal a key each. Labels and keys go with one
                side: give one side per call.
        """
        given = {s: x for s, x in zip(SIDES, (real, fake, train)) if x is not None}
        if len(given) > 1 and (labels is not None or keys is not None):
            raise ValueError("`labels` and `keys` go with one side: give one side per call.")
        # All are checked before any is taken up.
        given = {side: self.check(side, np.asarray(rows)) for side, rows in given.items()}
        for side, rows in given.items():
            labels, keys = _column("label", labels, rows), _column("key", keys, rows)
            if len(rows):
                self.states[side].update(rows, labels, keys)

    def check(self, side: str, rows: np.ndarray) -> np.ndarray:
        """The rows, if they are what this metric can look at."""
        if rows.ndim != 2 or rows.dtype.kind != "f":
            raise ValueError(
                f"{type(self).__name__} looks at {self.uses}: float arrays of shape (n, length). "
                f"Received {side}: {rows.dtype} of shape {rows.shape}. Pictures become features "
                "by an extractor: `ganzoo.metrics.extractor(…)(images)`."
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
                f"All rows must have one length. Received {length} after {self._length}: real and "
                "fake must come from the same extractor."
            )
        self._length = length

    def merge_state(self, metrics: Iterable[Self]) -> None:
        """Take up what other metrics of the same kind have seen, such as those of other shards."""
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
        """Another metric that has seen the same real and training rows, and no samples.

        What was seen is shared, not copied: neither of the two may see more of it.
        """
        other = copy.copy(self)
        other.states = {**self.states, "fake": self.remember()}
        return other

    def need(self, *sides: str, least: int = 2) -> list[Any]:
        """The states of these sides, if enough was seen."""
        for side in sides:
            seen = self.states[side].count
            if seen < least:
                raise ValueError(
                    f"{type(self).__name__} needs at least {least} rows of {side}. Seen: {seen}."
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
    """Checks whole numbers of at least 1, given by name."""
    for name, value in arguments.items():
        validation.integer(name, value)
