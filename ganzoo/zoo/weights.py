"""Trained weights: finding them, checking that they fit, loading them."""

import hashlib
import json
import os
import pathlib
import re
import urllib.parse
import warnings
import zipfile

import numpy as np

from ganzoo import validation
from ganzoo.files import archives
from ganzoo.files import downloads
from ganzoo.files import safetensors
from ganzoo.files.published_folder import TENSORS
from ganzoo.files.published_folder import PublishedFolder
from ganzoo.files.run_folder import RunFolder
from ganzoo.zoo import catalogue
from ganzoo.zoo import classes

HUB = "https://huggingface.co"
FETCHED = "urls"
"""The sub-folder of the cache for downloads from an address."""


def find(source, name=None):
    """The file that a source of weights means, downloaded if necessary.

    Args:
        source: a tag of the model `name` in the catalogue, or `model.tag`; `https://…`, or
            `hf://user/repository`, optionally with `@revision`; a file; a published folder; or a
            run folder, for its newest checkpoint.
        name: registry name of the model, or None: then a tag needs its model's name.

    Returns:
        A path, or None if there is no such file.

    Raises:
        OSError, ValueError: it cannot be downloaded, or the folder holds no weights.
    """
    if isinstance(source, str):  # a path is never a tag
        rows = catalogue.rows()
        row = rows.get(f"{name}.{source}") or rows.get(source)
        if row is not None:
            return row.path
        if "://" in source:
            return _fetch(source)
    path = pathlib.Path(source).expanduser()
    if not path.is_dir():
        return path if path.is_file() else None
    published = PublishedFolder(path)
    if published.tensors.is_file():
        return published.tensors
    checkpoints = list(RunFolder(path).checkpoints.by_epoch().values())
    if not checkpoints:
        raise ValueError(
            f"{str(path)!r} holds no checkpoint: it is not a run folder, or its first epoch has "
            "not ended."
        )
    return checkpoints[-1]


def _fetch(address):
    """Download an address, unless the cache folder has it. Returns the path.

    There is no hash to compare: the header is checked here, the numbers when they are read.
    """
    scheme, _, rest = address.partition("://")
    if scheme == "hf":
        repository, _, revision = rest.strip("/").partition("@")
        if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", repository):
            raise ValueError(f"Not a repository: {address!r}. Give 'hf://user/repository'.")
        hub = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
        revision = urllib.parse.quote(revision or "main", safe="")
        url = f"{hub}/{repository}/resolve/{revision}/{TENSORS}"
    elif scheme == "https":
        url = address
    else:
        raise ValueError(
            "Weights are fetched from 'https://…' or 'hf://user/repository'. Received: "
            f"{address!r}."
        )
    kept = f"{FETCHED}/{hashlib.sha256(url.encode()).hexdigest()[:32]}.safetensors"
    return downloads.fetch(url, None, kept, check=safetensors.read_header)


def read(path):
    """Registered name, such as `"ganzoo>DCGAN"`, and arguments of the model in a file of weights.

    The file is read as data: this executes nothing in it and imports nothing that it names.

    Raises:
        ValueError: it is not a model that ganzoo saved.
    """
    if path.suffix == ".safetensors":
        file = safetensors.read_header(path)
        return f"ganzoo>{file.model}", file.config
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archives.read(archive, "config.json", archives.TEXT))
            for info in archive.infolist():  # before Keras reads them
                archives.check(archive, info)
        name, arguments = config["registered_name"], dict(config["config"])
        if not isinstance(name, str) or name.count(">") != 1:  # Keras's own models have no name
            raise ValueError(f"its class is {config['class_name']!r:.100}")
    except Exception as error:  # a file may be wrong in any way
        reason = str(error) if isinstance(error, (ValueError, OSError)) else type(error).__name__
        raise ValueError(
            f"{str(path)!r} is not a model that ganzoo saved, or it is damaged ({reason}). "
            "Nothing in it was run. Pass a `.keras` file written by `model.save`, or the run "
            "folder of `ganzoo train`."
        ) from error
    return name, arguments


def load(name, cls, source, config, rows=None):
    """The model `name` with weights from `source`.

    Args:
        config: arguments in place of the saved ones. Without any, a `.keras` file is loaded just as
            it was saved; otherwise a new model begins with its networks, the averaged ones where
            there are any.
        rows: for each class of the model the number of the class of the weights that it continues,
            or None; None: the classes are the same.
    """
    path = find(source, name)
    try:
        return _load(name, cls, source, path, config, rows)
    except (ValueError, OSError):
        # A training that keeps only the newest checkpoints has removed it meanwhile.
        if path is None or path.exists() or not (newer := find(source, name)):
            raise
    return _load(name, cls, source, newer, config, rows)


