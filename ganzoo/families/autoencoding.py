"""Models that find the code of a picture, and the picture of a code."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.game import Game
from ganzoo.game import optimizers
from ganzoo.game.inference import batch_size_for
from ganzoo.modalities import Images
from ganzoo.modalities import Modality
from ganzoo.modalities import Points
from ganzoo.modalities.base import as_numbers
from ganzoo.networks import encoders as networks


class Encoding(Game):
    """A game with an encoder, from pictures to codes, and a network that makes pictures of codes.

    Where the codes have a prior, derive from `ganzoo.families.latent.Generative` or `ganzoo.GAN`
    first and from this class second.

    Args:
        latent_dim: length of the codes.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks, DCGAN's; or sizes of the encoder's dense layers,
            from the picture on, such as `(1000, 500)`: the decoder is its mirror image. Points,
            `image_shape=(length,)`, are then taken too.
        learning_rate: Adam's, of all players.
        beta_1: Adam's decay of the first moment.
        ema_decay: decay of the averaged encoder and decoder that are used outside training, in
            [0, 1), or None to use the live ones.
        **kwargs: see `ganzoo.Game`.
    """

    modalities: tuple[Modality, ...] = (Images(),)
    makes_pictures = "decoder"
    """Name of the network that does."""
    averaged = ("encoder", "decoder")
    stochastic = False
    """Whether the encoder gives a mean and a variance; `encode` then gives the means."""

    def __init__(
        self,
        *,
        latent_dim: int = 64,
        channels: int = 64,
        hidden: Sequence[int] | None = None,
        learning_rate: float = 1e-3,
        beta_1: float = 0.9,
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(ema_decay=ema_decay, **kwargs)
        # Classes before this one in the order of inheritance may set the same again: they know it.
        self.latent_dim = validation.integer("latent_dim", latent_dim)
        self.channels = validation.integer("channels", channels)
        self.hidden = validation.optional(validation.integers, "hidden", hidden)
        self.modalities = (Images(),) if hidden is None else (Images(), Points())
        self.learning_rate = validation.real("learning_rate", learning_rate, above=0)
        self.beta_1 = validation.real("beta_1", beta_1, least=0, below=1)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {
            name: optimizers.Adam(self.learning_rate, beta_1=self.beta_1)
            for name in self.player_names
        }

    # What a subclass may say ------------------------------------------------------------------

    def build_encoder(self) -> keras.Model:
        """A `keras.Model` from pictures to codes, or to a dict of `"mean"` and `"log_variance"`."""
        return networks.encoder(
            self.image_shape, self.latent_dim, self.channels, self.hidden, self.stochastic
        )

    def build_decoder(self) -> keras.Model:
        """A `keras.Model` from codes to pictures in [-1, 1]."""
        return networks.decoder(
            self.image_shape, self.latent_dim, self.channels, self.hidden, self.makes_pictures
        )

    def sample_codes(self, found: types.Tensors) -> types.Tensor:
        """Codes drawn from what a stochastic encoder has found, so that gradients reach it.

        Kingma, Welling 2013, "Auto-Encoding Variational Bayes", section 2.4.
        """
        shape = ops.shape(found["mean"])
        noise = backend.drawn(keras.random.normal, shape, seed=self.seed_generator)
        return found["mean"] + ops.exp(0.5 * found["log_variance"]) * noise

    # Using it -------------------------------------------------------------------------------

    def encode(self, images: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """The codes of pictures; their means, where the encoder is stochastic.

        Args:
            images: `(n, height, width, channels)`, uint8 or float in [-1, 1].
            batch_size: pictures encoded at once; bounds memory.

        Returns:
            `(n, latent_dim)` float32 NumPy array.

        Raises:
            ValueError: the pictures are not as the model was built for, or it has no networks yet.
        """
        self.must_be_built()
        return self.inference.on_examples(self.in_use("encoder"), images, batch_size, to_codes)

    def decode(self, codes: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """The pictures of codes: `(n, latent_dim)` to uint8 `(n, height, width, channels)`."""
        self.must_be_built()
        validation.integer("batch_size", batch_size)
        codes = np.asarray(codes, "float32")
        if codes.shape[1:] != (self.latent_dim,) or not len(codes):
            raise ValueError(
                f"`codes` must have shape (n, {self.latent_dim}), n at least 1, as `encode` "
                f"returns them. Received: {codes.shape}."
            )
        decoder, size = self.in_use(self.makes_pictures), batch_size_for(len(codes), batch_size)
        parts = (codes[start : start + size] for start in range(0, len(codes), size))
        return np.concatenate(
            [self.inference.run(decoder, [part], size, self.modality.postprocess) for part in parts]
        )

    def reconstruct(self, images: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Pictures encoded and decoded again.

        Arguments and errors are those of `encode`.

        Returns:
            A uint8 NumPy array of the same shape; for points, float32.
        """
        return self.decode(self.encode(images, batch_size=batch_size), batch_size=batch_size)


def to_codes(outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """What an encoder has found, as numbers; and whether all were finite."""
    return as_numbers(outputs["mean"] if isinstance(outputs, dict) else outputs)
