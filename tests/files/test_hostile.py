"""Files that are broken or meant ill: taken, or refused by a message that names them; never run."""

import io
import json
import os
import pathlib
import socket
import struct
import sys
import textwrap
import zipfile
import zlib

import hypothesis
import keras
import numpy as np
import PIL.Image
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from PIL import GifImagePlugin
from PIL import TiffImagePlugin
from PIL import WebPImagePlugin

import ganzoo
from ganzoo import backend
from ganzoo import callbacks
from ganzoo import evaluation
from ganzoo import runs
from ganzoo.datasets import decoding
from ganzoo.datasets import load
from ganzoo.datasets import load_pair
from ganzoo.extractors import torch_pickle
from ganzoo.files import archives
from ganzoo.files import json_lines
from ganzoo.files import safetensors
from ganzoo.runs import report
from ganzoo.zoo import catalogue
from tests.helpers import ROOT

TOOLS = str(ROOT / "benchmarks" / "tools")

# The same examples each time, and none kept: a test that fails, fails again.
some = lambda examples: hypothesis.settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=examples,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def fuzz():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        import fuzz

        yield fuzz
        del sys.modules["fuzz"]


def first(ds):
    batch = next(iter(ds))
    return np.asarray(batch[0] if isinstance(batch, tuple) else batch)


def plain(value=0, kind="png", size=(8, 8), **options):
    """The bytes of a picture of one grey."""
    file = io.BytesIO()
    PIL.Image.fromarray(np.full(size, value, "uint8")).save(file, kind, **options)
    return file.getvalue()


