"""Points: which image of a model is meant, and what its sliders change."""

import abc
import dataclasses
from typing import Any
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import latent
from ganzoo import validation
from ganzoo.game import Game

METHODS = {"GANSpace": "ganspace", "SeFa": "sefa", "single latents": None}
"""Methods that give the sliders' directions, by their names on the page."""
KNOWN = "known"
"""The method of sliders whose meaning is known: classes and latent codes."""
SLIDERS = 8
"""Number of directions on the page at a time."""
REACH = 4.0
"""How far a slider moves along a direction, which has length one. Latents are N(0, 1)."""
CODE_REACH = 2.0
"""How far a slider moves a latent code. In training it lies in [-1, 1]; the paper shows [-2, 2]."""
STOPS = 7
"""Images in the strip of a slider. Odd, so that the middle one is unmoved."""
MOST_STOPS = 20
"""Most images in the strip of a choice, such as the class."""
MOST_SEED = 2**53 - 1
"""The largest whole number that JSON keeps exactly."""
MOST_MOVES = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """An image that a model can make: where its latents come from, and how they are moved.

    Attributes:
        seed: seed of the latents, 0 … `MOST_SEED`.
        latents: `(latent_width,)` latents to start from, in place of random ones.
        variety: spread of the latents, 0 < variety ≤ 1, see `truncation_of`; 1 draws them as in
            training.
        label: class, for a conditional model. None: class 0.
        moves: `(method, number, amount)` of sliders that have moved, each slider once.
    """

    seed: int = 0
    latents: ArrayLike | None = None
    variety: float = 1.0
    label: int | None = None
    moves: tuple[tuple[str, int, float], ...] = ()

    @classmethod
    def of(cls, fields: Any) -> Self:
        """A point from the fields of a JSON object, each of which is checked.

        >>> Point.of({"seed": 7, "moves": [["SeFa", 0, 1.5]]}).moves
        (('SeFa', 0, 1.5),)
        """
        allowed = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(fields, dict):
            raise TypeError(f"A point must be an object. Received: {fields!r:.80}.")
        for name in fields:
            if name not in allowed:
                raise validation.unknown("field of a point", name, allowed)
        found = dict(fields)
        validation.integer("seed", _at_most("seed", found.get("seed", 0), MOST_SEED), least=0)
        validation.real("variety", found.get("variety", 1.0), above=0, most=1)
        validation.optional(validation.integer, "label", found.get("label"), least=0)
        found["moves"] = tuple(_moves(found.get("moves", ())))
        if found.get("latents") is not None:
            found["latents"] = _numbers(found["latents"])
        return cls(**found)

    def moved(self, method: str, number: int, amount: float) -> "Point":
        """The point with one slider at another amount."""
        others = [move for move in self.moves if move[:2] != (method, number)]
        return dataclasses.replace(self, moves=(*others, (method, number, amount)))

    def amount(self, method: str, number: int) -> float | None:
        """Where a slider is; None if it has not moved."""
        return next((m[2] for m in self.moves if m[:2] == (method, number)), None)


def _at_most(name, value, most):
    if isinstance(value, int) and value > most:
        raise ValueError(f"`{name}` must be at most {most}.")
    return value


def _moves(moves):
    if not isinstance(moves, (list, tuple)) or len(moves) > MOST_MOVES:
        raise ValueError(f"`moves` must be a list of at most {MOST_MOVES}.")
    for move in moves:
        if not isinstance(move, (list, tuple)) or len(move) != 3:
            raise ValueError(f"A move is [method, number, amount]. Received: {move!r:.80}.")
        method, number, amount = move
        validation.one_of("method", method, (KNOWN, *METHODS))
        number = validation.integer("number of a slider", number, least=0)
        yield method, number, validation.real("amount", amount)


def _numbers(latents):
    array = np.asarray(latents, "float32")
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError("`latents` must be a list of finite numbers.")
    return array


def truncation_of(variety: float, of_latents: bool) -> float | None:
    """The `truncation` of `generate` for a variety.

    Args:
        variety: 0 < variety ≤ 1. Of truncated latents, it is their standard deviation; of styles,
            the share of their distance from the mean that remains, StyleGAN's ψ.
        of_latents: whether truncation cuts off the latents.

    Returns:
        None for 1, which leaves all as it is.

    Example:

    >>> round(truncation_of(0.88, of_latents=True), 2), truncation_of(0.88, of_latents=False)
    (2.0, 0.88)
    """
    from scipy import stats

    if variety >= 1:
        return None
    if not of_latents:
        return variety
    limits = np.linspace(0.01, 5, 500)
    density, below = stats.norm.pdf(limits), stats.norm.cdf(limits)
    spreads = np.sqrt(1 - 2 * limits * density / (2 * below - 1))
    return float(np.interp(variety, spreads, limits))


