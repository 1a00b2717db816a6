"""Models that make pictures from latents."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo import validation
from ganzoo.families.prior import NormalPrior
from ganzoo.game import Game
from ganzoo.game.inference import batch_size_for
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class Generative(Game):
    """A game in which one network makes pictures of latents drawn from a prior.

    With `num_classes` the model is conditional: that network takes labels as a second input.

    Args:
        latent_dim: length of the latent vectors, drawn from N(0, 1).
        num_classes: number of classes, or None for a model without labels.
        **kwargs: see `ganzoo.game.Game`.
    """

    modalities: tuple[Modality, ...] = (Images(),)
    makes_pictures = "generator"
    """Name of the network that does."""
    conditional = True
    """Whether `num_classes` may be given."""

    def __init__(
        self, *, latent_dim: int = 100, num_classes: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim = validation.integer("latent_dim", latent_dim)
        self.latent_prior: Any = NormalPrior(self.latent_dim)  # a subclass may set another
        self.num_classes = num_classes
        if num_classes is not None:
            validation.integer("num_classes", num_classes)
            if not self.conditional:
                raise ValueError(
                    f"{type(self).__name__} takes no labels: leave `num_classes` out, or use a "
                    f"conditional model such as 'cgan'. Received: {num_classes}."
                )

    # What it draws ----------------------------------------------------------------------------

    @property
    def latent_width(self) -> int:
        """Numbers of which one sample is made."""
        return self.latent_prior.width

    @property
    def draws(self) -> int:
        """Random numbers of which the latents of one sample are made."""
        return self.latent_prior.draws

    @property
    def truncates_latents(self) -> bool:
        """Whether truncation is of latents, rather than of what is made of them."""
        return self.latent_prior.truncates

    def sample_latents(self, count: int) -> types.Tensor:
        """`(count, latent_width)` latents for training, from the model's own random state."""
        return self.latent_prior.sample(count, self.seed_generator)

    def prior(
        self, rng: np.random.Generator, count: int, truncation: float | None = None
    ) -> np.ndarray:
        """As many latents for `generate`, drawn by NumPy: one seed, one set of samples on every
        backend.

        Args:
            rng: `numpy.random.Generator`.
            count: how many.
            truncation: see `generate`.

        Returns:
            `(count, latent_width)` float32.
        """
        return self.latent_prior.by_numpy(rng, count, truncation)

    def of_uniform(self, numbers: types.Tensor, truncation: float | None = None) -> types.Tensor:
        """The prior once more, for exported models: by operations that every runtime has.

        Args:
            numbers: `(n, draws)` in (0, 1), uniform.
            truncation: see `generate`.

        Returns:
            `(n, latent_width)` float32.
        """
        return self.latent_prior.of_uniform(numbers, truncation)

    def settings(self, truncation: float | None = None) -> tuple[types.Tensor, ...]:
        """What the network takes beside latents and labels: numbers, the same for all pictures."""
        del truncation
        return ()

    # Using it -------------------------------------------------------------------------------

    @property
    def sampler(self) -> keras.Model:
        """The network that `generate` uses: the averaged one where there is one."""
        return self.in_use(self.makes_pictures)

    def generate(
        self,
        n: int,
        *,
        labels: ArrayLike | None = None,
        latents: ArrayLike | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        batch_size: int = 256,
    ) -> np.ndarray:
        """Make pictures.

        Args:
            n: how many.
            labels: for a conditional model: `n` class numbers, or one for all. None: the classes
                in turn, 0, 1, 2, …
            latents: `(n, latent_width)` latents of your own, in place of drawn ones.
            seed: whole number; the same seed gives the same pictures, whatever the batch size.
                (at most one grey level apart, where a compiler sums in another order). None: other
                pictures each time.
            truncation: if given, latents are drawn from the normal distribution cut off at
                ±`truncation`: smaller is more typical and less diverse. With one seed, each
                picture is drawn towards the centre, not replaced.
            batch_size: pictures made at once; bounds memory.

        Returns:
            `(n, height, width, channels)` uint8 NumPy array; for a model of points,
            `(n, length)` float32.

        Raises:
            ValueError: an argument is out of range, or the model has no networks yet.
        """
        batches = self.generate_batches(
            n,
            labels=labels,
            latents=latents,
            seed=seed,
            truncation=truncation,
            batch_size=batch_size,
        )
        return np.concatenate(list(batches))

    def generate_batches(
        self,
        n: int,
        *,
        labels: ArrayLike | None = None,
        latents: ArrayLike | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        batch_size: int = 256,
        finish: Callable | None = None,
    ) -> Iterator[np.ndarray]:
        """The pictures of `generate`, a batch at a time: any number of them in constant memory.

        Arguments and errors are those of `generate`. `finish` makes pictures of what the network
        returns, where that is more than one thing.

        Returns:
            An iterator over arrays of at most `batch_size` pictures.
        """
        validation.integer("n", n)
        validation.integer("batch_size", batch_size)
        self.must_be_built()
        size = batch_size_for(n, batch_size)
        columns = self._columns(n, labels, latents, seed, truncation, size)
        sampler, finish = self.sampler, finish or self.modality.postprocess
        return (self.inference.run(sampler, part, size, finish) for part in zip(*columns))

    def _columns(self, n, labels, latents, seed, truncation, size):
        """For each input of the sampler an iterator over batches of `size`; only the last may be
        smaller."""
        columns = [self._latents(n, latents, seed, truncation, size)]
        if self.num_classes is not None:
            columns.append(self._labels(n, labels, size))
        elif labels is not None:
            raise ValueError(
                f"{type(self).__name__} has no classes: leave `labels` out, or use a conditional "
                "model such as 'cgan'."
            )
        counts = [min(size, n - start) for start in range(0, n, size)]
        for value in self.settings(truncation):
            columns.append([np.full((count, 1), value, "float32") for count in counts])
        return columns

    def _latents(self, n, latents, seed, truncation, size):
        validation.optional(validation.real, "truncation", truncation, above=0)
        if latents is not None:
            latents = np.asarray(latents, "float32")
            if latents.shape != (n, self.latent_width):
                raise ValueError(
                    f"`latents` must have shape ({n}, {self.latent_width}). Received: "
                    f"{latents.shape}."
                )
            if seed is not None or (truncation is not None and self.truncates_latents):
                raise ValueError("`latents` replace drawing: leave out `seed` and `truncation`.")
            return (latents[start : start + size] for start in range(0, n, size))
        if seed is not None:
            validation.integer("seed", seed, least=0)
        # One after the other from one stream, so that the batch size changes nothing.
        rng = np.random.default_rng(seed)
        counts = (min(size, n - start) for start in range(0, n, size))
        return (self.prior(rng, k, truncation) for k in counts)

    def _labels(self, n, labels, size):
        if labels is None:
            starts = range(0, n, size)
            in_turn = (np.arange(k, min(k + size, n)) % self.num_classes for k in starts)
            return (part.astype("int32") for part in in_turn)
        labels = np.asarray(labels)
        if not np.issubdtype(labels.dtype, np.integer) or labels.shape not in ((), (n,)):
            raise ValueError(
                f"`labels` must be one whole number or {n} of them. Received: {labels.dtype} of "
                f"shape {labels.shape}."
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"`labels` must lie in 0..{self.num_classes - 1}. Received labels from "
                f"{labels.min()} to {labels.max()}."
            )
        labels = np.broadcast_to(labels, (n,))
        return (labels[start : start + size].astype("int32") for start in range(0, n, size))

    def call(self, inputs: types.Tensor, training: bool = False) -> types.Tensor:
        """Latents (and labels) to float pictures in [-1, 1]."""
        settings = self.settings()
        if settings:
            inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
            ones = ops.ones((ops.shape(inputs[0])[0], 1))
            inputs += [value * ones for value in settings]
        return self.sampler(inputs, training=training)
