"""`ganzoo.datasets.load`: every kind of source, what it must yield, and what it must refuse."""

import collections
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import ganzoo
from ganzoo import datasets
from ganzoo.datasets import image_folder
from ganzoo.datasets import load

ORIENTATION = 0x0112
"""EXIF's tag for how a camera was held."""


def batches(ds):
    """One epoch: a list of tuples of arrays."""
    return [tuple(map(np.asarray, b if isinstance(b, tuple) else (b,))) for b in ds]


def gather(ds):
    """One epoch: each component in one array; just the pictures if there are no labels."""
    parts = [np.concatenate(part) for part in zip(*batches(ds))]
    return parts[0] if len(parts) == 1 else tuple(parts)


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)


def numbered(count, shape=(4, 5, 1)):
    """Pictures of which each pixel is the picture's number."""
    return np.broadcast_to(np.arange(count, dtype="uint8")[:, None, None, None], (count, *shape))


def save(path, array, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = array if isinstance(array, PIL.Image.Image) else PIL.Image.fromarray(array)
    picture.save(path, **kwargs)


def plain(value, height=8, width=8):
    return np.full((height, width), value, "uint8")


@pytest.fixture
def folder(tmp_path):
    """Twelve grey pictures in two classes; picture i is filled with 20 i."""
    for i in range(12):
        save(tmp_path / "pictures" / ("cat", "dog")[i % 2] / f"{i:02d}.png", plain(20 * i))
    return tmp_path / "pictures"


@pytest.fixture
def streaming(monkeypatch):
    """Nothing fits into memory."""
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 0)


# Digits and points -------------------------------------------------------------------------------


def test_digits():
    from sklearn.datasets import load_digits

    pictures = load_digits().images
    train, train_labels = gather(load("digits", labels=True, shuffle=False))
    test, test_labels = gather(load("digits", labels=True, shuffle=False, split="test"))
    assert train.shape == (1498, 8, 8, 1) and train.dtype == np.uint8
    assert test.shape == (299, 8, 8, 1)
    assert (train.min(), train.max()) == (0, 255)
    held_out = np.arange(len(pictures)) % 6 == 5
    np.testing.assert_allclose(test[..., 0], pictures[held_out] / 16 * 255, atol=0.5)
    np.testing.assert_allclose(train[..., 0], pictures[~held_out] / 16 * 255, atol=0.5)
    np.testing.assert_array_equal(test_labels, load_digits().target[held_out])
    assert train_labels.dtype == np.int32 and set(train_labels) == set(range(10))
    everything = load("digits", split="all")
    assert len(gather(everything)) == len(train) + len(test)
    assert everything.class_names == [str(i) for i in range(10)]


@pytest.mark.parametrize(
    ("name", "modes", "sigma", "reach"), [("ring", 8, 0.008, 0.8), ("grid", 25, 0.01, 1.13138)]
)
def test_points(name, modes, sigma, reach):
    points, labels = gather(load(name, labels=True, batch_size=10_000))
    assert points.shape == (100_000, 2) and points.dtype == np.float32
    assert np.abs(points).max() <= 1
    assert set(labels) == set(range(modes))
    for mode in range(modes):
        cloud = points[labels == mode]
        # Of 4,000 points or more, the estimate of σ is off by 1.1 % (one standard error).
        np.testing.assert_allclose(cloud.std(axis=0), sigma, rtol=0.06)
        assert len(cloud) == pytest.approx(100_000 / modes, rel=0.1)
    centres = np.stack([points[labels == mode].mean(axis=0) for mode in range(modes)])
    assert np.linalg.norm(centres, axis=1).max() == pytest.approx(reach, abs=0.002)
    test = gather(load(name, split="test", batch_size=10_000))
    assert not set(map(bytes, points)) & set(map(bytes, test))


# Order, batches, sizes ---------------------------------------------------------------------------


def test_batches_and_partial_last_batch():
    sizes = [len(b[0]) for b in batches(load(numbered(10), batch_size=4))]
    assert sizes == [4, 4, 2]
    assert load(numbered(10), batch_size=4).element_spec.shape[1:] == (4, 5, 1)


def test_no_shuffle_keeps_the_order():
    ds = load(numbered(10), batch_size=4, shuffle=False)
    for _ in range(2):
        np.testing.assert_array_equal(gather(ds)[:, 0, 0, 0], range(10))


def test_order_is_a_function_of_seed_and_epoch():
    def epochs(seed):
        ds = load(numbered(50), batch_size=8, seed=seed)
        return [tuple(gather(ds)[:, 0, 0, 0]) for _ in range(3)]

    first = epochs(1)
    assert epochs(1) == first
    assert len(set(first)) == 3
    assert not set(epochs(2)) & set(first)
    for order in first:
        assert sorted(order) == list(range(50))


def test_labels_stay_with_their_images():
    images, labels = gather(load((numbered(50), np.arange(50)), batch_size=8, labels=True))
    np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
    assert labels.dtype == np.int32


