"""Loads broken files of every kind as users would, and checks that each is accepted or refused.

    python benchmarks/tools/fuzz.py
    python benchmarks/tools/fuzz.py --only png --number 123

The second command loads one input again, and prints its outcome. Each input is a function of the
seed, its kind and its number. Another process loads it, so that a crash is counted and does not end
this one. An input must either be accepted, with a sensible result, or refused by a `ValueError` or
`OSError` that names the file. Anything else is a fault: another error, a crash, a hang, more than
`SECONDS`, more than `MEMORY` in addition to what the process had before, or a sign that something
in the file was executed.
"""

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import multiprocessing
import os
import pathlib
import pickle
import re
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import numpy as np

SEED = 0
SECONDS = 5.0
"""Processor time for one input; it may take four times as long by the clock."""
MEMORY = 1536
"""MiB for one input: enough for the largest image that is read, with transparency."""
CANARY = "executed"
"""The file that the programs in hostile seeds would create in the working folder."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        seeds: function without arguments that returns intact files, as bytes.
        load: function of a folder with the file in it and of the file's path. It raises, or returns
            a description of what makes no sense in the result, or None.
        file: the file's name.
        mutate: function of a random generator and the seeds that returns another file.
        inputs: number of inputs.
        every: flip each byte of the first seed in turn instead.
    """

    seeds: Callable
    load: Callable
    file: str
    mutate: Callable
    inputs: int
    every: bool = False


# Mutations --------------------------------------------------------------------------------------

ODD = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1]


def scramble(rng, content, others):
    """Apply one to four changes to some bytes."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        a, b = sorted(int(x) for x in rng.integers(0, len(content) + 1, 2))
        near = min(b, a + int(rng.integers(1, 33)))
        match int(rng.integers(9)):
            case 0 if content:
                content[a % len(content)] ^= 1 << int(rng.integers(8))
            case 1:
                content[a:near] = rng.bytes(near - a)
            case 2:
                del content[max(a, 1) :]
            case 3:
                content[b:b] = content[a : a + 4096]
            case 4:
                content[a:a] = rng.bytes(int(rng.integers(1, 65)))
            case 5 | 6:  # a size, somewhere
                width = int(rng.choice([1, 2, 4, 8]))
                value = ODD[rng.integers(len(ODD))] % 256**width
                order = "little" if rng.integers(2) else "big"
                content[a : a + width] = value.to_bytes(width, order)
            case 7:
                other = others[rng.integers(len(others))]
                content[a:] = other[int(rng.integers(len(other))) :]
            case 8:
                del content[a:near]
    return bytes(content)


def anyhow(rng, seeds):
    return scramble(rng, seeds[rng.integers(len(seeds))], seeds)


def png(rng, seeds):
    """As `anyhow`, with correct check sums in half of the cases."""
    content = anyhow(rng, seeds)
    return mended(content) if rng.integers(2) else content


def mended(content):
    """A PNG file with the check sums of its chunks corrected."""
    content, at = bytearray(content), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(content)


VALUES = """
    null true {} [] "" "x" -1 0 1 1.5 1e308 1e999 NaN -Infinity 99999999999999999999 "\\ud800"
    "../../x" [1] {"a":1} [[]] "\\u0000" "nan" 2147483648
