"""Forecasts of a score: how good a training will be after a number of images.

A Fréchet distance falls roughly as a power of the number of images, towards a level at which it
stays. Above its floor, the score of real images, a curve is taken as

    score(t) − floor = E · (r + (1 − r) · (t / t₀)^−c) · exp(drift(t) + noise),

with a drift that walks at random in log t, faster at the very beginning, where a curve says little
about its later course. So a forecast is the less certain the further it looks. Given c and r, the
logarithm is a Gaussian process, whose posterior has a closed form; both are summed out over a grid
of equally probable values. What is usual for E, c, r, drift and noise is learned from recorded
curves (`curves.json`, written by `benchmarks/forecasts.py`, which also says how often forecasts
come true). E resembles that of curves of the same score, data and model; before the first score of
a training, this is all that is known.
"""

import dataclasses
import functools
import json
import math
import pathlib
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

RECORDED = pathlib.Path(__file__).with_name("curves.json")
REFERENCE = 50_000
"""t₀, in images."""
NODES = 15
"""Values of c, and of r, that are summed over."""
SHARE = 0.8
"""Probability of the interval."""
HIGHEST = 700.0
"""The largest logarithm of a score: above it a float has no room."""
NEAR = 0.05
"""The least distance from the floor that counts, as a share of the score: nearer ones are noise."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """Scores along a training.

    Attributes:
        score: the score's name, such as `"frechet[efficientnet-lite0]"`; lower is better.
        data, model: their names, by which curves resemble each other.
        floor: the score of real images; 0: not known.
        images: numbers of training images at the scores, above 0.
        values: the scores, above 0.
    """

    score: str
    data: str
    model: str
    floor: float = 0.0
    images: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def until(self, images: float) -> "Curve":
        """The part of the curve up to a number of images."""
        kept = [pair for pair in zip(self.images, self.values) if pair[0] <= images]
        columns = tuple(zip(*kept)) or ((), ())
        return dataclasses.replace(self, images=columns[0], values=columns[1])


@dataclasses.dataclass(frozen=True)
class Prior:
    """What is usual for the parameters of curves.

    Attributes:
        decay: mean and standard deviation of log c.
        rest: mean and standard deviation of the logit of r.
        drift: standard deviation of the drift over a factor e of images.
        early: images before which it walks much faster.
        noise: relative standard deviation of a score.
        level: mean of log E, and the standard deviations of what a score, its data, the model and
            the single training add to it.
    """

    decay: tuple[float, float]
    rest: tuple[float, float]
    drift: float
    early: float
    noise: float
    level: tuple[float, float, float, float, float]


@dataclasses.dataclass(frozen=True)
class Forecast:
    """A score to come.

    Attributes:
        images: number of training images after which it is expected.
        median: it will be below or above this equally often.
        low, high: it will be between these in 80 % of cases.
    """

    images: float
    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low < self.median / 2 or self.high > 2 * self.median:  # lopsided: ± would mislead
            return f"{_digits(self.low)} to {_digits(self.high)}"
        return f"{_digits(self.median)} ± {_digits((self.high - self.low) / 2)}"


def _digits(number):
    return f"{number:.2g}" if number < 10 else f"{number:.0f}"


@functools.cache
def recorded() -> tuple[Prior, tuple[Curve, ...]]:
    """The prior and the curves that come with ganzoo."""
    content = json.loads(RECORDED.read_text(encoding="utf-8"))
    prior: Any = {k: tuple(x) if isinstance(x, list) else x for k, x in content["prior"].items()}
    return Prior(**prior), tuple(curve_from(facts) for facts in content["curves"])


def curve_from(facts: dict[str, Any]) -> Curve:
    """A `Curve` from plain data, in which its tuples are lists."""
    fields: Any = {k: tuple(x) if isinstance(x, list) else x for k, x in facts.items()}
    return Curve(**fields)


def forecast(
    curve: Curve,
    images: Sequence[float],
    *,
    prior: Prior | None = None,
    others: Sequence[Curve] | None = None,
) -> list[Forecast]:
    """What a score will be after given numbers of images.

    Args:
        curve: the scores of the training so far; there may be none.
        images: numbers of training images, above 0.
        prior: what is usual; None: what `recorded` has.
        others: curves of other trainings; None: those that `recorded` has.

    Returns:
        A `Forecast` for each number of images.

    Example:

    >>> values = [150.0, 90.0, 60.0, 45.0]
    >>> run = Curve("frechet[x]", "mine", "dcgan", 5.0, (4e3, 8e3, 16e3, 32e3), tuple(values))
    >>> soon, late = forecast(run, [64e3, 640e3])
    >>> soon.low < soon.median < 45 and late.median < soon.median
    True
    >>> late.high - late.low > soon.high - soon.low
    True
    """
    prior, others = prior or recorded()[0], recorded()[1] if others is None else others
    fit = Fit(curve, prior, level(curve, others, prior))
    means, variance = fit.predict(images)
    node = np.linspace(-3, 3, 49)
    density = np.exp(-(node**2) / 2)
    weights = np.outer(fit.weights, density / density.sum()).ravel()
    result = []
    for i in range(len(images)):
        values = (means[:, i, None] + math.sqrt(variance[i]) * node).ravel()
        low, median, high = _quantiles(values, weights, (0.5 - SHARE / 2, 0.5, 0.5 + SHARE / 2))
        scores = (curve.floor + math.exp(min(x, HIGHEST)) for x in (median, low, high))
        result.append(Forecast(images[i], *scores))
    return result


class Fit:
    """The posterior of a curve's parameters.

    Args:
        curve: the scores; there may be none.
        prior: see `Prior`.
        level: mean and standard deviation of log E.

    Attributes:
        evidence: log density of the scores, relative to their logarithms.
        weights: probability of each pair of c and r on the grid.
    """

    def __init__(self, curve: Curve, prior: Prior, level: tuple[float, float]) -> None:
        self.prior, self.level = prior, level
        self.clock = _clock(curve.images, prior)
        values = np.asarray(curve.values, "float64")
        excess = np.maximum(values - curve.floor, NEAR * values)
        noise = prior.noise * values / excess  # of the excess, for what it is of the score
        shapes = _shapes(np.asarray(curve.images, "float64"), prior)
        covariance = self._covariance(self.clock, self.clock) + np.diag(noise**2)
        self._factor = np.linalg.cholesky(covariance)
        self._rest = np.log(excess) - level[0] - shapes  # (pairs, scores)
        whitened = np.linalg.solve(self._factor, self._rest.T)
        logs = -0.5 * (whitened**2).sum(0) - np.log(np.diag(self._factor)).sum()
        logs -= 0.5 * len(values) * math.log(2 * math.pi)
        most = logs.max()
        weights = np.exp(logs - most)
        self.evidence = most + math.log(weights.mean())
        self.weights = weights / weights.sum()

    def _covariance(self, a, b):
        common = np.minimum.outer(np.abs(a), np.abs(b)) * (np.sign(a)[:, None] == np.sign(b))
        return self.level[1] ** 2 + self.prior.drift**2 * common

    def predict(self, images: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the log of the excess for each pair of c and r, `(pairs, images)`, and its
        variance `(images,)`, with the noise of a score."""
        clock = _clock(images, self.prior)
        across = np.linalg.solve(self._factor, self._covariance(self.clock, clock))
        means = np.linalg.solve(self._factor, self._rest.T).T @ across
        means += self.level[0] + _shapes(np.asarray(images, "float64"), self.prior)
        variance = self.level[1] ** 2 + self.prior.drift**2 * np.abs(clock) - (across**2).sum(0)
        return means, np.maximum(variance, 0) + self.prior.noise**2


