"""SAGAN: self-attention relates distant parts of an image."""

from typing import Any

from ganzoo.families.resnet_networks import ResNetNetworks
from ganzoo.game.registry import register
from ganzoo.networks import resnet


@register
class SAGAN(ResNetNetworks):
    """Self-attention GAN (Zhang, Goodfellow, Metaxas, Odena, 2019): in both networks, at one
    resolution, every place looks at all others.

        min_D  E_x[max(0, 1 − D(x))] + E_z[max(0, 1 + D(G(z)))]
        min_G  −E_z[D(G(z))]

    Spectral normalisation in both networks, and two time scales: the discriminator learns four
    times as fast as the generator, with one move each. With `num_classes` conditional batch
    normalisation and a projection discriminator, as in `sngan`.

    When to use:
        To learn or teach self-attention, and for images whose distant parts must agree, on a GPU.
        Its steps are slow on a CPU.

    Args:
        channels: width of the generator's blocks, at least 2, up to 32×32 images; beyond, see
            `ganzoo.networks.resnet.widths`. The discriminator's are as wide.
        num_classes: number of classes, or None for a model without labels.
        learning_rate, discriminator_learning_rate: Adam's, of generator and discriminator.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `objective`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("sagan", channels=4, num_classes=10, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits", labels=True), epochs=1, verbose=0)
    >>> model.generate(3, labels=[7, 7, 1], seed=0).shape
    (3, 8, 8, 1)

    Departures from the paper:
        * Depth and width follow the image's size; attention stands at the largest resolution up
          to 32×32 that is not the image's own. The paper's images are 128×128, where this
          gives its 32×32.
        * `generate` uses an averaged generator (decay 0.999); `ema_decay=None` turns it off.

    References:
        * Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks. ICML
          2019. arXiv:1805.08318, sections 3 and 4
        * The authors' code: github.com/brain-research/self-attention-gan
    """

    def __init__(
        self,
        *,
        learning_rate: float = 1e-4,
        discriminator_learning_rate: float = 4e-4,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            discriminator_learning_rate=discriminator_learning_rate,
            **kwargs,
        )

    def build_generator(self):
        return resnet.generator(
            self.image_shape,
            self.latent_dim,
            self.channels,
            self.num_classes,
            spectral=True,
            attend=True,
        )

    def build_discriminator(self):
        return resnet.discriminator(self.image_shape, self.channels, self.num_classes, attend=True)
