"""Sources in memory: scikit-learn's digits, toy points, `.npy` and `.npz` files, arrays."""

import contextlib
import io
import math
import zipfile

import numpy as np

from ganzoo import validation
from ganzoo.datasets.source import Arrays
from ganzoo.files import archives
from ganzoo.modalities import Waveforms


class Clips(Arrays):
    """A source of arrays of sound, `(n, samples, channels)`, with their rate, or None."""

    def __init__(self, clips, *labels, asked):
        self.rate, length, channels = asked
        kind = Waveforms(rate=self.rate).of(clips.shape[1:])
        kind.check_dtype(clips.dtype.name)
        has = {"length": clips.shape[1], "channels": clips.shape[2]}
        for (name, n), wanted in zip(has.items(), (length, channels)):
            if wanted not in (None, n):
                raise ValueError(
                    f"Arrays of clips stay as they are. `{name}` is {wanted}, and theirs is {n}: "
                    "cut, pad or mix them first, or save them as sound files, which are converted."
                )
        super().__init__(clips, *labels)


def from_arrays(images, targets, labels, asked=(None, None, None), class_names=None):
    """A source of images `(n, h, w[, c])`, points `(n, d)` or clips `(n, samples, 1 or 2)`, with
    labels `(n,)` if requested. Clips are int16; if a rate is asked for, they may be floats.

    `asked`: rate, length and channels of clips, or None.
    """
    if images.dtype == object:
        raise ValueError(
            "The array holds Python objects, not numbers: its images may differ in size. Bring "
            "them to one size, or put them in a folder and load that with `image_size`."
        )
    if images.dtype.kind not in "buif" or images.dtype.itemsize > 8:
        raise ValueError(f"The array must hold images as numbers. Received {images.dtype}.")
    if not 2 <= images.ndim <= 4:
        raise ValueError(
            "The array must have the shape (count, height, width[, channels]), (count, length) "
            f"for points, or (count, samples, channels) for sounds. Received: {images.shape}."
        )
    if images.size == 0:
        raise ValueError("The array is empty.")
    targets = (_whole_numbers(targets, len(images)),) if labels else ()
    if images.ndim == 3 and images.shape[2] in (1, 2) and images.dtype.kind in "if":
        if images.dtype.name == "int16" or (images.dtype.kind == "f" and asked[0] is not None):
            native = images.astype(images.dtype.newbyteorder("="), copy=False)
            return Clips(native, *targets, asked=asked)
    if images.ndim == 3:
        images = images[..., None]
    validation.channels_last(images.shape[1:])
    return Arrays(images, *targets, class_names=class_names)


def _whole_numbers(targets, count):
    """The labels of `count` images, one int32 for each."""
    if targets is None:
        raise ValueError(
            "`labels=True`, but there are no labels: pass a pair (images, labels), or an .npz "
            "file with both."
        )
    targets = np.asarray(targets)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if not np.issubdtype(targets.dtype, np.integer) or targets.ndim != 1:
        raise ValueError(
            "Labels must be one whole number per image. Received "
            f"{targets.dtype} of shape {targets.shape}."
        )
    if len(targets) != count:
        raise ValueError(
            f"There must be one label per image. Received {count} images and {len(targets)} labels."
        )
    if targets.min() < -(2**31) or targets.max() >= 2**31:
        raise ValueError("Labels must be whole numbers of 32 bits.")
    return targets.astype("int32")


def from_file(path, split, labels, asked=(None, None, None)):
    """An `.npy` (memory-mapped) or `.npz` file. `asked`: see `from_arrays`."""
    if path.suffix == ".npy":
        with _reading(path):
            with open(path, "rb") as file:
                shape, order, dtype = _header(file)
                begin = file.tell()
            content = np.memmap(path, dtype, "r", begin, shape, order)
        _only_train(split, path)
        return _named(path, content, None, labels, asked)
    with _reading(path):
        archive = zipfile.ZipFile(path)
    with archive:
        names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
        pairs = {"images": "labels", f"x_{split}": f"y_{split}", "x": "y"}
        images = next((name for name in pairs if name in names), names[0] if names else None)
        if images not in pairs and len(names) != 1:
            raise ValueError(
                f"{str(path)!r} has the arrays {names}. Name the images `images` (labels "
                f"`labels`), or `x_{split}` (`y_{split}`), or `x` (`y`)."
            )
        if images != f"x_{split}":
            _only_train(split, path)
        targets = pairs.get(images)
        with _reading(path):
            has_labels = labels and targets in names
            label_array = _member(archive, targets) if has_labels else None
            image_array = _member(archive, images)
            rate = int(_member(archive, "sample_rate")[0]) if "sample_rate" in names else None
    if rate is not None:
        if asked[0] not in (None, rate):
            raise ValueError(
                f"{str(path)!r}: the clips are at {rate:,} samples a second, and `sample_rate` is "
                f"{asked[0]:,}: leave it out, or save them as sound files, which are resampled."
            )
        asked = rate, *asked[1:]
    return _named(path, image_array, label_array, labels, asked)


def _named(path, *content):
    try:
        return from_arrays(*content)
    except ValueError as error:
        raise ValueError(f"{str(path)!r}: {error}") from None


@contextlib.contextmanager
def _reading(path):
    try:
        yield
    except Exception as error:  # a file may be wrong in any way
        reason = str(error) or type(error).__name__
        raise ValueError(f"{str(path)!r} cannot be read as arrays of numbers: {reason}.") from None


def _member(archive, name):
    """An array in an `.npz` file."""
    content = archives.read(archive, f"{name}.npy")
    file = io.BytesIO(content)
    shape, order, dtype = _header(file)
    return np.ndarray(shape, dtype, content, file.tell(), order=order)


def _header(file):
    """Shape, order and dtype of the array in a file of NumPy's format, checked against its size.

    NumPy itself allocates whatever size a file declares, and runs the code in pickled objects.
    """
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError("its version of the format is not one for arrays of numbers")
    shape, by_column, dtype = readers[version](file)
    begin = file.tell()
    size = file.seek(0, 2) - begin
    file.seek(begin)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which may be programs")
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"its shape {shape} is invalid")
    if math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"it declares {shape} numbers of type {dtype} and has {size:,} bytes")
    if not math.prod(shape) * dtype.itemsize:
        raise ValueError("it is empty")
    return shape, "F" if by_column else "C", dtype


def _only_train(split, path):
    if split != "train":
        raise ValueError(f"{str(path)!r} has no split {split!r}: all of it is 'train'.")
