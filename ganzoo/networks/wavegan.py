"""The networks of WaveGAN, for clips of sound.

Donahue, McAuley, Puckette 2019, "Adversarial Audio Synthesis", section 3.1 and appendix D.
"""

import math

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import Conv1D
from ganzoo.layers import Conv1DTranspose
from ganzoo.layers import PhaseShuffle

KERNEL, STRIDE = 25, 4


def lengths(length: int) -> list[int]:
    """Lengths from the clip down: divided by 4 and rounded up until about 16 are left.

    >>> lengths(16_384), lengths(1_000)
    ([16384, 4096, 1024, 256, 64, 16], [1000, 250, 63, 16])
    """
    stages = max(1, round(math.log(length / 16, STRIDE)))
    return [-(-length // STRIDE**i) for i in range(stages + 1)]


def generator(
    shape: types.Shape, latent_dim: int, channels: int = 64, num_classes: int | None = None
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to clips in [-1, 1], `(batch, *shape)`.

    With `num_classes` it takes `[latents, labels]`; an embedding of the label is appended to the
    latents. `channels` is the width of the last layer but one; it doubles with every layer below.
    """
    length, depth = shape
    *upper, shortest = lengths(length)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate()([latents, layers.Embedding(num_classes, 64)(labels)])
    widest = channels * 2 ** (len(upper) - 1)
    x = layers.Reshape((shortest, widest))(layers.Dense(shortest * widest)(x))
    for i, longer in reversed(list(enumerate(upper))):
        width = depth if i == 0 else channels * 2 ** (i - 1)
        x = Conv1DTranspose(width, KERNEL, STRIDE, padding="same")(layers.ReLU()(x))
        if x.shape[1] != longer:  # it was rounded up on the way down
            x = layers.Cropping1D((0, x.shape[1] - longer))(x)
    clips = layers.Activation("tanh", dtype="float32", name="clips")(x)
    return keras.Model(inputs, clips, name="generator")


def discriminator(
    shape: types.Shape,
    channels: int = 64,
    num_classes: int | None = None,
    phase_shuffle: int = 2,
) -> keras.Model:
    """Network from clips `(batch, *shape)` to logits `(batch, 1)`.

    With `num_classes` it takes `[clips, labels]`; the inner product of the last features, their
    mean over time, with an embedding of the label is added to the logit (projection: Miyato, Koyama
    2018). `phase_shuffle`: see `ganzoo.layers.PhaseShuffle`; it follows all layers but the last.
    """
    clips = keras.Input(shape, name="clips")
    count = len(lengths(shape[0])) - 1
    x = clips
    for i in range(count):
        x = Conv1D(channels * 2**i, KERNEL, STRIDE, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
        if i < count - 1:
            x = PhaseShuffle(phase_shuffle)(x)
    logits = layers.Dense(1, dtype="float32", name="logits")(layers.Flatten()(x))
    if not num_classes:
        return keras.Model(clips, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    mean = layers.GlobalAveragePooling1D(dtype="float32")(x)
    embedded = layers.Embedding(num_classes, x.shape[-1], dtype="float32")(labels)
    logits = layers.Add(dtype="float32")([logits, layers.Dot(1, dtype="float32")([mean, embedded])])
    return keras.Model([clips, labels], logits, name="discriminator")
