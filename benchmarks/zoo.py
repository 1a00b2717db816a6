"""Every entry of the zoo after the same CPU minutes on the same data, scored in the same way.

    python benchmarks/zoo.py NAME … --minutes 4 --data-dir FOLDER

Settings are those of `recipes.py`. CPU minutes are those of all cores together, from the first
step on, compilation included; what `plain` is, is said there too. `FOLDER` holds the original
archives (see `ganzoo.datasets.load`); with a network leave it out. Scores go to
`benchmarks/results/zoo.csv`, samples to `docs/images/models/NAME-DATA.png`, and
`python benchmarks/tables.py` puts both into the pages of `docs/models`.
"""

import argparse
import json
import math
import pathlib
import time

import keras
import measure
import numpy as np
import peers
import recipes

import ganzoo

PICTURES = pathlib.Path(__file__).parents[1] / "docs" / "images" / "models"
SCORES = ("frechet", "precision", "recall", "density", "coverage")


class Budget(keras.callbacks.Callback):
    """Ends the training when the process has used so much processor time since its begin."""

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
    """Trains the plain loop; `(samples, steps, seconds used, seconds on the clock)`."""
    keras.utils.set_random_seed(seed)
    networks = peers.networks("dcgan", images.shape[1:])
    advance = peers.plain_keras(lambda: networks, images, batch_size)
    start, clock, steps = time.process_time(), time.perf_counter(), 0
    while time.process_time() - start < seconds:
        advance(20)
        steps += 20
    used, wall = time.process_time() - start, time.perf_counter() - clock
    latents = np.random.default_rng(0).standard_normal((10_000, 100), "float32")
    pictures = networks[0].predict(latents, batch_size=250, verbose=0)
    pictures = np.clip(np.round(pictures * 127.5 + 127.5), 0, 255).astype("uint8")
    return pictures, steps, used, wall


def train(name, data, minutes, seed, data_dir, batch_size=64, arguments=None):
    """One entry: a row of the table."""
    seconds = 60 * minutes
    load = dict(data_dir=data_dir, seed=seed, batch_size=batch_size)
    if name == "plain":
        batches = [np.asarray(batch) for batch in ganzoo.datasets.load(data, **load)]
        subject, steps, used, wall = plain(np.concatenate(batches), batch_size, seconds, seed)
        samples = subject[:100]
    else:
        subject = ganzoo.get(name, seed=seed, **(arguments or {}))
        conditional = getattr(subject, "num_classes", None) is not None
        budget = Budget(seconds)
        ds = ganzoo.datasets.load(data, labels=conditional, **load)
        subject.fit(ds, epochs=10_000, verbose=0, callbacks=[budget])
        steps, used, wall = int(subject.step), budget.used, budget.wall
        samples = subject.generate(100, seed=0)
    metrics = ("frechet", "precision_recall", "density_coverage", "modes")
    if name != "plain" and conditional:
        metrics += ("class_agreement",)
    sheet = ganzoo.evaluate(subject, data, metrics=metrics, repeats=1, data_dir=data_dir)
    short = {key.partition("[")[0]: score for key, score in sheet.scores.items()}
    PICTURES.mkdir(parents=True, exist_ok=True)
    ganzoo.images.save_grid(samples, PICTURES / f"{name}-{data}.png")
    turns = getattr(subject, "turns", 1)
    agreement = short.get("class_agreement")
    return {
        "what": name,
        "data": data,
        "batch": batch_size,
        "arguments": json.dumps(arguments or {}),
        "seed": seed,
        "cpu_minutes": used / 60,
        "wall_minutes": wall / 60,
        "steps": steps,
        "pictures": steps * turns * batch_size,
        **{key: short[key].value for key in SCORES},
        "frechet_floor": short["frechet"].floor,
        "rarest_class_share": short["rarest_mode_share"].value,
        "class_agreement": agreement.value if agreement else math.nan,
        "samples": sheet.passport["samples"],
        "extractor": sheet.passport["extractor"],
        **measure.machine(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(recipes.RECIPES))
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    parser.add_argument("--set", help="JSON: a recipe in place of the recorded one, not recorded")
    args = parser.parse_args()
    for name in args.names:
        recipe = json.loads(args.set) if args.set else recipes.RECIPES[name]
        row = train(name, args.data, args.minutes, args.seed, args.data_dir, **recipe)
        measure.show([{k: v for k, v in row.items() if k not in ("extractor", "versions")}])
        if not args.set:
            measure.save("zoo", [row], replace=("what", "data", "seed"))


if __name__ == "__main__":
    main()
