"""A look at a data set: what the choice of a model depends on."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import sounds
from ganzoo.datasets import survey


def _save(path, height, width, value=0, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(value).integers(0, 256, (height, width, 4), "uint8")
    Image.fromarray(noise, "RGBA").convert(mode).save(path)


@pytest.fixture
def folder(tmp_path):
    """Twelve images: 8 of 30×40 in `a`, 4 of 60×80 in `b`, of which one is in there twice."""
    for i in range(8):
        _save(tmp_path / "pics" / "a" / f"{i}.png", 30, 40, i)
    for i in range(3):
        _save(tmp_path / "pics" / "b" / f"{i}.png", 60, 80, 10 + i)
    shutil.copy(tmp_path / "pics" / "b" / "0.png", tmp_path / "pics" / "b" / "3.png")
    (tmp_path / "pics" / "notes.txt").write_text("no image")
    return tmp_path / "pics"


def test_a_folder_of_images(folder):
    seen = survey(folder)
    assert (seen.images, seen.looked_at, seen.distinct) == (12, 12, 11)
    assert (seen.size, seen.sizes, seen.alike, seen.channels) == ((30, 40), 2, 1.0, 3)
    assert seen.classes == {"a": 8, "b": 4} and seen.transparent == 0
    assert seen.names == {*"01234567"}
    assert str(seen.contents) == (
        f"{folder}: 12 images in 13 files, 30×40×3 (scaled and cropped from 2 sizes), 8 bits; "
        "2 classes: a: 8, b: 4; left out: .txt: 1"
    )


def test_a_zip_is_like_its_folder(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "pics.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    zipped, seen = survey(tmp_path / "pics.zip"), survey(folder)
    for field in ("images", "distinct", "size", "alike", "classes", "names"):
        assert getattr(zipped, field) == getattr(seen, field)


def test_aspects_that_differ_and_transparency(tmp_path):
    for i, width in enumerate([40, 42, 38, 80, 20]):
        _save(tmp_path / f"{i}.png", 40, width, i, mode="RGBA" if i < 2 else "RGB")
    seen = survey(tmp_path)
    assert (seen.size, seen.sizes, seen.transparent) == ((40, 40), 5, 2)
    assert seen.alike == 0.6
    assert seen.classes is None


def test_grey_images_and_one_many_times(tmp_path):
    for i in range(5):
        _save(tmp_path / f"{i}.png", 9, 7, 0, mode="L")
    seen = survey(tmp_path)
    assert (seen.images, seen.distinct, seen.channels, seen.size) == (5, 1, 1, (9, 7))


def test_arrays_and_names(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 6, 5, 3), "uint8")
    images[10:] = images[0]
    for source in (images, tmp_path / "images.npy"):
        np.save(tmp_path / "images.npy", images)
        seen = survey(source)
        assert (seen.images, seen.distinct, seen.size, seen.channels) == (30, 10, (6, 5), 3)
        assert seen.classes is None and seen.names is None
    np.savez(tmp_path / "both.npz", images=images, labels=np.arange(30) % 2)
    for source in ((images, np.arange(30) % 2), tmp_path / "both.npz"):
        assert survey(source).classes == {"0": 15, "1": 15}
        assert survey(source).num_classes == 2
    assert survey((images, np.arange(30) % 10 + 1)).num_classes == 11  # 0 … 10
    digits = survey("digits")
    assert digits.images == sum(digits.classes.values()) == digits.contents.images
    assert digits.looked_at == digits.distinct < digits.images  # of which every second is read


@pytest.mark.parametrize("source", ["ring", np.zeros((9, 2), "float32")], ids=["ring", "array"])
def test_points_are_no_images(source):
    with pytest.raises(ValueError, match=r"shape \(2,\), not images. Name a model"):
        survey(source)


def test_sounds_are_no_images(tmp_path):
    clips = np.zeros((2, 256, 1), "int16")
    sounds.save_each(clips, tmp_path / "words", 8000)
    for source in (clips, tmp_path / "words"):
        with pytest.raises(ganzoo.datasets.NotImages, match="Name a model .* 'wavegan'"):
            survey(source)


def test_what_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        survey(tmp_path / "typo.zip")
    with pytest.raises(ValueError, match="There are no images"):
        survey(tmp_path)
    (tmp_path / "damaged.png").write_text("no image")
    with pytest.raises(ValueError, match=r"damaged.png.*cannot be read"):
        survey(tmp_path)
    _save(tmp_path / "sound.png", 8, 8)
    with pytest.raises(ValueError, match=r"damaged.png.*cannot be read"):
        survey(tmp_path)
    assert survey(tmp_path, on_error="skip").images == 1


def test_it_is_public():
    assert ganzoo.datasets.survey is survey
