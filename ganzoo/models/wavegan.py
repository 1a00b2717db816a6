"""WaveGAN: generates waveforms, such as spoken words and drums."""

from typing import Any

from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.modalities import Waveforms
from ganzoo.networks import wavegan as networks


@register
class WaveGAN(GAN):
    """WaveGAN (Donahue, McAuley, Puckette, 2019): DCGAN in one dimension, with long kernels, for
    clips of sound.

        min_D  E_z[D(G(z))] − E_x[D(x)] + λ E_x̂[(‖∇D(x̂)‖ − 1)²]
        min_G  −E_z[D(G(z))]

    where x̂ is uniform on the line between a real clip and a sample, as in WGAN-GP. Strides of 4
    leave artefacts whose phase would tell the critic samples from data; phase shuffle moves what
    its layers see by up to n places. Data are clips `(batch, samples, channels)`, int16 or float in
    [-1, 1], such as `ganzoo.datasets.load("clips.zip")` reads.

    When to use:
        Short sounds of one length, such as words and drums, by the hundreds or more: about a
        second at 8,000 or 16,000 samples a second.

    Args:
        sample_rate: samples a second, which sets the pitch and speed of what is saved. None: that
            of the data, or 16,000 if it tells none.
        channels: width of the layers next to the sound, at least 1; it doubles with every division
            of the length by four. The paper has 64.
        phase_shuffle: n, at least 0.
        penalty_weight: λ, at least 0.
        discriminator_steps: moves of the critic for each of the generator's.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `num_classes`, `learning_rate`, …) and
            `ganzoo.Game` (`image_shape`, which is `(samples, channels)` here, `precision`, `seed`,
            …).

    Example:

    >>> import numpy as np
    >>> import ganzoo
    >>> time = np.arange(256)[None, :, None] + np.random.default_rng(0).uniform(0, 9, (80, 1, 1))
    >>> model = ganzoo.get("wavegan", sample_rate=8000, channels=4, seed=0)
    >>> history = model.fit(np.sin(time).astype("float32"), batch_size=16, epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 256, 1)

    Departures from the paper:
        * Latents are normal, not uniform.
        * 32 channels in place of 64, to train on a CPU. With `channels=64` and clips of 16,384
          samples the networks have the paper's sizes.
        * The paper is unconditional. With `num_classes`, a label's embedding joins the latents, and
          the critic projects on another (Miyato, Koyama 2018).
        * One shift of the phase for each batch and layer, as in the authors' code.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Donahue, McAuley, Puckette: Adversarial Audio Synthesis. ICLR 2019. arXiv:1802.04208
        * The authors' code: github.com/chrisdonahue/wavegan
    """

    modalities = (Waveforms(),)

    def __init__(
        self,
        *,
        sample_rate: int | None = None,
        channels: int = 32,
        phase_shuffle: int = 2,
        penalty_weight: float = 10.0,
        objective: str | Objective = "wasserstein",
        discriminator_steps: int = 5,
        learning_rate: float = 1e-4,
        beta_1: float = 0.5,
        beta_2: float = 0.9,
        ema_decay: float | None = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            discriminator_steps=discriminator_steps,
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.modalities = (Waveforms(rate=sample_rate),)
        self.channels = validation.integer("channels", channels)
        self.phase_shuffle = validation.integer("phase_shuffle", phase_shuffle, least=0)
        self.penalty_weight = validation.real("penalty_weight", penalty_weight, least=0)

    @property
    def sample_rate(self) -> int | None:
        """Samples a second; None until it is known."""
        return self.modalities[0].rate

    def build_generator(self):
        return networks.generator(
            self.image_shape, self.latent_width, self.channels, self.num_classes
        )

    def build_discriminator(self):
        return networks.discriminator(
            self.image_shape, self.channels, self.num_classes, self.phase_shuffle
        )

    def discriminator_terms(self, batch, drawn, real, fake):
        penalty = penalties.gradient_penalty(
            lambda x: self.discriminate(x, batch),
            batch["examples"],
            drawn["fake"],
            seed=self.seed_generator,
        )
        return {"gradient_penalty": self.penalty_weight * penalty}
