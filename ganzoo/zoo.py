"""Finding models by name: `get` and `list_models`, and what the command line says of them."""

import ast
import fnmatch
import inspect
import pathlib
import sys

from ganzoo import checks

_FOLDER = pathlib.Path(__file__).parent / "models"


def own_models():
    """Names of the package's own models, without importing them."""
    return sorted(file.stem for file in _FOLDER.glob("*.py") if file.stem != "__init__")


def _registered():
    # Reading the registry imports Keras: only if someone has imported it already.
    registry = sys.modules.get("ganzoo.registry")
    return registry.registered() if registry else {}


def list_models(pattern="*", *, weights=False):
    """Names of the models in the zoo.

    Args:
        pattern: shell wildcards, such as `"*gan"`.
        weights: list what can be loaded instead, as `"model.tag"`.

    Returns:
        A sorted list of names.

    Example:

    >>> list_models("dc*")
    ['dcgan']
    """
    if weights:
        from ganzoo import weights as catalogue

        names = catalogue.names()
    else:
        names = {*own_models(), *_registered()}
    return sorted(fnmatch.filter(names, pattern))


def model_class(name):
    """The class registered under `name`."""
    from ganzoo import models  # noqa: F401  (importing registers them)
    from ganzoo import registry

    known = registry.registered()
    if name not in known:
        raise checks.unknown("model", name, known)
    return known[name]


def get(name, /, weights=None, **config):
    """A compiled model of the zoo, ready for `fit` or, with weights, for `generate`.

    Args:
        name: see `list_models`.
        weights: None, or trained weights: a `.keras` file that `model.save` wrote, or the run
            folder of `ganzoo train`.
        **config: arguments of the model; `ganzoo info NAME` lists them. One of them is Keras's
            `name` of a model, which is why `get` takes its own first argument by position only.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: unknown name or weights, or an argument out of range.
        TypeError: unknown argument.

    Example:

    >>> model = get("dcgan", image_shape=(28, 28, 1), seed=0)
    >>> model.generate(2, seed=0).shape
    (2, 28, 28, 1)
    """
    cls = model_class(name)
    _check_arguments(name, cls, config)
    if weights is None:
        return cls(**config)
    from ganzoo import weights as catalogue

    return catalogue.load(name, cls, weights, config)


def _check_arguments(name, cls, config):
    known = cls.arguments()
    for argument in config:
        if argument not in known:
            raise checks.unknown(f"argument of {name!r}", argument, known, error=TypeError)


def describe(name):
    """`{"name", "class", "summary", "doc", "arguments"}` of a model.

    The package's own models are read as text, which takes no framework and no time.
    """
    if name in _registered() and name not in own_models():
        cls = _registered()[name]
        doc = inspect.getdoc(cls) or ""
        return {
            "name": name,
            "class": cls.__name__,
            "summary": doc.partition("\n")[0],
            "doc": doc,
            "arguments": cls.arguments(),
        }
    if name not in own_models():
        raise checks.unknown("model", name, list_models())
    tree = ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    node = next(n for n in classes if "register" in map(ast.unparse, n.decorator_list))
    arguments = _arguments(_FOLDER.parent / "game.py", "Game")
    if "Game" not in map(ast.unparse, node.bases):
        arguments.update(_arguments(_FOLDER.parent / "gan.py", "GAN"))
    arguments.update(_arguments(_FOLDER / f"{name}.py", node.name))
    return {
        "name": name,
        "class": node.name,
        "summary": ast.get_docstring(tree).splitlines()[0],
        "doc": ast.get_docstring(node),
        "arguments": arguments,
    }


def _arguments(path, name):
    """Keyword arguments and defaults of the constructor of a class in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    constructors = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    if not constructors:  # it only sets attributes
        return {}
    args = constructors[0].args
    return {a.arg: ast.literal_eval(d) for a, d in zip(args.kwonlyargs, args.kw_defaults)}
