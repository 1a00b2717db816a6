"""The style-based networks: latents become styles, and styles steer convolutions.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020, "Analyzing and Improving the Image Quality of
StyleGAN", figures 2 and 7 and appendix B.
"""

import math
from typing import Any

import keras
from keras import layers
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo.layers import Blur
from ganzoo.layers import EqualizedConv2D
from ganzoo.layers import EqualizedDense
from ganzoo.layers import MinibatchStddev
from ganzoo.layers import Noise
from ganzoo.layers import PixelNorm
from ganzoo.layers import UpSampling2D
from ganzoo.networks import dcgan


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from the image down: halved and rounded up, none below 4.

    >>> sizes(28, 28), sizes(12, 8)
    ([(28, 28), (14, 14), (7, 7)], [(12, 8), (6, 4)])
    """
    return [size for size in dcgan.sizes(height, width) if min(size) >= 4]


def widths(stages: int, channels: int, most: int) -> list[int]:
    """Channels at full resolution, half, …: doubled with every halving, up to `most`.

    >>> widths(4, 32, 128)
    [32, 64, 128, 128]
    """
    return [min(channels * 2**i, most) for i in range(stages)]


@keras.saving.register_keras_serializable(package="ganzoo")
class Lift(layers.Layer):
    """Leaky rectified units, times √2 to keep the variance."""

    def call(self, inputs):
        return ops.leaky_relu(inputs, 0.2) * 2**0.5

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="ganzoo")
class Centre(layers.Layer):
    """Learns the mean of the styles and truncates towards it: called with `[w, truncation]`.

    Args:
        momentum: momentum of the running mean.
    """

    def __init__(self, momentum: float = 0.995, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            shape=(input_shape[0][-1],), initializer="zeros", trainable=False, name="mean"
        )

    def call(self, inputs, training=False):
        w, truncation = inputs
        if training:
            middle = backend.average(ops.stop_gradient(ops.mean(w, axis=0)))
            self.mean.assign(self.mean * self.momentum + middle * (1 - self.momentum))
        mean = ops.convert_to_tensor(self.mean)
        return truncation * w + (1 - truncation) * mean

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package="ganzoo")
class Constant(layers.Layer):
    """The learned constant that the synthesis starts from; the input only sets the batch size."""

    def __init__(self, shape: types.Shape, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.constant = self.add_weight(shape=self.shape, initializer=normal, name="constant")

    def call(self, inputs):
        constant = ops.convert_to_tensor(self.constant)
        return ops.broadcast_to(constant, (ops.shape(inputs)[0], *self.shape))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


@keras.saving.register_keras_serializable(package="ganzoo")
class ModulatedConv2D(layers.Layer):
    """A convolution whose kernel is scaled by each example's style: called with `[x, w]`.

    Instead of the kernel, the channels of the input are scaled, and for demodulation, which
    restores unit variance, those of the output.

    Args:
        filters: channels of the output.
        size: size of the kernel.
        demodulate: whether to demodulate.
        upsample: whether to double the image's size, with the filter (1, 3, 3, 1).
    """

    def __init__(
        self,
        filters: int,
        size: int,
        demodulate: bool = True,
        upsample: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.size = filters, size
        self.demodulate, self.upsample = demodulate, upsample
        # Styles start at one: nothing is scaled.
        self.affine = EqualizedDense(1, bias_initializer="ones", dtype="float32")

    def build(self, input_shape):
        (*_, channels), style = input_shape
        self.affine.units = channels
        self.affine.build(style)
        outer = (self.filters, channels) if self.upsample else (channels, self.filters)
        self.kernel = self.add_weight(
            shape=(self.size, self.size, *outer),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="kernel",
        )

    def call(self, inputs):
        x, w = inputs
        kernel = ops.cast(self.kernel, "float32")
        rows = self.size * self.size * x.shape[-1]
        kernel = kernel / math.sqrt(rows)
        style = self.affine(w)
        if self.demodulate:
            # Changes nothing, but large styles would overflow half precision.
            style = style * ops.rsqrt(ops.mean(ops.square(style), axis=1, keepdims=True) + 1e-8)
            power = ops.sum(ops.square(kernel), axis=(0, 1))
            power = ops.transpose(power) if self.upsample else power
            factor = ops.rsqrt(ops.matmul(ops.square(style), power) + 1e-8)
        x = x * ops.cast(style, x.dtype)[:, None, None]
        kernel = ops.cast(kernel, x.dtype)
        if self.upsample:
            x = ops.conv_transpose(
                x, kernel, strides=2, padding="valid", data_format="channels_last"
            )
            x = 4 * Blur.filter(x, 3, (1, 1))
        else:
            x = ops.conv(x, kernel, padding="same", data_format="channels_last")
        return x * ops.cast(factor, x.dtype)[:, None, None] if self.demodulate else x

    def compute_output_shape(self, input_shape):
        (batch, height, width, _), _ = input_shape
        times = 2 if self.upsample else 1
        return (batch, times * height, times * width, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "size": self.size,
            "demodulate": self.demodulate,
            "upsample": self.upsample,
        }


@keras.saving.register_keras_serializable(package="ganzoo")
class Bias(layers.Layer):
    """A learned offset for each channel."""

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, inputs):
        return inputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape


def _dense(units, activation=True, **options):
    dense = EqualizedDense(units, **options)
    return (lambda x: Lift(dtype=dense.dtype_policy.name)(dense(x))) if activation else dense


def mapping(
    latent_dim: int, style_dim: int, depth: int = 8, num_classes: int | None = None
) -> keras.Model:
    """Network from latents (and labels) and truncation, `(batch, 1)`, to styles `(batch,
    style_dim)`.

    Truncation 1 leaves the styles unchanged, 0 makes each the mean of all.
    """
    latents = keras.Input((latent_dim,), name="latents")
    truncation = keras.Input((1,), name="truncation")
    inputs, x = [latents], PixelNorm(dtype="float32")(latents)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs.append(labels)
        classes = PixelNorm(dtype="float32")(_embedding(num_classes, style_dim)(labels))
        x = layers.Concatenate(dtype="float32")([x, classes])
    for _ in range(depth):
        x = _dense(style_dim, lr_multiplier=0.01, dtype="float32")(x)
    return keras.Model([*inputs, truncation], Centre()([x, truncation]), name="mapping")


def _embedding(num_classes, length):
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return layers.Embedding(num_classes, length, embeddings_initializer=normal, dtype="float32")


def style_count(image_shape: types.Shape) -> int:
    """Number of layers with their own style: two for each size, but one for the first; and the last
    layer, which makes colours."""
    return 2 * len(sizes(*image_shape[:2]))


def mix(first: types.Tensor, second: types.Tensor, share: float, seed: Any) -> types.Tensor:
    """Mix styles: a share of the images has `second`'s from a random layer on, though not from the
    first one, the rest `first`'s throughout. All are `(batch, layers, style_dim)`."""
    count, depth, _ = first.shape
    uniform = lambda: backend.drawn(keras.random.uniform, (count, 1, 1), seed=seed)
    mixed = uniform() < share
    start = ops.where(mixed, 1 + ops.floor(uniform() * (depth - 1)), depth)
    coarse = ops.cast(ops.arange(depth), "float32")[None, :, None] < start
    return ops.where(coarse, first, second)


