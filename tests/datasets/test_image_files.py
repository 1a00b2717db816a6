"""Translating images in files: what is read, what it is called, what is refused."""

import json
import pathlib
import zipfile

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.datasets import image_files
from ganzoo.files import safetensors
from tests.helpers import call
from tests.helpers import done
from tests.helpers import fails

SIZE = (16, 16)


def _noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8")


def _save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(path)
    return path


def _read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory):
    """A file of weights of a colour model that translates both ways, and the model."""
    path = tmp_path_factory.mktemp("models") / "both.safetensors"
    model = ganzoo.get("cyclegan", image_shape=(*SIZE, 3), channels=2, blocks=1, seed=0)
    safetensors.write(model, path)
    return path, ganzoo.get("cyclegan", weights=path)


@pytest.fixture
def folder(tmp_path):
    """Images of several sizes, modes and places, and what is none."""
    folder = tmp_path / "originals"
    _save(folder / "one.png", _noise(*SIZE, 3))
    _save(folder / "train" / "two.bmp", _noise(20, 30, 3, seed=1))
    _save(folder / "test" / "deep" / "three.png", _noise(*SIZE, 1, seed=2))
    _save(folder / "other" / "four.png", _noise(*SIZE, 4, seed=3))
    (folder / "notes.txt").write_text("no image")
    return folder


def test_a_folder_is_translated_file_by_file_with_its_subfolders(both_ways, folder, tmp_path):
    path, model = both_ways
    out = tmp_path / "out"
    said = done("translate", path, folder, "-o", f"{out}/", "--batch-size", 3)
    assert said == f"4 images translated at 16×16×3: {out}\n"
    names = ["one.png", "other/four.png", "test/deep/three.png", "train/two.png"]
    assert _files(out) == names
    # As a data set brings them to size and colour: the same images, read by `load`.
    for name, original in zip(names, ("one.png", "other/four.png", "test/deep/three.png")):
        alone = tmp_path / "alone" / name.replace("/", "-")
        alone.mkdir(parents=True)
        (alone / "image.png").write_bytes((folder / original).read_bytes())
        ds = ganzoo.datasets.load(alone, image_size=SIZE, channels=3, batch_size=1)
        expected = model.translate(np.asarray(next(iter(ds))))[0]
        difference = np.abs(_read(out / name).astype(int) - expected)
        assert difference.max() <= 1


def test_the_other_way_and_models_that_have_none(both_ways, tmp_path):
    path, model = both_ways
    images = _noise(3, *SIZE, 3)
    np.save(tmp_path / "images.npy", images)
    for words, reverse in (((), False), (("--reverse",), True), (("--back",), True)):
        done("translate", path, tmp_path / "images.npy", *words, "-o", tmp_path / "made.npz")
        with np.load(tmp_path / "made.npz") as made:
            expected = model.translate(images, reverse=reverse)
            assert np.abs(made["images"].astype(int) - expected).max() <= 1
    one_way = tmp_path / "one_way.safetensors"
    safetensors.write(ganzoo.get("pix2pix", image_shape=(*SIZE, 3), channels=2, seed=0), one_way)
    words = ["translate", one_way, tmp_path / "images.npy", "-o", tmp_path / "none"]
    assert "has no way back" in fails(*words, "--reverse")
    assert not (tmp_path / "none").exists()


def test_one_image_becomes_one_image_and_a_pair_if_asked_for(both_ways, tmp_path):
    path, model = both_ways
    original = _save(tmp_path / "original.png", _noise(*SIZE, 3))
    made = model.translate(_read(original)[None])[0]
    done("translate", path, original, "-o", tmp_path / "made.png")
    assert np.abs(_read(tmp_path / "made.png").astype(int) - made).max() <= 1
    done("translate", path, original, "-o", f"{tmp_path / 'folder'}/")
    assert _files(tmp_path / "folder") == ["original.png"]
    done("translate", path, original, "-o", tmp_path / "pair.png", "--format", "grid")
    with Image.open(tmp_path / "pair.png") as pair:
        assert round(pair.width / pair.height, 2) == round(35 / 18, 2)


