"""The networks of SRGAN and ESRGAN: a generator that enlarges images of any size, and a
discriminator.

Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", section 2.1 and figure 4; Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution Generative
Adversarial Networks", section 3.1.
"""

import math
from typing import Any

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import BatchNorm
from ganzoo.layers import Conv2D
from ganzoo.layers import Enlarge
from ganzoo.layers import PixelShuffle
from ganzoo.networks import dcgan

BLOCKS = ("residual", "dense")
"""Kinds of blocks: SRGAN's, and ESRGAN's residual-in-residual dense blocks."""
DENSE_PARTS = 3
"""Dense blocks in one of ESRGAN's blocks."""
DENSE_LAYERS = 5
"""Convolutions in a dense block."""
SHARE = 0.2
"""Share with which a dense block's result is added (residual scaling)."""


def _conv(filters, strides=1, scale=2.0, **options):
    """A convolution of 3×3. He's initialisation, smaller by a tenth where it ends a branch: deep
    networks without normalisation start as the identity (Wang et al. 2018, section 3.1)."""
    start = keras.initializers.VarianceScaling(scale, mode="fan_in")
    return Conv2D(filters, 3, strides, padding="same", kernel_initializer=start, **options)


def _last(filters, **options):
    return _conv(filters, scale=0.02, **options)


def _active(x):
    return layers.LeakyReLU(0.2)(x)


def _residual(x, channels, batch_norm):
    """SRGAN's block; without normalisation that of EDSR."""
    normal = BatchNorm if batch_norm else layers.Identity
    y = _active(normal()(_conv(channels, use_bias=not batch_norm)(x)))
    y = normal()(_last(channels, use_bias=not batch_norm)(y))
    return layers.Add()([x, y])


def _scaled(x, y):
    return layers.Add()([x, layers.Rescaling(SHARE)(y)])


def _dense(x, channels):
    """ESRGAN's block: residual-in-residual dense. Each inner layer adds half as many channels."""
    start = x
    for _ in range(DENSE_PARTS):
        features = [x]
        for i in range(DENSE_LAYERS - 1):
            joined = layers.Concatenate()(features) if i else x
            features.append(_active(_conv(max(1, channels // 2))(joined)))
        x = _scaled(x, _last(channels)(layers.Concatenate()(features)))
    return _scaled(start, x)


def margin(blocks: int, block: str) -> int:
    """How many pixels of the small image on each side, at least, decide an enlarged pixel.

    >>> margin(8, "residual"), margin(3, "dense")
    (20, 49)
    """
    convolutions = {"residual": 2, "dense": DENSE_PARTS * DENSE_LAYERS}[block]
    # At the small size the first and the last one, and one before the first doubling; of those at
    # larger sizes, two count less than one together.
    return convolutions * blocks + 4


def generator(
    depth: int,
    scale: int,
    channels: int = 32,
    blocks: int = 8,
    block: str = "residual",
    batch_norm: bool = False,
) -> keras.Model:
    """Network from small images `(batch, height, width, depth)` in [-1, 1], of any size from 2×2,
    to float32 images `scale` times as high and wide: the bicubic enlargement and what is added to
    it, at first nothing. `scale` is a power of 2, `block` one of `BLOCKS`.
    """
    images = keras.Input((None, None, depth), name="images")
    x = start = _active(_conv(channels)(images))
    for _ in range(blocks):
        x = _dense(x, channels) if block == "dense" else _residual(x, channels, batch_norm)
    x = layers.Add()([start, _last(channels)(x)])
    for _ in range(int(math.log2(scale))):
        x = _active(PixelShuffle(2)(_conv(4 * channels)(x)))
    x = Conv2D(depth, 3, padding="same", kernel_initializer="zeros", dtype="float32")(x)
    large = layers.Add(dtype="float32", name="enlarged")([Enlarge(scale)(images), x])
    return keras.Model(images, large, name="generator")


def discriminator(image_shape: types.Shape, channels: int = 32) -> keras.Model:
    """Network from images `(batch, *image_shape)` to logits `(batch, 1)`.

    Pairs of convolutions, the second of which halves the image and after which the width, at first
    `channels`, doubles: four for images from 64×64, fewer for smaller ones.
    """
    halvings = min(4, len(dcgan.sizes(*image_shape[:2])) - 1)
    images = keras.Input(image_shape, name="images")
    x = _active(_conv(channels)(images))
    for i in range(halvings):
        if i:
            x = _normal(x, channels * 2**i)
        x = _normal(x, channels * 2**i, strides=2)
    x = _active(layers.Dense(16 * channels, kernel_initializer="he_normal")(layers.Flatten()(x)))
    return keras.Model(images, dcgan.head(1, "logits")(x), name="discriminator")


def _normal(x: types.Tensor, filters: int, **options: Any) -> types.Tensor:
    return _active(BatchNorm()(_conv(filters, use_bias=False, **options)(x)))
