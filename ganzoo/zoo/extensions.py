"""Your own models on the command line: `--import my_gan.py`."""

import importlib
import importlib.util
import os
import pathlib
import sys
import traceback


def load(word: str) -> list[str]:
    """Import a module that registers models.

    Args:
        word: the path of a `.py` file, or the name of a module that is installed or in the current
            folder.

    Returns:
        The names of its models.

    Raises:
        FileNotFoundError: there is no such file or module.
        ValueError: it raises an error or registers no model, or another module has its name.

    Example:

    >>> load("ganzoo.zoo")
    Traceback (most recent call last):
    ValueError: 'ganzoo.zoo' registers no model: decorate its class with `@ganzoo.register`.
    """
    from ganzoo.game import registry

    before = registry.registered()
    name = _load_file(word) if _is_path(word) else _load_module(word)
    models = [
        model
        for model, cls in registry.registered().items()
        if not cls.__module__.startswith("ganzoo.models.")
        and (model not in before or f"{cls.__module__}.".startswith(f"{name}."))
    ]
    if not models:
        raise ValueError(
            f"{word!r} registers no model: decorate its class with `@ganzoo.register`."
        )
    return models


def _is_path(word):
    separators = (os.sep, os.altsep or os.sep)
    return word.endswith(".py") or any(separator in word for separator in separators)


def _load_file(word):
    """Import a file, and return the name of its module."""
    path = pathlib.Path(word).expanduser().resolve()
    if not path.is_file():
        folder = " It is a folder: name a file in it, or the module." if path.is_dir() else ""
        raise FileNotFoundError(f"There is no file {word!r} to import.{folder}")
    name = path.stem
    imported = sys.modules.get(name)
    spec = imported.__spec__ if imported is not None else importlib.util.find_spec(name)
    if spec is not None and (not spec.origin or pathlib.Path(spec.origin).resolve() != path):
        raise ValueError(
            f"{word!r} has the name of another module, {name!r} ({spec.origin}). Rename the file."
        )
    if imported is None:
        _add_to_path(path.parent)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ValueError(f"{word!r} is not a Python file: its name must end in .py.")
        loader, module = spec.loader, importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            _run(word, lambda: loader.exec_module(module))
        except BaseException:
            sys.modules.pop(name, None)
            raise
    return name


def _load_module(word):
    """Import a module, and return its name."""
    _add_to_path(pathlib.Path.cwd())
    try:
        _run(word, lambda: importlib.import_module(word))
    except ValueError as error:
        cause = error.__cause__
        absent = cause.name if isinstance(cause, ModuleNotFoundError) else None
        if absent is None or not f"{word}.".startswith(f"{absent}."):
            raise
        raise FileNotFoundError(
            f"There is no module {word!r} to import, neither installed nor in the current folder. "
            "For a file, give the path: my_gan.py."
        ) from error
    return word


def _add_to_path(folder):
    """Let Python find modules in a folder too, after installed ones, so that it hides none."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    importlib.invalidate_caches()


def _run(word, code):
    """Run a module's code, and turn any exception into a `ValueError` that says where it arose."""
    try:
        code()
    except (Exception, SystemExit) as error:  # the code may be wrong in any way
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
        place = f" ({pathlib.Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{word!r} cannot be imported: {reason}{place}.") from error
