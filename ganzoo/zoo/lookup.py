"""Models by name: `get`, `list_models` and the descriptions that the command line prints."""

from __future__ import annotations

import ast
import fnmatch
import functools
import inspect
import pathlib
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from ganzoo import validation
from ganzoo.zoo import catalogue

if TYPE_CHECKING:
    from ganzoo import types
    from ganzoo.game import Game

_FOLDER = pathlib.Path(__file__).parents[1] / "models"


def own_models() -> list[str]:
    """Names of the package's own models, without importing them."""
    return sorted(path.stem for path in _FOLDER.glob("[a-z]*") if _file_of(path))


def _file_of(path):
    """The file of the module or package at `path`, which has no ending; or None."""
    files = [path.with_suffix(".py"), path / "__init__.py"]
    return next((file for file in files if file.exists()), None)


def _registered():
    # Reading the registry imports Keras, so this only reads it if it is imported already.
    registry = sys.modules.get("ganzoo.game.registry")
    return registry.registered() if registry else {}


def list_models(pattern: str = "*", *, weights: bool = False, can: str | None = None) -> list[str]:
    """Names of the models in the zoo.

    Args:
        pattern: name with shell wildcards, such as `"*gan"`.
        weights: list trained weights instead, as `"model.tag"`.
        can: only models that have this method: `"generate"`, `"encode"`, `"reconstruct"`,
            `"translate"` or `"upscale"`.

    Returns:
        A sorted list of names.

    Example:

    >>> list_models("dc*")
    ['dcgan']
    """
    if weights:
        names = catalogue.rows()
    else:
        names = {*own_models(), *_registered()}
    if can is not None:
        names = [n for n in names if hasattr(model_class(n.partition(".")[0]), can)]
    return sorted(fnmatch.filter(names, pattern))


def model_class(name: str) -> type[Game]:
    """The class registered under `name`."""
    from ganzoo import models  # noqa: F401  (importing registers them)
    from ganzoo.game import registry

    classes = registry.registered()
    if name not in classes:
        raise validation.unknown("model", name, classes)
    return classes[name]


def get(
    name: str,
    /,
    weights: types.Path | None = None,
    *,
    from_classes: Sequence[int | None] | None = None,
    **config: Any,
) -> Game:
    """A compiled model of the zoo, ready for `fit` or, with weights, for `generate`.

    Args:
        name: see `list_models`.
        weights: None, or trained weights: a tag of `list_models(weights=True)`, such as
            `"fashion_mnist"`; a `.keras` file that `model.save` wrote; the run folder of
            `ganzoo train`; the folder or the `.safetensors` file of `ganzoo publish`; or an
            address, `"hf://user/repository"` or `"https://…"`. If arguments change some of the
            networks, the layers that still match are taken, and a warning names the others.
            Averaged networks, which `generate` uses, start again from these weights, so that they
            soon show what `fit` learns from other data; with arguments, so do the trained networks,
            the optimizers and the random state. To go on with the same run exactly, use
            `keras.saving.load_model`.
        from_classes: for data with other classes than the weights', for each class of the data the
            number of the class that it continues, or None for a new one, which begins as the mean
            of all: `[3, None]` is the fourth class of the weights, then a new one. None: the
            classes are the same.
        **config: arguments of the model; `ganzoo info NAME` lists them. One of them is Keras's
            `name` of a model, so `get` takes its own first argument by position only.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: unknown name or weights, an argument out of range, or weights that are damaged
            or of another model.
        OSError: weights that cannot be downloaded.
        TypeError: unknown argument.

    Example:

    >>> model = get("dcgan", image_shape=(28, 28, 1), seed=0)
    >>> model.generate(2, seed=0).shape
    (2, 28, 28, 1)
    """
    cls = model_class(name)
    if from_classes is not None:
        config = {**config, "num_classes": len(from_classes)}
    _check_arguments(name, cls, config)
    if weights is None:
        if from_classes is not None:
            raise ValueError("`from_classes` is about classes of `weights`: name some.")
        return cls(**config)
    from ganzoo.zoo import weights as sources

    model = sources.load(name, cls, weights, config, from_classes)
    model.restart_averages()
    return model


def resume(name: str, weights: types.Path) -> Game:
    """A model loaded exactly as it was saved, with its averaged networks."""
    from ganzoo.zoo import weights as sources

    return sources.load(name, model_class(name), weights, {})


def _check_arguments(name, cls, config):
    arguments = cls.arguments()
    for argument in config:
        if argument not in arguments:
            raise validation.unknown(f"argument of {name!r}", argument, arguments, error=TypeError)


def describe(name: str) -> dict[str, Any]:
    """`{"name", "class", "summary", "year", "doc", "arguments"}` of a model.

    `year` is that of its paper, the first that its docstring names; None if it names none. The
    package's own models are read as text, without importing a framework.
    """
    if name in _registered() and name not in own_models():
        cls = _registered()[name]
        doc = inspect.getdoc(cls) or ""
        return {
            "name": name,
            "class": cls.__name__,
            "summary": doc.partition("\n")[0],
            "year": _year(doc),
            "doc": doc,
            "arguments": cls.arguments(),
        }
    if name not in own_models():
        raise validation.unknown("model", name, list_models())
    path = _file_of(_FOLDER / name)
    tree = _tree(path)
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    node = next(n for n in classes if "register" in map(ast.unparse, n.decorator_list))
    arguments = _arguments(path, node.name)
    doc = ast.get_docstring(node) or ""
    return {
        "name": name,
        "class": node.name,
        "summary": (ast.get_docstring(tree) or "").splitlines()[0],
        "year": _year(doc),
        "doc": doc,
        "arguments": arguments,
    }


def _year(doc):
    found = re.search(r"\b(?:19|20)\d\d\b", doc)
    return found and int(found[0])


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _arguments(path, name):
    """Keyword arguments and defaults of the constructor of a class in a file, with those of the
    bases in the same file and in the files that it imports."""
    arguments = {}
    for node in reversed(_lineage(path, name)):
        constructors = [n for n in node.body if getattr(n, "name", None) == "__init__"]
        for constructor in constructors:  # none, if it only sets attributes
            args = constructor.args
            defaults = map(ast.literal_eval, args.kw_defaults)
            arguments.update(zip((a.arg for a in args.kwonlyargs), defaults))
    return arguments


def _lineage(path, name):
    """A class and its bases, as syntax trees, in method resolution order."""
    tree = _tree(path)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    home = {
        alias.name: _file_of(_FOLDER.parents[1].joinpath(*n.module.split(".")))
        for n in tree.body
        if isinstance(n, ast.ImportFrom) and n.module.startswith("ganzoo.")
        for alias in n.names
    } | {n.name: path for n in tree.body if isinstance(n, ast.ClassDef)}
    if node is None:  # a package re-exports what one of its files defines
        return _lineage(home[name], name)
    lineage = {name: node}
    for base in map(ast.unparse, node.bases):
        for ancestor in _lineage(home[base], base) if base in home else ():
            # A base that two others share comes after both.
            lineage.pop(ancestor.name, None)
            lineage[ancestor.name] = ancestor
    return list(lineage.values())
