"""Classifiers as extractors."""

import hashlib
import pathlib

import keras
import numpy as np
from PIL import Image

from ganzoo.extractors.base import in_batches
from ganzoo.extractors.base import name_of
from ganzoo.extractors.base import resized

WEIGHTS = pathlib.Path(__file__).parent / "weights"


def shipped() -> list[str]:
    """Data sets for which a classifier comes with ganzoo."""
    return sorted(p.name.removesuffix("-classifier-v1.safetensors") for p in WEIGHTS.glob("*-v1.*"))


class Classifier:
    """A small convolutional classifier that comes with ganzoo; `benchmarks/classifiers.py` made it.

    Args:
        data: the data set it was trained on, see `shipped`.
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
                f"{self.name} takes grey images, uint8 (n, height, width, 1). Received "
                f"{images.dtype} of shape {images.shape}: choose another extractor, such as "
                "'efficientnet-lite0' or 'pixels'."
            )
        images = resized(images, self.size, Image.Resampling.BICUBIC)
        features, logits = in_batches(self.network, images)
        return {"features": features, "logits": logits, "modes": logits.argmax(axis=1)}


class Stacked:
    """The classifier of MNIST on each of three colours: the mode of an image is one of 0 … 999."""

    resize = Classifier.resize
    classes = 1000

    def __init__(self) -> None:
        self.digit = Classifier("mnist")
        self.name = f"stacked-{self.digit.name}"
        self.hash = self.digit.hash

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                f"{self.name} takes images of three digits, (n, height, width, 3). Received "
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
    # A user's own settings for models must not change scores.
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
