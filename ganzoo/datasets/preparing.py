"""Scales sources to the requested range and size, and loads small ones into memory."""

import math
import warnings

import numpy as np

from ganzoo import validation
from ganzoo.datasets import decoding
from ganzoo.datasets import levels
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.image_folder import ImageFolder
from ganzoo.datasets.media_folder import MediaFolder
from ganzoo.datasets.request import name_of
from ganzoo.datasets.source import Rescaled
from ganzoo.datasets.source import Resized
from ganzoo.datasets.source import settle

BATCH_BYTES = 2**31
"""Most bytes of a batch: 2 GiB."""


def prepare(source, request, examples, limit, batch_size):
    """Examples whose images have the requested range and size, and their `Contents`.

    Warnings point at the caller of the function that calls this one.

    Args:
        source: as passed to `load`.
        request: a `Request`.
        examples: the source that `find` returned.
        limit: bytes up to which the examples are kept in memory.
        batch_size: examples in a batch.
    """
    contents = getattr(examples, "contents", None) or Contents(name_of(source), request.split)
    made_of_files = isinstance(examples, MediaFolder)
    examples, doubts = _scaled(examples, request, batch_size)
    examples = settle(examples, limit)
    if not made_of_files:
        contents.levels = str(examples.specs[0][1])
        contents.rate = getattr(examples, "rate", None)
        if hasattr(examples, "arrays") and len(examples.arrays) > 1:
            contents.classes = count_classes(examples.arrays[1], examples.class_names)
    doubts += _doubts(examples, contents, doubts)
    contents.images, contents.shape = len(examples), examples.specs[0][0]
    if request.class_names is not None and examples.class_names != list(request.class_names):
        raise ValueError(
            f"{name_of(source)!r} has the classes {examples.class_names}, not "
            f"{request.class_names!r}: `class_names` orders those of folders and zips with "
            "`labels=True`."
        )
    for doubt in doubts:
        warnings.warn(doubt, stacklevel=3)
    return examples, contents


def _scaled(examples, request, batch_size):
    """The examples in the requested range and size, and doubts about them."""
    made_of_files = isinstance(examples, MediaFolder)
    if request.value_range is not None and not made_of_files:
        examples = Rescaled(examples, request.value_range)
    if request.image_size is not None and examples.specs[0][0][:2] != request.image_size:
        examples = Resized(examples, request.image_size)
    check_batch(batch_size, examples)  # before an image is read
    if isinstance(examples, ImageFolder):
        examples.choose_ranges(request.value_range)
    return examples, list(getattr(examples, "warnings", ()))


def _doubts(examples, contents, earlier):
    """Doubts about the values of images, some of which are read; none if there are earlier ones."""
    shape, dtype = examples.specs[0]
    if len(shape) != 3 or not hasattr(examples, "read") or earlier:
        return []
    some = np.arange(0, len(examples), math.ceil(len(examples) / decoding.LOOKED_AT))
    if dtype == "uint8":
        # Most often the first image is bright enough, and no other is read.
        high = levels.look_dark(examples.read(some[i : i + 1])[0] for i in range(len(some)))
        return [] if high is None else [levels.dark(high, contents.source)]
    images = examples.read(some)[0]
    low, high = levels.limits(images) or (0.0, 0.0)
    contents.levels += f" {range_of(low, high)}"
    doubt = validation.doubtful_range(images)
    return [] if doubt is None else [f"{contents.source}: {doubt}"]


def check_batch(batch_size, *sources):
    """Raise a `ValueError` if a batch would take more than `BATCH_BYTES`."""
    specs = [spec for source in sources for spec in source.specs]
    size = batch_size * sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in specs)
    if size > BATCH_BYTES:
        raise ValueError(
            f"A batch of {batch_size} images of shape {specs[0][0]} has {size / 2**30:.1f} GiB, "
            f"more than {BATCH_BYTES / 2**30:.0f}. Pass a smaller `image_size` or `batch_size`."
        )
