"""Builds the model and the data of a training from its settings."""

import dataclasses
from typing import Any

from ganzoo import backend
from ganzoo import datasets
from ganzoo import zoo
from ganzoo.files import texts
from ganzoo.game import Game
from ganzoo.runs.settings import write_config
from ganzoo.runs.starting import check_frozen
from ganzoo.runs.starting import class_count
from ganzoo.runs.starting import continued
from ganzoo.zoo import catalogue


@dataclasses.dataclass
class Start:
    """The model, data and arguments with which a training begins or goes on."""

    model: Game
    data: Any
    """The data set."""
    done: int
    """Epochs that the model has trained for."""
    more: dict[str, Any]
    """The arguments that a fresh model gets from the data: its classes, and `flip`."""
    reading: dict[str, Any]
    """The arguments of `ganzoo.datasets.load` that read the same data again, for the scores."""


def fresh(settings, **more):
    """A new model by the settings, with the weights to start from."""
    return zoo.get(
        settings.model,
        weights=settings.weights,
        seed=settings.seed,
        **more,
        **settings.model_arguments,
    )


def prepare(settings, network, done, resumed):
    """Read the data, check that it fits the model, and write `config.json`.

    Args:
        settings: the `Settings`.
        network: a new model without weights.
        done: epochs that `resumed` has trained for.
        resumed: the model of the newest checkpoint, or None.

    Returns:
        A `Start`.
    """
    if resumed is not None:
        network = resumed
    elif settings.weights is not None:
        network = fresh(settings)
        check_frozen(network, settings.weights)
    ds, reading = _load(settings, network, resumed is not None)
    conditional = getattr(network, "num_classes", None) is not None
    more = {}
    if resumed is None and conditional and "num_classes" not in settings.model_arguments:
        more = {"num_classes": class_count(ds)}
    if settings.weights is not None and more:
        more = continued(settings, network, ds)
        network = fresh(settings, **more) if more else network
    if resumed is None and settings.decides_flips:
        more["flip"] = network.flip = _may_flip(settings, ds)
    names = ds.class_names if conditional else None
    facts = settings.record(), settings.epochs, names, settings.imports, network.devices
    # Only now, so that a misspelt argument leaves no folder.
    things = network.modality_of(ds.description["image_shape"]).name
    named = {"minutes": settings.minutes, "things": things}
    backend.led(lambda: write_config(settings.run, *facts, **named))
    if resumed is None and settings.weights is None:
        network = fresh(settings, **more)
    network.adapt(ds)
    return Start(network, ds, done, more, reading)


def _may_flip(settings, ds):
    """Whether the images of all domains may be mirrored; says so."""
    domains = [ds] if settings.to is None else [ds, (targets for _, targets in ds)]
    found = [datasets.mirrored(domain) for domain in domains]
    for one in found:
        settings.say(str(one))
    return all(found)


def _load(settings, network, resumed):
    """The data in the model's format, and the arguments that read it again."""
    reading = {
        "data_dir": settings.data_dir,
        "on_error": settings.on_error,
        "value_range": settings.value_range,
        "channels": None,
    }
    asked = {key: getattr(settings, key) for key in ("image_size", "sample_rate", "length")}
    converting = {key: value for key, value in asked.items() if value is not None}
    if settings.weights is not None:
        converting |= _converting(network, converting, settings)
    # A resumed run keeps the numbers that its classes had when it began.
    classes = catalogue.trained_on(settings.run).get("class_names") if resumed else None
    classes = classes and [texts.local(name) for name in classes]
    options = {
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        **reading,
        **converting,
    }
    if settings.to is not None:
        ds = datasets.load_pair(
            settings.data, settings.to, paired=network.paired, verbose=False, **options
        )
    else:
        labelled = getattr(network, "label_range", None) is not None
        ds = datasets.load(
            settings.data,
            labels=labelled,
            class_names=classes if labelled else None,
            verbose=False,
            **options,
        )
    if settings.weights is not None:
        _check_shape(network, tuple(ds.description["image_shape"]), settings.weights)
    kind = network.modality_of(ds.description["image_shape"]).adapt(ds.description)
    reading |= {"class_names": ds.class_names if classes else None}
    return ds, {**kind.reading, **{k: x for k, x in reading.items() if x is not None}}


def check_domains(network, settings):
    """Raise a `ValueError` unless the number of domains is the one that the model learns from."""
    if network.paired is None and settings.to is not None:
        raise ValueError(f"{settings.model!r} learns from one domain: leave out --to (`to=`).")
    if network.paired is not None and settings.to is None:
        raise ValueError(
            f"{settings.model!r} learns from two domains: name the second by --to (`to=`)."
        )


def _converting(network, asked, settings):
    """The arguments of `ganzoo.datasets.load` that convert files to what a model with weights
    takes; says so unless all of them are asked for."""
    kind, source = network.modality, settings.weights
    check_reading(kind, asked, source)
    known = {key: value for key, value in kind.reading.items() if value is not None}
    if not known.keys() <= {*asked, "channels"}:
        settings.say(
            f"{kind.name.capitalize()} are {kind.fitted()}, the size of the weights {source}."
        )
    return known


def check_reading(kind, asked, source):
    """Raise a `ValueError` if data is to be converted to something else than the weights take.

    Args:
        kind: the `Modality` of the weights.
        asked: arguments of `ganzoo.datasets.load`; None: what is there.
        source: of the weights.
    """
    for key, value in asked.items():
        known = kind.reading.get(key)
        wanted = (value, value) if key == "image_size" and isinstance(value, int) else value
        wanted = tuple(wanted) if isinstance(wanted, list) else wanted
        if None not in (known, wanted) and wanted != known:
            raise ValueError(
                f"The weights {str(source)!r} have {kind.name} of {kind.describe()}, and "
                f"--{key.replace('_', '-')} (`{key}=`) is {value}: leave it out, or start without "
                "weights."
            )


def _check_shape(network, shape, source):
    """Raise a `ValueError` if data has another shape than the weights."""
    if shape != network.image_shape:
        wanted, received = ("×".join(map(str, x)) for x in (network.image_shape, shape))
        raise ValueError(
            f"The weights {str(source)!r} take examples of {wanted}, and the data has {received}. "
            "Images in a folder or zip are converted: save an array's images there, or convert it."
        )
