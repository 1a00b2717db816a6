"""Modes of mixtures of points."""

import hashlib

import numpy as np
from numpy.typing import ArrayLike


class Points:
    """Points themselves as features; if the mixture is known, each with its mode.

    Args:
        centres, sigma: see `ganzoo.metrics.modes_of`; None: no modes.
    """

    name = "points"
    classes = None
    resize = "none"

    def __init__(self, centres: ArrayLike | None = None, sigma: float | None = None) -> None:
        self.centres, self.sigma = centres, sigma
        mixture = "" if centres is None else f"{np.asarray(centres, 'float64').tolist()} {sigma}"
        self.hash = hashlib.sha256(mixture.encode()).hexdigest()

    def __call__(self, images):
        rows = {"features": np.asarray(images, "float32")}
        if self.centres is not None:
            rows["modes"] = modes_of(images, self.centres, self.sigma)
        return rows


def modes_of(points: ArrayLike, centres: ArrayLike, sigma: float) -> np.ndarray:
    """The nearest mode of each point; −1 for points more than three σ away from all modes.

    Args:
        points: `(n, d)` float.
        centres: `(modes, d)`, the means of the mixture.
        sigma: its standard deviation, the same along all axes.

    Returns:
        `(n,)` int64.
    """
    distances = np.linalg.norm(np.asarray(points)[:, None] - np.asarray(centres)[None], axis=2)
    near = distances.argmin(axis=1)
    return np.where(distances.min(axis=1) < 3 * sigma, near, -1)
