"""Adversarial autoencoder: a discriminator of codes makes them follow the prior."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from ganzoo import types
from ganzoo import validation
from ganzoo.families.adversary import Adversary
from ganzoo.families.adversary import named
from ganzoo.families.autoencoding import GenerativeAutoencoder
from ganzoo.game import Player
from ganzoo.game.registry import register
from ganzoo.networks import encoders as networks


@register
class AAE(GenerativeAutoencoder):
    """Adversarial autoencoder (Makhzani, Shlens, Jaitly, Goodfellow, Frey, 2015): the codes of all
    images together are made to look like draws from the prior, so that draws can be decoded.

        min_{E, G}  E_x[‖G(E(x)) − x‖²]                          (reconstruction)
        min_D  −E_z[log D(z)] − E_x[log(1 − D(E(x)))],  z ~ N(0, 1)
        min_E  −E_x[log D(E(x))]                                 (regularisation)

    Three players. The encoder is moved by two of them, each with its own optimizer: it is half of
    the autoencoder, and as the generator of codes it plays against the discriminator.

    When to use:
        To encode images into codes that follow the prior, without the prior's formula: a GAN's game
        that is played with codes instead of images. `vae` does the same with a formula and without
        a game.

    Args:
        discriminator_units: sizes of the discriminator's hidden layers.
        latent_dim: length of the codes, at least 1. The more there are, the harder it
            is for the discriminator to learn their distribution.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks; or the sizes of the encoder's dense layers, of
            which the decoder is the mirror image. The paper's on MNIST: `(1000, 1000)` with
            `latent_dim=8`.
        learning_rate, beta_1: Adam's, of all three players.
        ema_decay: decay of the averaged networks that are used outside training, in [0, 1), or
            None to use the live ones as the paper does.
        **kwargs: see `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("aae", channels=8, discriminator_units=(32,), seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * DCGAN's convolutional networks by default; the paper's are dense on MNIST.
        * The encoder is deterministic, the paper's first choice, and the prior N(0, 1); the paper's
          examples have others and larger ones.
        * Both phases look at the same codes, computed before the first of them.
        * Adam in place of gradient descent with momentum.
        * An averaged encoder and decoder (decay 0.99) are used outside training;
          `ema_decay=None` turns that off.

    References:
        * Makhzani, Shlens, Jaitly, Goodfellow, Frey: Adversarial Autoencoders. 2015.
          arXiv:1511.05644, section 2 and appendix A
        * The authors published no code.
    """

    player_names = ("autoencoder", "discriminator", "generator")
    adversary = Adversary()

    def __init__(
        self,
        *,
        discriminator_units: Sequence[int] = (1000, 1000),
        latent_dim: int = 8,
        learning_rate: float = 2e-4,
        beta_1: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim, learning_rate=learning_rate, beta_1=beta_1, **kwargs
        )
        self.discriminator_units = validation.integers("discriminator_units", discriminator_units)

    def build_players(self):
        self.encoder, self.decoder = self.build_encoder(), self.build_decoder()
        self.discriminator = networks.code_discriminator(self.latent_dim, self.discriminator_units)
        both, judge, find = (self.encoder, self.decoder), self.discriminator, self.encoder
        return (
            Player("autoencoder", both, self.reconstruction_loss, draws=True, prefix="a_"),
            Player("discriminator", (judge,), self.discriminator_loss, prefix="d_"),
            Player("generator", (find,), self.generator_loss, draws=True, prefix="g_"),
        )

    def draw(self, batch):
        latents = self.sample_latents(ops.shape(batch["examples"])[0])
        return {"latents": latents, "codes": self.encoder(batch["examples"], training=True)}

    def reconstruction_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        again = self.decoder(drawn["codes"], training=True)
        return {"reconstruction": ops.mean(ops.square(again - batch["examples"]))}, {}

    def look(self, codes: types.Tensor) -> types.Tensors:
        """The discriminator's outputs in training, a dict with `"logits"`."""
        return named(self.discriminator(codes, training=True))

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real, fake = (self.look(drawn[name]) for name in ("latents", "codes"))
        return self.adversary.discriminator_loss(real, fake)

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        return self.adversary.generator_loss(self.look(drawn["codes"])), {}
