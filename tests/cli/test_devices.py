"""`ganzoo train` on several devices and in several processes: the same run as on one device."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from ganzoo.files.run_folder import CheckpointFiles
from tests.helpers import ROOT
from tests.helpers import done
from tests.helpers import fails

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="once is enough"
)
# Before any TensorFlow runs: the processor plays two devices.
MIRRORED = """
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
# As if the processors of the processes differed, and the first one were best at float32.
COMMAND = """
import os
import sys

from ganzoo import cli
from ganzoo.game import precision

first = os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0") == "0"
choice = precision.Choice("float32" if first else "mixed_bfloat16", "A test says so.")
precision.best = lambda: choice
cli.main(sys.argv[1:])
"""
# What takes long on JAX, where it compiles many single operations.
NO_DOCTOR = """
from ganzoo.doctor import doctor

doctor.measurable = lambda model: False
"""
JAX = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "2"}
TWO = {**JAX, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}


WORDS = (
    *("train", "vanilla", "--batch-size", "256", "--checkpoint-seconds", "0", "--score-every", "2"),
    *("--set", "generator_units=[8]", "--set", "discriminator_units=[6]", "--set", "pieces=2"),
    *("--set", "latent_dim=6", "--set", "ema_decay=0.9"),
)
"""A command that trains a tiny model, except its epochs and folder."""


def started(words, program=COMMAND, **environment):
    """A process that runs `ganzoo` with these words."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    command = [sys.executable, "-c", program, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.Popen(command, env=environment, **options)


@contextlib.contextmanager
def beside(words, program, **environment):
    """A process that runs `ganzoo` while the test goes on, and ends with it."""
    with started(words, program, **environment) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(*processes, code=0):
    """What processes printed: `(output, errors)` of each, once all have ended with a code."""
    try:
        printed = [process.communicate(timeout=400) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [code] * len(processes), printed
    return printed


@contextlib.contextmanager
def cluster(words, program=COMMAND):
    """Two processes that train together on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    shared = {
        **JAX,
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                started(
                    [*words, "--cluster"], program, **shared, KERAS_DISTRIBUTION_PROCESS_ID=str(i)
                )
            )
            for i in range(2)
        ]
        try:
            yield processes
        finally:
            for process in processes:
                process.kill()


def rows(run):
    """The lines of a run's metrics without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines]


def assert_same(run, other):
    first, second = rows(run), rows(other)
    assert [row.keys() for row in first] == [row.keys() for row in second]
    for one, two in zip(first, second):
        for name, value in one.items():
            # A rounding error may move a colour to the next of 256, and scores with it.
            near = 1e-2 if "[" in name else 1e-4
            np.testing.assert_allclose(two[name], value, rtol=near, atol=near, err_msg=name)


@tensorflow_only
def test_two_devices_train_as_one_and_one_goes_on(tmp_path):
    two = [*WORDS, "--devices", "all", "--epochs", "2", "--out", tmp_path / "two"]
    with beside(two, MIRRORED + COMMAND) as process:
        done(*WORDS, "--epochs", "4", "--out", tmp_path / "one")
        ((told, _),) = ended(process)
    assert "failed" not in told and "could not" not in told  # neither the doctor nor a score
    done(*WORDS, "--epochs", "4", "--out", tmp_path / "two")
    assert_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--devices", "3"], "`devices` (--devices) is 3, and there is 1 device: "),
        (["--devices", "none"], "--devices takes a number, or all. Received: 'none'."),
    ],
)
def test_devices_that_are_not_there(tmp_path, option, message):
    assert message in fails(*WORDS, *option, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@tensorflow_only
def test_tensorflow_trains_in_one_process(tmp_path):
    message = fails(*WORDS, "--cluster", "--out", tmp_path / "run")
    assert "on JAX only" in message and "KERAS_BACKEND=jax" in message


@pytest.mark.slow
@tensorflow_only
def test_two_processes_train_as_one(tmp_path):
    pytest.importorskip("jax")
    words = [*WORDS, "--epochs", "2", "--score-every", "0", "--out"]
    program = NO_DOCTOR + COMMAND
    with beside([*words, tmp_path / "one"], program, **JAX) as alone:
        with cluster([*words, tmp_path / "two"], program) as processes:
            (told, _), (silent, errors) = ended(*processes)
        ended(alone)
    assert "Epoch 2/2" in told and "could not" not in told
    assert silent == ""
    assert not [line for line in errors.splitlines() if line.startswith(("Error", "Warning"))]
    assert_same(tmp_path / "one", tmp_path / "two")
    names = lambda run: sorted(str(path.relative_to(run)) for path in run.rglob("*"))
    assert names(tmp_path / "two") == names(tmp_path / "one")
    assert (tmp_path / "two/report.html").exists()
    with cluster([*words, tmp_path / "two", "--seed", "1"]) as processes:
        for _, errors in ended(*processes, code=1):  # the first one alone looks at the folder
            assert "holds a run with other settings: seed was 0, not 1" in errors


@pytest.mark.slow
@tensorflow_only
def test_on_jax_two_devices_train_as_one(tmp_path):
    pytest.importorskip("jax")
    words = [*WORDS, "--epochs", "2", "--out"]
    ((told, _),) = ended(started([*words, tmp_path / "two", "--devices", "2"], **TWO))
    ended(started([*words, tmp_path / "one"], **JAX))
    assert "failed" not in told and "could not" not in told  # neither the doctor nor a score
    assert_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
@tensorflow_only
def test_a_lost_process_ends_the_others_and_the_run_goes_on(tmp_path):
    pytest.importorskip("jax")
    run = tmp_path / "run"
    checkpoints = CheckpointFiles(run / "checkpoints")
    for lost, program in ((1, COMMAND), (0, NO_DOCTOR + COMMAND)):
        before = checkpoints.newest
        with cluster([*WORDS, "--epochs", "10000", "--out", run], program) as processes:
            patience = time.monotonic() + 400
            while checkpoints.newest < before + 2:
                assert all(process.poll() is None for process in processes)
                assert time.monotonic() < patience, "no process fails, and none goes on"
                time.sleep(0.05)
            processes[lost].kill()
            ((told, errors),) = ended(processes[1 - lost], code=1)
        assert "failed" not in told and "could not" not in told  # neither the doctor nor a score
        assert "Start all processes with the same command again" in errors
    more = [*WORDS, "--epochs", checkpoints.newest + 2, "--out"]
    ended(started([*more, run], NO_DOCTOR + COMMAND, **JAX))
    ended(started([*more, tmp_path / "whole"], NO_DOCTOR + COMMAND, **JAX))
    assert_same(tmp_path / "whole", run)
