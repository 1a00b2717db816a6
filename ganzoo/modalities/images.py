"""Games on pictures: what data they take, and what trained ones can be asked for."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.game import Game
from ganzoo.game import Untracked

ABILITIES = ("generate", "encode", "reconstruct", "translate")
"""What models may be asked for. No model can do all of it."""


class PictureGame(Game):
    """A game whose data are batches of pictures, with labels if the model has `num_classes`.

    Args:
        **kwargs: see `ganzoo.game.Game`.
    """

    smallest = 8
    """Pictures must be at least this high and wide."""
    accepts_points = False
    """Whether plain vectors, `image_shape=(length,)`, are accepted too."""
    num_classes: int | None = None
    """Classes of a conditional model."""
    lacks: dict[str, str] = {}
    """Why the model has not one of `ABILITIES` which users expect of it, `{ability: reason}`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._compiled = Untracked()

    def __getattr__(self, name: str) -> Any:
        if name not in ABILITIES:
            # Which raises as usual; on PyTorch it finds networks.
            inherited: Any = getattr(super(), "__getattr__", super().__getattribute__)
            return inherited(name)
        reason = f": {self.lacks[name]}" if name in self.lacks else ""
        raise AttributeError(
            f"{type(self).__name__} has no `{name}`{reason}. The models that have it: "
            f"`ganzoo.list_models(can={name!r})`."
        )

    # Its data -------------------------------------------------------------------------------

    @property
    def label_range(self) -> range | None:
        """The labels that its data may have, a `range`; None: it looks at none."""
        return None if self.num_classes is None else range(self.num_classes)

    def check_image_shape(self, shape: types.Shape) -> None:
        if len(shape) == 1 and self.accepts_points:
            return
        if len(shape) != 3:
            raise ValueError(
                f"Pictures must have shape (height, width, channels). Received: {shape}. A batch "
                "of grey pictures without a channel axis gets one by `images[..., None]`."
            )
        validation.channels_last(shape)
        height, width, channels = shape
        if min(height, width) < self.smallest:
            raise ValueError(
                f"Pictures must be at least {self.smallest}×{self.smallest}. Received: "
                f"{height}×{width}. Enlarge them: `ganzoo.datasets.load(…, image_size="
                f"{self.smallest})`."
            )
        if not 1 <= channels <= 4:
            raise ValueError(
                f"Pictures must have 1 to 4 channels, the last axis. Received shape {shape}."
            )

    def check_pictures(self, shape: types.Shape, dtype: str) -> None:
        """Raise a `ValueError` unless pictures of this shape and dtype can be trained on."""
        self.check_image_shape(shape)
        if dtype != "uint8" and "float" not in dtype:
            raise ValueError(
                f"Pictures must be uint8 in 0..255 or float in [-1, 1]. Received {dtype}: convert "
                f"with {validation.to_uint8(dtype)}."
            )

    def check_specs(self, specs: types.Specs) -> None:
        if not 1 <= len(specs) <= 2:
            raise ValueError(
                "The data must yield `images` or `(images, labels)`. Received "
                f"{len(specs)} components."
            )
        self.check_pictures(*specs[0])
        if self.label_range is None:
            if len(specs) == 2 and len(specs[1][0]) > 1:
                raise ValueError(
                    f"{type(self).__name__} learns from one array of images. Received two, of "
                    f"shapes {specs[0][0]} and {specs[1][0]}: what comes second are labels. Join "
                    "the images with `np.concatenate([first, second])`, or pass the first alone."
                )
            return
        if len(specs) == 1:
            kind = "is a conditional model and" if self.num_classes else "with classes"
            raise ValueError(
                f"{type(self).__name__} {kind} needs labels: "
                "`fit(images, labels)`, or a data set of `(images, labels)` batches, such as "
                "`ganzoo.datasets.load(…, labels=True)`."
            )
        shape, dtype = specs[1]
        if shape:
            mend = "labels.argmax(axis=-1)" if shape != (1,) else "labels[:, 0]"
            raise ValueError(
                "Labels must be one whole number per picture, of shape (batch,). Received shape "
                f"(batch, {', '.join(map(str, shape))}): pass `{mend}`."
            )
        if "int" not in dtype:
            raise ValueError(
                f"Labels must be whole numbers. Received {dtype}: pass `labels.astype('int32')`."
            )

    def check_values(self, arrays: Sequence[Any]) -> None:
        check_range(arrays[0])
        self._warn_of_range(arrays[0])
        allowed = self.label_range
        if allowed is not None:
            low, high = int(arrays[1].min()), int(arrays[1].max())
            if low not in allowed or high not in allowed:
                name = "classes" if self.num_classes is None else "num_classes"
                raise ValueError(
                    f"Labels must lie in {allowed[0]}..{allowed[-1]} ({name}={allowed.stop}). "
                    f"Received labels from {low} to {high}."
                )

    def prepare(self, data: Any) -> types.Tensors:
        images, labels = (
            data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
        )
        images = images[0] if isinstance(images, (tuple, list)) else images
        batch = {"images": scaled(images)}
        if self.label_range is not None:
            batch["labels"] = ops.cast(labels, "int32")
        return batch

    def batch_spec(self, batch_size: int) -> dict[str, keras.KerasTensor]:
        spec = {"images": keras.KerasTensor((batch_size, *self.image_shape), "float32")}
        if self.label_range is not None:
            spec["labels"] = keras.KerasTensor((batch_size,), "int32")
        return spec

    def _warn_of_range(self, images):
        """Warn of float images that lie in 0..1, once in a `fit`."""
        if images.ndim != 4 or images.dtype == np.uint8 or self._has_warned:
            return
        doubt = validation.doubtful_range(images)
        if doubt is not None:
            self._has_warned = True
            warnings.warn(doubt, stacklevel=2)

    # Using its networks -----------------------------------------------------------------------

    def _run(self, network, parts, size, finish):
        """Finished outputs of a network for one batch, which may be smaller than `size`.

        Whole batches only, so that few shapes are compiled: the padding is cut off again.
        """
        short = size - len(parts[0])
        if short:
            parts = [np.concatenate([x, np.repeat(x[-1:], short, axis=0)]) for x in parts]
        wanted = (id(network), self.jit_compile, finish)
        if wanted not in self._compiled:
            # With the network itself, so that no other one gets its id.
            run = backend.inference(network, self.jit_compile, finish)
            self._compiled[wanted] = (network, run)
        outputs, finite = self._compiled[wanted][1](*parts)
        if not finite:
            warnings.warn(
                f"Network {network.name!r} makes NaN or infinity: the model has diverged. Load a "
                "checkpoint from before, or train anew with a smaller learning rate.",
                stacklevel=2,
            )
            if finish is to_pictures:  # of points; as uint8 there is no NaN
                outputs = np.nan_to_num(outputs, nan=-1.0, posinf=1.0, neginf=-1.0)
        return outputs[: size - short]

    def _run_on_pictures(self, network, images, batch_size, finish, any_size=False):
        """Finished outputs of a network for pictures that a user has: uint8, or in [-1, 1].

        `any_size`: the network takes pictures of any height and width.
        """
        validation.integer("batch_size", batch_size)
        self.must_be_built()
        images = np.asarray(images)
        free = any_size and images.ndim == 4
        wanted = (*images.shape[1:3], self.image_shape[2]) if free else self.image_shape
        if images.shape[1:] != wanted or not len(images):
            size = ("height", "width") if any_size else self.image_shape[:-1]
            mend = (
                ""
                if any_size
                else ("; others are resized by `ganzoo.datasets.load(…, image_size=…)`")
            )
            raise ValueError(
                "This model takes pictures of shape "
                f"({', '.join(map(str, ('n', *size, self.image_shape[-1])))}), "
                f"n at least 1. Received: {images.shape}. One picture is a batch of one: "
                f"`picture[None]`{mend}."
            )
        self.check_pictures(images.shape[1:], images.dtype.name)
        size = batch_size_for(len(images), batch_size)
        self._has_warned = False
        made = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            check_range(part)
            self._warn_of_range(part)
            if part.dtype == np.uint8:
                part = part / np.float32(127.5) - np.float32(1)
            made.append(self._run(network, [part.astype("float32")], size, finish))
        return np.concatenate(made)


