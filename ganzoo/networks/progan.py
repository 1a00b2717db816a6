"""Growing networks, which hold all sizes of images; training uses the current one.

Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs for Improved Quality, Stability,
and Variation", sections 2 and 4, table 2.
"""

import functools
import weakref
from typing import Any

import keras
from keras import layers
from keras import ops

from ganzoo import types
from ganzoo.layers import EqualizedConv2D
from ganzoo.layers import EqualizedDense
from ganzoo.layers import MinibatchStddev
from ganzoo.layers import PixelNorm
from ganzoo.layers import UpSampling2D
from ganzoo.networks import stylegan2
from ganzoo.networks.stylegan2 import widths


def sizes(height: int, width: int, levels: int | None = None) -> list[tuple[int, int]]:
    """The last `levels` sizes up to the full one; halves are rounded up, and none is below 4.

    >>> sizes(28, 28), sizes(8, 12)
    ([(7, 7), (14, 14), (28, 28)], [(4, 6), (8, 12)])
    """
    steps = stylegan2.sizes(height, width)[::-1]
    if (levels or 1) > len(steps):
        raise ValueError(
            f"Images of {height}×{width} allow growth through {len(steps)} sizes, {steps}. "
            f"Received: levels={levels}. Leave `levels` out, or enlarge the data."
        )
    return steps[-(levels or len(steps)) :]


def _conv(x, filters, size, name, gain=2**0.5, **options):
    options = {"padding": "same", "gain": gain, **options}
    return EqualizedConv2D(filters, size, name=name, **options)(x)


def _active(x):
    return layers.LeakyReLU(0.2)(x)


def _enlarged(x, size):
    x = UpSampling2D(dtype=x.dtype)(x)
    if x.shape[1:3] == tuple(size):
        return x
    # An odd size was rounded up on the way down.
    crop = ((0, x.shape[1] - size[0]), (0, x.shape[2] - size[1]))
    return layers.Cropping2D(crop, dtype=x.dtype)(x)


def _reduced(x):
    return layers.AveragePooling2D(2, padding="same", dtype=x.dtype)(x)


@keras.saving.register_keras_serializable(package="ganzoo")
class Blend(layers.Layer):
    """Blends two tensors: called with `[a, b, share]`, returns `share` of b and the rest of a."""

    def call(self, inputs):
        a, b, share = inputs
        share = ops.cast(ops.reshape(share, (-1, 1, 1, 1)), b.dtype)
        return a + share * (b - a)

    def compute_output_shape(self, input_shape):
        return input_shape[1]


def _embedding(num_classes, length, **options):
    """An embedding of labels, with normal initial weights."""
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return layers.Embedding(num_classes, length, embeddings_initializer=normal, **options)


def generator(
    latent_dim: int,
    steps: Any,
    depth: int,
    channels: int = 16,
    most: int = 512,
    num_classes: int | None = None,
) -> keras.Model:
    """Network from latents (and labels) and a fade, `(batch, 1)`, to a list of images: one of each
    size of `steps`, `depth` channels deep.

    Images of a size are a mixture of that size's own and the enlarged ones of the size before. They
    are unbounded. Layers are named by the size they belong to, from 0 up.
    """
    wide = widths(len(steps), channels, most)[::-1]
    latents = keras.Input((latent_dim,), name="latents")
    fade = keras.Input((1,), name="fade")
    inputs, x = [latents], latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs.append(labels)
        x = layers.Concatenate()([latents, _embedding(num_classes, latent_dim)(labels)])
    (h, w), x = steps[0], PixelNorm()(x)
    # A quarter of He's, as in the authors' code.
    x = EqualizedDense(h * w * wide[0], gain=2**0.5 / 4, name="dense_0")(x)
    x = PixelNorm()(_active(layers.Reshape((h, w, wide[0]))(x)))
    x = PixelNorm()(_active(_conv(x, wide[0], 3, "conv_0")))
    colours = lambda x, i: _conv(x, depth, 1, f"colours_{i}", gain=1.0, dtype="float32")
    own = colours(x, 0)
    outputs = [own]
    for i, (size, filters) in enumerate(zip(steps[1:], wide[1:]), 1):
        before, x = _enlarged(own, size), _enlarged(x, size)
        for which in "ab":
            x = PixelNorm()(_active(_conv(x, filters, 3, f"conv_{i}{which}")))
        own = colours(x, i)
        outputs.append(Blend(dtype="float32", name=f"images_{i}")([before, own, fade]))
    return keras.Model([*inputs, fade], outputs, name="generator")


