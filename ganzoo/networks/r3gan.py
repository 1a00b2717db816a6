"""Residual networks of grouped convolutions, without normalisation.

Huang, Gokaslan, Kuleshov, Tompkin 2024, "The GAN is dead; long live the GAN! A Modern GAN
Baseline", section 3 and figure 4, config E. Weights are drawn as in Zhang, Dauphin, Ma 2019, "Fixup
Initialization", so that variance does not grow with depth: a block of three layers starts as the
identity.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers
from keras import ops

from ganzoo import types
from ganzoo.layers import Conv2D
from ganzoo.layers import UpSampling2D
from ganzoo.networks import mlp
from ganzoo.networks.dcgan import sizes

SLOPE = 0.2


def widths(stages: int, channels: Any) -> Any:
    """Channels from the smallest size up: `channels`, then each half of the one before.

    >>> widths(7, (768, 768, 768, 768)), widths(3, (128, 64, 32, 16))
    ([768, 768, 768, 768, 384, 192, 96], [128, 64, 32])
    """
    wide = list(channels[:stages])
    while len(wide) < stages:
        wide.append(max(1, wide[-1] // 2))
    return wide


def _normal(gain=1.0):
    """He's initialisation: normal with a standard deviation of gain / √inputs."""
    if not gain:
        return "zeros"
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def _conv(filters, size=1, gain=1.0, **options):
    options = {"use_bias": False, **options}
    return Conv2D(filters, size, padding="same", kernel_initializer=_normal(gain), **options)


def _groups(wide, group_width):
    """The largest number of equal groups with at least `group_width` channels each."""
    return next(g for g in range(max(1, wide // group_width), 0, -1) if wide % g == 0)


def block(x: types.Tensor, gain: Any, expansion: int, group_width: int) -> types.Tensor:
    """A residual block of 1×1, grouped 3×3 and 1×1 convolutions, wider inside than outside; at the
    start it is the identity."""
    narrow = x.shape[-1]
    wide = expansion * narrow
    y = _conv(wide, gain=gain, use_bias=True)(x)
    y = layers.LeakyReLU(SLOPE)(y)
    groups = _groups(wide, group_width)
    y = _conv(wide, 3, gain, use_bias=True, groups=groups)(y)
    y = layers.LeakyReLU(SLOPE)(y)
    return layers.Add()([x, _conv(narrow, gain=0)(y)])


def _gain(blocks):
    """The gain of the layers inside a block, for a network of `blocks` blocks in sequence."""
    return (2 / (1 + SLOPE**2)) ** 0.5 * blocks**-0.25


@mlp.also_for_points()
def generator(
    image_shape: types.Shape,
    latent_dim: int,
    channels: Sequence[int],
    num_classes: int | None = None,
    *,
    blocks: int = 2,
    expansion: int = 2,
    group_width: int = 16,
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to unbounded images `(batch, *image_shape)`.

    With `num_classes` it takes `[latents, labels]`; an embedding of the label is appended to the
    latents. `channels`: see `widths`. `blocks` is the number of blocks at each size; `group_width`
    is the number of channels in a group of a convolution.
    """
    height, width, depth = image_shape
    *upper, (h, w) = sizes(height, width)
    wide = widths(len(upper) + 1, channels)
    gain = _gain(blocks * len(wide))
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate()([latents, _embedding(num_classes, latent_dim)(labels)])
    x = layers.Dense(wide[0], use_bias=False, kernel_initializer=_normal())(x)
    x = Spread(h, w)(x)
    for i, (height, width) in enumerate([(h, w), *reversed(upper)]):
        if i and wide[i] != wide[i - 1]:
            x = _conv(wide[i])(x)
        if i:
            x = UpSampling2D()(x)
            if x.shape[1:3] != (height, width):  # an odd size was rounded up on the way down
                x = layers.Cropping2D(((0, x.shape[1] - height), (0, x.shape[2] - width)))(x)
        for _ in range(blocks):
            x = block(x, gain, expansion, group_width)
    images = _conv(depth, dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name="generator")


@mlp.also_for_points()
def discriminator(
    image_shape: types.Shape,
    channels: Sequence[int],
    num_classes: int | None = None,
    *,
    embedding: int = 64,
    blocks: int = 2,
    expansion: int = 2,
    group_width: int = 16,
) -> keras.Model:
    """Network from images `(batch, *image_shape)` to logits `(batch, 1)`; it mirrors the generator.

    With `num_classes` it takes `[images, labels]`, and the logit is the inner product of
    `embedding` features with the label's embedding (projection).
    """
    lower = sizes(*image_shape[:2])
    wide = widths(len(lower), channels)[::-1]
    gain = _gain(blocks * len(wide))
    images = keras.Input(image_shape, name="images")
    x = _conv(wide[0])(images)
    for i in range(len(wide)):
        if i:
            x = layers.AveragePooling2D(2, padding="same")(x)
            if wide[i] != wide[i - 1]:
                x = _conv(wide[i])(x)
        for _ in range(blocks):
            x = block(x, gain, expansion, group_width)
    x = Gather()(x)
    last = layers.Dense(
        embedding if num_classes else 1,
        use_bias=False,
        kernel_initializer=_normal(),
        dtype="float32",
        name="features" if num_classes else "logits",
    )
    if not num_classes:
        return keras.Model(images, last(x), name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    match = layers.Dot(axes=1, dtype="float32", name="logits")
    wanted = _embedding(num_classes, embedding, embedding**-0.5)(labels)
    return keras.Model([images, labels], match([last(x), wanted]), name="discriminator")


def _embedding(num_classes, length, gain=1.0):
    initializer = keras.initializers.RandomNormal(stddev=gain * num_classes**-0.5)
    return layers.Embedding(num_classes, length, embeddings_initializer=initializer)


@keras.saving.register_keras_serializable(package="ganzoo")
class Spread(layers.Layer):
    """Turns a number for each channel into a small learned image, times that number."""

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def build(self, input_shape):
        self.basis = self.add_weight(
            shape=(self.height, self.width, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="basis",
        )

    def call(self, inputs):
        return inputs[:, None, None] * self.basis

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.height, self.width, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


@keras.saving.register_keras_serializable(package="ganzoo")
class Gather(layers.Layer):
    """Sums each channel over all places, weighted by a small learned image."""

    def build(self, input_shape):
        size = input_shape[1] * input_shape[2]
        self.basis = self.add_weight(
            shape=tuple(input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=size**-0.5),
            name="basis",
        )

    def call(self, inputs):
        return ops.sum(inputs * self.basis, axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
