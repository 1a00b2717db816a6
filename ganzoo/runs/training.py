"""`train`: one training in a run folder."""

import contextlib
import dataclasses
import pathlib
import warnings
from collections.abc import Callable
from typing import Unpack

import keras

from ganzoo import backend
from ganzoo import callbacks
from ganzoo import doctor
from ganzoo import types
from ganzoo import zoo
from ganzoo.callbacks import terminal
from ganzoo.files import json_lines
from ganzoo.files import locks
from ganzoo.game import Game
from ganzoo.game.fitting import check_share
from ganzoo.runs import data_sheet
from ganzoo.runs import starting
from ganzoo.runs import timing
from ganzoo.runs.before_after import show_change
from ganzoo.runs.films import animate
from ganzoo.runs.interrupts import Interrupts
from ganzoo.runs.interrupts import Stopped
from ganzoo.runs.live import LiveReport
from ganzoo.runs.live import unfinished
from ganzoo.runs.preparing import check_domains
from ganzoo.runs.preparing import fresh
from ganzoo.runs.preparing import prepare
from ganzoo.runs.resuming import resume
from ganzoo.runs.scoring import MOST_NEAR
from ganzoo.runs.scoring import scoring
from ganzoo.runs.scoring import show_nearest
from ganzoo.runs.settings import Options
from ganzoo.runs.settings import Settings
from ganzoo.runs.settings import check_settings
from ganzoo.runs.settings import unwritable


def train(model: str, data: types.Path = "digits", **options: Unpack[Options]) -> Game:
    """Train a model of the zoo in a run folder, or resume where an earlier call was interrupted.

    Args:
        model: registry name.
        data, batch_size, image_size, data_dir, on_error, value_range: see `ganzoo.datasets.load`.
        sample_rate, length: likewise, of sounds.
        to: the second domain, for models of two: see `ganzoo.datasets.load_pair`.
        out: the run folder; None: `runs/MODEL-DATA`.
        weights: weights to start from, as `ganzoo.get` takes them; None: new ones. Images are
            resized to theirs, and files converted to their channels.
        devices: number of devices that share each batch, or `"all"`; of each process, where several
            train together. `batch_size` must be a multiple of their number. A run may go on with
            another number of them.
        epochs: total number of epochs, with those of earlier calls; None: 60, or as many as
            `minutes` allow.
        minutes: total wall time, with that of earlier calls that had minutes (epochs of calls that
            had none do not count), and with all that belongs to the run: reading the data,
            compiling, scores, checkpoints, the report. An epoch is then a share of the time: see
            `ganzoo.callbacks.TimeBudget`.
        since: time of `time.monotonic()` from which the minutes count; None: the call.
        seed: seed of weights, latents and order.
        arguments: further arguments of the model. `flip="auto"` mirrors images if
            `ganzoo.datasets.mirrored` finds that safe for the data.
        samples: number of images in a grid.
        checkpoint_seconds: minimum time between two checkpoints, in seconds; 0: at every epoch.
        score_every: epochs between two evaluations; the best model by Fréchet distance is kept. 0:
            none; None: 10; for data of your own up to 20, if it has few images, so that scores take
            little time, and none in a run of less than 5 minutes. The last epoch is always scored,
            and with minutes the one after a sixth of them.
        tensorboard: whether to write logs and images for TensorBoard too.
        on_divergence: what to do when a loss, a weight or an optimizer's state becomes NaN or
            infinite: `"stop"`, or `"rollback"`: go on from the newest checkpoint with half the
            learning rates, at most three times from the same one. Checkpoints hold finite numbers
            either way.
        imports: files or modules that define the model, for the record: see `--import`.
        say: called with a line of text at each stage.
        verbose: 0: no further output; 1: live losses, scores and time left; 2: a line for every
            epoch; "auto": 1 in a terminal, otherwise 2.
        file: where the output of `verbose` goes; None: the standard output.

    Returns:
        The trained model.

    Raises:
        TypeError: an argument is unknown. The message names similar ones.
        ValueError: the folder holds a run with other settings, or an argument is out of range.
        OSError: the folder cannot be written, or (`BlockingIOError`) another training is writing
            to it, or (`ConnectionError`) another process of this training is lost.
        FloatingPointError: the training has diverged. The message names the step, the term of the
            loss, the networks, and what to change.
    """
    settings = Settings.of(model, data, options)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(backend.spread(settings.devices))
        stack.enter_context(backend.together())
        if not backend.first():
            settings = dataclasses.replace(settings, say=lambda line: None, verbose=0)
            stack.enter_context(warnings.catch_warnings(action="ignore"))
        backend.led(lambda: stack.enter_context(_held(settings)))
        try:
            network = _train(settings, place)
        except (Stopped, FloatingPointError):  # which all processes raise
            backend.gathered(0)  # the first one may still be writing
            raise
        backend.gathered(0)
        return network


