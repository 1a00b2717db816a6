"""Were training pictures copied? Nearest neighbours among the trained-on and the held-out."""

import math

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
      from any held-out one;
    * `nearest_train`, `nearest_held_out`: mean distance of a sample to its nearest training
      and held-out picture; the first is from the whole training set;
    * `memorised`: 1.0 if `train_nearer` exceeds ½ by 0.05 and by four standard errors, or
      `copies` exceeds 0.05 by four standard errors; else 0.0.

    Rows are pixels, 0 … 255, or anything else of one length; distances are root mean squares.

    Args:
        keep: how many distinct rows of each side are kept at most.
    """

    name = "memorisation"
    uses = "pixels"
    sides = ("real", "fake", "train")
    better = {"memorised": "lower", "train_nearer": "lower", "copies": "lower"}

    def __init__(self, keep=60_000):
        positive(keep=keep)
        self.keep = keep
        super().__init__()

    def settings(self):
        return {"keep": self.keep}

    def remember(self):
        return Rows(self.keep)

    def check(self, side, rows):
        return rows if rows.dtype == np.uint8 and rows.ndim == 2 else super().check(side, rows)

    def result(self):
        sides = self.need("real", "fake", "train")
        held_out, fake, train = (side.rows() for side in sides)
        return memorisation(fake, train, held_out)


def memorisation(fake, train, held_out):
    """The results of `Memorisation` from three arrays `(n, length)`."""
    scale = math.sqrt(fake.shape[1])
    _, to_held_out = nearest(fake, held_out)
    size = min(len(train), len(held_out))
    if size < len(held_out):
        _, to_as_many = nearest(fake, held_out[:size])
    else:
        to_as_many = to_held_out
    # The rows are in the order of their keys, which is as good as shuffled.
    parts = [train[i : i + size] for i in range(0, len(train) - size + 1, size)]
    distances = np.stack([nearest(fake, part)[1] for part in parts])
    rest = train[len(parts) * size :]
    to_train = distances.min(axis=0)
    if len(rest):
        to_train = np.minimum(to_train, nearest(fake, rest)[1])
    nearer = (distances < to_as_many) + 0.5 * (distances == to_as_many)
    nearer = nearer.mean(axis=0)  # of each sample, over the parts
    copies = to_train < COPY * to_held_out
    # Of the share, not of each sample's own: ½·½ is the most a share can vary.
    error = 0.5 / math.sqrt(len(fake))
    copied = copies.mean()
    copies_error = math.sqrt(max(copied * (1 - copied), 1 / len(fake)) / len(fake))
    flagged = nearer.mean() - 0.5 > max(0.05, 4 * error) or copied - 4 * copies_error > 0.05
    return {
        "memorised": float(flagged),
        "train_nearer": float(nearer.mean()),
        "copies": float(copied),
        "nearest_train": float(to_train.mean() / scale),
        "nearest_held_out": float(to_held_out.mean() / scale),
    }
