"""BiGAN: a discriminator of pairs makes an encoder undo the generator."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.families.adversary import named
from ganzoo.families.autoencoding import Autoencoding
from ganzoo.families.autoencoding import modalities
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import encoders as networks


@register
class BiGAN(GAN):
    """Bidirectional GAN (Donahue, Krähenbühl, Darrell, 2016; as adversarially learned inference by
    Dumoulin et al., 2016): the discriminator sees pairs, a real image with its code or a latent
    with the image made of it, and cannot tell them apart only if the encoder undoes the
    generator.

        min_{G, E} max_D  E_x[log D(x, E(x))] + E_z[log(1 − D(G(z), z))]

    Neither E nor G ever sees what the other makes of its output. Generator and encoder are one
    player, whose default loss has the roles exchanged, as both papers advise:
    −E_x[log(1 − D(x, E(x)))] − E_z[log D(G(z), z)].

    When to use:
        To learn features of images without labels, from an encoder next to a GAN's generator. Not
        to restore images: its reconstructions show the same kind of image rather than the same
        image.

    Args:
        objective: `"non_saturating"`, roles exchanged, or `"minimax"`, the equation above.
        latent_dim: length of the codes, at least 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks; or the sizes of the dense layers of encoder and
            discriminator, of which the generator is the mirror image. The paper's on MNIST:
            `(1024, 1024)` with `latent_dim=50`.
        ema_decay: decay of the averaged networks that are used outside training, in [0, 1), or
            None to use the live ones as the paper does.
        **kwargs: see `ganzoo.GAN` (`learning_rate`, `discriminator_steps`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("bigan", channels=8, latent_dim=10, seed=0)
    >>> digits = ganzoo.datasets.load("digits")
    >>> history = model.fit(digits, epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape, model.encode(next(iter(digits))).shape
    ((2, 8, 8, 1), (64, 10))

    Departures from the paper:
        * The encoder is deterministic, as Donahue et al.'s; Dumoulin et al. sample.
        * DCGAN's networks by default; codes enter the discriminator after its convolutions, which
          have layer normalisation. Dense networks have none.
        * Latents are normal, not uniform.
        * No weight decay, and a learning rate that stays.
        * An averaged encoder and generator (decay 0.99) are used outside training;
          `ema_decay=None` turns that off.

    References:
        * Donahue, Krähenbühl, Darrell: Adversarial Feature Learning. ICLR 2017. arXiv:1605.09782
        * Dumoulin et al.: Adversarially Learned Inference. ICLR 2017. arXiv:1606.00704
        * The authors' code: github.com/jeffdonahue/bigan, github.com/IshmaelBelghazi/ALI
    """

    averaged = ("encoder", "generator")
    generating = ("generator", "encoder")
    conditional = False

    def __init__(
        self,
        *,
        objective: str | Objective = "non_saturating",
        latent_dim: int = 50,
        channels: int = 64,
        hidden: Sequence[int] | None = None,
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        validation.one_of("objective", objective, ("non_saturating", "minimax"))
        super().__init__(objective=objective, latent_dim=latent_dim, ema_decay=ema_decay, **kwargs)
        self.channels = validation.integer("channels", channels)
        self.hidden = validation.optional(validation.integers, "hidden", hidden)
        self.modalities = modalities(hidden)

    encode = Autoencoding.encode
    decode = Autoencoding.decode
    reconstruct = Autoencoding.reconstruct

    def build_generator(self):
        body = self.latent_dim, self.channels, self.hidden
        self.encoder = networks.encoder(self.image_shape, *body)
        return networks.decoder(self.image_shape, *body, name="generator")

    def build_discriminator(self):
        return networks.pair_discriminator(
            self.image_shape, self.latent_dim, self.channels, self.hidden
        )

    def draw(self, batch):
        return {**super().draw(batch), "codes": self.encoder(batch["examples"], training=True)}

    def look_at_pairs(self, batch: types.Tensors, drawn: types.Tensors) -> Iterator[types.Tensors]:
        """The discriminator's outputs for images with their codes, and for latents with their
        images."""
        pairs = (batch["examples"], drawn["codes"]), (drawn["fake"], drawn["latents"])
        for images, codes in pairs:
            images = self.adversary.augmented(images, self.seed_generator)
            yield named(self.discriminator([images, codes], training=True))

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        return self.with_terms(batch, drawn, *self.look_at_pairs(batch, drawn))

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real, fake = (pair["logits"] for pair in self.look_at_pairs(batch, drawn))
        if self.objective == "minimax":
            return {"adversarial": -losses.minimax.discriminator(real, fake)}, {}
        return {"adversarial": losses.non_saturating.discriminator(fake, real)}, {}
