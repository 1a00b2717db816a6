"""DCGAN: all-convolutional networks with batch normalisation."""

from ganzoo.families.dcgan_networks import ConvolutionalGAN
from ganzoo.game.registry import register


@register
class DCGAN(ConvolutionalGAN):
    """DCGAN (Radford, Metz, Chintala, 2015): the guidelines that made deep convolutional GANs
    train stably.

        min_D  E_x[−log D(x)] + E_z[−log(1 − D(G(z)))]
        min_G  E_z[−log D(G(z))]

    Strided convolutions in place of pooling; batch normalisation everywhere but in the
    generator's output and the discriminator's input layer; no hidden dense layers; ReLU and tanh
    in the generator, leaky ReLU (0.2) in the discriminator; weights from N(0, 0.02); Adam with
    learning rate 2e-4 and beta_1 0.5. Pictures of any size from 8×8, square or not.

    Args:
        channels: width of the layers at half resolution, at least 1; it doubles with every
            halving.
        discriminator_normalization: `"batch"`, as in the paper; `"layer"`, which couples no
            examples and so allows `update="one_stage"`; or None.
        ema_decay: decay of the averaged generator that `generate` uses, in [0, 1), or None to
            use the live one as the paper does.
        **kwargs: see `ganzoo.GAN` (`latent_dim`, `learning_rate`, `discriminator_steps`, …) and
            `ganzoo.Game` (`image_shape`, `precision`, `seed`, …).

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> model.generate(2, seed=0).shape
    (2, 8, 8, 1)

    Departures from the paper:
        * Latents are normal, not uniform.
        * Kernels are 4×4, as in the authors' Torch code; the paper's figure shows 5×5.
        * The depth follows the picture's size, and the width starts at 64, not 128.
        * Batch normalisation has an epsilon of 0.01: see `ganzoo/networks/dcgan.py`.
        * `generate` uses an averaged generator (decay 0.99); `ema_decay=None` turns it off.

    References:
        * Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional
          Generative Adversarial Networks. ICLR 2016. arXiv:1511.06434
        * The authors' code: github.com/Newmu/dcgan_code, github.com/soumith/dcgan.torch
    """
