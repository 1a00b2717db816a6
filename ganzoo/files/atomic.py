"""Files written whole or not at all."""

import contextlib
import os
import pathlib
import zipfile
from collections.abc import Iterator

import keras

from ganzoo.files import texts


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives another path to write to; what is written there then replaces `path` at once.

    Whatever interrupts it, `path` holds either what it held or all of the new.
    """
    # A name may be as long as the file system takes, and this one must not be longer.
    temporary = path.with_name(f".{path.stem[:50]}.partial{path.suffix}")
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync(folder):
    """Have a new name in a folder outlive a loss of power, where folders can be synced."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def save_atomically(model: keras.Model, path: pathlib.Path) -> None:
    """`model.save`, so that `path` holds either what it held or all of the new file, read again.

    Raises:
        OSError: it cannot be written, or not so that it can be read again.
    """
    with replacing(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise OSError(f"{damaged!r} of it reads otherwise than it was written")


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Write a text file, so that `path` holds either what it held or all of the new text."""
    with replacing(path) as temporary:
        temporary.write_text(texts.shown(text), encoding="utf-8")
