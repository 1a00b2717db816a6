"""Reads state dicts of PyTorch without PyTorch and without running code in the file.

Such a file is a pickle, which is a program, next to the raw numbers. Python's own unpickler is the
wrong tool even with its imports forbidden: a few bytes make it allocate gigabytes (a memo index)
or overflow the C stack (the hash of a deeply nested tuple). So the few instructions that a state
dict needs are interpreted here, and all others are refused.

Formats: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, both the zip
(torch 1.6 and later) and the one before it; instructions: Python's `pickletools`.
"""

import dataclasses
import io
import math
import pathlib
import pickletools
import zipfile

import numpy as np

from ganzoo.files import archives

LIMIT = 2**29
"""Most bytes of the file, of its unpacked content, and of all arrays."""

_STEPS = 10**6  # instructions of one pickle; a state dict needs about 50 for a tensor
_RANK = 32

# The pickled magic number and version, 1001, that start a file of the old format.
_OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03."
_ZIP = b"PK\x03\x04"


def read(source, limit=LIMIT):
    """Read the arrays in a file that `torch.save(module.state_dict(), path)` wrote.

    Args:
        source: path of the file, or its content as bytes.
        limit: most bytes of the file, of its unpacked content, and of all arrays.

    Returns:
        `{name: array}` in the file's order. The arrays are contiguous, own their memory, and have
        the dtype float16, float32, float64 or int64.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, too large, not such a file, or holds anything other than named
            tensors, above all code. Nothing in it is executed.

    Example:

    >>> state = read("pt_inception-2015-12-05-6726825d.pth")  # doctest: +SKIP
    >>> state["fc.weight"].shape  # doctest: +SKIP
    (1008, 2048)
    """
    if isinstance(source, bytes):
        what, size, content = "This file", len(source), source
    else:
        path = pathlib.Path(source).expanduser()
        what, size, content = repr(str(path)), path.stat().st_size, None
    if size > limit:
        raise ValueError(f"{what} has {size} bytes, more than the limit of {limit}.")
    content = path.read_bytes() if content is None else content
    try:
        if content.startswith(_ZIP):
            return _read_zip(content, limit)
        if content.startswith(_OLD):
            return _read_old(content, limit)
        raise ValueError("it begins like neither of PyTorch's formats")
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{what} is not a state dict of PyTorch that can be read safely, or it is damaged: "
            f"{error or type(error).__name__}. Get it again, or write it with "
            "`torch.save(module.state_dict(), path)`."
        ) from error


def _read_zip(content, limit):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpack = lambda name: archives.read(archive, name, limit)
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if sum(sizes.values()) > limit:
            raise ValueError(f"it unpacks to more than {limit} bytes")
        program = [name for name in sizes if name.rpartition("/")[2] == "data.pkl"]
        if len(program) != 1:
            raise ValueError(f"its zip has {len(program)} files data.pkl, not one")
        folder = program[0].removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in sizes and unpack(order) != b"little":
            raise ValueError("its numbers are not little-endian")
        tensors = _tensors(_run(io.BytesIO(unpack(program[0]))), limit)
        buffers = {key: unpack(f"{folder}data/{key}") for key in _storages(tensors)}
    return _arrays(tensors, buffers)


def _read_old(content, limit):
    file = io.BytesIO(content)
    file.seek(len(_OLD))
    if _run(file)["little_endian"] is not True:
        raise ValueError("its numbers are not little-endian")
    tensors = _tensors(_run(file), limit)
    storages = _storages(tensors)
    buffers = {}
    for key in _run(file):
        if not isinstance(key, str) or key not in storages:
            raise ValueError("it holds numbers that belong to no tensor")
        count = int.from_bytes(file.read(8), "little")
        if count != storages[key].count:
            raise ValueError("two places disagree on how many numbers it holds")
        buffers[key] = file.read(count * storages[key].dtype.itemsize)
    return _arrays(tensors, buffers)


