"""From a name, a path or an array to a source of examples."""

import dataclasses
import math
import os
import pathlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo import validation
from ganzoo.datasets import arrays
from ganzoo.datasets import decoding
from ganzoo.datasets import image_folder
from ganzoo.datasets import levels
from ganzoo.datasets import stacked_mnist
from ganzoo.datasets import tfds
from ganzoo.datasets import toys
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.source import Rescaled
from ganzoo.datasets.source import Resized
from ganzoo.datasets.source import settle

BUILT_IN = {"digits": toys.digits, "ring": toys.ring, "grid": toys.grid}
"""Data sets that need no download."""
Source = str | os.PathLike[str] | ArrayLike
"""What `load` takes."""
CACHE_BYTES = 2**29
"""Data of at most this size is decoded once and kept in memory: 512 MiB."""
BATCH_BYTES = 2**31
"""What a batch may have at most: 2 GiB."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is wanted of a source; see `load`. `image_size` is `(height, width)` or None."""

    split: str
    image_size: tuple[int, int] | None
    labels: Any
    data_dir: types.Path | None
    channels: int | None
    on_error: str
    value_range: levels.Range | None
    class_names: Sequence[str] | None = None

    def __post_init__(self):
        validation.one_of("on_error", self.on_error, ("raise", "skip"))
        if self.channels not in (None, 1, 3, 4):
            raise ValueError(
                "`channels` is 1 (grey), 3 (colour) or 4 (with transparency). Received: "
                f"{self.channels!r}."
            )
        object.__setattr__(self, "value_range", levels.check_range(self.value_range))

    @property
    def labelled(self):
        """Whether labels are wanted, or given."""
        return self.labels if isinstance(self.labels, (bool, np.bool_)) else self.labels is not None


def finish(source, wanted, found, limit, batch_size):
    """A source whose images have the range and size that are wanted, in memory if it is small; and
    its contents. Warnings point at who called `load`."""
    contents = getattr(found, "contents", None) or Contents(name_of(source), wanted.split)
    made_of_files = hasattr(found, "choose_ranges")
    if wanted.value_range is not None and not made_of_files:
        found = Rescaled(found, wanted.value_range)
    if wanted.image_size is not None and found.specs[0][0][:2] != wanted.image_size:
        found = Resized(found, wanted.image_size)
    check_batch(batch_size, found)  # before an image is read
    if made_of_files:
        found.choose_ranges(wanted.value_range)
    doubts = list(getattr(found, "warnings", ()))
    found = settle(found, limit)
    if not made_of_files:
        contents.levels = str(found.specs[0][1])
        if hasattr(found, "arrays") and len(found.arrays) > 1:
            contents.classes = count_classes(found.arrays[1], found.class_names)
    doubts += _doubts(found, contents, doubts)
    contents.images, contents.shape = len(found), found.specs[0][0]
    if wanted.class_names is not None and found.class_names != list(wanted.class_names):
        raise ValueError(
            f"{name_of(source)!r} has the classes {found.class_names}, not {wanted.class_names!r}: "
            "`class_names` orders those of folders and zips with `labels=True`."
        )
    for doubt in doubts:
        warnings.warn(doubt, stacklevel=3)
    return found, contents


def _doubts(found, contents, known):
    """What is doubtful about the values of images, of which some are read."""
    shape, dtype = found.specs[0]
    if len(shape) != 3 or not hasattr(found, "read") or known:
        return []
    some = np.arange(0, len(found), math.ceil(len(found) / decoding.LOOKED_AT))
    if dtype == "uint8":
        # Most often the first image is bright enough, and no other is read.
        high = levels.look_dark(found.read(some[i : i + 1])[0] for i in range(len(some)))
        return [] if high is None else [levels.dark(high, contents.source)]
    images = found.read(some)[0]
    low, high = levels.limits(images) or (0.0, 0.0)
    contents.levels += f" {range_of(low, high)}"
    doubt = validation.doubtful_range(images)
    return [] if doubt is None else [f"{contents.source}: {doubt}"]


def name_of(source):
    """The source as text; a path that a name in use would hide is told apart from it."""
    if not isinstance(source, (str, os.PathLike)):
        return "arrays"
    bare = isinstance(source, str) and pathlib.Path(source).name == source
    return f"./{source}" if bare and pathlib.Path(source).is_dir() else str(source)


