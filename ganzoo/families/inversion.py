"""Inversion of a generator: the latents of a given image."""

import functools
import math
import typing
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import validation
from ganzoo.families import sampling
from ganzoo.families.prior import NormalPrior

POOL = 1024
"""Random latents from which the first guesses are chosen."""

RATE, BETA_1, BETA_2 = 0.2, 0.9, 0.9
"""Adam's largest learning rate and its decays."""

POLISH = 30
"""Most steps of Gauss and Newton."""

NUDGE = 0.003
"""By how much one latent is moved to see how the image changes with it."""

DAMPING = 10.0 ** np.arange(-6, 2)
"""Dampings that are tried in each step, relative to the mean of the diagonal."""

SHORT = 1e-6
"""Weight of the mean square of the latents, relative to that of the differences."""


class Projection(typing.NamedTuple):
    """What `project` finds, a row for each image."""

    latents: np.ndarray
    """`(n, latent_width)` float32, for `generate(n, latents=…)`."""
    labels: np.ndarray | None
    """`(n,)` int32: the classes, for `generate(n, labels=…)`; None for a model without classes."""
    errors: np.ndarray
    """`(n,)`: root mean square difference to the image, in grey levels, or in units of points."""


def project(
    self: Any,
    images: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    steps: int = 150,
    starts: int = 8,
    seed: int = 0,
    batch_size: int = 128,
) -> Projection:
    """Find the latents whose samples are most like given images, by gradient descent.

    For each image it begins at the nearest of 1,024 random samples, and at the model's own code of
    the image if it has an encoder. Adam moves all latents at once, at a learning rate that falls
    along a cosine; its loss is the mean square difference at full, half and quarter size. Damped
    Gauss-Newton steps then improve the nearest result of each image, unless the model samples in
    half precision. Of a model of two domains, the images are of the first. Abdal, Qin, Wonka 2019,
    "Image2StyleGAN: How to Embed Images Into the StyleGAN Latent Space?", section 5, describe the
    search by gradients.

    Args:
        images: `(n, height, width, channels)` of the model's shape, uint8, or float in [-1, 1].
        labels: for a conditional model: the class numbers of the images, or one for all. None:
            the classes of the nearest samples.
        steps: moves of Adam, at least 1.
        starts: where the search begins, for each image, at least 1.
        seed: whole number that fixes the random samples.
        batch_size: latents moved at once; bounds memory, with one number for each latent and
            pixel of an image.

    Returns:
        A `Projection`.

    Raises:
        ValueError: an argument is out of range, the images do not have the model's shape, or its
            prior is not the normal distribution.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=4, image_shape=(8, 8, 1), seed=0)
    >>> images = model.generate(2, seed=1)
    >>> found = model.project(images, steps=5)
    >>> found.latents.shape, found.errors.shape
    ((2, 4), (2,))
    """
    for name, value in (("steps", steps), ("starts", starts), ("batch_size", batch_size)):
        validation.integer(name, value)
    images = _checked(self, images)
    latents, classes = _guesses(self, images, labels, min(starts, POOL), seed)
    # In half precision a small change of the latents is lost in rounding.
    exact = not any("float16" in x.compute_dtype for x in self.sampler.layers)
    # Neither the network nor its settings can be asked for while compiling: a growing model reads
    # its step to know them.
    network = functools.partial(_made, self.sampler, self.settings(), self.num_classes)
    move = backend.compiled(functools.partial(_move, network))
    make = backend.compiled(network)
    at_once = max(1, batch_size // latents.shape[1])
    found = []
    for begin in range(0, len(images), at_once):
        part = slice(begin, begin + at_once)
        best = _search(self, move, images[part], latents[part], classes[part], steps)
        rows = zip(images[part], *best)
        found += [_polish(make, batch_size, *row) for row in rows] if exact else list(zip(*best))
    latents, classes = map(np.stack, zip(*found))
    labels = None if self.num_classes is None else classes
    made = self.generate(len(images), latents=latents, labels=labels)
    gaps = made.astype("float64") - self.modality.from_network(images)
    errors = np.sqrt(np.square(gaps).mean(axis=tuple(range(1, gaps.ndim))))
    return Projection(latents, labels, errors)


def _checked(model, images):
    """The images as the network makes them: float32 in [-1, 1]."""
    if not isinstance(model.latent_prior, NormalPrior):
        raise ValueError(
            f"{type(model).__name__} draws its latents from {type(model.latent_prior).__name__}, "
            "in which a gradient cannot move: `project` takes models with normal latents."
        )
    model.must_be_built()
    images = np.asarray(images)
    if images.shape[1:] != tuple(model.image_shape) or not len(images):
        wanted = ", ".join(map(str, ("n", *model.image_shape)))
        raise ValueError(
            f"`project` takes images of the model's shape, ({wanted}). Received: {images.shape}. "
            "`ganzoo.datasets.load(…, image_size=…)` resizes; one image is a batch: `image[None]`."
        )
    model.modality.check_dtype(images.dtype.name)
    model.modality.check_values(images)
    return model.modality.to_network(images)


def _guesses(model, images, labels, starts, seed):
    """`(n, starts, latent_width)` latents whose samples are near to each image, and their classes,
    `(n, starts)`."""
    count = len(images)
    classes = None if model.num_classes is None else np.arange(POOL) % model.num_classes
    latents = sampling.latents_for(model, POOL, seed=seed)
    if labels is None:
        made = [model.generate(POOL, latents=latents, labels=classes)] * count
    else:
        _, batches, *_ = sampling.sampler_inputs(model, count, labels, None, seed, None, count)
        (wanted,) = batches
        of_class = {c: model.generate(POOL, latents=latents, labels=c) for c in set(wanted)}
        made = [of_class[c] for c in wanted]
    chosen = [_nearest(model.modality.to_network(m), x, starts) for m, x in zip(made, images)]
    first = latents[np.stack(chosen)]
    if classes is None:
        kinds = np.zeros(first.shape[:2], "int32")
    elif labels is None:
        kinds = classes[np.stack(chosen)].astype("int32")
    else:
        kinds = np.repeat(wanted[:, None], first.shape[1], axis=1)
    if hasattr(model, "encode") and model.num_classes is None:
        codes = model.encode(model.modality.from_network(images))
        first = np.concatenate([codes[:, None].astype("float32"), first], axis=1)
        kinds = np.concatenate([kinds[:, :1], kinds], axis=1)
    return first, kinds


def _nearest(samples, image, count):
    """The indices of the samples nearest to an image."""
    distances = np.square(samples - image).mean(axis=tuple(range(1, samples.ndim)))
    return np.argsort(distances, kind="stable")[:count]


def _search(model, move, images, latents, classes, steps):
    """`(latents, classes)` of the best result for each image of a batch, by Adam."""
    count, starts, width = latents.shape
    targets = np.repeat(images, starts, axis=0)
    kinds = classes.reshape(-1)
    state = [latents.reshape(-1, width), *(np.zeros((count * starts, width), "float32"),) * 2]
    for step in range(steps):
        rate = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        rate *= (1 - BETA_2 ** (step + 1)) ** 0.5 / (1 - BETA_1 ** (step + 1))
        *state, losses = move(*state, targets, kinds, np.float32(rate))
    found = ops.convert_to_numpy(state[0]).reshape(count, starts, width)
    best = ops.convert_to_numpy(losses).reshape(count, starts).argmin(axis=1)
    rows = np.arange(count)
    return found[rows, best], classes[rows, best]


def _polish(make, at_once, image, latents, kind):
    """`(latents, class)` after damped steps of Gauss and Newton for one image."""

    def residuals(z):
        """How far the images of some latents are from the wanted one, a row for each."""
        parts = np.split(z.astype("float32"), range(at_once, len(z), at_once))
        made = np.concatenate(
            [ops.convert_to_numpy(make(x, np.full(len(x), kind, "int32"))) for x in parts]
        )
        gaps = (made - image).reshape(len(z), -1).astype("float64")
        squares = np.square(z).mean(axis=1, keepdims=True)
        outside = np.sqrt(np.maximum(squares - _far(z.shape[1]), 0))
        short = (SHORT / z.shape[1]) ** 0.5 * z
        return np.concatenate([gaps / gaps.shape[1] ** 0.5, outside, short], axis=1)

    z = latents.astype("float64")
    away = residuals(z[None])[0]
    for _ in range(POLISH):
        slopes = (residuals(z + NUDGE * np.eye(len(z))) - away) / NUDGE
        curvature, slope = slopes @ slopes.T, slopes @ away
        ridges = DAMPING[:, None, None] * np.eye(len(z)) * (np.trace(curvature) / len(z) + 1e-12)
        tries = z - np.linalg.solve(curvature + ridges, slope[:, None])[..., 0]
        further = residuals(tries)
        losses = np.square(further).sum(axis=1)
        before, best = np.square(away).sum(), losses.argmin()
        if losses[best] >= before:
            break
        z, away = tries[best], further[best]
        if losses[best] > 0.999 * before:
            break
    return z.astype("float32"), kind


def _far(width):
    """Mean square of the latents up to which they cost next to nothing: in the prior it is
    1 ± (2 / width)^½. Farther out the generator was never trained, and edits go wrong."""
    return 1.0 + 3.0 * (2.0 / width) ** 0.5


def _made(network, settings, num_classes, latents, classes):
    """The images of latents as the network makes them, float32."""
    ones = ops.ones((ops.shape(latents)[0], 1))
    inputs = [latents, *([classes] if num_classes else []), *(value * ones for value in settings)]
    made = network(inputs if len(inputs) > 1 else latents, training=False)
    if isinstance(made, dict):  # of two domains
        made = made["images"]
    return ops.cast(made, "float32")


def _move(made, latents, mean, square, targets, classes, rate):
    """One move of Adam, each latent vector by its own gradient."""

    def loss(z):
        outside = ops.relu(ops.mean(ops.square(z), axis=1) - _far(z.shape[1]))
        each = _differences(made(z, classes), targets)
        return ops.sum(each) + ops.sum(outside), each

    gradient, losses = backend.input_gradient(loss, latents, has_aux=True)
    mean = BETA_1 * mean + (1 - BETA_1) * gradient
    square = BETA_2 * square + (1 - BETA_2) * ops.square(gradient)
    return latents - rate * mean / (ops.sqrt(square) + 1e-8), mean, square, losses


def _differences(a, b):
    """The mean square difference of each pair at three sizes; of points, as they are."""
    sizes = (1, 2, 4) if len(a.shape) == 4 else (1,)
    total = 0.0
    for size in sizes:
        gap = a - b
        if size > 1:
            last = {"padding": "same", "data_format": "channels_last"}
            gap = ops.average_pool(gap, size, strides=size, **last)
        total = total + ops.mean(ops.square(gap), axis=tuple(range(1, len(gap.shape))))
    return total
