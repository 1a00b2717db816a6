"""Whether a set of images may be mirrored: text may not, portraits that face both ways may."""

import dataclasses
from typing import Any

import numpy as np

from ganzoo import validation

SIDE = 16
"""Height and width to which images are averaged down before they are compared."""
MARGIN = 0.1
"""By how much the share of recognised images may exceed one half."""


@dataclasses.dataclass(frozen=True)
class Mirroring:
    """How well images can be told from mirror images, by the other images of their set.

    Attributes:
        recognised: share of the images that are told from their mirror images, by the nearest other
            image or by the difference of the means, whichever tells more. A set that holds mirror
            images as often has 0.5, up to noise; text and digits have nearly 1.
        images: number of images compared.
    """

    recognised: float
    images: int

    @property
    def limit(self) -> float:
        """The largest share that is safe: 0.6, and for fewer than 225 images three standard
        deviations of a guess."""
        return 0.5 + max(MARGIN, 1.5 / self.images**0.5)

    @property
    def safe(self) -> bool:
        """Whether the images may be mirrored: `flip=True`."""
        return self.recognised <= self.limit

    def __bool__(self) -> bool:
        return self.safe

    def __str__(self) -> str:
        return (
            f"Flips: {'on' if self.safe else 'off'}. {self.recognised:.0%} of {self.images:,} "
            "images are told from their mirror images; a guess tells 50%, and flips are safe up to "
            f"{self.limit:.0%}."
        )


def mirrored(data: Any, *, images: int = 1000) -> Mirroring:
    """Whether a model may learn from mirror images of this data too, by a quick look at it.

    Each image is compared with the other ones and with the mirror images of these. If its nearest
    neighbour is seldom a mirror image, or the mean image differs from its mirror image by more than
    its noise, mirrored images would be something else than the data.

    Args:
        data: what `ganzoo.datasets.load` returned, or an array of images `(count, height, width,
            channels)`. The first images count: they should be shuffled.
        images: number of images to compare at most, at least 2.

    Returns:
        A `Mirroring`, which is true if mirroring is safe. As text it is one line that says so.

    Raises:
        ValueError: there are fewer than two images, or the data are points.

    Example:

    >>> from ganzoo import datasets
    >>> digits = mirrored(datasets.load("digits", verbose=False))
    >>> digits.safe, digits.recognised > 0.9
    (False, True)
    """
    validation.integer("images", images, least=2)
    small = np.concatenate(list(_reduced(data, images)))
    if len(small) < 2:
        raise ValueError("There is only one image, which has nothing to be compared with.")
    return Mirroring(recognised(small), len(small))


def _reduced(data, count):
    """Images in batches, averaged down; `count` at most."""
    batches = [data] if hasattr(data, "shape") else data
    for batch in batches:
        batch = np.asarray(batch[0] if isinstance(batch, (tuple, list)) else batch)[:count]
        if batch.ndim != 4:
            raise ValueError(
                "Only images can be mirrored, (count, height, width, channels). Received shape "
                f"{batch.shape}."
            )
        height, width = (_boxes(side) for side in batch.shape[1:3])
        yield np.einsum("yh,nhwc,xw->nyxc", height, batch.astype("float32"), width, optimize=True)
        count -= len(batch)
        if count <= 0:
            return


def _boxes(side):
    """A matrix that averages `side` pixels to at most `SIDE` numbers, the same from both ends."""
    edges = np.linspace(0, side, min(side, SIDE) + 1)
    starts, stops = edges[:-1, None], edges[1:, None]
    pixels = np.arange(side)
    parts = np.minimum(stops, pixels + 1) - np.maximum(starts, pixels)
    return (np.clip(parts, 0, 1) / (stops - starts)).astype("float32")


def recognised(images: np.ndarray) -> float:
    """The share of images `(count, height, width, channels)` that are told from their mirror
    images, see `Mirroring`."""
    here, there = (x.reshape(len(images), -1) for x in (images, images[:, :, ::-1]))
    # Twice the products, less the squares: the larger, the nearer.
    squares = np.square(here).sum(axis=1)
    near = []
    for others in (here, there):
        nearness = 2 * here @ others.T - squares
        np.fill_diagonal(nearness, -np.inf)  # an image tells nothing about itself
        near.append(nearness.max(axis=1))
    neighbours = _share(near[0] - near[1])
    # By the mean difference of one half for the other half.
    odd, half = here - there, len(here) // 2
    halves = odd[:half], odd[half:]
    means = [_share(a @ b.mean(axis=0)) for a, b in (halves, halves[::-1])]
    return max(neighbours, float(np.mean(means)))


def _share(margins):
    """Share of positive numbers; zeros count half, and so do differences that are rounding."""
    noise = 1e-5 * np.abs(margins).max(initial=0)
    return float(np.mean((margins > noise) + 0.5 * (np.abs(margins) <= noise)))
