"""WGAN-GP: a critic whose slope is held near 1 by a penalty."""

from typing import Any
from typing import Literal

from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Points


@register
class WGANGP(DCGANNetworks):
    """WGAN with gradient penalty (Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, 2017): in place
    of clipping weights, the critic pays for slopes other than 1 between data and samples.

        min_D  E_z[D(G(z))] − E_x[D(x)] + λ E_x̂[(‖∇D(x̂)‖ − 1)²]
        min_G  −E_z[D(G(z))]

    where x̂ is uniform on the line between a real image and a sample. The penalty is each
    example's own, so the critic has layer normalisation in place of batch normalisation.

    When to use:
        To learn or teach how a penalty bounds the slope of a critic. It needs time: the critic
        moves five times for each move of the generator.

    Args:
        penalty_weight: λ, at least 0.
        discriminator_steps: moves of the critic for each of the generator's.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"layer"`, as the paper recommends, or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("wgan_gp", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> sorted(k for k in history.history if k.startswith("d_") and "loss" not in k)[:3]
    ['d_accuracy_fake', 'd_accuracy_real', 'd_adversarial']

    Departures from the paper:
        * DCGAN's networks, as the paper's own comparison of architectures starts from (section
          5.1); its CIFAR-10 networks are residual.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs.
          NIPS 2017. arXiv:1704.00028, algorithm 1
        * The authors' code: github.com/igul222/improved_wgan_training
    """

    modalities = (Images(), Points())
    normalizations = ("layer", None)

    def __init__(
        self,
        *,
        penalty_weight: float = 10.0,
        objective: str | Objective = "wasserstein",
        discriminator_steps: int = 5,
        discriminator_normalization: Literal["batch", "layer"] | None = "layer",
        learning_rate: float = 1e-4,
        beta_1: float = 0.0,
        beta_2: float = 0.9,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            discriminator_steps=discriminator_steps,
            discriminator_normalization=discriminator_normalization,
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            **kwargs,
        )
        self.penalty_weight = validation.real("penalty_weight", penalty_weight, least=0)

    def discriminator_terms(self, batch, drawn, real, fake):
        penalty = penalties.gradient_penalty(
            lambda x: self.discriminate(x, batch),
            batch["examples"],
            drawn["fake"],
            seed=self.seed_generator,
        )
        return {"gradient_penalty": self.penalty_weight * penalty}
