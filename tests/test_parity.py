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
# second derivatives, spectral normalisation, several moves. All train on both backends
# (`test_conformance.py`).
NAMES = ("vanilla", "dcgan", "cgan", "wgan_gp", "sngan")


@pytest.fixture(scope="module")
def losses():
    """`{backend: {model: losses}}`."""
    for package in ("jax", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")

    def run(backend):
        env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(SCRIPT.parents[1])}
        done = subprocess.run(
            [sys.executable, SCRIPT, *NAMES], env=env, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    return {backend: run(backend) for backend in ("tensorflow", "jax")}


@pytest.mark.parametrize("name", NAMES)
def test_the_first_20_losses_agree(name, losses):
    ours, theirs = (np.array(losses[backend][name]) for backend in ("tensorflow", "jax"))
    assert ours.shape[0] == 20
    assert len(np.unique(ours)) == ours.size, "losses must move, or nothing is compared"
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
