"""Folders and zips as lists of files, with their splits and classes."""

import io
import itertools
import math
import os
import pathlib
import re
import threading
import zipfile

import numpy as np

from ganzoo.datasets.decoding import place_of
from ganzoo.datasets.decoding import reason
from ganzoo.files import archives

SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "lost+found", "system volume information", "$recycle.bin"),
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
}
"""Folders that systems and file servers make, with thumbnails and deleted files in them."""
SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "val", "valid"),
}
SPLIT_OF = {folder: split for split, folders in SPLITS.items() for folder in folders}


def depth_of_splits(folders):
    """How many folders down the splits begin, or None where there are none.

    Sub-folders are splits where all images lie in folders called so, or where 'train' has 'test'
    or 'validation' beside it: then they are not classes, one of which may well be called 'train'.
    """
    folders = set(folders)
    shared = len(os.path.commonprefix(list(folders)))
    for depth in range(max(map(len, folders))):
        found = {f[depth].lower() if len(f) > depth else "" for f in folders}
        known = {SPLIT_OF[folder] for folder in found if folder in SPLIT_OF}
        pair = depth <= shared and "train" in known and len(known) > 1
        if found <= SPLIT_OF.keys() or pair:
            return depth
    return None


def common_folder(folders):
    """How many folders down classes begin: where they differ, or the last one if none does."""
    folders = list(folders)
    shared = len(os.path.commonprefix(folders))
    return shared - 1 if shared and all(len(f) == shared for f in folders) else shared


def classes_of(names, folders, path, order):
    """Class names (first differing folder, over all splits) and each picture's class number."""
    shared = common_folder(folders.values())
    loose = [n for n in names if len(folders[n]) == shared]
    if loose:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, but {place_of(path, loose[0])!r} and "
            f"{len(loose) - 1} more lie in none. Sort the pictures into one folder per class."
        )
    classes = sorted({f[shared] for f in folders.values() if len(f) > shared}, key=counting)
    if order is None and len(classes) == 1:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, and all images of {str(path)!r} lie in "
            f"one, {classes[0]!r}, which tells a model nothing. Leave `labels=True` out, sort the "
            f"images into several, or pass `class_names={classes!r}` if one class is meant."
        )
    if order is not None:
        unknown = sorted(set(classes).difference(order), key=counting)
        if unknown:
            raise ValueError(
                f"{str(path)!r} has the classes {', '.join(unknown)}, which `class_names` does not "
                f"name. It names {', '.join(order)}."
            )
        classes = list(order)
    number = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number[folders[n][shared]] for n in names], "int32")


def counting(name):
    """A key by which names sort as people count: 2 before 10, and −1 before 0."""
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    parts = re.split(r"([0-9]+)", name)
    natural = [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]
    return (0, number, natural, name) if math.isfinite(number) else (1, 0.0, natural, name)


class Folder:
    """Files in a folder, and in those that links in it lead to; none is visited twice."""

    def __init__(self, path, on_error):
        self.path = path
        self.on_error = on_error

    def names(self):
        """Names of files and, with a slash at the end, of folders."""
        seen, waiting = set(), [self.path]
        for top in waiting:  # links come after all that is really there
            for folder, folders, files in os.walk(top, onerror=self._refuse):
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in seen:
                    folders.clear()
                    continue
                seen.add((status.st_dev, status.st_ino))
                folders.sort()
                links = {f for f in folders if os.path.islink(os.path.join(folder, f))}
                waiting += (os.path.join(folder, f) for f in folders if f in links)
                place = pathlib.Path(folder).relative_to(self.path)
                for file in itertools.chain(files, (f"{f}/" for f in folders if f not in links)):
                    slash = "/" if file.endswith("/") else ""
                    yield (place / file).as_posix() + slash

    def _refuse(self, error):
        if self.on_error == "raise":
            raise OSError(
                f"The folder {error.filename!r} cannot be read ({error.strerror}). Make it "
                "readable, or pass `on_error='skip'` to go on without it."
            ) from None

    def open(self, name):
        path = self.path / name
        if not path.is_file():  # opening a named pipe would wait for whoever writes to it
            raise ValueError("there is no such file, or no ordinary one")
        return path.open("rb")


class Zip:
    """Members of a zip; one handle per thread."""

    def __init__(self, path):
        self.path = path
        self.local = threading.local()
        try:
            self.handle()
        except Exception as error:  # a file may be wrong in any way
            raise ValueError(f"{str(path)!r} cannot be read as a zip: {reason(error)}.") from None

    def handle(self):
        if not hasattr(self.local, "handle"):
            self.local.handle = zipfile.ZipFile(self.path)
        return self.local.handle

    def names(self):
        return self.handle().namelist()

    def open(self, name):
        return io.BytesIO(archives.read(self.handle(), name))
