"""Conditional GAN: generates images of the class you ask for."""

from typing import Any

from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register


@register
class CGAN(DCGANNetworks):
    """Conditional GAN (Mirza, Osindero, 2014): both networks receive the class y.

        min_G max_D  E_x[log D(x | y)] + E_z[log(1 − D(G(z | y)))]

    The discriminator judges whether an image is a real one *of its class*, so the generator has
    to make what the label says. The networks are DCGAN's: the generator takes an embedding of the
    label next to the latents, the discriminator another as a further channel of the image.

    When to use:
        The first model to try on labelled images: its networks are short, a step is quick on a CPU,
        and you choose the class of each sample.

    Args:
        num_classes: number of classes, at least 1; labels are 0 … num_classes − 1.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, `"layer"` or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("cgan", num_classes=10, channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits", labels=True), epochs=1, verbose=0)
    >>> model.generate(3, labels=[7, 7, 1], seed=0).shape
    (3, 8, 8, 1)

    Departures from the paper:
        * DCGAN's convolutional networks, initialisation and optimizer in place of perceptrons.
        * Labels enter by learned embeddings, not as one-hot vectors through dense layers.
        * The non-saturating objective is the default.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Mirza, Osindero: Conditional Generative Adversarial Nets. 2014. arXiv:1411.1784
        * The authors published no code; the body is that of github.com/soumith/dcgan.torch
    """

    def __init__(self, *, num_classes: int = 10, **kwargs: Any) -> None:
        super().__init__(num_classes=validation.integer("num_classes", num_classes), **kwargs)
