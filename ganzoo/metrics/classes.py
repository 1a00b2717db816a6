"""Metrics of a classifier's outputs: class score, class agreement, mode coverage; and diversity."""

from typing import Any

import numpy as np
from scipy import special

from ganzoo import validation
from ganzoo.metrics.base import Metric
from ganzoo.metrics.states import Moments
from ganzoo.metrics.states import Rows
from ganzoo.metrics.states import Tally
from ganzoo.metrics.states import keys_of

SPLITS = 10


def class_score(logits: np.ndarray) -> float:
    """exp of the mean KL divergence of p(class | image) from p(class); 1 … number of classes.

    Salimans et al. 2016, section 4 (there with Inception: the "Inception Score").

    Args:
        logits: `(n, classes)` float.

    Returns:
        A float.

    Example:

    >>> import numpy as np
    >>> round(class_score(100 * np.eye(4)), 3)
    4.0
    """
    state = _Entropies()
    state.update(np.asarray(logits), None, np.zeros(len(logits), "uint64"))
    return state.score()[0]


class _Entropies:
    """Sums for the class score, for each of `SPLITS` parts of the rows.

    A row's key decides its part, so that it does not depend on batches or shards.
    """

    def __init__(self):
        self.counts = np.zeros(SPLITS, "int64")
        self.negative_entropy = np.zeros(SPLITS)
        self.probabilities = 0.0

    @property
    def count(self):
        return int(self.counts.sum())

    def update(self, rows, labels=None, keys=None):
        keys = keys_of(rows) if keys is None else keys
        log = special.log_softmax(rows.astype("float64"), axis=1)
        p = np.exp(log)
        parts = (keys % np.uint64(SPLITS)).astype("int64")
        self.counts += np.bincount(parts, minlength=SPLITS)
        self.negative_entropy += np.bincount(parts, weights=(p * log).sum(axis=1), minlength=SPLITS)
        sums = np.zeros((SPLITS, p.shape[1]))
        np.add.at(sums, parts, p)
        self.probabilities = self.probabilities + sums

    def merge(self, other):
        self.counts += other.counts
        self.negative_entropy += other.negative_entropy
        self.probabilities = self.probabilities + other.probabilities

    def score(self):
        """The score of all rows, and the standard deviation of the parts' scores."""
        parts = [slice(i, i + 1) for i in range(SPLITS) if self.counts[i]]
        return self._of(slice(None)), float(np.std([self._of(part) for part in parts]))

    def _of(self, part):
        n = self.counts[part].sum()
        p = self.probabilities[part].sum(axis=0) / n
        return float(np.exp(self.negative_entropy[part].sum() / n - special.xlogy(p, p).sum()))


class ClassScore(Metric):
    """Confidence and variety of a classifier's predictions for the samples: 1 … number of classes.

    Salimans et al. 2016. It depends on samples alone: a model that makes one perfect image of each
    class scores best. Compare it with the score of real images, which is reported next to it.
    """

    name = "class_score"
    uses = "logits"
    sides = ("fake",)
    scores = ("class_score", "class_score_std")
    better = {"class_score": "higher"}

    def remember(self) -> Any:
        return _Entropies()

    def result(self) -> dict[str, float]:
        (fake,) = self.need("fake")
        score, deviation = fake.score()
        return {"class_score": score, "class_score_std": deviation}


class ClassAgreement(Metric):
    """Share of the samples that a classifier assigns to the requested class, 0 … 1.

    Compare it with the classifier's accuracy on real images, which is reported next to it.
    """

    name = "class_agreement"
    uses = "logits"
    sides = ("fake",)
    labelled = True
    scores = ("class_agreement",)
    better = {"class_agreement": "higher"}

    def remember(self) -> Any:
        return _Agreement()

    def result(self) -> dict[str, float]:
        (fake,) = self.need("fake", least=1)
        return {"class_agreement": float(fake.moments.mean[0])}


