"""Run folders: one training with all that belongs to it, resumable by the same command.

config.json       what was asked for, and with what
metrics.jsonl     one line per epoch
samples/          a grid per epoch, always from the same latents
training.gif      these grids, one after the other
checkpoints/      the newest two, whole models; and the best one, where the run was scored
scores.json       what `ganzoo evaluate` found
nearest.png       samples beside the nearest training pictures; by the same, held-out ones as well
doctor.jsonl      what the doctor found
report.html       all of it on one page
"""

import contextlib
import dataclasses
import functools
import inspect
import json
import operator
import os
import pathlib
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import ParamSpec
from typing import TextIO

import keras
import numpy as np

from ganzoo import backend
from ganzoo import callbacks
from ganzoo import catalogue
from ganzoo import checks
from ganzoo import datasets
from ganzoo import doctor
from ganzoo import evaluation
from ganzoo import hints
from ganzoo import images
from ganzoo import locks
from ganzoo import terminal
from ganzoo import texts
from ganzoo import weights
from ganzoo import zoo
from ganzoo.pictures import PictureGame

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
                raise _unwritable(out, error) from None
            return train(*asked.args, **asked.kwargs)

    return alone


@_alone
def train(
    model: str,
    data: hints.Path = "digits",
    *,
    to: hints.Path | None = None,
    out: hints.Path | None = None,
    weights: hints.Path | None = None,
    epochs: int = 60,
    batch_size: int = 64,
    image_size: int | tuple[int, int] | None = None,
    data_dir: hints.Path | None = None,
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
    checks.integer("epochs", epochs)
    checks.integer("batch_size", batch_size)
    checks.real("checkpoint_seconds", checkpoint_seconds, least=0)
    checks.one_of("on_divergence", on_divergence, ("stop", "rollback"))
    if score_every is not None:
        checks.integer("score_every", score_every, least=0)
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
    settings = {"model": model, "arguments": arguments, "data": _name(data), **options}
    settings["weights"] = None if weights is None else texts.kept(os.fspath(weights))
    if to is not None:
        settings["to"] = _name(to)
    settings = _plain(settings)
    _check(out, settings)
    done, resumed = _resume(out, model, say)
    if done >= epochs:
        say(f"{out} has {done} epochs already. For more: --epochs {done + epochs}")
        if not (out / "report.html").exists():  # a kill may have kept it from it
            _carefully("The animation", lambda: _animate(out), say)
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
        reading["channels"] = _channels(network)
    # A run goes on with the numbers that its classes had when it began.
    known = catalogue.trained_on(out).get("class_names") if resumed is not None else None
    known = known and [texts.local(name) for name in known]
    ds = _load(network, data, to, known, **{**options, **reading})
    if weights is not None:
        _check_shape(network, tuple(ds.description["image_shape"]), weights)
    conditional = getattr(network, "num_classes", None) is not None
    more = {}
    if resumed is None and conditional and "num_classes" not in arguments:
        more = {"num_classes": _classes(ds)}
    if weights is not None:
        _check_classes(network, more.pop("num_classes", None), weights)
    names = ds.class_names if conditional else None
    # Only now: what is misspelt leaves no folder.
    _write_config(out, settings, epochs, names, imports)
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
            newest = _saved(out)
            again = again + 1 if newest == done else 1
            if on_divergence == "stop" or again > ROLLBACKS:
                raise FloatingPointError(_diverged(finding, newest, on_divergence))
            done, resumed = _resume(out, model, say)
            network = fresh(**more) if resumed is None else resumed
            network.optimizer.learning_rate = float(network.optimizer.learning_rate) / 2**again
            say(f"Back to epoch {done}, with learning rates divided by {2**again}.")
        _carefully("The nearest pictures", lambda: _show_nearest(network, ds, out, seed), say)
    finally:  # also when interrupted: what there is, is worth seeing
        grids = _carefully("The animation", lambda: _animate(out), say)
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


def _channels(network):
    """Channels to which files are brought for a model; None where they are as they are."""
    channels = network.image_shape[-1]
    return channels if len(network.image_shape) == 3 and channels in (1, 3, 4) else None


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


def _saved(out):
    """The epoch of the newest checkpoint, 0 without any."""
    return max(weights.by_epoch(out / "checkpoints", ".keras"), default=0)


def _fit(network, ds, out, done, epochs, scoring, others, say):
    """Train until all epochs are done; what the doctor has found if numbers keep it from it."""
    _set_aside(out, done)
    notes = out / "doctor.jsonl"
    callbacks.forget(notes, done)
    note = lambda found: callbacks.append(notes, dataclasses.asdict(found))
    watch = doctor.Doctor(ds, say=say, found=note)
    with _Interrupts(say, lambda: _saved(out)) as interrupts:
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


def _animate(out):
    """Make the animation of a run's grids, and return these, in the order of the epochs."""
    grids = list(weights.by_epoch(out / "samples", ".png").values())
    if grids:
        with callbacks.replacing(out / "training.gif") as path:
            images.save_gif(grids, path)
    return grids


def film(folder: hints.Path, path: hints.Path, seconds: float = 6.0) -> pathlib.Path:
    """A run's samples over time as an MP4 or GIF file, by the path's ending. Returns the path.

    Raises:
        ValueError: the folder has no samples, or the ending is another.
        ImportError: an MP4 needs what is not installed.
    """
    folder, path = (pathlib.Path(p).expanduser() for p in (folder, path))
    grids = list(weights.by_epoch(folder / "samples", ".png").values())
    if not grids:
        raise ValueError(f"{str(folder)!r} is no run folder with samples in it.")
    checks.real("seconds", seconds, above=0)
    kinds = {".gif": images.save_gif, ".mp4": images.save_film}
    if path.suffix.lower() not in kinds:
        raise ValueError(f"A film ends in {' or '.join(kinds)}. Received: {str(path)!r}.")
    save = kinds[path.suffix.lower()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with callbacks.replacing(path) as half:
        save(grids, half, seconds)
    return path


MOST_NEAR = 60_000
"""Training pictures among which the nearest are looked for."""


def _show_nearest(network, ds, out, seed):
    """Write samples beside the training pictures nearest to them."""
    if hasattr(network, "generate") and len(network.image_shape) == 3:
        samples = network.generate(12, seed=seed)
        with callbacks.replacing(out / "nearest.png") as path:
            evaluation.save_nearest(samples, callbacks.first_batches(ds, MOST_NEAR), path)


def write_report(folder: hints.Path, say: Callable[[str], object]) -> pathlib.Path | None:
    """Write a run's report and return its path; whatever is wrong with it is said."""

    def write():
        from ganzoo import report  # loads matplotlib, for which no training need wait

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


class _Interrupts(keras.callbacks.Callback):
    """Ctrl-C ends the training after the epoch, so that all of it is saved; a second one after the
    step, a third one at once.

    Python raises `KeyboardInterrupt` wherever it happens to be; in a finaliser or a callback of C
    code it is printed and lost, and the training would go on.
    """

    def __init__(self, say, saved):
        super().__init__()
        self._say = say
        self._saved = saved  # gives the epoch of the last checkpoint
        self.asked = 0
        self._before = None

    def __enter__(self):
        main = threading.current_thread() is threading.main_thread()
        # Whoever runs this in the background ignores Ctrl-C, and may go on doing so.
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number, frame):
        self.asked += 1
        if self.asked > 2:
            signal.default_int_handler(number, frame)
        with contextlib.suppress(RuntimeError):  # something else was printing
            self._say(
                "Stopping at the end of this epoch. Ctrl-C again: now, without what it has learned "
                f"since epoch {self._saved()}."
                if self.asked == 1
                else "Stopping after this step. Ctrl-C again: at once."
            )

    def on_train_batch_end(self, batch, logs=None):
        if self.asked > 1:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.asked:
            self.model.stop_training = True


SCORES = ("frechet", "precision_recall", "density_coverage", "diversity")
"""What is measured while a run trains: little, because it takes time from training."""


def _scoring(out, ds, data, every, conditional, say, **reading):
    """The callback that scores the run, in a list; empty if it is not to be scored."""
    known = evaluation.knows(ds.description)
    every = (10 if known else 0) if every is None else every
    if not every:
        return []
    shape = ds.description["image_shape"]
    evaluator = evaluation.Evaluator(
        data,
        image_size=tuple(shape[:2]) if len(shape) == 3 else None,
        **reading,
        metrics=SCORES + (("class_agreement",) if conditional and known else ()),
        samples=2_000,
        repeats=1,
        verbose=False,
    )
    return [
        callbacks.Evaluate(
            evaluator,
            every=every,
            best="frechet",
            folder=out / "checkpoints",
            say=say,
            verbose=0,
        )
    ]


def _check(out, settings):
    """Raise a `ValueError` unless a run of these settings may begin or go on in the folder."""
    path = out / "config.json"
    visible = out.is_dir() and any(not p.name.startswith(".") for p in out.iterdir())
    if not path.exists():
        if visible:
            raise ValueError(
                f"{str(out)!r} is not empty and no run folder. Choose another folder with --out."
            )
        return
    begun = (out / "metrics.jsonl").exists() or weights.by_epoch(out / "checkpoints", ".keras")
    if not begun:  # such as after an error in the data: nothing to protect
        return
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        before, place = dict(record["settings"]), record.get("directory")
        differing = _differing(out, before, settings, place)
    except Exception:  # a file may be wrong in any way
        raise ValueError(f"{str(path)!r} is damaged. Choose another folder with --out.") from None
    if differing:
        changes = []
        for key in differing:
            was, now = before.get(key), settings[key]
            if was == now:  # a path, from two folders
                was, now = str(place_of(was, place)), os.path.abspath(now)
            changes.append(f"{key} was {was!r}, not {now!r}")
        changes = ", ".join(changes)
        raise ValueError(
            f"{str(out)!r} holds a run with other settings: {changes}. Choose another folder "
            "with --out, or give the settings of that run to go on with it."
        )


def _name(source):
    """A data set as a run folder keeps it: a path that is no string is never a name."""
    word = texts.kept(os.fspath(source))
    plain = not isinstance(source, str) and os.path.dirname(word) == ""
    return os.path.join(".", word) if plain else word


def _plain(value):
    """As JSON gives it back: lists for tuples and arrays, Python's numbers for NumPy's."""
    if isinstance(value, dict):
        return {key: _plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(x) for x in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _differing(out, before, asked, place):
    """The settings asked for that mean something else than those of a run, however both are
    written; its command was given in the folder `place`, if that is known."""

    def size(was, now):
        pair = lambda side: [side, side] if isinstance(side, int) else side
        return pair(was) == pair(now)

    def arguments(was, now):
        if was == now or before["model"] != asked["model"]:
            return was == now
        defaults = _plain(zoo.model_class(asked["model"]).arguments())
        # What the run was not given is as its model has it, which today's default need not be.
        used = {**defaults, **_used(out), **was}
        return all(used.get(k) == {**defaults, **now}.get(k) for k in {*was, *now})

    def data(was, now):
        return was is not None and _same_data(was, now, place)

    def weights_of(was, now):
        tags = [f"{asked['model']}.{word}" in catalogue.rows() for word in (was, now)]
        return was == now or not (any(tags) or None in (was, now)) and _same_data(was, now, place)

    same = {"image_size": size, "arguments": arguments, "data": data, "to": data}
    same["weights"] = weights_of
    return [k for k in asked if not same.get(k, operator.eq)(before.get(k), asked[k])]


def _same_data(was, now, place):
    """Whether two names mean the same data, the first where the current folder was `place`."""
    before, after = place_of(was, place), place_of(now)
    if before is not None and after is not None:
        return before.samefile(after)
    if was in datasets.BUILT_IN or now in datasets.BUILT_IN:
        return was == now
    before, after = (pathlib.Path(os.path.expanduser(name)) for name in (was, now))
    # The same words where the files have moved, with the folder that the command is given in.
    from_there = os.path.join(texts.local(place or ""), before)
    return before == after or os.path.abspath(from_there) == os.path.abspath(after)


def place_of(name: str, place: str | None = None) -> pathlib.Path | None:
    """Where the files of a data set are; None if it is a name, or they are not there.

    Args:
        name: as `config.json` has it.
        place: the folder from which relative paths lead. None: the current one.
    """
    path = pathlib.Path(texts.local(place or ""), os.path.expanduser(texts.local(name)))
    return path if os.path.exists(path) else None


def _used(out):
    """The arguments of the model in a run's newest checkpoint, as far as it can be read."""
    for path in reversed(weights.by_epoch(out / "checkpoints", ".keras").values()):
        with contextlib.suppress(ValueError):
            return weights.read(path)[1]
    return {}


def _write_config(out, settings, epochs, class_names, imports=()):
    """Make the run folder and write down what was asked for, and with what."""
    config = {
        "settings": settings,
        "directory": texts.kept(os.path.abspath("")),  # from where relative paths lead
        "epochs": epochs,
        "class_names": class_names and [texts.kept(name) for name in class_names],
        "imports": list(imports),
        "command": [texts.kept(word) for word in sys.argv],
        "versions": backend.versions(),
        "device": {"name": backend.device(), "gpu": backend.accelerated()},
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        callbacks.write_atomically(out / "config.json", json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out, error):
    return OSError(
        f"The run folder {str(out)!r} cannot be written: {error.strerror or error}. Choose another "
        "with --out."
    )


def _resume(out, model, say):
    """`(epochs done, model)` of the newest checkpoint that is whole; `(0, None)` without any."""
    found = weights.by_epoch(out / "checkpoints", ".keras")
    damaged = []
    for epoch, path in reversed(found.items()):
        try:
            with warnings.catch_warnings():
                # Keras would go on with fresh weights, or with an optimizer that has forgotten.
                warnings.filterwarnings("error", message="Skipping")
                network = zoo.resume(model, path)
        except Exception as error:
            say(f"{path} cannot be read ({type(error).__name__}); trying the one before.")
            damaged.append((path, error))
            continue
        for bad, _ in damaged:  # out of the way of later runs, but kept
            bad.rename(bad.with_name(f"{bad.name}.damaged"))
        return epoch, network
    if damaged:  # beginning again would overwrite what the run has
        raise ValueError(
            f"No checkpoint in {str(out / 'checkpoints')!r} can be read: they are damaged, or of "
            "another version of ganzoo. Choose another folder with --out, or delete this one to "
            "begin again."
        ) from damaged[0][1]
    return 0, None


def _set_aside(out, done):
    """Rename what is known of the model that the training goes on from: it is of so many epochs."""
    for path in (out / "scores.json", out / "scores-best.json", out / "nearest.png"):
        if path.exists():
            path.replace(path.with_name(f"{path.stem}-epoch-{done:04d}{path.suffix}"))


def _classes(ds):
    """Number of classes in a data set of `(images, labels)`."""
    if ds.class_names:
        return len(ds.class_names)
    return 1 + max(int(np.max(labels)) for _, labels in ds)


def data_of(folder: hints.Path) -> dict[str, Any]:
    """What a run or a published model was trained on: `data` and, of a run, `on_error`,
    `value_range` and `class_names`, as `ganzoo.datasets.load` knows them."""
    known = catalogue.trained_on(folder)
    if not known:
        raise ValueError(
            f"{str(pathlib.Path(folder) / 'config.json')!r} does not say what the run was trained "
            "on. Say it with --data."
        )
    data = texts.local(known["data"][0])
    place = place_of(known["data"][0], known.get("directory"))
    if place is not None and not (os.path.exists(data) and place.samefile(data)):
        data = str(place)  # which is not where the same words lead from here
    reading: dict[str, Any] = {k: known[k] for k in ("on_error", "value_range") if k in known}
    if "class_names" in known:
        reading["class_names"] = list(map(texts.local, known["class_names"]))
    return {"data": data, **reading}


def mark(folder: hints.Path, epoch: int) -> str:
    """What tells files about a run's model of an epoch from those about its last model.

    Returns:
        Nothing where that is the last model; `"-epoch-0007"` where the run has gone on, or a
        training is writing to its folder.

    Example:

    >>> mark("runs/dcgan-digits", 7)  # of which there is no checkpoint
    '-epoch-0007'
    """
    folder = pathlib.Path(folder)
    last = locks.holder(folder) is None and _saved(folder) == epoch
    return "" if last else f"-epoch-{epoch:04d}"


def evaluate(
    models: dict[str, tuple[str, hints.Path]],
    data: hints.Path,
    *,
    data_dir: hints.Path | None = None,
    export: hints.Path | None = None,
    nearest: hints.Path | None = None,
    show: Callable[[str], object] | None = None,
    **settings: Any,
) -> dict[str, evaluation.ScoreSheet]:
    """Score some models of one size against the same data.

    Args:
        models: dict from a word such as `"last"` to `(registry name, weights)`.
        data: a name, folder or file that `ganzoo.datasets.load` knows.
        export: None, or a folder that gets the last model's samples and the data as PNG files.
        nearest: None, or the PNG file that gets the last model's samples beside the training and
            held-out pictures nearest to them.
        show: None, or a function that is called with each sheet as text.
        **settings: see `ganzoo.evaluation.Evaluator`.

    Returns:
        A dict from the same words to score sheets.
    """
    if export is not None:  # before the scores take their time
        images.must_be_empty(export, "--export", evaluation.EXPORTED)
    found, evaluator = {}, None
    for which, (name, source) in models.items():
        network = zoo.get(name, weights=source)
        if evaluator is None:
            settings = {"data_dir": data_dir, "channels": _channels(network), **settings}
            size = network.image_shape[:2] if len(network.image_shape) == 3 else None
            settings = {"verbose": False, **settings}
            evaluator = evaluation.Evaluator(data, image_size=size, **settings)
            if show is not None:
                for line in evaluator.found:
                    show(line)
        found[which] = evaluator.judge(network)
        if show is not None:
            show(f"{which}: {found[which]}" if len(models) > 1 else str(found[which]))
        if nearest is not None and which == "last" and len(network.image_shape) == 3:
            evaluator.save_nearest(network, nearest)
        if export is not None and which == "last":
            counts = evaluator.export(network, export)
            if show is not None:
                show(f"{export}: {counts['samples']} samples, {counts['data']} pictures of data")
    return found
