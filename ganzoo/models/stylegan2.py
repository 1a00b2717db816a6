"""StyleGAN2: latents become styles that steer every layer of the generator."""

from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import penalties
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.families.prior import NormalPrior
from ganzoo.game.registry import register
from ganzoo.networks import stylegan2 as networks


@register
class StyleGAN2(GAN):
    """StyleGAN2 (Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, 2020): a perceptron f maps
    latents to styles w, and the synthesis network g scales its kernels by them and adds noise.

        min_D  E_x[−log D(x)] + E_z[−log(1 − D(g(f(z))))] + γ/2 E_x[‖∇D(x)‖²]
        min_G  E_z[−log D(g(f(z)))] + λ E_{w,y}[(‖J_wᵀ y‖ − a)²]

    where y is an image of noise and a the running mean of ‖J_wᵀ y‖, so that a step in w changes
    the image by as much everywhere. Both penalties are taken in some steps only. Two latents
    are mixed: one for the coarse layers, the other for the fine ones.

    `generate(truncation=ψ)` draws styles towards their mean, ψ above 0; 1 leaves them as they are.

    When to use:
        Control over samples, on a GPU: truncation, mixing of coarse and fine styles, directions in
        the space of styles. Its steps are slow on a CPU.

    Args:
        style_dim: length of w, at least 1.
        mapping_layers: layers of f, at least 1.
        channels: width at full resolution, at least 1; it doubles with every halving.
        max_channels: width at most.
        mixing: share of the images made of two latents, in [0, 1].
        gamma: γ, at least 0.
        path_weight: λ, at least 0.
        gamma_every, path_every: steps from one such penalty to the next.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, …) and `ganzoo.Game`.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("stylegan2", channels=4, style_dim=16, mapping_layers=2, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0, truncation=0.7).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Small by default, to train on a CPU. The paper's configuration F: `latent_dim=512,
          style_dim=512, mapping_layers=8, channels=32, max_channels=512` at 1024×1024.
        * Images of any size; the smallest stage is 4 to 7 pixels high.
        * A penalty is added to the loss of its step, not taken in a step of its own, so that Adam's
          constants need no correction.
        * Paths are measured with the batch's own latents, unmixed and with the noise held fixed;
          slopes on images as they are, also where `augment` changes what D sees.
        * Labels enter the discriminator by an embedding, without a mapping network.

    References:
        * Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: Analyzing and Improving the Image
          Quality of StyleGAN. CVPR 2020. arXiv:1912.04958
        * The authors' code: github.com/NVlabs/stylegan2, github.com/NVlabs/stylegan2-ada-pytorch
    """

    def __init__(
        self,
        *,
        latent_dim: int = 128,
        style_dim: int = 128,
        mapping_layers: int = 4,
        channels: int = 32,
        max_channels: int = 128,
        mixing: float = 0.9,
        gamma: float = 1.0,
        gamma_every: int = 16,
        path_weight: float = 2.0,
        path_every: int = 4,
        learning_rate: float = 2e-3,
        beta_1: float = 0.0,
        beta_2: float = 0.99,
        ema_decay: float = 0.999,
        **kwargs: Any,
    ) -> None:
        rates: dict[str, Any] = {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2}
        super().__init__(latent_dim=latent_dim, ema_decay=ema_decay, **rates, **kwargs)
        self.latent_prior = NormalPrior(latent_dim, truncates=False)  # but styles are truncated
        self.style_dim = validation.integer("style_dim", style_dim)
        self.mapping_layers = validation.integer("mapping_layers", mapping_layers)
        self.channels = validation.integer("channels", channels)
        self.max_channels = validation.integer("max_channels", max_channels)
        self.mixing = validation.real("mixing", mixing, least=0, most=1)
        self.gamma = validation.real("gamma", gamma, least=0)
        self.gamma_every = validation.integer("gamma_every", gamma_every)
        self.path_weight = validation.real("path_weight", path_weight, least=0)
        self.path_every = validation.integer("path_every", path_every)
        self.path_length = self.add_weight((), "zeros", trainable=False, name="path_length")

    def build_generator(self):
        shape, width, depth = self.image_shape, self.style_dim, self.mapping_layers
        self.mapping = networks.mapping(self.latent_dim, width, depth, self.num_classes)
        self.synthesis = networks.synthesis(shape, width, self.channels, self.max_channels)
        return networks.generator(self.mapping, self.synthesis)

    def build_discriminator(self):
        return networks.discriminator(
            self.image_shape, self.channels, self.max_channels, self.num_classes, self.style_dim
        )

    def _styles(self, latents, batch, training):
        """`(batch, layers, style_dim)`, the same for all layers."""
        count = latents.shape[0]
        labels = [ops.tile(batch["labels"], (2,))[:count]] if self.num_classes else []
        w = self.mapping([latents, *labels, ops.ones((count, 1))], training=training)
        return ops.repeat(w[:, None], networks.style_count(self.image_shape), axis=1)

    def draw(self, batch):
        latents, others = (self.sample_latents(batch["examples"].shape[0]) for _ in range(2))
        styles = self._styles(ops.concatenate([latents, others]), batch, training=True)
        styles = networks.mix(*ops.split(styles, 2), self.mixing, self.seed_generator)
        return {"latents": latents, "fake": self.synthesis(styles, training=True)}

    def discriminator_terms(self, batch, drawn, real, fake):
        judge = lambda x: self._call(self.discriminator, x, batch)
        slopes = lambda: ops.mean(penalties.squared_slopes(judge, batch["examples"]))
        return {"r1": 0.5 * self.gamma * self.lazily(self.gamma_every, slopes)}

    def generator_terms(self, batch, drawn, fake):
        if not self.path_weight:
            return {}
        latents = drawn["latents"][: max(1, batch["examples"].shape[0] // 2)]  # half is enough
        shape = (latents.shape[0], *self.image_shape)
        noise = backend.drawn(keras.random.normal, shape, seed=self.seed_generator)
        styles = self._styles(ops.stop_gradient(latents), batch, training=False)
        average = ops.convert_to_tensor(self.path_length)

        def penalty():
            lengths = penalties.path_lengths(self.synthesis, styles, noise) - average
            moved = 0.01 * ops.mean(lengths)
            return ops.stack([ops.mean(ops.square(lengths - moved)), moved])

        penalty, moved = ops.unstack(self.lazily(self.path_every, penalty, shape=(2,)))
        self.path_length.assign_add(backend.average(ops.stop_gradient(moved)) / self.path_every)
        return {"path": self.path_weight * penalty}

    def settings(self, truncation=None):
        return (1.0 if truncation is None else truncation,)
