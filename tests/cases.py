"""One row per model of the zoo: tiny arguments, and the data it is tested on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """How `tests/test_conformance.py` makes a small model and feeds it."""

    config: dict
    labels: int | None = None
    """Classes of the labels that it needs, or None."""
    shapes: tuple = ((8, 8, 1), (12, 9, 3), (17, 8, 4))
    """Shapes that it must build for; the first one is used for everything else."""


CASES = {
    "cgan": Case({"num_classes": 3, "channels": 4, "latent_dim": 6}, labels=3),
    "dcgan": Case({"channels": 4, "latent_dim": 6}),
    "vanilla": Case(
        {"generator_units": (8,), "discriminator_units": (6,), "pieces": 2, "latent_dim": 6},
        shapes=((8, 8, 1), (12, 9, 3), (17, 8, 4), (2,)),
    ),
}
