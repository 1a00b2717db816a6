"""What the page shows, without the page: arrays for seeds, sliders and uploaded images."""

import dataclasses
import functools
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganzoo import images
from ganzoo import latent
from ganzoo import validation
from ganzoo.explore import points
from ganzoo.explore.examples import example_for
from ganzoo.explore.models import THROUGH
from ganzoo.explore.models import Entry
from ganzoo.explore.models import Models
from ganzoo.explore.points import KNOWN
from ganzoo.explore.points import MOST_STOPS
from ganzoo.explore.points import SLIDERS
from ganzoo.explore.points import Draft
from ganzoo.explore.points import Point
from ganzoo.explore.points import Way
from ganzoo.explore.uploads import read_picture

WALL = 64
"""Images on the wall."""
FRAMES = 32
"""Images of a walk, both ends included."""
MOST_SEEDS = 1000
"""Most seeds in a group to average."""
THUMBNAILS = 9
"""Samples on the thumbnail of a model."""
AGAIN = '''"""Makes the image again."""

import numpy as np

import ganzoo

model = {code}
point = {{name: array[()] for name, array in np.load("latents.npz").items()}}
images = model.generate(1, **point)
{save}
'''
SAVE_IMAGE = 'ganzoo.images.grid(images, padding=0, least_side=1).save("again.png")'
SAVE_SOUND = 'model.modality.save(images, "again")  # again/00000.wav'


@dataclasses.dataclass(frozen=True)
class Strip:
    """A slider's images: what it would show at each of its stops, all others as they are."""

    number: int
    """Of the slider, among those of its method."""
    way: Way
    stops: tuple[float, ...]
    """Its stops; of a choice among very many, those near the current one."""
    at: float
    """Where the slider is."""
    pictures: list[np.ndarray]


@dataclasses.dataclass(frozen=True)
class Passage:
    """What a model makes of an image."""

    taken: np.ndarray
    """The image in the model's format, `(height, width, channels)` uint8."""
    made: np.ndarray
    """The output for it, likewise."""
    point: Point | None = None
    """The point that makes the output, where it can be edited."""
    error: float | None = None
    """Root mean square difference between the two, in grey levels, where they should be equal."""


