"""How fast `fit` trains, against the loops that others would write, in one run.

    python benchmarks/train.py dcgan 28 64
    python benchmarks/train.py vanilla 28

Peers have the same networks: a Keras loop as tutorials write it and, if torch is installed,
PyTorch in several settings. All take turns in every round; a ratio is taken within a round. The
share of the limit is the counted work of one update (matrix products and convolutions, none done
twice) divided by its time, against a large matrix product in the same precision and run.
Results go to `benchmarks/results/train.csv`; `benchmarks/tools/tables.py` puts them into the
README.
"""

import argparse
import importlib.util

import keras
import measure
import numpy as np
import peers

import ganzoo
from ganzoo import backend

PLAIN = "plain Keras loop"


def contenders(name, shape, batch, images, precision):
    """`{name: (contender, the one to compare with, model or None if it is not ganzoo's)}`."""
    by_name = {}

    def ours(what, against, **config):
        model = ganzoo.get(name, image_shape=shape, precision=precision, seed=0, **config)
        data = lambda count: ganzoo.datasets.load(images[:count], batch_size=batch)
        by_name[what] = (peers.fit(model, data, batch), against, model)

    def plain(what, normalize):
        keras.config.set_dtype_policy(precision)
        make = lambda: peers.networks(name, shape, 64, normalize)
        by_name[what] = (peers.plain_keras(make, images, batch), PLAIN, None)
        keras.config.set_dtype_policy("float32")

    plain(PLAIN, "batch")
    ours("ganzoo, fit", PLAIN)
    model = ganzoo.get(name, image_shape=shape, precision=precision, seed=0)
    by_name["ganzoo, bare step"] = (peers.bare_step(model, images[:batch]), PLAIN, model)
    if name == "dcgan":
        ours("ganzoo, no average kept", PLAIN, ema_decay=None)
        ours("ganzoo, one_stage, minimax", PLAIN, update="one_stage", objective="minimax")
        plain("plain Keras loop, layer norm", "layer")
        ours(
            "ganzoo, one_stage, layer norm",
            "plain Keras loop, layer norm",
            update="one_stage",
            discriminator_normalization="layer",
        )
    else:
        ours("ganzoo, one_stage", PLAIN, update="one_stage")
    if name == "dcgan" and importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(backend.cores())
        device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.backends.cuda.matmul.allow_tf32 = True  # as the others do
        for what, settings in {
            "PyTorch": {},
            "PyTorch, channels last": {"channels_last": True},
            "PyTorch, channels last, bfloat16": {"channels_last": True, "autocast": True},
            "PyTorch, channels last, compiled": {"channels_last": True, "compiled": True},
            "PyTorch, channels last, bfloat16, compiled": {
                "channels_last": True,
                "autocast": True,
                "compiled": True,
            },
        }.items():
            if precision != "float32" and "autocast" not in settings:
                continue
            settings = {"channels_last": False, "autocast": False, "compiled": False, **settings}
            by_name[what] = (
                peers.torch_dcgan(shape, 64, images, batch, device=device, **settings),
                PLAIN,
                None,
            )
    return by_name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=["dcgan", "vanilla"])
    parser.add_argument("sizes", type=int, nargs="+", help="sides of the images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="approximate, of one's round")
    parser.add_argument("--precision", default="float32", choices=["float32", "mixed_bfloat16"])
    args = parser.parse_args()
    for size in args.sizes:
        shape = (size, size, 1 if size < 64 else 3)
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (128 * args.batch_size, *shape), "uint8")
        by_name = contenders(args.model, shape, args.batch_size, images, args.precision)
        run = {what: contender for what, (contender, _, _) in by_name.items()}
        first, each = measure.timed(run[PLAIN])(2), run[PLAIN](4) / 4
        steps = int(min(128, max(4, args.seconds / each)))
        seconds, compiling = measure.take_turns(run, steps, args.rounds)
        compiling[PLAIN] = max(0.0, first - 2 * each)
        product, convolution = measure.peaks(args.precision.removeprefix("mixed_"))
        rows = []
        for what, (_, against, model) in by_name.items():
            each, spread = measure.middle(seconds[what])
            ratio, ratio_spread = measure.middle(measure.ratios(seconds, what, against))
            work = measure.update_work(model, args.batch_size) if model else None
            rows.append(
                {
                    "model": args.model,
                    "size": size,
                    "batch": args.batch_size,
                    "precision": args.precision,
                    "what": what,
                    "ms_per_step": each * 1e3,
                    "spread_ms": spread * 1e3,
                    "images_per_second": args.batch_size / each,
                    "against": against,
                    "times_as_fast": ratio,
                    "ratio_spread": ratio_spread,
                    "share_of_peak": work / each / product if work else "",
                    "peak_gflops": product / 1e9,
                    "peak_convolution_gflops": convolution / 1e9,
                    "compile_s": compiling[what],
                    "rounds": args.rounds,
                    "steps": steps,
                    **measure.machine(),
                }
            )
        measure.show([{k: row[k] for k in list(row)[4:15]} for row in rows])
        measure.save(
            "train", rows, replace=("model", "size", "batch", "precision", "machine", "backend")
        )


if __name__ == "__main__":
    main()
