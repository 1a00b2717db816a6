"""Were training pictures copied? Nearest neighbours among the trained-on and the held-out."""

import math
from typing import Any

import numpy as np

from ganzoo.metrics.base import Metric
from ganzoo.metrics.base import positive
from ganzoo.metrics.manifold import nearest
from ganzoo.metrics.states import Rows

COPY = 0.5
"""A sample at most this many times as far from a training picture as from any held-out one is
counted as a copy."""


class Memorisation(Metric):
    """Whether the samples lie nearer to the pictures trained on than to held-out ones.

    A model that has learned the distribution is as near to the one as to the other, however good
    or bad its samples are; one that copies is nearer to what it has seen. As many training as
    held-out pictures are compared (the training set in parts of that size, so that all of it
    counts): with a larger set the nearest neighbour would be nearer by chance alone. This is the
    idea of the three-sample test of Meehan et al. 2020, with both distances taken from the
    sample.

    `result` gives

    * `train_nearer`: share of the samples whose nearest neighbour is a training picture; ½
      without memorisation;
    * `copies`: share of the samples that are at most half as far from some training picture as
      from any held-out one, less the share for which it is the other way round, which is what
      chance brings; 0 without memorisation, or slightly below;
    * `nearest_train`, `nearest_held_out`: mean distance of a sample to its nearest training
      and held-out picture; the first is from the whole training set;
    * `memorised`: 1.0 if `train_nearer` exceeds ½ by 0.05 and by four standard errors, or
      `copies` exceeds 0.05 by four standard errors; else 0.0.

    Samples with one nearest picture are one piece of evidence, not many: else a model that makes
    a single blurred picture would be called memorising by the toss of a coin.

    Rows are pixels, 0 … 255, or anything else of one length; distances are root mean squares.

    Args:
        keep: how many distinct rows of each side are kept at most.
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
    # The rows are in the order of their keys, which is as good as shuffled.
    parts = math.ceil(len(train) / len(held_out))
    size = len(train) // parts
    _, to_held_out = nearest(fake, held_out)
    rival, to_rival = nearest(fake, held_out[:size])
    to_train = np.full(len(fake), np.inf)
    # Of each picture: by how much the training ones lead at it, how many samples copy it.
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
    # Between pictures, around the mean; and no less than if each picture were one toss of a coin.
    spread = sum(x.size * x.var() for x in (leads, rival_leads))
    error = max(math.sqrt(spread) / pairs, 0.5 / math.sqrt(size))
    copies = (copied.sum() - rival_copied.sum()) / len(fake)
    # What chance brings is seen at the held-out pictures, each of which counts in every part. One
    # more is added, because there may have been none.
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
