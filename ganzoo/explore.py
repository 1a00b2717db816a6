"""A web page to play with trained models: `ganzoo explore`."""

import dataclasses
import functools
import io
import ipaddress
import logging
import os
import pathlib
import re
import shutil
import socket
import tempfile
import threading
import typing
import urllib.parse
import warnings
import zipfile
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image
from PIL import UnidentifiedImageError

from ganzoo import catalogue
from ganzoo import checks
from ganzoo import hints
from ganzoo import images
from ganzoo import latent
from ganzoo import texts
from ganzoo.datasets import pictures
from ganzoo.pictures import PictureGame

SLIDERS = 8
"""Sliders on the page; of more latents or directions, as many at a time."""
METHODS = {"single latents": None, "GANSpace": "ganspace", "SeFa": "sefa"}
"""What the sliders move along, by its name on the page."""
MOST_PIXELS = 16_000_000
"""Of a picture that somebody uploads: a file may declare any number."""
MOST_BYTES = 20_000_000
"""Of a file that somebody uploads."""
MOST_SEEDS = 1000
"""Of a group, of which the mean is taken."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Such pictures. Pillow knows more, and starts other programs for some of them."""
PLAIN = {"padding": 0, "least_side": 1}
"""A grid of one picture that is this picture."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model of the page."""

    open: typing.Callable
    """Makes it; called once, when it is first looked at."""
    code: str
    """The Python expression that does."""


