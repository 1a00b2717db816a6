"""How the speed of `fit` changes with batch, resolution, width, discriminator steps and data.

    python benchmarks/scaling.py
    python benchmarks/scaling.py batch size

One thing changes at a time, from `dcgan` at 28×28, 64 channels, batches of 64; the amount of data
with `vanilla`, whose short steps would reveal slow reading. The plain Keras loop takes turns where
it can do the same. Results go to `benchmarks/results/scaling.csv`.
"""

import argparse
import math

import measure
import numpy as np
import peers

import ganzoo
from ganzoo.evaluation import throughput

AXES = {
    "batch": (8, 32, 64, 128, 256, 512),
    "size": (16, 28, 32, 64),
    "channels": (16, 32, 64, 128),
    "discriminator_steps": (1, 2, 5),
    "pictures": (640, 6_400, 64_000, 256_000),
}
PLAIN = "plain Keras loop"


def contenders(axis, value):
    """`({name: contender}, model, examples in a step)`."""
    size = value if axis == "size" else 28
    batch = value if axis == "batch" else 64
    shape = (size, size, 1)
    channels = value if axis == "channels" else 64
    turns = value if axis == "discriminator_steps" else 1
    count = value if axis == "pictures" else 64 * batch * turns
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8")
    if axis == "pictures":
        model = ganzoo.get("vanilla", image_shape=shape, seed=0)
    else:
        model = ganzoo.get(
            "dcgan", image_shape=shape, channels=channels, discriminator_steps=turns, seed=0
        )
    ds, clock = ganzoo.datasets.load(images, batch_size=batch), throughput.Clock()

    def ours(steps):
        model.fit(ds, steps_per_epoch=steps, verbose=0, callbacks=[clock])
        return clock.seconds

    by_name = {"ganzoo, fit": ours}
    if axis in ("batch", "size", "channels"):
        make = lambda: peers.networks(shape, channels)
        by_name = {PLAIN: peers.plain_keras(make, images, batch), **by_name}
    return by_name, model, turns * batch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("axes", nargs="*", default=list(AXES), metavar="axis", help=f"{[*AXES]}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="approximate, of one's round")
    args = parser.parse_args()
    rows = []
    for axis in args.axes:
        for value in AXES[axis]:
            run, model, examples = contenders(axis, value)
            run["ganzoo, fit"](4)
            each = run["ganzoo, fit"](4) / 4
            # A power of two, which any `steps_per_execution` that fits divides.
            steps = 2 ** round(math.log2(min(256, max(4, args.seconds / each))))
            seconds, _ = measure.take_turns(run, steps, args.rounds)
            product, _ = measure.peaks()
            work = measure.update_work(model, examples // model.discriminator_steps)
            for what in run:
                each, spread = measure.middle(seconds[what])
                ratio = measure.middle(measure.ratios(seconds, what, PLAIN)) if PLAIN in run else ""
                rows.append(
                    {
                        "axis": axis,
                        "value": value,
                        "what": what,
                        "ms_per_step": each * 1e3,
                        "spread_ms": spread * 1e3,
                        "images_per_second": examples / each,
                        "times_as_fast": ratio and ratio[0],
                        "ratio_spread": ratio and ratio[1],
                        "share_of_peak": work / each / product if what != PLAIN else "",
                        "rounds": args.rounds,
                        **measure.machine(),
                    }
                )
                measure.show([{k: rows[-1][k] for k in list(rows[-1])[:9]}])
    measure.save("scaling", rows, replace=("axis", "value", "machine", "backend"))


if __name__ == "__main__":
    main()
