"""The InceptionV3 of the FID, `inception-2015-12-05`, in Keras.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
Equilibrium", measure the FID with the network of http://download.tensorflow.org/models/image/
imagenet/inception-2015-12-05.tgz; Salimans et al. 2016, "Improved Techniques for Training GANs",
measure the Inception Score with it. It differs from Szegedy et al. 2015 and from torchvision's:

- average pools do not count the padding;
- the pool of the last block is a maximum;
- 1008 classes, of which 1000 have a meaning.

The weights are those that pytorch-fid and torch-fidelity use, converted to PyTorch by their
authors; they are downloaded when first needed and are under the Apache License 2.0.
"""

import hashlib
import os
import pathlib
from typing import Literal

import keras
import numpy as np
from keras import layers
from keras import ops
from PIL import Image

from ganzoo import types
from ganzoo import validation
from ganzoo.extractors import torch_pickle
from ganzoo.files import downloads

URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
VARIABLE = "GANZOO_INCEPTION"
SIDE = 299
FEATURES = 2048
CLASSES = 1008


def build():
    """The graph, with weights of zero: only those of `assign` have a meaning.

    Returns:
        A `keras.Model` from pictures `(batch, 299, 299, 3)`, float32 in about [-1, 1], to
        `[features, logits]`: `(batch, 2048)`, the average of the last block, and `(batch, 1008)`.
        The logits are without bias, as in the Inception Score's own code and in torch-fidelity's
        (`logits_unbiased`). Its layers have the names of the published file.

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
    """Convolution, batch normalization, ReLU. Steps of 2 do not pad, others do."""
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
    """Units one after another, called `name_1`, `name_2`, …"""
    for i, unit in enumerate(units, 1):
        x = _unit(x, f"{name}_{i}", *unit)
    return x


def _pool(x, layer=layers.AveragePooling2D):
    """3 by 3, at every place. Keras's average does not count the padding, on any backend."""
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


def slots(model):
    """Where each array of the published file belongs.

    Returns:
        `{name: (shape in the file, variable or None, axes)}`: the array, transposed by `axes`, is
        the variable's value. `fc.bias` has no variable: the logits are without it.
    """
    found = {"fc.bias": ((CLASSES,), None, (0,))}

    def put(name, variable, *axes):
        shape = tuple(variable.shape[axes.index(i)] for i in range(len(axes)))
        found[name] = (shape, variable, axes)

    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            put(f"{layer.name}.weight", layer.kernel, 2, 3, 1, 0)
        elif isinstance(layer, layers.Dense):
            put(f"{layer.name}.weight", layer.kernel, 1, 0)
        elif isinstance(layer, layers.BatchNormalization):
            put(f"{layer.name}.weight", layer.gamma, 0)
            put(f"{layer.name}.bias", layer.beta, 0)
            put(f"{layer.name}.running_mean", layer.moving_mean, 0)
            put(f"{layer.name}.running_var", layer.moving_variance, 0)
    return found