@pytest.mark.parametrize("size", [6, (6, 10), [6, 10], np.int64(6)])
def test_image_size(size):
    images = np.zeros((3, 12, 24, 3), "uint8")
    images[:, :, 8:16] = 200  # the middle third
    found = gather(load(images, image_size=size, batch_size=3))
    height, width = (6, 6) if isinstance(size, (int, np.integer)) else (6, 10)
    assert found.shape == (3, height, width, 3) and found.dtype == np.uint8
    # Scaled to cover, so by half, and cut at the centre: 4 of 12 columns are bright.
    bright = found[0, 3, :, 0] > 100
    np.testing.assert_array_equal(np.flatnonzero(bright), np.arange(4) + (width - 4) // 2)


def test_image_size_that_the_images_have_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), "uint8")
    found = gather(load(images, image_size=(6, 7), batch_size=5, shuffle=False))
    np.testing.assert_array_equal(found, images)


# Arrays and files --------------------------------------------------------------------------------


def test_grey_arrays_get_a_channel_axis():
    images = numbered(6)[..., 0]
    ds = load(images, batch_size=6, shuffle=False)
    np.testing.assert_array_equal(gather(ds), images[..., None])
    assert ds.class_names is None


def test_column_of_labels():
    labels = np.arange(6, dtype="uint8")[:, None]
    found = gather(load((numbered(6), labels), labels=True, batch_size=3, shuffle=False))[1]
    np.testing.assert_array_equal(found, range(6))


def test_npy_file_is_memory_mapped(tmp_path):
    images = numbered(20)
    np.save(tmp_path / "a.npy", images)
    np.testing.assert_array_equal(
        gather(load(tmp_path / "a.npy", batch_size=8, shuffle=False)), images
    )
    assert_same(
        batches(load(str(tmp_path / "a.npy"), batch_size=8)), batches(load(images, batch_size=8))
    )
    found = datasets.arrays.from_file(tmp_path / "a.npy", "train", False)
    assert isinstance(found.arrays[0], np.memmap)


@pytest.mark.parametrize(
    "names",
    [
        {"images": "train", "labels": "train_labels"},
        {"x_train": "train", "y_train": "train_labels", "x_test": "test", "y_test": "test_labels"},
        {"x": "train", "y": "train_labels"},
        {"whatever": "train"},
    ],
    ids=lambda names: " ".join(names),
)
def test_npz_files(tmp_path, names):
    content = {
        "train": numbered(8),
        "train_labels": np.arange(8),
        "test": 255 - numbered(5),
        "test_labels": 10 + np.arange(5),
    }
    path = tmp_path / "a.npz"
    np.savez(path, **{name: content[key] for name, key in names.items()})
    plain = load(path, batch_size=4, shuffle=False)
    np.testing.assert_array_equal(gather(plain), content["train"])
    if len(names) > 1:
        images, labels = gather(load(path, batch_size=4, shuffle=False, labels=True))
        np.testing.assert_array_equal(images, content["train"])
        np.testing.assert_array_equal(labels, content["train_labels"])
    else:
        with pytest.raises(ValueError, match="there are no labels"):
            load(path, batch_size=4, labels=True)
    if "x_test" in names:
        images, labels = gather(load(path, split="test", batch_size=5, shuffle=False, labels=True))
        np.testing.assert_array_equal(images, content["test"])
        np.testing.assert_array_equal(labels, content["test_labels"])
    else:
        with pytest.raises(ValueError, match="no split 'test'"):
            load(path, split="test", batch_size=4)


def test_npz_with_other_names(tmp_path):
    np.savez(tmp_path / "a.npz", first=numbered(3), second=numbered(3))
    with pytest.raises(ValueError, match=r"\['first', 'second'\].*`images`"):
        load(tmp_path / "a.npz", batch_size=2)


def test_damaged_array_files(tmp_path):
    (tmp_path / "text.npy").write_text("not an array")
    np.save(tmp_path / "cut.npy", numbered(20))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:200])
    np.savez(tmp_path / "cut.npz", images=numbered(20))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:200])
    np.savez(tmp_path / "objects.npz", images=np.array([None, "a"]))
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "b.npy", numbered(20))
    (tmp_path / "b.npy").rename(tmp_path / "renamed.npz")
    for name in ("text.npy", "cut.npy", "cut.npz", "objects.npz", "empty.npz", "renamed.npz"):
        with pytest.raises(ValueError, match=f"{name}.*cannot be read as arrays of numbers"):
            load(tmp_path / name, batch_size=2)


# Kinds of pictures -------------------------------------------------------------------------------


def _rows(top, bottom, channels=1):
    """8×8: four rows of one value over four of another."""
    column = np.repeat(np.array([top, bottom]).reshape(2, -1), 4, axis=0)
    return np.broadcast_to(column[:, None, :], (8, 8, channels)).astype("uint8")


def _palette(**kwargs):
    picture = PIL.Image.fromarray(_rows(0, 1)[..., 0]).convert("P")
    picture.putpalette([0, 0, 255, 255, 0, 0])  # 0: blue, 1: red
    return picture, kwargs


