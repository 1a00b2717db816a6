"""DiffAugment: changes of colour, translation and cutout, of every image.

Zhao, Liu, Lin, Zhu, Han 2020, "Differentiable Augmentation for Data-Efficient GAN Training",
section 3.3 and appendix; the strengths are those of the authors' code.
"""

import keras
from keras import ops
from keras import random

from ganzoo import backend
from ganzoo import types


def _uniform_per_image(images, low, high, seed):
    """One uniform number for each image, in the shape `(n, 1, 1, 1)`."""
    shape = (ops.shape(images)[0], 1, 1, 1)
    return backend.drawn(random.uniform, shape, minval=low, maxval=high, seed=seed)


def color(
    images: types.Tensor, seed: keras.random.SeedGenerator, pictures: int = 1
) -> types.Tensor:
    """Change brightness by ±0.5, and multiply saturation by 0 to 2 and contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = (
        _uniform_per_image(images, low, high, seed)
        for low, high in ((-0.5, 0.5), (0.0, 2.0), (0.5, 1.5))
    )
    changed = []
    for x in ops.split(images, pictures, axis=-1):
        x = x + brightness
        if x.shape[-1] >= 3:
            grey = ops.mean(x, axis=-1, keepdims=True)
            x = grey + (x - grey) * saturation
        mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
        changed.append(mean + (x - mean) * contrast)
    return ops.concatenate(changed, axis=-1)


def translation(images: types.Tensor, seed: keras.random.SeedGenerator) -> types.Tensor:
    """Move each image by up to an eighth of its size along both axes, and fill in zeros."""
    for axis, sums in ((1, "bij,bjwc->biwc"), (2, "bij,bhjc->bhic")):
        side = images.shape[axis]
        most = int(side / 8 + 0.5)
        shape, bounds = (ops.shape(images)[0], 1), {"minval": -most, "maxval": most + 1}
        shift = backend.drawn(random.randint, shape, **bounds, seed=seed)
        # One matrix per image, with zero rows beyond the border, rather than a gather, whose
        # gradient would be a slow scatter.
        matrix = ops.one_hot(ops.arange(side) + shift, side, dtype=images.dtype)
        images = ops.einsum(sums, matrix, images)
    return images


def cutout(images: types.Tensor, seed: keras.random.SeedGenerator) -> types.Tensor:
    """Set a rectangle of half the height and width, at a random place, to zero."""
    inside: types.Tensor = None
    for axis in (1, 2):
        side = images.shape[axis]
        size = int(side / 2 + 0.5)
        shape, bounds = (ops.shape(images)[0], 1), {"minval": 0, "maxval": side + 1 - size % 2}
        centre = backend.drawn(random.randint, shape, **bounds, seed=seed)
        places = ops.arange(side)[None] - (centre - size // 2)
        along = ops.cast((places >= 0) & (places < size), images.dtype)
        along = ops.expand_dims(along, (2, 3) if axis == 1 else (1, 3))
        inside = along if inside is None else inside * along
    return images * (1.0 - inside)


PARTS = {"color": color, "translation": translation, "cutout": cutout}
