"""Sources of data sets: examples that are read by index.

A source has `len()`, `specs` (shape and dtype of each component of one example), `class_names`
(or None) and `read(indices)`, which returns a tuple of arrays, the images first.
"""

import concurrent.futures
import os
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageOps

from ganzoo import backend
from ganzoo.datasets import levels


class Arrays(backend.ArraySource):
    """A source of arrays."""

    def __init__(self, *arrays, class_names=None):
        super().__init__(*arrays)
        self.class_names = class_names


class Rescaled:
    """A source whose values in a range become uint8, 0..255."""

    def __init__(self, source: Any, wanted: levels.Range) -> None:
        (shape, _), *rest = source.specs
        if len(shape) != 3:
            raise ValueError(
                f"`value_range` is for images. Received examples of shape {shape}: leave it out."
            )
        self.source = source
        self.wanted = wanted
        self.specs = ((shape, "uint8"), *rest)
        self.class_names = source.class_names

    def __len__(self):
        return len(self.source)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        images, *rest = self.source.read(indices)
        return (levels.rescaled(images, self.wanted), *rest)


class Resized:
    """A source whose images are brought to one size."""

    def __init__(self, source: Any, size: tuple[int, int]) -> None:
        (shape, dtype), *rest = source.specs
        if dtype != "uint8" or len(shape) != 3 or shape[2] > 4:
            raise ValueError(
                "`image_size` resizes uint8 images of 1 to 4 channels. Received "
                f"{dtype} of shape {shape}: make them uint8 by `value_range=(low, high)`, or "
                "resize them yourself and leave `image_size` out."
            )
        self.source = source
        self.size = size
        self.specs = (((*size, shape[2]), "uint8"), *rest)
        self.class_names = source.class_names

    def __len__(self):
        return len(self.source)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, ...]:
        images, *rest = self.source.read(indices)
        return (np.stack([fit(image, self.size) for image in images]), *rest)


def fit(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One `(h, w, c)` uint8 image scaled to cover `size` and cut to it at the centre."""
    grey = image.shape[2] == 1
    opened = Image.fromarray(image[..., 0] if grey else image)
    array = np.asarray(ImageOps.fit(opened, size[::-1], Image.Resampling.BICUBIC))
    return array[..., None] if grey else array


def settle(source: Any, limit: int) -> Any:
    """The source itself, or its arrays if they take at most `limit` bytes."""
    if isinstance(source, Arrays) or not hasattr(source, "read"):
        return source
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in source.specs)
    if len(source) * size > limit:
        return source
    pieces = np.array_split(np.arange(len(source)), max(1, len(source) // 256))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(source.read, pieces))
    return Arrays(*map(np.concatenate, zip(*parts)), class_names=source.class_names)