def _exif(kind):
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6  # turn it a quarter clockwise to see it upright
    # As stored: the left quarter is black. Upright: the top quarter is.
    stored = np.full((8, 16), 255, "uint8")
    stored[:, :8] = 0
    return PIL.Image.fromarray(stored), {"exif": exif, **kind}


UPRIGHT = np.repeat(np.array([0, 255], "uint8"), 8)[:, None, None] * np.ones((16, 8, 1), "uint8")

RAMP = np.arange(64, dtype="uint8").reshape(8, 8)
COLOURS = np.stack([RAMP, 2 * RAMP, 3 * RAMP], axis=-1)
HALF = 128
"""Half transparent: black on white then becomes 255 · (1 − 128/255) = 127."""

KINDS = {
    # name: (what is saved, arguments of saving, what must be read)
    "bits.png": lambda: (
        PIL.Image.fromarray(_rows(0, 255)[..., 0]).convert("1"),
        {},
        _rows(0, 255),
    ),
    "grey.png": lambda: (RAMP, {}, RAMP[..., None]),
    "grey.bmp": lambda: (RAMP, {}, RAMP[..., None]),
    "grey.pgm": lambda: (RAMP, {}, RAMP[..., None]),
    "grey-alpha.png": lambda: (
        PIL.Image.fromarray(np.dstack([plain(0), _rows(0, HALF)[..., 0]]), "LA"),
        {},
        _rows(255, 127),
    ),
    "grey-key.png": lambda: (_rows(9, 50)[..., 0], {"transparency": 9}, _rows(255, 50)),
    "palette.png": lambda: (*_palette(), _rows([0, 0, 255], [255, 0, 0], 3)),
    "palette-key.png": lambda: (*_palette(transparency=0), _rows([255] * 3, [255, 0, 0], 3)),
    "palette-alpha.png": lambda: (
        *_palette(transparency=bytes([0, HALF])),
        _rows([255] * 3, [255, 127, 127], 3),
    ),
    "palette.gif": lambda: (*_palette(transparency=0), _rows([255] * 3, [255, 0, 0], 3)),
    "colour.png": lambda: (COLOURS, {}, COLOURS),
    "colour.tif": lambda: (COLOURS, {}, COLOURS),
    "colour.webp": lambda: (COLOURS, {"lossless": True}, COLOURS),
    "colour-alpha.png": lambda: (
        np.dstack([np.zeros((8, 8, 3), "uint8"), _rows(255, HALF)]),
        {},
        _rows([0] * 3, [127] * 3, 3),
    ),
    "cmyk.jpg": lambda: (
        PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0)),
        {"quality": 100},
        _rows([255, 0, 0], [255, 0, 0], 3),
    ),
    "16-bit.png": lambda: (RAMP.astype("uint16") * 4 * 257 + 100, {}, RAMP[..., None] * 4),
    "16-bit-white.png": lambda: (np.full((8, 8), 65535, "uint16"), {}, _rows(255, 255)),
    # Dark, but of 16 bits all the same: 200 of 65,535 is 1 of 255.
    "16-bit-dark.png": lambda: (np.full((8, 8), 200, "uint16"), {}, _rows(1, 1)),
    "16-bit.tif": lambda: (np.full((8, 8), 65535, "uint16"), {}, _rows(255, 255)),
    "float.tif": lambda: (np.full((8, 8), 0.2, "float32"), {}, _rows(51, 51)),
    "32-bit.tif": lambda: (np.full((8, 8), 200, "int32"), {}, _rows(200, 200)),
    "turned.jpg": lambda: (*_exif({"quality": 100}), UPRIGHT),
    "turned.png": lambda: (*_exif({}), UPRIGHT),
    "turned.tif": lambda: (*_exif({}), UPRIGHT),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_images(tmp_path, kind):
    picture, arguments, expected = KINDS[kind]()
    save(tmp_path / kind, picture, **arguments)
    found = gather(load(tmp_path, batch_size=1))[0]
    assert found.shape == expected.shape and found.dtype == np.uint8
    # JPEG loses a little; all else must be exact.
    np.testing.assert_allclose(found.astype(int), expected, atol=3 if kind.endswith("jpg") else 0)


def test_mixed_kinds_in_one_folder(tmp_path):
    expected = []
    for kind in sorted(KINDS):
        picture, arguments, wanted = KINDS[kind]()
        if wanted.shape[:2] == (8, 8):
            save(tmp_path / kind, picture, **arguments)
            expected.append(np.broadcast_to(wanted, (8, 8, 3)))
    found = gather(load(tmp_path, batch_size=4, shuffle=False))
    np.testing.assert_allclose(found.astype(int), np.stack(expected), atol=3)


def test_channels(tmp_path):
    transparent = np.dstack([np.full((8, 8, 3), 10, "uint8"), _rows(255, HALF)])
    save(tmp_path / "a.png", transparent)
    save(tmp_path / "b.png", COLOURS)
    found = gather(load(tmp_path, channels=4, batch_size=2, shuffle=False))
    np.testing.assert_array_equal(found[0], transparent)
    np.testing.assert_array_equal(found[1], np.dstack([COLOURS, plain(255)]))
    found = gather(load(tmp_path, channels=1, batch_size=2, shuffle=False))
    np.testing.assert_array_equal(found[0], _rows(10, 132))  # 10 · 128/255 + 255 · 127/255
    assert found.shape == (2, 8, 8, 1)


