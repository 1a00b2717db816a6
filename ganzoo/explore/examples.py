"""Example images for models that take images: samples of other weights of the package."""

import functools
import math
import pathlib
import re

import numpy as np
from PIL import Image

from ganzoo import types
from ganzoo import zoo
from ganzoo.game import Game
from ganzoo.zoo import catalogue


def example_for(title: str, data: str, shape: types.Shape, seed: int = 0) -> tuple[np.ndarray, str]:
    """An image of a shape, as similar as possible to the data that a model was trained on.

    Args:
        title: title of the model, which is not its own example if others are as similar.
        data: name of its data.
        shape: `(height, width, channels)` of the image.
        seed: which one.

    Returns:
        The image, `(height, width, channels)` uint8, and the name of the weights that made it.

    Example:

    >>> image, maker = example_for("vae.fashion_mnist", "fashion_mnist", (28, 28, 1))
    >>> image.shape, maker
    ((28, 28, 1), 'r3gan.fashion_mnist')
    """
    name = _nearest(title, data, tuple(shape))
    model = _model(name)
    labels = seed % model.num_classes if model.num_classes else None
    sample = model.generate(1, seed=seed, labels=labels)[0]
    return _brought_to(sample, shape), name


@functools.lru_cache(2)
def _model(name: str) -> Game:
    model, _, tag = name.partition(".")
    return zoo.get(model, weights=tag)


@functools.cache
def _nearest(title, data, shape):
    """The name of the weights whose samples are most like some data."""

    def distance(item):
        name, row = item
        other = tuple(row.config["image_shape"])
        mine, its = _words(data), _words(row.data["name"])
        shared = len(mine & its) / max(1, len(mine | its))
        score = float(row.frechet[0]) if row.frechet else np.inf
        enlarged = abs(math.log(other[0] / shape[0]))
        unlike = (-shared, other[2] != shape[2], enlarged, other != shape, name == title)
        return *unlike, len(row.remarks), score

    makers = {name: row for name, row in catalogue.rows().items() if _makes_images(row)}
    return min(makers.items(), key=distance)[0]


def _makes_images(row):
    # The page reaches no other machine: weights that must be downloaded are no examples.
    has_shape = len(row.config.get("image_shape") or ()) == 3
    return row.url is None and has_shape and hasattr(zoo.model_class(row.model), "generate")


def _words(name):
    """The words in the name of a data set, without its ending."""
    return set(re.split(r"[^a-z]+", pathlib.Path(name).stem.lower())) - {""}


def _brought_to(image, shape):
    """An image in another size and with other channels."""
    height, width, channels = shape
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    own = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).convert(mode)
    if own.size != (width, height):
        own = own.resize((width, height), Image.Resampling.BICUBIC)
    array = np.asarray(own)
    return array[..., None] if array.ndim == 2 else array
