"""ProGAN: both networks grow during training, from tiny images to large ones."""

from typing import Any

from keras import ops

from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import progan as networks


@register
class ProGAN(GAN):
    """Progressive growing (Karras, Aila, Laine, Lehtinen, 2018): the game begins with images 4 to
    7 pixels high; whenever it has settled, layers for twice the size are faded in.

        min_D  E_z[D(G(z))] − E_x[D(x)] + λ E_x̂[(‖∇D(x̂)‖ − 1)²] + ε E_x[D(x)²]
        min_G  −E_z[D(G(z))]

    The WGAN-GP game, on data reduced to the current size, with equalised learning rates. `fit`
    grows the networks by itself, and a saved model goes on at its size. `generate` always gives
    images of the data's size, enlarged while the networks are smaller.

    When to use:
        To learn or teach how growing helps with large images, on a GPU. A short training on a CPU
        ends before the networks have grown. For samples alone `r3gan` is simpler.

    Args:
        phase_steps: training steps of each phase, at least 1: the first size; then, for each
            further one, fading in and settling.
        levels: how many sizes, at least 1, the last being the data's; None: as many as there are,
            halving it, from 4 pixels.
        channels: width at full resolution, at least 1; it doubles with every halving.
        max_channels: width at most.
        penalty_weight: λ, at least 0.
        drift_weight: ε, at least 0, which keeps D's outputs from drifting off.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `num_classes`, …) and `ganzoo.Game`.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("progan", phase_steps=8, channels=4, max_channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.level, model.generate(2, seed=0).shape
    (1, (2, 8, 8, 1))

    Departures from the paper:
        * Narrow by default, to train on a CPU; the paper's: `channels=16, max_channels=512,
          latent_dim=512` at 1024×1024, and phases of 800,000 images.
        * Phases are counted in steps, the batch size stays, and so does the optimizers' state.
        * Adam keeps its state when the networks grow: the first steps of new layers are large.
        * With `num_classes` labels enter by embedding and projection, not by a classifier.

    References:
        * Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality,
          Stability, and Variation. ICLR 2018. arXiv:1710.10196
        * The authors' code: github.com/tkarras/progressive_growing_of_gans
    """

    growing = True

    def __init__(
        self,
        *,
        phase_steps: int = 500,
        levels: int | None = None,
        channels: int = 32,
        max_channels: int = 128,
        penalty_weight: float = 10.0,
        drift_weight: float = 1e-3,
        latent_dim: int = 128,
        objective: str | Objective = "wasserstein",
        learning_rate: float = 1e-3,
        beta_1: float = 0.0,
        beta_2: float = 0.99,
        ema_decay: float = 0.999,
        **kwargs: Any,
    ) -> None:
        rates: dict[str, Any] = {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2}
        given: dict[str, Any] = {"latent_dim": latent_dim, "objective": objective}
        super().__init__(ema_decay=ema_decay, **given, **rates, **kwargs)
        self.phase_steps = validation.integer("phase_steps", phase_steps)
        self.levels = levels if levels is None else validation.integer("levels", levels)
        self.channels = validation.integer("channels", channels)
        self.max_channels = validation.integer("max_channels", max_channels)
        self.penalty_weight = validation.real("penalty_weight", penalty_weight, least=0)
        self.drift_weight = validation.real("drift_weight", drift_weight, least=0)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """`(height, width)` at all levels."""
        return networks.sizes(*self.image_shape[:2], self.levels)  # type: ignore[call-arg]

    def check_shape(self, shape):
        networks.sizes(*shape[:2], self.levels)

    def stage(self, step):
        """The level: settling at one takes as long as fading in the next."""
        last = len(self.sizes) - 1 if self.image_shape else 0
        return min(last, (step + self.phase_steps) // (2 * self.phase_steps))

    @property
    def level(self) -> int:
        """Index of the current size, from 0."""
        return self.stage(int(self.step.numpy()))

    def _fade(self, level):
        begun = (2 * level - 1) * self.phase_steps
        return ops.clip((ops.cast(self.step, "float32") - begun) / self.phase_steps, 0.0, 1.0)

    def _body(self):
        widths = (self.channels, self.max_channels)
        return (self.sizes, self.image_shape[-1], *widths, self.num_classes)

    def build_generator(self):
        return networks.generator(self.latent_dim, *self._body())

    def build_discriminator(self):
        return networks.discriminator(*self._body())

    @property
    def sampler(self):
        return networks.at_full_size(self.in_use("generator"), self.level, self.sizes)

    def settings(self, truncation=None):
        return (self._fade(self.level),)

    def prepare(self, data):
        batch, level = super().prepare(data), self.current_stage
        images = networks.reduced(batch["examples"], self.sizes, level, self._fade(level))
        return {**batch, "examples": images, "images": images}

    def _call(self, network, x, batch):
        labels = [batch["labels"]] if self.num_classes else []
        fade = self._fade(self.current_stage) * ops.ones((x.shape[0], 1))
        part = networks.at_size(network, self.current_stage)
        return part([x, *labels, fade], training=True)

    def discriminator_terms(self, batch, drawn, real, fake):
        judge, pair = lambda x: self.discriminate(x, batch), (batch["examples"], drawn["fake"])
        penalty = penalties.gradient_penalty(judge, *pair, seed=self.seed_generator)
        drift = self.drift_weight * ops.mean(ops.square(real["logits"]))
        return {"gradient_penalty": self.penalty_weight * penalty, "drift": drift}
