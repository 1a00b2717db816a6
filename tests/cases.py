"""One row per model of the zoo: tiny arguments, and the data it is tested on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """How `tests/models/test_conformance.py` makes a small model and feeds it."""

    config: dict
    labels: int | None = None
    """Classes of the labels that it needs, or None."""
    domains: bool = False
    """Whether its data are pictures of two kinds, `(images, targets)`."""
    still: tuple = ()
    """Ends of the paths of weights on which no loss depends."""
    without_noise: dict = dataclasses.field(default_factory=dict)
    """Arguments that switch off its random numbers beyond latents, such as dropout."""
    shapes: tuple = ((8, 8, 1), (12, 9, 3), (17, 8, 4))
    """Shapes that it must build for; the first one is used for everything else."""


CASES = {
    "aae": Case(
        {"hidden": (12,), "latent_dim": 3, "discriminator_units": (8,)},
        shapes=((8, 8, 1), (12, 9, 3), (17, 8, 4), (2,)),
    ),
    "acgan": Case({"num_classes": 3, "channels": 4, "latent_dim": 6}, labels=3),
    "autoencoder": Case({"channels": 4, "latent_dim": 6}),
    "bigan": Case({"channels": 4, "latent_dim": 6}),
    "cgan": Case({"num_classes": 3, "channels": 4, "latent_dim": 6}, labels=3),
    "cogan": Case({"channels": 4, "latent_dim": 6}, domains=True),
    "cyclegan": Case({"channels": 2, "blocks": 1}, domains=True),
    "dcgan": Case({"channels": 4, "latent_dim": 6}),
    "dragan": Case({"channels": 4, "latent_dim": 6}),
    "fastgan": Case(
        {"width": 1, "latent_dim": 6},
        # The noise in its layers cannot be switched off; slow learning keeps it from counting.
        without_noise={"augment": None, "reconstruction_weight": 0.0, "learning_rate": 1e-5},
    ),
    "improved_gan": Case(
        {
            "channels": 4,
            "latent_dim": 6,
            "classes": 3,
            "virtual_batch_norm": 4,
            "historical_averaging": 0.1,
        },
        labels=3,
    ),
    "infogan": Case(
        {
            "channels": 4,
            "latent_dim": 6,
            "categories": (3, 2),
            "dense_units": (16,),
            "code_units": (8,),
            "learning_rate": 1e-2,
        }
    ),
    "lsgan": Case({"channels": 4, "latent_dim": 6}),
    "pix2pix": Case(
        # Of the paper's weight, 100, float16 would skip the first steps.
        {"channels": 2, "distance_weight": 1.0},
        domains=True,
        without_noise={"dropout": 0.0},
    ),
    # At its first size nothing depends on layers of the second one. The penalty is taken at random
    # places, and with beta_1 = 0 Adam makes rounding errors as large as gradients.
    "progan": Case(
        {"phase_steps": 2, "channels": 4, "max_channels": 6, "latent_dim": 6},
        still=tuple(f"_1{x}/{y}" for x in ("", "a", "b") for y in ("kernel", "bias")),
    ),
    "projected_gan": Case(
        {"features": "random", "least_side": 32, "width": 1, "channels": 2, "latent_dim": 6},
        without_noise={"augment": None, "learning_rate": 1e-5},
        shapes=((8, 8, 1), (12, 9, 3), (17, 8, 1)),
    ),
    "r3gan": Case(
        {"channels": (8, 4), "group_width": 4, "latent_dim": 6},
        shapes=((8, 8, 1), (12, 9, 3), (17, 8, 4), (2,)),
    ),
    "sagan": Case({"channels": 4, "latent_dim": 6, "num_classes": 3}, labels=3),
    "sngan": Case({"channels": 8, "latent_dim": 6, "discriminator_steps": 2}),
    "srgan": Case(
        # No network for the content loss, which takes seconds to read.
        {"channels": 4, "blocks": 1, "content": "pixels", "pretraining_steps": 0},
        shapes=((8, 8, 1), (12, 10, 3), (18, 8, 4)),
    ),
    "stylegan2": Case(
        {
            "channels": 4,
            "max_channels": 6,
            "style_dim": 6,
            "latent_dim": 6,
            "mapping_layers": 2,
            "gamma_every": 2,
            "path_every": 2,
        },
        # The noise in its layers cannot be switched off; slow learning keeps it from counting.
        without_noise={"mixing": 0.0, "path_weight": 0.0, "learning_rate": 1e-5},
    ),
    "vae": Case({"channels": 4, "latent_dim": 6}),
    "vae_gan": Case({"channels": 4, "latent_dim": 6}),
    "vanilla": Case(
        {"generator_units": (8,), "discriminator_units": (6,), "pieces": 2, "latent_dim": 6},
        shapes=((8, 8, 1), (12, 9, 3), (17, 8, 4), (2,)),
        without_noise={"dropout": (0.0, 0.0)},
    ),
    # As for wgan and wgan_gp below. The shift of phases cannot be compared between devices.
    "wavegan": Case(
        {"sample_rate": 8000, "channels": 2, "latent_dim": 6, "discriminator_steps": 2},
        still=("logits/bias",),
        without_noise={"phase_shuffle": 0, "penalty_weight": 0.0, "learning_rate": 1e-5},
        shapes=((257, 1), (64, 1), (70, 2)),
    ),
    # What a critic adds to everything, real or not, changes nothing.
    "wgan": Case(
        {"channels": 4, "latent_dim": 6, "discriminator_steps": 2}, still=("logits/bias",)
    ),
    "wgan_gp": Case(
        {"channels": 4, "latent_dim": 6, "discriminator_steps": 2},
        still=("logits/bias",),
        # The penalty is taken at random places, which XLA draws in its own way, and with beta_1 = 0
        # Adam makes rounding errors as large as gradients.
        without_noise={"penalty_weight": 0.0, "learning_rate": 1e-5},
    ),
}