@contextlib.contextmanager
def _held(settings):
    """The run folder, locked against other trainings."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.alone(settings.run, settings.say))
        except BlockingIOError:
            raise
        except OSError as error:
            raise unwritable(settings.run, error) from None
        yield


def _train(settings, place):
    """`train` in a folder that no other training writes to; models are made in `place()`."""
    settings.check()
    run, say = settings.run, settings.say
    boards = []
    if settings.tensorboard:
        boards = [callbacks.TensorBoard(run.tensorboard, settings.samples, settings.seed)]
    with place():
        # Wrong arguments fail here, before data is read.
        network = zoo.get(settings.model, seed=settings.seed, **settings.model_arguments)
        check_domains(network, settings)
        check_share(settings.batch_size, network.devices)
        backend.led(lambda: check_settings(run, settings.record()))
        done, resumed = resume(run, settings.model, say)
        spent = backend.led(lambda: timing.spent(run))
        nothing_left = _nothing_left(settings, done, spent)
        if nothing_left is None:
            start = prepare(settings, network, done, resumed)
    if nothing_left is not None:
        say(nothing_left)
        if unfinished(run):  # a kill may have prevented it
            _attempt("The animation", lambda: animate(run), say)
            write_report(run, say)
        return resumed
    length = _length(settings, done, spent)
    say(f"Training {settings.model} on {settings.domains}{length}, in {run}")
    contents = [start.data.contents] if settings.to is None else start.data.contents
    for domain in contents:
        say(str(domain))
    if not run.data.exists():  # a resumed run has the same data
        _attempt("The data sheet", lambda: data_sheet.write(start, run), say)
    budget = timing.budget_of(settings, contents[0], MOST_NEAR)
    with backend.apart():
        scores = scoring(settings, start) if backend.first() else []
    try:
        others = [*_callbacks(settings, boards, scores), *([] if budget is None else [budget])]
        with timing.kept(budget, settings):
            _fit_with_rollback(settings, start, scores, others, place)
        nearest = lambda: show_nearest(start.model, start.data, run, settings.seed)
        _attempt("The nearest images", nearest, say)
        if settings.weights is not None:
            change = lambda: show_change(run, start.data, settings.samples)
            _attempt("The samples before and after", change, say)
    finally:  # also after an interruption: the part that was trained is worth seeing
        grids = _attempt("The animation", lambda: animate(run), say)
        page = write_report(run, say)
    if grids:
        say(f"Samples: {grids[-1]}")
        say(f"Animation of the training: {run.animation}")
    if run.change.exists():
        say(f"Before and after: {run.change}")
    for callback in scores:
        callback.report()
    if page is not None:
        say(f"Report: {page}")
    return start.model


def _nothing_left(settings, done, spent):
    """Why a run does not go on after these epochs and seconds; None if it does."""
    if settings.minutes is None:
        if done < settings.epochs:
            return None
        more = f"--epochs {done + settings.epochs}"
        return f"{settings.run} has {done} epochs already. For more: {more}"
    if not done or spent < 60 * settings.minutes:
        return None
    more = f"--minutes {2 * settings.minutes:g}"
    return f"{settings.run} has had its {settings.minutes:g} minutes already. For more: {more}"


def _length(settings, done, spent):
    """How long a training lasts, as a part of a sentence."""
    if settings.minutes is None:
        return f", epochs {done + 1} to {settings.epochs}"
    left = terminal.duration(60 * settings.minutes - spent)
    return f" for {left}" if not done else f" for the {left} left of {settings.minutes:g} min"


def _callbacks(settings, boards, scores):
    """The callbacks of every training except scores, the doctor and Ctrl-C: those that write."""
    if not backend.first():
        return []
    watching = [
        callbacks.MetricsLog(settings.run.metrics),
        callbacks.SampleGrid(settings.run.samples.folder, n=settings.samples, seed=settings.seed),
        *boards,
        callbacks.Checkpoints(settings.run.checkpoints.folder, seconds=settings.checkpoint_seconds),
    ]
    for callback in watching:
        callback.say = settings.say
    live = None if settings.verbose == "auto" else settings.verbose == 1
    view = [terminal.TerminalView(settings.file, live)] if settings.verbose else []
    names = [f"{scored.best}[{scored.evaluator.extractor.name}]" for scored in scores]
    # Last, so that it shows what others wrote.
    last = [LiveReport(settings.run, settings.say, *names)]
    return [*watching, _StepCount(settings.say), *view, *last]


def _fit_with_rollback(settings, start, scores, others, place):
    """Train until all epochs are done. After a divergence, go back to the newest checkpoint if the
    settings say so; `start` then has the model of that checkpoint."""
    run, again = settings.run, 0  # number of restarts from the same checkpoint
    while finding := _fit(settings, start, scores, others):
        newest = backend.led(lambda: run.checkpoints.newest)
        again = again + 1 if newest == start.done else 1
        if settings.on_divergence == "stop" or again > ROLLBACKS:
            raise FloatingPointError(_diverged(finding, newest, settings.on_divergence))
        with place():
            start.done, resumed = resume(run, settings.model, settings.say)
            start.model = fresh(settings, **start.more) if resumed is None else resumed
        optimizer = start.model.optimizer
        optimizer.learning_rate = float(optimizer.learning_rate) / 2**again
        settings.say(f"Back to epoch {start.done}, with learning rates divided by {2**again}.")


def _fit(settings, start, scores, others):
    """Train until all epochs are done. Returns the doctor's finding of a divergence, or None."""
    run, note = settings.run, None
    if backend.first():
        run.set_aside(start.done)
        json_lines.forget(run.findings, start.done)
        note = lambda finding: json_lines.append(run.findings, dataclasses.asdict(finding))
    budget = next((c for c in others if isinstance(c, callbacks.TimeBudget)), None)
    starting.warm_up(start.model, start.data, settings.say, budget)
    watch = doctor.Doctor(start.data, say=settings.say, found=note)
    with Interrupts(settings.say, lambda: run.checkpoints.newest) as interrupts:
        history = start.model.fit(
            start.data,
            epochs=settings.epochs or 1,  # with minutes, the `TimeBudget` among the others decides
            initial_epoch=start.done,
            verbose=0,
            callbacks=[*scores, watch, *others, interrupts],  # scores get logged
        )
        if interrupts.stopping and history.epoch[-1] + 1 < history.params["epochs"]:
            raise Stopped
    return watch.stopped