def assign(model, state):
    """Gives the graph its weights: all, or with an error none.

    Args:
        model: from `build`.
        state: `{name: float32 array}` with the names and shapes of the published file. PyTorch's
            counters `num_batches_tracked` may be among them.

    Raises:
        ValueError: a name is missing or unknown, or an array has another shape or dtype.
    """
    wanted = slots(model)
    counter = ".bn.num_batches_tracked"
    given = {
        name: np.asarray(array)
        for name, array in state.items()
        if not (name.endswith(counter) and f"{name.removesuffix(counter)}.bn.weight" in wanted)
    }
    missing, extra = sorted(wanted.keys() - given), sorted(given.keys() - wanted)
    if missing or extra:
        raise ValueError(
            f"These are not the weights of {CLASSES}-class InceptionV3: {len(missing)} names are "
            f"missing{_some(missing)}, {len(extra)} are unknown{_some(extra)}."
        )
    for name, (shape, _, _) in wanted.items():
        array = given[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ValueError(
                f"{name!r} must be float32 of shape {shape}. Received: {array.dtype} of shape "
                f"{array.shape}."
            )
    for name, (_, variable, axes) in wanted.items():
        if variable is not None:
            variable.assign(np.ascontiguousarray(given[name].transpose(axes)))


def _some(names):
    listed = ", ".join(repr(name)[:100] for name in names[:3])
    return f" ({listed}{', …' if len(names) > 3 else ''})" if names else ""


def resize_tf1(images):
    """Pictures at the network's size, as TensorFlow 1 and torch-fidelity resize: bilinear, with
    the corners (not the centres) of pixels in place, and without antialiasing.

    Args:
        images: `(n, height, width, channels)` uint8.

    Returns:
        `(n, 299, 299, channels)` float32 tensor in [-1, 1): (x - 128) / 128.

    Example:

    >>> float(resize_tf1(np.full((1, 8, 8, 3), 192, "uint8"))[0, 5, 5, 0])
    0.5
    """
    x = ops.cast(images, "float32")
    for axis in (2, 1):  # along the width first, as both do
        low, high, part = _places(images.shape[axis], axis)
        below = ops.take(x, low, axis=axis)
        x = below + (ops.take(x, high, axis=axis) - below) * part
    return (x - 128) / 128


def _places(size, axis):
    """For each of 299 places: the pixels before and after it, and the part of the way between."""
    # In float32, as TensorFlow has it: a place that rounds up to a whole number is that pixel.
    places = np.arange(SIDE, dtype=np.float32) * np.float32(size / SIDE)
    low = places.astype("int32")
    part = (places - low.astype(np.float32)).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
    return low, np.minimum(low + 1, size - 1), part


def resize_clean(images):
    """Pictures at the network's size, as clean-fid resizes: Pillow's bicubic with antialiasing,
    each channel in floats, cut to 0..255 but not rounded.

    Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation".

    Args:
        images: `(n, height, width, channels)` uint8.

    Returns:
        `(n, 299, 299, channels)` float32 array in [-1, 1): (x - 128) / 128.

    Example:

    >>> float(resize_clean(np.full((1, 8, 8, 3), 192, "uint8"))[0, 5, 5, 0])
    0.5
    """
    n, _, _, channels = images.shape
    resized = np.empty((n, SIDE, SIDE, channels), np.float32)
    for i, image in enumerate(images.astype(np.float32)):
        for c in range(channels):
            plane = Image.fromarray(np.ascontiguousarray(image[..., c]))
            resized[i, ..., c] = plane.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (np.clip(resized, 0, 255) - 128) / 128


RESIZES = {
    "tf1": (resize_tf1, "", "TensorFlow 1 bilinear to 299x299, without antialiasing"),
    "clean": (resize_clean, "-clean", "Pillow bicubic to 299x299, antialiased, as clean-fid"),
}
"""By name: the function, the ending of the extractor's name, plain words."""


class Inception:
    """What the network of the FID sees in pictures.

    Args:
        weights: path of the published file (`.pth`), or of a `.safetensors` file with the same
            names. None: the path in the environment variable `GANZOO_INCEPTION`, else the file in
            the cache folder (`$GANZOO_CACHE`), where it is downloaded to (96 MB) if need be.
        resize: `"tf1"`, as in the original FID and in torch-fidelity, or `"clean"`, as in
            clean-fid. Numbers of one are not comparable with numbers of the other.
        batch_size: pictures that go through the network at once.
        sha256: the hash that the file must have. None: any, for weights of your own.

    Attributes:
        name: `"inception-2015-12-05"`, or with `"clean"` `"inception-2015-12-05-clean"`.
        hash: SHA-256 of the weights file, in hexadecimal.
        resize: the resizing in plain words.
        classes: 1008.

    Raises:
        OSError: the file cannot be opened or downloaded.
        ValueError: it has another hash, or does not hold these weights.

    Example:

    >>> extractor = Inception()  # doctest: +SKIP
    >>> extractor(images)["features"].shape  # doctest: +SKIP
    (1000, 2048)
    """

    classes = CLASSES

    def __init__(
        self,
        weights: types.Path | None = None,
        resize: Literal["tf1", "clean"] = "tf1",
        batch_size: int = 32,
        sha256: str | None = SHA256,
    ) -> None:
        self._resize, ending, self.resize = RESIZES[validation.one_of("resize", resize, RESIZES)]
        self.name = f"inception-2015-12-05{ending}"
        self._batch = validation.integer("batch_size", batch_size)
        state, self.hash = _load(weights, sha256)
        self._model = build()
        assign(self._model, state)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Features and logits of pictures.

        Args:
            images: `(n, height, width, channels)` uint8, channels 1 or 3; grey is repeated.

        Returns:
            `{"features": (n, 2048), "logits": (n, 1008)}`, float32 arrays. The logits are without
            bias, for the Inception Score.

        Raises:
            ValueError: the pictures have another dtype, shape or number of channels.
        """
        images = _checked(images)
        n = len(images)
        features, logits = (np.empty((n, size), np.float32) for size in (FEATURES, CLASSES))
        for start in range(0, n, self._batch):
            batch = images[start : start + self._batch]
            count = len(batch)
            # Filled up with the last picture: the network is compiled for one shape only.
            batch = np.pad(batch, [(0, self._batch - count)] + 3 * [(0, 0)], mode="edge")
            outputs = self._model.predict_on_batch(self._resized(batch))
            for whole, part in zip((features, logits), outputs):
                whole[start : start + count] = part[:count]
        return {"features": features, "logits": logits}

    def _resized(self, images):
        x = self._resize(images)
        return x if images.shape[-1] == 3 else ops.repeat(x, 3, axis=-1)


def _checked(images):
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            "`images` must be uint8 of shape (n, height, width, channels). Received: "
            f"{images.dtype} of shape {images.shape}."
        )
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            "Inception sees grey or RGB pictures, with 1 or 3 channels. Received "
            f"{images.shape[-1]} channels: convert the pictures, or use another extractor."
        )
    return images


def _load(weights, sha256):
    """The state dict in a weights file, and the file's hash."""
    path = weights or os.environ.get(VARIABLE)
    if not path:
        name = URL.rpartition("/")[2]
        path = downloads.fetch(
            URL,
            SHA256,
            name,
            f", or set the environment variable {VARIABLE} to its path. Without it, pictures are "
            "compared by their pixels: extractor 'pixels'",
        )
    path = pathlib.Path(path).expanduser()
    if path.stat().st_size > torch_pickle.LIMIT:
        raise ValueError(f"{str(path)!r} is too large for the weights of InceptionV3.")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise ValueError(
            f"{str(path)!r} is not the file of weights that is wanted: its SHA-256 is {digest}, "
            f"not {sha256}. Get it from {URL}, or pass `sha256=None` to use it all the same; "
            "results are then not comparable with published ones."
        )
    read = _read_safetensors if path.suffix == ".safetensors" else torch_pickle.read
    return read(content), digest


def _read_safetensors(content):
    from safetensors import numpy as safetensors

    try:
        return safetensors.load(content)
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(f"The weights are not a safetensors file, or damaged: {error}.") from error
