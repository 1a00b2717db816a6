"""TensorFlow and JAX train the same: 20 losses from the same weights and latents."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.cases import CASES

SCRIPT = pathlib.Path(__file__).with_name("parity.py")


@pytest.fixture(scope="module")
def losses():
    """Losses by (model, backend)."""
    for package in ("jax", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    found = {}

    def run(name, backend):
        env = {**os.environ, "KERAS_BACKEND": backend}
        done = subprocess.run(
            [sys.executable, SCRIPT, name], env=env, capture_output=True, text=True, check=True
        )
        return np.array(json.loads(done.stdout.splitlines()[-1]))

    for name in CASES:
        for backend in ("tensorflow", "jax"):
            found[name, backend] = run(name, backend)
    return found


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_first_20_losses_agree(name, losses):
    ours, theirs = losses[name, "tensorflow"], losses[name, "jax"]
    assert ours.shape == (20, 2)
    assert len(np.unique(ours)) == 40, "losses must move, or nothing is compared"
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
