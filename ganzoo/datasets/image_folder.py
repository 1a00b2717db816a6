"""A folder or a zip of images, as a user has it: nested, of mixed sizes and kinds."""

import collections
import concurrent.futures
import contextlib
import functools
import os
import pathlib

import numpy as np
from PIL import Image

from ganzoo import validation
from ganzoo.datasets import decoding
from ganzoo.datasets import levels
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.decoding import ALONE
from ganzoo.datasets.decoding import FORMATS
from ganzoo.datasets.decoding import GREY
from ganzoo.datasets.decoding import OTHER_IMAGES
from ganzoo.datasets.decoding import SUFFIXES
from ganzoo.datasets.decoding import is_animated
from ganzoo.datasets.decoding import is_turned
from ganzoo.datasets.decoding import place_of
from ganzoo.datasets.decoding import reason
from ganzoo.datasets.decoding import spread
from ganzoo.datasets.folders import SPLIT_OF
from ganzoo.datasets.folders import SPLITS
from ganzoo.datasets.folders import SYSTEM_FOLDERS
from ganzoo.datasets.folders import Folder
from ganzoo.datasets.folders import Zip
from ganzoo.datasets.folders import classes_of
from ganzoo.datasets.folders import common_folder
from ganzoo.datasets.folders import depth_of_splits


class Pictures:
    """A source that reads images from a folder or a zip.

    `contents` says what was found, `warnings` what may not be as it was meant.
    """

    def __init__(self, path, split, image_size, labels, channels, on_error, classes=None):
        self.path = path
        self.warnings = []
        self.files = Zip(path) if path.is_file() else Folder(path, on_error)
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
            self.class_names, self.targets = classes_of(self.names, folders, path, classes)
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
                if width * height > decoding.MOST_PIXELS:
                    raise ValueError(
                        f"it has {width}×{height} pixels, more than {decoding.MOST_PIXELS:,}"
                    )
                yield picture
        except Exception as error:  # Pillow and zipfile raise many kinds at damaged files
            raise ValueError(
                f"{place_of(self.path, name)!r} cannot be read as a picture ({reason(error)}). "
                "Mend or remove it, or pass `on_error='skip'` to go on without such files."
            ) from None

    @contextlib.contextmanager
    def _loaded(self, name, size=None):
        """The decoded picture."""
        with self._open(name) as picture:
            if size is not None and picture.format == "JPEG":  # smaller; EXIF may still turn it
                picture.draft(None, (max(size), max(size)))
            large = picture.width * picture.height > decoding.MOST_PIXELS // 8
            with ALONE if large else contextlib.nullcontext():
                picture.load()
                yield picture

    def _decode(self, name):
        with self._loaded(name, self.size) as picture:
            return decoding.to_array(picture, self.size, self.channels, self.ranges)

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
        depth = depth_of_splits(folders.values())
        if depth is None:
            if split != "train":
                raise ValueError(
                    f"{str(self.path)!r} has no split {split!r}: without sub-folders 'train' and "
                    "'test' beside each other, all of it is 'train'."
                )
            return names, folders
        where = {n: f[depth].lower() if len(f) > depth else "" for n, f in folders.items()}
        wanted = SPLITS.get(SPLIT_OF.get(split, split), (split.lower(),))
        taken = [n for n, folder in where.items() if folder in wanted]
        if not taken:
            there = {SPLIT_OF.get(folder, folder) for folder in where.values()} - {""}
            raise validation.unknown(f"split of {str(self.path)!r}", split, there)
        counts = collections.Counter(where.values())
        outside = {k: n for k, n in counts.items() if k not in SPLIT_OF and k not in wanted}
        if outside:
            listed = ", ".join(f"{n:,} in {k or 'no folder'}" for k, n in sorted(outside.items()))
            splits = ", ".join(sorted(counts.keys() - outside.keys()))
            self.warnings.append(
                f"{str(self.path)!r} has the splits {splits}. Images that are in none of them are "
                f"left out: {listed}. Pass `split='…'` with a folder's name to take that one."
            )
        for folder, n in counts.items():
            name = folder if folder in outside else SPLIT_OF.get(folder, folder)
            self.contents.in_splits[name or "loose"] = (
                self.contents.in_splits.get(name or "loose", 0) + n
            )
        self.contents.split = SPLIT_OF.get(split, split)
        below = functools.cache(lambda folder: folder[:depth] + folder[depth + 1 :])
        kept = {n for n, folder in where.items() if folder in SPLIT_OF or folder in wanted}
        return taken, {n: below(f) for n, f in folders.items() if n in kept}

    def _look(self, image_size, channels):
        """Size, channels and depths, from the headers of all files."""
        sizes, grey = collections.Counter(), True
        by_depth = collections.defaultdict(list)
        for name in self.names:
            with self._open(name) as picture:
                sizes[picture.size if is_turned(picture) else picture.size[::-1]] += 1
                grey = grey and picture.mode in GREY
                by_depth[levels.depth_of(picture)].append(name)
                self.contents.animations += is_animated(picture)
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
            low, high, holes = self._limits(spread(names) if depth in levels.WHOLE else names)
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
            place = len(parts) - len(below) + common_folder(folders.values())
            beside.setdefault(parts[:place], set()).add(parts[place : place + 1])
        hollow = sorted(
            {
                parts[-1]
                for parts in (pathlib.PurePosixPath(name).parts for name in empty)
                if parts[:-1] in beside
                and parts[-1] not in self.class_names
                and parts[-1].lower() not in SPLIT_OF
            }
        )
        if hollow:
            self.warnings.append(
                f"Folders of {str(self.path)!r} without an image are no classes: "
                f"{', '.join(hollow)}."
            )
