"""How each entry of the zoo is trained for its page in `docs/models`: data, batch, arguments.

The data are Fashion-MNIST, the batch 64 and the arguments the model's own, where nothing is said.
`plain` is the textbook loop around DCGAN's networks in `peers.py`.
"""

QUICK = {"batch_size": 32, "arguments": {"learning_rate": 8e-4}}
"""DCGAN's networks learn a few times as fast with this as with the paper's settings."""

RECIPES = {
    "plain": {},
    "vanilla": {},
    "dcgan": QUICK,
    "cgan": QUICK,
    "lsgan": QUICK,
    "dragan": QUICK,
    "wgan": {"batch_size": 32},
    "wgan_gp": {"batch_size": 32},
    "sngan": {"batch_size": 32, "arguments": {"channels": 64}},
    "sagan": {"batch_size": 32, "arguments": {"channels": 64}},
}

REMARKS = {}
"""What a reader of a page should know of its numbers."""
