"""FastGAN's networks: a generator with skip-layer excitation, and a discriminator whose features
small decoders turn back into images.

Liu, Zhu, Song, Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity
Few-shot Image Synthesis", sections 3.1 and 3.2, figures 3 and 4. Widths, activations and spectral
normalisation are those of the authors' code.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers
from keras import ops

from ganzoo import types
from ganzoo.layers import BatchNorm
from ganzoo.layers import Conv2D
from ganzoo.layers import Noise
from ganzoo.layers import SpectralNorm
from ganzoo.layers import UpSampling2D
from ganzoo.networks.r3gan import widths
from ganzoo.networks.stylegan2 import cropped
from ganzoo.networks.stylegan2 import sizes

# Channels from the smallest size up, in units of `width`; then each half of the one before.
GENERATOR = (16, 8, 4, 2, 2, 1)
DISCRIMINATOR = (8, 4, 2, 1)
DECODER = (2, 1, 1)


def channels(multiples: Sequence[int], width: int, stages: int) -> list[int]:
    """Channels from the smallest size up.

    >>> channels(GENERATOR, 64, 9)
    [1024, 512, 256, 128, 128, 64, 32, 16, 8]
    """
    return widths(stages, [width * multiple for multiple in multiples])


def encoder_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the discriminator's features from the image down: halved and rounded up, at least
    once, until the shorter side is as near to 8 as it gets.

    >>> encoder_sizes(64, 64), encoder_sizes(17, 8)
    ([(64, 64), (32, 32), (16, 16), (8, 8)], [(17, 8), (9, 4)])
    """
    count = max(1, round(math.log2(min(height, width) / 8)))
    return [(-(-height // 2**i), -(-width // 2**i)) for i in range(count + 1)]


@keras.saving.register_keras_serializable(package="ganzoo")
class GatedUnits(layers.Layer):
    """Gated linear units: half of the channels, times the sigmoid of the other half.

    Dauphin, Fan, Auli, Grangier 2017, "Language Modeling with Gated Convolutional Networks",
    section 2.
    """

    def call(self, inputs):
        values, gates = ops.split(inputs, 2, axis=-1)
        return values * ops.sigmoid(gates)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)


def _init(mean=0.0):
    return keras.initializers.RandomNormal(mean, stddev=0.02)


def _normalized(x):
    # Momentum, epsilon and scale as in the authors' code.
    return BatchNorm(momentum=0.9, epsilon=1e-5, gamma_initializer=_init(1.0))(x)


def conv(
    filters: int, size: Any = 3, padding: str = "same", *, name: str | None = None, **options: Any
) -> keras.layers.Layer:
    """A spectrally normalised convolution, without bias unless `use_bias` is set."""
    options = {"use_bias": False, "kernel_initializer": _init(), **options}
    layer = Conv2D(filters, size, padding=padding, **options)
    return SpectralNorm(layer, name=name, dtype=options.get("dtype"))


def _dense(units):
    return SpectralNorm(layers.Dense(units, use_bias=False, kernel_initializer=_init()))


def _gated(x, filters, noisy=False):
    x = conv(2 * filters)(x)
    x = Noise()(x) if noisy else x
    return GatedUnits()(_normalized(x))


def rectified(x: types.Tensor) -> types.Tensor:
    """Batch normalisation and leaky rectified units."""
    return layers.LeakyReLU(0.2)(_normalized(x))


def excite(low: types.Tensor, high: types.Tensor, times: int) -> types.Tensor:
    """Skip-layer excitation: features of a low resolution, averaged over `times` × `times` pixels,
    scale the channels of those of a high one."""
    filters = high.shape[-1]
    x = layers.AveragePooling2D(times, padding="same")(low)
    x = layers.Activation("silu")(conv(filters, x.shape[1:3], "valid")(x))
    x = layers.Activation("sigmoid")(conv(filters, 1)(x))
    return layers.Multiply()([high, x])


def generator(image_shape: types.Shape, latent_dim: int, width: int = 16) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to images in [-1, 1], `(batch, *image_shape)`.

    Features excite those four doublings above; where there are fewer sizes, the first the last.
    """
    height, across, depth = image_shape
    steps = sizes(height, across)[::-1]
    wide = channels(GENERATOR, width, len(steps))
    apart = min(4, len(steps) - 1)
    latents = keras.Input((latent_dim,), name="latents")
    # A transposed convolution of a single pixel.
    x = _dense(math.prod(steps[0]) * 2 * wide[0])(latents)
    x = layers.Reshape((*steps[0], 2 * wide[0]))(x)
    features = [GatedUnits()(_normalized(x))]
    for i in range(1, len(steps)):
        noisy = i % 2 == 1
        x = cropped(UpSampling2D()(features[-1]), steps[i])
        x = _gated(x, wide[i], noisy)
        x = _gated(x, wide[i], noisy) if noisy else x
        x = excite(features[i - apart], x, 2 ** (i - apart)) if i >= apart else x
        features.append(x)
    x = conv(depth)(features[-1])
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="generator")


def _down(x, filters):
    """Half the size: a way of two convolutions and one of an average, in equal shares."""
    main = rectified(conv(filters, 4, strides=2)(x))
    main = rectified(conv(filters)(main))
    direct = layers.AveragePooling2D(2, padding="same")(x)
    direct = rectified(conv(filters, 1)(direct))
    return layers.Average()([main, direct])


def discriminator(image_shape: types.Shape, width: int = 16) -> keras.Model:
    """Network from images `(batch, *image_shape)` to a dict of `"logits"`, `(batch, height, width,
    1)`, one for each patch; `"coarse"`, the last features; and `"fine"`, those of twice the size.

    All are float32. The logits are 5×5 where the last features are 8×8.
    """
    steps = encoder_sizes(*image_shape[:2])
    wide = channels(DISCRIMINATOR, width, len(steps))[::-1]
    images = keras.Input(image_shape, name="images")
    features = [layers.LeakyReLU(0.2)(conv(wide[0])(images))]
    for filters in wide[1:]:
        features.append(_down(features[-1], filters))
    *_, fine, coarse = features
    x = rectified(conv(16 * width, 1)(coarse))
    whole = lambda name: layers.Activation("linear", dtype="float32", name=name)
    outputs = {
        "logits": conv(1, 4, "valid", dtype="float32", name="logits")(x),
        "coarse": whole("coarse")(coarse),
        "fine": whole("fine")(fine),
    }
    return keras.Model(images, outputs, name="discriminator")


def decoder(
    shape: Sequence[int], depth: int, doublings: int, width: int = 16, name: str = "decoder"
) -> keras.Model:
    """Network from features `(batch, *shape)` to images of `depth` channels in [-1, 1],
    `2 ** doublings` times as high and wide."""
    x = features = keras.Input(tuple(shape), name="features")
    for filters in channels(DECODER, width, doublings):
        x = _gated(UpSampling2D()(x), filters)
    images = layers.Activation("tanh", dtype="float32", name="images")(conv(depth)(x))
    return keras.Model(features, images, name=name)


def quadrant(x: types.Tensor, corner: Sequence[Any], size: Sequence[int]) -> types.Tensor:
    """One of four neighbouring parts of each image, `(batch, *size, channels)`.

    `corner` is two tensors of booleans, `(batch, 1, 1, 1)`: whether it is a lower part, and one on
    the right.
    """
    height, width = size
    x = ops.where(corner[0], x[:, height : 2 * height], x[:, :height])
    return ops.where(corner[1], x[:, :, width : 2 * width], x[:, :, :width])