class Explorer:
    """What the page shows, without the page.

    Args:
        entries: `{title: Entry}`.
        kept: models that are kept in memory at a time.

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
        self._found = functools.lru_cache(64)(self._find)
        self._lock = threading.RLock()  # the page's requests come in threads

    def model(self, title: str) -> PictureGame:
        """The model of a title."""
        with self._lock:
            return self._models(title)

    def can(self, title: str, what: str) -> bool:
        """Whether a model can `"generate"`, `"translate"`, `"reconstruct"`, or translate in
        `"reverse"`."""
        model = self.model(title)
        if what != "reverse":
            return hasattr(model, what)
        try:
            model.translator(True)
        except (AttributeError, ValueError):  # it does not translate, or has no way back
            return False
        return True

    def classes(self, title: str) -> list[str]:
        """What its classes are called, `"7: Sneaker"`, or their numbers where that is not known;
        of a model without classes none."""
        numbers = [str(i) for i in range(getattr(self.model(title), "num_classes", None) or 0)]
        names = catalogue.trained_on(texts.local(title)).get("class_names", [])
        if len(names) != len(numbers):
            return numbers
        names = map(texts.shown, names)
        return [i if name == i else f"{i}: {name}" for i, name in zip(numbers, names)]

    def wants(self, title: str) -> str:
        """What pictures a model takes to translate or reconstruct, in a sentence or two."""
        shape = self.model(title).image_shape
        if len(shape) != 3:
            return "This model is one of points, not of pictures."
        data = catalogue.trained_on(texts.local(title)).get("data", [])
        if len(data) == 1 and self.can(title, "translate"):
            data = data[0].split(" and ")  # as it is published
        names = [_markdown(pathlib.Path(name).stem) for name in data]
        kind = "pixels, without colours" if shape[2] == 1 else "pixels"
        size = f"Any picture will do; it is brought to {shape[0]}×{shape[1]} {kind}."
        if len(names) == 2:
            back = ", or the other way" if self.can(title, "reverse") else ""
            return f"{size} This model turns pictures of *{names[0]}* into *{names[1]}*{back}."
        return f"{size} This model knows pictures of *{names[0]}*." if names else size

    def most_truncation(self, title: str) -> float:
        """Where the slider of truncation ends, which is none: for latents, of which 6 in 100,000
        lie beyond; or for styles, drawn towards their mean."""
        return 4.0 if getattr(self.model(title), "truncates_latents", True) else 1.0

    def ways(self, title: str, method: str, first: int = 0) -> tuple[list[str], np.ndarray]:
        """The sliders: their names, and `(sliders, latent_width)` directions."""
        checks.one_of("method", method, tuple(METHODS))
        with self._lock:
            names, vectors = self._found(title, method)
        if not 0 <= first < len(vectors):
            raise ValueError(f"The first slider must be 0..{len(vectors) - 1}. Received: {first}.")
        return names[first : first + SLIDERS], vectors[first : first + SLIDERS]

    def _find(self, title, method):
        model = self.model(title)
        width = model.latent_width
        if METHODS[method] is None:
            return [f"latent {i}" for i in range(width)], np.eye(width)
        found = latent.directions(
            model, width, method=METHODS[method], samples=max(2000, 2 * width)
        )
        return [f"{method} {i} ({x:.0%})" for i, x in enumerate(found.shares)], found.vectors

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
        """What one picture is made of.

        Args:
            title: of the model.
            seed: whole number of the latents to start from.
            truncation: see `Generative.generate`.
            label: class, for a conditional model.
            method, first: see `ways`.
            amounts: how far along each of them; finite.

        Returns:
            A dict of keyword arguments of `generate`.
        """
        with self._lock:
            model = self.model(title)
            checks.integer("seed", seed, least=0)
            checks.optional(checks.real, "truncation", truncation, above=0)
            cut = truncation if model.truncates_latents else None
            latents = model.prior(np.random.default_rng(seed), 1, cut)
            _, vectors = self.ways(title, method, first)
            amounts = [checks.real("amounts", a) for a in amounts]
            moves = sum((a * vector for a, vector in zip(amounts, vectors)), 0.0)
            found = {"latents": (latents + moves).astype("float32")}
            if model.num_classes:
                found["labels"] = np.array([label or 0])
            if truncation is not None and not model.truncates_latents:
                found["truncation"] = float(truncation)
            return found

    def picture(self, title: str, point: dict[str, Any]) -> np.ndarray:
        """`(height, width, channels)` uint8."""
        with self._lock:
            return self.model(title).generate(1, **point)[0]

    def between(
        self, title: str, start: int, end: int, steps: int = 8, label: int | None = None
    ) -> latent.Walk:
        """A `Walk` between the latents of two seeds."""
        with self._lock:
            model = self.model(title)
            ends = [self._drawn(model, [seed]) for seed in (start, end)]
            labels = (label or 0) if model.num_classes else None
            return latent.interpolate(model, *ends, steps=int(steps), labels=labels)  # type: ignore[misc]

    def arithmetic(
        self, title: str, groups: Iterable[Any], label: int | None = None
    ) -> latent.Walk:
        """A `Walk` of the means of three groups of seeds, and of first − second + third."""
        with self._lock:
            model = self.model(title)
            labels = (label or 0) if model.num_classes else None
            parts = [self._drawn(model, _seeds(group)) for group in groups]
            return latent.arithmetic(model, *parts, labels=labels)

    def _drawn(self, model, seeds):
        checks.integers("seeds", list(seeds), least=0)
        return np.concatenate([model.prior(np.random.default_rng(s), 1) for s in seeds])

    def through(
        self, title: str, what: str, path: hints.Path, reverse: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture file, as the model takes it, and what it makes of it: two `(height, width,
        channels)` uint8.

        Args:
            title: of the model.
            what: `"translate"` or `"reconstruct"`.
            path: of a picture of any mode and size.
            reverse: translate from the second domain into the first.
        """
        with self._lock:
            model = self.model(title)
            shape = model.image_shape
            if len(shape) != 3:
                raise ValueError("This model is one of points, not of pictures.")
            image = read_picture(path, shape[:2], shape[2])[None]
            options = {"reverse": True} if reverse else {}
            return image[0], getattr(model, what)(image, **options)[0]

    def bundle(self, title: str, point: dict[str, Any], folder: hints.Path) -> pathlib.Path:
        """A zip of a picture, what it was made of, and the Python that makes it again."""
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


AGAIN = '''"""Makes the picture again."""

import numpy as np

import ganzoo

model = {code}
made_of = {{name: array[()] for name, array in np.load("latents.npz").items()}}
images = model.generate(1, **made_of)
ganzoo.images.grid(images, padding=0, least_side=1).save("again.png")
'''


def _seeds(text):
    """Whole numbers, as somebody types them."""
    text = str(text)
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise ValueError(f"A group is whole numbers, such as 1, 2, 3. Received: {text[:80]!r}.")
    if len(parts) > MOST_SEEDS:
        raise ValueError(f"A group is at most {MOST_SEEDS} seeds. Received: {len(parts)}.")
    return [int(part) for part in parts]


