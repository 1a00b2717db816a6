"""The requirements of `fit` on its data, and the feed that meets them."""

import dataclasses
from collections.abc import Callable

import keras


@dataclasses.dataclass(frozen=True)
class Request:
    """The requirements of `fit` on its data, of whatever kind."""

    accept: Callable
    """Called once with the `(shape, dtype)` of each component of an example. It raises if they do
    not suit, and returns how many batches one training step reads (its turns). Batches of `tf.data`
    and of a `PyDataset` are joined, never cut."""
    check: Callable | None = None
    """Called with the arrays of every batch in which values may be out of range; it raises if they
    are. None: no check."""
    batch_size: int | None = None
    """Examples in one turn's batch, for arrays; 64 if None."""
    shuffle: bool = False
    """Whether to visit arrays in an order derived from (`seed`, epoch)."""
    seed: int = 0
    """See `shuffle`."""
    repeat: bool = False
    """Whether the data starts again at its end, because the user sets the steps of an epoch. Each
    epoch then continues in the data where the last one stopped."""
    paired: bool | None = None
    """None: the components of an example belong together. True: they are paired images of two
    domains. False: they are unpaired images of two domains; the shorter of two arrays then starts
    again at its end."""
    endless: str | None = None
    """Name of the argument that limits how much of endless data is read; None if it is set."""


@dataclasses.dataclass(frozen=True)
class Batches:
    """The batches of a data set, as one training step reads them."""

    specs: tuple
    """`(shape, dtype)` of each component of an example."""
    size: int
    """Examples in a batch."""
    turns: int
    """Batches that one step reads."""


@dataclasses.dataclass(frozen=True)
class Feed:
    """What Keras's `fit` reads, and the orders of the sources in it."""

    data: object
    orders: tuple
    size: int
    """Examples that one step reads."""
    seek: Callable | None = None
    """For data that repeats: called before reading, with the step to begin at."""
    first: int | None = None
    """That step. None: the number of steps of earlier epochs."""

    def pin(self):
        """A callback that makes what an epoch reads a function of the epoch's number."""
        orders, seek, first = self.orders, self.seek, self.first

        class PinOrder(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.sought = False

            def on_epoch_begin(self, epoch, logs=None):
                if seek is None:  # every epoch is one pass
                    for order in orders:
                        order.epoch = epoch
                elif not self.sought:  # the passes go on from epoch to epoch
                    seek(epoch * self.params["steps"] if first is None else first)
                    self.sought = True

        return PinOrder()
