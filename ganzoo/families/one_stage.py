"""One-stage updates: both players move at once, from one backward pass through the discriminator.

Shen et al. 2021, "Training Generative Adversarial Networks in One Stage". They are exact for some
games only; all others are refused.
"""

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import losses
from ganzoo import types
from ganzoo.game import Player


def moving_both(model: Any, discriminator: Player, generator: Player) -> Player:
    """The discriminator as a player that moves together with the generator.

    Raises:
        ValueError: one backward pass would not give both players' exact gradients.
    """
    check(model, discriminator, generator)
    return dataclasses.replace(
        discriminator,
        partner=generator.name,
        joint=functools.partial(joint_loss, model),
        further=functools.partial(_overrides, model, "discriminator_terms"),
    )


def joint_loss(model: Any, batch: types.Tensors, drawn: types.Tensors) -> tuple[Any, ...]:
    """Both losses from one pass through the discriminator: see `ganzoo.game.Player.joint`."""
    real, fake = (model.look(x, batch) for x in (model.real(batch), drawn["fake"]))
    # Further terms never move the generator: no gradient reaches it through what was drawn.
    apart = keras.tree.map_structure(ops.stop_gradient, drawn)
    answered, signals = model.adversary.discriminator_loss(real, fake)
    own = answered, functools.partial(_further, model, batch, apart, real, fake), signals
    objective = losses.get(model.objective)
    answer: types.Losses = model.adversary.generator_loss(fake, real), {}
    if objective.symmetric:
        return own, answer, ops.convert_to_tensor(-1.0)
    logits = real["logits"], fake["logits"]
    ours, theirs = objective.slopes(*map(ops.stop_gradient, logits))
    # If the discriminator's slope is exactly zero, so is all that could be scaled.
    factor = ops.where(ours == 0, 0.0, theirs / ops.where(ours == 0, 1.0, ours))
    return own, answer, ops.reshape(factor, (-1,))


def _further(model, batch, drawn, real, fake):
    terms = model.discriminator_terms(batch, drawn, real, fake)
    if "adversarial" in terms:
        raise ValueError(
            f"update='one_stage' would not be exact for this {type(model).__name__}: its "
            "`discriminator_terms` returns a term 'adversarial', which would replace the "
            "objective's. Give it another name, or use update='alternating'."
        )
    return terms


def _overrides(model, *names):
    """Whether the model has one of these methods of its own, in place of `ganzoo.GAN`'s."""
    from ganzoo.families.gan import GAN  # which is made of this module

    own = (getattr(getattr(model, name), "__func__", None) for name in names)
    return any(method is not getattr(GAN, name) for method, name in zip(own, names))


def check(model: Any, discriminator: Player, generator: Player) -> None:
    """Raise a `ValueError` unless one backward pass gives both players' exact gradients."""
    objective = losses.get(model.objective)
    named = repr(model.objective) if isinstance(model.objective, str) else "of this model"
    if _overrides(model, "generator_loss", "discriminator_loss", "with_terms", "generator_terms"):
        wrong, mend = "it has losses of its own", ""
    elif objective.paired:
        wrong = f"with the objective {named} the generator's loss depends on real examples too"
        mend = "another objective, or "
    elif _share_weights(generator, discriminator):
        wrong, mend = "its generator and its discriminator have weights in common", ""
    elif any(v.regularizer is not None for v in generator.variables):
        wrong, mend = "its generator has regularizers", ""
    elif objective.symmetric:
        return
    elif objective.silent:
        wrong = (
            f"with the objective {named} the discriminator's slope is zero where "
            "the generator's is not"
        )
        mend = "an objective such as 'non_saturating', or "
    elif model.dtype_policy.name == "mixed_float16":
        wrong = (
            f"the objective {named} is not symmetric, and where the discriminator is sure, its "
            "slope vanishes in float16 before it could be scaled"
        )
        mend = "`precision='mixed_bfloat16'`, a symmetric objective ('minimax'), or "
    elif _couples_examples(model):
        wrong = (
            f"the objective {named} is not symmetric, and the discriminator couples "
            "the examples of a batch, as batch normalisation does"
        )
        known = "discriminator_normalization" in model.arguments()
        mend = "`discriminator_normalization='layer'`, " if known else ""
        mend += "a symmetric objective ('minimax'), or "
    else:
        return
    raise ValueError(
        f"update='one_stage' would not be exact for this {type(model).__name__}: {wrong}. Use "
        f"{mend}update='alternating'."
    )


def _share_weights(generator, discriminator):
    """Whether the generator's loss depends on its weights through the discriminator too."""
    own = {id(v) for v in generator.variables}
    return any(id(v) in own for v in discriminator.variables)


def _couples_examples(model):
    """Whether the logit of an example depends on the other examples of the batch: tried out."""
    if model.paired is not None:
        return True  # an example has a logit for each domain, which have no common factor
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4, *model.image_shape)).astype("float32")
    other = np.concatenate([rng.uniform(-1, 1, (1, *model.image_shape)), images[1:]])
    examples = ops.convert_to_tensor(images)
    batch = {"examples": examples, "images": examples, "labels": ops.zeros((4,), "int32")}
    outputs = []
    for x in (images, other.astype("float32")):
        noise = np.random.default_rng(1)
        with keras.StatelessScope():  # the same random numbers twice, and nothing is kept
            # Away from initial weights, which may be zero.
            for v in model.discriminator.trainable_variables:
                v.assign(v + 0.1 * noise.standard_normal(v.shape).astype("float32"))
            logits = model.look(ops.convert_to_tensor(x), batch)["logits"]
        outputs.append(ops.convert_to_numpy(ops.cast(logits, "float32")))
    if outputs[0].size != 4:
        return True  # several outputs for each image have no common factor
    change = np.abs(outputs[0] - outputs[1]).ravel()
    return not bool(change[1:].max() < 1e-4 * change[0])
