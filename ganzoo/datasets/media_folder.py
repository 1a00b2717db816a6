"""Folders and zips of files of one kind, such as images or sounds, with splits and classes."""

import abc
import itertools

import numpy as np

from ganzoo.datasets import classes
from ganzoo.datasets import decoding
from ganzoo.datasets import listing
from ganzoo.datasets import splits
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.folders import Folder
from ganzoo.datasets.folders import Zip


class MediaFolder(abc.ABC):
    """A source that reads files of one kind from a folder or a zip.

    `contents` says what it holds; `warnings` lists what may be a mistake. A subclass sets `specs`,
    and opens and decodes files.
    """

    things: str
    """What the files are called, such as `"images"`."""
    kinds: listing.Kinds
    """Which files are of this kind."""

    def __init__(self, path, split, labels, on_error, class_names=None):
        self.path = path
        self.warnings = []
        self.files = files_of(path, on_error)
        self.contents = Contents(path, split)
        files = self._list_files()
        self._folders = self._take_split(files.chosen, split)
        if on_error == "skip":
            self._skip_damaged()
        self.class_names = self.targets = None
        self._read_headers()
        if labels:
            self._label(files, self._folders, class_names)
            self.specs += (((), "int32"),)

    @abc.abstractmethod
    def _read_headers(self):
        """Find `specs`, from the headers of all files."""

    @abc.abstractmethod
    def _decode(self, name):
        """The example in a file, as `specs` has it. Raises a `ValueError` that names the file."""

    @abc.abstractmethod
    def _check(self, name):
        """Raise a `ValueError` if a file is damaged."""

    def __len__(self):
        return len(self.names)

    def keep(self, names):
        """Keep only the files of these names, in this order, in a source without labels."""
        left = len(self.names) - len(names)
        if left:
            self.contents.left_out["without a partner"] = left
        self.names = list(names)

    def read(self, indices):
        examples = np.stack([self._decode(self.names[i]) for i in indices])
        return (examples,) if self.targets is None else (examples, self.targets[indices])

    def damaged(self, name, error):
        """The error for a file that cannot be read."""
        return ValueError(
            f"{decoding.place_of(self.path, name)!r} cannot be read as {self.kinds.one} "
            f"({decoding.reason(error)}). Mend or remove it, or pass `on_error='skip'` "
            "(--skip-damaged) to go on without such files."
        )

    def _list_files(self):
        """The files by kind. Those left out are recorded, with a warning if they are images."""
        files = listing.list_files(self.files, self.kinds)
        self.contents.files = files.files
        self.contents.left_out = files.left_out
        others = {k: n for k, n in files.left_out.items() if k in self.kinds.unread}
        if not files.chosen:
            kinds = ", ".join(f"{kind} {n:,}" for kind, n in files.left_out.most_common(8))
            there = f"It holds, by ending: {kinds}." if kinds else "It is empty."
            suffixes = ", ".join(self.kinds.suffixes)
            mend = f"{self.things.capitalize()} end in {suffixes}; sub-folders are searched."
            if others:
                mend = f"{' and '.join(others)} are not read: convert them to {self.kinds.usual}."
            raise ValueError(f"There are no {self.things} in {str(self.path)!r}. {there} {mend}")
        if others:
            listed = ", ".join(f"{n:,} of {kind}" for kind, n in others.items())
            self.warnings.append(
                f"{self.things.capitalize()} of kinds that are not read are left out of "
                f"{str(self.path)!r}: {listed}. Convert them, for example to {self.kinds.usual}."
            )
        return files

    def _take_split(self, names, split):
        """Choose the files of the split. Returns each file's folders below that of the split."""
        taken = splits.take(names, split, self.path)
        self.names = sorted(taken.images)
        self.contents.split = taken.name
        self.contents.in_splits = taken.counts
        if taken.outside:
            outside = sorted(taken.outside.items())
            listed = ", ".join(f"{n:,} in {folder or 'no folder'}" for folder, n in outside)
            self.warnings.append(
                f"{str(self.path)!r} has the splits {', '.join(taken.split_folders)}. "
                f"{self.things.capitalize()} that are in none of them are left out: {listed}. Pass "
                "`split='…'` with a folder's name to take that one."
            )
        return taken.folders

    def _skip_damaged(self):
        damaged = []
        for name in self.names:
            try:
                self._check(name)
            except ValueError:
                damaged.append(name)
        if damaged:
            self.names = sorted(set(self.names).difference(damaged))
            self.contents.left_out["damaged"] = len(damaged)
            listed = ", ".join(damaged[:5]) + (", …" if len(damaged) > 5 else "")
            if not len(self.names):
                raise ValueError(f"All {self.things} in {str(self.path)!r} are damaged: {listed}")
            self.warnings.append(
                f"{len(damaged)} damaged {self.things} in {str(self.path)!r} are left out: {listed}"
            )

    def count_classes(self):
        """Number of examples by class; None if the sub-folders are no classes."""
        try:
            names, targets = classes.classes_of(self.names, self._folders, self.path, None)
        except ValueError:
            return None
        return count_classes(targets, names)

    def _label(self, files, folders, class_names):
        """Classes from sub-folders."""
        self.class_names, self.targets = classes.classes_of(
            self.names, folders, self.path, class_names
        )
        self.contents.classes = count_classes(self.targets, self.class_names)
        without = classes.without_images(self.names, folders, files.folders, self.class_names)
        if without:
            self.warnings.append(
                f"Folders of {str(self.path)!r} without {self.kinds.one} are no classes: "
                f"{', '.join(without)}."
            )


def files_of(path, on_error="raise"):
    """The files of a folder or a zip."""
    return Zip(path) if path.is_file() else Folder(path, on_error)


def most_of(path, readers, asked, on_error="raise", most=10_000):
    """`(reader, others)`: the reader of whose kind a folder or zip has the most files, the first if
    it has none; and what other files it has, in words.

    `asked`: those of the readers whose arguments are given; the most files of these decide.
    """
    files = files_of(path, on_error)
    names = list(itertools.islice(files.names(), most))
    counts = [sum(listing.is_of(files, x, reader.kinds) for x in names) for reader in readers]
    ranks = [(n > 0 and reader in asked, n) for reader, n in zip(readers, counts)]
    chosen = ranks.index(max(ranks))
    others = [
        f"{count:,} {reader.things}"
        for i, (reader, count) in enumerate(zip(readers, counts))
        if count and i != chosen
    ]
    return readers[chosen], others