def level(curve: Curve, others: Sequence[Curve], prior: Prior) -> tuple[float, float]:
    """Mean and standard deviation of log E of a curve before its scores are seen, by the levels of
    other curves, as far as these resemble it."""
    others = [other for other in others if other.images]
    if not curve.floor:  # not known: the levels are then those of whole scores
        others = [dataclasses.replace(other, floor=0.0) for other in others]
    mean, *deviations = prior.level
    if not others:
        return mean, math.hypot(*deviations)
    levels = np.array([level_of(other, prior) for other in others])
    among = alike(others, others, deviations) + deviations[-1] ** 2 * np.eye(len(others))
    across = alike([curve], others, deviations)[0]
    weights = np.linalg.solve(among, across)
    variance = sum(x**2 for x in deviations) - weights @ across
    return mean + float(weights @ (levels - mean)), math.sqrt(variance)


@functools.lru_cache(maxsize=256)
def level_of(curve: Curve, prior: Prior) -> float:
    """log E of a curve, by its scores alone."""
    mean, *deviations = prior.level
    fit = Fit(curve, prior, (mean, math.hypot(*deviations)))
    spread = fit.level[1] ** 2
    across = np.linalg.solve(fit._factor, np.full(len(fit.clock), spread))
    posterior = mean + np.linalg.solve(fit._factor, fit._rest.T).T @ across
    return float(fit.weights @ posterior)


def alike(a: Sequence[Curve], b: Sequence[Curve], deviations: Sequence[float]) -> np.ndarray:
    """Covariances of the levels of curves, without that of a training with itself."""
    score, data, model, _ = deviations
    keys = [lambda x: x.score, lambda x: (x.score, x.data), lambda x: (x.score, x.model)]
    same = [np.array([[key(x) == key(y) for y in b] for x in a], "float64") for key in keys]
    return np.tensordot(np.square((score, data, model)), same, 1)


def _clock(images, prior):
    """The time of the drift: log(t / t₀), and more of it at the beginning. It walks from t₀ to both
    sides."""
    t = np.asarray(images, "float64")
    return np.log(t / REFERENCE) - (prior.early / t) ** 2 + (prior.early / REFERENCE) ** 2


def _shapes(images, prior):
    """log(r + (1 − r)(t / t₀)^−c) for each pair of c and r on the grid, `(pairs, images)`."""
    normal = statistics.NormalDist()
    nodes = np.array([normal.inv_cdf((i + 0.5) / NODES) for i in range(NODES)])
    c = np.exp(prior.decay[0] + prior.decay[1] * nodes)[:, None, None]
    r = 1 / (1 + np.exp(-prior.rest[0] - prior.rest[1] * nodes))[None, :, None]
    shapes = np.log(r + (1 - r) * (images / REFERENCE) ** -c)
    return shapes.reshape(NODES * NODES, len(images))


def _quantiles(values, weights, shares):
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return [values[order[min(np.searchsorted(below, q), len(below) - 1)]] for q in shares]
