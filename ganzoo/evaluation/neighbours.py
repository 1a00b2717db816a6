"""Samples next to the nearest training images."""

import pathlib
from typing import Any

import numpy as np
from PIL import Image

from ganzoo import extractors
from ganzoo import images as images_module
from ganzoo import types
from ganzoo.evaluation.samples import batches_of
from ganzoo.metrics.manifold import nearest


def nearest_pictures(samples: np.ndarray, data: Any) -> np.ndarray:
    """The image in `data` nearest to each sample, by pixels at a size of at most 32×32.

    Args:
        samples: `(n, height, width, channels)` uint8.
        data: see `evaluate`; read once, in constant memory.

    Returns:
        An array like `samples`.
    """
    rows = pixels(samples)
    best, distances = np.zeros_like(samples), np.full(len(samples), np.inf)
    for images, _ in batches_of(data):
        indices, candidates = nearest(rows, pixels(images))
        nearer = candidates < distances
        best[nearer], distances[nearer] = images[indices[nearer]], candidates[nearer]
    return best


def save_nearest(
    samples: np.ndarray, train: Any, path: types.Path, held_out: Any = None
) -> pathlib.Path:
    """Save a grid of samples, each with its nearest training image and nearest held-out image.

    Args:
        samples: `(n, height, width, channels)` uint8; a dozen is enough.
        train, held_out: see `nearest_pictures`; `held_out` may be None.
        path: the PNG file.

    Returns:
        The path.
    """
    columns = [samples, nearest_pictures(samples, train)]
    if held_out is not None:
        columns.append(nearest_pictures(samples, held_out))
    sheet = np.stack(columns, axis=1).reshape(-1, *samples.shape[1:])
    return images_module.save_grid(sheet, path, columns=len(columns) * 4)


def pixels(images):
    """Rows of pixel values, 0 … 255, of images resized to at most 32×32."""
    size = tuple(min(32, side) for side in images.shape[1:3])
    return extractors.resized(images, size, Image.Resampling.BOX).reshape(len(images), -1)
