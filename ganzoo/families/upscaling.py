"""Models that enlarge images, trained on images alone."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from keras import random
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.extractors.base import resized
from ganzoo.families.image_to_image import ImageToImage
from ganzoo.families.trial import Trial
from ganzoo.game import data
from ganzoo.game.inference import batch_size_for
from ganzoo.layers import Resizing

SCALES = (2, 4)
"""Factors by which models enlarge height and width."""
TILE = 128
"""Height and width, at most, of the parts of an image that are enlarged one after the other."""
STEP = 32
"""Smaller parts have multiples of it as sides, so that images of many sizes compile few times."""


class Upscaler(ImageToImage):
    """Adversarial upscaling: the generator enlarges images by a whole factor.

    The data are images. The training step takes a part of each, the target, and makes a small image
    of it, by bicubic interpolation with antialiasing, which it rounds to 8 bits.

    Args:
        scale: factor of height and width, 2 or 4.
        crop: height and width of the part of each training image that a step takes, at a random
            place: a multiple of `scale` of at least 8. None: the whole image, without the rows and
            columns at its end by which it exceeds a multiple of `scale`.
        **kwargs: see `ganzoo.GAN` (`objective`, `learning_rate`, …) and `ganzoo.Game`.
    """

    def __init__(self, *, scale: int = 2, crop: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = validation.one_of("scale", scale, SCALES)
        self.crop = validation.optional(validation.integer, "crop", crop, least=8)
        if crop is not None and crop % scale:
            raise ValueError(
                f"`crop` must be a multiple of `scale`, which is {scale}. Received: {crop}. Pass "
                f"`crop={math.ceil(crop / scale) * scale}`."
            )

    @property
    def margin(self) -> int:
        """How many pixels of the small image on each side decide an enlarged pixel, at most."""
        raise NotImplementedError

    def check_shape(self, shape):
        if self.crop is not None and self.crop > min(shape[:2]):
            raise ValueError(
                f"`crop={self.crop}` is larger than the images, {shape[0]}×{shape[1]}. Pass "
                "`crop=None` for whole images, or load larger ones."
            )

    # Training ---------------------------------------------------------------------------------

    @property
    def target_shape(self) -> tuple[int, int, int]:
        """Shape of the targets in training."""
        height, width, depth = self.image_shape
        sides = (height, width) if self.crop is None else (self.crop, self.crop)
        return (*(n // self.scale * self.scale for n in sides), depth)

    @property
    def small_shape(self) -> tuple[int, int, int]:
        """Shape of the small images of whole images in training."""
        height, width, depth = self.image_shape
        return (height // self.scale, width // self.scale, depth)

    def derive(self, batch: types.Tensors) -> types.Tensors:
        """The parts of the images as `"examples"`, and the small images of them as `"small"`."""
        targets = self._parts(batch["examples"])
        return {"examples": targets, "images": targets, "small": self._small(targets)}

    def _parts(self, images):
        """A part of each image, at a random place; to judge a loss, at its centre."""
        height, width, depth = self.target_shape
        count, tall, wide, _ = ops.shape(images)
        if self.crop is None or self._judging:
            top, left = ((tall - height) // 2, (wide - width) // 2) if self.crop else (0, 0)
            return images[:, top : top + height, left : left + width]
        places = backend.drawn(random.uniform, (count, 2), seed=self.seed_generator)
        free = ops.convert_to_tensor([tall - height + 1, wide - width + 1], "float32")
        corners = ops.cast(ops.floor(places * free), "int32")
        rows = corners[:, :1] + ops.arange(height)
        columns = corners[:, 1:] + ops.arange(width)
        rows = rows + ops.arange(count)[:, None] * tall  # of all images, one below the other
        pixels = rows[:, :, None] * wide + columns[:, None]
        return ops.take(ops.reshape(images, (-1, depth)), pixels, axis=0)

    def _small(self, targets):
        """Small images of targets, as they would be in files."""
        height, width, _ = self.target_shape
        size = (height // self.scale, width // self.scale)
        resize = Resizing(*size, "bicubic", antialias=True, dtype="float32")
        levels = ops.round(resize.transform_images(targets) * 127.5 + 127.5)
        return ops.clip(levels, 0, 255) / 127.5 - 1.0

    # Using it ---------------------------------------------------------------------------------

    def upscale(
        self, images: ArrayLike | Sequence[ArrayLike], *, batch_size: int = 8
    ) -> np.ndarray | list[np.ndarray]:
        """Enlarge images.

        An image is extended by its reflection and enlarged in overlapping parts: neither their size
        nor other images change the result.

        Args:
            images: `(n, height, width, channels)`, `uint8` or float in [-1, 1], of any height and
                width; channels as in training. Or a list of images of several sizes, each
                `(height, width, channels)`.
            batch_size: parts of at most 128×128 pixels enlarged at once; bounds memory.

        Returns:
            A uint8 NumPy array `(n, scale · height, scale · width, channels)`; for a list, a list
            of such images.

        Raises:
            ValueError: the images do not fit the model, or it has no networks yet.
        """
        self.must_be_built()
        validation.integer("batch_size", batch_size)
        self._has_warned = False
        if isinstance(images, (list, tuple)):
            return [self._upscaled(np.asarray(x)[None], batch_size)[0] for x in images]
        return self._upscaled(np.asarray(images), batch_size)

    def _upscaled(self, images, batch_size):
        depth = self.image_shape[2]
        if images.ndim != 4 or images.shape[3] != depth or 0 in images.shape:
            raise ValueError(
                f"This model takes images of shape (n, height, width, {depth}), or a list of "
                f"images (height, width, {depth}). Received: {images.shape}. One image is a batch "
                "of one: `image[None]`."
            )
        self.modality.check_dtype(images.dtype.name)
        self.modality.check_values(images)
        data.warn_of_doubts(self, images)
        images = self.modality.to_network(images)
        count, height, width, _ = images.shape
        sides = [min(TILE, math.ceil(n / STEP) * STEP) for n in (height, width)]
        places = [
            (i, top, left)
            for i in range(count)
            for top in range(0, height, sides[0])
            for left in range(0, width, sides[1])
        ]
        around = [(self.margin, self.margin + -n % side) for n, side in zip((height, width), sides)]
        images = np.pad(images, ((0, 0), *around, (0, 0)), mode="symmetric")
        network, scale = self.in_use("generator"), self.scale
        size = batch_size_for(len(places), batch_size)
        large = np.empty((count, height * scale, width * scale, depth), "uint8")
        for start in range(0, len(places), size):
            some = places[start : start + size]
            parts = np.stack([_part(images, place, sides, 2 * self.margin) for place in some])
            made = self.inference.run(network, [parts], size, self.modality.postprocess)
            for place, part in zip(some, made):
                _put(large, scale, place, part, scale * self.margin)
        return large

    def shrink(self, images: ArrayLike) -> np.ndarray:
        """The small images that training would make of images: `(n, height, width, channels)` uint8
        to `(n, height // scale, width // scale, channels)` uint8."""
        images, scale = np.asarray(images), self.scale
        height, width = (n // scale for n in images.shape[1:3])
        whole = images[:, : height * scale, : width * scale]
        return resized(whole, (height, width), Image.Resampling.BICUBIC)

    def enlarge(self, images: ArrayLike) -> np.ndarray:
        """Bicubic enlargement of small images by `scale`, to compare with; uint8 to uint8."""
        images = np.asarray(images)
        size = tuple(n * self.scale for n in images.shape[1:3])
        return resized(images, size, Image.Resampling.BICUBIC)

    def trial(self, images: ArrayLike, *others: Any) -> Trial:
        """Shrink large images, and enlarge them again."""
        del others  # labels
        images, scale = np.asarray(images), self.scale
        height, width = (n // scale * scale for n in images.shape[1:3])
        small = self.shrink(images)
        after, before = np.asarray(self.upscale(small)), self.enlarge(small)
        return Trial(
            before, after, images[:, :height, :width], small, "the bicubic enlargement (Pillow)"
        )

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Enlarge float images in [-1, 1]; the result is in about [-1, 1] too."""
        return self.in_use("generator")(inputs, training=training)


def _part(images, place, sides, more):
    i, top, left = place
    return images[i, top : top + sides[0] + more, left : left + sides[1] + more]


def _put(large, scale, place, part, margin):
    """Put an enlarged part in its place, without its margin and what is outside of the image."""
    i, top, left = place[0], place[1] * scale, place[2] * scale
    part = part[margin : len(part) - margin, margin : part.shape[1] - margin]
    target = large[i, top : top + part.shape[0], left : left + part.shape[1]]
    target[...] = part[: target.shape[0], : target.shape[1]]
