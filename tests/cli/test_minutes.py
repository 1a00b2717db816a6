"""`ganzoo train IMAGES --minutes N`: what a word in the place of the model means, and the time."""

import itertools
import json
import sys
import types

import numpy as np
import pytest
from PIL import Image

from ganzoo.evaluation import throughput
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from tests.helpers import call
from tests.helpers import done
from tests.helpers import fails

SMALL = ["--set", "channels=(8,)", "--set", "latent_dim=4"]


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """A second passes whenever the time is read; a hundred images a second are measured."""
    ticks = itertools.count()
    monkeypatch.setattr(time_budget, "clock", lambda: 1.0 * next(ticks))
    begun = types.SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr(sys.modules["ganzoo.cli.train"], "time", begun)
    monkeypatch.setattr(throughput, "training_speed", lambda name, **settings: 100.0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current folder, with sixty images in `pics` and in `dcgan`."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3), "uint8")
    for name in ("pics", "dcgan"):
        (tmp_path / name).mkdir()
        for i, image in enumerate(noise):
            Image.fromarray(image).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_a_folder_in_place_of_a_model_chooses_one(here):
    shown = done("train", "pics", "--minutes", 0.3, *SMALL)
    assert "model: r3gan with DCGAN's networks" in shown and "Training r3gan on pics for" in shown
    settings = RunFolder("runs/pics").read_config()["settings"]
    assert settings["model"] == "r3gan" and settings["data"] == "pics"
    shown = done("train", "pics", "--minutes", 0.3, *SMALL)
    assert "runs/pics goes on as it began, with r3gan." in shown
    assert "has had its 0.3 minutes already" in shown
    shown = json.loads(done("train", "--data", "pics", "--minutes", 0.4, *SMALL, "--json"))
    assert shown["run"] == "runs/pics" and shown["epoch"] > 1 and shown["forecast"] == []


def test_a_model_with_minutes(here):
    words = ["train", "dcgan", "--data", "pics", "--minutes", 0.3, "--batch-size", 32]
    shown = done(*words, "--set", "channels=4")
    assert "Training dcgan on pics for" in shown
    assert RunFolder("runs/dcgan-pics").read_config()["minutes"] == 0.3


def test_the_name_of_a_model_is_the_model_whatever_files_there_are(here):
    result = call("train", "dcgan", "--minutes", 60, "--dry-run")
    assert result.exit_code == 0
    assert result.stderr == "'dcgan' is the model. For the images of that name: ./dcgan\n"
    assert "digits: " in result.stdout and "model:" not in result.stdout
    assert "dcgan: 60 images" in done("train", "./dcgan", "--minutes", 60, "--dry-run")
    assert call("train", "dcgan", "--dry-run").stderr == ""


def test_a_dry_run_prints_the_plan_and_leaves_nothing(here):
    before = sorted(here.rglob("*"))
    shown = done("train", "pics", "--minutes", 60, "--dry-run").splitlines()
    assert shown[0].startswith("pics: 60 images in 60 files, 12×12×3")
    assert shown[1].startswith("model: r3gan")
    speed = "100 images a second: about 360,000 in the 60 min left"
    assert any(line.startswith(speed) for line in shown)
    plan = json.loads(done("train", "pics", "--minutes", 60, "--dry-run", "--json"))
    assert plan["settings"]["model"] == "r3gan" and plan["images_per_second"] == 100
    plan = json.loads(done("train", "digits", "--minutes", 60, "--dry-run", "--json"))
    assert plan["settings"]["arguments"]["num_classes"] == 10
    shown = done("train", "vanilla", "--data", "ring", "--dry-run")
    assert shown == "ring holds no images: the speed of the training is not measured.\n"
    shown = done("train", "vanilla", "--dry-run")
    assert "100 images a second: about 90,000" in shown
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pics"], "add --minutes 60"),
        (["--data", "pics"], "add --minutes 60"),
        (["pics", "--epochs", 3], "add --minutes 60"),
        (["pics", "--minutes", 1, "--epochs", 3], "--minutes 1.0 or --epochs 3"),
        (["vanilla", "--minutes", 1, "--epochs", 60], "--minutes 1.0 or --epochs 60"),
        (["pics", "--minutes", 0], "`minutes` must be greater than 0. Received: 0"),
        (["vanilla", "--minutes", -1], "`minutes` must be greater than 0. Received: -1"),
        (["vanilla", "--minutes", "nan"], "`minutes` must be greater than 0. Received: nan"),
        (["pics", "--data", "digits", "--minutes", 1], "Unknown model: 'pics'"),
        (["typo", "--minutes", 1], "There are no images of that name. Load"),
        (["typo/", "--minutes", 1], "There is no file or folder 'typo/'"),
        (["typo.zip", "--minutes", 1], "There is no file or folder 'typo.zip'"),
    ],
    ids=lambda x: " ".join(map(str, x)) if isinstance(x, list) else "",
)
def test_what_cannot_be_trained_is_one_line(words, message):
    assert message in fails("train", *words)


@pytest.mark.parametrize("words", [[], ["--minutes", 60]], ids=["", "minutes"])
def test_a_run_is_not_taken_for_images(here, words):
    run = RunFolder("runs/dcgan-pics")
    run.path.mkdir(parents=True)
    settings = {"model": "dcgan", "data": "pics"}
    for config, message in [
        (
            {"settings": settings, "epochs": 60},
            "train dcgan --data pics --out runs/dcgan-pics --epochs 120",
        ),
        (
            {"settings": settings, "epochs": None, "minutes": 2.5},
            "train dcgan --data pics --out runs/dcgan-pics --minutes 5",
        ),
        ({}, "Name your images."),
    ]:
        run.config.write_text(json.dumps(config))
        shown = fails("train", run.path, *words)
        assert "'runs/dcgan-pics' is a run, not images." in shown and message in shown


def test_neither_a_model_nor_images():
    result = call("train")
    assert result.exit_code == 2 and "Name a MODEL, or your IMAGES." in result.stderr
