"""Images to begin with, on the page of a model that takes images."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from PIL import ImageColor
from PIL import ImageDraw
from PIL import ImageOps

from ganzoo import images
from ganzoo import modalities
from ganzoo import types
from ganzoo.datasets import decoding
from ganzoo.datasets import image_files

MOST = 8
"""Most images that a page offers."""
SIDE = 256
"""Height and width of drawings, in pixels."""


def of(path: types.Path | None, shape: types.Shape, value_range: Any = None) -> list[str]:
    """Images for a page, as addresses that contain them.

    Args:
        path: as `ganzoo.datasets.image_files.open_images` takes it: the first `MOST` images there;
            None: simple drawings. Never the images of a training, which may be private.
        shape: `(height, width, channels)` of the images that the model takes.
        value_range: the values that become 0 and 255.

    Returns:
        A list of `data:` addresses of PNG images.
    """
    if path is None:
        size, channels = (shape[0], shape[1]), shape[2]
        if channels == 2:  # grey and transparent: no file is read so
            return []
        whole = [ImageOps.pad(drawing, size[::-1], color="white") for drawing in drawings()]
        found = np.stack([decoding.to_array(drawing, size, channels) for drawing in whole])
    else:
        found = next(image_files.open_images(path, shape, value_range=value_range).batches(MOST))
        found = found if found.dtype == np.uint8 else modalities.Images().from_network(found)
    return [address(image) for image in found]


def drawings() -> list[Image.Image]:
    """An apple, an orange, a lemon, a face and a heart, on white."""
    fruits = [_ball("#d62f2f", stem=True), _ball("#f08a1d"), _ball("#e9c51f", flat=0.75)]
    return [*fruits, _face(), _heart()]


def _sheet():
    sheet = Image.new("RGB", (SIDE, SIDE), "white")
    return sheet, ImageDraw.Draw(sheet)


def _ball(colour, stem=False, flat=1.0):
    """A ball with a light from above on the left, brighter towards it."""
    sheet, pen = _sheet()
    middle, radius = SIDE / 2, 0.38 * SIDE
    plain = np.array(ImageColor.getrgb(colour))
    for share in np.linspace(0, 1, 48, endpoint=False):
        tint = plain * (0.62 + 0.76 * share) if share < 0.5 else plain
        tint = tint + (255 - tint) * max(0.0, 1.5 * (share - 0.5))
        centre, wide = middle - 0.4 * radius * share, radius * (1 - share)
        box = (centre - wide, centre - wide * flat, centre + wide, centre + wide * flat)
        pen.ellipse(box, fill=tuple(tint.astype(int).tolist()))
    if stem:
        top = middle - radius * 0.92
        pen.line((middle, top + 16, middle + 12, top - 20), fill="#5a3a1c", width=9)
        pen.ellipse((middle + 10, top - 26, middle + 66, top + 2), fill="#4f9a3a")
    return sheet


def _face():
    sheet, pen = _sheet()
    pen.ellipse((22, 22, 234, 234), fill="#fcc21b")
    for x in (92, 164):
        pen.ellipse((x - 15, 84, x + 15, 126), fill="#5c3b12")
    pen.chord((70, 100, 186, 206), 10, 170, fill="#5c3b12")
    return sheet


def _heart():
    sheet, pen = _sheet()
    for x in (32, 122):
        pen.ellipse((x, 44, x + 102, 146), fill="#e53958")
    pen.polygon([(44, 124), (128, 80), (212, 124), (128, 226)], fill="#e53958")
    return sheet


def address(image: np.ndarray) -> str:
    """An image as a `data:` address."""
    file = io.BytesIO()
    images.grid(image[None], padding=0, least_side=1).save(file, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
