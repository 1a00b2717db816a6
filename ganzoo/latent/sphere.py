"""The way between two latents along the sphere near which normal latents lie."""

import numpy as np
from numpy.typing import ArrayLike


def slerp(start: ArrayLike, end: ArrayLike, share: ArrayLike) -> np.ndarray:
    """Spherical interpolation: points on the way from some vectors to others, at a constant turn.

    Shoemake 1985, "Animating Rotation with Quaternion Curves"; White 2016, "Sampling Generative
    Networks" (arXiv:1609.04468): normal latents of many dimensions lie near a sphere, and a
    straight line between two of them would leave it. The direction turns by equal angles; the
    length changes evenly. Between opposite vectors, the same one of the many ways is always taken.

    Args:
        start, end: arrays whose last axis is the vector's.
        share: share of the way, 0 … 1. All three are broadcast.

    Returns:
        An array of float64.

    Example:

    >>> slerp([1.0, 0.0], [0.0, 2.0], 0.5).round(3).tolist()
    [1.061, 1.061]
    """
    start, end, share = (np.asarray(x, "float64") for x in (start, end, share))
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (start, end)]
    # A vector of length zero has no direction: it takes that of the other one.
    u, v = (_units(*pair) for pair in ((start, end), (end, start)))
    cosine = np.sum(u * v, axis=-1, keepdims=True)
    across = v - cosine * u
    sine = np.linalg.norm(across, axis=-1, keepdims=True)
    angle = np.arctan2(sine, cosine)
    # Parallel vectors need no direction across; for opposite ones, any is as good.
    axis = np.eye(u.shape[-1])[np.argmin(np.abs(u), axis=-1)]
    axis = axis - np.sum(axis * u, axis=-1, keepdims=True) * u
    across = np.where(sine > 1e-8, across, axis)
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)
    turned = np.cos(share * angle) * u + np.sin(share * angle) * across
    way = turned * ((1 - share) * lengths[0] + share * lengths[1])
    return np.where(share == 0, start, np.where(share == 1, end, way))  # the ends to the last digit


def _units(vectors, others):
    """Vectors of length one; where a vector is zero, that of its other one."""
    vectors, others = np.broadcast_arrays(vectors, others)
    norm = lambda x: np.linalg.norm(x, axis=-1, keepdims=True)
    vectors = np.where(norm(vectors) > 0, vectors, others)
    return vectors / np.where(norm(vectors) > 0, norm(vectors), 1.0)
