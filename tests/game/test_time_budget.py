"""Training for minutes: by a clock that goes only when it is told to."""

import itertools
import math
import types

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.callbacks import TimeBudget
from ganzoo.game import time_budget


@pytest.fixture
def clock(monkeypatch):
    clock = types.SimpleNamespace(now=1000.0)
    monkeypatch.setattr(time_budget, "clock", lambda: clock.now)
    return clock


class Play:
    """Plays a training as Keras does.

    Args:
        step: seconds of a step, a number or a function of the time.
        after: seconds that follow an epoch.
        compiling: seconds before the first step.
        scores: epochs between two scores, and the seconds that each takes.
    """

    def __init__(
        self, clock, minutes, *, step=0.5, after=1.0, compiling=5.0, scores=None, initial=0, **more
    ):
        self.clock, self.begun, self.notes = clock, clock.now, []
        self.budget = TimeBudget(minutes, note=self.notes.append, **more)
        self.model = types.SimpleNamespace(examples_per_step=32, stop_training=False)
        self.lengths, self.planned, self.scored = [], [], []
        self.every, self.scoring = scores or (math.inf, 0)
        self.step = step if callable(step) else lambda now: step
        self.after = after
        self._run(compiling, initial)

    def _run(self, compiling, initial):
        clock, budget, model = self.clock, self.budget, self.model
        epochs = budget.begin(initial)
        self.params = {"epochs": epochs, "steps": time_budget.ENDLESS}
        budget.set_model(model)
        budget.set_params(self.params)
        budget.on_train_begin()
        clock.now += compiling
        for epoch in range(initial, epochs):
            budget.on_epoch_begin(epoch)
            self.planned.append(self.params["epochs"])
            for batch in itertools.count():
                clock.now += self.step(clock.now - self.begun)
                budget.on_train_batch_end(batch)
                if model.stop_training:
                    break
            self.lengths.append(batch + 1)
            self._end(epoch)
            if model.stop_training:
                break
        budget.on_train_end()

    def _end(self, epoch):
        logs = {"d_loss": 1.0}
        self.budget.on_epoch_end(epoch, logs)
        self.clock.now += self.after
        number, last = epoch + 1, self.params["epochs"]
        early = not self.scored and number >= last / 6
        if self.every < math.inf and (number == last or number % self.every == 0 or early):
            self.scored.append(epoch + 1)
            logs["frechet[x]"] = 2.0  # as `Evaluate` does, which comes later
            self.clock.now += self.scoring

    @property
    def seconds(self):
        return self.clock.now - self.begun


def test_an_hour_is_sixty_epochs_and_ends_in_time(clock):
    play = Play(clock, 60, reserve=20)
    assert len(play.lengths) == 60 == play.params["epochs"]
    # With what is kept free, an hour: but for the last step.
    assert 3580 <= play.seconds < 3580.5 + 0.5
    # Each epoch is as long as the others.
    assert max(play.lengths[1:]) - min(play.lengths[1:]) <= 2
    assert play.budget.speed == 64
    assert play.notes == sorted(play.notes)
    # What a kill may make free.
    assert max(b - a for a, b in itertools.pairwise(play.notes)) <= time_budget.NOTED + 1
    assert play.notes[-1] == play.seconds == play.budget.spent


@pytest.mark.parametrize(
    ("minutes", "epochs"),
    [(0.1, 1), (0.5, 3), (1, 6), (10, 60), (24 * 60, 288)],
    ids=lambda x: f"{x}",
)
def test_epochs_are_neither_short_nor_long(clock, minutes, epochs):
    play = Play(clock, minutes, step=0.5 if minutes < 100 else 5.0, compiling=0.0)
    assert abs(len(play.lengths) - epochs) <= epochs / 100
    assert abs(play.seconds - 60 * minutes) <= (0.5 if minutes < 100 else 5.0)


def test_what_follows_an_epoch_takes_a_tenth_at_most(clock):
    """Sixty epochs of 10 s would be followed by 10 s each."""
    play = Play(clock, 10, after=10.0)
    assert 600 <= play.seconds <= 600.5 + 10
    assert sum(play.lengths) * 0.5 > 0.85 * 600
    assert len(play.lengths) < 10


def test_a_step_that_takes_longer_than_an_epoch_is_one(clock):
    play = Play(clock, 5, step=40.0)
    assert set(play.lengths[1:]) == {1}  # in the first one, the time to compile is left out
    assert abs(play.seconds - 300) <= 40
    # The plan is corrected from epoch to epoch.
    assert play.planned[0] > play.planned[-1] == len(play.lengths)


@pytest.mark.parametrize("factor", [0.25, 4])
def test_another_speed_of_the_machine_changes_the_steps_not_the_time(clock, factor):
    play = Play(clock, 30, step=lambda now: 0.5 if now < 900 else 0.5 * factor)
    assert abs(play.seconds - 1800) <= 2
    steady = 2 * 1800
    assert sum(play.lengths) == pytest.approx(steady / 2 + steady / 2 / factor, rel=0.05)


def test_the_last_score_belongs_to_the_time(clock):
    play = Play(clock, 10, scores=(10, 30.0))
    assert play.scored[-1] == len(play.lengths) == play.params["epochs"]
    assert abs(play.seconds - 600) <= 1
    assert play.scored[0] in (9, 10)  # a sixth
    # Scores take time from epochs: there are fewer.
    assert 35 < len(play.lengths) < 55
    play = Play(clock, 10, scores=(1000, 30.0))
    assert play.scored == [10, len(play.lengths)]
    assert abs(play.seconds - 600) <= 1


