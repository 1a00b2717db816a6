"""Projected GAN's networks: a frozen network of features, frozen random mixtures of these, and
small discriminators, one for each scale.

Sauer, Chitta, Müller, Geiger 2021, "Projected GANs Converge Faster", section 3. Widths and kernels
are those of the authors' code.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from ganzoo import types
from ganzoo.layers import Conv2D
from ganzoo.layers import Resizing
from ganzoo.networks import fastgan

SCALES = 4
DISCRIMINATOR = (8, 4, 2, 1, 1)
"""Channels of the small discriminators from the last size up, in units of `channels`."""


def random_features() -> keras.Model:
    """A small frozen network of random weights, in place of a trained one: from images `(batch,
    height, width, 3)` of any size to maps at a quarter, an eighth, a 16th and a 32nd of the size.

    It is the same network each time, on every backend.
    """
    rng, plain = np.random.default_rng(0), {"data_format": "channels_last", "dtype": "float32"}
    x = images = keras.Input((None, None, 3), dtype="float32", name="images")
    maps = []
    for filters in (8, 16, 24, 32, 48):
        layer = Conv2D(filters, 3, 2, padding="same", activation="relu", **plain)
        x, fan_in = layer(x), 9 * x.shape[-1]
        layer.kernel.assign(rng.normal(0, (2 / fan_in) ** 0.5, layer.kernel.shape))
        maps.append(x)
    network = keras.Model(images, maps[1:], name="random_features")
    network.trainable = False
    return network


def projector(features: keras.Model, image_shape: types.Shape, least: int) -> keras.Model:
    """Network from images `(batch, *image_shape)`, grey or RGB in [-1, 1], to the first four maps
    of `features`, all in float32. Images whose shorter side is below `least` are enlarged to it."""
    height, width, depth = image_shape
    scale = max(1.0, least / min(height, width))
    x = images = keras.Input(image_shape, dtype="float32", name="images")
    if depth == 1:
        x = layers.Concatenate(dtype="float32")([x, x, x])
    if scale > 1:
        size = round(height * scale), round(width * scale)
        x = Resizing(*size, data_format="channels_last", dtype="float32")(x)
    network = keras.Model(images, features(x)[:SCALES], name="projector")
    network.trainable = False
    return network


def mixed(maps: Sequence[Any], channels: int) -> list[Any]:
    """Random, frozen mixtures of four maps, each of twice the height and width of its own.

    Each map has its channels mixed; then, from the smallest up, each is added to what comes from
    below, and goes up enlarged. `channels` is the number for the largest map, before and after; it
    doubles with each scale before.
    """
    mix = lambda filters: Conv2D(filters, 1, kernel_initializer="he_normal", trainable=False)
    wide = [channels * 2**i for i in range(len(maps))]
    (height, width), *below = (x.shape[1:3] for x in maps)
    sizes = [(2 * height, 2 * width), (height, width), *below[:-1]]
    x, found = None, []
    for i in reversed(range(len(maps))):
        own = mix(wide[i])(maps[i])
        x = own if x is None else layers.Add()([x, own])
        # Mixed before it is enlarged, which is the same, and a quarter of the work.
        x = Resizing(*sizes[i])(mix(max(channels, wide[i] // 2))(x))
        found.append(x)
    return found[::-1]


def _small(x, channels):
    """Logits of a small discriminator, `(batch, n)`."""
    count = max(1, round(math.log2(min(x.shape[1:3]) / 8)))
    for filters in fastgan.channels(DISCRIMINATOR, channels, count)[::-1]:
        x = fastgan.rectified(fastgan.conv(filters, 4, strides=2, use_bias=True)(x))
    size = [min(4, side) for side in x.shape[1:3]]
    return layers.Flatten()(fastgan.conv(1, size, "valid", dtype="float32")(x))


def discriminator(shapes: Sequence[types.Shape], channels: int = 64) -> keras.Model:
    """Network from four maps, a list of `(batch, *shape)` from the largest down, to logits `(batch,
    4, n)`, of one small discriminator in each row.

    Mixtures have random weights that are saved and never trained: see `mixed`.
    """
    maps = [keras.Input(shape, name=f"map_{i}") for i, shape in enumerate(shapes)]
    logits = [_small(x, channels) for x in mixed(maps, channels)]
    # Repeated to the same number, so that all scales count the same.
    most = math.lcm(*(x.shape[1] for x in logits))
    plain = {"dtype": "float32"}
    rows = [layers.RepeatVector(most // x.shape[1], **plain)(x) for x in logits]
    rows = [layers.Reshape((1, most), **plain)(x) for x in rows]
    logits = layers.Concatenate(axis=1, name="logits", **plain)(rows)
    return keras.Model(maps, logits, name="discriminator")
