"""The models of the page: opened when they are needed, one request at a time."""

import collections
import contextlib
import dataclasses
import pathlib
import threading
from collections.abc import Callable
from collections.abc import Iterator

from ganzoo import validation
from ganzoo.files import texts
from ganzoo.game import Game
from ganzoo.zoo import catalogue

THROUGH = ("translate", "reconstruct", "upscale", "project")
"""What models do with an image, in the order of the tabs."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model on the page."""

    open: Callable[[], Game]
    """Function that loads the model, called when it is first chosen."""
    code: str
    """The Python expression that loads it."""
    model: str = ""
    """Its name in the registry, such as `"r3gan"`."""


class Models:
    """The models that visitors choose from.

    Args:
        entries: `{title: Entry}`.
        kept: number of models to keep in memory.

    Raises:
        ValueError: there are none.
    """

    def __init__(self, entries: dict[str, Entry], kept: int = 8) -> None:
        if not entries:
            raise ValueError("There is no model to explore: name a run folder or weights.")
        validation.integer("kept", kept)
        self.entries = dict(entries)
        self._kept = kept
        self._open: collections.OrderedDict[str, Game] = collections.OrderedDict()
        self._guests: dict[str, Game] = {}  # open until their block ends
        # Requests come in threads: one at a time for each model, and none waits for another's.
        self._locks = {title: threading.RLock() for title in self.entries}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def using(self, title: str, keep: bool = True) -> Iterator[Game]:
        """The model with this title, in a `with` block that no other thread enters meanwhile.

        Args:
            title: one of `entries`.
            keep: whether to keep the model in memory, and forget the one used longest ago; if not,
                a model that was not open is forgotten at the end.

        Raises:
            ValueError: no model has this title.
        """
        if title not in self.entries:
            raise validation.unknown("model", title, self.entries)
        with self._locks[title]:
            model = self._open.get(title, self._guests.get(title))
            if model is None:
                model = self.entries[title].open()
                if not keep:
                    self._guests[title] = model
            try:
                if title not in self._guests:
                    self._keep(title, model)
                yield model
            finally:
                if not keep:
                    self._guests.pop(title, None)

    def _keep(self, title, model):
        with self._lock:
            self._open[title] = model
            self._open.move_to_end(title)
            while len(self._open) > self._kept:
                self._open.popitem(last=False)

    def can(self, title: str, what: str) -> bool:
        """Whether a model can `"generate"`, do one of `THROUGH`, or translate in `"reverse"`."""
        with self.using(title) as model:
            if what != "reverse":
                return hasattr(model, what) and (what == "generate" or bool(model.modality.size))
            try:
                model.translator(True)
            except (AttributeError, ValueError):  # it does not translate, or not in reverse
                return False
            return True

    def classes(self, title: str) -> list[str]:
        """Names of the classes, as `"7: Sneaker"`, or only their numbers if there are no names;
        empty for an unconditional model."""
        with self.using(title) as model:
            numbers = [str(i) for i in range(getattr(model, "num_classes", None) or 0)]
        names = catalogue.trained_on(texts.local(title)).get("class_names", [])
        if len(names) != len(numbers):
            return numbers
        names = map(texts.shown, names)
        return [i if name == i else f"{i}: {name}" for i, name in zip(numbers, names)]

    def domains(self, title: str) -> list[str]:
        """Names of the data that a model was trained on, one for each domain, without folders."""
        data = catalogue.trained_on(texts.local(title)).get("data", [])
        if len(data) == 1 and self.can(title, "translate"):
            data = data[0].split(" and ")  # as it is published
        return [" ".join(texts.shown(pathlib.Path(name).stem).splitlines()) for name in data]

    def wants(self, title: str) -> str:
        """A description of the images that a model translates, reconstructs or enlarges."""
        with self.using(title) as model:
            kind_of_data = model.modality
        if not kind_of_data.size:
            return f"This model takes {kind_of_data.name}, not images."
        if self.can(title, "upscale"):
            return (
                f"Any image will do, of up to about 500×500 pixels: it is enlarged ×{model.scale}."
            )
        height, width, channels = kind_of_data.shape
        kind = "pixels, without colours" if channels == 1 else "pixels"
        size = f"Any image will do; it is resized to {height}×{width} {kind}."
        names = self.domains(title)
        if len(names) == 2:
            back = ", or in reverse" if self.can(title, "reverse") else ""
            return f"{size} This model turns images of {names[0]} into {names[1]}{back}."
        return f"{size} This model was trained on images of {names[0]}." if names else size
