"""Data sets: names, folders, archives, files and arrays, all as batches of `uint8` pictures."""

import math
import os
import pathlib
from collections.abc import Callable
from collections.abc import Hashable
from typing import Any
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import checks
from ganzoo import hints
from ganzoo.datasets import arrays
from ganzoo.datasets import pairs
from ganzoo.datasets import pictures
from ganzoo.datasets import stacked
from ganzoo.datasets import tfds
from ganzoo.datasets.source import Resized
from ganzoo.datasets.source import settle
from ganzoo.translation import check_same_shape

BUILT_IN = {"digits": arrays.digits, "ring": arrays.ring, "grid": arrays.grid}
"""Data sets that need no download."""

MIXTURES = arrays.MIXTURES

semi_supervised = arrays.semi_supervised

Source = str | os.PathLike[str] | ArrayLike
"""What `load` takes."""

CACHE_BYTES = 2**29
"""Data of at most this size is decoded once and kept in memory: 512 MiB."""

BATCH_BYTES = 2**31
"""What a batch may have at most: 2 GiB."""


def load(
    source: Source,
    *,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    labels: ArrayLike = False,
    shuffle: bool = True,
    seed: int = 0,
    data_dir: hints.Path | None = None,
    channels: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
) -> Any:
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
            * a folder or a zip of pictures of any kind and size, up to 8192×8192 pixels.
              Sub-folders are searched, and what links lead to; the first level of them are the
              classes;
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
    image_size = _check(batch_size, seed, on_error, channels, image_size)
    found = _find(source, split, image_size, labels, data_dir, channels, on_error)
    found = settle(_resized(found, image_size), CACHE_BYTES)
    _check_batch(batch_size, found)
    ds = (
        found.stream(batch_size=batch_size, shuffle=shuffle, seed=seed)
        if hasattr(found, "stream")
        else backend.stream(found, batch_size=batch_size, shuffle=shuffle, seed=seed)
    )
    ds.class_names = found.class_names
    ds.description = {
        "source": _name(source),
        "split": split,
        "image_shape": list(found.specs[0][0]),
    }
    return ds


def load_pair(
    a: Source,
    b: Source,
    *,
    paired: bool,
    key: Callable[[str], Hashable] | None = None,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
    data_dir: hints.Path | None = None,
    channels: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
) -> Any:
    """Batches of pictures from two domains, `(images, targets)`.

    Args:
        a, b: images and targets, each anything that `load` takes.
        paired: True for pairs, as 'pix2pix' learns from. Files are matched by name, and those
            without a partner left out; arrays are matched by index. False for domains without
            pairs, as 'cyclegan' and 'cogan' take: an epoch is as long as the larger one, the
            smaller starts again at its end.
        key: a function from a file's name (its path inside the folder or zip) to what must be the
            same in both domains. None: the name without folders and ending.
        split, image_size, batch_size, shuffle, seed, data_dir, channels, on_error: see `load`.

    Returns:
        As `load`; `description` says how many pictures there are and, if paired, how many had no
        partner.

    Raises:
        ValueError: nothing can be matched, the domains' shapes differ, or as in `load`.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> digits = next(iter(load("digits", batch_size=200))).numpy()
    >>> ds = load_pair(digits, 255 - digits, paired=True, batch_size=32)
    >>> [tuple(images.shape) for images in next(iter(ds))]
    [(32, 8, 8, 1), (32, 8, 8, 1)]
    """
    image_size = _check(batch_size, seed, on_error, channels, image_size)
    checks.one_of("paired", paired, (True, False))
    found = [_find(s, split, image_size, False, data_dir, channels, on_error) for s in (a, b)]
    for source, domain in zip((a, b), found):
        if not hasattr(domain, "read"):
            raise ValueError(
                f"{_name(source)!r} is too large to be kept in memory, and cannot be read by "
                "index. Save its pictures as files and load that folder."
            )
    before = [len(domain) for domain in found]
    if paired:
        found = pairs.match(*found, names=(_name(a), _name(b)), key=key)
    elif key is not None:
        raise ValueError("`key` matches files: it goes with `paired=True`.")
    found = [_resized(domain, image_size) for domain in found]
    _check_batch(batch_size, *found)
    check_same_shape(*(domain.specs[0][0] for domain in found))
    whole = pairs.together(*(settle(domain, CACHE_BYTES // 2) for domain in found))
    ds = backend.stream(whole, batch_size=batch_size, shuffle=shuffle, seed=seed, paired=paired)
    ds.class_names = None
    after = [len(domain) for domain in found]
    ds.description = {
        "source": _name(a),
        "targets": _name(b),
        "split": split,
        "image_shape": list(found[0].specs[0][0]),
        "paired": paired,
        "pictures": after,
        "left_out": [n - kept for n, kept in zip(before, after)],
    }
    return ds


def _name(source):
    return str(source) if isinstance(source, (str, os.PathLike)) else "arrays"


def _check(batch_size, seed, on_error, channels, image_size):
    """Check what does not depend on the source; `image_size` as `(height, width)` or None."""
    checks.integer("batch_size", batch_size)
    checks.integer("seed", seed, least=0)
    checks.one_of("on_error", on_error, ("raise", "skip"))
    if channels not in (None, 1, 3, 4):
        raise ValueError(
            f"`channels` is 1 (grey), 3 (colour) or 4 (with transparency). Received: {channels!r}."
        )
    return _size(image_size)


def _check_batch(batch_size, *sources):
    specs = [spec for source in sources for spec in source.specs]
    size = batch_size * sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in specs)
    if size > BATCH_BYTES:
        raise ValueError(
            f"A batch of {batch_size} pictures of shape {specs[0][0]} has {size / 2**30:.1f} GiB, "
            f"more than {BATCH_BYTES / 2**30:.0f}. Pass a smaller `image_size` or `batch_size`."
        )


def _resized(source, image_size):
    different = image_size is not None and source.specs[0][0][:2] != image_size
    return Resized(source, image_size) if different else source


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
