"""Sub-folders as classes."""

import math
import os
import pathlib
import re

import numpy as np

from ganzoo.datasets.decoding import place_of
from ganzoo.datasets.splits import SPLIT_OF


def common_folder(folders):
    """The depth at which folders are classes: where paths first differ, or the last if none do."""
    folders = list(folders)
    shared = len(os.path.commonprefix(folders))
    return shared - 1 if shared and all(len(f) == shared for f in folders) else shared


def classes_of(names, folders, path, order):
    """Class names (first folders that differ, over all splits) and each image's class number."""
    shared = common_folder(folders.values())
    loose = [n for n in names if len(folders[n]) == shared]
    if loose:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, but {place_of(path, loose[0])!r} and "
            f"{len(loose) - 1} more lie in none. Sort the images into one folder per class."
        )
    classes = sorted({f[shared] for f in folders.values() if len(f) > shared}, key=counting)
    if order is None and len(classes) == 1:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, and all images of {str(path)!r} lie in "
            f"one, {classes[0]!r}, which tells a model nothing. Leave `labels=True` out, sort the "
            f"images into several, or pass `class_names={classes!r}` if one class is meant."
        )
    if order is not None:
        unknown = sorted(set(classes).difference(order), key=counting)
        if unknown:
            raise ValueError(
                f"{str(path)!r} has the classes {', '.join(unknown)}, which `class_names` does not "
                f"name. It names {', '.join(order)}."
            )
        classes = list(order)
    number = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number[folders[n][shared]] for n in names], "int32")


def counting(name):
    """A key that sorts names in natural order: 2 before 10, and −1 before 0."""
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    parts = re.split(r"([0-9]+)", name)
    natural = [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]
    return (0, number, natural, name) if math.isfinite(number) else (1, 0.0, natural, name)


def without_images(names, folders, empty, class_names):
    """Names of the folders next to those of the classes that hold no image.

    Args:
        names: of the images.
        folders: by image, its folders below that of the split.
        empty: folders without an image of their own.
        class_names: of the classes.
    """
    shared = common_folder(folders.values())
    parents = set()
    for name in names:
        parts = pathlib.PurePosixPath(name).parts[:-1]
        parents.add(parts[: len(parts) - len(folders[name]) + shared])
    without = set()
    for name in empty:
        path = pathlib.PurePosixPath(name)
        is_used = path.name in class_names or path.name.lower() in SPLIT_OF
        if path.parts and path.parts[:-1] in parents and not is_used:
            without.add(path.parts[-1])
    return sorted(without)
