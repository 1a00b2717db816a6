"""How fast `fit` trains, against the loops that others would write, in one run.

    python benchmarks/train.py dcgan 28 64
    python benchmarks/train.py vanilla 28
    python benchmarks/train.py r3gan 28
    python benchmarks/train.py pix2pix 64

Peers have the same networks, losses, penalties and optimizers, and as many updates: a Keras loop as
tutorials write it and, if torch is installed, PyTorch in several settings. All take turns in every
round; a ratio is taken within a round, against the plain Keras loop in float32. The share of the
limit is the counted work of one update (matrix products and convolutions, none done twice) divided
by its time, against a large matrix product in the same precision and run.

With `--precision auto` the contenders run in float32 and, where the processor has a unit for it, in
bfloat16; "ganzoo, defaults" is what a user gets who sets nothing. Other values leave only the plain
loop and the contenders of one precision. A contender that cannot run is absent, with the reason.

Results go to `benchmarks/results/train.csv`, in place of those of the same model, size, batch, kind
of processor and backend; `benchmarks/tools/tables.py` and `benchmarks/tools/figures.py` put them
into the pages.
"""

import argparse
import dataclasses
import importlib.util
from collections.abc import Callable
from typing import Any

import measure
import numpy as np
import peers

import ganzoo

PLAIN = "plain Keras loop"
ARGUMENTS: dict[str, dict] = {
    "dcgan": {},
    "vanilla": {},
    "r3gan": {"architecture": "residual"},
    "pix2pix": {},
}
"""The arguments of each model, besides the image's shape."""
LAYER_NORM = {"discriminator_normalization": "layer"}
NO_AVERAGE = {"ganzoo, no average kept": {"ema_decay": None}}
LOOPS: dict[str, dict[str, dict]] = {"dcgan": {f"{PLAIN}, layer norm": LAYER_NORM}}
"""Further plain loops of a model: name and arguments of its networks."""
VARIANTS: dict[str, dict[str, dict]] = {
    "dcgan": {
        **NO_AVERAGE,
        "ganzoo, one_stage, minimax": {"update": "one_stage", "objective": "minimax"},
        "ganzoo, one_stage, layer norm": {"update": "one_stage", **LAYER_NORM},
    },
    "vanilla": {"ganzoo, one_stage": {"update": "one_stage"}},
    "r3gan": NO_AVERAGE,
}
"""Further contenders of a model: name and arguments."""
AGAINST = {"ganzoo, one_stage, layer norm": f"{PLAIN}, layer norm"}
"""With which loop a contender is compared, if not with `PLAIN`: that of the same networks."""


@dataclasses.dataclass
class Contender:
    """One that takes turns.

    Attributes:
        what: its name.
        precision: the precision in which it runs.
        make: returns the function `steps -> seconds`.
        model: ganzoo's model, if it is one, whose work can be counted.
    """

    what: str
    precision: str
    make: Callable
    model: Any = None

    @property
    def name(self):
        return named(self.what, self.precision)

    @property
    def against(self):
        """The plain loop that it is compared with, which runs in float32."""
        return AGAINST.get(self.what, PLAIN)


def named(what, precision="float32"):
    return f"{what} ({precision})"


class Field:
    """Collects the contenders for one model and size.

    Args:
        name: name of the model.
        arrays: uint8 images, and their targets for a model that translates.
        batch: batch size.
    """

    def __init__(self, name, arrays, batch):
        self.name, self.arrays, self.batch = name, arrays, batch
        self.contenders = []

    def add(self, *args, **kwargs):
        self.contenders.append(Contender(*args, **kwargs))

    def model(self, precision, **config):
        shape = self.arrays[0].shape[1:]
        config = {**ARGUMENTS[self.name], **config}
        return ganzoo.get(self.name, image_shape=shape, precision=precision, seed=0, **config)

    def data(self, count):
        arrays = [x[:count] for x in self.arrays]
        options = {"batch_size": self.batch, "verbose": False}
        if len(arrays) == 1:
            return ganzoo.datasets.load(*arrays, **options)
        return ganzoo.datasets.load_pair(*arrays, paired=True, **options)

    def plain(self, what, precision, **config):
        def make():
            model = self.model(precision, **config)
            networks = (model.generator, model.discriminator)
            own = lambda: [peers.with_own_layers(network) for network in networks]
            return peers.plain_keras(own, self.arrays, self.batch, name=self.name)

        self.add(what, precision, make)

    def ours(self, what, precision, **config):
        model = self.model(precision, **config)
        make = lambda: peers.fit(model, self.data, self.batch)
        self.add(what, model.dtype_policy.name, make, model)

    def bare(self, precision):
        model = self.model(precision)
        first = tuple(x[: self.batch] for x in self.arrays)
        make = lambda: peers.bare_step(model, first)
        self.add("ganzoo, bare step", precision, make, model)

    def in_pytorch(self, precisions):
        import torch_peers

        model = self.model("float32")
        makers = torch_peers.makers(model, self.arrays, self.batch)
        for (what, precision), make in makers.items():
            if precision in precisions:
                self.add(what, precision, make)


