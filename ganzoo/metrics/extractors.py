"""Extractors: from pictures to the features that metrics compare.

An extractor is anything with the attributes `name`, `hash` (text, or None if it is not known),
`resize` and `classes`, and a call from pictures to a dict of rows: `"features"` `(n, d)` float32,
and where it can `"logits"` `(n, classes)` float32 and `"modes"` `(n,)` whole numbers. Any function
from pictures to features becomes one by `extractor(function)`.
"""

import hashlib
import pathlib
from collections.abc import Callable
from typing import Any
from typing import Protocol

import keras
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import checks
from ganzoo import hints
from ganzoo.metrics.classes import modes_of

WEIGHTS = pathlib.Path(__file__).parent / "weights"
BATCH = 256
"""Pictures that an extractor looks at together, always as many, so that what it says of one
does not depend on how many there are."""


class Extractor(Protocol):
    """See the module."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str | None: ...
    @property
    def resize(self) -> str: ...
    @property
    def classes(self) -> int | None: ...
    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]: ...


def extractor(which: str | Callable[[np.ndarray], Any]) -> Extractor:
    """An extractor by name, or of a function.

    Args:
        which: one of

            * `"digits"`, `"mnist"`, `"fashion_mnist"`: small classifiers that come with ganzoo;
            * `"stacked_mnist"`: that of `mnist`, on each colour by itself;
            * `"inception"`: the network of the FID; its weights (96 MB) are downloaded at the
              first use; `"inception-clean"` with clean-fid's resizing;
            * `"pixels"`: the pictures themselves, scaled down to at most 16×16;
            * a function from `(n, height, width, channels)` uint8 to `(n, d)` float;
            * an extractor, which is returned as it is.

    Returns:
        An extractor.

    Raises:
        ValueError: unknown name, or weights that cannot be had; the message says the mend.

    Example:

    >>> import numpy as np
    >>> rows = extractor("digits")(np.zeros((2, 8, 8, 1), "uint8"))
    >>> rows["features"].shape, rows["logits"].shape
    ((2, 64), (2, 10))
    """
    if isinstance(which, str):
        if which in ("inception", "inception-clean"):
            from ganzoo.metrics import inception

            return inception.Inception(resize="clean" if which.endswith("clean") else "tf1")
        named: dict[str, Any] = {"pixels": Pixels, "stacked_mnist": Stacked}
        if which in named:
            return named[which]()
        if which in shipped():
            return Classifier(which)
        raise checks.unknown(
            "extractor", which, ["inception", "inception-clean", *named, *shipped()]
        )
    if all(hasattr(which, a) for a in ("name", "hash", "resize", "classes")) and callable(which):
        return which  # type: ignore[return-value]
    if callable(which):
        return Function(which)
    raise TypeError(
        "An extractor is a name, or a function from pictures to features. Received: "
        f"{type(which).__name__}."
    )


def fingerprint(extractor: Extractor, shape: hints.Shape) -> str:
    """The extractor's hash; of one that has none, a hash of what it says of a few fixed pictures.

    Args:
        extractor: an extractor.
        shape: of one picture, or of one point.
    """
    if extractor.hash is not None:
        return extractor.hash
    rng = np.random.default_rng(0)
    probe = (
        rng.standard_normal((8, *shape), "float32")
        if len(shape) == 1
        else rng.integers(0, 256, (8, *shape), "uint8")
    )
    figures = []
    for name, said in sorted(extractor(probe).items()):
        said = np.asarray(said, "float64").reshape(8, -1)
        size = np.linalg.norm(said)
        # Few digits, beside the size of all, because other machines round differently.
        seen = said @ rng.standard_normal((said.shape[1], 4)) / (size or 1.0)
        figures += [name, f"{size:.2e}", *(f"{x:.2f}" for x in seen.round(2).ravel() + 0.0)]
    return hashlib.sha256(" ".join(figures).encode()).hexdigest()


def shipped() -> list[str]:
    """Data sets for which a classifier comes with ganzoo."""
    return sorted(p.name.removesuffix("-classifier-v1.safetensors") for p in WEIGHTS.glob("*-v1.*"))


class Function:
    """A user's own function as an extractor."""

    resize = "as the function does"
    hash = None
    classes = None

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        features = np.asarray(self.function(images))
        if features.ndim != 2 or len(features) != len(images) or features.dtype.kind not in "fiu":
            raise ValueError(
                f"The extractor {self.name!r} must return (n, d) numbers for n pictures. For "
                f"{len(images)} it returned {features.dtype} of shape {features.shape}."
            )
        return {"features": features.astype("float32")}


class Pixels:
    """The pictures themselves as features, brought to at most 16×16.

    For data of which no network knows anything. It sees layout and colour, not meaning.
    """

    name = "pixels-16"
    hash = None
    classes = None
    resize = "Pillow, box filter, to at most 16×16"

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        height, width = (min(16, side) for side in images.shape[1:3])
        rows = resized(images, (height, width), Image.Resampling.BOX).reshape(len(images), -1)
        return {"features": rows.astype("float32") / 255}


