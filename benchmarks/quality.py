"""How good the samples are, against those of a loop that you would write by hand.

    python benchmarks/quality.py dcgan --seeds 0 1 --data-dir FOLDER  # Fashion-MNIST, 5 epochs
    python benchmarks/quality.py cgan --data-dir FOLDER  # MNIST, 10 epochs, labels
    python benchmarks/quality.py plain --epochs 20 --data-dir FOLDER  # the plain loop by itself

`FOLDER` holds the original archives (see `ganzoo.datasets.load`); with a network leave it out.
`ganzoo.evaluation` compares 10,000 samples with the 10,000 test images, in the features of the
classifier that comes with ganzoo. Results replace those of the same data and epochs in
`benchmarks/results/quality.csv`, and samples are saved next to it; `benchmarks/tools/tables.py`
puts the results into the README.
"""

import argparse
import json
import platform
import time

import keras
import keras_loops
import measure
import numpy as np
import tensorflow as tf
from keras import layers

import ganzoo


def plain_dcgan():
    """A DCGAN as you would write it by hand: the same layers, a textbook training loop."""
    normal = keras.initializers.RandomNormal(stddev=0.02)
    generator = keras.Sequential(
        [
            keras.Input((100,)),
            layers.Dense(7 * 7 * 128, use_bias=False, kernel_initializer=normal),
            layers.Reshape((7, 7, 128)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(
                64, 4, strides=2, padding="same", use_bias=False, kernel_initializer=normal
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(
                1, 4, strides=2, padding="same", activation="tanh", kernel_initializer=normal
            ),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 4, strides=2, padding="same", kernel_initializer=normal),
            layers.LeakyReLU(0.2),
            layers.Conv2D(
                128, 4, strides=2, padding="same", use_bias=False, kernel_initializer=normal
            ),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, kernel_initializer=normal),
        ]
    )
    step = keras_loops.dcgan_step(generator, discriminator, 64)

    def fit(images, epochs):
        images = images.astype("float32") / 127.5 - 1
        ds = tf.data.Dataset.from_tensor_slices(images).shuffle(60000, seed=0)
        ds = ds.batch(64, drop_remainder=True).prefetch(2)
        for _ in range(epochs):
            for batch in ds:
                step(batch)

    def generate(n):
        latents = np.random.default_rng(0).standard_normal((n, 100), "float32")
        images = generator.predict(latents, batch_size=256, verbose=0)
        return np.clip(np.round((images + 1) * 127.5), 0, 255).astype("uint8")

    return fit, generate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["dcgan", "cgan", "plain"])
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    conditional = args.what == "cgan"
    name = "mnist" if conditional else "fashion_mnist"
    epochs = args.epochs or (10 if conditional else 5)
    metrics = ("frechet", "precision_recall", "density_coverage", "modes")
    judge = ganzoo.evaluation.Evaluator(
        name,
        metrics=metrics + (("class_agreement",) if conditional else ()),
        repeats=1,
        data_dir=args.data_dir,
    ).judge
    rows = []

    def add(what, seed, seconds, model):
        sheet = judge(model)
        short = {name.partition("[")[0]: score for name, score in sheet.scores.items()}
        agreement = short.get("class_agreement")
        rows.append(
            {
                "what": what,
                "data": name,
                "epochs": epochs,
                "seed": seed,
                "training_seconds": seconds,
                **{
                    key: short[key].value
                    for key in ("frechet", "precision", "recall", "density", "coverage")
                },
                "frechet_floor": short["frechet"].floor,
                "rarest_class_share": short["rarest_mode_share"].value,
                "class_agreement": agreement.value if agreement else "",
                "extractor": sheet.passport["extractor"],
                "samples": sheet.passport["samples"],
                "versions": f"{json.dumps(sheet.passport['versions'])}, {platform.machine()}",
            }
        )
        print(rows[-1], flush=True)

    for seed in args.seeds:
        ds = ganzoo.datasets.load(name, labels=conditional, seed=seed, data_dir=args.data_dir)
        if not conditional:
            keras.utils.set_random_seed(seed)
            fit, generate = plain_dcgan()
            images = np.concatenate([np.asarray(batch) for batch in ds])
            start = time.perf_counter()
            fit(images, epochs)
            add("plain Keras DCGAN", seed, time.perf_counter() - start, generate(10_000))
        if args.what == "plain":
            continue
        model = ganzoo.get(args.what, seed=seed)
        start = time.perf_counter()
        model.fit(ds, epochs=epochs, verbose=2)
        seconds = time.perf_counter() - start
        add(f"`{args.what}`", seed, seconds, model)
        labels = np.arange(100) % 10 if conditional else None
        ganzoo.images.save_grid(
            model.generate(100, labels=labels, seed=0), measure.RESULTS / f"{args.what}-{name}.png"
        )
        if not conditional:
            model.ema_decay = None
            add("`dcgan`, its live generator", seed, seconds, model)
    measure.save("quality", rows, replace=("what", "data", "epochs"))


if __name__ == "__main__":
    main()
