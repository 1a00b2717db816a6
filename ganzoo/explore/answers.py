"""The page's requests: from the fields of a JSON object to what the page shows."""

import base64
import inspect
import io
from typing import Any

import numpy as np
from PIL import Image

from ganzoo import validation
from ganzoo.explore import cards
from ganzoo.explore import points
from ganzoo.explore.explorer import Explorer
from ganzoo.explore.explorer import Passage
from ganzoo.explore.models import THROUGH
from ganzoo.explore.points import Point

VARIETY = 0.9
"""Variety of the first wall. Less loses detail in most of the shipped weights."""


class Answers:
    """What the page asks for, by the name of the request. Images are `data:` addresses.

    A request is a method of this class with keyword arguments only, which are its fields. Methods
    raise `ValueError` or `TypeError`, with a message for the visitor, for fields that make no
    sense. Nothing of a visitor is remembered between requests.

    Args:
        explorer: gives the images.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer

    def __call__(self, what: str, fields: Any) -> Any:
        """The answer to a request: what JSON can hold, or the content of a file.

        Raises:
            ValueError, TypeError: there is no such request, or its fields are wrong.
        """
        if what not in REQUESTS:
            raise validation.unknown("request", what, REQUESTS)
        if not isinstance(fields, dict):
            raise TypeError("A request must be a JSON object.")
        method = getattr(self, what)
        known = inspect.signature(method).parameters
        for name in fields:
            if name not in known:
                raise validation.unknown(f"field of {what}", name, known)
        needed = [name for name, field in known.items() if field.default is field.empty]
        missing = [name for name in needed if name not in fields]
        if missing:
            raise ValueError(f"{what} needs {', '.join(missing)}.")
        entries = self.explorer.models.entries
        if "model" in fields and str(fields["model"]) not in entries:
            raise validation.unknown("model", fields["model"], entries)
        return method(**fields)

    def models(self):
        """The models to choose from."""
        entries = self.explorer.models.entries
        return [cards.line(title, entry) for title, entry in entries.items()]

    def open(self, *, model):
        """What a model can do, and what its controls offer."""
        models = self.explorer.models
        can = [what for what in ("generate", *THROUGH, "reverse") if models.can(model, what)]
        return {
            "can": can,
            "classes": models.classes(model),
            "domains": models.domains(model),
            "wants": models.wants(model),
            "variety": VARIETY,
            "methods": list(points.METHODS),
            "sliders": points.SLIDERS,
        }

    def thumbnail(self, *, model):
        """Small images of what a model makes."""
        return {"images": [address(x) for x in self.explorer.thumbnail(model)]}

    def card(self, *, model):
        """Scores, data, licence and training of a model."""
        return cards.card(model, self.explorer.models.entries[model])

    def wall(self, *, model, page=0, variety=1.0, label=None, count=None):
        """A wall of samples."""
        Point.of({"seed": page, "variety": variety, "label": label})
        chosen = self.explorer.wall(model, page, variety, label)
        chosen = chosen if count is None else chosen[: validation.integer("count", count)]
        return {"items": self._items(model, chosen)}

    def image(self, *, model, point):
        """One image, and its sound if it has one."""
        sound = self.explorer.sound(model, Point.of(point))
        return {
            "image": address(self.explorer.picture(model, Point.of(point))),
            "sound": sound and f"data:audio/wav;base64,{base64.b64encode(sound).decode()}",
        }

    def strips(self, *, model, point, method, first=0):
        """Sliders, each with images of what it changes."""
        found = self.explorer.strips(model, Point.of(point), method, first)
        return {
            "count": len(self.explorer.ways(model, method)),
            "strips": [
                {
                    "number": strip.number,
                    "name": strip.way.name,
                    "choice": bool(strip.way.words),
                    "stops": strip.stops,
                    "words": [strip.way.words[int(x)] for x in strip.stops if strip.way.words],
                    "at": strip.at,
                    "images": [address(x) for x in strip.pictures],
                }
                for strip in found
            ],
        }

    def walk(self, *, model, start, end):
        """The images from one point to another."""
        chosen = self.explorer.walk(model, Point.of(start), Point.of(end))
        return {"items": self._items(model, chosen)}

    def film(self, *, model, start, end):
        """The same as a GIF file."""
        chosen = self.explorer.walk(model, Point.of(start), Point.of(end))
        return self.explorer.film(model, chosen)

    def arithmetic(self, *, model, base, groups=None):
        """Means of groups of seeds, and their sum. Without groups, some whose result is easy to
        see."""
        base = Point.of(base)
        if groups is None:
            groups = self.explorer.groups(model, base)
        elif not isinstance(groups, list):
            raise TypeError("`groups` must be a list of three lists of seeds.")
        members, results = self.explorer.arithmetic(model, groups, base)
        shown = [self._items(model, group[:MOST_SHOWN]) for group in members]
        return {"groups": groups, "members": shown, "results": self._items(model, results)}

    def example(self, *, model, what, seed=0, reverse=False, apply=True):
        """An image that the package makes, and what a model makes of it; or the image alone, which
        is there at once."""
        validation.integer("seed", seed, least=0)
        image, maker = self.explorer.example(model, what, seed, bool(reverse))
        found = {"taken": address(image)}
        if apply:
            found = _passage(self.explorer.through(model, what, image, bool(reverse)))
        return {"maker": maker, **found}

    def through(self, *, model, what, content, reverse=False):
        """What a model makes of an uploaded file."""
        image = self.explorer.read(model, what, content)
        return _passage(self.explorer.through(model, what, image, bool(reverse)))

    def bundle(self, *, model, point):
        """A zip of an image, its latents and code."""
        return self.explorer.bundle(model, Point.of(point))

    def _items(self, model, chosen):
        """Points and their images."""
        images = self.explorer.pictures(model, chosen)
        return [{"point": _fields(p), "image": address(x)} for p, x in zip(chosen, images)]


MOST_SHOWN = 12
"""Most members of a group that are shown; its mean is of all."""
REQUESTS = tuple(name for name in vars(Answers) if not name.startswith("_"))
"""The requests by name."""


def address(image: np.ndarray) -> str:
    """`(height, width, channels)` uint8 as the `data:` address of a PNG file.

    >>> address(np.zeros((8, 8, 1), "uint8"))[:22]
    'data:image/png;base64,'
    """
    content = io.BytesIO()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[image.shape[2]]
    plain = image[..., 0] if image.shape[2] == 1 else image
    # Compressing well would take as long as making a small image.
    Image.fromarray(np.ascontiguousarray(plain), mode).save(content, "png", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def _fields(point):
    """A point as JSON holds it: what `Point.of` takes."""
    latents = None if point.latents is None else np.asarray(point.latents).tolist()
    return {
        "seed": point.seed,
        "latents": latents,
        "variety": point.variety,
        "label": point.label,
        "moves": [list(move) for move in point.moves],
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "taken": address(passage.taken),
        "made": address(passage.made),
        "point": passage.point and _fields(passage.point),
        "error": passage.error,
    }