def check(batch_size, seed):
    validation.integer("batch_size", batch_size)
    validation.integer("seed", seed, least=0)


def check_batch(batch_size, *sources):
    specs = [spec for source in sources for spec in source.specs]
    size = batch_size * sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in specs)
    if size > BATCH_BYTES:
        raise ValueError(
            f"A batch of {batch_size} pictures of shape {specs[0][0]} has {size / 2**30:.1f} GiB, "
            f"more than {BATCH_BYTES / 2**30:.0f}. Pass a smaller `image_size` or `batch_size`."
        )


def parse_size(image_size):
    if image_size is None:
        return None
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(pair) != 2:
        raise ValueError(f"`image_size` is a side or (height, width). Received: {image_size!r}.")
    return tuple(validation.integer("image_size", n) for n in pair)


def find(source, wanted):
    """The source that is meant, before its images are scaled."""
    if isinstance(source, (str, os.PathLike)):
        if not isinstance(wanted.labels, (bool, np.bool_)):
            raise TypeError(
                "`labels` is True or False; arrays of labels go with an array of images. Received: "
                f"{type(wanted.labels).__name__}."
            )
        if source == "":  # as a path it would be the current folder
            raise ValueError("`source` is empty. Pass a name, a path or an array.")
        path = pathlib.Path(os.path.expanduser(source))
        return _find_path(path, source, wanted) if path.exists() else _find_name(source, wanted)
    pair = source if isinstance(source, tuple) else (source, None)
    if len(pair) != 2 or not hasattr(pair[0], "shape"):
        raise TypeError(
            "`source` must be a name, a path, an array or a pair (images, labels). Received: "
            f"{type(source).__name__}."
        )
    if wanted.split != "train":
        raise ValueError(f"An array has no split {wanted.split!r}: all of it is 'train'.")
    images, labels = pair
    if not isinstance(wanted.labels, (bool, np.bool_)) and wanted.labels is not None:
        if labels is not None:
            raise ValueError(
                "Labels are given twice, as `labels` and beside the images: leave out one of them."
            )
        labels = wanted.labels
    labels = None if labels is None else np.asanyarray(labels)
    return arrays.from_arrays(np.asanyarray(images), labels, wanted.labelled)


def _find_path(path, source, wanted):
    if path.suffix in (".npy", ".npz") and path.is_file():
        return arrays.from_file(path, wanted.split, wanted.labels)
    if not path.is_dir() and path.suffix.lower() != ".zip":
        also = (
            f" The built-in data set {source!r} is found where no file is called so."
            if source in (*BUILT_IN, "stacked_mnist")
            else ""
        )
        raise ValueError(f"{str(path)!r} is not a folder, a .zip, an .npz or an .npy file.{also}")
    found = image_folder.Pictures(
        path,
        wanted.split,
        wanted.image_size,
        wanted.labels,
        wanted.channels,
        wanted.on_error,
        wanted.class_names,
    )
    if source in (*BUILT_IN, "stacked_mnist"):
        found.warnings.append(
            f"{source!r} is a folder here, which comes before the built-in data set of that name. "
            "For the latter, rename the folder or work in another one."
        )
    return found


def _find_name(source, wanted):
    built_in = isinstance(source, str) and source in BUILT_IN
    if built_in:
        return BUILT_IN[source](wanted.split, wanted.labels)
    if source == "stacked_mnist":
        validation.one_of("split", wanted.split, stacked_mnist.PICTURES)
        mnist = _find_tfds("mnist", dataclasses.replace(wanted, image_size=None, labels=True))
        return stacked_mnist.load(mnist, wanted.split, wanted.labels)
    path = pathlib.Path(os.path.expanduser(source))
    looks_like_path = path.suffix in (".npy", ".npz", ".zip") or path.is_absolute()
    if not isinstance(source, str) or looks_like_path or source.startswith((".", "~")):
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    return _find_tfds(source, wanted)


def _find_tfds(name, wanted):
    return tfds.load(
        name,
        wanted.split,
        wanted.image_size,
        wanted.labels,
        wanted.data_dir,
        list(BUILT_IN),
        CACHE_BYTES,
    )
