"""The base of callbacks that write files."""

from collections.abc import Callable

import keras

from ganzoo.files import texts


class Writes(keras.callbacks.Callback):
    """Base of callbacks that write files. A write error is reported, and training continues, once
    an epoch has been trained."""

    say: Callable[[str], object] = staticmethod(texts.say)

    def _write(self, what, write):
        """Call `write`, and report an error. Returns whether it succeeded."""
        try:
            write()
        except OSError as error:
            self.say(
                f"{what} could not be written: {error.strerror or error}. The training goes on and "
                "tries again after the next epoch."
            )
            return False
        return True
