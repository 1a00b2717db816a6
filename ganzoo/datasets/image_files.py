"""Image files as inputs of a model, for `ganzoo translate` and `ganzoo upscale`."""

import collections
import pathlib
import warnings
from collections.abc import Iterator
from typing import Any
from typing import Literal

import numpy as np
from PIL import Image

from ganzoo import datasets
from ganzoo import modalities
from ganzoo import types
from ganzoo import validation
from ganzoo.datasets import arrays
from ganzoo.datasets import decoding
from ganzoo.datasets import image_folder
from ganzoo.datasets import levels
from ganzoo.datasets.source import Rescaled
from ganzoo.datasets.source import settle


class Images:
    """Images, read batch by batch; those of several sizes one by one.

    Args:
        source: has `len` and `read(indices)`.
        names: names of the output files, or None.
    """

    def __init__(self, source: Any, names: list[str] | None) -> None:
        self.source = source
        self.names = names

    def __len__(self) -> int:
        return len(self.source)

    @property
    def have_one_size(self) -> bool:
        """Whether all images have the same height and width."""
        free = None in self.source.specs[0][0]
        return not free or len(self) == 1 or len(self.source.sizes) == 1

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Arrays `(batch_size, height, width, channels)`; the last one may have fewer images."""
        validation.integer("batch_size", batch_size)
        if None in self.source.specs[0][0]:
            batch_size = 1
        for start in range(0, len(self), batch_size):
            indices = np.arange(start, min(start + batch_size, len(self)))
            yield self.source.read(indices)[0]


def is_image(path: types.Path) -> bool:
    """Whether a path is that of a single image.

    Raises:
        FileNotFoundError: there is no file or folder at the path.
    """
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    return not path.is_dir() and path.suffix.lower() not in (".zip", ".npy", ".npz")


def open_images(
    path: types.Path,
    shape: types.Shape,
    *,
    on_error: Literal["raise", "skip"] = "raise",
    value_range: tuple[float, float] | None = None,
) -> Images:
    """Open the images at a path, brought to one shape as by `ganzoo.datasets.load`.

    All files are checked before the first image is returned, so that no error comes midway.

    Args:
        path: a folder or a zip, with all of its sub-folders; an image; or an `.npy` or `.npz` file.
        shape: `(height, width, channels)`. Arrays of floats must have it. Height and width may be
            None: each image keeps its own.
        on_error: `"raise"` at a damaged image, or `"skip"` all such, with a warning.
        value_range: the values that become 0 and 255; see `ganzoo.datasets.load`.

    Raises:
        ValueError: there are no images, damaged ones, or arrays that cannot be brought to `shape`.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "grey.png"
    >>> Image.new("L", (20, 10)).save(path)
    >>> images = open_images(path, (8, 8, 3))
    >>> images.names, [batch.shape for batch in images.batches(64)]
    (['grey.png'], [(1, 8, 8, 3)])
    """
    path = pathlib.Path(path).expanduser()
    height, width, channels = shape
    size = (height, width)
    value_range = levels.check_range(value_range)
    if is_image(path):
        source: Any = _One(path, size, channels, value_range)
        return Images(_settled(source), _png_names([path.name]))
    if path.suffix.lower() in (".npy", ".npz") and path.is_file():
        source = arrays.from_file(path, "train", False)
        source = source if value_range is None else Rescaled(source, value_range)
        return Images(_Arrays(source, path, tuple(shape)), None)
    _must_be_of_files(path, channels)
    source = image_folder.ImageFolder(
        path, None, False, on_error, image_size=size, channels=channels
    )
    source.keep(dict.fromkeys(source.names))  # a zip may have a name twice
    source.choose_ranges(value_range)
    for doubt in source.warnings:
        warnings.warn(doubt, stacklevel=2)
    names = _png_names(source.names)
    kept = Images(_settled(source), names)
    if kept.source is source and on_error == "raise":  # otherwise all are decoded already
        for _ in kept.batches(64):
            pass
    return kept


def _settled(source):
    """The source, decoded once if its images have one size and fit into memory."""
    return source if None in source.specs[0][0] else settle(source, datasets.CACHE_BYTES)


def side_by_side(originals: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Two batches of images as one of pairs, `(n, height, 2 · width + 1, channels)` uint8."""
    if originals.dtype != np.uint8:
        originals = modalities.Images().from_network(originals)
    line = np.full_like(others[:, :, :1], 255)
    return np.concatenate([originals, line, others], axis=2)


