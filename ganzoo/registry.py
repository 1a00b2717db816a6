"""The one table of names."""

import re

import keras

_MODELS = {}


def register(cls):
    """Class decorator: a GAN joins the registry, `ganzoo.get` knows it, and Keras can save it.

    The name is that of the file for the package's own models, and the class's name in
    snake_case for yours: `MyFirstGAN` becomes `"my_first_gan"`.

    Args:
        cls: a subclass of `ganzoo.game.Game`.

    Returns:
        The class.

    Raises:
        ValueError: another class has this name already.
    """
    home, _, file = cls.__module__.rpartition(".")
    own = home == "ganzoo.models"
    name = file if own else snake_case(cls.__name__)
    known = _MODELS.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (
        cls.__module__,
        cls.__qualname__,
    ):
        raise ValueError(
            f"A model named {name!r} is registered already ({known.__module__}."
            f"{known.__qualname__}). Give your class another name."
        )
    _MODELS[name] = cls
    cls.registry_name = name
    package = "ganzoo" if own else cls.__module__
    return keras.saving.register_keras_serializable(package=package)(cls)


def snake_case(name):
    """`MyFirstGAN` → `my_first_gan`.

    >>> snake_case("MyFirstGAN")
    'my_first_gan'
    """
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return name.lower()


def registered():
    """Name → class, of everything registered so far."""
    return dict(_MODELS)
