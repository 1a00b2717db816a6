"""Defaults of the GANs with residual networks, as from spectral normalisation on."""

from typing import Any

from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.losses import Objective


class ResNetNetworks(GAN):
    """A GAN with residual networks: see `ganzoo.networks.resnet`.

    Args:
        channels: width of the generator's blocks, at least 2.
        objective, beta_1, beta_2: see `ganzoo.GAN`.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the papers do.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).
    """

    def __init__(
        self,
        *,
        channels: int = 256,
        latent_dim: int = 128,
        objective: str | Objective = "hinge",
        beta_1: float = 0.0,
        beta_2: float = 0.9,
        ema_decay: float = 0.999,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            objective=objective,
            beta_1=beta_1,
            beta_2=beta_2,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.channels = validation.integer("channels", channels, least=2)
