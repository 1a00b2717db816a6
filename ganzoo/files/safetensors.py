"""The weights of a model as a safetensors file: numbers and names, no code.

A file holds, in half precision, the networks that a model uses outside training (the averaged ones
where there are any), the networks that they play against, so that `fit` can continue, and a few
numbers of the game itself, such as its step. Its metadata is JSON of the model's class and
arguments. The same file serves every backend; the same weights give the same file.
"""

import contextlib
import dataclasses
import json
import math
import pathlib
import re
import threading

import numpy as np

METADATA = "ganzoo"
"""The only key of the metadata: the order of several would differ from file to file."""
KINDS = {"F16": 2, "F32": 4, "I32": 4}
"""Types of tensors by the format's names, and their bytes."""
LARGEST_HEADER = 1 << 20
SPARE = 100_000_000
"""Untrained numbers that a model may have beyond those in its file, such as a history of images."""


def named(model):
    """The variables that make up a model's weights, by names that are the same in every process.

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=2, image_shape=(8, 8, 1))
    >>> sorted(name for name in named(model) if name.startswith("generator/conv2d_transpose/"))
    ['generator/conv2d_transpose/kernel']
    """
    variables = {f"game/{v.name}": v for v in model._trainable_variables}
    variables |= {f"game/{v.name}": v for v in model._non_trainable_variables}
    for key in _networks(model):
        variables |= _of_network(key, model.in_use(key))
    return variables


def _networks(model):
    """Names of the players' networks, in the players' order."""
    attributes = {**vars(model), **vars(model).get("_modules", {})}  # where PyTorch keeps them
    own = {id(value): key for key, value in attributes.items() if not key.startswith("_")}
    return list(dict.fromkeys(own[id(n)] for player in model.players for n in player.networks))


def _of_network(key, network):
    """A network's variables by layer, counted by kind: Keras's own names depend on the layers that
    were created before."""
    variables, counts = {}, {}
    for layer in network.layers:
        if not layer.weights:
            continue
        kind = _snake(type(layer).__name__)
        number = counts[kind] = counts.get(kind, -1) + 1
        place = f"{key}/{kind}_{number}" if number else f"{key}/{kind}"
        names = {}
        for variable in layer.weights:
            same = names[variable.name] = names.get(variable.name, -1) + 1
            end = f"{variable.name}_{same}" if same else variable.name
            variables[f"{place}/{end}"] = variable
    return variables


