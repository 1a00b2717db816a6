"""Folders and zips of images, nested and of mixed sizes and kinds."""

import collections
import concurrent.futures
import contextlib
import os

import numpy as np
from PIL import Image

from ganzoo.datasets import decoding
from ganzoo.datasets import levels
from ganzoo.datasets import listing
from ganzoo.datasets.contents import range_of
from ganzoo.datasets.media_folder import MediaFolder

OWN_SIZES = (None, None)
"""In place of a size: each image keeps its own."""


class ImageFolder(MediaFolder):
    """A source that reads images from a folder or a zip.

    `contents` says what it holds; `warnings` lists what may be a mistake. If `image_size` is
    `OWN_SIZES`, images stay as large as they are, and are read one at a time.
    """

    things = "images"
    kinds = listing.Kinds(
        "an image", decoding.SUFFIXES, decoding.OTHER_IMAGES, "PNG", decoding.is_image
    )

    def __init__(self, path, split, labels, on_error, class_names=None, *, image_size, channels):
        self._asked = image_size, channels
        super().__init__(path, split, labels, on_error, class_names)

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
            raise self.damaged(name, error) from None

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

    def _check(self, name):
        with self._open(name) as image:
            image.load()

    def _read_headers(self):
        """Size, channels and depths, from the headers of all files."""
        image_size, channels = self._asked
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
        self.specs = (((*(self.size or OWN_SIZES), self.channels), "uint8"),)

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
