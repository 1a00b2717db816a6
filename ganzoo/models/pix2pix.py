"""pix2pix: translates images, trained on pairs."""

from typing import Any

from keras import ops

from ganzoo import types
from ganzoo import validation
from ganzoo.families.image_to_image import difference
from ganzoo.families.translation import Translator
from ganzoo.game.registry import register
from ganzoo.networks import patch
from ganzoo.networks import unet


@register
class Pix2Pix(Translator):
    """pix2pix (Isola, Zhu, Zhou, Efros, 2017): the discriminator sees an image together with its
    translation, and says of each patch whether both could be real.

        min_D  E_{x,y}[−log D(x, y)] + E_x[−log(1 − D(x, G(x)))]
        min_G  E_x[−log D(x, G(x))] + λ E_{x,y}|y − G(x)|

    The distance makes the translation right on the whole, the patches make it sharp. G is a U-Net;
    dropout is its only noise. Its data are pairs: `fit(images, targets)`, or
    `ganzoo.datasets.load_pair(…, paired=True)`.

    When to use:
        To translate images if you have pairs: sketches and photographs of the same thing, maps and
        aerial views. Without pairs use `cyclegan`.

    Args:
        distance_weight: λ, at least 0.
        channels: width of both networks at half resolution, at least 1; it doubles three times.
        dropout: share dropped in the innermost layers of the decoder, in [0, 1).
        patch_layers: n, how often the discriminator halves the image; its patches are
            9 · 2ⁿ − 2 high and wide: 16, 34, 70, 142, 286. None: 3, fewer below 32×32.
        augment: see `ganzoo.GAN`; an image and its translation are changed together.
        **kwargs: see `ganzoo.GAN` (`learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `ema_decay`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> images = next(iter(ganzoo.datasets.load("digits", batch_size=256))).numpy()
    >>> model = ganzoo.get("pix2pix", channels=8, seed=0)
    >>> history = model.fit(images, 255 - images, epochs=1, verbose=0)
    >>> model.translate(images[:5]).shape
    (5, 8, 8, 1)

    Departures from the paper:
        * Instance normalisation, which is the paper's batch normalisation in batches of one
          image, so that what is made of an image does not depend on the others of its batch.
        * `translate` leaves dropout out; the paper keeps it, and finds little variety from it.
        * The depth of the U-Net follows the image's size, and with it how many layers have
          dropout; for 256×256 they are the paper's. Images of any size: an odd one is rounded up
          on the way down and cut on the way up.
        * No mirroring and no random crops of the training images.

    References:
        * Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial
          Networks. CVPR 2017. arXiv:1611.07004
        * The authors' code: github.com/phillipi/pix2pix,
          github.com/junyanz/pytorch-CycleGAN-and-pix2pix
    """

    paired = True
    images_seen = 2

    def __init__(
        self,
        *,
        distance_weight: float = 100.0,
        channels: int = 64,
        dropout: float = 0.5,
        patch_layers: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.distance_weight = validation.real("distance_weight", distance_weight, least=0)
        self.channels = validation.integer("channels", channels)
        self.dropout = validation.real("dropout", dropout, least=0, below=1)
        self.patch_layers = validation.optional(validation.integer, "patch_layers", patch_layers)

    def check_shape(self, shape):
        patch.check_patch_layers(self.patch_layers, *shape[:2])

    def build_generator(self):
        return unet.unet(self.image_shape, self.channels, self.dropout)

    def build_discriminator(self):
        height, width, depth = self.image_shape
        return patch.patch_discriminator(
            (height, width, 2 * depth), self.channels, self.patch_layers, affine=True
        )

    @property
    def least_side(self):
        """Below this the innermost normalised layer has one pixel, and forgets it."""
        return max(8, 2 ** (unet.halvings(*self.image_shape[:2]) - 1) + 1)

    def draw(self, batch):
        return {"fake": self.generator(batch["examples"], training=True)}

    def look_at_pair(self, batch: types.Tensors, images: types.Tensor) -> types.Tensors:
        """The discriminator's outputs for the batch's images, each with one of `images`."""
        return self.look(ops.concatenate([batch["examples"], images], axis=-1))

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        pairs = (batch["targets"], drawn["fake"])
        real, fake = (self.look_at_pair(batch, images) for images in pairs)
        return self.adversary.discriminator_loss(real, fake)

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        fake = self.look_at_pair(batch, drawn["fake"])
        real = self.look_at_pair(batch, batch["targets"]) if self.adversary.sees_both else None
        distance = difference(drawn["fake"], batch["targets"])
        return {
            **self.adversary.generator_loss(fake, real),
            "distance": self.distance_weight * distance,
        }, {}
