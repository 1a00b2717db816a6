"""How much of a training step of `dcgan` its matrix products and convolutions take.

    python benchmarks/kernels.py 28 64

Each layer's three kernels (forward, to its inputs, to its weights) run by themselves, with both
cores. Their sum, each as often as an update needs it, is about the least that a step can take. The
steps take turns with them. On TensorFlow on a CPU only. Results go to
`benchmarks/results/kernels.csv`.
"""

import argparse
import sys

import keras
import measure
import numpy as np
import peers
import tensorflow as tf

import ganzoo
from ganzoo import backend
from ganzoo.networks import operations

KERNELS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)
KINDS = ("forward", "to inputs", "to weights")
STEPS = {
    "alternating": {},
    "one_stage": {"update": "one_stage", "discriminator_normalization": "layer"},
}


def kernels(network, batch):
    """`[(name, work, functions for KINDS)]` of the layers with a kernel."""
    work = iter(operations(network))
    return [
        (f"{network.name}, {layer.name}", batch * next(work), functions(layer, batch))
        for layer in network.layers
        if isinstance(layer, KERNELS)
    ]


def functions(layer, batch):
    """A layer's forward pass, and its gradients to its inputs and its kernel, compiled."""
    x = tf.random.normal((batch, *layer.input.shape[1:]))
    dy = tf.random.normal((batch, *layer.output.shape[1:]))

    def gradient(target):
        # A linear layer's gradient needs no forward pass: TensorFlow leaves it out.
        with tf.GradientTape() as tape:
            tape.watch(target)
            y = layer(x)
        return tape.gradient(y, target, output_gradients=dy)

    run = (lambda: layer(x), lambda: gradient(x), lambda: gradient(layer.kernel.value))
    return [tf.function(function, autograph=False) for function in run]


def repeated(function):
    """A function that calls `function` n times and discards its outputs."""

    def run(n):
        for _ in range(n):
            function()

    return run


def times(update, network, kind, first):
    """How often an update runs a kernel of a layer."""
    if network == "generator":
        return 0 if kind == "to inputs" and first else 1
    if update == "one_stage":  # real and fake; only the fake ones' gradient goes on to the images
        return 1 if kind == "to inputs" and first else 2
    if kind == "to weights":
        return 2
    return 1 if kind == "to inputs" and first else 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="+", help="sides of the images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    if backend.accelerated():
        sys.exit("On a GPU TensorFlow would not wait for the kernels.")
    for size in args.sizes:
        shape = (size, size, 1 if size < 64 else 3)
        images = np.random.default_rng(0).integers(0, 256, (args.batch_size, *shape), "uint8")
        models = {
            update: ganzoo.get("dcgan", image_shape=shape, seed=0, **config)
            for update, config in STEPS.items()
        }
        contenders = {u: peers.bare_step(model, images) for u, model in models.items()}
        layers, work = [], {}
        for network in (models["one_stage"].generator, models["one_stage"].discriminator):
            for i, (layer, flop, compiled) in enumerate(kernels(network, args.batch_size)):
                for kind, function in zip(KINDS, compiled):
                    name = f"{layer}, {kind}"
                    contenders[name] = measure.timed(repeated(function))
                    work[name] = flop
                    layers.append((name, network.name, kind, i == 0))
        seconds, _ = measure.take_turns(contenders, 10, args.rounds)
        product, _ = measure.peaks()
        middles = {name: measure.middle(each)[0] for name, each in seconds.items()}
        rows = []
        for name, network, kind, first in layers:
            row = {"size": size, "what": name, "ms": middles[name] * 1e3}
            row["share_of_peak"] = work[name] / middles[name] / product
            for update in STEPS:
                row[f"{update}_times"] = times(update, network, kind, first)
                row[f"{update}_ms"] = row[f"{update}_times"] * row["ms"]
            rows.append(row)
        total, step = ({**dict.fromkeys(rows[0], ""), "size": size} for _ in range(2))
        total["what"], step["what"] = "all of them", "the step"
        for update in STEPS:
            total[f"{update}_ms"] = sum(row[f"{update}_ms"] for row in rows)
            step[f"{update}_ms"] = middles[update] * 1e3
        rows += [total, step]
        for row in rows:
            row.update(batch=args.batch_size, rounds=args.rounds, **measure.machine())
        measure.show([{k: row[k] for k in list(row)[:8]} for row in rows])
        measure.save("kernels", rows, replace=("size", "batch", "machine", "backend"))


if __name__ == "__main__":
    main()
