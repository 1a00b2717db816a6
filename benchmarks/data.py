"""How fast images are read from memory and from a folder, and how long training waits for them.

    python benchmarks/data.py --pictures 100000

It makes a folder of small PNG files and reads it as `fit` does: once decoded into memory, once
streamed. "Training" is `dcgan` on it, in turns with the same on an array in memory; memory is the
growth of the process while it streams. Results go to `benchmarks/results/data.csv`.
"""

import argparse
import itertools
import pathlib
import resource
import tempfile
import time

import measure
import numpy as np
import peers
from PIL import Image

import ganzoo

BATCH = 64


def make_folder(folder, count, side):
    """Write PNG files of noise with some structure, a thousand in each sub-folder."""
    rng = np.random.default_rng(0)
    for i in range(count):
        if i % 1000 == 0:
            place = folder / f"{i // 1000:04d}"
            place.mkdir(parents=True)
        small = Image.fromarray(rng.integers(0, 256, (7, 7), "uint8"))
        small.resize((side, side)).save(place / f"{i:06d}.png")


def feed(ds):
    """Reading a data set, as a contender."""

    def run(batches):
        start = time.perf_counter()
        for _ in itertools.islice(itertools.cycle(ds), batches):
            pass
        return time.perf_counter() - start

    return run


def megabytes():
    """Peak memory of the process, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=60)
    args = parser.parse_args()
    shape = (args.side, args.side, 1)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "train"
        make_folder(folder, args.pictures, args.side)
        ganzoo.datasets.CACHE_BYTES = 0
        streamed = ganzoo.datasets.load(folder, batch_size=BATCH)
        array = np.random.default_rng(0).integers(0, 256, (args.batches * BATCH, *shape), "uint8")
        in_memory = ganzoo.datasets.load(array, batch_size=BATCH)
        batches = {"array in memory": in_memory, "folder, streamed": streamed}
        models = {what: ganzoo.get("dcgan", image_shape=shape, seed=0) for what in batches}
        contenders = {f"reading: {what}": feed(ds) for what, ds in batches.items()}
        for what, ds in batches.items():
            part = lambda count, ds=ds: ds.take(count // BATCH)
            contenders[f"training: {what}"] = peers.fit(models[what], part, BATCH)
        seconds, _ = measure.take_turns(contenders, args.batches, args.rounds)
        before = megabytes()
        for _ in streamed:  # all of it
            pass
        grown = megabytes() - before
    rows = []
    for what, each in seconds.items():
        middle, spread = measure.middle(each)
        against = what.partition(":")[0] + ": array in memory"
        ratio, ratio_spread = measure.middle(measure.ratios(seconds, what, against))
        rows.append(
            {
                "what": what,
                "images_per_second": BATCH / middle,
                "spread": BATCH * spread / middle**2,
                "times_as_fast": ratio,
                "ratio_spread": ratio_spread,
                "mb_more_for_all": grown if "streamed" in what else "",
                "pictures": args.pictures,
                "rounds": args.rounds,
                **measure.machine(),
            }
        )
    measure.show([{k: row[k] for k in list(row)[:6]} for row in rows])
    measure.save("data", rows)


if __name__ == "__main__":
    main()
