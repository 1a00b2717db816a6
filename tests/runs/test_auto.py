"""`ganzoo.auto`: a model and settings by the data and the time."""

import itertools
import shlex

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import datasets
from ganzoo import runs
from ganzoo.evaluation import throughput
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from ganzoo.runs import starting
from ganzoo.runs import timing

SMALL = {"channels": (8,), "latent_dim": 4}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """One and a half seconds pass whenever the time is read: after a few steps that run at once."""
    ticks = itertools.count()
    monkeypatch.setattr(time_budget, "clock", lambda: 1.5 * next(ticks))


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """What is measured: a hundred images a second. Holds what was asked."""
    asked = []

    def training_speed(name, **settings):
        asked.append((name, settings))
        return 100.0

    monkeypatch.setattr(throughput, "training_speed", training_speed)
    return asked


def _fill(folder, count, size=(12, 12), mode="RGB", seed=0):
    folder.mkdir(parents=True)
    noise = np.random.default_rng(seed).integers(0, 256, (count, *size, 4), "uint8")
    for i, image in enumerate(noise):
        Image.fromarray(image, "RGBA").convert(mode).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Sixty colour images of 12×12; the current folder is another."""
    monkeypatch.chdir(tmp_path)
    return _fill(tmp_path / "pics", 60)


def _auto(data, minutes=0.3, **options):
    said = []
    model = ganzoo.auto(data, minutes, say=said.append, verbose=0, **options)
    return model, said


def test_a_folder_is_trained_on_and_the_same_call_goes_on_as_it_began(folder, monkeypatch):
    model, said = _auto("pics", arguments=SMALL)
    run = RunFolder("runs/pics")
    settings = run.read_config()["settings"]
    assert settings["model"] == "r3gan" == model.registry_name
    assert settings["batch_size"] == 32 and settings["image_size"] is None
    assert settings["arguments"] == {
        "architecture": "dcgan",
        "learning_rate": 8e-4,
        "augment": "diffaugment",
        "ema_decay": 0.99,
        "channels": [8],
        "latent_dim": 4,
    }
    assert said[0].startswith("model: r3gan with DCGAN's networks")
    assert "There is time for few training steps: expect colours and rough shapes." in said
    assert model.image_shape == (12, 12, 3)

    # The time is over; then there is more of it, and the machine is another.
    _, said = _auto("pics", arguments=SMALL)
    assert said == [
        "runs/pics goes on as it began, with r3gan.",
        "runs/pics has had its 0.3 minutes already. For more: --minutes 0.6",
    ]
    monkeypatch.setattr(runs.recipes, "TABLE", ())
    longer, _ = _auto("pics", 0.6, arguments=SMALL)
    assert int(longer.step) > int(model.step)
    assert run.read_config()["settings"] == settings
    with pytest.raises(ValueError, match="batch_size was 32, not 16"):
        _auto("pics", 0.9, arguments=SMALL, batch_size=16)


def test_what_is_given_takes_the_place_of_what_is_chosen(folder):
    _auto(folder, arguments={**SMALL, "augment": None}, batch_size=16, image_size=8, out="here")
    settings = RunFolder("here").read_config()["settings"]
    assert (settings["batch_size"], settings["image_size"]) == (16, 8)
    assert settings["arguments"]["augment"] is None and settings["arguments"]["channels"] == [8]


def test_classes_are_learned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(("cat", "dog")):
        _fill(tmp_path / "pets" / name, 50, (8, 8), "L", seed=i)
    model, _ = _auto("pets", arguments=SMALL)
    assert model.num_classes == 2
    assert RunFolder("runs/pets").read_config()["class_names"] == ["cat", "dog"]


def test_arrays_and_data_sets_need_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (120, 12, 12, 1), "uint8")
    labels = 1 + np.arange(120) % 2  # classes 0 … 2
    for data, classes in [
        (images, None),
        ((images, labels), 3),
        (datasets.load((images, labels), labels=True, verbose=False), 3),
    ]:
        model, said = _auto(data, arguments=SMALL)
        assert model.registry_name == "r3gan" and model.num_classes == classes
        assert int(model.step) > 5
        assert any(line.startswith("labels: ") for line in said)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError, match="Unknown argument of `auto` without a file: 'out'"):
        _auto(images, out="somewhere")
    with pytest.raises(TypeError, match="Unknown argument of `auto` without a file: 'batch_size'"):
        _auto(datasets.load(images, verbose=False), batch_size=3)
    with pytest.raises(ValueError, match="name a model"):
        _auto(datasets.load("ring", verbose=False))


def test_the_data_decides_whether_arrays_are_mirrored():
    half = np.random.default_rng(0).integers(0, 256, (60, 12, 6, 1), "uint8")
    images = np.concatenate([half, half[:, :, ::-1]], axis=2)  # their own mirror images
    other = np.random.default_rng(1).integers(0, 256, (60, 8, 8, 1), "uint8")
    for data, flips in [(images, True), (other, False)]:
        model, said = _auto(data, arguments={**SMALL, "flip": "auto"})
        assert model.flip is flips and any("irror" in line for line in said)


# Plans --------------------------------------------------------------------------------------------


def test_a_plan_says_all_and_writes_nothing(folder, measured):
    before = sorted(folder.parent.rglob("*"))
    plan = runs.plan("pics", minutes=60, arguments={"latent_dim": 4})
    assert sorted(folder.parent.rglob("*")) == before
    assert plan.settings["model"] == "r3gan" and plan.settings["arguments"]["latent_dim"] == 4
    assert plan.given == ()  # the table does not choose that
    (asked,) = measured
    assert asked[0] == "r3gan" and asked[1]["image_shape"] == (12, 12, 3)
    assert asked[1]["batch_size"] == 32 and asked[1]["latent_dim"] == 4
    # An hour of a hundred images a second is 11,250 steps.
    assert "ema_decay" not in plan.settings["arguments"] and plan.notes == ()
    lines = plan.lines()
    assert lines[0].startswith("pics: 60 images in 60 files, 12×12×3, 8 bits")
    assert any(line.startswith("size: as they are.") for line in lines)
    speed = "100 images a second: about 360,000 in the 60 min left, until "
    assert any(line.startswith(speed) for line in lines)
    facts = plan.facts()
    assert (facts["images_per_second"], facts["images"]) == (100.0, 360_000)
    assert facts["found"][0]["images"] == 60
    assert {choice["topic"] for choice in facts["choices"]} >= {"model", "size", "batch"}
    words = shlex.split(plan.command())
    assert words[:5] == ["ganzoo", "train", "r3gan", "--data", "pics"]
    assert words[5:7] == ["--minutes", "60"] and "learning_rate=0.0008" in words


def test_the_command_of_a_plan_gives_all_that_was_given(folder):
    options = {"seed": 3, "on_error": "skip", "value_range": (0.0, 4095.0), "data_dir": "archives"}
    options |= {"score_every": 0, "devices": 2, "imports": ("my_gan.py",), "image_size": (8, 16)}
    command = runs.plan("pics", minutes=60, **options).command()
    for words in (
        *("--seed 3", "--skip-damaged", "--value-range 0.0,4095.0", "--data-dir archives"),
        *("--score-every 0", "--devices 2", "--import my_gan.py", "--image-size 8x16"),
    ):
        assert f" {words} " in command
    assert "--skip-damaged" not in runs.plan("pics", minutes=60, on_error="raise").command()


def test_what_is_given_is_not_said_to_be_chosen(folder):
    plan = runs.plan("pics", minutes=60, arguments={"augment": None, "learning_rate": 1e-3})
    assert plan.given == ("augment", "learning_rate")
    assert "As you set them: augment, learning_rate." in plan.lines()
    topics = [row.topic for row in plan.rows]
    assert "augmentation" not in topics and "model" in topics


def test_too_little_time_makes_images_smaller(tmp_path, measured):
    _fill(tmp_path / "pics", 60, (50, 50))
    plan = runs.plan(tmp_path / "pics", minutes=5)
    # 937 steps at 64 pixels; at 32 a step takes a quarter of the time.
    assert plan.settings["image_size"] == 32 and plan.speed == 400
    assert plan.settings["arguments"]["ema_decay"] == 0.99 and plan.notes == ()
    plan = runs.plan(tmp_path / "pics", minutes=1)
    assert plan.settings["image_size"] == 32 and plan.speed is None
    assert len(measured) == 1  # a minute is too short to measure first
    plan = runs.plan(tmp_path / "pics", minutes=3.01, image_size=64)
    assert plan.settings["image_size"] == 64
    assert plan.notes[-1].startswith("There is time for about 5")


def test_the_time_that_is_left_is_planned(folder, monkeypatch):
    (folder.parent / "run").mkdir()
    timing.keep(RunFolder("run"), 1800, pytest.fail)
    plan = runs.plan("pics", minutes=60, out="run")
    assert 1795 < plan.left <= 1800


def test_the_speed_is_measured_without_what_the_data_decides(folder, measured):
    for model in (None, "r3gan"):
        plan = runs.plan("pics", model=model, minutes=60, arguments={"flip": "auto"})
        assert plan.settings["arguments"]["flip"] == "auto"
        assert "flip" not in measured.pop()[1]


def test_a_plan_of_a_model_chooses_nothing(folder, measured):
    plan = runs.plan("pics", model="vanilla", minutes=10)
    assert plan.rows == () and plan.settings == {"model": "vanilla", "data": "pics", "minutes": 10}
    speed = "100 images a second: about 60,000 in the 10 min left"
    assert any(line.startswith(speed) for line in plan.lines())
    assert measured[0][1]["batch_size"] == 64
    plan = runs.plan("pics", model="vanilla", epochs=5)
    assert plan.seconds == 5 * 60 / 100
    checkpoints = plan.run.checkpoints
    checkpoints.folder.mkdir(parents=True)
    checkpoints.path(3).touch()
    assert plan.seconds == 2 * 60 / 100


def test_the_size_that_is_given_is_used_to_look_at_the_data(folder, monkeypatch):
    sizes, survey = [], datasets.survey
    look = lambda source, **options: (
        sizes.append(options["image_size"]) or survey(source, **options)
    )
    monkeypatch.setattr(datasets, "survey", look)
    for size in (16, (8, 16), None):
        runs.plan("pics", model="vanilla", image_size=size)
    assert sizes == [(16, 16), (8, 16), None]


def test_few_images_begin_with_the_weights_of_emoji(tmp_path, monkeypatch):
    _fill(tmp_path / "pics", 12)
    plan = runs.plan(tmp_path / "pics", minutes=10)
    assert (plan.settings["model"], plan.settings["weights"]) == ("r3gan", "emoji")
    assert "image_size" not in plan.settings and plan.settings["batch_size"] == 8
    assert plan.notes[0].startswith("12 different images are few")
    for change in ({"image_size": 32}, {"arguments": {"channels": (8,)}}):
        assert "weights" not in runs.plan(tmp_path / "pics", minutes=10, **change).settings
    same = {"freeze": 2, "flip": "auto", "ema_images": 500, "precision": "float32"}
    assert runs.plan(tmp_path / "pics", minutes=10, arguments=same).settings["weights"] == "emoji"
    _fill(tmp_path / "grey", 12, mode="L")
    assert "weights" not in runs.plan(tmp_path / "grey", minutes=10).settings


def test_weights_that_are_named_choose_the_model(folder, measured):
    plan = runs.plan("pics", minutes=60, weights="r3gan.emoji", arguments={"freeze": 3})
    assert (plan.settings["model"], plan.settings["weights"]) == ("r3gan", "r3gan.emoji")
    assert "image_size" not in plan.settings and plan.settings["batch_size"] == 32
    assert plan.settings["arguments"] == {"augment": "diffaugment", "freeze": 3}
    assert measured[0][1]["image_shape"] == (64, 64, 3) and measured[0][1]["channels"] == [192]
    assert plan.lines()[1].startswith("model: that of the weights.")
    # What the rows call "none" is none, in the command too, although the weights had it.
    plan = runs.plan("pics", minutes=1, weights="r3gan.portraits")
    assert plan.settings["arguments"]["schedule_images"] is None
    assert "schedule_images=None" in plan.command()
    # A model without augmentation or averages gets none.
    plan = runs.plan("pics", minutes=1, weights="vae.fashion_mnist")
    assert set(plan.settings["arguments"]) == {"ema_decay"}
    assert plan.notes == (
        "The images become grey, as those of the weights are.",
        "There is time for few training steps: expect samples between those of the weights and "
        "your images.",
    )


def test_each_argument_of_the_model_of_weights_changes_its_networks_or_not():
    known = ganzoo.zoo.model_class("r3gan").arguments().keys() - {"image_shape", "seed", "name"}
    networks = {"architecture", "blocks", "channels", "expansion", "group_width", "latent_dim"}
    assert known - starting.SAME_NETWORKS == {*networks, "num_classes", "objective"}
    assert known > starting.SAME_NETWORKS


@pytest.mark.parametrize("count", [1, 5])
def test_one_image_is_no_data_set(tmp_path, count):
    _fill(tmp_path / "pics", 1)
    for i in range(1, count):
        (tmp_path / "pics" / f"{i}.png").write_bytes((tmp_path / "pics" / "0.png").read_bytes())
    times = "" if count == 1 else " 5 times"
    with pytest.raises(ValueError, match=f"holds one image{times}, and a GAN learns"):
        runs.plan(tmp_path / "pics", minutes=10)


def test_what_the_data_suggests_is_said(tmp_path):
    for i, (name, count) in enumerate([("cat", 60), ("dog", 6)]):
        _fill(tmp_path / "pets" / name, count, (12, 12 + 30 * i), "RGBA", seed=i)
    (tmp_path / "pets" / "cat" / "1.png").write_bytes(
        (tmp_path / "pets" / "cat" / "0.png").read_bytes()
    )
    plan = runs.plan(tmp_path / "pets", minutes=60)
    assert "; 66 with an alpha channel, which is laid on white" in plan.lines()[0]
    assert plan.notes == (
        "Of 66 images that were compared, 65 differ.",
        "The 2 classes are not learned: 'dog' has 6 images, and each needs 50.",
    )
    for i in range(3):
        _fill(tmp_path / "shots" / f"{i}", 4, (40, 30 + 20 * i), seed=i)
    notes = runs.plan(tmp_path / "shots", minutes=60, image_size=16).notes
    assert notes[-1] == "The images have many aspects: all are cropped to 16×16 in the middle."
    for i in range(9):
        _fill(tmp_path / "shots" / f"more {i}", 4, (40, 50), seed=10 + i)
    notes = runs.plan(tmp_path / "shots", minutes=60, image_size=16).notes
    assert notes[-1].startswith("17% of the images have another aspect than most: all are cropped")


def test_two_folders_with_and_without_pairs(tmp_path):
    a, b = _fill(tmp_path / "a", 12), _fill(tmp_path / "b", 12, seed=1)
    plan = runs.plan(a, to=b, minutes=60)
    assert plan.settings["model"] == "pix2pix" and plan.settings["batch_size"] == 8
    for path in b.iterdir():
        path.rename(path.with_stem(f"other-{path.stem}"))
    plan = runs.plan(a, to=b, minutes=60)
    assert plan.settings["model"] == "cyclegan" and plan.settings["batch_size"] == 4
    assert len(plan.lines()) > 2 and str(b) in plan.lines()[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "The choice needs the time"),
        ({"epochs": 3}, "The choice needs the time"),
        ({"minutes": 1, "epochs": 3}, "Leave out one of them"),
        ({"minutes": 0}, "`minutes` must be greater than 0"),
        (
            {"minutes": 1, "weights": "emoji"},
            "names no model. Give one of: r3gan",
        ),
        ({"minutes": 1, "weights": "r3gan.emojy"}, "Did you mean 'r3gan.emoji'"),
        ({"minutes": 1, "weights": "r3gan.mnist"}, "know 10 classes, and pics has none: put its"),
        ({"minutes": 1, "weights": "r3gan.emoji", "image_size": 32}, "images of 64×64×3, and"),
        ({"minutes": 1, "weights": "cyclegan.apples_oranges"}, "learns from two domains: name"),
        ({"minutes": 1, "batch_size": 0}, "batch_size"),
    ],
    ids=str,
)
def test_what_cannot_be_planned(folder, options, message):
    with pytest.raises(ValueError, match=message):
        runs.plan("pics", **options)


def test_a_misspelt_argument_is_named(folder):
    with pytest.raises(TypeError, match="minute"):
        _auto("pics", minutess=3)
    with pytest.raises(FileNotFoundError):
        _auto(folder / "typo.zip")
