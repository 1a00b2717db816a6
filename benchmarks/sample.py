"""How fast `generate` makes samples, against the bare compiled generator.

    python benchmarks/sample.py dcgan vanilla

The bare generator gets the same batch of latents each time, and its output stays on the device.
Results go to `benchmarks/results/sample.csv`.
"""

import argparse
import resource

import keras
import measure
import numpy as np

import ganzoo
from ganzoo import backend

BATCH = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=40)
    args = parser.parse_args()
    shape = (args.size, args.size, 1 if args.size < 64 else 3)
    rows = []
    for name in args.models:
        model = ganzoo.get(name, image_shape=shape, seed=0)
        memory = []
        for count in (5_000, 50_000):  # before anything else has taken memory
            for _ in model.generate_batches(count, seed=0):
                pass
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        latents = np.random.default_rng(0).standard_normal((BATCH, model.latent_dim), "float32")
        # One number comes back, which forces the images to be computed.
        bare = backend.inference(model.sampler, model.jit_compile, keras.ops.sum)
        seconds, _ = measure.take_turns(
            {
                "bare compiled generator": measure.timed(
                    lambda n, bare=bare, latents=latents: [bare(latents) for _ in range(n)]
                ),
                "generate": measure.timed(lambda n, model=model: model.generate(BATCH * n, seed=0)),
            },
            args.batches,
            args.rounds,
        )
        for what, each in seconds.items():
            middle, spread = measure.middle(each)
            ratio, ratio_spread = measure.middle(
                measure.ratios(seconds, what, "bare compiled generator")
            )
            rows.append(
                {
                    "model": name,
                    "size": args.size,
                    "what": what,
                    "images_per_second": BATCH / middle,
                    "ms_per_batch": middle * 1e3,
                    "spread_ms": spread * 1e3,
                    "times_as_fast": ratio,
                    "ratio_spread": ratio_spread,
                    "mb_more_for_50000": memory[1] - memory[0] if what == "generate" else "",
                    "rounds": args.rounds,
                    **measure.machine(),
                }
            )
    measure.show([{k: row[k] for k in list(row)[:9]} for row in rows])
    measure.save("sample", rows, replace=("model", "size", "processor", "backend"))


if __name__ == "__main__":
    main()
