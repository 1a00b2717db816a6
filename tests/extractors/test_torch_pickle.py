"""State dicts of PyTorch: real ones are read exactly, all others refused without harm."""

import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest

from ganzoo.extractors import torch_pickle
from tests.fixtures import inception as fixtures

FOLDER = pathlib.Path(fixtures.__file__).parent
FORMATS = ("zip", "legacy")


def real(kind):
    return (FOLDER / f"torch_{kind}.pth").read_bytes()


def piece(value):
    """What pickle writes for a value, without start and end."""
    return pickle.dumps(value, 2)[2:-1]


def tensor(shape=(4,), strides=(1,), offset=0, count=4, key="0", dtype="Float", view=None):
    """The pickle of a tensor, as PyTorch writes it."""
    identity = b"(" + piece("storage") + f"ctorch\n{dtype}Storage\n".encode()
    identity += piece(key) + piece("cpu") + piece(count) + piece(view) + b"tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + identity
        + piece(offset)
        + piece(shape)
        + piece(strides)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


def old(program, numbers=(1.0, 2.0, 3.0, 4.0), little=True):
    """A file of the old format, with one storage."""
    data = np.array(numbers, "<f4").tobytes()
    return b"".join(
        [
            pickle.dumps(0x1950A86A20F9469CFC6C, 2),
            pickle.dumps(1001, 2),
            pickle.dumps({"little_endian": little}, 2),
            b"\x80\x02" + program + b".",
            pickle.dumps(["0"], 2),
            len(numbers).to_bytes(8, "little") + data,
        ]
    )


