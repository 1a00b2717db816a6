"""How each entry of the zoo is trained for its page in `docs/models`: data, CPU minutes, batch and
arguments that differ from `USUAL`.

`plain` is the textbook loop around DCGAN's networks in `peers.py`.
"""

USUAL = {"data": "fashion_mnist", "minutes": 3.0, "batch_size": 64, "arguments": {}}

QUICK = {"batch_size": 32, "arguments": {"learning_rate": 8e-4}}
"""DCGAN's networks learn several times as fast with this as with the paper's settings."""

BRIEF = {"ema_decay": 0.99}
"""An average over a hundred steps: in runs of a few thousand, earlier ones are outdated."""

NARROW_SNGAN = {
    "num_classes": 10,
    "channels": 32,
    "discriminator_steps": 2,
    "learning_rate": 4e-4,
}

LIGHT_R3GAN = {"architecture": "dcgan", "learning_rate": 8e-4}
"""A step of DCGAN's networks takes less time than one of residual networks."""

FEW_LABELS = {
    "architecture": "mlp",
    "feature_matching": True,
    "minibatch_discrimination": 0,
    "label_smoothing": 0.0,
    "virtual_batch_norm": 0,
    "supervised_weight": 2.0,
    "learning_rate": 3e-3,
    "epsilon": 1e-4,
    "ema_decay": 0.999,
}
"""The techniques and settings of `improved_gan`'s authors for few labels."""

OPENMOJI = {"channels": 16, "learning_rate": 4e-4, "flip": True, "ema_images": 20_000}
"""For pairs of 128×128 pixels on a CPU."""

SPOKEN = {
    "num_classes": 10,
    "channels": 16,
    "discriminator_steps": 2,
    "learning_rate": 4e-4,
    "ema_decay": 0.999,
}
"""For words of half a second at 8,000 Hz on two cores."""

RECIPES = {
    "plain": {},
    "vanilla": {},
    "dcgan": QUICK,
    "cgan": QUICK,
    "lsgan": QUICK,
    "dragan": QUICK,
    "acgan": QUICK,
    "infogan": {
        "batch_size": 32,
        "arguments": {
            "channels": 32,
            "dense_units": (256,),
            "continuous_weight": 0.1,
            "learning_rate": 8e-4,
        },
    },
    "improved_gan": QUICK,
    "wgan": {"batch_size": 32},
    "wgan_gp": {"batch_size": 32},
    "sngan": {
        "batch_size": 32,
        "arguments": {**NARROW_SNGAN, **BRIEF},
    },
    "sagan": {
        "batch_size": 32,
        "arguments": {
            "num_classes": 10,
            "channels": 32,
            "learning_rate": 3e-4,
            "discriminator_learning_rate": 1e-3,
            **BRIEF,
        },
    },
    "r3gan": {
        "batch_size": 32,
        "arguments": {**LIGHT_R3GAN, **BRIEF, "num_classes": 10},
    },
    "progan": {"batch_size": 32, "arguments": {"phase_steps": 100, **BRIEF}},
    "stylegan2": {"batch_size": 32, "arguments": BRIEF},
    "autoencoder": QUICK,
    "vae": QUICK,
    "vae_gan": QUICK,
    "aae": QUICK,
    "bigan": QUICK,
    "cogan": {"data": "mnist_edges", **QUICK},
    "pix2pix": {"data": "openmoji", "minutes": 8.0, "batch_size": 8, "arguments": OPENMOJI},
    "cyclegan": {"data": "apples_oranges", "minutes": 8.0, "batch_size": 4},
}

FOR_DATA = {
    ("r3gan", "stacked_mnist"): {"minutes": 10.0, "arguments": {**LIGHT_R3GAN, **BRIEF}},
    ("dcgan", "stacked_mnist"): {"minutes": 10.0},
}
"""Settings that differ for other data."""


def recipe(name, data=None):
    """The settings of an entry on its usual data, or on others."""
    usual = {**USUAL, **RECIPES[name]}
    return usual if data is None else {**usual, "data": data, **FOR_DATA.get((name, data), {})}


REMARKS = {
    "cyclegan": (
        "These few steps of the paper's wide networks make images worse than leaving them as they "
        "are: the training has only begun. The weights above are of narrower networks, and of "
        "more steps."
    ),
    "wgan": (
        "The paper's learning rate is small, and the critic moves five times for each move of the "
        "generator: in this time the training has only begun."
    ),
    "wgan_gp": (
        "The critic moves five times for each move of the generator, each with a second "
        "derivative, at the paper's learning rate: in this time the training has only begun."
    ),
    "sngan": (
        "The critic moves twice for each move of the generator; in this time it learns the labels "
        "only in part. After ten minutes on MNIST it has learned them."
    ),
    "sagan": "Its steps are slow on a CPU: after these few the training has only begun, and the "
    "labels are learned only in part.",
    "progan": "It grows for most of this time: at full size the training has only begun.",
    "stylegan2": "Its steps are slow on a CPU: after these few the training has only begun.",
    "bigan": "A step has more work than one of `dcgan`, so there are far fewer. Reconstructions "
    "show the same kind of image rather than the same image, as in the paper.",
    "r3gan": "With DCGAN's networks: steps of the residual ones take longer on a CPU, and after "
    "minutes their training has only begun. On Fashion-MNIST it is trained with labels, as `cgan` "
    "is and `dcgan` is not; on Stacked-MNIST without.",
    "infogan": "With ten categories, digits that look alike share some, and one digit may have "
    "several; which ones depends on the seed. The paper's one category for each digit is not "
    "reached; with twenty, most stand for one digit.",
    "vae": "Its samples come from the prior, which the codes of real images fill only in part; its "
    "reconstructions are much better than its samples.",
}
"""Remarks on the numbers of a page."""
