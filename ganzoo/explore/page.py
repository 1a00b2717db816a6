"""The page of `ganzoo explore`, with Gradio."""

import functools
import os
from typing import Any

from ganzoo.explore.events import Events
from ganzoo.explore.explorer import METHODS
from ganzoo.explore.explorer import SLIDERS
from ganzoo.explore.explorer import THROUGH
from ganzoo.explore.explorer import Entry
from ganzoo.explore.explorer import Explorer


async def _fetch_nothing(address, *_, **__):
    raise ValueError(f"The page downloads nothing, so not {address!r} either: upload a file.")


CSS = """
#image img, #strip img, #film img, #result img, [id$=-taken] img, [id$=-made] img {
    image-rendering: pixelated;
}
[id$=-taken] img, [id$=-made] img {width: 100%; height: 100%; object-fit: contain}
"""
WELCOME = "# ganzoo\nTrained models to play with: choose one, then move the controls below."
HELP = {
    "latents": "The model makes an image from random numbers, its latents: draw others by the "
    "seed, or move them by the sliders.",
    "between": "The way from the image of one seed to that of another.",
    "arithmetic": "Latents of several seeds, averaged, then subtracted and added: do the images "
    "follow?",
    "translate": "Upload an image, and see what the model turns it into.",
    "upscale": "Upload an image, and see it enlarged.",
    "reconstruct": "Upload an image: the model encodes it as a few numbers, and makes it again "
    "from them.",
}
"""A line of help for each tab."""


def page(entries: dict[str, Entry]) -> Any:
    """The page: a `gradio.Blocks`, which `launch` serves.

    Args:
        entries: `{title: Entry}`.

    Raises:
        ImportError: Gradio is not installed.
    """
    gr = _gradio()
    events = Events(Explorer(entries), gr)
    titles = list(events.explorer.entries)
    with gr.Blocks(title="ganzoo", analytics_enabled=False, delete_cache=(3600, 3600)) as blocks:
        gr.Markdown(WELCOME)
        title = gr.Dropdown(titles, value=titles[0], label="Model", elem_id="model")
        label = gr.Dropdown([], label="Class", visible=False, elem_id="label")
        with gr.Tabs() as tabs:
            latents = _Latents(gr, title, label)
            between = _Between(gr, title, label)
            arithmetic = _Arithmetic(gr, title, label)
            through = [_Through(gr, title, what, events) for what in THROUGH]
        parts: list[Any] = [latents, between, arithmetic, *through]
        shown = [tabs, *(part.tab for part in parts)]
        shown += [label, latents.first, latents.truncation]
        shown += [*(part.wants for part in through), through[0].reverse]
        for event in (title.change, blocks.load):
            latents.start(events, event(events.choose, title, shown))
        latents.connect(events)
        between.connect(events)
        arithmetic.connect(events)
    return blocks


