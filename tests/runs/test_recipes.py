"""The table from which a model and settings are chosen, row by row."""

import dataclasses

import pytest

from ganzoo.datasets import Survey
from ganzoo.datasets.contents import Contents
from ganzoo.runs import planning
from ganzoo.runs import recipes

SURVEY = Survey(
    images=2000,
    looked_at=1000,
    distinct=1000,
    size=(480, 640),
    sizes=30,
    alike=0.5,
    channels=3,
    transparent=0,
    classes=None,
    names=None,
    contents=Contents("pics", "train"),
)
EMOJI = {"model": "r3gan", "weights": "emoji"}
TRAINED = {"learning_rate": 8e-4, "augment": None, "num_classes": None}


def _facts(start=None, paired=None, steps=20_000, asked=False, trained=TRAINED, **others):
    more = {name: others.pop(name) for name in ("unmeasured", "image_size") if name in others}
    return recipes.Facts(
        survey=dataclasses.replace(SURVEY, **others),
        start=start,
        asked=asked,
        trained=trained if start else {},
        paired=paired,
        steps=steps,
        **more,
    )


def _settings(**facts):
    facts = _facts(**facts)
    return recipes.settings_of(recipes.decide(facts), facts)


def _arguments(**facts):
    return _settings(**facts)["arguments"]


def test_photos_in_an_hour():
    assert _settings() == {
        "model": "r3gan",
        "image_size": 64,
        "batch_size": 32,
        "arguments": {
            "architecture": "dcgan",
            "learning_rate": 8e-4,
            "channels": (256,),
            "gamma": 5.0,
            "schedule_images": 640_000,
            "augment": "diffaugment",
        },
    }


@pytest.mark.parametrize(
    ("data", "warned"),
    [
        ({"size": (28, 28), "channels": 1}, False),
        ({"size": (28, 28), "channels": 3}, True),
        ({"size": (64, 64), "channels": 1}, True),
    ],
    ids=["small and grey", "in colour", "large"],
)
def test_few_steps_are_warned_of_unless_images_are_small_and_grey(data, warned):
    facts = _facts(steps=900, sizes=1, alike=1.0, **data)
    notes = planning.notes_on(facts, {"image_size": None})
    assert any("time for about 900 training steps" in note for note in notes) is warned


def test_mnist_in_an_hour():
    digits = {str(i): 6000 for i in range(10)}
    found = _settings(images=60_000, size=(28, 28), sizes=1, alike=1.0, channels=1, classes=digits)
    assert found == {
        "model": "r3gan",
        "batch_size": 32,
        "arguments": {
            "architecture": "dcgan",
            "learning_rate": 8e-4,
            "num_classes": 10,
            "schedule_images": 640_000,
        },
    }


@pytest.mark.parametrize(
    ("facts", "size"),
    [
        ({"size": (28, 28), "sizes": 1}, None),
        ({"size": (20, 32), "sizes": 1}, None),
        ({"size": (6, 6), "sizes": 1}, 32),
        ({"size": (28, 28), "sizes": 2}, 32),
        ({"size": (40, 40), "sizes": 1}, 32),
        ({"size": (41, 41), "sizes": 1}, 64),
        ({"size": (600, 800), "alike": 1.0}, (48, 64)),
        ({"size": (800, 600), "alike": 0.9}, (64, 48)),
        ({"size": (800, 600), "alike": 0.89}, 64),
        ({"size": (500, 600), "alike": 1.0}, 64),
        ({"size": (100, 2000), "alike": 1.0}, (16, 64)),
        ({"steps": 1499}, 32),
        ({"steps": 1500}, 64),
        ({"steps": None, "unmeasured": True}, 32),
        ({"steps": None}, 64),
        ({"size": (600, 800), "alike": 1.0, "steps": 10}, (24, 32)),
        ({"distinct": 10, "images": 20, "looked_at": 20, "start": EMOJI}, None),
    ],
    ids=str,
)
def test_sizes(facts, size):
    assert _settings(**facts).get("image_size") == size


@pytest.mark.parametrize(
    ("facts", "channels"),
    [
        ({"size": (31, 31)}, None),
        ({"size": (32, 32)}, (192,)),
        ({"size": (40, 40), "channels": 1}, None),
        ({"size": (41, 41), "channels": 1, "steps": 14_999}, (192,)),
        ({"size": (41, 41), "channels": 1, "steps": 15_000}, (256,)),
        ({"size": (40, 40), "steps": 15_000}, (192,)),
        ({"paired": True}, None),
        ({"images": 20, "distinct": 20, "looked_at": 20, "start": EMOJI}, None),
    ],
    ids=str,
)
def test_widths(facts, channels):
    assert _arguments(**facts).get("channels") == channels


@pytest.mark.parametrize(
    ("images", "size"), [(2, 2), (3, 2), (5, 4), (31, 16), (32, 32), (50, 32), (10**6, 32)]
)
def test_batches_are_no_larger_than_the_data(images, size):
    assert _settings(images=images)["batch_size"] == size


