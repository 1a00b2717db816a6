"""Scores of a run by default: which extractor, how many samples, how often."""

import json

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import callbacks
from ganzoo import runs
from ganzoo.evaluation import Evaluator
from ganzoo.evaluation.registry import by_default
from ganzoo.extractors import efficientnet
from ganzoo.runs import scoring
from ganzoo.runs.scoring import PACE
from ganzoo.runs.scoring import plan

TINY = {
    "generator_units": [8],
    "discriminator_units": [6],
    "pieces": 2,
    "latent_dim": 6,
    "precision": "float32",
}


class Means:
    """In place of the real extractor: the mean of each channel at three places."""

    name = "efficientnet-lite0"
    hash = "1" * 64
    resize = "none"
    classes = None

    def __init__(self, stride=None):
        pass

    def __call__(self, images):
        thirds = np.array_split(efficientnet.coloured(images).astype("float32"), 3, axis=1)
        return {"features": np.concatenate([x.mean(axis=(1, 2)) for x in thirds], axis=1)}


@pytest.fixture
def judge(monkeypatch):
    monkeypatch.setattr(efficientnet, "EfficientNet", Means)


@pytest.fixture
def without_weights(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")


@pytest.fixture
def colours(tmp_path):
    """A folder of 40 small colour images."""
    folder = tmp_path / "colours"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype="uint8")
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")
    return folder


def train(data, out, epochs, **options):
    said = []
    options = {"batch_size": 20, "arguments": TINY, "verbose": 0, **options}
    runs.train("vanilla", data, out=out, epochs=epochs, say=said.append, **options)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return rows, said


def scored(rows, name):
    return [row["epoch"] for row in rows if name in row]


# By default ---------------------------------------------------------------------------------------


def test_a_folder_of_colour_images_is_scored(judge, colours, tmp_path):
    run = tmp_path / "run"
    rows, said = train(colours, run, 21)
    name = "frechet[efficientnet-lite0]"
    assert scored(rows, name) == scored(rows, "recall[efficientnet-lite0]") == [20, 21]
    epoch, _, sheet = callbacks.read_best(run / "checkpoints" / "best.keras")
    assert sheet.passport["samples"] == 40 and epoch in (20, 21)
    assert sheet[name].value == min(row[name] for row in rows if name in row)
    assert any(line.startswith("frechet: ") for line in said)
    assert not any("Note" in line for line in said)


def test_without_the_weights_pixels_are_compared_and_a_line_says_so(
    without_weights, colours, tmp_path
):
    rows, said = train(colours, tmp_path / "run", 1)
    assert scored(rows, "frechet[pixels-16]") == [1]
    (note,) = [line for line in said if line.startswith("Note: ")]
    assert 'pip install "ganzoo[features]"' in note and "\n" not in note
    _, _, sheet = callbacks.read_best(tmp_path / "run" / "checkpoints" / "best.keras")
    assert note.removeprefix("Note: ") in sheet.notes


