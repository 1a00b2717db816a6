"""Fidelity and diversity separately: precision and recall, density and coverage; nearest rows."""

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
    # Moved to the origin, because |x|² + |y|² − 2x·y cancels if the common mean is large.
    centre = b.mean(axis=0, dtype="float64")
    a, b = ((x - centre).astype("float32") for x in (a, b))
    squares_b = np.einsum("ij,ij->i", b, b)
    for start in range(0, len(a), block):
        part = a[start : start + block]
        squares = part @ b.T
        squares *= -2
        squares += squares_b
        squares += np.einsum("ij,ij->i", part, part)[:, None]
        np.maximum(squares, 0, out=squares)
        yield slice(start, start + len(part)), squares


def squared_radii(rows: np.ndarray, k: int, block: int = BLOCK) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row, `(n,)` float32."""
    radii = np.empty(len(rows), "float32")
    for part, squares in squared_distances(rows, rows, block):
        squares[np.arange(len(squares)), np.arange(part.start, part.stop)] = np.inf  # itself
        squares.partition(k - 1, axis=1)
        radii[part] = squares[:, k - 1]
    return radii


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Precision and recall of manifolds made of k-nearest-neighbour balls.

    Kynkäänniemi et al. 2019. Precision: share of the samples that lie in a ball around some real
    row; recall: share of the real rows that lie in a ball around some sample.

    Args:
        real, fake: `(n, d)` and `(m, d)` float, both with more than k rows.
        k: rank of the neighbour whose distance is a ball's radius.

    Returns:
        `(precision, recall)`, floats in [0, 1].
    """
    return manifold(real, fake, k)[:2]


def density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Density and coverage, which outliers affect less than precision and recall.

    Naeem et al. 2020. Density: mean number of real balls that a sample lies in, divided by k; it
    may exceed 1. Coverage: share of the real rows whose ball contains a sample.

    Args:
        real, fake: `(n, d)` and `(m, d)` float, both with more than k rows.
        k: rank of the neighbour whose distance is a ball's radius.

    Returns:
        `(density, coverage)`, floats.
    """
    return manifold(real, fake, k)[2:]


def manifold(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """`(precision, recall, density, coverage)` for one k, in one pass over all pairs."""
    for side, rows in (("real", real), ("fake", fake)):
        if len(rows) <= k:
            raise ValueError(
                f"k={k} needs more than {k} rows of {side}. Received: {len(rows)}. Pass more rows, "
                "or a smaller k."
            )
    real_radii, fake_radii = squared_radii(real, k), squared_radii(fake, k)
    balls = np.zeros(len(fake), "int64")  # number of real balls around each sample
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for part, squares in squared_distances(real, fake):
        inside = squares < real_radii[part, None]
        balls += inside.sum(axis=0)
        covered[part] = inside.any(axis=1)
        recalled[part] = (squares < fake_radii).any(axis=1)
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
    for part, squares in squared_distances(rows, among, block):
        indices[part] = squares.argmin(axis=1)
    # Again without the shortcut, whose rounding would keep copies from a distance of 0.
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
    """Share of the samples that look real, and share of the real rows that the samples reach.

    Kynkäänniemi et al. 2019, who use k = 3.

    Args:
        k: rank of the neighbour whose distance is a ball's radius.
        keep: most distinct rows that are kept; the time grows with its square.
    """

    name = "precision_recall"
    scores = ("precision", "recall")
    better = {"precision": "higher", "recall": "higher"}
    compare = staticmethod(precision_recall)

    def __init__(self, k: int = 3, keep: int = 10_000) -> None:
        super().__init__(k, keep)


class DensityCoverage(_Manifold):
    """Density of the samples among the real rows, and share of the real rows that they cover.

    Naeem et al. 2020, who use k = 5.

    Args:
        k: rank of the neighbour whose distance is a ball's radius.
        keep: most distinct rows that are kept; the time grows with its square.
    """

    name = "density_coverage"
    scores = ("density", "coverage")
    better = {"density": "higher", "coverage": "higher"}
    compare = staticmethod(density_coverage)

    def __init__(self, k: int = 5, keep: int = 10_000) -> None:
        super().__init__(k, keep)
