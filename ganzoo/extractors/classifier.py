"""Classifiers as extractors."""

import hashlib
import pathlib

import keras
import numpy as np
from PIL import Image

from ganzoo import sounds
from ganzoo.extractors.base import in_batches
from ganzoo.extractors.base import name_of
from ganzoo.extractors.base import resized

WEIGHTS = pathlib.Path(__file__).parent / "weights"


def shipped() -> list[str]:
    """Data sets for which a classifier comes with ganzoo."""
    return sorted(p.name.removesuffix("-classifier-v1.safetensors") for p in WEIGHTS.glob("*-v1.*"))


def of_data(data: str) -> "Classifier":
    """The classifier that comes with ganzoo for a data set, see `shipped`."""
    return SoundClassifier(data) if data in SOUNDS else Classifier(data)


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
        features, logits = in_batches(self.network, self.prepared(images))
        return {"features": features, "logits": logits, "modes": logits.argmax(axis=1)}

    def prepared(self, images: np.ndarray) -> np.ndarray:
        """The inputs of the network, `(n, height, width, 1)` uint8."""
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] != 1:
            raise ValueError(
                f"{self.name} takes grey images, uint8 (n, height, width, 1). Received "
                f"{images.dtype} of shape {images.shape}: choose another extractor, such as "
                "'efficientnet-lite0' or 'pixels'."
            )
        return resized(images, self.size, Image.Resampling.BICUBIC)


SOUNDS = {"spoken-digits": (8_000, 6_144)}
"""Samples a second and in a clip, of the data sets of sounds."""
BANDS = 32
"""Mel bands of the spectrograms that sounds are classified by."""


class SoundClassifier(Classifier):
    """A `Classifier` of the log-mel spectrograms of sounds, mono or stereo.

    Args:
        data: the data set it was trained on, one of `SOUNDS`.
        rate: samples a second of the clips that it is given; None: those of the data set.
    """

    resize = "resampled to the classifier's rate, cut or followed by silence to its length"

    def __init__(self, data: str, rate: int | None = None) -> None:
        super().__init__(data)
        self.rate, self.length = SOUNDS[data]
        self.given = rate or self.rate

    def prepared(self, images: np.ndarray) -> np.ndarray:
        if images.ndim != 3 or images.dtype != np.int16:
            raise ValueError(
                f"{self.name} takes clips of sound, int16 (n, samples, channels). Received "
                f"{images.dtype} of shape {images.shape}."
            )
        clips = sounds.to_float(images).mean(axis=2, keepdims=True)
        if self.given != self.rate:
            clips = np.stack([sounds.resampled(x, self.given, self.rate) for x in clips])
        clips = clips[:, : self.length]
        clips = np.pad(clips, ((0, 0), (0, self.length - clips.shape[1]), (0, 0)))
        return spectrograms(clips, self.rate)


def spectrograms(clips: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel spectrograms `(n, frames, BANDS, 1)` uint8 of clips `(n, samples, 1)`. Clips are
    brought to full level first, because loudness is no class; 255 is the loudest place, and each
    level below it 0.3 dB."""
    loudest = np.abs(clips).max(axis=(1, 2), keepdims=True)
    levels = sounds.log_mel(clips / np.maximum(loudest, 1 / sounds.FULL), rate, BANDS)
    levels = levels - levels.max(axis=(1, 2), keepdims=True)
    return np.clip(np.round(255 + levels / 0.3), 0, 255).astype("uint8")[..., None]


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
