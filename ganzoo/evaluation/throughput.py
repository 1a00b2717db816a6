"""Throughput of a model's training and sampling on this machine."""

import functools
import statistics
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ganzoo import backend
from ganzoo import datasets
from ganzoo import types
from ganzoo import validation
from ganzoo import zoo
from ganzoo.networks import operations


class Clock(keras.callbacks.Callback):
    """Measures the seconds of the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self._start


def measure(
    name: str,
    *,
    image_shape: types.Shape = (28, 28, 1),
    batch_size: int = 64,
    seconds: float = 10.0,
    rounds: int = 5,
    **config: Any,
) -> dict[str, Any]:
    """Measure the throughput of a model of the zoo, on images of noise.

    Args:
        name: registry name.
        image_shape: `(height, width, channels)`.
        batch_size: examples in a training batch; samples are made 256 at a time.
        seconds: approximate duration of the measurements, of training and of sampling each.
        rounds: number of measurements, whose median and spread are returned.
        **config: further arguments of the model.

    Returns:
        A dict: `training` and `sampling`, images per second, with `training_spread` and
        `sampling_spread`, half the distance between the quartiles; `first_step` and
        `first_samples`, seconds until the first ones were done, compilation included;
        `parameters`; `forward_gflop`, the operations of the networks' matrix products and
        convolutions for one example, in thousand millions; the arguments; versions.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Example:

    >>> speeds = measure("vanilla", image_shape=(8, 8, 1), seconds=0.1, generator_units=(8,))
    >>> speeds["training"] > 0 and speeds["sampling"] > 0
    True
    """
    validation.integer("batch_size", batch_size)
    validation.real("seconds", seconds, above=0)
    validation.integer("rounds", rounds)
    model = zoo.get(name, **{"seed": 0, **config})
    turns, train = _turns(model), functools.partial(_train, model, image_shape, batch_size)

    def sample(count):
        start = time.perf_counter()
        for _ in model.generate_batches(count, seed=0):
            pass
        return time.perf_counter() - start

    def rates(run, unit, least):
        """Units of work per second in each round."""
        run(least)
        count = max(least, round(seconds / rounds / run(least) * least))
        return [unit * count / run(count) for _ in range(rounds)]

    first_step = train(1)
    training = rates(train, turns * batch_size, _least(model))
    first_samples = sample(256)
    sampling = rates(lambda n: sample(256 * n), 256, 1)
    networks = {id(n): n for player in model.players for n in player.networks}.values()
    return {
        "model": name,
        "image_shape": list(image_shape),
        "batch_size": batch_size,
        "training": statistics.median(training),
        "training_spread": spread(training),
        "sampling": statistics.median(sampling),
        "sampling_spread": spread(sampling),
        "first_step": first_step,
        "first_samples": first_samples,
        "parameters": sum(network.count_params() for network in networks),
        "forward_gflop": _forward(networks),
        "precision": model.dtype_policy.name,
        "jit_compile": bool(model.jit_compile),
        "steps_per_execution": model.steps_per_execution,
        "rounds": rounds,
        "config": config,
        "versions": backend.versions(),
    }


def training_speed(
    name: str,
    *,
    image_shape: types.Shape,
    batch_size: int = 64,
    seconds: float = 2.0,
    **config: Any,
) -> float:
    """Measure once, for about `seconds` after compilation, how many images per second a model
    trains on. Arguments as in `measure`.

    Example:

    >>> training_speed("vanilla", image_shape=(8, 8, 1), seconds=0.1, generator_units=(8,)) > 0
    True
    """
    model = zoo.get(name, **{"seed": 0, **config})
    train = functools.partial(_train, model, image_shape, batch_size)
    train(1)
    least = _least(model)
    count = max(least, round(seconds / train(least) * least))
    return _turns(model) * batch_size * count / train(count)


def _turns(model):
    return getattr(model, "discriminator_steps", 1)


def _least(model):
    """Fewest steps whose time can be measured."""
    return max(2, model.steps_per_execution)


def _train(model, image_shape, batch_size, steps):
    """Train for `steps` steps on noise. Returns the seconds."""
    labels, clock = getattr(model, "label_range", None), Clock()
    count = steps * _turns(model) * batch_size
    images = np.random.default_rng(0).integers(0, 256, (count, *image_shape), "uint8")
    options = {"batch_size": batch_size, "verbose": False}
    if model.paired is not None:
        ds = datasets.load_pair(images, images, paired=model.paired, **options)
    else:
        pair = images if labels is None else (images, np.arange(count) % labels.stop)
        ds = datasets.load(pair, labels=labels is not None, **options)
    model.fit(ds, epochs=1, verbose=0, callbacks=[clock])
    return clock.seconds


def _forward(networks):
    """The networks' operations in thousand millions; None if they cannot be counted."""
    try:
        return sum(sum(operations(network)) for network in networks) / 1e9
    except ValueError:
        return None


def spread(values: Sequence[float]) -> float:
    """Half the distance between the quartiles."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2
