"""Models as ONNX, LiteRT, SavedModel or safetensors files, from a seed to an image."""

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any
from typing import Literal

import keras
import numpy as np
from keras import ops

from ganzoo import types
from ganzoo import validation
from ganzoo.families.autoencoding import to_codes
from ganzoo.files import atomic
from ganzoo.files import safetensors
from ganzoo.game import Game

FORMS = {".onnx": "onnx", ".tflite": "litert", ".safetensors": "safetensors", "": "savedmodel"}
"""The form that each ending of a path stands for."""
PRIME, ANOTHER_PRIME = 2**31 - 1, 2**31 - 19


def write(
    model: Game,
    path: types.Path,
    *,
    form: Literal["onnx", "litert", "safetensors", "savedmodel"] | None = None,
    function: str | None = None,
    truncation: float | None = None,
) -> pathlib.Path:
    """Write a model so that other programs can run it without ganzoo.

    | form | what is written | run by |
    |---|---|---|
    | `"savedmodel"` | a folder, each function a signature | TensorFlow, TensorFlow Serving |
    | `"litert"` | a `.tflite` file, each function a signature | LiteRT, on phones and boards |
    | `"onnx"` | an `.onnx` file of one function | ONNX Runtime, in browsers and many languages |
    | `"safetensors"` | the weights, as `ganzoo.get(name, weights=path)` takes them | ganzoo |

    | function | takes | returns |
    |---|---|---|
    | `from_latents` | `latents (n, latent_width)` float32 | `pictures` |
    | `from_seed` | `seed ()` int64, and `count ()` int64 | `pictures` |
    | `translate`, `translate_back` | `images` | `pictures` |
    | `upscale` | `images`, small ones of the size in training | `pictures` |
    | `encode` | `images` | `codes (n, latent_dim)` float32 |
    | `reconstruct` | `images` | `pictures` |

    `images` and `pictures` are uint8 `(n, height, width, channels)`; for a model of points, they
    are float32 `(n, length)`. For a conditional model, `from_latents` also takes `labels (n,)`
    int32, and `from_seed` takes them in place of `count`. A model of two coupled domains returns
    `images` and `targets` in place of `pictures`.

    One seed gives the same samples in every form and for every count. They are those of
    `generate(latents=export.latents(model, seed, count))`, not those of `generate(seed=…)`.

    Args:
        model: a built model of the zoo, in float32.
        path: file or folder to write. An existing file is replaced, a folder only if it is a
            SavedModel.
        form: see above. None: by the ending of `path`.
        function: the only function to write. None: all of them; for ONNX, the first that the model
            has.
        truncation: as for `generate`, for everything that is drawn from seeds; in models whose
            networks take it, such as `stylegan2`, for all samples.

    Returns:
        The path.

    Raises:
        ValueError: an argument is out of range, the model has nothing to export or computes in
            half precision, or the backend is not TensorFlow (weights are written on any).
        ImportError: a package that the form needs is not installed.
        OSError: the path cannot be written.

    Example:

    >>> import ganzoo, tempfile, pathlib
    >>> model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "dcgan.tflite"
    >>> ganzoo.export.write(model, path).stat().st_size > 10_000
    True
    """
    path = pathlib.Path(path)
    form, chosen = plan(model, path, form=form, function=function, truncation=truncation)
    must_be_possible(form)
    folder_there = form == "savedmodel" and path.exists()
    if folder_there and not (path / "saved_model.pb").exists():
        raise ValueError(
            f"{str(path)!r} exists and is no SavedModel. Choose another place with `path`."
        )
    with atomic.replacing_whole(path) as work:
        _make(model, form, chosen, work)
    return path


