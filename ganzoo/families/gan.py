"""GAN: a generator against a discriminator."""

from collections.abc import Callable
from typing import Any
from typing import Literal

import keras
from keras import ops

from ganzoo import types
from ganzoo import validation
from ganzoo.families import adversary
from ganzoo.families import inversion
from ganzoo.families import one_stage
from ganzoo.families import sampling
from ganzoo.families.adversary import Adversary
from ganzoo.families.prior import NormalPrior
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.losses import Objective
from ganzoo.modalities import Images
from ganzoo.modalities import Modality


class GAN(Game):
    """A generator of samples from latents, against a discriminator.

    A subclass provides `build_generator` and `build_discriminator`; it may add
    `discriminator_terms` and `generator_terms`, or override `draw`, `real`, `look`,
    `discriminator_loss` or `generator_loss`.

    With `num_classes` the model is conditional: a network that has a second input, for labels,
    receives them. If the data has two domains, one network may stand for two: examples are then a
    dict, and the discriminator has logits for each domain.

    Args:
        latent_dim: length of the latent vectors, drawn from N(0, 1).
        num_classes: number of classes, or None for a model without labels.
        objective: name in `ganzoo.losses.OBJECTIVES`.
        augment: None, or how real and generated images alike are changed before the discriminator
            sees them, for data of some thousand images or fewer: `"diffaugment"` changes each of
            them; `"ada"` changes images with a probability p that adapts, in which the
            discriminator's overfitting shows; or what else `ganzoo.augmentations.get` knows.
        augment_target: with `"ada"`, the wanted mean sign of the discriminator's logits for real
            images, in (-1, 1). Above it p rises, below it p falls. With an objective that only
            compares logits, the sign is that of their differences to fake ones.
        augment_images: with `"ada"`, number of real images in which p can go from 0 to 1, at least
            1. It stays below 0.8. The logs show it as `d_augment_p`.
        discriminator_steps: moves of the discriminator for each of the generator's, each on a
            fresh batch.
        learning_rate: Adam's learning rate, of both players.
        discriminator_learning_rate: the discriminator's, if it differs (two time scales).
        beta_1: Adam's decay of the first moment, of both players.
        beta_2: Adam's decay of the second moment, of both players.
        epsilon: Adam's constant, above 0: gradients far below it make small moves.
        update: `"alternating"`, the generator answers the discriminator after its move, as in
            the papers; or `"one_stage"`, both move at once, from one backward pass through the
            discriminator (Shen et al. 2021, "Training Generative Adversarial Networks in One
            Stage"), which is faster. It is refused where the generator's gradient would not be
            exact: the objective must be symmetric, such as `"minimax"`, or the discriminator must
            couple no examples, which batch normalisation does.
        freeze: number of the discriminator's first layers, those next to the images, whose weights
            stay as they were loaded (FreezeD: Mo, Cho, Shin 2020, "Freeze the Discriminator: a
            Simple Baseline for Fine-Tuning GANs"). Layers without weights and embeddings of labels
            do not count; normalisation does, and uses its averages while it is frozen. For few
            images, together with weights: `ganzoo.get(name, weights=…, freeze=4)`; without, these
            layers would stay random.
        **kwargs: see `ganzoo.Game` (`image_shape`, `ema_decay`, `precision`, `seed`, …).
    """

    player_names = ("discriminator", "generator")
    modalities: tuple[Modality, ...] = (Images(),)
    averaged: tuple[str, ...] = ("generator",)
    sampling_network = "generator"
    generating: tuple[str, ...] = ("generator",)
    """Names of the networks that the generator's player moves."""
    judging: tuple[str, ...] = ("discriminator",)
    """Names of the networks that the discriminator's player moves."""
    projection: Callable[[types.Tensor], Any] | None = None
    """What the discriminator receives in place of images, a function of them that is not trained;
    None: the images."""
    growing = False
    """Whether there are weights on which the losses do not depend yet."""
    resting = False
    """Whether the discriminator makes no moves in the current stage."""
    conditional = True
    """Whether `num_classes` may be given."""

    def __init__(
        self,
        *,
        latent_dim: int = 100,
        num_classes: int | None = None,
        objective: str | Objective = "non_saturating",
        augment: str | None = None,
        augment_target: float = 0.6,
        augment_images: int = 500_000,
        discriminator_steps: int = 1,
        learning_rate: float = 2e-4,
        discriminator_learning_rate: float | None = None,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        update: Literal["alternating", "one_stage"] = "alternating",
        freeze: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim = validation.integer("latent_dim", latent_dim)
        self.latent_prior: Any = NormalPrior(self.latent_dim)  # a subclass may set another
        sampling.check_classes(self, num_classes)
        self.num_classes = num_classes
        adversary.keep_settings(
            self,
            objective=objective,
            discriminator_steps=discriminator_steps,
            learning_rate=learning_rate,
            discriminator_learning_rate=discriminator_learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
        )
        adversary.keep_augmentation(self, augment, augment_target, augment_images)
        self.update = validation.one_of("update", update, ("alternating", "one_stage"))
        self.freeze = validation.integer("freeze", freeze, least=0)

    # What a subclass provides --------------------------------------------------------------

    def build_generator(self) -> keras.Model:
        """A `keras.Model` from latents (and labels) to examples in [-1, 1]."""
        raise NotImplementedError

    def build_discriminator(self) -> keras.Model:
        """A `keras.Model` from examples (and labels) to logits, or to a dict of `"logits"` and
        whatever else the terms need."""
        raise NotImplementedError

    def build_others(self) -> None:
        """Create what else the game needs, after its two networks."""

    def discriminator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, real: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        """Further terms of the discriminator's loss, a dict of scalars.

        `real` and `fake` are its outputs, as `look` returns them.
        """
        del batch, drawn, real, fake
        return {}

    def generator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        """Further terms of the generator's loss, a dict of scalars."""
        del batch, drawn, fake
        return {}

    # The game -------------------------------------------------------------------------------

    @property
    def adversary(self) -> Adversary:
        """Objective and augmentation."""
        return Adversary(self.objective, self.augmentation)

    def build_players(self) -> tuple[Player, ...]:
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()
        adversary.freeze(self.discriminator, self.freeze)
        self.build_others()
        discriminator, generator = adversary.players(self)
        if self.update == "one_stage":
            discriminator = one_stage.moving_both(self, discriminator, generator)
        return discriminator, generator

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return adversary.adam(self)

    def draw(self, batch: types.Tensors) -> types.Tensors:
        """Latents and the samples generated from them; conditional models take the batch's
        labels."""
        latents = self.sample_latents(ops.shape(batch["examples"])[0])
        return {"latents": latents, "fake": self._call(self.generator, latents, batch)}

    def real(self, batch: types.Tensors) -> types.Tensor:
        """The examples of a batch that the discriminator compares with generated ones."""
        if self.paired is None:
            return batch["examples"]
        return {"images": batch["examples"], "targets": batch["targets"]}

    def _call(self, network, x, batch):
        takes_labels = self.num_classes and len(network.inputs) > 1
        return network([x, batch["labels"]] if takes_labels else x, training=True)

    def look(self, images: types.Tensor, batch: types.Tensors) -> types.Tensors:
        """The discriminator's outputs in training, with the labels of `batch` if it takes any.

        Returns:
            A dict: `"logits"`, whatever else the discriminator returns, and `"images"`, which it
            has seen: those given, augmented.
        """
        images = self.adversary.augmented(images, self.seed_generator)
        received = images if self.projection is None else self.projection(images)
        outputs = adversary.named(self._call(self.discriminator, received, batch))
        return {"images": images, **outputs}

    def discriminate(self, images: types.Tensor, batch: types.Tensors) -> types.Tensor:
        """The logits of `look`."""
        return self.look(images, batch)["logits"]

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        real = self.look(self.real(batch), batch)
        return self.with_terms(batch, drawn, real, self.look(drawn["fake"], batch))

    def with_terms(
        self, batch: types.Tensors, drawn: types.Tensors, real: types.Tensors, fake: types.Tensors
    ) -> types.Losses:
        """The discriminator's loss from its outputs: the objective, and the further terms."""
        terms, signals = self.adversary.discriminator_loss(real, fake)
        return {**terms, **self.discriminator_terms(batch, drawn, real, fake)}, signals

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        fake = self.look(drawn["fake"], batch)
        real = self.look(self.real(batch), batch) if self.adversary.sees_both else None
        terms = self.adversary.generator_loss(fake, real)
        return {**terms, **self.generator_terms(batch, drawn, fake)}, {}

    # Sampling -------------------------------------------------------------------------------

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
