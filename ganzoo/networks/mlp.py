"""Multilayer perceptrons, for images and for points.

`generator` and `discriminator` are those of the first GAN: Goodfellow et al. 2014, "Generative
Adversarial Nets", section 5, with the sizes of the authors' MNIST configuration and, at these
sizes, their initial weights: uniform within ±0.05 in the generator, which is Glorot's
initialisation, and within ±0.005 in the discriminator, a tenth of that. With larger weights the
discriminator wins at once, and the generator collapses to one image.
"""

import functools
import inspect
import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import BatchNorm
from ganzoo.layers import Dropout
from ganzoo.layers import GaussianNoise
from ganzoo.layers import Maxout
from ganzoo.layers import UnitDense
from ganzoo.layers import VirtualBatchNorm
from ganzoo.layers import WithoutReference
from ganzoo.layers import WithReference


def _small():
    """A tenth of Glorot's initial weights."""
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


def generator(
    image_shape: types.Shape,
    latent_dim: int,
    hidden: Sequence[int] = (1200, 1200),
    name: str = "generator",
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to images in [-1, 1], `(batch, *image_shape)`."""
    x = latents = keras.Input((latent_dim,), name="latents")
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(math.prod(image_shape), dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    images = layers.Reshape(image_shape, dtype="float32", name="images")(x)
    return keras.Model(latents, images, name=name)


def discriminator(
    image_shape: types.Shape,
    hidden: Sequence[int] = (240, 240),
    pieces: int = 5,
    dropout: Sequence[float] = (0.2, 0.5),
) -> keras.Model:
    """Network from images `(batch, *image_shape)` to logits `(batch, 1)`.

    `dropout` is the dropout rate of the input and of each hidden layer.
    """
    images = keras.Input(image_shape, name="images")
    x = Dropout(dropout[0])(layers.Flatten()(images))
    for units in hidden:
        x = Dropout(dropout[1])(Maxout(units, pieces, _small())(x))
    logits = layers.Dense(1, kernel_initializer=_small(), dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


def also_for_points(**options: Any) -> Callable:
    """Decorate a function `generator` or `discriminator` that makes networks for images: for
    points, `shape=(length,)`, it then makes a perceptron, `channels` wide.

    Args:
        **options: further arguments of `point_discriminator`; `normalize` is a function of the
            argument `normalize`.
    """

    def decorate(make):
        parameters = inspect.signature(make)

        @functools.wraps(make)
        def network(shape, *args, **kwargs):
            if len(shape) > 1:
                return make(shape, *args, **kwargs)
            bound = parameters.bind(shape, *args, **kwargs)
            bound.apply_defaults()
            arguments = bound.arguments
            units, classes = arguments["channels"], arguments["num_classes"]
            units = units if isinstance(units, int) else units[0]
            if make.__name__ == "generator":
                return point_generator(shape, arguments["latent_dim"], units, classes)
            more = dict(options)
            if "normalize" in more:
                more["normalize"] = functools.partial(more["normalize"], arguments["normalize"])
            return point_discriminator(shape, units, classes, **more)

        return network

    return decorate


def point_generator(
    shape: types.Shape, latent_dim: int, units: int, num_classes: int | None = None, depth: int = 3
) -> keras.Model:
    """Network from latents (and labels) to unbounded points of `shape=(length,)`.

    Three hidden layers of rectified units, which models of images use for points.
    """
    x = latents = keras.Input((latent_dim,), name="latents")
    inputs = latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        x = layers.Concatenate()([latents, layers.Embedding(num_classes, units)(labels)])
    for _ in range(depth):
        x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    points = layers.Dense(shape[0], dtype="float32", name="images")(x)
    return keras.Model(inputs, points, name="generator")


def point_discriminator(
    shape: types.Shape,
    units: int,
    num_classes: int | None = None,
    depth: int = 3,
    *,
    wrap: Callable = lambda layer: layer,
    normalize: Callable = layers.Identity,
) -> keras.Model:
    """Network from points of `shape=(length,)` (and labels) to logits `(batch, 1)`.

    With `num_classes` the inner product of the last features with the label's embedding is added
    to the logit. `wrap` wraps each layer with weights, for example in spectral normalisation;
    `normalize()` returns the normalisation between layers.
    """
    x = points = keras.Input(shape, name="images")
    for i in range(depth):
        x = wrap(layers.Dense(units, kernel_initializer="he_normal"))(x)
        x = layers.LeakyReLU(0.2)(x if i == 0 else normalize()(x))
    logits = wrap(layers.Dense(1, dtype="float32", name="logits"))(x)
    if not num_classes:
        return keras.Model(points, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    match = layers.Dot(axes=1, dtype="float32")(
        [x, wrap(layers.Embedding(num_classes, units))(labels)]
    )
    logits = layers.Add(dtype="float32")([logits, match])
    return keras.Model([points, labels], logits, name="discriminator")


def softplus_generator(
    image_shape: types.Shape,
    latent_dim: int,
    hidden: Sequence[int] = (500, 500),
    reference: int = 0,
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to images in [-1, 1], with batch normalisation.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 5.1, with the sizes of
    the authors' code. `reference`: see `ganzoo.networks.dcgan.generator`.
    """

    def normalize(x):
        if reference:
            return VirtualBatchNorm(reference)(x)
        return BatchNorm(momentum=0.9, epsilon=1e-4, scale=False)(x)

    x = latents = keras.Input((latent_dim,), name="latents")
    if reference:
        x = WithReference(reference)(x)
    for units in hidden:
        x = layers.Dense(units, use_bias=False)(x)
        x = layers.Activation("softplus")(normalize(x))
    if reference:
        x = WithoutReference(reference)(x)
    x = UnitDense(math.prod(image_shape), learned_length=True, dtype="float32")(x)
    x = layers.Activation("sigmoid", dtype="float32")(x)
    x = layers.Rescaling(2.0, offset=-1.0, dtype="float32")(x)
    images = layers.Reshape(image_shape, dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="generator")


def noisy_trunk(
    image_shape: types.Shape,
    hidden: Sequence[int] = (1000, 500, 250, 250, 250),
    noise: Sequence[float] = (0.3, 0.5),
) -> tuple[Any, types.Tensor]:
    """A discriminator's input and its last features, with noise on every layer.

    From the same section. `noise` is the standard deviation at the image, in [0, 1], and at each
    hidden layer, whose units have variance 1 on the first batch: otherwise noise would drown the
    outputs of the last layers.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(0.5, offset=0.5)(layers.Flatten()(images))
    x = GaussianNoise(noise[0])(x)
    for units in hidden:
        x = layers.ReLU()(UnitDense(units, first_deviation=1.0)(x))
        x = GaussianNoise(noise[1])(x)
    return images, x


def unit_head(units: int, name: str) -> keras.layers.Layer:
    """Its output layer; the logits start a tenth as large as the authors'."""
    return UnitDense(units, learned_length=True, first_deviation=0.1, dtype="float32", name=name)
