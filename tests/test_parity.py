"""TensorFlow and JAX train the same: 20 losses from the same weights and random numbers."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("parity.py")
# Those whose steps are made of different parts: batch and layer normalisation, labels, dropout,
# second derivatives, spectral normalisation, several moves, decoders. All train on both backends
# (`test_conformance.py`).
NAMES = ("wgan_gp",)
MORE = ("dcgan", "vanilla", "cgan", "sngan", "fastgan")


def losses(names, backend):
    """`{model: losses}`."""
    env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(
        [sys.executable, SCRIPT, *names], env=env, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("names", [NAMES, pytest.param(MORE, marks=pytest.mark.slow)], ids=" ".join)
def test_the_first_20_losses_agree_on_both_backends(names):
    for package in ("jax", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    ours, theirs = (losses(names, backend) for backend in ("tensorflow", "jax"))
    for name in names:
        check(np.array(ours[name]), np.array(theirs[name]))


def check(ours, theirs):
    assert ours.shape[0] == 20
    assert len(np.unique(ours)) == ours.size, "losses must move, or nothing is compared"
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
