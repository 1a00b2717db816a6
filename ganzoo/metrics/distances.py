"""Distances between two sets of feature vectors: Fréchet and kernel."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation
from ganzoo.metrics.base import Metric
from ganzoo.metrics.base import positive
from ganzoo.metrics.states import ClassMoments
from ganzoo.metrics.states import Moments
from ganzoo.metrics.states import Rows


def frechet_distance(
    mean_a: ArrayLike, covariance_a: ArrayLike, mean_b: ArrayLike, covariance_b: ArrayLike
) -> float:
    """Fréchet (2-Wasserstein) distance between two Gaussians, squared as usual.

        |μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½)

    Heusel et al. 2017, equation 6. The trace of the root comes from the eigenvalues of the
    symmetric Σ_a^½ Σ_b Σ_a^½, so singular covariances need no ε and give no complex numbers.

    Args:
        mean_a, mean_b: `(d,)`.
        covariance_a, covariance_b: `(d, d)`.

    Returns:
        A float, at least 0.

    Example:

    >>> import numpy as np
    >>> float(frechet_distance([0.0], [[1.0]], [3.0], [[4.0]]))
    10.0
    """
    mean_a, mean_b = np.asarray(mean_a, "float64"), np.asarray(mean_b, "float64")
    a, b = np.asarray(covariance_a, "float64"), np.asarray(covariance_b, "float64")
    values, vectors = np.linalg.eigh(a)
    # Values that rounding made negative count as zero; columns without variance drop out.
    kept = values > values[-1] * len(values) * np.finfo("float64").eps
    root = vectors[:, kept] * np.sqrt(values[kept])
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root.T @ b @ root), 0)).sum() if kept.any() else 0
    distance = ((mean_a - mean_b) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * cross
    return max(float(distance), 0.0)


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Kernel distance: unbiased squared MMD with the cubic kernel (x·y / d + 1)³.

    Bińkowski et al. 2018, section 4 ("KID"). Subsets of both sets are compared, each drawn
    without replacement.

    Args:
        real, fake: `(n, d)` and `(m, d)` float.
        subsets: number of pairs of subsets.
        subset_size: rows in each, at most the smaller of n and m.
        seed: seed for the choice of subsets.

    Returns:
        `(mean, standard deviation)` over the subsets. The mean may be below zero. The deviation
        is NaN if neither set is larger than a subset: there is only one.
    """
    size = min(subset_size, len(real), len(fake))
    if size < 2:
        raise ValueError(
            f"The kernel distance needs at least 2 rows of each. Received {len(real)} real and "
            f"{len(fake)} fake."
        )
    if size == len(real) == len(fake):  # all subsets are the same
        subsets = 1
    rng = np.random.default_rng(seed)
    distances = []
    for _ in range(subsets):
        x = real[rng.choice(len(real), size, replace=False)].astype("float64")
        y = fake[rng.choice(len(fake), size, replace=False)].astype("float64")
        within = _off_diagonal_mean(_cubic(x, x)) + _off_diagonal_mean(_cubic(y, y))
        distances.append(within - 2 * _cubic(x, y).mean())
    deviation = float(np.std(distances)) if subsets > 1 else float("nan")
    return float(np.mean(distances)), deviation


