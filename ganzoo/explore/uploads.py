"""Images that visitors upload, within limits."""

import io
import warnings

import numpy as np
from PIL import Image
from PIL import UnidentifiedImageError

from ganzoo import types
from ganzoo.datasets import decoding

MOST_PIXELS = 16_000_000
"""Largest uploaded image, in pixels: a file may declare any number."""
MOST_BYTES = 20_000_000
"""Largest uploaded file, in bytes."""
MOST_SIDE = 512
"""Height and width, at most, of an image to enlarge."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats of uploaded images. Pillow reads more, and starts other programs for some of them."""


def read_picture(
    file: types.Path | io.BytesIO, size: tuple[int, int] | None, channels: int
) -> np.ndarray:
    """An image file of any mode and size as `(height, width, channels)` uint8.

    Args:
        file: a path, or the content of a file, which then never touches the disk.
        size: height and width; None: its own, at most `MOST_SIDE`.
        channels: 1, 3 or 4.

    Raises:
        ValueError: it is not an image, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(
                        f"it has {image.width}×{image.height} pixels, more than "
                        f"{MOST_PIXELS // 1_000_000} million"
                    )
                image.load()
                if size is None:
                    image.thumbnail((MOST_SIDE, MOST_SIDE))
                return decoding.to_array(image, size, channels)
    except Exception as error:  # Pillow raises many kinds of errors for damaged files
        unknown = isinstance(error, UnidentifiedImageError)  # its message contains the path
        reason = "unknown format" if unknown else str(error) or type(error).__name__
        raise ValueError(f"This image cannot be used ({reason}). Use a PNG or JPEG file.") from None
