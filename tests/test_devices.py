"""More than one device: the same training."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
PROGRAM = """
import json
import sys

import keras
import numpy as np

import ganzoo

devices = keras.distribution.list_devices("cpu")
if len(devices) > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
found = {"devices": len(devices)}
images = np.random.default_rng(0).integers(0, 256, (192, 8, 8, 1), dtype="uint8")
for name, data in {"dcgan": ganzoo.datasets.load("digits"), "vanilla": images}.items():
    model = ganzoo.get(name, seed=0, **({"channels": 8} if name == "dcgan" else {}))
    history = model.fit(data, epochs=2, verbose=0).history
    pictures = model.generate(16, seed=0)
    found[name] = history, pictures.astype(int).ravel().tolist()
try:
    model.fit(images, batch_size=33, verbose=0)
except ValueError as error:
    found["odd"] = str(error)
found["after"] = model.generate(3, seed=0).shape  # which can be spread by nobody
print(json.dumps(found))
"""


def trained_on(devices):
    """Losses and pictures of trainings by so many devices that the processor plays."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
    command = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="once is enough")
def test_two_devices_train_as_one_does():
    pytest.importorskip("jax")
    one, two = trained_on(1), trained_on(2)
    assert (one.pop("devices"), two.pop("devices")) == (1, 2)
    assert one.pop("after") == two.pop("after") == [3, 8, 8, 1]
    odd = "Batches of 33 cannot be spread over 2 devices: take batches of 34."
    assert "odd" not in one and two.pop("odd") == odd
    for name in one:
        (losses, pictures), (others, again) = one[name], two[name]
        assert losses.keys() == others.keys()
        for key, values in losses.items():
            # Sums in another order, over two epochs of Adam.
            np.testing.assert_allclose(others[key], values, rtol=1e-4, atol=1e-5, err_msg=key)
        assert np.abs(np.subtract(pictures, again)).max() <= 1
