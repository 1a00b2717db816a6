"""Stacked-MNIST: three handwritten digits as the three colours of an image, 1,000 modes."""

import numpy as np

from ganzoo.datasets.source import Arrays

COUNTS = {"train": 128_000, "test": 26_000}
"""As in PacGAN (Lin et al. 2018), which also evaluates 26,000 samples."""


class Stacked(Arrays):
    """A source of triples of grey images; its label is the number that the digits spell.

    Args:
        images: `(n, h, w, 1)` uint8.
        digits: `(n,)` labels 0 … 9, or None to leave labels out.
        count: number of triples.
        seed: seed for the choice of triples.
    """

    def __init__(self, images, digits, count, seed):
        super().__init__(images)
        self.digits = digits
        self.triples = np.random.default_rng(seed).integers(len(images), size=(count, 3))
        (shape, dtype), *_ = self.specs
        self.specs = (((*shape[:2], 3), dtype),)
        if digits is not None:
            self.specs += (((), "int32"),)

    def __len__(self):
        return len(self.triples)

    def read(self, indices):
        triples = self.triples[indices]
        images = np.moveaxis(self.arrays[0][triples][..., 0], 1, -1)
        if self.digits is None:
            return (images,)
        return images, (self.digits[triples] @ [100, 10, 1]).astype("int32")


def load(mnist, split, labels):
    """Make a split from a source of MNIST with labels."""
    images, digits = mnist.arrays
    seed = list(COUNTS).index(split)
    return Stacked(images, digits if labels else None, COUNTS[split], seed)
