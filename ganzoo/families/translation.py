"""Models that translate images from one domain to another."""

import keras
import numpy as np
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo.families.image_to_image import ImageToImage
from ganzoo.families.trial import Trial


class Translator(ImageToImage):
    """Adversarial translation: the generator translates images of one domain into another.

    The data are `(images, targets)`. A subclass says by `paired` whether the two images of an
    example belong together. If they do not, arrays may differ in length: the shorter one starts
    again at its end.

    Args:
        **kwargs: see `ganzoo.GAN` (`objective`, `learning_rate`, …) and `ganzoo.Game`.
    """

    paired = False
    least_side = 8
    """Height and width that an image must have at least."""

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
        """Translate images from the first domain into the second.

        Args:
            images: `(n, height, width, channels)`, `uint8` or float in [-1, 1], of any height and
                width from `least_side` on; channels as in training.
            reverse: translate from the second domain into the first, if the model has learned to.
            batch_size: images translated at once; bounds memory.

        Returns:
            A uint8 NumPy array of the shape of `images`.

        Raises:
            ValueError: the images do not fit, or there is no way back.
        """
        self.must_be_built()
        network = self.translator(reverse)
        if np.ndim(images) == 4 and min(np.shape(images)[1:3]) < self.least_side:
            raise ValueError(
                f"This model takes images of at least {self.least_side}×{self.least_side}, "
                f"`(n, height, width, channels)`. Received: {np.shape(images)}. Enlarge them first."
            )
        return self.inference.on_examples(
            network, images, batch_size, self.modality.postprocess, any_size=True
        )

    def trial(self, images: ArrayLike, targets: ArrayLike) -> Trial:
        """Translate images; the targets are theirs if the model learns from pairs."""
        images = np.asarray(images)
        return Trial(images, self.translate(images), np.asarray(targets) if self.paired else None)

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Translate float images in [-1, 1]; the translations are in [-1, 1] too."""
        return self.translator(False)(inputs, training=training)
