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

HUB = "https://huggingface.co"
FETCHED = "urls"
"""The sub-folder of the cache that has what was fetched from an address."""


def find(source, name=None):
    """The file that a source of weights means; what is on the net is fetched.

    Args:
        source: a tag of the model `name` in the catalogue, or `model.tag`; `https://…`, `hf://user/repository`
            (with `@revision` if wanted); a file; a folder that was published; or a run folder,
            which has its newest checkpoint.
        name: registry name of the model, or None: then there are no tags by themselves.

    Returns:
        A path, or None if there is no such file.

    Raises:
        OSError, ValueError: it cannot be fetched, or the folder holds no weights.
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
            f"{str(path)!r} holds no checkpoint: it is no run folder, or its first epoch has not "
            "ended."
        )
    return checkpoints[-1]


def _fetch(address):
    """What is at an address of the net, from the cache folder if it was fetched before.

    No hash is known of it: its header and its numbers are checked when it is read.
    """
    scheme, _, rest = address.partition("://")
    if scheme == "hf":
        repository, _, revision = rest.strip("/").partition("@")
        if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", repository):
            raise ValueError(f"Not a repository: {address!r}. It is 'hf://user/repository'.")
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

    The file is read as data: nothing in it is executed, and nothing that it names is imported.

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
            raise ValueError(f"it is of the class {config['class_name']!r:.100}")
    except Exception as error:  # a file may be wrong in any way
        reason = str(error) if isinstance(error, (ValueError, OSError)) else type(error).__name__
        raise ValueError(
            f"{str(path)!r} is not a model that ganzoo saved, or it is damaged ({reason}). "
            "Nothing in it was run. Pass a `.keras` file written by `model.save`, or the run "
            "folder of `ganzoo train`."
        ) from error
    return name, arguments


def load(name, cls, source, config):
    """The model `name` with weights from `source`, just as it was saved; `config` overrides the
    saved arguments."""
    path = find(source, name)
    try:
        return _load(name, cls, source, path, config)
    except (ValueError, OSError):
        # A training that keeps the newest checkpoints only has removed it meanwhile.
        if path is None or path.exists() or not (newer := find(source, name)):
            raise
    return _load(name, cls, source, newer, config)


def _load(name, cls, source, path, config):
    if path is None:
        tags = [n.partition(".")[2] for n in catalogue.rows() if n.startswith(f"{name}.")]
        raise validation.unknown(
            f"weights of {name!r} (no such tag, file or run folder)", source, tags
        )
    saved_as, saved = read(path)
    # The class's name alone: a class written in a notebook, then moved to a module, is the same.
    if saved_as.split(">")[1] != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds weights of {saved_as!r}, not of {name!r} ({cls.__name__})."
        )
    load_from = _load_tensors if path.suffix == ".safetensors" else _load_checkpoint
    return load_from(name, cls, path, saved, config)


def _load_checkpoint(name, cls, path, saved, config):
    """Of a `.keras` file: with the optimizers, the averages and everything."""
    given, size = f" with {config}" if config else "", path.stat().st_size
    try:
        with safetensors.at_most(size, size):
            model = cls(**{**saved, **config})
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{name!r} cannot be made as {str(path)!r} says{given}: {str(error).rstrip('.')}. "
            "Leave out arguments that change the networks, or choose another file."
        ) from error
    if not model.built:
        raise ValueError(
            f"{str(path)!r} holds no weights: the model was saved before it knew the shape of its "
            "pictures. Train it first, or make it with `image_shape`."
        )
    # Keras keeps them among the weights, where they would replace those that are asked for.
    asked = any(key.endswith("learning_rate") for key in config)
    rates = [float(one.learning_rate) for one in model.optimizer.optimizers if asked]
    try:
        with warnings.catch_warnings():
            # Keras would leave these layers as they are, with random weights.
            warnings.filterwarnings("error", message="Skipping nested container")
            model.load_weights(path)
        for one, rate in zip(model.optimizer.optimizers, rates):
            one.learning_rate = rate
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise ValueError("it holds numbers that are infinite or none (NaN)")
    except Exception as error:
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r}{given}, or the file is damaged. "
            "Leave out arguments that change the networks, or choose another file."
        ) from error
    return model


def _load_tensors(name, cls, path, saved, config):
    """Of a safetensors file. Where `config` asks for other networks than it has, layers that are
    the same get their weights, and a warning names the others."""
    file = safetensors.read_header(path)

    def build(arguments, times):
        most = times * file.parameters + 1000, times * len(file.tensors) + 1000
        with safetensors.at_most(*most):
            return cls(**arguments)

    try:
        model = build({**saved, **config}, 64 if config else 4)
        try:
            safetensors.compare(model, file)
        except ValueError:
            if not config:
                raise
            safetensors.compare(build(saved, 4), file)  # then it is the arguments, not the file
        left = safetensors.assign(model, file)
    except Exception as error:  # a file may be wrong in any way
        if config:
            mend = "Leave out arguments that change the networks, or choose another file."
        elif path.is_relative_to(downloads.folder() / FETCHED):
            mend = "Delete the file to have it fetched anew, or choose another."
        else:
            mend = "Get the file again, or choose another."
        given = f" with {config}" if config else ""
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r}{given}: {str(error).rstrip('.')}. "
            f"{mend}"
        ) from error
    if left:
        layers = sorted({variable.rpartition("/")[0] for variable in left})
        warnings.warn(
            f"Of {str(path)!r}, what fits was taken. New, and to be trained: {', '.join(layers)}.",
            stacklevel=5,
        )
    return model
