"""The models of `ganzoo explore`, without the page."""

import dataclasses
import functools
import io
import pathlib
import re
import threading
import typing
import warnings
import zipfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image
from PIL import UnidentifiedImageError

from ganzoo import images
from ganzoo import latent
from ganzoo import types
from ganzoo import validation
from ganzoo.datasets import decoding
from ganzoo.files import texts
from ganzoo.game import Game
from ganzoo.zoo import catalogue

SLIDERS = 8
"""Number of sliders on the page, for as many latents or directions at a time."""
METHODS = {"single latents": None, "GANSpace": "ganspace", "SeFa": "sefa"}
"""Methods that give the sliders' directions, by their names on the page."""
MOST_PIXELS = 16_000_000
"""Largest uploaded image, in pixels: a file may declare any number."""
MOST_BYTES = 20_000_000
"""Largest uploaded file, in bytes."""
MOST_SIDE = 512
"""Height and width, at most, of an image to enlarge."""
THROUGH = ("translate", "upscale", "reconstruct")
"""What models do with an image, in the order of the tabs."""
MOST_SEEDS = 1000
"""Most seeds in a group to average."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats of uploaded images. Pillow reads more, and starts other programs for some of them."""
PLAIN = {"padding": 0, "least_side": 1}
"""Arguments with which a grid of one image is the image itself."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model on the page."""

    open: typing.Callable
    """Function that loads the model, called when it is first chosen."""
    code: str
    """The Python expression that loads it."""