@dataclasses.dataclass(frozen=True)
class _Storage:
    """`count` numbers in the file, of which `length` from `start` on are used."""

    key: str
    dtype: np.dtype
    count: int
    start: int = 0
    length: int | None = None

    @classmethod
    def of(cls, identity):
        kind, dtype, key, _location, count, *view = identity
        valid = kind == "storage" and isinstance(dtype, np.dtype) and isinstance(key, str)
        if not valid or len(view) > 1:
            raise ValueError("it refers to something other than a storage of numbers")
        if not view or view[0] is None:
            return cls(key, dtype, _size(count))
        _key, start, length = view[0]
        return cls(key, dtype, _size(count), _size(start), _size(length))


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A window on a storage; offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple

    @property
    def nbytes(self):
        return math.prod(self.shape) * self.storage.dtype.itemsize

    def array(self, content):
        storage = self.storage
        if len(content) != storage.count * storage.dtype.itemsize:
            raise ValueError("numbers are missing, or there are too many")
        length = storage.count if storage.length is None else storage.length
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        inside = not self.nbytes or last < length
        if storage.start + length > storage.count or not inside:
            raise ValueError("a tensor reaches beyond its numbers")
        if not self.nbytes:
            return np.empty(self.shape, storage.dtype)
        numbers = np.frombuffer(content, storage.dtype)[storage.start + self.offset :]
        strides = [s * storage.dtype.itemsize for s in self.strides]
        return np.lib.stride_tricks.as_strided(numbers, self.shape, strides).copy(order="C")


def _size(value):
    if type(value) is not int or value < 0:
        raise ValueError("a size or place is not a whole number of at least 0")
    return value


def _ordered(pairs=()):
    """An ordered dict: empty from Python 3, which fills it later; a list of pairs from Python 2."""
    return pairs if isinstance(pairs, list) else {}


def _tensor(storage, offset, shape, strides, _requires_grad, _hooks, _metadata=None):
    if not isinstance(storage, _Storage) or not len(shape) == len(strides) <= _RANK:
        raise ValueError("the description of a tensor is invalid")
    shape, strides = tuple(map(_size, shape)), tuple(map(_size, strides))
    return _Tensor(storage, _size(offset), shape, strides)


def _parameter(tensor, _requires_grad, _hooks):
    return tensor


