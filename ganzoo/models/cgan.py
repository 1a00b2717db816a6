"""Conditional GAN: you say which class, it makes a picture of it."""

from ganzoo import checks
from ganzoo.gan import GAN
from ganzoo.networks import dcgan as networks
from ganzoo.registry import register


@register
class CGAN(GAN):
    """Conditional GAN (Mirza, Osindero, 2014): both networks are told the class y.

        min_G max_D  E_x[log D(x | y)] + E_z[log(1 − D(G(z | y)))]

    The discriminator judges whether a picture is a real one *of its class*, so the generator has
    to make what the label says. The networks are DCGAN's: the generator takes an embedding of the
    label beside the latents, the discriminator another as a further channel of the picture.

    Args:
        num_classes: number of classes, at least 1; labels are 0 … num_classes − 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("cgan", num_classes=10, channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits", labels=True), epochs=1, verbose=0)
    >>> model.generate(3, labels=[7, 7, 1], seed=0).shape
    (3, 8, 8, 1)

    Departures from the paper:
        * DCGAN's convolutional networks, initialisation and optimizer in place of perceptrons.
        * Labels enter by learned embeddings, not as one-hot vectors through dense layers.
        * The non-saturating objective is the default.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Mirza, Osindero: Conditional Generative Adversarial Nets. 2014. arXiv:1411.1784
        * The authors published no code; the body is that of github.com/soumith/dcgan.torch
    """

    def __init__(self, *, num_classes=10, channels=64, ema_decay=0.99, **kwargs):
        checks.integer("num_classes", num_classes)
        super().__init__(num_classes=num_classes, ema_decay=ema_decay, **kwargs)
        self.channels = checks.integer("channels", channels)

    def build_generator(self):
        return networks.generator(
            self.image_shape, self.latent_dim, self.channels, self.num_classes
        )

    def build_discriminator(self):
        return networks.discriminator(self.image_shape, self.channels, self.num_classes)
