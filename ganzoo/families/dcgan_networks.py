"""DCGAN's networks and their arguments, for the models that build upon them."""

from typing import Any
from typing import Literal

import keras

from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.networks import dcgan as networks


class DCGANNetworks(GAN):
    """A GAN with DCGAN's all-convolutional networks: see `ganzoo.networks.dcgan`.

    Args:
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`; `"layer"`, which couples no examples; or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the papers do.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).
    """

    normalizations: tuple[str | None, ...] = ("batch", "layer", None)
    """What `discriminator_normalization` may be."""

    def __init__(
        self,
        *,
        channels: int = 64,
        discriminator_normalization: Literal["batch", "layer"] | None = "batch",
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(ema_decay=ema_decay, **kwargs)
        self.channels = validation.integer("channels", channels)
        self.discriminator_normalization = validation.one_of(
            "discriminator_normalization", discriminator_normalization, self.normalizations
        )

    def generator_options(self) -> dict[str, Any]:
        """Further arguments of `ganzoo.networks.dcgan.generator`."""
        return {}

    def discriminator_options(self) -> dict[str, Any]:
        """Further arguments of `ganzoo.networks.dcgan.discriminator`."""
        return {}

    def build_generator(self) -> keras.Model:
        options = {"num_classes": self.num_classes, **self.generator_options()}
        return networks.generator(self.image_shape, self.latent_width, self.channels, **options)

    def build_discriminator(self) -> keras.Model:
        options = {"num_classes": self.num_classes, **self.discriminator_options()}
        normalize: Any = self.discriminator_normalization
        return networks.discriminator(
            self.image_shape, self.channels, normalize=normalize, **options
        )
