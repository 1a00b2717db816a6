"""`train`: one training in a run folder."""

import contextlib
import dataclasses
import functools
import inspect
import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import ParamSpec
from typing import TextIO

import keras

from ganzoo import callbacks
from ganzoo import datasets
from ganzoo import doctor
from ganzoo import types
from ganzoo import validation
from ganzoo import zoo
from ganzoo.callbacks import terminal
from ganzoo.files import json_lines
from ganzoo.files import locks
from ganzoo.files import texts
from ganzoo.modalities.images import PictureGame
from ganzoo.runs.films import animate
from ganzoo.runs.interrupts import Interrupts
from ganzoo.runs.resuming import newest_epoch
from ganzoo.runs.resuming import resume
from ganzoo.runs.resuming import set_aside
from ganzoo.runs.scoring import _scoring
from ganzoo.runs.scoring import show_nearest
from ganzoo.runs.settings import _plain
from ganzoo.runs.settings import channels_of
from ganzoo.runs.settings import check_settings
from ganzoo.runs.settings import class_count
from ganzoo.runs.settings import name_of
from ganzoo.runs.settings import unwritable
from ganzoo.runs.settings import write_config
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights

P = ParamSpec("P")


def _alone(train: Callable[P, PictureGame]) -> Callable[P, PictureGame]:
    """`train`, which no other process may do in the same run folder meanwhile."""

    @functools.wraps(train)
    def alone(*args, **kwargs):
        asked = inspect.signature(train).bind(*args, **kwargs)
        asked.apply_defaults()
        model, data, out, say = (asked.arguments[k] for k in ("model", "data", "out", "say"))
        out = pathlib.Path(out).expanduser() if out else weights.default_run(model, data)
        asked.arguments["out"] = out
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locks.alone(out, say))
            except BlockingIOError:
                raise
            except OSError as error:
                raise unwritable(out, error) from None
            return train(*asked.args, **asked.kwargs)

    return alone


