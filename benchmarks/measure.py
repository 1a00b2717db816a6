"""Shared by the benchmarks: rounds in which all take turns, limits of the machine, tables."""

import csv
import os
import pathlib
import random
import statistics
import sys
import time

import keras

from ganzoo import backend
from ganzoo.evaluation import throughput
from ganzoo.networks import operations

COMMITTED = pathlib.Path(__file__).parent / "results"
RESULTS = pathlib.Path(os.environ.get("GANZOO_BENCHMARK_RESULTS", COMMITTED))


def take_turns(contenders, steps, rounds):
    """Seconds per step of each contender, round by round.

    The machine's speed drifts, so each round measures all, and ratios are taken within a round. The
    order changes each time, because a run affects the next one.

    Args:
        contenders: dict from name to a function that makes `steps` steps and returns the seconds
            that they took. The first call of each compiles, and does not count as a round.
        steps: steps in a round.
        rounds: number of rounds.

    Returns:
        `(seconds, compiling)`: dicts from name to a list of seconds per step, and to the seconds
        that the first call took beyond its steps, by the wall clock.
    """
    first = {name: timed(run)(steps) for name, run in contenders.items()}
    seconds = {name: [] for name in contenders}
    order = list(contenders)
    shuffle = random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            seconds[name].append(contenders[name](steps) / steps)
    middles = {name: statistics.median(each) for name, each in seconds.items()}
    return seconds, {name: max(0.0, first[name] - steps * middles[name]) for name in seconds}


def ratios(seconds, name, against):
    """How many times as fast as `against` in each round."""
    return [b / a for a, b in zip(seconds[name], seconds[against])]


def middle(values):
    """Median, and half the distance between the quartiles."""
    return statistics.median(values), throughput.spread(values)


def timed(run):
    """`run` as a contender: called once for all steps, timed from outside."""

    def contender(steps):
        start = time.perf_counter()
        run(steps)
        return time.perf_counter() - start

    return contender


# Work and limits --------------------------------------------------------------------------------


def update_work(model, examples=1):
    """Floating-point operations of one training step of a two-player GAN, no work done twice.

    A layer's forward pass and its gradients to weights and inputs cost the same. The first layer's
    inputs need no gradient, except where the generator's passes through the discriminator.
    """
    generator, discriminator = map(operations, (model.generator, model.discriminator))
    g, g_first = sum(generator), generator[0]
    d, d_first = sum(discriminator), discriminator[0]
    alone = 2 * d + 2 * d + 2 * (d - d_first)  # real and fake: forward, weights, inputs
    back = g + g + (g - g_first)
    if model.update == "one_stage":
        together = alone + d_first + back  # the fake ones' gradient goes on to the images
        return examples * (together + (model.discriminator_steps - 1) * (alone + g))
    answer = d + d + back  # forward, and back to the images
    return examples * (
        answer + model.discriminator_steps * alone + (model.discriminator_steps - 1) * g
    )


def _best(run, repeats=6):
    """Least seconds of a call that returns a tensor, until its last element is computed."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        float(keras.ops.reshape(run(), (-1,))[-1])
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peaks(dtype="float32"):
    """The most floating-point operations per second measured on this machine.

    Returns:
        `(product, convolution)`: in a square matrix product, and in a convolution of 256 channels
        with 3×3 kernels, at a size that fills the device.
    """
    size, side = (8192, 128) if backend.accelerated() else (2048, 32)
    draw = lambda *shape: keras.ops.cast(keras.random.normal(shape, seed=0), dtype)
    a, images, kernel = draw(size, size), draw(32, side, side, 256), draw(3, 3, 256, 256)
    product = _best(lambda: keras.ops.matmul(a, a))
    convolution = _best(lambda: keras.ops.conv(images, kernel, padding="same"))
    return 2 * size**3 / product, 2 * 32 * side**2 * 9 * 256**2 / convolution


# Tables -----------------------------------------------------------------------------------------


def machine(of=None):
    """Machine, backend and versions of a result; `of`: the backend, if not this process's."""
    of = of or keras.backend.backend()
    versions = backend.versions(of)
    kept = [f"{name} {versions[name]}" for name in ("python", "keras", of)]
    if "torch" in sys.modules:
        kept.append(f"torch {sys.modules['torch'].__version__}")
    return {
        "machine": backend.device(),
        "backend": of,
        "versions": ", ".join(kept),
    }


def results(name, folder=COMMITTED):
    """The rows of `FOLDER/NAME.csv`, as dicts of strings."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def show(rows):
    """Print rows, dicts with the same keys, as a table."""
    cells = [list(rows[0])] + [[_text(x) for x in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip(), flush=True)


def _text(x):
    return f"{x:.4g}" if isinstance(x, float) else str(x)


def save(name, rows, replace=()):
    """Write rows to `results/NAME.csv`, replacing older ones that are equal in `replace`.

    The environment variable GANZOO_BENCHMARK_RESULTS names another folder than `results`.
    """
    path = RESULTS / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    key = lambda row: [str(row[k]) for k in replace]
    new, older = [key(row) for row in rows], []
    if path.exists() and replace:
        with path.open(newline="", encoding="utf-8") as file:
            older = [row for row in csv.DictReader(file) if key(row) not in new]
    rows = older + [{k: _text(x) for k, x in row.items()} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[-1], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    print(f"Written to {path}")
