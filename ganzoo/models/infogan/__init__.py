"""InfoGAN: latent codes that can be read off the image, and so come to mean something."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ganzoo import validation
from ganzoo.families.dcgan_networks import DCGANNetworks
from ganzoo.game.registry import register
from ganzoo.modalities.base import as_numbers
from ganzoo.models.infogan.codes import CodedPrior
from ganzoo.models.infogan.codes import Codes


@register
class InfoGAN(DCGANNetworks):
    """InfoGAN (Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel, 2016): part of the latents are
    codes c, and the mutual information between them and the images is made large. Without labels
    the codes come to stand for what varies most: on MNIST the digit, its slant and its width.

        min_{G,Q} max_D  V(D, G) − λ L_I(G, Q)
        L_I = E_{c, z}[log Q(c | G(z, c))] + H(c) ≤ I(c; G(z, c))

    Q shares the discriminator's layers but the last. Latents are `latent_dim` normal numbers, then
    a one-hot vector for each categorical code, then the continuous codes, uniform in [-1, 1].
    The logs of −λ L_I are `d_information`, `g_information`; its least is −λ H(c), log k for a code
    of k categories.

    When to use:
        To find what varies in images without labels: categories, and numbers such as the slant of a
        digit, which you can then set for each sample.

    Args:
        latent_dim: length of the noise z, which the codes follow.
        categories: how many categories each categorical code has, each at least 2.
        continuous: number of continuous codes.
        category_weight: λ of the categorical codes, at least 0.
        continuous_weight: λ of the continuous codes, at least 0. They are taken to be normal with
            variance 1 around what Q says, as in the authors' code for MNIST.
        dense_units: sizes of dense layers next to the convolutions, in both networks.
        code_units: sizes of dense layers that are Q's own.
        learning_rate, discriminator_learning_rate: Adam's, of generator and discriminator.
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, `"layer"` or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`objective`, …) and `ganzoo.Game` (`image_shape`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("infogan", channels=8, dense_units=(32,), seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> sevens = model.latents(5, categories=7, seed=0)
    >>> model.generate(5, latents=sevens).shape
    (5, 8, 8, 1)

    Departures from the paper:
        * The noise is normal, not uniform.
        * The non-saturating objective is the default; `objective="minimax"` gives the one above.
        * DCGAN's networks as in `dcgan`, whose leaky ReLUs have a slope of 0.2, the paper's 0.1;
          for 28×28 their sizes are the paper's.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: InfoGAN: Interpretable Representation
          Learning by Information Maximizing Generative Adversarial Nets. NIPS 2016.
          arXiv:1606.03657, section 5 and appendix C.1
        * The authors' code: github.com/openai/InfoGAN
    """

    conditional = False

    def __init__(
        self,
        *,
        latent_dim: int = 62,
        categories: Sequence[int] = (10,),
        continuous: int = 2,
        category_weight: float = 1.0,
        continuous_weight: float = 1.0,
        dense_units: Sequence[int] = (1024,),
        code_units: Sequence[int] = (128,),
        learning_rate: float = 1e-3,
        discriminator_learning_rate: float = 2e-4,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            learning_rate=learning_rate,
            discriminator_learning_rate=discriminator_learning_rate,
            **kwargs,
        )
        self.coding = Codes(validation.integers("categories", categories, least=2), continuous)
        self.categories, self.continuous = self.coding.categories, continuous
        self.latent_prior = CodedPrior(self.latent_dim, self.coding)
        self.category_weight = validation.real("category_weight", category_weight, least=0)
        self.continuous_weight = validation.real("continuous_weight", continuous_weight, least=0)
        self.dense_units = validation.integers("dense_units", dense_units)
        self.code_units = validation.integers("code_units", code_units)

    def generator_options(self):
        return {"hidden": self.dense_units}

    def discriminator_options(self):
        heads = {"codes": (*self.code_units, self.coding.width)}
        return {"hidden": self.dense_units, "heads": heads}

    def latents(
        self,
        n: int,
        *,
        categories: ArrayLike | None = None,
        continuous: ArrayLike | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Latents for `generate` with codes of your choice, `(n, latent_width)`.

        Args:
            n: how many.
            categories: whole numbers: `(n,)`, or one, of a single code; of several `(n, codes)`, or
                `(codes,)` for all samples.
            continuous: numbers, `(n, codes)`, or what broadcasts to it.
            seed: fixes whatever you do not pass.
        """
        for name, given in (("categories", categories), ("continuous", continuous)):
            if given is not None and not getattr(self, name):
                raise ValueError(f"This model has no such codes: leave `{name}` out.")
        drawn = self.prior(np.random.default_rng(seed), validation.integer("n", n))
        noise, codes = np.split(drawn, [self.latent_dim], axis=1)
        known, numbers = self.coding.split(codes)
        if categories is None:
            categories = np.array([part.argmax(axis=1) for part in known], int).reshape(-1, n).T
        numbers = numbers if continuous is None else continuous
        return np.concatenate([noise, self.coding.make(n, categories, numbers)], axis=1)

    def codes(self, images: ArrayLike, batch_size: int = 256) -> dict[str, Any]:
        """Q's predictions for images: `{"categories": [probabilities (n, k) of each code],
        "continuous": means (n, codes)}`."""
        outputs = self.inference.on_examples(self.discriminator, images, batch_size, _codes)
        parts, numbers = self.coding.split(outputs)
        return {"categories": [special.softmax(x, axis=1) for x in parts], "continuous": numbers}

    def _information(self, drawn, outputs):
        codes = drawn["latents"][:, self.latent_dim :]
        categorical, continuous = self.coding.information(codes, outputs["codes"])
        return {
            "information": -self.category_weight * categorical,
            "continuous_information": -self.continuous_weight * continuous,
        }

    def discriminator_terms(self, batch, drawn, real, fake):
        del batch, real
        return self._information(drawn, fake)

    def generator_terms(self, batch, drawn, fake):
        del batch
        return self._information(drawn, fake)


def _codes(outputs):
    return as_numbers(outputs["codes"])
