"""Loading the framework quietly, and without needless work."""

import atexit
import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading

import click

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


@contextlib.contextmanager
def quiet_start():
    """Keep what TensorFlow's libraries print while they load out of the terminal.

    They write to the file descriptor, whatever Python's logging says. If loading fails, all of
    it is shown.
    """
    try:
        saved = os.dup(2)
    except OSError:  # it is closed, so nothing is printed anyway
        yield
        return

    def leave(*_):
        os.write(saved, b"\nInterrupted.\n")
        os._exit(INTERRUPTED)

    with tempfile.TemporaryFile() as kept, _on_interrupt(leave):
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            kept.seek(0)
            click.echo(kept.read().decode(errors="replace"), nl=False, err=True)
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def _on_interrupt(handler):
    """Ctrl-C calls a handler meanwhile. `KeyboardInterrupt` would be lost in some of the libraries'
    imports, and the command would go on."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # whoever runs this in the background ignores Ctrl-C, and may go on doing so
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _little_garbage():
    """Do not look for garbage among the many objects that a framework's import makes and keeps,
    neither meanwhile nor at the end of the command: that is a third of a short command's time."""
    if "keras" in sys.modules:  # whose program this is does not end with the command
        yield
        return
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_framework(keep_compiled=True):
    with quiet_start(), _little_garbage():
        import keras

        from ganzoo import backend
        from ganzoo.families import gan  # noqa: F401

        if keep_compiled:
            from ganzoo.files import downloads

            backend.keep_compiled(downloads.folder() / "compiled")
        # The first operation looks for devices, which also talks.
        keras.ops.convert_to_numpy(keras.ops.zeros(()))
