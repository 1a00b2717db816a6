"""Trains every entry of the zoo for the same CPU minutes on the same data, and scores it.

    python benchmarks/zoo.py NAME … --data-dir FOLDER

Data, minutes and settings are those of `recipes.py`, which also describes `plain`. CPU minutes are
those of all cores together, from the first step on, compilation included. `FOLDER` holds the
original archives (see `ganzoo.datasets.load`, and `domains.py` for data of two domains); with a
network, entries that learn from one domain do without. Scores go to
`benchmarks/results/zoo.csv`, samples to `docs/images/models/NAME-DATA.png`, and
`python benchmarks/tools/pages.py` puts both into the pages of `docs/models`.
"""

import argparse
import json
import math
import pathlib
import time

import domains
import keras
import measure
import numpy as np
import peers
import recipes

import ganzoo

IMAGES = pathlib.Path(__file__).parents[1] / "docs" / "images" / "models"
SCORES = ("frechet", "precision", "recall", "density", "coverage")
COLUMNS = (
    *("what", "data", "batch", "arguments", "seed"),
    *("cpu_minutes", "wall_minutes", "steps", "pictures"),
    *SCORES,
    *("modes", "rarest_mode_share", "class_agreement", "reconstruction"),
    *("frechet_floor", "frechet_before", "frechet_back", "frechet_back_before"),
    *("kernel", "kernel_floor", "kernel_before", "kernel_back", "kernel_back_before"),
    *("error", "error_before", "samples", "extractor"),
)


