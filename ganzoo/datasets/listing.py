"""Which files of a folder or zip are images."""

import collections
import dataclasses
import pathlib

from PIL import Image

from ganzoo.datasets.decoding import FORMATS
from ganzoo.datasets.decoding import SUFFIXES

SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "lost+found", "system volume information", "$recycle.bin"),
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
}
"""Folders that systems and file servers make, with thumbnails and deleted files in them."""


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of a folder or zip."""

    images: list
    """Names of images."""
    folders: list
    """Names of folders, which end in a slash."""
    left_out: collections.Counter
    """Number of other files, by ending or by the reason why they are left out."""

    @property
    def files(self):
        """Number of files."""
        return len(self.images) + self.left_out.total()


def list_files(files):
    """The `Listing` of a `Folder` or a `Zip`."""
    images, folders, left_out = [], [], collections.Counter()
    for name in files.names():
        reason = _reason_to_leave_out(files, name)
        if reason is not None:
            left_out[reason] += not name.endswith("/")
        else:
            (folders if name.endswith("/") else images).append(name)
    return Listing(images, folders, +left_out)


def _reason_to_leave_out(files, name):
    """The reason why a file or folder is left out; None if it is not."""
    path = pathlib.PurePosixPath(name)
    system = next((part for part in path.parts if part.lower() in SYSTEM_FOLDERS), None)
    if system is not None:
        return f"in {system}"
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    ending = path.suffix.lower()
    if name.endswith("/") or ending in SUFFIXES or (not ending and _is_image(files, name)):
        return None
    return ending or "without ending"


def _is_image(files, name):
    """Whether a file without an ending is an image, by its first bytes."""
    try:  # TGA files have no signature
        with files.open(name) as file:
            Image.open(file, formats=[f for f in FORMATS if f != "TGA"]).close()
    except Exception:  # a file may be wrong in any way
        return False
    return True