class Explorer:
    """The outputs that the page shows, without the page.

    Args:
        entries: `{title: Entry}`.
        kept: number of models to keep in memory.

    Example:

    >>> import ganzoo
    >>> make = lambda: ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), seed=0)
    >>> explorer = Explorer({"mine": Entry(make, "ganzoo.get('dcgan', …)")})
    >>> point = Point(seed=3, moves=(("SeFa", 0, 2.0), ("SeFa", 1, -1.0)))
    >>> explorer.picture("mine", point).shape
    (8, 8, 1)
    """

    def __init__(self, entries: dict[str, Entry], kept: int = 8) -> None:
        self.models = Models(entries, kept)
        self._cached_ways = functools.lru_cache(64)(self._find_ways)
        self.thumbnail = functools.cache(self._thumbnail)

    # Points to images ---------------------------------------------------------------------------

    def ways(self, title: str, method: str) -> list[Way]:
        """The sliders of a method: `KNOWN`, or one of `METHODS`."""
        validation.one_of("method", method, (KNOWN, *points.METHODS))
        with self.models.using(title):
            return self._cached_ways(title, method)

    def _find_ways(self, title, method):
        with self.models.using(title) as model:
            if method == KNOWN:
                return points.known(model, self.models.classes(title))
            return points.directions(model, method)

    def arguments(self, title: str, chosen: Sequence[Point]) -> dict[str, Any]:
        """The keyword arguments of `generate` for some points of one variety.

        Raises:
            ValueError: a move is of a slider that does not exist, or leads out of its range.
        """
        with self.models.using(title) as model:
            drafts = [self._draft(title, model, point) for point in chosen]
            found: dict[str, Any] = {"latents": np.stack([d.latents for d in drafts])}
            if model.num_classes:
                found["labels"] = np.array([d.label for d in drafts])
            if not model.truncates_latents:
                cut = points.truncation_of(chosen[0].variety, of_latents=False)
                found |= {} if cut is None else {"truncation": cut}
            return found

    def _draft(self, title, model, point):
        if point.latents is None:
            cut = None
            if model.truncates_latents:
                cut = points.truncation_of(point.variety, of_latents=True)
            latents = model.prior(np.random.default_rng(point.seed), 1, cut)[0]
        else:
            latents = np.asarray(point.latents, "float32")
        draft = Draft(latents, point.label or 0)
        # What is known is set; directions are added to it.
        for method, number, amount in sorted(point.moves, key=lambda move: move[0] != KNOWN):
            way = self._way(title, method, number)
            if not way.stops[0] <= amount <= way.stops[-1]:
                raise ValueError(
                    f"The slider of {way.name} must be {way.stops[0]:g}..{way.stops[-1]:g}. "
                    f"Received: {amount}."
                )
            way.change(draft, amount)
        return draft

    def _way(self, title, method, number):
        ways = self.ways(title, method)
        if number >= len(ways):
            raise ValueError(
                f"The number of a slider must be 0..{len(ways) - 1}. Received: {number}."
            )
        return ways[number]

    def pictures(self, title: str, chosen: Sequence[Point]) -> list[np.ndarray]:
        """The images of some points, each `(height, width, channels)` uint8; of a model of other
        things, drawings of them."""
        with self.models.using(title) as model:
            return _drawn(model, model.generate(len(chosen), **self.arguments(title, chosen)))

    def picture(self, title: str, point: Point) -> np.ndarray:
        """The image of a point."""
        return self.pictures(title, [point])[0]

    def sound(self, title: str, point: Point) -> bytes | None:
        """The sound of a point, as a WAV file; None if the model makes none."""
        with self.models.using(title) as model:
            if not model.modality.kept:
                return None
            return model.modality.heard(model.generate(1, **self.arguments(title, [point]))[0])

    def wall(
        self, title: str, page: int = 0, variety: float = 1.0, label: int | None = None
    ) -> list[Point]:
        """The points of a wall of `WALL` samples: of the seeds from `WALL * page`, and of one
        class; None: of the classes in turn."""
        validation.integer("page", page, least=0)
        count = len(self.models.classes(title))
        labels = [i % count if label is None and count else label for i in range(WALL)]
        seeds = range(WALL * page, WALL * (page + 1))
        return [Point(seed=s, variety=variety, label=x) for s, x in zip(seeds, labels)]

    def strips(self, title: str, point: Point, method: str, first: int = 0) -> list[Strip]:
        """The strips of at most `SLIDERS` sliders, from number `first` on; all that are known."""
        with self.models.using(title) as model:
            ways = list(enumerate(self.ways(title, method)))
            if method != KNOWN:
                self._way(title, method, validation.integer("first", first, least=0))
                ways = ways[first : first + SLIDERS]
            draft = self._draft(title, model, point)
            found = []
            for number, way in ways:
                at = point.amount(method, number)
                at = way.start(draft) if at is None else at
                found.append(Strip(number, way, _near(way.stops, at), at, []))
            wanted = [point.moved(method, s.number, stop) for s in found for stop in s.stops]
            made = iter(self.pictures(title, wanted) if wanted else [])
            return [dataclasses.replace(s, pictures=[next(made) for _ in s.stops]) for s in found]

    # Several points -----------------------------------------------------------------------------

    def walk(self, title: str, start: Point, end: Point, steps: int = FRAMES) -> list[Point]:
        """Points on the way between two, along the sphere of their latents; classes change
        halfway."""
        validation.integer("steps", steps, least=2)
        if steps > 2 * FRAMES:
            raise ValueError(f"`steps` must be at most {2 * FRAMES}. Received: {steps}.")
        with self.models.using(title) as model:
            a, b = (self._draft(title, model, point) for point in (start, end))
        way = latent.slerp(a.latents, b.latents, np.linspace(0, 1, steps)[:, None])
        labels = [a.label if i < steps / 2 else b.label for i in range(steps)]
        return [
            Point(latents=z.astype("float32"), label=label, variety=start.variety)
            for z, label in zip(way, labels)
        ]

    def arithmetic(
        self, title: str, groups: Sequence[Sequence[int]], base: Point
    ) -> tuple[list[list[Point]], list[Point]]:
        """The points of three groups of seeds; and the means of the groups, and
        first − second + third.

        Args:
            title: title of the model.
            groups: three lists of seeds.
            base: variety and class of all.
        """
        members = [[dataclasses.replace(base, seed=s) for s in _seeds(group)] for group in groups]
        if len(members) != 3:
            raise ValueError(f"Arithmetic takes three groups. Received: {len(members)}.")
        a, b, c = (self.arguments(title, group)["latents"].mean(axis=0) for group in members)
        results = [dataclasses.replace(base, latents=z) for z in (a, b, c, a - b + c)]
        return members, results

    def groups(self, title: str, base: Point) -> list[list[int]]:
        """Seeds for `arithmetic` whose result is easy to see: of the first wall, those farthest
        along the first direction, those farthest against it, and the next ones against it. The
        result then is the third group with what distinguishes the first from the second."""
        seeds = np.arange(WALL)
        chosen = [dataclasses.replace(base, seed=int(seed)) for seed in seeds]
        first: Any = self.ways(title, "GANSpace")[0]
        order = seeds[np.argsort(self.arguments(title, chosen)["latents"] @ first.vector)]
        return [order[-3:].tolist(), order[:3].tolist(), order[3:6].tolist()]

    # Images to images ---------------------------------------------------------------------------

    def read(self, title: str, what: str, content: bytes) -> np.ndarray:
        """An image file in the format that a model takes: see `read_picture`."""
        with self.models.using(title) as model:
            self._must(title, what)
            shape = model.modality.shape
            return read_picture(io.BytesIO(content), self._size(title, what), shape[2])

    def _size(self, title, what):
        with self.models.using(title) as model:
            return None if what == "upscale" else model.modality.size

    def _must(self, title, what):
        validation.one_of("what", what, THROUGH)
        if not self.models.can(title, what):
            raise ValueError(f"This model does not {what} images.")

    def through(self, title: str, what: str, image: np.ndarray, reverse: bool = False) -> Passage:
        """What a model makes of an image.

        Args:
            title: title of the model.
            what: one of `THROUGH`.
            image: `(height, width, channels)` uint8, as `read` or `example` give it.
            reverse: translate from the second domain into the first.
        """
        with self.models.using(title) as model:
            self._must(title, what)
            if what == "project":
                found = model.project(image[None])
                label = None if found.labels is None else int(found.labels[0])
                point = Point(latents=found.latents[0], label=label)
                return Passage(image, self.picture(title, point), point, float(found.errors[0]))
            options = {"reverse": True} if reverse else {}
            made = getattr(model, what)(image[None], **options)[0]
            if what != "reconstruct":
                return Passage(image, made)
            gap = made.astype("float64") - image
            point = None
            if hasattr(model, "generate") and not model.num_classes:
                point = Point(latents=model.encode(image[None])[0])
            return Passage(image, made, point, float(np.sqrt(np.square(gap).mean())))

    def example(
        self, title: str, what: str, seed: int = 0, reverse: bool = False
    ) -> tuple[np.ndarray, str]:
        """An image for `through`, and where it comes from, in words."""
        with self.models.using(title) as model:
            self._must(title, what)
            names = self.models.domains(title)
            name = names[-1 if reverse else 0] if names else ""
            shape = model.modality.shape
        small = (shape[0] // model.scale, shape[1] // model.scale) if what == "upscale" else None
        return example_for(title, name, (*(small or shape[:2]), shape[2]), seed)

    # Files --------------------------------------------------------------------------------------

    def _thumbnail(self, title):
        """Small images of what a model makes, in a square."""
        with self.models.using(title, keep=False) as model:
            if hasattr(model, "generate"):
                seeds = [Point(seed=s, variety=0.9, label=s) for s in range(THUMBNAILS)]
                count = len(self.models.classes(title))
                if count:
                    seeds = [dataclasses.replace(p, label=p.seed % count) for p in seeds]
                return self.pictures(title, seeds)
            what = next((what for what in THROUGH if self.models.can(title, what)), None)
            if what is None:
                return []
            examples = (self.example(title, what, seed)[0] for seed in range(2))
            passages = [self.through(title, what, image) for image in examples]
            return [image for p in passages for image in (p.taken, p.made)]

    def bundle(self, title: str, point: Point) -> bytes:
        """A zip of an image, or a sound and its image, the latents, and the Python code that makes
        it again."""
        content, png, arrays = io.BytesIO(), io.BytesIO(), io.BytesIO()
        # Without padding and not enlarged, a grid of one image is the image itself.
        images.grid(self.picture(title, point)[None], padding=0, least_side=1).save(png, "png")
        np.savez(arrays, **self.arguments(title, [point]))
        sound = self.sound(title, point)
        save = SAVE_IMAGE if sound is None else SAVE_SOUND
        code = AGAIN.format(code=self.models.entries[title].code, save=save)
        with zipfile.ZipFile(content, "w") as archive:
            if sound is not None:
                archive.writestr("sound.wav", sound)
            archive.writestr("picture.png", png.getvalue())
            archive.writestr("latents.npz", arrays.getvalue())
            archive.writestr("again.py", code)
        return content.getvalue()

    def film(self, title: str, chosen: Sequence[Point]) -> bytes:
        """An animation of some points and back again, as a GIF file."""
        content = io.BytesIO()
        frames = [images.grid(x[None], padding=0) for x in self.pictures(title, chosen)]
        frames += frames[-2:0:-1]
        frames[0].save(content, "gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
        return content.getvalue()


def _drawn(model, samples):
    """Samples as images."""
    if model.modality.size:
        return list(samples)
    drawings = [np.asarray(model.modality.preview(x[None])) for x in samples]
    return [x if x.ndim == 3 else x[..., None] for x in drawings]


def _near(stops, at):
    """All stops, or the `MOST_STOPS` around the current one."""
    first = min(max(0, int(at) - MOST_STOPS // 2), max(0, len(stops) - MOST_STOPS))
    return stops[first : first + MOST_STOPS]


def _seeds(group):
    if not isinstance(group, (list, tuple)) or not 1 <= len(group) <= MOST_SEEDS:
        raise ValueError(f"A group is a list of 1..{MOST_SEEDS} seeds.")
    return validation.integers("seeds", list(group), least=0)
