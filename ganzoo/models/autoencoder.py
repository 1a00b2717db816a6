"""Autoencoder: compresses images to a few numbers, and restores them."""

from keras import ops

from ganzoo import types
from ganzoo.families.autoencoding import Autoencoding
from ganzoo.game import Player
from ganzoo.game.registry import register


@register
class Autoencoder(Autoencoding):
    """Autoencoder (Hinton, Salakhutdinov, 2006): one player with two networks, who finds codes
    from which images can be made again.

        min_{E, D}  E_x[‖D(E(x)) − x‖²]

    With linear networks it finds the span of the first principal components. It has `encode`,
    `decode` and `reconstruct`, but no `generate`: nothing says which codes are likely.

    When to use:
        To compress images into codes, to teach what a code is, and as a baseline for the models
        that can also generate.

    Args:
        latent_dim: length of the codes, at least 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks; or the sizes of the encoder's dense layers, of
            which the decoder is the mirror image. The paper's on MNIST: `(1000, 500, 250)` with
            `latent_dim=30`.
        learning_rate, beta_1: Adam's.
        ema_decay: decay of the averaged networks that are used outside training, in [0, 1), or
            None to use the live ones as the paper does.
        **kwargs: see `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("autoencoder", channels=8, latent_dim=10, seed=0)
    >>> digits = ganzoo.datasets.load("digits")
    >>> history = model.fit(digits, epochs=1, verbose=0)
    >>> images = next(iter(digits))
    >>> model.encode(images).shape, model.reconstruct(images).shape
    ((64, 10), (64, 8, 8, 1))

    Departures from the paper:
        * DCGAN's convolutional networks by default; dense ones have rectified linear, not logistic,
          units.
        * Mean squared error, where the paper takes cross-entropies for images in [0, 1].
        * All layers are trained at once, by Adam: no pretraining layer by layer, no conjugate
          gradients.
        * An averaged encoder and decoder (decay 0.99) are used outside training;
          `ema_decay=None` turns that off.

    References:
        * Hinton, Salakhutdinov: Reducing the Dimensionality of Data with Neural Networks. Science
          313, 2006. doi:10.1126/science.1127647
        * Bank, Koenigstein, Giryes: Autoencoders. 2020. arXiv:2003.05991 (a survey)
        * The authors' code: www.cs.toronto.edu/~hinton/MatlabForSciencePaper.html
    """

    player_names = ("autoencoder",)
    lacks = {"generate": "nothing says which codes are likely, so there is nothing to draw from"}

    def build_players(self):
        self.encoder, self.decoder = self.build_encoder(), self.build_decoder()
        return (Player("autoencoder", (self.encoder, self.decoder), self.reconstruction_loss),)

    def reconstruction_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        images = batch["examples"]
        again = self.decoder(self.encoder(images, training=True), training=True)
        return {"reconstruction": ops.mean(ops.square(again - images))}, {}
