"""The residual networks of spectrally normalised GANs, with optional self-attention.

Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative Adversarial
Networks", tables 4 to 6; Miyato, Koyama 2018, "cGANs with Projection Discriminator"; Zhang,
Goodfellow, Metaxas, Odena 2019, "Self-Attention Generative Adversarial Networks".
"""

import keras
from keras import layers
from keras import ops

from ganzoo import types
from ganzoo.layers import BatchNorm
from ganzoo.layers import ConditionalBatchNorm
from ganzoo.layers import Conv2D
from ganzoo.layers import SelfAttention
from ganzoo.layers import SpectralNorm
from ganzoo.layers import UpSampling2D
from ganzoo.networks import mlp
from ganzoo.networks.dcgan import sizes


def widths(stages: int, channels: int) -> list[int]:
    """Channels at full resolution, half, …: all the same up to 32×32 images, as in the papers;
    for larger ones, a quarter of `channels`, doubled with every halving.

    >>> widths(3, 256), widths(5, 256)
    ([256, 256, 256], [64, 128, 256, 512, 1024])
    """
    if stages <= 3:
        return [channels] * stages
    return [max(1, channels * 2**i // 4) for i in range(stages)]


def _attend_at(heights):
    """The stage with self-attention: the largest at most 32 high, other than the image."""
    return next(i for i, h in enumerate(heights) if i and h <= 32)


def _dense(units, spectral, **options):
    layer = layers.Dense(units, kernel_initializer="glorot_uniform", **options)
    return SpectralNorm(layer) if spectral else layer


def _conv(filters, size, spectral, **options):
    layer = Conv2D(filters, size, padding="same", kernel_initializer="glorot_uniform", **options)
    return SpectralNorm(layer) if spectral else layer


@mlp.also_for_points()
def generator(
    image_shape: types.Shape,
    latent_dim: int,
    channels: int = 256,
    num_classes: int | None = None,
    *,
    spectral: bool = False,
    attend: bool = False,
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to images in [-1, 1], `(batch, *image_shape)`.

    With `num_classes` it takes `[latents, labels]`, and batch normalisation is conditional. For
    points it is a perceptron, `channels` wide.
    """
    height, width, depth = image_shape
    *upper, (h, w) = sizes(height, width)
    wide = widths(len(upper), channels)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, labels = latents, None
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]

    def normalize(x, labels):
        # Momentum as in Chainer, which the authors used.
        if labels is None:
            return BatchNorm(momentum=0.9, epsilon=1e-5)(x)
        return ConditionalBatchNorm(num_classes)([x, labels])

    def enlarge(x, h, w):
        x = UpSampling2D()(x)
        if x.shape[1:3] != (h, w):  # an odd size was rounded up on the way down
            x = layers.Cropping2D(((0, x.shape[1] - h), (0, x.shape[2] - w)))(x)
        return x

    x = _dense(h * w * wide[-1], spectral)(latents)
    x = layers.Reshape((h, w, wide[-1]))(x)
    for i, (h, w) in reversed(list(enumerate(upper))):
        skip = _conv(wide[i], 1, spectral)(enlarge(x, h, w))
        x = enlarge(layers.ReLU()(normalize(x, labels)), h, w)
        x = _conv(wide[i], 3, spectral)(x)
        x = _conv(wide[i], 3, spectral)(layers.ReLU()(normalize(x, labels)))
        x = layers.Add()([x, skip])
        if attend and i == _attend_at([h for h, _ in upper]):
            x = SelfAttention(spectral)(x)
    x = layers.ReLU()(BatchNorm(momentum=0.9, epsilon=1e-5)(x))
    x = _conv(depth, 3, spectral)(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name="generator")


@mlp.also_for_points(wrap=SpectralNorm)
def discriminator(
    image_shape: types.Shape,
    channels: int = 128,
    num_classes: int | None = None,
    *,
    attend: bool = False,
) -> keras.Model:
    """Network from images `(batch, *image_shape)` to logits `(batch, 1)`, with spectral
    normalisation in all layers.

    With `num_classes` it takes `[images, labels]`, and the inner product of the last features with
    the label's embedding is added to the logit (projection). For points it is a perceptron with
    the same normalisation, `channels` wide.
    """
    height, width, _ = image_shape
    lower = sizes(height, width)
    stages = len(lower) - 1
    wide = widths(stages, channels)
    images = keras.Input(image_shape, name="images")
    x = images
    # Images up to 32×32 are halved twice, and two blocks follow at that size.
    halvings = 2 if stages <= 3 else stages
    for i in range(halvings + (2 if stages <= 3 else 1)):
        filters = wide[min(i, stages - 1)]
        halves = i < halvings
        halve = lambda x: layers.AveragePooling2D(2, padding="same")(x)
        body = x if i == 0 else layers.ReLU()(x)
        body = _conv(filters, 3, True)(body)
        body = _conv(filters, 3, True)(layers.ReLU()(body))
        skip = x
        if i == 0:  # cheaper: the average of 1×1 convolutions is the convolution of the average
            skip = _conv(filters, 1, True)(halve(x))
            body = halve(body)
        else:
            if halves or x.shape[-1] != filters:
                skip = _conv(filters, 1, True)(x)
            if halves:
                body, skip = halve(body), halve(skip)
        x = layers.Add()([body, skip])
        if attend and i + 1 == _attend_at([h for h, _ in lower]):
            x = SelfAttention()(x)
    features = layers.ReLU()(x)
    features = Sum()(features)
    logits = SpectralNorm(layers.Dense(1), dtype="float32", name="logits")(features)
    if not num_classes:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    embedding = SpectralNorm(
        layers.Embedding(num_classes, features.shape[-1], embeddings_initializer="glorot_uniform")
    )(labels)
    match = layers.Dot(axes=1, dtype="float32")([features, embedding])
    logits = layers.Add(dtype="float32")([logits, match])
    return keras.Model([images, labels], logits, name="discriminator")


@keras.saving.register_keras_serializable(package="ganzoo")
class Sum(layers.Layer):
    """Sums each channel over all places, in float32."""

    def call(self, inputs):
        return ops.sum(ops.cast(inputs, "float32"), axis=(1, 2))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
