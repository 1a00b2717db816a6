"""The progress of a training, in a terminal."""

import math
import os
import sys
import time
from typing import TextIO

import keras
from rich import columns
from rich import console
from rich import progress_bar
from rich import table
from rich import text
from rich.live import Live

from ganzoo.files import texts


class TerminalView(keras.callbacks.Callback):
    """Shows epochs, images per second, losses, scores and the time left, in a few lines that stay
    in place; if the output is not a terminal, in one line per epoch, without colours.

    Pass it to `fit` with `verbose=0`. Other output appears above it.

    Args:
        file: where to write; None: the standard output.
        live: whether lines may be overwritten; None: if `file` is a terminal.

    Example:

    >>> import io, ganzoo
    >>> out = io.StringIO()
    >>> model = ganzoo.get("vanilla", seed=0)
    >>> ds = ganzoo.datasets.load("digits")
    >>> history = model.fit(ds, epochs=2, verbose=0, callbacks=[TerminalView(out)])
    >>> [line.split(":")[0] for line in out.getvalue().splitlines()]
    ['Epoch 1/2', 'Epoch 2/2']
    """

    def __init__(self, file: TextIO | None = None, live: bool | None = None) -> None:
        super().__init__()
        self.file = file
        self.live = live
        self._display: Live | None = None

    # State -------------------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        self._epoch, self._start, self._begun = None, time.perf_counter(), None
        self._logs, self._scores, self._scored, self._speed = {}, {}, None, None
        self._out = texts.Terminal(self.file or sys.stdout)
        live = self._out.isatty() if self.live is None else self.live
        if live and os.environ.get("TERM") != "dumb":
            self._display = Live(
                console=console.Console(file=self._out, highlight=False, markup=False),
                get_renderable=self._lines,
                refresh_per_second=4,
                # Output that goes elsewhere does not disturb the lines.
                redirect_stdout=sys.stdout.isatty(),
                redirect_stderr=sys.stderr.isatty(),
            )
            self._display.start()

    def on_epoch_begin(self, epoch, logs=None):
        self._first = epoch if self._epoch is None else self._first
        self._epoch, self._step, self._ended = epoch, 0, False
        self._size = self.model.examples_per_step
        self._clock, self._counted_from = time.perf_counter(), 0

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        # Steps that run together may be more than are left of the epoch.
        self._step = min(batch + 1, self.params["steps"] or batch + 1)
        if self._begun is None:  # the time before this was compilation
            self._begun, self._begun_at = now, self._progress()
            self._clock, self._counted_from = now, self._step
        steps, seconds = self._step - self._counted_from, now - self._clock
        if steps:
            self._speed = steps * self._size / seconds
        self._logs = _numbers(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._ended = True
        numbers = _numbers(logs)
        scores = {k: v for k, v in numbers.items() if _is_score(k)}
        if scores:
            self._scores, self._scored = scores, epoch + 1
        self._logs = {k: v for k, v in numbers.items() if not _is_score(k)}
        if self._display is None:
            shown = {k: v for k, v in numbers.items() if k.endswith("loss") or _is_score(k)}
            line = ", ".join([*self._pace(), *(f"{k} {v:.4g}" for k, v in shown.items())])
            line = f"Epoch {epoch + 1}/{self.params['epochs']}: {line}"
            texts.say(line, self._out)

    def close(self) -> None:
        """Called by `fit`, however it ends."""
        if self._display is not None:
            self._display.stop()
            self._display = None

    # Output ------------------------------------------------------------------------------------

    def _progress(self):
        """Epochs done in this training, with the fraction of the current one."""
        part = 1 if self._ended else self._step / (self.params["steps"] or math.inf)
        return self._epoch - self._first + part

    def _pace(self):
        """Yield examples per second and the time left, once there are measurements."""
        if self._speed is not None:
            yield f"{self._speed:,.0f} {self.model.modality.name}/s"
        now, done = time.perf_counter(), self._progress()
        total = self.params["epochs"] - self._first
        budget = self.params.get("budget")
        if done >= total:
            yield f"{duration(now - self._start)} in all"
        elif budget is not None:
            yield f"{duration(budget.left)} left"
        elif done > self._begun_at:
            yield f"{duration((now - self._begun) / (done - self._begun_at) * (total - done))} left"

    def _lines(self):
        if self._begun is None:
            return text.Text("Compiling the training step …", style="dim")
        lines, head = table.Table.grid(), table.Table.grid(padding=(0, 2))
        steps, budget = self.params["steps"], self.params.get("budget")
        resting = not self._ended and steps is not None and self._step >= steps
        whole, part = (steps, self._step) if budget is None else (budget.seconds, budget.spent)
        head.add_row(
            f"Epoch {self._epoch + 1}/{self.params['epochs']}",
            progress_bar.ProgressBar(total=whole, completed=part, width=20),
            f"{self._step}/{steps or '?'}" if budget is None else f"{self._step} steps",
            "ending the epoch …" if resting else "  ".join(self._pace()),
        )
        lines.add_row(head)
        lines.add_row(_values({k: f"{v:.4f}" for k, v in self._logs.items()}))
        if self._scores:
            lines.add_row(text.Text(f"Scores after epoch {self._scored}:", style="dim"))
            lines.add_row(_values({k: f"{v:.4g}" for k, v in self._scores.items()}))
        return lines


def duration(seconds: float) -> str:
    """A time as text: `"40 s"`, `"12 min"`, `"3 h 5 min"`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _is_score(name):
    return "[" in name


def _numbers(logs):
    return {name: float(value) for name, value in (logs or {}).items()}


def _values(shown):
    """Names and values in columns, as many as fit; losses first, as they sum up other terms."""
    order = sorted(shown, key=lambda name: not name.endswith("loss"))
    pairs = [
        text.Text.assemble(
            (f"{name.split('[')[0]} ", "dim"),
            (shown[name], "bold" if name.endswith("loss") else ""),
        )
        for name in order
    ]
    return columns.Columns(pairs, padding=(0, 3))