def read_picture(path: hints.Path, size: tuple[int, int], channels: int) -> np.ndarray:
    """A picture file of any mode and size as `(height, width, channels)` uint8.

    Raises:
        ValueError: it is no picture, damaged, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused below
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError(
                        f"it has {picture.width}×{picture.height} pixels, more than "
                        f"{MOST_PIXELS // 1_000_000} million"
                    )
                picture.load()
                return pictures.to_array(picture, size, channels)
    except Exception as error:  # Pillow raises many kinds at damaged files
        unknown = isinstance(error, UnidentifiedImageError)  # whose words have the path
        wrong = "it is none that is known" if unknown else str(error) or type(error).__name__
        raise ValueError(
            f"This picture cannot be used ({wrong}). Take a PNG or JPEG file."
        ) from None


def _told(method):
    """Its user errors as messages on the page."""

    @functools.wraps(method)
    def run(self, *args):
        try:
            return method(self, *args)
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise self.gr.Error(str(error)) from None

    return run


def _shown(image):
    """Small pictures enlarged without blur."""
    return images.grid(image[None], padding=0)


def _strip_of(walk):
    return images.grid(walk.pictures[0], columns=walk.pictures.shape[1], least_side=900)


class _Events:
    """What happens on the page: from the values of its fields to what it shows."""

    files = 16
    """Made for downloads, and kept: the page copies them when it shows them."""

    def __init__(self, explorer, gr):
        self.explorer = explorer
        self.gr = gr
        self._folder = tempfile.TemporaryDirectory(prefix="ganzoo-explore-")
        # What is uploaded and shown lies there too, for nobody else, and is served from nowhere
        # else: the usual place is shared by all of Gradio's pages, and users, of a machine.
        os.environ["GRADIO_TEMP_DIR"] = os.path.join(self._folder.name, "gradio")
        self._places = []
        self._lock = threading.Lock()

    def _place(self):
        """A new folder, for a file of any name; the oldest ones go."""
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

    @_told
    def draw(self, title, *settings):
        if not self.explorer.can(title, "generate"):
            return None
        return _shown(self.explorer.picture(title, self._point(title, *settings)))

    @_told
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

    @_told
    def choose(self, title):
        gr, model = self.gr, self.explorer.model(title)
        can = {what: hasattr(model, what) for what in ("generate", "translate", "reconstruct")}
        names = self.explorer.classes(title)
        # Gradio leaves the head of a tab that was to be seen when it is told `False`.
        seen = [can["generate"]] * 3 + [can["translate"], can["reconstruct"]]
        choices = [(name, str(i)) for i, name in enumerate(names)]
        most = self.explorer.most_truncation(title)
        return [
            gr.Tabs(selected=next(what for what, it_can in can.items() if it_can)),
            *(gr.Tab(visible=it_can or "hidden") for it_can in seen),
            gr.update(choices=choices, value="0" if names else None, visible=bool(names)),
            0,
            gr.update(maximum=most, value=most),
            *[self.explorer.wants(title)] * 2,
            gr.update(value=False, visible=self.explorer.can(title, "reverse")),
        ]

    @_told
    def between(self, title, start, end, steps, label):
        label = None if label is None else int(label)
        walk = self.explorer.between(title, int(start or 0), int(end or 0), steps, label)
        frames = [_shown(image) for image in walk.pictures[0]]
        frames += frames[-2:0:-1]
        path = self._place() / "between.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=120, loop=0)
        return _strip_of(walk), str(path)

    @_told
    def calculate(self, title, a, b, c, label):
        label = None if label is None else int(label)
        return _strip_of(self.explorer.arithmetic(title, (a, b, c), label))

    @_told
    def through(self, what, title, path, reverse):
        if path is None:
            raise ValueError("Choose a picture first.")
        return [_shown(image) for image in self.explorer.through(title, what, path, reverse)]

    @_told
    def bundle(self, title, *settings):
        return str(self.explorer.bundle(title, self._point(title, *settings), self._place()))


async def _fetch_nothing(address, *_, **__):
    raise ValueError(f"The page fetches nothing, and not {address!r}: upload a file.")


def _markdown(name):
    """Any name, so that Markdown shows it as it is."""
    return re.sub(r"([\\`*~$<>&\[\]])", r"\\\1", " ".join(texts.shown(name).splitlines()))


CSS = """
#picture img, #strip img, #film img, #result img, [id$=-taken] img, [id$=-made] img {
    image-rendering: pixelated;
}
[id$=-taken] img, [id$=-made] img {width: 100%; height: 100%; object-fit: contain}
"""
WELCOME = "# ganzoo\nTrained models to play with: choose one, then move what is below it."
HELP = {
    "latents": "A picture is made of random numbers, its latents: draw others by the seed, or move "
    "them by the sliders.",
    "between": "The way from the picture of one seed to that of another.",
    "arithmetic": "Latents of several seeds, averaged, then subtracted and added: do the pictures "
    "follow?",
    "translate": "Upload a picture, and see what the model turns it into.",
    "reconstruct": "Upload a picture: the model makes it again of the few numbers that it keeps of "
    "it.",
}
"""A line for each tab."""


def page(entries: dict[str, Entry]) -> Any:
    """The page: a `gradio.Blocks`, which `launch` serves.

    Args:
        entries: `{title: Entry}`.

    Raises:
        ImportError: Gradio is not installed.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # Gradio's, of Hugging Face
    try:
        import gradio as gr
        import safehttpx  # comes with Gradio
    except ImportError:
        raise ImportError("The page needs Gradio: `pip install 'ganzoo[explore]'`.") from None
    # Gradio fetches any public address that a visitor names, for `/gradio_api/file=` and as the
    # value of any field, and asks Google about names that it does not know.
    safehttpx.get = safehttpx.async_validate_url = _fetch_nothing

    # What a visitor gets wrong is said on the page; it would be in the terminal, too, at length.
    gr.Error.__init__ = functools.partialmethod(gr.Error.__init__, print_exception=False)

    events = _Events(Explorer(entries), gr)
    titles = list(events.explorer.entries)

    def image_of(label, name, **options):
        return gr.Image(label=label, elem_id=name, buttons=["download"], **options)

    result_of = functools.partial(image_of, format="png", interactive=False)

    with gr.Blocks(title="ganzoo", analytics_enabled=False, delete_cache=(3600, 3600)) as blocks:
        gr.Markdown(WELCOME)
        title = gr.Dropdown(titles, value=titles[0], label="Model", elem_id="model")
        label = gr.Dropdown([], label="Class", visible=False, elem_id="label")
        with gr.Tabs() as chosen:
            with gr.Tab("Latents", id="generate") as latents_tab:
                gr.Markdown(HELP["latents"])
                with gr.Row():
                    with gr.Column():
                        with gr.Row():
                            seed = gr.Number(
                                0,
                                label="Seed",
                                info="Each makes another picture.",
                                precision=0,
                                minimum=0,
                                elem_id="seed",
                            )
                            cut = gr.Slider(
                                *(0.1, 4, 4),
                                step=0.1,
                                label="Truncation",
                                info="Less: more typical. At the right end: none.",
                            )
                        with gr.Row():
                            method = gr.Radio(
                                list(METHODS),
                                value="single latents",
                                label="What the sliders move",
                                info="One number each, or a direction found in the model.",
                                elem_id="method",
                            )
                            first = gr.Number(
                                0,
                                label="First slider",
                                info=f"Its number; {SLIDERS} are shown. Enter applies it.",
                                precision=0,
                                minimum=0,
                            )
                        amounts = [
                            gr.Slider(-4, 4, 0, step=0.05, label=f"{i}", elem_id=f"slider-{i}")
                            for i in range(SLIDERS)
                        ]
                    with gr.Column():
                        image = result_of("Picture", "picture")
                        save = gr.Button("Save picture, latents and code", elem_id="save")
                        download = gr.File(label="All in one zip", elem_id="download")
            with gr.Tab("Between") as between_tab:
                gr.Markdown(HELP["between"])
                with gr.Row():
                    start = gr.Number(0, label="From seed", precision=0, minimum=0)
                    end = gr.Number(1, label="To seed", precision=0, minimum=0)
                    steps = gr.Slider(2, 32, 8, step=1, label="Pictures")
                walk = gr.Button("Walk", elem_id="walk")
                strip = result_of("Strip", "strip")
                film = image_of("Animation", "film", interactive=False)
            with gr.Tab("Arithmetic") as arithmetic_tab:
                gr.Markdown(HELP["arithmetic"])
                with gr.Row():
                    groups = [
                        gr.Textbox(text, label=name)
                        for name, text in (
                            ("Mean of seeds", "0, 1, 2"),
                            ("minus mean of", "3, 4, 5"),
                            ("plus mean of", "6, 7, 8"),
                        )
                    ]
                equals = gr.Button("Calculate", elem_id="equals")
                result = result_of("The three means and the result", "result")
            parts, told, backward = [], [], {}
            large = functools.partial(result_of, height=440)
            for what in ("translate", "reconstruct"):
                with gr.Tab(what.capitalize(), id=what, visible=False) as tab:
                    gr.Markdown(HELP[what])
                    with gr.Row():
                        with gr.Column(min_width=240):
                            told.append(gr.Markdown())
                            # Not gr.Image, which reads the file itself, and says less of what is
                            # wrong.
                            given = gr.File(
                                label="Your picture",
                                elem_id=f"{what}-given",
                                type="filepath",
                                file_types=["image"],
                            )
                            backward[what] = gr.Checkbox(label="The other way", visible=False)
                            go = gr.Button(what.capitalize(), elem_id=f"{what}-go")
                        with gr.Column(scale=3), gr.Row():
                            taken = large("As the model takes it", f"{what}-taken")
                            made = large("What it makes of it", f"{what}-made")
                parts.append(tab)
                through = functools.partial(events.through, what)
                asked = [title, given, backward[what]]
                go.click(through, asked, [taken, made], api_name=what)

        quick = {"show_progress": "hidden", "trigger_mode": "always_last"}
        settings = [title, seed, cut, label, method, first, *amounts]
        tabs = [latents_tab, between_tab, arithmetic_tab, *parts]
        fresh = [events.sliders, [title, method, first], amounts]
        shown = [chosen, *tabs, label, first, cut, *told, backward["translate"]]
        for event in (title.change, blocks.load):
            ready = event(events.choose, title, shown).success(*fresh)
            ready.success(events.draw, settings, image)
        for event in (method.change, first.submit):
            event(*fresh).success(events.draw, settings, image)
        for event in (seed.input, cut.input, label.input, *(a.input for a in amounts)):
            event(events.draw, settings, image, **quick)
        save.click(events.bundle, settings, download)
        walk.click(events.between, [title, start, end, steps, label], [strip, film])
        equals.click(events.calculate, [title, *groups, label], result)
    return blocks