def put(folder, **files):
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def png_of(width, height, *chunks, rows=None):
    """A PNG file of any size and any chunks, whose check sums are right."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * (height if rows is None else rows)))
    every = ((b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(x)) + kind + x + struct.pack(">I", zlib.crc32(kind + x))
        for kind, x in every
    )


def zip_of(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


# Pictures ---------------------------------------------------------------------------------------


def test_an_image_of_too_many_pixels_is_refused(tmp_path):
    wide = decoding.MOST_PIXELS // 8000 + 1
    for name, size in {"large": (wide, 8000), "larger": (20_000, 20_000)}.items():
        (tmp_path / name).mkdir()
        put(tmp_path / name, a__png=png_of(*size, rows=1))
        with pytest.raises(ValueError, match=r"a\.png' cannot be read as an image \(.*pixels"):
            load(tmp_path / name, batch_size=1, image_size=8)


def test_large_images_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MOST_PIXELS", 8 * 64)
    inside, most = [], []

    def look(*args):
        inside.append(1)
        most.append(len(inside))
        found = to_array(*args)
        inside.pop()
        return found

    to_array = decoding.to_array
    monkeypatch.setattr(decoding, "to_array", look)
    for i in range(12):
        put(tmp_path, **{f"{i}__png": plain(i, size=(20, 20))})
    assert len(list(load(tmp_path, batch_size=1))) == 12
    assert max(most) == 1


def test_a_batch_that_no_memory_holds_is_refused(tmp_path):
    put(tmp_path, a__png=png_of(6000, 6000, rows=1))
    with pytest.raises(ValueError, match=r"batch of 64 .* 2\.1 GiB, more than 2.*`image_size`"):
        load(tmp_path, batch_size=64)
    many = np.broadcast_to(np.zeros((1, 1, 1, 1), "uint8"), (100, 4000, 4000, 1))
    with pytest.raises(ValueError, match=r"batch of 100 .* GiB"):
        load_pair(many, many, paired=True, batch_size=100)


@pytest.mark.parametrize(
    "chunk",
    [
        (b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8))),
        (b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8))),
        (b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(10**8))),
    ],
    ids=["zTXt", "iCCP", "iTXt"],
)
def test_a_bomb_beside_the_pixels_is_refused(tmp_path, chunk, fuzz):
    content = png_of(8, 8, chunk)
    assert len(content) < 200_000
    outcome = fuzz.attempt(fuzz.image, "a.png", content)
    assert (outcome.what, outcome.mib < 50) == ("rejected", True)


@pytest.mark.parametrize("kind", ["gif", "tiff", "webp"])
def test_of_an_animation_the_first_frame_is_read(tmp_path, monkeypatch, kind):
    frames = [PIL.Image.fromarray(np.full((8, 8), i, "uint8")) for i in range(0, 200, 2)]
    more = {"lossless": True} if kind == "webp" else {}
    frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], **more)

    def never(*_):
        raise AssertionError("went on to another frame")

    plugins = {"gif": GifImagePlugin.GifImageFile, "tiff": TiffImagePlugin.TiffImageFile}
    plugins["webp"] = WebPImagePlugin.WebPImageFile
    monkeypatch.setattr(plugins[kind], "seek", never)
    assert first(load(tmp_path, batch_size=1, channels=1)).max() == 0


def test_the_ending_does_not_matter(tmp_path):
    put(tmp_path, a__png=plain(7, "jpeg", quality=100), b__jpg=plain(7, "gif"), c__gif=plain(7))
    assert set(first(load(tmp_path, batch_size=3, channels=1)).ravel()) == {7}


def test_no_other_program_reads_an_image(tmp_path):
    """Pillow would have Ghostscript run PostScript, whatever its ending says."""
    content = io.BytesIO()
    PIL.Image.new("L", (8, 8)).save(content, "eps")
    put(tmp_path, a__png=content.getvalue())
    with pytest.raises(ValueError, match=r"a\.png' cannot be .*\(its format is unknown\)"):
        load(tmp_path, batch_size=1)


def test_an_image_without_pixels_is_refused(tmp_path):
    put(tmp_path, a__png=png_of(0, 8))
    with pytest.raises(ValueError, match=r"a\.png' cannot be read as an image"):
        load(tmp_path, batch_size=1)


def test_what_is_no_ordinary_file_is_refused_and_not_waited_for(tmp_path):
    put(tmp_path, a__png=plain())
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "none.png").symlink_to("nowhere")
    (tmp_path / "loop.png").symlink_to("loop.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket.png"))
        with pytest.raises(ValueError, match=r"\.png' cannot be .*no such file, or it is not"):
            load(tmp_path, batch_size=1)
        with pytest.warns(UserWarning, match="5 damaged images"):
            assert len(list(load(tmp_path, batch_size=1, on_error="skip"))) == 1


def test_links_are_followed_and_no_folder_is_visited_twice(tmp_path):
    """What is really there keeps its place; what a link leads to comes under the link's name."""
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere / "x", tmp_path / "data" / "z" / "deep"):
        folder.mkdir(parents=True)
        put(folder, a__png=plain())
    data = tmp_path / "data"
    (data / "a").symlink_to("z/deep")
    (data / "z" / "up").symlink_to(data)
    (data / "cats").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(data)
    (elsewhere / "self").symlink_to(".")
    ds = load(data, batch_size=2, labels=True)
    assert ds.class_names == ["cats", "z"]
    assert len(first(ds)) == 2


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_named(tmp_path, monkeypatch, what):
    (tmp_path / "locked").mkdir()
    locked = put(tmp_path, a__png=plain(), b__png=plain()) / "locked"
    if what == "file":  # made up, for root may read all
        refuse = PermissionError(13, "Permission denied", str(tmp_path / "b.png"))
        usual = pathlib.Path.open
        fail = lambda path, *more: _raise(refuse) if path.name == "b.png" else usual(path, *more)
        monkeypatch.setattr(pathlib.Path, "open", fail)
        message = r"b\.png' cannot be read as an image \(Permission denied\)"
    else:
        refuse, usual = PermissionError(13, "Permission denied", str(locked)), os.scandir
        fail = lambda path: _raise(refuse) if str(path) == str(locked) else usual(path)
        monkeypatch.setattr(os, "scandir", fail)
        message = r"folder '.*locked' cannot be read \(Permission denied\). Make it readable"
    with pytest.raises((ValueError, OSError), match=message):
        load(tmp_path, batch_size=1)


def _raise(error):
    raise error


# Zips -------------------------------------------------------------------------------------------


