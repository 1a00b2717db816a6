"""EfficientNet-lite0 as a frozen network of features, for images of any kind and size.

Tan, Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", table 1.
The lite variant, https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite,
has ReLU6 in place of swish, and no squeeze-and-excitation.
"""

import keras
from keras import layers

from ganzoo.layers import Conv2D
from ganzoo.layers import DepthwiseConv2D

STRIDES = (4, 8, 16, 32)
"""The depths with features, by the number of pixels between two of their places."""
FEATURES = 1280
"""Number of features of the whole image."""

# Repeats, size of the kernel, stride of the first block, factor of expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# Float32 whatever the user's policy is. Weights of zero, because random numbers of 50 shapes take
# JAX 20 seconds to compile.
_PLAIN = {"padding": "same", "data_format": "channels_last", "dtype": "float32"}


def efficientnet_lite0() -> keras.Model:
    """Network from images `(batch, height, width, 3)` in [-1, 1], of any size, to features at five
    depths: a list of the maps at the ends of the stages with `STRIDES`, which have 24, 40, 112 and
    320 channels, and of the mean of the last layer over all places, `(batch, 1280)`.

    It is not trainable, but has a gradient to the images. The convolutions include the batch
    normalisation that follows each of them in the paper. The weights are zero until
    `ganzoo.extractors.efficientnet.assign` loads the published ones.
    """
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    x = _conv(images, "stem", 32, size=3, stride=2)
    stride, number, ends = 2, 0, {}
    for repeats, size, first, expansion, channels in _STAGES:
        for i in range(repeats):
            x = _block(x, f"block_{number}", size, first if i == 0 else 1, expansion, channels)
            number += 1
        stride *= first
        ends[stride] = x  # of two stages with one stride, the later
    x = _conv(x, "head", FEATURES)
    mean = layers.GlobalAveragePooling2D(data_format="channels_last", dtype="float32")(x)
    network = keras.Model(images, [*(ends[s] for s in STRIDES), mean], name="efficientnet_lite0")
    network.trainable = False
    return network


def _conv(x, name, filters, size=1, stride=1, activation="relu6"):
    return Conv2D(
        filters,
        size,
        stride,
        activation=activation,
        kernel_initializer="zeros",
        name=name,
        **_PLAIN,
    )(x)


def _block(x, name, size, stride, expansion, channels):
    """A block of MobileNetV2: wider, each channel by itself, narrow again."""
    y = x
    if expansion > 1:
        y = _conv(y, f"{name}_expand", expansion * x.shape[-1])
    y = DepthwiseConv2D(
        size,
        stride,
        activation="relu6",
        depthwise_initializer="zeros",
        name=f"{name}_depthwise",
        **_PLAIN,
    )(y)
    y = _conv(y, f"{name}_project", channels, activation=None)
    return layers.Add(dtype="float32")([x, y]) if stride == 1 and x.shape[-1] == channels else y