class Explorer:
    """The outputs that the page shows, without the page.

    Args:
        entries: `{title: Entry}`.
        kept: number of models to keep in memory.

    Example:

    >>> import ganzoo
    >>> make = lambda: ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), seed=0)
    >>> explorer = Explorer({"mine": Entry(make, "ganzoo.get('dcgan', …)")})
    >>> point = explorer.point("mine", seed=3, method="SeFa", amounts=[2.0, -1.0])
    >>> explorer.picture("mine", point).shape
    (8, 8, 1)
    """

    def __init__(self, entries: dict[str, Entry], kept: int = 4) -> None:
        if not entries:
            raise ValueError("There is no model to explore: name a run folder or weights.")
        self.entries = dict(entries)
        self._models = functools.lru_cache(kept)(lambda title: self.entries[title].open())
        self._cached_ways = functools.lru_cache(64)(self._find_ways)
        self._lock = threading.RLock()  # the page's requests come in threads

    def model(self, title: str) -> Game:
        """The model with this title."""
        with self._lock:
            return self._models(title)

    def can(self, title: str, what: str) -> bool:
        """Whether a model can `"generate"`, do one of `THROUGH`, or translate in `"reverse"`."""
        model = self.model(title)
        if what != "reverse":
            return hasattr(model, what)
        try:
            model.translator(True)
        except (AttributeError, ValueError):  # it does not translate, or not in reverse
            return False
        return True

    def classes(self, title: str) -> list[str]:
        """Names of the classes, as `"7: Sneaker"`, or only their numbers if there are no names;
        empty for an unconditional model."""
        numbers = [str(i) for i in range(getattr(self.model(title), "num_classes", None) or 0)]
        names = catalogue.trained_on(texts.local(title)).get("class_names", [])
        if len(names) != len(numbers):
            return numbers
        names = map(texts.shown, names)
        return [i if name == i else f"{i}: {name}" for i, name in zip(numbers, names)]

    def wants(self, title: str) -> str:
        """A description of the images that a model translates, reconstructs or enlarges."""
        kind_of_data = self.model(title).modality
        if not kind_of_data.size:
            return f"This model takes {kind_of_data.name}, not images."
        shape = kind_of_data.shape
        data = catalogue.trained_on(texts.local(title)).get("data", [])
        if len(data) == 1 and self.can(title, "translate"):
            data = data[0].split(" and ")  # as it is published
        names = [_markdown(pathlib.Path(name).stem) for name in data]
        if self.can(title, "upscale"):
            scale = self.model(title).scale
            return f"Any image will do, of up to about 500×500 pixels: it is enlarged ×{scale}."
        kind = "pixels, without colours" if shape[2] == 1 else "pixels"
        size = f"Any image will do; it is resized to {shape[0]}×{shape[1]} {kind}."
        if len(names) == 2:
            back = ", or in reverse" if self.can(title, "reverse") else ""
            return f"{size} This model turns images of *{names[0]}* into *{names[1]}*{back}."
        return f"{size} This model was trained on images of *{names[0]}*." if names else size

    def most_truncation(self, title: str) -> float:
        """The end of the truncation slider, which means no truncation: for latents, of which 6 in
        100,000 lie beyond; or for styles, pulled towards their mean."""
        return 4.0 if getattr(self.model(title), "truncates_latents", True) else 1.0

    def ways(self, title: str, method: str, first: int = 0) -> tuple[list[str], np.ndarray]:
        """The sliders: their names, and `(sliders, latent_width)` directions."""
        validation.one_of("method", method, tuple(METHODS))
        with self._lock:
            names, vectors = self._cached_ways(title, method)
        if not 0 <= first < len(vectors):
            raise ValueError(f"The first slider must be 0..{len(vectors) - 1}. Received: {first}.")
        return names[first : first + SLIDERS], vectors[first : first + SLIDERS]

    def _find_ways(self, title, method):
        model = self.model(title)
        width = model.latent_width
        if METHODS[method] is None:
            return [f"latent {i}" for i in range(width)], np.eye(width)
        directions = latent.directions(
            model, width, method=METHODS[method], samples=max(2000, 2 * width)
        )
        names = [f"{method} {i} ({x:.0%})" for i, x in enumerate(directions.shares)]
        return names, directions.vectors

    def point(
        self,
        title: str,
        *,
        seed: int,
        truncation: float | None = None,
        label: int | None = None,
        method: str,
        first: int = 0,
        amounts: Iterable[float] = (),
    ) -> dict[str, Any]:
        """The arguments of `generate` for one image.

        Args:
            title: title of the model.
            seed: whole number, seed of the latents to start from.
            truncation: see `ganzoo.GAN.generate`.
            label: class, for a conditional model.
            method, first: see `ways`.
            amounts: how far to move along each direction; finite.

        Returns:
            A dict of keyword arguments of `generate`.
        """
        with self._lock:
            model = self.model(title)
            validation.integer("seed", seed, least=0)
            validation.optional(validation.real, "truncation", truncation, above=0)
            cut = truncation if model.truncates_latents else None
            latents = model.prior(np.random.default_rng(seed), 1, cut)
            _, vectors = self.ways(title, method, first)
            amounts = [validation.real("amounts", a) for a in amounts]
            moves = sum((a * vector for a, vector in zip(amounts, vectors)), 0.0)
            point = {"latents": (latents + moves).astype("float32")}
            if model.num_classes:
                point["labels"] = np.array([label or 0])
            if truncation is not None and not model.truncates_latents:
                point["truncation"] = float(truncation)
            return point

    def picture(self, title: str, point: dict[str, Any]) -> np.ndarray:
        """The image of a `point`, `(height, width, channels)` uint8."""
        with self._lock:
            return self.model(title).generate(1, **point)[0]

    def between(
        self, title: str, start: int, end: int, steps: int = 8, label: int | None = None
    ) -> latent.Walk:
        """A `Walk` between the latents of two seeds."""
        with self._lock:
            model = self.model(title)
            ends = [self._latents_of(model, [seed]) for seed in (start, end)]
            labels = (label or 0) if model.num_classes else None
            return latent.interpolate(model, *ends, steps=int(steps), labels=labels)  # type: ignore[misc]

    def arithmetic(
        self, title: str, groups: Iterable[Any], label: int | None = None
    ) -> latent.Walk:
        """A `Walk` of the means of three groups of seeds, and of first − second + third."""
        with self._lock:
            model = self.model(title)
            labels = (label or 0) if model.num_classes else None
            parts = [self._latents_of(model, _seeds(group)) for group in groups]
            return latent.arithmetic(model, *parts, labels=labels)

    def _latents_of(self, model, seeds):
        validation.integers("seeds", list(seeds), least=0)
        return np.concatenate([model.prior(np.random.default_rng(s), 1) for s in seeds])

    def through(
        self, title: str, what: str, path: types.Path, reverse: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """An image file in the model's format, and the output for it: two `(height, width,
        channels)` uint8.

        Args:
            title: title of the model.
            what: one of `THROUGH`.
            path: path of an image of any mode and size.
            reverse: translate from the second domain into the first.
        """
        with self._lock:
            model = self.model(title)
            kind = model.modality
            if not kind.size:
                raise ValueError(f"This model takes {kind.name}, not images.")
            size = None if what == "upscale" else kind.size
            image = read_picture(path, size, kind.shape[2])[None]
            options = {"reverse": True} if reverse else {}
            return image[0], getattr(model, what)(image, **options)[0]

    def bundle(self, title: str, point: dict[str, Any], folder: types.Path) -> pathlib.Path:
        """A zip of an image, its latents, and the Python code that makes it again."""
        path = pathlib.Path(folder) / "picture.zip"
        png, arrays = io.BytesIO(), io.BytesIO()
        images.grid(self.picture(title, point)[None], **PLAIN).save(png, "png")
        np.savez(arrays, **point)
        code = AGAIN.format(code=self.entries[title].code)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (
                ("picture.png", png.getvalue()),
                ("latents.npz", arrays.getvalue()),
                ("again.py", code),
            ):
                archive.writestr(name, content)
        return path


AGAIN = '''"""Makes the image again."""

import numpy as np

import ganzoo

model = {code}
point = {{name: array[()] for name, array in np.load("latents.npz").items()}}
images = model.generate(1, **point)
ganzoo.images.grid(images, padding=0, least_side=1).save("again.png")
'''


def _seeds(text):
    """The whole numbers in a text."""
    text = str(text)
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise ValueError(f"A group has whole numbers, such as 1, 2, 3. Received: {text[:80]!r}.")
    if len(parts) > MOST_SEEDS:
        raise ValueError(f"A group has at most {MOST_SEEDS} seeds. Received: {len(parts)}.")
    return [int(part) for part in parts]


def read_picture(path: types.Path, size: tuple[int, int] | None, channels: int) -> np.ndarray:
    """An image file of any mode and size as `(height, width, channels)` uint8.

    `size`: height and width; None: its own, at most `MOST_SIDE`.

    Raises:
        ValueError: it is not an image, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
            with Image.open(path, formats=FORMATS) as image:
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


def _markdown(name):
    """A name with Markdown's special characters escaped."""
    return re.sub(r"([\\`*~$<>&\[\]])", r"\\\1", " ".join(texts.shown(name).splitlines()))
