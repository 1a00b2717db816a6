"""The states of metrics: small, exact, and mergeable.

A state has `update(rows, labels, keys)` and `merge(other)`. The result does not depend on the
division of the rows into batches and shards, up to rounding in float64.
"""

import hashlib

import numpy as np


def keys_of(rows):
    """One 64-bit number per row, a function of its bytes alone.

    Args:
        rows: `(n, …)` array.

    Returns:
        `(n,)` uint64.
    """
    rows = np.ascontiguousarray(rows)
    digest = lambda row: hashlib.blake2b(row.tobytes(), digest_size=8).digest()
    return np.frombuffer(b"".join(map(digest, rows)), "<u8").astype("uint64")


class Moments:
    """Number, mean and scatter of rows, in float64; memory grows with the square of their length.

    Batches are joined by the pairwise update of Chan, Golub, LeVeque (1979), which avoids the
    cancellation of a sum of squares.
    """

    def __init__(self):
        self.count = 0
        self.mean = None
        self.scatter = None

    def update(self, rows, labels=None, keys=None):
        rows = np.asarray(rows, "float64")
        mean = rows.mean(axis=0)
        centred = rows - mean
        self._join(len(rows), mean, centred.T @ centred)

    def merge(self, other):
        if other.count:
            self._join(other.count, other.mean, other.scatter)

    def _join(self, count, mean, scatter):
        if not self.count:
            self.count, self.mean, self.scatter = count, mean, scatter
            return
        total = self.count + count
        step = mean - self.mean
        self.mean = self.mean + step * (count / total)
        self.scatter = self.scatter + scatter + np.outer(step, step) * (self.count * count / total)
        self.count = total

    @property
    def covariance(self):
        """Unbiased; zero for a single row."""
        return self.scatter / max(self.count - 1, 1)


class ClassMoments:
    """`Moments` of each class."""

    def __init__(self):
        self.classes = {}

    @property
    def count(self):
        return sum(moments.count for moments in self.classes.values())

    def update(self, rows, labels=None, keys=None):
        if labels is None:
            raise ValueError("This metric compares class by class: pass `labels`, one per row.")
        for label in np.unique(labels).tolist():
            self.classes.setdefault(label, Moments()).update(rows[labels == label])

    def merge(self, other):
        for label, moments in other.classes.items():
            self.classes.setdefault(label, Moments()).merge(moments)


class Distinct:
    """The number of distinct keys, and the first ones in a fixed order.

    The number is exact up to `keep`; beyond, it is estimated from the density of the kept keys
    (Bar-Yossef et al. 2002, "k minimum values"), with a relative error of about 1 / √keep.

    Args:
        keep: most keys that are kept; bounds memory.
    """

    def __init__(self, keep=65_536):
        self.keep = keep
        self.kept = np.zeros(0, "uint64")

    def update(self, keys):
        # Keys beyond the last one kept cannot come before it.
        if len(self.kept) == self.keep:
            keys = keys[keys < self.kept[-1]]
        self.kept = np.union1d(self.kept, keys)[: self.keep]

    def first(self, rank):
        """The key at a rank, from 1, among the distinct keys; the largest possible one if there are
        fewer.

        Exact up to `keep`, like `number`.
        """
        if rank >= self.number:
            return np.uint64(2**64 - 1)
        if rank <= len(self.kept):
            return self.kept[rank - 1]
        return np.uint64(rank / self.number * 2.0**64)

    @property
    def number(self):
        """The number of distinct keys, a whole number."""
        if len(self.kept) < self.keep:
            return len(self.kept)
        return round((self.keep - 1) / (float(self.kept[-1]) / 2.0**64))


class Rows:
    """The rows themselves, or a share of them that depends on neither order nor batches.

    Each distinct key has a place in a fixed order; the first `keep` distinct ones are kept, with
    the number of rows of each. A key that is kept at the end was kept at all times, so the numbers
    are exact, in every shard and after merging. Rows with the same key are kept or dropped
    together: if many rows are equal, give each its own key.

    Args:
        keep: most distinct rows that are kept; bounds memory.
    """

    def __init__(self, keep=50_000):
        self.keep = keep
        self.count = 0
        self._pending = []
        self._pending_rows = 0

    def update(self, rows, labels=None, keys=None):
        keys = keys_of(rows) if keys is None else keys
        self._add(np.array(rows), keys, np.ones(len(rows), "int64"))

    def merge(self, other):
        for part in other._pending:
            self._add(*part)

    def _add(self, rows, keys, counts):
        self._pending.append((rows, keys, counts))
        self._pending_rows += len(rows)
        self.count += int(counts.sum())
        if self._pending_rows > 2 * self.keep:
            self._compact()

    def _compact(self):
        rows, keys, counts = (np.concatenate(column) for column in zip(*self._pending))
        keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        counts = np.bincount(inverse.ravel(), weights=counts).astype("int64")
        kept = slice(self.keep)
        self._pending = [(rows[first[kept]], keys[kept], counts[kept])]
        self._pending_rows = len(self._pending[0][0])

    def rows(self):
        """At most `keep` rows in the order of their keys; a row added twice occurs twice."""
        if not self.count:
            raise ValueError("No rows yet: call `update_state` first.")
        self._compact()
        rows, _, counts = self._pending[0]
        if counts.sum() > self.keep:
            counts = np.random.default_rng(0).multivariate_hypergeometric(
                counts, self.keep, method="marginals"
            )
        return np.repeat(rows, counts, axis=0)


class Tally:
    """Number of rows of each kind; `rows` are numbers of kinds, −1 for none."""

    def __init__(self, kinds):
        self.seen = np.zeros(kinds, "int64")
        self.count = 0

    def update(self, rows, labels=None, keys=None):
        rows = np.asarray(rows)
        self.seen += np.bincount(rows[rows >= 0], minlength=len(self.seen))
        self.count += len(rows)

    def merge(self, other):
        self.seen += other.seen
        self.count += other.count
