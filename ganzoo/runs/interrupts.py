"""Ctrl-C during a training: the first ends it after the epoch, the second at once."""

import contextlib
import signal
import threading

import keras


class Interrupts(keras.callbacks.Callback):
    """Ctrl-C ends the training after the epoch, so that all of it is saved; a second one after the
    step, a third one at once.

    Python raises `KeyboardInterrupt` wherever it happens to be; in a finaliser or a callback of C
    code it is printed and lost, and the training would go on.
    """

    def __init__(self, say, saved):
        super().__init__()
        self._say = say
        self._saved = saved  # gives the epoch of the last checkpoint
        self.asked = 0
        self._before = None

    def __enter__(self):
        main = threading.current_thread() is threading.main_thread()
        # Whoever runs this in the background ignores Ctrl-C, and may go on doing so.
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number, frame):
        self.asked += 1
        if self.asked > 2:
            signal.default_int_handler(number, frame)
        with contextlib.suppress(RuntimeError):  # something else was printing
            self._say(
                "Stopping at the end of this epoch. Ctrl-C again: now, without what it has learned "
                f"since epoch {self._saved()}."
                if self.asked == 1
                else "Stopping after this step. Ctrl-C again: at once."
            )

    def on_train_batch_end(self, batch, logs=None):
        if self.asked > 1:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.asked:
            self.model.stop_training = True
