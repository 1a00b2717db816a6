"""Text that leaves the process: names of files in files of ours, and lines on a terminal.

A name of a file is bytes. Python gives it as text in the encoding of the locale, and bytes that are
none there as lone surrogates, which no file and no terminal takes.
"""

import codecs
import contextlib
import os
import sys
from typing import Any
from typing import TextIO


def kept(name: str) -> str:
    """A file's name as it is written down: the same text for the same bytes in every locale.

    Args:
        name: as Python has it here.

    Returns:
        Its bytes read as UTF-8; those that are none as surrogates, which JSON can keep.

    Example:

    >>> kept("Läufe")
    'Läufe'
    """
    try:
        return os.fsencode(name).decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no file here can have this name
        return name


def local(name: str) -> str:
    """The reverse of `kept`: a name that was written down, as Python has it here."""
    try:
        return os.fsdecode(name.encode("utf-8", "surrogateescape"))
    except UnicodeError:
        return name


def shown(text: str) -> str:
    """Text that UTF-8 can hold: bytes of names that are none of it become `�`.

    >>> shown("L\\udcc3\\udca4ufe \\udcff")
    'Läufe �'
    """
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        content = text.encode("utf-8", "surrogatepass")
    return content.decode("utf-8", "replace")


class Terminal:
    """A text file that takes any text: characters that its encoding lacks become `?`.

    Args:
        file: everything else is as it has it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write text, whatever is in it."""
        try:
            return self._file.write(text)
        except UnicodeEncodeError as error:
            text = shown(text).encode(error.encoding, "replace").decode(error.encoding)
            return self._file.write(text)


def say(line: str, file: TextIO | None = None) -> None:
    """`print`, whatever is in the line and whether or not it is still read: no training must
    end because of a line that cannot be shown.

    Args:
        line: without its end.
        file: None: the standard output.
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
    """Have streams of this process take any text, whatever the locale.

    Those in ASCII become UTF-8, as Python and click do by themselves in most such locales. Bytes of
    names go out as they are; other characters that an encoding lacks become `?`.
    """
    codecs.register_error(_BYTES, _as_bytes)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii else None, errors=_BYTES)
