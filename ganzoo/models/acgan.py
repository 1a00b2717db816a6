"""ACGAN: the discriminator predicts the class of an image instead of receiving it."""

from typing import Any

import keras
from keras import ops

from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register


@register
class ACGAN(DCGANNetworks):
    """Auxiliary classifier GAN (Odena, Olah, Shlens, 2017): the discriminator sees images
    only, and predicts both whether they are real and their class; the generator receives the class.

        L_S = E[log P(real | x)] + E[log P(fake | G(z, c))]
        L_C = E[log P(c | x)] + E[log P(c | G(z, c))]
        max_D  L_S + L_C,    max_G  L_C − L_S

    Both players want samples to be recognised as what they were asked to be.

    When to use:
        Labelled images, if the samples must show the requested class above all. Compare its recall
        with that of `cgan`, because images that are easy to classify are often alike.

    Args:
        num_classes: number of classes, at least 1; labels are 0 … num_classes − 1.
        class_weight: weight of the class terms on real images (discriminator) and on samples
            (generator), at least 0.
        fake_class_weight: weight of the class term on samples in the discriminator's loss, at
            least 0. With 0 it learns the classes from real images only.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, `"layer"` or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("acgan", num_classes=10, channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits", labels=True), epochs=1, verbose=0)
    >>> model.generate(3, labels=[7, 7, 1], seed=0).shape
    (3, 8, 8, 1)

    Departures from the paper:
        * DCGAN's networks as in `dcgan`; the paper's have six convolutions in the discriminator,
          3×3 kernels, dropout and, for CIFAR-10, noise on the images.
        * One model for all classes; for ImageNet the paper trains a hundred, of ten classes each.
        * Labels enter the generator by learned embeddings.
        * The non-saturating objective is the default; `objective="minimax"` gives the one above.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs. ICML
          2017. arXiv:1610.09585, section 3
        * The authors published no code; the body is that of github.com/soumith/dcgan.torch
    """

    def __init__(
        self,
        *,
        num_classes: int = 10,
        class_weight: float = 1.0,
        fake_class_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes=validation.integer("num_classes", num_classes), **kwargs)
        self.class_weight = validation.real("class_weight", class_weight, least=0)
        self.fake_class_weight = validation.real("fake_class_weight", fake_class_weight, least=0)

    def discriminator_options(self):
        return {"num_classes": None, "heads": {"classes": (self.num_classes,)}}

    def discriminator_terms(self, batch, drawn, real, fake):
        del drawn
        return {
            "class_real": self.class_weight * _surprise(batch["labels"], real["classes"]),
            "class_fake": self.fake_class_weight * _surprise(batch["labels"], fake["classes"]),
        }

    def generator_terms(self, batch, drawn, fake):
        del drawn
        return {"class": self.class_weight * _surprise(batch["labels"], fake["classes"])}


def _surprise(labels, logits):
    """Mean of −log P(label)."""
    return ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