""".split()


def text(rng, seeds):
    """JSON with some values replaced, or some bytes."""
    content = seeds[rng.integers(len(seeds))]
    for _ in range(rng.integers(1, 4)):
        places = list(re.finditer(rb'"[^"\n]*"|-?\d+(\.\d+)?|\[[^\[\]]*\]|null|true', content))
        if not places or rng.integers(4) == 0:
            return scramble(rng, content, seeds)
        place = places[rng.integers(len(places))]
        value = VALUES[rng.integers(len(VALUES))].encode()
        if rng.integers(40) == 0:
            value = b"[" * 100_000 if rng.integers(2) else b"9" * 10_000
        content = content[: place.start()] + value + content[place.end() :]
    return content


NAMES = [
    "../../out.png",
    "/out.png",
    "C:\\out.png",
    "a/" * 300 + "b.png",
    "\u202egnp.png",
    "CON.png",
]


def zipped(rng, seeds, inside=scramble):
    """Change the bytes of a zip, or those of a member, which then has the right check sum."""
    content = seeds[rng.integers(len(seeds))]
    members = unzip(content)
    if not members or rng.integers(2):
        return scramble(rng, content, seeds)
    name = list(members)[rng.integers(len(members))]
    members[name] = inside(rng, members[name], list(members.values()))
    if rng.integers(4) == 0:
        members[NAMES[rng.integers(len(NAMES))]] = members.pop(name)
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]
    return zip_of(members, methods[rng.choice(3, p=[0.45, 0.45, 0.1])])


def zipped_text(rng, seeds):
    inside = lambda rng, content, others: (
        text(rng, [content]) if content[:1] == b"{" else scramble(rng, content, others)
    )
    return zipped(rng, seeds, inside)


DTYPES = "|u1 <f4 >f8 |O <U9999999 |V0 <M8[s] |b1 <c16 <f16 <i8 [('a','<i4')]".split()
SHAPES = ["(4,8,8)", "(1<<60,8)", "(99999999999999999,8,8)", "(0,8,8)", "(4,0,9)", "(-4,-8,8)"]
SHAPES += ["(4294967296,4294967296)", "(True,8,8)", "()", "4", "(4L,8,8)", "(((((" * 900, "(4.,8)"]


def npy(rng, seeds):
    """Change the bytes of an array's file, or put another header before the same numbers."""
    content = seeds[rng.integers(len(seeds))]
    if rng.integers(2):
        return scramble(rng, content, seeds)
    dtype, shape = DTYPES[rng.integers(len(DTYPES))], SHAPES[rng.integers(len(SHAPES))]
    dtype = dtype if dtype[0] == "[" else repr(dtype)
    header = f"{{'descr': {dtype}, 'fortran_order': {bool(rng.integers(2))}, 'shape': {shape}, }}"
    return npy_of(header, content[128:])


def npy_of(header, numbers):
    header = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + numbers


def npz(rng, seeds):
    return zipped(rng, seeds, lambda rng, content, others: npy(rng, [content]))


def tensors(rng, seeds):
    """Change the bytes of a file of weights, or its header by `text`, with the right length."""
    content = seeds[rng.integers(len(seeds))]
    if rng.integers(2):
        return scramble(rng, content, seeds)
    length = int.from_bytes(content[:8], "little")
    header = text(rng, [content[8 : 8 + length].replace(b'\\"', b'"')])
    header = header.replace(b'"{', b"{") if rng.integers(9) == 0 else content[8 : 8 + length]
    if rng.integers(2):
        header = re.sub(rb"(?<=[:,\[])\d+", lambda m: odd_number(rng, m), header)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def odd_number(rng, match):
    return str(ODD[rng.integers(len(ODD))]).encode() if rng.integers(12) == 0 else match[0]


def torch(rng, seeds):
    content = anyhow(rng, seeds)
    whole = [seed for seed in seeds if seed.startswith(b"PK")]
    return zipped(rng, whole) if rng.integers(2) else content


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        open_to_all = [info for info in archive.infolist() if not info.flag_bits & 1]
        return {info.filename: archive.read(info) for info in open_to_all}


def zip_of(members, method=zipfile.ZIP_STORED):
    """A zip of these members, independent of the time of day."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


# Intact files -----------------------------------------------------------------------------------


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


def saved(image, kind, **options):
    from PIL import Image

    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey_and_colour(kind, *variants):
    """Small images in a format."""
    plain = [saved(pixels(9, 12), kind), saved(pixels(9, 12, 3), kind)]
    return plain + [saved(pixels(*shape), kind, **options) for shape, options in variants]


def pngs():
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    palette = Image.fromarray(pixels(9, 12)).convert("P")
    deep = Image.fromarray(pixels(9, 12).astype("uint16") * 257)
    return [
        *grey_and_colour("png", ((9, 12, 4), {}), ((9, 12), {"exif": exif})),
        saved(palette, "png", transparency=bytes(range(200))),
        saved(deep, "png"),
        bomb(8200, 8200),  # more pixels than are read
        bomb(3000, 3000),
    ]


def bomb(width, height):
    """A small PNG file of a large black image."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + width)) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return mended(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(struct.pack(">I", len(x)) + name + x + bytes(4) for name, x in chunks)
    )


