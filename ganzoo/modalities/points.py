"""Points: vectors of numbers in [-1, 1], such as samples of a mixture of Gaussians."""

import dataclasses
import pathlib

import numpy as np
from keras import ops
from PIL import Image

from ganzoo import images
from ganzoo import types
from ganzoo.modalities.base import Modality
from ganzoo.modalities.base import check_range


@dataclasses.dataclass(frozen=True)
class Points(Modality):
    """Vectors, `shape=(length,)`, float32 in [-1, 1] everywhere."""

    name = "points"
    rank = 1
    axes = "length,"
    dtype = "float32"
    ending = ".csv"
    most_missed = 0.2

    def check_shape(self, shape: types.Shape) -> None:
        if len(shape) != 1:
            raise ValueError(f"Points must have shape (length,). Received: {shape}.")

    def check_dtype(self, dtype: str) -> None:
        if "float" not in dtype:
            raise ValueError(
                f"Points must be float in [-1, 1]. Received {dtype}: convert with "
                "`points.astype('float32')`, and scale them."
            )

    def check_values(self, examples: np.ndarray) -> None:
        check_range(examples, self.name)

    def preprocess(self, examples: types.Tensor) -> types.Tensor:
        return ops.cast(examples, "float32")

    def postprocess(self, outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
        outputs = ops.cast(outputs, "float32")
        finite = ops.isfinite(ops.sum(outputs))
        return ops.nan_to_num(outputs, nan=-1.0, posinf=1.0, neginf=-1.0), finite

    def to_network(self, examples: np.ndarray) -> np.ndarray:
        return examples.astype("float32")

    def from_network(self, outputs: np.ndarray) -> np.ndarray:
        return outputs.astype("float32")

    def describe(self) -> str:
        return f"{self.shape[0]} numbers each"

    def preview(self, examples: np.ndarray, columns: int | None = None) -> Image.Image:
        return images.grid(examples, columns)

    def save(self, examples: np.ndarray, path: types.Path, start: int = 0) -> pathlib.Path:
        path = pathlib.Path(path)
        if start or not path.suffix:
            raise ValueError(
                f"Points have no files of their own. Received: {str(path)!r}. Save them as a grid "
                "(points.png), as arrays (points.npz) or as a table (points.csv)."
            )
        np.savetxt(path, examples, delimiter=",")
        return path