def test_jpeg_turned_by_exif_keeps_its_resolution(tmp_path):
    """JPEGs are decoded at reduced size where that loses nothing, whichever way they lie."""
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    noise = np.random.default_rng(0).integers(0, 256, (80, 40), "uint8")
    save(tmp_path / "a.jpg", noise, exif=exif, quality=95)
    found = gather(load(tmp_path, image_size=(40, 10), batch_size=1))[0, ..., 0]
    with PIL.Image.open(tmp_path / "a.jpg") as picture:
        upright = np.asarray(PIL.ImageOps.exif_transpose(picture))  # 40×80
    np.testing.assert_array_equal(found, upright[:, 35:45])


def test_large_jpeg_is_scaled(tmp_path):
    picture = np.zeros((160, 320, 3), "uint8")
    picture[:, 160:] = [250, 100, 0]
    save(tmp_path / "a.jpg", picture, quality=95)
    found = gather(load(tmp_path, image_size=16, batch_size=1))[0].astype(int)
    np.testing.assert_allclose(found[:, :6], 0, atol=6)
    np.testing.assert_allclose(found[:, -6:], np.broadcast_to([250, 100, 0], (16, 6, 3)), atol=6)


# Folders and zips --------------------------------------------------------------------------------


def test_nested_folders_are_searched_in_order_of_names(tmp_path):
    for value, name in enumerate(["b/c/d.png", "a.png", "b/a.PNG", "z/y/x/w.png"]):
        save(tmp_path / name, plain(value))
    found = gather(load(tmp_path, batch_size=4, shuffle=False))
    np.testing.assert_array_equal(found[:, 0, 0, 0], [1, 2, 0, 3])


def test_files_that_are_no_images_are_passed_over(folder):
    expected = batches(load(folder, batch_size=4))
    (folder / "LICENSE").write_text("free")
    (folder / "README.md").write_text("pictures")
    (folder / "cat" / "labels.csv").write_text("a,b")
    for name in (".hidden.png", "._00.png", ".cache/00.png", "__MACOSX/00.png", "cat/.x.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no picture")
    assert_same(batches(load(folder, batch_size=4)), expected)


def test_mixed_sizes(tmp_path):
    for i, shape in enumerate([(8, 8), (6, 9), (6, 9), (6, 9), (20, 4)]):
        save(tmp_path / f"{i}.png", plain(40 * i, *shape))
    message = r"3 different sizes .*most frequent is 6×9, 3 of 5.*`image_size`"
    with pytest.raises(ValueError, match=message):
        load(tmp_path, batch_size=2)
    found = gather(load(tmp_path, image_size=(5, 7), batch_size=2, shuffle=False))
    assert found.shape == (5, 5, 7, 1)
    np.testing.assert_array_equal(found[:, 0, 0, 0], [0, 40, 80, 120, 160])


