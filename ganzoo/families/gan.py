"""The two-player default: a generator against a discriminator."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any
from typing import Literal

import keras
import numpy as np
from keras import ops

from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.families.adversarial import Adversarial
from ganzoo.families.latent import Generative
from ganzoo.game import Player


class GAN(Adversarial, Generative):
    """A generator of pictures from latents against a discriminator. Subclasses say which networks
    and which objective.

    A subclass provides `build_generator` and `build_discriminator`; it may set `objective`, add
    `discriminator_terms` and `generator_terms`, or override `discriminator_loss` or
    `generator_loss`.

    With `num_classes` the model is conditional: a network that has a second input, for labels, is
    told them.

    Args:
        update: `"alternating"`, the generator answers the discriminator after its move, as in
            the papers; or `"one_stage"`, both move at once, from one backward pass through the
            discriminator (Shen et al. 2021, "Training Generative Adversarial Networks in One
            Stage"), which is faster. It is refused where the generator's
            gradient would not be exact: the objective must be symmetric, such as `"minimax"`, or
            the discriminator must couple no examples, which batch normalisation does.
        **kwargs: see `ganzoo.families.adversarial.Adversarial` (`objective`, `augment`,
            `learning_rate`, `discriminator_steps`, …), `ganzoo.families.latent.Generative`
            (`latent_dim`, `num_classes`) and `ganzoo.game.Game`.
    """

    def __init__(
        self, *, update: Literal["alternating", "one_stage"] = "alternating", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.update = validation.one_of("update", update, ("alternating", "one_stage"))

    def build_players(self) -> tuple[Player, ...]:
        discriminator, generator = super().build_players()
        if self.update == "one_stage":
            self._check_one_stage()
            discriminator = dataclasses.replace(
                discriminator,
                partner="generator",
                joint=self.joint_loss,
                further=self._has_further_terms,
            )
        return discriminator, generator

    def draw(self, batch: types.Tensors) -> types.Tensors:
        """Latents and the pictures made of them; conditional models imitate the batch's labels."""
        latents = self.sample_latents(ops.shape(batch["images"])[0])
        return {"latents": latents, "fake": self._call(self.generator, latents, batch)}

    def joint_loss(
        self, batch: types.Tensors, drawn: types.Tensors
    ) -> tuple[tuple[types.Tensors, Callable, types.Tensors], types.Losses, types.Tensor]:
        """Both sides from one pass through the discriminator: see `ganzoo.game.Player.joint`."""
        real, fake = (self.look(x, batch) for x in (self.real(batch), drawn["fake"]))
        # Which spares those who look at what was drawn a backward pass that would reach nobody.
        apart = keras.tree.map_structure(ops.stop_gradient, drawn)
        answered, further, signals = self._parts(batch, apart, real, fake)
        own = answered, functools.partial(self._further, further), signals
        objective = losses.get(self.objective)
        logits = [real["logits"], fake["logits"]]
        answer: types.Losses = {"adversarial": objective.answer(*logits[::-1])}, {}
        if objective.symmetric:
            return own, answer, ops.convert_to_tensor(-1.0)
        ours, theirs = objective.slopes(*map(ops.stop_gradient, logits))
        # Where the discriminator's slope is exactly zero, so is all that could be scaled.
        factor = ops.where(ours == 0, 0.0, theirs / ops.where(ours == 0, 1.0, ours))
        return own, answer, ops.reshape(factor, (-1,))

    def _has_further_terms(self):
        own = getattr(self.discriminator_terms, "__func__", None)
        return own is not GAN.discriminator_terms

    def _further(self, terms):
        terms = terms()
        if "adversarial" in terms:
            raise ValueError(
                f"update='one_stage' would not be exact for this {type(self).__name__}: its "
                "`discriminator_terms` returns a term 'adversarial', which would replace the "
                "objective's. Give it another name, or use update='alternating'."
            )
        return terms

    def _check_one_stage(self):
        """Raise a `ValueError` unless one backward pass gives both players' exact gradients."""
        objective = losses.get(self.objective)
        named = repr(self.objective) if isinstance(self.objective, str) else "of this model"
        own = ("generator_loss", "discriminator_loss", "generator_terms")
        if any(getattr(type(self), name) is not getattr(GAN, name) for name in own):
            wrong, mend = "it has losses of its own", ""
        elif objective.paired:
            wrong = f"with the objective {named} the generator's loss looks at real pictures too"
            mend = "another objective, or "
        elif self._shares_weights():
            wrong, mend = "its generator and its discriminator have weights in common", ""
        elif any(v.regularizer is not None for v in self.generator.trainable_variables):
            wrong, mend = "its generator has regularizers", ""
        elif objective.symmetric:
            return
        elif objective.silent:
            wrong = (
                f"with the objective {named} the discriminator's slope is zero where "
                "the generator's is not"
            )
            mend = "an objective such as 'non_saturating', or "
        elif self.dtype_policy.name == "mixed_float16":
            wrong = (
                f"the objective {named} is not symmetric, and where the discriminator is sure, its "
                "slope vanishes in float16 before it could be scaled"
            )
            mend = "`precision='mixed_bfloat16'`, a symmetric objective ('minimax'), or "
        elif self._couples_examples():
            wrong = (
                f"the objective {named} is not symmetric, and the discriminator couples "
                "the examples of a batch, as batch normalisation does"
            )
            known = "discriminator_normalization" in self.arguments()
            mend = "`discriminator_normalization='layer'`, " if known else ""
            mend += "a symmetric objective ('minimax'), or "
        else:
            return
        raise ValueError(
            f"update='one_stage' would not be exact for this {type(self).__name__}: {wrong}. Use "
            f"{mend}update='alternating'."
        )

    def _shares_weights(self):
        """Whether the generator's loss depends on its weights by the discriminator's too."""
        own = {id(v) for v in self.generator.trainable_variables}
        return any(id(v) in own for v in self.discriminator.trainable_variables)

    def _couples_examples(self):
        """Whether what the discriminator says of an example depends on the others: tried out."""
        rng = np.random.default_rng(0)
        images = rng.uniform(-1, 1, (4, *self.image_shape)).astype("float32")
        other = np.concatenate([rng.uniform(-1, 1, (1, *self.image_shape)), images[1:]])
        batch = {"images": ops.convert_to_tensor(images), "labels": ops.zeros((4,), "int32")}
        said = []
        for x in (images, other.astype("float32")):
            noise = np.random.default_rng(1)
            with keras.StatelessScope():  # the same random numbers twice, and nothing is kept
                # Away from initial weights, which may be zero.
                for v in self.discriminator.trainable_variables:
                    v.assign(v + 0.1 * noise.standard_normal(v.shape).astype("float32"))
                logits = self.look(ops.convert_to_tensor(x), batch)["logits"]
            said.append(ops.convert_to_numpy(ops.cast(logits, "float32")))
        if said[0].size != 4:
            return True  # several outputs for each picture have no common factor
        change = np.abs(said[0] - said[1]).ravel()
        return not bool(change[1:].max() < 1e-4 * change[0])
