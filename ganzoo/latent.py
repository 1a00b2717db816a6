"""Walks through the latents of a model: what lies between, along and beside its pictures."""

import typing
from typing import Literal

import keras
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import images
from ganzoo import validation
from ganzoo.game import Game


class Walk(typing.NamedTuple):
    """Pictures of latents that belong together: rows, and steps within each."""

    pictures: np.ndarray
    """`(rows, steps, height, width, channels)` uint8, as `generate` makes them."""
    latents: np.ndarray
    """`(rows, steps, latent_width)` float32."""
    strip: Image.Image
    """All of them as one picture, a row below the other."""


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
    """From some latents to others along the sphere: see `slerp`.

    Args:
        model: a model that has `generate`.
        start: `(rows, latent_width)` latents, or one for all rows, `(latent_width,)`; for a model
            that has `encode`, they may be the codes of pictures. None: drawn from the prior.
        end: likewise.
        steps: pictures in a row, both ends included, at least 2.
        rows: how many rows, where neither `start` nor `end` says so.
        seed: whole number that fixes what is drawn.
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
    >>> interpolate(model, steps=5, rows=3).pictures.shape
    (3, 5, 8, 8, 1)
    """
    validation.integer("steps", steps, least=2)
    validation.integer("rows", rows)
    model.generate  # noqa: B018  (a model without it says which have it)
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
    drawn = [model.prior(rng, rows) for _ in ends]  # an end is the same, whatever the other is
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
    """One dimension of the latents at a time, with all others fixed: a row for each.

    Args:
        model: a model that has `generate`.
        dims: numbers of the dimensions, 0 … latent_width − 1, or one of them.
        values: what each of them is set to.
        start: `(latent_width,)` latents that all rows start from; for a model that has `encode`,
            this may be the code of a picture. None: drawn from the prior.
        seed: whole number that fixes what is drawn.
        labels: for a conditional model: a class for each row, or one for all. None: class 0.

    Returns:
        A `Walk`.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), seed=0)
    >>> traverse(model, [0, 7], values=[-1, 0, 1]).pictures.shape
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


def arithmetic(
    model: Game, a: ArrayLike, b: ArrayLike, c: ArrayLike, *, labels: ArrayLike | None = None
) -> Walk:
    """The mean of some latents minus the mean of others plus the mean of a third group.

    Radford, Metz, Chintala 2015, section 6.3.2: the latents of pictures of smiling women, minus
    those of neutral women, plus those of neutral men, gave smiling men; means of three each were
    enough.

    Args:
        model: a model that has `generate`.
        a: `(n, latent_width)` latents, any number of them; for a model that has `encode`, they
            may be the codes of pictures.
        b: latents that are taken away.
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
    >>> walk = arithmetic(model, a, b, c)
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


class Directions(typing.NamedTuple):
    """Ways through the latents along which pictures change most, the strongest first."""

    vectors: np.ndarray
    """`(count, latent_width)` float32, each of length one."""
    shares: np.ndarray
    """`(count,)`: the share of each in the variance of what the method looks at, 0 … 1."""
    method: str
    """How they were found."""


