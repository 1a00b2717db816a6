"""The only package that knows TensorFlow, JAX or PyTorch.

Everything above it is written once in `keras.ops`. What differs between backends is small:

| name             | what it does                                                              |
|------------------|---------------------------------------------------------------------------|
| `Trainer`        | mixin that gives Keras's `fit` the step it expects                        |
| `record`         | runs a function; also returns its `pullback(cotangents, variables)`       |
| `value_and_grad` | a loss, its gradients to variables and, optionally, to its inputs         |
| `input_gradient` | gradient to an input, itself differentiable (for gradient penalties)      |
| `apply`          | one optimizer step                                                        |
| `drawn`          | random numbers for the examples of a batch                                |
| `average`        | turns a mean over a replica's examples into one over the full batch       |
| `whole`, `own`   | all examples, gathered from the replicas; and a replica's part of them    |
| `replicas`       | number of replicas that share a batch                                     |
| `devices`        | names of the devices that this process can train on                       |
| `spread`         | a scope in which models train on several devices                          |
| `join`           | finds the other processes of a training                                   |
| `processes`      | number of processes that train together                                   |
| `first`          | whether this process is the one that writes files                         |
| `led`            | what a function returns in the first process, in all of them              |
| `gathered`       | the numbers of all processes, which wait for each other                   |
| `together`       | a scope in which a lost process is an error that names the fix            |
| `apart`          | a scope for work that no other process takes part in                      |
| `leave`          | ends this process without waiting for the others                          |
| `adam`           | Adam's update of one variable in one operation, where there is one        |
| `approach`       | moves a variable part of the way to a value                               |
| `batch_norm`     | batch normalisation in one operation, where there is one                  |
| `layer_norm`     | layer normalisation in few passes over memory, forward and back           |
| `instance_norm`  | instance normalisation, likewise                                          |
| `conv`           | convolutions (also `…_transpose`), where faster on a CPU                  |
| `grouped_conv`   | grouped convolutions, faster on a CPU                                     |
| `strided_conv`   | convolutions with strides (also `…_transpose`), faster on a CPU           |
| `depthwise_conv` | depthwise convolutions, faster on a CPU                                   |
| `resize`         | images of another size, with all derivatives, on a CPU                    |
| `inference`      | a network and a function of its outputs, compiled                         |
| `trace`          | runs a function on shapes alone, to learn what it returns                 |
| `keep_compiled`  | caches compiled steps for the next process, where that is possible        |
| `best_precision` | the precision of this GPU or TPU; None if there is only a processor       |
| `has_bfloat16_unit` | whether the processor has instructions for bfloat16                    |
| `compiled`       | a function of tensors, compiled                                           |
| `feed`           | full, checked batches for `fit`, of any kind of data                      |
| `one_batch`      | one such batch, for `train_on_batch`                                      |
| `channels_last`  | a scope in which layers take images with the channels at the end          |
| `stream`         | a source of examples as a data set                                        |
| `SideBySide`     | several sources as one                                                    |
| `speed`          | an estimate of the device's floating-point operations per second          |
| `accelerated`    | whether there is a GPU or TPU                                             |
| `device`         | name of the GPU, TPU or processor                                         |
| `is_uint8`       | whether a tensor holds raw images                                         |
| `versions`       | versions of Python and packages, for the record                           |
"""

import contextlib
import importlib.metadata
import os
import pathlib
import platform
import sys

import keras

from ganzoo import version
from ganzoo.backend.feeding import feed as feed
from ganzoo.backend.feeding import first_epoch as first_epoch
from ganzoo.backend.feeding import one_batch as one_batch
from ganzoo.backend.host_functions import host_errors as host_errors
from ganzoo.backend.host_functions import host_function as host_function
from ganzoo.backend.sources import ArraySource as ArraySource
from ganzoo.backend.sources import SideBySide as SideBySide
from ganzoo.backend.sources import stream as stream
from ganzoo.backend.sources import stream_tf_data as stream_tf_data

_BACKEND = keras.backend.backend()

if _BACKEND == "tensorflow":
    from ganzoo.backend import tensorflow as _impl
elif _BACKEND == "jax":
    from ganzoo.backend import jax as _impl  # type: ignore[no-redef]
elif _BACKEND == "torch":
    from ganzoo.backend import torch as _impl  # type: ignore[no-redef]
else:
    raise ImportError(
        "ganzoo runs on TensorFlow, JAX and, except for training, PyTorch, not on the Keras "
        f"backend {_BACKEND!r}. Set the environment variable KERAS_BACKEND to 'tensorflow' (the "
        "default), 'jax' or 'torch'."
    )

Trainer = _impl.Trainer
accelerated = _impl.accelerated
adam = _impl.adam
apart = _impl.apart
apply = _impl.apply
approach = _impl.approach
average = _impl.average
batch_norm = _impl.batch_norm
best_precision = _impl.best_precision
compiled = _impl.compiled
conv = _impl.conv
conv_transpose = _impl.conv_transpose
depthwise_conv = _impl.depthwise_conv
devices = _impl.devices
drawn = _impl.drawn
first = _impl.first
gathered = _impl.gathered
grouped_conv = _impl.grouped_conv
inference = _impl.inference
input_gradient = _impl.input_gradient
instance_norm = _impl.instance_norm
join = _impl.join
keep_compiled = _impl.keep_compiled
layer_norm = _impl.layer_norm
leave = _impl.leave
led = _impl.led
own = _impl.own
processes = _impl.processes
record = _impl.record
replicas = _impl.replicas
resize = _impl.resize
spread = _impl.spread
strided_conv = _impl.strided_conv
strided_conv_transpose = _impl.strided_conv_transpose
together = _impl.together
trace = _impl.trace
value_and_grad = _impl.value_and_grad
whole = _impl.whole


def speed():
    """A rough estimate of the floating-point operations per second of a training step."""
    return 2e13 if accelerated() else 5e10 * os.cpu_count()


def cores():
    """Number of processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count()


def device():
    """Name of the GPU or TPU, or of the processor with the number of cores in use."""
    if accelerated():
        return _impl.accelerator()
    name = _cpuinfo().get("model name") or platform.processor() or platform.machine()
    return f"{name}, {cores()} core" + "s" * (cores() != 1)


def _cpuinfo():
    """What Linux says of the first processor, by name; empty on other systems."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def has_bfloat16_unit():
    """Whether the processor has instructions for bfloat16, as far as the system says."""
    info = _cpuinfo()
    flags = f"{info.get('flags', '')} {info.get('Features', '')}".split()
    return not {"amx_bf16", "avx512_bf16", "bf16"}.isdisjoint(flags)


@contextlib.contextmanager
def channels_last():
    """A scope in which Keras's layers expect the channels last, whatever keras.json says."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def is_uint8(x):
    """Whether a tensor or array holds whole numbers from 0 to 255."""
    return keras.backend.standardize_dtype(x.dtype) == "uint8"


def versions(*packages):
    """Versions by name: of Python, ganzoo, Keras, the backend, NumPy and the packages given."""
    return {
        "python": platform.python_version(),
        "ganzoo": version.__version__,
        "keras": keras.__version__,
        "backend": _BACKEND,
        _BACKEND: sys.modules[_BACKEND].__version__,
        "numpy": importlib.metadata.version("numpy"),
        **{name: importlib.metadata.version(name) for name in packages},
    }
