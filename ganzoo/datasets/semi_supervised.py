"""Data sets for semi-supervised learning, in which few examples have labels."""

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation


def semi_supervised(
    images: ArrayLike, labels: ArrayLike, *, per_class: int = 10, share: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Remove most labels, for semi-supervised learning.

    A few examples of each class keep their labels. The result has all images without a label (−1),
    and the labelled ones again with theirs, repeated until they are `share` of the data: nearly
    every batch of a shuffled data set then has some.

    Args:
        images: `(n, …)` array.
        labels: `(n,)` whole numbers.
        per_class: labels kept of each class.
        share: share of labelled images in the result, above 0 and below 1; each occurs at least
            once.
        seed: seed for the choice of labels.

    Returns:
        `(images, labels)`, ready for `fit` or, as a source, for `load`.

    Raises:
        ValueError: a class has too few images.

    Example:

    >>> images, labels = semi_supervised(np.zeros((1000, 8, 8, 1)), np.arange(1000) % 10)
    >>> len(images), float((labels >= 0).mean())
    (1250, 0.2)
    """
    images, labels = np.asarray(images), np.asarray(labels)
    validation.integer("per_class", per_class)
    validation.real("share", share, above=0, below=1)
    if len(images) != len(labels):
        raise ValueError(f"Received {len(images)} images and {len(labels)} labels.")
    rng = np.random.default_rng(seed)
    kept = []
    for label in np.unique(labels[labels >= 0]):
        indices = np.flatnonzero(labels == label)
        if len(indices) < per_class:
            raise ValueError(
                f"`per_class={per_class}`, but class {label} has {len(indices)} labelled images."
            )
        kept.append(rng.choice(indices, per_class, replace=False))
    kept = np.concatenate(kept)
    wanted = max(len(kept), round(len(images) * share / (1 - share)))
    kept = np.resize(kept, wanted)
    unlabelled = np.full(len(images), -1, "int32")
    return (
        np.concatenate([images, images[kept]]),
        np.concatenate([unlabelled, labels[kept].astype("int32")]),
    )
