"""The folder of a page: its files, its description of the model, and the page itself."""

import base64
import gzip
import json
import pathlib
from typing import Any

import jinja2

from ganzoo import export
from ganzoo import latent
from ganzoo import types
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.game import Game
from ganzoo.web import examples as example_images
from ganzoo.web import runtime as runtimes
from ganzoo.zoo import catalogue

LARGEST = 1 << 25
"""Bytes of the largest page that contains everything, by default: 32 MiB."""
DIRECTIONS = 8
"""Number of sliders."""
THROUGH = ("translate", "translate_back", "upscale", "reconstruct")
"""What pages do with an image, if the model generates none."""
PAGE, DESCRIPTION = "index.html", "model.json"
FILES = {
    "from_latents": "model.onnx",
    "draw": "latents.onnx",
    "translate": "model.onnx",
    "translate_back": "back.onnx",
    "upscale": "model.onnx",
    "reconstruct": "model.onnx",
}
"""The file of each function."""
RUNTIME = {
    runtimes.SCRIPT: f"runtime/{runtimes.SCRIPT}.gz",
    runtimes.BINARY: f"runtime/{runtimes.BINARY}.gz",
}
ASSETS = pathlib.Path(__file__).with_name("page")
SCRIPTS = "parts network pictures latents stage walk generator through main".split()
"""The page's scripts, in order; one scope holds all of them."""


def write(
    model: Game,
    folder: types.Path,
    *,
    name: types.Path | None = None,
    truncation: float | None = None,
    examples: types.Path | None = None,
    runtime: types.Path | None = None,
    whole: bool | None = None,
) -> pathlib.Path:
    """Write a page that runs a model in a browser, without Python and without a network.

    | file | content |
    |---|---|
    | `index.html` | the page, with all other files in it if `whole` |
    | `model.onnx` | `from_latents`, `translate`, `upscale` or `reconstruct` of `ganzoo.export` |
    | `back.onnx` | `translate_back`, if the model has learned it |
    | `latents.onnx` | from `seeds` int64 `(n,)` to `latents` float32 `(n, latent_width)` |
    | `model.json` | what the page shows: shapes, classes, principal directions, examples |
    | `runtime/` | onnxruntime-web, unless it is in `index.html` |

    The page draws from seeds as `ganzoo.export` does: the image of a seed is
    `generate(1, latents=export.latents(model, seed, 1))`, not that of `generate(seed=…)`.

    Weights that are numbers of 16 bits, as published ones are, are stored in 16 bits; the page
    computes in 32.

    Args:
        model: a built model of images, in float32, that generates, translates, enlarges or
            reconstructs.
        folder: folder to write. It is replaced if it is such a page; otherwise it must be empty.
        name: what the weights were loaded from, such as `"r3gan.mnist"` or a run folder: the
            page's title, from which the names of the classes and the data follow.
        truncation: as for `ganzoo.export.write`.
        examples: for models that take images: some of them to begin with, as
            `ganzoo.datasets.image_files.open_images` takes them. None: simple drawings.
        runtime: onnxruntime-web, see `ganzoo.web.runtime.find`. None: it is downloaded once into
            the cache folder.
        whole: whether `index.html` contains everything, so that it runs wherever it lies, also
            opened as a file. None: if it then has at most `LARGEST` bytes.

    Returns:
        The path of the page, `index.html`.

    Raises:
        ValueError: an argument is out of range, the model has nothing to show or computes in half
            precision, the backend is not TensorFlow, the folder has other files, or the runtime is
            damaged.
        ImportError: tf2onnx is not installed.
        OSError: the runtime cannot be downloaded, or the folder cannot be written.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("r3gan", weights="mnist", precision="float32")
    >>> ganzoo.web.write(model, "digits", name="r3gan.mnist")  # doctest: +SKIP
    PosixPath('digits/index.html')
    """
    folder = pathlib.Path(folder).expanduser()
    chosen = _functions(model, folder, truncation)
    if examples is not None and "from_latents" in chosen:
        raise ValueError(
            f"{type(model).__name__} makes images of random numbers alone: leave out `examples`."
        )
    export.must_be_possible("web")
    _must_be_free(folder)
    engine = runtimes.find(runtime)
    facts = describe(model, chosen, name, examples)
    from ganzoo.backend import exporters

    files = {FILES[f[0]]: exporters.onnx(f, halve=True) for f in chosen.values()}
    files[DESCRIPTION] = json.dumps(facts, ensure_ascii=False).encode()
    packed = {key: gzip.compress(engine[key], mtime=0) for key in RUNTIME}
    inside = {k: _text(v) for k, v in {**files, **packed}.items()}
    if whole is None:
        whole = sum(map(len, inside.values())) <= LARGEST
    page = _page(facts, inside if whole else {})
    if not whole:
        files |= {RUNTIME[key]: content for key, content in packed.items()}
    with atomic.replacing_whole(folder) as work:
        for place, content in {**files, PAGE: page.encode()}.items():
            path = work / "made" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder / PAGE


