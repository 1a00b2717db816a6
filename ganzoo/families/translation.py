"""Models that translate images from one domain to another."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo.families import adversary
from ganzoo.families.adversary import Adversary
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class Translator(Game):
    """Adversarial translation: the generator translates images of one domain into another.

    The data are `(images, targets)`. A subclass says by `paired` whether the two images of an
    example belong together. If they do not, arrays may differ in length: the shorter one starts
    again at its end.

    Args:
        objective, discriminator_steps: see `ganzoo.GAN`.
        augment, augment_target, augment_images: see `ganzoo.GAN`.
        learning_rate, discriminator_learning_rate, beta_1, beta_2, epsilon: see `ganzoo.GAN`.
        **kwargs: see `ganzoo.Game`.
    """

    player_names = ("discriminator", "generator")
    averaged: tuple[str, ...] = ("generator",)
    modalities: tuple[Modality, ...] = (Images(),)
    paired = False
    generating: tuple[str, ...] = ("generator",)
    judging: tuple[str, ...] = ("discriminator",)
    growing = False
    least_side = 8
    """Height and width that an image must have at least."""
    images_seen = 1
    """Number of images of an example that the discriminator sees, stacked in its channels."""

    def __init__(
        self,
        *,
        objective: str | Objective = "non_saturating",
        augment: str | None = None,
        augment_target: float = 0.6,
        augment_images: int = 500_000,
        discriminator_steps: int = 1,
        learning_rate: float = 2e-4,
        discriminator_learning_rate: float | None = None,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        adversary.keep_settings(
            self,
            objective=objective,
            discriminator_steps=discriminator_steps,
            learning_rate=learning_rate,
            discriminator_learning_rate=discriminator_learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
        )
        pictures = self.images_seen
        adversary.keep_augmentation(self, augment, augment_target, augment_images, pictures)

    def build_generator(self) -> keras.Model:
        """A `keras.Model` that translates images in [-1, 1]."""
        raise NotImplementedError

    def build_discriminator(self) -> keras.Model:
        """A `keras.Model` from what `look` receives to logits."""
        raise NotImplementedError

    def build_before(self) -> None:
        """Create what else the game needs, before its two networks."""

    def build_players(self) -> tuple[Player, ...]:
        self.build_before()
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()
        return adversary.players(self)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return adversary.adam(self)

    @property
    def adversary(self) -> Adversary:
        """Objective and augmentation."""
        return Adversary(self.objective, self.augmentation)

    def look(self, images: types.Tensor) -> types.Tensors:
        """The discriminator's outputs in training, a dict with `"logits"`."""
        images = self.adversary.augmented(images, self.seed_generator)
        return adversary.named(self.discriminator(images, training=True))

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

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Translate float images in [-1, 1]; the translations are in [-1, 1] too."""
        return self.translator(False)(inputs, training=training)


def difference(a: types.Tensor, b: types.Tensor) -> types.Tensor:
    """Mean absolute difference of images; of a dict of them, the average."""
    parts = zip(keras.tree.flatten(a), keras.tree.flatten(b))
    each = [ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32"))) for x, y in parts]
    return sum(each) / len(each)
