"""SNGAN: every layer of the discriminator divided by its largest singular value."""

from typing import Any

from ganzoo.families.resnet_networks import ResNetNetworks
from ganzoo.game.registry import register
from ganzoo.modalities import Images
from ganzoo.modalities import Points
from ganzoo.networks import resnet


@register
class SNGAN(ResNetNetworks):
    """Spectrally normalised GAN (Miyato, Kataoka, Koyama, Yoshida, 2018): the discriminator is
    Lipschitz because each of its layers is, at little cost and with nothing to tune.

        min_D  E_x[max(0, 1 − D(x))] + E_z[max(0, 1 + D(G(z)))]
        min_G  −E_z[D(G(z))]

    Residual networks. With `num_classes` the generator's batch normalisation is conditional, and
    the discriminator adds the inner product of its features with the label's embedding
    (projection; Miyato, Koyama, 2018).

    When to use:
        Labelled images on a GPU, with a discriminator that is stable without tuning. Look at its
        recall: samples of one class can be much alike.

    Args:
        channels: width of the generator's blocks, at least 2, up to 32×32 images; beyond, see
            `ganzoo.networks.resnet.widths`. The discriminator's are half as wide.
        num_classes: number of classes, or None for a model without labels.
        discriminator_steps: moves of the discriminator for each of the generator's.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `objective`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("sngan", channels=4, num_classes=10, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits", labels=True), epochs=1, verbose=0)
    >>> model.generate(3, labels=[7, 7, 1], seed=0).shape
    (3, 8, 8, 1)

    Departures from the paper:
        * Depth and width follow the image's size; at 32×32 they are the paper's.
        * The learning rate is constant; the paper lets it fall to zero over 100,000 steps.
        * `generate` uses an averaged generator (decay 0.999); `ema_decay=None` turns it off.

    References:
        * Miyato, Kataoka, Koyama, Yoshida: Spectral Normalization for Generative Adversarial
          Networks. ICLR 2018. arXiv:1802.05957, table 4 and section 4
        * Miyato, Koyama: cGANs with Projection Discriminator. ICLR 2018. arXiv:1802.05637
        * The authors' code: github.com/pfnet-research/sngan_projection
    """

    modalities = (Images(), Points())

    def __init__(self, *, discriminator_steps: int = 5, **kwargs: Any) -> None:
        super().__init__(discriminator_steps=discriminator_steps, **kwargs)

    def build_generator(self):
        return resnet.generator(self.image_shape, self.latent_dim, self.channels, self.num_classes)

    def build_discriminator(self):
        return resnet.discriminator(self.image_shape, self.channels // 2, self.num_classes)
