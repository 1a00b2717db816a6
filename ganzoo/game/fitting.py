"""What `fit` prepares: its data, how many steps run at once, and callbacks."""

import contextlib
import functools
import math
import warnings
from typing import Any

import keras

from ganzoo import backend
from ganzoo.networks import operations


def accept(game, specs, turns=None):
    """Check the shapes of data and build for them; return how many batches a step reads."""
    game.check_specs(specs)
    game.setup(specs[0][0])
    return turns or game.turns


def training_feed(game, x, y, batch_size, shuffle, steps_per_epoch):
    """The data of `fit`, a `Feed`: as many batches for each step as there are turns."""
    return backend.feed(
        x,
        y,
        accept=functools.partial(accept, game),
        check=game.check_values,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=game.seed or 0,
        repeat=steps_per_epoch is not None,
        paired=game.paired,
        endless=None if steps_per_epoch else "steps_per_epoch",
    )


def held_out(game, x, y, batch_size, endless):
    """Data to judge on, in its own order: one batch for each step.

    `endless`: see `backend.feed`.
    """
    arrays = y is not None or hasattr(x, "shape")
    feed = backend.feed(
        x,
        y,
        accept=functools.partial(accept, game, turns=1),
        check=game.check_values,
        batch_size=batch_size if arrays else None,
        paired=game.paired,
        endless=endless,
    )
    return dealt(game, feed.data, feed.size)


def dealt(game, data, size, turns=1):
    """The data of steps that read `size` examples in so many turns, spread over the devices."""
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
def callbacks_for(feed, callbacks, verbose):
    """The user's callbacks and those that every `fit` has. On leaving they are closed: Keras tells
    them of the end only if the training ends well."""
    callbacks = [
        OnNaN() if isinstance(c, keras.callbacks.TerminateOnNaN) else c for c in callbacks or []
    ]
    with contextlib.ExitStack() as closing:
        for callback in callbacks:
            if hasattr(callback, "close"):
                closing.callback(callback.close)
            if hasattr(callback, "see"):  # it wants to know the data, as the doctor does
                callback.see(feed.data)
        bar = keras.callbacks.ProgbarLogger
        own = any(isinstance(callback, bar) for callback in callbacks)
        if verbose and not own and keras.backend.backend() == "tensorflow":
            callbacks.append(Bar())  # last, so that it shows what others put into the logs
        yield [feed.pin(), Stages(), *callbacks]


class Stages(keras.callbacks.Callback):
    """Compiles the step again when the game enters another stage."""

    def on_epoch_begin(self, epoch, logs=None):
        self.game = self.model  # asked for once: on JAX Keras then brings its state up to date
        self.start = int(self.game.step.numpy())
        self.on_train_batch_begin(0)

    def on_train_batch_begin(self, batch, logs=None):
        entered = self.game._enter(self.start + batch)
        if entered or self.game.train_function is None:  # validation has entered it
            self.game.make_train_function()


class Bar(keras.callbacks.ProgbarLogger):
    """Keras's progress bar. On TensorFlow several steps run at once: it would end at step 32 of
    23."""

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