def test_time_that_is_spent_already_is_not_spent_again(clock):
    play = Play(clock, 10, spent=480.0, initial=48, compiling=0.0)
    assert abs(play.seconds - 120) <= 0.5
    assert len(play.lengths) == 12
    assert play.params["epochs"] == 60
    assert play.notes[-1] == 480 + play.seconds


def test_time_before_the_training_counts(clock):
    since = clock.now
    clock.now += 30
    play = Play(clock, 1, since=since)
    assert abs(play.seconds - 30) <= 0.5


def test_compiling_may_take_all_of_it(clock):
    play = Play(clock, 0.1, compiling=100.0)
    assert play.lengths == [1]


def test_a_billion_minutes_begin(clock):
    budget = TimeBudget(1e9)
    assert budget.begin(0) == 1e9 * 60 / 300
    assert budget.left == 6e10


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf, "5", True])
def test_minutes_must_be_a_time(minutes):
    with pytest.raises((ValueError, TypeError), match="minutes"):
        TimeBudget(minutes)


def test_another_callback_that_ends_the_training_has_its_way(clock):
    """Before the budget ends an epoch, in the same step, and at the end of the epoch."""
    for stop in ("before", "after", "at the end"):
        budget = TimeBudget(10)
        model = types.SimpleNamespace(examples_per_step=1, stop_training=False)
        budget.set_model(model)
        budget.set_params({"epochs": budget.begin(0), "steps": None})
        budget.on_train_begin()
        budget.on_epoch_begin(0)
        budget.on_train_batch_end(0)
        assert not model.stop_training
        model.stop_training = stop == "before"
        clock.now += 20
        budget.on_train_batch_end(1)
        assert model.stop_training
        model.stop_training = True if stop == "after" else model.stop_training
        budget.on_epoch_end(0)
        assert bool(model.stop_training) == (stop != "at the end")
        # It was not the end: so nobody takes it for one.
        assert budget.params["epochs"] > 1


# In `fit` -----------------------------------------------------------------------------------------


@pytest.fixture
def ticking(monkeypatch):
    """A second passes whenever the time is read: after a few steps that run at once."""
    ticks = itertools.count()
    monkeypatch.setattr(time_budget, "clock", lambda: 1.0 * next(ticks))


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), "uint8")


def _model(**more):
    return ganzoo.get("dcgan", channels=4, latent_dim=6, seed=0, **more)


def _same(a, b):
    pairs = list(zip(a.weights, b.weights, strict=True))
    pairs += zip(a.optimizer.variables, b.optimizer.variables, strict=True)
    pairs.append((a.seed_generator.state, b.seed_generator.state))
    for one, other in pairs:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)


@pytest.mark.usefixtures("ticking")
def test_fit_trains_for_minutes_as_it_would_for_so_many_steps(images):
    model = _model()
    history = model.fit(images, batch_size=8, minutes=0.5, verbose=0)
    steps = int(model.step.numpy())
    assert steps > 20 and len(history.epoch) == history.params["epochs"] > 1
    other = _model()
    other.fit(images, batch_size=8, steps_per_epoch=steps, verbose=0)
    _same(model, other)


@pytest.mark.usefixtures("ticking")
def test_a_training_that_was_saved_goes_on_with_what_its_next_step_reads(images, tmp_path):
    model = _model()
    history = model.fit(images, batch_size=8, minutes=0.3, verbose=0)
    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    before = int(model.step.numpy())
    model.fit(images, batch_size=8, initial_epoch=len(history.epoch), minutes=0.4, verbose=0)
    steps = int(model.step.numpy())
    assert steps > before > 0
    other = _model()
    other.fit(images, batch_size=8, steps_per_epoch=steps, verbose=0)
    _same(model, other)


@pytest.mark.usefixtures("ticking")
def test_keras_progress_bar_shows_a_budget(images, capsys):
    model = _model()
    history = model.fit(images, batch_size=8, minutes=0.5, verbose=2)
    shown = capsys.readouterr().out
    epochs = len(history.epoch)
    assert f"Epoch 1/{epochs}" in shown and f"Epoch {epochs}/{epochs}" in shown
    assert str(time_budget.ENDLESS) not in shown


@pytest.mark.usefixtures("ticking")
def test_validation_goes_with_a_budget(images):
    history = _model().fit(images, batch_size=8, minutes=0.6, verbose=0, validation_data=images[:8])
    assert len(history.history["val_d_loss"]) == len(history.epoch) > 1


def test_minutes_exclude_epochs_and_steps(images):
    model = _model()
    for others, named in [({"epochs": 2}, "epochs"), ({"steps_per_epoch": 2}, "steps_per_epoch")]:
        with pytest.raises(ValueError, match=f"leave out `{named}`"):
            model.fit(images, minutes=1, **others)
        with pytest.raises(ValueError, match=f"leave out `{named}`"):
            model.fit(images, callbacks=[TimeBudget(1)], **others)
    with pytest.raises(ValueError, match="Give the time once"):
        model.fit(images, minutes=1, callbacks=[TimeBudget(1)])
    for minutes in (0, -1, math.nan):
        with pytest.raises(ValueError, match="minutes"):
            model.fit(images, minutes=minutes)