def _cubic(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def _off_diagonal_mean(matrix):
    n = len(matrix)
    return (matrix.sum() - np.trace(matrix)) / (n * (n - 1))


class FrechetDistance(Metric):
    """Fréchet distance between the features of real and of fake images; 0 is best.

    Heusel et al. 2017. With Inception's features this is the FID; with others it is not. Compare
    only distances of the same extractor and number of samples: with few samples the distance is
    too large. Memory: one d×d matrix per side, for any number of rows.

    Example:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> metric = FrechetDistance()
    >>> metric.update_state(real=rng.normal(size=(500, 4)), fake=rng.normal(1, 1, (500, 4)))
    >>> 3.5 < metric.result()["frechet"] < 4.5
    True
    """

    name = "frechet"
    scores = ("frechet",)
    better = {"frechet": "lower"}

    def remember(self) -> Any:
        return Moments()

    def result(self) -> dict[str, float]:
        real, fake = self.need("real", "fake")
        _warn_of_few(self.name, real, fake)
        return {"frechet": frechet_distance(real.mean, real.covariance, fake.mean, fake.covariance)}


def _warn_of_few(name, *sides):
    length = len(sides[0].mean)
    fewest = min(side.count for side in sides)
    if fewest <= length:
        warnings.warn(
            f"{name}: {fewest} rows for features of length {length}. The covariance is singular "
            f"and the distance too large; at least {length + 1} rows are needed, better "
            f"{10 * length}.",
            stacklevel=3,
        )


class IntraClassFrechet(Metric):
    """Mean over the classes of the Fréchet distance within the class; 0 is best.

    As in Miyato, Koyama 2018 (section 5, "intra FID"). A sample's class is the requested label. A
    class that collapsed shows here, even if all classes together look diverse. Memory: a d×d
    matrix per class and side.
    """

    name = "intra_class_frechet"
    labelled = True
    scores = ("intra_class_frechet", "intra_class_frechet_worst")
    better = {"intra_class_frechet": "lower", "intra_class_frechet_worst": "lower"}

    def remember(self) -> Any:
        return ClassMoments()

    def result(self) -> dict[str, float]:
        real, fake = self.need("real", "fake")
        missing = sorted(set(real.classes) - set(fake.classes))
        if missing:
            raise ValueError(
                f"There are no samples of the classes {missing}. Generate every class: "
                "`labels=None` in `generate` takes them in turn."
            )
        pairs = [(moments, fake.classes[label]) for label, moments in real.classes.items()]
        lone = [label for label, m in real.classes.items() if m.count < 2]
        if lone:
            raise ValueError(
                f"There is only one real image of the classes {lone}. Pass at least two of each."
            )
        _warn_of_few(self.name, *(moments for pair in pairs for moments in pair))
        distances = [frechet_distance(a.mean, a.covariance, b.mean, b.covariance) for a, b in pairs]
        return {
            "intra_class_frechet": float(np.mean(distances)),
            "intra_class_frechet_worst": float(np.max(distances)),
        }


class KernelDistance(Metric):
    """Kernel distance (unbiased squared MMD, cubic kernel); 0 is best, it may be slightly below.

    Bińkowski et al. 2018. Unlike the Fréchet distance it is unbiased with few samples.

    Args:
        subsets: number of pairs of subsets that are compared.
        subset_size: rows in each, or all rows if there are fewer.
        keep: most distinct rows that are kept.
        seed: seed for the choice of subsets.
    """

    name = "kernel"
    scores = ("kernel", "kernel_std")
    better = {"kernel": "lower"}

    def __init__(
        self, subsets: int = 100, subset_size: int = 1000, keep: int = 50_000, seed: int = 0
    ) -> None:
        positive(subsets=subsets, keep=keep)
        validation.integer("subset_size", subset_size, least=2)
        validation.integer("seed", seed, least=0)
        self.subsets, self.subset_size, self.keep, self.seed = subsets, subset_size, keep, seed
        super().__init__()

    def settings(self) -> dict[str, Any]:
        return {
            "subsets": self.subsets,
            "subset_size": self.subset_size,
            "keep": self.keep,
            "seed": self.seed,
        }

    def remember(self) -> Any:
        return Rows(self.keep)

    def result(self) -> dict[str, float]:
        real, fake = (side.rows() for side in self.need("real", "fake"))
        mean, deviation = kernel_distance(
            real, fake, subsets=self.subsets, subset_size=self.subset_size, seed=self.seed
        )
        # With one subset there is no deviation.
        return {"kernel": mean, **({} if np.isnan(deviation) else {"kernel_std": deviation})}
