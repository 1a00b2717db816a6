"""Adversarial training: what every generator–discriminator pair shares."""

import dataclasses
from typing import Any

import keras

from ganzoo import augmentations
from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.game import Player
from ganzoo.game import optimizers
from ganzoo.losses import Objective


@dataclasses.dataclass(frozen=True)
class Adversary:
    """A discriminator's objective, and how its inputs are augmented.

    Attributes:
        objective: name in `ganzoo.losses.OBJECTIVES`, or an `Objective`.
        augment: what changes real and generated images alike before the discriminator sees them:
            a name that `ganzoo.augmentations.get` knows, or None.
        images: number of images of an example that the discriminator sees, stacked in its channels.
    """

    objective: str | Objective = "non_saturating"
    augment: str | None = None
    images: int = 1

    @property
    def sees_both(self) -> bool:
        """Whether the generator's loss depends on the logits of real examples too."""
        return losses.get(self.objective).paired

    def augmented(self, images: types.Tensor, seed: keras.random.SeedGenerator) -> types.Tensor:
        """The images as the discriminator sees them; a dict of images as such a dict."""
        augment = augmentations.get(self.augment, self.images)
        return keras.tree.map_structure(lambda x: augment(x, seed), images)

    def discriminator_loss(self, real: types.Tensors, fake: types.Tensors) -> types.Losses:
        """`(terms, signals)` of the discriminator, from its outputs for real and generated ones."""
        objective, logits = losses.get(self.objective), (real["logits"], fake["logits"])
        return {"adversarial": objective.discriminator(*logits)}, objective.signals(*logits)

    def generator_loss(
        self, fake: types.Tensors, real: types.Tensors | None = None
    ) -> types.Tensors:
        """The generator's term; `real` may be None unless `sees_both`."""
        objective = losses.get(self.objective)
        return {"adversarial": objective.answer(fake["logits"], real and real["logits"])}


def named(outputs: Any) -> types.Tensors:
    """What a discriminator returns, as a dict with `"logits"`."""
    return outputs if isinstance(outputs, dict) else {"logits": outputs}


def keep_settings(
    model: Any,
    *,
    objective: str | Objective,
    augment: str | None,
    discriminator_steps: int,
    learning_rate: float,
    discriminator_learning_rate: float | None,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Check the settings of adversarial training, and store each under its own name."""
    model.objective = objective
    losses.get(objective)
    model.augment = augment
    augmentations.get(augment)
    model.discriminator_steps = validation.integer("discriminator_steps", discriminator_steps)
    model.learning_rate = validation.real("learning_rate", learning_rate, above=0)
    model.discriminator_learning_rate = discriminator_learning_rate
    if discriminator_learning_rate is not None:
        validation.real("discriminator_learning_rate", discriminator_learning_rate, above=0)
    model.beta_1 = validation.real("beta_1", beta_1, least=0, below=1)
    model.beta_2 = validation.real("beta_2", beta_2, least=0, below=1)
    model.epsilon = validation.real("epsilon", epsilon, above=0)


def players(model: Any) -> tuple[Player, Player]:
    """The discriminator and the generator of such a model, in moving order."""
    return (
        Player(
            "discriminator",
            tuple(getattr(model, name) for name in model.judging),
            model.discriminator_loss,
            steps=model.discriminator_steps,
            prefix="d_",
            growing=model.growing,
        ),
        Player(
            "generator",
            tuple(getattr(model, name) for name in model.generating),
            model.generator_loss,
            draws=True,
            prefix="g_",
            growing=model.growing,
        ),
    )


def adam(model: Any) -> dict[str, keras.optimizers.Optimizer]:
    """Adam for the two players of such a model, each at its own rate."""
    rates = model.discriminator_learning_rate or model.learning_rate, model.learning_rate
    constants = {"beta_1": model.beta_1, "beta_2": model.beta_2, "epsilon": model.epsilon}
    names = ("discriminator", "generator")
    return {name: optimizers.Adam(rate, **constants) for name, rate in zip(names, rates)}
