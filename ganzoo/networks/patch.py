"""Discriminators of overlapping patches (PatchGAN)."""

import math

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import InstanceNorm
from ganzoo.networks.unet import conv


def patch_layers(height: int, width: int) -> int:
    """The discriminator's number of halvings: three, or fewer to leave at least four pixels.

    >>> patch_layers(256, 256), patch_layers(28, 28), patch_layers(8, 8)
    (3, 2, 1)
    """
    return max(1, min(3, int(math.log2(min(height, width) / 4))))


def check_patch_layers(count: int, height: int, width: int) -> None:
    """Raise a `ValueError` if `count` halvings leave less than 2×2: instance normalisation makes
    all single pixels the same, and the discriminator would see nothing.

    >>> check_patch_layers(3, 28, 28)
    """
    most = int(math.log2(min(height, width))) - 1
    if count is not None and count > most:
        raise ValueError(
            f"`patch_layers` must be at most {most} for images of {height}×{width}. "
            f"Received: {count}."
        )


def receptive_field(count: int) -> int:
    """Height and width of the receptive field of one logit after `count` halvings.

    >>> [receptive_field(n) for n in range(1, 6)]
    [16, 34, 70, 142, 286]
    """
    return 9 * 2**count - 2


def patch_discriminator(
    image_shape: types.Shape,
    channels: int = 64,
    count: int | None = None,
    affine: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Network from images to logits `(batch, height / 2ⁿ, width / 2ⁿ, 1)`, one for each patch
    (PatchGAN).

    `count` is n, the number of halvings; each patch is then 9 · 2ⁿ − 2 high and wide: 70 for 3.
    None: see `patch_layers`. `channels` is the width at half resolution; it doubles at most three
    times.
    """
    height, width, depth = image_shape
    count = count or patch_layers(height, width)
    x = images = keras.Input((None, None, depth), name="images")
    for i in range(count + 1):
        x = conv(channels * min(2**i, 8), strides=2 if i < count else 1, use_bias=i == 0)(x)
        if i:
            x = InstanceNorm(affine)(x)
        x = layers.LeakyReLU(0.2)(x)
    logits = conv(1, strides=1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)
