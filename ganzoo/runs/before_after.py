"""The before-and-after sheet of a run that began with trained weights."""

import math
from typing import Any

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from ganzoo import callbacks
from ganzoo.files import atomic
from ganzoo.files.run_folder import RunFolder
from ganzoo.modalities import kind_of

GAP = 16
"""Pixels between the parts of the sheet."""
TITLE = 20
"""Height of the letters of their titles, in pixels."""


def show_change(run: RunFolder, ds: Any, n: int) -> None:
    """Write the first and the last grid of samples, which are from the same latents, next to real
    images.

    Args:
        run: a run folder. Nothing is written unless it has grids from before and after training.
        ds: its data set; for two domains, images of the second one are shown.
        n: number of images in a grid.
    """
    grids = run.samples.by_epoch()
    last = max(grids, default=0)
    if not last or 0 not in grids:
        return
    parts: dict[str, Image.Image] = {
        "before": Image.open(grids[0]),
        f"after, epoch {last}": Image.open(grids[last]),
    }
    second = isinstance(ds.contents, (list, tuple))  # of two domains
    real = callbacks.first_examples(ds, n)[1 if second else 0]
    kind = kind_of(real.shape[1:]).adapt(getattr(ds, "description", None) or {})
    parts[f"real {kind.name}"] = kind.preview(real, math.ceil(math.sqrt(n)))
    with atomic.replacing(run.change) as path:
        sheet({title: part.convert("RGB") for title, part in parts.items()}).save(path)


def sheet(parts: dict[str, Image.Image]) -> Image.Image:
    """Images in a row, each below its title."""
    top = 2 * TITLE
    width = sum(part.width for part in parts.values()) + GAP * (len(parts) - 1)
    canvas = Image.new("RGB", (width, top + max(p.height for p in parts.values())), "white")
    drawing, font, left = ImageDraw.Draw(canvas), ImageFont.load_default(TITLE), 0
    for title, part in parts.items():
        drawing.text((left + 2, TITLE // 2), title, "black", font)
        canvas.paste(part, (left, top))
        left += part.width + GAP
    return canvas
