"""Memorisation of training images, by nearest neighbours among training and held-out images."""

import math
from typing import Any

import numpy as np

from ganzoo.metrics.base import Metric
from ganzoo.metrics.base import positive
from ganzoo.metrics.manifold import nearest
from ganzoo.metrics.states import Rows

COPY = 0.5
"""A sample counts as a copy if its distance to a training image is at most this share of that to
any held-out image."""


class Memorisation(Metric):
    """Whether the samples lie nearer to training images than to held-out ones.

    The samples of a model that has learned the distribution are as near to the one set as to the
    other, whatever their quality; copies are nearer to the training images. Training and held-out
    images are compared in equal numbers (the training set in parts, so that all of it counts): in a
    larger set the nearest neighbour would be nearer by chance alone. This is the idea of the
    three-sample test of Meehan et al. 2020, with both distances measured from the sample.

    `result` returns

    * `train_nearer`: share of the samples whose nearest neighbour is a training image; ½
      without memorisation;
    * `copies`: share of the samples that are at most half as far from some training image as
      from any held-out one, minus the share for which the reverse holds, which is due to chance;
      0 without memorisation, or slightly below;
    * `nearest_train`, `nearest_held_out`: mean distance of a sample to its nearest training
      and held-out image; the first is measured in the whole training set;
    * `memorised`: 1.0 if `train_nearer` exceeds ½ by 0.05 and by four standard errors, or
      `copies` exceeds 0.05 by four standard errors; otherwise 0.0.

    All samples with the same nearest image are one piece of evidence: otherwise a model that makes
    a single blurred image would be flagged by the toss of a coin.

    Rows are pixels, 0 … 255, or any others of one length; distances are root mean squares.

    Args:
        keep: most distinct rows of each side that are kept.
    """

    name = "memorisation"
    uses = "pixels"
    sides = ("real", "fake", "train")
    scores = ("memorised", "train_nearer", "copies", "nearest_train", "nearest_held_out")
    better = {"memorised": "lower", "train_nearer": "lower", "copies": "lower"}

    def __init__(self, keep: int = 60_000) -> None:
        positive(keep=keep)
        self.keep = keep
        super().__init__()

    def settings(self) -> dict[str, Any]:
        return {"keep": self.keep}

    def remember(self) -> Any:
        return Rows(self.keep)

    def check(self, side: str, rows: np.ndarray) -> np.ndarray:
        if rows.dtype != np.uint8 or rows.ndim != 2:
            return super().check(side, rows)
        self._check_length(rows.shape[1])
        return rows

    def result(self) -> dict[str, float]:
        sides = self.need("real", "fake", "train")
        held_out, fake, train = (side.rows() for side in sides)
        return memorisation(fake, train, held_out)


def memorisation(fake: np.ndarray, train: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """The results of `Memorisation` from three arrays `(n, length)`."""
    # The rows are in the order of their keys, which is as good as random.
    parts = math.ceil(len(train) / len(held_out))
    size = len(train) // parts
    _, to_held_out = nearest(fake, held_out)
    rival, to_rival = nearest(fake, held_out[:size])
    to_train = np.full(len(fake), np.inf)
    # For each image: the lead of the training set there, and the number of samples that copy it.
    leads, copied = np.zeros((2, parts, size))
    rival_leads, rival_copied = np.zeros((2, size))
    for part in range(parts):
        which, distances = nearest(fake, train[part * size : (part + 1) * size])
        to_train = np.minimum(to_train, distances)
        ahead = 0.5 * np.sign(to_rival - distances)
        leads[part] = np.bincount(which, ahead, size)
        rival_leads += np.bincount(rival, ahead, size)
        copied[part] = np.bincount(which, distances < COPY * to_rival, size)
        rival_copied += np.bincount(rival, to_rival < COPY * distances, size)
    rest = train[parts * size :]
    if len(rest):
        to_train = np.minimum(to_train, nearest(fake, rest)[1])
    pairs = len(fake) * parts
    lead = leads.sum() / pairs
    # Variance between images, but at least that of one toss of a coin for each image.
    spread = sum(x.size * x.var() for x in (leads, rival_leads))
    error = max(math.sqrt(spread) / pairs, 0.5 / math.sqrt(size))
    copies = (copied.sum() - rival_copied.sum()) / len(fake)
    # The held-out images show the effect of chance; each of them counts in every part. One more
    # copy is added, because there may have been none.
    one_more = (parts * copied.max()) ** 2
    copies_error = math.sqrt((rival_copied**2).sum() + one_more) / len(fake)
    flagged = lead > max(0.05, 4 * error) or copies - 4 * copies_error > 0.05
    scale = math.sqrt(fake.shape[1])
    return {
        "memorised": float(flagged),
        "train_nearer": float(0.5 + lead),
        "copies": float(min(copies, 1)),
        "nearest_train": float(to_train.mean() / scale),
        "nearest_held_out": float(to_held_out.mean() / scale),
    }
