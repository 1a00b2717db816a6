"""A summary of what a data set holds, in one line."""

import collections
import dataclasses
import math
from typing import Any

from ganzoo.modalities import kind_of


@dataclasses.dataclass
class Contents:
    """What a data set holds.

    Attributes:
        source: the name or path, as it was passed.
        split: which split was taken.
        images: number of examples in an epoch.
        shape: of one example.
        files: number of files, including those that are left out; None if the source has no
            files.
        sizes: number of different sizes of the images.
        original: `(height, width)` of the images before they are resized; None if these differ or
            are not known.
        transparent: number of images with an alpha channel, which is laid on white.
        levels: depth of the values, such as `"8 bits"`.
        classes: number of examples by class name; None without labels.
        in_splits: number of images in each split of a folder that has several.
        left_out: number of files by the reason for which they are left out.
        animations: files of several frames, of which the first is taken.
        rate: samples a second of sounds; None for other data.
        changes: what else was done to the examples, in words.
    """

    source: Any
    split: str
    images: int = 0
    shape: tuple[int, ...] = ()
    files: int | None = None
    sizes: int = 1
    original: tuple[int, int] | None = None
    transparent: int = 0
    levels: str = ""
    classes: dict[str, int] | None = None
    in_splits: dict[str, int] = dataclasses.field(default_factory=dict)
    left_out: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    animations: int = 0
    rate: int | None = None
    changes: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        kind = kind_of(self.shape).adapt({"sample_rate": self.rate})
        what = f"{self.images:,} {kind.name}"
        if self.files is not None:
            what += f" in {self.files:,} files"
        size = kind.describe()
        if self.sizes > 1:
            size += f" (scaled and cropped from {self.sizes} sizes)"
        elif self.original not in (None, self.shape[:2]):
            size += f" ({self._how()} from {self.original[0]}×{self.original[1]})"
        split = f" ({self.split})" if self.split != "train" or len(self.in_splits) > 1 else ""
        parts = [", ".join(filter(None, (what, size, self.levels)))]
        others = {k: n for k, n in self.in_splits.items() if k != self.split}
        if others:
            parts.append("not in this split: " + _counted(others))
        if self.classes is not None:
            parts.append(_classes(self.classes))
        if self.transparent:
            parts.append(f"{self.transparent:,} with an alpha channel, which is laid on white")
        if self.animations:
            parts.append(f"the first frame of {self.animations:,} animations")
        parts += self.changes
        if self.left_out:
            parts.append("left out: " + _counted(dict(sorted(self.left_out.items()))))
        return f"{self.source}{split}: {'; '.join(parts)}"

    def _how(self):
        """How images come to their size: they are scaled to cover it, and the rest is cut off."""
        (height, width), (before, across) = self.shape[:2], self.original
        least = max(height / before, width / across)
        cropped = round(before * least) > height or round(across * least) > width
        return "scaled and cropped" if cropped else "scaled"


def count_classes(targets: Any, names: list[str] | None) -> dict[str, int]:
    """Number of examples by class name, or by number where classes have no names."""
    counts = collections.Counter(targets.tolist())
    if names is None:
        return {str(number): counts[number] for number in sorted(counts)}
    return {name: counts[i] for i, name in enumerate(names)}


def _classes(counts):
    some = dict(list(counts.items())[:12] if len(counts) <= 12 else list(counts.items())[:4])
    classes = f"{len(counts):,} {'class' if len(counts) == 1 else 'classes'}"
    if len(counts) <= 12:
        return f"{classes}: {_counted(some)}"
    few, many = min(counts.values()), max(counts.values())
    return f"{classes} of {few:,} to {many:,}: {_counted(some)}, …"


def _counted(counts):
    return ", ".join(f"{name}: {n:,}" for name, n in counts.items())


def range_of(low: float, high: float) -> str:
    """`"from 0 to 1"`."""
    return f"from {_short(low)} to {_short(high)}"


def _short(x):
    return f"{x:.3g}" if abs(x) < 1000 and not math.isclose(x, round(x)) else f"{x:.0f}"
