"""A folder or a zip of images, as a user has it: nested, of mixed sizes and kinds."""

import collections
import concurrent.futures
import contextlib
import functools
import io
import itertools
import math
import os
import pathlib
import re
import threading
import zipfile

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import UnidentifiedImageError

from ganzoo import archives
from ganzoo import checks
from ganzoo.datasets import levels
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of

SUFFIXES = (
    ".apng .avif .bmp .gif .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .pbm .pfm .pgm "
    ".png .pnm .ppm .tga .tif .tiff .webp"
).split()
"""Files with these endings are images. A file without an ending is one if its content is."""

FORMATS = "AVIF BMP GIF JPEG JPEG2000 PNG PPM TIFF WEBP TGA".split()
"""Kinds that are read, whatever a file's ending; Pillow knows more, some by calling programs."""

OTHER_IMAGES = set(
    ".arw .cr2 .cr3 .cur .dcm .dds .dng .eps .exr .fit .fits .hdr .heic .heif .icns .ico .jxl .nef "
    ".nii .orf .pcx .pdf .psd .qoi .raf .raw .rw2 .sgi .svg .svgz .xcf".split()
)
"""Endings of images that are not read, though few would leave them out on purpose."""

SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "lost+found", "system volume information", "$recycle.bin"),
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
}
"""Folders that systems and file servers make, with thumbnails and deleted files in them."""

MOST_PIXELS = 1 << 26
"""Pixels that a picture may have, 8192×8192; more are refused before room is made for them."""

LOOKED_AT = 1000
"""Files at most, evenly spread, of which the values are looked at where only a warning depends on
it."""

_ALONE = threading.Lock()  # large pictures are decoded one at a time, not one on each core

