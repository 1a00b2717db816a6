"""What the terminal shows of a training."""

import copy
import io
import os
import re
import select
import signal
import subprocess
import sys
import time
import types

import keras
import pyte
import pytest
from rich import console

import ganzoo
from ganzoo.callbacks import terminal


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes only when it is told to."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(terminal.time, "perf_counter", lambda: Clock.now)
    return Clock


class Trainee:
    examples_per_step = 64
    modality = types.SimpleNamespace(name="images")


def by_hand(clock, epochs, steps, *, initial=0, file=None):
    """Plays a training of a tenth of a second a step, after ten seconds of compiling."""
    view = terminal.TerminalView(file or io.StringIO())
    view.set_model(Trainee())
    view.set_params({"epochs": epochs, "steps": steps})
    view.on_train_begin()
    clock.now += 10
    for epoch in range(initial, epochs):
        view.on_epoch_begin(epoch)
        for step in range(steps or 5):
            clock.now += 0.1
            view.on_train_batch_end(step, {"d_loss": 0.5})
        yield view, epoch
        view.on_epoch_end(epoch, {"d_loss": 0.5, "d_real": 0.25, "frechet[x-v1]": 12.0})
    view.close()


def test_speed_and_time_left_do_not_count_compiling(clock):
    out = io.StringIO()
    for _ in by_hand(clock, epochs=12, steps=10, initial=10, file=out):
        pass
    first, last = out.getvalue().splitlines()
    # 64 pictures in a tenth of a second; ten steps are left.
    assert first == "Epoch 11/12: 640 images/s, 1 s left, d_loss 0.5, frechet[x-v1] 12"
    # Compiling counts here: it has taken that long.
    assert last.startswith("Epoch 12/12: 640 images/s, 12 s in all")


def test_a_time_budget_knows_the_time_left(clock):
    out, shown = io.StringIO(), io.StringIO()
    view = terminal.TerminalView(out)
    view.set_model(Trainee())
    budget = types.SimpleNamespace(seconds=600, spent=0.0, left=600.0)
    view.set_params({"epochs": 3, "steps": None, "budget": budget})
    view.on_train_begin()
    for epoch in range(3):
        view.on_epoch_begin(epoch)
        for step in range(10):
            clock.now += 0.1
            view.on_train_batch_end(step, {"d_loss": 0.5})
        budget.spent += 200.0
        budget.left -= 200.0
        console.Console(file=shown, width=80).print(view._lines())
        view.on_epoch_end(epoch, {"d_loss": 0.5})
    first, second, last = out.getvalue().splitlines()
    assert first == "Epoch 1/3: 640 images/s, 7 min left, d_loss 0.5"
    assert second == "Epoch 2/3: 640 images/s, 3 min left, d_loss 0.5"
    assert last == "Epoch 3/3: 640 images/s, 3 s in all, d_loss 0.5"
    assert shown.getvalue().count("10 steps") == 3


def test_scores_fit_a_terminal_of_80_columns(clock):
    shown = io.StringIO()
    names = ("frechet", "precision", "recall", "density", "coverage", "diversity")
    logs = {"d_loss": 0.5, "g_loss": 1.5, "d_real": 0.25, "d_fake": -0.25}
    for view, epoch in by_hand(clock, epochs=70, steps=1, initial=69):
        view.on_epoch_end(epoch, logs | {f"{name}[digits-v1]": 0.123456 for name in names})
        console.Console(file=shown, width=80).print(view._lines())
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert "Scores after epoch 70:" in lines and shown.getvalue().count("poch 70") == 2
    assert all(len(line) <= 80 for line in lines)
    found = " ".join(re.sub(" +", " ", line) for line in lines)
    # No name is parted from its value: each line ends with one.
    assert all(f"{name} 0.1235" in found for name in names)
    assert all(line[-1].isdigit() for line in lines[1:] if "Scores" not in line)


def test_an_epoch_of_unknown_length(clock):
    for view, _ in by_hand(clock, epochs=2, steps=None):
        assert view._progress() == view._epoch
    assert "left" not in "".join(view._pace())


def test_steps_that_run_together_are_not_counted_beyond_the_epoch(clock):
    view = next(by_hand(clock, epochs=1, steps=5))[0]
    view.on_train_batch_end(7)  # as Keras counts, of executions of eight steps
    assert view._step == 5


@pytest.mark.parametrize(
    "seconds, words",
    [(0.4, "0 s"), (99, "99 s"), (101, "2 min"), (5400, "90 min"), (7500, "2 h 5 min")],
)
def test_durations_as_people_say_them(seconds, words):
    assert terminal.duration(seconds) == words