@_alone
def train(
    model: str,
    data: types.Path = "digits",
    *,
    to: types.Path | None = None,
    out: types.Path | None = None,
    weights: types.Path | None = None,
    epochs: int = 60,
    batch_size: int = 64,
    image_size: int | tuple[int, int] | None = None,
    data_dir: types.Path | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    value_range: tuple[float, float] | None = None,
    seed: int = 0,
    arguments: dict[str, Any] | None = None,
    samples: int = 64,
    checkpoint_seconds: float = 15.0,
    score_every: int | None = None,
    tensorboard: bool = False,
    on_divergence: Literal["stop", "rollback"] = "stop",
    imports: Sequence[str] = (),
    say: Callable[[str], object] = texts.say,
    verbose: int | Literal["auto"] = "auto",
    file: TextIO | None = None,
) -> PictureGame:
    """Train a model of the zoo in a run folder; go on where an earlier call was interrupted.

    Args:
        model: registry name.
        data, batch_size, image_size, data_dir, on_error, value_range: see `ganzoo.datasets.load`.
        to: the second domain, for models of two: see `ganzoo.datasets.load_pair`.
        out: the run folder; None: `runs/MODEL-DATA`.
        weights: those to begin with, as `ganzoo.get` takes them; None: fresh ones. Images are
            brought to their size, and to their channels if they are files.
        epochs: epochs in all, those of earlier calls included.
        seed: of weights, latents and order.
        arguments: further arguments of the model.
        samples: pictures in a grid.
        checkpoint_seconds: save checkpoints no more often than this; 0: at every epoch.
        score_every: epochs between two evaluations, of which the best model by Fréchet distance
            is kept; 0: none; None: 10 where an extractor that comes with ganzoo knows the data,
            else none.
        tensorboard: whether to write logs and pictures for TensorBoard too.
        on_divergence: where a loss, a weight or an optimizer's state is no longer finite: `"stop"`,
            or `"rollback"`: go on from the newest checkpoint with half the learning rates, and from
            the same one at most three times. Checkpoints hold finite numbers either way.
        imports: files or modules that make the model known, for the record: see `--import`.
        say: called with a line of text at each stage.
        verbose: 0: no more than that; 1: losses, scores and the time left, kept up to date; 2: a
            line for every epoch; "auto": 1 in a terminal, else 2.
        file: where what `verbose` asks for goes; None: the standard output.

    Returns:
        The trained model.

    Raises:
        ValueError: the folder holds a run with other settings, or an argument is out of range.
        OSError: the folder cannot be written, or (`BlockingIOError`) another training writes to
            it at this moment.
        FloatingPointError: the training has diverged. The message names the step, the term of the
            loss, the networks, and what to change.
    """
    assert isinstance(out, pathlib.Path)  # by `_alone`
    arguments = dict(arguments or {})
    validation.integer("epochs", epochs)
    validation.integer("batch_size", batch_size)
    validation.real("checkpoint_seconds", checkpoint_seconds, least=0)
    validation.one_of("on_divergence", on_divergence, ("stop", "rollback"))
    if score_every is not None:
        validation.integer("score_every", score_every, least=0)
    if "seed" in arguments:
        raise ValueError("The seed is given by --seed (`seed=`), not among the model's arguments.")
    boards = [callbacks.TensorBoard(out / "tensorboard", samples, seed)] if tensorboard else []
    network = zoo.get(model, seed=seed, **arguments)  # finds wrong arguments before data is read
    _check_domains(network, model, to)
    options = {
        "image_size": image_size,
        "batch_size": batch_size,
        "seed": seed,
        "on_error": on_error,
        "value_range": value_range,
    }
    settings = {"model": model, "arguments": arguments, "data": name_of(data), **options}
    settings["weights"] = None if weights is None else texts.kept(os.fspath(weights))
    if to is not None:
        settings["to"] = name_of(to)
    settings = _plain(settings)
    check_settings(out, settings)
    done, resumed = resume(out, model, say)
    if done >= epochs:
        say(f"{out} has {done} epochs already. For more: --epochs {done + epochs}")
        if not (out / "report.html").exists():  # a kill may have kept it from it
            _carefully("The animation", lambda: animate(out), say)
            write_report(out, say)
        return resumed

    def fresh(**more):
        return zoo.get(model, weights=weights, seed=seed, **more, **arguments)

    if resumed is not None or weights is not None:
        network = fresh() if resumed is None else resumed
    reading = {
        "data_dir": data_dir,
        "on_error": on_error,
        "value_range": value_range,
        "channels": None,
    }
    if weights is not None:
        options["image_size"] = _size(network, image_size, weights, say)
        reading["channels"] = channels_of(network)
    # A run goes on with the numbers that its classes had when it began.
    known = catalogue.trained_on(out).get("class_names") if resumed is not None else None
    known = known and [texts.local(name) for name in known]
    ds = _load(network, data, to, known, **{**options, **reading})
    if weights is not None:
        _check_shape(network, tuple(ds.description["image_shape"]), weights)
    conditional = getattr(network, "num_classes", None) is not None
    more = {}
    if resumed is None and conditional and "num_classes" not in arguments:
        more = {"num_classes": class_count(ds)}
    if weights is not None:
        _check_classes(network, more.pop("num_classes", None), weights)
    names = ds.class_names if conditional else None
    # Only now: what is misspelt leaves no folder.
    write_config(out, settings, epochs, names, imports)
    if resumed is None and weights is None:
        network = fresh(**more)
    domains = data if to is None else f"{data} and {to}"
    say(f"Training {model} on {domains}, epochs {done + 1} to {epochs}, in {out}")
    for contents in [ds.contents] if to is None else ds.contents:
        say(str(contents))
    every = score_every if hasattr(network, "generate") else 0
    reading["class_names"] = ds.class_names if known else None
    scoring = _scoring(out, ds, data, every, conditional, say, **reading)
    live = None if verbose == "auto" else verbose == 1
    watching = [
        callbacks.MetricsLog(out / "metrics.jsonl"),
        callbacks.SampleGrid(out / "samples", n=samples, seed=seed),
        *boards,
        callbacks.Checkpoints(out / "checkpoints", seconds=checkpoint_seconds),
    ]
    for callback in watching:
        callback.say = say
    watching.append(_Count(say))
    view = [terminal.TerminalView(file, live)] if verbose else []
    again = 0  # how often it has gone on from the same checkpoint
    try:
        while finding := _fit(network, ds, out, done, epochs, scoring, [*watching, *view], say):
            newest = newest_epoch(out)
            again = again + 1 if newest == done else 1
            if on_divergence == "stop" or again > ROLLBACKS:
                raise FloatingPointError(_diverged(finding, newest, on_divergence))
            done, resumed = resume(out, model, say)
            network = fresh(**more) if resumed is None else resumed
            network.optimizer.learning_rate = float(network.optimizer.learning_rate) / 2**again
            say(f"Back to epoch {done}, with learning rates divided by {2**again}.")
        _carefully("The nearest pictures", lambda: show_nearest(network, ds, out, seed), say)
    finally:  # also when interrupted: what there is, is worth seeing
        grids = _carefully("The animation", lambda: animate(out), say)
        page = write_report(out, say)
    if grids:
        say(f"Samples: {grids[-1]}")
        say(f"The training as an animation: {out / 'training.gif'}")
    for callback in scoring:
        callback.report()
    if page is not None:
        say(f"All of it on one page: {page}")
    return network


