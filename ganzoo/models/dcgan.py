"""DCGAN: the deep convolutional GAN."""

from ganzoo.gan import GAN
from ganzoo.networks import dcgan as networks
from ganzoo.registry import register


@register
class DCGAN(GAN):
    def __init__(self, *, channels=64, ema_decay=0.999, **kwargs):
        super().__init__(ema_decay=ema_decay, **kwargs)
        self.channels = channels

    def build_generator(self):
        return networks.generator(self.image_shape, self.latent_dim, self.channels)

    def build_discriminator(self):
        return networks.discriminator(self.image_shape, self.channels)
