"""Variational autoencoder: codes with a prior, and a bound of the likelihood."""

import math
from typing import Any

import keras
from keras import ops

from ganzoo import losses
from ganzoo import types
from ganzoo import validation
from ganzoo.families.autoencoding import GenerativeAutoencoder
from ganzoo.game import Player
from ganzoo.game.registry import register
from ganzoo.layers import Spread


@register
class VAE(GenerativeAutoencoder):
    """Variational autoencoder (Kingma, Welling, 2013): the encoder says how likely each code is,
    q(z | x) = N(μ(x), σ(x)²), and pays for what differs from the prior N(0, 1).

        max_{E, D}  E_x[ E_{z ~ q(z | x)}[log p(x | z)] − β KL(q(z | x) ‖ N(0, 1)) ]
        p(x | z) = N(D(z), s²), for images in [-1, 1]

    One player with two networks. With β = 1 the loss is minus the evidence lower bound (ELBO) of
    log p(x), in nats per image; `elbo` in the logs is that bound whatever β is. `noise` in the
    logs is s, one number for all pixels, learned along; at its best it is the root mean squared
    error.

    When to use:
        Codes with a known distribution, a bound of the likelihood, and a training that is not a
        game. Samples are softer than a GAN's.

    Args:
        beta: β, at least 0. Above 1 codes tend to be disentangled and images blurred (Higgins et
            al. 2017).
        noise: s, above 0, or None to learn it.
        latent_dim: length of the codes, at least 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks; or the sizes of the encoder's dense layers, of
            which the decoder is the mirror image. The paper's on MNIST: `(500,)` with
            `latent_dim=20`.
        learning_rate, beta_1: Adam's.
        ema_decay: decay of the averaged networks that are used outside training, in [0, 1), or
            None to use the live ones as the paper does.
        **kwargs: see `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("vae", channels=8, latent_dim=10, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> sorted(history.history)
    ['elbo', 'loss', 'noise', 'prior', 'reconstruction']
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * DCGAN's convolutional networks by default; dense ones have rectified linear units, not
          tanh.
        * A Gaussian likelihood with one learned variance (as Rybkin et al. 2021) for images of
          all kinds; the paper takes Bernoulli's for MNIST, and a variance from the decoder for
          faces.
        * Adam in place of Adagrad, and no weight decay.
        * An averaged encoder and decoder (decay 0.99) are used outside training;
          `ema_decay=None` turns that off.

    References:
        * Kingma, Welling: Auto-Encoding Variational Bayes. ICLR 2014. arXiv:1312.6114
        * Higgins et al.: β-VAE. ICLR 2017
        * Rybkin, Daniilidis, Levine: Simple and Effective VAE Training with Calibrated Decoders.
          ICML 2021. arXiv:2006.13202
        * The authors' code: github.com/dpkingma/examples
    """

    player_names = ("autoencoder",)
    stochastic = True

    def __init__(
        self, *, beta: float = 1.0, noise: float | None = None, latent_dim: int = 32, **kwargs: Any
    ) -> None:
        super().__init__(latent_dim=latent_dim, **kwargs)
        self.beta = validation.real("beta", beta, least=0)
        self.noise = noise if noise is None else validation.real("noise", noise, above=0)

    def build_players(self):
        self.encoder, decoder = self.build_encoder(), self.build_decoder()
        # Within the decoder, so that it is saved, averaged and moved with it.
        spread = Spread(self.noise or 0.5, self.noise is None, dtype="float32", name="noise")
        self.decoder = keras.Model(decoder.input, spread(decoder.output), name="decoder")
        return (Player("autoencoder", (self.encoder, self.decoder), self.bound_loss),)

    def bound_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        images = batch["examples"]
        posterior = self.encoder(images, training=True)
        means = self.decoder(self.sample_codes(posterior), training=True)
        log_scale = ops.convert_to_tensor(self.decoder.get_layer("noise").log_scale)
        squares = ops.sum(ops.square(images - means), axis=tuple(range(1, len(images.shape))))
        constant = math.prod(self.image_shape) * (log_scale + 0.5 * math.log(2 * math.pi))
        reconstruction = ops.mean(0.5 * squares * ops.exp(-2 * log_scale) + constant)
        prior = ops.mean(losses.gaussian_divergence(posterior["mean"], posterior["log_variance"]))
        terms = {"reconstruction": reconstruction, "prior": self.beta * prior}
        return terms, {"elbo": -reconstruction - prior, "noise": ops.exp(log_scale)}
