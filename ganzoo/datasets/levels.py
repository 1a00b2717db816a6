"""From the values in image files to 0..255: one scale for a whole data set, never image by image.

Files of 8 bits are taken as they are. Files do not say what 16 bits, 32 bits and floats mean, so
all files of a data set are examined together; unusual values are reported.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.datasets.contents import range_of

Range = tuple[float, float]

WHOLE = {"8 bits": (0.0, 255.0), "16 bits": (0.0, 65535.0)}
"""The ranges of files whose depth defines them."""
DEPTHS = ("8 bits", "16 bits", "32 bits", "floats")
DARK = 1 / 8
"""A data set whose brightest value is below this share of its range is reported as dark; one of 16
bits if its values need no more than 14, as those of cameras and microscopes."""


def depth_of(image: Image.Image) -> str:
    """`"8 bits"`, `"16 bits"`, `"32 bits"` or `"floats"`, from the header of an image."""
    if image.mode.startswith("I;16") or (image.format, image.mode) == ("PPM", "I"):
        return "16 bits"
    return {"I": "32 bits", "F": "floats"}.get(image.mode, "8 bits")


def values_of(image: Image.Image) -> np.ndarray:
    """The values of a loaded image of more than 8 bits, as float32."""
    return np.array(image, "float32")


def limits(values: np.ndarray) -> Range | None:
    """Smallest and largest finite value; None without any."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def decide(depth: str, low: float, high: float) -> tuple[Range, str | None]:
    """The range that becomes 0..255, for files whose values lie in `low..high`; and a doubt about
    it, or None.

    Floats may exceed a range by a tenth of their own, which resizing causes.
    """
    if depth == "8 bits":
        return WHOLE[depth], None
    if depth == "16 bits":
        return WHOLE[depth], _dark(depth, low, high, WHOLE[depth])
    usual = [(0.0, 255.0), (0.0, 65535.0)]
    if depth == "floats":
        usual = [(0.0, 1.0), (-1.0, 1.0), *usual]
    for begin, end in usual:
        slack = (high - low) / 10 if depth == "floats" else 0
        if low >= begin - slack and high <= end + slack:
            return (begin, end), _dark(depth, low, high, (begin, end))
    guessed = (low, high) if high > low else (low, low + 1)
    return guessed, (
        f"The {depth} {range_of(low, high)} have no usual range: the smallest value becomes black, "
        "the largest white"
    )


def _dark(depth, low, high, allowed):
    begin, end = allowed
    if low == high:  # of one colour
        return None
    if depth == "16 bits":
        bits = max(1, math.ceil(math.log2(high + 1)))
        if 0 < high < 2**14:
            return (
                f"The values reach {high:g} of 65535, like {bits} bits in 16: the images are dark"
            )
    elif begin < high < begin + DARK * (end - begin):
        return f"The {depth} reach {high:g} of {end:g}: the images are nearly black"
    return None


def mend(low: float, high: float) -> str:
    """The fix to type if the chosen range is wrong."""
    if high > 255 and low >= 0:
        high = 2 ** math.ceil(math.log2(high + 1)) - 1
    return f"If white is {high:g}, pass `value_range=({min(low, 0):g}, {high:g})`."


def rescaled(values: Any, wanted: Range) -> np.ndarray:
    """Numbers as uint8: `wanted` becomes 0..255, values beyond it 0 or 255, NaN 0."""
    low, high = wanted
    scaled = np.array(values, "float32")
    scaled -= low
    scaled *= 255 / (high - low)
    np.nan_to_num(scaled, copy=False)
    return scaled.round(out=scaled).clip(0, 255, out=scaled).astype("uint8")


def look_dark(images: Iterable[np.ndarray]) -> float | None:
    """The brightest value of uint8 images that are nearly black, such as masks of 0 and 1; None if
    one is brighter, or if each has a single colour."""
    high, varied = 0, False
    for image in images:
        high = max(high, int(image.max()))
        if high >= 255 * DARK:
            return None
        varied = varied or bool(image.min() != image.max())
    return high if varied else None


def dark(high: float, source: Any) -> str:
    """The warning about images that `look_dark`."""
    kind = " They look like masks of 0 and 1." if high == 1 else ""
    return (
        f"The images of {str(source)!r} are nearly black: no value is above {high:g} of 255.{kind} "
        f"{mend(0, high)}"
    )


def check_range(wanted: Any) -> Range | None:
    """`value_range` as two floats, or None."""
    if wanted is None:
        return None
    try:
        low, high = map(float, wanted)
    except (TypeError, ValueError):
        low = high = 0.0
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            "`value_range` is (low, high): the values that become black and white, such as "
            f"(0, 4095). Received: {wanted!r}."
        )
    return low, high
