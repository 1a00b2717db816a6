"""VAE-GAN: an autoencoder whose errors are measured in a discriminator's features."""

from typing import Any

from keras import ops

from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.families.adversary import Adversary
from ganzoo.families.autoencoding import GenerativeAutoencoder
from ganzoo.game import Player
from ganzoo.game.registry import register
from ganzoo.networks import encoders as networks


@register
class VAEGAN(GenerativeAutoencoder):
    """VAE-GAN (Larsen, Sønderby, Larochelle, Winther, 2015): a variational autoencoder whose
    decoder is also a GAN's generator, and whose reconstructions need to be right only in what the
    discriminator sees.

        min_D  −E_x[log D(x)] − ½ E_x[log(1 − D(x̃))] − ½ E_z[log(1 − D(G(z)))]
        min_G  γ L_D − ½ E_x[log D(x̃)] − ½ E_z[log D(G(z))]
        min_E  L_D + β KL(q(z | x) ‖ N(0, 1)),  L_D = E_x[½ ‖f(x) − f(x̃)‖²]

    where x̃ = G(z) with z ~ q(z | x) = N(μ(x), σ(x)²) is the reconstruction of x, and f(x) are the
    discriminator's last features. Three players: the encoder's gradient runs through the generator
    and the discriminator, which it does not move.

    When to use:
        To edit images through their codes, with reconstructions that are sharper than those of
        `vae` and less exact in their pixels.

    Args:
        gamma: γ, at least 0: how much the generator cares for reconstruction. L_D grows with the
            number of features: small images want a larger γ (8×8 ones 0.1) and a smaller β.
        beta: β, at least 0.
        latent_dim: length of the codes, at least 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks; or the sizes of the dense layers of encoder and
            discriminator, of which the generator is the mirror image.
        learning_rate, beta_1: Adam's, of all three players.
        ema_decay: decay of the averaged networks that are used outside training, in [0, 1), or
            None to use the live ones as the paper does.
        **kwargs: see `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("vae_gan", channels=8, latent_dim=10, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * DCGAN's networks, with 4×4 kernels and leaky ReLU; the features are those of the last
          convolution.
        * Players move one after the other, the discriminator first. No player is stopped when
          another falls behind, as the authors' code does.
        * The generator maximises log D of what it makes (the non-saturating loss); reconstructions
          and samples together weigh as much as real images, as in the authors' code.
        * γ is 1e-3, not the authors' 1e-6.
        * Adam in place of RMSprop.
        * An averaged encoder and generator (decay 0.99) are used outside training;
          `ema_decay=None` turns that off.

    References:
        * Larsen, Sønderby, Larochelle, Winther: Autoencoding beyond pixels using a learned
          similarity metric. ICML 2016. arXiv:1512.09300, algorithm 1
        * The authors' code: github.com/andersbll/autoencoding_beyond_pixels
    """

    player_names = ("discriminator", "generator", "encoder")
    averaged = ("encoder", "generator")
    sampling_network = "generator"
    adversary = Adversary()
    stochastic = True

    def __init__(
        self,
        *,
        gamma: float = 1e-3,
        beta: float = 1.0,
        latent_dim: int = 64,
        learning_rate: float = 3e-4,
        beta_1: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim, learning_rate=learning_rate, beta_1=beta_1, **kwargs
        )
        self.gamma = validation.real("gamma", gamma, least=0)
        self.beta = validation.real("beta", beta, least=0)

    def build_players(self):
        self.encoder, self.generator = self.build_encoder(), self.build_decoder()
        self.discriminator = networks.discriminator(self.image_shape, self.channels, self.hidden)
        judge, make, find = self.discriminator, self.generator, self.encoder
        return (
            Player("discriminator", (judge,), self.discriminator_loss, prefix="d_"),
            Player("generator", (make,), self.generator_loss, draws=True, prefix="g_"),
            Player("encoder", (find,), self.encoder_loss, draws=True, prefix="e_"),
        )

    def draw(self, batch):
        posterior = self.encoder(batch["examples"], training=True)
        latents = self.sample_latents(ops.shape(batch["examples"])[0])
        again = self.generator(self.sample_codes(posterior), training=True)
        return {**posterior, "again": again, "fake": self.generator(latents, training=True)}

    def look(self, images: types.Tensor) -> types.Tensors:
        return self.discriminator(images, training=True)

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real = self.look(batch["examples"])
        fake = both(*(self.look(drawn[name]) for name in ("again", "fake")))
        return self.adversary.discriminator_loss(real, fake)

    def difference(self, batch: types.Tensors, again: types.Tensor) -> types.Tensor:
        """L_D of what `look` says of the reconstructions."""
        wanted = ops.stop_gradient(self.look(batch["examples"])["features"])
        return 0.5 * ops.mean(ops.sum(ops.square(wanted - again["features"]), axis=-1))

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        again, fake = self.look(drawn["again"]), self.look(drawn["fake"])
        return {
            **self.adversary.generator_loss(both(again, fake)),
            "reconstruction": self.gamma * self.difference(batch, again),
        }, {}

    def encoder_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        prior = ops.mean(losses.gaussian_divergence(drawn["mean"], drawn["log_variance"]))
        difference = self.difference(batch, self.look(drawn["again"]))
        return {"reconstruction": difference, "prior": self.beta * prior}, {}


def both(again: types.Tensors, fake: types.Tensors) -> types.Tensors:
    """The logits of reconstructions and of samples as those of one batch."""
    return {"logits": ops.concatenate([again["logits"], fake["logits"]])}
