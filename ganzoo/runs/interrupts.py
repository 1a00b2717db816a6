"""Ctrl-C during a training: it ends after the epoch, the step, or at once."""

import contextlib
import signal
import threading

import keras

from ganzoo import backend


class Stopped(KeyboardInterrupt):
    """A training stopped after an epoch, in all processes that train together."""


class Interrupts(keras.callbacks.Callback):
    """Ends the training on Ctrl-C: after the epoch, so that all of it is saved; on the second one
    after the step; on the third one at once.

    Python raises `KeyboardInterrupt` wherever it happens to be. In a finaliser or a callback from C
    code it is printed and lost, and the training would go on.
    """

    def __init__(self, say, saved):
        super().__init__()
        self._say = say
        self._saved = saved  # returns the epoch of the last checkpoint
        self.count = 0
        self.stopping = False
        self._before = None

    def __enter__(self):
        main = threading.current_thread() is threading.main_thread()
        # A process in the background ignores Ctrl-C, and goes on ignoring it.
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number, frame):
        self.count += 1
        if self.count > 2:
            signal.default_int_handler(number, frame)
        with contextlib.suppress(RuntimeError):  # the signal came while something was being printed
            self._say(
                "Stopping at the end of this epoch. Ctrl-C again: now, losing what was learned "
                f"since epoch {self._saved()}."
                if self.count == 1
                else "Stopping after this step. Ctrl-C again: at once."
            )

    def on_train_batch_end(self, batch, logs=None):
        if self.count > 1:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        # Processes that train together stop together. The count may grow while they wait here.
        self.stopping = any(backend.gathered(self.count))
        if self.stopping:
            self.model.stop_training = True
