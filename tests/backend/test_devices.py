"""More than one device: the same training as by one with the whole batch."""

import contextlib
import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

import ganzoo
from tests import cases
from tests.helpers import ROOT

START = """
import contextlib
import json
import sys

import keras
import numpy as np

from tests import cases

asked = json.loads(sys.argv[1])
place = contextlib.nullcontext
found = {}
"""
TRAIN = """
import ganzoo
from tests.backend import test_devices

found["losses"] = {name: test_devices.losses(name, place) for name in asked["models"]}
if asked.get("also"):
    exec(asked["also"])
print(json.dumps(found))
"""
# Before any TensorFlow runs: the processor plays two devices.
MIRRORED = """
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
each = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [each] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
place = strategy.scope
"""
SPREAD = """
devices = keras.distribution.list_devices("cpu")
assert len(devices) == 2
keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
"""
PROCESSES = """
keras.distribution.initialize(asked["address"], 2, asked["process"])
keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
"""
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="once is enough"
)
# A few of every kind: dropout; batch normalisation; two moves of the critic and second derivatives;
# an averaged generator; pictures kept from earlier batches; labels, few of them known; codes.
MODELS = ("vanilla", "dcgan", "wgan_gp", "r3gan", "cyclegan", "improved_gan", "vae")

# Adam hardly heeds how large gradients are; a norm that they exceed.
OPTIMIZERS = {
    "vanilla": lambda: keras.optimizers.SGD(0.1),
    "vae": lambda: keras.optimizers.SGD(1e-2, clipnorm=0.1),
}

ARGUMENTS = {
    # Dividing by the deviation of 2×2 numbers makes rounding errors grow from step to step.
    "cyclegan": {"learning_rate": 1e-5},
    # What counts images, and what draws random numbers for real ones.
    "r3gan": {
        "augment": "ada",
        "augment_images": 100,
        "augment_target": -0.9,
        "ema_images": 100,
        "flip": True,
        "schedule_images": 200,
    },
}


def losses(name, place):
    """What two epochs of a small model log, and its evaluation."""
    case = cases.CASES[name]
    x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype="uint8")
    y = None if case.labels is None else (np.arange(64) % case.labels).astype("int32")
    x = (x, 255 - x) if case.domains else x
    with place():
        config = {**case.config, **ARGUMENTS.get(name, {})}
        model = ganzoo.get(name, seed=0, precision="float32", **config)
        if name in OPTIMIZERS:
            model.compile(OPTIMIZERS[name]())
    found = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    held_out = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    return {**found, **{f"evaluate {key}": [float(value)] for key, value in held_out.items()}}


