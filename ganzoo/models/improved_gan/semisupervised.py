"""Discriminators that classify, and learn it from few labels."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.families.dcgan_networks import ConvolutionalGAN
from ganzoo.modalities.base import as_numbers
from ganzoo.networks import dcgan


class SemiSupervised(ConvolutionalGAN):
    """A game whose discriminator, by its `heads`, also says the class of a picture.

    Its data are `(images, labels)`, with the label −1 for pictures whose class is not known. These
    are judged real or not, the others only classified, unless all have labels. The generator takes
    no labels.

    Args:
        classes: how many classes, or None for a discriminator that does not classify.
        supervised_weight: weight of the labels' cross-entropy in the discriminator's loss, at
            least 0.
        **kwargs: see `ganzoo.families.dcgan_networks.ConvolutionalGAN`.
    """

    def __init__(
        self, *, classes: int | None = None, supervised_weight: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if self.num_classes is not None:
            raise ValueError(
                "The generator takes no labels: leave `num_classes` out. For a discriminator that "
                f"classifies: `classes={self.num_classes}`; for labels in the generator: 'acgan'."
            )
        self.classes = classes if classes is None else validation.integer("classes", classes)
        self.supervised_weight = validation.real("supervised_weight", supervised_weight, least=0)

    @property
    def averaged(self) -> tuple[str, ...]:  # type: ignore[override]
        """The discriminator too: averaged, it classifies better."""
        return ("generator", "discriminator") if self.classes else ("generator",)

    @property
    def label_range(self) -> range | None:
        return None if self.classes is None else range(-1, self.classes)

    def heads(self, features: types.Tensor, layer: Callable = dcgan.head) -> types.Tensors:
        """What a discriminator says of its last features: a dict of `"logits"` and, where there
        are classes, `"classes"`. `layer(units, name)` makes the last layer."""
        if self.classes is None:
            return {"logits": layer(1, "logits")(features)}
        classes = layer(self.classes, "classes")(features)
        # As if generated were one class more, with logit 0: D = Z / (Z + 1), Z = Σ exp(logits).
        return {"classes": classes, "logits": ops.logsumexp(classes, axis=-1, keepdims=True)}

    def unlabelled(self, rows: types.Tensor, batch: types.Tensors) -> types.Tensor:
        """Of what was said of a batch's pictures, that of those without a label, some of it
        twice to be as much; all of it in a batch that has a label for each.

        The few that have labels come again and again: taken for as many real pictures more, they
        would be what the generator learns to make.
        """
        if self.classes is None:
            return rows
        known = ops.cast(batch["labels"] >= 0, "int32")
        count = ops.shape(known)[0]
        without = count - ops.sum(known)
        first = ops.argsort(known)  # those without a label
        chosen = ops.take(first, ops.arange(count) % ops.where(without > 0, without, count))
        return ops.take(rows, chosen, axis=0)

    def _parts(self, batch, drawn, real, fake):
        real = {**real, "logits": self.unlabelled(real["logits"], batch)}
        return super()._parts(batch, drawn, real, fake)

    def discriminator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, real: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        if self.classes is None:
            return {}
        labels = batch["labels"]
        known = ops.cast(labels >= 0, "float32")
        each = keras.losses.sparse_categorical_crossentropy(
            ops.maximum(labels, 0), real["classes"], from_logits=True
        )
        count = backend.average(ops.sum(known))
        mean = ops.sum(known * each) / ops.where(count > 0, count, 1.0)
        return {"supervised": self.supervised_weight * mean}

    def classify(self, images: ArrayLike, batch_size: int = 256) -> np.ndarray:
        """Probabilities of the classes of pictures, `(n, classes)` float32.

        By the averaged discriminator where there is one.

        Raises:
            ValueError: the model has no classes, or the pictures are not as it knows them.
        """
        if self.classes is None:
            raise ValueError("This model does not classify: make it with `classes=…`.")
        self.must_be_built()
        network = self.in_use("discriminator")
        return self.inference.on_examples(network, images, batch_size, _probabilities)


def _probabilities(said):
    return as_numbers(ops.softmax(said["classes"], axis=-1))