def jpegs():
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 8
    cmyk = Image.fromarray(pixels(9, 12, 3)).convert("CMYK")
    return [
        *grey_and_colour("jpeg", ((9, 12, 3), {"progressive": True}), ((9, 12), {"exif": exif})),
        saved(cmyk, "jpeg"),
    ]


def animated(kind, **options):
    from PIL import Image

    frames = [Image.fromarray(pixels(9, 12 + i)[:, i:]) for i in range(8)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def gifs():
    return [*grey_and_colour("gif"), animated("gif"), animated("gif", transparency=0)]


def webps():
    return [
        *grey_and_colour("webp", ((9, 12, 4), {"lossless": True})),
        animated("webp"),
    ]


def tiffs():
    ways = ["tiff_lzw", "tiff_deflate", "jpeg", "packbits", "tiff_adobe_deflate"]
    return [
        *grey_and_colour("tiff", *(((9, 12, 3), {"compression": way}) for way in ways)),
        saved(np.float32(pixels(9, 12)) / 255, "tiff"),
        saved(pixels(9, 12).astype("uint16") * 257, "tiff"),
        animated("tiff"),
    ]


def bmps():
    from PIL import Image

    return [
        *grey_and_colour("bmp", ((9, 12, 4), {})),
        saved(Image.fromarray(pixels(9, 12)).convert("1"), "bmp"),
    ]


def ppms():
    plain = [b"P2\n3 2\n255\n1 2 3\n4 5 255\n", b"P3 1 2 9\n1 2 3 4 5 9", b"P1 3 2 101 010"]
    deep = [b"P5 3 2 65535\n" + bytes(range(12)), b"Pf\n3 2\n-1.0\n" + bytes(24)]
    return [*grey_and_colour("ppm"), *plain, *deep]


def tgas():
    return grey_and_colour("tga", ((9, 12, 3), {"compression": "tga_rle"}), ((9, 12, 4), {}))


def zips():
    few = {"a/1.png": pngs()[0], "a/2.JPG": jpegs()[1], "b/3.gif": gifs()[0], "notes.txt": b"none"}
    many = {f"train/{i}/ü{i}.png": pngs()[0] for i in range(9)}
    secret = bytearray(zip_of(few))
    for match in re.finditer(b"PK\x01\x02|PK\x03\x04", bytes(secret)):
        secret[match.start() + (8 if match[0][2] == 1 else 6)] |= 1
    hollow = {"a.png": b"\x89PNG\r\n\x1a\n" + bytes(3 << 20), "b.png": pngs()[0]}
    return [
        zip_of(few),
        zip_of(few, zipfile.ZIP_DEFLATED),
        zip_of(many),
        bytes(secret),
        zip_of(hollow, zipfile.ZIP_DEFLATED),
        zip_of(hollow, zipfile.ZIP_BZIP2),
    ]


class Program:
    """An object whose pickle creates `CANARY` when it is loaded."""

    def __reduce__(self):
        return exec, (f"open({CANARY!r}, 'w').close()",)


def npys():
    files = []
    for array in (
        pixels(5, 8, 8),
        pixels(5, 8, 8, 3).astype("float32") / 255,
        np.asfortranarray(pixels(5, 8, 8)).astype(">i4"),
        np.array([Program()], object),
    ):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        files.append(file.getvalue())
    return files


def npzs():
    images, floats, big, program = npys()
    labels = io.BytesIO()
    np.save(labels, np.arange(5))
    labels = labels.getvalue()
    huge = npy_of("{'descr': '|u1', 'fortran_order': False, 'shape': (1048576, 8, 8)}", bytes(9))
    hollow = npy_of(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (65536, 64)}", bytes(1 << 22)
    )
    return [
        zip_of({"images.npy": images, "labels.npy": labels}),
        zip_of({"x.npy": floats, "y.npy": labels}, zipfile.ZIP_DEFLATED),
        zip_of({"x_train.npy": big, "y_train.npy": labels}),
        zip_of({"images.npy": program, "labels.npy": program}),
        zip_of({"images.npy": huge}),
        zip_of({"images.npy": hollow}, zipfile.ZIP_DEFLATED),
    ]


