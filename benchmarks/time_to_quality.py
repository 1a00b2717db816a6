"""How long training takes until the samples are as good as those of a plain Keras loop.

    python benchmarks/time_to_quality.py --data-dir FOLDER

The plain loop, with the paper's settings in float32, trains on Fashion-MNIST for `--epochs`; its
best score is the mark. All others then train until they reach it, or for as many images. Scores are
Fréchet distances of 5,000 samples to the test images, in the features of the classifier that comes
with ganzoo, measured after every 200 steps. `FOLDER` holds the original archives (see
`ganzoo.datasets.load`); with a network leave it out.

The time is the number of steps times the median time of a step, measured beforehand while all
contenders take turns: so other work on the machine during the long training changes nothing, and
the gain divides into fewer images (settings) and more images per second (the library, the
precision). Compilation, scoring and loading do not count. Results go to
`benchmarks/results/time_to_quality.csv`, in place of those of the same kind of processor.
"""

import argparse
import math

import keras
import keras_loops
import measure
import numpy as np
import peers

import ganzoo
from ganzoo.game.building import dtype_policy

PLAIN = "plain Keras loop"
QUICK = {"learning_rate": 8e-4}
SMALL = {**QUICK, "batch_size": 32}
HALF = {"precision": "mixed_bfloat16"}
R3GAN = {"name": "r3gan", "architecture": "dcgan", "channels": (256,), **SMALL}
SETTINGS = {
    PLAIN: {},
    f"{PLAIN}, rate 8e-4, batches of 32": {"rate": 8e-4, "batch_size": 32},
    f"{PLAIN}, rate 8e-4, batches of 32, bfloat16": {"rate": 8e-4, "batch_size": 32, **HALF},
    "`dcgan`, float32": {"precision": "float32"},
    "`dcgan`": {},
    "`dcgan`, rate 8e-4, batches of 32": SMALL,
    "`r3gan` with DCGAN's networks, rate 8e-4, batches of 32": R3GAN,
}
"""By name: the arguments of `plain` or `ours`. The first one sets the mark. Without `precision`
ganzoo's own models take what a user gets who sets nothing."""
SHAPE, SAMPLES, STEPS, BATCH = (28, 28, 1), 5_000, 200, 64


def plain(images, seed, batch_size=BATCH, rate=keras_loops.RATE, precision="float32"):
    """`(advance, samples)`: functions that train for some steps and return the seconds, and that
    make samples."""
    keras.utils.set_random_seed(seed)
    with dtype_policy(precision):
        networks = peers.networks(SHAPE)
    advance = peers.plain_keras(lambda: networks, images, batch_size, rate)
    latents = np.random.default_rng(0).standard_normal((SAMPLES, 100), "float32")

    def samples():
        images = networks[0].predict(latents, batch_size=250, verbose=0)
        return np.clip(np.round(images * 127.5 + 127.5), 0, 255).astype("uint8")

    return advance, samples


def ours(images, seed, batch_size=BATCH, name="dcgan", **config):
    """As `plain`, for a model of ganzoo."""
    model = ganzoo.get(name, image_shape=SHAPE, seed=seed, **config)
    rng = np.random.default_rng(seed)

    def part(count):
        chosen = images[rng.permutation(len(images))[:count]]
        return ganzoo.datasets.load(chosen, batch_size=batch_size, verbose=False)

    return peers.fit(model, part, batch_size), lambda: model.generate(SAMPLES, seed=0)


def make(what, images, seed):
    """The contender of this name in `SETTINGS`."""
    return (plain if what.startswith(PLAIN) else ours)(images, seed, **SETTINGS[what])


def batch_of(what):
    return SETTINGS[what].get("batch_size", BATCH)


def curve(contender, judge, most, mark=-math.inf):
    """`(steps, score)` along a training, until a score reaches the mark.

    Args:
        contender: `(advance, samples)`.
        judge: function from samples to a score sheet with one score.
        most: maximum number of steps, which whole rounds of `STEPS` may exceed.
        mark: the score to reach; lower is better.
    """
    advance, samples = contender
    points = []
    for steps in range(STEPS, most + STEPS, STEPS):
        advance(STEPS)
        (score,) = judge(samples()).scores.values()
        points.append((steps, score.value))
        if score.value <= mark:
            break
    return points


def paces(names, images, rounds):
    """Seconds per step of each contender: the median over rounds in which all take turns."""
    few = images[: STEPS * BATCH]
    runs = {what: make(what, few, 0)[0] for what in names}
    taken, _ = measure.take_turns(runs, 24, rounds)
    return {what: measure.middle(seconds)[0] for what, seconds in taken.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=float, default=3, help="of the loop that sets the mark")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=15, help="in which all take turns")
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS)[1:], choices=list(SETTINGS))
    args = parser.parse_args()
    if keras.backend.backend() != "tensorflow":
        parser.error("the plain loop's networks can be sampled on TensorFlow only")
    judge = ganzoo.evaluation.Evaluator(
        "fashion_mnist", metrics=("frechet",), samples=SAMPLES, repeats=1, data_dir=args.data_dir
    ).judge
    ds = ganzoo.datasets.load("fashion_mnist", data_dir=args.data_dir)
    images = np.concatenate([np.asarray(batch) for batch in ds])
    names = list(dict.fromkeys((PLAIN, *args.settings)))
    pace = paces(names, images, args.rounds)
    most = args.epochs * len(images)
    rows = []
    for seed in args.seeds:
        mark = -math.inf
        for what in names:
            batch = batch_of(what)
            points = curve(make(what, images, seed), judge, math.ceil(most / batch), mark)
            if what == PLAIN:
                mark = min(score for _, score in points)
            steps, score = next((p for p in points if p[1] <= mark), points[-1])
            row = {
                "what": what,
                "seed": seed,
                "batch": batch,
                "mark": mark,
                "score": score,
                "reached": score <= mark,
                "images": steps * batch,
                "images_per_second": batch / pace[what],
                "seconds": steps * pace[what],
            }
            print(*row.values(), flush=True)
            rows.append({**row, "epochs": args.epochs, **measure.machine()})
        measure.save("time_to_quality", rows, replace=("processor",))
    measure.show([{k: row[k] for k in list(row)[:9]} for row in rows])


if __name__ == "__main__":
    main()
