"""How good the samples are, against what a user would write by hand.

    python benchmarks/quality.py dcgan --data-dir FOLDER   # Fashion-MNIST, 5 epochs, both
    python benchmarks/quality.py cgan --data-dir FOLDER    # MNIST, 10 epochs, label accuracy

`FOLDER` holds the original archives (see `ganzoo.datasets.load`); with a network leave it out.
Samples are compared with the 10,000 test pictures in the features of a small classifier that
this script trains on the training split. Its distances mean something only beside each other.
Results are appended to `benchmarks/results/quality.csv`, pictures saved beside it.
"""

import argparse
import csv
import pathlib
import platform
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import ganzoo

RESULTS = pathlib.Path(__file__).parent / "results"


def arrays(name, split, data_dir):
    """All pictures and labels of a split."""
    ds = ganzoo.datasets.load(
        name, split=split, labels=True, shuffle=False, batch_size=1000, data_dir=data_dir
    )
    parts = list(ds.as_numpy_iterator())
    return tuple(np.concatenate(column) for column in zip(*parts))


def classifier(train, test):
    """A small convolutional classifier, and its accuracy on the test split."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 127.5, -1),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu", name="features"),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(*train, batch_size=128, epochs=5, verbose=0)
    accuracy = model.evaluate(*test, batch_size=1000, verbose=0)[1]
    features = keras.Model(model.inputs, model.get_layer("features").output)
    return model, features, accuracy


def frechet(a, b):
    """Fréchet distance between Gaussians fitted to two sets of features."""
    a, b = a.astype("float64"), b.astype("float64")
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cb @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * cross)


def plain_dcgan():
    """A DCGAN as one writes it by hand: the same layers, a textbook training loop."""
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
    d_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    g_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(real):
        n = tf.shape(real)[0]
        fake = generator(tf.random.normal((n, 100)), training=True)
        with tf.GradientTape() as tape:
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            loss = cross_entropy(tf.ones_like(real_logits), real_logits) + cross_entropy(
                tf.zeros_like(fake_logits), fake_logits
            )
        weights = discriminator.trainable_weights
        d_optimizer.apply(tape.gradient(loss, weights), weights)
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((n, 100)), training=True)
            fake_logits = discriminator(fake, training=True)
            loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
        weights = generator.trainable_weights
        g_optimizer.apply(tape.gradient(loss, weights), weights)

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


def record(rows):
    path = RESULTS / "quality.csv"
    new = not path.exists()
    RESULTS.mkdir(exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        if new:
            writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)


def measure(what, seed, seconds, images, labels, judge, features, test, accuracy):
    """One row of the table."""
    classes = judge.predict(images, batch_size=1000, verbose=0).argmax(axis=1)
    look = lambda x: features.predict(x, batch_size=1000, verbose=0)
    return {
        "what": what,
        "seed": seed,
        "training_seconds": round(seconds, 1),
        "frechet_to_test": round(frechet(look(images), look(test[0])), 3),
        "rarest_class_share": round(np.bincount(classes, minlength=10).min() / len(classes), 4),
        "asked_class_share": "" if labels is None else round(float((classes == labels).mean()), 4),
        "classifier_test_accuracy": round(accuracy, 4),
        "samples": len(images),
        "versions": f"ganzoo {ganzoo.__version__}, keras {keras.__version__}, "
        f"tensorflow {tf.__version__}, {platform.machine()}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["dcgan", "cgan"])
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    conditional = args.what == "cgan"
    name = "mnist" if conditional else "fashion_mnist"
    epochs = args.epochs or (10 if conditional else 5)
    train, test = arrays(name, "train", args.data_dir), arrays(name, "test", args.data_dir)
    judge, features, accuracy = classifier(train, test)

    def row(what, seed, seconds, images, labels=None):
        what = f"{what}, {name}, {epochs} epochs"
        return measure(what, seed, seconds, images, labels, judge, features, test, accuracy)

    rows = [row("10,000 training pictures (floor)", "", 0, train[0][:10000])]
    for seed in args.seeds:
        if not conditional:
            keras.utils.set_random_seed(seed)
            fit, generate = plain_dcgan()
            start = time.perf_counter()
            fit(train[0], epochs)
            rows.append(
                row("plain Keras dcgan", seed, time.perf_counter() - start, generate(10000))
            )
        model = ganzoo.get(args.what, seed=seed)
        ds = ganzoo.datasets.load(name, labels=conditional, seed=seed, data_dir=args.data_dir)
        start = time.perf_counter()
        model.fit(ds, epochs=epochs, verbose=2)
        seconds = time.perf_counter() - start
        labels = np.arange(10000) % 10 if conditional else None
        images = model.generate(10000, labels=labels, seed=0)
        rows.append(row(f"ganzoo {args.what}", seed, seconds, images, labels))
        ganzoo.images.save_grid(images[:100], RESULTS / f"{args.what}-{name}.png")
        if not conditional:
            model.ema_decay = None
            live = model.generate(10000, seed=0)
            rows.append(row("ganzoo dcgan, live generator", seed, seconds, live))
    record(rows)


if __name__ == "__main__":
    main()
