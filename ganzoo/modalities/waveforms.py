"""Waveforms: clips of sound, `(samples, channels)`, int16, or float in [-1, 1]."""

import dataclasses
import pathlib
from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops
from PIL import Image

from ganzoo import sounds
from ganzoo import types
from ganzoo import validation
from ganzoo.modalities.base import Modality
from ganzoo.modalities.base import check_range


@dataclasses.dataclass(frozen=True)
class Waveforms(Modality):
    """Clips of sound of one length, mono or stereo.

    Data sets hold int16, or float in [-1, 1]; networks see float32 in [-1, 1]; samples are int16.

    Attributes:
        rate: samples a second; None until it is known.
    """

    rate: int | None = None

    name = "clips"
    rank = 2
    axes = "samples, channels"
    dtype = "int16"
    ending = ".wav"
    most_missed = 0.6
    blank = 0.0
    kept = 16

    def __post_init__(self):
        validation.optional(validation.integer, "sample_rate", self.rate)

    def adapt(self, description: dict[str, Any]) -> Self:
        found = description.get("sample_rate")
        if found and self.rate and found != self.rate:
            raise ValueError(
                f"This model makes sound of {self.rate:,} samples a second; the data has "
                f"{found:,}. Convert the data: `ganzoo.datasets.load(…, sample_rate={self.rate})`."
            )
        return dataclasses.replace(self, rate=found or self.rate)

    def unknown(self) -> str | None:
        if self.rate is not None:
            return None
        return (
            f"The sample rate of the clips is not known: they are saved at {sounds.USUAL_RATE:,} "
            "samples a second, and may play at the wrong pitch and speed. Pass `sample_rate=` to "
            "the model or to `ganzoo.datasets.load`."
        )

    @property
    def facts(self) -> dict[str, int]:
        return {} if self.rate is None else {"sample_rate": self.rate}

    @property
    def reading(self) -> dict[str, Any]:
        length, channels = self.shape
        return {"sample_rate": self.rate, "length": length, "channels": channels}

    def check_shape(self, shape: types.Shape) -> None:
        if len(shape) != 2:
            raise ValueError(
                f"Clips of sound must have shape (samples, channels). Received: {shape}. A batch "
                "of mono clips without a channel axis gets one by `clips[..., None]`."
            )
        length, channels = shape
        if channels not in (1, 2):
            turned = " Transpose them: `clips.transpose(0, 2, 1)`." if length in (1, 2) else ""
            raise ValueError(
                "Clips of sound have 1 channel (mono) or 2 (stereo), the last axis. Received "
                f"shape {shape}.{turned}"
            )
        if length < 64:
            raise ValueError(f"Clips must have at least 64 samples. Received shape {shape}.")

    def check_dtype(self, dtype: str) -> None:
        if dtype != "int16" and "float" not in dtype:
            raise ValueError(
                f"Clips of sound must be int16 or float in [-1, 1]. Received {dtype}: convert "
                "with `(clips / full_scale).astype('float32')`."
            )

    def check_values(self, examples: np.ndarray) -> None:
        check_range(examples, self.name, "from 16 bits with `clips / 32768`, or pass int16")

    def doubt(self, examples: np.ndarray) -> str | None:
        x = sounds.to_float(examples)
        loudest, offset = float(np.abs(x).max()), float(np.abs(x.mean()))
        if loudest < 1e-3:
            return (
                f"The clips are almost silent: no value is above {loudest:.2g} of full level. Is "
                "the scale right?"
            )
        if float(x.min()) >= 0 and loudest > 0:
            return (
                "The clips have no negative values: sound oscillates around 0. Subtract the mean: "
                "`clips - clips.mean(axis=1, keepdims=True)`."
            )
        if offset > 0.1 * loudest:
            return (
                f"The clips have a constant offset of {offset:.2g}: subtract the mean, "
                "`clips - clips.mean(axis=1, keepdims=True)`."
            )
        return None

    def preprocess(self, examples: types.Tensor) -> types.Tensor:
        x = ops.cast(examples, "float32")
        return x / sounds.FULL if keras.backend.standardize_dtype(examples.dtype) == "int16" else x

    def postprocess(self, outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
        outputs = ops.cast(outputs, "float32")
        finite = ops.isfinite(ops.sum(outputs))
        levels = ops.clip(ops.round(outputs * sounds.FULL), -sounds.FULL, sounds.FULL - 1)
        return ops.cast(levels, "int16"), finite

    def to_network(self, examples: np.ndarray) -> np.ndarray:
        return sounds.to_float(examples)

    def from_network(self, outputs: np.ndarray) -> np.ndarray:
        return sounds.to_int16(outputs)

    def rows(self, examples: np.ndarray, side: int = 32) -> np.ndarray:
        # Waveforms of one sound differ by their phases, which nobody hears; spectrograms do not.
        bands = sounds.log_mel(examples, self.rate, side)
        steps = -(-bands.shape[1] // side)
        bands = bands[:, : bands.shape[1] // steps * steps]
        bands = bands.reshape(len(bands), -1, steps, side).mean(axis=2)
        return (bands.reshape(len(bands), -1) / 100).astype("float64")

    def describe(self) -> str:
        length, channels = self.shape
        kind = "mono" if channels == 1 else "stereo"
        if self.rate is None:
            return f"{length:,} values, {kind}"
        return f"{length:,} values at {self.rate:,} Hz ({length / self.rate:.3g} s), {kind}"

    def heard(self, example: np.ndarray) -> bytes:
        return sounds.content(example, self.rate)

    def fitted(self) -> str:
        return f"cut or followed by silence to {self.describe()}"

    def preparation(self) -> str:
        return f"{self.fitted()}, 16 bits scaled to −1 … 1"

    def preview(self, examples: np.ndarray, columns: int | None = None) -> Image.Image:
        return sounds.sheet(examples, self.rate, columns)

    def save(self, examples: np.ndarray, path: types.Path, start: int = 0) -> pathlib.Path:
        return sounds.save_each(examples, path, self.rate, start)
