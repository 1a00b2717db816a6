"""JAX: devices, and processes that train together.

Processes that train together run the same program in step. Each sees all devices, and computes on
its own. They must agree on every step that they take, and on every model that they make.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import warnings

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from ganzoo.backend.choosing import chosen

AGAIN = "Start all processes with the same command again: the run goes on from its last checkpoint."

BROKEN = ("ABORTED:", "CANCELLED:", "DEADLINE_EXCEEDED:", "INTERNAL:", "UNAVAILABLE:", "UNKNOWN:")
"""How errors of JAX begin that are due to a lost process."""

# Devices ------------------------------------------------------------------------------------------


def devices():
    """Names of the devices on which this process computes."""
    return [_name(device) for device in jax.local_devices()]


def _name(device):
    return f"{device.platform}:{device.id}"


@contextlib.contextmanager
def spread(wanted):
    """A scope in which models train on `wanted` devices of each process, a number or `"all"`.

    Yields a function that returns a scope to make the models in.

    Raises:
        ValueError: a process has fewer devices.
    """
    by_process = [[] for _ in range(processes())]
    for device in jax.devices():
        by_process[device.process_index].append(_name(device))
    counts = [len(own) for own in by_process]
    if len(set(counts)) > 1:
        raise ValueError(
            f"The processes have {', '.join(map(str, counts))} devices. Give all of them as many, "
            "for instance by CUDA_VISIBLE_DEVICES."
        )
    count = len(chosen(wanted, by_process[0]))
    names = [name for own in by_process for name in own[:count]]
    if len(names) == 1:
        yield contextlib.nullcontext
        return
    with keras.distribution.DataParallel(devices=names, auto_shard_dataset=False).scope():
        yield contextlib.nullcontext


@contextlib.contextmanager
def apart():
    """A scope in which new variables belong to this process alone, such as those that Keras makes
    when it writes a file; existing ones stay where they are."""
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


# Processes ----------------------------------------------------------------------------------------


def join():
    """Find the other processes of this training: by `KERAS_DISTRIBUTION_…` in the environment, or
    as JAX detects Slurm, Open MPI and clusters of TPUs.

    Raises:
        ValueError: the environment describes no processes.
        ConnectionError: the others cannot be reached.
    """
    # It would ignore SIGTERM, by which Slurm, Kubernetes and `kill` end a process.
    with contextlib.suppress(AttributeError):  # unknown to JAX 0.6
        jax.config.update("jax_enable_preemption_service", False)
    if os.name == "posix":
        _prepare_last_words()
    try:
        with _without_output(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "[\\s\\S]*Kubernetes environment detected")
            keras.distribution.initialize()
    except (ValueError, IndexError) as error:  # the latter for an address without a port
        raise ValueError(
            f"--cluster found no description of the other processes ({error}). Start this one by "
            "`srun` or `mpirun`, or set KERAS_DISTRIBUTION_JOB_ADDRESSES (host:port of process 0), "
            "KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID (from 0)."
        ) from None
    except RuntimeError as error:
        raise ConnectionError(
            f"The other processes cannot be reached ({_brief(error)}). Check that "
            "KERAS_DISTRIBUTION_JOB_ADDRESSES is the host and a free port of process 0, and that "
            "all processes start within five minutes."
        ) from None


@contextlib.contextmanager
def _without_output():
    """Hide what Gloo prints when it connects processes."""
    sys.stdout.flush()
    before, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)
        os.close(nowhere)


_last_words: list[subprocess.Popen] = []


def _prepare_last_words():
    """Have a message printed if this process is killed, or if JAX aborts it for a lost process:
    no Python runs then. A shell waits for a line, and for the end of its input without one."""
    told = 'trap "" INT TERM; read line || echo "$0" >&2'
    message = f"Error: This process was killed, or cannot reach another one. {AGAIN}"
    with contextlib.suppress(OSError):  # a machine without a shell
        _last_words.append(subprocess.Popen(["sh", "-c", told, message], stdin=subprocess.PIPE))
        atexit.register(_end_well)


def _end_well():
    while _last_words:
        _last_words.pop().communicate(b"\n")


def processes():
    """Number of processes that train together."""
    return jax.process_count()


def first():
    """Whether this is the process that writes files and talks to the user."""
    return jax.process_index() == 0


def led(decide):
    """What `decide` returns in the first process, which alone calls it; JSON can hold it.

    In a scope `apart`, and without `spread`, this process decides for itself.

    Raises:
        ConnectionError: in the other processes, if it raises an exception in the first one.
    """
    if processes() == 1 or keras.distribution.distribution() is None:
        return decide()
    answer, failure = {}, None
    if first():
        try:
            answer = {"value": decide()}
        except Exception as error:
            answer, failure = {"error": str(error)}, error
    answer = json.loads(_from_first(json.dumps(answer).encode()))
    if failure is not None:
        raise failure
    if "error" in answer:
        raise ConnectionError(f"The first process has ended: {answer['error']}")
    return answer["value"]


def _from_first(content):
    """The bytes of the first process, in all."""
    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    own = np.frombuffer(content, "uint8") if first() else np.zeros(size, "uint8")
    return bytes(multihost_utils.broadcast_one_to_all(own))


def gathered(number):
    """The whole numbers of all processes, which wait for each other here, in a list."""
    if processes() == 1:
        return [number]
    return multihost_utils.process_allgather(np.int32(number)).tolist()


@contextlib.contextmanager
def together():
    """A scope in which the loss of another process is a `ConnectionError` that names the fix."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        # Gloo's are a `ValueError`.
        if processes() == 1 or not str(error).startswith(BROKEN):
            raise
        raise ConnectionError(
            f"This process cannot go on with the others ({_brief(error)}). {AGAIN}"
        ) from error


def _brief(error):
    return str(error).strip().partition("\n")[0][:300]


def leave(code):
    """End this process with an exit code, without waiting for others that may never end."""
    if not jax.distributed.is_initialized():
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    _end_well()
    os._exit(code)