def discriminator(
    steps: Any, depth: int, channels: int = 16, most: int = 512, num_classes: int | None = None
) -> keras.Model:
    """Network from images of every size of `steps`, one input each, (labels) and a fade to a list
    of logits.

    It mirrors the generator and ends in the standard deviation over groups of examples. With
    `num_classes` the inner product of the last features with the label's embedding is added to the
    logit (projection).
    """
    wide = widths(len(steps), channels, most)[::-1]
    images = [keras.Input((*size, depth), name=f"images_{i}") for i, size in enumerate(steps)]
    fade = keras.Input((1,), name="fade")
    conv = lambda filters, size, name: EqualizedConv2D(
        filters, size, padding="same", gain=2**0.5, name=name
    )
    seen = [conv(filters, 1, name=f"colours_{i}") for i, filters in enumerate(wide)]
    halve = {
        i: [
            conv(wide[i], 3, name=f"conv_{i}a"),
            conv(wide[i - 1], 3, name=f"conv_{i}b"),
        ]
        for i in range(1, len(steps))
    }
    spread = MinibatchStddev()
    last = [
        conv(wide[0], 3, name="conv_0"),
        layers.Flatten(),
        EqualizedDense(wide[0], gain=2**0.5, name="dense_0"),
    ]
    score = EqualizedDense(1, dtype="float32", name="logits")
    labels = keras.Input((), dtype="int32", name="labels")
    embed = _embedding(num_classes, wide[0], dtype="float32") if num_classes else None

    def judge(top):
        x = _active(seen[top](images[top]))
        for i in range(top, 0, -1):
            for layer in halve[i]:
                x = _active(layer(x))
            x = _reduced(x)
            if i == top:
                x = Blend()([_active(seen[i - 1](_reduced(images[i]))), x, fade])
        x = _active(last[0](spread(x)))
        x = _active(last[2](last[1](x)))
        if embed is None:
            return score(x)
        match = layers.Dot(axes=1, dtype="float32")([x, embed(labels)])
        return layers.Add(dtype="float32")([score(x), match])

    others = [labels] if num_classes else []
    return keras.Model(
        [*images, *others, fade], [judge(i) for i in range(len(steps))], name="discriminator"
    )


def _once(build):
    """Build each part once per network and size, and keep it as long as the network lives."""
    built = weakref.WeakKeyDictionary()

    @functools.wraps(build)
    def get(network, i, *args):
        parts = built.setdefault(network, {})
        if i not in parts:
            parts[i] = build(network, i, *args)
        return parts[i]

    return get


@_once
def at_size(network: keras.Model, i: int) -> keras.Model:
    """The part of a generator or discriminator for images of the i-th size."""
    inputs = [x for x in network.inputs if x.name in ("latents", f"images_{i}", "labels", "fade")]
    return keras.Model(inputs, network.outputs[i], name=f"{network.name}_{i}")


@_once
def at_full_size(network: keras.Model, i: int, steps: Any) -> keras.Model:
    """The part of a generator that makes images of the i-th size, enlarged to the last."""
    part = at_size(network, i)
    x = part.output
    for size in steps[i + 1 :]:
        x = _enlarged(x, size)
    return keras.Model(part.inputs, x, name=part.name)


def reduced(images: types.Tensor, steps: Any, i: int, fade: types.Tensor) -> types.Tensor:
    """Reduce images of the last size to the i-th, as detailed as the generator's: a share `fade` is
    unchanged, and the rest made smaller and larger again."""
    halved = lambda x: ops.average_pool(
        x, 2, strides=2, padding="same", data_format="channels_last"
    )
    for _ in steps[i + 1 :]:
        images = halved(images)
    if i == 0:
        return images
    coarse = ops.repeat(ops.repeat(halved(images), 2, axis=1), 2, axis=2)
    coarse = coarse[:, : steps[i][0], : steps[i][1]]
    return coarse + fade * (images - coarse)