@pytest.mark.parametrize(
    ("paired", "images", "model", "size"),
    [(True, 100, "pix2pix", 8), (False, 100, "cyclegan", 4), (True, 5, "pix2pix", 4)],
)
def test_two_folders(paired, images, model, size):
    found = _settings(paired=paired, images=images, classes={"a": 50, "b": 50}, steps=10)
    assert found == {"model": model, "batch_size": size, "image_size": 32, "arguments": {}}


@pytest.mark.parametrize(
    ("classes", "count"),
    [
        (None, None),
        ({"a": 2000}, None),
        ({"a": 50, "b": 1950}, 2),
        ({"a": 49, "b": 1951}, None),
        ({str(i): 100 for i in range(20)}, 20),
    ],
    ids=["none", "one", "two", "few", "many"],
)
def test_classes(classes, count):
    assert _arguments(classes=classes).get("num_classes") == count


def test_few_images_begin_with_trained_weights_and_none_of_their_networks_changes():
    few = {"images": 98, "looked_at": 98, "distinct": 49, "classes": {"a": 50, "b": 51}}
    assert _settings(**few, start=EMOJI) == {
        **EMOJI,
        "batch_size": 32,
        "arguments": {"augment": "diffaugment"},
    }
    assert "weights" not in _settings(**few)
    assert "weights" not in _settings(**{**few, "distinct": 50}, start=EMOJI)
    assert "weights" not in _settings(**few, start=EMOJI, paired=False)


@pytest.mark.parametrize(
    ("facts", "augment"),
    [
        ({"images": 3201, "distinct": 3201, "looked_at": 3201}, None),
        ({"images": 3199, "distinct": 3199, "looked_at": 3199}, "diffaugment"),
        ({"images": 6400, "distinct": 499}, "diffaugment"),  # half of them are copies
        ({"steps": 5_000}, None),
        ({"steps": None, "unmeasured": True}, None),
        ({"unmeasured": True, "images": 241, "looked_at": 241, "distinct": 241}, None),
        ({"unmeasured": True, "images": 239, "looked_at": 239, "distinct": 239}, "diffaugment"),
    ],
    ids=str,
)
def test_images_that_are_read_often_are_augmented(facts, augment):
    assert _arguments(**facts).get("augment") == augment


@pytest.mark.parametrize(
    ("facts", "gamma", "images"),
    [
        ({}, 5.0, 640_000),
        ({"steps": 5_001}, 5.0, 160_000),
        ({"steps": 4_999}, 5.0, None),
        ({"size": (32, 32)}, None, 640_000),
        ({"steps": 1_000}, None, None),
        ({"image_size": 32}, None, 640_000),
        ({"image_size": 48, "size": (32, 32)}, 5.0, 640_000),
        ({"paired": False}, None, None),
        ({"images": 20, "distinct": 20, "looked_at": 20, "start": EMOJI}, None, None),
    ],
    ids=str,
)
def test_penalties_and_schedules(facts, gamma, images):
    found = _arguments(**facts)
    assert (found.get("gamma"), found.get("schedule_images")) == (gamma, images)


@pytest.mark.parametrize(
    ("facts", "decay"),
    [({"steps": 4999}, 0.99), ({"steps": 5000}, None), ({"unmeasured": True}, 0.99)],
    ids=str,
)
def test_short_trainings_average_over_fewer_steps(facts, decay):
    assert _arguments(**facts).get("ema_decay") == decay


def test_what_weights_were_trained_with_is_left_out_unless_the_table_chooses_it():
    """Otherwise it would apply although the rows that are shown say "none"."""
    trained = {
        "learning_rate": 8e-4,
        "discriminator_learning_rate": 2e-4,
        "augment": "diffaugment",
        "gamma": 5.0,
        "schedule_images": 600_000,
    }
    facts = {"start": EMOJI, "asked": True, "trained": trained}
    found = _arguments(**facts, steps=6_000)
    assert found == {"augment": None, "schedule_images": None}
    assert _arguments(**facts)["augment"] == "diffaugment"  # each image is read often
    # Weights that a new network is chosen over say nothing about it.
    assert _arguments(**{**facts, "asked": False}) == _arguments()


def test_each_topic_has_one_row_for_whatever_is_left():
    topics = list(dict.fromkeys(row.topic for row in recipes.TABLE))
    for topic in topics:
        rows = [row for row in recipes.TABLE if row.topic == topic]
        assert [row.when == "" for row in rows] == [False] * (len(rows) - 1) + [True]
    assert [row.topic for row in recipes.decide(_facts())] == topics


def test_every_row_can_apply():
    """None is hidden by those above it."""
    classes = {"a": 60, "b": 60}
    some = [
        _facts(),
        _facts(paired=True),
        _facts(paired=False),
        _facts(images=9000, steps=10, size=(28, 28), sizes=1, classes=classes),
        _facts(images=30, looked_at=30, distinct=30, start=EMOJI),
        _facts(start=EMOJI, asked=True, trained={"num_classes": 3}),
        _facts(size=(40, 40)),
        _facts(unmeasured=True),
    ]
    applied = {id(row) for facts in some for row in recipes.decide(facts)}
    assert [row.choice for row in recipes.TABLE if id(row) not in applied] == []