def plan(
    model: Game,
    path: types.Path,
    *,
    form: Literal["onnx", "litert", "safetensors", "savedmodel"] | None = None,
    function: str | None = None,
    truncation: float | None = None,
) -> tuple[str, list[tuple[str, dict[str, Any], Callable]]]:
    """What `write` would write: `(form, functions)`, see `functions`. Weights have no functions.

    Arguments and errors are those of `write`.
    """
    form = _form_of(path, form)
    model.must_be_built()
    if form == "safetensors":
        if function is not None or truncation is not None:
            raise ValueError("Weights alone have no functions: leave out `function`, `truncation`.")
        return form, []
    if model.dtype_policy.name != "float32":
        raise ValueError(
            f"Exported models compute in float32, and this one in {model.dtype_policy.name!r}. "
            "Load its weights with `ganzoo.get(name, weights=…, precision='float32')`."
        )
    chosen = functions(model, truncation)
    if not chosen:
        raise ValueError(f"{type(model).__name__} has nothing that could be exported.")
    if function is not None:
        validation.one_of("function", function, [name for name, _, _ in chosen])
        chosen = [x for x in chosen if x[0] == function]
    chosen = chosen[:1] if form == "onnx" else chosen
    alone = [name for name, _, _ in chosen] == ["from_latents"]
    if alone and truncation is not None and model.truncates_latents:
        raise ValueError(
            "Latents that are given are not truncated: leave out `truncation`, or export "
            "`function='from_seed'`."
        )
    return form, chosen


def must_be_possible(form: str) -> None:
    """Raise an error unless this backend, and what is installed, can write a form."""
    if form != "safetensors" and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"{form!r} is written on TensorFlow: set KERAS_BACKEND=tensorflow. Weights are the "
            "same on all backends."
        )
    if form in ("onnx", "web") and importlib.util.find_spec("tf2onnx") is None:
        raise ImportError("ONNX files need tf2onnx: `pip install 'ganzoo[export]'`.")


def _form_of(path, form):
    """The form that is asked for, or that the ending of the path stands for."""
    ending = pathlib.Path(path).suffix
    if form is None and ending.lower() not in FORMS:
        raise ValueError(
            f"`form` does not follow from the ending {ending!r}. Known endings: "
            f"{', '.join(filter(None, FORMS))}; a folder without one is a SavedModel. Or pass "
            f"`form`: {', '.join(FORMS.values())}."
        )
    form = FORMS[ending.lower()] if form is None else form
    return validation.one_of("form", form, tuple(FORMS.values()))


def _make(model, form, chosen, work):
    """Write `made` into a folder to work in."""
    made = work / "made"
    if form == "safetensors":
        return safetensors.write(model, made)
    from ganzoo.backend import exporters

    if form == "savedmodel":
        exporters.savedmodel(chosen, made)
    elif form == "litert":
        made.write_bytes(exporters.litert(chosen, work / "saved"))
    else:
        made.write_bytes(exporters.onnx(chosen[0]))


def functions(
    model: Game, truncation: float | None = None
) -> list[tuple[str, dict[str, Any], Callable]]:
    """The functions of a model: `(name, inputs, function)`, see `ganzoo.backend.exporters`."""
    validation.optional(validation.real, "truncation", truncation, above=0)
    every = []
    if hasattr(model, "generate"):
        every += _generating(model, truncation)
    images = {"images": ((None, *model.image_shape), model.modality.dtype)}
    if hasattr(model, "translate"):
        for name, reverse in (("translate", False), ("translate_back", True)):
            try:
                network = model.translator(reverse)
            except ValueError:  # it has no way back
                continue
            every.append((name, images, _translating(network, model.modality)))
    if hasattr(model, "upscale"):
        small = {"images": ((None, *model.small_shape), model.modality.dtype)}
        every.append(("upscale", small, _upscaling(model)))
    if hasattr(model, "encode"):
        encode, reconstruct = _encoding(model)
        every += [("encode", images, encode), ("reconstruct", images, reconstruct)]
    return every


def _translating(network, kind):
    def translate(images):
        outputs = network(kind.preprocess(images), training=False)
        return {"pictures": kind.postprocess(outputs)[0]}

    return translate


def _upscaling(model):
    network, kind, margin = model.in_use("generator"), model.modality, model.margin
    sides, beyond = model.small_shape[:2], margin * model.scale
    rows, columns = (np.pad(np.arange(side), margin, mode="symmetric") for side in sides)
    middle = [slice(beyond, beyond + side * model.scale) for side in sides]

    def upscale(images):
        x = ops.take(ops.take(kind.preprocess(images), rows, axis=1), columns, axis=2)
        outputs = network(x, training=False)[:, middle[0], middle[1]]
        return {"pictures": kind.postprocess(outputs)[0]}

    return upscale


def _encoding(model):
    encoder, decoder = model.in_use("encoder"), model.in_use(model.sampling_network)
    kind = model.modality

    def encode(images):
        return {"codes": to_codes(encoder(kind.preprocess(images), training=False))[0]}

    def reconstruct(images):
        outputs = decoder(encode(images)["codes"], training=False)
        return {"pictures": kind.postprocess(outputs)[0]}

    return encode, reconstruct


