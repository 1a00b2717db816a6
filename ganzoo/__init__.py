"""ganzoo: the GAN zoo for Keras 3.

>>> import ganzoo
>>> model = ganzoo.get("dcgan", channels=8, seed=0)
>>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
>>> model.generate(4, seed=0).shape
(4, 8, 8, 1)
"""

import importlib

__version__ = "0.1.0"

# Public name → where it lives. Nothing is imported before it is asked for, so that `import
# ganzoo` and the command line start at once.
_PUBLIC = {
    "GAN": "ganzoo.gan",
    "Game": "ganzoo.game",
    "Player": "ganzoo.game",
    "ScoreSheet": "ganzoo.evaluation",
    "evaluate": "ganzoo.evaluation",
    "get": "ganzoo.zoo",
    "list_models": "ganzoo.zoo",
    "register": "ganzoo.registry",
}
_MODULES = (
    "augmentations",
    "callbacks",
    "datasets",
    "doctor",
    "evaluation",
    "export",
    "images",
    "latent",
    "layers",
    "losses",
    "metrics",
    "models",
    "networks",
    "penalties",
    "report",
)

__all__ = sorted([*_PUBLIC, *_MODULES])


def __getattr__(name):
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"ganzoo.{name}")
    else:
        raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
