"""The graph of the FID's InceptionV3; see `ganzoo.extractors.inception`."""

import keras
from keras import layers
from keras import ops

SIDE = 299
FEATURES = 2048
CLASSES = 1008


def build():
    """Build the graph with weights of zero, for `assign`.

    Returns:
        A `keras.Model` from images `(batch, 299, 299, 3)`, float32 in about [-1, 1], to
        `[features, logits]`: `(batch, 2048)`, the average of the last block, and `(batch, 1008)`.
        The logits have no bias, as in the original code of the Inception Score and in
        torch-fidelity (`logits_unbiased`). The layers have the names of the published file.

    Example:

    >>> [tuple(output.shape) for output in build().outputs]
    [(None, 2048), (None, 1008)]
    """
    inputs = x = keras.Input((SIDE, SIDE, 3), dtype="float32")
    x = _unit(x, "Conv2d_1a_3x3", 32, 3, strides=2)
    x = _unit(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _unit(x, "Conv2d_2b_3x3", 64, 3)
    x = _shrink(x)
    x = _unit(x, "Conv2d_3b_1x1", 80)
    x = _unit(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = _shrink(x)
    for letter, pooled in zip("bcd", (32, 64, 64)):
        x = _block_a(x, f"Mixed_5{letter}", pooled)
    x = _block_b(x, "Mixed_6a")
    for letter, inner in zip("bcde", (128, 160, 160, 192)):
        x = _block_c(x, f"Mixed_6{letter}", inner)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", layers.AveragePooling2D)
    x = _block_e(x, "Mixed_7c", layers.MaxPooling2D)
    features = layers.GlobalAveragePooling2D(data_format="channels_last", dtype="float32")(x)
    fc = layers.Dense(
        CLASSES, use_bias=False, kernel_initializer="zeros", dtype="float32", name="fc"
    )
    logits = fc(features)
    model = keras.Model(inputs, [features, logits], name="inception")
    model.trainable = False
    return model


def _unit(x, name, filters, size=1, strides=1, padding=None):
    """Convolution, batch normalisation, ReLU. Padded unless the stride is 2."""
    padding = padding or ("same" if strides == 1 else "valid")
    x = layers.Conv2D(
        filters,
        size,
        strides,
        padding,
        use_bias=False,
        kernel_initializer="zeros",  # random numbers of 50 shapes take JAX 20 seconds to compile
        data_format="channels_last",
        dtype="float32",
        name=f"{name}.conv",
    )(x)
    x = layers.BatchNormalization(epsilon=1e-3, dtype="float32", name=f"{name}.bn")(x)
    return ops.relu(x)


def _chain(x, name, *units):
    """Units in sequence, named `name_1`, `name_2`, …"""
    for i, unit in enumerate(units, 1):
        x = _unit(x, f"{name}_{i}", *unit)
    return x


def _pool(x, layer=layers.AveragePooling2D):
    """Pool 3×3 with stride 1. Keras's average excludes the padding on every backend."""
    return layer(3, 1, "same", data_format="channels_last", dtype="float32")(x)


def _shrink(x):
    return layers.MaxPooling2D(3, 2, "valid", data_format="channels_last", dtype="float32")(x)


def _block_a(x, name, pooled):
    branches = [
        _unit(x, f"{name}.branch1x1", 64),
        _chain(x, f"{name}.branch5x5", (48,), (64, 5)),
        _chain(x, f"{name}.branch3x3dbl", (64,), (96, 3), (96, 3)),
        _unit(_pool(x), f"{name}.branch_pool", pooled),
    ]
    return ops.concatenate(branches, axis=-1)


def _block_b(x, name):
    branches = [
        _unit(x, f"{name}.branch3x3", 384, 3, strides=2),
        _chain(x, f"{name}.branch3x3dbl", (64,), (96, 3), (96, 3, 2)),
        _shrink(x),
    ]
    return ops.concatenate(branches, axis=-1)


def _block_c(x, name, inner):
    row, column = (1, 7), (7, 1)
    double = [(inner,), (inner, column), (inner, row), (inner, column), (192, row)]
    branches = [
        _unit(x, f"{name}.branch1x1", 192),
        _chain(x, f"{name}.branch7x7", (inner,), (inner, row), (192, column)),
        _chain(x, f"{name}.branch7x7dbl", *double),
        _unit(_pool(x), f"{name}.branch_pool", 192),
    ]
    return ops.concatenate(branches, axis=-1)


def _block_d(x, name):
    branches = [
        _chain(x, f"{name}.branch3x3", (192,), (320, 3, 2)),
        _chain(x, f"{name}.branch7x7x3", (192,), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)),
        _shrink(x),
    ]
    return ops.concatenate(branches, axis=-1)


def _block_e(x, name, pool):
    single = _unit(x, f"{name}.branch3x3_1", 384)
    double = _chain(x, f"{name}.branch3x3dbl", (448,), (384, 3))
    branches = [
        _unit(x, f"{name}.branch1x1", 320),
        _unit(single, f"{name}.branch3x3_2a", 384, (1, 3)),
        _unit(single, f"{name}.branch3x3_2b", 384, (3, 1)),
        _unit(double, f"{name}.branch3x3dbl_3a", 384, (1, 3)),
        _unit(double, f"{name}.branch3x3dbl_3b", 384, (3, 1)),
        _unit(_pool(x, pool), f"{name}.branch_pool", 192),
    ]
    return ops.concatenate(branches, axis=-1)
