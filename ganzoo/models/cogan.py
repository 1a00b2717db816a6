"""CoGAN: generates pairs of images from two domains, trained without pairs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation
from ganzoo.families import sampling
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.modalities import Images
from ganzoo.networks import cogan as networks


def _images(made):
    return Images().postprocess(made["images"])


def _targets(made):
    return Images().postprocess(made["targets"])


@register
class CoGAN(GAN):
    """Coupled GAN (Liu, Tuzel, 2016): a generator and a discriminator for each of two domains. They
    share the layers far from the images, and so one latent vector gives two images of the same
    thing, though no pair was ever seen.

        min_{D₁,D₂}  Σᵢ E_{xᵢ}[−log Dᵢ(xᵢ)] + E_z[−log(1 − Dᵢ(Gᵢ(z)))]
        min_{G₁,G₂}  Σᵢ E_z[−log Dᵢ(Gᵢ(z))]

    The domains are `fit(a, b)`, arrays of any two lengths, or `ganzoo.datasets.load_pair(a, b,
    paired=False)`. `generate` makes images of the first, of the second with `domain="targets"`,
    and `generate_pairs` of both.

    When to use:
        Two domains that show the same things, such as digits and their outlines, of which you have
        no pairs: one latent vector gives an image of each. To translate images that you have, use
        `cyclegan`.

    Args:
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        apart: layers at the images that each domain has to itself, in the generators and in the
            discriminators; at least 1, at most as often as the image is halved.
        ema_decay: decay of the averaged generators that `generate` uses, in [0, 1), or None to
            use the live ones as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> images = next(iter(ganzoo.datasets.load("digits", batch_size=200))).numpy()
    >>> model = ganzoo.get("cogan", channels=8, seed=0)
    >>> history = model.fit(images[:120], 255 - images[120:], epochs=1, verbose=0)
    >>> a, b = model.generate_pairs(4, seed=0)
    >>> a.shape, b.shape
    ((4, 8, 8, 1), (4, 8, 8, 1))

    Departures from the paper:
        * DCGAN's networks, halved and doubled by strides, with one more convolution at the end of
          the generators as in the paper: batch normalisation in the generators, layer
          normalisation in the discriminators. The paper's have parametric ReLU, and its
          discriminators pool and have no normalisation.
        * Latents are normal, not uniform; no weight decay.
        * `generate` uses averaged generators (decay 0.99); `ema_decay=None` turns them off.

    References:
        * Liu, Tuzel: Coupled Generative Adversarial Networks. NIPS 2016. arXiv:1606.07536
        * The authors' code: github.com/mingyuliutw/CoGAN
    """

    paired = False

    conditional = False

    def __init__(
        self, *, channels: int = 64, apart: int = 1, ema_decay: float = 0.99, **kwargs: Any
    ) -> None:
        super().__init__(ema_decay=ema_decay, **kwargs)
        self.channels = validation.integer("channels", channels)
        self.apart = validation.integer("apart", apart)

    def check_shape(self, shape):
        most = len(networks.sizes(*shape[:2])) - 1
        if self.apart > most:
            raise ValueError(
                f"`apart` is at most {most} for images of {shape[0]}×{shape[1]}, which are "
                f"halved that often. Received: {self.apart}."
            )

    def build_generator(self):
        return networks.generator(self.image_shape, self.latent_dim, self.channels, self.apart)

    def build_discriminator(self):
        return networks.discriminator(self.image_shape, self.channels, self.apart)

    def generate(self, n: int, *, domain: str = "images", **options: Any) -> np.ndarray:
        """Generate samples of one domain, `"images"` or `"targets"`: see `ganzoo.GAN.generate`."""
        return np.concatenate(list(self.generate_batches(n, domain=domain, **options)))

    def generate_batches(
        self, n: int, *, domain: str = "images", **options: Any
    ) -> Iterator[np.ndarray]:
        """The samples of `generate`, one batch at a time."""
        finish = {"images": _images, "targets": _targets}[
            validation.one_of("domain", domain, networks.DOMAINS)
        ]
        return sampling.generate_batches(self, n, finish=finish, **options)

    def generate_pairs(
        self,
        n: int,
        *,
        seed: int | None = None,
        latents: ArrayLike | None = None,
        truncation: float | None = None,
        **options: Any,
    ) -> tuple[np.ndarray, ...]:
        """Samples of both domains, `(images, targets)`: each pair shows the same thing."""
        latents = sampling.latents_for(self, n, latents, seed, truncation)
        return tuple(
            self.generate(n, domain=domain, latents=latents, **options)
            for domain in networks.DOMAINS
        )