SPLITS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("validation", "val", "valid"),
}
_SPLIT_OF = {folder: split for split, folders in SPLITS.items() for folder in folders}
_GREY = {"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


class Pictures:
    """A source that reads images from a folder or a zip.

    `contents` says what was found, `warnings` what may not be as it was meant.
    """

    def __init__(self, path, split, image_size, labels, channels, on_error, classes=None):
        self.path = path
        self.warnings = []
        self.files = _Zip(path) if path.is_file() else _Folder(path, on_error)
        self.contents = Contents(path, split)
        names, empty = self._choose_files()
        names, folders = self._take_split(names, split)
        self.names = sorted(names)
        if on_error == "skip":
            self._skip_damaged()
        self.size = image_size
        self.channels = channels
        self._look(image_size, channels)
        self.class_names = self.targets = None
        if labels:
            self.class_names, self.targets = _classes(self.names, folders, path, classes)
            self.contents.classes = count_classes(self.targets, self.class_names)
            self._warn_of_empty_classes(empty, folders)
        self.specs = (((*self.size, self.channels), "uint8"),)
        if labels:
            self.specs += (((), "int32"),)

    def __len__(self):
        return len(self.names)

    def keep(self, names):
        """Only the pictures of these names, in this order; of a source without labels."""
        left = len(self.names) - len(names)
        if left:
            self.contents.left_out["without a partner"] = left
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

    @contextlib.contextmanager
    def _loaded(self, name, size=None):
        """The decoded picture."""
        with self._open(name) as picture:
            if size is not None and picture.format == "JPEG":  # smaller; EXIF may still turn it
                picture.draft(None, (max(size), max(size)))
            large = picture.width * picture.height > MOST_PIXELS // 8
            with _ALONE if large else contextlib.nullcontext():
                picture.load()
                yield picture

    def _decode(self, name):
        with self._loaded(name, self.size) as picture:
            return to_array(picture, self.size, self.channels, self.ranges)

    # Looking at what there is ----------------------------------------------------------------

    def _choose_files(self):
        """The names of images, and of folders; all other files are counted by their kind."""
        images, folders, left_out = [], [], collections.Counter()
        for name in self.files.names():
            parts = pathlib.PurePosixPath(name).parts
            system = next((p for p in parts if p.lower() in SYSTEM_FOLDERS), None)
            ending = pathlib.PurePosixPath(name).suffix.lower()
            if system is not None:
                left_out[f"in {system}"] += not name.endswith("/")
            elif any(part.startswith(".") for part in parts):
                left_out["hidden"] += not name.endswith("/")
            elif name.endswith("/"):
                folders.append(name)
            elif ending in SUFFIXES or (not ending and self._is_image(name)):
                images.append(name)
            else:
                left_out[ending or "without ending"] += 1
        self.contents.files = len(images) + sum(left_out.values())
        self.contents.left_out = +left_out
        if not images:
            listed = ", ".join(f"{kind} {n:,}" for kind, n in (+left_out).most_common(8))
            there = f"It holds, by ending: {listed}." if listed else "It is empty."
            raise ValueError(
                f"There are no pictures in {str(self.path)!r}. {there} Pictures end in "
                f"{', '.join(SUFFIXES)}; sub-folders are searched."
            )
        others = {kind: n for kind, n in left_out.items() if kind in OTHER_IMAGES}
        if others:
            listed = ", ".join(f"{n:,} of {kind}" for kind, n in others.items())
            self.warnings.append(
                f"Images of kinds that are not read are left out of {str(self.path)!r}: {listed}. "
                "Convert them, for example to PNG."
            )
        return images, folders

    def _is_image(self, name):
        """Whether a file without an ending is an image, by how it begins."""
        try:  # TGA files begin with nothing that tells them
            with self.files.open(name) as file:
                Image.open(file, formats=[f for f in FORMATS if f != "TGA"]).close()
        except Exception:  # a file may be wrong in any way
            return False
        return True

    def _take_split(self, names, split):
        """The names in `split`, or all where it is None; and, of the names in all splits, the
        folders below the split's."""
        if split is None:
            return names, {}
        parts = functools.cache(lambda folder: pathlib.PurePosixPath(folder).parts)  # one for all
        folders = {n: parts(n.rpartition("/")[0]) for n in names}
        depth = _depth_of_splits(folders.values())
        if depth is None:
            if split != "train":
                raise ValueError(
                    f"{str(self.path)!r} has no split {split!r}: without sub-folders 'train' and "
                    "'test' beside each other, all of it is 'train'."
                )
            return names, folders
        where = {n: f[depth].lower() if len(f) > depth else "" for n, f in folders.items()}
        wanted = SPLITS.get(_SPLIT_OF.get(split, split), (split.lower(),))
        taken = [n for n, folder in where.items() if folder in wanted]
        if not taken:
            there = {_SPLIT_OF.get(folder, folder) for folder in where.values()} - {""}
            raise checks.unknown(f"split of {str(self.path)!r}", split, there)
        counts = collections.Counter(where.values())
        outside = {k: n for k, n in counts.items() if k not in _SPLIT_OF and k not in wanted}
        if outside:
            listed = ", ".join(f"{n:,} in {k or 'no folder'}" for k, n in sorted(outside.items()))
            splits = ", ".join(sorted(counts.keys() - outside.keys()))
            self.warnings.append(
                f"{str(self.path)!r} has the splits {splits}. Images that are in none of them are "
                f"left out: {listed}. Pass `split='…'` with a folder's name to take that one."
            )
        for folder, n in counts.items():
            name = folder if folder in outside else _SPLIT_OF.get(folder, folder)
            self.contents.in_splits[name or "loose"] = (
                self.contents.in_splits.get(name or "loose", 0) + n
            )
        self.contents.split = _SPLIT_OF.get(split, split)
        below = functools.cache(lambda folder: folder[:depth] + folder[depth + 1 :])
        kept = {n for n, folder in where.items() if folder in _SPLIT_OF or folder in wanted}
        return taken, {n: below(f) for n, f in folders.items() if n in kept}

    def _look(self, image_size, channels):
        """Size, channels and depths, from the headers of all files."""
        sizes, grey = collections.Counter(), True
        by_depth = collections.defaultdict(list)
        for name in self.names:
            with self._open(name) as picture:
                sizes[picture.size if _is_turned(picture) else picture.size[::-1]] += 1
                grey = grey and picture.mode in _GREY
                by_depth[levels.depth_of(picture)].append(name)
                self.contents.animations += _is_animated(picture)
        if image_size is None and len(sizes) > 1:
            (height, width), count = sizes.most_common(1)[0]
            raise ValueError(
                f"The pictures in {str(self.path)!r} have {len(sizes)} different sizes (the most "
                f"frequent is {height}×{width}, {count} of {len(self.names)}). Pass "
                "`image_size`, for example 64."
            )
        self.size = image_size or next(iter(sizes))
        self.channels = channels or (1 if grey else 3)
        self.by_depth = by_depth
        self.contents.sizes = len(sizes)

    def choose_ranges(self, value_range):
        """Choose the values that become 0 and 255, by depth, once for all files, before any is
        read."""
        kept = set(self.names)
        by_depth = {k: [n for n in names if n in kept] for k, names in self.by_depth.items()}
        by_depth = {depth: names for depth, names in by_depth.items() if names}
        self.ranges = {depth: value_range or levels.WHOLE["8 bits"] for depth in by_depth}
        described = []
        for depth, names in sorted(by_depth.items()):
            if depth == "8 bits" or value_range is not None:
                described.append(depth)
                continue
            # Where the depth says what white is, only a warning depends on the values.
            low, high, holes = self._limits(_spread(names) if depth in levels.WHOLE else names)
            self.ranges[depth], doubt = levels.decide(depth, low, high)
            described.append(f"{depth} {range_of(low, high)}" if depth == "floats" else depth)
            if doubt is not None:
                self.warnings.append(f"{str(self.path)!r}: {doubt}. {levels.mend(low, high)}")
            if holes:
                self.warnings.append(
                    f"{holes:,} files of {str(self.path)!r} hold NaN, which becomes black, or "
                    "infinity."
                )
        self.contents.levels = " and ".join(described)
        if value_range is not None:
            self.contents.levels += f", of which {range_of(*value_range)} becomes 0 to 255"

    def _limits(self, names):
        """Smallest and largest value in some files, and how many of them hold NaN or infinity."""

        def look(name):
            with self._loaded(name) as picture:
                values = levels.values_of(picture)
            return levels.limits(values) or (0.0, 0.0), not np.isfinite(values).all()

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(look, names))
        lows, highs = zip(*(limits for limits, _ in found))
        return min(lows), max(highs), sum(holes for _, holes in found)

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
            self.contents.left_out["damaged"] = len(damaged)
            listed = ", ".join(damaged[:5]) + (", …" if len(damaged) > 5 else "")
            if not len(self.names):
                raise ValueError(f"All pictures in {str(self.path)!r} are damaged: {listed}")
            self.warnings.append(
                f"{len(damaged)} damaged pictures in {str(self.path)!r} are left out: {listed}"
            )

    def _warn_of_empty_classes(self, empty, folders):
        """Warn of folders beside those of the classes in which there is no image."""
        beside = {}
        for name in self.names:
            parts = pathlib.PurePosixPath(name).parts[:-1]
            below = folders[name]
            place = len(parts) - len(below) + _shared(folders.values())
            beside.setdefault(parts[:place], set()).add(parts[place : place + 1])
        hollow = sorted(
            {
                parts[-1]
                for parts in (pathlib.PurePosixPath(name).parts for name in empty)
                if parts[:-1] in beside
                and parts[-1] not in self.class_names
                and parts[-1].lower() not in _SPLIT_OF
            }
        )
        if hollow:
            self.warnings.append(
                f"Folders of {str(self.path)!r} without an image are no classes: "
                f"{', '.join(hollow)}."
            )


