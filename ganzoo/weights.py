"""Trained weights: finding them, checking that they fit, loading them."""

import json
import pathlib
import warnings
import zipfile

from ganzoo import checks

CATALOGUE = pathlib.Path(__file__).with_name("weights.json")


def names():
    """What the catalogue holds, as `"model.tag"`."""
    return sorted(json.loads(CATALOGUE.read_text(encoding="utf-8")))


def by_epoch(folder, ending):
    """`{epoch: path}` of the files `epoch-0001…`, `epoch-0002…`, … in a folder, in this order."""
    found = {}
    for path in pathlib.Path(folder).glob(f"epoch-*{ending}"):
        number = path.name.removeprefix("epoch-").removesuffix(ending)
        if number.isdecimal():
            found[int(number)] = path
    return dict(sorted(found.items()))


def find(source):
    """The `.keras` file meant by a file or by a run folder, which has its newest checkpoint."""
    path = pathlib.Path(source).expanduser()
    if path.is_dir():
        checkpoints = list(by_epoch(path / "checkpoints", ".keras").values())
        if not checkpoints:
            raise ValueError(
                f"{str(path)!r} holds no checkpoint: it is no run folder, or its first epoch has "
                "not ended."
            )
        return checkpoints[-1]
    return path if path.is_file() else None


def read(path):
    """Registered name, such as `"ganzoo>DCGAN"`, and arguments of the model in a `.keras` file.

    The file is read as data: nothing in it is executed, and nothing that it names is imported.

    Raises:
        ValueError: it is not a model that ganzoo saved.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        name, arguments = config["registered_name"], dict(config["config"])
        package, _ = name.split(">")  # Keras's own models have none
    except PermissionError:
        raise
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{str(path)!r} is not a model that ganzoo saved, or it is damaged. Pass a `.keras` "
            "file written by `model.save`, or the run folder of `ganzoo train`."
        ) from error
    return name, arguments


def load(name, cls, source, config):
    """The model `name` with weights from `source`; `config` overrides the saved arguments."""
    path = find(source)
    if path is None:
        tags = [n.partition(".")[2] for n in names() if n.startswith(f"{name}.")]
        raise checks.unknown(f"weights of {name!r} (no such tag, file or run folder)", source, tags)
    saved_as, saved = read(path)
    # The class's name alone: a class written in a notebook, then moved to a module, is the same.
    if saved_as.split(">")[1] != cls.__name__:
        raise ValueError(
            f"{str(path)!r} holds weights of {saved_as!r}, not of {name!r} ({cls.__name__})."
        )
    model = cls(**{**saved, **config})
    if not model.built:
        raise ValueError(
            f"{str(path)!r} holds no weights: the model was saved before it knew the shape of its "
            "pictures. Train it first, or make it with `image_shape`."
        )
    try:
        with warnings.catch_warnings():
            # Keras would leave these layers as they are, with random weights.
            warnings.filterwarnings("error", message="Skipping nested container")
            model.load_weights(path)
    except Exception as error:
        given = f" with {config}" if config else ""
        raise ValueError(
            f"The weights in {str(path)!r} do not fit {name!r}{given}, or the file is damaged. "
            "Leave out arguments that change the networks, or choose another file."
        ) from error
    return model
