"""Data sets: names, folders, archives, files and arrays, all as batches of `uint8` pictures."""

import dataclasses
import math
import os
import pathlib
import sys
import warnings
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
from typing import Any
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import checks
from ganzoo import hints
from ganzoo.datasets import arrays
from ganzoo.datasets import levels
from ganzoo.datasets import pairs
from ganzoo.datasets import pictures
from ganzoo.datasets import stacked
from ganzoo.datasets import tfds
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.source import Rescaled
from ganzoo.datasets.source import Resized
from ganzoo.datasets.source import settle

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
    value_range: tuple[float, float] | None = None,
    class_names: Sequence[str] | None = None,
    verbose: bool = True,
) -> Any:
    """Batches of pictures, ready for `fit`.

    Pictures travel as `uint8`; the model scales them. Data that fits is decoded once and kept
    in memory (`ganzoo.datasets.CACHE_BYTES`), larger data is read again in every epoch, in
    constant memory. The order is a function of `seed` and of the epoch's number alone.

    One line on standard error says what was found: how many images, of what size and depth, in
    which classes, and what was left out. Whatever is read otherwise than its files suggest is a
    warning.

    Args:
        source: one of the following. A file or folder that exists comes before a name.

            * `"digits"`: 8×8 grey handwritten digits that come with scikit-learn;
            * `"ring"`, `"grid"`: points, `(batch, 2)` float32: eight Gaussians on a ring, 25 on a
              grid (PacGAN's, scaled into [-1, 1]);
            * `"stacked_mnist"`: three digits of `mnist` as the colours of one picture, 1,000 modes
              (PacGAN's; labels 0 … 999); `data_dir` as for `mnist`;
            * a name in TensorFlow Datasets: `"mnist"`, `"fashion_mnist"`, `"cifar10"`, …;
            * a folder or a zip of pictures of any kind and size, up to 8192×8192 pixels.
              Sub-folders are searched, and what links lead to; the first level at which they
              differ are the classes, in the order in which people count (2 before 10);
            * an `.npy` file of pictures, or an `.npz` file (`images` and `labels`, or `x_train`,
              `y_train`, `x_test`, `y_test`, or `x` and `y`, or one array of any name);
            * an array `(count, height, width[, channels])`, or a pair `(images, labels)`.
        split: `"train"`, `"test"` or what the source has. A folder has splits if all its images
            lie in sub-folders called 'train', 'test' or 'validation' (or 'training', 'val', …), or
            if 'train' has one of the others beside it; without splits all of it is `"train"`.
            `digits` keeps every sixth picture for `"test"`.
        image_size: side, or `(height, width)`, to which pictures are brought: scaled to cover it,
            then cut at the centre. None: as they are; pictures of different sizes are an error.
        batch_size: pictures in a batch. The last batch may be smaller.
        labels: True: yield `(images, labels)`, labels `(batch,)` int32. Of an array of images, the
            labels themselves may be given too.
        shuffle: visit the pictures in another order each epoch.
        seed: of the shuffling.
        data_dir: for TensorFlow Datasets: the folder of prepared data sets, or a folder (or its
            sub-folder named after the data set) with the original archives, which are then used
            instead of a download.
        channels: 1, 3 or 4 (with transparency), for folders and zips. None: 1 if all pictures
            are grey, else 3; transparent pictures are laid on white.
        on_error: `"raise"` at a damaged picture, or `"skip"` all such, with a warning.
        value_range: `(low, high)`: the values that become 0 and 255, such as `(0, 4095)` for 12
            bits in 16 and `(0, 1)` for masks. None: 8 and 16 bits have their own range; floats and
            32 bits are taken to have the smallest usual one (0..1, -1..1, 0..255, 0..65535) in
            which all values of the data set lie. Arrays stay as they are.
        class_names: for folders and zips with `labels=True`: the classes in the order of their
            numbers, such as those of a trained model; there may be more than the folder has.
            None: all that the folder has.
        verbose: print the line that says what was found.

    Returns:
        A `tf.data.Dataset` (a `keras.utils.PyDataset` with the same batches where TensorFlow is
        not installed) with the attributes `class_names`, a list, or None; `description`, a
        dict that says what it is: source, split, size; and `contents`, which says what it holds,
        and as text is the line that is printed.

    Raises:
        ValueError: unknown name, no or damaged pictures, or an argument out of range.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> ds = load("digits", batch_size=32)
    >>> tuple(next(iter(ds)).shape)
    (32, 8, 8, 1)
    """
    wanted = _Wanted(
        split, _size(image_size), labels, data_dir, channels, on_error, value_range, class_names
    )
    _check(batch_size, seed)
    found, contents = _finish(source, wanted, _find(source, wanted), CACHE_BYTES, batch_size)
    ds = (
        found.stream(batch_size=batch_size, shuffle=shuffle, seed=seed)
        if hasattr(found, "stream")
        else backend.stream(found, batch_size=batch_size, shuffle=shuffle, seed=seed)
    )
    ds.class_names = found.class_names
    ds.contents = contents
    ds.description = {
        "source": _name(source),
        "split": split,
        "image_shape": list(found.specs[0][0]),
    }
    if verbose:
        print(contents, file=sys.stderr)
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
    value_range: tuple[float, float] | None = None,
    verbose: bool = True,
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
        split, image_size, batch_size, shuffle, seed, data_dir: see `load`.
        channels, on_error, value_range, verbose: see `load`.

    Returns:
        As `load`, but `contents` is a pair of them; `description` says how many pictures there are
        and, if paired, how many had no partner.

    Raises:
        ValueError: nothing can be matched, the domains' shapes differ, or as in `load`.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> digits = next(iter(load("digits", batch_size=200))).numpy()
    >>> ds = load_pair(digits, 255 - digits, paired=True, batch_size=32)
    >>> [tuple(images.shape) for images in next(iter(ds))]
    [(32, 8, 8, 1), (32, 8, 8, 1)]
    """
    wanted = _Wanted(split, _size(image_size), False, data_dir, channels, on_error, value_range)
    _check(batch_size, seed)
    checks.one_of("paired", paired, (True, False))
    domains = [_find(s, wanted) for s in (a, b)]
    for source, domain in zip((a, b), domains):
        if not hasattr(domain, "read"):
            raise ValueError(
                f"{_name(source)!r} is too large to be kept in memory, and cannot be read by "
                "index. Save its pictures as files and load that folder."
            )
    before = [len(domain) for domain in domains]
    if paired:
        domains = pairs.match(*domains, names=(_name(a), _name(b)), key=key)
    elif key is not None:
        raise ValueError("`key` matches files: it goes with `paired=True`.")
    found, contents = zip(
        *(_finish(s, wanted, d, CACHE_BYTES // 2, batch_size) for s, d in zip((a, b), domains))
    )
    _check_batch(batch_size, *found)
    checks.same_shape(*(domain.specs[0][0] for domain in found))
    whole = pairs.together(*found)
    ds = backend.stream(whole, batch_size=batch_size, shuffle=shuffle, seed=seed, paired=paired)
    ds.class_names = None
    ds.contents = contents
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
    if verbose:
        print(*contents, sep="\n", file=sys.stderr)
    return ds


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """What is wanted of a source; see `load`. `image_size` is `(height, width)` or None."""

    split: str
    image_size: tuple[int, int] | None
    labels: Any
    data_dir: hints.Path | None
    channels: int | None
    on_error: str
    value_range: levels.Range | None
    class_names: Sequence[str] | None = None

    def __post_init__(self):
        checks.one_of("on_error", self.on_error, ("raise", "skip"))
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


def _finish(source, wanted, found, limit, batch_size):
    """A source whose images have the range and size that are wanted, in memory if it is small; and
    its contents. Warnings point at who called `load`."""
    contents = getattr(found, "contents", None) or Contents(_name(source), wanted.split)
    made_of_files = hasattr(found, "choose_ranges")
    if wanted.value_range is not None and not made_of_files:
        found = Rescaled(found, wanted.value_range)
    if wanted.image_size is not None and found.specs[0][0][:2] != wanted.image_size:
        found = Resized(found, wanted.image_size)
    _check_batch(batch_size, found)  # before an image is read
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
            f"{_name(source)!r} has the classes {found.class_names}, not {wanted.class_names!r}: "
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
    some = np.arange(0, len(found), math.ceil(len(found) / pictures.LOOKED_AT))
    if dtype == "uint8":
        # Most often the first image is bright enough, and no other is read.
        high = levels.look_dark(found.read(some[i : i + 1])[0] for i in range(len(some)))
        return [] if high is None else [levels.dark(high, contents.source)]
    images = found.read(some)[0]
    low, high = levels.limits(images) or (0.0, 0.0)
    contents.levels += f" {range_of(low, high)}"
    doubt = checks.doubtful_range(images)
    return [] if doubt is None else [f"{contents.source}: {doubt}"]


def _name(source):
    """The source as text; a path that a name in use would hide is told apart from it."""
    if not isinstance(source, (str, os.PathLike)):
        return "arrays"
    bare = isinstance(source, str) and pathlib.Path(source).name == source
    return f"./{source}" if bare and pathlib.Path(source).is_dir() else str(source)


def _check(batch_size, seed):
    checks.integer("batch_size", batch_size)
    checks.integer("seed", seed, least=0)


def _check_batch(batch_size, *sources):
    specs = [spec for source in sources for spec in source.specs]
    size = batch_size * sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in specs)
    if size > BATCH_BYTES:
        raise ValueError(
            f"A batch of {batch_size} pictures of shape {specs[0][0]} has {size / 2**30:.1f} GiB, "
            f"more than {BATCH_BYTES / 2**30:.0f}. Pass a smaller `image_size` or `batch_size`."
        )


def _size(image_size):
    if image_size is None:
        return None
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(pair) != 2:
        raise ValueError(f"`image_size` is a side or (height, width). Received: {image_size!r}.")
    return tuple(checks.integer("image_size", n) for n in pair)


def _find(source, wanted):
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
    found = pictures.Pictures(
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
        checks.one_of("split", wanted.split, stacked.PICTURES)
        mnist = _find_tfds("mnist", dataclasses.replace(wanted, image_size=None, labels=True))
        return stacked.load(mnist, wanted.split, wanted.labels)
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
