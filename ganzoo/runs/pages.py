"""Pages of HTML that need nothing else: their template, drawings and images."""

import base64
import functools
import io
import pathlib
import re
from typing import Any

import jinja2
from matplotlib.figure import Figure
from PIL import Image

from ganzoo.files import texts

FOLDER = pathlib.Path(__file__).parent
"""The folder of the templates: `page.html`, whose style and frame the others share."""
MOST = 20_000_000
"""Largest file, in bytes, of an image or animation on a page."""
LARGE, SIDE = 500_000, 1024
"""A still image of more bytes than the first is scaled down to at most the second, in pixels."""
INK, MARK, FAINT = "#1d2733", "#0b6e99", "#8a97a5"
"""Colours of drawings that follow the page, which is light or dark as its reader prefers."""
THEME = {
    INK: "var(--ink)",
    MARK: "var(--mark)",
    FAINT: "var(--faint)",
    "#000000": "currentColor",  # matplotlib's axes,
    "#ffffff": "var(--paper)",  # background,
    "#cccccc": "var(--line)",  # and frame of a legend
}
"""What becomes of these colours in a drawing on a page: variables of the style in `page.html`."""


@functools.cache
def _environment():
    return jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)


def render(template: str, **variables: Any) -> str:
    """A page.

    Args:
        template: name of a file in this folder.
        **variables: what it shows.
    """
    return _environment().get_template(template).render(**variables)


def svg(figure: Figure) -> str:
    """A matplotlib figure as an `<svg>` element, in the colours of the page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    drawing = file.getvalue()[file.getvalue().index("<svg") :]
    coloured = re.compile(r"((?:fill|stroke): )(#[0-9a-f]{6})\b")
    return coloured.sub(lambda found: found[1] + THEME.get(found[2], found[2]), drawing)


def embedded(path: pathlib.Path) -> str | None:
    """An image or WAV file as a `data:` URL; None if it is missing or too large."""
    if not path.exists() or path.stat().st_size > MOST:
        return None
    kind, content = path.suffix.removeprefix("."), path.read_bytes()
    if kind == "png" and len(content) > LARGE:
        file = io.BytesIO()
        with Image.open(path) as image:
            smaller = image.convert("RGB")
            smaller.thumbnail((SIDE, SIDE))
            smaller.save(file, "webp", quality=80)
        kind, content = "webp", file.getvalue()
    form = "audio/wav" if kind == "wav" else f"image/{kind}"
    return f"data:{form};base64,{base64.b64encode(content).decode()}"


def shown_passport(passport: dict[str, Any]) -> dict[str, Any]:
    """The passport of scores for a page: without the folders of the data."""
    data = passport.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("source"), str):
        return passport
    return {**passport, "data": {**data, "source": texts.without_folders(data["source"])}}
