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


def attempt(absent, name, function, *arguments):
    """What `function` returns; if it raises, None, and `absent[name]` is the reason, printed."""
    try:
        return function(*arguments)
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        absent[name] = f"{type(error).__name__}: {lines[0]}"
        print(f"Absent: {name}, because of {absent[name]}", flush=True)


def take_turns(contenders, steps, rounds, absent=None):
    """Seconds per step of each contender, round by round.

    The machine's speed drifts, so each round measures all, and ratios are taken within a round. The
    order changes each time, because a run affects the next one.

    Args:
        contenders: dict from name to a function that makes `steps` steps and returns the seconds
            that they took. The first call of each compiles, and does not count as a round.
        steps: steps in a round.
        rounds: number of rounds.
        absent: a dict; a contender whose first call raises is then left out, and the reason is
            kept there under its name. None: it raises.

    Returns:
        `(seconds, compiling)`: dicts from name to a list of seconds per step, and to the seconds
        that the first call took beyond its steps, by the wall clock.
    """
    first = {}
    for name, run in contenders.items():
        if absent is None:
            first[name] = timed(run)(steps)
        elif (taken := attempt(absent, name, timed(run), steps)) is not None:
            first[name] = taken
    seconds = {name: [] for name in first}
    order = list(first)
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
    """Floating-point operations of one training step of a two-player game, no work done twice.

    A layer's forward pass and its gradients to weights and inputs cost the same. The first layer's
    inputs need no gradient, except where the generator's passes through the discriminator: to one
    of the images that it sees. R1 and R2 take a gradient to the images, and that gradient's own:
    to the weights, and to what came back into each layer but the last, which is constant.
    """
    size, seen = model.image_shape[:2], getattr(model, "images_seen", 1)
    generator, discriminator = (
        _operations(n, size) for n in (model.generator, model.discriminator)
    )
    g, g_first = sum(generator), generator[0]
    d, d_first, d_last = sum(discriminator), discriminator[0], discriminator[-1]
    penalty = d + 2 * d - d_last if hasattr(model, "gamma") else 0
    alone = 2 * (d + penalty + 2 * d - d_first)  # real and fake: forward, weights, inputs
    back = g + g + (g - g_first)
    if getattr(model, "update", "") == "one_stage":
        together = alone + d_first + back  # the fake ones' gradient goes on to the images
        return examples * (together + (model.discriminator_steps - 1) * (alone + g))
    answer = d + (d - d_first + d_first / seen) + back  # forward, and back to the images
    answer += d if model.adversary.sees_both else 0
    return examples * (
        answer + model.discriminator_steps * alone + (model.discriminator_steps - 1) * g
    )


def _operations(network, size):
    """`operations` of a network; if it takes images of any size, for images of this one."""
    if None in network.input_shape[1:]:
        images = keras.Input((*size, network.input_shape[-1]))
        network = keras.models.clone_model(network, input_tensors=images)
    return operations(network)


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


def computes_in_bfloat16():
    """Whether the device has units for bfloat16, and need not imitate it."""
    best = backend.best_precision()
    return best == "mixed_bfloat16" or (best is None and backend.has_bfloat16_unit())


def processor():
    """The kind of processor, within which ratios are comparable: the name of a GPU or TPU, or
    whether the CPU has a unit for bfloat16."""
    if backend.accelerated():
        return backend.device()
    return f"CPU {'with' if backend.has_bfloat16_unit() else 'without'} a bfloat16 unit"


def machine(of=None):
    """Machine, backend and versions of a result; `of`: the backend, if not this process's."""
    of = of or keras.backend.backend()
    versions = backend.versions(of)
    kept = [f"{name} {versions[name]}" for name in ("python", "keras", of)]
    if "torch" in sys.modules:
        kept.append(f"torch {sys.modules['torch'].__version__}")
    return {
        "machine": backend.device(),
        "processor": processor(),
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
    key = lambda row: [str(row.get(k)) for k in replace]
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
