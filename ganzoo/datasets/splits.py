"""Sub-folders as splits: 'train', 'test', 'validation'."""

import collections
import dataclasses
import functools
import os
import pathlib

from ganzoo import validation

SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "val", "valid"),
}
SPLIT_OF = {folder: split for split, folders in SPLITS.items() for folder in folders}


def depth_of_splits(folders):
    """The depth of the folders that are splits, or None if there are none.

    Sub-folders are splits if all images lie in folders with such names, or if 'train' has 'test'
    or 'validation' next to it. Otherwise they are classes, one of which may be called 'train'.
    """
    folders = set(folders)
    shared = len(os.path.commonprefix(list(folders)))
    for depth in range(max(map(len, folders))):
        here = {f[depth].lower() if len(f) > depth else "" for f in folders}
        splits = {SPLIT_OF[folder] for folder in here if folder in SPLIT_OF}
        pair = depth <= shared and "train" in splits and len(splits) > 1
        if here <= SPLIT_OF.keys() or pair:
            return depth
    return None


@dataclasses.dataclass(frozen=True)
class Split:
    """The images of a split."""

    name: str | None
    images: list
    """Names of the images in it."""
    folders: dict
    """For each image, in any split: its folders below that of the split."""
    counts: dict = dataclasses.field(default_factory=dict)
    """Number of images by split, if there are several."""
    outside: dict = dataclasses.field(default_factory=dict)
    """Number of images that lie in no split, by folder."""
    split_folders: list = dataclasses.field(default_factory=list)
    """Names of the folders that are splits."""


def take(names, split, path):
    """The images of a split, or all where `split` is None.

    Args:
        names: of all images.
        split: a split or the name of a folder.
        path: of the folder or zip, for errors.
    """
    if split is None:
        return Split(None, names, {})
    parts = functools.cache(lambda folder: pathlib.PurePosixPath(folder).parts)  # one for all
    folders = {name: parts(name.rpartition("/")[0]) for name in names}
    depth = depth_of_splits(folders.values())
    if depth is not None:
        return _take_at(depth, folders, split, path)
    if split != "train":
        raise ValueError(
            f"{str(path)!r} has no split {split!r}: without sub-folders 'train' and 'test' next to "
            "each other, all of it is 'train'."
        )
    return Split(split, names, folders)


def _take_at(depth, folders, split, path):
    """The images of a split, where the folders at `depth` are the splits."""
    where = {n: f[depth].lower() if len(f) > depth else "" for n, f in folders.items()}
    wanted = SPLITS.get(SPLIT_OF.get(split, split), (split.lower(),))
    images = [name for name, folder in where.items() if folder in wanted]
    if not images:
        there = {SPLIT_OF.get(folder, folder) for folder in where.values()} - {""}
        raise validation.unknown(f"split of {str(path)!r}", split, there)
    counts = collections.Counter(where.values())
    outside = {k: n for k, n in counts.items() if k not in SPLIT_OF and k not in wanted}
    below = functools.cache(lambda folder: folder[:depth] + folder[depth + 1 :])
    kept = {name for name, folder in where.items() if folder in SPLIT_OF or folder in wanted}
    return Split(
        SPLIT_OF.get(split, split),
        images,
        {name: below(f) for name, f in folders.items() if name in kept},
        _by_split(counts),
        outside,
        sorted(counts.keys() - outside.keys()),
    )


def _by_split(counts):
    """Turn numbers of images by folder into numbers by split; other folders stay as they are."""
    by_split = collections.Counter()
    for folder, count in counts.items():
        by_split[SPLIT_OF.get(folder, folder) or "loose"] += count
    return dict(by_split)
