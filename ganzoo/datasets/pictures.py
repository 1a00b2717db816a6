"""A folder or a zip of pictures, as a user has it: nested, of mixed sizes and kinds."""

import collections
import contextlib
import functools
import io
import os
import pathlib
import threading
import warnings
import zipfile

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import UnidentifiedImageError

from ganzoo import archives
from ganzoo import checks

SUFFIXES = ".bmp .gif .jfif .jpeg .jpg .pbm .pgm .png .ppm .tga .tif .tiff .webp".split()
"""Files with these endings are taken for pictures; all others are passed over."""

FORMATS = "BMP GIF JPEG PNG PPM TIFF WEBP TGA".split()
"""Kinds that are read, whatever a file's ending; Pillow knows more, some by calling programs."""

MOST_PIXELS = 1 << 26
"""Pixels that a picture may have, 8192×8192; more are refused before room is made for them."""

_ALONE = threading.Lock()  # large pictures are decoded one at a time, not one on each core

SPLITS = {"train": ("train",), "test": ("test",), "validation": ("validation", "val", "valid")}
_GREY = {"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


class Pictures:
    """A source that reads pictures from a folder or a zip."""

    def __init__(self, path, split, image_size, labels, channels, on_error):
        self.path = path
        self.files = _Zip(path) if path.is_file() else _Folder(path, on_error)
        names = [n for n in self.files.names() if _is_picture(n)]
        if not names:
            raise ValueError(
                f"There are no pictures in {str(path)!r}. Pictures end in {', '.join(SUFFIXES)}; "
                "sub-folders are searched."
            )
        names, folders = _take_split(names, split, path)
        self.names = sorted(names)
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
        self.names = list(names)

    def read(self, indices):
        images = np.stack([self._decode(self.names[i]) for i in indices])
        return (images,) if self.targets is None else (images, self.targets[indices])

    @contextlib.contextmanager
    def _open(self, name):
        """The opened picture; errors of reading it come out as one that names the file."""
        try:
            with self.files.open(name) as file, Image.open(file, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise ValueError(f"it has {width}×{height} pixels, more than {MOST_PIXELS:,}")
                yield picture
        except Exception as error:  # Pillow and zipfile raise many kinds at damaged files
            raise ValueError(
                f"{_place(self.path, name)!r} cannot be read as a picture ({_reason(error)}). "
                "Mend or remove it, or pass `on_error='skip'` to go on without such files."
            ) from None

    def _decode(self, name):
        with self._open(name) as picture:
            if picture.format == "JPEG":  # decoded smaller; EXIF may still turn it
                picture.draft(None, (max(self.size), max(self.size)))
            large = picture.width * picture.height > MOST_PIXELS // 8
            with _ALONE if large else contextlib.nullcontext():
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
            self.names = sorted(set(self.names).difference(damaged))
            listed = ", ".join(damaged[:5]) + (", …" if len(damaged) > 5 else "")
            warnings.warn(
                f"{len(damaged)} damaged pictures in {str(self.path)!r} are left out: {listed}",
                stacklevel=5,
            )
        if not len(self.names):
            raise ValueError(f"All pictures in {str(self.path)!r} are damaged.")


def to_array(picture, size, channels):
    """A loaded PIL picture as `(height, width, channels)` uint8."""
    bits_16 = picture.mode.startswith("I;16") or (picture.format, picture.mode) == ("PPM", "I")
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I") or picture.mode == "F":  # more than 8 bits
        values = np.nan_to_num(np.array(picture, "float32"), copy=False)
        if bits_16 or values.max() > 255:  # in other formats the range is a guess
            values /= 257
        elif picture.mode == "F" and values.max() <= 1:
            values *= 255
        picture = Image.fromarray(values.round(out=values).clip(0, 255, out=values).astype("uint8"))
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


def _place(path, name):
    return f"{path}/{name}"  # below the path, whatever a zip calls its members


def _reason(error):
    if isinstance(error, UnidentifiedImageError):
        return "it is of no kind that is known"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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
    """The names in `split`, or all where it is None; and, of the names in all splits, the folders
    below the split's."""
    if split is None:
        return names, {}
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
            f"`labels=True` takes sub-folders as classes, but {_place(path, loose[0])!r} and "
            f"{len(loose) - 1} more lie in none. Sort the pictures into one folder per class."
        )
    classes = sorted({f[shared] for f in folders.values() if len(f) > shared})
    number = {name: i for i, name in enumerate(classes)}
    return classes, np.array([number[folders[n][shared]] for n in names], "int32")


class _Folder:
    """Files in a folder, and in those that links in it lead to; none is visited twice."""

    def __init__(self, path, on_error):
        self.path = path
        self.on_error = on_error

    def names(self):
        seen, waiting = set(), [self.path]
        for top in waiting:  # links come after all that is really there
            for folder, folders, files in os.walk(top, onerror=self._refuse):
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in seen:
                    folders.clear()
                    continue
                seen.add((status.st_dev, status.st_ino))
                folders.sort()
                waiting += filter(os.path.islink, (os.path.join(folder, f) for f in folders))
                for file in files:
                    yield pathlib.Path(folder, file).relative_to(self.path).as_posix()

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


class _Zip:
    """Members of a zip; one handle per thread."""

    def __init__(self, path):
        self.path = path
        self.local = threading.local()
        try:
            self.handle()
        except Exception as error:  # a file may be wrong in any way
            raise ValueError(f"{str(path)!r} cannot be read as a zip: {_reason(error)}.") from None

    def handle(self):
        if not hasattr(self.local, "handle"):
            self.local.handle = zipfile.ZipFile(self.path)
        return self.local.handle

    def names(self):
        return self.handle().namelist()

    def open(self, name):
        return io.BytesIO(archives.read(self.handle(), name))
