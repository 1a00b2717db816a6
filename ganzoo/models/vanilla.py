"""Vanilla GAN: two multilayer perceptrons, the first generative adversarial network."""

from collections.abc import Sequence
from typing import Any

from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Points
from ganzoo.networks import mlp


@register
class VanillaGAN(GAN):
    """Vanilla GAN (Goodfellow et al., 2014): two multilayer perceptrons play against each other.

        min_G max_D  E_x[log D(x)] + E_z[log(1 − D(G(z)))]

    The discriminator D estimates the probability that an image is real; at its optimum it is
    p(x) / (p(x) + q(x)) for data density p and generator density q. At the game's equilibrium
    q = p and the value is −log 4. The generator has rectified linear units, the discriminator
    maxout units with dropout. Besides images it takes points, `image_shape=(length,)`.

    When to use:
        To learn or teach where GANs began, and for points, which have no neighbours to convolve.
        For images use `dcgan`.

    Args:
        objective: `"non_saturating"`, the generator maximises log D(G(z)) (section 3's advice
            for early training), or `"minimax"`, it minimises log(1 − D(G(z))) (equation 1).
        discriminator_steps: k of algorithm 1, at least 1.
        generator_units: sizes of the generator's hidden layers.
        discriminator_units: sizes of the discriminator's hidden layers.
        pieces: affine maps for each maxout unit.
        dropout: shares dropped of the discriminator's input and of its hidden layers, in [0, 1).
        learning_rate: the generator's.
        discriminator_learning_rate: the discriminator's; None: the generator's.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `beta_1`, …) and `ganzoo.Game` (`image_shape`,
            `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("vanilla", generator_units=(64,), seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Adam in place of stochastic gradient descent with momentum and decaying rates; the
          generator at half the discriminator's rate, because it collapses more easily.
        * Latents are normal, not uniform.
        * Images lie in [-1, 1] behind a tanh, not in [0, 1] behind a sigmoid.
        * The non-saturating objective is the default.

    References:
        * Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative
          Adversarial Nets. NeurIPS 2014. arXiv:1406.2661
        * The authors' code: github.com/goodfeli/adversarial
    """

    modalities = (Images(least_side=1), Points())
    conditional = False

    def __init__(
        self,
        *,
        objective: str | Objective = "non_saturating",
        discriminator_steps: int = 1,
        generator_units: Sequence[int] = (1200, 1200),
        discriminator_units: Sequence[int] = (240, 240),
        pieces: int = 5,
        dropout: Sequence[float] = (0.2, 0.5),
        learning_rate: float = 1e-4,
        discriminator_learning_rate: float | None = 2e-4,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            discriminator_steps=discriminator_steps,
            learning_rate=learning_rate,
            discriminator_learning_rate=discriminator_learning_rate,
            **kwargs,
        )
        self.generator_units = tuple(generator_units)
        self.discriminator_units = tuple(discriminator_units)
        self.pieces = pieces
        self.dropout = tuple(dropout)

    def build_generator(self):
        return mlp.generator(self.image_shape, self.latent_dim, self.generator_units)

    def build_discriminator(self):
        return mlp.discriminator(
            self.image_shape, self.discriminator_units, self.pieces, self.dropout
        )