def _png_names(names):
    """A name that ends in `.png` for each file; if two would be the same, all keep their ending:
    `a.jpg.png`."""
    paths = [pathlib.PurePosixPath(name) for name in names]
    outside = [str(path) for path in paths if path.is_absolute() or ".." in path.parts]
    if outside:
        raise ValueError(
            f"{outside[0]!r} would be written outside the folder. Make the zip again, with names "
            "that lie inside it."
        )
    shorter = [str(path.with_suffix(".png")) for path in paths]
    # Some file systems ignore case.
    if max(collections.Counter(map(str.casefold, shorter)).values()) == 1:
        return shorter
    return [f"{path}.png" for path in paths]


def _must_be_of_files(path, channels):
    if channels not in (1, 3, 4):
        raise ValueError(
            f"The model takes images of {channels} channels, and those in {str(path)!r} have 1, 3 "
            "or 4. Pass an .npy file of images as the model was trained on."
        )


class _One:
    """A source of one image."""

    def __init__(self, path, size, channels, value_range):
        _must_be_of_files(path, channels)
        self.ranges = value_range and dict.fromkeys(levels.DEPTHS, value_range)
        self.path = path
        self.size = None if size == image_folder.OWN_SIZES else size
        self.channels = channels
        self.specs = (((*size, channels), "uint8"),)
        self.class_names = None

    def __len__(self):
        return 1

    def read(self, indices):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
                with Image.open(self.path, formats=decoding.FORMATS) as image:
                    if image.width * image.height > decoding.MOST_PIXELS:
                        raise ValueError(
                            f"it has {image.width}×{image.height} pixels, more than "
                            f"{decoding.MOST_PIXELS:,}"
                        )
                    image.load()
                    array = decoding.to_array(image, self.size, self.channels, self.ranges)
        except Exception as error:  # Pillow raises many kinds at damaged files
            unknown = isinstance(error, Image.UnidentifiedImageError)  # its text repeats the path
            reason = "its format is unknown" if unknown else str(error) or type(error)
            raise ValueError(
                f"{str(self.path)!r} cannot be read as an image ({reason}). Pass a PNG or JPEG "
                "file, a folder or zip of such files, or an .npy or .npz file."
            ) from None
        return (np.repeat(array[None], len(indices), axis=0),)


class _Arrays:
    """Images of an array, brought to another shape if they are uint8."""

    def __init__(self, source, path, shape):
        self.source = source
        own, dtype = source.specs[0]
        if None in shape and len(own) == 3:
            shape = (*own[:2], shape[2])
        self.shape = shape
        self.specs = ((shape, "uint8"),)
        fits = len(own) == 3 and (own == shape or (dtype == "uint8" and own[2] in (1, 3, 4)))
        if not fits or (own != shape and shape[2] not in (1, 3, 4)):
            raise ValueError(
                f"{str(path)!r} holds {dtype} of shape {own}, and the model takes {shape}. uint8 "
                "images of 1, 3 or 4 channels are converted to it; convert others yourself."
            )

    def __len__(self):
        return len(self.source)

    def read(self, indices):
        images = self.source.read(indices)[0]
        if images.shape[1:] == self.shape:
            return (images,)
        *size, channels = self.shape
        opened = (Image.fromarray(x[..., 0] if x.shape[2] == 1 else x) for x in images)
        return (np.stack([decoding.to_array(x, tuple(size), channels) for x in opened]),)
