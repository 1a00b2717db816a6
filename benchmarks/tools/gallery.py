"""The gallery at the top of `docs/models/README.md`: models by kind, with a thumbnail of each.

    python benchmarks/tools/gallery.py

That draws the thumbnails, from the images of the models' pages. `pages.py` writes the page.
"""

import pathlib

from PIL import Image

from ganzoo import zoo
from ganzoo.modalities import Waveforms
from ganzoo.zoo import catalogue

IMAGES = pathlib.Path(__file__).parents[2] / "docs" / "images"
THUMBNAILS = IMAGES / "thumbnails"
SIDE = 146
"""Most pixels of a thumbnail's side: five images of 28 pixels with a line around each, or two of
64."""

KINDS = {
    "Unconditional": "They learn from images alone, and generate others like them.",
    "Conditional": "They learn from labelled images, and generate the class that you ask for. "
    "`r3gan`, `sngan` and `sagan`\ndo so too, with `num_classes`.",
    "Semi-supervised": "It generates, and learns to classify from few labels.",
    "Autoencoders": "They turn images into codes. All but the plain autoencoder also generate.",
    "Translation": "They learn how the images of two domains correspond. `pix2pix` needs pairs.",
    "Upscaling": "It enlarges images.",
    "Sound": "It makes short sounds, with or without classes: see [sound](../sound.md).",
}
"""The kinds of models, in the order of the page, and what they have in common."""


def kind_of(name):
    """The kind of a model, by what it can do."""
    cls = zoo.model_class(name)
    if hasattr(cls, "translate") or hasattr(cls, "generate_pairs"):
        return "Translation"
    for method, kind in (
        ("upscale", "Upscaling"),
        ("encode", "Autoencoders"),
        ("classify", "Semi-supervised"),
    ):
        if hasattr(cls, method):
            return kind
    if _sounds(cls):
        return "Sound"
    return "Conditional" if cls.arguments().get("num_classes") else "Unconditional"


def title(name):
    """A model's name as its paper writes it."""
    return zoo.describe(name)["summary"].partition(": ")[0]


def year(name):
    """The year of a model's paper."""
    return zoo.describe(name)["year"]


def weights_of(name):
    """`{"model.tag": row}` of a model's trained weights, the most presentable first: larger images,
    then fewer remarks, then the name."""
    rows = [(key, row) for key, row in catalogue.rows().items() if row.model == name]
    order = lambda item: (-item[1].config["image_shape"][0], len(item[1].remarks), item[0])
    return dict(sorted(rows, key=order))


def best_image(name):
    """The image that represents a model, or None if it has none yet."""
    grids = [IMAGES / "weights" / key / "grid.png" for key in weights_of(name)]
    grids += sorted((IMAGES / "models").glob(f"{name}-*.png"))
    return next((path for path in grids if path.exists()), None)


