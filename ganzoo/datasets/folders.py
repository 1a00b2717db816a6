"""Folders and zips as files with names."""

import io
import itertools
import os
import pathlib
import threading
import zipfile

from ganzoo.datasets.decoding import reason
from ganzoo.files import archives


class Folder:
    """Files in a folder, and in those that links in it lead to; none is visited twice."""

    def __init__(self, path, on_error):
        self.path = path
        self.on_error = on_error

    def names(self):
        """Names of files and, with a slash at the end, of folders."""
        seen, waiting = set(), [self.path]
        for top in waiting:  # linked folders come after real ones
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
                "readable, or pass `on_error='skip'` (--skip-damaged) to go on without it."
            ) from None

    def open(self, name):
        path = self.path / name
        if not path.is_file():  # opening a named pipe would wait for a writer
            raise ValueError("there is no such file, or it is not a regular one")
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
