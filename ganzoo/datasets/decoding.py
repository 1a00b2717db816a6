"""Image files decoded to arrays."""

import math
import threading

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import UnidentifiedImageError

from ganzoo.datasets import levels

SUFFIXES = (
    ".apng .avif .bmp .gif .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .pbm .pfm .pgm "
    ".png .pnm .ppm .tga .tif .tiff .webp"
).split()
"""Files with these endings are images. A file without an ending is one if its content is."""
FORMATS = "AVIF BMP GIF JPEG JPEG2000 PNG PPM TIFF WEBP TGA".split()
"""Formats that are read, whatever a file's ending; Pillow has others, some run programs."""
OTHER_IMAGES = set(
    ".arw .cr2 .cr3 .cur .dcm .dds .dng .eps .exr .fit .fits .hdr .heic .heif .icns .ico .jxl .nef "
    ".nii .orf .pcx .pdf .psd .qoi .raf .raw .rw2 .sgi .svg .svgz .xcf".split()
)
"""Endings of images that are not read. They are reported, since few users leave them out on
purpose."""
MOST_PIXELS = 1 << 26
"""Most pixels of an image, 8192×8192; larger ones are refused before memory is allocated."""
LOOKED_AT = 1000
"""Most files, evenly spaced, whose values are read where only a warning depends on them."""
ALONE = threading.Lock()  # large images are decoded one at a time, not one on each core
GREY = {"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


def to_array(image, size, channels, ranges=None):
    """A loaded PIL image as `(height, width, channels)` uint8.

    `size`: `(height, width)`; None: its own. `ranges`: the values that become 0 and 255, by depth;
    None: decided by this image alone.
    """
    depth = levels.depth_of(image)
    ImageOps.exif_transpose(image, in_place=True)
    if depth != "8 bits":
        values = levels.values_of(image)
        limits = levels.limits(values) or (0.0, 0.0)
        wanted = levels.decide(depth, *limits)[0] if ranges is None else ranges[depth]
        image = Image.fromarray(levels.rescaled(values, wanted))
    if channels == 4:
        image = image.convert("RGBA")
    elif is_transparent(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    wanted = (ranges or levels.WHOLE).get("8 bits")
    if depth == "8 bits" and wanted != levels.WHOLE["8 bits"]:
        values = levels.rescaled(np.arange(256), wanted).tolist()
        transparency = list(range(256)) if channels == 4 else []
        image = image.point(values * min(channels, 3) + transparency)
    if size is not None and image.size != size[::-1]:
        image = ImageOps.fit(image, size[::-1], Image.Resampling.BICUBIC)
    array = np.asarray(image)
    return array[..., None] if channels == 1 else array


def is_image(file):
    """Whether an opened file is an image, by its first bytes."""
    # TGA files have no signature.
    Image.open(file, formats=[f for f in FORMATS if f != "TGA"]).close()
    return True


def is_transparent(image):
    """Whether an image has transparency."""
    return "A" in image.mode or "a" in image.mode or "transparency" in image.info


def spread(names):
    """At most `LOOKED_AT` of the names, evenly spaced."""
    return names[:: math.ceil(len(names) / LOOKED_AT)]


def place_of(path, name):
    return f"{path}/{name}"  # inside the path, whatever the names of a zip's members


def reason(error):
    if isinstance(error, UnidentifiedImageError):
        return "its format is unknown"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def is_turned(image):
    """Whether EXIF says that an opened image, not yet loaded, lies on its side."""
    if image.format == "TIFF":  # whose size Pillow has turned already
        return False
    if image.format == "PNG" and "exif" not in image.info:  # `getexif` would load all of it
        return False
    return image.getexif().get(0x0112, 1) >= 5


def is_animated(image):
    """Whether an opened image has more than one frame or page."""
    try:  # Pillow looks for frames further on in the file, which may be damaged there
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:
        return False