def test_members_are_never_written_wherever_their_names_point(tmp_path, monkeypatch):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    names = ["../../up.png", str(tmp_path / "absolute.png"), "C:\\drive.png", "./../../x/y.png"]
    path = zip_of(inside / "a.zip", {name: plain(i) for i, name in enumerate(names)})
    images = first(load(path, batch_size=2, shuffle=False))
    assert sorted(images[:, 0, 0, 0]) == [1, 2]  # names with two dots are passed over as hidden
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    zip_of(path, {"/abs.png": b"no picture"})
    with pytest.raises(ValueError, match=r"a\.zip//abs\.png' cannot be read"):
        load(path, batch_size=1)


def test_a_zip_with_a_password_says_so(tmp_path):
    content = bytearray(zip_of(tmp_path / "a.zip", {"a.png": plain()}).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.zip/a\.png' cannot .*encrypted.*without a password"):
        load(tmp_path / "a.zip", batch_size=1)


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST", 10_000)
    path = zip_of(tmp_path / "a.zip", {"a.png": plain() + bytes(100_000)})
    with pytest.raises(ValueError, match=r"a\.png' .*unpacks to 100,\d+ bytes, more than 10,000"):
        load(path, batch_size=1)
    # It may say that it is small: what it says is checked against what it is.
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 9000)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.png' cannot be read"):
        load(path, batch_size=1)
    # What is large in the zip as well is no bomb.
    noise = np.random.default_rng(0).bytes(100_000)
    with zipfile.ZipFile(zip_of(tmp_path / "b.zip", {"noise": noise})) as archive:
        assert archives.read(archive, "noise") == noise
        with pytest.raises(ValueError, match="unpacks to 100,000 bytes, more than 99,999"):
            archives.read(archive, "noise", 99_999)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_without_bounds_is_refused(tmp_path, method):
    path = zip_of(tmp_path / "a.zip", {"a.png": plain()}, method)
    with pytest.raises(ValueError, match=rf"compressed by method {method}: make the zip again"):
        load(path, batch_size=1)


def test_one_long_name_does_not_make_all_long(tmp_path, fuzz):
    members = {f"{i}.png": plain() for i in range(2000)}
    path = zip_of(tmp_path / "a.zip", {"x" * 65_000 + ".png": plain(), **members})
    outcome = fuzz.attempt(lambda folder, path: fuzz.dataset(path), "a.zip", path.read_bytes())
    assert outcome.what == "accepted"
    assert outcome.mib < 100  # an array of these names would have 520 MB


# Arrays -----------------------------------------------------------------------------------------


def npy(header, numbers=bytes(640), version=1):
    header = header.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + numbers


HEADER = "{{'descr': '|u1', 'fortran_order': False, 'shape': {}}}"
HEADERS = {
    "huge": (npy(HEADER.format("(1000000000000, 8, 8)")), "declares .* and has 640 bytes"),
    "overflow": (npy(HEADER.format("(4294967296, 4294967296, 16)")), "declares .* and has"),
    "negative": (npy(HEADER.format("(-1, -8, 8)")), r"its shape \(-1, -8, 8\) is invalid"),
    "true": (npy(HEADER.format("(True, 8, 8)")), "its shape .* is invalid"),
    "nothing": (npy(HEADER.format("(1000000000000, 0, 8)")), "it is empty"),
    "nested": (npy("(" * 5000), ""),
    "open": (npy(HEADER.format("(10L, 8, 8")[:-1]), ""),
    "a program": (npy("__import__('os').mkdir('it ran')"), "malformed node"),
    "long": (npy(HEADER.format("(10, 8, 8)") + " " * 20_000), "large"),
    "version 3": (npy(HEADER.format("(10, 8, 8)"), version=3), "version"),
    "objects": (npy(HEADER.format("(80,)").replace("|u1", "|O")), "Python objects"),
    "dates": (npy(HEADER.format("(5, 4, 4)").replace("|u1", "<M8[s]")), "images as numbers"),
    "long doubles": (npy(HEADER.format("(5, 2, 4)").replace("|u1", "<f16")), "numbers. .*float128"),
}


@pytest.mark.filterwarnings("ignore:invalid decimal literal:SyntaxWarning")
@pytest.mark.parametrize("packed", [False, True], ids=["npy", "npz"])
@pytest.mark.parametrize("what", HEADERS)
def test_headers_that_are_wrong(tmp_path, monkeypatch, what, packed):
    monkeypatch.chdir(tmp_path)
    content, message = HEADERS[what]
    path = tmp_path / "a.npz" if packed else tmp_path / "a.npy"
    zip_of(path, {"images.npy": content}) if packed else path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name}'(:| cannot be read as arrays).*{message}"):
        load(path, batch_size=1)
    assert list(tmp_path.iterdir()) == [path]


