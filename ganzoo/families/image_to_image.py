"""Adversarial training of a generator that takes images: what translators and upscalers share."""

from typing import Any

import keras
from keras import ops

from ganzoo import types
from ganzoo.families import adversary
from ganzoo.families.adversary import Adversary
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class ImageToImage(Game):
    """A generator from images to images against a discriminator.

    Args:
        objective, discriminator_steps: see `ganzoo.GAN`.
        augment, augment_target, augment_images: see `ganzoo.GAN`.
        learning_rate, discriminator_learning_rate, beta_1, beta_2, epsilon: see `ganzoo.GAN`.
        **kwargs: see `ganzoo.Game`.
    """

    player_names = ("discriminator", "generator")
    averaged: tuple[str, ...] = ("generator",)
    modalities: tuple[Modality, ...] = (Images(),)
    generating: tuple[str, ...] = ("generator",)
    judging: tuple[str, ...] = ("discriminator",)
    growing = False
    resting = False
    """Whether the discriminator makes no moves in the current stage."""
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
        """A `keras.Model` from images to images, both in [-1, 1]."""
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


def difference(a: types.Tensor, b: types.Tensor) -> types.Tensor:
    """Mean absolute difference of images; of a dict of them, the average."""
    parts = zip(keras.tree.flatten(a), keras.tree.flatten(b))
    each = [ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32"))) for x, y in parts]
    return sum(each) / len(each)