def synthesis(
    image_shape: types.Shape, style_dim: int, channels: int = 32, most: int = 512
) -> keras.Model:
    """Network from styles `(batch, layers, style_dim)` to images `(batch, *image_shape)`, which are
    unbounded."""
    height, width, depth = image_shape
    steps = sizes(height, width)[::-1]
    wide = widths(len(steps), channels, most)[::-1]
    styles = keras.Input((style_count(image_shape), style_dim), name="styles")
    at = lambda i: styles[:, i]

    def layer(x, style, filters, size, **options):
        x = ModulatedConv2D(filters, 3, **options)([x, style])
        x = cropped(x, size)
        return Lift()(Bias()(Noise()(x)))

    def colours(x, style):
        x = ModulatedConv2D(depth, 1, demodulate=False)([x, style])
        return Bias(dtype="float32")(x)

    x = Constant((*steps[0], wide[0]))(styles)
    x = layer(x, at(0), wide[0], steps[0])
    images = colours(x, at(1))
    for i, (size, filters) in enumerate(zip(steps[1:], wide[1:])):
        x = layer(x, at(2 * i + 1), filters, size, upsample=True)
        x = layer(x, at(2 * i + 2), filters, size)
        images = UpSampling2D(dtype="float32")(images)
        images = cropped(Blur(2, (1, 1), dtype="float32")(images), size)
        last = i == len(steps) - 2
        images = layers.Add(dtype="float32", name="images" if last else None)(
            [images, colours(x, at(2 * i + 3))]
        )
    return keras.Model(styles, images, name="synthesis")


