"""The one table of names."""

import pathlib
import re
from typing import TypeVar

import keras

from ganzoo.game import Game

_MODELS: dict[str, type[Game]] = {}
Registered = TypeVar("Registered", bound=Game)


def register(cls: type[Registered]) -> type[Registered]:
    """Class decorator: a GAN joins the registry, `ganzoo.get` knows it, and Keras can save it.

    The name is that of the file for the package's own models, and the class's name in
    snake_case for yours: `MyFirstGAN` becomes `"my_first_gan"`.

    Args:
        cls: a subclass of `ganzoo.game.Game`.

    Returns:
        The class.

    Raises:
        TypeError: it is no subclass of `ganzoo.Game`.
        ValueError: another class has this name already.
    """
    if not (isinstance(cls, type) and issubclass(cls, Game)):
        raise TypeError(
            "`register` takes a subclass of `ganzoo.GAN` or `ganzoo.Game`. Received: "
            f"{getattr(cls, '__name__', cls)!r}."
        )
    own = cls.__module__.startswith("ganzoo.models.")
    file = cls.__module__.rpartition(".")[2]
    name = file if own else snake_case(cls.__name__)
    known = _MODELS.get(name)
    place = f"{cls.__module__}.{cls.__qualname__}"
    taken = known and f"{known.__module__}.{known.__qualname__}"
    models = pathlib.Path(__file__).parents[1] / "models"
    if not own and any((models / at).exists() for at in (f"{name}.py", f"{name}/__init__.py")):
        taken = f"ganzoo.models.{name}"  # which may not have been imported yet
    if taken and taken != place:
        raise ValueError(
            f"A model named {name!r} is registered already ({taken}). Give {place} another name."
        )
    _MODELS[name] = cls
    cls.registry_name = name
    package = "ganzoo" if own else cls.__module__
    return keras.saving.register_keras_serializable(package=package)(cls)


def snake_case(name: str) -> str:
    """`MyFirstGAN` → `my_first_gan`.

    >>> snake_case("MyFirstGAN")
    'my_first_gan'
    """
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return name.lower()


def registered() -> dict[str, type[Game]]:
    """Name → class, of everything registered so far."""
    return dict(_MODELS)