def _load(name, cls, source, path, config, rows):
    if path is None:
        tags = [n.partition(".")[2] for n in catalogue.rows() if n.startswith(f"{name}.")]
        raise validation.unknown(
            f"weights of {name!r} (no such tag, file or run folder)", source, tags
        )
    saved_as, saved = read(path)
    # Only the class's name counts: a class may move from a notebook to a module.
    if saved_as.split(">")[1] != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds weights of {saved_as!r}, not of {name!r} ({cls.__name__})."
        )
    if path.suffix == ".safetensors":
        model, left = _load_tensors(name, cls, path, saved, config, rows)
    else:
        model, left = _load_checkpoint(name, cls, path, saved), []
        if config:
            model, left = _begin(name, cls, path, model, saved, config, rows)
    _warn(path, left, model.untrained)
    return model


def _warn(path, left, untrained):
    """Name the layers, and the networks, that training starts from random weights."""
    if left:
        layers = sorted({variable.rpartition("/")[0] for variable in left})
        warnings.warn(
            f"{str(path)!r} fits in part. New layers, to be trained: {', '.join(layers)}.",
            stacklevel=5,
        )
    if untrained:
        warnings.warn(
            f"{str(path)!r} has no {' and no '.join(untrained)}: training starts a new one.",
            stacklevel=5,
        )


def _load_checkpoint(name, cls, path, saved):
    """Load a `.keras` file: the whole model, with optimizers and averaged networks."""
    size = path.stat().st_size
    try:
        with safetensors.at_most(size, size):
            model = cls.from_config(saved)
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{name!r} cannot be built from {str(path)!r}: {str(error).rstrip('.')}. Choose "
            "another file."
        ) from error
    if not model.built:
        raise ValueError(
            f"{str(path)!r} holds no weights: the model was saved before it knew the shape of its "
            "images. Train it first, or make it with `image_shape`."
        )
    try:
        with warnings.catch_warnings():
            # Keras would leave such layers with random weights.
            warnings.filterwarnings("error", message="Skipping nested container")
            model.load_weights(path)
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise ValueError("it holds NaN or infinity")
    except Exception as error:
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r}, or the file is damaged. Choose "
            "another file."
        ) from error
    return model


def _begin(name, cls, path, old, saved, config, rows):
    """A new model that begins with the networks of a loaded one, where these still fit. Returns
    what `_given` does."""
    tensors = safetensors.values(old)
    parameters = sum(value.size for value in tensors.values())

    def build(arguments):
        with _at_most(64, parameters, len(tensors)):
            return cls.from_config({**saved, **arguments})

    try:
        return _given(build(config), tensors, build, config, rows)
    except Exception as error:
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r} with {config}: "
            f"{str(error).rstrip('.')}. {LEAVE_OUT}"
        ) from error


LEAVE_OUT = "Leave out arguments that change the networks, or choose another file."


def _at_most(times, parameters, arrays):
    """The limit on a model that has at most `times` as many numbers as its file."""
    return safetensors.at_most(times * parameters + 1000, times * arrays + 1000)


def _load_tensors(name, cls, path, saved, config, rows):
    """Load a safetensors file. If `config` changes its networks, matching layers get their weights.
    Returns what `_given` does."""
    file = safetensors.read_header(path)

    def build(arguments, times=64):
        with _at_most(times, file.parameters, len(file.tensors)):
            return cls(**{**saved, **arguments})

    used = {**cls.arguments(), **saved, **config}
    if used["ema_decay"] is used["ema_images"] is None:
        # The network that trains makes the samples too, which shall be the same everywhere.
        saved = {"precision": "float32", **saved}
    try:
        model = build(config, 64 if config else 4)
        try:
            safetensors.compare(model, file)
        except ValueError:
            if not config:
                raise
            # Tells changed arguments from a bad file.
            safetensors.compare(build({}, 4), file)
        return _given(model, safetensors.read(file), build, config, rows)
    except Exception as error:  # a file may be wrong in any way
        if config:
            mend = LEAVE_OUT
        elif path.is_relative_to(downloads.folder() / FETCHED):
            mend = "Delete the file to download it again, or choose another."
        else:
            mend = "Get the file again, or choose another."
        given = f" with {config}" if config else ""
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r}{given}: {str(error).rstrip('.')}. "
            f"{mend}"
        ) from error


def _given(model, tensors, build, config, rows):
    """The model, with the tensors that fit, and the names of its variables that have none."""
    if rows is not None:
        shapes = lambda game: {n: tuple(v.shape) for n, v in safetensors.named(game).items()}
        wider = build({**config, "num_classes": len(rows) + 1})
        tensors = classes.moved(tensors, shapes(model), shapes(wider), rows)
    left = safetensors.assign(model, tensors)
    model.untrained = safetensors.absent(model, tensors)
    return model, left