def test_class_folders_become_labels(folder):
    ds = load(folder, labels=True, batch_size=12)
    images, labels = gather(ds)
    assert ds.class_names == ["cat", "dog"]
    np.testing.assert_array_equal(images[:, 0, 0, 0] // 20 % 2, labels)
    assert load(folder, batch_size=12).class_names is None


def test_classes_are_the_first_folders_that_differ(tmp_path):
    save(tmp_path / "all" / "fruit" / "apple" / "red" / "1.png", plain(1))
    save(tmp_path / "all" / "fruit" / "apple" / "2.png", plain(2))
    save(tmp_path / "all" / "fruit" / "pear" / "3.png", plain(3))
    ds = load(tmp_path, labels=True, batch_size=3, shuffle=False)
    assert ds.class_names == ["apple", "pear"]
    images, labels = gather(ds)
    # In the order of names: apple/2, apple/red/1, pear/3.
    np.testing.assert_array_equal(images[:, 0, 0, 0], [2, 1, 3])
    np.testing.assert_array_equal(labels, [0, 0, 1])


def test_split_folders(tmp_path):
    for i, name in enumerate(["train/a/1", "train/b/2", "test/b/3", "val/a/4", "test/b/5"]):
        save(tmp_path / f"{name}.png", plain(i + 1))
    for split, values, labels in [
        ("train", [1, 2], [0, 1]),
        ("test", [3, 5], [1, 1]),  # class b is number 1, also where there is no a
        ("validation", [4], [0]),
        ("val", [4], [0]),
    ]:
        ds = load(tmp_path, split=split, labels=True, batch_size=1, shuffle=False)
        images, found = gather(ds)
        np.testing.assert_array_equal(images[:, 0, 0, 0], values)
        np.testing.assert_array_equal(found, labels)
        assert ds.class_names == ["a", "b"]
    with pytest.raises(ValueError, match=r"split.*'tests'. Did you mean 'test'\?"):
        load(tmp_path, split="tests", batch_size=1)


@pytest.mark.parametrize("above", ["", "fruit", "fruit/jpg"])
def test_folder_with_one_split_only(tmp_path, above):
    save(tmp_path / above / "test" / "a.png", plain(1))
    assert len(gather(load(tmp_path, split="test", batch_size=1))) == 1
    with pytest.raises(ValueError, match=r"Unknown split of .*'train'.*Known: test"):
        load(tmp_path, batch_size=1)


def test_folder_without_splits_is_all_train(folder):
    assert len(gather(load(folder, split="train", batch_size=4))) == 12
    with pytest.raises(ValueError, match="no split 'test'.*all of it is 'train'"):
        load(folder, split="test", batch_size=4)


def test_loose_images_have_no_class(folder):
    save(folder / "loose.png", plain(0))
    save(folder / "more.png", plain(0))
    with pytest.raises(
        ValueError, match=r"loose.png' and 1 more lie in none.*one folder per class"
    ):
        load(folder, labels=True, batch_size=4)
    assert len(gather(load(folder, batch_size=4))) == 14


def test_no_images(tmp_path):
    (tmp_path / "notes.txt").write_text("none here")
    with pytest.raises(ValueError, match=r"no images in .*\.png"):
        load(tmp_path)


def _truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _spoil(path):
    path.write_text("this is text")


@pytest.mark.parametrize("channels", [None, 1])
@pytest.mark.parametrize("damage", [_truncate, _spoil])
def test_damaged_images(tmp_path, rng, damage, channels):
    for i in range(4):
        save(tmp_path / f"{i}.png", rng.integers(0, 256, (16, 16), "uint8"))
    damage(tmp_path / "2.png")
    size = None if channels is None else 8
    with pytest.raises(ValueError, match=r"2\.png' cannot be read as an image .*on_error='skip'"):
        load(tmp_path, batch_size=1, channels=channels, image_size=size)
    with pytest.warns(UserWarning, match=r"1 damaged images .*left out: 2\.png") as record:
        ds = load(tmp_path, batch_size=1, channels=channels, image_size=size, on_error="skip")
    assert record[0].filename == __file__  # it points at the user's line
    assert len(gather(ds)) == 3


def test_all_damaged(tmp_path):
    _spoil(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"All images in .* are damaged: a\.png"):
        load(tmp_path, batch_size=1, on_error="skip")


def test_skip_without_damage_warns_of_nothing(folder):
    assert_same(
        batches(load(folder, batch_size=5, on_error="skip")), batches(load(folder, batch_size=5))
    )


def test_zip_equals_folder(folder, tmp_path):
    (folder / "LICENSE").write_text("free")
    path = shutil.make_archive(tmp_path / "archive", "zip", folder.parent, folder.name)
    for kwargs in ({}, {"labels": True, "seed": 3}, {"image_size": (5, 6)}):
        zipped, unpacked = (load(p, batch_size=5, **kwargs) for p in (path, folder))
        assert_same(batches(zipped), batches(unpacked))
        assert zipped.class_names == unpacked.class_names


def test_zip_equals_folder_when_streamed(folder, tmp_path, streaming):
    path = shutil.make_archive(tmp_path / "archive", "zip", folder)
    assert_same(
        batches(load(path, batch_size=5, labels=True)),
        batches(load(folder, batch_size=5, labels=True)),
    )


def test_damaged_zips(folder, tmp_path, rng):
    path = tmp_path / "archive.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match=r"archive\.zip' cannot be read as a zip"):
        load(path)
    with zipfile.ZipFile(path, "w") as file:
        for i in range(3):
            save(tmp_path / "a.png", rng.integers(0, 256, (16, 16), "uint8"))
            file.write(tmp_path / "a.png", f"{i}.png")
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 20] ^= 0xFF  # the check sum of the first member fails
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"archive\.zip/0\.png' cannot be read"):
        load(path, batch_size=1)
    with pytest.warns(UserWarning, match=r"left out: 0\.png"):
        assert len(gather(load(path, batch_size=1, on_error="skip"))) == 2


def test_names_beyond_ascii(tmp_path):
    save(tmp_path / "größe" / "猫" / "é 1.png", plain(1))
    save(tmp_path / "größe" / "Ωμέγα" / "2.png", plain(2))
    ds = load(tmp_path / "größe", labels=True, batch_size=2, shuffle=False)
    assert ds.class_names == ["Ωμέγα", "猫"]
    np.testing.assert_array_equal(gather(ds)[0][:, 0, 0, 0], [2, 1])
    path = shutil.make_archive(tmp_path / "größe", "zip", tmp_path, "größe")
    zipped = load(path, labels=True, batch_size=2, shuffle=False)
    assert zipped.class_names == ds.class_names
    assert_same(batches(zipped), batches(ds))


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [None, 0, ["train"]])
def test_a_split_is_a_name(split, tmp_path):
    with pytest.raises(TypeError, match="`split` must be a name such as 'train' or 'test'"):
        load(tmp_path, split=split, labels=True)


