"""TensorFlow: devices, and the replicas that share a batch."""

import contextlib
import functools

import tensorflow as tf

from ganzoo.backend.choosing import chosen


def devices():
    """Names of the GPUs, or of the processor's devices if there is no GPU."""
    kind = "GPU" if accelerated() else "CPU"
    return [f"{kind}:{i}" for i in range(len(tf.config.list_logical_devices(kind)))]


@contextlib.contextmanager
def spread(wanted):
    """A scope in which models train on `wanted` devices, a number or `"all"`.

    Yields a function that returns a scope to make the models in.

    Raises:
        ValueError: there are fewer devices.
    """
    names = chosen(wanted, devices())
    yield _strategy(tuple(names)).scope if len(names) > 1 else contextlib.nullcontext


@functools.cache  # because several in a process confuse each other's messages
def _strategy(names):
    return tf.distribute.MirroredStrategy(names)


def replicas():
    """Number of replicas that play the current step together."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def own(x):
    """This replica's rows of `x`, which holds all examples of the batch."""
    if replicas() == 1:
        return x
    parts = tf.reshape(x, (replicas(), -1, *x.shape[1:]))
    size = None if x.shape[0] is None else x.shape[0] // replicas()
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.ensure_shape(parts[replica], (size, *x.shape[1:]))


def drawn(draw, shape, **options):
    """Random numbers `draw(shape, **options)`, where `shape` begins with this replica's examples.

    Every replica draws the numbers of the full batch and takes its own, so that together they have
    those of a single device.
    """
    count, *rest = shape
    return own(draw((replicas() * count, *rest), **options))


def average(x):
    """The mean over replicas of a mean over examples; differentiable."""
    if replicas() == 1:
        return x
    return tf.distribute.get_replica_context().all_reduce("MEAN", tf.convert_to_tensor(x))


def whole(x):
    """`x` gathered from all replicas along the first axis; differentiable.

    Not inside `ops.cond`: replicas cannot wait for each other there.
    """
    if replicas() == 1:
        return x
    size = None if x.shape[0] is None else x.shape[0] * replicas()
    gathered = tf.distribute.get_replica_context().all_gather(tf.convert_to_tensor(x), axis=0)
    return tf.ensure_shape(gathered, (size, *x.shape[1:]))


def best_precision():
    """bfloat16 on a GPU that computes in it, float16 on an older one; None: there is only a CPU."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    capability = tf.config.experimental.get_device_details(gpus[0]).get(
        "compute_capability", (0, 0)
    )
    return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16"


def accelerated():
    """Whether there is a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def accelerator():
    """Name of the GPU."""
    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu)["device_name"]
