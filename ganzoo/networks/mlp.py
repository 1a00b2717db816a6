"""Multilayer perceptrons, as in the first GAN, for pictures and for points.

Goodfellow et al. 2014, "Generative Adversarial Nets", section 5, with the sizes of the authors'
MNIST configuration and initial weights that come to theirs at these sizes: uniform within ±0.05 in
the generator, which is Glorot's, and within ±0.005 in the discriminator, a tenth of that. Else the
discriminator wins at once, and the generator ends in one picture.
"""

import math

import keras
from keras import layers

from ganzoo.layers import Maxout


def _small():
    """A tenth of Glorot's."""
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


def generator(image_shape, latent_dim, hidden=(1200, 1200)):
    """Latents `(batch, latent_dim)` to pictures in [-1, 1], `(batch, *image_shape)`."""
    x = latents = keras.Input((latent_dim,), name="latents")
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(math.prod(image_shape), dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    images = layers.Reshape(image_shape, dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="generator")


def discriminator(image_shape, hidden=(240, 240), pieces=5, dropout=(0.2, 0.5)):
    """Pictures `(batch, *image_shape)` to logits `(batch, 1)`.

    `dropout` is the share dropped of the input and of each hidden layer.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Dropout(dropout[0])(layers.Flatten()(images))
    for units in hidden:
        x = layers.Dropout(dropout[1])(Maxout(units, pieces, _small())(x))
    logits = layers.Dense(1, kernel_initializer=_small(), dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")