def has_torch():
    return importlib.util.find_spec("torch") is not None


def contenders(name, arrays, batch, precisions):
    """All contenders, the plain Keras loop in float32 first.

    Args:
        name, arrays, batch: see `Field`.
        precisions: of `"auto"`, `"float32"` and `"mixed_bfloat16"`.
    """
    field = Field(name, arrays, batch)
    loops = {PLAIN: {}, **LOOPS.get(name, {})}
    for precision in dict.fromkeys(("float32", *precisions)):
        if precision == "auto":
            field.ours("ganzoo, defaults", precision)
            continue
        for what, config in loops.items():
            field.plain(what, precision, **config)
        if precision not in precisions:
            continue
        field.ours("ganzoo, fit", precision)
        field.bare(precision)
        for what, config in VARIANTS.get(name, {}).items():
            field.ours(what, precision, **config)
    if has_torch():
        field.in_pytorch(precisions)
    else:
        print("PyTorch is absent: `pip install torch` adds it.", flush=True)
    return field.contenders


def wanted(precision):
    """The precisions that `--precision` stands for."""
    if precision != "auto":
        return (precision,)
    both = measure.computes_in_bfloat16()
    return ("auto", "float32", "mixed_bfloat16") if both else ("auto", "float32")


def compare(entries, rounds, seconds):
    """Let the contenders take turns.

    Args:
        entries: the contenders.
        rounds: number of rounds.
        seconds: approximate length of a turn of the first one.

    Returns:
        `(taken, compiling, absent, steps)`: seconds per step of each round, seconds of compiling,
        and the reasons of those that cannot run, by name; the steps of a turn.
    """
    absent, runs = {}, {}
    for entry in entries:
        run = measure.attempt(absent, entry.name, entry.make)
        if run is not None:
            runs[entry.name] = run
    for pace in list(runs):
        first = measure.attempt(absent, pace, measure.timed(runs[pace]), 2)
        if first is not None:
            break
        del runs[pace]
    each = runs[pace](4) / 4
    steps = int(min(128, max(4, seconds / each)))
    taken, compiling = measure.take_turns(runs, steps, rounds, absent)
    compiling[pace] = max(0.0, first - 2 * each)
    return taken, compiling, absent, steps


def limits(precisions):
    """The peaks of the machine in each precision: see `measure.peaks`."""
    return {name: measure.peaks(name.removeprefix("mixed_")) for name in precisions}


def table(entries, args, size):
    """Compare the contenders; returns the rows of the result."""
    precisions = {entry.precision for entry in entries}
    before = limits(precisions)
    taken, compiling, absent, steps = compare(entries, args.rounds, args.seconds)
    # Other tenants of the machine may slow down one of the two measurements.
    peaks = {name: tuple(map(max, before[name], x)) for name, x in limits(precisions).items()}
    rows = []
    for entry in entries:
        numbers: dict[str, Any] = dict.fromkeys(NUMBERS, "")
        product, convolution = peaks[entry.precision]
        if entry.name in taken:
            each, spread = measure.middle(taken[entry.name])
            numbers["ms_per_step"], numbers["spread_ms"] = each * 1e3, spread * 1e3
            numbers["images_per_second"] = args.batch_size / each
            numbers["compile_s"] = compiling[entry.name]
            if entry.model:
                work = measure.update_work(entry.model, args.batch_size)
                numbers["share_of_peak"] = work / each / product
            if named(entry.against) in taken:
                ratios = measure.ratios(taken, entry.name, named(entry.against))
                numbers["times_as_fast"], numbers["ratio_spread"] = measure.middle(ratios)
        rows.append(
            {
                "model": args.model,
                "size": size,
                "batch": args.batch_size,
                "precision": entry.precision,
                "what": entry.what,
                "against": entry.against,
                **numbers,
                "peak_gflops": product / 1e9,
                "peak_convolution_gflops": convolution / 1e9,
                "rounds": args.rounds,
                "steps": steps,
                "absent": absent.get(entry.name, ""),
                **measure.machine(),
            }
        )
    return rows


NUMBERS = (
    "ms_per_step",
    "spread_ms",
    "images_per_second",
    "times_as_fast",
    "ratio_spread",
    "share_of_peak",
    "compile_s",
)
"""Columns that are empty for a contender that is absent."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=list(ARGUMENTS))
    parser.add_argument("sizes", type=int, nargs="+", help="sides of the images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="approximate, of one's round")
    parser.add_argument(
        "--precision", default="auto", choices=["auto", "float32", "mixed_bfloat16"]
    )
    args = parser.parse_args()
    for size in args.sizes:
        shape = (size, size, 1 if size < 64 else 3)
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (128 * args.batch_size, *shape), "uint8")
        arrays = (images, 255 - images) if args.model == "pix2pix" else (images,)
        entries = contenders(args.model, arrays, args.batch_size, wanted(args.precision))
        rows = table(entries, args, size)
        measure.show(
            [{k: row[k] for k in ("precision", "what", "against", *NUMBERS)} for row in rows]
        )
        measure.save("train", rows, replace=("model", "size", "batch", "processor", "backend"))


if __name__ == "__main__":
    main()