def _size(network, image_size, source, say):
    """`(height, width)` of the images that a model with weights goes on with; None for points."""
    shape = network.image_shape
    size = tuple(shape[:2]) if len(shape) == 3 else None
    wanted = (image_size, image_size) if isinstance(image_size, int) else image_size
    if wanted is not None and tuple(wanted) != size:
        raise ValueError(
            f"The weights {str(source)!r} are of shape {'×'.join(map(str, shape))}, and "
            f"--image-size (`image_size=`) is {image_size}: leave it out, or begin without them."
        )
    if wanted is None and size is not None:
        say(f"Images are brought to {'×'.join(map(str, shape))}, the size of the weights {source}.")
    return size


def _check_shape(network, shape, source):
    """Raise a `ValueError` if data has not the shape of the weights."""
    if shape != network.image_shape:
        wanted, found = ("×".join(map(str, x)) for x in (network.image_shape, shape))
        raise ValueError(
            f"The weights {str(source)!r} are of shape {wanted}, and the data of {found}. Images "
            "in a folder or zip are brought to it; save those of an array so, or convert the array."
        )


def _check_classes(network, counted, source):
    """Raise a `ValueError` if data has not as many classes as the weights; None: do not ask."""
    known = network.num_classes
    if counted is not None and counted != known:
        raise ValueError(
            f"The weights {str(source)!r} know {known} classes, and the data has {counted}. Say "
            f"`--set num_classes={known}` if those of the data are among them; or `--set "
            f"num_classes={counted}` to learn the layers that depend on classes from the start, as "
            "files of `ganzoo publish` allow."
        )


def _fit(network, ds, out, done, epochs, scoring, others, say):
    """Train until all epochs are done; what the doctor has found if numbers keep it from it."""
    set_aside(out, done)
    notes = out / "doctor.jsonl"
    json_lines.forget(notes, done)
    note = lambda found: json_lines.append(notes, dataclasses.asdict(found))
    watch = doctor.Doctor(ds, say=say, found=note)
    with Interrupts(say, lambda: newest_epoch(out)) as interrupts:
        history = network.fit(
            ds,
            epochs=epochs,
            initial_epoch=done,
            verbose=0,
            callbacks=[*scoring, watch, *others, interrupts],  # scores get logged
        )
        if interrupts.asked and history.epoch[-1] + 1 < epochs:
            raise KeyboardInterrupt
    return watch.stopped


ROLLBACKS = 3
"""How often a training goes on from the same checkpoint after it has diverged."""


def _diverged(finding, done, on_divergence):
    kept = f"The checkpoint of epoch {done} is whole" if done else "There is no checkpoint yet"
    mend = (
        "and `--on-divergence rollback` goes on from there with half the learning rates."
        if on_divergence == "stop"
        else f"and going on from there with lower learning rates has not helped {ROLLBACKS} times."
    )
    return (
        f"The training has diverged in epoch {finding.epoch}. {finding.seen} {kept}, {mend} "
        f"Or begin another run with {finding.advice}"
    )


def _check_domains(network, model, to):
    """Raise a `ValueError` unless there are as many domains as the model learns from."""
    if network.paired is None and to is not None:
        raise ValueError(f"{model!r} learns from one domain: leave out --to (`to=`).")
    if network.paired is not None and to is None:
        raise ValueError(f"{model!r} learns from two domains: name the second by --to (`to=`).")


def _load(network, data, to, class_names, **options):
    """The data as the model takes it."""
    if to is not None:
        return datasets.load_pair(data, to, paired=network.paired, verbose=False, **options)
    labelled = getattr(network, "label_range", None) is not None
    names = class_names if labelled else None
    return datasets.load(data, labels=labelled, class_names=names, verbose=False, **options)


def write_report(folder: types.Path, say: Callable[[str], object]) -> pathlib.Path | None:
    """Write a run's report and return its path; whatever is wrong with it is said."""

    def write():
        from ganzoo.runs import report  # loads matplotlib, for which no training need wait

        return report.write(folder)

    return _carefully("The report", write, say)


def _carefully(what, write, say):
    """What a function returns; whatever goes wrong is said, and nothing is lost."""
    try:
        return write()
    except Exception as error:
        say(f"{what} could not be written: {error}")
        return None


class _Count(keras.callbacks.Callback):
    """Says at the start how many training steps there will be: with a small data set, large batches
    and several moves of the discriminator for each of the generator, these are few."""

    def __init__(self, say):
        super().__init__()
        self._say = say

    def on_train_begin(self, logs=None):
        say, self._say = self._say, lambda line: None  # once, however often it goes back
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


def _times(count):
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