@pytest.mark.parametrize(("name", "meant"), [("minst", "mnist"), ("digit", "digits")])
def test_unknown_names_come_with_the_nearest(name, meant):
    pytest.importorskip("tensorflow_datasets", reason="other names are looked up there")
    with pytest.raises(
        ValueError,
        match=f"Unknown data set .and there is no such file or folder.: '{name}'.*'{meant}'",
    ):
        load(name)


@pytest.mark.parametrize("name", ["my pictures", "mnist/nothing", "mnist:9.9.9"])
def test_names_that_cannot_be_data_sets(name):
    pytest.importorskip("tensorflow_datasets", reason="other names are looked up there")
    with pytest.raises(ValueError, match=f"'{name}' is neither a file, a folder nor"):
        load(name)


def test_paths_that_do_not_exist(tmp_path):
    for source in (
        tmp_path / "nowhere",
        str(tmp_path / "nowhere"),
        "./nowhere",
        "~/no/such/folder/here",
        "nowhere.zip",
        "nowhere.npz",
        "nowhere.npy",
    ):
        with pytest.raises(FileNotFoundError, match="There is no file or folder '.*here"):
            load(source)


def test_file_of_another_kind(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(ValueError, match=r"a\.txt' is not a folder, a \.zip"):
        load(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "`batch_size` must be at least 1"),
        ({"batch_size": 2.5}, TypeError, "`batch_size` must be a whole number"),
        ({"batch_size": 5000}, ValueError, "1498 examples.*smaller `batch_size`"),
        ({"seed": -1}, ValueError, "`seed` must be at least 0"),
        ({"seed": None}, TypeError, "`seed` must be a whole number"),
        ({"channels": 2}, ValueError, "`channels` is 1 .*3 .*4 .*Received: 2"),
        ({"on_error": "ignore"}, ValueError, "`on_error`: 'ignore'. Known: raise, skip"),
        ({"image_size": (1, 2, 3)}, ValueError, r"`image_size`.*Received: \(1, 2, 3\)"),
        ({"image_size": 0}, ValueError, "`image_size` must be at least 1"),
        ({"image_size": "big"}, TypeError, "`image_size` must be a whole number"),
        ({"split": "tset"}, ValueError, r"`split`: 'tset'. Did you mean 'test'\?"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        load("digits", **arguments)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("", ValueError, "`source` is empty"),
        (None, TypeError, "`source` must be a name.*NoneType"),
        ([1, 2], TypeError, "`source` must be a name.*list"),
        ((1, 2, 3), TypeError, "`source` must be a name"),
        (np.zeros((0, 8, 8, 1), "uint8"), ValueError, "The array is empty"),
        (np.array([np.zeros(1), np.zeros(2)], object), ValueError, "Python objects"),
        (np.array(["a", "b"]), ValueError, "numbers. Received <U1"),
        (np.zeros(9), ValueError, r"shape \(count, height, width.*Received: \(9,\)"),
        (np.array(9), ValueError, r"shape \(count.*Received: \(\)"),
        (np.zeros((9, 2, 2, 2, 2)), ValueError, r"shape \(count"),
    ],
    ids=["empty", "None", "list", "triple", "no", "objects", "strings", "1d", "0d", "5d"],
)
def test_bad_sources(source, error, message):
    with pytest.raises(error, match=message):
        load(source, batch_size=1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "there are no labels"),
        (np.arange(8), "10 images and 8 labels"),
        (np.arange(10.0), r"whole number per image. Received float64 of shape \(10,\)"),
        (np.eye(10, dtype="int32"), r"Received int32 of shape \(10, 10\)"),
    ],
    ids=["none", "too few", "floats", "one-hot"],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        load((numbered(10), labels), labels=True, batch_size=1)


def test_arrays_have_no_splits():
    with pytest.raises(ValueError, match="An array has no split 'test'"):
        load(numbered(10), split="test", batch_size=1)


@pytest.mark.parametrize(
    "images",
    [np.zeros((4, 8, 8, 3), "float32"), np.zeros((4, 2), "uint8"), np.zeros((4, 8, 8, 5), "uint8")],
    ids=["floats", "points", "five channels"],
)
def test_only_images_are_resized(images):
    with pytest.raises(ValueError, match="`image_size` resizes uint8 images of 1 to 4 channels"):
        load(images, image_size=4, batch_size=1)


# Streaming ---------------------------------------------------------------------------------------


def test_streamed_batches_equal_cached_ones(folder, monkeypatch):
    kwargs = {"labels": True, "image_size": (5, 7), "batch_size": 5, "seed": 2}
    reads = []
    decode = image_folder.ImageFolder._decode
    monkeypatch.setattr(
        image_folder.ImageFolder,
        "_decode",
        lambda self, name: reads.append(name) or decode(self, name),
    )
    cached = load(folder, **kwargs)
    assert len(reads) == 12
    expected = [batches(cached) for _ in range(2)]
    assert len(reads) == 12  # once for all
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 0)
    streamed = load(folder, **kwargs)
    assert len(reads) <= 14  # none before they are asked for, but some to see how bright they are
    before = len(reads)
    for epoch in expected:
        assert_same(batches(streamed), epoch)
    assert len(reads) == before + 2 * 12
    assert streamed.class_names == cached.class_names