def test_an_npz_that_unpacks_to_too_much_is_refused(tmp_path, fuzz):
    huge = npy(HEADER.format("(4194305, 64)"), bytes(4_194_305 * 64))
    path = zip_of(tmp_path / "a.npz", {"images.npy": huge})
    assert path.stat().st_size < 300_000
    outcome = fuzz.attempt(fuzz.array, "a.npz", path.read_bytes())
    assert "unpacks to 268," in outcome.words or "no labels" in outcome.words
    with pytest.raises(ValueError, match=r"a\.npz' .*unpacks to 268,\d+,\d+ bytes, more than 268,"):
        load(path, batch_size=1)


def test_labels_that_are_no_int32_are_refused():
    with pytest.raises(ValueError, match="32 bits"):
        load((np.zeros((2, 8, 8)), np.array([0, 2**32])), labels=True, batch_size=1)


NUMBERS = st.one_of(
    arrays_of.unsigned_integer_dtypes(endianness="?"),
    arrays_of.integer_dtypes(endianness="?"),
    arrays_of.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    arrays_of.boolean_dtypes(),
)
SHAPES = arrays_of.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=5)


@some(15)
@hypothesis.given(arrays_of.arrays(NUMBERS, SHAPES), st.booleans(), st.sampled_from(["npy", "npz"]))
def test_numbers_of_any_kind_and_byte_order_are_read_as_they_are(
    tmp_path, array, by_column, ending
):
    path = tmp_path / f"a.{ending}"
    array = np.asfortranarray(array) if by_column else array
    np.save(path, array) if ending == "npy" else np.savez_compressed(path, array)
    found = first(load(path, batch_size=len(array), shuffle=False))
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found.reshape(array.shape), array)


def test_arrays_in_another_byte_order_reach_a_model_in_the_machines():
    array = np.arange(6, dtype="float32").reshape(3, 2)
    source = backend.ArraySource(array.astype(">f4"), array.astype("<f4"))
    for found in (*source.arrays, *source.read(np.arange(3))):
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, array)


# Models and records -----------------------------------------------------------------------------


@some(150)
@hypothesis.given(
    content=st.binary(max_size=300),
    start=st.sampled_from(
        [b"", b"PK\x03\x04", b"\x80\x02", b"\x93NUMPY\x01\x00", b"\x10" + bytes(7)]
    ),
)
@pytest.mark.parametrize(
    "read",
    [
        torch_pickle.read,
        safetensors.read_header,
        callbacks.read_best,
        evaluation.ScoreSheet.load,
        lambda path: load(path.rename(path.with_suffix(".zip")), batch_size=1),
        lambda path: load(path.rename(path.with_suffix(".npz")), batch_size=1),
        lambda path: load(path.rename(path.with_suffix(".npy")), batch_size=1),
    ],
    ids=["torch", "safetensors", "best", "scores", "zip", "npz", "npy"],
)
def test_no_bytes_lead_to_anything_but_a_refusal(tmp_path, read, content, start):
    path = tmp_path / "noise"
    path.write_bytes(start + content)
    with pytest.raises(ValueError, match="noise"):
        read(path)


@some(60)
@hypothesis.given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(lambda name: "\0" not in name),
        st.binary(max_size=2000),
        max_size=4,
    ),
    st.integers(0, 2000),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_members_are_read_whole_or_refused(members, most, method):
    file = io.BytesIO()
    encodable = {k: v for k, v in members.items() if k.isprintable() and k[-1] != "/"}
    zip_of(file, encodable, method)
    with zipfile.ZipFile(file) as archive:
        for name, content in encodable.items():
            if len(content) <= most:
                assert archives.read(archive, name, most) == content
            else:
                with pytest.raises(ValueError, match=f"more than {most:,}"):
                    archives.read(archive, name, most)


