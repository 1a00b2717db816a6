"""Differentiable augmentations: random changes to real and generated images alike, through which
the generator's gradient flows."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ganzoo import types
from ganzoo import validation
from ganzoo.augmentations.adaptive import AdaptiveAugmentation as AdaptiveAugmentation
from ganzoo.augmentations.diffaugment import PARTS as PARTS
from ganzoo.augmentations.diffaugment import color as color
from ganzoo.augmentations.diffaugment import cutout as cutout
from ganzoo.augmentations.diffaugment import translation as translation
from ganzoo.augmentations.transforms import TRANSFORMS as TRANSFORMS

Augmentation = Callable[[types.Tensor, keras.random.SeedGenerator], types.Tensor]


def get(
    augment: str | Augmentation | None,
    pictures: int = 1,
    target: float = 0.6,
    images: int = 500_000,
) -> Any:
    """Return an augmentation as a function `(images, seed) -> images`, float32.

    Args:
        augment: one of the following.

            * `"diffaugment"`, or some of its parts `"color"`, `"translation"` and `"cutout"`,
              separated by commas: every image is changed.
            * `"ada"`: each image is changed with a probability that adapts; or
              `"ada:xflip,scale,hue"`, with these of `TRANSFORMS` only. The result is an
              `AdaptiveAugmentation`.
            * None: no augmentation.
            * A function, which is returned unchanged.
        pictures: number of images in an example, one after the other in its channels. They are
            moved and cut together; each gets the same colour change, computed by itself.
        target, images: see `AdaptiveAugmentation`.

    Raises:
        ValueError: `augment` is none of these.

    Example:

    >>> import keras
    >>> seed = keras.random.SeedGenerator(0)
    >>> tuple(get("color,cutout")(keras.ops.zeros((2, 8, 8, 3)), seed).shape)
    (2, 8, 8, 3)
    """
    if augment is None:
        return lambda images, seed: images
    if callable(augment):
        return augment
    if not isinstance(augment, str):
        raise ValueError(f"`augment` is a string or None. Received: {augment!r}.")
    augment = augment.replace(" ", "")
    if augment == "ada" or augment.startswith("ada:"):
        transforms = augment.partition(":")[2].split(",") if ":" in augment else TRANSFORMS
        for name in transforms:
            validation.one_of("augment", name, TRANSFORMS)
        return AdaptiveAugmentation(transforms, pictures, target, images)
    parts = augment.split(",")
    for name in parts:
        validation.one_of("augment", name, ("ada", "diffaugment", *PARTS))
    if "ada" in parts:
        raise ValueError(
            f"'ada' goes with no other augmentation. Received: {augment!r}. Choose among its own "
            "transformations with a colon: 'ada:xflip,scale'."
        )
    names = list(PARTS) if "diffaugment" in parts else parts

    def change(images, seed):
        validation.image_batch("augment", augment, images.shape)
        images = ops.cast(images, "float32")
        for name in names:
            more = {"pictures": pictures} if name == "color" else {}
            images = PARTS[name](images, seed, **more)
        return images

    return change
