"""A look at a data set before a model is chosen for it: headers of files, and no pixels."""

import collections
import dataclasses
import hashlib
import math
import os
import pathlib
from typing import Literal

import numpy as np

from ganzoo import types
from ganzoo.datasets import decoding
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.finding import find
from ganzoo.datasets.finding import reader_of
from ganzoo.datasets.image_folder import ImageFolder
from ganzoo.datasets.request import Request
from ganzoo.datasets.request import Source
from ganzoo.datasets.request import name_of

ALIKE = 1.1
"""Largest ratio of two aspects that count as the same."""


class NotImages(ValueError):
    """The examples of a data set are of another kind."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """What is known of a data set of images.

    Attributes:
        images: number of images.
        looked_at: number of images that were compared with each other, at most 1,000.
        distinct: number of different ones among these.
        size: `(height, width)`, the medians.
        sizes: number of different sizes.
        alike: share of images whose aspect is within a tenth of the median's, in [0, 1].
        channels: 1, 3 or 4.
        transparent: number of images with transparency.
        classes: number of images by class; None if there are no classes.
        names: names of the files, without folders and ending; None if there are no files.
        contents: the summary of what there is, for people.
        named: whether classes have names; otherwise they are called by their numbers.
    """

    images: int
    looked_at: int
    distinct: int
    size: tuple[int, int]
    sizes: int
    alike: float
    channels: int
    transparent: int
    classes: dict[str, int] | None
    names: frozenset[str] | None
    contents: Contents
    named: bool = True

    @property
    def num_classes(self) -> int | None:
        """Number of classes that a model of these labels has, those among them too that have no
        images; None if there are no classes."""
        if not self.classes:
            return None
        return len(self.classes) if self.named else 1 + max(map(int, self.classes))


def survey(
    source: Source,
    *,
    data_dir: types.Path | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    image_size: tuple[int, int] | None = None,
) -> Survey:
    """Look at the training images of a data set.

    Args:
        source, data_dir, on_error: see `ganzoo.datasets.load`.
        image_size: needed only where TensorFlow Datasets has images of different sizes.

    Returns:
        A `Survey`.

    Raises:
        ValueError: no or damaged images, or an unknown name; `NotImages`: points, say.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> seen = survey("digits")
    >>> seen.images, seen.size, seen.channels, len(seen.classes)
    (1498, (8, 8), 1, 10)
    """
    request = Request(
        split="train",
        image_size=image_size,
        data_dir=data_dir,
        channels=None,
        on_error=on_error,
        value_range=None,
    )
    path = _path_of_files(source)
    if path is not None:
        reader, _ = reader_of(path, request)
        if reader is not ImageFolder:
            raise _not_images(source, reader.things)
        # Any size: files of different ones would be an error.
        return _of_folder(find(source, dataclasses.replace(request, image_size=(8, 8))))
    try:
        examples = find(source, dataclasses.replace(request, labels=True))
    except ValueError:  # it has no labels, or is wrong in a way that the next line reports
        examples = find(source, request)
    return _of_examples(source, examples)


def _not_images(source, things, sounds=True):
    model = "wavegan" if sounds else "vanilla"
    return NotImages(
        f"{name_of(source)!r} holds {things}, not images. Name a model that takes them, such as "
        f"{model!r}."
    )


def _path_of_files(source):
    """The path of a folder or a zip; None if the source is none."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = pathlib.Path(os.path.expanduser(source))
    of_files = path.is_dir() or (path.suffix.lower() == ".zip" and path.is_file())
    return path if of_files else None


def _of_folder(folder: ImageFolder) -> Survey:
    size, alike = _typical(folder.sizes)
    contents = dataclasses.replace(
        folder.contents,
        images=len(folder),
        shape=(*size, folder.channels),
        levels=" and ".join(sorted(k for k, names in folder.by_depth.items() if names)),
        classes=folder.count_classes(),
    )
    looked_at = decoding.spread(folder.names)
    digests = {hashlib.blake2b(_content(folder, name)).digest() for name in looked_at}
    return Survey(
        images=len(folder),
        looked_at=len(looked_at),
        distinct=len(digests),
        size=size,
        sizes=len(folder.sizes),
        alike=alike,
        channels=folder.channels,
        transparent=folder.transparent,
        classes=contents.classes,
        names=frozenset(pathlib.PurePosixPath(name).stem for name in folder.names),
        contents=contents,
    )


def _content(folder, name):
    with folder.files.open(name) as file:
        return file.read()


def _of_examples(source, examples):
    shape, dtype = examples.specs[0]
    if len(shape) != 3:
        raise _not_images(source, f"examples of shape {shape}", sounds=len(shape) == 2)
    count, classes = len(examples), None
    looked_at = np.arange(0, count, math.ceil(count / decoding.LOOKED_AT))
    distinct = len(looked_at)
    if hasattr(examples, "read"):
        images = examples.read(looked_at)[0]
        distinct = len({hashlib.blake2b(image.tobytes()).digest() for image in images})
    if len(examples.specs) > 1:
        classes = _classes(examples)
    contents = Contents(name_of(source), "train", count, shape, levels=str(dtype), classes=classes)
    return Survey(
        images=count,
        looked_at=len(looked_at),
        distinct=distinct,
        size=shape[:2],
        sizes=1,
        alike=1.0,
        channels=shape[2],
        transparent=0,
        classes=classes,
        names=None,
        contents=contents,
        named=bool(examples.class_names),
    )


def _classes(examples):
    if hasattr(examples, "arrays"):
        return count_classes(examples.arrays[1], examples.class_names)
    names = examples.class_names or ()  # a stream, which is not read for this
    return {name: len(examples) // len(names) for name in names} or None


def _typical(sizes: collections.Counter) -> tuple[tuple[int, int], float]:
    """The median height and width of images, and the share of those with a similar aspect.

    Args:
        sizes: number of images by `(height, width)`.
    """
    height, width = (
        int(np.median(np.repeat([size[i] for size in sizes], list(sizes.values())))) for i in (0, 1)
    )
    aspects = {size: size[1] / size[0] for size in sizes}
    median = np.median(np.repeat(list(aspects.values()), list(sizes.values())))
    near = sum(n for size, n in sizes.items() if 1 / ALIKE < aspects[size] / median < ALIKE)
    return (height, width), near / sizes.total()
