"""Samples from latents: what every model with a prior and a generating network can do.

Functions that `ganzoo.GAN` and `GenerativeAutoencoder` use as methods. A model needs a prior,
`latent_prior` (see `ganzoo.families.prior`), `num_classes`, and the name of its generating network,
`sampling_network`.
"""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import types
from ganzoo import validation
from ganzoo.game.inference import batch_size_for


def check_classes(self: Any, num_classes: int | None) -> None:
    """Raise a `ValueError` unless the model can have this many classes."""
    if num_classes is not None:
        validation.integer("num_classes", num_classes)
        if not self.conditional:
            raise ValueError(
                f"{type(self).__name__} takes no labels: leave `num_classes` out, or use a "
                f"conditional model such as 'cgan'. Received: {num_classes}."
            )


# The prior ----------------------------------------------------------------------------------------


@property  # type: ignore[misc]
def latent_width(self: Any) -> int:
    """Length of the latent vector of one sample, codes included."""
    return self.latent_prior.width


@property  # type: ignore[misc]
def truncates_latents(self: Any) -> bool:
    """Whether truncation applies to the latents, rather than to what is computed from them."""
    return self.latent_prior.truncates


def sample_latents(self: Any, count: int) -> types.Tensor:
    """`(count, latent_width)` latents for training, from the model's own random state."""
    return self.latent_prior.sample(count, self.seed_generator)


def prior(
    self: Any, rng: np.random.Generator, count: int, truncation: float | None = None
) -> np.ndarray:
    """Latents for `generate`, drawn by NumPy: one seed gives the same samples on every backend.

    Args:
        rng: `numpy.random.Generator`.
        count: number of latent vectors.
        truncation: see `generate`.

    Returns:
        `(count, latent_width)` float32.
    """
    return self.latent_prior.by_numpy(rng, count, truncation)


# Using it -----------------------------------------------------------------------------------------


def settings(self: Any, truncation: float | None = None) -> tuple[types.Tensor, ...]:
    """Further inputs of the generating network: numbers, the same for all samples."""
    del self, truncation
    return ()


@property  # type: ignore[misc]
def sampler(self: Any) -> keras.Model:
    """The network that `generate` uses: the averaged one where there is one."""
    return self.in_use(self.sampling_network)


def generate(
    self: Any,
    n: int,
    *,
    labels: ArrayLike | None = None,
    latents: ArrayLike | None = None,
    seed: int | None = None,
    truncation: float | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Generate samples.

    Args:
        n: number of samples.
        labels: for a conditional model: `n` class numbers, or one for all. None: the classes
            in turn, 0, 1, 2, …
        latents: `(n, latent_width)` latents of your own, in place of random ones.
        seed: whole number; the same seed gives the same samples, whatever the batch size
            (at most one grey level apart, where a compiler sums in another order). None:
            different samples each time.
        truncation: if given, latents come from the normal distribution cut off at
            ±`truncation`: smaller values give more typical, less diverse samples. With one
            seed, each sample moves towards the centre; it is not replaced.
        batch_size: samples generated at once; bounds memory.

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
    self: Any,
    n: int,
    *,
    labels: ArrayLike | None = None,
    latents: ArrayLike | None = None,
    seed: int | None = None,
    truncation: float | None = None,
    batch_size: int = 256,
    finish: Callable | None = None,
) -> Iterator[np.ndarray]:
    """The samples of `generate`, one batch at a time: any number of them in constant memory.

    Arguments and errors are those of `generate`. `finish` converts what the network returns to
    samples; None: the modality's own conversion.

    Returns:
        An iterator over arrays of at most `batch_size` samples.
    """
    validation.integer("n", n)
    validation.integer("batch_size", batch_size)
    self.must_be_built()
    size = batch_size_for(n, batch_size)
    columns = sampler_inputs(self, n, labels, latents, seed, truncation, size)
    sampler, finish = self.sampler, finish or self.modality.postprocess
    return (self.inference.run(sampler, part, size, finish) for part in zip(*columns))


def sampler_inputs(
    model: Any,
    n: int,
    labels: ArrayLike | None,
    latents: ArrayLike | None,
    seed: int | None,
    truncation: float | None,
    size: int,
) -> list[Any]:
    """For each input of the sampler, an iterator over batches of `size`."""
    columns = [_latents(model, n, latents, seed, truncation, size)]
    if model.num_classes is not None:
        columns.append(_labels(model, n, labels, size))
    elif labels is not None:
        raise ValueError(
            f"{type(model).__name__} has no classes: leave `labels` out, or use a conditional "
            "model such as 'cgan'."
        )
    counts = [min(size, n - start) for start in range(0, n, size)]
    for value in model.settings(truncation):
        columns.append([np.full((count, 1), value, "float32") for count in counts])
    return columns


def latents_for(
    model: Any,
    n: int,
    latents: ArrayLike | None = None,
    seed: int | None = None,
    truncation: float | None = None,
) -> np.ndarray:
    """The latents from which `generate` makes samples: `(n, latent_width)`; arguments as there."""
    validation.integer("n", n)
    return np.concatenate(list(_latents(model, n, latents, seed, truncation, n)))


def _latents(model, n, latents, seed, truncation, size):
    validation.optional(validation.real, "truncation", truncation, above=0)
    if latents is not None:
        latents = np.asarray(latents, "float32")
        if latents.shape != (n, model.latent_width):
            raise ValueError(
                f"`latents` must have shape ({n}, {model.latent_width}). Received: {latents.shape}."
            )
        if seed is not None or (truncation is not None and model.truncates_latents):
            raise ValueError("`latents` replace drawing: leave out `seed` and `truncation`.")
        return (latents[start : start + size] for start in range(0, n, size))
    if seed is not None:
        validation.integer("seed", seed, least=0)
    # All batches from one stream, so that the batch size changes nothing.
    rng = np.random.default_rng(seed)
    counts = (min(size, n - start) for start in range(0, n, size))
    return (model.prior(rng, k, truncation) for k in counts)


def _labels(model, n, labels, size):
    if labels is None:
        starts = range(0, n, size)
        in_turn = (np.arange(k, min(k + size, n)) % model.num_classes for k in starts)
        return (part.astype("int32") for part in in_turn)
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape not in ((), (n,)):
        raise ValueError(
            f"`labels` must be one whole number or {n} of them. Received: {labels.dtype} of "
            f"shape {labels.shape}."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < model.num_classes:
        raise ValueError(
            f"`labels` must lie in 0..{model.num_classes - 1}. Received labels from "
            f"{labels.min()} to {labels.max()}."
        )
    labels = np.broadcast_to(labels, (n,))
    return (labels[start : start + size].astype("int32") for start in range(0, n, size))


def call(self: Any, inputs: types.Tensor, training: bool = False) -> types.Tensor:
    """Latents (and labels) to float samples in [-1, 1]."""
    settings = self.settings()
    if settings:
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        ones = ops.ones((ops.shape(inputs[0])[0], 1))
        inputs += [value * ones for value in settings]
    return self.sampler(inputs, training=training)