def to_array(picture, size, channels, ranges=None):
    """A loaded PIL picture as `(height, width, channels)` uint8.

    `ranges`: by depth, the values that become 0 and 255; None: decided by this picture alone.
    """
    depth = levels.depth_of(picture)
    ImageOps.exif_transpose(picture, in_place=True)
    if depth != "8 bits":
        values = levels.values_of(picture)
        found = levels.limits(values) or (0.0, 0.0)
        wanted = levels.decide(depth, *found)[0] if ranges is None else ranges[depth]
        picture = Image.fromarray(levels.rescaled(values, wanted))
    transparent = "A" in picture.mode or "a" in picture.mode or "transparency" in picture.info
    if channels == 4:
        picture = picture.convert("RGBA")
    elif transparent:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    picture = picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    wanted = (ranges or levels.WHOLE).get("8 bits")
    if depth == "8 bits" and wanted != levels.WHOLE["8 bits"]:
        values = levels.rescaled(np.arange(256), wanted).tolist()
        transparency = list(range(256)) if channels == 4 else []
        picture = picture.point(values * min(channels, 3) + transparency)
    if picture.size != size[::-1]:
        picture = ImageOps.fit(picture, size[::-1], Image.Resampling.BICUBIC)
    array = np.asarray(picture)
    return array[..., None] if channels == 1 else array


def _spread(names):
    """At most `LOOKED_AT` of them, evenly spread."""
    return names[:: math.ceil(len(names) / LOOKED_AT)]


def _place(path, name):
    return f"{path}/{name}"  # below the path, whatever a zip calls its members


def _reason(error):
    if isinstance(error, UnidentifiedImageError):
        return "it is of no kind that is known"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _is_turned(picture):
    """Whether EXIF says that an opened picture, not yet loaded, lies on its side."""
    if picture.format == "TIFF":  # whose size Pillow has turned already
        return False
    if picture.format == "PNG" and "exif" not in picture.info:  # `getexif` would load all of it
        return False
    return picture.getexif().get(0x0112, 1) >= 5


def _is_animated(picture):
    """Whether an opened picture has more than one frame or page."""
    try:  # which is looked for further on in the file, where it may be damaged
        return picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
    except Exception:
        return False


def _depth_of_splits(folders):
    """How many folders down the splits begin, or None where there are none.

    Sub-folders are splits where all images lie in folders called so, or where 'train' has 'test'
    or 'validation' beside it: then they are not classes, one of which may well be called 'train'.
    """
    folders = set(folders)
    shared = len(os.path.commonprefix(list(folders)))
    for depth in range(max(map(len, folders))):
        found = {f[depth].lower() if len(f) > depth else "" for f in folders}
        known = {_SPLIT_OF[folder] for folder in found if folder in _SPLIT_OF}
        pair = depth <= shared and "train" in known and len(known) > 1
        if found <= _SPLIT_OF.keys() or pair:
            return depth
    return None


def _shared(folders):
    """How many folders down classes begin: where they differ, or the last one if none does."""
    folders = list(folders)
    shared = len(os.path.commonprefix(folders))
    return shared - 1 if shared and all(len(f) == shared for f in folders) else shared


def _classes(names, folders, path, order):
    """Class names (first differing folder, over all splits) and each picture's class number."""
    shared = _shared(folders.values())
    loose = [n for n in names if len(folders[n]) == shared]
    if loose:
        raise ValueError(
            f"`labels=True` takes sub-folders as classes, but {_place(path, loose[0])!r} and "
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


class _Folder:
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
