"""A maker of pictures against a discriminator: what all two-player games have in common."""

from typing import Any

import keras

from ganzoo import augmentations
from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.game import optimizers
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class Adversarial(Game):
    """A generator against a discriminator, whatever the generator makes its pictures of.

    A subclass provides `build_generator`, `build_discriminator` and `draw`, which returns what the
    generator makes as `"fake"`; it may set `objective`, add `discriminator_terms` and
    `generator_terms`, or override `real`, `look`, `discriminator_loss` or `generator_loss`.

    Where there are two domains, one network may stand for a pair of them: pictures are then a
    dict, and the discriminator has logits for each domain.

    Args:
        augment: `"diffaugment"`, which changes real and generated pictures alike before the
            discriminator sees them, for data of some thousand pictures or fewer; or what
            `ganzoo.augmentations.get` knows; or None.
        objective: name in `ganzoo.losses.OBJECTIVES`.
        discriminator_steps: moves of the discriminator for each of the generator's, each on a
            fresh batch.
        learning_rate: Adam's learning rate, of both players.
        discriminator_learning_rate: the discriminator's, if it differs (two time scales).
        beta_1: Adam's decay of the first moment, of both players.
        beta_2: Adam's decay of the second moment, of both players.
        epsilon: Adam's constant, above 0: gradients far below it make small moves.
        **kwargs: see `ganzoo.game.Game`.
    """

    player_names = ("discriminator", "generator")
    modalities: tuple[Modality, ...] = (Images(),)
    averaged: tuple[str, ...] = ("generator",)
    pictures_judged = 1
    """How many pictures the discriminator sees of an example, in its channels."""

    def __init__(
        self,
        *,
        objective: str | Objective = "non_saturating",
        augment: str | None = None,
        discriminator_steps: int = 1,
        learning_rate: float = 2e-4,
        discriminator_learning_rate: float | None = None,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.objective = objective
        losses.get(objective)
        self.augment = augment
        augmentations.get(augment)
        self.discriminator_steps = validation.integer("discriminator_steps", discriminator_steps)
        self.learning_rate = validation.real("learning_rate", learning_rate, above=0)
        self.discriminator_learning_rate = discriminator_learning_rate
        if discriminator_learning_rate is not None:
            validation.real("discriminator_learning_rate", discriminator_learning_rate, above=0)
        self.beta_1 = validation.real("beta_1", beta_1, least=0, below=1)
        self.beta_2 = validation.real("beta_2", beta_2, least=0, below=1)
        self.epsilon = validation.real("epsilon", epsilon, above=0)

    # What a subclass says ------------------------------------------------------------------

    def build_generator(self) -> keras.Model:
        """A `keras.Model` that makes pictures in [-1, 1]."""
        raise NotImplementedError

    def build_discriminator(self) -> keras.Model:
        """A `keras.Model` from pictures (and labels) to logits, or to a dict of `"logits"` and
        whatever else the terms need."""
        raise NotImplementedError

    def discriminator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, real: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        """Further terms of the discriminator's loss, a dict of scalars.

        `real` and `fake` are what `look` found.
        """
        del batch, drawn, real, fake
        return {}

    def generator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        """Further terms of the generator's loss, a dict of scalars."""
        del batch, drawn, fake
        return {}

    # The game -------------------------------------------------------------------------------

    def build_players(self) -> tuple[Player, ...]:
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()
        return (
            Player(
                "discriminator",
                (self.discriminator,),
                self.discriminator_loss,
                steps=self.discriminator_steps,
                prefix="d_",
            ),
            Player("generator", (self.generator,), self.generator_loss, draws=True, prefix="g_"),
        )

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        rates = (self.discriminator_learning_rate or self.learning_rate, self.learning_rate)
        adam = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {name: optimizers.Adam(rate, **adam) for name, rate in zip(self.player_names, rates)}

    def real(self, batch: types.Tensors) -> types.Tensor:
        """The pictures of a batch that the generator's are held against."""
        return batch["images"]

    def _call(self, network, x, batch):
        told = self.num_classes and len(network.inputs) > 1
        return network([x, batch["labels"]] if told else x, training=True)

    def look(self, images: types.Tensor, batch: types.Tensors) -> types.Tensors:
        """What the discriminator says in training, given the labels of `batch` if it takes any.

        Returns:
            A dict: `"logits"`, and whatever else the discriminator has.
        """
        augment = augmentations.get(self.augment, self.pictures_judged)
        images = keras.tree.map_structure(lambda x: augment(x, self.seed_generator), images)
        said = self._call(self.discriminator, images, batch)
        return said if isinstance(said, dict) else {"logits": said}

    def discriminate(self, images: types.Tensor, batch: types.Tensors) -> types.Tensor:
        """The logits of `look`."""
        return self.look(images, batch)["logits"]

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real = self.look(self.real(batch), batch)
        return self._judgement(batch, drawn, real, self.look(drawn["fake"], batch))

    def _judgement(self, batch, drawn, real, fake):
        """The discriminator's terms and signals."""
        answered, further, signals = self._parts(batch, drawn, real, fake)
        return {**answered, **further()}, signals

    def _parts(self, batch, drawn, real, fake):
        """The discriminator's term that the generator answers, a function that returns further
        ones, and its signals."""
        objective = losses.get(self.objective)
        answered = {"adversarial": objective.discriminator(real["logits"], fake["logits"])}
        further = lambda: self.discriminator_terms(batch, drawn, real, fake)
        return answered, further, objective.signals(real["logits"], fake["logits"])

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        objective = losses.get(self.objective)
        fake = self.look(drawn["fake"], batch)
        real = self.discriminate(self.real(batch), batch) if objective.paired else None
        terms = {"adversarial": objective.answer(fake["logits"], real)}
        return {**terms, **self.generator_terms(batch, drawn, fake)}, {}
