"""Which files of a folder or zip are of one kind, such as images."""

import collections
import dataclasses
import pathlib
from collections.abc import Callable
from collections.abc import Collection
from typing import Any

SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "lost+found", "system volume information", "$recycle.bin"),
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
}
"""Folders that systems and file servers make, with thumbnails and deleted files in them."""


@dataclasses.dataclass(frozen=True)
class Kinds:
    """Which files are of one kind.

    Attributes:
        one: what one of them is called, with its article.
        suffixes: their endings, in lower case.
        unread: endings of files of this kind that are not read.
        usual: the name of a format that is read.
        recognise: whether a file without an ending is of this kind, by its content; called with an
            opened file. It may raise any error. None: such files are left out.
    """

    one: str
    suffixes: Collection[str]
    unread: Collection[str]
    usual: str
    recognise: Callable[[Any], bool] | None = None


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of a folder or zip."""

    chosen: list
    """Names of the files of the kind."""
    folders: list
    """Names of folders, which end in a slash."""
    left_out: collections.Counter
    """Number of other files, by ending or by the reason why they are left out."""

    @property
    def files(self):
        """Number of files."""
        return len(self.chosen) + self.left_out.total()


def list_files(files, kinds):
    """The `Listing` of a `Folder` or a `Zip`.

    `kinds`: see `Kinds`.
    """
    chosen, folders, left_out = [], [], collections.Counter()
    for name in files.names():
        reason = _reason_to_leave_out(files, name, kinds)
        if reason is not None:
            left_out[reason] += not name.endswith("/")
        else:
            (folders if name.endswith("/") else chosen).append(name)
    return Listing(chosen, folders, +left_out)


def is_of(files, name, kinds):
    """Whether a file is of a kind, read or not."""
    if name.endswith("/"):
        return False
    reason = _reason_to_leave_out(files, name, kinds)
    return reason is None or reason in kinds.unread


def _reason_to_leave_out(files, name, kinds):
    """The reason why a file or folder is left out; None if it is not."""
    path = pathlib.PurePosixPath(name)
    system = next((part for part in path.parts if part.lower() in SYSTEM_FOLDERS), None)
    if system is not None:
        return f"in {system}"
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    ending = path.suffix.lower()
    if name.endswith("/") or ending in kinds.suffixes:
        return None
    if not ending and kinds.recognise is not None and _recognised(files, name, kinds.recognise):
        return None
    return ending or "without ending"


def _recognised(files, name, recognise):
    try:
        with files.open(name) as file:
            return recognise(file)
    except Exception:  # a file may be wrong in any way
        return False
