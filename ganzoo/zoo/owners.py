"""Which model a source of weights belongs to, and which classes it knows."""

import contextlib
import os
import shlex

from ganzoo import types
from ganzoo import validation
from ganzoo.files.run_folder import RunFolder
from ganzoo.zoo import catalogue
from ganzoo.zoo import lookup
from ganzoo.zoo import weights


def owner(source: types.Path) -> tuple[str, dict]:
    """The registry name and the arguments of the model that a source of weights belongs to.

    Args:
        source: `"model.tag"`, a run folder, a published folder, a file or an address.

    Raises:
        ValueError: there is no such source, or it holds no weights; or its model is not known.
        OSError: it cannot be downloaded.
    """
    path = weights.find(source)
    if path is None:
        names = [n for n in catalogue.rows() if n.partition(".")[2] == os.fspath(source)]
        if names:
            raise ValueError(f"{source!r} names no model. Give one of: {', '.join(names)}.")
        raise validation.unknown("weights, run folder or file", str(source), catalogue.rows())
    registered, arguments = weights.read(path)
    return name_of(registered, path), arguments


def name_of(registered_name, path):
    """The zoo's name for the class that a file holds."""
    import keras

    from ganzoo import models  # noqa: F401
    from ganzoo.game import registry

    known = registry.registered()
    names = {keras.saving.get_registered_name(c): n for n, c in known.items()}
    if registered_name in names:
        return names[registered_name]
    # A user's class may have been in another module, and files of `publish` do not say which.
    names = {c.__name__: n for n, c in known.items() if n not in lookup.own_models()}
    cls = registered_name.split(">")[1]
    if cls in names:
        return names[cls]
    words = _imports_of(path)
    option = shlex.join(x for word in words or ["FILE.py"] for x in ("--import", word))
    hint = "as its folder says; this runs the file's code" if words else "the file with its class"
    raise ValueError(
        f"{str(path)!r} holds a {registered_name.removeprefix('ganzoo>')!r}, not one of "
        f"ganzoo's own models. Add `{option}`, {hint}."
    )


def _imports_of(path):
    """The values of `--import` that the folder of weights records; not to be trusted."""
    for folder in path.parents[:2]:
        with contextlib.suppress(Exception):  # a file may be wrong in any way
            words = RunFolder(folder).read_config().get("imports") or []
            if all(isinstance(word, str) and word.isprintable() for word in words):
                return words
    return []


def class_names(name: str, source: types.Path) -> list[str] | None:
    """The names of the classes of a model's weights; None if they are not recorded."""
    path = weights.find(source, name)
    tag = f"{name}.{source}"
    words = [tag if tag in catalogue.rows() else source, *(path.parents[:2] if path else ())]
    records = (catalogue.trained_on(word).get("class_names") for word in words)
    return next((names for names in records if names), None)