class Points:
    """Points as they are; where the mixture is known, each with its mode.

    Args:
        centres, sigma: see `ganzoo.metrics.modes_of`; None: no modes.
    """

    name = "points"
    classes = None
    resize = "none"

    def __init__(self, centres: ArrayLike | None = None, sigma: float | None = None) -> None:
        self.centres, self.sigma = centres, sigma
        known = "" if centres is None else f"{np.asarray(centres, 'float64').tolist()} {sigma}"
        self.hash = hashlib.sha256(known.encode()).hexdigest()

    def __call__(self, images):
        rows = {"features": np.asarray(images, "float32")}
        if self.centres is not None:
            rows["modes"] = modes_of(images, self.centres, self.sigma)
        return rows


class Classifier:
    """A small convolutional classifier that comes with ganzoo; `benchmarks/classifiers.py` made it.

    Args:
        data: the data set it knows, see `shipped`.
    """

    resize = "Pillow, bicubic with antialiasing, to the classifier's size"

    def __init__(self, data: str) -> None:
        from safetensors import safe_open

        path = WEIGHTS / f"{data}-classifier-v1.safetensors"
        self.name = f"{data}-classifier-v1"
        self.hash = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, "numpy") as file:
            self.about = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}
        self.size = (int(self.about["height"]), int(self.about["width"]))
        self.classes = int(self.about["classes"])
        self.network = classifier(self.size, self.classes)
        for variable in self.network.weights:
            variable.assign(state[name_of(variable)].astype("float32"))

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] != 1:
            raise ValueError(
                f"{self.name} knows grey pictures, uint8 (n, height, width, 1). Received "
                f"{images.dtype} of shape {images.shape}: choose another extractor, such as "
                "'inception' or 'pixels'."
            )
        images = resized(images, self.size, Image.Resampling.BICUBIC)
        features, logits = in_batches(self.network, images)
        return {"features": features, "logits": logits, "modes": logits.argmax(axis=1)}


class Stacked:
    """The classifier of MNIST on each of three colours: a picture's mode is a number 0 … 999."""

    resize = Classifier.resize
    classes = 1000

    def __init__(self) -> None:
        self.digit = Classifier("mnist")
        self.name = f"stacked-{self.digit.name}"
        self.hash = self.digit.hash

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                f"{self.name} knows pictures of three digits, (n, height, width, 3). Received "
                f"shape {images.shape}."
            )
        rows = [self.digit(images[..., i : i + 1]) for i in range(3)]
        hundreds, tens, ones = (part["modes"] for part in rows)
        return {
            "features": np.concatenate([part["features"] for part in rows], axis=1),
            "modes": 100 * hundreds + 10 * tens + ones,
        }


def classifier(size: tuple[int, int], classes: int) -> keras.Model:
    """The network of `Classifier`: `(n, height, width, 1)` uint8 values to features and logits."""
    layers = keras.layers
    # What a user has set for models of their own must not change scores.
    plain = {"dtype": "float32"}
    inputs = keras.Input((*size, 1), **plain)
    x = layers.Rescaling(1 / 127.5, -1, **plain)(inputs)
    for i, (channels, stride) in enumerate([(32, 1), (64, 2), (64, 2), (64, 2)]):
        x = layers.Conv2D(
            channels,
            3,
            stride,
            padding="same",
            data_format="channels_last",
            use_bias=False,
            name=f"conv_{i}",
            **plain,
        )(x)
        x = layers.BatchNormalization(name=f"norm_{i}", **plain)(x)
        x = layers.ReLU(**plain)(x)
    x = layers.Flatten(data_format="channels_last", **plain)(x)
    features = layers.Dense(64, "relu", name="features", **plain)(x)
    x = layers.Dropout(0.3, seed=0, **plain)(features)
    return keras.Model(inputs, [features, layers.Dense(classes, name="logits", **plain)(x)])


def name_of(variable: keras.Variable) -> str:
    """A variable's name in a file: `conv_0/kernel`, without the model's own number."""
    return "/".join(variable.path.split("/")[-2:])


def resized(images: np.ndarray, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
    """`(n, h, w, c)` uint8 pictures at another size, by Pillow."""
    if images.shape[1:3] == tuple(size):
        return images
    sheets = [
        [np.asarray(Image.fromarray(image[..., i]).resize(size[::-1], how)) for i in channels]
        for image in images
        for channels in [range(images.shape[3])]
    ]
    return np.moveaxis(np.asarray(sheets, "uint8"), 1, -1)


def in_batches(network: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """What a network returns, always computed for `BATCH` pictures at once."""
    parts = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        short = BATCH - len(part)
        full = np.concatenate([part, np.repeat(part[-1:], short, axis=0)])
        parts.append([np.asarray(x)[: len(part)] for x in network.predict_on_batch(full)])
    return [np.concatenate(column).astype("float32") for column in zip(*parts)]
