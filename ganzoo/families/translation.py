"""Models that translate images from one domain to another."""

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo.game import Game
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class Translator(Game):
    """A game of which one network translates images of the first domain into the second.

    Its data are `(images, targets)`. A subclass says by `paired` whether the two images of an
    example belong together. Where they need not, arrays may differ in length: the shorter one
    starts again at its end.

    Args:
        **kwargs: see `ganzoo.game.Game`.
    """

    modalities: tuple[Modality, ...] = (Images(),)
    paired = False
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
        return self.inference.on_examples(
            network, images, batch_size, self.modality.postprocess, any_size=True
        )

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Float pictures in [-1, 1] to such of the second domain."""
        return self.translator(False)(inputs, training=training)


def difference(a: types.Tensor, b: types.Tensor) -> types.Tensor:
    """Mean absolute difference of pictures, or of two domains' pictures on average."""
    parts = zip(keras.tree.flatten(a), keras.tree.flatten(b))
    each = [ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32"))) for x, y in parts]
    return sum(each) / len(each)
