"""Adversarial training: what every generator–discriminator pair shares."""

import dataclasses
from typing import Any

import keras
from keras import ops

from ganzoo import augmentations
from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.augmentations import AdaptiveAugmentation
from ganzoo.augmentations import Augmentation
from ganzoo.game import Player
from ganzoo.game import optimizers
from ganzoo.losses import Objective


@dataclasses.dataclass(frozen=True)
class Adversary:
    """A discriminator's objective, and how its inputs are augmented.

    Attributes:
        objective: name in `ganzoo.losses.OBJECTIVES`, or an `Objective`.
        augment: what changes real and generated images alike before the discriminator sees them:
            what `ganzoo.augmentations.get` takes. An `AdaptiveAugmentation` follows the
            discriminator's outputs for real images.
        images: number of images of an example that the discriminator sees, stacked in its channels.
    """

    objective: str | Objective = "non_saturating"
    augment: str | Augmentation | None = None
    images: int = 1

    @property
    def sees_both(self) -> bool:
        """Whether the generator's loss depends on the logits of real examples too."""
        return losses.get(self.objective).paired

    def augmented(self, images: types.Tensor, seed: keras.random.SeedGenerator) -> types.Tensor:
        """The images as the discriminator sees them; a dict of images as such a dict."""
        augment = augmentations.get(self.augment, self.images)
        return keras.tree.map_structure(lambda x: augment(x, seed=seed), images)

    def discriminator_loss(self, real: types.Tensors, fake: types.Tensors) -> types.Losses:
        """`(terms, signals)` of the discriminator, from its outputs for real and generated ones."""
        objective, logits = losses.get(self.objective), (real["logits"], fake["logits"])
        signals = objective.signals(*logits)
        if isinstance(self.augment, AdaptiveAugmentation):
            signals["augment_p"] = self.augment.adapt(objective.margins(*logits))
        return {"adversarial": objective.discriminator(*logits)}, signals

    def resting_loss(self) -> types.Losses:
        """`(terms, signals)` of a discriminator that rests, named as by `discriminator_loss`: all
        are 0, but for the probability of an adaptive augmentation."""
        zero, logits = ops.zeros(()), ops.zeros((1, 1))
        signals = dict.fromkeys(losses.get(self.objective).signals(logits, logits), zero)
        if isinstance(self.augment, AdaptiveAugmentation):
            signals["augment_p"] = ops.convert_to_tensor(self.augment.p)
        return {"adversarial": zero}, signals

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
    model.discriminator_steps = validation.integer("discriminator_steps", discriminator_steps)
    model.learning_rate = validation.real("learning_rate", learning_rate, above=0)
    model.discriminator_learning_rate = discriminator_learning_rate
    if discriminator_learning_rate is not None:
        validation.real("discriminator_learning_rate", discriminator_learning_rate, above=0)
    model.beta_1 = validation.real("beta_1", beta_1, least=0, below=1)
    model.beta_2 = validation.real("beta_2", beta_2, least=0, below=1)
    model.epsilon = validation.real("epsilon", epsilon, above=0)


def keep_augmentation(
    model: Any, augment: str | None, target: float, images: int, pictures: int = 1
) -> None:
    """Check the settings of the augmentation, store each under its own name, and make it, in the
    attribute `augmentation`. `pictures`: see `ganzoo.augmentations.get`."""
    model.augment = augment
    model.augment_target = validation.real("augment_target", target, above=-1, below=1)
    model.augment_images = validation.integer("augment_images", images)
    model.augmentation = augmentations.get(augment, pictures, target, images)
    if isinstance(model.augmentation, AdaptiveAugmentation):
        # Found out now, because it takes numbers, which a compiled step does not have.
        losses.get(model.objective).relative  # noqa: B018


def freeze(network: keras.Model, count: int) -> None:
    """Keep the weights of a network's first layers as they are.

    Raises:
        ValueError: no layer would be left.
    """
    if not count:
        return
    # An embedding of labels comes first in the graph, but learns new classes.
    is_embedding = lambda x: isinstance(getattr(x, "layer", x), keras.layers.Embedding)
    layers = [x for x in network.layers if x.trainable_weights and not is_embedding(x)]
    if count >= len(layers):
        raise ValueError(
            f"This {network.name} has {len(layers)} layers with weights, of which the last must "
            f"learn: `freeze` is at most {len(layers) - 1}. Received: {count}."
        )
    for layer in layers[:count]:
        layer.trainable = False


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
            resting=lambda: model.resting,
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
    """Adam for the two players of such a model, each at its own rate, which a schedule changes."""
    rates = model.discriminator_learning_rate or model.learning_rate, model.learning_rate
    constants = {"beta_1": model.beta_1, "beta_2": model.beta_2, "epsilon": model.epsilon}
    names = ("discriminator", "generator")
    kind = optimizers.Adam if model.schedule is None else optimizers.AnnealedAdam
    return {name: kind(rate, **constants) for name, rate in zip(names, rates)}