def started(program, asked, **environment):
    """A process that runs a program, which finds the tests and what is asked of it."""
    command = [sys.executable, "-c", START + program + TRAIN, json.dumps(asked)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    return subprocess.Popen(command, env=environment, **options)


def said(process):
    out, error = process.communicate(timeout=900)
    assert process.returncode == 0, error
    return json.loads(out.splitlines()[-1])


def assert_same(one, several):
    assert one.keys() == several.keys()
    for name in one:
        assert one[name].keys() == several[name].keys()
        for key, values in one[name].items():
            # Sums in another order, over eight steps; and means of logits, which may be near 0.
            near = {"rtol": 1e-4, "atol": 0 if key.endswith("loss") else 1e-5}
            np.testing.assert_allclose(several[name][key], values, err_msg=f"{name} {key}", **near)


# TensorFlow -----------------------------------------------------------------------------------

REFUSED = """
errors = found["errors"] = []
def refused(act):
    try:
        act()
    except ValueError as error:
        errors.append(str(error))

with place():
    model = ganzoo.get("vanilla", seed=0, **cases.CASES["vanilla"].config)
images = np.zeros((30, 8, 8, 1), "uint8")
refused(lambda: model.fit(images, batch_size=15, verbose=0))
refused(lambda: model.evaluate(images, batch_size=15, verbose=0))
refused(lambda: model.compile(jit_compile=True))
refused(lambda: model.compile(steps_per_execution=2))
refused(lambda: model.compile("adam"))
with tf.distribute.MultiWorkerMirroredStrategy().scope():
    refused(lambda: ganzoo.get("vanilla"))

latents = strategy.experimental_local_results(strategy.run(lambda: model.sample_latents(4)))
found["latents"] = [x.numpy().tolist() for x in latents]
"""


@tensorflow_only
def test_two_replicas_train_as_one_device_does():
    asked = {"models": ["vanilla"], "also": REFUSED}
    process = started(MIRRORED, asked)
    one = {"vanilla": losses("vanilla", contextlib.nullcontext)}
    alone = ganzoo.get("vanilla", seed=0, **cases.CASES["vanilla"].config)
    latents = keras.ops.convert_to_numpy(alone.sample_latents(8))
    two = said(process)
    assert_same(one, two["losses"])
    first, second = map(np.array, two["latents"])
    assert not np.any(first == second)  # each has its own
    np.testing.assert_array_equal(np.concatenate([first, second]), latents)
    odd, odd_too, compiled, at_once, elsewhere, several = two["errors"]
    assert odd == odd_too
    assert odd == "Batches of 15 cannot be spread over 2 devices: take batches of 14 or 16."
    assert "XLA" in compiled and "one step at a time" in at_once and "scope" in elsewhere
    assert several.startswith("ganzoo does not train under MultiWorkerMirroredStrategy: `fit` of")
    assert "JAX with `keras.distribution`" in several


STATE = """
import tempfile

images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), dtype="uint8")
with place():
    model = ganzoo.get("dcgan", seed=0, channels=4, precision="mixed_float16")
model.fit(images, batch_size=16, epochs=2, verbose=0)
with place():  # which learns means of its own, and now and then only
    style = ganzoo.get("stylegan2", seed=0, **cases.CASES["stylegan2"].config)
style.fit(images, batch_size=16, epochs=1, verbose=0)
for one in (model, style):
    for variable in [*one.variables, *one.optimizer.variables]:
        first, second = strategy.experimental_local_results(variable.value)
        assert (first.numpy() == second.numpy()).all(), variable.path
with tempfile.TemporaryDirectory() as folder:
    model.save(f"{folder}/model.keras")
    with place():
        again = keras.saving.load_model(f"{folder}/model.keras")
    alone = keras.saving.load_model(f"{folder}/model.keras")
found["pictures"] = [m.generate(4, seed=0).tolist() for m in (model, again, alone)]
further = [m.fit(images, batch_size=16, verbose=0).history for m in (model, again)]
found["further"] = further
"""


@pytest.mark.slow
@tensorflow_only
def test_many_models_train_by_two_replicas_as_by_one_device():
    alone = said(started("", {"models": MODELS}))
    both = said(started(MIRRORED, {"models": MODELS, "also": STATE}))
    assert_same(alone["losses"], both["losses"])
    first, *others = both["pictures"]
    assert all(pictures == first for pictures in others)
    went_on, loaded = both["further"]
    assert went_on == loaded


# JAX ------------------------------------------------------------------------------------------


@pytest.mark.slow
@tensorflow_only
def test_on_jax_two_devices_train_as_one_does():
    pytest.importorskip("jax")
    odd = """
with place():
    model = ganzoo.get("vanilla", seed=0, **cases.CASES["vanilla"].config)
model.setup((8, 8, 1))
found["after"] = model.generate(3, seed=0).shape  # which can be spread by nobody
try:
    model.fit(np.zeros((66, 8, 8, 1), "uint8"), batch_size=33, verbose=0)
except ValueError as error:
    found["odd"] = str(error)
"""
    flags = "--xla_force_host_platform_device_count={}"
    asked = {"models": MODELS, "also": odd}
    jax = {"KERAS_BACKEND": "jax"}
    one = said(started("", asked, **jax, XLA_FLAGS=flags.format(1)))
    two = said(started(SPREAD, asked, **jax, XLA_FLAGS=flags.format(2)))
    assert_same(one["losses"], two["losses"])
    assert one["after"] == two["after"] == [3, 8, 8, 1]
    assert "odd" not in one
    assert two["odd"] == "Batches of 33 cannot be spread over 2 devices: take batches of 32 or 34."


SHARED = """
folder = asked["folder"]
data = ganzoo.datasets.load("digits")
model = ganzoo.get("dcgan", seed=0, channels=4)
found["losses"]["digits"] = model.fit(data, epochs=2, verbose=0).history
model.save(f"{folder}/model.keras")
model.save_weights(f"{folder}/model.weights.h5")
before = model.generate(4, seed=0)
if not asked.get("process"):
    model.generate(3)  # one process may, without the other
model.fit(data, epochs=1, verbose=0)  # which takes all: the file is written when it ends
model.load_weights(f"{folder}/model.weights.h5")
assert (model.generate(4, seed=0) == before).all()
found["pictures"] = before.tolist()
if "process" in asked:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        model.fit(data, verbose=0)
    except ValueError as error:
        found["sharded"] = str(error)
"""


@pytest.mark.slow
@tensorflow_only
def test_on_jax_two_processes_train_as_one_does(tmp_path):
    pytest.importorskip("jax")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
    folders = [tmp_path / name for name in ("alone", "together")]
    for folder in folders:
        folder.mkdir()
    asked = {"models": ["vanilla", "wgan_gp"], "also": SHARED}
    run = lambda program, **more: started(program, {**asked, **more}, KERAS_BACKEND="jax")
    together = {"address": address, "folder": str(folders[1])}
    both = [run(PROCESSES, process=i, **together) for i in range(2)]
    try:
        both = [said(process) for process in both]
    finally:
        for process in both:
            if isinstance(process, subprocess.Popen):
                process.kill()
    alone = said(run("", folder=str(folders[0])))
    for found in both:
        assert_same(alone["losses"], found["losses"])
        # A rounding error may move a colour to the next of 256.
        assert np.abs(np.subtract(found["pictures"], alone["pictures"])).max() <= 1
        assert "auto_shard_dataset=False" in found["sharded"]
    # What several processes wrote, one may read.
    assert ganzoo.get("dcgan")  # it is known
    kept = keras.saving.load_model(folders[1] / "model.keras")
    assert np.abs(kept.generate(4, seed=0) - np.array(alone["pictures"])).max() <= 1
