"""DRAGAN: the original game with a discriminator that is smooth around the data."""

from typing import Any
from typing import Literal

import keras
from keras import ops

from ganzoo import backend
from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register


@register
class DRAGAN(DCGANNetworks):
    """DRAGAN (Kodali, Abernethy, Hays, Kira, 2017): sharp slopes of the discriminator near the
    data are what makes modes collapse, so they are penalised there.

        min_D  E_x[−log D(x)] + E_z[−log(1 − D(G(z)))] + λ E_x̂[(‖∇D(x̂)‖ − k)²]
        min_G  E_z[−log D(G(z))]

    where x̂ is uniform on the line from a real image to the same with noise, whose size is a
    share of the images' own standard deviation.

    When to use:
        If `dcgan` collapses on your data: the same networks with a discriminator that is kept
        smooth. To compare penalties, see also `wgan_gp` and `r3gan`.

    Args:
        penalty_weight: λ, at least 0.
        slope: k, the slope asked for.
        noise: most of the noise, in standard deviations of the batch.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: None, or `"layer"`.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dragan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * No batch normalisation in the discriminator: the penalty is each example's own. The
          authors' code has it.
        * Noise is uniform and not negative, as in the authors' code; the paper writes a normal one.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Kodali, Abernethy, Hays, Kira: On Convergence and Stability of GANs. 2017.
          arXiv:1705.07215, section 2.3
        * The authors' code: github.com/kodalinaveen3/DRAGAN
    """

    normalizations = ("layer", None)

    def __init__(
        self,
        *,
        penalty_weight: float = 10.0,
        slope: float = 1.0,
        noise: float = 0.5,
        discriminator_normalization: Literal["batch", "layer"] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(discriminator_normalization=discriminator_normalization, **kwargs)
        self.penalty_weight = validation.real("penalty_weight", penalty_weight, least=0)
        self.slope = validation.real("slope", slope, least=0)
        self.noise = validation.real("noise", noise, least=0)

    def discriminator_terms(self, batch, drawn, real, fake):
        del drawn
        images = batch["examples"]
        mean = backend.average(ops.mean(images))
        deviation = ops.sqrt(backend.average(ops.mean(ops.square(images - mean))))
        noise = backend.drawn(keras.random.uniform, ops.shape(images), seed=self.seed_generator)
        penalty = penalties.gradient_penalty(
            lambda x: self.discriminate(x, batch),
            images,
            images + self.noise * deviation * noise,
            seed=self.seed_generator,
            target=self.slope,
        )
        return {"gradient_penalty": self.penalty_weight * penalty}