def test_a_zip_and_arrays_of_other_sizes_and_colours(both_ways, folder, tmp_path):
    path, model = both_ways
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(folder / "one.png", "deep/one.png")
        archive.write(folder / "train" / "two.bmp", "two.bmp")
    done("translate", path, tmp_path / "some.zip", "-o", f"{tmp_path / 'zip'}/")
    assert _files(tmp_path / "zip") == ["deep/one.png", "two.png"]
    np.save(tmp_path / "grey.npy", _noise(5, 20, 24))
    done("translate", path, tmp_path / "grey.npy", "-o", f"{tmp_path / 'grey'}/")
    assert _files(tmp_path / "grey") == [f"{i:05d}.png" for i in range(5)]
    floats = np.random.default_rng(0).uniform(-1, 1, (2, *SIZE, 3)).astype("float32")
    np.savez(tmp_path / "floats.npz", images=floats)
    words = ["-o", tmp_path / "floats.png", "--json"]
    found = json.loads(done("translate", path, tmp_path / "floats.npz", *words))
    assert found == {"images": 2, "shape": [16, 16, 3], "path": str(tmp_path / "floats.png")}
    np.save(tmp_path / "small.npy", floats[:, :8])
    message = fails("translate", path, tmp_path / "small.npy", "-o", tmp_path / "no.png")
    assert "float32 of shape (8, 16, 3), and the model takes (16, 16, 3)" in message


def test_files_that_would_get_the_same_name_keep_their_endings(both_ways, tmp_path):
    path, _ = both_ways
    for name in ("a.png", "a.bmp", "deep/a.png"):
        _save(tmp_path / "in" / name, _noise(*SIZE, 3))
    done("translate", path, tmp_path / "in", "-o", f"{tmp_path / 'out'}/")
    assert _files(tmp_path / "out") == ["a.bmp.png", "a.png.png", "deep/a.png.png"]
    assert image_files._png_names(["B.jpg", "b.png"]) == ["B.jpg.png", "b.png.png"]
    assert image_files._png_names(["x/b.jpg", "b.jpg", "c"]) == ["x/b.png", "b.png", "c.png"]
    for name in ("/abs/a.png", "../a.png", "a/../../b.png"):
        with pytest.raises(ValueError, match="would be written outside the folder"):
            image_files._png_names(["fine.png", name])


@pytest.mark.filterwarnings("default:.* left out")
def test_damaged_images_are_named_before_anything_is_written(both_ways, folder, tmp_path):
    path, _ = both_ways
    (folder / "test" / "damaged.png").write_bytes(b"no image")
    out = tmp_path / "out"
    assert "test/damaged.png" in fails("translate", path, folder, "-o", f"{out}/")
    assert not out.exists()
    result = call("translate", path, folder, "-o", f"{out}/", "--skip-damaged")
    assert result.exit_code == 0 and "1 damaged" in result.stderr
    assert len(_files(out)) == 4
    message = fails("translate", path, folder / "test" / "damaged.png", "-o", tmp_path / "x.png")
    assert "damaged.png' cannot be read as an image" in message
    assert "cannot be read as an image" in fails("translate", path, folder / "notes.txt")


