"""From a name, a path or an array to a source of examples."""

import dataclasses
import os
import pathlib

import numpy as np

from ganzoo import datasets
from ganzoo import validation
from ganzoo.datasets import arrays
from ganzoo.datasets import media_folder
from ganzoo.datasets import stacked_mnist
from ganzoo.datasets import tfds
from ganzoo.datasets import toys
from ganzoo.datasets.image_folder import ImageFolder
from ganzoo.datasets.request import name_of
from ganzoo.datasets.sound_folder import SoundFolder

BUILT_IN = {"digits": toys.digits, "ring": toys.ring, "grid": toys.grid}
"""Data sets that need no download."""


def find(source, request):
    """The source of examples for the argument of `load`, before its images are scaled."""
    examples = _find(source, request)
    if isinstance(examples, (SoundFolder, arrays.Clips)):
        _refuse(name_of(source), "sounds", ARGUMENTS[ImageFolder], request)
        return examples
    _refuse(name_of(source), "no sounds", ARGUMENTS[SoundFolder], request)
    if request.channels == 2:
        raise ValueError(
            "`channels` is 1 (grey), 3 (colour) or 4 (with transparency) for images; 2 (stereo) is "
            "for sounds. Received: 2."
        )
    return examples


def _find(source, request):
    if not isinstance(source, (str, os.PathLike)):
        return _find_arrays(source, request)
    if not isinstance(request.labels, (bool, np.bool_)):
        raise TypeError(
            "`labels` is True or False; arrays of labels go with an array of images. Received: "
            f"{type(request.labels).__name__}."
        )
    if source == "":  # as a path it would be the current folder
        raise ValueError("`source` is empty. Pass a name, a path or an array.")
    path = pathlib.Path(os.path.expanduser(source))
    return _find_path(path, source, request) if path.exists() else _find_name(source, request)


def _find_arrays(source, request):
    pair = source if isinstance(source, tuple) else (source, None)
    if len(pair) != 2 or not hasattr(pair[0], "shape"):
        raise TypeError(
            "`source` must be a name, a path, an array or a pair (images, labels). Received: "
            f"{type(source).__name__}."
        )
    if request.split != "train":
        raise ValueError(f"An array has no split {request.split!r}: all of it is 'train'.")
    images, labels = pair
    if request.has_array_of_labels:
        if labels is not None:
            raise ValueError(
                "Labels are given twice, as `labels` and next to the images: leave out one of them."
            )
        labels = request.labels
    labels = None if labels is None else np.asanyarray(labels)
    clips = request.sample_rate, request.length, request.channels
    return arrays.from_arrays(np.asanyarray(images), labels, request.labelled, clips)


def _find_path(path, source, request):
    if path.suffix in (".npy", ".npz") and path.is_file():
        clips = request.sample_rate, request.length, request.channels
        return arrays.from_file(path, request.split, request.labels, clips)
    hidden = source in (*BUILT_IN, "stacked_mnist")
    if not path.is_dir() and path.suffix.lower() != ".zip":
        also = (
            f" The built-in data set {source!r} is used only where no file has this name."
            if hidden
            else ""
        )
        raise ValueError(f"{str(path)!r} is not a folder, a .zip, an .npz or an .npy file.{also}")
    folder = _open_folder(path, request)
    if hidden:
        folder.warnings.append(
            f"{source!r} is a folder here, which comes before the built-in data set of that name. "
            "For the latter, rename the folder or work in another one."
        )
    return folder


def _open_folder(path, request):
    """The source of a folder or a zip, by the kind of most of its files."""
    reader, others = reader_of(path, request)
    folder = _open_with(reader, path, request)
    if others:
        folder.warnings.append(
            f"{str(path)!r} holds {' and '.join(others)} besides its {len(folder):,} "
            f"{reader.things}. They are left out: put them in a folder of their own."
        )
    return folder


ARGUMENTS = {ImageFolder: ("image_size", "value_range"), SoundFolder: ("sample_rate", "length")}
"""The arguments that are for one kind of files alone."""


def reader_of(path, request):
    """The class of readers for a folder or a zip, and what other files it has, in words."""
    given = {name for name, value in vars(request).items() if value is not None}
    asked = [reader for reader, names in ARGUMENTS.items() if given.intersection(names)]
    return media_folder.most_of(path, tuple(ARGUMENTS), asked, request.on_error)


def _refuse(what, things, names, request):
    """Raise a `ValueError` if arguments are given that are for other data."""
    for name in names:
        value = getattr(request, name)
        if value is not None:
            raise ValueError(
                f"{what!r} holds {things}, for which there is no `{name}`. Received: {value!r}."
            )


def _open_with(reader, path, request):
    """The source that a class of readers makes of a folder or a zip, as requested."""
    common = path, request.split, request.labels, request.on_error, request.class_names
    (other,) = ARGUMENTS.keys() - {reader}
    _refuse(str(path), reader.things, ARGUMENTS[other], request)
    if reader is SoundFolder:
        if request.channels not in (None, 1, 2):
            raise ValueError(
                f"Sounds have 1 channel (mono) or 2 (stereo). Received: {request.channels!r}."
            )
        return SoundFolder(
            *common,
            rate=request.sample_rate,
            length=request.length,
            channels=request.channels,
        )
    return ImageFolder(*common, image_size=request.image_size, channels=request.channels)


def _find_name(source, request):
    if isinstance(source, str) and source in BUILT_IN:
        return BUILT_IN[source](request.split, request.labels)
    if source == "stacked_mnist":
        validation.one_of("split", request.split, stacked_mnist.COUNTS)
        mnist = _find_tfds("mnist", dataclasses.replace(request, image_size=None, labels=True))
        return stacked_mnist.load(mnist, request.split, request.labels)
    path = pathlib.Path(os.path.expanduser(source))
    looks_like_path = path.suffix in (".npy", ".npz", ".zip") or path.is_absolute()
    if not isinstance(source, str) or looks_like_path or source.startswith((".", "~")):
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    return _find_tfds(source, request)


def _find_tfds(name, request):
    return tfds.load(
        name,
        request.split,
        request.image_size,
        request.labels,
        request.data_dir,
        list(BUILT_IN),
        datasets.CACHE_BYTES,
    )
