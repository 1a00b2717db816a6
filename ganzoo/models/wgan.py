"""WGAN: an estimate of the earth mover's distance, by a critic whose weights are clipped."""

from typing import Any

import keras

from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register
from ganzoo.losses import Objective


@keras.saving.register_keras_serializable(package="ganzoo")
class Clip(keras.constraints.Constraint):
    """Brings weights back to [−limit, limit] after each move.

    >>> keras.ops.convert_to_numpy(Clip(0.5)(keras.ops.array([-2.0, 0.25]))).tolist()
    [-0.5, 0.25]
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, weights):
        return keras.ops.clip(weights, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}


@register
class WGAN(DCGANNetworks):
    """Wasserstein GAN (Arjovsky, Chintala, Bottou, 2017): the critic's slope is bounded, and then
    the difference of its means estimates the earth mover's distance, whose gradient does not
    vanish where data and samples do not overlap.

        min_G max_{D: |w| ≤ c}  E_x[D(x)] − E_z[D(G(z))]

    The critic takes five moves for each of the generator's, and after each its weights are clipped.
    −`d_loss` is the estimate, up to a factor.

    When to use:
        To learn or teach the Wasserstein distance, with a loss that falls as samples improve. For
        samples use `wgan_gp`, whose critic is better.

    Args:
        clip: bound c of the critic's weights, above 0.
        discriminator_steps: moves of the critic for each of the generator's.
        learning_rate: RMSprop's, of both players.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, as in the authors' code; `"layer"`, or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, …) and `ganzoo.Game` (`image_shape`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("wgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> max(float(abs(w).max()) for w in model.discriminator.get_weights()) <= 0.0101
    True

    Departures from the paper:
        * DCGAN's networks as in `dcgan`.
        * Always five moves of the critic; the authors' code takes 100 at the start and from
          time to time.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Arjovsky, Chintala, Bottou: Wasserstein GAN. ICML 2017. arXiv:1701.07875, algorithm 1
        * The authors' code: github.com/martinarjovsky/WassersteinGAN
    """

    def __init__(
        self,
        *,
        clip: float = 0.01,
        objective: str | Objective = "wasserstein",
        discriminator_steps: int = 5,
        learning_rate: float = 5e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            objective=objective,
            discriminator_steps=discriminator_steps,
            learning_rate=learning_rate,
            **kwargs,
        )
        self.clip = validation.real("clip", clip, above=0)

    def build_others(self):
        for variable in self.discriminator.trainable_variables:
            variable.constraint = Clip(self.clip)

    def default_optimizers(self):
        rates = (self.discriminator_learning_rate or self.learning_rate, self.learning_rate)
        return {
            name: keras.optimizers.RMSprop(rate) for name, rate in zip(self.player_names, rates)
        }