def _gradio():
    """The module `gradio`, set up to make no requests to the network."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # that of Gradio's own dependencies
    try:
        import gradio as gr
        import safehttpx  # comes with Gradio
    except ImportError:
        raise ImportError("The page needs Gradio: `pip install 'ganzoo[explore]'`.") from None
    # Gradio downloads any public address that a visitor names, for `/gradio_api/file=` and as the
    # value of any field, and asks Google about unknown host names.
    safehttpx.get = safehttpx.async_validate_url = _fetch_nothing

    # The page shows a visitor's errors; by default the terminal would, too, at length.
    gr.Error.__init__ = functools.partialmethod(gr.Error.__init__, print_exception=False)
    return gr


def _image(gr, label, elem_id, **options):
    return gr.Image(
        label=label, elem_id=elem_id, buttons=["download"], interactive=False, **options
    )


class _Latents:
    """The tab of one image: its seed, and the sliders that move its latents."""

    def __init__(self, gr, title, label):
        self.title, self.label = title, label
        with gr.Tab("Latents", id="generate") as self.tab:
            gr.Markdown(HELP["latents"])
            with gr.Row():
                with gr.Column():
                    with gr.Row():
                        self._add_start(gr)
                    with gr.Row():
                        self._add_method(gr)
                    self.amounts = [
                        gr.Slider(-4, 4, 0, step=0.05, label=f"{i}", elem_id=f"slider-{i}")
                        for i in range(SLIDERS)
                    ]
                with gr.Column():
                    self.image = _image(gr, "Image", "image", format="png")
                    self.save = gr.Button("Save image, latents and code", elem_id="save")
                    self.download = gr.File(label="All in one zip", elem_id="download")

    def _add_start(self, gr):
        self.seed = gr.Number(
            0,
            label="Seed",
            info="Each gives another image.",
            precision=0,
            minimum=0,
            elem_id="seed",
        )
        self.truncation = gr.Slider(
            *(0.1, 4, 4),
            step=0.1,
            label="Truncation",
            info="Lower: more typical. At the right end: no truncation.",
        )

    def _add_method(self, gr):
        self.method = gr.Radio(
            list(METHODS),
            value="single latents",
            label="What the sliders move",
            info="One latent each, or a direction computed from the model.",
            elem_id="method",
        )
        self.first = gr.Number(
            0,
            label="First slider",
            info=f"Its number; {SLIDERS} are shown. Enter applies it.",
            precision=0,
            minimum=0,
        )

    @property
    def _settings(self):
        """The fields that determine an image."""
        start = [self.title, self.seed, self.truncation, self.label]
        return [*start, self.method, self.first, *self.amounts]

    @property
    def _slider_settings(self):
        return [self.title, self.method, self.first]

    def start(self, events, chosen):
        """Show sliders and an image after a model is chosen."""
        ready = chosen.success(events.sliders, self._slider_settings, self.amounts)
        ready.success(events.draw, self._settings, self.image)

    def connect(self, events):
        """Update the image when a field changes."""
        for event in (self.method.change, self.first.submit):
            ready = event(events.sliders, self._slider_settings, self.amounts)
            ready.success(events.draw, self._settings, self.image)
        quick = {"show_progress": "hidden", "trigger_mode": "always_last"}
        for field in (self.seed, self.truncation, self.label, *self.amounts):
            field.input(events.draw, self._settings, self.image, **quick)
        self.save.click(events.bundle, self._settings, self.download)


class _Between:
    """The tab of the way between two seeds."""

    def __init__(self, gr, title, label):
        self.title, self.label = title, label
        with gr.Tab("Between") as self.tab:
            gr.Markdown(HELP["between"])
            with gr.Row():
                self.start = gr.Number(0, label="From seed", precision=0, minimum=0)
                self.end = gr.Number(1, label="To seed", precision=0, minimum=0)
                self.steps = gr.Slider(2, 32, 8, step=1, label="Images")
            self.walk = gr.Button("Walk", elem_id="walk")
            self.strip = _image(gr, "Strip", "strip", format="png")
            self.film = _image(gr, "Animation", "film")

    def connect(self, events):
        """Walk at a click."""
        settings = [self.title, self.start, self.end, self.steps, self.label]
        self.walk.click(events.between, settings, [self.strip, self.film])


class _Arithmetic:
    """The tab of sums and differences of latents."""

    def __init__(self, gr, title, label):
        self.title, self.label = title, label
        groups = {
            "Mean of seeds": "0, 1, 2",
            "minus mean of": "3, 4, 5",
            "plus mean of": "6, 7, 8",
        }
        with gr.Tab("Arithmetic") as self.tab:
            gr.Markdown(HELP["arithmetic"])
            with gr.Row():
                self.groups = [gr.Textbox(text, label=name) for name, text in groups.items()]
            self.equals = gr.Button("Calculate", elem_id="equals")
            self.result = _image(gr, "The three means and the result", "result", format="png")

    def connect(self, events):
        """Calculate at a click."""
        settings = [self.title, *self.groups, self.label]
        self.equals.click(events.calculate, settings, self.result)


class _Through:
    """The tab of an uploaded image that a model translates, reconstructs or enlarges."""

    def __init__(self, gr, title, what, events):
        with gr.Tab(what.capitalize(), id=what, visible=False) as self.tab:
            gr.Markdown(HELP[what])
            with gr.Row():
                with gr.Column(min_width=240):
                    self.wants = gr.Markdown()
                    # gr.Image would read the file itself, with less helpful errors.
                    upload = gr.File(
                        label="Your image",
                        elem_id=f"{what}-given",
                        type="filepath",
                        file_types=["image"],
                    )
                    self.reverse = gr.Checkbox(label="Reverse", visible=False)
                    go = gr.Button(what.capitalize(), elem_id=f"{what}-go")
                with gr.Column(scale=3), gr.Row():
                    large = functools.partial(_image, gr, format="png", height=440)
                    taken = large("The model's input", f"{what}-taken")
                    output = large("Its output", f"{what}-made")
        through = functools.partial(events.through, what)
        go.click(through, [title, upload, self.reverse], [taken, output], api_name=what)