def _snake(name):
    """`conv2d_transpose` for `Conv2DTranspose`."""
    name = re.sub(r"(?<=.)([A-Z][a-z0-9]+)", r"_\1", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def values(model):
    """What `named` names, as NumPy arrays."""
    import keras

    return {name: keras.ops.convert_to_numpy(v) for name, v in named(model).items()}


def write(model, path, **metadata):
    """Write a model's weights.

    Args:
        model: a built `ganzoo.Game`.
        path: of the file, which is replaced if it exists.
        **metadata: plain data to put next to the model's name and arguments.
    """
    import keras
    from safetensors import numpy as safetensors

    tensors = {}
    for name, value in values(model).items():
        if value.dtype == np.float32:
            # Values beyond half precision, as a variance may have, stay float32.
            fits = np.abs(value).max(initial=0) < np.finfo("float16").max
            value = value.astype("float16") if fits else value
        tensors[name] = np.array(value, order="C")
    config = {k: v for k, v in model.get_config().items() if k not in ("name", "seed", "precision")}
    identity = {
        "model": keras.saving.get_registered_name(type(model)).partition(">")[2],
        "config": config,
    }
    content = safetensors.save(tensors, metadata={METADATA: json.dumps({**identity, **metadata})})
    pathlib.Path(path).write_bytes(content)


@dataclasses.dataclass(frozen=True)
class File:
    """The header of a safetensors file.

    Attributes:
        path: where it is.
        model: class of the model, such as `"DCGAN"`.
        config: the model's arguments.
        tensors: `{name: (kind, shape)}`, the kind as in `KINDS`.
        metadata: all that was written with the weights, these included.
    """

    path: str
    model: str
    config: dict
    tensors: dict
    metadata: dict

    @property
    def parameters(self):
        """Number of values that the file holds."""
        return sum(math.prod(shape) for _, shape in self.tensors.values())


def read_header(path):
    """Read the header of a file, checked against the file's length.

    Raises:
        ValueError: it is not such a file, or it is damaged.
    """
    import safetensors

    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= LARGEST_HEADER:
                raise ValueError("it does not begin with a header")
            header = _parse(file.read(length))
            rest = file.seek(0, 2) - 8 - length
        metadata = header.pop("__metadata__", {}).get(METADATA)
        if metadata is None:
            raise ValueError("it does not name a model of ganzoo")
        metadata = _parse(metadata)
        model, config = str(metadata["model"]), dict(metadata["config"])
        tensors, end = {}, 0
        for name, entry in sorted(header.items(), key=lambda x: x[1]["data_offsets"]):
            kind, shape = entry["dtype"], tuple(map(_size, entry["shape"]))
            begin, stop = map(_size, entry["data_offsets"])
            if kind not in KINDS:
                raise ValueError(f"{name!r} is of type {kind!r}, which weights never are")
            if (begin, stop) != (end, end + math.prod(shape) * KINDS[kind]):
                raise ValueError(f"{name!r} does not have the length it declares")
            tensors[name], end = (kind, shape), stop
        if end != rest:
            raise ValueError(f"it declares {end:,} bytes of tensors and has {rest:,}")
        with safetensors.safe_open(path, "numpy") as file:  # which has checks of its own
            if set(file.keys()) != set(tensors):
                raise ValueError("its names are not those of its header")
    except OSError:
        raise
    except Exception as error:  # a file may be wrong in any way
        reason = str(error) if type(error) is ValueError else type(error).__name__
        raise ValueError(
            f"{str(path)!r} does not hold weights of ganzoo, or it is damaged ({reason}). Get it "
            "again, or make such a file with `ganzoo publish`."
        ) from error
    return File(str(path), model, config, tensors, metadata)


def _parse(text):
    """Strict JSON: one value for a key, no NaN and no infinity."""

    def once(pairs):
        values = dict(pairs)
        if len(values) < len(pairs):
            raise ValueError("its header has a key twice")
        return values

    def never(name):
        raise ValueError(f"its header has {name} for a number")

    return json.loads(text, object_pairs_hook=once, parse_constant=never)


def _size(number):
    if type(number) is not int or not 0 <= number < 1 << 48:
        raise ValueError("its header has an invalid size")
    return number


_PATCHED = threading.RLock()
_UNCOUNTED = threading.local()


@contextlib.contextmanager
def uncounted():
    """Layers created inside do not count for `at_most`: their weights come from another file."""
    _UNCOUNTED.inside = True
    try:
        yield
    finally:
        _UNCOUNTED.inside = False


@contextlib.contextmanager
def at_most(parameters, arrays):
    """Raise a `ValueError` if layers created inside would have more than `parameters` weights or
    more than `arrays` arrays, before memory is allocated. Variables that are not trained may have
    `SPARE` more."""
    import keras

    layer, thread = keras.layers.Layer, threading.get_ident()
    weights, others, all_of_them = "weights", "numbers besides its weights", "arrays of weights"
    left = {weights: parameters, others: parameters + SPARE, all_of_them: arrays}

    def add_weight(self, shape=None, *args, **kwargs):
        what = weights if kwargs.get("trainable", True) else others
        counts = {what: math.prod(shape or ()), all_of_them: 1}
        counting = threading.get_ident() == thread and not getattr(_UNCOUNTED, "inside", False)
        for what, count in counts.items() if counting else ():
            left[what] -= count
            if left[what] < 0:
                raise ValueError(f"the model would have far more {what} than the file")
        return original(self, shape, *args, **kwargs)

    with _PATCHED:
        original = layer.add_weight
        layer.add_weight = add_weight
        try:
            yield
        finally:
            layer.add_weight = original


def absent(model, tensors):
    """The networks that only judge, such as a discriminator, of which tensors hold nothing: they
    are the weights of a generator alone."""
    there = {name.partition("/")[0] for name in tensors}
    return tuple(name for name in getattr(model, "judging", ()) if name not in there)


def _wanted(model, tensors):
    """The variables that tensors should have: without what `absent` names, and then without the
    numbers of the game too, which belong to its training."""
    without = absent(model, tensors)
    without = {*without, "game"} if without else without
    return {n: v for n, v in named(model).items() if n.partition("/")[0] not in without}


def compare(model, file):
    """Raise a `ValueError` unless a file's names, shapes and types are exactly the model's, except
    that networks that only judge may be absent as a whole."""
    wanted = _wanted(model, file.tensors)
    for names, there, what in (
        (wanted, file.tensors, "missing"),
        (file.tensors, named(model), "too many"),
    ):
        missing = [name for name in names if name not in there]
        if missing:
            more = f" and {len(missing) - 1} more are" if len(missing) > 1 else " is"
            raise ValueError(f"{missing[0]!r}{more} {what}")
    for name, variable in wanted.items():
        kind, shape = file.tensors[name]
        if shape != tuple(variable.shape):
            raise ValueError(f"{name!r} has shape {shape}, the model's {tuple(variable.shape)}")
        if (kind == "I32") != (str(variable.dtype) == "int32"):
            raise ValueError(f"{name!r} has type {kind}, the model's {variable.dtype}")


def read(file):
    """The tensors of a file, `{name: array}`.

    Args:
        file: what `read_header` returned.

    Raises:
        ValueError: a number is NaN, infinite or a negative count.
    """
    import safetensors

    with safetensors.safe_open(file.path, "numpy") as tensors:
        values = {name: tensors.get_tensor(name) for name in file.tensors}
    for name, value in values.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{name!r} holds NaN or infinity")
        if value.dtype == np.int32 and value.min(initial=0) < 0:
            raise ValueError(f"{name!r} holds a negative count")
    return values


def assign(model, tensors):
    """Give a model the tensors that match by name and shape.

    Args:
        model: a built `ganzoo.Game`.
        tensors: `{name: array}`, by the names that `named` gives.

    Returns:
        Names of the model's variables that kept their values, but not those of networks that are
        `absent`.

    Raises:
        ValueError: fewer than half match.
    """
    wanted = _wanted(model, tensors)
    fitting = {
        name: np.asarray(tensors[name]).astype(str(variable.dtype))
        for name, variable in wanted.items()
        if name in tensors and np.shape(tensors[name]) == tuple(variable.shape)
    }
    if 2 * len(fitting) < len(wanted):
        raise ValueError(f"only {len(fitting)} of {len(wanted)} arrays match")
    averages = {}
    for key in _networks(model):
        if model.in_use(key) is not getattr(model, key):
            averages |= _of_network(key, getattr(model, key))
    for name, value in fitting.items():
        wanted[name].assign(value)
        if name in averages:  # the trained network continues from its average
            averages[name].assign(value)
    model._enter(int(model.step.numpy()))
    return [name for name in wanted if name not in fitting]
