"""BiGAN: a discriminator of pairs makes an encoder undo the generator."""

from collections.abc import Iterator
from typing import Any

from ganzoo import augmentations
from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.families.autoencoding import Encoding
from ganzoo.families.gan import GAN
from ganzoo.game import Player
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import encoders as networks


@register
class BiGAN(GAN, Encoding):
    """Bidirectional GAN (Donahue, Krähenbühl, Darrell, 2016; as adversarially learned inference by
    Dumoulin et al., 2016): the discriminator sees pairs, a real picture with its code or a latent
    with the picture made of it, and cannot tell them apart only if the encoder undoes the
    generator.

        min_{G, E} max_D  E_x[log D(x, E(x))] + E_z[log(1 − D(G(z), z))]

    Neither E nor G ever sees what the other makes of its output. Generator and encoder are one
    player, whose default loss has the roles exchanged, as both papers advise:
    −E_x[log(1 − D(x, E(x)))] − E_z[log D(G(z), z)].

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
    conditional = False

    def __init__(
        self, *, objective: str | Objective = "non_saturating", latent_dim: int = 50, **kwargs: Any
    ) -> None:
        validation.one_of("objective", objective, ("non_saturating", "minimax"))
        super().__init__(objective=objective, latent_dim=latent_dim, **kwargs)

    def build_generator(self):
        return self.build_decoder()

    def build_discriminator(self):
        return networks.pair_discriminator(
            self.image_shape, self.latent_dim, self.channels, self.hidden
        )

    def build_players(self):
        self.encoder = self.build_encoder()
        discriminator, generator = super().build_players()
        both = (self.generator, self.encoder)
        return discriminator, Player("generator", both, generator.loss, draws=True, prefix="g_")

    def draw(self, batch):
        return {**super().draw(batch), "codes": self.encoder(batch["images"], training=True)}

    def look_at_pairs(self, batch: types.Tensors, drawn: types.Tensors) -> Iterator[types.Tensor]:
        """The logits of pictures with their codes, and of latents with their pictures."""
        pairs = (batch["images"], drawn["codes"]), (drawn["fake"], drawn["latents"])
        augment = augmentations.get(self.augment)
        for images, codes in pairs:
            inputs = [augment(images, self.seed_generator), codes]
            yield self.discriminator(inputs, training=True)

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real, fake = ({"logits": logits} for logits in self.look_at_pairs(batch, drawn))
        return self._judgement(batch, drawn, real, fake)

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real, fake = self.look_at_pairs(batch, drawn)
        if self.objective == "minimax":
            return {"adversarial": -losses.minimax.discriminator(real, fake)}, {}
        return {"adversarial": losses.non_saturating.discriminator(fake, real)}, {}
