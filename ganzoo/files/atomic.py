"""Files written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator

import keras

from ganzoo.files import texts


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a temporary path to write to; the file there then replaces `path` at once.

    Even after an interruption, `path` holds either the old content or all of the new.
    """
    # `path` may have the longest name that the file system allows; this one must not be longer.
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


@contextlib.contextmanager
def replacing_whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a folder to work in; the file or folder `made` in it then replaces `path`. A folder
    replaces a folder with all that it holds.

    Raises:
        OSError: `path` cannot be written; nothing of it is left then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ganzoo-") as work:
            folder = pathlib.Path(work)
            yield folder
            made = folder / "made"
            if made.is_dir() and path.is_dir():
                path.rename(folder / "before")
            made.replace(path)
    except OSError as error:
        raise OSError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from None


def _sync(folder):
    """Make a new name in a folder survive a power loss, where folders can be synced."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def save_atomically(model: keras.Model, path: pathlib.Path) -> None:
    """Save a model, so that `path` holds either the old file or all of the new one, read back.

    Raises:
        OSError: the file cannot be written, or differs when it is read back.
    """
    with replacing(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise OSError(f"its part {damaged!r} does not read back as it was written")


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Write a text file, so that `path` holds either the old text or all of the new one."""
    with replacing(path) as temporary:
        temporary.write_text(texts.shown(text), encoding="utf-8")
