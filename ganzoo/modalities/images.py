"""Images: `(height, width, channels)`, uint8, or float in [-1, 1]."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from ganzoo import backend
from ganzoo import images
from ganzoo import types
from ganzoo import validation
from ganzoo.modalities.base import Modality
from ganzoo.modalities.base import check_range


@dataclasses.dataclass(frozen=True)
class Images(Modality):
    """Images of 1 to 4 channels.

    Data sets hold uint8, or float in [-1, 1]; networks see float32 in [-1, 1]; samples are uint8.

    Attributes:
        least_side: smallest height and width of an image.
    """

    least_side: int = 8

    name = "images"
    rank = 3
    axes = "height, width, channels"
    dtype = "uint8"
    ending = ".png"
    most_missed = 0.6

    @property
    def reading(self) -> dict[str, Any]:
        channels = self.shape[2]
        return {"image_size": self.size, "channels": channels if channels in (1, 3, 4) else None}

    @property
    def size(self) -> tuple[int, int]:
        height, width, _ = self.shape
        return height, width

    def check_shape(self, shape: types.Shape) -> None:
        if len(shape) == 2 and shape[1] in (1, 3, 4):
            raise ValueError(
                f"Data must come in batches of images. Received one of shape (…, {shape[0]}, "
                f"{shape[1]}): make batches of single images with `ds.batch(64)`, or one of an "
                "array with `x[None]`."
            )
        if len(shape) != 3:
            raise ValueError(
                f"Images must have shape (height, width, channels). Received: {shape}. A batch "
                "of grey images without a channel axis gets one by `images[..., None]`."
            )
        validation.channels_last(shape)
        height, width, channels = shape
        if min(height, width) < self.least_side:
            raise ValueError(
                f"Images must be at least {self.least_side}×{self.least_side}. Received: "
                f"{height}×{width}. Enlarge them: `ganzoo.datasets.load(…, image_size="
                f"{self.least_side})`."
            )
        if not 1 <= channels <= 4:
            raise ValueError(
                f"Images must have 1 to 4 channels, the last axis. Received shape {shape}."
            )

    def check_dtype(self, dtype: str) -> None:
        if dtype != "uint8" and "float" not in dtype:
            raise ValueError(
                f"Images must be uint8 in 0..255 or float in [-1, 1]. Received {dtype}: convert "
                f"with {validation.to_uint8(dtype)}."
            )

    def check_values(self, examples: np.ndarray) -> None:
        check_range(examples, self.name, "from 0..255 with `images / 127.5 - 1`, or pass uint8")

    def doubt(self, examples: np.ndarray) -> str | None:
        return None if examples.dtype == np.uint8 else validation.doubtful_range(examples)

    def preprocess(self, examples: types.Tensor) -> types.Tensor:
        if backend.is_uint8(examples):
            return ops.cast(examples, "float32") / 127.5 - 1.0
        return ops.cast(examples, "float32")

    def postprocess(self, outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
        # In as few passes as possible: for a small generator they are a good part of the work.
        outputs = ops.cast(outputs, "float32")
        finite = ops.isfinite(ops.sum(outputs))
        levels = ops.clip(ops.round(outputs * 127.5 + 127.5), 0, 255)
        return ops.cast(levels, "uint8"), finite

    def to_network(self, examples: np.ndarray) -> np.ndarray:
        if examples.dtype == np.uint8:
            examples = examples / np.float32(127.5) - np.float32(1)
        return examples.astype("float32")

    def from_network(self, outputs: np.ndarray) -> np.ndarray:
        return np.clip(np.round(outputs * 127.5 + 127.5), 0, 255).astype("uint8")

    def rows(self, examples: np.ndarray, side: int = 32) -> np.ndarray:
        x = self.to_network(examples).astype("float64")
        n, height, width, channels = x.shape
        fh, fw = -(-height // side), -(-width // side)
        x = x[:, : height // fh * fh, : width // fw * fw]
        x = x.reshape(n, height // fh, fh, width // fw, fw, channels).mean(axis=(2, 4))
        return x.reshape(n, -1)

    def describe(self) -> str:
        return "×".join(map(str, self.shape))

    def fitted(self) -> str:
        return f"resized to {self.describe()}"

    def preparation(self) -> str:
        return f"{self.fitted()}, 0 … 255 scaled to −1 … 1"

    def preview(self, examples: np.ndarray, columns: int | None = None) -> Image.Image:
        return images.grid(examples, columns)

    def save(self, examples: np.ndarray, path: types.Path, start: int = 0) -> pathlib.Path:
        return images.save_each(examples, path, start)