def thumbnail(name):
    """The first images of a grid, as they are; None without a grid."""
    path = best_image(name)
    if path is None:
        return None
    with Image.open(path) as grid:
        tiles = (side for side in (128, 64, 32, 28) if not (grid.width - 1) % (side + 1))
        tile = next(tiles, None) or grid.width // 8  # a sheet of sounds has other sides
        count = max(SIDE // (tile + 1), 2)
        side = count * (tile + 1) + 1
        part = grid.convert("RGB").crop((0, 0, side, side))
    return part if side <= SIDE else part.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def cards():
    """The lines of the gallery."""
    lines = []
    for kind, what in KINDS.items():
        names = [name for name in zoo.own_models() if kind_of(name) == kind]
        lines += ["", f"## {kind}", "", what, "", "|  |  |", "|---|---|"]
        lines += [f"| {' | '.join(card(name))} |" for name in sorted(names, key=year)]
    return lines


def card(name):
    """The cells of a model: its thumbnail, and its facts."""
    called = title(name)
    image = f"![{called}](../images/thumbnails/{name}.png)" if best_image(name) else ""
    summary = zoo.describe(name)["summary"].partition(": ")[2]
    facts = f"**[{called}]({name}.md)** {year(name)}<br>`{name}`<br>"
    facts += summary[:1].upper() + summary[1:]
    tags = [key.partition(".")[2] for key in weights_of(name)]
    if tags:
        facts += f"<br>Weights: {', '.join(f'`{tag}`' for tag in tags)}"
    return image, facts


PAIRED = "Held-out images, in turn: one, its translation, its partner."
UNPAIRED = (
    "Held-out images, in turn: one, its translation, one of the other domain, its translation back."
)
"""Captions of the grids of translators that learn with and without pairs."""


def opening(name):
    """The lines with which a model's page begins: an image, and a few lines that use it."""
    path, lines = best_image(name), []
    if path is not None:
        made = f"the weights [`{path.parent.name}`](#the-weights-{path.parent.suffix[1:]})"
        if path.parent.name == "models":
            made = f"a [short training](#measured-on-{path.stem.partition('-')[2]})"
        shown = _shown(zoo.model_class(name)).rstrip(".")
        place = path.relative_to(IMAGES).as_posix()
        lines = [f"![{shown}](../images/{place})", "", f"{shown}. From {made}.", ""]
    key = next(iter(weights_of(name)), None)
    code = _python(name, key)
    fence = "python" if key else "py"  # tests run the former
    lines += [f"```{fence}", "import ganzoo", "", *code, "```", ""] if code else []
    return [*lines, "```sh", *_commands(name, key), "```"]


def _shown(cls):
    """What the image of a model shows."""
    if hasattr(cls, "translate"):
        return PAIRED if cls.paired else UNPAIRED
    if hasattr(cls, "generate_pairs"):
        return "Pairs of samples, one of each domain"
    return "Samples" if hasattr(cls, "generate") else "Test images and their reconstructions"


def _python(name, key):
    """A few lines of Python that use a model, with weights if there are any."""
    cls = zoo.model_class(name)
    if hasattr(cls, "translate") or hasattr(cls, "upscale"):
        return []  # their commands show more
    if key:
        config = catalogue.rows()[key].config
        labels = "labels=7, " if config.get("num_classes") else ""
        things, dtype = ("clips", "int16") if _sounds(cls) else ("images", "uint8")
        shape = ", ".join(map(str, (16, *config["image_shape"])))
        return [
            f'model = ganzoo.get("{name}", weights="{key.partition(".")[2]}")',
            f"{things} = model.generate(16, {labels}seed=0)  # {dtype}, ({shape})",
        ]
    lines = [f'model = ganzoo.get("{name}")']
    if hasattr(cls, "generate_pairs"):
        lines += ["model.fit(images, others, epochs=20)"]
        return [*lines, "images, others = model.generate_pairs(16, seed=0)"]
    if _sounds(cls):
        lines += ['model.fit(ganzoo.datasets.load("words.zip", batch_size=32), epochs=20)']
        return [*lines, 'model.modality.save(model.generate(16, seed=0), "samples")  # WAV files']
    lines += ['model.fit(ganzoo.datasets.load("fashion_mnist", batch_size=32), epochs=20)']
    made = "generate(16, seed=0)" if hasattr(cls, "generate") else "reconstruct(images)"
    return [*lines, f"images = model.{made}"]


def _commands(name, key):
    """A few commands that use a model, with weights if there are any."""
    kind = kind_of(name)
    if kind == "Upscaling":
        return [
            f"ganzoo train {name} --data PHOTOS --image-size 256 --set crop=64 --out runs/photos",
            "ganzoo upscale runs/photos small.jpg -o large.png",
        ]
    if kind == "Translation":
        train = f"ganzoo train {name} --data IMAGES --to OTHERS --image-size 64"
        return [f"ganzoo translate {key} IMAGES -o translated/", train] if key else [train]
    if _sounds(zoo.model_class(name)):
        return [
            f"ganzoo train {name} --data WORDS --sample-rate 8000 --length 8192 --out runs/words",
            "ganzoo sample runs/words -n 8 -o samples/",
        ]
    return [f"ganzoo train {name} --data IMAGES --image-size 64"]


def _sounds(cls):
    """Whether a model makes sounds."""
    return isinstance(cls.modalities[0], Waveforms)


def main():
    THUMBNAILS.mkdir(exist_ok=True)
    for name in zoo.own_models():
        image = thumbnail(name)
        if image is not None:
            image.save(THUMBNAILS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
