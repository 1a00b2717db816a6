"""The page of `ganzoo explore`, with Gradio."""

import functools
import os
import pathlib
import shutil
import tempfile
import threading
from typing import Any

from ganzoo import images
from ganzoo.explore.explorer import METHODS
from ganzoo.explore.explorer import SLIDERS
from ganzoo.explore.explorer import Entry
from ganzoo.explore.explorer import Explorer


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
