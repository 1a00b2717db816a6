"""ganzoo: the GAN zoo for Keras 3.

>>> import ganzoo
>>> model = ganzoo.get("dcgan", channels=8, seed=0)
>>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
>>> model.generate(4, seed=0).shape
(4, 8, 8, 1)
"""

import importlib
import importlib.machinery
import os
import sys
from typing import TYPE_CHECKING

from ganzoo.version import __version__ as __version__

if TYPE_CHECKING:  # what `__getattr__` returns, for type checkers and editors
    from ganzoo import augmentations as augmentations
    from ganzoo import callbacks as callbacks
    from ganzoo import datasets as datasets
    from ganzoo import doctor as doctor
    from ganzoo import evaluation as evaluation
    from ganzoo import export as export
    from ganzoo import images as images
    from ganzoo import latent as latent
    from ganzoo import layers as layers
    from ganzoo import losses as losses
    from ganzoo import metrics as metrics
    from ganzoo import modalities as modalities
    from ganzoo import models as models
    from ganzoo import networks as networks
    from ganzoo import penalties as penalties
    from ganzoo import web as web
    from ganzoo.evaluation import ScoreSheet as ScoreSheet
    from ganzoo.evaluation import evaluate as evaluate
    from ganzoo.families.gan import GAN as GAN
    from ganzoo.game import Game as Game
    from ganzoo.game import Player as Player
    from ganzoo.game.registry import register as register
    from ganzoo.runs import auto as auto
    from ganzoo.runs import report as report
    from ganzoo.zoo import get as get
    from ganzoo.zoo import list_models as list_models

# TensorFlow reads this when it loads. Its C++ libraries write straight to standard error, even in
# the middle of a training: a graph optimisation that failed ("remapper failed"), a GPU that is
# absent (cuInit). Errors that make a call fail are raised as exceptions as well.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Public name → where it lives. Nothing is imported before its first use, so that `import ganzoo`
# and the command line start at once.
_PUBLIC = {
    "GAN": "ganzoo.families.gan",
    "Game": "ganzoo.game",
    "Player": "ganzoo.game",
    "ScoreSheet": "ganzoo.evaluation",
    "auto": "ganzoo.runs",
    "evaluate": "ganzoo.evaluation",
    "get": "ganzoo.zoo",
    "list_models": "ganzoo.zoo",
    "register": "ganzoo.game.registry",
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
    "modalities",
    "models",
    "networks",
    "penalties",
    "web",
)
_MOVED = {  # former name of a module → where it lives
    "ganzoo.gan": "ganzoo.families.gan",
    "ganzoo.registry": "ganzoo.game.registry",
    "ganzoo.report": "ganzoo.runs.report",
    "ganzoo.terminal": "ganzoo.callbacks.terminal",
    "ganzoo.throughput": "ganzoo.evaluation.throughput",
    "ganzoo.translation": "ganzoo.families.translation",
}

__all__ = sorted([*_PUBLIC, *_MODULES, "report"])


if not TYPE_CHECKING:  # a type checker would otherwise accept any name

    def __getattr__(name):
        if name in _PUBLIC:
            value = getattr(importlib.import_module(_PUBLIC[name]), name)
        elif name in _MODULES:
            value = importlib.import_module(f"ganzoo.{name}")
        elif f"ganzoo.{name}" in _MOVED:
            value = importlib.import_module(_MOVED[f"ganzoo.{name}"])
        else:
            raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
        globals()[name] = value
        return value


class _Former:
    """Imports modules by their former names, so that `import ganzoo.report` still works."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, cls) if name in _MOVED else None

    @staticmethod
    def create_module(spec):
        module = importlib.import_module(_MOVED[spec.name])
        spec.loader_state = module.__spec__
        return module

    @staticmethod
    def exec_module(module):
        module.__spec__ = module.__spec__.loader_state  # the import has replaced the module's own


sys.meta_path.append(_Former)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
