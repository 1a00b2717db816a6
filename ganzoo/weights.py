"""Trained weights: finding them, checking that they fit, loading them."""

import json
import pathlib
import zipfile

from ganzoo import checks

CATALOGUE = pathlib.Path(__file__).with_name("weights.json")


def names():
    """What the catalogue holds, as `"model.tag"`."""
    return sorted(json.loads(CATALOGUE.read_text(encoding="utf-8")))


def find(source):
    """The `.keras` file meant by a file or by a run folder, which has its newest checkpoint."""
    path = pathlib.Path(source).expanduser()
    if path.is_dir():
        checkpoints = sorted((path / "checkpoints").glob("epoch-*.keras"))
        if not checkpoints:
            raise ValueError(
                f"{str(path)!r} holds no checkpoint: it is no run folder, or its first epoch has "
                "not ended."
            )
        return checkpoints[-1]
    return path if path.is_file() else None


def read(path):
    """Registered class name and arguments of the model in a `.keras` file.

    The file is read as data: nothing in it is executed.

    Raises:
        ValueError: it is not a model that ganzoo saved.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        module, name = config["registered_name"].split(">")
        arguments = config["config"]
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, TypeError, OSError):
        module, name, arguments = None, None, None
    if module != "ganzoo":
        raise ValueError(
            f"{str(path)!r} is not a model that ganzoo saved. Pass a `.keras` file written by "
            "`model.save`, or the run folder of `ganzoo train`."
        )
    return name, arguments


def load(name, cls, source, config):
    """The model `name` with weights from `source`; `config` overrides the saved arguments."""
    path = find(source)
    if path is None:
        tags = [n.partition(".")[2] for n in names() if n.startswith(f"{name}.")]
        raise checks.unknown(f"weights of {name!r} (no such tag, file or run folder)", source, tags)
    saved_as, saved = read(path)
    if saved_as != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds weights of a {saved_as}, not of {name!r} ({cls.__name__})."
        )
    model = cls(**{**saved, **config})
    model.load_weights(path)
    return model
