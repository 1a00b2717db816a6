"""What a run was asked for, and whether it is asked for the same again."""

import contextlib
import json
import operator
import os
import pathlib
import sys
from typing import Any

import numpy as np

from ganzoo import backend
from ganzoo import datasets
from ganzoo import types
from ganzoo import zoo
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights


def check_settings(out, settings):
    """Raise a `ValueError` unless a run of these settings may begin or go on in the folder."""
    path = out / "config.json"
    visible = out.is_dir() and any(not p.name.startswith(".") for p in out.iterdir())
    if not path.exists():
        if visible:
            raise ValueError(
                f"{str(out)!r} is not empty and no run folder. Choose another folder with --out."
            )
        return
    begun = (out / "metrics.jsonl").exists() or weights.by_epoch(out / "checkpoints", ".keras")
    if not begun:  # such as after an error in the data: nothing to protect
        return
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        before, place = dict(record["settings"]), record.get("directory")
        differing = _differing(out, before, settings, place)
    except Exception:  # a file may be wrong in any way
        raise ValueError(f"{str(path)!r} is damaged. Choose another folder with --out.") from None
    if differing:
        changes = []
        for key in differing:
            was, now = before.get(key), settings[key]
            if was == now:  # a path, from two folders
                was, now = str(place_of(was, place)), os.path.abspath(now)
            changes.append(f"{key} was {was!r}, not {now!r}")
        changes = ", ".join(changes)
        raise ValueError(
            f"{str(out)!r} holds a run with other settings: {changes}. Choose another folder "
            "with --out, or give the settings of that run to go on with it."
        )


def name_of(source):
    """A data set as a run folder keeps it: a path that is no string is never a name."""
    word = texts.kept(os.fspath(source))
    plain = not isinstance(source, str) and os.path.dirname(word) == ""
    return os.path.join(".", word) if plain else word


def _plain(value):
    """As JSON gives it back: lists for tuples and arrays, Python's numbers for NumPy's."""
    if isinstance(value, dict):
        return {key: _plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(x) for x in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _differing(out, before, asked, place):
    """The settings asked for that mean something else than those of a run, however both are
    written; its command was given in the folder `place`, if that is known."""

    def size(was, now):
        pair = lambda side: [side, side] if isinstance(side, int) else side
        return pair(was) == pair(now)

    def arguments(was, now):
        if was == now or before["model"] != asked["model"]:
            return was == now
        defaults = _plain(zoo.model_class(asked["model"]).arguments())
        # What the run was not given is as its model has it, which today's default need not be.
        used = {**defaults, **_used(out), **was}
        return all(used.get(k) == {**defaults, **now}.get(k) for k in {*was, *now})

    def data(was, now):
        return was is not None and _same_data(was, now, place)

    def weights_of(was, now):
        tags = [f"{asked['model']}.{word}" in catalogue.rows() for word in (was, now)]
        return was == now or not (any(tags) or None in (was, now)) and _same_data(was, now, place)

    same = {"image_size": size, "arguments": arguments, "data": data, "to": data}
    same["weights"] = weights_of
    return [k for k in asked if not same.get(k, operator.eq)(before.get(k), asked[k])]


def _same_data(was, now, place):
    """Whether two names mean the same data, the first where the current folder was `place`."""
    before, after = place_of(was, place), place_of(now)
    if before is not None and after is not None:
        return before.samefile(after)
    if was in datasets.BUILT_IN or now in datasets.BUILT_IN:
        return was == now
    before, after = (pathlib.Path(os.path.expanduser(name)) for name in (was, now))
    # The same words where the files have moved, with the folder that the command is given in.
    from_there = os.path.join(texts.local(place or ""), before)
    return before == after or os.path.abspath(from_there) == os.path.abspath(after)


def _used(out):
    """The arguments of the model in a run's newest checkpoint, as far as it can be read."""
    for path in reversed(weights.by_epoch(out / "checkpoints", ".keras").values()):
        with contextlib.suppress(ValueError):
            return weights.read(path)[1]
    return {}


def write_config(out, settings, epochs, class_names, imports=()):
    """Make the run folder and write down what was asked for, and with what."""
    config = {
        "settings": settings,
        "directory": texts.kept(os.path.abspath("")),  # from where relative paths lead
        "epochs": epochs,
        "class_names": class_names and [texts.kept(name) for name in class_names],
        "imports": list(imports),
        "command": [texts.kept(word) for word in sys.argv],
        "versions": backend.versions(),
        "device": {"name": backend.device(), "gpu": backend.accelerated()},
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        atomic.write_atomically(out / "config.json", json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise unwritable(out, error) from None


def unwritable(out, error):
    return OSError(
        f"The run folder {str(out)!r} cannot be written: {error.strerror or error}. Choose another "
        "with --out."
    )


def class_count(ds):
    """Number of classes in a data set of `(images, labels)`."""
    if ds.class_names:
        return len(ds.class_names)
    return 1 + max(int(np.max(labels)) for _, labels in ds)


def data_of(folder: types.Path) -> dict[str, Any]:
    """What a run or a published model was trained on: `data` and, of a run, `on_error`,
    `value_range` and `class_names`, as `ganzoo.datasets.load` knows them."""
    known = catalogue.trained_on(folder)
    if not known:
        raise ValueError(
            f"{str(pathlib.Path(folder) / 'config.json')!r} does not say what the run was trained "
            "on. Say it with --data."
        )
    data = texts.local(known["data"][0])
    place = place_of(known["data"][0], known.get("directory"))
    if place is not None and not (os.path.exists(data) and place.samefile(data)):
        data = str(place)  # which is not where the same words lead from here
    reading: dict[str, Any] = {k: known[k] for k in ("on_error", "value_range") if k in known}
    if "class_names" in known:
        reading["class_names"] = list(map(texts.local, known["class_names"]))
    return {"data": data, **reading}


def channels_of(network):
    """Channels to which files are brought for a model; None where they are as they are."""
    channels = network.image_shape[-1]
    return channels if len(network.image_shape) == 3 and channels in (1, 3, 4) else None


def place_of(name: str, place: str | None = None) -> pathlib.Path | None:
    """Where the files of a data set are; None if it is a name, or they are not there.

    Args:
        name: as `config.json` has it.
        place: the folder from which relative paths lead. None: the current one.
    """
    path = pathlib.Path(texts.local(place or ""), os.path.expanduser(texts.local(name)))
    return path if os.path.exists(path) else None