ROLLBACKS = 3
"""How often a diverged training restarts from the same checkpoint."""


def _diverged(finding, done, on_divergence):
    kept = f"The checkpoint of epoch {done} is intact" if done else "There is no checkpoint yet"
    mend = (
        "and `--on-divergence rollback` goes on from there with half the learning rates."
        if on_divergence == "stop"
        else f"and going on from there with lower learning rates has not helped {ROLLBACKS} times."
    )
    return (
        f"The training has diverged in epoch {finding.epoch}. {finding.seen} {kept}, {mend} "
        f"Or begin another run with {finding.advice}"
    )


def write_report(folder: types.Path, say: Callable[[str], object]) -> pathlib.Path | None:
    """Write a run's report. Returns its path, or reports an error and returns None."""

    def write():
        from ganzoo.runs import report  # loads matplotlib, which takes time

        return report.write(folder)

    return _attempt("The report", write, say)


def _attempt(what, write, say):
    """Call a function in the process that writes. Returns its result, or reports an error and
    returns None."""
    if not backend.first():
        return None
    try:
        return write()
    except Exception as error:
        say(f"{what} could not be written: {error}")
        return None


class _StepCount(keras.callbacks.Callback):
    """Reports the number of training steps at the start: a small data set, large batches and
    several moves of the discriminator for each of the generator's leave few. With a time budget,
    which knows them once it has measured the speed, it does so after the first epoch."""

    def __init__(self, say):
        super().__init__()
        self._say = self._say_speed = say

    def on_train_begin(self, logs=None):
        say, self._say = self._say, lambda line: None  # only once, however many rollbacks follow
        steps, epochs = self.params.get("steps"), self.params["epochs"]
        if steps is None:
            return
        plural = lambda count, word: f"{count:,} {word}{'s' * (count != 1)}"
        line = f"{plural(steps, 'training step')} an epoch, {steps * epochs:,} in "
        line += plural(epochs, "epoch")
        players = self.model.players
        if self.model.turns > 1:
            moves = [f"the {p.name} moves {_times(p.steps)}" for p in players]
            line += f"; in each, {' and '.join(moves)}"
        say(f"{line}.")

    def on_epoch_end(self, epoch, logs=None):
        budget = self.params.get("budget")
        if budget is not None and budget.speed is not None:
            say, self._say_speed = self._say_speed, lambda line: None
            say(timing.forecast(budget.speed, budget.left, self.model.modality.name))


def _times(count):
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
