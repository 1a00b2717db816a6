"""Encoders, decoders and discriminators of codes: DCGAN's networks, or perceptrons.

`hidden` is None for convolutions, see `ganzoo.networks.dcgan`, or the sizes of dense layers, which
take images of any size, and points.
"""

from collections.abc import Sequence

import keras
from keras import layers

from ganzoo import types
from ganzoo.networks import dcgan
from ganzoo.networks import mlp


def _dense(x, hidden):
    x = layers.Flatten()(x)
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    return x


def _features(images, channels, hidden):
    return dcgan.halvings(images, channels) if hidden is None else _dense(images, hidden)


def _logits(x):
    return layers.Dense(1, dtype="float32", name="logits")(x)


def encoder(
    image_shape: types.Shape,
    latent_dim: int,
    channels: int = 64,
    hidden: Sequence[int] | None = None,
    stochastic: bool = False,
) -> keras.Model:
    """Network from images `(batch, *image_shape)` to codes `(batch, latent_dim)`.

    If `stochastic`, it returns a dict of the codes' `"mean"` and `"log_variance"`.
    """
    images = keras.Input(image_shape, name="images")
    x = _features(images, channels, hidden)
    names = ("mean", "log_variance") if stochastic else ("codes",)
    heads = {name: layers.Dense(latent_dim, dtype="float32", name=name)(x) for name in names}
    return keras.Model(images, heads if stochastic else heads["codes"], name="encoder")


def decoder(
    image_shape: types.Shape,
    latent_dim: int,
    channels: int = 64,
    hidden: Sequence[int] | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Network from codes `(batch, latent_dim)` to images in [-1, 1], `(batch, *image_shape)`.

    `hidden` is in the order of the encoder, which the decoder mirrors.
    """
    if hidden is None:
        return dcgan.generator(image_shape, latent_dim, channels, name=name)
    return mlp.generator(image_shape, latent_dim, hidden[::-1], name=name)


def discriminator(
    image_shape: types.Shape, channels: int = 64, hidden: Sequence[int] | None = None
) -> keras.Model:
    """Network from images to a dict: `"logits"` `(batch, 1)`, and the `"features"` before them."""
    images = keras.Input(image_shape, name="images")
    x = _features(images, channels, hidden)
    features = layers.Activation("linear", dtype="float32", name="features")(x)
    return keras.Model(images, {"logits": _logits(x), "features": features}, name="discriminator")


def code_discriminator(latent_dim: int, hidden: Sequence[int] = (1000, 1000)) -> keras.Model:
    """Network from codes `(batch, latent_dim)` to logits `(batch, 1)`."""
    codes = keras.Input((latent_dim,), name="codes")
    return keras.Model(codes, _logits(_dense(codes, hidden)), name="discriminator")


def pair_discriminator(
    image_shape: types.Shape,
    latent_dim: int,
    channels: int = 64,
    hidden: Sequence[int] | None = None,
) -> keras.Model:
    """Network from `[images, codes]` to logits `(batch, 1)`.

    Images and codes have a branch each, whose features are joined. Convolutions have layer
    normalisation: with batch normalisation the discriminator wins at once, and on the 8×8 digits
    the encoder had learned nothing about the latents after sixty epochs (correlation 0.0, not 0.5).
    """
    images = keras.Input(image_shape, name="images")
    codes = keras.Input((latent_dim,), name="codes")
    leaky = lambda x, units: layers.LeakyReLU(0.2)(layers.Dense(units)(x))
    if hidden is None:
        units = 16 * channels
        x = layers.Concatenate()([dcgan.halvings(images, channels, "layer"), leaky(codes, units)])
        x = leaky(x, units)
    else:
        x = layers.Concatenate()([layers.Flatten()(images), codes])
        for units in hidden:
            x = leaky(x, units)
    return keras.Model([images, codes], _logits(x), name="discriminator")
