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

from typing import Literal

import numpy as np
from keras import ops
from PIL import Image

from ganzoo import types
from ganzoo import validation
from ganzoo.extractors.inception_network import CLASSES as CLASSES
from ganzoo.extractors.inception_network import FEATURES
from ganzoo.extractors.inception_network import SIDE
from ganzoo.extractors.inception_network import build as build
from ganzoo.extractors.inception_weights import SHA256 as SHA256
from ganzoo.extractors.inception_weights import assign as assign
from ganzoo.extractors.inception_weights import load
from ganzoo.extractors.inception_weights import slots as slots


def resize_tf1(images):
    """Resize images for the network as TensorFlow 1 and torch-fidelity do: bilinear, aligned at the
    corners (not the centres) of pixels, without antialiasing.

    Args:
        images: `(n, height, width, channels)` uint8.

    Returns:
        `(n, 299, 299, channels)` float32 tensor in [-1, 1): (x - 128) / 128.

    Example:

    >>> float(resize_tf1(np.full((1, 8, 8, 3), 192, "uint8"))[0, 5, 5, 0])
    0.5
    """
    x = ops.cast(images, "float32")
    for axis in (2, 1):  # along the width first, as in both
        low, high, part = _places(images.shape[axis], axis)
        below = ops.take(x, low, axis=axis)
        x = below + (ops.take(x, high, axis=axis) - below) * part
    return (x - 128) / 128


def _places(size, axis):
    """For each of 299 places: the pixels before and after it, and the fraction between them."""
    # In float32, as in TensorFlow: a place that rounds up to a whole number is that pixel.
    places = np.arange(SIDE, dtype=np.float32) * np.float32(size / SIDE)
    low = places.astype("int32")
    part = (places - low.astype(np.float32)).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
    return low, np.minimum(low + 1, size - 1), part


def resize_clean(images):
    """Resize images for the network as clean-fid does: Pillow's bicubic with antialiasing, each
    channel in floats, clipped to 0..255 but not rounded.

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
"""By name: the function, the ending of the extractor's name, a description."""


class Inception:
    """Features and logits of the network of the FID.

    Args:
        weights: path of the published file (`.pth`), or of a `.safetensors` file with the same
            names. None: the path in the environment variable `GANZOO_INCEPTION`; otherwise the file
            in the cache folder (`$GANZOO_CACHE`), downloaded (96 MB) if it is not there.
        resize: `"tf1"`, as in the original FID and in torch-fidelity, or `"clean"`, as in
            clean-fid. Scores with one are not comparable with scores with the other.
        batch_size: images in a batch of the network.
        sha256: the hash that the file must have. None: any, for weights of your own.

    Attributes:
        name: `"inception-2015-12-05"`, or with `"clean"` `"inception-2015-12-05-clean"`.
        hash: SHA-256 of the weights file, in hexadecimal.
        resize: a description of the resizing.
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
        state, self.hash = load(weights, sha256)
        self._model = build()
        assign(self._model, state)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Features and logits of images.

        Args:
            images: `(n, height, width, channels)` uint8, channels 1 or 3; grey is repeated.

        Returns:
            `{"features": (n, 2048), "logits": (n, 1008)}`, float32 arrays. The logits have no bias,
            for the Inception Score.

        Raises:
            ValueError: the images have another dtype, shape or number of channels.
        """
        images = _checked(images)
        n = len(images)
        features, logits = (np.empty((n, size), np.float32) for size in (FEATURES, CLASSES))
        for start in range(0, n, self._batch):
            batch = images[start : start + self._batch]
            count = len(batch)
            # Padded with the last image: the network is compiled for one shape only.
            batch = np.pad(batch, [(0, self._batch - count)] + 3 * [(0, 0)], mode="edge")
            outputs = self._model.predict_on_batch(self._resized(batch))
            for rows, output in zip((features, logits), outputs):
                rows[start : start + count] = output[:count]
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
            "Inception takes grey or RGB images, with 1 or 3 channels. Received "
            f"{images.shape[-1]} channels: convert the images, or use another extractor."
        )
    return images