_GLOBALS = {
    "collections OrderedDict": _ordered,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
    "torch DoubleStorage": np.dtype("<f8"),
    "torch FloatStorage": np.dtype("<f4"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch LongStorage": np.dtype("<i8"),
}


class _Stack(list):
    """What the instructions of a pickle work on: a stack with marks, and a memo."""

    def __init__(self):
        super().__init__()
        self.marks, self.memo = [], {}

    def take(self, count):
        """The last items, taken off."""
        return tuple(reversed([self.pop() for _ in range(count)]))

    def since_mark(self):
        """The items since the last mark, taken off."""
        start = self.marks.pop()
        items = self[start:]
        del self[start:]
        return items

    def extend_last(self, items):
        """Put items into the list on top."""
        self[-1].extend(items)

    def fill_last(self, items):
        """Put keys and values, which take turns in `items`, into the dict on top."""
        target = self[-1]
        if not isinstance(target, dict):
            raise ValueError("it sets items of something other than a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                raise ValueError("a key is not a text")
            target[key] = value

    def find(self, name):
        """Put one of `_GLOBALS` on top."""
        if name not in _GLOBALS:
            raise ValueError(f"it holds code ({name!r:.100}), which is refused")
        self.append(_GLOBALS[name])

    def call(self):
        """Put on top what the function there returns for the arguments after it."""
        function, arguments = self.take(2)
        self.append(function(*arguments))


_VALUES = "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE BINSTRING SHORT_BINSTRING".split()
_INSTRUCTIONS = {
    "PROTO": lambda stack, _: None,
    **dict.fromkeys(_VALUES, lambda stack, value: stack.append(value)),
    "NONE": lambda stack, _: stack.append(None),
    "NEWTRUE": lambda stack, _: stack.append(True),
    "NEWFALSE": lambda stack, _: stack.append(False),
    "EMPTY_DICT": lambda stack, _: stack.append({}),
    "EMPTY_LIST": lambda stack, _: stack.append([]),
    "EMPTY_TUPLE": lambda stack, _: stack.append(()),
    "TUPLE1": lambda stack, _: stack.append(stack.take(1)),
    "TUPLE2": lambda stack, _: stack.append(stack.take(2)),
    "TUPLE3": lambda stack, _: stack.append(stack.take(3)),
    "MARK": lambda stack, _: stack.marks.append(len(stack)),
    "TUPLE": lambda stack, _: stack.append(tuple(stack.since_mark())),
    "APPEND": lambda stack, _: stack.extend_last(stack.take(1)),
    "APPENDS": lambda stack, _: stack.extend_last(stack.since_mark()),
    "SETITEM": lambda stack, _: stack.fill_last(stack.take(2)),
    "SETITEMS": lambda stack, _: stack.fill_last(stack.since_mark()),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda s, key: s.memo.update({key: s[-1]})),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda s, key: s.append(s.memo[key])),
    "BINPERSID": lambda stack, _: stack.append(_Storage.of(stack.pop())),
    "GLOBAL": lambda stack, name: stack.find(name),
    "REDUCE": lambda stack, _: stack.call(),
    "BUILD": lambda stack, _: stack.pop(),  # attributes, such as versions of modules: not needed
}
"""What each instruction does with the stack and its own argument; all others are refused."""


def _run(file):
    """Interpret the pickle at the file's position, and leave the position behind it.

    Only the functions above are called. The result may be nested without end, so it must not be
    compared, hashed or printed before its type is known.
    """
    stack = _Stack()
    for step, (code, value, _) in enumerate(pickletools.genops(file)):
        if step == _STEPS:
            raise ValueError(f"it needs more than {_STEPS} instructions to read")
        if code.name == "STOP":
            return stack.pop()
        if code.name not in _INSTRUCTIONS:
            raise ValueError(f"it holds code (instruction {code.name}), which is refused")
        _INSTRUCTIONS[code.name](stack, value)


def _tensors(state, limit):
    """The state dict as `{name: _Tensor}`."""
    pairs = state.items() if isinstance(state, dict) else state
    if not isinstance(state, (dict, list)):
        raise ValueError(f"it holds a {_kind(state)}, not tensors by name")
    tensors = {}
    for name, tensor in pairs:
        if not isinstance(name, str):
            raise ValueError("the name of a tensor is not a text")
        if not isinstance(tensor, _Tensor):
            raise ValueError(
                f"it holds more than tensors by name: {name!r:.100} is of type {_kind(tensor)}"
            )
        tensors[name] = tensor
    if sum(tensor.nbytes for tensor in tensors.values()) > limit:
        raise ValueError(f"its tensors have more than {limit} bytes")
    return tensors


def _kind(value):
    return type(value).__name__.strip("_").lower()


def _storages(tensors):
    """The storages of all tensors, by key."""
    storages = {}
    for tensor in tensors.values():
        first = storages.setdefault(tensor.storage.key, tensor.storage)
        if (first.dtype, first.count) != (tensor.storage.dtype, tensor.storage.count):
            raise ValueError("two tensors disagree on the numbers that they share")
    return storages


def _arrays(tensors, buffers):
    missing = [name for name, tensor in tensors.items() if tensor.storage.key not in buffers]
    if missing:
        raise ValueError(f"the numbers of {missing[0]!r:.100} are missing")
    return {name: tensor.array(buffers[tensor.storage.key]) for name, tensor in tensors.items()}
