"""How each entry of the zoo is trained for its page in `docs/models`: data, CPU minutes, batch,
arguments, where they are not the usual ones.

`plain` is the textbook loop around DCGAN's networks in `peers.py`.
"""

USUAL = {"data": "fashion_mnist", "minutes": 3.0, "batch_size": 64, "arguments": {}}

QUICK = {"batch_size": 32, "arguments": {"learning_rate": 8e-4}}
"""DCGAN's networks learn a few times as fast with this as with the paper's settings."""

BRIEF = {"ema_decay": 0.99}
"""An average over a hundred steps: of runs of a few thousand, those before are of another time."""

NARROW_SNGAN = {
    "num_classes": 10,
    "channels": 32,
    "discriminator_steps": 2,
    "learning_rate": 4e-4,
}

LIGHT_R3GAN = {"architecture": "dcgan", "learning_rate": 8e-4}
"""Steps of DCGAN's networks take less time than those of residual ones."""

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
"""The techniques and settings of `improved_gan`'s authors where labels are few."""

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
    "pix2pix": {"data": "noto_twemoji", "minutes": 8.0, "batch_size": 8},
    "cyclegan": {"data": "apples_oranges", "minutes": 8.0, "batch_size": 4},
}

FOR_DATA = {
    ("r3gan", "stacked_mnist"): {"minutes": 10.0, "arguments": {**LIGHT_R3GAN, **BRIEF}},
    ("dcgan", "stacked_mnist"): {"minutes": 10.0},
}
"""What is not the same for other data."""


def recipe(name, data=None):
    """How an entry is trained on its usual data, or on others."""
    found = {**USUAL, **RECIPES[name]}
    return found if data is None else {**found, "data": data, **FOR_DATA.get((name, data), {})}


REMARKS = {
    "wgan": (
        "The paper's learning rate is small, and the critic moves five times for each move of the "
        "generator: in so little time it has only begun."
    ),
    "wgan_gp": (
        "The critic moves five times for each move of the generator, each with a second "
        "derivative, at the paper's learning rate: in so little time it has only begun."
    ),
    "sngan": (
        "The critic moves twice for each move of the generator; in so little time the labels are "
        "only half learned. They are after ten minutes of MNIST."
    ),
    "sagan": "Its steps are long on a CPU: after so few of them it has only begun, and the labels "
    "are only half learned.",
    "progan": "It grows for most of this time: at full size it has only begun.",
    "stylegan2": "Its steps are long on a CPU: after so few of them it has only begun.",
    "bigan": "A step has more to do than one of `dcgan`, so there were far fewer. Reconstructions "
    "are of the same kind as the picture rather than of the picture, as in the paper.",
    "r3gan": "Played by DCGAN's networks: steps of the residual ones take longer on a CPU, and in "
    "minutes they have only begun. On Fashion-MNIST it was told the labels, as `cgan` is and "
    "`dcgan` is not; on Stacked-MNIST it was not.",
    "pix2pix": "The two drawings of an emoji show the same thing with other outlines. Of emoji "
    "that it has not seen it finds the colours, and shapes only roughly.",
    "infogan": "Of ten categories some are shared by digits that look alike, and others share one; "
    "which, depends on the seed. The paper's one for each digit has not been reached; of twenty "
    "most are of one digit.",
    "vae": "Its samples are of the prior, which the codes of real pictures fill only in part; its "
    "reconstructions are much better than its samples.",
}
"""What a reader of a page should know of its numbers."""
