"""Objectives: what the discriminator and the generator each minimise.

An `Objective` is a pair of pure functions on logits, in float32, averaged over the batch.
They know nothing of networks, optimizers or data.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import checks


@dataclasses.dataclass(frozen=True)
class Objective:
    """The two sides of an adversarial game.

    Attributes:
        discriminator: `(real_logits, fake_logits) -> loss`.
        generator: `(fake_logits) -> loss`.
        boundary: the output at which the discriminator is undecided; accuracies are counted
            on its two sides.
    """

    discriminator: Callable
    generator: Callable
    boundary: float = 0.0

    def slopes(self, real_logits, fake_logits):
        """Derivatives of both losses to each fake logit, times the same number for all."""
        ours = backend.input_gradient(lambda x: self.discriminator(real_logits, x), fake_logits)
        return ours, backend.input_gradient(self.generator, fake_logits)

    @functools.cached_property
    def _sampled(self):
        """`slopes` for logits from about −30 to 30, none of them a round number."""
        logits = ops.reshape(ops.linspace(-29.7, 30.1, 240), (-1, 1))
        return [ops.convert_to_numpy(x) for x in self.slopes(logits[::-1], logits)]

    @property
    def symmetric(self):
        """Whether to samples the generator's loss is the discriminator's, with the other sign."""
        ours, theirs = self._sampled
        return bool(np.allclose(ours, -theirs, rtol=1e-5, atol=1e-12))

    @property
    def silent(self):
        """Whether the discriminator's slope is zero at some samples and the generator's not."""
        ours, theirs = self._sampled
        return bool(((ours == 0) & (theirs != 0)).any())


def _log_loss_real(logits):
    """−log sigmoid(logits), stable for logits of any size."""
    return ops.softplus(-ops.cast(logits, "float32"))


def _log_loss_fake(logits):
    """−log(1 − sigmoid(logits)), stable for logits of any size."""
    return ops.softplus(ops.cast(logits, "float32"))


def _cross_entropy(real_logits, fake_logits):
    return ops.mean(_log_loss_real(real_logits)) + ops.mean(_log_loss_fake(fake_logits))


minimax = Objective(
    discriminator=_cross_entropy,
    generator=lambda fake_logits: -ops.mean(_log_loss_fake(fake_logits)),
)
"""Goodfellow et al. 2014, equation 1: the generator minimises log(1 − D(G(z))). Its gradient
vanishes where the discriminator wins (section 3)."""

non_saturating = Objective(
    discriminator=_cross_entropy,
    generator=lambda fake_logits: ops.mean(_log_loss_real(fake_logits)),
)
"""Goodfellow et al. 2014, section 3: the generator maximises log D(G(z)). Same fixed point as
`minimax`, stronger gradients early in learning."""

OBJECTIVES = {"minimax": minimax, "non_saturating": non_saturating}


def get(objective):
    """The `Objective` of this name; an `Objective` is returned as it is."""
    if isinstance(objective, Objective):
        return objective
    return OBJECTIVES[checks.one_of("objective", objective, OBJECTIVES)]
