"""Multilayer perceptrons, for pictures and for points.

`generator` and `discriminator` are those of the first GAN: Goodfellow et al. 2014, "Generative
Adversarial Nets", section 5, with the sizes of the authors' MNIST configuration and initial weights
that come to theirs at these sizes: uniform within ±0.05 in the generator, which is Glorot's, and
within ±0.005 in the discriminator, a tenth of that. Else the discriminator wins at once, and the
generator ends in one picture.
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
    """A tenth of Glorot's."""
    return keras.initializers.VarianceScaling(0.01, "fan_avg", "uniform")


def generator(
    image_shape: types.Shape,
    latent_dim: int,
    hidden: Sequence[int] = (1200, 1200),
    name: str = "generator",
) -> keras.Model:
    """Latents `(batch, latent_dim)` to pictures in [-1, 1], `(batch, *image_shape)`."""
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
    """Pictures `(batch, *image_shape)` to logits `(batch, 1)`.

    `dropout` is the share dropped of the input and of each hidden layer.
    """
    images = keras.Input(image_shape, name="images")
    x = Dropout(dropout[0])(layers.Flatten()(images))
    for units in hidden:
        x = Dropout(dropout[1])(Maxout(units, pieces, _small())(x))
    logits = layers.Dense(1, kernel_initializer=_small(), dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


def also_for_points(**options: Any) -> Callable:
    """A decorator of functions called `generator` or `discriminator` that make networks for
    images: for points, `shape=(length,)`, they make a perceptron `channels` wide.

    Args:
        **options: further arguments of `point_discriminator`; `normalize` is a function of the
            argument `normalize`.
    """

    def decorate(make):
        parameters = inspect.signature(make)

        @functools.wraps(make)
        def made(shape, *args, **kwargs):
            if len(shape) > 1:
                return make(shape, *args, **kwargs)
            given = parameters.bind(shape, *args, **kwargs)
            given.apply_defaults()
            known = given.arguments
            units = known["channels"]
            units = units if isinstance(units, int) else units[0]
            if make.__name__ == "generator":
                return point_generator(shape, known["latent_dim"], units, known["num_classes"])
            more = dict(options)
            if "normalize" in more:
                more["normalize"] = functools.partial(more["normalize"], known["normalize"])
            return point_discriminator(shape, units, known["num_classes"], **more)

        return made

    return decorate


def point_generator(
    shape: types.Shape, latent_dim: int, units: int, num_classes: int | None = None, depth: int = 3
) -> keras.Model:
    """Latents (and labels) to points of `shape=(length,)`, which nothing bounds.

    Three hidden layers of rectified units: what models of pictures use for points.
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
    """Points of `shape=(length,)` (and labels) to logits `(batch, 1)`.

    With `num_classes` the inner product of the last features with the label's embedding is added
    to the logit. `wrap` is put around each layer with weights, such as spectral normalisation;
    `normalize()` is what stands between the layers.
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
    """Latents `(batch, latent_dim)` to pictures in [-1, 1], with batch normalisation.

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

    The same section. `noise` is the standard deviation at the picture, in [0, 1], and at each
    hidden layer, the units of which have variance 1 on the first batch: else noise would drown
    what the last layers say.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(0.5, offset=0.5)(layers.Flatten()(images))
    x = GaussianNoise(noise[0])(x)
    for units in hidden:
        x = layers.ReLU()(UnitDense(units, first_deviation=1.0)(x))
        x = GaussianNoise(noise[1])(x)
    return images, x


def unit_head(units: int, name: str) -> keras.layers.Layer:
    """The last layer of such a discriminator; logits begin a tenth as large as the authors'."""
    return UnitDense(units, learned_length=True, first_deviation=0.1, dtype="float32", name=name)
