"""Models on pictures of two domains, and those that translate from one to the other."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo import validation
from ganzoo.modalities.images import PictureGame
from ganzoo.modalities.images import check_range
from ganzoo.modalities.images import scaled
from ganzoo.modalities.images import to_pictures


class TwoDomains(PictureGame):
    """A game on pictures of two domains, which its data yields as `(images, targets)`.

    A subclass says by `paired` whether the two pictures of an example belong together. Where they
    need not, arrays may differ in length: the shorter one starts again at its end.

    Args:
        **kwargs: see `ganzoo.game.Game`.
    """

    paired = False

    def check_specs(self, specs: types.Specs) -> None:
        if len(specs) != 2 or len(specs[1][0]) < 2:
            raise ValueError(
                f"{type(self).__name__} takes pictures of two domains: `fit(images, targets)`, or "
                "a data set of `(images, targets)` batches, such as "
                f"`ganzoo.datasets.load_pair(a, b, paired={self.paired})`. Received examples of "
                f"{' and '.join(str(shape) for shape, _ in specs)}."
            )
        for shape, dtype in specs:
            self.check_pictures(shape, dtype)
        validation.same_shape(*(shape for shape, _ in specs))

    def check_values(self, arrays: Sequence[Any]) -> None:
        for images in arrays:
            check_range(images)

    def prepare(self, data: Any) -> types.Tensors:
        images, targets = data
        return {"images": scaled(images), "targets": scaled(targets)}

    def batch_spec(self, batch_size: int) -> dict[str, keras.KerasTensor]:
        pictures = keras.KerasTensor((batch_size, *self.image_shape), "float32")
        return {"images": pictures, "targets": pictures}


class Translator(TwoDomains):
    """A game of which one network translates pictures of the first domain into the second.

    Args:
        **kwargs: see `ganzoo.game.Game`.
    """

    least_side = 8
    """Height and width that a picture must have at least."""

    def translator(self, reverse: bool) -> keras.Model:
        """The network that translates, from the second domain to the first if `reverse`."""
        if reverse:
            raise ValueError(
                f"{type(self).__name__} has no way back, from targets to images. Train one with "
                "the two domains exchanged, or use 'cyclegan', which learns both ways at once."
            )
        return self.in_use("generator")

    def translate(
        self, images: ArrayLike, *, reverse: bool = False, batch_size: int = 64
    ) -> np.ndarray:
        """Translate pictures from the first domain into the second.

        Args:
            images: `(n, height, width, channels)`, `uint8` or float in [-1, 1], of any height and
                width from `least_side` on; channels as in training.
            reverse: from the second domain into the first instead, where the model has learned
                that.
            batch_size: pictures translated at once; bounds memory.

        Returns:
            A uint8 NumPy array of the shape of `images`.

        Raises:
            ValueError: the pictures do not fit, or there is no way back.
        """
        self.must_be_built()
        network = self.translator(reverse)
        if np.ndim(images) == 4 and min(np.shape(images)[1:3]) < self.least_side:
            raise ValueError(
                f"This model takes pictures of at least {self.least_side}×{self.least_side}, "
                f"`(n, height, width, channels)`. Received: {np.shape(images)}. Enlarge them first."
            )
        return self._run_on_pictures(network, images, batch_size, to_pictures, any_size=True)

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Float pictures in [-1, 1] to such of the second domain."""
        return self.translator(False)(inputs, training=training)


def difference(a: types.Tensor, b: types.Tensor) -> types.Tensor:
    """Mean absolute difference of pictures, or of two domains' pictures on average."""
    parts = zip(keras.tree.flatten(a), keras.tree.flatten(b))
    each = [ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32"))) for x, y in parts]
    return sum(each) / len(each)