@functools.cache
def tiny():
    """A model with few weights, as a file of weights and as a whole model."""
    import ganzoo
    from ganzoo.files import safetensors as tensors

    model = ganzoo.get(
        "vanilla",
        image_shape=(2, 2, 1),
        latent_dim=1,
        generator_units=(1,),
        discriminator_units=(1,),
        pieces=1,
        dropout=(0.0, 0.0),
        seed=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tensors.write(model, folder / "a.safetensors")
        model.save(folder / "a.keras")
        members = unzip((folder / "a.keras").read_bytes())
        members["metadata.json"] = b"{}"  # it has the time of day
        return (folder / "a.safetensors").read_bytes(), zip_of(members)


def weights():
    return [tiny()[0]]


def keras_files():
    """Our own file, another with a layer that is a program, and the same under our name."""
    import keras

    ours, name = tiny()[1], "ganzoo>VanillaGAN"
    layer = keras.layers.Lambda(lambda x: [exec(f"open({CANARY!r}, 'w').close()"), x][1])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        keras.Sequential([keras.Input((2,)), layer]).save("a.keras")  # which runs it
        members = unzip(pathlib.Path(folder, "a.keras").read_bytes())
    members["metadata.json"] = b"{}"
    module = json.dumps({"module": "os", "class_name": "system", "config": {"command": CANARY}})
    disguised = json.loads(members["config.json"]) | {"registered_name": name}
    return [
        ours,
        zip_of(unzip(ours), zipfile.ZIP_DEFLATED),
        zip_of(members),
        zip_of({**members, "config.json": json.dumps(disguised).encode()}),
        zip_of({**members, "config.json": module.encode()}),
    ]


SHEET = {
    "scores": {
        "frechet[digits-classifier-v1]": {
            "value": 1.5,
            "error": 0.5,
            "floor": 0.25,
            "better": "lower",
            "settings": {"k": 3},
        }
    },
    "passport": {
        "model": "VanillaGAN",
        "weights_sha256": "0" * 64,
        "samples": 300,
        "repeats": 1,
        "seed": 0,
        "extractor": "digits-classifier-v1",
        "data": {"source": "digits", "split": "test", "count": 299},
        "floor": "real pictures",
    },
    "notes": ["few samples"],
}


def sheets():
    return [json.dumps(SHEET, indent=2).encode()]


def bests():
    from ganzoo import callbacks

    best = json.dumps({"epoch": 3, "score": "frechet", **SHEET}, indent=2).encode()
    return [zip_of({**unzip(tiny()[1]), callbacks.BEST: best}), zip_of({callbacks.BEST: best})]


CONFIG = {
    "settings": {
        "model": "vanilla",
        "arguments": {"latent_dim": 1},
        "data": "digits",
        "image_size": None,
        "batch_size": 64,
        "seed": 0,
        "on_error": "raise",
    },
    "epochs": 3,
    "command": ["ganzoo", "train"],
    "versions": {"python": "3", "keras": "3"},
    "device": {"name": "a CPU", "gpu": False},
}


def configs():
    return [json.dumps(CONFIG, indent=2).encode()]


def logs():
    row = {"step": 9, "seconds": 1.5, "cpu_seconds": 2.5, "d_loss": 0.5, "g_loss": 1.25}
    rows = [{"epoch": epoch, **row} for epoch in (1, 2, 3)]
    return ["".join(json.dumps(row) + "\n" for row in rows).encode()]


def notes():
    from ganzoo import doctor

    fields = [field.name for field in dataclasses.fields(doctor.Finding)]
    return ["".join(json.dumps(dict.fromkeys(fields, "x") | {"epoch": e}) + "\n" for e in (1, 2))
            .encode()]  # fmt: skip


def catalogues():
    from ganzoo.zoo import catalogue

    entries = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    first = dict(list(entries.items())[:2])
    return [json.dumps(first).encode()]


def torch_files():
    """State dicts in both of PyTorch's formats, by hand, and a program."""
    numbers = np.arange(6, dtype="<f4").tobytes()

    body = b"\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n"
    identity = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
    identity += b"X\x03\x00\x00\x00cpuK\x06"
    rest = b"K\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtRu."
    new = body + b"(" + identity + b"tQ" + rest
    old = body + b"(" + identity + b"NtQ" + rest
    header = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    facts = b"\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."
    keys = b"\x80\x02]X\x01\x00\x00\x000a."
    legacy = header + facts + old + keys + struct.pack("<q", 6) + numbers
    members = {
        "a/data.pkl": new,
        "a/data/0": numbers,
        "a/version": b"3\n",
        "a/byteorder": b"little",
    }
    program = {**members, "a/data.pkl": pickle.dumps({"w": Program()}, 2)}
    return [zip_of(members), legacy, zip_of(members, zipfile.ZIP_DEFLATED), zip_of(program)]


# As a user loads them ---------------------------------------------------------------------------


def dataset(source, **options):
    """The first batch must match the description of the data set."""
    from ganzoo import datasets

    ds = datasets.load(source, batch_size=1, **options)
    batch = next(iter(ds))
    images = np.asarray(batch[0] if isinstance(batch, tuple) else batch)
    if list(images.shape[1:]) != ds.description["image_shape"] or not images.size:
        return f"images of shape {images.shape}, not {ds.description['image_shape']}"
    if images.dtype.kind not in "buif" or not images.dtype.isnative:
        return f"images of type {images.dtype}"
    return None


def image(folder, path):
    """Load the folder, resized in half of the cases."""
    size = 8 if zlib.crc32(path.read_bytes()) % 2 else None
    return dataset(folder, image_size=size) or _bytes_only(folder)


def _bytes_only(folder):
    more = sorted(path.name for path in folder.iterdir())
    return f"files appeared: {more}" if len(more) > 1 else None


def array(folder, path):
    return dataset(path, labels=path.suffix == ".npz")


def archive(folder, path):
    return dataset(path, image_size=8) or _bytes_only(folder)


def model(folder, path):
    import ganzoo

    for weight in ganzoo.get("vanilla", weights=path).get_weights():
        if not np.isfinite(weight).all():
            return "weights that are infinite or none"
    return None


def best(folder, path):
    from ganzoo import callbacks

    epoch, score, sheet = callbacks.read_best(path)
    return sense(sheet) if type(epoch) is int and score in str(sheet.scores) else "another result"


def sense(sheet):
    for score in sheet.scores.values():
        f"{score.value:.4g} {score.error or 0:.4g} {score.floor or 0:.4g}"
    return None if isinstance(sheet.passport, dict) else "no passport"


def score_sheet(folder, path):
    from ganzoo import evaluation

    return sense(evaluation.ScoreSheet.load(path))


def run(folder, path):
    """Write the report of a run whose other records are intact."""
    from ganzoo import runs
    from ganzoo.runs import report

    for name, whole in {"config.json": configs, "metrics.jsonl": logs}.items():
        if name != path.name:
            (folder / name).write_bytes(whole()[0])
    page = report.write(folder).read_text(encoding="utf-8")
    if not isinstance(runs.data_of(folder)["data"], str):
        return "data without a name"
    return None if page.rstrip().endswith("</html>") else "half a page"


def rows(folder, path):
    from ganzoo.zoo import catalogue

    usual, catalogue.FILE = catalogue.FILE, path
    try:
        entries = catalogue.rows()
        return None if all(isinstance(x, catalogue.Row) for x in entries.values()) else "no rows"
    finally:
        catalogue.FILE = usual


def state_dict(folder, path):
    from ganzoo.extractors import torch_pickle

    for value in torch_pickle.read(path).values():
        if not (value.flags.owndata and value.flags.c_contiguous):
            return "an array of memory that is not its own"
    return None


KINDS = {
    "png": Kind(pngs, image, "a.png", png, 1500),
    "jpeg": Kind(jpegs, image, "a.jpg", anyhow, 1200),
    "gif": Kind(gifs, image, "a.gif", anyhow, 600),
    "webp": Kind(webps, image, "a.webp", anyhow, 1000),
    "tiff": Kind(tiffs, image, "a.tif", anyhow, 1200),
    "bmp": Kind(bmps, image, "a.bmp", anyhow, 500),
    "ppm": Kind(ppms, image, "a.ppm", anyhow, 500),
    "tga": Kind(tgas, image, "a.tga", anyhow, 500),
    "zip": Kind(zips, archive, "a.zip", zipped, 1500),
    "npy": Kind(npys, array, "a.npy", npy, 1500),
    "npz": Kind(npzs, array, "a.npz", npz, 1500),
    "safetensors": Kind(weights, model, "a.safetensors", tensors, 1500),
    "safetensors, each byte": Kind(weights, model, "a.safetensors", None, 0, every=True),
    "keras": Kind(keras_files, model, "a.keras", zipped_text, 1000),
    "best.keras": Kind(bests, best, "best.keras", zipped_text, 1000),
    "scores.json": Kind(sheets, score_sheet, "scores.json", text, 1000),
    "config.json": Kind(configs, run, "config.json", text, 200),
    "metrics.jsonl": Kind(logs, run, "metrics.jsonl", text, 200),
    "doctor.jsonl": Kind(notes, run, "doctor.jsonl", text, 100),
    "catalogue": Kind(catalogues, rows, "weights.json", text, 500),
    "torch": Kind(torch_files, state_dict, "a.pth", torch, 3000),
}


# One input --------------------------------------------------------------------------------------


@functools.cache
def seeds_of(name):
    return tuple(KINDS[name].seeds())


def inputs_of(name):
    kind = KINDS[name]
    return 2 * len(seeds_of(name)[0]) if kind.every else kind.inputs


def content_of(name, number):
    """The bytes of an input."""
    kind, seeds = KINDS[name], seeds_of(name)
    if kind.every:  # all bits of a byte, then the lowest, which leaves text text
        content = bytearray(seeds[0])
        content[number % len(content)] ^= 0xFF if number < len(content) else 1
        return bytes(content)
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode()), number])
    return kind.mutate(rng, seeds)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of an input, "accepted", "rejected" or "fault", with message, time and memory."""

    what: str
    words: str = ""
    seconds: float = 0.0
    mib: float = 0.0


def attempt(load, file, content):
    """The outcome of one input, loaded in this process."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        inside = pathlib.Path(folder, "in")
        inside.mkdir()
        path = inside / file
        path.write_bytes(content)
        before, start = resident(peak=False), time.process_time()
        what, words = _loaded(load, inside, path)
        seconds, mib = time.process_time() - start, (resident(peak=True) - before) / 2**20
        executed = os.path.exists(CANARY)
        extra = [name for name in os.listdir(folder) if name not in ("in", CANARY)]
    if executed or extra:
        what, words = "fault", f"executed, or written next to the folder: {extra}"
    elif mib > MEMORY:
        what, words = "fault", f"{mib:.0f} MiB: {words}"
    elif seconds > SECONDS:
        what, words = "fault", f"{seconds:.1f} seconds: {words}"
    return Outcome(what, words, seconds, mib)


