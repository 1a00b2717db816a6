"""The interface of extractors; pixels and functions as extractors."""

import hashlib
from collections.abc import Callable
from typing import Any
from typing import Protocol

import keras
import numpy as np
from PIL import Image

from ganzoo import types

BATCH = 256
"""Images in every batch of an extractor: a fixed number, so that the features of an image do not
depend on the number of images."""


class Extractor(Protocol):
    """The interface of extractors: see `ganzoo.extractors`."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str | None: ...
    @property
    def resize(self) -> str: ...
    @property
    def classes(self) -> int | None: ...
    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]: ...


def fingerprint(extractor: Extractor, shape: types.Shape) -> str:
    """The extractor's hash; if it has none, a hash of its outputs for a few fixed images.

    Args:
        extractor: an extractor.
        shape: of one image, or of one point.
    """
    if extractor.hash is not None:
        return extractor.hash
    rng = np.random.default_rng(0)
    probe = (
        rng.standard_normal((8, *shape), "float32")
        if len(shape) == 1
        else rng.integers(0, 256, (8, *shape), "uint8")
    )
    figures = []
    for name, output in sorted(extractor(probe).items()):
        output = np.asarray(output, "float64").reshape(8, -1)
        size = np.linalg.norm(output)
        # Few digits, relative to the norm of all, because other machines round differently.
        projected = output @ rng.standard_normal((output.shape[1], 4)) / (size or 1.0)
        figures += [name, f"{size:.2e}", *(f"{x:.2f}" for x in projected.round(2).ravel() + 0.0)]
    return hashlib.sha256(" ".join(figures).encode()).hexdigest()


class Function:
    """A user's own function as an extractor."""

    resize = "as the function does"
    hash = None
    classes = None

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        features = np.asarray(self.function(images))
        if features.ndim != 2 or len(features) != len(images) or features.dtype.kind not in "fiu":
            raise ValueError(
                f"The extractor {self.name!r} must return (n, d) numbers for n images. For "
                f"{len(images)} it returned {features.dtype} of shape {features.shape}."
            )
        return {"features": features.astype("float32")}


class Pixels:
    """The images themselves as features, scaled down to at most 16×16.

    For data that no network was trained on. Pixels show layout and colour, not meaning.
    """

    name = "pixels-16"
    hash = None
    classes = None
    resize = "Pillow, box filter, to at most 16×16"

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        height, width = (min(16, side) for side in images.shape[1:3])
        rows = resized(images, (height, width), Image.Resampling.BOX).reshape(len(images), -1)
        return {"features": rows.astype("float32") / 255}


def name_of(variable: keras.Variable) -> str:
    """A variable's name in a file, such as `conv_0/kernel`, without the name of the model."""
    return "/".join(variable.path.split("/")[-2:])


def resized(images: np.ndarray, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
    """Resize `(n, h, w, c)` uint8 images, by Pillow."""
    if images.shape[1:3] == tuple(size):
        return images
    sheets = [
        [np.asarray(Image.fromarray(image[..., i]).resize(size[::-1], how)) for i in channels]
        for image in images
        for channels in [range(images.shape[3])]
    ]
    return np.moveaxis(np.asarray(sheets, "uint8"), 1, -1)


def in_batches(network: keras.Model, images: np.ndarray, size: int = BATCH) -> list[np.ndarray]:
    """The outputs of a network, always computed for `size` images at once."""
    parts = []
    for start in range(0, len(images), size):
        part = images[start : start + size]
        short = size - len(part)
        full = np.concatenate([part, np.repeat(part[-1:], short, axis=0)])
        outputs = keras.tree.flatten(network.predict_on_batch(full))
        parts.append([np.asarray(x)[: len(part)] for x in outputs])
    return [np.concatenate(column).astype("float32") for column in zip(*parts)]
