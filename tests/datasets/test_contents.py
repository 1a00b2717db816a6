"""What `load` says of what it found: nothing is dropped, reordered or rescaled without a word."""

import io
import os
import warnings
import zipfile

import numpy as np
import PIL.Image
import pytest

import ganzoo
from ganzoo import evaluation
from ganzoo.datasets import classes
from ganzoo.datasets import levels
from ganzoo.datasets import load
from ganzoo.datasets import load_pair


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(array).save(path)


def ramp(top=255, size=8, dtype="uint8"):
    """An image from black to `top`."""
    row = np.linspace(0, top, size)
    return np.tile(row.astype(dtype), (size, 1))


def fill(folder, names, array=None):
    for name in names:
        save(folder / name, ramp() if array is None else array)
    return folder


def gather(ds):
    return np.concatenate([np.asarray(b[0] if isinstance(b, tuple) else b) for b in ds])


def silent(*args, **kwargs):
    """The data set, where nothing is worth a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load(*args, batch_size=1, shuffle=False, **kwargs)


# The line --------------------------------------------------------------------------------------


def test_one_line_tells_images_files_size_depth_classes_and_what_is_left_out(tmp_path, capsys):
    fill(tmp_path, ["a/1.png", "a/2.png", "b/3.png", "a/.x.png"])
    (tmp_path / "notes.txt").write_text("no image")
    silent(tmp_path, labels=True)
    out, line = capsys.readouterr()
    assert out == ""  # which belongs to the command's own output
    assert line == (
        f"{tmp_path}: 3 images in 5 files, 8×8×1, 8 bits; 2 classes: a: 2, b: 1; "
        "left out: .txt: 1, hidden: 1\n"
    )


def test_the_line_can_be_switched_off_and_read_from_the_data_set(tmp_path, capsys):
    ds = silent(fill(tmp_path, ["1.png", "2.png"]), verbose=False)
    assert capsys.readouterr().err == ""
    assert ds.contents.images == 2 and ds.contents.files == 2 and ds.contents.classes is None
    assert str(ds.contents) == f"{tmp_path}: 2 images in 2 files, 8×8×1, 8 bits"


def test_sizes_and_animations_are_told(tmp_path):
    fill(tmp_path, ["1.png"], ramp(size=9))
    fill(tmp_path, ["2.png"])
    frames = [PIL.Image.fromarray(ramp(top)) for top in (255, 128)]
    frames[0].save(tmp_path / "3.gif", save_all=True, append_images=frames[1:])
    text = str(silent(tmp_path, image_size=8).contents)
    assert "8×8×1 (scaled and cropped from 2 sizes)" in text or "8×8×3 (scaled" in text
    assert "the first frame of 1 animations" in text


def test_one_size_that_is_changed_and_transparency_are_told(tmp_path):
    for name in ("1.png", "2.png"):
        PIL.Image.new("RGBA", (12, 8)).save(tmp_path / name)
    text = str(silent(tmp_path, image_size=4).contents)
    assert "4×4×3 (scaled and cropped from 8×12), 8 bits; 2 with an alpha channel" in text
    assert "(scaled from 8×12)" in str(silent(tmp_path, image_size=(4, 6)).contents)
    assert "(" not in str(silent(tmp_path).contents).partition(": ")[2]
    assert "transparency" not in str(silent(tmp_path, channels=4).contents)


def test_arrays_names_and_pairs_have_contents_too():
    images = np.stack([ramp()] * 5)
    text = str(silent(images, labels=[0, 0, 1, 1, 1]).contents)
    assert text == "arrays: 5 images, 8×8×1, uint8; 2 classes: 0: 2, 1: 3"
    assert "1,498 images, 8×8×1" in str(silent("digits").contents)
    assert "points, 2 numbers each" in str(silent("ring").contents)
    first, second = load_pair(images, images, paired=True, batch_size=1).contents
    assert first.images == second.images == 5


def test_many_classes_are_counted_not_listed(tmp_path):
    fill(tmp_path, [f"{i}/a.png" for i in range(15)] + ["3/b.png"])
    text = str(silent(tmp_path, labels=True).contents)
    assert "15 classes of 1 to 2: 0: 1, 1: 1, 2: 1, 3: 2, …" in text


def test_files_without_a_partner_are_counted(tmp_path):
    fill(tmp_path / "a", ["1.png", "2.png", "3.png"])
    fill(tmp_path / "b", ["2.png", "3.png", "4.png", "5.png"])
    ds = load_pair(tmp_path / "a", tmp_path / "b", paired=True, batch_size=1)
    assert [c.left_out["without a partner"] for c in ds.contents] == [1, 2]
    assert [c.images for c in ds.contents] == [2, 2]


# Which files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jp2", "j2k", "avif", "jpe", "apng", "pnm"])
def test_further_formats_that_pillow_reads_are_images(tmp_path, ending):
    kind = {"jpe": "JPEG", "apng": "PNG", "pnm": "PPM"}.get(ending)
    for i in range(3):
        PIL.Image.fromarray(ramp()).convert("RGB").save(tmp_path / f"{i}.{ending}", format=kind)
    assert gather(silent(tmp_path)).shape == (3, 8, 8, 3)


@pytest.mark.parametrize("ending", ["heic", "PSD", "svg", "dng"])
def test_images_of_kinds_that_are_not_read_are_a_warning(tmp_path, ending):
    fill(tmp_path, ["1.png", "2.png"])
    for i in range(4):
        (tmp_path / f"{i}.{ending}").write_bytes(b"an image of another kind")
    with pytest.warns(UserWarning, match=rf"not read are left out.*4 of \.{ending.lower()}.*PNG"):
        assert load(tmp_path, batch_size=1).contents.images == 2


def test_files_without_an_ending_are_images_if_their_content_is(tmp_path):
    buffer = io.BytesIO()
    PIL.Image.fromarray(ramp()).save(buffer, "PNG")
    (tmp_path / "0a1b2c").write_bytes(buffer.getvalue())
    (tmp_path / "Makefile").write_text("all:")
    ds = silent(tmp_path)
    assert ds.contents.images == 1 and ds.contents.left_out == {"without ending": 1}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x/0a1b2c", buffer.getvalue())
    assert silent(tmp_path / "all.zip").contents.images == 1


@pytest.mark.parametrize(
    "folder", ["@eaDir/1.png", "#recycle", "$RECYCLE.BIN", "@Recycle", "__MACOSX", "lost+found"]
)
def test_folders_of_the_system_are_neither_images_nor_classes(tmp_path, folder):
    fill(tmp_path, ["cat/1.png", "dog/2.png", f"{folder}/thumb.jpg", f"cat/{folder}/thumb.jpg"])
    ds = silent(tmp_path, labels=True)
    assert ds.class_names == ["cat", "dog"] and ds.contents.images == 2
    assert ds.contents.left_out == {f"in {folder.split('/')[0]}": 2}


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    for name in ("a.npy", "b.npy", "c.txt"):
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=r"no images.*It holds, by ending: \.npy 2, \.txt 1\."):
        load(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no images.*It is empty"):
        load(tmp_path / "empty")


# Names and paths -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits", "grid", "stacked_mnist"])
def test_a_folder_comes_before_a_built_in_name_and_says_so(tmp_path, monkeypatch, name):
    fill(tmp_path / name, ["1.png", "2.png"], ramp(size=12))
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=f"'{name}' is a folder here.*built-in"):
        ds = load(name, batch_size=1)
    assert gather(ds).shape == (2, 12, 12, 1)


def test_a_folder_that_is_called_like_a_data_set_is_not_judged_like_it(tmp_path, monkeypatch):
    fill(tmp_path / "mnist", ["1.png", "2.png"])
    monkeypatch.chdir(tmp_path)
    assert evaluation.knows(silent("mnist").description) is None
    monkeypatch.chdir("/")
    assert evaluation.knows(silent("digits").description) is not None


def test_a_file_that_is_called_like_a_built_in_name_is_an_error_that_says_so(tmp_path, monkeypatch):
    (tmp_path / "ring").write_text("a list of rings")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="'ring' is not a folder.*built-in data set 'ring'"):
        load("ring")


@pytest.mark.parametrize("source", ["~nobody-of-this-name", "~nobody-of-this-name/images"])
def test_a_home_of_nobody_is_a_path_that_is_not_there(source):
    with pytest.raises(FileNotFoundError, match="There is no file or folder '~nobody"):
        load(source)


# Classes and splits ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1", "10", "2", "12"], ["1", "2", "10", "12"]),
        (["class10", "class9", "class1"], ["class1", "class9", "class10"]),
        (["-1", "0", "1", "-10"], ["-10", "-1", "0", "1"]),
        (["0.5", "0.25", "1"], ["0.25", "0.5", "1"]),
        (["a2b10", "a2b9", "a10b1"], ["a2b9", "a2b10", "a10b1"]),
        (["Zebra", "ant", "bee"], ["Zebra", "ant", "bee"]),
        (["007", "7", "08"], ["007", "7", "08"]),
    ],
    ids=lambda x: ",".join(x),
)
def test_classes_come_in_the_order_in_which_people_count(tmp_path, names, expected):
    for i, name in enumerate(names):
        save(tmp_path / name / "1.png", np.full((8, 8), 10 * i, "uint8"))
    ds = silent(tmp_path, labels=True)
    assert ds.class_names == expected
    for images, labels in ds:
        assert names.index(expected[int(labels[0])]) == int(np.asarray(images).max()) // 10


def test_a_models_classes_keep_their_numbers(tmp_path):
    fill(tmp_path, ["b/1.png", "d/2.png"])
    ds = silent(tmp_path, labels=True, class_names=["d", "c", "b"])
    assert ds.class_names == ["d", "c", "b"]
    assert [int(labels[0]) for _, labels in ds] == [2, 0]
    assert "d: 1, c: 0, b: 1" in str(ds.contents)
    with pytest.raises(ValueError, match="has the classes d, which `class_names` does not name"):
        load(tmp_path, labels=True, class_names=["a", "b"])
    with pytest.raises(ValueError, match="`class_names` orders those of folders"):
        load("digits", labels=True, class_names=["zero", "one"])


@pytest.mark.parametrize("name", ["train", "test", "val"])
def test_a_class_that_is_called_like_a_split_is_a_class(tmp_path, name):
    fill(tmp_path, ["boat/1.png", "bus/2.png", f"{name}/3.png", f"{name}/4.png"])
    ds = silent(tmp_path, labels=True)
    assert ds.class_names == ["boat", "bus", name]
    assert ds.contents.images == 4
    with pytest.raises(ValueError, match="no split 'validation'"):
        load(tmp_path, split="validation", batch_size=1)


def test_splits_beside_each_other_are_splits_and_the_others_are_told(tmp_path):
    fill(tmp_path, ["train/a/1.png", "train/b/2.png", "val/a/3.png"])
    assert "3 images" not in str(silent(tmp_path).contents)
    assert str(silent(tmp_path).contents).startswith(
        f"{tmp_path} (train): 2 images in 3 files, 8×8×1, 8 bits; not in this split: validation: 1"
    )
    fill(tmp_path, ["masks/4.png", "masks/5.png", "6.png"])
    with pytest.warns(UserWarning, match="left out: 1 in no folder, 2 in masks"):
        assert load(tmp_path, batch_size=1).contents.images == 2
    with pytest.warns(UserWarning, match="in none of them"):
        assert load(tmp_path, split="masks", batch_size=1).contents.images == 2


def test_splits_within_the_classes_are_splits(tmp_path):
    fill(tmp_path, ["cat/train/1.png", "cat/test/2.png", "dog/train/3.png", "dog/test/4.png"])
    ds = silent(tmp_path, split="test", labels=True)
    assert ds.class_names == ["cat", "dog"] and ds.contents.images == 2


@pytest.mark.parametrize(
    ("folder", "split"), [("Train", "train"), ("TESTING", "test"), ("Val", "val")]
)
def test_splits_may_be_spelled_otherwise(tmp_path, folder, split):
    fill(tmp_path, [f"{folder}/1.png", f"{folder}/2.png"])
    assert silent(tmp_path, split=split).contents.images == 2


def test_one_class_is_no_label_but_may_be_meant(tmp_path):
    fill(tmp_path, ["cats/1.png", "cats/2.png"])
    with pytest.raises(ValueError, match="lie in one, 'cats'.*class_names=\\['cats'\\]"):
        load(tmp_path, labels=True, batch_size=1)
    assert silent(tmp_path, labels=True, class_names=["cats", "dogs"]).contents.images == 2


def test_folders_without_images_are_no_classes_and_are_told(tmp_path):
    fill(tmp_path, ["train/cat/1.png", "train/dog/2.png"])
    (tmp_path / "train" / "cow").mkdir()
    with pytest.warns(UserWarning, match="without an image are no classes: cow"):
        assert load(tmp_path, labels=True, batch_size=1).class_names == ["cat", "dog"]
    silent(tmp_path)  # without labels it is no matter


@pytest.mark.parametrize("labels", [np.arange(6) % 3, list(np.arange(6) % 3), range(6)])
def test_labels_of_arrays_may_be_given_by_themselves(labels):
    images = np.stack([ramp()] * 6)
    ds = silent(images, labels=labels)
    assert [int(y[0]) for _, y in ds] == list(labels)
    with pytest.raises(ValueError, match="Labels are given twice"):
        load((images, labels), labels=labels)


def test_labels_of_a_folder_are_its_sub_folders(tmp_path):
    fill(tmp_path, ["a/1.png", "b/2.png"])
    with pytest.raises(TypeError, match="`labels` is True or False.*ndarray"):
        load(tmp_path, labels=np.arange(2))


# Values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_16_are_a_warning_that_says_how_to_read_them(tmp_path, bits):
    white = 2**bits - 1
    fill(tmp_path, ["1.png", "2.tif"], ramp(white, dtype="uint16"))
    with pytest.warns(UserWarning, match=rf"like {bits} bits in 16.*value_range=\(0, {white}\)"):
        load(tmp_path, batch_size=1)
    images = gather(silent(tmp_path, value_range=(0, white)))
    assert (images.min(), images.max()) == (0, 255)


def test_16_bits_that_are_used_are_no_warning(tmp_path):
    fill(tmp_path, ["1.png"], ramp(50_000, dtype="uint16"))
    assert gather(silent(tmp_path)).max() == round(50_000 / 257)


@pytest.mark.parametrize(
    ("low", "high", "begin", "end"),
    [
        (0, 1.004, 0, 1),
        (0, 0.7, 0, 1),
        (-0.02, 1, 0, 1),
        (-1, 1, -1, 1),
        (-1.01, 0.9, -1, 1),
        (0, 255, 0, 255),
        (0, 65535, 0, 65535),
    ],
)
def test_floats_have_one_range_for_the_whole_folder(tmp_path, low, high, begin, end):
    """The darker half of each set would, by itself, have another range."""
    values = np.linspace(low, high, 64, dtype="float32").reshape(8, 8)
    dark = np.minimum(values, low + (high - low) / 2)
    fill(tmp_path, ["1.tif"], values)
    fill(tmp_path, ["2.tif"], dark)
    ds = silent(tmp_path)
    for found, stored in zip(gather(ds)[..., 0], (values, dark)):
        wanted = np.clip((stored - begin) * 255 / (end - begin), 0, 255)
        np.testing.assert_allclose(found, wanted, atol=0.51)
    assert "floats from " in str(ds.contents)


def test_floats_of_no_usual_range_are_a_warning(tmp_path):
    fill(tmp_path, ["1.tif"], ramp(1, dtype="float32") * 4000 - 1000)
    with pytest.warns(UserWarning, match=r"no usual range.*value_range=\(-1000, 3000\)"):
        images = gather(load(tmp_path, batch_size=1))
    assert (images.min(), images.max()) == (0, 255)


def test_nan_in_files_is_a_warning(tmp_path):
    values = ramp(1, dtype="float32")
    values[3, 3] = np.nan
    fill(tmp_path, ["1.tif", "2.tif"], values)
    fill(tmp_path, ["3.tif"], ramp(1, dtype="float32"))
    with pytest.warns(UserWarning, match="2 files of .* hold NaN"):
        load(tmp_path, batch_size=1)


@pytest.mark.parametrize("top", [1, 5, 20])
def test_masks_are_a_warning_and_can_be_scaled(tmp_path, top):
    fill(tmp_path, ["1.png", "2.png"], ramp(top))
    kind = "masks of 0 and 1" if top == 1 else ""
    with pytest.warns(UserWarning, match=rf"nearly black.*{kind}.*value_range=\(0, {top}\)"):
        load(tmp_path, batch_size=1)
    assert gather(silent(tmp_path, value_range=(0, top))).max() == 255
    with pytest.warns(UserWarning, match="nearly black"):
        load(np.stack([ramp(top)] * 3), batch_size=1)


def test_a_range_scales_colours_and_leaves_transparency(tmp_path):
    rgba = np.dstack([ramp(100), ramp(50), ramp(10), np.full((8, 8), 200, "uint8")])
    fill(tmp_path, ["1.png"], rgba)
    found = gather(silent(tmp_path, channels=4, value_range=(0, 100)))[0]
    np.testing.assert_array_equal(found[..., 3], 200)
    np.testing.assert_allclose(found[..., 0], ramp(100) * 2.55, atol=0.51)
    np.testing.assert_allclose(found[..., 1], ramp(50) * 2.55, atol=0.51)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int32", "bool"])
def test_a_range_makes_arrays_uint8(dtype):
    white = {"uint16": 4095, "float32": 1, "int32": 1000, "bool": 1}[dtype]
    images = np.stack([ramp(white, dtype=dtype)] * 2)
    found = gather(silent(images, value_range=(0, white)))
    assert found.dtype == np.uint8 and (found.min(), found.max()) == (0, 255)
    smaller = gather(silent(images, value_range=(0, white), image_size=4))
    assert smaller.shape == (2, 4, 4, 1)


@pytest.mark.parametrize("value", [(1, 0), (0, 0), (0,), "0,1", (0, float("nan")), 5, (0, 1, 2)])
def test_a_range_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=r"`value_range` is \(low, high\)"):
        load("digits", value_range=value)


def test_a_range_is_not_for_points():
    with pytest.raises(ValueError, match="`value_range` is for images"):
        load("ring", value_range=(0, 1))


def test_every_depth_keeps_its_own_scale_in_a_mixed_folder(tmp_path):
    fill(tmp_path, ["1.png"], ramp(255))
    fill(tmp_path, ["2.png"], ramp(65535, dtype="uint16"))
    fill(tmp_path, ["3.tif"], ramp(1, dtype="float32"))
    ds = silent(tmp_path)
    assert [int(np.asarray(b).max()) for b in ds] == [255, 255, 255]
    assert "16 bits and 8 bits and floats from 0 to 1" in str(ds.contents)


def test_floats_in_the_wrong_range_are_a_warning_in_load():
    images = np.random.default_rng(0).random((8, 8, 8, 3), "float32")
    with pytest.warns(UserWarning, match=r"floats in \[0, 1\].*images \* 2 - 1"):
        load(images, batch_size=1)
    silent(images * 2 - 1)
    silent(images[:, 0, 0, :2])  # points may lie anywhere


def test_arrays_with_the_channels_first_are_refused_with_what_to_type():
    for shape in ((4, 3, 16, 16), (4, 1, 28, 28), (4, 4, 9, 8)):
        with pytest.raises(ValueError, match=r"channels first.*images\.transpose\(0, 2, 3, 1\)"):
            load(np.zeros(shape, "uint8"), batch_size=1)


def test_how_people_count_is_an_order():
    names = ["10", "9", "a", "-3", "1e3", "2.5", "x10", "x9", "", "nan", "٣"]
    keys = sorted(names, key=classes.counting)
    assert sorted(reversed(names), key=classes.counting) == keys
    assert keys[:5] == ["-3", "2.5", "٣", "9", "10"]


def test_the_depth_of_a_file_is_in_its_header(tmp_path):
    kinds = {"uint8": "8 bits", "uint16": "16 bits", "int32": "32 bits", "float32": "floats"}
    for dtype, depth in kinds.items():
        save(tmp_path / f"{dtype}.tif", ramp(1, dtype=dtype))
        with PIL.Image.open(tmp_path / f"{dtype}.tif") as picture:
            assert levels.depth_of(picture) == depth


# Where it is said ------------------------------------------------------------------------------


def test_evaluate_says_each_thing_once(tmp_path, capsys):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype="uint8")
    for i, image in enumerate(images):
        save(tmp_path / f"{i}.png", image)
    (tmp_path / "x.heic").write_bytes(b"")
    with pytest.warns(UserWarning) as record:
        ganzoo.evaluate(images[..., None], tmp_path, extractor="pixels", metrics=["diversity"])
    assert sum("not read" in str(w.message) for w in record) == 1
    assert capsys.readouterr().err.count("40 images in 41 files") == 1


def test_a_warning_points_at_the_users_line(tmp_path):
    fill(tmp_path, ["1.png"], ramp(1))
    with pytest.warns(UserWarning) as record:
        load(tmp_path, batch_size=1)
    assert record[0].filename == os.path.abspath(__file__)
