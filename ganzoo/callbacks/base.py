"""The base of callbacks that write files."""

from collections.abc import Callable

import keras

from ganzoo.files import texts


class Writes(keras.callbacks.Callback):
    """Of callbacks that write files: once something has been trained, a full disk or a folder that
    is gone is said, and does not end the training."""

    say: Callable[[str], object] = staticmethod(texts.say)

    def _write(self, what, write):
        """Whether `write` has written `what`."""
        try:
            write()
        except OSError as error:
            self.say(
                f"{what} could not be written: {error.strerror or error}. The training goes on; it "
                "is tried again after the next epoch."
            )
            return False
        return True
