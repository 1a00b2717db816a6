"""Models in the forms that are deployed, with all that stands between a number and a picture."""

import importlib.util
import pathlib
import shutil
import tempfile

import keras
import numpy as np
from keras import ops

from ganzoo import checks
from ganzoo import tensors
from ganzoo.encoding import to_codes
from ganzoo.pictures import scaled
from ganzoo.pictures import to_pictures

FORMS = {".onnx": "onnx", ".tflite": "litert", ".safetensors": "safetensors"}
"""What files are by their ending; a folder is a SavedModel."""
PRIME, ANOTHER_PRIME = 2**31 - 1, 2**31 - 19


def write(model, path, *, form=None, function=None, truncation=None):
    """Write a model so that others can run it without ganzoo.

    | form | what is written | run by |
    |---|---|---|
    | `"savedmodel"` | a folder, each function a signature | TensorFlow, TensorFlow Serving |
    | `"litert"` | a `.tflite` file, each function a signature | LiteRT, on phones and boards |
    | `"onnx"` | an `.onnx` file of one function | ONNX Runtime, in browsers and many languages |
    | `"safetensors"` | the weights, as `ganzoo.get(name, weights=path)` takes them | ganzoo |

    | function | takes | gives |
    |---|---|---|
    | `from_latents` | `latents (n, latent_width)` float32 | `pictures` |
    | `from_seed` | `seed ()` int64, and `count ()` int64 | `pictures` |
    | `translate`, `translate_back` | `images` | `pictures` |
    | `encode` | `images` | `codes (n, latent_dim)` float32 |
    | `reconstruct` | `images` | `pictures` |

    `images` and `pictures` are uint8 `(n, height, width, channels)`. Of a conditional model,
    `from_latents` also takes `labels (n,)` int32, and `from_seed` takes them in place of `count`.
    Of two coupled domains, `images` and `targets` are given in place of `pictures`.

    The same seed gives the same pictures in every form and whatever the count, but not those of
    `generate(seed=…)`, which draws otherwise: they are those of
    `generate(latents=export.latents(model, seed, count))`.

    Args:
        model: a built model of the zoo.
        path: file or folder to write, replaced if it is there and of the same form.
        form: see above. None: by the ending of `path`.
        function: for ONNX, which; None: the first that the model has.
        truncation: as for `generate`, for all that is drawn from seeds, and for models whose
            networks take it, such as `stylegan2`, for all pictures.

    Returns:
        The path.

    Raises:
        ValueError: an argument is out of range, the model has nothing to export, or the backend is
            not TensorFlow (weights alone can be written on any).
        ImportError: what the form needs is not installed.
        OSError: the path cannot be written.

    Example:

    >>> import ganzoo, tempfile, pathlib
    >>> model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "dcgan.tflite"
    >>> ganzoo.export.write(model, path).stat().st_size > 10_000
    True
    """
    path = pathlib.Path(path)
    form = FORMS.get(path.suffix, "savedmodel") if form is None else form
    checks.one_of("form", form, ("savedmodel", *FORMS.values()))
    model._must_be_built()
    found = [] if form == "safetensors" else functions(model, truncation)
    if function is not None:
        checks.one_of("function", function, [name for name, _, _ in found])
        found = [x for x in found if x[0] == function]
    if found and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"{form!r} is written on TensorFlow: set KERAS_BACKEND=tensorflow. Weights are the "
            "same on all backends."
        )
    if form == "onnx" and importlib.util.find_spec("tf2onnx") is None:
        raise ImportError("ONNX files need tf2onnx: `pip install 'ganzoo[export]'`.")
    folder_there = form == "savedmodel" and path.exists()
    if folder_there and not (path / "saved_model.pb").exists():
        raise ValueError(
            f"{str(path)!r} is there and is no SavedModel. Choose another place with `path`."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ganzoo-") as work:
            made = _make(model, form, found, pathlib.Path(work))
            if folder_there:
                shutil.rmtree(path)
            made.replace(path)
    except OSError as error:
        raise OSError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from None
    return path


def _make(model, form, found, work):
    """Write what was asked for into a folder to work in; its path there."""
    made = work / "made"
    if form == "safetensors":
        tensors.write(model, made)
        return made
    from ganzoo.backend import forms

    if form == "savedmodel":
        forms.savedmodel(found, made)
    elif form == "litert":
        made.write_bytes(forms.litert(found, work / "saved"))
    else:
        made.write_bytes(forms.onnx(found[0]))
    return made


def functions(model, truncation=None):
    """What of a model is exported: `(name, inputs, function)`, see `ganzoo.backend.forms`."""
    checks.optional(checks.real, "truncation", truncation, above=0)
    found = []
    if hasattr(model, "generate"):
        found += _generating(model, truncation)
    pictures = {"images": ((None, *model.image_shape), "uint8")}
    if hasattr(model, "translate"):
        for name, reverse in (("translate", False), ("translate_back", True)):
            try:
                network = model.translator(reverse)
            except ValueError:  # it has no way back
                continue
            found.append((name, pictures, _on_pictures(network)))
    if hasattr(model, "encode"):
        encoder, decoder = model.in_use("encoder"), model.in_use(model.makes_pictures)
        encode = lambda images: to_codes(encoder(scaled(images), training=False))[0]
        found.append(("encode", pictures, lambda images: {"codes": encode(images)}))
        found.append(
            (
                "reconstruct",
                pictures,
                lambda images: _finished(decoder(encode(images), training=False)),
            )
        )
    return found


def _finished(made):
    return {"pictures": to_pictures(made)[0]}


def _on_pictures(network):
    def fn(images):
        return _finished(network(scaled(images), training=False))

    return fn


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
        return {name: to_pictures(x)[0] for name, x in made.items()}

    def from_seed(seed, count=None, labels=None):
        if conditional:  # as many as there are labels
            places = ops.cumsum(ops.ones_like(labels, dtype="int64")) - 1
        else:
            places = ops.arange(count, dtype="int64")
        numbers = uniform(seed, places, model.draws)
        return from_latents(model.of_uniform(numbers, truncation), labels)

    counted = {"seed": ((), "int64"), **(labels or {"count": ((), "int64")})}
    return [
        (
            "from_latents",
            {"latents": ((None, model.latent_width), "float32"), **labels},
            from_latents,
        ),
        ("from_seed", counted, from_seed),
    ]


def latents(model, seed, count, truncation=None):
    """Those that an exported model draws from a seed, `(count, latent_width)` float32.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    >>> ganzoo.export.latents(model, 7, 3).shape
    (3, 100)
    """
    checks.integer("seed", seed, least=0)
    places = ops.arange(checks.integer("count", count), dtype="int64")
    numbers = uniform(ops.convert_to_tensor(seed, "int64"), places, model.draws)
    return np.asarray(ops.convert_to_numpy(model.of_uniform(numbers, truncation)))


def uniform(seed, places, width):
    """Numbers in (0, 1) that depend on seed, place and column alone, `(places, width)` float32.

    Every runtime has whole numbers, and few have the same random ones: here a block cipher's rounds
    x → (x + k)⁵ modulo the prime 2³¹ − 1, each of which exchanges all numbers below it (Albrecht,
    Grassi, Rechberger, Roy, Tiessen 2016, "MiMC: Efficient Encryption and Cryptographic Hashing
    with Minimal Multiplicative Complexity"), run over the seed, the place and the column in turn.
    """
    column = ops.arange(width, dtype="int64")[None]
    # Both remainders together say which seed it is, of all up to their product; not every runtime
    # divides whole numbers.
    x = _round(_round(seed % PRIME) + seed % ANOTHER_PRIME)
    x = _round(x + places[:, None])
    x = _round(x + column)
    for constant in (0x2545F491, 0x4F6CDD1D, 0x5851F42D):  # of well-known generators
        x = _round(x + constant)
    return (ops.cast(x, "float32") + 0.5) / PRIME


def _round(x):
    x = x % PRIME
    square = (x * x) % PRIME
    return (((square * square) % PRIME) * x) % PRIME