def _generating(model, truncation):
    network, conditional = model.sampler, model.num_classes is not None
    labels = {"labels": ((None,), "int32")} if conditional else {}
    settings = [float(ops.convert_to_numpy(value)) for value in model.settings(truncation)]

    def from_latents(latents, labels=None):
        inputs = [latents] + ([labels] if conditional else [])
        one = ops.ones_like(latents[:, :1])
        inputs += [value * one for value in settings]
        made = network(inputs if len(inputs) > 1 else latents, training=False)
        made = made if isinstance(made, dict) else {"pictures": made}
        return {name: model.modality.postprocess(x)[0] for name, x in made.items()}

    def from_seed(seed, count=None, labels=None):
        if conditional:  # as many as there are labels
            places = ops.cumsum(ops.ones_like(labels, dtype="int64")) - 1
        else:
            places = ops.arange(count, dtype="int64")
        return from_latents(_drawn(model, seed, places[:, None], truncation), labels)

    given = {"latents": ((None, model.latent_width), "float32"), **labels}
    drawn = {"seed": ((), "int64"), **(labels or {"count": ((), "int64")})}
    return [("from_latents", given, from_latents), ("from_seed", drawn, from_seed)]


def drawing(model: Game, truncation: float | None = None) -> tuple[str, dict[str, Any], Callable]:
    """The function from `seeds`, int64 `(n,)`, to `latents`, float32 `(n, latent_width)`, as
    `functions` has them: for each seed the vector `latents(model, seed, 1)`."""
    validation.optional(validation.real, "truncation", truncation, above=0)

    def draw(seeds):
        return {"latents": _drawn(model, seeds[:, None], 0, truncation)}

    return "draw", {"seeds": ((None,), "int64")}, draw


def _drawn(model, seeds, places, truncation):
    """Latents by operations every runtime has; seeds and places are columns, or numbers."""
    columns = ops.arange(model.latent_prior.draws, dtype="int64")[None]
    numbers = ops.cast(scramble(seeds, places, columns), "float32")
    return model.latent_prior.of_uniform(uniform(numbers), truncation)


def latents(model: Game, seed: int, count: int, truncation: float | None = None) -> np.ndarray:
    """The latents that an exported model draws from a seed, `(count, latent_width)` float32.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    >>> ganzoo.export.latents(model, 7, 3).shape
    (3, 100)
    """
    places = np.arange(validation.integer("count", count))[:, None]
    # By NumPy, because not every backend has numbers of 64 bits.
    numbers = scramble(
        validation.integer("seed", seed, least=0), places, np.arange(model.latent_prior.draws)[None]
    )
    shares = uniform(ops.convert_to_tensor(numbers.astype("float32")))
    return np.asarray(ops.convert_to_numpy(model.latent_prior.of_uniform(shares, truncation)))


def scramble(seed: Any, places: Any, columns: Any) -> Any:
    """Whole numbers below `PRIME` that look random and depend on seed, place and column alone.

    Every runtime has whole numbers, and few have the same random ones: here the rounds of a block
    cipher, (a, b) → (b + (a + k)⁵, a) modulo a prime, each of which exchanges all pairs (Albrecht,
    Grassi, Rechberger, Roy, Tiessen 2016, "MiMC: Efficient Encryption and Cryptographic Hashing
    with Minimal Multiplicative Complexity", section 2.1), over the seed, the place and the column
    in turn. Two remainders, because together they say which seed it is, up to their product, and
    not every runtime divides whole numbers.
    """
    pair = _rounds(seed % PRIME, seed % ANOTHER_PRIME)
    pair = _rounds(pair[0] + places, pair[1])
    return _rounds(pair[0] + columns, pair[1])[0]


def _rounds(a, b):
    for constant in (0x2545F491, 0x4F6CDD1D, 0x5851F42D, 0x14057B7E):  # from well-known generators
        x = (a + constant) % PRIME
        square = (x * x) % PRIME
        a, b = (b + ((square * square) % PRIME) * x) % PRIME, a % PRIME
    return a, b


def uniform(numbers: types.Tensor) -> types.Tensor:
    """Numbers below `PRIME`, as floats, scaled into (0, 1); the largest would round to 1."""
    return ops.minimum((numbers + 0.5) / PRIME, 1 - 2**-24)
