"""Folders and zips of images, nested and of mixed sizes and kinds."""

import collections
import concurrent.futures
import contextlib
import os

import numpy as np
from PIL import Image

from ganzoo.datasets import classes
from ganzoo.datasets import decoding
from ganzoo.datasets import levels
from ganzoo.datasets import listing
from ganzoo.datasets import splits
from ganzoo.datasets.contents import Contents
from ganzoo.datasets.contents import count_classes
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.folders import Folder
from ganzoo.datasets.folders import Zip

OWN_SIZES = (None, None)
"""In place of a size: each image keeps its own."""


class ImageFolder:
    """A source that reads images from a folder or a zip.

    `contents` says what it holds; `warnings` lists what may be a mistake. If `image_size` is
    `OWN_SIZES`, images stay as large as they are, and are read one at a time.
    """

    def __init__(self, path, split, image_size, labels, channels, on_error, class_names=None):
        self.path = path
        self.warnings = []
        self.files = Zip(path) if path.is_file() else Folder(path, on_error)
        self.contents = Contents(path, split)
        files = self._list_files()
        self._folders = folders = self._take_split(files.images, split)
        if on_error == "skip":
            self._skip_damaged()
        self._read_headers(image_size, channels)
        self.class_names = self.targets = None
        self.specs = (((*(self.size or OWN_SIZES), self.channels), "uint8"),)
        if labels:
            self._label(files, folders, class_names)
            self.specs += (((), "int32"),)

    def __len__(self):
        return len(self.names)

    def keep(self, names):
        """Keep only the images of these names, in this order, in a source without labels."""
        left = len(self.names) - len(names)
        if left:
            self.contents.left_out["without a partner"] = left
        self.names = list(names)

    def read(self, indices):
        images = np.stack([self._decode(self.names[i]) for i in indices])
        return (images,) if self.targets is None else (images, self.targets[indices])

    @contextlib.contextmanager
    def _open(self, name):
        """The opened image; errors of reading it are raised as one that names the file."""
        try:
            with self.files.open(name) as file, Image.open(file, formats=decoding.FORMATS) as image:
                width, height = image.size
                if width * height > decoding.MOST_PIXELS:
                    raise ValueError(
                        f"it has {width}×{height} pixels, more than {decoding.MOST_PIXELS:,}"
                    )
                yield image
        except Exception as error:  # Pillow and zipfile raise many kinds at damaged files
            raise ValueError(
                f"{decoding.place_of(self.path, name)!r} cannot be read as an image "
                f"({decoding.reason(error)}). Mend or remove it, or pass `on_error='skip'` "
                "(--skip-damaged) to go on without such files."
            ) from None

    @contextlib.contextmanager
    def _loaded(self, name, size=None):
        """The decoded image."""
        with self._open(name) as image:
            if size is not None and image.format == "JPEG":  # smaller; EXIF may still turn it
                image.draft(None, (max(size), max(size)))
            large = image.width * image.height > decoding.MOST_PIXELS // 8
            with decoding.ALONE if large else contextlib.nullcontext():
                image.load()
                yield image

    def _decode(self, name):
        with self._loaded(name, self.size) as image:
            return decoding.to_array(image, self.size, self.channels, self.ranges)

    # The files ---------------------------------------------------------------------------------

    def _list_files(self):
        """The files by kind. Those left out are recorded, with a warning if they are images."""
        files = listing.list_files(self.files)
        self.contents.files = files.files
        self.contents.left_out = files.left_out
        if not files.images:
            kinds = ", ".join(f"{kind} {n:,}" for kind, n in files.left_out.most_common(8))
            there = f"It holds, by ending: {kinds}." if kinds else "It is empty."
            raise ValueError(
                f"There are no images in {str(self.path)!r}. {there} Images end in "
                f"{', '.join(decoding.SUFFIXES)}; sub-folders are searched."
            )
        others = {k: n for k, n in files.left_out.items() if k in decoding.OTHER_IMAGES}
        if others:
            listed = ", ".join(f"{n:,} of {kind}" for kind, n in others.items())
            self.warnings.append(
                f"Images of kinds that are not read are left out of {str(self.path)!r}: {listed}. "
                "Convert them, for example to PNG."
            )
        return files

    def _take_split(self, names, split):
        """Choose the images of the split. Returns each image's folders below that of the split."""
        taken = splits.take(names, split, self.path)
        self.names = sorted(taken.images)
        self.contents.split = taken.name
        self.contents.in_splits = taken.counts
        if taken.outside:
            outside = sorted(taken.outside.items())
            listed = ", ".join(f"{n:,} in {folder or 'no folder'}" for folder, n in outside)
            self.warnings.append(
                f"{str(self.path)!r} has the splits {', '.join(taken.split_folders)}. Images that "
                f"are in none of them are left out: {listed}. Pass `split='…'` with a folder's "
                "name to take that one."
            )
        return taken.folders

    def _skip_damaged(self):
        damaged = []
        for name in self.names:
            try:
                with self._open(name) as image:
                    image.load()
            except ValueError:
                damaged.append(name)
        if damaged:
            self.names = sorted(set(self.names).difference(damaged))
            self.contents.left_out["damaged"] = len(damaged)
            listed = ", ".join(damaged[:5]) + (", …" if len(damaged) > 5 else "")
            if not len(self.names):
                raise ValueError(f"All images in {str(self.path)!r} are damaged: {listed}")
            self.warnings.append(
                f"{len(damaged)} damaged images in {str(self.path)!r} are left out: {listed}"
            )

    def _read_headers(self, image_size, channels):
        """Size, channels and depths, from the headers of all files."""
        self.sizes = sizes = collections.Counter()
        self.by_depth = collections.defaultdict(list)
        self.transparent, grey = 0, True
        for name in self.names:
            with self._open(name) as image:
                sizes[image.size if decoding.is_turned(image) else image.size[::-1]] += 1
                grey = grey and image.mode in decoding.GREY
                self.by_depth[levels.depth_of(image)].append(name)
                self.transparent += decoding.is_transparent(image)
                self.contents.animations += decoding.is_animated(image)
        if image_size is None and len(sizes) > 1:
            (height, width), count = sizes.most_common(1)[0]
            raise ValueError(
                f"The images in {str(self.path)!r} have {len(sizes)} different sizes (the most "
                f"frequent is {height}×{width}, {count} of {len(self.names)}). Pass "
                "`image_size`, for example 64."
            )
        self.size = None if image_size == OWN_SIZES else image_size or next(iter(sizes))
        self.channels = channels or (1 if grey else 3)
        self.contents.sizes = len(sizes)
        self.contents.original = next(iter(sizes)) if len(sizes) == 1 else None
        self.contents.transparent = self.transparent if self.channels < 4 else 0

    def count_classes(self):
        """Number of images by class; None if the sub-folders are no classes."""
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
                f"Folders of {str(self.path)!r} without an image are no classes: "
                f"{', '.join(without)}."
            )

    # The range of values ---------------------------------------------------------------------

    def choose_ranges(self, value_range):
        """Choose the values that become 0 and 255 by depth, once for all files, before reading."""
        kept = set(self.names)
        by_depth = {k: [n for n in names if n in kept] for k, names in self.by_depth.items()}
        self.ranges, described = {}, []
        for depth, names in sorted(by_depth.items()):
            if not names:
                continue
            described.append(depth)
            if depth == "8 bits" or value_range is not None:
                self.ranges[depth] = value_range or levels.WHOLE["8 bits"]
            else:
                self.ranges[depth], limits = self._range_of(depth, names)
                described[-1] += f" {range_of(*limits)}" if depth == "floats" else ""
        self.contents.levels = " and ".join(described)
        if value_range is not None:
            self.contents.levels += f", of which {range_of(*value_range)} becomes 0 to 255"

    def _range_of(self, depth, names):
        """The values that become 0 and 255 in files of a depth, and the limits of theirs."""
        # If the depth defines white, only a warning depends on the values.
        looked_at = decoding.spread(names) if depth in levels.WHOLE else names
        low, high, holes = self._limits(looked_at)
        chosen, doubt = levels.decide(depth, low, high)
        if doubt is not None:
            self.warnings.append(f"{str(self.path)!r}: {doubt}. {levels.mend(low, high)}")
        if holes:
            self.warnings.append(
                f"{holes:,} files of {str(self.path)!r} hold NaN, which becomes black, or infinity."
            )
        return chosen, (low, high)

    def _limits(self, names):
        """Smallest and largest value in some files, and how many of them hold NaN or infinity."""

        def look(name):
            with self._loaded(name) as image:
                values = levels.values_of(image)
            return levels.limits(values) or (0.0, 0.0), not np.isfinite(values).all()

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            limits, holes = zip(*pool.map(look, names))
        lows, highs = zip(*limits)
        return min(lows), max(highs), sum(holes)