def test_resized_arrays_are_streamed_too(rng, monkeypatch):
    images = rng.integers(0, 256, (20, 8, 8, 3), "uint8")
    expected = batches(load(images, image_size=6, batch_size=8))
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 0)
    assert_same(batches(load(images, image_size=6, batch_size=8)), expected)


def _anonymous_bytes():
    """Memory of this process, less the files it maps."""
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_memory_does_not_grow_with_the_data(tmp_path):
    """200 MB pass through; a fifth of that may stay in buffers and allocators, all must not."""
    count, side = 50_000, 64
    np.lib.format.open_memmap(  # sparse: takes no room on the disk
        tmp_path / "a.npy", mode="w+", dtype="uint8", shape=(count, side, side, 1)
    ).flush()
    few = np.zeros((2048, side, side, 1), "uint8")
    batches(load(few, batch_size=256))  # whatever is set up once
    before, most, seen = _anonymous_bytes(), 0, 0
    for i, batch in enumerate(load(tmp_path / "a.npy", batch_size=256)):
        seen += len(batch)
        if i % 10 == 0:
            most = max(most, _anonymous_bytes())
    assert seen == count
    assert most - before < count * side * side / 5


# Without TensorFlow ------------------------------------------------------------------------------

WITHOUT_TENSORFLOW = """
import json, sys
sys.modules["tensorflow"] = None  # as if it were not installed
import keras, numpy as np
from ganzoo.datasets import load

folder, array, out = sys.argv[1:]
images = np.load(array)
found, report = {}, {}
for name, source, kwargs in json.loads(sys.stdin.read()):
    source = {"folder": folder, "array": images, "pair": (images, np.arange(len(images)))}.get(
        source, source)
    ds = load(source, **kwargs)
    assert isinstance(ds, keras.utils.PyDataset), type(ds)
    report[name] = ds.class_names
    for epoch in range(2):
        for i in range(len(ds)):
            batch = ds[i] if isinstance(ds[i], tuple) else (ds[i],)
            for j, part in enumerate(batch):
                found[f"{name}/{epoch}/{i}/{j}"] = part
        ds.on_epoch_end()
np.savez(out, **found)
try:
    load("mnist")
except ImportError as error:
    report["error"] = str(error)
assert "tensorflow.python" not in sys.modules
print(json.dumps(report))
"""

SOURCES = [
    ["digits", "digits", {"labels": True, "batch_size": 700}],
    ["folder", "folder", {"labels": True, "batch_size": 5, "seed": 4, "image_size": 6}],
    ["array", "array", {"batch_size": 8}],
    ["pair", "pair", {"batch_size": 8, "labels": True, "shuffle": False}],
]


def test_without_tensorflow(folder, tmp_path):
    pytest.importorskip("jax")
    images = numbered(20)
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_TENSORFLOW),
            *(str(folder), str(tmp_path / "images.npy"), str(tmp_path / "found.npz")),
        ],
        input=json.dumps(SOURCES),
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    with np.load(tmp_path / "found.npz") as file:
        found = dict(file)
    for name, source, kwargs in SOURCES:
        source = {"folder": folder, "array": images, "pair": (images, np.arange(20))}.get(
            source, source
        )
        ds = load(source, **kwargs)
        assert report[name] == ds.class_names
        for epoch in range(2):
            for i, batch in enumerate(batches(ds)):
                for j, part in enumerate(batch):
                    other = found.pop(f"{name}/{epoch}/{i}/{j}")
                    assert other.dtype == part.dtype
                    np.testing.assert_array_equal(other, part)
    assert not found  # no batch more
    assert re.search(
        r"'mnist' is not a file.*pip install tensorflow tensorflow-datasets", report["error"]
    )


# TensorFlow Datasets, offline --------------------------------------------------------------------


@pytest.fixture(scope="module")
def offline(real_data, tfds_dir):
    """TensorFlow Datasets that prepares into a temporary folder."""
    tfds = pytest.importorskip("tensorflow_datasets")
    with pytest.MonkeyPatch.context() as patch:
        # The environment variable TFDS_DATA_DIR would be read only at the first import.
        patch.setattr(tfds.core.constants, "DATA_DIR", str(tfds_dir))
        # What another data set with archives of the same names left behind must not be used:
        # MNIST's pictures would become Fashion-MNIST's.
        left = tfds_dir / "downloads" / "extracted"
        left.mkdir(parents=True, exist_ok=True)
        for path in (real_data / "fashion-mnist").glob("*.gz"):
            (left / f"GZIP.{path.name}").touch()
        yield {
            "mnist": ("mnist", real_data / "mnist"),
            "fashion_mnist": ("fashion_mnist", real_data),  # finds the sub-folder fashion-mnist
        }


def _idx(folder, kind):
    """Pictures and labels as in the original archives, read here."""
    with gzip.open(folder / f"{kind}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(folder / f"{kind}-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read(), "uint8", offset=8)