@pytest.mark.parametrize("change", [{"epoch": None}, {"score": "kernel"}, {"score": []}], ids=str)
def test_a_best_model_of_nothing_that_was_scored_is_refused(tmp_path, fuzz, change):
    best = {"epoch": 3, "score": "frechet", **fuzz.SHEET}
    path = zip_of(tmp_path / "best.keras", {callbacks.BEST: json.dumps(best)})
    epoch, score, sheet = callbacks.read_best(path)
    assert (epoch, sheet[score].value) == (3, 1.5)
    zip_of(path, {callbacks.BEST: json.dumps(best | change)})
    with pytest.raises(ValueError, match=r"best\.keras' holds no score"):
        callbacks.read_best(path)


def lambda_model(path, **changes):
    """A model of somebody else's, with a layer that is a program."""
    layer = keras.layers.Lambda(lambda x: [open("it ran", "w").close(), x][1])
    keras.Sequential([keras.Input((2,)), layer]).save(path)
    pathlib.Path("it ran").unlink(missing_ok=True)  # Keras has traced it
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"]) | changes
    return zip_of(path, {**members, "config.json": json.dumps(config)}, zipfile.ZIP_STORED)


def test_a_model_with_a_program_in_it_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = lambda_model(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="class is 'Sequential'.*Nothing in it was run. Pass"):
        ganzoo.get("vanilla", weights=path)
    with pytest.raises(ValueError, match="holds no score"):
        callbacks.read_best(path)
    lambda_model(path, registered_name="ganzoo>VanillaGAN")
    with pytest.raises(ValueError, match=r"'vanilla' cannot be built from .*a\.keras'"):
        ganzoo.get("vanilla", weights=path)
    assert not (tmp_path / "it ran").exists()


def test_a_checkpoint_that_somebody_exchanged_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"generator_units": [4], "discriminator_units": [4], "pieces": 1, "latent_dim": 2}
    quiet = {"say": lambda line: None, "verbose": 0, "score_every": 0, "arguments": settings}
    runs.train("vanilla", out="run", epochs=1, **quiet)
    path = pathlib.Path("run/checkpoints/epoch-0001.keras").resolve()
    lambda_model(path, registered_name="ganzoo>VanillaGAN")
    # Whether Keras is told to be safe does not matter: it is not asked.
    for name in ("load_model", "deserialize_keras_object"):
        monkeypatch.setattr(keras.saving, name, lambda *_, **__: pytest.fail("Keras was asked"))
    with pytest.raises(ValueError, match="No checkpoint in .* can be read"):
        runs.train("vanilla", out="run", epochs=2, **quiet)
    assert not list(tmp_path.rglob("it ran"))


def test_a_model_file_that_would_take_all_memory_is_refused(tmp_path):
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=2, latent_dim=2, seed=0)
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["channels"] = 10**5
    zip_of(tmp_path / "b.keras", {**members, "config.json": json.dumps(config)})
    with pytest.raises(ValueError, match=r"b\.keras': .*far more weights than the file"):
        ganzoo.get("dcgan", weights=tmp_path / "b.keras")
    zip_of(tmp_path / "c.keras", {**members, "assets": bytes(archives.MOST + 1)})
    with pytest.raises(ValueError, match=r"c\.keras' .*unpacks to 268,\d+,\d+ bytes"):
        ganzoo.get("dcgan", weights=tmp_path / "c.keras")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=2, latent_dim=2, seed=0)
    kernel = model.generator.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.nan))
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"a\.keras' do not fit|damaged"):
        ganzoo.get("dcgan", weights=tmp_path / "a.keras")


def test_records_nested_without_end_are_refused(tmp_path, monkeypatch):
    """Python's JSON gives up on them with an error of its own kind."""
    deep = "[" * 100_000
    for name in ("config.json", "scores.json", "weights.json"):
        (tmp_path / name).write_text(deep)
    with pytest.raises(ValueError, match="is not a run folder"):
        report.write(tmp_path)
    with pytest.raises(ValueError, match="does not name the data of the run"):
        runs.data_of(tmp_path)
    with pytest.raises(ValueError, match=r"scores\.json' is not a score sheet"):
        evaluation.ScoreSheet.load(tmp_path / "scores.json")
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "weights.json")
    with pytest.raises(
        ValueError, match=r"weights\.json', which comes with the package, is missing"
    ):
        catalogue.rows()
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"epoch": 1}\n' + deep + "\n")
    assert json_lines.read(log) == [{"epoch": 1}]
    json_lines.forget(log, 5)
    assert log.read_text() == '{"epoch": 1}\n'