class _Agreement:
    def __init__(self):
        self.moments = Moments()

    @property
    def count(self):
        return self.moments.count

    def update(self, rows, labels=None, keys=None):
        if labels is None:
            raise ValueError("ClassAgreement needs `labels`: the requested classes, one per row.")
        self.moments.update((rows.argmax(axis=1) == labels)[:, None])

    def merge(self, other):
        self.moments.merge(other.moments)


class ModeCoverage(Metric):
    """Number of the data's modes that the samples reach, and how evenly they do.

    Rows are mode numbers, −1 for a sample without a mode; see `ganzoo.metrics.modes_of`. The
    protocol is PacGAN's (Lin et al. 2018): on `ring` and `grid` a sample is of high quality within
    three standard deviations of the nearest mode (a perfect sampler has 98.9 %), and a mode is
    covered if one such sample is nearest to it. On Stacked-MNIST a classifier names the mode.

    Args:
        modes: number of modes.
        strays: whether a sample may have no mode. A classifier always names one: with False there
            is no `high_quality`, which would be 1 even for noise.
    """

    name = "modes"
    uses = "modes"
    sides = ("fake",)
    scores = ("modes", "high_quality", "rarest_mode_share", "modes_kl")
    better = {"modes": "higher", "high_quality": "higher", "modes_kl": "lower"}

    def __init__(self, modes: int, strays: bool = True) -> None:
        self.modes = validation.integer("modes", modes)
        self.strays = bool(strays)
        super().__init__()

    def settings(self) -> dict[str, Any]:
        return {"modes": self.modes, "strays": self.strays}

    def remember(self) -> Any:
        return Tally(self.modes)

    def check(self, side: str, rows: np.ndarray) -> np.ndarray:
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise ValueError(
                f"ModeCoverage takes mode numbers: whole numbers of shape (n,). Received "
                f"{side}: {rows.dtype} of shape {rows.shape}."
            )
        least = -1 if self.strays else 0
        if rows.size and not least <= rows.min() <= rows.max() < self.modes:
            raise ValueError(
                f"Mode numbers must lie in {least}..{self.modes - 1}; -1 means no mode, and needs "
                f"`strays=True`. Received {side}: from {rows.min()} to {rows.max()}."
            )
        return rows

    def result(self) -> dict[str, float]:
        """`modes` covered, share of `high_quality`, the `rarest_mode_share` of all samples, and
        `modes_kl`: KL(samples‖data) over the modes. The data's shares are uniform if there are no
        real rows; the divergence is infinite only if samples reach a mode that the data lacks.
        """
        (fake,) = self.need("fake", least=1)
        real = self.states["real"]
        inside = fake.seen.sum()
        p = fake.seen / max(inside, 1)
        q = real.seen / real.seen.sum() if real.count else np.full(self.modes, 1 / self.modes)
        return {
            "modes": float((fake.seen > 0).sum()),
            **({"high_quality": float(inside / fake.count)} if self.strays else {}),
            "rarest_mode_share": float(fake.seen[q > 0].min() / fake.count),
            "modes_kl": float(special.rel_entr(p, q).sum()) if inside else float("inf"),
        }


class Diversity(Metric):
    """Mean Euclidean distance between two samples; that of the data is reported next to it.

    Args:
        keep: most distinct rows that are kept; the time grows with its square.
    """

    name = "diversity"
    sides = ("fake",)
    scores = ("diversity",)
    better = {"diversity": "higher"}

    def __init__(self, keep: int = 2_000) -> None:
        self.keep = validation.integer("keep", keep, least=2)
        super().__init__()

    def settings(self) -> dict[str, Any]:
        return {"keep": self.keep}

    def remember(self) -> Any:
        return Rows(self.keep)

    def result(self) -> dict[str, float]:
        from scipy.spatial import distance

        (fake,) = self.need("fake")
        return {"diversity": float(distance.pdist(fake.rows()).mean())}
