"""The U-Net generator of pix2pix."""

import math

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import Conv2D
from ganzoo.layers import Conv2DTranspose
from ganzoo.layers import CropLike
from ganzoo.layers import Dropout
from ganzoo.layers import InstanceNorm


def conv(filters, size=4, strides=2, padding="same", kind=Conv2D, **options):
    return kind(
        filters,
        size,
        strides=strides,
        padding=padding,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        **options,
    )


def halvings(height: int, width: int) -> int:
    """The number of halvings in a U-Net: down to one pixel, but at most eight.

    >>> halvings(256, 256), halvings(28, 28)
    (8, 4)
    """
    return min(8, int(math.log2(min(height, width))))


def unet(image_shape: types.Shape, channels: int = 64, dropout: float = 0.5) -> keras.Model:
    """Network from images to images in [-1, 1]: an encoder and a decoder with a skip connection at
    each size.

    The depth depends on the size in `image_shape`; `channels` is the width at half resolution,
    which doubles at most three times. `dropout` is the dropout rate in the innermost layers of the
    decoder: three of eight, fewer in a shallower one.
    """
    height, width, depth = image_shape
    count = halvings(height, width)
    wide = [channels * min(2**i, 8) for i in range(count)]
    images = keras.Input((None, None, depth), name="images")
    x = conv(wide[0], use_bias=False)(images)
    skips = [images, x]
    for i in range(1, count):
        x = conv(wide[i], use_bias=False)(layers.LeakyReLU(0.2)(x))
        if i < count - 1:  # the innermost may have a single pixel
            x = InstanceNorm(affine=True)(x)
        skips.append(x)
    skips.pop()
    for i in reversed(range(1, count)):
        up = conv(wide[i - 1], kind=Conv2DTranspose, use_bias=False)(layers.ReLU()(x))
        up = CropLike()([up, skips[i]])  # an odd size was rounded up on the way down
        up = InstanceNorm(affine=True)(up)
        if count - 1 - i < max(1, count - 5):
            up = Dropout(dropout)(up)
        x = layers.Concatenate()([up, skips[i]])
    x = conv(depth, kind=Conv2DTranspose)(layers.ReLU()(x))
    x = CropLike()([x, images])
    translated = layers.Activation("tanh", dtype="float32", name="translated")(x)
    return keras.Model(images, translated, name="generator")
