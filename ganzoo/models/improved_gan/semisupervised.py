"""Learning from few labels: a discriminator that classifies, with −1 as the label of the others.

Salimans et al. 2016, "Improved Techniques for Training GANs", section 5.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import types
from ganzoo.modalities.base import as_numbers


def heads(features: types.Tensor, classes: int | None, layer: Callable) -> types.Tensors:
    """The outputs from a discriminator's last features: `"logits"`, and with classes `"classes"`.

    `layer(units, name)` makes the last layer.
    """
    if classes is None:
        return {"logits": layer(1, "logits")(features)}
    logits = layer(classes, "classes")(features)
    # As if generated were one class more, with logit 0: D = Z / (Z + 1), Z = Σ exp(logits).
    return {"classes": logits, "logits": ops.logsumexp(logits, axis=-1, keepdims=True)}


def unlabelled(rows: types.Tensor, labels: types.Tensor) -> types.Tensor:
    """The rows of unlabelled examples, repeated to fill the batch; all rows if every example is
    labelled.

    The few labelled examples return often. As real examples they would be what the generator
    learns to imitate.
    """
    labelled = ops.cast(labels >= 0, "int32")
    count = ops.shape(labelled)[0]
    without = count - ops.sum(labelled)
    first = ops.argsort(labelled)  # those without a label
    chosen = ops.take(first, ops.arange(count) % ops.where(without > 0, without, count))
    return ops.take(rows, chosen, axis=0)


def loss(logits: types.Tensor, labels: types.Tensor) -> types.Tensor:
    """Mean cross-entropy of the labelled examples; 0 if there are none."""
    labelled = ops.cast(labels >= 0, "float32")
    each = keras.losses.sparse_categorical_crossentropy(
        ops.maximum(labels, 0), logits, from_logits=True
    )
    count = backend.average(ops.sum(labelled))
    return ops.sum(labelled * each) / ops.where(count > 0, count, 1.0)


def classify(self: Any, images: ArrayLike, batch_size: int = 256) -> np.ndarray:
    """Probabilities of the classes of images, `(n, classes)` float32.

    By the averaged discriminator where there is one.

    Raises:
        ValueError: the model has no classes, or the images do not fit it.
    """
    if self.classes is None:
        raise ValueError("This model does not classify: make it with `classes=…`.")
    self.must_be_built()
    network = self.in_use("discriminator")
    return self.inference.on_examples(network, images, batch_size, _probabilities)


def _probabilities(outputs):
    return as_numbers(ops.softmax(outputs["classes"], axis=-1))