def _functions(model, folder, truncation):
    """The functions that the page needs: `{name: (name, inputs, function)}`."""
    _, every = export.plan(model, folder, form="savedmodel", truncation=truncation)
    if not model.modality.size:
        raise ValueError(
            f"A page shows images, and this model is one of {model.modality.name}. Write it as "
            "another format, such as ONNX."
        )
    every = {function[0]: function for function in every}
    if "from_latents" in every:
        chosen = [_with_one_output(every["from_latents"]), export.drawing(model, truncation)]
    else:
        chosen = [every[name] for name in THROUGH if name in every]
    if not chosen:
        raise ValueError(
            f"{type(model).__name__} has nothing that a page could show: it neither generates nor "
            "translates, enlarges or reconstructs images."
        )
    return {function[0]: function for function in chosen}


def _with_one_output(function):
    """The function with images of two domains next to each other, if it makes two."""
    from keras import ops

    name, inputs, run = function

    def joined(**tensors):
        made = list(run(**tensors).values())
        return {"pictures": made[0] if len(made) == 1 else ops.concatenate(made, axis=2)}

    return name, inputs, joined


def _must_be_free(folder):
    """Raise a `ValueError` if a folder has other files than those of a page."""
    found = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
    own = {PAGE, DESCRIPTION, "runtime", *FILES.values()}
    if found and (found - own or not {PAGE, DESCRIPTION} <= found):
        other = min(found - own, default=min(found))
        raise ValueError(
            f"{str(folder)!r} is not empty and no page that ganzoo wrote: it has {other!r}. Choose "
            "another folder, or empty it."
        )


def _text(content):
    """Bytes as text inside a page, compressed."""
    packed = content if content[:2] == b"\x1f\x8b" else gzip.compress(content, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def describe(
    model: Game,
    functions: dict[str, Any],
    name: types.Path | None = None,
    examples: types.Path | None = None,
) -> dict[str, Any]:
    """What a page shows of a model, as plain data: `model.json`.

    Args:
        model: the model.
        functions: the functions that the page runs, by name.
        name, examples: see `write`.
    """
    data = {} if name is None else catalogue.trained_on(name)
    facts: dict[str, Any] = {
        "title": _title(model, name),
        "model": type(model).__name__,
        "data": [texts.shown(pathlib.Path(word).stem) for word in _domains(data)],
        "licence": data.get("licence"),
    }
    if "from_latents" in functions:
        return {**facts, "kind": "generate", **_of_generator(model, data)}
    shape = model.small_shape if "upscale" in functions else model.image_shape
    return {
        **facts,
        "kind": "through",
        "shape": list(shape),
        "functions": [{"name": key, "file": FILES[key]} for key in functions],
        "examples": example_images.of(examples, shape, data.get("value_range")),
    }


def _domains(data):
    """Names of the data sets: of two domains, weights have them in one text."""
    words = data.get("data", [])
    return words[0].split(" and ") if len(words) == 1 else words


def _title(model, name):
    if name is None:
        return type(model).__name__
    if str(name) in catalogue.rows():
        return str(name)
    path = pathlib.Path(name)
    return texts.shown(path.stem if path.suffix in (".keras", ".safetensors") else path.name)


def _of_generator(model, data):
    count, length = model.num_classes or 0, model.latent_width
    height, width, channels = model.image_shape
    names = [texts.shown(word) for word in data.get("class_names", [])]
    found = latent.directions(model, min(DIRECTIONS, length), samples=max(2000, 2 * length))
    return {
        "shape": [height, width * (1 if model.paired is None else 2), channels],
        "latent_width": length,
        "classes": names if len(names) == count else [str(i) for i in range(count)],
        "directions": {
            "method": found.method,
            "shares": [round(float(share), 4) for share in found.shares],
            "vectors": [[round(float(x), 6) for x in vector] for vector in found.vectors],
        },
    }


def _page(facts, inside):
    """The page's text; `inside`: the files that it contains, as text."""
    read = lambda name: (ASSETS / name).read_text(encoding="utf-8")
    template = jinja2.Template(read("index.html"), autoescape=True, keep_trailing_newline=True)
    return template.render(
        title=facts["title"],
        kind=facts["kind"],
        style=read("style.css"),
        worker=read("worker.js"),
        script="\n".join(read(f"{name}.js") for name in SCRIPTS),
        inside=inside,
        places={DESCRIPTION: DESCRIPTION, **{n: n for n in FILES.values()}, **RUNTIME},
        engine={"script": runtimes.SCRIPT, "binary": runtimes.BINARY},
        version=runtimes.VERSION,
    )
