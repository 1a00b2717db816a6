"""Small data sets that come with ganzoo: digits and mixtures of points."""

import numpy as np

from ganzoo import validation
from ganzoo.datasets.arrays import from_arrays


def digits(split, labels):
    """1,797 handwritten digits, 8×8 grey; every sixth is kept for `"test"`."""
    from sklearn import datasets

    validation.one_of("split", split, ("train", "test", "all"))
    data = datasets.load_digits()
    images = np.round(data.images * (255 / 16)).astype("uint8")[..., None]
    held_out = np.arange(len(images)) % 6 == 5
    keep = {"train": ~held_out, "test": held_out, "all": slice(None)}[split]
    return from_arrays(
        images[keep], data.target[keep], labels, class_names=[str(i) for i in range(10)]
    )


POINTS = 100_000
"""Points of `ring` and `grid`, as in PacGAN's experiments."""


def _mixtures():
    angle = np.arange(8) * (2 * np.pi / 8)
    line = np.linspace(-0.8, 0.8, 5)
    return {
        "ring": (0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.008),
        "grid": (np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), 0.01),
    }


MIXTURES = _mixtures()
"""`(centres, standard deviation)` of the Gaussians of the toy data sets."""


def ring(split, labels):
    """Eight Gaussians, σ = 0.01 r, on a circle of radius r = 0.8."""
    return _mixture(*MIXTURES["ring"], split, labels)


def grid(split, labels):
    """25 Gaussians, σ = 0.01, at the crossings of a 5×5 grid from −0.8 to 0.8."""
    return _mixture(*MIXTURES["grid"], split, labels)


def _mixture(centres, sigma, split, labels):
    validation.one_of("split", split, ("train", "test"))
    rng = np.random.default_rng({"train": 0, "test": 1}[split])
    modes = rng.integers(len(centres), size=POINTS)
    points = centres[modes] + sigma * rng.standard_normal((POINTS, 2))
    return from_arrays(points.astype("float32"), modes, labels)