def test_the_best_model_starts_again_when_the_weights_are_installed(colours, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(efficientnet, "PACKAGE", "no_such_package")
        train(colours, run, 1)
    monkeypatch.setattr(efficientnet, "EfficientNet", Means)
    rows, _ = train(colours, run, 2)
    name = "frechet[efficientnet-lite0]"
    assert rows[1][name] > rows[0]["frechet[pixels-16]"]  # which is not better: it is another
    epoch, _, sheet = callbacks.read_best(run / "checkpoints" / "best.keras")
    assert epoch == 2 and sheet[name].value == rows[1][name]


def test_no_scores_on_request(judge, colours, tmp_path):
    rows, _ = train(colours, tmp_path / "run", 1, score_every=0)
    assert not [key for row in rows for key in row if "[" in key]
    rows, _ = train(colours, tmp_path / "other", 3, score_every=2)
    assert scored(rows, "frechet[efficientnet-lite0]") == [2, 3]


def test_digits_are_scored_as_ever(judge, tmp_path):
    said = []
    runs.train(
        "vanilla", out=tmp_path / "run", epochs=1, arguments=TINY, say=said.append, verbose=0
    )
    _, _, sheet = callbacks.read_best(tmp_path / "run" / "checkpoints" / "best.keras")
    passport = sheet.passport
    assert (passport["extractor"], passport["samples"]) == ("digits-classifier-v1", 2000)
    assert plan(True, 1498) == (2000, 10)


def test_few_real_images_are_processed_and_before_the_training(
    judge, colours, tmp_path, monkeypatch
):
    monkeypatch.setattr(scoring, "REAL", 10)
    seen, fit = [], ganzoo.Game.fit
    call = Means.__call__
    monkeypatch.setattr(
        Means, "__call__", lambda self, images: seen.append(len(images)) or call(self, images)
    )
    monkeypatch.setattr(
        ganzoo.Game, "fit", lambda self, *a, **k: seen.append("fit") or fit(self, *a, **k)
    )
    train(colours, tmp_path / "run", 1)
    assert seen == [10, "fit", 40]
    _, _, sheet = callbacks.read_best(tmp_path / "run" / "checkpoints" / "best.keras")
    assert sheet.passport["data"]["count"] == 10


def damaged(description):
    raise ValueError("the weights are damaged")


def test_scores_that_cannot_be_made_end_only_a_training_that_asks_for_them(
    colours, tmp_path, monkeypatch
):
    monkeypatch.setattr("ganzoo.evaluation.evaluator.by_default", damaged)
    rows, said = train(colours, tmp_path / "run", 1)
    assert len(rows) == 1
    assert "The training is not scored: the weights are damaged" in said
    with pytest.raises(ValueError, match="the weights are damaged"):
        train(colours, tmp_path / "other", 1, score_every=1)


# How often ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("images", [1, 2, 39, 999, 1000, 1001, 1999, 2000, 10_000, 10**7])
def test_scores_are_few_next_to_the_training_images(images):
    samples, every = plan(False, images)
    assert 2 <= samples <= 1000 and 10 <= every
    assert PACE * samples <= every * max(images, 2)


def test_scores_compare_with_as_many_real_images_as_asked(without_weights):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype="uint8")
    settings = {"metrics": "frechet", "extractor": "pixels"}
    some = Evaluator(images[:40], real=25, **settings).judge(images[40:])
    assert some.scores == Evaluator(images[:25], **settings).judge(images[40:]).scores
    assert some.scores != Evaluator(images[:40], **settings).judge(images[40:]).scores


# Which extractor ----------------------------------------------------------------------------------


def test_the_extractor_by_default(judge):
    named = lambda source, *shape: by_default({"source": source, "image_shape": shape})
    assert named("digits", 8, 8, 1)[0].name == "digits-classifier-v1"
    assert named("flowers", 7)[0].name == "points"
    for channels in (1, 3, 4):
        extractor, notes = named("flowers", 9, 9, channels)
        assert extractor.name == "efficientnet-lite0" and notes == ()
    extractor, (note,) = named("flowers", 9, 9, 2)
    assert extractor.name == "pixels-16" and "1, 3 or 4 channels, not 2" in note
    unknown = by_default({"source": "data", "image_shape": None})
    assert unknown[0].name == "efficientnet-lite0"


def test_a_sheet_by_pixels_says_why(without_weights):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype="uint8")
    sheet = Evaluator(images[:30], metrics="diversity").judge(images[30:])
    assert list(sheet.scores) == ["diversity[pixels-16]"]
    assert 'pip install "ganzoo[features]"' in sheet.notes[0]
    asked = Evaluator(images[:30], metrics="diversity", extractor="pixels").judge(images[30:])
    assert asked.notes == ()


def test_damaged_weights_are_an_error_and_not_replaced_by_pixels(monkeypatch, tmp_path):
    folder = tmp_path / efficientnet.PACKAGE
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="damaged"):
        Evaluator(np.zeros((8, 8, 8, 3), "uint8"))


def test_a_model_without_samples_is_not_scored(judge, colours, tmp_path):
    said = []
    options = {"batch_size": 20, "verbose": 0, "arguments": {"channels": 4, "latent_dim": 4}}
    runs.train("autoencoder", colours, out=tmp_path / "run", epochs=1, say=said.append, **options)
    assert not (tmp_path / "run" / "checkpoints" / "best.keras").exists()
    assert not any("scored" in line for line in said)
