"""Samples next to the nearest training examples."""

import pathlib
from typing import Any

import numpy as np
from PIL import Image

from ganzoo import extractors
from ganzoo import types
from ganzoo.evaluation.samples import batches_of
from ganzoo.files import atomic
from ganzoo.metrics.manifold import nearest
from ganzoo.modalities import Modality
from ganzoo.modalities import kind_of


def nearest_pictures(
    samples: np.ndarray, data: Any, modality: Modality | None = None
) -> np.ndarray:
    """The example in `data` nearest to each sample: of images by pixels averaged to at most 32×32,
    of sounds by log-mel spectrograms of at most 32×32.

    Args:
        samples: `(n, *shape)`, as models make them: uint8 images, int16 sounds.
        data: see `evaluate`; read once, in constant memory.
        modality: `modality` of the model, which knows the rate of sounds; None: by the shape.

    Returns:
        An array like `samples`.
    """
    kind = modality or kind_of(samples.shape[1:])
    rows = likeness(samples, kind)
    best, distances = np.zeros_like(samples), np.full(len(samples), np.inf)
    for images, _ in batches_of(data):
        indices, candidates = nearest(rows, likeness(images, kind))
        nearer = candidates < distances
        best[nearer], distances[nearer] = images[indices[nearer]], candidates[nearer]
    return best


def save_nearest(
    samples: np.ndarray,
    train: Any,
    path: types.Path,
    held_out: Any = None,
    modality: Modality | None = None,
) -> pathlib.Path:
    """Save a sheet of samples, each with its nearest training example and nearest held-out one.

    Args:
        samples, modality: see `nearest_pictures`; a dozen is enough.
        train, held_out: see `nearest_pictures`; `held_out` may be None.
        path: the PNG file.

    Returns:
        The path.
    """
    kind = modality or kind_of(samples.shape[1:])
    columns = [samples, nearest_pictures(samples, train, kind)]
    if held_out is not None:
        columns.append(nearest_pictures(samples, held_out, kind))
    sheet = np.stack(columns, axis=1).reshape(-1, *samples.shape[1:])
    with atomic.replacing(pathlib.Path(path)) as partial:
        kind.preview(sheet, len(columns) * 4).save(partial)
    return pathlib.Path(path)


def likeness(examples, kind):
    """Rows whose distances show copies: pixel values, 0 … 255, of images resized to at most 32×32;
    `rows` of other kinds of data."""
    if kind.size is None:
        return kind.rows(examples)
    size = tuple(min(32, side) for side in kind.size)
    return extractors.resized(examples, size, Image.Resampling.BOX).reshape(len(examples), -1)
