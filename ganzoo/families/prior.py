"""Priors: the distributions that latents are drawn from.

A prior is a value with `width` (numbers of which one sample is made), `draws` (random numbers of
which its latents are made), `truncates` (whether truncation is of latents rather than of what is
made of them), and three ways to draw: `sample` for training, `by_numpy` for `generate`, and
`of_uniform` for exported models.
"""

import dataclasses

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import types


@dataclasses.dataclass(frozen=True)
class NormalPrior:
    """N(0, 1) in each dimension.

    Attributes:
        dim: length of the latents.
        truncates: whether `truncation` cuts them off.
    """

    dim: int
    truncates: bool = True

    @property
    def width(self) -> int:
        return self.dim

    @property
    def draws(self) -> int:
        return self.dim

    def sample(self, count: int, seed: keras.random.SeedGenerator) -> types.Tensor:
        """`(count, width)` latents, by the backend."""
        return backend.drawn(keras.random.normal, (count, self.dim), seed=seed)

    def by_numpy(
        self, rng: np.random.Generator, count: int, truncation: float | None = None
    ) -> np.ndarray:
        """`(count, width)` float32 latents, the same on every backend."""
        latents = rng.standard_normal((count, self.dim), "float32")
        if truncation is None or not self.truncates:
            return latents
        return truncated(latents, truncation)

    def of_uniform(self, numbers: types.Tensor, truncation: float | None = None) -> types.Tensor:
        """Latents of `(n, draws)` numbers uniform in (0, 1), by operations every runtime has."""
        return quantile(numbers, truncation if self.truncates else None)


def truncated(latents: np.ndarray, limit: float) -> np.ndarray:
    """Normal latents drawn towards the centre, so that none lies beyond ±`limit`."""
    from scipy import special

    low = special.ndtr(-limit)
    within = low + special.ndtr(latents.astype("float64")) * (1 - 2 * low)
    return special.ndtri(within).astype("float32")


def quantile(uniform: types.Tensor, limit: float | None = None) -> types.Tensor:
    """Normal numbers of uniform ones in (0, 1), by polynomials; cut off at ±`limit`.

    Acklam 2003, "An algorithm for computing the inverse normal cumulative distribution function":
    relative error below 1.2e-9; in float32, where powers cancel, up to 3e-4 in absolute terms.
    """
    if limit is not None:
        from scipy import special

        low = float(special.ndtr(-limit))
        uniform = low + uniform * (1 - 2 * low)
    centre = uniform - 0.5
    tail = ops.sqrt(-2.0 * ops.log(ops.minimum(uniform, 1.0 - uniform) + 1e-12))
    square = centre * centre
    middle = centre * _polynomial(MIDDLE, square) / _polynomial((*MIDDLE_UNDER, 1.0), square)
    ends = _polynomial(ENDS, tail) / _polynomial((*ENDS_UNDER, 1.0), tail)
    return ops.where(ops.abs(centre) <= 0.5 - 0.02425, middle, ops.where(centre < 0, ends, -ends))


def _polynomial(coefficients, x):
    """By Horner's rule, the highest power first."""
    total = ops.zeros_like(x)
    for c in coefficients:
        total = total * x + c
    return total


MIDDLE = (
    *(-3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02),
    *(1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00),
)
MIDDLE_UNDER = (
    *(-5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02),
    *(6.680131188771972e01, -1.328068155288572e01),
)
ENDS = (
    *(-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00),
    *(-2.549732539343734e00, 4.374664141464968e00, 2.938163982698783e00),
)
ENDS_UNDER = (
    *(7.784695709041462e-03, 3.224671290700398e-01),
    *(2.445134137142996e00, 3.754408661907416e00),
)