def _is_here(name):
    """Whether a host's name or address, or None, is one of this machine for itself."""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _OnlyFromHere:
    """Around the page's ASGI application: refuses what other sites ask of it.

    Any site that is open in a browser can have it send requests to this machine; and one that has
    its own name stand for 127.0.0.1 can read the answers. `Host` and `Origin` tell.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        from starlette import responses  # comes with Gradio

        told = [v.decode("latin-1") for k, v in scope.get("headers", ()) if k in self.telling]
        if all(map(self._names_here, told)):
            return await self.app(scope, receive, send)
        refusal = responses.PlainTextResponse("This page is for its own machine only.", 403)
        await refusal(scope, receive, send)

    telling = (b"host", b"origin")

    def _names_here(self, text):
        try:
            return _is_here(urllib.parse.urlsplit(text if "//" in text else f"//{text}").hostname)
        except ValueError:
            return False


def launch(
    entries: dict[str, Entry],
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    block: int = True,
) -> str:
    """Serve the page, to this machine only unless another host is said.

    Whoever can reach it can look at the models in `entries` and at none else, and upload pictures,
    for which see `MOST_BYTES`, `MOST_PIXELS` and `FORMATS`. There are no passwords.

    Args:
        entries: `{title: Entry}`.
        host, port: where: an address of this machine, of which 127.0.0.1 is for itself only and
            0.0.0.0 is all.
        open_browser: open it there.
        block: serve until interrupted.

    Returns:
        The address.

    Raises:
        ImportError: Gradio is not installed.
        OSError: the port is in use.
    """
    checks.integer("port", port, least=0)
    with socket.socket() as probe:  # before the work
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise ValueError(f"`port` must be 0..65535. Received: {port}.") from None
        except OSError as error:
            raise OSError(
                f"{host}:{port} cannot be served ({error.strerror}): say another with --port, or "
                "0 for any that is free."
            ) from None
        port = probe.getsockname()[1]
    # Each model's function is compiled once, of which TensorFlow counts too many.
    logging.getLogger("tensorflow").addFilter(lambda r: "retracing" not in r.getMessage())
    blocks = page(entries)
    import gradio as gr
    from starlette import middleware

    around = [middleware.Middleware(_OnlyFromHere)] if _is_here(host) else []
    theme = gr.themes.Default(font="system-ui", font_mono="monospace")  # none from the network
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        share=False,
        inbrowser=open_browser,
        prevent_thread_lock=True,
        quiet=True,
        max_file_size=MOST_BYTES,
        app_kwargs={"middleware": around},
        theme=theme,
        enable_monitoring=False,
        ssr_mode=False,
        run_history=False,
        footer_links=[],
        css=CSS,
    )
    if block:
        blocks.block_thread()
    return address
