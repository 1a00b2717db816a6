"""Walks: samples between latents, along dimensions and directions, and of their arithmetic."""

import typing

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import validation
from ganzoo.game import Game
from ganzoo.latent.sphere import slerp


class Walk(typing.NamedTuple):
    """Samples of latents that belong together: rows, and steps within each."""

    pictures: np.ndarray
    """`(rows, steps, height, width, channels)` uint8, as `generate` makes them."""
    latents: np.ndarray
    """`(rows, steps, latent_width)` float32."""
    strip: Image.Image
    """All samples as one image, one row below the other."""


def interpolate(
    model: Game,
    start: ArrayLike | None = None,
    end: ArrayLike | None = None,
    steps: int = 8,
    *,
    rows: int = 4,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Walk:
    """Walk from some latents to others along the sphere: see `slerp`.

    Args:
        model: a model that has `generate`.
        start: `(rows, latent_width)` latents, or one for all rows, `(latent_width,)`; for a model
            that has `encode`, they may be the codes of images. None: drawn from the prior.
        end: likewise.
        steps: samples in a row, both ends included, at least 2.
        rows: number of rows, if neither `start` nor `end` has several.
        seed: whole number that fixes the latents that are drawn.
        labels: for a conditional model: a class for each row, or one for all. None: the classes
            in turn.

    Returns:
        A `Walk`.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), seed=0)
    >>> ganzoo.latent.interpolate(model, steps=5, rows=3).pictures.shape
    (3, 5, 8, 8, 1)
    """
    validation.integer("steps", steps, least=2)
    validation.integer("rows", rows)
    model.generate  # noqa: B018  (a model without it names those that have it)
    ends = [_rows(name, x, model) for name, x in (("start", start), ("end", end))]
    counts = {len(x) for x in ends if x is not None and len(x) > 1}
    if len(counts) > 1:
        raise ValueError(
            "`start` and `end` must have as many rows as each other, or one. Received: "
            f"{len(ends[0])} and {len(ends[1])}."
        )
    if counts or all(x is not None for x in ends):
        rows = max(counts, default=1)
    rng = _generator(seed)
    drawn = [model.prior(rng, rows) for _ in ends]  # both: neither depends on the other
    ends = [np.broadcast_to(d if x is None else x, d.shape) for x, d in zip(ends, drawn)]
    way = slerp(ends[0][:, None], ends[1][:, None], np.linspace(0, 1, steps)[:, None])
    return _walk(model, way, labels)


def traverse(
    model: Game,
    dims: ArrayLike,
    values: ArrayLike = (-2.0, -1.0, 0.0, 1.0, 2.0),
    *,
    start: ArrayLike | None = None,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Walk:
    """Vary one dimension of the latents at a time, with all others fixed: a row for each.

    Args:
        model: a model that has `generate`.
        dims: numbers of the dimensions, 0 … latent_width − 1, or one of them.
        values: the numbers that each dimension is set to.
        start: `(latent_width,)` latents that all rows start from; for a model that has `encode`,
            this may be the code of an image. None: drawn from the prior.
        seed: whole number that fixes the latents that are drawn.
        labels: for a conditional model: a class for each row, or one for all. None: class 0.

    Returns:
        A `Walk`.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), seed=0)
    >>> ganzoo.latent.traverse(model, [0, 7], values=[-1, 0, 1]).pictures.shape
    (2, 3, 8, 8, 1)
    """
    model.generate  # noqa: B018
    width = model.latent_width
    dims = [
        validation.integer("dims", d, least=0) for d in np.atleast_1d(np.asarray(dims)).tolist()
    ]
    if not dims or max(dims) >= width:
        raise ValueError(
            f"`dims` must be numbers of latent dimensions, 0..{width - 1}. Received: {dims}."
        )
    values = _values(values)
    way = np.tile(_one_start(start, seed, model), (len(dims), len(values), 1))
    for row, dim in zip(way, dims):
        row[:, dim] = values
    return _walk(model, way, _one_class(labels, model))


def along(
    model: Game,
    vectors: ArrayLike,
    values: ArrayLike = (-3.0, -1.5, 0.0, 1.5, 3.0),
    *,
    start: ArrayLike | None = None,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Walk:
    """Walk from some latents along directions: a row for each direction, a step for each value.

    Args:
        model: a model that has `generate`.
        vectors: `(rows, latent_width)`, such as those of `directions`, or one of them.
        values: how far to go, in units of the vectors.
        start: `(latent_width,)` latents that all rows start from; for a model that has `encode`,
            this may be the code of an image. None: drawn from the prior.
        seed: whole number that fixes the latents that are drawn.
        labels: for a conditional model: a class for each row, or one for all. None: class 0.

    Returns:
        A `Walk`.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    >>> found = ganzoo.latent.directions(model, 2)
    >>> ganzoo.latent.along(model, found.vectors, values=[-2, 0, 2]).pictures.shape
    (2, 3, 8, 8, 1)
    """
    model.generate  # noqa: B018
    vectors = _rows("vectors", vectors, model)
    if vectors is None:
        raise ValueError(f"`vectors` must be (rows, {model.latent_width}). Received: None.")
    values = _values(values)
    way = _one_start(start, seed, model)[:, None] + values[:, None] * vectors[:, None]
    return _walk(model, way, _one_class(labels, model))


def arithmetic(
    model: Game, a: ArrayLike, b: ArrayLike, c: ArrayLike, *, labels: ArrayLike | None = None
) -> Walk:
    """Decode the mean of some latents minus the mean of others plus the mean of a third group.

    Radford, Metz, Chintala 2015, section 6.3.2: the latents of images of smiling women, minus
    those of neutral women, plus those of neutral men, gave smiling men. Means of three each were
    enough.

    Args:
        model: a model that has `generate`.
        a: `(n, latent_width)` latents, any number of them; for a model that has `encode`, they
            may be the codes of images.
        b: latents that are subtracted.
        c: latents that are added.
        labels: for a conditional model: one class. None: class 0.

    Returns:
        A `Walk` of one row with four steps: the means of `a`, `b` and `c`, and the result.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    >>> a, b, c = np.random.default_rng(0).standard_normal((3, 5, 6))
    >>> walk = ganzoo.latent.arithmetic(model, a, b, c)
    >>> walk.pictures.shape, walk.strip.width > walk.strip.height
    ((1, 4, 8, 8, 1), True)
    """
    model.generate  # noqa: B018
    groups = [_rows(name, x, model) for name, x in (("a", a), ("b", b), ("c", c))]
    for name, group in zip("abc", groups):
        if group is None:
            raise ValueError(
                f"`{name}` must be latents, (n, {model.latent_width}). Received: None."
            )
    a, b, c = (group.mean(axis=0) for group in groups)
    way = np.stack([a, b, c, a - b + c])[None]
    return _walk(model, way, _one_class(labels, model))


def _generator(seed):
    return np.random.default_rng(validation.integer("seed", seed, least=0))


def _rows(name, latents, model):
    """A user's latents as `(n, latent_width)` float32, or None."""
    if latents is None:
        return None
    rows = np.atleast_2d(np.asarray(latents, "float32"))
    if rows.ndim != 2 or rows.shape[1] != model.latent_width or not len(rows):
        raise ValueError(
            f"`{name}` must be latents of shape (n, {model.latent_width}) or "
            f"({model.latent_width},). Received: {np.shape(latents)}."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"`{name}` contains NaN or infinity.")
    return rows


def _values(values):
    values = np.asarray(values, "float32")
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(
            f"`values` must be a list of finite numbers, at least one. Received: {values}."
        )
    return values


def _one_start(start, seed, model):
    start = _rows("start", start, model)
    start = model.prior(_generator(seed), 1) if start is None else start
    if len(start) != 1:
        raise ValueError(f"`start` must be one vector of latents. Received: {len(start)}.")
    return start


def _one_class(labels, model):
    """Labels; without them class 0, if the model has classes."""
    return 0 if labels is None and model.num_classes else labels


def _walk(model, way, labels):
    """The samples of `(rows, steps, latent_width)` latents; each row has one class."""
    rows, steps, width = way.shape
    way = way.astype("float32")
    if labels is None and model.num_classes:
        labels = np.arange(rows) % model.num_classes
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape not in ((), (rows,)):
            raise ValueError(
                f"`labels` must be one class, or one for each of the {rows} rows. Received shape: "
                f"{labels.shape}."
            )
        labels = np.repeat(np.broadcast_to(labels, (rows,)), steps)
    samples = model.generate(rows * steps, latents=way.reshape(-1, width), labels=labels)
    strip = model.modality.preview(samples, steps)
    return Walk(samples.reshape(rows, steps, *samples.shape[1:]), way, strip)
