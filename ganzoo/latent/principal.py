"""Principal directions of the latents, found without labels and without training."""

import typing
from typing import Literal

import keras
import numpy as np
from numpy.typing import ArrayLike

from ganzoo import validation
from ganzoo.families import sampling
from ganzoo.game import Game


class Directions(typing.NamedTuple):
    """Directions of the latents along which samples change most, the strongest first."""

    vectors: np.ndarray
    """`(count, latent_width)` float32, each of length one."""
    shares: np.ndarray
    """`(count,)`: the share of each in the variance that the method looks at, 0 … 1."""
    method: str
    """The method that found them."""


def directions(
    model: Game,
    count: int = 10,
    *,
    method: Literal["ganspace", "sefa"] = "ganspace",
    samples: int = 2000,
    seed: int = 0,
    labels: ArrayLike | None = None,
) -> Directions:
    """Find the principal directions of the latents, without labels and without training.

    `"sefa"`: Shen, Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs", section 3:
    the eigenvectors of A Aᵀ, where A are the weights of the first layer that the latents meet.

    `"ganspace"`: Härkönen, Hertzmann, Lehtinen, Paris 2020, "GANSpace: Discovering Interpretable
    GAN Controls", sections 3.1 and 3.3: the principal components of what the generator computes
    early on (what enters its second layer with weights; of StyleGAN2, the styles), and for each the
    direction of the latents that leads along it, by linear regression.

    Args:
        model: a model that has `generate`.
        count: directions, at most `latent_width`; there are fewer where a layer is narrower.
        method: `"ganspace"` or `"sefa"`.
        samples: latents drawn for `"ganspace"`; at least twice `latent_width`.
        seed: whole number that fixes these latents.
        labels: for a conditional model and `"ganspace"`: a class for all of them. None: the classes
            in turn.

    Returns:
        `Directions`. Signs are such that the largest entry of each is positive.

    Raises:
        AttributeError: the model has no `generate`.
        ValueError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=4, latent_dim=6, image_shape=(8, 8, 1), seed=0)
    >>> found = ganzoo.latent.directions(model, 3)
    >>> found.vectors.shape, bool((np.diff(found.shares) <= 0).all())
    ((3, 6), True)
    """
    model.generate  # noqa: B018
    width = model.latent_width
    if validation.integer("count", count) > width:
        raise ValueError(f"`count` must be at most {width}, of `latent_width`. Received: {count}.")
    validation.one_of("method", method, ("ganspace", "sefa"))
    model.must_be_built()
    if method == "sefa":
        vectors, shares = _sefa(model)
    else:
        validation.integer("samples", samples, least=2 * width)
        vectors, shares = _ganspace(model, count, samples, seed, labels)
    vectors = vectors[:count]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    vectors = np.where(largest < 0, -vectors, vectors)
    return Directions(vectors.astype("float32"), shares[:count], method)


def _sefa(model):
    """Vectors and their shares, the strongest first."""
    weights = _first_weights(model.sampler, model.latent_width)
    values, vectors = np.linalg.eigh(weights @ weights.T)
    return vectors.T[::-1], np.maximum(values[::-1], 0) / max(values.sum(), 1e-12)


def _ganspace(model, count, samples, seed, labels):
    """Likewise, of any length."""
    from sklearn import decomposition  # a second to import, which nothing else should wait for

    latents, features = _early(model, samples, seed, labels)
    components = decomposition.PCA(min(count, features.shape[1]), random_state=0)
    with np.errstate(invalid="ignore"):  # in its ratios, where a dead generator's never vary
        coordinates = components.fit_transform(features)
    shares = components.explained_variance_ / max(features.var(axis=0, ddof=1).sum(), 1e-12)
    return np.linalg.lstsq(coordinates, latents, rcond=None)[0], shares


def _flat(network):
    """The layers of a network and of the networks in it, in order."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _flat(layer)
        else:
            yield layer


def _weighs(layer):
    """Whether this is a network, or a layer with a kernel, perhaps wrapped."""
    return isinstance(layer, keras.Model) or hasattr(getattr(layer, "layer", layer), "kernel")


def _takes_vectors(layer):
    return _weighs(layer) and len(getattr(layer, "layer", layer).kernel.shape) == 2


def _first_weights(network, width):
    """`(width, features)`: the rows of the first dense layer's kernel that the latents meet; there
    may be others for a label. One factor for all, as in equalised and spectrally normalised layers,
    changes no direction."""
    layer = next(layer for layer in _flat(network) if _takes_vectors(layer))
    kernel = getattr(layer, "layer", layer).kernel
    return keras.ops.convert_to_numpy(kernel)[:width].astype("float64")


def _early(model, samples, seed, labels):
    """Latents and the features that the network computes from them early on, each `(samples, …)`
    and less the mean of its class."""
    network = model.sampler
    first, second, *_ = (x for x in network.layers if _weighs(x))
    # Where networks are in a network, the first makes styles, and its inputs are those of both.
    early = first if isinstance(first, keras.Model) else keras.Model(network.inputs, second.input)
    rng = np.random.default_rng(validation.integer("seed", seed, least=0))
    latents = model.prior(rng, samples)
    if labels is None and model.num_classes:
        labels = np.arange(samples) % model.num_classes
    columns = sampling.sampler_inputs(model, samples, labels, latents, None, None, samples)
    inputs = [next(iter(column)) for column in columns]
    features = keras.ops.cast(early(inputs, training=False), "float32")
    features = keras.ops.convert_to_numpy(features)[-samples:]  # a reference batch goes before
    tables = [x.reshape(samples, -1).astype("float64") for x in (latents, features)]
    groups = np.broadcast_to(0 if labels is None else labels, samples)
    for group in np.unique(groups):  # latents cannot move what differs between classes
        for x in tables:
            x[groups == group] -= x[groups == group].mean(axis=0)
    return tables
