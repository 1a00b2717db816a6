"""Text that leaves the process: file names that are written down, and lines on a terminal.

A file name is bytes. Python decodes it by the locale's encoding, and turns invalid bytes into lone
surrogates, which neither files nor terminals accept.
"""

import codecs
import contextlib
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any
from typing import TextIO


def kept(name: str) -> str:
    """A file name to be written down: the same text for the same bytes in every locale.

    Args:
        name: as Python decodes it in this locale.

    Returns:
        Its bytes decoded as UTF-8, invalid ones as surrogates, which JSON can hold.

    Example:

    >>> kept("Läufe")
    'Läufe'
    """
    try:
        return os.fsencode(name).decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no file here can have this name
        return name


def local(name: str) -> str:
    """The inverse of `kept`: a written name as Python decodes it in this locale."""
    try:
        return os.fsdecode(name.encode("utf-8", "surrogateescape"))
    except UnicodeError:
        return name


def without_folders(name: str) -> str:
    """The last part of a path, for what others will read: folders of this machine stay private.
    Names and URLs are returned as they are.

    >>> without_folders("/home/ada/images.zip"), without_folders("hf://ada/portraits")
    ('images.zip', 'hf://ada/portraits')
    """
    return name if "://" in name else pathlib.PurePath(name).name


def shown(text: str) -> str:
    """Text that UTF-8 can encode: invalid bytes of file names become `�`.

    >>> shown("L\\udcc3\\udca4ufe \\udcff")
    'Läufe �'
    """
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        content = text.encode("utf-8", "surrogatepass")
    return content.decode("utf-8", "replace")


def table(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Rows of cells, in columns.

    Args:
        rows: of equal length; the first one has the titles.
        left: number of columns that begin at the left. The others, of numbers, end at the right.

    Example:

    >>> print(table([("score", "value"), ("frechet", "12.3")]))
    score    value
    frechet   12.3
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = (
        "  ".join(
            cell.ljust(w) if i < left else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


class Terminal:
    """A text file that accepts any text: characters that its encoding lacks become `?`.

    Args:
        file: the file, which has all other attributes.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write text, with `?` for characters that the encoding lacks."""
        try:
            return self._file.write(text)
        except UnicodeEncodeError as error:
            text = shown(text).encode(error.encoding, "replace").decode(error.encoding)
            return self._file.write(text)


def say(line: str, file: TextIO | None = None) -> None:
    """`print`, but never an error: no training may end because a line cannot be shown.

    Args:
        line: without a newline.
        file: None: standard output.
    """
    with contextlib.suppress(OSError):
        print(line, file=Terminal(sys.stdout if file is None else file), flush=True)


_BYTES = "ganzoo.bytes"


def _as_bytes(error):
    part = error.object[error.start : error.end]
    try:
        return part.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return "?" * len(part), error.end


def open_up(*streams: Any) -> None:
    """Make streams of this process accept any text in any locale.

    ASCII streams become UTF-8, as Python and click do by themselves in most such locales. Invalid
    bytes of file names are written unchanged; other characters that an encoding lacks become `?`.
    """
    codecs.register_error(_BYTES, _as_bytes)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii else None, errors=_BYTES)
