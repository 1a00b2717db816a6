"""The weights of the FID's InceptionV3: downloaded, checked and loaded into the graph."""

import hashlib
import os
import pathlib

import numpy as np
from keras import layers

from ganzoo.extractors import torch_pickle
from ganzoo.extractors.inception_network import CLASSES
from ganzoo.files import downloads

URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
VARIABLE = "GANZOO_INCEPTION"


def load(weights, sha256):
    """The state dict in a weights file, and the file's hash."""
    path = weights or os.environ.get(VARIABLE)
    if not path:
        name = URL.rpartition("/")[2]
        path = downloads.fetch(
            URL,
            SHA256,
            name,
            f", or set the environment variable {VARIABLE} to its path. Without it, choose another "
            "extractor, such as 'efficientnet-lite0'",
        )
    path = pathlib.Path(path).expanduser()
    if path.stat().st_size > torch_pickle.LIMIT:
        raise ValueError(f"{str(path)!r} is too large for the weights of InceptionV3.")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise ValueError(
            f"{str(path)!r} is not the expected file of weights: its SHA-256 is {digest}, not "
            f"{sha256}. Get it from {URL}, or pass `sha256=None` to use it anyway; scores are then "
            "not comparable with published ones."
        )
    read = _read_safetensors if path.suffix == ".safetensors" else torch_pickle.read
    return read(content), digest


def _read_safetensors(content):
    from safetensors import numpy as safetensors

    try:
        return safetensors.load(content)
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"The weights are not a safetensors file, or they are damaged: {error}."
        ) from error


def slots(model):
    """The variable for each array of the published file.

    Returns:
        `{name: (shape in the file, variable or None, axes)}`: the array, transposed by `axes`, is
        the variable's value. `fc.bias` has no variable: the logits do not use it.
    """
    places = {"fc.bias": ((CLASSES,), None, (0,))}

    def put(name, variable, *axes):
        shape = tuple(variable.shape[axes.index(i)] for i in range(len(axes)))
        places[name] = (shape, variable, axes)

    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            put(f"{layer.name}.weight", layer.kernel, 2, 3, 1, 0)
        elif isinstance(layer, layers.Dense):
            put(f"{layer.name}.weight", layer.kernel, 1, 0)
        elif isinstance(layer, layers.BatchNormalization):
            put(f"{layer.name}.weight", layer.gamma, 0)
            put(f"{layer.name}.bias", layer.beta, 0)
            put(f"{layer.name}.running_mean", layer.moving_mean, 0)
            put(f"{layer.name}.running_var", layer.moving_variance, 0)
    return places


def assign(model, state):
    """Load the weights into the graph: all of them, or none if there is an error.

    Args:
        model: from `build`.
        state: `{name: float32 array}` with the names and shapes of the published file. PyTorch's
            counters `num_batches_tracked` may be among them.

    Raises:
        ValueError: a name is missing or unknown, or an array has another shape or dtype.
    """
    wanted = slots(model)
    counter = ".bn.num_batches_tracked"
    arrays = {
        name: np.asarray(array)
        for name, array in state.items()
        if not (name.endswith(counter) and f"{name.removesuffix(counter)}.bn.weight" in wanted)
    }
    missing, extra = sorted(wanted.keys() - arrays), sorted(arrays.keys() - wanted)
    if missing or extra:
        raise ValueError(
            f"These are not the weights of {CLASSES}-class InceptionV3: {len(missing)} names are "
            f"missing{_some(missing)}, {len(extra)} are unknown{_some(extra)}."
        )
    for name, (shape, _, _) in wanted.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ValueError(
                f"{name!r} must be float32 of shape {shape}. Received: {array.dtype} of shape "
                f"{array.shape}."
            )
    for name, (_, variable, axes) in wanted.items():
        if variable is not None:
            variable.assign(np.ascontiguousarray(arrays[name].transpose(axes)))


def _some(names):
    listed = ", ".join(repr(name)[:100] for name in names[:3])
    return f" ({listed}{', …' if len(names) > 3 else ''})" if names else ""
