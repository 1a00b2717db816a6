"""The doctor's measurements of a model and its data."""

import math

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import losses
from ganzoo.families.gan import GAN
from ganzoo.modalities import kind_of


def measurable(model):
    """Whether samples can be compared with the data: those of a GAN with one domain."""
    return isinstance(model, GAN) and model.paired is None


# Measuring ----------------------------------------------------------------------------------------


class Real:
    """Real examples, with which samples and gradients are compared.

    Args:
        model: the GAN; conditional ones need labels.
        images: `(n, height, width, channels)` or `(n, length)`.
        labels: `(n,)` or None.
    """

    batch = 64
    """Number of examples for gradients: always the same ones."""

    def __init__(self, model, images, labels=None):
        if model.label_range is None:
            labels = None
        elif labels is None:
            raise ValueError("this model needs data of (images, labels)")
        self.data = (images,) if labels is None else (images, labels)
        if model.num_classes is None:
            labels = None  # its samples have no class
        self.labels = labels
        self.flat = rows_of(images)
        # Pairs are of one class, if there are classes.
        n = len(images)
        same = np.ones((n, n), bool) if labels is None else labels[:, None] == labels[None]
        np.fill_diagonal(same, False)
        self.pairs = same if same.any() else ~np.eye(n, dtype=bool)
        self.apart = _distances(self.flat, self.flat)

    def measure(self, model, seed):
        """The signals that need real examples: see `Doctor`."""
        labels = {} if self.labels is None else {"labels": self.labels}
        samples = rows_of(model.generate(len(self.flat), seed=seed, **labels))
        return {**self.compare(samples), **self.probe(model)}

    def compare(self, samples):
        """The signals that compare samples with the real examples."""
        n = len(samples)
        real, fake = self.apart, _distances(samples, samples)
        cross = _distances(self.flat, samples)
        mean = lambda d: d.sum() / (n * (n - 1))
        nearest = np.median((real + np.diag(np.full(n, np.inf))).min(axis=1))
        # Near: halfway between a real example's neighbour and an average one.
        near = (nearest + mean(real)) / 2
        return {
            "diversity": float(fake[self.pairs].mean() / max(real[self.pairs].mean(), 1e-12)),
            "missed": float((cross.min(axis=1) > near).mean()),
            # Székely, Rizzo 2013, "Energy statistics": the coefficient of inhomogeneity.
            "distance": float(1 - (mean(real) + mean(fake)) / (2 * cross.mean())),
        }

    def probe(self, model):
        """The signals of the players' gradients and the discriminator's outputs, always on the same
        examples.

        A stateless scope discards every assignment (batch statistics, random state).
        """
        with keras.StatelessScope():
            batch = self._batch(model, self.batch)
            signals = {
                f"{player.prefix}gradient": _gradient_norm(model, player, batch)
                for player in model.players
            }
            batch = self._batch(model, len(self.flat))
            fake = model.draw(batch)["fake"]
            real, fake = (
                ops.cast(model.discriminate(x, batch), "float32") for x in (batch["examples"], fake)
            )
            signals["slope"] = _slope(model, fake)
        real, fake = (ops.convert_to_numpy(x).reshape(len(x), -1).mean(1) for x in (real, fake))
        wins = np.sign(real[:, None] - fake[None])
        signals["told_apart"] = float((wins.mean() + 1) / 2)
        signals["spread"] = float(np.std([*real, *fake]))
        return signals

    def _batch(self, model, count):
        data = tuple(ops.convert_to_tensor(part[:count]) for part in self.data)
        return model.prepare(data)


def _gradient_norm(model, player, batch):
    # Scaled as in training: an unscaled float16 gradient would be zero.
    scale = model.optimizer[player.name].scale_loss(ops.ones(()))

    def loss():
        terms, _ = player.loss(batch, model.draw(batch))
        return sum(ops.cast(term, "float32") for term in terms.values()) * scale, None

    _, gradients, _ = backend.value_and_grad(loss, player.variables, None, model.variables)
    squares = [
        ops.sum(ops.square(ops.cast(g, "float32") / scale)) for g in gradients if g is not None
    ]
    return math.sqrt(sum(float(square) for square in squares))


def _slope(model, fake):
    """Mean |derivative| of the generator's loss by the discriminator's outputs for samples."""
    objective = losses.get(model.objective)
    if objective.paired or type(model).generator_loss is not GAN.generator_loss:
        return math.nan  # the loss depends on more than these outputs
    each = backend.input_gradient(lambda x: objective.generator(x) * len(fake), fake)
    return float(np.abs(ops.convert_to_numpy(each)).mean())


def examples(data, n, seed):
    """`(images,)` or `(images, labels)` of up to `n` examples, of a data set those of its first
    epoch."""
    parts = data if isinstance(data, tuple) else (data,)
    if all(hasattr(part, "shape") for part in parts):
        count = len(parts[0])
        # An array may be sorted by class.
        chosen = np.random.default_rng(seed).permutation(count)[:n] if count > n else slice(None)
        return tuple(np.asarray(part[chosen]) for part in parts)
    rows, count = [], 0
    with backend.first_epoch(data):
        for batch in _batches(data):
            batch = batch if isinstance(batch, (tuple, list)) else (batch,)
            rows.append([np.asarray(part) for part in batch])
            count += len(rows[-1][0])
            if count >= n:
                break
    return tuple(np.concatenate(column)[:n] for column in zip(*rows))


def _batches(data):
    if isinstance(data, keras.utils.PyDataset):
        i = 0
        while data.num_batches is None or i < data.num_batches:
            yield data[i]
            i += 1
    else:
        yield from data


def rows_of(examples):
    """Examples as rows of numbers, for distances."""
    examples = np.asarray(examples)
    return kind_of(examples.shape[1:]).rows(examples)


def _distances(a, b):
    """`(len(a), len(b))` Euclidean distances."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))
