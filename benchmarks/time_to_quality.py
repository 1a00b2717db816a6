"""How long training takes until the samples are as good as those of a plain Keras loop.

    python benchmarks/time_to_quality.py --data-dir FOLDER

The plain loop, with the paper's settings, trains on Fashion-MNIST for `--epochs`; its best score is
the mark. All others then train, one after the other, until they reach it, at most twice as long as
the plain loop in total. Scores are Fréchet distances of 5,000 samples to the test images, in the
features of the classifier that comes with ganzoo, measured after every 200 steps; only training is
timed, compilation included. `FOLDER` holds the original archives (see
`ganzoo.datasets.load`); with a network leave it out. Results go to
`benchmarks/results/time_to_quality.csv`.
"""

import argparse
import math

import keras
import keras_loops
import measure
import numpy as np
import peers

import ganzoo

PLAIN = "plain Keras loop"
QUICK = {"learning_rate": 8e-4}
SMALL = {**QUICK, "batch_size": 32}
SETTINGS = {
    "plain Keras loop, rate 8e-4, batches of 32": {"batch_size": 32, "rate": 8e-4},
    "`dcgan`": {},
    "`dcgan`, rate 8e-4": QUICK,
    "`dcgan`, rate 8e-4, batches of 32": SMALL,
    "`dcgan`, rate 8e-4, batches of 32, bfloat16": {**SMALL, "precision": "mixed_bfloat16"},
}
SHAPE, SAMPLES, STEPS, BATCH = (28, 28, 1), 5_000, 200, 64


def plain(images, seed, batch_size=BATCH, rate=keras_loops.RATE):
    """`(advance, samples)`: functions that train for some steps and return the seconds, and that
    make samples."""
    keras.utils.set_random_seed(seed)
    networks = peers.networks(SHAPE)
    advance = peers.plain_keras(lambda: networks, images, batch_size, rate)
    latents = np.random.default_rng(0).standard_normal((SAMPLES, 100), "float32")

    def samples():
        images = networks[0].predict(latents, batch_size=250, verbose=0)
        return np.clip(np.round(images * 127.5 + 127.5), 0, 255).astype("uint8")

    return advance, samples


def ours(images, seed, batch_size=BATCH, **config):
    """As `plain`, for a model of ganzoo."""
    model = ganzoo.get("dcgan", image_shape=SHAPE, seed=seed, **config)
    rng = np.random.default_rng(seed)

    def part(count):
        return ganzoo.datasets.load(
            images[rng.permutation(len(images))[:count]], batch_size=batch_size
        )

    advance = measure.timed(lambda steps: model.fit(part(steps * batch_size), epochs=1, verbose=0))
    return advance, lambda: model.generate(SAMPLES, seed=0)


def curve(contender, judge, most, mark=-math.inf, limit=math.inf):
    """`(seconds, steps, score)` along a training, until a score reaches the mark.

    Args:
        contender: `(advance, samples)`.
        judge: function from samples to a score sheet with one score.
        most: maximum number of steps.
        mark: the score to reach; lower is better.
        limit: seconds of training after which to give up.
    """
    advance, samples = contender
    points, seconds = [], 0.0
    for steps in range(STEPS, most + STEPS, STEPS):
        seconds += advance(STEPS)
        (score,) = judge(samples()).scores.values()
        points.append((seconds, steps, score.value))
        if score.value <= mark or seconds > limit:
            break
    return points


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=float, default=3, help="of the plain loop")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    args = parser.parse_args()
    if keras.backend.backend() != "tensorflow":
        parser.error("the plain loop's networks can be sampled on TensorFlow only")
    judge = ganzoo.evaluation.Evaluator(
        "fashion_mnist", metrics=("frechet",), samples=SAMPLES, repeats=1, data_dir=args.data_dir
    ).judge
    ds = ganzoo.datasets.load("fashion_mnist", data_dir=args.data_dir)
    images = np.concatenate([np.asarray(batch) for batch in ds])
    most = math.ceil(args.epochs * len(images) / BATCH)
    rows = []

    def add(what, seed, points, mark, time):
        print(f"{what}, seed {seed}: ", ", ".join(f"{s:.0f} s {x:.1f}" for s, _, x in points))
        seconds, steps, score = next((p for p in points if p[-1] <= mark), points[-1])
        rows.append(
            {
                "what": what,
                "seed": seed,
                "mark": mark,
                "score": score,
                "reached": score <= mark,
                "seconds": seconds,
                "steps": steps,
                "times_as_fast": time / seconds if score <= mark else "",
                "epochs": args.epochs,
                **measure.machine(),
            }
        )

    for seed in args.seeds:
        points = curve(plain(images, seed), judge, most)
        mark = min(score for _, _, score in points)
        time = next(seconds for seconds, _, score in points if score <= mark)
        limit = 2 * points[-1][0]
        add(PLAIN, seed, points, mark, time)
        for what in args.settings:
            make = plain if what.startswith(PLAIN) else ours
            contender = make(images, seed, **SETTINGS[what])
            add(what, seed, curve(contender, judge, 10 * most, mark, limit), mark, time)
    measure.show([{k: row[k] for k in list(row)[:8]} for row in rows])
    measure.save("time_to_quality", rows)


if __name__ == "__main__":
    main()