def cropped(x: types.Tensor, size: types.Shape) -> types.Tensor:
    """Crop to a size, because an odd one was rounded up on the way down."""
    if tuple(x.shape[1:3]) == tuple(size):
        return x
    return layers.Cropping2D(((0, x.shape[1] - size[0]), (0, x.shape[2] - size[1])), dtype=x.dtype)(
        x
    )


def generator(mapping: keras.Model, synthesis: keras.Model) -> keras.Model:
    """The generator, mapping followed by synthesis, with the same style for all layers."""
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in mapping.inputs]
    count = synthesis.inputs[0].shape[1]
    styles = layers.RepeatVector(count, dtype="float32")(mapping(inputs))
    return keras.Model(inputs, synthesis(styles), name="generator")


def discriminator(
    image_shape: types.Shape,
    channels: int = 32,
    most: int = 512,
    num_classes: int | None = None,
    style_dim: int = 512,
) -> keras.Model:
    """Residual network from images `(batch, *image_shape)` to logits `(batch, 1)`, ending in the
    standard deviation over groups of examples.

    With `num_classes` it takes `[images, labels]`, and the logit is the inner product of features
    with the label's embedding (projection).
    """
    steps = sizes(*image_shape[:2])
    wide = widths(len(steps), channels, most)
    images = keras.Input(image_shape, name="images")
    conv = lambda filters, size=3, **options: EqualizedConv2D(
        filters, size, **{"padding": "same", **options}
    )
    x = Lift()(conv(wide[0], 1)(images))
    for i in range(1, len(steps)):
        odd = [n % 2 for n in x.shape[1:3]]
        y = Lift()(conv(wide[i - 1])(x))
        # Zeros for the filter and for the convolution; one more for an odd size.
        y = layers.ZeroPadding2D(((2, 2 + odd[0]), (2, 2 + odd[1])))(y)
        y = Lift()(conv(wide[i], strides=2, padding="valid")(Blur(3)(y)))
        skip = layers.AveragePooling2D(2, padding="same")(Blur(2, (1, 1))(x))
        skip = conv(wide[i], 1, use_bias=False)(skip)
        x = layers.Rescaling(0.5**0.5)(layers.Add()([y, skip]))
    x = Lift()(conv(wide[-1])(MinibatchStddev()(x)))
    x = _dense(wide[-1])(layers.Flatten()(x))
    if not num_classes:
        logits = EqualizedDense(1, dtype="float32", name="logits")(x)
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    features = EqualizedDense(style_dim, dtype="float32", name="features")(x)
    classes = PixelNorm(dtype="float32")(_embedding(num_classes, style_dim)(labels))
    logits = layers.Dot(axes=1, dtype="float32")([features, classes])
    logits = layers.Rescaling(style_dim**-0.5, dtype="float32", name="logits")(logits)
    return keras.Model([images, labels], logits, name="discriminator")
