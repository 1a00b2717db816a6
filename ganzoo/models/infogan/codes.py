"""Codes: the part of the latents that Q reads off an image, categorical and continuous."""

import dataclasses
import functools
import math

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy import special

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.families.prior import NormalPrior
from ganzoo.families.prior import truncated


@dataclasses.dataclass(frozen=True)
class Codes:
    """One-hot vectors, each with all categories equally likely, then numbers uniform in [-1, 1].

    Chen et al. 2016, "InfoGAN", sections 4 to 6.

    Attributes:
        categories: how many categories each categorical code has, each at least 2.
        continuous: number of continuous codes.

    Example:

    >>> Codes((3,), 1).make(2, [2, 0], [[0.5], [1.0]]).tolist()
    [[0.0, 0.0, 1.0, 0.5], [1.0, 0.0, 0.0, 1.0]]
    """

    categories: tuple
    continuous: int

    def __post_init__(self):
        validation.integers("categories", self.categories, least=2)
        validation.integer("continuous", self.continuous, least=0)
        if not self.width:
            raise ValueError("There must be a code: set `categories`, `continuous`, or both.")

    @property
    def width(self) -> int:
        """Numbers that all codes together take."""
        return sum(self.categories) + self.continuous

    @property
    def draws(self) -> int:
        """Random numbers of which they are made."""
        return len(self.categories) + self.continuous

    def sample(self, count: int, seed: keras.random.SeedGenerator) -> types.Tensor:
        """`(count, width)` codes at random."""
        draw = functools.partial(backend.drawn, seed=seed)
        chosen = [draw(keras.random.randint, (count,), minval=0, maxval=k) for k in self.categories]
        parts = [ops.one_hot(x, k, dtype="float32") for x, k in zip(chosen, self.categories)]
        bounds = {"minval": -1.0, "maxval": 1.0}
        parts.append(draw(keras.random.uniform, (count, self.continuous), **bounds))
        return ops.concatenate(parts, axis=1)

    def of_uniform(self, numbers: np.ndarray) -> np.ndarray:
        """Codes made of `(count, draws)` numbers uniform in [0, 1), by NumPy."""
        n = len(self.categories)
        chosen = np.minimum(numbers[:, :n] * self.categories, np.array(self.categories) - 1)
        return self.make(len(numbers), chosen.astype(int), 2 * numbers[:, n:] - 1)

    def make(self, count: int, categories: ArrayLike, continuous: ArrayLike) -> np.ndarray:
        """Codes of these categories, `(count, codes)` or what broadcasts to it, and numbers."""
        categories, continuous = np.asarray(categories), np.asarray(continuous, "float32")
        if self.categories and not np.issubdtype(categories.dtype, np.integer):
            raise ValueError(f"`categories` must be whole numbers. Received: {categories.dtype}.")
        if not np.isfinite(continuous).all():
            raise ValueError("`continuous` must be finite. Received NaN or infinity.")
        if categories.ndim == 1 and len(self.categories) == 1:
            categories = categories[:, None]
        try:
            categories = np.broadcast_to(categories, (count, len(self.categories)))
            continuous = np.broadcast_to(continuous, (count, self.continuous))
        except ValueError:
            raise ValueError(
                f"For {count} samples, `categories` must have shape ({count}, "
                f"{len(self.categories)}), and `continuous` ({count}, {self.continuous}), or be "
                f"one number. Received: {categories.shape} and {continuous.shape}."
            ) from None
        if ((categories < 0) | (categories >= np.array(self.categories))).any():
            raise ValueError(
                f"`categories` must lie below {self.categories}, one bound for each code. "
                f"Received: {categories.min()} to {categories.max()}."
            )
        parts = [np.eye(k)[c] for k, c in zip(self.categories, categories.T)]
        return np.concatenate([*parts, continuous], axis=1).astype("float32")

    def split(self, codes: types.Tensor) -> tuple[list[types.Tensor], types.Tensor]:
        """A list of the categorical parts of codes, and the continuous part."""
        edges = np.cumsum([0, *self.categories])
        parts = [codes[:, a:b] for a, b in zip(edges[:-1], edges[1:])]
        return parts, codes[:, edges[-1] :]

    def information(
        self, codes: types.Tensor, outputs: types.Tensor
    ) -> tuple[types.Tensor, types.Tensor]:
        """What is known of codes, in nats: lower bounds of the mutual information.

        Args:
            codes: those that there were.
            outputs: logits of the categories; means of continuous codes, whose errors are assumed
                to be normal with variance 1.

        Returns:
            The bounds for all categorical codes together, and for all continuous ones.
        """
        (parts, numbers), (logits, means) = self.split(codes), self.split(outputs)
        surprise = sum(
            (
                -ops.mean(ops.sum(part * ops.log_softmax(x), axis=1))
                for part, x in zip(parts, logits)
            ),
            start=ops.zeros(()),
        )
        error = ops.mean(ops.sum(ops.square(numbers - means), axis=1))
        entropy = self.continuous * (math.log(2) - 0.5 * math.log(2 * math.pi))
        return sum(map(math.log, self.categories)) - surprise, entropy - 0.5 * error


@dataclasses.dataclass(frozen=True)
class CodedPrior:
    """Noise from N(0, 1), then codes: see `ganzoo.families.prior`.

    Attributes:
        dim: length of the noise.
        codes: what follows it.
    """

    dim: int
    codes: Codes
    truncates = True

    @property
    def width(self) -> int:
        return self.dim + self.codes.width

    @property
    def draws(self) -> int:
        return self.dim + self.codes.draws

    def sample(self, count: int, seed: keras.random.SeedGenerator) -> types.Tensor:
        """`(count, width)` latents, by the backend."""
        noise = NormalPrior(self.dim).sample(count, seed)
        return ops.concatenate([noise, self.codes.sample(count, seed)], axis=1)

    def by_numpy(
        self, rng: np.random.Generator, count: int, truncation: float | None = None
    ) -> np.ndarray:
        """`(count, width)` float32 latents, the same on every backend."""
        normal = rng.standard_normal((count, self.draws), "float32")
        near = normal if truncation is None else truncated(normal, truncation)
        ends = [self.dim, self.dim + len(self.codes.categories)]
        noise, _, numbers = np.split(near, ends, axis=1)
        chosen = np.split(normal, ends, axis=1)[1]  # categories have no centre to be drawn to
        uniform = special.ndtr(np.concatenate([chosen, numbers], axis=1).astype("float64"))
        return np.concatenate([noise, self.codes.of_uniform(uniform)], axis=1)

    def of_uniform(self, numbers: types.Tensor, truncation: float | None = None) -> types.Tensor:
        """Latents of `(n, draws)` numbers uniform in (0, 1), by operations every runtime has."""
        parts = [NormalPrior(self.dim).of_uniform(numbers[:, : self.dim], truncation)]
        rest = numbers[:, self.dim :]
        for i, k in enumerate(self.codes.categories):
            parts.append(ops.one_hot(ops.cast(rest[:, i] * k, "int32"), k, dtype="float32"))
        within = 1.0 if truncation is None else math.erf(truncation / math.sqrt(2))
        parts.append(within * (2 * rest[:, len(self.codes.categories) :] - 1))
        return ops.concatenate(parts, axis=1)
