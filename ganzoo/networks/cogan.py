"""Networks of two domains that share layers, for images of any size from 8×8.

Liu, Tuzel 2016, "Coupled Generative Adversarial Networks", section 3: the layers far from the
images, which represent content, are shared; those next to the images, which represent appearance,
are not. Otherwise as in `ganzoo.networks.dcgan`.
"""

import keras
from keras import layers

from ganzoo import types
from ganzoo.layers import Conv2D
from ganzoo.layers import Conv2DTranspose
from ganzoo.networks.dcgan import normalization
from ganzoo.networks.dcgan import sizes

DOMAINS = ("images", "targets")


def _init():
    return keras.initializers.RandomNormal(stddev=0.02)


def _chain(*parts):
    def run(x):
        for part in parts:
            x = part(x)
        return x

    return run


def generator(
    image_shape: types.Shape, latent_dim: int, channels: int = 64, apart: int = 1
) -> keras.Model:
    """Network from latents `(batch, latent_dim)` to a pair of images in [-1, 1], `{"images",
    "targets"}`.

    The domains share all but the last `apart` layers. The last layer is a convolution at the size
    of the image, as in the paper: such a small part of the network cannot turn one content into
    two. `channels` is the width at half resolution; it doubles with every halving.
    """
    height, width, depth = image_shape
    *upper, (h, w) = sizes(height, width)
    widest = channels * 2 ** (len(upper) - 1)
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(h * w * widest, use_bias=False, kernel_initializer=_init())(latents)
    x = layers.Reshape((h, w, widest))(x)
    x = layers.ReLU()(normalization("batch")(x))

    def enlarge(x, i):
        """From stage i + 1 to stage i; stage 0 has the size of the image."""
        x = Conv2DTranspose(
            channels * 2 ** (i - 1) if i else max(1, channels // 2),
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=_init(),
        )(x)
        h, w = upper[i]
        if x.shape[1:3] != (h, w):  # an odd size was rounded up on the way down
            x = layers.Cropping2D(((0, x.shape[1] - h), (0, x.shape[2] - w)))(x)
        return layers.ReLU()(normalization("batch")(x))

    stages = list(reversed(range(len(upper))))
    shared = len(stages) - (apart - 1)
    for i in stages[:shared]:
        x = enlarge(x, i)
    images = {}
    for domain in DOMAINS:
        y = x
        for i in stages[shared:]:
            y = enlarge(y, i)
        y = Conv2D(depth, kernel_size=6, padding="same", kernel_initializer=_init())(y)
        images[domain] = layers.Activation("tanh", dtype="float32", name=domain)(y)
    return keras.Model(latents, images, name="generator")


def discriminator(image_shape: types.Shape, channels: int = 64, apart: int = 1) -> keras.Model:
    """Network from a pair of images, `{"images", "targets"}`, to logits `(batch, 2)`, one for each
    domain.

    The domains share all but the first `apart` convolutions. `channels` is the width at half
    resolution; it doubles with every halving.
    """
    height, width, _ = image_shape

    def halve(i):
        conv = Conv2D(
            channels * 2**i,
            kernel_size=4,
            strides=2,
            padding="same",
            use_bias=i == 0,
            kernel_initializer=_init(),
        )
        # No normalisation next to the images, and no batch normalisation anywhere: the two domains
        # would share its statistics.
        return _chain(conv, normalization("layer" if i else None), layers.LeakyReLU(0.2))

    count = len(sizes(height, width)) - 1
    dense = layers.Dense(1, kernel_initializer=_init(), dtype="float32")
    shared = _chain(*map(halve, range(apart, count)), layers.Flatten(), dense)
    pair = {domain: keras.Input(image_shape, name=domain) for domain in DOMAINS}
    logits = [shared(_chain(*map(halve, range(apart)))(x)) for x in pair.values()]
    logits = layers.Concatenate(dtype="float32", name="logits")(logits)
    return keras.Model(pair, logits, name="discriminator")
