"""FastGAN: a light GAN for few images, whose discriminator also learns to reconstruct them."""

from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import fastgan as networks


@register
class FastGAN(GAN):
    """FastGAN (Liu, Zhu, Song, Elgammal, 2021): learns from a hundred to some thousand images, in
    hours on one GPU. Coarse features of the generator scale the channels of fine ones (skip-layer
    excitation), and the discriminator is also an encoder from whose features real images are
    reconstructed, so that it looks at all of an image instead of memorising it.

        min_D  E_x[max(0, 1 − D(x))] + E_z[max(0, 1 + D(G(z)))]
               + λ E_x[|A(f(x)) − ½x| + |B(p(f'(x))) − p(x)|]
        min_G  −E_z[D(G(z))]

    where f and f' are the discriminator's last features and those of twice the size, A and B are
    small decoders that D moves with itself, ½x is the image at half its height and width, and p
    takes a random quarter. All convolutions are spectrally normalised. D has a logit for each
    patch: 5×5 at 8×8 features. Batches of 8 images, as in the paper, are enough.

    When to use:
        A hundred to some thousand images of 256×256 pixels or more, on a GPU. For small images on a
        CPU use `r3gan` with `architecture="dcgan"` and augmentation.

    Args:
        width: in the generator, a sixteenth of the channels at 4×4; in the discriminator, an eighth
            of those at 8×8; at least 1. With every doubling there are fewer channels.
        reconstruction_weight: λ, at least 0; 0: there are no decoders.
        objective, augment: see `ganzoo.GAN`.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("fastgan", width=2, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Narrow by default, to train on a CPU. The paper's at 256×256: `width=64`.
        * Reconstructions are compared by mean absolute difference of pixels, not by LPIPS, the
          features of a trained network.
        * The quarter has half of the height and width, as in the authors' code, and each image of a
          batch has its own.
        * Decoders make images of half the height and width, which at 256×256 are the paper's
          128×128.
        * Excitation reaches over four doublings, as in the paper; up to 32×32, where there are
          fewer, from the first size to the last. Its activation is SiLU, as in the authors' code.
        * The margins of the hinge loss are 1; the authors' code draws them from 0.8 to 1. It also
          excites features of the discriminator, and shows it a second output of the generator, at
          128×128, with a decoder of its own. The paper has neither, and so has this model.
        * Images of any size from 7×7 up, as the depth follows it. For those above 256×256 the
          authors' code has other first layers in the discriminator.
        * `generate` adds the same noise to all images, so that they follow from their latents.

    References:
        * Liu, Zhu, Song, Elgammal: Towards Faster and Stabilized GAN Training for High-fidelity
          Few-shot Image Synthesis. ICLR 2021. arXiv:2101.04775, section 3
    """

    conditional = False

    def __init__(
        self,
        *,
        width: int = 16,
        reconstruction_weight: float = 1.0,
        latent_dim: int = 256,
        objective: str | Objective = "hinge",
        augment: str | None = "color,translation",
        ema_decay: float = 0.999,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            objective=objective,
            augment=augment,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.width = validation.integer("width", width)
        self.reconstruction_weight = validation.real(
            "reconstruction_weight", reconstruction_weight, least=0
        )
        if self.reconstruction_weight:
            self.judging = ("discriminator", "decoder", "part_decoder")

    def build_generator(self):
        return networks.generator(self.image_shape, self.latent_dim, self.width)

    def build_discriminator(self):
        return networks.discriminator(self.image_shape, self.width)

    @property
    def _doublings(self):
        """From the last features to half of the image, and from those before to all of it."""
        return len(networks.encoder_sizes(*self.image_shape[:2])) - 2

    @property
    def _quarter(self):
        """Height and width of a quarter of the features of twice the last size."""
        return tuple(side // 2**self._doublings // 2 for side in self.image_shape[:2])

    def build_others(self):
        if self.reconstruction_weight:
            outputs, options = self.discriminator.output, (self._doublings, self.width)
            depth, (*_, channels) = self.image_shape[-1], outputs["fine"].shape
            self.decoder = networks.decoder(outputs["coarse"].shape[1:], depth, *options)
            self.part_decoder = networks.decoder(
                (*self._quarter, channels), depth, *options, name="part_decoder"
            )

    def discriminator_terms(self, batch, drawn, real, fake):
        if not self.reconstruction_weight:
            return {}
        images, count = real["images"], ops.shape(real["images"])[0]
        # With strides, without which Keras 3.15 fails on JAX.
        half = ops.average_pool(images, 2, strides=2, padding="same", data_format="channels_last")
        whole = self.decoder(real["coarse"], training=True)[:, : half.shape[1], : half.shape[2]]
        uniform = lambda: backend.drawn(
            keras.random.uniform, (count, 1, 1, 1), seed=self.seed_generator
        )
        corner = [uniform() < 0.5, uniform() < 0.5]
        size = [side * 2**self._doublings for side in self._quarter]
        features = networks.quadrant(real["fine"], corner, self._quarter)
        part = self.part_decoder(features, training=True)
        wanted = networks.quadrant(images, corner, size)
        distance = ops.mean(ops.abs(whole - half)) + ops.mean(ops.abs(part - wanted))
        return {"reconstruction": self.reconstruction_weight * distance}