def batch_size_for(count: int, most: int) -> int:
    """Size of the batches in which `count` examples are computed, a power of two below `most`."""
    return min(most, 2 ** math.ceil(math.log2(count)))


def check_range(images: np.ndarray) -> None:
    """Raise a `ValueError` unless pictures as floats lie in [-1, 1]."""
    if images.dtype == np.uint8:
        return
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            "The pictures contain NaN or infinity. Remove or mend those: "
            "`images[np.isfinite(images.reshape(len(images), -1)).all(axis=1)]`."
        )
    if low < -1.001 or high > 1.001:
        raise ValueError(
            f"Pictures as floats must lie in [-1, 1]. Received values from {low:g} to {high:g}. "
            "Scale them, from 0..255 with `images / 127.5 - 1`, or pass uint8."
        )


def scaled(images: types.Tensor) -> types.Tensor:
    """Pictures as float32 in [-1, 1]."""
    if backend.is_uint8(images):
        return ops.cast(images, "float32") / 127.5 - 1.0
    return ops.cast(images, "float32")


def to_pictures(images: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """uint8 pictures of those in [-1, 1], points as they are; and whether all were finite.

    In as few passes as may be: for a small generator they are a good part of the work.
    """
    images = ops.cast(images, "float32")
    finite = ops.isfinite(ops.sum(images))
    if len(images.shape) == 4:
        images = ops.cast(ops.clip(ops.round(images * 127.5 + 127.5), 0, 255), "uint8")
    return images, finite


def to_numbers(outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """Outputs as they are, in float32; and whether all were finite."""
    outputs = ops.cast(outputs, "float32")
    return outputs, ops.isfinite(ops.sum(outputs))