class Budget(keras.callbacks.Callback):
    """Ends the training when it has used `seconds` of processor time."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.start, self.clock = time.process_time(), time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if time.process_time() - self.start > self.seconds:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.used = time.process_time() - self.start
        self.wall = time.perf_counter() - self.clock


def plain(images, batch_size, seconds, seed):
    """Train the plain loop. Returns `(samples, steps, processor seconds, wall-clock seconds)`."""
    keras.utils.set_random_seed(seed)
    networks = peers.networks(images.shape[1:])
    advance = peers.plain_keras(lambda: networks, images, batch_size)
    start, clock, steps = time.process_time(), time.perf_counter(), 0
    while time.process_time() - start < seconds:
        advance(20)
        steps += 20
    used, wall = time.process_time() - start, time.perf_counter() - clock
    latents = np.random.default_rng(0).standard_normal((10_000, 100), "float32")
    samples = networks[0].predict(latents, batch_size=250, verbose=0)
    samples = np.clip(np.round(samples * 127.5 + 127.5), 0, 255).astype("uint8")
    return samples, steps, used, wall


def fit(name, ds, minutes, seed, batch_size, arguments):
    """A model of the zoo after some minutes of training, and the first part of its row."""
    model, budget = ganzoo.get(name, seed=seed, **arguments), Budget(60 * minutes)
    model.fit(ds, epochs=10_000, verbose=0, callbacks=[budget])
    return model, {
        "cpu_minutes": budget.used / 60,
        "wall_minutes": budget.wall / 60,
        "steps": int(model.step),
        "pictures": int(model.step) * model.turns * batch_size,
    }


def one_domain(name, data, minutes, seed, data_dir, batch_size, arguments):
    """The row of an entry that learns from one domain, and the images to show."""
    load = dict(data_dir=data_dir, seed=seed, batch_size=batch_size)
    conditional = getattr(ganzoo.get(name, **arguments), "num_classes", None) is not None
    ds = ganzoo.datasets.load(data, labels=conditional, **load)
    model, row = fit(name, ds, minutes, seed, batch_size, arguments)
    if hasattr(model, "generate"):
        row |= scores(model, data, data_dir, conditional)
        samples = model.generate(100, seed=0)
    if hasattr(model, "reconstruct"):
        test = ganzoo.datasets.load(data, split="test", data_dir=data_dir, shuffle=False)
        test = np.concatenate(list(test.as_numpy_iterator()))
        outputs = model.reconstruct(test)
        row["reconstruction"] = float(np.sqrt(np.mean(np.square(test - outputs.astype("float32")))))
        if not hasattr(model, "generate"):
            samples = side_by_side(test, outputs)
    return row, samples


def scores(subject, data, data_dir, conditional=False):
    """Scores of samples against the test images, with the floor."""
    names = ("frechet", "precision_recall", "density_coverage", "modes")
    names += ("class_agreement",) if conditional else ()
    sheet = ganzoo.evaluate(subject, data, metrics=names, repeats=1, data_dir=data_dir)
    short = {key.partition("[")[0]: score for key, score in sheet.scores.items()}
    wanted = (*SCORES, "modes", "rarest_mode_share", *(names[4:]))
    return {
        **{key: short[key].value for key in wanted},
        "frechet_floor": short["frechet"].floor,
        "samples": sheet.passport["samples"],
        "extractor": sheet.passport["extractor"],
    }


def two_domains(name, data, minutes, seed, data_dir, batch_size, arguments):
    """The row of an entry that learns from two domains, and the images to show."""
    train, test = domains.DATA[data](data_dir)
    paired = ganzoo.get(name).paired
    ds = ganzoo.datasets.load_pair(*train, paired=paired, batch_size=batch_size, seed=seed)
    model, row = fit(name, ds, minutes, seed, batch_size, arguments)
    if hasattr(model, "translate"):
        scored, shown = translations(model, train, test)
        return row | scored, shown
    images, targets = model.generate_pairs(10_000, seed=0)
    truth = domains.edges(images)
    row |= {"error": error(targets, truth), "error_before": error(targets[::-1], truth)}
    return row | scores(images, data.partition("_")[0], data_dir), side_by_side(images, targets)


def translations(model, train, test):
    """Scores of a translator on the test images, and images to show: sources next to translations.

    `_before`: of the images as they are, without translation. `_floor`: of as many training images
    of the other domain, in place of the translations.
    """
    images, targets = test
    outputs = model.translate(images)
    to = distance_to(targets)
    # A Fréchet distance depends on the number of images, so all have the same.
    floor = np.random.default_rng(0).permutation(len(train[1]))[: len(images)]
    few = np.random.default_rng(1).permutation(len(images))[: len(floor)]
    row = {**to(outputs[few]), **to(images[few], "_before"), **to(train[1][floor], "_floor")}
    row |= {"samples": len(few), "extractor": EXTRACTOR}
    columns = [images, outputs]
    if model.paired:
        row |= {"error": error(outputs, targets), "error_before": error(images, targets)}
        columns.append(targets)
    else:
        turned, back = model.translate(targets, reverse=True), distance_to(images)
        row |= {**back(turned, "_back"), **back(targets, "_back_before")}
        columns += [targets[: len(images)], turned]
    return row, side_by_side(*columns)


EXTRACTOR = "efficientnet-lite0"
"""Whose features tell how near translations are to the other domain."""


def distance_to(real):
    """A function of images that returns their distances to these as a dict, Fréchet and kernel. It
    takes an ending for the keys."""
    extract = ganzoo.metrics.extractor(EXTRACTOR)
    look = lambda images: extract(images)["features"].astype("float64")
    moments = lambda rows: (rows.mean(axis=0), np.cov(rows, rowvar=False))
    there = look(real)

    def distances(images, ending=""):
        rows = look(images)
        frechet = float(ganzoo.metrics.frechet_distance(*moments(there), *moments(rows)))
        kernel, _ = ganzoo.metrics.kernel_distance(there, rows)
        return {f"frechet{ending}": frechet, f"kernel{ending}": kernel}

    return distances


def error(a, b):
    """Mean absolute difference in grey levels."""
    return float(np.mean(np.abs(a.astype("float32") - b)))


TOGETHER = 96


def side_by_side(*columns):
    """`TOGETHER` images, of which those in a row of the columns belong together."""
    few = np.linspace(0, min(map(len, columns)) - 1, TOGETHER // len(columns)).astype(int)
    return np.stack([c[few] for c in columns], axis=1).reshape(-1, *columns[0].shape[1:])


def train(name, data, minutes, seed, data_dir, batch_size, arguments):
    """Train and score one entry. Returns a row of the table."""
    if name == "plain":
        batches = ganzoo.datasets.load(data, data_dir=data_dir).as_numpy_iterator()
        images = np.concatenate(list(batches))
        samples, steps, used, wall = plain(images, batch_size, 60 * minutes, seed)
        row = {"cpu_minutes": used / 60, "wall_minutes": wall / 60, "steps": steps}
        row |= {"pictures": steps * batch_size, **scores(samples, data, data_dir)}
        samples = samples[:100]
    else:
        learn = two_domains if data in domains.DATA else one_domain
        row, samples = learn(name, data, minutes, seed, data_dir, batch_size, arguments)
    IMAGES.mkdir(parents=True, exist_ok=True)
    together = len(samples) == TOGETHER  # images that belong together are in one row
    ganzoo.images.save_grid(samples, IMAGES / f"{name}-{data}.png", 12 if together else None)
    entry = {"what": name, "data": data, "batch": batch_size, "seed": seed}
    entry["arguments"] = json.dumps(arguments)
    return {**dict.fromkeys(COLUMNS, math.nan), **entry, **row, **measure.machine()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(recipes.RECIPES))
    parser.add_argument("--data")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    parser.add_argument("--set", help="JSON: changes to the recipe; the result is not recorded")
    args = parser.parse_args()
    for name in args.names:
        recipe = recipes.recipe(name, args.data)
        if args.set:
            recipe |= json.loads(args.set)
        if args.minutes is not None:
            recipe["minutes"] = args.minutes
        if args.data_dir is None and recipe["data"] in domains.ARCHIVES:
            parser.error(f"{name} needs archives that are not downloaded: --data-dir FOLDER")
        row = train(name, seed=args.seed, data_dir=args.data_dir, **recipe)
        hidden = ("extractor", "versions")
        measure.show([{k: v for k, v in row.items() if v == v and k not in hidden}])
        if not args.set:
            measure.save("zoo", [row], replace=("what", "data", "seed"))


if __name__ == "__main__":
    main()
