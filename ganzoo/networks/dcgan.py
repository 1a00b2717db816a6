"""The all-convolutional networks of DCGAN, for images of any size from 8×8.

Radford, Metz, Chintala 2015, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", section 3 and figure 1.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import BatchNorm
from ganzoo.layers import Conv2D
from ganzoo.layers import Conv2DTranspose
from ganzoo.layers import LayerNorm
from ganzoo.layers import VirtualBatchNorm
from ganzoo.layers import WithoutReference
from ganzoo.layers import WithReference
from ganzoo.networks import mlp


def _init():
    return keras.initializers.RandomNormal(stddev=0.02)


def _batch_norm():
    # Scale drawn from N(1, 0.02) and momentum as in the authors' code. Not their epsilon, 1e-5:
    # with weights from N(0, 0.02) the discriminator's first variances on small images are below
    # 1e-3. An epsilon above that restrains it at the start, which improves the samples (measured
    # with benchmarks/quality.py).
    return BatchNorm(
        momentum=0.9,
        epsilon=1e-2,
        gamma_initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
    )


def normalization(name: str) -> Any:
    """The normalisation between the discriminator's layers.

    Args:
        name: `"batch"`; `"layer"`, which does not couple examples; or None, for no normalisation.
    """
    if name == "batch":
        return _batch_norm()
    return LayerNorm() if name == "layer" else layers.Identity()


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from the image down: halved and rounded up while the shorter side stays at least 4, but
    at least twice.

    >>> sizes(28, 28)
    [(28, 28), (14, 14), (7, 7)]
    """
    stages = max(2, int(math.log2(min(height, width) / 4)))
    return [(-(-height // 2**i), -(-width // 2**i)) for i in range(stages + 1)]


@mlp.also_for_points()
def generator(
    image_shape: types.Shape,
    latent_dim: int,
    channels: int = 64,
    num_classes: int | None = None,
    *,
    hidden: Sequence[int] = (),
    reference: int = 0,
    name: str = "generator",
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to images in [-1, 1], `(batch, *image_shape)`.

    With `num_classes` it takes `[latents, labels]`; an embedding of the label is appended to the
    latents. `channels` is the width at half resolution; it doubles with every halving. `hidden` are
    sizes of dense layers before the first convolution. `reference` is the number of fixed examples
    by which activations are normalised: see `ganzoo.layers.VirtualBatchNorm`. For points it is a
    perceptron, `channels` wide.
    """

    def normalize(x):
        return VirtualBatchNorm(reference)(x) if reference else _batch_norm()(x)

    height, width, depth = image_shape
    *upper, (h, w) = sizes(height, width)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate()([latents, layers.Embedding(num_classes, 64)(labels)])
    if reference:
        x = WithReference(reference)(x)
    for units in hidden:
        x = layers.Dense(units, use_bias=False, kernel_initializer=_init())(x)
        x = layers.ReLU()(normalize(x))
    widest = channels * 2 ** (len(upper) - 1)
    x = layers.Dense(h * w * widest, use_bias=False, kernel_initializer=_init())(x)
    x = layers.Reshape((h, w, widest))(x)
    x = layers.ReLU()(normalize(x))
    for i, (h, w) in reversed(list(enumerate(upper))):
        last = i == 0
        x = Conv2DTranspose(
            depth if last else channels * 2 ** (i - 1),
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=last,
            kernel_initializer=_init(),
        )(x)
        if x.shape[1:3] != (h, w):  # an odd size was rounded up on the way down
            x = layers.Cropping2D(((0, x.shape[1] - h), (0, x.shape[2] - w)))(x)
        if not last:
            x = layers.ReLU()(normalize(x))
    if reference:
        x = WithoutReference(reference)(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name=name)


def halvings(x: types.Tensor, channels: int = 64, normalize: str = "batch") -> types.Tensor:
    """Strided convolutions from images to flat features, one for each halving in `sizes`.

    `channels` is the width at half resolution; it doubles with every halving. `normalize`: see
    `normalization`.
    """
    for i in range(len(sizes(*x.shape[1:3])) - 1):
        x = Conv2D(
            channels * 2**i,
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=i == 0 or normalize is None,
            kernel_initializer=_init(),
        )(x)
        if i > 0:
            x = normalization(normalize)(x)
        x = layers.LeakyReLU(0.2)(x)
    return layers.Flatten()(x)


def head(units: int, name: str) -> keras.layers.Layer:
    """An output layer of a discriminator, in float32."""
    return layers.Dense(units, kernel_initializer=_init(), dtype="float32", name=name)


def dense(x: types.Tensor, units: int, normalize: str = "batch") -> types.Tensor:
    """A hidden dense layer of a discriminator."""
    x = layers.Dense(units, use_bias=normalize is None, kernel_initializer=_init())(x)
    return layers.LeakyReLU(0.2)(normalization(normalize)(x))


def trunk(
    image_shape: types.Shape,
    channels: int = 64,
    num_classes: int | None = None,
    normalize: str = "batch",
    hidden: Sequence[int] = (),
) -> tuple[Any, types.Tensor]:
    """The discriminator's inputs and its last features, `(batch, length)`."""
    height, width, _ = image_shape
    images = keras.Input(image_shape, name="images")
    inputs, x = images, images
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [images, labels]
        plane = layers.Embedding(num_classes, height * width)(labels)
        x = layers.Concatenate()([images, layers.Reshape((height, width, 1))(plane)])
    x = halvings(x, channels, normalize)
    for units in hidden:
        x = dense(x, units, normalize)
    return inputs, x


@mlp.also_for_points(normalize=normalization)
def discriminator(
    image_shape: types.Shape,
    channels: int = 64,
    num_classes: int | None = None,
    normalize: str = "batch",
    *,
    hidden: Sequence[int] = (),
    heads: dict[str, Sequence[int]] | None = None,
) -> keras.Model:
    """Network from images `(batch, *image_shape)` to logits `(batch, 1)`.

    With `num_classes` it takes `[images, labels]`; an embedding of the label is one more channel of
    the image. `normalize`: see `normalization`. `hidden` are sizes of dense layers after the
    convolutions. `heads` are further outputs from the same features, `{name: sizes of the head's
    dense layers}`; the network then returns a dict of `"logits"` and these. For points it is a
    perceptron.
    """
    inputs, features = trunk(image_shape, channels, num_classes, normalize, hidden)
    logits = head(1, "logits")(features)
    if not heads:
        return keras.Model(inputs, logits, name="discriminator")
    outputs = {"logits": logits}
    for name, (*inner, units) in heads.items():
        x = features
        for width in inner:
            x = dense(x, width, normalize)
        outputs[name] = head(units, name)(x)
    return keras.Model(inputs, outputs, name="discriminator")