# The fuzzer -------------------------------------------------------------------------------------

KINDS = """
    png jpeg gif webp tiff bmp ppm tga zip npy npz safetensors keras best.keras scores.json
    config.json metrics.jsonl doctor.jsonl catalogue torch
""".split()


def test_all_kinds_are_fuzzed(fuzz):
    assert {*KINDS, "safetensors, each byte"} == set(fuzz.KINDS)
    assert sum(map(fuzz.inputs_of, fuzz.KINDS)) >= 10_000


@pytest.mark.parametrize("name", KINDS)
def test_mutated_files_are_taken_or_refused(fuzz, name):
    kind, seeds = fuzz.KINDS[name], fuzz.seeds_of(name)
    assert fuzz.attempt(kind.load, kind.file, seeds[0]).what == "accepted"
    count = {fuzz.run: 8}.get(kind.load, 24)  # a page takes a quarter second
    outcomes = [
        fuzz.attempt(kind.load, kind.file, fuzz.content_of(name, number)) for number in range(count)
    ]
    assert [x for x in outcomes if x.what == "fault"] == []
    if kind.load is not fuzz.run:  # which passes over lines that are damaged
        assert any(x.what == "rejected" for x in outcomes)
    assert fuzz.content_of(name, 5) == fuzz.content_of(name, 5) != fuzz.content_of(name, 6)


def test_each_byte_of_a_file_of_weights_is_flipped(fuzz):
    name = "safetensors, each byte"
    whole = fuzz.seeds_of(name)[0]
    assert fuzz.inputs_of(name) == 2 * len(whole)
    for number in range(0, 2 * len(whole), 100):
        content = fuzz.content_of(name, number)
        assert [i for i in range(len(whole)) if content[i] != whole[i]] == [number % len(whole)]
        outcome = fuzz.attempt(fuzz.model, "a.safetensors", content)
        assert outcome.what != "fault", outcome


MISFORTUNES = """
    import os, pathlib, time

    def act(folder, path):
        start = time.process_time()
        match path.read_bytes():
            case b"crash":
                os.abort()
            case b"hang":
                time.sleep(6000)
            case b"slow":
                while time.process_time() - start < 0.4:
                    pass
            case b"memory":
                bytearray(90 << 20)
            case b"another error":
                {}["key"]
            case b"no name":
                raise ValueError("something is wrong")
            case b"nonsense":
                return "no sense"
            case b"executed":
                pathlib.Path("executed").touch()
            case b"refused":
                raise ValueError(f"{str(path)!r} is wrong")

    def kinds(name, number):
        import fuzz
        fuzz.SECONDS, fuzz.MEMORY = 0.2, 50
        return act, "a.txt", b"" if number == 0 else name.encode()
"""


def test_whatever_happens_is_counted(fuzz, tmp_path, monkeypatch):
    (tmp_path / "misfortunes.py").write_text(textwrap.dedent(MISFORTUNES))
    monkeypatch.syspath_prepend(tmp_path)
    import misfortunes

    faults = {
        "crash": "the process ended with -6",
        "hang": "no answer in 1 seconds",
        "slow": " seconds: ",
        "memory": "90 MiB",
        "another error": "KeyError",
        "no name": "names no file",
        "nonsense": "no sense",
        "executed": "executed",
    }
    with fuzz.Worker(misfortunes.kinds) as worker:
        for name, words in faults.items():
            # Four times that is waited; of what does answer, a busy machine may take long.
            monkeypatch.setattr(fuzz, "SECONDS", 0.25 if name == "hang" else 150)
            outcome = worker.load(name, 1)
            assert (outcome.what, words in outcome.words) == ("fault", True), outcome
        outcomes = [worker.load(name, 1) for name in ("refused", "fine", "fine")]
    assert [x.what for x in outcomes] == ["rejected", "accepted", "accepted"]
    row = fuzz.table("a kind", outcomes)
    assert (row["inputs"], row["accepted"], row["rejected"], row["faults"]) == (3, 2, 1, 0)
