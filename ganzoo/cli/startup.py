"""Loading the framework quietly and fast."""

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
"""The exit code after Ctrl-C, by the convention of shells."""


@contextlib.contextmanager
def quiet_start():
    """Hide what TensorFlow's libraries print while they load.

    They write to the file descriptor, past Python's logging. If loading fails, all of it is shown.
    """
    try:
        saved = os.dup(2)
    except OSError:  # stderr is closed, so nothing is printed anyway
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
    """Let Ctrl-C call a handler. Some of the libraries' imports would swallow `KeyboardInterrupt`,
    and the command would go on."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # a process in the background ignores Ctrl-C, and goes on ignoring it
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _no_garbage_collection():
    """Exempt the many objects that a framework's import creates from garbage collection, now and at
    exit: collecting them takes a third of a short command's time."""
    if "keras" in sys.modules:  # called from a program that does not end with the command
        yield
        return
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def join_others():
    """Find the processes that train together, before anything is computed."""
    with quiet_start(), _no_garbage_collection():
        from ganzoo import backend
    backend.join()


def trains_with_others():
    """Whether this process is one of several that train together."""
    backend = sys.modules.get("ganzoo.backend")
    return backend is not None and backend.processes() > 1


def end(code):
    """End the process; one of several that train together waits for none of the others."""
    getattr(sys.modules.get("ganzoo.backend"), "leave", sys.exit)(code)


def load_framework(keep_compiled=True):
    with quiet_start(), _no_garbage_collection():
        import keras

        from ganzoo import backend
        from ganzoo.families import gan  # noqa: F401

        if keep_compiled:
            from ganzoo.files import downloads

            backend.keep_compiled(downloads.folder() / "compiled")
        # The first operation looks for devices, which also prints.
        keras.ops.convert_to_numpy(keras.ops.zeros(()))
