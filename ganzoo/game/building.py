"""The settings in force while the networks of a game are built."""

import contextlib
import random

import keras

from ganzoo import backend


@contextlib.contextmanager
def building(game):
    """Layers made inside have the game's precision, seeds and numbers, on all of its devices."""
    with (
        dtype_policy(game.dtype_policy),
        game.everywhere(),
        seeded(game.seed),
        game._numbering(),
        backend.channels_last(),
    ):
        yield


@contextlib.contextmanager
def dtype_policy(policy):
    """Set Keras's dtype policy inside."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def seeded(seed):
    """Layers made inside draw their seeds from `seed`, unless it is None; Python's generator is
    restored."""
    if seed is None:
        yield
        return
    state = random.getstate()
    random.seed(int(seed))
    try:
        yield
    finally:
        random.setstate(state)


def check_floatx():
    """Raise a `ValueError` if Keras makes numbers of another kind than games compute with."""
    if keras.config.floatx() != "float32":
        raise ValueError(
            f"Keras's `floatx` is {keras.config.floatx()!r} (by `keras.config.set_floatx` or "
            "keras.json). ganzoo computes in float32 or in mixed precision: call "
            "`keras.config.set_floatx('float32')`, and choose with `precision=`."
        )
