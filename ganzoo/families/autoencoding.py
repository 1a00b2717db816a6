"""Autoencoders: an encoder from images to codes, and a decoder from codes to images."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.families import inversion
from ganzoo.families import sampling
from ganzoo.families.prior import NormalPrior
from ganzoo.families.trial import Trial
from ganzoo.game import Game
from ganzoo.game import optimizers
from ganzoo.game.inference import batch_size_for
from ganzoo.modalities import Images
from ganzoo.modalities import Modality
from ganzoo.modalities import Points
from ganzoo.modalities.base import as_numbers
from ganzoo.networks import encoders as networks


class Autoencoding(Game):
    """An encoder from images to codes, and a decoder from codes to images.

    Args:
        latent_dim: length of the codes.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        hidden: None for convolutional networks, DCGAN's; or sizes of the encoder's dense layers,
            from the image on, such as `(1000, 500)`: the decoder is its mirror image. The model
            then takes points too, `image_shape=(length,)`.
        learning_rate: Adam's, of all players.
        beta_1: Adam's decay of the first moment.
        ema_decay: decay of the averaged encoder and decoder that are used outside training, in
            [0, 1), or None to use the live ones.
        **kwargs: see `ganzoo.Game`.
    """

    modalities: tuple[Modality, ...] = (Images(),)
    sampling_network = "decoder"
    """Name of the network that decodes."""
    averaged = ("encoder", "decoder")
    stochastic = False
    """Whether the encoder returns a mean and a variance; `encode` then returns the means."""

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
        self.latent_dim = validation.integer("latent_dim", latent_dim)
        self.channels = validation.integer("channels", channels)
        self.hidden = validation.optional(validation.integers, "hidden", hidden)
        self.modalities = modalities(hidden)
        self.learning_rate = validation.real("learning_rate", learning_rate, above=0)
        self.beta_1 = validation.real("beta_1", beta_1, least=0, below=1)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {
            name: optimizers.Adam(self.learning_rate, beta_1=self.beta_1)
            for name in self.player_names
        }

    # What a subclass may use ------------------------------------------------------------------

    def build_encoder(self) -> keras.Model:
        """A `keras.Model` from images to codes, or to a dict of `"mean"` and `"log_variance"`."""
        return networks.encoder(
            self.image_shape, self.latent_dim, self.channels, self.hidden, self.stochastic
        )

    def build_decoder(self) -> keras.Model:
        """A `keras.Model` from codes to images in [-1, 1]."""
        return networks.decoder(
            self.image_shape, self.latent_dim, self.channels, self.hidden, self.sampling_network
        )

    def sample_codes(self, posterior: types.Tensors) -> types.Tensor:
        """Codes sampled from a stochastic encoder's output, so that gradients reach it.

        Kingma, Welling 2013, "Auto-Encoding Variational Bayes", section 2.4.
        """
        shape = ops.shape(posterior["mean"])
        noise = backend.drawn(keras.random.normal, shape, seed=self.seed_generator)
        return posterior["mean"] + ops.exp(0.5 * posterior["log_variance"]) * noise

    # Using it -------------------------------------------------------------------------------

    def encode(self, images: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """The codes of images; their means, if the encoder is stochastic.

        Args:
            images: `(n, height, width, channels)`, uint8 or float in [-1, 1].
            batch_size: images encoded at once; bounds memory.

        Returns:
            `(n, latent_dim)` float32 NumPy array.

        Raises:
            ValueError: the images do not fit the model, or it has no networks yet.
        """
        self.must_be_built()
        return self.inference.on_examples(self.in_use("encoder"), images, batch_size, to_codes)

    def decode(self, codes: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Decode codes: `(n, latent_dim)` to uint8 images `(n, height, width, channels)`."""
        self.must_be_built()
        validation.integer("batch_size", batch_size)
        codes = np.asarray(codes, "float32")
        if codes.shape[1:] != (self.latent_dim,) or not len(codes):
            raise ValueError(
                f"`codes` must have shape (n, {self.latent_dim}), n at least 1, as `encode` "
                f"returns them. Received: {codes.shape}."
            )
        decoder, size = self.in_use(self.sampling_network), batch_size_for(len(codes), batch_size)
        parts = (codes[start : start + size] for start in range(0, len(codes), size))
        return np.concatenate(
            [self.inference.run(decoder, [part], size, self.modality.postprocess) for part in parts]
        )

    def reconstruct(self, images: ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Encode images and decode their codes.

        Arguments and errors are those of `encode`.

        Returns:
            A uint8 NumPy array of the same shape; for points, float32.
        """
        return self.decode(self.encode(images, batch_size=batch_size), batch_size=batch_size)

    def trial(self, images: ArrayLike, *others: Any) -> Trial:
        """Reconstruct images."""
        del others  # labels
        return Trial(np.asarray(images), self.reconstruct(images))


class GenerativeAutoencoder(Autoencoding):
    """An autoencoder whose codes follow a prior, from which it generates samples.

    Args:
        num_classes: must be None; such models take no labels.
        **kwargs: see `Autoencoding`.
    """

    conditional = False

    def __init__(self, *, num_classes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sampling.check_classes(self, num_classes)
        self.num_classes = num_classes
        self.latent_prior = NormalPrior(self.latent_dim)

    latent_width = sampling.latent_width
    truncates_latents = sampling.truncates_latents
    sample_latents = sampling.sample_latents
    prior = sampling.prior
    settings = sampling.settings
    sampler = sampling.sampler
    generate = sampling.generate
    generate_batches = sampling.generate_batches
    project = inversion.project
    call = sampling.call


def modalities(hidden: Sequence[int] | None) -> tuple[Modality, ...]:
    """The kinds of data that encoders take: convolutions images only, dense layers points too."""
    return (Images(),) if hidden is None else (Images(), Points())


def to_codes(outputs: types.Tensor) -> tuple[types.Tensor, types.Tensor]:
    """An encoder's codes as float32, and whether all were finite."""
    return as_numbers(outputs["mean"] if isinstance(outputs, dict) else outputs)
