"""Runs that last for minutes: killed and resumed, they are what one in one go would be."""

import datetime
import itertools
import json
import math
import types

import numpy as np
import pytest

import ganzoo
from ganzoo import datasets
from ganzoo import runs
from ganzoo.callbacks import Checkpoints
from ganzoo.callbacks import terminal
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from ganzoo.runs import commands
from ganzoo.runs import timing
from tests.helpers import run_quietly

TINY = {
    "generator_units": [8],
    "discriminator_units": [6],
    "pieces": 2,
    "latent_dim": 6,
    "ema_decay": 0.9,
    "precision": "float32",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A second passes whenever the time is read: after a few steps that run at once."""
    ticks = itertools.count()
    monkeypatch.setattr(time_budget, "clock", lambda: 1.0 * next(ticks))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """96 images: three steps of 32."""
    path = tmp_path_factory.mktemp("data") / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (96, 8, 8, 1), dtype="uint8"))
    return path


@pytest.fixture
def train(data):
    def train(out, minutes=None, **more):
        options = {"out": out, "minutes": minutes, "arguments": TINY, **more}
        return run_quietly("vanilla", data, **options)

    return train


def _rows(run):
    return [json.loads(line) for line in RunFolder(run).metrics.read_text().splitlines()]


def _same(model, data):
    """The model is what one training of as many steps, without a clock, makes of it."""
    steps = int(model.step.numpy())
    other = ganzoo.get("vanilla", seed=0, **TINY)
    ds = datasets.load(data, batch_size=32, seed=0, verbose=False)
    other.fit(ds, steps_per_epoch=steps, verbose=0)
    pairs = list(zip(model.weights, other.weights, strict=True))
    pairs += zip(model.optimizer.variables, other.optimizer.variables, strict=True)
    pairs.append((model.seed_generator.state, other.seed_generator.state))
    for one, two in pairs:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two), err_msg=one.path)


def test_a_run_of_minutes(train, data, tmp_path):
    run = RunFolder(tmp_path / "run")
    model, said = train(run, 1)
    assert said[0] == f"Training vanilla on {data} for 60 s, in {run}"
    assert any("images a second: about" in line for line in said)
    epochs = [row["epoch"] for row in _rows(run)]
    assert epochs == list(range(1, len(epochs) + 1)) and 2 <= len(epochs) <= 6
    assert run.checkpoints.newest == run.samples.newest == len(epochs)
    _same(model, data)
    config = run.read_config()
    assert (config["minutes"], config["epochs"]) == (1, None)
    assert timing.spent(run) >= 60
    page = run.report.read_text()
    assert f"{len(epochs)} epochs of 1 minutes in all" in page and "--minutes 1 " in page
    assert "Nothing found." in page or "The doctor" in page

    # The time is over: nothing changes.
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    again, said = train(run, 1)
    assert said == [f"{run} has had its 1 minutes already. For more: --minutes 2"]
    assert int(again.step) == int(model.step)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before

    # More time: it goes on exactly.
    longer, said = train(run, 1.5)
    assert said[0] == f"Training vanilla on {data} for the 30 s left of 1.5 min, in {run}"
    assert int(longer.step) > int(model.step)
    _same(longer, data)
    assert [row["epoch"] for row in _rows(run)][: len(epochs)] == epochs


class Killed(BaseException):
    """What a kill is to a run: nothing of it is caught."""


def test_a_run_that_was_killed_uses_the_rest_of_its_time(train, data, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    end, at = Checkpoints.on_epoch_end, []

    def killed(self, epoch, logs=None):
        if epoch == 2:
            at.append(self.params["budget"].spent)
            raise Killed
        end(self, epoch, logs)

    monkeypatch.setattr(Checkpoints, "on_epoch_end", killed)
    with pytest.raises(Killed):
        train(run, 4)
    monkeypatch.setattr(Checkpoints, "on_epoch_end", end)
    spent = timing.spent(run)
    assert at[0] < spent < 240 and run.checkpoints.newest == 2
    model, said = train(run, 4)
    assert f" for the {terminal.duration(240 - spent)} left of 4 min, in" in said[0]
    _same(model, data)
    rows = _rows(run)
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    assert timing.spent(run) >= 240


def test_minutes_may_follow_epochs_and_read_on(train, data, tmp_path):
    run = RunFolder(tmp_path / "run")
    train(run, epochs=2)
    model, _ = train(run, 0.5)
    assert int(model.step) > 6
    _same(model, data)


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (None, 0),
        ('{"seconds": 12.5}', 12.5),
        ('{"seconds": -1}', 0),
        ('{"seconds": NaN}', 0),
        ('{"seconds": null}', 0),
        ("[]", 0),
        ("", 0),
    ],
)
def test_the_time_of_a_run_that_is_damaged_begins_again(tmp_path, content, seconds):
    run = RunFolder(tmp_path)
    if content is not None:
        run.time.write_text(content)
    assert timing.spent(run) == seconds


def test_time_is_kept_exactly_so_that_a_run_has_ended_when_it_has(tmp_path):
    run = RunFolder(tmp_path)
    timing.keep(run, 60 * 8.3, print)  # not 498.0, but a little more
    assert timing.spent(run) == 60 * 8.3


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf])
def test_minutes_must_be_a_time(train, tmp_path, minutes):
    with pytest.raises(ValueError, match="`minutes` must be"):
        train(tmp_path / "run", minutes)
    assert not (tmp_path / "run" / "config.json").exists()


def test_minutes_and_epochs_exclude_each_other(train, tmp_path):
    with pytest.raises(ValueError, match="Leave out one of them: --minutes 1 or --epochs 3"):
        train(tmp_path / "run", 1, epochs=3)


def test_short_runs_are_scored_only_if_asked(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        "ganzoo.callbacks.Evaluate.on_epoch_end",
        lambda self, epoch, logs: asked.append((epoch + 1, self.params["epochs"])),
    )
    options = {"arguments": TINY, "verbose": 0, "say": lambda line: None}
    runs.train("vanilla", out=tmp_path / "a", minutes=0.5, **options)
    assert asked == []
    runs.train("vanilla", out=tmp_path / "b", minutes=0.5, score_every=1, **options)
    assert asked[-1][0] == asked[-1][1] == len(asked)


def test_files_that_are_read_again_are_given_time(monkeypatch):
    settings = types.SimpleNamespace(minutes=10, run=RunFolder("none"), since=0.0, say=print)
    contents = types.SimpleNamespace(images=50_000, shape=(64, 64, 3))
    assert timing.budget_of(settings, contents, 60_000).reserve == timing.CLOSING + 125
    contents.images = 1000  # in memory
    assert timing.budget_of(settings, contents, 60_000).reserve == timing.CLOSING
    settings.minutes = None
    assert timing.budget_of(settings, contents, 60_000) is None


def test_forecasts():
    now = datetime.datetime(2030, 5, 1, 22, 0)
    assert timing.end_after(3600, now) == "23:00"
    assert timing.end_after(3 * 3600, now) == "2030-05-02 01:00"
    assert timing.end_after(1e13, now) == "the end of the calendar"
    assert timing.forecast(1234, 600).startswith(
        "1,234 images a second: about 740,000 in the 10 min left, until "
    )
    assert [timing.rounded(x) for x in (0, 7, 83, 123, 98765)] == [0, 7, 83, 120, 99_000]


def test_the_command_of_a_run_names_its_minutes(train, tmp_path):
    settings = {"model": "vanilla", "data": "digits", "batch_size": 32, "image_size": None}
    settings |= {"seed": 0, "arguments": {}, "on_error": "raise"}
    assert " --minutes 2.5 " in commands.command(settings, None, minutes=2.5)
    assert "epochs" not in commands.command(settings, None, minutes=2.5)
