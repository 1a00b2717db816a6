"""The interface of every kind of data."""

import abc
import dataclasses
import pathlib
from typing import Any
from typing import ClassVar
from typing import Self

import keras
import numpy as np
from keras import ops
from PIL import Image

from ganzoo import types


@dataclasses.dataclass(frozen=True)
class Modality(abc.ABC):
    """A kind of data: what its examples look like, and how they enter and leave a model.

    A value. A model lists the modalities that it takes, `modalities = (Images(), Points())`; once
    it knows the shape of its data, its `modality` is the one for that shape. Subclasses are final.

    Attributes:
        shape: of one example; empty until it is known.
    """

    shape: types.Shape = ()

    name: ClassVar[str]
    """The name of examples, such as `"images"`."""
    rank: ClassVar[int]
    """Number of axes of one example."""
    axes: ClassVar[str]
    """Names of the axes, such as `"height, width, channels"`."""
    dtype: ClassVar[str]
    """The dtype of samples."""
    ending: ClassVar[str]
    """The ending of files of examples."""
    most_missed: ClassVar[float]
    """The doctor reports mode collapse from this share of real examples without a sample near them:
    see the measurements in `ganzoo.doctor.diagnoses`."""

    blank: ClassVar[float] = 1.0
    """The value, as networks see it, of examples that show nothing."""
    kept: ClassVar[int] = 0
    """How many samples are saved next to each grid, because an image does not show all of them."""

    def of(self, shape: types.Shape) -> Self:
        """This kind of data with a shape.

        Raises:
            ValueError: no example of this kind has such a shape.
        """
        self.check_shape(shape)
        return dataclasses.replace(self, shape=shape)

    def adapt(self, description: dict[str, Any]) -> Self:
        """This kind of data with what a data set tells of its examples beyond their shape.

        Args:
            description: that of a data set, see `ganzoo.datasets.load`; {} for arrays.

        Raises:
            ValueError: it contradicts what is known.
        """
        del description
        return self

    def unknown(self) -> str | None:
        """A warning about what neither data nor arguments have told, or None."""
        return None

    @property
    def facts(self) -> dict[str, int]:
        """Numbers that are saved next to arrays of examples, which do not tell them."""
        return {}

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of `ganzoo.datasets.load` that convert files to examples of this shape."""
        return {}

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if examples have them, otherwise None."""
        return None

    @abc.abstractmethod
    def check_shape(self, shape: types.Shape) -> None:
        """Raise a `ValueError` if no example has this shape."""

    @abc.abstractmethod
    def check_dtype(self, dtype: str) -> None:
        """Raise a `ValueError` if examples cannot have this dtype."""

    @abc.abstractmethod
    def check_values(self, examples: np.ndarray) -> None:
        """Raise a `ValueError` if a batch has values that no example has."""

    def doubt(self, examples: np.ndarray) -> str | None:
        """A warning about values that are possible but most probably a mistake, or None."""
        del examples
        return None

    @abc.abstractmethod
    def preprocess(self, examples: types.Tensor) -> types.Tensor:
        """Convert examples to the inputs of networks, float32, inside the training step."""

    @abc.abstractmethod
    def postprocess(self, outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
        """Convert outputs of networks to examples; also return whether all numbers were finite."""

    @abc.abstractmethod
    def to_network(self, examples: np.ndarray) -> np.ndarray:
        """`preprocess` in NumPy."""

    @abc.abstractmethod
    def from_network(self, outputs: np.ndarray) -> np.ndarray:
        """`postprocess` in NumPy, without the check."""

    def rows(self, examples: np.ndarray, side: int = 32) -> np.ndarray:
        """Rows `(n, numbers)` float64 for distances between examples; if they have a height and a
        width, averaged down to at most `side`."""
        del side
        return self.to_network(examples).reshape(len(examples), -1).astype("float64")

    def spec(self, batch_size: int) -> keras.KerasTensor:
        """Shape and dtype of a preprocessed batch."""
        return keras.KerasTensor((batch_size, *self.shape), "float32")

    @abc.abstractmethod
    def describe(self) -> str:
        """The shape in words: `"28×28×1"`."""

    def heard(self, example: np.ndarray) -> bytes | None:
        """The content of a WAV file of one example; None for what makes no sound."""
        del example
        return None

    def fitted(self) -> str:
        """How files are brought to this shape, in words that follow "they are"."""
        return "taken as they are"

    def preparation(self) -> str:
        """How files become inputs of networks, in words that follow "they were"."""
        return "taken as they are"

    @abc.abstractmethod
    def preview(self, examples: np.ndarray, columns: int | None = None) -> Image.Image:
        """One image that shows examples, in `columns` columns; None: about as many as rows."""

    @abc.abstractmethod
    def save(self, examples: np.ndarray, path: types.Path, start: int = 0) -> pathlib.Path:
        """Save examples to a file or a folder; return its path.

        Args:
            examples: as data sets hold them.
            path: of a folder, if each example has a file of its own.
            start: number of the first of these files.
        """


def as_numbers(outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """Outputs unchanged, in float32, and whether all are finite."""
    outputs = ops.cast(outputs, "float32")
    return outputs, ops.isfinite(ops.sum(outputs))


def check_range(examples: np.ndarray, things: str, scaling: str = "") -> None:
    """Raise a `ValueError` unless floats lie in [-1, 1]. Whole numbers always do.

    Args:
        examples: a batch.
        things: what they are called.
        scaling: how to scale them, for the message.
    """
    if examples.dtype.kind in "biu":  # NumPy does not count bfloat16 among the floats
        return
    low, high = float(examples.min()), float(examples.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"The {things} contain NaN or infinity. Remove or mend those: "
            f"`{things}[np.isfinite({things}.reshape(len({things}), -1)).all(axis=1)]`."
        )
    if low < -1.001 or high > 1.001:
        scale = f"Scale them, {scaling}." if scaling else "Scale them."
        raise ValueError(
            f"{things.capitalize()} as floats must lie in [-1, 1]. Received values from {low:g} "
            f"to {high:g}. {scale}"
        )