def test_damaged_images_are_found_first_among_more_than_memory_holds(folder, monkeypatch):
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 1000)
    found = image_files.open_images(folder, (*SIZE, 3))
    assert not hasattr(found.source, "arrays")  # read again, batch by batch
    assert [len(batch) for batch in found.batches(3)] == [3, 1]
    (folder / "z.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"z\.png"):
        image_files.open_images(folder, (*SIZE, 3))


def test_originals_are_never_written_over(both_ways, folder, tmp_path, monkeypatch):
    path, _ = both_ways
    np.savez(tmp_path / "a.npz", images=_noise(2, *SIZE, 3))
    before = {p: p.read_bytes() for p in [*folder.rglob("*.*"), tmp_path / "a.npz"]}
    monkeypatch.chdir(folder)
    for given, out in (
        (folder, folder),
        (folder, "."),
        (folder / "one.png", "one.png"),
        (tmp_path / "a.npz", "../a.npz"),
    ):
        assert "is where the originals are" in fails("translate", path, given, "-o", out)
    assert "is not empty" in fails("translate", path, folder / "one.png", "-o", folder / "train")
    assert all(p.read_bytes() == content for p, content in before.items())


def test_nothing_to_translate_and_nothing_to_translate_with(both_ways, tmp_path):
    path, _ = both_ways
    (tmp_path / "empty").mkdir()
    assert "There are no images in" in fails("translate", path, tmp_path / "empty", "-o", "x/")
    assert "There is no file or folder 'nowhere'" in fails("translate", path, "nowhere")
    original = _save(tmp_path / "original.png", _noise(*SIZE, 3))
    message = fails("translate", "dcgan.mnist", original, "-o", tmp_path / "x.png")
    assert "'dcgan' translates no images. Those that do: cyclegan, pix2pix, cycle" in message
    assert "'cyclegan' is a model without weights" in fails("translate", "cyclegan", original)
    for words in ([path], ["cyclegan", "--weights", path]):
        message = fails("sample", *words, "-o", tmp_path / "x.png")
        assert f"`ganzoo translate {' '.join(map(str, words))} IMAGES`" in message


def test_models_of_other_channels_say_which_files_hold_them(tmp_path):
    original = _save(tmp_path / "original.png", _noise(*SIZE, 3))
    np.save(tmp_path / "two.npy", _noise(2, *SIZE, 2))
    for path in (original, tmp_path):
        with pytest.raises(ValueError, match=r"takes images of 2 channels.*Pass an \.npy"):
            image_files.open_images(path, (*SIZE, 2))
    (batch,) = image_files.open_images(tmp_path / "two.npy", (*SIZE, 2)).batches(8)
    assert batch.shape == (2, *SIZE, 2)
    with pytest.raises(ValueError, match="the model takes"):
        image_files.open_images(tmp_path / "two.npy", (*SIZE, 3))


@pytest.mark.parametrize(
    ("name", "side"), [("cyclegan.apples_oranges", 64), ("pix2pix.openmoji", 128)]
)
def test_weights_that_come_with_ganzoo_translate_by_their_names(name, side, tmp_path):
    original = _save(tmp_path / "original.png", _noise(40, 50, 3))
    done("translate", name, original, "-o", tmp_path / "made.png")
    assert _read(tmp_path / "made.png").shape == (side, side, 3)


def test_a_folder_for_files_must_be_empty_but_for_hidden_ones(tmp_path, monkeypatch):
    check = ganzoo.images.must_be_empty
    check(tmp_path / "absent")
    (tmp_path / ".DS_Store").write_text("")
    check(tmp_path)
    (tmp_path / "a b").mkdir()
    for part in ("data", "other"):
        (tmp_path / "a b" / part).mkdir()
    check(tmp_path / "a b", "--export", ("samples", "data"))
    (tmp_path / "a b" / "data" / "1.png").write_text("")
    (tmp_path / "a b-2").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"'a b' is not empty.*`--out 'a b-3'/`"):
        check("a b")
    with pytest.raises(ValueError, match=r"'a b/data' is not empty.*`--export 'a b-3'/`"):
        check("a b", "--export", ("samples", "data"))
    monkeypatch.chdir("a b")
    with pytest.raises(ValueError, match=r"'\.' is not empty.*/a b-3'/`"):
        check(pathlib.Path("."))


# Values -----------------------------------------------------------------------------------------


def test_values_become_0_to_255_as_the_range_says_whatever_holds_them(tmp_path):
    deep = np.tile(np.linspace(0, 4095, 16).astype("uint16"), (16, 1))
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "one.png", tmp_path / "folder" / "1.png"):
        Image.fromarray(deep).save(path)
    np.save(tmp_path / "many.npy", deep[None, ..., None])
    expected = np.round(deep / 4095 * 255)
    for name in ("one.png", "folder", "many.npy"):
        found = image_files.open_images(tmp_path / name, (16, 16, 1), value_range=(0, 4095))
        (images,) = found.batches(8)
        np.testing.assert_allclose(images[0, ..., 0], expected, atol=1)


def test_a_range_that_is_none_is_refused_before_a_file_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"`value_range` is \(low, high\)"):
        image_files.open_images(tmp_path, (8, 8, 1), value_range=(5, 5))


def test_a_translation_reads_values_as_its_run_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for side in ("a", "b"):
        for i in range(4):
            (tmp_path / side).mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 4096, (8, 8)).astype("uint16")).save(f"{side}/{i}.png")
    words = ["--set", "channels=2", "--set", "blocks=1", "--batch-size", 2, "--epochs", 1]
    done(
        "train",
        "cyclegan",
        "--data",
        "a",
        "--to",
        "b",
        "--value-range",
        "0,4095",
        *words,
        "-o",
        "r",
    )
    ranges = []
    opened = image_files.open_images
    monkeypatch.setattr(
        image_files,
        "open_images",
        lambda *a, **k: ranges.append(k["value_range"]) or opened(*a, **k),
    )
    done("translate", "r", "a", "-o", "made")
    done("translate", "r", "a", "-o", "others", "--value-range", "0,65535")
    assert list(map(tuple, ranges)) == [(0, 4095), (0, 65535)]
