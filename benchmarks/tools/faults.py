"""Injects faults of disks and numbers into run folders, and counts lost trainings.

    python benchmarks/tools/faults.py
    python benchmarks/tools/faults.py bit disk --count 10

Each fault is put into a training of its own, at a random place or moment by the seed; the training
goes on by the same command. It survives if it ends with the losses and weights of an undisturbed
one (or, after a fault in its numbers, with finite ones); otherwise it is lost. Results go to
`benchmarks/results/faults.csv`.
"""

import argparse
import contextlib
import pathlib
import random
import resource
import shutil
import sys
import tempfile
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import keras
import measure
import numpy as np
from kills import differing
from kills import losses
from kills import state

from ganzoo import runs
from ganzoo import zoo

EPOCHS = 8
ARGUMENTS = {"generator_units": [8], "discriminator_units": [6], "pieces": 2, "latent_dim": 6}


def train(out, **options):
    """Run a tiny training that saves after every epoch. Returns its messages."""
    messages = []
    runs.train(
        "vanilla",
        out=out,
        epochs=EPOCHS,
        arguments=ARGUMENTS,
        checkpoint_seconds=0,
        score_every=0,
        say=messages.append,
        verbose=0,
        **options,
    )
    return messages


def same(out, whole):
    """Whether a run has the losses and the last checkpoint of another."""
    equal = lambda a, b: np.array_equal(a, b, equal_nan=True)
    bad = differing(losses(out), losses(whole))[0] + differing(state(out), state(whole), equal)[0]
    return bad == 0


def finite(out):
    """Whether a run has ended, with finite losses and a finite last checkpoint."""
    rows = losses(out)
    arrays = [x for x in state(out).values() if x.dtype.kind == "f"]
    whole = {epoch for epoch, _ in rows} == set(range(1, EPOCHS + 1))
    return (
        whole
        and all(np.isfinite(list(map(float, rows.values()))))
        and all(np.isfinite(x).all() for x in arrays)
    )


def newest(out):
    """The path of the last checkpoint."""
    return out / "checkpoints" / f"epoch-{EPOCHS:04d}.keras"


@contextlib.contextmanager
def at(moments):
    """Make a training call each function in `{step: function of the model}` at its step.

    Raises:
        RuntimeError: the training ends before one of the steps.
    """
    left = dict(moments)

    class Acts(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for step in [step for step in left if step <= int(self.model.step)]:
                left.pop(step)(self.model)

    model = zoo.model_class("vanilla")
    fit = model.fit
    model.fit = lambda self, *a, callbacks, **k: fit(self, *a, callbacks=[*callbacks, Acts()], **k)
    try:
        yield
    finally:
        model.fit = fit
    if left:
        raise RuntimeError("the training ended before the fault")


# Faults: `(whole run, folder to work in, random numbers) -> survived` -----------------------------


def bit(whole, out, draw):
    """A bit of the newest checkpoint is flipped."""
    shutil.copytree(whole, out)
    content = bytearray(newest(out).read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    newest(out).write_bytes(content)
    train(out)
    return same(out, whole)


def cut(whole, out, draw):
    """The newest checkpoint is cut short."""
    shutil.copytree(whole, out)
    content = newest(out).read_bytes()
    newest(out).write_bytes(content[: draw.randrange(len(content))])
    train(out)
    return same(out, whole)


def both(whole, out, draw):
    """Both checkpoints are cut short: the run cannot go on, and must lose nothing else."""
    shutil.copytree(whole, out)
    for path in (out / "checkpoints").iterdir():
        content = path.read_bytes()
        path.write_bytes(content[: draw.randrange(len(content))])
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    try:
        train(out)
    except ValueError as error:
        after = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
        return "can be read" in str(error) and after == before
    return False


def disk(whole, out, draw):
    """For some epochs, no file can become as large as a checkpoint: as on a full disk."""
    begin = draw.randrange(30, 100)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = draw.randrange(100, newest(whole).stat().st_size)
    limit = lambda most: lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        with at({begin: limit(most), begin + 60: limit(limits[0])}):
            messages = train(out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    return any("could not be written" in line for line in messages) and same(out, whole)


def folder(whole, out, draw):
    """For some epochs, a file replaces the folder of the checkpoints."""
    begin, place = draw.randrange(30, 100), out / "checkpoints"

    def go(_):
        place.rename(out / "elsewhere")
        place.write_text("")

    def come(_):
        place.unlink()
        (out / "elsewhere").rename(place)

    with at({begin: go, begin + 60: come}):
        messages = train(out)
    return any("could not be written" in line for line in messages) and same(out, whole)


def number(whole, out, draw):
    """A weight becomes NaN or infinite in the middle of a training with rollback."""

    def breaks(model):
        weight = draw.choice(model.trainable_variables)
        array = np.array(keras.ops.convert_to_numpy(weight))
        array.flat[draw.randrange(array.size)] = draw.choice([np.nan, np.inf, -np.inf])
        weight.assign(array)

    with at({draw.randrange(30, 160): breaks}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*has diverged")
        messages = train(out, on_divergence="rollback")
    return any(line.startswith("Back to epoch") for line in messages) and finite(out)


FAULTS = {"bit": bit, "cut": cut, "both": both, "disk": disk, "folder": folder, "number": number}
COUNTS = {"bit": 100, "cut": 50, "both": 20, "disk": 10, "folder": 10, "number": 20}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", default=list(FAULTS), help=f"of: {', '.join(FAULTS)}")
    parser.add_argument("--count", type=int, help="of each; default: about 200 in total")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        whole = pathlib.Path(place, "whole")
        train(whole)
        for name in args.faults:
            draw, survived = random.Random(f"{args.seed} {name}"), 0
            count = COUNTS[name] if args.count is None else args.count
            for i in range(count):
                out = pathlib.Path(place, f"{name}-{i}")
                try:
                    survived += FAULTS[name](whole, out, draw)
                except Exception as error:  # this training is lost, and the count goes on
                    print(f"{name} {i}: {type(error).__name__}: {error}", flush=True)
                shutil.rmtree(out, ignore_errors=True)
            row = {
                "fault": name,
                "what": FAULTS[name].__doc__.split(":")[0].rstrip("."),
                "injected": count,
                "survived": survived,
                "lost": count - survived,
                "seed": args.seed,
                **measure.machine(),
            }
            measure.show([row])
            measure.save("faults", [row], replace=("fault", "backend"))


if __name__ == "__main__":
    main()
