"""PyTorch: networks, weights and samples. Training is for TensorFlow and JAX."""

import contextlib

import keras
import torch

from ganzoo.backend.one_process import apart as apart
from ganzoo.backend.one_process import first as first
from ganzoo.backend.one_process import gathered as gathered
from ganzoo.backend.one_process import join as join
from ganzoo.backend.one_process import leave as leave
from ganzoo.backend.one_process import led as led
from ganzoo.backend.one_process import processes as processes
from ganzoo.backend.one_process import together as together
from ganzoo.backend.unreplicated import average as average
from ganzoo.backend.unreplicated import drawn as drawn
from ganzoo.backend.unreplicated import own as own
from ganzoo.backend.unreplicated import replicas as replicas
from ganzoo.backend.unreplicated import whole as whole


class Trainer:
    """Raises an error: ganzoo does not train on PyTorch."""

    def fit(self, *args, **kwargs):
        raise NotImplementedError(
            "On PyTorch ganzoo loads weights and makes images; it trains on TensorFlow and JAX. "
            "Set KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax, save with `ganzoo publish`, and "
            "load the file here."
        )

    evaluate = fit
    devices = counting = 1
    everywhere = contextlib.nullcontext


def _of_training(*_):
    raise NotImplementedError("This is part of training, which ganzoo does not do on PyTorch.")


compiled = record = value_and_grad = input_gradient = apply = adam = approach = trace = _of_training


def batch_norm(*_):
    """Return None: Keras's own is as fast."""
    return None


conv = conv_transpose = grouped_conv = batch_norm
strided_conv = strided_conv_transpose = depthwise_conv = resize = batch_norm


def layer_norm(x, scale, offset, epsilon):
    """Normalise each example, then scale each channel."""
    axes = tuple(range(1, x.ndim))
    x = x - torch.mean(x, axes, keepdim=True)
    x = x * torch.rsqrt(torch.mean(x * x, axes, keepdim=True) + epsilon)
    return x * keras.ops.convert_to_tensor(scale) + keras.ops.convert_to_tensor(offset)


def instance_norm(x, scale, offset, epsilon):
    """Normalise each channel of each image, then scale it; statistics are in float32."""
    wide = x.float()
    wide = wide - torch.mean(wide, (1, 2), keepdim=True)
    wide = wide * torch.rsqrt(torch.mean(wide * wide, (1, 2), keepdim=True) + epsilon)
    return (wide * scale + offset).to(x.dtype)


def inference(network, jit_compile, finish):
    """`(*inputs) -> finish(network(inputs))`, on NumPy arrays."""
    del jit_compile  # compiling takes longer than most want to wait for samples

    def run(*inputs):
        inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
        with torch.no_grad():
            outputs = finish(network(inputs if len(inputs) > 1 else inputs[0], training=False))
        return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    return run


def best_precision():
    """bfloat16 on a GPU that computes in it, float16 on an older one, float32 on a CPU."""
    if not torch.cuda.is_available():
        return "float32"
    return "mixed_bfloat16" if torch.cuda.is_bf16_supported(False) else "mixed_float16"


def keep_compiled(folder):
    """Do nothing: PyTorch compiles nothing here."""
    del folder


def devices():
    """Names of the GPUs, or of the processor."""
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]


@contextlib.contextmanager
def spread(wanted):
    """A scope without effect: models do not train here."""
    del wanted
    yield contextlib.nullcontext


def accelerated():
    """Whether there is a GPU."""
    return torch.cuda.is_available()


def accelerator():
    """Name of the GPU."""
    return torch.cuda.get_device_name()
