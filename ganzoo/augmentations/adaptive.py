"""Adaptive augmentation: each image is changed with a probability that follows how far the
discriminator overfits.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila 2020, "Training Generative Adversarial Networks
with Limited Data", section 3.
"""

from collections.abc import Sequence

import keras
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.augmentations import transforms as transformations

MOST = 0.8
"""The largest probability, the paper's practical limit (section 2). Above it, generators begin to
make rotated or recoloured samples: the augmentation leaks."""


class AdaptiveAugmentation(keras.layers.Layer):
    """Adaptive discriminator augmentation (ADA): each transformation is applied to each image with
    probability p.

    p begins at 0, where images stay as they are. It rises while the discriminator tells real images
    too surely, and falls otherwise: by `1 / images` for each real image that the discriminator has
    seen in a move, with the sign of E[sign D(real)] − `target`, within [0, 0.8].

    p is a weight of the model that owns this layer: a checkpoint holds it.

    Departures from the authors' code: the resampling is bilinear, without their low-pass filters,
    and p stops at 0.8.

    Args:
        transforms: names, of `ganzoo.augmentations.TRANSFORMS`. Flips, quarter turns, shifts and
            scaling come first, in one resampling, then the changes of colour.
        pictures: number of images in an example, one after the other in its channels. They are
            changed together.
        target: the wanted E[sign D(real)], in (-1, 1).
        images: number of real images in which p can go from 0 to 1, at least 1.

    Example:

    >>> augment = AdaptiveAugmentation(images=1000)
    >>> round(float(augment.adapt(keras.ops.ones((64, 1)))), 3)
    0.064

    References:
        * Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks
          with Limited Data. NeurIPS 2020. arXiv:2006.06676, section 3
        * The authors' code: github.com/NVlabs/stylegan2-ada-pytorch
    """

    def __init__(
        self,
        transforms: Sequence[str] = transformations.TRANSFORMS,
        pictures: int = 1,
        target: float = 0.6,
        images: int = 500_000,
    ) -> None:
        super().__init__(dtype="float32", name="augmentation")
        self.transforms = tuple(transforms)
        self.pictures = pictures
        self.target = validation.real("target", target, above=-1, below=1)
        self.images = validation.integer("images", images)
        self.p = self.add_weight((), "zeros", trainable=False, name="p")
        self.built = True

    def call(self, images: types.Tensor, seed: keras.random.SeedGenerator) -> types.Tensor:
        """Change images, `(batch, height, width, channels)` in [-1, 1]; random numbers are drawn
        from `seed`."""
        validation.image_batch("augment", "ada", images.shape)
        p = ops.convert_to_tensor(self.p)
        return transformations.apply(images, p, self.transforms, seed, self.pictures)

    def adapt(self, margins: types.Tensor) -> types.Tensor:
        """Move p by what the discriminator says of a batch of real images.

        Args:
            margins: how far each real logit is on the real side, batch first.

        Returns:
            p, a float32 scalar.
        """
        signs = ops.sign(ops.stop_gradient(ops.cast(margins, "float32")))
        sign = ops.sign(backend.average(ops.mean(signs)) - self.target)
        share = ops.cast(ops.shape(margins)[0] * backend.replicas(), "float32") / self.images
        p = ops.clip(self.p + sign * share, 0.0, MOST)
        self.p.assign(p)
        return p

    def load_own_variables(self, store):
        """Load p; weights of a model that was not augmented have none, and it begins at 0."""
        if len(store.keys()):
            super().load_own_variables(store)
