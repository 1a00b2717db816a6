"""The arguments of `load`."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo import validation
from ganzoo.datasets import levels

Source = str | os.PathLike[str] | ArrayLike
"""What `load` takes."""


@dataclasses.dataclass(frozen=True)
class Request:
    """Checked arguments of `load`. `image_size` is `(height, width)` or None."""

    split: str
    image_size: tuple[int, int] | None
    data_dir: types.Path | None
    channels: int | None
    on_error: str
    value_range: levels.Range | None
    labels: Any = False
    class_names: Sequence[str] | None = None
    sample_rate: int | None = None
    length: int | None = None

    def __post_init__(self):
        if not isinstance(self.split, str):
            raise TypeError(
                f"`split` must be a name such as 'train' or 'test'. Received: {self.split!r}. "
                "Leave it out to read a folder that has no splits."
            )
        validation.one_of("on_error", self.on_error, ("raise", "skip"))
        if self.channels not in (None, 1, 2, 3, 4):
            raise ValueError(
                "`channels` is 1 (grey), 3 (colour) or 4 (with transparency); of sounds 1 (mono) "
                f"or 2 (stereo). Received: {self.channels!r}."
            )
        validation.optional(validation.integer, "sample_rate", self.sample_rate)
        validation.optional(validation.integer, "length", self.length)
        object.__setattr__(self, "value_range", levels.check_range(self.value_range))

    @property
    def has_array_of_labels(self):
        """Whether `labels` holds the labels themselves."""
        return not isinstance(self.labels, (bool, np.bool_)) and self.labels is not None

    @property
    def labelled(self):
        """Whether labels are requested or passed."""
        return self.has_array_of_labels or bool(self.labels)


def parse_size(image_size):
    """`(height, width)`, or None."""
    if image_size is None:
        return None
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(pair) != 2:
        raise ValueError(f"`image_size` is a side or (height, width). Received: {image_size!r}.")
    return tuple(validation.integer("image_size", n) for n in pair)


def check(batch_size, seed):
    """Raise a `ValueError` unless both are whole numbers in their range."""
    validation.integer("batch_size", batch_size)
    validation.integer("seed", seed, least=0)


def name_of(source):
    """The source as text; a folder in the current one is written as a path, `./name`."""
    if not isinstance(source, (str, os.PathLike)):
        return "arrays"
    bare = isinstance(source, str) and pathlib.Path(source).name == source
    return f"./{source}" if bare and pathlib.Path(source).is_dir() else str(source)