def directions(
    model: Game,
    count: int = 10,
    *,
    method: Literal["ganspace", "sefa"] = "ganspace",
    samples: int = 2000,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Directions:
    """Find the latents' principal directions, without labels and without training.

    `"sefa"`: Shen, Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs", section 3:
    the eigenvectors of A Aᵀ, where A are the weights of the first layer that the latents meet.

    `"ganspace"`: Härkönen, Hertzmann, Lehtinen, Paris 2020, "GANSpace: Discovering Interpretable
    GAN Controls", sections 3.1 and 3.3: the principal components of what the generator computes
    early on (what enters its second layer with weights; of StyleGAN2, the styles), and for each the
    direction of the latents that leads along it, by linear regression.

    Args:
        model: a model that has `generate`.
        count: how many, at most `latent_width`; there are fewer where a layer is narrower.
        method: `"ganspace"` or `"sefa"`.
        samples: latents drawn for `"ganspace"`; at least twice `latent_width`.
        seed: whole number that fixes them.
        labels: for a conditional model and `"ganspace"`: a class for all of them. None: the classes
            in turn.

    Returns:
        `Directions`. Signs are such that the largest entry of each is positive.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    >>> found = directions(model, 3)
    >>> found.vectors.shape, bool((np.diff(found.shares) <= 0).all())
    ((3, 6), True)
    """
    model.generate  # noqa: B018
    width = model.latent_width
    if validation.integer("count", count) > width:
        raise ValueError(f"`count` must be at most {width}, of `latent_width`. Received: {count}.")
    validation.one_of("method", method, ("ganspace", "sefa"))
    model.must_be_built()
    if method == "sefa":
        weights = _first_weights(model.sampler, width)
        values, vectors = np.linalg.eigh(weights @ weights.T)
        vectors = vectors.T[::-1]
        values = np.maximum(values[::-1], 0) / max(values.sum(), 1e-12)
    else:
        validation.integer("samples", samples, least=2 * width)
        from sklearn import decomposition  # takes a second, for which nothing else need wait

        latents, features = _early(model, samples, seed, labels)
        components = decomposition.PCA(min(count, features.shape[1]), random_state=0)
        with np.errstate(invalid="ignore"):  # its ratios, where a dead generator says the same
            coordinates = components.fit_transform(features)
        values = components.explained_variance_ / max(features.var(axis=0, ddof=1).sum(), 1e-12)
        vectors = np.linalg.lstsq(coordinates, latents, rcond=None)[0]
    vectors = vectors[:count]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    vectors = np.where(largest < 0, -vectors, vectors)
    return Directions(vectors.astype("float32"), values[:count], method)


def along(
    model: Game,
    vectors: ArrayLike,
    values: ArrayLike = (-3.0, -1.5, 0.0, 1.5, 3.0),
    *,
    start: ArrayLike | None = None,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Walk:
    """From some latents along directions: a row for each direction, a step for each value.

    Args:
        model: a model that has `generate`.
        vectors: `(rows, latent_width)`, such as those of `directions`, or one of them.
        values: how far, in units of the vectors.
        start: `(latent_width,)` latents that all rows start from; for a model that has `encode`,
            this may be the code of a picture. None: drawn from the prior.
        seed: whole number that fixes what is drawn.
        labels: for a conditional model: a class for each row, or one for all. None: class 0.

    Returns:
        A `Walk`.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    >>> along(model, directions(model, 2).vectors, values=[-2, 0, 2]).pictures.shape
    (2, 3, 8, 8, 1)
    """
    model.generate  # noqa: B018
    vectors = _rows("vectors", vectors, model)
    if vectors is None:
        raise ValueError(f"`vectors` must be (rows, {model.latent_width}). Received: None.")
    values = _values(values)
    way = _one_start(start, seed, model)[:, None] + values[:, None] * vectors[:, None]
    return _walk(model, way, _one_class(labels, model))


def _flat(network):
    """The layers of a network and of the networks in it, in order."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _flat(layer)
        else:
            yield layer


def _weighs(layer):
    """Whether it is a network, or a layer with a kernel, maybe wrapped."""
    return isinstance(layer, keras.Model) or hasattr(getattr(layer, "layer", layer), "kernel")


def _takes_vectors(layer):
    return _weighs(layer) and len(getattr(layer, "layer", layer).kernel.shape) == 2


def _first_weights(network, width):
    """`(width, features)`: the rows of the first dense layer's kernel that the latents meet; beside
    them there may be what stands for a label. One factor for all, such as equalised and spectrally
    normalised layers have, changes no direction."""
    layer = next(layer for layer in _flat(network) if _takes_vectors(layer))
    kernel = getattr(layer, "layer", layer).kernel
    return keras.ops.convert_to_numpy(kernel)[:width].astype("float64")


def _early(model, samples, seed, labels):
    """Latents and what the network computes of them early on, `(samples, features)`, each less
    the mean of its class."""
    network = model.sampler
    first, second, *_ = (x for x in network.layers if _weighs(x))
    # Of networks in a network the first makes styles, and its inputs are those of both.
    early = first if isinstance(first, keras.Model) else keras.Model(network.inputs, second.input)
    latents = model.prior(_generator(seed), samples)
    if labels is None and model.num_classes:
        labels = np.arange(samples) % model.num_classes
    columns = model._columns(samples, labels, latents, None, None, samples)
    inputs = [next(iter(column)) for column in columns]
    features = keras.ops.cast(early(inputs, training=False), "float32")
    features = keras.ops.convert_to_numpy(features)[-samples:]  # a reference batch goes before
    found = [x.reshape(samples, -1).astype("float64") for x in (latents, features)]
    groups = np.broadcast_to(0 if labels is None else labels, samples)
    for group in np.unique(groups):  # what differs between classes, latents cannot move
        for x in found:
            x[groups == group] -= x[groups == group].mean(axis=0)
    return found


def slerp(start: ArrayLike, end: ArrayLike, share: ArrayLike) -> np.ndarray:
    """Points on the way from some vectors to others, turning at a constant speed.

    Shoemake 1985, "Animating Rotation with Quaternion Curves"; White 2016, "Sampling Generative
    Networks" (arXiv:1609.04468): normal latents of many dimensions lie near a sphere, and a
    straight line between two of them would leave it. The direction turns by equal angles, the
    length changes evenly. Between opposite vectors one of the many ways is taken, always the same.

    Args:
        start, end: arrays whose last axis is the vector's.
        share: of the way, 0 … 1; all three are broadcast.

    Returns:
        An array of float64.

    Example:

    >>> slerp([1.0, 0.0], [0.0, 2.0], 0.5).round(3).tolist()
    [1.061, 1.061]
    """
    start, end, share = (np.asarray(x, "float64") for x in (start, end, share))
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (start, end)]
    # A vector of length zero has no direction: that of the other one will do.
    u, v = (_directions(*pair) for pair in ((start, end), (end, start)))
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


def _directions(vectors, others):
    vectors, others = np.broadcast_arrays(vectors, others)
    norm = lambda x: np.linalg.norm(x, axis=-1, keepdims=True)
    vectors = np.where(norm(vectors) > 0, vectors, others)
    return vectors / np.where(norm(vectors) > 0, norm(vectors), 1.0)


def _generator(seed):
    return np.random.default_rng(validation.integer("seed", seed, least=0))


def _rows(name, latents, model):
    """A user's latents as `(n, latent_width)` float32, or None."""
    if latents is None:
        return None
    found = np.atleast_2d(np.asarray(latents, "float32"))
    if found.ndim != 2 or found.shape[1] != model.latent_width or not len(found):
        raise ValueError(
            f"`{name}` must be latents of shape (n, {model.latent_width}) or "
            f"({model.latent_width},). Received: {np.shape(latents)}."
        )
    if not np.isfinite(found).all():
        raise ValueError(f"`{name}` contains NaN or infinity.")
    return found


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
    """Labels, or class 0 where there are classes and none is said."""
    return 0 if labels is None and model.num_classes else labels


def _walk(model, way, labels):
    """The pictures of `(rows, steps, latent_width)` latents; a row has one class."""
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
    pictures = model.generate(rows * steps, latents=way.reshape(-1, width), labels=labels)
    strip = images.grid(pictures, columns=steps)
    return Walk(pictures.reshape(rows, steps, *pictures.shape[1:]), way, strip)
