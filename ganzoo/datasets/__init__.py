"""Data sets: names, folders, archives, files and arrays, all as batches of `uint8` pictures."""

import os
import pathlib

import numpy as np

from ganzoo import backend
from ganzoo import checks
from ganzoo.datasets import arrays
from ganzoo.datasets import pictures
from ganzoo.datasets import stacked
from ganzoo.datasets import tfds
from ganzoo.datasets.source import Resized
from ganzoo.datasets.source import settle

BUILT_IN = {"digits": arrays.digits, "ring": arrays.ring, "grid": arrays.grid}
"""Data sets that need no download."""

MIXTURES = arrays.MIXTURES

CACHE_BYTES = 2**29
"""Data of at most this size is decoded once and kept in memory: 512 MiB."""


def load(
    source,
    *,
    split="train",
    image_size=None,
    batch_size=64,
    labels=False,
    shuffle=True,
    seed=0,
    data_dir=None,
    channels=None,
    on_error="raise",
):
    """Batches of pictures, ready for `fit`.

    Pictures travel as `uint8`; the model scales them. Data that fits is decoded once and kept
    in memory (`ganzoo.datasets.CACHE_BYTES`), larger data is read again in every epoch, in
    constant memory. The order is a function of `seed` and of the epoch's number alone.

    Args:
        source: one of

            * `"digits"`: 8×8 grey handwritten digits that come with scikit-learn;
            * `"ring"`, `"grid"`: points, `(batch, 2)` float32: eight Gaussians on a ring, 25 on a
              grid (PacGAN's, scaled into [-1, 1]);
            * `"stacked_mnist"`: three digits of `mnist` as the colours of one picture, 1,000 modes
              (PacGAN's; labels 0 … 999); `data_dir` as for `mnist`;
            * a name in TensorFlow Datasets: `"mnist"`, `"fashion_mnist"`, `"cifar10"`, …;
            * a folder or a zip of pictures of any kind and size. Sub-folders are searched; the
              first level of them are the classes;
            * an `.npy` file of pictures, or an `.npz` file (`images` and `labels`, or `x_train`,
              `y_train`, `x_test`, `y_test`, or `x` and `y`, or one array of any name);
            * an array `(count, height, width[, channels])`, or a pair `(images, labels)`.
        split: `"train"`, `"test"` or what the source has. A folder's split is its sub-folder
            of that name; without such sub-folders all of it is `"train"`. `digits` keeps every
            sixth picture for `"test"`.
        image_size: side, or `(height, width)`, to which pictures are brought: scaled to cover it,
            then cut at the centre. None: as they are; pictures of different sizes are an error.
        batch_size: pictures in a batch. The last batch may be smaller.
        labels: yield `(images, labels)`, labels `(batch,)` int32.
        shuffle: visit the pictures in another order each epoch.
        seed: of the shuffling.
        data_dir: for TensorFlow Datasets: the folder of prepared data sets, or a folder (or its
            sub-folder named after the data set) with the original archives, which are then used
            instead of a download.
        channels: 1, 3 or 4 (with transparency), for folders and zips. None: 1 if all pictures
            are grey, else 3; transparent pictures are laid on white.
        on_error: `"raise"` at a damaged picture, or `"skip"` all such, with a warning.

    Returns:
        A `tf.data.Dataset` (a `keras.utils.PyDataset` with the same batches where TensorFlow is
        not installed) with the attributes `class_names`, a list, or None; and `description`, a
        dict that says what it holds: source, split, size.

    Raises:
        ValueError: unknown name, no or damaged pictures, or an argument out of range.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> ds = load("digits", batch_size=32)
    >>> tuple(next(iter(ds)).shape)
    (32, 8, 8, 1)
    """
    checks.integer("batch_size", batch_size)
    checks.integer("seed", seed, least=0)
    checks.one_of("on_error", on_error, ("raise", "skip"))
    if channels not in (None, 1, 3, 4):
        raise ValueError(
            f"`channels` is 1 (grey), 3 (colour) or 4 (with transparency). Received: {channels!r}."
        )
    image_size = _size(image_size)
    found = _find(source, split, image_size, labels, data_dir, channels, on_error)
    if image_size is not None and found.specs[0][0][:2] != image_size:
        found = Resized(found, image_size)
    found = settle(found, CACHE_BYTES)
    ds = (
        found.stream(batch_size=batch_size, shuffle=shuffle, seed=seed)
        if hasattr(found, "stream")
        else backend.stream(found, batch_size=batch_size, shuffle=shuffle, seed=seed)
    )
    ds.class_names = found.class_names
    ds.description = {
        "source": str(source) if isinstance(source, (str, os.PathLike)) else "arrays",
        "split": split,
        "image_shape": list(found.specs[0][0]),
    }
    return ds


def _size(image_size):
    if image_size is None:
        return None
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(pair) != 2:
        raise ValueError(f"`image_size` is a side or (height, width). Received: {image_size!r}.")
    return tuple(checks.integer("image_size", n) for n in pair)


def _find(source, split, image_size, labels, data_dir, channels, on_error):
    if isinstance(source, (str, os.PathLike)):
        if source == "":  # as a path it would be the current folder
            raise ValueError("`source` is empty. Pass a name, a path or an array.")
        path = pathlib.Path(source).expanduser()
        if isinstance(source, str) and source in BUILT_IN:
            return BUILT_IN[source](split, labels)
        if path.suffix in (".npy", ".npz") and path.is_file():
            return arrays.from_file(path, split, labels)
        if path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip"):
            return pictures.Pictures(path, split, image_size, labels, channels, on_error)
        if path.is_file():
            raise ValueError(f"{str(path)!r} is not a folder, a .zip, an .npz or an .npy file.")
        if source == "stacked_mnist":
            checks.one_of("split", split, stacked.PICTURES)
            mnist = tfds.load("mnist", split, None, True, data_dir, list(BUILT_IN), CACHE_BYTES)
            return stacked.load(mnist, split, labels)
        looks_like_path = path.suffix in (".npy", ".npz", ".zip") or path.is_absolute()
        if not isinstance(source, str) or looks_like_path or source.startswith((".", "~")):
            raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
        return tfds.load(source, split, image_size, labels, data_dir, list(BUILT_IN), CACHE_BYTES)
    pair = source if isinstance(source, tuple) else (source, None)
    if len(pair) != 2 or not hasattr(pair[0], "shape"):
        raise TypeError(
            "`source` must be a name, a path, an array or a pair (images, labels). Received: "
            f"{type(source).__name__}."
        )
    if split != "train":
        raise ValueError(f"An array has no split {split!r}: all of it is 'train'.")
    return arrays.from_arrays(*(None if a is None else np.asanyarray(a) for a in pair), labels)
