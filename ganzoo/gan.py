"""The two-player default: a generator against a discriminator."""

import math
import warnings

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import checks
from ganzoo import losses
from ganzoo import optimizers
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.game import Untracked


class GAN(Game):
    """A generator against a discriminator. Subclasses say which networks and which objective.

    A subclass provides `build_generator` and `build_discriminator`; it may set `objective` and
    override `discriminator_penalties`, `discriminator_loss` or `generator_loss`.

    With `num_classes` the model is conditional: both networks take labels as a second input.

    Args:
        latent_dim: length of the latent vectors, drawn from N(0, 1).
        num_classes: number of classes, or None for a model without labels.
        objective: name in `ganzoo.losses.OBJECTIVES`.
        discriminator_steps: moves of the discriminator for each of the generator's, each on a
            fresh batch.
        update: `"alternating"`, the generator answers the discriminator after its move, as in
            the papers; or `"one_stage"`, both move at once, from one backward pass through the
            discriminator (Shen et al. 2021, "Training Generative Adversarial Networks in One
            Stage"), which is faster. It is refused where the generator's
            gradient would not be exact: the objective must be symmetric, such as `"minimax"`, or
            the discriminator must couple no examples, which batch normalisation does.
        learning_rate: Adam's learning rate, of both players.
        discriminator_learning_rate: the discriminator's, if it differs (two time scales).
        beta_1: Adam's decay of the first moment, of both players.
        beta_2: Adam's decay of the second moment, of both players.
        **kwargs: see `ganzoo.game.Game`.
    """

    player_names = ("discriminator", "generator")
    averaged = ("generator",)
    smallest = 8
    """Pictures must be at least this high and wide."""
    accepts_points = False
    """Whether plain vectors, `image_shape=(length,)`, are accepted too."""

    def __init__(
        self,
        *,
        latent_dim=100,
        num_classes=None,
        objective="non_saturating",
        discriminator_steps=1,
        update="alternating",
        learning_rate=2e-4,
        discriminator_learning_rate=None,
        beta_1=0.5,
        beta_2=0.999,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._compiled = Untracked()
        self.latent_dim = checks.integer("latent_dim", latent_dim)
        self.num_classes = num_classes
        if num_classes is not None:
            checks.integer("num_classes", num_classes)
        self.objective = objective
        losses.get(objective)
        self.discriminator_steps = checks.integer("discriminator_steps", discriminator_steps)
        self.update = checks.one_of("update", update, ("alternating", "one_stage"))
        self.learning_rate = checks.real("learning_rate", learning_rate, above=0)
        self.discriminator_learning_rate = discriminator_learning_rate
        if discriminator_learning_rate is not None:
            checks.real("discriminator_learning_rate", discriminator_learning_rate, above=0)
        self.beta_1 = checks.real("beta_1", beta_1, least=0, below=1)
        self.beta_2 = checks.real("beta_2", beta_2, least=0, below=1)

    # What a subclass says ------------------------------------------------------------------

    def build_generator(self):
        """A `keras.Model` from latents (and labels) to pictures in [-1, 1]."""
        raise NotImplementedError

    def build_discriminator(self):
        """A `keras.Model` from pictures (and labels) to logits."""
        raise NotImplementedError

    def discriminator_penalties(self, batch, drawn):
        """Further terms of the discriminator's loss, a dict of scalars."""
        del batch, drawn
        return {}

    # The game -------------------------------------------------------------------------------

    def check_image_shape(self, shape):
        if len(shape) == 1 and self.accepts_points:
            return
        if len(shape) != 3:
            raise ValueError(
                f"Pictures must have shape (height, width, channels). Received: {shape}. A batch "
                "of grey pictures without a channel axis gets one by `images[..., None]`."
            )
        height, width, channels = shape
        if min(height, width) < self.smallest:
            raise ValueError(
                f"Pictures must be at least {self.smallest}×{self.smallest}. Received: "
                f"{height}×{width}. Enlarge them: `ganzoo.datasets.load(…, image_size="
                f"{self.smallest})`."
            )
        if not 1 <= channels <= 4:
            raise ValueError(
                f"Pictures must have 1 to 4 channels, the last axis. Received shape {shape}."
            )

    def check_specs(self, specs):
        if not 1 <= len(specs) <= 2:
            raise ValueError(
                "The data must yield `images` or `(images, labels)`. Received "
                f"{len(specs)} components."
            )
        shape, dtype = specs[0]
        self.check_image_shape(shape)
        if dtype != "uint8" and "float" not in dtype:
            raise ValueError(
                f"Pictures must be uint8 in 0..255 or float in [-1, 1]. Received {dtype}: convert "
                "with `images.astype('uint8')`."
            )
        if self.num_classes is None:
            return
        if len(specs) == 1:
            raise ValueError(
                f"{type(self).__name__} is a conditional model and needs labels: "
                "`fit(images, labels)`, or a data set of `(images, labels)` batches, such as "
                "`ganzoo.datasets.load(…, labels=True)`."
            )
        shape, dtype = specs[1]
        if shape:
            mend = "labels.argmax(axis=-1)" if shape != (1,) else "labels[:, 0]"
            raise ValueError(
                "Labels must be one whole number per picture, of shape (batch,). Received shape "
                f"(batch, {', '.join(map(str, shape))}): pass `{mend}`."
            )
        if "int" not in dtype:
            raise ValueError(
                f"Labels must be whole numbers. Received {dtype}: pass `labels.astype('int32')`."
            )

    def check_values(self, arrays):
        images = arrays[0]
        if images.dtype != np.uint8:
            low, high = float(images.min()), float(images.max())
            if not (np.isfinite(low) and np.isfinite(high)):
                raise ValueError(
                    "The pictures contain NaN or infinity. Remove or mend those: "
                    "`images[np.isfinite(images).all(axis=(1, 2, 3))]`."
                )
            if low < -1.001 or high > 1.001:
                raise ValueError(
                    f"Pictures as floats must lie in [-1, 1]. Received values from {low:g} to "
                    f"{high:g}. Scale them, from 0..255 with `images / 127.5 - 1`, or pass uint8."
                )
        if self.num_classes is not None:
            low, high = int(arrays[1].min()), int(arrays[1].max())
            if low < 0 or high >= self.num_classes:
                raise ValueError(
                    f"Labels must lie in 0..{self.num_classes - 1} (num_classes="
                    f"{self.num_classes}). Received labels from {low} to {high}."
                )

    def build_players(self):
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator()
        at_once = self.update == "one_stage"
        if at_once:
            self._check_one_stage()
        return (
            Player(
                "discriminator",
                (self.discriminator,),
                self.discriminator_loss,
                steps=self.discriminator_steps,
                prefix="d_",
                partner="generator" if at_once else None,
                joint=self.joint_loss if at_once else None,
            ),
            Player("generator", (self.generator,), self.generator_loss, draws=True, prefix="g_"),
        )

    def default_optimizers(self):
        rates = (self.discriminator_learning_rate or self.learning_rate, self.learning_rate)
        return {
            name: optimizers.Adam(rate, beta_1=self.beta_1, beta_2=self.beta_2)
            for name, rate in zip(self.player_names, rates)
        }

    def prepare(self, data):
        images, labels = (
            data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
        )
        images = images[0] if isinstance(images, (tuple, list)) else images
        if backend.is_uint8(images):
            images = ops.cast(images, "float32") / 127.5 - 1.0
        batch = {"images": ops.cast(images, "float32")}
        if self.num_classes:
            batch["labels"] = ops.cast(labels, "int32")
        return batch

    def batch_spec(self, batch_size):
        spec = {"images": keras.KerasTensor((batch_size, *self.image_shape), "float32")}
        if self.num_classes:
            spec["labels"] = keras.KerasTensor((batch_size,), "int32")
        return spec

    def sample_latents(self, count):
        """`(count, latent_dim)` latents for training, from the model's own random state."""
        return keras.random.normal((count, self.latent_dim), seed=self.seed_generator)

    def draw(self, batch):
        """Latents and the pictures made of them; conditional models imitate the batch's labels."""
        latents = self.sample_latents(ops.shape(batch["images"])[0])
        return {"latents": latents, "fake": self._call(self.generator, latents, batch)}

    def _call(self, network, x, batch):
        inputs = [x, batch["labels"]] if self.num_classes else x
        return network(inputs, training=True)

    def discriminate(self, images, batch):
        """Logits of the discriminator in training, given the labels of `batch` if conditional."""
        return self._call(self.discriminator, images, batch)

    def discriminator_loss(self, batch, drawn):
        real = self.discriminate(batch["images"], batch)
        fake = self.discriminate(drawn["fake"], batch)
        return self._discriminator_side(batch, drawn, real, fake)

    def _discriminator_side(self, batch, drawn, real, fake):
        objective = losses.get(self.objective)
        terms = {"adversarial": objective.discriminator(real, fake)}
        terms.update(self.discriminator_penalties(batch, drawn))
        signals = {
            "real": ops.mean(real),
            "fake": ops.mean(fake),
            "accuracy_real": ops.mean(ops.cast(real > objective.boundary, "float32")),
            "accuracy_fake": ops.mean(ops.cast(fake < objective.boundary, "float32")),
        }
        return terms, signals

    def generator_loss(self, batch, drawn):
        fake = self.discriminate(drawn["fake"], batch)
        return {"adversarial": losses.get(self.objective).generator(fake)}, {}

    def joint_loss(self, batch, drawn):
        """Both sides from one pass through the discriminator: see `ganzoo.game.Player.joint`."""
        real = self.discriminate(batch["images"], batch)
        fake = self.discriminate(drawn["fake"], batch)
        # The generator answers the objective alone: no gradient of a penalty may reach it.
        apart = keras.tree.map_structure(ops.stop_gradient, drawn)
        own = self._discriminator_side(batch, apart, real, fake)
        objective = losses.get(self.objective)
        answer = {"adversarial": objective.generator(fake)}, {}
        if objective.symmetric:
            return own, answer, ops.convert_to_tensor(-1.0)
        ours, theirs = objective.slopes(*map(ops.stop_gradient, (real, fake)))
        # Where the discriminator's slope is exactly zero, so is all that could be scaled.
        factor = ops.where(ours == 0, 0.0, theirs / ops.where(ours == 0, 1.0, ours))
        return own, answer, ops.reshape(factor, (-1,))

    def _check_one_stage(self):
        """Raise a `ValueError` unless one backward pass gives both players' exact gradients."""
        objective = losses.get(self.objective)
        named = repr(self.objective) if isinstance(self.objective, str) else "of this model"
        if (type(self).generator_loss, type(self).discriminator_loss) != (
            GAN.generator_loss,
            GAN.discriminator_loss,
        ):
            wrong, mend = "it has losses of its own", ""
        elif any(v.regularizer is not None for v in self.generator.trainable_variables):
            wrong, mend = "its generator has regularizers", ""
        elif objective.symmetric:
            return
        elif objective.silent:
            wrong = (
                f"with the objective {named} the discriminator's slope is zero where "
                "the generator's is not"
            )
            mend = "an objective such as 'non_saturating', or "
        elif self.dtype_policy.name == "mixed_float16":
            wrong = (
                f"the objective {named} is not symmetric, and where the discriminator is sure, its "
                "slope vanishes in float16 before it could be scaled"
            )
            mend = "`precision='mixed_bfloat16'`, a symmetric objective ('minimax'), or "
        elif self._couples_examples():
            wrong = (
                f"the objective {named} is not symmetric, and the discriminator couples "
                "the examples of a batch, as batch normalisation does"
            )
            known = "discriminator_normalization" in self.arguments()
            mend = "`discriminator_normalization='layer'`, " if known else ""
            mend += "a symmetric objective ('minimax'), or "
        else:
            return
        raise ValueError(
            f"update='one_stage' would not be exact for this {type(self).__name__}: {wrong}. Use "
            f"{mend}update='alternating'."
        )

    def _couples_examples(self):
        """Whether what the discriminator says of an example depends on the others: tried out."""
        rng = np.random.default_rng(0)
        images = rng.uniform(-1, 1, (4, *self.image_shape)).astype("float32")
        other = np.concatenate([rng.uniform(-1, 1, (1, *self.image_shape)), images[1:]])
        batch = {"labels": ops.zeros((4,), "int32")}
        said = []
        for x in (images, other.astype("float32")):
            noise = np.random.default_rng(1)
            with keras.StatelessScope():  # the same random numbers twice, and nothing is kept
                # Away from initial weights, which may be zero.
                for v in self.discriminator.trainable_variables:
                    v.assign(v + 0.1 * noise.standard_normal(v.shape).astype("float32"))
                logits = self.discriminate(ops.convert_to_tensor(x), batch)
            said.append(ops.convert_to_numpy(ops.cast(logits, "float32")))
        if said[0].size != 4:
            return True  # several outputs for each picture have no common factor
        change = np.abs(said[0] - said[1]).ravel()
        return not bool(change[1:].max() < 1e-4 * change[0])

    # Using it -------------------------------------------------------------------------------

    @property
    def sampler(self):
        """The generator that `generate` uses: the averaged one where there is one."""
        return self.generator if self.ema_decay is None else self.ema_generator

    def generate(self, n, *, labels=None, latents=None, seed=None, truncation=None, batch_size=256):
        """Make pictures.

        Args:
            n: how many.
            labels: for a conditional model: `n` class numbers, or one for all. None: the classes
                in turn, 0, 1, 2, …
            latents: `(n, latent_dim)` latents of your own, in place of drawn ones.
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
        self, n, *, labels=None, latents=None, seed=None, truncation=None, batch_size=256
    ):
        """The pictures of `generate`, a batch at a time: any number of them in constant memory.

        Arguments and errors are those of `generate`.

        Returns:
            An iterator over arrays of at most `batch_size` pictures.
        """
        checks.integer("n", n)
        checks.integer("batch_size", batch_size)
        if not self.built:
            raise ValueError(
                f"This {type(self).__name__} has no networks yet, because it does not know the "
                "shape of its pictures. Call `fit` first, load weights, or make it with "
                "`image_shape=(height, width, channels)`."
            )
        # Whole batches only, so that few shapes are compiled; the padding is cut off again.
        size = min(batch_size, 2 ** math.ceil(math.log2(n)))
        columns = [self._latents(n, latents, seed, truncation, size)]
        if self.num_classes is not None:
            columns.append(self._labels(n, labels, size))
        elif labels is not None:
            raise ValueError(
                f"{type(self).__name__} has no classes: leave `labels` out, or use a conditional "
                "model such as 'cgan'."
            )
        return (self._made(part, size) for part in zip(*columns))

    def _made(self, part, size):
        short = size - len(part[0])
        if short:
            part = [np.concatenate([x, np.repeat(x[-1:], short, axis=0)]) for x in part]
        images, finite = self._inference()(*part)
        if not finite:
            warnings.warn(
                "The generator makes NaN or infinity: the model has diverged. Load a checkpoint "
                "from before, or train anew with a smaller learning rate.",
                stacklevel=2,
            )
            images = np.nan_to_num(images, nan=-1.0, posinf=1.0, neginf=-1.0)
        return images[: size - short]

    def _inference(self):
        """The compiled sampler; its outputs are finished where they were computed."""
        wanted = (self.sampler, self.jit_compile)
        if self._compiled.get("wanted") != wanted:
            self._compiled["wanted"] = wanted
            self._compiled["run"] = backend.inference(*wanted, _finish)
        return self._compiled["run"]

    def _latents(self, n, latents, seed, truncation, size):
        """An iterator over batches of `size`; only the last may be smaller."""
        if latents is not None:
            latents = np.asarray(latents, "float32")
            if latents.shape != (n, self.latent_dim):
                raise ValueError(
                    f"`latents` must have shape ({n}, {self.latent_dim}). Received: "
                    f"{latents.shape}."
                )
            if seed is not None or truncation is not None:
                raise ValueError("`latents` replace drawing: leave out `seed` and `truncation`.")
            return (latents[start : start + size] for start in range(0, n, size))
        if seed is not None:
            checks.integer("seed", seed, least=0)
        if truncation is not None:
            checks.real("truncation", truncation, above=0)
        # Drawn by NumPy and not by the backend: one seed, one set of pictures everywhere. One
        # after the other from one stream, so that the batch size changes nothing.
        rng = np.random.default_rng(seed)
        counts = (min(size, n - start) for start in range(0, n, size))
        drawn = (rng.standard_normal((k, self.latent_dim), "float32") for k in counts)
        return drawn if truncation is None else (_truncated(x, truncation) for x in drawn)

    def _labels(self, n, labels, size):
        """An iterator over batches of `size`; only the last may be smaller."""
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

    def call(self, inputs, training=False):
        """Latents (and labels) to float pictures in [-1, 1]."""
        return self.sampler(inputs, training=training)


def _finish(images):
    """uint8 pictures of those in [-1, 1], points as they are; and whether all were finite.

    In as few passes as may be: for a small generator they are a good part of the work.
    """
    images = ops.cast(images, "float32")
    finite = ops.isfinite(ops.sum(images))
    if len(images.shape) == 4:
        images = ops.cast(ops.clip(ops.round(images * 127.5 + 127.5), 0, 255), "uint8")
    return images, finite


def _truncated(latents, limit):
    """Normal latents drawn towards the centre, so that none lies beyond ±`limit`."""
    from scipy import special

    low = special.ndtr(-limit)
    within = low + special.ndtr(latents.astype("float64")) * (1 - 2 * low)
    return special.ndtri(within).astype("float32")
