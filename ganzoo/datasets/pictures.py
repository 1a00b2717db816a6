"""A folder or a zip of pictures, as a user has it: nested, of mixed sizes and kinds."""

import collections
import contextlib
import functools
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
_GREY = {"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


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
        names, folders = _take_split(names, split, path)
        # Not as NumPy's text, of which each entry is as wide as the longest name.
        self.names = np.array(sorted(names), object)
        if on_error == "skip":
            self._skip_damaged()
        self.size = image_size
        self.channels = channels
        if image_size is None or channels is None:
            self._look(image_size, channels)
        self.class_names = self.targets = None
        if labels:
            self.class_names, self.targets = _classes(self.names, folders, path)
        self.specs = (((*self.size, self.channels), "uint8"),)
        if labels:
            self.specs += (((), "int32"),)

    def __len__(self):
        return len(self.names)

    def keep(self, names):
        """Only the pictures of these names, in this order; of a source without labels."""
        self.names = np.array(names, object)

    def read(self, indices):
        images = np.stack([self._decode(self.names[i]) for i in indices])
        return (images,) if self.targets is None else (images, self.targets[indices])

    @contextlib.contextmanager
    def _open(self, name):
        """The opened picture; errors of reading it come out as one that names the file."""
        try:
            with self.files.open(name) as file, Image.open(file) as picture:
                yield picture
        except Exception as error:  # Pillow and zipfile raise many kinds at damaged files
            raise ValueError(
                f"{str(self.path / name)!r} is damaged or not a picture "
                f"({str(error) or type(error).__name__}). Remove it, or pass `on_error='skip'` to "
                "go on without such files."
            ) from None

    def _decode(self, name):
        with self._open(name) as picture:
            if picture.format == "JPEG":  # decoded smaller; EXIF may still turn it
                picture.draft(None, (max(self.size), max(self.size)))
            picture.load()
            return to_array(picture, self.size, self.channels)

    def _look(self, image_size, channels):
        """Size and channels from the headers of all files."""
        sizes, grey = collections.Counter(), True
        for name in self.names:
            with self._open(name) as picture:
                sizes[picture.size if _is_turned(picture) else picture.size[::-1]] += 1
                grey = grey and picture.mode in _GREY
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
            except ValueError:
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
    bits_16 = picture.mode.startswith("I;16") or (picture.format, picture.mode) == ("PPM", "I")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":  # more than 8 bits
        values = np.nan_to_num(np.asarray(picture, "float64"))
        if bits_16 or values.max() > 255:  # in other formats the range is a guess
            values = values / 257.0
        elif picture.mode == "F" and values.max() <= 1:
            values = values * 255.0
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


def _is_turned(picture):
    """Whether EXIF says that an opened picture, not yet loaded, lies on its side."""
    if picture.format == "TIFF":  # whose size Pillow has turned already
        return False
    if picture.format == "PNG" and "exif" not in picture.info:  # `getexif` would load all of it
        return False
    return picture.getexif().get(0x0112, 1) >= 5


def _take_split(names, split, path):
    """The names in `split`; and, of the names in all splits, the folders below the split's."""
    parts = functools.cache(lambda folder: pathlib.PurePosixPath(folder).parts)  # one for all
    folders = {n: parts(n.rpartition("/")[0]) for n in names}
    known = {folder for choices in SPLITS.values() for folder in choices}
    # Folders that all pictures share may lie above the splits' (or be the only split's).
    for depth in range(len(os.path.commonprefix(list(folders.values()))) + 1):
        found = {f[depth] for f in folders.values() if len(f) > depth}
        if found & known:
            break
    else:
        if split != "train":
            raise ValueError(
                f"{str(path)!r} has no split {split!r}: without sub-folders 'train' and 'test', "
                "all of it is 'train'."
            )
        return names, folders
    wanted = SPLITS.get(split, (split,))
    folders = {
        n: f for n, f in folders.items() if len(f) > depth and f[depth] in known.union(wanted)
    }
    taken = [n for n, f in folders.items() if f[depth] in wanted]
    if not taken:
        raise checks.unknown(f"split of {str(path)!r}", split, found & known)
    below = functools.cache(lambda folder: folder[depth + 1 :])
    return taken, {n: below(f) for n, f in folders.items()}


def _classes(names, folders, path):
    """Class names (first differing folder, over all splits) and each picture's class number."""
    shared = len(os.path.commonprefix(list(folders.values())))
    loose = [n for n in names if len(folders[n]) == shared]
    if loose:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, but {str(path / loose[0])!r} and "
            f"{len(loose) - 1} more lie in none. Sort the pictures into one folder per class."
        )
    classes = sorted({f[shared] for f in folders.values() if len(f) > shared})
    number = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number[folders[n][shared]] for n in names], "int32")


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