def _loaded(load, folder, path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nonsense = load(folder, path)
    except (ValueError, OSError) as error:
        named = repr(str(folder))[1:-1] in str(error)
        return ("rejected", str(error)) if named else ("fault", f"names no file: {error!r}")
    except BaseException:
        return "fault", traceback.format_exc()
    return ("fault", nonsense) if nonsense else ("accepted", "")


def resident(peak):
    """Bytes of memory of this process: the current ones, or the peak since the last call."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
        if not peak:
            pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # another system than Linux
        return 0
    return int(re.search(r"VmHWM:\s+(\d+)" if peak else r"VmRSS:\s+(\d+)", status)[1]) << 10


# Many inputs ------------------------------------------------------------------------------------


def work(connection, kinds):
    """Load inputs one after the other, in a process of its own."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    started = set()
    for name, number in iter(connection.recv, None):
        load, file, content = kinds(name, number)
        if name not in started:  # the first one pays for the imports
            attempt(*kinds(name, 0))
            started.add(name)
        connection.send(None)  # ready: the clock starts
        connection.send(attempt(load, file, content))


def usual(name, number):
    return KINDS[name].load, KINDS[name].file, content_of(name, number)


class Worker:
    """A process that loads inputs; another replaces it if it dies or does not answer."""

    def __init__(self, kinds=usual):
        self.kinds = kinds
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None

    def load(self, name, number):
        """The outcome of an input."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.connection, other = context.Pipe()
            self.process = context.Process(target=work, args=(other, self.kinds), daemon=True)
            self.process.start()
            other.close()
        self.connection.send((name, number))
        try:
            self.connection.recv()
            if self.connection.poll(4 * SECONDS):
                return self.connection.recv()
            words = f"no answer in {4 * SECONDS:.0f} seconds"
        except EOFError:
            self.process.join()
            words = f"the process ended with {self.process.exitcode}"
        self._end()
        return Outcome("fault", words, 4 * SECONDS)


def table(name, outcomes):
    """A row of the result."""
    count = lambda what: sum(outcome.what == what for outcome in outcomes)
    return {
        "kind": name,
        "inputs": len(outcomes),
        "accepted": count("accepted"),
        "rejected": count("rejected"),
        "faults": count("fault"),
        "slowest_seconds": max(outcome.seconds for outcome in outcomes),
        "most_memory_mib": max(outcome.mib for outcome in outcomes),
        "seed": SEED,
    }


def versions():
    """Versions of the other packages that read files."""
    import h5py
    import PIL
    import safetensors

    modules = {"numpy": np, "pillow": PIL, "h5py": h5py, "safetensors": safetensors}
    return ", ".join(f"{name} {module.__version__}" for name, module in modules.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=KINDS, action="append", help="a kind")
    parser.add_argument("--number", type=int, help="one input of that kind, in this process")
    parser.add_argument(
        "--inputs", type=int, help="at most this many of each kind; nothing is saved"
    )
    arguments = parser.parse_args()
    if arguments.number is not None:
        (name,) = arguments.only or ["png"]
        content = content_of(name, arguments.number)
        print(f"{len(content)} bytes: {content[:200]}{'…' if len(content) > 200 else ''}")
        return print(attempt(KINDS[name].load, KINDS[name].file, content))
    rows = []
    with Worker() as worker:
        for name in arguments.only or KINDS:
            count, outcomes = inputs_of(name), []
            for number in range(min(count, arguments.inputs or count)):
                outcomes.append(worker.load(name, number))
                if outcomes[-1].what == "fault":
                    print(f"{name} {number}: {outcomes[-1].words}", flush=True)
            rows.append(table(name, outcomes))
            print(rows[-1], flush=True)
    import measure

    about = measure.machine()
    about["versions"] += f", {versions()}"
    rows = [row | about for row in rows]
    measure.show([{k: row[k] for k in table("", [Outcome("")])} for row in rows])
    if arguments.inputs is None:
        measure.save("fuzz", rows, replace=("kind",))
    faults = sum(row["faults"] for row in rows)
    if faults:
        sys.exit(f"{faults} faults.")


if __name__ == "__main__":
    main()