def _multiset(images, labels):
    return collections.Counter(
        image.tobytes() + bytes([label]) for image, label in zip(images, labels)
    )


@pytest.mark.slow  # preparing takes a processor 10 s and more each
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_tfds_from_original_archives(name, offline, real_data, capsys):
    name, data_dir = offline[name]
    for split, kind, count in (("train", "train", 60_000), ("test", "t10k", 10_000)):
        ds = load(name, split=split, data_dir=data_dir, labels=True, batch_size=1000)
        images, labels = gather(ds)
        assert images.shape == (count, 28, 28, 1) and images.dtype == np.uint8
        assert labels.dtype == np.int32
        assert _multiset(images, labels) == _multiset(
            *_idx(real_data / name.replace("_", "-"), kind)
        )
        if name == "fashion_mnist":
            np.testing.assert_array_equal(np.bincount(labels), [count // 10] * 10)
    assert len(ds.class_names) == 10
    assert capsys.readouterr().out == ""  # where a command's own output belongs


@pytest.mark.slow
def test_tfds_streamed(offline, real_data, streaming):
    name, data_dir = offline["fashion_mnist"]
    kwargs = {"data_dir": data_dir, "labels": True, "batch_size": 600}
    images, labels = gather(load(name, split="test", **kwargs))
    assert _multiset(images, labels) == _multiset(*_idx(real_data / "fashion-mnist", "t10k"))
    assert len(labels) % 600  # the last batch is a partial one

    def epochs(seed, **more):
        ds = load(name, split="test[:1500]", seed=seed, **kwargs, **more)
        return [tuple(map(bytes, gather(ds)[0])) for _ in range(2)]

    first = epochs(1)
    assert epochs(1) == first
    assert len({*first, *epochs(2)}) == 4
    still = epochs(1, shuffle=False)
    assert still[0] == still[1] != first[0]
    assert sorted(still[0]) == sorted(first[0]) == sorted(first[1])


def test_tfds_resized(offline, monkeypatch):
    name, data_dir = offline["fashion_mnist"]
    kwargs = {"split": "test[:64]", "data_dir": data_dir, "shuffle": False}
    original = gather(load(name, **kwargs))
    expected = gather(load(original, image_size=(16, 20), shuffle=False))
    cached = gather(load(name, image_size=(16, 20), **kwargs))
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 0)
    streamed = gather(load(name, image_size=(16, 20), **kwargs))
    np.testing.assert_array_equal(cached, expected)
    np.testing.assert_array_equal(streamed, expected)


def test_tfds_refuses(offline, tmp_path):
    name, data_dir = offline["fashion_mnist"]
    with pytest.raises(
        ValueError, match=r"split of 'fashion_mnist': 'tset'. Did you mean 'test'\?"
    ):
        load(name, split="tset", data_dir=data_dir)
    with pytest.raises(FileNotFoundError, match="`data_dir`: there is no folder"):
        load(name, data_dir=tmp_path / "nowhere")


# Real folders of pictures ------------------------------------------------------------------------


def test_noto_emoji(real_data):
    path = real_data / "noto-emoji-72.zip"
    ds = load(path, batch_size=500, shuffle=False)
    images = gather(ds)
    assert images.shape == (3583, 72, 72, 3)
    with zipfile.ZipFile(path) as file:
        names = sorted(n for n in file.namelist() if n.endswith(".png"))
        for i in range(0, len(names), 400):
            with PIL.Image.open(file.open(names[i])) as picture:
                rgba = np.asarray(picture.convert("RGBA")).astype(float)
            alpha = rgba[..., 3:] / 255
            on_white = rgba[..., :3] * alpha + 255 * (1 - alpha)
            np.testing.assert_allclose(images[i], on_white, atol=1)
    with pytest.raises(ValueError, match="lie in one, '72'.*Leave `labels=True` out"):
        load(path, labels=True)


def test_dcss_tiles(real_data):
    ds = load(real_data / "dcss-tiles.zip", image_size=32, labels=True, batch_size=500)
    images, labels = gather(ds)
    assert images.shape == (4357, 32, 32, 3)
    with zipfile.ZipFile(real_data / "dcss-tiles.zip") as file:
        folders = collections.Counter(
            n.split("/")[0] for n in file.namelist() if n.endswith(".png")
        )
    assert ds.class_names == sorted(folders)
    assert dict(zip(ds.class_names, np.bincount(labels))) == folders
    with pytest.raises(ValueError, match="most frequent is 32×32, 4249 of 4357"):
        load(real_data / "dcss-tiles.zip")


def test_grocery_fruit(real_data):
    total = np.zeros(3, int)
    for split in ("train", "validation", "test"):
        ds = load(
            real_data / "grocery-fruit.zip",
            split=split,
            image_size=(24, 32),
            labels=True,
            batch_size=16,
        )
        images, labels = gather(ds)
        assert images.shape[1:] == (24, 32, 3)
        assert ds.class_names == ["Apple", "Orange", "Satsumas"]
        total += np.bincount(labels, minlength=3)
    np.testing.assert_array_equal(total, [576, 118, 143])
