"""Networks that translate pictures, and those that judge them patch by patch. All but the
discriminator's logits are as large as the pictures, of any height and width from 8×8.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
section 6.1; Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks", section 7.2; after Johnson, Alahi, Fei-Fei 2016,
"Perceptual Losses for Real-Time Style Transfer".
"""

import math

import keras
from keras import layers

from ganzoo import hints
from ganzoo.layers import Conv2D
from ganzoo.layers import Conv2DTranspose
from ganzoo.layers import CropLike
from ganzoo.layers import Dropout
from ganzoo.layers import InstanceNorm
from ganzoo.layers import ReflectionPadding


def _conv(filters, size=4, strides=2, padding="same", kind=Conv2D, **options):
    return kind(
        filters,
        size,
        strides=strides,
        padding=padding,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        **options,
    )


def halvings(height: int, width: int) -> int:
    """How often a U-Net halves a picture: down to one pixel, but at most eight times.

    >>> halvings(256, 256), halvings(28, 28)
    (8, 4)
    """
    return min(8, int(math.log2(min(height, width))))


def unet(image_shape: hints.Shape, channels: int = 64, dropout: float = 0.5) -> keras.Model:
    """Pictures to pictures in [-1, 1]: an encoder and a decoder with a skip at each size.

    The depth follows the size of `image_shape`; `channels` is the width at half resolution, which
    doubles three times at most. `dropout`: share dropped in the innermost layers of the decoder:
    three of eight, fewer in a shallower one.
    """
    height, width, depth = image_shape
    count = halvings(height, width)
    wide = [channels * min(2**i, 8) for i in range(count)]
    images = keras.Input((None, None, depth), name="images")
    x = _conv(wide[0], use_bias=False)(images)
    skips = [images, x]
    for i in range(1, count):
        x = _conv(wide[i], use_bias=False)(layers.LeakyReLU(0.2)(x))
        if i < count - 1:  # one pixel is all that the innermost may have
            x = InstanceNorm(affine=True)(x)
        skips.append(x)
    skips.pop()
    for i in reversed(range(1, count)):
        up = _conv(wide[i - 1], kind=Conv2DTranspose, use_bias=False)(layers.ReLU()(x))
        up = CropLike()([up, skips[i]])  # an odd size was rounded up on the way down
        up = InstanceNorm(affine=True)(up)
        if count - 1 - i < max(1, count - 5):
            up = Dropout(dropout)(up)
        x = layers.Concatenate()([up, skips[i]])
    x = _conv(depth, kind=Conv2DTranspose)(layers.ReLU()(x))
    x = CropLike()([x, images])
    translated = layers.Activation("tanh", dtype="float32", name="translated")(x)
    return keras.Model(images, translated, name="generator")


def residual(
    image_shape: hints.Shape, channels: int = 64, blocks: int | None = None, name: str = "generator"
) -> keras.Model:
    """Pictures to pictures in [-1, 1]: residual blocks at a quarter of the size.

    `channels` is the width at full size. `blocks`: how many; None: 9 for pictures from 256×256, 6
    for smaller ones.
    """
    height, width, depth = image_shape
    if blocks is None:
        blocks = 9 if min(height, width) >= 256 else 6
    images = keras.Input((None, None, depth), name="images")

    def normal(x, filters, size=3, strides=1, **options):  # no bias: the mean would take it away
        return InstanceNorm()(_conv(filters, size, strides, use_bias=False, **options)(x))

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
    x = _conv(depth, 7, 1, padding="valid")(ReflectionPadding(3)(x))
    x = CropLike()([x, images])
    translated = layers.Activation("tanh", dtype="float32", name="translated")(x)
    return keras.Model(images, translated, name=name)


def patch_layers(height: int, width: int) -> int:
    """How often the discriminator halves: three times, but leaving at least four pixels.

    >>> patch_layers(256, 256), patch_layers(28, 28), patch_layers(8, 8)
    (3, 2, 1)
    """
    return max(1, min(3, int(math.log2(min(height, width) / 4))))


def check_patch_layers(count: int, height: int, width: int) -> None:
    """Raise a `ValueError` if so many halvings leave less than 2×2: of one pixel instance
    normalisation makes the same whatever it was, and the discriminator would see nothing.

    >>> check_patch_layers(3, 28, 28)
    """
    most = int(math.log2(min(height, width))) - 1
    if count is not None and count > most:
        raise ValueError(
            f"`patch_layers` must be at most {most} for pictures of {height}×{width}. "
            f"Received: {count}."
        )


def receptive_field(count: int) -> int:
    """Height and width of what one logit sees, after so many halvings.

    >>> [receptive_field(n) for n in range(1, 6)]
    [16, 34, 70, 142, 286]
    """
    return 9 * 2**count - 2


def patch_discriminator(
    image_shape: hints.Shape,
    channels: int = 64,
    count: int | None = None,
    affine: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Pictures to logits, one for each patch (PatchGAN): `(batch, height / 2ⁿ, width / 2ⁿ, 1)`.

    `count`: n, how often it halves; each patch is then 9 · 2ⁿ − 2 high and wide: 70 for 3. None:
    see `patch_layers`. `channels` is the width at half resolution; it doubles three times at most.
    """
    height, width, depth = image_shape
    count = count or patch_layers(height, width)
    x = images = keras.Input((None, None, depth), name="images")
    for i in range(count + 1):
        x = _conv(channels * min(2**i, 8), strides=2 if i < count else 1, use_bias=i == 0)(x)
        if i:
            x = InstanceNorm(affine)(x)
        x = layers.LeakyReLU(0.2)(x)
    logits = _conv(1, strides=1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)


def both_ways(there: keras.Model, back: keras.Model) -> keras.Model:
    """Two translators as one network, `{"images", "targets"}` to the other domain's of each: what
    comes of images are targets."""
    pair = {key: keras.Input(there.input.shape[1:], name=key) for key in ("images", "targets")}
    made = {"images": back(pair["targets"]), "targets": there(pair["images"])}
    return keras.Model(pair, made, name="generator")


def each_its_own(images: keras.Model, targets: keras.Model) -> keras.Model:
    """A discriminator of each domain as one network, `{"images", "targets"}` to logits, of which
    the last axis is the domain."""
    pair = {key: keras.Input(images.input.shape[1:], name=key) for key in ("images", "targets")}
    logits = layers.Concatenate(dtype="float32", name="logits")(
        [images(pair["images"]), targets(pair["targets"])]
    )
    return keras.Model(pair, logits, name="discriminator")
