"""What `fit` prepares: its data, how many steps run at once, and callbacks."""

import contextlib
import dataclasses
import functools
import itertools
import math
import warnings
from typing import Any

import keras

from ganzoo import backend
from ganzoo.game import time_budget
from ganzoo.networks import operations


def accept(game, data, specs, turns=None):
    """Check what data tells and the shapes of its examples, and build for them; return how many
    batches a step reads."""
    game.check_specs(specs)
    game.adapted(data)
    game.setup(specs[0][0])
    game.load_for_training()
    return turns or game.turns


def budget_of(minutes, callbacks, epochs, steps_per_epoch):
    """The `TimeBudget` of a training, from the arguments of `fit`; None if it has none."""
    among = [c for c in callbacks or () if isinstance(c, time_budget.TimeBudget)]
    if minutes is not None and among:
        raise ValueError("Give the time once, by `minutes` or by a `TimeBudget` in `callbacks`.")
    if minutes is None and not among:
        return None
    if epochs != 1 or steps_per_epoch is not None:
        other = "epochs" if epochs != 1 else "steps_per_epoch"
        raise ValueError(
            f"The time decides how long the training lasts: leave out `{other}`, or train without "
            "`minutes` (or `TimeBudget`)."
        )
    return among[0] if among else time_budget.TimeBudget(minutes)


def training_feed(game, x, y, batch_size, shuffle, steps_per_epoch, budget=None):
    """The data of `fit`, a `Feed`: as many batches for each step as there are turns. With a time
    budget it has no end, and begins with what the game's next step reads."""
    repeat = steps_per_epoch is not None or budget is not None
    feed = backend.feed(
        x,
        y,
        accept=functools.partial(accept, game, x),
        check=game.check_values,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=game.seed or 0,
        repeat=repeat,
        paired=game.paired,
        endless=None if repeat else "steps_per_epoch",
    )
    game.adapt(x)  # only now, so that data that is refused leaves nothing behind
    unknown = game.modality.unknown()
    if unknown is not None:
        warnings.warn(unknown, stacklevel=3)
    if budget is None:
        return feed
    by_index = isinstance(feed.data, keras.utils.PyDataset)  # `without_epochs` reads it
    others = {"seek": None, "orders": ()} if by_index else {}
    return dataclasses.replace(feed, first=int(game.step.numpy()), **others)


def without_epochs(data, first):
    """Endless data as Keras reads it if a callback ends the epochs: a `PyDataset` as a generator
    that begins with the step `first`. Keras refuses another epoch of one whose epoch has not ended.
    """
    if not isinstance(data, keras.utils.PyDataset):
        return data

    def read():
        for step in itertools.count(first):
            yield data[step]
            if data.count and (step + 1) % data.count == 0:
                data.on_epoch_end()  # a data set may shuffle itself then

    return read()


def held_out(game, x, y, batch_size, endless):
    """Data to judge on, in its own order: one batch for each step.

    `endless`: see `backend.feed`.
    """
    arrays = y is not None or hasattr(x, "shape")
    feed = backend.feed(
        x,
        y,
        accept=functools.partial(accept, game, x, turns=1),
        check=game.check_values,
        batch_size=batch_size if arrays else None,
        paired=game.paired,
        endless=endless,
    )
    return dealt(game, feed.data, feed.size)


def dealt(game, data, size, turns=1):
    """Data for steps that read `size` examples in `turns` turns, spread over the devices."""
    check_share(size // turns, game.devices)
    return game.deal(data, turns)


def check_share(size, devices):
    """Raise a `ValueError` unless a batch of this size can be divided among the devices."""
    if size % devices:
        below = size // devices * devices
        sizes = [str(n) for n in (below, below + devices) if n]
        raise ValueError(
            f"Batches of {size} cannot be spread over {devices} devices: take batches of "
            f"{' or '.join(sizes)}."
        )


def as_pair(data: Any) -> tuple[Any, Any]:
    """`images` or `(images, labels)` as a pair."""
    return (*data, None)[:2] if isinstance(data, (tuple, list)) else (data, None)


def steps_at_once(game, examples, *lengths):
    """Training steps to run between two looks at callbacks: about a quarter of a second of them,
    so that Keras's work in between is small.

    Args:
        game: a built `ganzoo.Game`.
        examples: how many a step reads.
        *lengths: numbers of steps, or None. The result divides each, because Keras would not stop
            in between.
    """
    if game.stage(0) is not None:
        return 1  # steps that run at once share a stage
    networks = {id(n): n for player in game.players for n in player.networks}.values()
    try:
        forward = sum(sum(operations(network)) for network in networks)
    except ValueError:  # it cannot be counted
        return 1
    # Forward and back, and most networks twice.
    speed = backend.led(backend.speed)  # processes must run equally many
    most = min(game.at_once, 1 + 0.25 * speed / max(6 * examples * forward, 1))
    length = math.gcd(*filter(None, lengths))
    allowed = [n for n in range(1, int(most) + 1) if length % n == 0]
    return 1 if game.run_eagerly else max(allowed)


@contextlib.contextmanager
def callbacks_for(feed, callbacks, verbose, budget=None):
    """The user's callbacks and those that every `fit` has. On leaving they are closed: Keras tells
    them of the end only if the training ends well."""
    callbacks = [
        OnNaN() if isinstance(c, keras.callbacks.TerminateOnNaN) else c
        for c in callbacks or []
        if c is not budget
    ]
    with contextlib.ExitStack() as closing:
        for callback in callbacks:
            if hasattr(callback, "close"):
                closing.callback(callback.close)
            if hasattr(callback, "see"):  # it wants to know the data, as the doctor does
                callback.see(feed.data)
        bar = keras.callbacks.ProgbarLogger
        own = any(isinstance(callback, bar) for callback in callbacks)
        if verbose and not own and (budget or keras.backend.backend() == "tensorflow"):
            callbacks.append(Bar())  # last, so that it shows what others put into the logs
        # First, so that the others know the number of epochs.
        first = [] if budget is None else [budget]
        yield [feed.pin(), Stages(), *first, *callbacks]


class Stages(keras.callbacks.Callback):
    """Compiles the step again when the game enters another stage."""

    def on_epoch_begin(self, epoch, logs=None):
        self.game = self.model  # asked for once: on JAX Keras then brings its state up to date
        self.start = int(self.game.step.numpy())
        self.on_train_batch_begin(0)

    def on_train_batch_begin(self, batch, logs=None):
        step = self.start + batch
        entered = self.game._enter(step)
        if entered or self.game.train_function is None:  # validation has entered it
            self.game.make_train_function(step=step)


class Bar(keras.callbacks.ProgbarLogger):
    """Keras's progress bar. On TensorFlow several steps run at once: it would end at step 32 of
    23. And it would not see that a time budget changes the number of epochs."""

    def set_params(self, params):
        super().set_params(params)
        self._params = params

    def on_epoch_begin(self, epoch, logs=None):
        self.target, self.epochs = self._params["steps"], self._params["epochs"]
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(min(batch, (self.target or math.inf) - 1), logs)


class OnNaN(keras.callbacks.Callback):
    """Ends training when a log is NaN or infinite, and names it in a warning. Keras's own
    `TerminateOnNaN` looks only at a log called `loss`."""

    def on_train_batch_end(self, batch, logs=None):
        wrong = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if wrong:
            self.model.stop_training = True
            warnings.warn(
                f"Training ends at batch {batch}, where NaN or infinity came up in "
                f"{', '.join(wrong)}.",
                stacklevel=2,
            )
