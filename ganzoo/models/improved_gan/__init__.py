"""Improved GAN: five techniques, each optional, and learning from few labels."""

from collections.abc import Sequence
from typing import Any
from typing import Literal

import keras
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.layers import MinibatchDiscrimination
from ganzoo.layers import ParameterHistory
from ganzoo.models.improved_gan import semisupervised
from ganzoo.networks import dcgan
from ganzoo.networks import mlp


@register
class ImprovedGAN(GAN):
    """Improved GAN (Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, 2016): techniques that
    help a GAN to converge, and a discriminator that classifies.

        min_D  −α E_x[log D(x)] − (1 − α) E_x[log(1 − D(x))] − E_z[log(1 − D(G(z)))]
        min_G  −E_z[log D(G(z))],   or with feature matching   ‖E_x[f(x)] − E_z[f(G(z))]‖²

    where f are the discriminator's last features and 1 − α is `label_smoothing`. With `classes`
    the discriminator has logits l_1 … l_K, D(x) = Z / (Z + 1) for Z = Σ exp(l_k), as if generated
    were class K + 1 with logit 0, and it also learns the labels of labelled images:

        min_D  … − E_{x, y}[log p(y | x, y ≤ K)]

    Data then are `(images, labels)`, the label −1 for images without:
    `ganzoo.datasets.semi_supervised` makes such data. Only unlabelled images are judged real or
    generated.

    When to use:
        To classify images of which few have labels (`classes`), and to study its techniques one by
        one.

    Args:
        classes: K, or None for a discriminator that does not classify.
        supervised_weight: weight of the labels' term, at least 0.
        feature_matching: whether the generator matches features rather than fool D.
        minibatch_discrimination: kernels of the layer that compares examples; 0: no such layer.
            None: 100, or 0 with `classes`.
        historical_averaging: weight of ‖θ − mean of all past θ‖² in each player's loss; 0: none.
        label_smoothing: how far below 1 the target for real images is, in [0, 1).
        virtual_batch_norm: examples in the generator's reference batch; 0: batch normalisation.
        architecture: `"dcgan"`, or `"mlp"`: the perceptrons of the paper's experiment on MNIST,
            which goes with `feature_matching=True, label_smoothing=0.0, virtual_batch_norm=0,
            supervised_weight=2.0, learning_rate=3e-3, epsilon=1e-4`.
        channels: width of the convolutional layers at half resolution, at least 1; it doubles with
            every halving.
        discriminator_normalization: of the convolutional layers: `"batch"`, `"layer"` or None.
        generator_units: sizes of the generating perceptron's hidden layers.
        discriminator_units: sizes of the discriminating perceptron's hidden layers.
        noise: standard deviations of the noise on the discriminating perceptron's input and
            hidden layers.
        ema_decay: decay of the averaged networks that `generate` and `classify` use, in [0, 1), or
            None to use the live ones.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, …) and `ganzoo.Game` (`image_shape`, …).

    Example:

    >>> import ganzoo, numpy as np
    >>> batches = ganzoo.datasets.load("digits", labels=True, shuffle=False)
    >>> images, labels = (np.concatenate(x) for x in zip(*batches))
    >>> few = ganzoo.datasets.semi_supervised(images, labels, per_class=10)
    >>> model = ganzoo.get("improved_gan", classes=10, channels=8, seed=0)
    >>> history = model.fit(*few, epochs=1, verbose=0)
    >>> model.classify(images[:3]).shape
    (3, 10)

    Departures from the paper:
        * Convolutional networks are DCGAN's as in `dcgan`.
        * Labelled images and others come in one batch; the authors' code draws two.
        * The perceptrons are scaled by the first batch, the authors' by 500 images; the last
          layer to a tenth of theirs.
        * ‖·‖² of feature matching is divided by the number of features, as in the authors' code.
        * `generate` and `classify` use averaged networks; `ema_decay=None` turns that off.

    References:
        * Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved Techniques for Training
          GANs. NIPS 2016. arXiv:1606.03498, sections 3 and 5
        * The authors' code: github.com/openai/improved-gan
    """

    def __init__(
        self,
        *,
        classes: int | None = None,
        supervised_weight: float = 1.0,
        feature_matching: bool = False,
        minibatch_discrimination: int | None = None,
        historical_averaging: float = 0.0,
        label_smoothing: float = 0.1,
        virtual_batch_norm: int = 64,
        architecture: str = "dcgan",
        channels: int = 64,
        discriminator_normalization: Literal["batch", "layer"] | None = "batch",
        generator_units: Sequence[int] = (500, 500),
        discriminator_units: Sequence[int] = (1000, 500, 250, 250, 250),
        noise: Sequence[float] = (0.3, 0.5),
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(ema_decay=ema_decay, **kwargs)
        if self.num_classes is not None:
            raise ValueError(
                "The generator takes no labels: leave `num_classes` out. For a discriminator that "
                f"classifies: `classes={self.num_classes}`; for labels in the generator: 'acgan'."
            )
        whole = lambda name, value: validation.integer(name, value, least=0)
        real = lambda name, value, **bounds: validation.real(name, value, least=0, **bounds)
        self.classes = validation.optional(validation.integer, "classes", classes)
        self.supervised_weight = real("supervised_weight", supervised_weight)
        self.feature_matching = validation.one_of(
            "feature_matching", feature_matching, (True, False)
        )
        self.minibatch_discrimination = validation.optional(
            whole, "minibatch_discrimination", minibatch_discrimination
        )
        if self.classes and minibatch_discrimination:
            raise ValueError(
                "The class of an image must not depend on the other images of its batch: with "
                "`classes` leave `minibatch_discrimination` out."
            )
        self.historical_averaging = real("historical_averaging", historical_averaging)
        self.label_smoothing = real("label_smoothing", label_smoothing, below=1)
        if label_smoothing and self.objective not in ("non_saturating", "minimax"):
            raise ValueError(
                "`label_smoothing` goes with the objectives 'non_saturating' and 'minimax'. "
                f"Received: {self.objective!r}. Use `label_smoothing=0.0`."
            )
        self.virtual_batch_norm = whole("virtual_batch_norm", virtual_batch_norm)
        self.architecture = validation.one_of("architecture", architecture, ("dcgan", "mlp"))
        self.channels = validation.integer("channels", channels)
        self.discriminator_normalization = validation.one_of(
            "discriminator_normalization", discriminator_normalization, ("batch", "layer", None)
        )
        self.generator_units = validation.integers("generator_units", generator_units)
        self.discriminator_units = validation.integers("discriminator_units", discriminator_units)
        self.noise = tuple(real("noise", deviation) for deviation in noise)
        if self.classes:
            self.averaged = ("generator", "discriminator")  # averaged, it classifies better

    @property
    def label_range(self) -> range | None:
        return None if self.classes is None else range(-1, self.classes)

    def build_generator(self):
        shape, reference = self.image_shape, self.virtual_batch_norm
        if self.architecture == "mlp":
            return mlp.softplus_generator(shape, self.latent_dim, self.generator_units, reference)
        return dcgan.generator(shape, self.latent_dim, self.channels, reference=reference)

    def build_discriminator(self):
        shape, norm = self.image_shape, self.discriminator_normalization
        if self.architecture == "mlp":
            images, features = mlp.noisy_trunk(shape, self.discriminator_units, self.noise)
            layer = mlp.unit_head
        else:
            images, features = dcgan.trunk(shape, self.channels, normalize=norm)
            layer = dcgan.head
        outputs = {"features": keras.layers.Activation("linear", dtype="float32")(features)}
        kernels, usual = self.minibatch_discrimination, 0 if self.classes else 100
        if kernels := usual if kernels is None else kernels:
            features = MinibatchDiscrimination(kernels)(features)
        outputs |= semisupervised.heads(features, self.classes, layer)
        return keras.Model(images, outputs, name="discriminator")

    def build_others(self):
        if self.historical_averaging:
            players = (self.discriminator, self.generator)
            self.histories = [ParameterHistory(network.trainable_variables) for network in players]

    def unlabelled(self, rows: types.Tensor, batch: types.Tensors) -> types.Tensor:
        """The rows of examples that count as real: those without labels, if there are classes."""
        return semisupervised.unlabelled(rows, batch["labels"]) if self.classes else rows

    def with_terms(self, batch, drawn, real, fake):
        real = {**real, "logits": self.unlabelled(real["logits"], batch)}
        return super().with_terms(batch, drawn, real, fake)

    def _history(self, index, network):
        """Historical averaging (section 3.3): the squared distance from the mean of the past."""
        if not self.historical_averaging:
            return {}
        distance = self.histories[index].distance(network.trainable_variables)
        return {"history": self.historical_averaging * distance}

    def discriminator_terms(self, batch, drawn, real, fake):
        terms = {}
        if self.classes:
            loss = semisupervised.loss(real["classes"], batch["labels"])
            terms["supervised"] = self.supervised_weight * loss
        if self.label_smoothing:
            # softplus(l) − softplus(−l) = l: the change by a share of the other label.
            terms["label_smoothing"] = self.label_smoothing * ops.mean(real["logits"])
        return {**terms, **self._history(0, self.discriminator)}

    def generator_terms(self, batch, drawn, fake):
        return self._history(1, self.generator)

    def generator_loss(self, batch, drawn):
        if not self.feature_matching:
            return super().generator_loss(batch, drawn)
        real, fake = (self.look(x, batch) for x in (batch["examples"], drawn["fake"]))
        features = self.unlabelled(real["features"], batch)
        apart = ops.mean(features, axis=0) - ops.mean(fake["features"], axis=0)
        matching = ops.mean(ops.square(backend.average(apart)))
        return {"feature_matching": matching, **self.generator_terms(batch, drawn, fake)}, {}

    classify = semisupervised.classify
