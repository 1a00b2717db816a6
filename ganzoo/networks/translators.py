"""Networks that translate images of any height and width from 8×8 into images of the same size, and
pairs of networks for two domains.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
section 6.1; Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks", section 7.2; after Johnson, Alahi, Fei-Fei 2016,
"Perceptual Losses for Real-Time Style Transfer".
"""

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import Conv2DTranspose
from ganzoo.layers import CropLike
from ganzoo.layers import InstanceNorm
from ganzoo.layers import ReflectionPadding
from ganzoo.networks.unet import conv


def residual(
    image_shape: types.Shape, channels: int = 64, blocks: int | None = None, name: str = "generator"
) -> keras.Model:
    """Network from images to images in [-1, 1], with residual blocks at a quarter of the size.

    `channels` is the width at full size. `blocks` is the number of blocks; None: 9 for images from
    256×256, 6 for smaller ones.
    """
    height, width, depth = image_shape
    if blocks is None:
        blocks = 9 if min(height, width) >= 256 else 6
    images = keras.Input((None, None, depth), name="images")

    def normal(x, filters, size=3, strides=1, **options):  # no bias: normalisation removes it
        return InstanceNorm()(conv(filters, size, strides, use_bias=False, **options)(x))

    x = ReflectionPadding(3, multiple=4)(images)
    x = layers.ReLU()(normal(x, channels, 7, padding="valid"))
    for i in (1, 2):
        x = layers.ReLU()(normal(x, channels * 2**i, strides=2))
    for _ in range(blocks):
        y = normal(ReflectionPadding(1)(x), channels * 4, padding="valid")
        y = normal(ReflectionPadding(1)(layers.ReLU()(y)), channels * 4, padding="valid")
        x = layers.Add()([x, y])
    for i in (1, 0):
        x = layers.ReLU()(normal(x, channels * 2**i, strides=2, kind=Conv2DTranspose))
    x = conv(depth, 7, 1, padding="valid")(ReflectionPadding(3)(x))
    x = CropLike()([x, images])
    translated = layers.Activation("tanh", dtype="float32", name="translated")(x)
    return keras.Model(images, translated, name=name)


def both_ways(there: keras.Model, back: keras.Model) -> keras.Model:
    """Two translators as one network, from `{"images", "targets"}` to the translation of each,
    under the key of its new domain."""
    pair = {key: keras.Input(there.input.shape[1:], name=key) for key in ("images", "targets")}
    translated = {"images": back(pair["targets"]), "targets": there(pair["images"])}
    return keras.Model(pair, translated, name="generator")


def each_its_own(images: keras.Model, targets: keras.Model) -> keras.Model:
    """The discriminators of both domains as one network, from `{"images", "targets"}` to logits,
    whose last axis is the domain."""
    pair = {key: keras.Input(images.input.shape[1:], name=key) for key in ("images", "targets")}
    logits = layers.Concatenate(dtype="float32", name="logits")(
        [images(pair["images"]), targets(pair["targets"])]
    )
    return keras.Model(pair, logits, name="discriminator")
