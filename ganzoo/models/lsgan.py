"""LSGAN: squared distances to the labels in place of cross-entropies."""

from typing import Any

from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register
from ganzoo.losses import Objective


@register
class LSGAN(DCGANNetworks):
    """Least squares GAN (Mao, Li, Xie, Lau, Wang, Smolley, 2017): the discriminator is fitted to
    the labels 1 (real) and 0 (fake) by least squares, so that samples on the right side of its
    boundary, but far from the data, are pulled towards it too.

        min_D  ½ E_x[(D(x) − 1)²] + ½ E_z[D(G(z))²]
        min_G  ½ E_z[(D(G(z)) − 1)²]

    With these labels the best discriminator is p / (p + q), as in the original game.

    When to use:
        To compare losses: it is `dcgan` with another one, whose gradient does not vanish for
        samples that the discriminator accepts but that are far from the data.

    Args:
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, as in the paper; `"layer"`, which couples no
            examples; or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("lsgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * DCGAN's networks as in `dcgan`, with 4×4 kernels and a width that starts at 64; the
          paper's for 112×112 scenes are deeper, with 5×5 kernels.
        * Adam's learning rate is 2e-4; the paper takes 1e-3 for scenes and 2e-4 for characters.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Mao, Li, Xie, Lau, Wang, Smolley: Least Squares Generative Adversarial Networks. ICCV
          2017. arXiv:1611.04076, equation 9
        * The authors' code: github.com/xudonmao/LSGAN
    """

    def __init__(self, *, objective: str | Objective = "least_squares", **kwargs: Any) -> None:
        super().__init__(objective=objective, **kwargs)
