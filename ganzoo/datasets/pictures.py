"""A folder or a zip of pictures, as a user has it: nested, of mixed sizes and kinds."""

import collections
import os
import pathlib
import threading
import warnings
import zipfile

import numpy as np
from PIL import Image
from PIL import ImageOps

from ganzoo import checks

SUFFIXES = ".bmp .gif .jfif .jpeg .jpg .pbm .pgm .png .ppm .tga .tif .tiff .webp".split()
"""Files with these endings are taken for pictures; all others are passed over."""

SPLITS = {"train": ("train",), "test": ("test",), "validation": ("validation", "val", "valid")}
_GREY = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


class Pictures:
    """A source that reads pictures from a folder or a zip."""

    def __init__(self, path, split, image_size, labels, channels, on_error):
        self.path = path
        self.files = _Zip(path) if path.is_file() else _Folder(path)
        names = [n for n in self.files.names() if _is_picture(n)]
        if not names:
            raise ValueError(
                f"There are no pictures in {str(path)!r}. Pictures end in {', '.join(SUFFIXES)}; "
                "sub-folders are searched."
            )
        self.names = np.array(sorted(_take_split(names, split, path)))
        if on_error == "skip":
            self._skip_damaged()
        self.size = image_size
        self.channels = channels
        if image_size is None or channels is None:
            self._look(image_size, channels)
        self.class_names, targets = _classes(self.names, path) if labels else (None, None)
        self.targets = targets
        self.specs = (((*self.size, self.channels), "uint8"),)
        if labels:
            self.specs += (((), "int32"),)

    def __len__(self):
        return len(self.names)

    def read(self, indices):
        images = np.stack([self._decode(self.names[i]) for i in indices])
        return (images,) if self.targets is None else (images, self.targets[indices])

    def _open(self, name):
        """The opened picture; `_explain` says what went wrong."""
        return Image.open(self.files.open(name))

    def _explain(self, name, error):
        return ValueError(
            f"{str(self.path / name)!r} is damaged or not a picture ({error}). Remove it, or pass "
            "`on_error='skip'` to go on without such files."
        )

    def _decode(self, name):
        try:
            with self._open(name) as picture:
                if picture.format == "JPEG":
                    picture.draft(None, self.size[::-1])
                picture.load()
                return to_array(picture, self.size, self.channels)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self._explain(name, error) from None

    def _look(self, image_size, channels):
        """Size and channels from the headers of all files."""
        sizes, grey = collections.Counter(), True
        for name in self.names:
            try:
                with self._open(name) as picture:
                    turned = picture.getexif().get(0x0112, 1) >= 5
                    sizes[picture.size if turned else picture.size[::-1]] += 1
                    grey = grey and picture.mode in _GREY and "transparency" not in picture.info
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                raise self._explain(name, error) from None
        if image_size is None and len(sizes) > 1:
            (height, width), count = sizes.most_common(1)[0]
            raise ValueError(
                f"The pictures in {str(self.path)!r} have {len(sizes)} different sizes (the most "
                f"frequent is {height}×{width}, {count} of {len(self.names)}). Pass "
                "`image_size`, for example 64."
            )
        self.size = image_size or next(iter(sizes))
        self.channels = channels or (1 if grey else 3)

    def _skip_damaged(self):
        damaged = []
        for name in self.names:
            try:
                with self._open(name) as picture:
                    picture.load()
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                damaged.append(name)
        if damaged:
            self.names = self.names[~np.isin(self.names, damaged)]
            listed = ", ".join(map(str, damaged[:5])) + (", …" if len(damaged) > 5 else "")
            warnings.warn(
                f"{len(damaged)} damaged pictures in {str(self.path)!r} are left out: {listed}",
                stacklevel=5,
            )
        if not len(self.names):
            raise ValueError(f"All pictures in {str(self.path)!r} are damaged.")


def to_array(picture, size, channels):
    """A loaded PIL picture as `(height, width, channels)` uint8."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":  # more than 8 bits
        values = np.asarray(picture, "float64")
        values = values / 257.0 if values.max() > 255 else values
        picture = Image.fromarray(np.clip(np.round(values), 0, 255).astype("uint8"))
    transparent = "A" in picture.mode or "a" in picture.mode or "transparency" in picture.info
    if channels == 4:
        picture = picture.convert("RGBA")
    elif transparent:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    picture = picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    if picture.size != size[::-1]:
        picture = ImageOps.fit(picture, size[::-1], Image.Resampling.BICUBIC)
    array = np.asarray(picture)
    return array[..., None] if channels == 1 else array


def _is_picture(name):
    parts = pathlib.PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and name.lower().endswith(tuple(SUFFIXES))


def _without_common_folders(names):
    """How many leading folders all names share."""
    folders = [pathlib.PurePosixPath(n).parts[:-1] for n in names]
    return len(os.path.commonprefix(folders))


def _take_split(names, split, path):
    shared = _without_common_folders(names)
    first = {n: pathlib.PurePosixPath(n).parts[shared] for n in names}
    known = {folder for folders in SPLITS.values() for folder in folders}
    splits = {f for f in first.values() if f in known}
    if not splits:
        if split != "train":
            raise ValueError(
                f"{str(path)!r} has no split {split!r}: without sub-folders 'train' and 'test', "
                "all of it is 'train'."
            )
        return names
    wanted = SPLITS.get(split, (split,))
    taken = [n for n in names if first[n] in wanted]
    if not taken:
        raise checks.unknown(f"split of {str(path)!r}", split, splits)
    return taken


def _classes(names, path):
    """Class names (first differing folder) and each picture's class number."""
    shared = _without_common_folders(names)
    parts = [pathlib.PurePosixPath(n).parts[shared:] for n in names]
    loose = [n for n, p in zip(names, parts) if len(p) == 1]
    if loose:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, but {str(path / loose[0])!r} and "
            f"{len(loose) - 1} more lie in none. Sort the pictures into one folder per class."
        )
    classes = sorted({p[0] for p in parts})
    number = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number[p[0]] for p in parts], "int32")


class _Folder:
    def __init__(self, path):
        self.path = path

    def names(self):
        for folder, _, files in os.walk(self.path):
            for file in files:
                yield pathlib.Path(folder, file).relative_to(self.path).as_posix()

    def open(self, name):
        return open(self.path / name, "rb")


class _Zip:
    """Reads members without unpacking; one handle per thread."""

    def __init__(self, path):
        self.path = path
        self.local = threading.local()
        try:
            self.handle()
        except zipfile.BadZipFile as error:
            raise ValueError(f"{str(path)!r} cannot be read as a zip: {error}.") from None

    def handle(self):
        if not hasattr(self.local, "handle"):
            self.local.handle = zipfile.ZipFile(self.path)
        return self.local.handle

    def names(self):
        return [i.filename for i in self.handle().infolist() if not i.is_dir()]

    def open(self, name):
        return self.handle().open(name)
