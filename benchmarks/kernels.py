"""What a training step of `dcgan` spends its time on: its matrix products and convolutions alone.

    python benchmarks/kernels.py 28 64

Each layer's three (forward, to its inputs, to its weights) run by themselves, with both cores, and
are added up as often as an update needs them; no work on the same networks can take less without
other kernels. The steps take turns with them. On TensorFlow only. Results go to
`benchmarks/results/kernels.csv`.
"""

import argparse

import keras
import measure
import numpy as np
import peers
import tensorflow as tf

import ganzoo
from ganzoo.networks import operations

KINDS = ("forward", "to inputs", "to weights")
STEPS = {
    "alternating": {},
    "one_stage": {"update": "one_stage", "discriminator_normalization": "layer"},
}


def kernels(network, batch):
    """Of each layer with a kernel: its name, its work, and a function for each of `KINDS`."""
    found = []
    work = iter(operations(network))
    for layer in network.layers:
        if not isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D)):
            continue
        x = tf.random.normal((batch, *layer.input.shape[1:]))
        dy = tf.random.normal((batch, *layer.output.shape[1:]))
        kernel = layer.kernel.value

        def forward(layer=layer, x=x):
            return layer(x)

        def backward(target, layer=layer, x=x, dy=dy):
            # The gradient of a linear layer needs no forward pass: TensorFlow leaves it out.
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
            return tape.gradient(y, target, output_gradients=dy)

        functions = (
            forward,
            lambda backward=backward, x=x: backward(x),
            lambda backward=backward, kernel=kernel: backward(kernel),
        )
        compiled = [tf.function(f, autograph=False) for f in functions]
        found.append((f"{network.name}, {layer.name}", batch * next(work), compiled))
    return found


def times(update, network, kind, first):
    """How often an update runs a kernel of a layer."""
    if network == "generator":
        return 0 if kind == "to inputs" and first else 1
    if update == "one_stage":  # real and fake; only the fake ones' gradient goes on to pictures
        return 1 if kind == "to inputs" and first else 2
    if kind == "to weights":
        return 2
    return 1 if kind == "to inputs" and first else 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="+", help="sides of the pictures")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
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
            for i, (layer, flop, functions) in enumerate(kernels(network, args.batch_size)):
                for kind, function in zip(KINDS, functions):
                    name = f"{layer}, {kind}"
                    contenders[name] = measure.timed(
                        lambda n, function=function: [function() for _ in range(n)]
                    )
                    work[name] = flop
                    layers.append((name, network.name, kind, i == 0))
        seconds, _ = measure.take_turns(contenders, 10, args.rounds)
        product, _ = measure.peaks()
        middles = {name: measure.middle(each)[0] for name, each in seconds.items()}
        rows = []
        for name, network, kind, first in layers:
            row = {"size": size, "what": name, "ms": middles[name] * 1e3}
            row["share_of_peak"] = work[name] / middles[name] / product
            row.update({u: times(u, network, kind, first) for u in STEPS})
            rows.append(row)
        total = {"size": size, "what": "all of them", "ms": "", "share_of_peak": ""}
        step = {"size": size, "what": "the step", "ms": "", "share_of_peak": ""}
        for update in STEPS:
            total[update] = sum(row[update] * row["ms"] for row in rows)
            step[update] = middles[update] * 1e3
        rows += [total, step]
        for row in rows:
            row.update(batch=args.batch_size, rounds=args.rounds, **measure.machine())
        measure.show([{k: row[k] for k in list(row)[:6]} for row in rows])
        measure.save("kernels", rows, replace=("size", "batch", "machine"))


if __name__ == "__main__":
    main()