def test_a_line_for_every_epoch_where_there_is_no_terminal():
    out, ds = io.StringIO(), ganzoo.datasets.load("digits")
    model = ganzoo.get("vanilla", seed=0)
    log = model.fit(ds, epochs=2, verbose=0, callbacks=[terminal.TerminalView(out)]).history
    text = out.getvalue()
    assert "\x1b" not in text
    assert [line.split(":")[0] for line in text.splitlines()] == ["Epoch 1/2", "Epoch 2/2"]
    for epoch, line in enumerate(text.splitlines()):
        assert f"d_loss {log['d_loss'][epoch]:.4g}, g_loss {log['g_loss'][epoch]:.4g}" in line


def test_a_file_is_no_terminal_whatever_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as many do where tests are run
    with (tmp_path / "log.txt").open("w") as file:
        view = terminal.TerminalView(file)
        assert copy.deepcopy(terminal.TerminalView()).file is None  # as KerasTuner does
        ganzoo.get("vanilla", seed=0).fit(
            ganzoo.datasets.load("digits"), verbose=0, callbacks=[view]
        )
    text = (tmp_path / "log.txt").read_text()
    assert text.startswith("Epoch 1/1: ") and "\x1b" not in text


def test_training_goes_on_when_nobody_reads_any_more():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    view, ds = terminal.TerminalView(Closed()), ganzoo.datasets.load("digits")
    log = ganzoo.get("vanilla", seed=0).fit(ds, epochs=2, verbose=0, callbacks=[view])
    assert log.epoch == [0, 1]


def test_an_error_while_closing_keeps_no_other_from_closing():
    class Closes(keras.callbacks.Callback):
        closed = 0

        def close(self):
            self.closed += 1
            raise OSError("no space left")

    both = [Closes(), Closes()]
    with pytest.raises(OSError, match="no space left"):
        ganzoo.get("vanilla", seed=0).fit(ganzoo.datasets.load("digits"), verbose=0, callbacks=both)
    assert [callback.closed for callback in both] == [1, 1]


def test_callbacks_are_closed_however_the_training_ends():
    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("as it were")

    class Closes(keras.callbacks.Callback):
        closed = 0

        def close(self):
            self.closed += 1

    model, closes = ganzoo.get("vanilla", seed=0), Closes()
    ds = ganzoo.datasets.load("digits")
    with pytest.raises(RuntimeError, match="as it were"):
        model.fit(ds, verbose=0, callbacks=[Fails(), closes])
    assert closes.closed == 1
    model.fit(ds, verbose=0, callbacks=[closes])
    assert closes.closed == 2


class Terminal:
    """A command in a pseudo-terminal of 100 × 30 characters."""

    def __init__(self, *command):
        pty = pytest.importorskip("pty", reason="a terminal of POSIX")
        self.screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self.screen)
        self._file, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ganzoo", *command],
            **dict.fromkeys(("stdin", "stdout", "stderr"), other),
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
            start_new_session=True,
            # Tests that run in the background are started with Ctrl-C ignored, which is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(other)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).strip()

    def until(self, pattern, seconds=600):
        """Reads until the screen shows a pattern."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < end and self._read(), self.text
        return self.text

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        os.close(self._file)

    def end(self):
        """Reads until the command has ended, and returns its exit code."""
        while self._read():
            pass
        return self.process.wait(600)

    def _read(self):
        if not select.select([self._file], [], [], 600)[0]:
            return False
        try:
            some = os.read(self._file, 512)  # less than a picture of it, so that none is missed
        except OSError:  # so Linux says that the other side is closed
            return False
        self._stream.feed(some)
        return bool(some)


def test_a_training_in_a_terminal(tmp_path):
    run = tmp_path / "run"
    # Twenty epochs: one takes less than the quarter second between two looks.
    options = ["--set", "channels=4", "--score-every", "20", "--out", str(run)]
    with Terminal("train", "dcgan", "--epochs", "20", *options) as shown:
        shown.until(r"Compiling the training step")
        shown.until(r"Epoch \d+/20 .*/23 .* left")
        assert shown.end() == 0
        text = shown.text
    assert re.search(r"Epoch 20/20  ━+  23/23  [\d,]+ images/s  \d+ (s|min) in all", text), text
    assert re.search(r"d_loss 0?\d\.\d{4} +g_loss \d\.\d{4} +d_accuracy_fake", text), text
    assert re.search(r"Scores after epoch 20:\nfrechet [\d.]+", text), text
    assert text.count("Epoch 20/20") == 1, text
    assert not shown.screen.cursor.hidden


def test_ctrl_c_leaves_a_whole_terminal(tmp_path):
    run = tmp_path / "run"
    options = ["--set", "channels=4", "--score-every", "0", "--out", str(run)]
    with Terminal("train", "dcgan", "--epochs", "5000", *options) as shown:
        shown.until(r"Epoch \d+/5000 .* left")
        shown.process.send_signal(signal.SIGINT)
        shown.until(r"Interrupted\. The same command goes on after epoch \d+\.")
        assert shown.end() == 130
    assert not shown.screen.cursor.hidden
    assert "Stopping at the end of this epoch." in shown.text