def new(program, numbers=(1.0, 2.0, 3.0, 4.0), order="little"):
    """A file of the new format, with one storage."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program + b".")
        archive.writestr("archive/byteorder", order)
        archive.writestr("archive/data/0", np.array(numbers, "<f4").tobytes())
    return file.getvalue()


def named(program):
    """A dict with one entry, `"w"`."""
    return b"}" + piece("w") + program + b"s"


WRITERS = pytest.mark.parametrize("write", [old, new], ids=["legacy", "zip"])


@pytest.mark.parametrize("kind", FORMATS)
def test_real_files_are_read_exactly(kind):
    expected = fixtures.small()
    state = torch_pickle.read(real(kind))
    assert list(state) == list(expected)
    for name, array in state.items():
        assert array.dtype == expected[name].dtype, name
        np.testing.assert_array_equal(array, expected[name])
        assert array.flags.owndata and array.flags.writeable and array.flags.c_contiguous
    from_path = torch_pickle.read(str(FOLDER / f"torch_{kind}.pth"))
    assert from_path.keys() == state.keys()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_file_is_refused(kind):
    content = real(kind)
    for end in range(len(content)):
        # A zip ends with its table of contents, the old format with its last number.
        with pytest.raises(ValueError, match="damaged"):
            torch_pickle.read(content[:end])


@pytest.mark.parametrize("kind", FORMATS)
def test_flipped_bytes_never_do_anything_else(kind, rng):
    content = np.frombuffer(real(kind), np.uint8)
    expected = fixtures.small()
    survived = 0
    for place in range(len(content)):
        flipped = content.copy()
        flipped[place] ^= 255 if place % 2 else 1 << rng.integers(8)
        try:
            state = torch_pickle.read(flipped.tobytes())
        except ValueError:
            continue
        survived += 1
        assert all(type(n) is str and type(a) is np.ndarray for n, a in state.items())
        if kind == "zip":  # whose checksums cover names and numbers
            for name, array in state.items():
                np.testing.assert_array_equal(array, expected[name])
    assert survived  # some bytes are padding


def test_garbage_is_refused(rng):
    starts = [b"", b"PK\x03\x04", real("legacy")[:20], real("legacy")[:33]]
    for i in range(400):
        content = starts[i % 4] + rng.bytes(int(rng.integers(200)))
        with pytest.raises(ValueError, match="cannot|damaged"):
            torch_pickle.read(content)


class Command:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@WRITERS
@pytest.mark.parametrize(
    "function", [os.system, eval, exec, getattr, __import__, pickle.loads, np.load]
)
def test_code_is_refused_and_not_run(write, function, tmp_path):
    target = tmp_path / "ran"
    command = f"touch {target}" if function is os.system else f"open({str(target)!r}, 'w')"
    for program in (piece(Command(function, command)), named(piece(Command(function, command)))):
        with pytest.raises(ValueError, match="holds code .* is refused"):
            torch_pickle.read(write(program))
    assert not target.exists()


@WRITERS
@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n" + piece("true") + b"\x85R",
        b"(" + piece("true") + b"ios\nsystem\n",
        b"(cos\nsystem\n" + piece("true") + b"o",
        b"\x8c\x02os\x8c\x06system\x93" + piece("true") + b"\x85R",
        b"ctorch\nload\n" + piece("x") + b"\x85R",
        b"ccollections\nOrderedDict\n)\x81",
        b"ccollections\nOrderedDict.fromkeys\n)R",
        b"\x82\x01",
    ],
    ids="reduce inst obj stack_global torch newobj dotted extension".split(),
)
def test_every_way_to_name_code_is_refused(write, program):
    with pytest.raises(ValueError, match="holds code .* is refused"):
        torch_pickle.read(write(program))


def test_newer_protocols_are_refused():
    with pytest.raises(ValueError, match="refused"):
        torch_pickle.read(old(pickle.dumps({"w": 1}, 4)[:-1]))


@WRITERS
def test_windows_on_the_numbers(write):
    def read(**window):
        return torch_pickle.read(write(named(tensor(**window))))["w"].tolist()

    assert read() == [1, 2, 3, 4]
    assert read(shape=(2, 2), strides=(1, 2)) == [[1, 3], [2, 4]]
    assert read(shape=(2,), strides=(2,), offset=1) == [2, 4]
    assert read(shape=(2, 3), strides=(0, 1), offset=1) == [[2, 3, 4]] * 2
    assert read(shape=(), strides=()) == 1
    assert read(shape=(0, 5), strides=(5, 1), offset=4) == []
    assert read(shape=(1,), strides=(99,), offset=3) == [4]
    assert read(shape=(2,), view=("1", 2, 2)) == [3, 4]


OUTSIDE = {
    "too long": {"shape": (5,)},
    "offset": {"offset": 1},
    "offset of nothing left": {"shape": (1,), "offset": 4},
    "stride": {"shape": (2,), "strides": (4,)},
    "negative offset": {"offset": -1},
    "negative stride": {"strides": (-1,), "offset": 3},
    "negative size": {"shape": (-1,)},
    "huge": {"shape": (2**62, 2**62), "strides": (1, 1)},
    "huge stride": {"shape": (2,), "strides": (2**70,)},
    "huge offset": {"offset": 2**70},
    "ranks differ": {"shape": (2, 2)},
    "no number": {"shape": (True,)},
    "no sequence": {"shape": 4},
    "other count": {"count": 3, "shape": (3,)},
    "larger count": {"count": 2**40},
    "other dtype": {"dtype": "Double"},
    "other key": {"key": "1"},
    "outside its view": {"shape": (3,), "view": ("1", 2, 2)},
    "view outside": {"shape": (1,), "view": ("1", 2, 3)},
    "negative view": {"shape": (1,), "view": ("1", -1, 3)},
    "many dimensions": {"shape": (1,) * 99, "strides": (1,) * 99},
}


@WRITERS
@pytest.mark.parametrize("what", OUTSIDE)
def test_nothing_outside_the_numbers_is_read(write, what):
    with pytest.raises(ValueError, match="damaged"):
        torch_pickle.read(write(named(tensor(**OUTSIDE[what]))))


@WRITERS
def test_sizes_are_limited(write):
    content = write(named(tensor(shape=(2**20, 2**20), strides=(0, 0))))
    with pytest.raises(ValueError, match="more than 536870912 bytes"):
        torch_pickle.read(content)
    entries = b"".join(piece(f"w{i}") + tensor(shape=(1000,), strides=(0,)) for i in range(50))
    content = write(b"}(" + entries + b"u")
    assert len(torch_pickle.read(content)) == 50
    with pytest.raises(ValueError, match="tensors have more than 199999 bytes"):
        torch_pickle.read(content, limit=199_999)
    with pytest.raises(ValueError, match="has .* bytes, more than the limit of 100"):
        torch_pickle.read(content, limit=100)


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + named(tensor()) + b".")
        archive.writestr("archive/data/0", bytes(2**20))
    with pytest.raises(ValueError, match="unpacks to more than 100000 bytes"):
        torch_pickle.read(file.getvalue(), limit=100_000)


@WRITERS
def test_attacks_on_memory_and_on_the_stack(write):
    # Python's unpickler makes a table of 2**32 entries of the first, and crashes at the second.
    state = torch_pickle.read(write(named(tensor() + b"r" + b"\xff" * 4)))
    assert state["w"].shape == (4,)
    nested = b")" + b"\x85" * 100_000
    for program in (nested, b"}" + nested + b"Ns", b"}" + piece("w") + nested + b"s"):
        with pytest.raises(ValueError, match="damaged"):
            torch_pickle.read(write(program))


def test_endless_programs_are_refused(monkeypatch):
    monkeypatch.setattr(torch_pickle, "_STEPS", 1000)
    assert torch_pickle.read(old(named(tensor())))
    with pytest.raises(ValueError, match="more than 1000 instructions"):
        torch_pickle.read(old(b"]" * 2000 + named(tensor())))


@WRITERS
@pytest.mark.parametrize(
    ("program", "message"),
    [
        (piece({"epoch": 3}), "'epoch' is of type int"),
        (named(named(tensor())), "'w' is of type dict"),
        (tensor(), "holds a tensor, not tensors by name"),
        (piece([1, 2]), "damaged"),
        (b"}K\x01" + tensor() + b"s", "a key is not a text"),
        (b"", "damaged"),
        (b"0", "damaged"),
        (b"(", "damaged"),
        (b"K\x01\x86", "damaged"),
        (piece("persistent") + b"Q", "damaged"),
    ],
)
def test_anything_but_named_tensors_is_refused(write, program, message):
    with pytest.raises(ValueError, match=message):
        torch_pickle.read(write(program))


@WRITERS
def test_pairs_as_python_2_wrote_them(write):
    pairs = b"]](U\x01w" + tensor() + b"ea"
    state = torch_pickle.read(write(b"ccollections\nOrderedDict\n" + pairs + b"\x85R"))
    assert state["w"].tolist() == [1, 2, 3, 4]


def test_big_endian_files_are_refused():
    for content in (old(named(tensor()), little=False), new(named(tensor()), order="big")):
        with pytest.raises(ValueError, match="not little-endian"):
            torch_pickle.read(content)


def test_a_file_that_is_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        torch_pickle.read(tmp_path / "absent.pth")
