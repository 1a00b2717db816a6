"""R3GAN: a modern baseline, relativistic and regularised on both sides."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.game.schedule import Schedule
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Points
from ganzoo.networks import dcgan
from ganzoo.networks import r3gan


@register
class R3GAN(GAN):
    """R3GAN (Huang, Gokaslan, Kuleshov, Tompkin, 2024): each real image is compared with a fake
    one, so that no part of the data can be dropped, and zero-centred penalties on both make
    training converge. No normalisation, no other tricks.

        min_D  E_{x,z}[f(D(G(z)) − D(x))] + γ/2 (E_x[‖∇D(x)‖²] + E_z[‖∇D(G(z))‖²])
        min_G  E_{x,z}[f(D(x) − D(G(z)))]        with f(t) = log(1 + eᵗ)

    Residual networks of 1×1, grouped 3×3 and 1×1 convolutions that start as the identity. With
    `num_classes` the generator gets an embedding of the label next to the latents, and the
    discriminator's logit is the inner product of its features with another. Besides images it
    takes points, `image_shape=(length,)`, with perceptrons `channels[0]` wide.

    With `architecture="dcgan"` the same game is played by DCGAN's networks, without normalisation
    in the discriminator. Their steps take less time on a CPU, and what this game changes against
    `dcgan` is then seen by itself.

    When to use:
        Your own images: `ganzoo train IMAGES --minutes 60` chooses it. It has few settings and
        covers the variety of the data. Without a GPU pass `architecture="dcgan"`, because a step of
        the residual networks is slow on a CPU.

    Args:
        gamma: γ, the weight of both penalties, at least 0. Smaller for sharper data.
        architecture: `"residual"`, or `"dcgan"`, which uses only the first of `channels`, the width
            at the smallest size, and none of the arguments up to `group_width`.
        channels: widths from the smallest size (4 to 7 pixels) up; each further size has half of
            the one before, and surplus ones are left out.
        blocks: residual blocks at each size, at least 1.
        expansion: how many times wider a block is inside, at least 1.
        group_width: channels of each group of the 3×3 convolutions, at least 1.
        schedule_images: number of images that the whole training reads, such as 60 epochs of 1,000
            images. Over its first 60 %, along half a cosine, γ falls to a tenth, the learning
            rate to a quarter, and beta_2 rises from 0.9 to the given one, as in the authors' code.
            None: they are constant.
        num_classes: number of classes, or None for a model without labels.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("r3gan", channels=(16, 8, 8), blocks=1, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Narrow and shallow by default, to train on a CPU. The paper's for CIFAR-10 and, with
          three more sizes, for FFHQ-256: `channels=(768, 768, 768, 768), blocks=2`.
        * Nearest neighbours and 2×2 averages change sizes, not interpolation with (1, 2, 1).
        * γ, learning rate and beta_2 are constant unless `schedule_images` is given. The authors'
          code also lets the half-life of the average grow, to 500,000 images or more; here it grows
          with the steps, up to `ema_decay` or `ema_images`.
        * `augment` is None; the authors' code changes images as `"ada"` does, with a probability
          that rises on a schedule.

    References:
        * Huang, Gokaslan, Kuleshov, Tompkin: The GAN is dead; long live the GAN! A Modern GAN
          Baseline. NeurIPS 2024. arXiv:2501.05441, sections 2 and 3, table 2
        * The authors' code: github.com/brownvc/R3GAN
    """

    modalities = (Images(), Points())

    def __init__(
        self,
        *,
        gamma: float = 0.1,
        channels: Sequence[int] = (128, 64, 32),
        architecture: str = "residual",
        blocks: int = 1,
        expansion: int = 2,
        group_width: int = 16,
        schedule_images: int | None = None,
        latent_dim: int = 64,
        objective: str | Objective = "relativistic",
        beta_1: float = 0.0,
        beta_2: float = 0.99,
        ema_decay: float = 0.999,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            objective=objective,
            beta_1=beta_1,
            beta_2=beta_2,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.gamma = validation.real("gamma", gamma, least=0)
        self.channels = validation.integers("channels", channels)
        if not self.channels:
            raise ValueError("`channels` must have a number for at least one size.")
        self.architecture = validation.one_of("architecture", architecture, ("residual", "dcgan"))
        self.blocks = validation.integer("blocks", blocks)
        self.expansion = validation.integer("expansion", expansion)
        self.group_width = validation.integer("group_width", group_width)
        self.schedule_images = validation.optional(
            validation.integer, "schedule_images", schedule_images
        )
        if schedule_images is not None:
            self.schedule = Schedule(schedule_images)

    def build_generator(self):
        shape, classes = self.image_shape, self.num_classes
        if self.architecture == "dcgan":
            return dcgan.generator(shape, self.latent_dim, self._dcgan_channels, classes)
        return r3gan.generator(shape, self.latent_dim, self.channels, classes, **self._body)

    def build_discriminator(self):
        shape, classes = self.image_shape, self.num_classes
        if self.architecture == "dcgan":
            return dcgan.discriminator(shape, self._dcgan_channels, classes, normalize=None)
        return r3gan.discriminator(
            shape, self.channels, classes, embedding=self.latent_dim, **self._body
        )

    @property
    def _body(self):
        return {"blocks": self.blocks, "expansion": self.expansion, "group_width": self.group_width}

    @property
    def _dcgan_channels(self):
        """DCGAN's networks take the width at half resolution, not at the smallest size."""
        size = self.modality.size
        halvings = len(dcgan.sizes(*size)) - 2 if size else 0
        return max(1, self.channels[0] // 2**halvings)

    def discriminator_loss(self, batch, drawn):
        look = lambda images: self.look(images, batch)
        real, fake = (
            penalties.with_squared_slopes(look, x) for x in (self.real(batch), drawn["fake"])
        )
        return self.with_terms(batch, drawn, real, fake)

    def discriminator_terms(self, batch, drawn, real, fake):
        slopes = {"r1": real["squared_slopes"], "r2": fake["squared_slopes"]}
        gamma = self.gamma
        if self.schedule is not None:
            gamma = self.schedule.between(gamma, 0.1 * gamma)
        return {name: 0.5 * gamma * ops.mean(values) for name, values in slopes.items()}