# Ways: what sliders change --------------------------------------------------------------------


@dataclasses.dataclass
class Draft:
    """What sliders change before an image is made: `(latent_width,)` latents, and the class."""

    latents: np.ndarray
    label: int


@dataclasses.dataclass(frozen=True)
class Way(abc.ABC):
    """What one slider changes.

    Attributes:
        name: what it is called, for those who do not see its strip.
        stops: amounts whose images make its strip, in order; the slider reaches from first to last.
        words: names of the stops, if it is a choice among them; otherwise empty.
    """

    name: str
    stops: tuple[float, ...]
    words: tuple[str, ...] = ()

    @abc.abstractmethod
    def change(self, draft: Draft, amount: float) -> None:
        """Apply an amount to a draft."""

    @abc.abstractmethod
    def start(self, draft: Draft) -> float:
        """Where the slider is before it has moved."""


@dataclasses.dataclass(frozen=True)
class Direction(Way):
    """A direction of the latents, of length one."""

    vector: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))

    def change(self, draft: Draft, amount: float) -> None:
        draft.latents = draft.latents + np.float32(amount) * self.vector

    def start(self, draft: Draft) -> float:
        return 0.0


@dataclasses.dataclass(frozen=True)
class Code(Way):
    """A continuous latent code, which is one of the latents."""

    place: int = 0

    def change(self, draft: Draft, amount: float) -> None:
        draft.latents = draft.latents.copy()
        draft.latents[self.place] = amount

    def start(self, draft: Draft) -> float:
        return float(draft.latents[self.place])


@dataclasses.dataclass(frozen=True)
class Category(Way):
    """A categorical latent code: latents of which one is 1 and the others are 0."""

    place: int = 0

    def change(self, draft: Draft, amount: float) -> None:
        draft.latents = draft.latents.copy()
        draft.latents[self._places] = 0
        draft.latents[self.place + int(amount)] = 1

    def start(self, draft: Draft) -> float:
        return float(draft.latents[self._places].argmax())

    @property
    def _places(self):
        return slice(self.place, self.place + len(self.stops))


@dataclasses.dataclass(frozen=True)
class Class(Way):
    """The class of a conditional model."""

    def change(self, draft: Draft, amount: float) -> None:
        draft.label = int(amount)

    def start(self, draft: Draft) -> float:
        return float(draft.label)


def known(model: Game, classes: list[str]) -> list[Way]:
    """The sliders of a model whose meaning is known: its classes and latent codes."""
    ways: list[Way] = []
    if classes:
        ways.append(Class("class", tuple(map(float, range(len(classes)))), tuple(classes)))
    codes = getattr(model, "coding", None)
    if codes is None:
        return ways
    place = model.latent_width - codes.width
    several = len(codes.categories) > 1
    for i, count in enumerate(codes.categories):
        name, words = f"category {i}" if several else "category", tuple(map(str, range(count)))
        stops = tuple(map(float, range(count)))
        ways.append(Category(name, stops, words, place))
        place += count
    stops = tuple(np.linspace(-CODE_REACH, CODE_REACH, STOPS).tolist())
    numbers = range(place, model.latent_width)
    return ways + [Code(f"code {i}", stops, place=place) for i, place in enumerate(numbers)]


def directions(model: Game, method: str) -> list[Way]:
    """The directions that a method finds in a model, the strongest first; or its single latents."""
    width = model.latent_width
    name = METHODS[validation.one_of("method", method, tuple(METHODS))]
    if name is None:
        named = zip((f"latent {i}" for i in range(width)), np.eye(width, dtype="float32"))
    else:
        found = latent.directions(model, width, method=name, samples=max(2000, 2 * width))  # type: ignore[arg-type]
        shares = (f"{method} {i} ({x:.0%} of the variance)" for i, x in enumerate(found.shares))
        named = zip(shares, found.vectors)
    stops = tuple(np.linspace(-REACH, REACH, STOPS).tolist())
    return [Direction(name, stops, vector=vector) for name, vector in named]
