"""DCGAN: all-convolutional networks with batch normalisation."""

from typing import Any
from typing import Literal

from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import dcgan as networks


@register
class DCGAN(GAN):
    """DCGAN (Radford, Metz, Chintala, 2015): the guidelines that made deep convolutional GANs
    train stably.

        min_D  E_x[−log D(x)] + E_z[−log(1 − D(G(z)))]
        min_G  E_z[−log D(G(z))]

    Strided convolutions in place of pooling; batch normalisation everywhere but in the
    generator's output and the discriminator's input layer; no hidden dense layers; ReLU and tanh
    in the generator, leaky ReLU (0.2) in the discriminator; weights from N(0, 0.02); Adam with
    learning rate 2e-4 and beta_1 0.5. Images of any size from 8×8, square or not.

    When to use:
        To learn or teach how GANs work, and as a first baseline: its networks are short and a step
        is quick on a CPU. For better samples from the same networks use `r3gan` with
        `architecture="dcgan"`.

    Args:
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, as in the paper; `"layer"`, which couples no
            examples and so allows `update="one_stage"`; or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Latents are normal, not uniform.
        * Kernels are 4×4, as in the authors' Torch code; the paper's figure shows 5×5.
        * The depth follows the image's size, and the width starts at 64, not 128.
        * Batch normalisation has an epsilon of 0.01: see `ganzoo/networks/dcgan.py`.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional
          Generative Adversarial Networks. ICLR 2016. arXiv:1511.06434
        * The authors' code: github.com/Newmu/dcgan_code, github.com/soumith/dcgan.torch
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        discriminator_normalization: Literal["batch", "layer"] | None = "batch",
        objective: str | Objective = "non_saturating",
        learning_rate: float = 2e-4,
        beta_1: float = 0.5,
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            learning_rate=learning_rate,
            beta_1=beta_1,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.channels = validation.integer("channels", channels)
        self.discriminator_normalization = validation.one_of(
            "discriminator_normalization", discriminator_normalization, ("batch", "layer", None)
        )

    def build_generator(self):
        return networks.generator(
            self.image_shape, self.latent_width, self.channels, self.num_classes
        )

    def build_discriminator(self):
        return networks.discriminator(
            self.image_shape, self.channels, self.num_classes, self.discriminator_normalization
        )
