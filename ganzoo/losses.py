"""Objectives: what the discriminator and the generator each minimise.

An `Objective` is a pair of pure functions on logits, in float32, averaged over the batch.
They know nothing about networks, optimizers or data.
"""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation


@dataclasses.dataclass(frozen=True)
class Objective:
    """A pair of losses on logits: the discriminator's and the generator's.

    Attributes:
        discriminator: `(real_logits, fake_logits) -> loss`.
        generator: `(fake_logits) -> loss`; `(fake_logits, real_logits) -> loss` if `paired`.
        boundary: the logit at which the discriminator is undecided; the accuracies compare with
            it.
        paired: whether the generator's loss also depends on the logits of real images, which then
            must be computed in its turn.
    """

    discriminator: Callable
    generator: Callable
    boundary: float = 0.0
    paired: bool = False

    def answer(self, fake_logits: types.Tensor, real_logits: types.Tensor) -> types.Tensor:
        """The generator's loss; `real_logits` may be None unless `paired`."""
        return self.generator(*(fake_logits, real_logits)[: 1 + self.paired])

    def signals(self, real_logits: types.Tensor, fake_logits: types.Tensor) -> types.Tensors:
        """Logs of the discriminator in addition to its loss: mean logits and accuracies."""
        return {
            "real": ops.mean(real_logits),
            "fake": ops.mean(fake_logits),
            "accuracy_real": ops.mean(ops.cast(real_logits > self.boundary, "float32")),
            "accuracy_fake": ops.mean(ops.cast(fake_logits < self.boundary, "float32")),
        }

    def slopes(
        self, real_logits: types.Tensor, fake_logits: types.Tensor
    ) -> tuple[types.Tensor, types.Tensor]:
        """Derivatives of both losses with respect to each fake logit, up to a common factor."""
        ours = backend.input_gradient(lambda x: self.discriminator(real_logits, x), fake_logits)
        return ours, backend.input_gradient(lambda x: self.answer(x, real_logits), fake_logits)

    def margins(self, real_logits: types.Tensor, fake_logits: types.Tensor) -> types.Tensor:
        """How far each real logit is on the real side: beyond the boundary or, where only
        differences count, beyond the fake logit next to it."""
        return real_logits - (fake_logits if self.relative else self.boundary)

    @functools.cached_property
    def relative(self) -> bool:
        """Whether the discriminator's loss stays the same if all logits rise by the same number, as
        `wasserstein` and `relativistic` do."""
        logits = ops.reshape(ops.linspace(-1.7, 2.1, 12), (-1, 1))
        losses = [
            float(ops.convert_to_numpy(self.discriminator(logits[::-1] + rise, logits + rise)))
            for rise in (0.0, 1.0)
        ]
        return math.isclose(*losses, rel_tol=1e-5, abs_tol=1e-6)

    @functools.cached_property
    def _sampled(self):
        """`slopes` at logits from about −30 to 30, none of them a round number."""
        logits = ops.reshape(ops.linspace(-29.7, 30.1, 240), (-1, 1))
        return [ops.convert_to_numpy(x) for x in self.slopes(logits[::-1], logits)]

    @property
    def symmetric(self) -> bool:
        """Whether the generator's slope at each sample is minus the discriminator's."""
        ours, theirs = self._sampled
        return bool(np.allclose(ours, -theirs, rtol=1e-5, atol=1e-12))

    @property
    def silent(self) -> bool:
        """Whether the discriminator's slope is zero at samples where the generator's is not."""
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


def _float32(pure):
    """A function of logits, computed in float32."""
    return lambda *logits: pure(*(ops.cast(x, "float32") for x in logits))


hinge = Objective(
    discriminator=_float32(
        lambda real, fake: ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
    ),
    generator=_float32(lambda fake: -ops.mean(fake)),
)
"""Lim, Ye 2017, "Geometric GAN", section 3; Miyato et al. 2018, equations 16 and 17:
only examples within the margin give the discriminator a gradient."""

least_squares = Objective(
    discriminator=_float32(
        lambda real, fake: 0.5 * ops.mean(ops.square(real - 1.0)) + 0.5 * ops.mean(ops.square(fake))
    ),
    generator=_float32(lambda fake: 0.5 * ops.mean(ops.square(fake - 1.0))),
    boundary=0.5,
)
"""Mao et al. 2017, "Least Squares Generative Adversarial Networks", equation 9: the labels are 1
for real and 0 for fake, and samples far on the right side of the boundary are pulled back."""

wasserstein = Objective(
    discriminator=_float32(lambda real, fake: ops.mean(fake) - ops.mean(real)),
    generator=_float32(lambda fake: -ops.mean(fake)),
)
"""Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", equation 2: the difference of the means,
for a critic whose slope is bounded by other means."""

relativistic = Objective(
    discriminator=_float32(lambda real, fake: ops.mean(ops.softplus(fake - real))),
    generator=_float32(lambda fake, real: ops.mean(ops.softplus(real - fake))),
    paired=True,
)
"""Jolicoeur-Martineau 2018, "The relativistic discriminator", section 4 (pairs); Huang et al. 2024,
"The GAN is dead; long live the GAN!", section 2: each real image against one fake."""

_against_mean = lambda logits, others: logits - backend.average(ops.mean(others))

relativistic_average = Objective(
    discriminator=_float32(
        lambda real, fake: (
            ops.mean(ops.softplus(_against_mean(fake, real)))
            + ops.mean(ops.softplus(-_against_mean(real, fake)))
        )
    ),
    generator=_float32(
        lambda fake, real: (
            ops.mean(ops.softplus(_against_mean(real, fake)))
            + ops.mean(ops.softplus(-_against_mean(fake, real)))
        )
    ),
    paired=True,
)
"""Jolicoeur-Martineau 2018, section 4 (average), as in Wang et al. 2018, "ESRGAN: Enhanced
Super-Resolution Generative Adversarial Networks", equations 1 and 2: each image against the mean of
the batch's other side."""


def gaussian_divergence(mean: types.Tensor, log_variance: types.Tensor) -> types.Tensor:
    """KL divergence of diagonal Gaussians from N(0, 1), in nats: `(batch, length)` to `(batch,)`.

    Kingma, Welling 2013, "Auto-Encoding Variational Bayes", appendix B.
    """
    terms = ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


OBJECTIVES = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "hinge": hinge,
    "least_squares": least_squares,
    "wasserstein": wasserstein,
    "relativistic": relativistic,
    "relativistic_average": relativistic_average,
}


def get(objective: str | Objective) -> Objective:
    """Return the `Objective` of this name; an `Objective` is returned unchanged."""
    if isinstance(objective, Objective):
        return objective
    return OBJECTIVES[validation.one_of("objective", objective, OBJECTIVES)]
