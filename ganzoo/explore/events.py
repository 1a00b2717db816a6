"""The page's event handlers: from the values of its fields to its outputs."""

import functools
import os
import pathlib
import shutil
import tempfile
import threading

from ganzoo import images
from ganzoo.explore.explorer import SLIDERS
from ganzoo.explore.explorer import THROUGH


def _reporting(method):
    """Decorate a method to show user errors as messages on the page."""

    @functools.wraps(method)
    def run(self, *args):
        try:
            return method(self, *args)
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise self.gr.Error(str(error)) from None

    return run


def _enlarged(image):
    """A small image, enlarged without blur."""
    return images.grid(image[None], padding=0)


def _strip_of(walk):
    return images.grid(walk.pictures[0], columns=walk.pictures.shape[1], least_side=900)


class Events:
    """The page's event handlers: from the values of its fields to its outputs."""

    files = 16
    """Number of downloads to keep: the page copies a file when it shows it."""

    def __init__(self, explorer, gr):
        self.explorer = explorer
        self.gr = gr
        self._folder = tempfile.TemporaryDirectory(prefix="ganzoo-explore-")
        # Uploads and outputs are private to this folder, and only it is served: Gradio's default
        # folder is shared by all pages and users of a machine.
        os.environ["GRADIO_TEMP_DIR"] = os.path.join(self._folder.name, "gradio")
        self._places = []
        self._lock = threading.Lock()

    def _place(self):
        """A new folder for a file of any name; the oldest ones are deleted."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self._folder.name))
        with self._lock:
            self._places.append(place)
            while len(self._places) > self.files:
                shutil.rmtree(self._places.pop(0), ignore_errors=True)
        return place

    def _point(self, title, seed, cut, label, method, first, *amounts):
        return self.explorer.point(
            title,
            seed=int(seed or 0),
            truncation=None if cut >= self.explorer.most_truncation(title) else cut,
            label=None if label is None else int(label),
            method=method,
            first=int(first or 0),
            amounts=amounts,
        )

    @_reporting
    def draw(self, title, *settings):
        if not self.explorer.can(title, "generate"):
            return None
        return _enlarged(self.explorer.picture(title, self._point(title, *settings)))

    @_reporting
    def sliders(self, title, method, first):
        update = self.gr.update
        if not self.explorer.can(title, "generate"):
            return [update()] * SLIDERS
        names, _ = self.explorer.ways(title, method, int(first or 0))
        return [
            update(label=names[i], value=0, visible=True)
            if i < len(names)
            else update(value=0, visible=False)
            for i in range(SLIDERS)
        ]

    @_reporting
    def choose(self, title):
        gr, model = self.gr, self.explorer.model(title)
        can = {what: hasattr(model, what) for what in ("generate", *THROUGH)}
        names = self.explorer.classes(title)
        # With `False`, Gradio would leave the head of a tab that was visible.
        visible = [can["generate"]] * 3 + [can[what] for what in THROUGH]
        choices = [(name, str(i)) for i, name in enumerate(names)]
        most = self.explorer.most_truncation(title)
        return [
            gr.Tabs(selected=next(what for what, it_can in can.items() if it_can)),
            *(gr.Tab(visible=it_can or "hidden") for it_can in visible),
            gr.update(choices=choices, value="0" if names else None, visible=bool(names)),
            0,
            gr.update(maximum=most, value=most),
            *[self.explorer.wants(title)] * len(THROUGH),
            gr.update(value=False, visible=self.explorer.can(title, "reverse")),
        ]

    @_reporting
    def between(self, title, start, end, steps, label):
        label = None if label is None else int(label)
        walk = self.explorer.between(title, int(start or 0), int(end or 0), steps, label)
        frames = [_enlarged(image) for image in walk.pictures[0]]
        frames += frames[-2:0:-1]
        path = self._place() / "between.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=120, loop=0)
        return _strip_of(walk), str(path)

    @_reporting
    def calculate(self, title, a, b, c, label):
        label = None if label is None else int(label)
        return _strip_of(self.explorer.arithmetic(title, (a, b, c), label))

    @_reporting
    def through(self, what, title, path, reverse):
        if path is None:
            raise ValueError("Choose an image first.")
        return [_enlarged(image) for image in self.explorer.through(title, what, path, reverse)]

    @_reporting
    def bundle(self, title, *settings):
        return str(self.explorer.bundle(title, self._point(title, *settings), self._place()))
