"""Which operations a training step spends its time in, by TensorFlow's profiler.

    python benchmarks/step_profile.py dcgan 64 --precision mixed_bfloat16
    python benchmarks/step_profile.py r3gan 28 --set architecture=residual

Each operation's time without that of the operations inside it, on all threads: where two run at the
same time both count, and each slows the other, so shares mean more than milliseconds. On TensorFlow
on a CPU only. Results go to `benchmarks/results/step_profile.csv`.
"""

import argparse
import collections
import pathlib
import re
import sys
import tempfile

import measure
import numpy as np
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import ganzoo
from ganzoo import backend
from ganzoo.cli.options import parse_settings

GROUPS = {
    "convolutions": "Conv2D$|Conv2D_|FusedConv2D",
    "convolutions, to inputs": "Conv2DBackpropInput",
    "convolutions, to kernels": "Conv2DBackpropFilter",
    "matrix products": "MatMul",
    "normalisation": "BatchNorm|LRN",
    "activations": "Relu|Tanh|Sigmoid|Softplus|Selu|Elu",
    "casts": "Cast",
    "layout": "Transpose|Pad|Slice|Concat|Reshape|DepthToSpace|Gather|Split|Tile|Pack",
    "sums and means": "^Sum|^Mean|BiasAddGrad|AddN",
    "elementwise": "^(Add|Sub|Mul|RealDiv|Square|SquaredDifference|Rsqrt|Sqrt|Neg|Exp|Log|BiasAdd)",
    "optimizers and averages": "ResourceApply|Assign",
}


def operations(folder):
    """`{type: (seconds, calls)}` of the operations in a profile, without what runs inside them."""
    (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    seconds, calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines if "CPU" in plane.name else ():
            open_until = []  # (end, type) of the operations around
            for event in sorted(line.events, key=lambda e: (e.offset_ps, -e.duration_ps)):
                name = plane.event_metadata[event.metadata_id].name.partition("#")[0]
                operation = re.search(r"[^:]:(?:_Mkl(?:Native)?)?(\w+)$", name)
                if not operation:
                    continue  # a thread that waits, a call from Python, a pass over the data
                kind = operation[1]
                while open_until and open_until[-1][0] <= event.offset_ps:
                    open_until.pop()
                if open_until:
                    seconds[open_until[-1][1]] -= event.duration_ps * 1e-12
                open_until.append((event.offset_ps + event.duration_ps, kind))
                seconds[kind] += event.duration_ps * 1e-12
                calls[kind] += 1
    return {kind: (seconds[kind], calls[kind]) for kind in seconds}


def group(kind):
    """The row of `GROUPS` that an operation belongs to."""
    return next((name for name, pattern in GROUPS.items() if re.search(pattern, kind)), "other")


def profile(model, data, batch, steps):
    """Seconds and calls of each kind of operation in one step."""
    fit = lambda: model.fit(data, batch_size=batch, epochs=1, verbose=0)
    fit()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        fit()
        tf.profiler.experimental.stop()
        kinds = operations(folder)
    return {kind: (each / steps, calls / steps) for kind, (each, calls) in kinds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("size", type=int, help="side of the images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="of the model")
    args = parser.parse_args()
    if backend.accelerated():
        sys.exit("The profile is of operations on a CPU.")
    shape = (args.size, args.size, 1 if args.size < 64 else 3)
    config = parse_settings(args.set)
    model = ganzoo.get(args.model, image_shape=shape, precision=args.precision, seed=0, **config)
    count = args.steps * args.batch_size * model.turns
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), "uint8")
    data = (images, images) if model.paired is not None else images
    seconds, calls = collections.Counter(), collections.Counter()
    for kind, (each, times) in profile(model, data, args.batch_size, args.steps).items():
        seconds[group(kind)] += each
        calls[group(kind)] += times
    total = sum(seconds.values())
    rows = [
        {
            "model": args.model,
            "size": args.size,
            "batch": args.batch_size,
            "precision": model.precision,
            "what": name,
            "share": each / total,
            "ms_per_step": each * 1e3,
            "calls_per_step": calls[name],
            **measure.machine(),
        }
        for name, each in seconds.most_common()
    ]
    measure.show([{k: row[k] for k in list(row)[3:8]} for row in rows])
    measure.save("step_profile", rows, replace=("model", "size", "batch", "precision", "machine"))


if __name__ == "__main__":
    main()
