"""For backends on which one process trains alone: TensorFlow and PyTorch."""

import contextlib
import sys


def processes():
    """One."""
    return 1


def first():
    """True."""
    return True


def led(decide):
    """What `decide` returns."""
    return decide()


def gathered(number):
    """The number of this process, in a list."""
    return [number]


apart = together = contextlib.nullcontext


def join():
    """Raise a `ValueError`: there are no others."""
    raise ValueError(
        "Several processes train together on JAX only: `fit` of Keras 3 does not work with "
        "TensorFlow's strategies for several machines. Set KERAS_BACKEND=jax "
        "(docs/several-devices.md), or leave out --cluster."
    )


leave = sys.exit
