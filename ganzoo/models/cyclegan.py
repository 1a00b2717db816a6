"""CycleGAN: translates images both ways, trained without pairs."""

from typing import Any

from ganzoo import layers
from ganzoo import types
from ganzoo import validation
from ganzoo.families.image_to_image import difference
from ganzoo.families.translation import Translator
from ganzoo.game.registry import register
from ganzoo.losses import Objective
from ganzoo.networks import patch
from ganzoo.networks import translators


@register
class CycleGAN(Translator):
    """CycleGAN (Zhu, Park, Isola, Efros, 2017): a translation G of images a into the domain of b,
    and a translation F back; there and back again must lead to where it began.

        min_{D_B}  E_b[(D_B(b) − 1)²] + E_a[D_B(G(a))²]          and D_A likewise, with F(b)
        min_{G,F}  E_a[(D_B(G(a)) − 1)²] + λ E_a|F(G(a)) − a| + λ' E_b|G(b) − b|
                   + the same with a and b, G and F exchanged

    The last term, identity, keeps colours where nothing calls for others. The discriminators also
    see translations of some time ago. The domains are `fit(a, b)`, arrays of any two lengths, or
    `ganzoo.datasets.load_pair(a, b, paired=False)`; images need no partners.

    When to use:
        To translate images between two domains, such as apples and oranges, or photographs and
        paintings, without pairs. It changes colours and textures more readily than shapes. If you
        have pairs, use `pix2pix`.

    Args:
        cycle_weight: λ, at least 0.
        identity_weight: λ', at least 0.
        history_size: translations of each domain that are kept for the discriminators; 0: none.
        channels: width of the generators at full size, of the discriminators at half; it doubles
            with each halving.
        blocks: residual blocks; None: the paper's 9 for images from 256×256, 6 for smaller ones.
        patch_layers: n, how often the discriminators halve the image; their patches are
            9 · 2ⁿ − 2 high and wide: 16, 34, 70, 142, 286. None: 3, fewer below 32×32.
        **kwargs: see `ganzoo.GAN` (`learning_rate`, `augment`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `ema_decay`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> images = next(iter(ganzoo.datasets.load("digits", batch_size=200))).numpy()
    >>> model = ganzoo.get("cyclegan", channels=4, blocks=1, seed=0)
    >>> history = model.fit(images[:120], 255 - images[120:], epochs=1, verbose=0)
    >>> model.translate(images[:5]).shape, model.translate(images[:5], reverse=True).shape
    ((5, 8, 8, 1), (5, 8, 8, 1))

    Departures from the paper:
        * The convolutions that halve and double pad by the image's parity, not by one pixel on
          each side; those before instance normalisation have no bias, which it would take away.
        * Images that four does not divide are padded by reflection, and cut afterwards.
        * The learning rate is constant; the paper lets it fall to zero in the second half.
        * No mirroring and no random crops of the training images.

    References:
        * Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent
          Adversarial Networks. ICCV 2017. arXiv:1703.10593
        * The authors' code: github.com/junyanz/CycleGAN,
          github.com/junyanz/pytorch-CycleGAN-and-pix2pix
    """

    def __init__(
        self,
        *,
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        history_size: int = 50,
        channels: int = 64,
        blocks: int | None = None,
        patch_layers: int | None = None,
        objective: str | Objective = "least_squares",
        **kwargs: Any,
    ) -> None:
        super().__init__(objective=objective, **kwargs)
        self.cycle_weight = validation.real("cycle_weight", cycle_weight, least=0)
        self.identity_weight = validation.real("identity_weight", identity_weight, least=0)
        self.history_size = validation.integer("history_size", history_size, least=0)
        self.channels = validation.integer("channels", channels)
        self.blocks = validation.optional(validation.integer, "blocks", blocks)
        self.patch_layers = validation.optional(validation.integer, "patch_layers", patch_layers)

    def check_shape(self, shape):
        patch.check_patch_layers(self.patch_layers, *shape[:2])

    def build_generator(self):
        make = lambda name: translators.residual(self.image_shape, self.channels, self.blocks, name)
        return translators.both_ways(make("there"), make("back"))

    def build_discriminator(self):
        judge = lambda name: patch.patch_discriminator(
            self.image_shape, self.channels, self.patch_layers, name=name
        )
        return translators.each_its_own(judge("judge_images"), judge("judge_targets"))

    def build_before(self):
        self.kept = {key: layers.ImageHistory(self.history_size) for key in ("images", "targets")}
        for layer in self.kept.values():
            layer.build((None, *self.image_shape))

    def draw(self, batch):
        return {"fake": self.generator(_domains(batch), training=True)}

    def discriminator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        shown = {key: self.kept[key](images) for key, images in drawn["fake"].items()}
        real, fake = (self.look(images) for images in (_domains(batch), shown))
        return self.adversary.discriminator_loss(real, fake)

    def generator_loss(self, batch: types.Tensors, drawn: types.Tensors) -> types.Losses:
        fake = self.look(drawn["fake"])
        real = self.look(_domains(batch)) if self.adversary.sees_both else None
        return {
            **self.adversary.generator_loss(fake, real),
            **self.consistency(_domains(batch), drawn["fake"]),
        }, {}

    def consistency(self, real: types.Tensors, translated: types.Tensors) -> types.Tensors:
        """The terms `cycle` and `identity`."""
        # The objective of least squares is half of the paper's squares.
        half = 0.5 if self.objective == "least_squares" else 1.0
        cycle = difference(self.generator(translated, training=True), real)
        terms = {"cycle": half * self.cycle_weight * cycle}
        if self.identity_weight:
            swapped = {"targets": real["images"], "images": real["targets"]}
            same = difference(self.generator(swapped, training=True), real)
            terms["identity"] = half * self.identity_weight * same
        return terms

    def translator(self, reverse):
        return self.in_use("generator").get_layer("back" if reverse else "there")


def _domains(batch):
    return {"images": batch["examples"], "targets": batch["targets"]}
