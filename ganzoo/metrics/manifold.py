"""Fidelity and diversity apart: precision and recall, density and coverage, nearest neighbours."""

from collections.abc import Iterator

import numpy as np

from ganzoo.metrics.base import Metric
from ganzoo.metrics.base import positive
from ganzoo.metrics.states import Rows

BLOCK = 1024
"""Rows compared at once; memory grows with `BLOCK` times the other set's rows, not with n²."""


def squared_distances(
    a: np.ndarray, b: np.ndarray, block: int = BLOCK
) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances of the rows of `a` to those of `b`, a block of rows at a time.

    Yields:
        `(slice of a's rows, (rows, len(b)) float32 array)`.
    """
    # Moved to the origin, because |x|² + |y|² − 2x·y cancels where the common mean is large.
    centre = b.mean(axis=0, dtype="float64")
    a, b = ((x - centre).astype("float32") for x in (a, b))
    squares_b = np.einsum("ij,ij->i", b, b)
    for start in range(0, len(a), block):
        part = a[start : start + block]
        found = part @ b.T
        found *= -2
        found += squares_b
        found += np.einsum("ij,ij->i", part, part)[:, None]
        np.maximum(found, 0, out=found)
        yield slice(start, start + len(part)), found


def squared_radii(rows: np.ndarray, k: int, block: int = BLOCK) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row, `(n,)` float32."""
    radii = np.empty(len(rows), "float32")
    for part, found in squared_distances(rows, rows, block):
        found[np.arange(len(found)), np.arange(part.start, part.stop)] = np.inf  # itself
        found.partition(k - 1, axis=1)
        radii[part] = found[:, k - 1]
    return radii


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Precision and recall of the manifolds that k-nearest-neighbour balls span.

    Kynkäänniemi et al. 2019. Precision: share of the samples that lie in a ball around some real
    row; recall: share of the real rows that lie in a ball around some sample.

    Args:
        real, fake: `(n, d)` and `(m, d)` float, both with more than k rows.
        k: which neighbour gives a ball its radius.

    Returns:
        `(precision, recall)`, floats in [0, 1].
    """
    return manifold(real, fake, k)[:2]


def density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Density and coverage, which outliers disturb less than precision and recall.

    Naeem et al. 2020. Density: in how many real balls a sample lies, divided by k, on average;
    it may exceed 1. Coverage: share of the real rows in whose ball a sample lies.

    Args:
        real, fake: `(n, d)` and `(m, d)` float, both with more than k rows.
        k: which neighbour gives a ball its radius.

    Returns:
        `(density, coverage)`, floats.
    """
    return manifold(real, fake, k)[2:]


def manifold(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """`(precision, recall, density, coverage)` for one k, in one pass over all pairs."""
    for side, rows in (("real", real), ("fake", fake)):
        if len(rows) <= k:
            raise ValueError(f"{k} neighbours need more than {k} rows of {side}: {len(rows)} came.")
    real_radii, fake_radii = squared_radii(real, k), squared_radii(fake, k)
    balls = np.zeros(len(fake), "int64")  # real ones, around each sample
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for part, found in squared_distances(real, fake):
        inside = found < real_radii[part, None]
        balls += inside.sum(axis=0)
        covered[part] = inside.any(axis=1)
        recalled[part] = (found < fake_radii).any(axis=1)
    return (
        float((balls > 0).mean()),
        float(recalled.mean()),
        float(balls.mean() / k),
        float(covered.mean()),
    )


def nearest(
    rows: np.ndarray, among: np.ndarray, block: int = BLOCK
) -> tuple[np.ndarray, np.ndarray]:
    """Each row's nearest neighbour in another set.

    Returns:
        `(indices, distances)`, both `(n,)`; distances are Euclidean.
    """
    indices = np.empty(len(rows), "int64")
    for part, found in squared_distances(rows, among, block):
        indices[part] = found.argmin(axis=1)
    # Once more without the shortcut, whose rounding would keep copies from being at 0.
    differences = rows.astype("float32") - among[indices].astype("float32")
    return indices, np.sqrt(np.einsum("ij,ij->i", differences, differences))


class _Manifold(Metric):
    def __init__(self, k, keep=10_000):
        positive(k=k, keep=keep)
        self.k, self.keep = k, keep
        super().__init__()

    def settings(self):
        return {"k": self.k, "keep": self.keep}

    def remember(self):
        return Rows(self.keep)

    def result(self):
        rows = (side.rows() for side in self.need("real", "fake", least=self.k + 1))
        return dict(zip(self.scores, self.compare(*rows, self.k)))


class PrecisionRecall(_Manifold):
    """Share of samples that look real, and share of the real ones that the samples reach.

    Kynkäänniemi et al. 2019, who use k = 3.

    Args:
        k: which neighbour gives a ball its radius.
        keep: how many distinct rows are kept at most; the time grows with its square.
    """

    name = "precision_recall"
    scores = ("precision", "recall")
    better = {"precision": "higher", "recall": "higher"}
    compare = staticmethod(precision_recall)

    def __init__(self, k: int = 3, keep: int = 10_000) -> None:
        super().__init__(k, keep)


class DensityCoverage(_Manifold):
    """How densely the samples lie among the real ones, and which share of those is covered.

    Naeem et al. 2020, who use k = 5.

    Args:
        k: which neighbour gives a ball its radius.
        keep: how many distinct rows are kept at most; the time grows with its square.
    """

    name = "density_coverage"
    scores = ("density", "coverage")
    better = {"density": "higher", "coverage": "higher"}
    compare = staticmethod(density_coverage)

    def __init__(self, k: int = 5, keep: int = 10_000) -> None:
        super().__init__(k, keep)
