"""What each part of a recipe for colour images is worth: the same training with and without it.

    python benchmarks/switches.py portraits-4000=avatars-toonhead.zip emoji-3583=noto-emoji-72.zip

Each data set is `NAME-COUNT=IMAGES`: the first COUNT of its images in a fixed random order. The
recipe of `ganzoo.runs.recipes` for 64×64 pixels, and that recipe with one change, train from the
same seeds until they have read `--images`. The score is the Fréchet distance of 2,000 samples to
all IMAGES, those left out of the training too, in EfficientNet-Lite0's features, against which
nothing is trained.

Rows are added to `benchmarks/results/switches.csv` one by one. A row that is there is not measured
again, so the same command goes on where it was stopped. `--table` prints what is there.
"""

import argparse
import statistics

import keras
import measure
import numpy as np

import ganzoo

RECIPE = {
    "architecture": "dcgan",
    "channels": (192,),
    "learning_rate": 8e-4,
    "gamma": 5.0,
    "ema_decay": 0.995,
}
SIZE, SAMPLES, BATCH = 64, 2_000, 32
SWITCHES = {
    "the recipe": {},
    "γ 0.1": {"gamma": 0.1},
    "γ 1": {"gamma": 1.0},
    "γ 20": {"gamma": 20.0},
    "learning rate 0.0004": {"learning_rate": 4e-4},
    "learning rate 0.0016": {"learning_rate": 1.6e-3},
    "batches of 16": {"batch_size": 16},
    "flips": {"flip": True},
    "`diffaugment`": {"augment": "diffaugment"},
    "translation": {"augment": "translation"},
    "`ada`": {"augment": "ada", "augment_images": 20_000},
    "schedule": {"schedule_images": True},
    "average of `ema_images` 1,000": {"ema_decay": None, "ema_images": 1_000},
}
"""Changes of the recipe. `schedule_images=True` stands for all images that are read."""
KEY = ("data", "switch", "images", "seed")


def load(source):
    """All images of a folder or zip, `(n, 64, 64, channels)` uint8, in a fixed random order."""
    batches = ganzoo.datasets.load(source, image_size=SIZE, shuffle=False, verbose=False)
    images = np.concatenate([np.asarray(batch) for batch in batches])
    return images[np.random.default_rng(0).permutation(len(images))]


def trained(images, changes, read, seed):
    """A model of the recipe with changes, after it has read so many images."""
    settings = {**RECIPE, **changes}
    batch = settings.pop("batch_size", BATCH)
    if settings.pop("schedule_images", False):
        settings["schedule_images"] = read
    model = ganzoo.get("r3gan", image_shape=images.shape[1:], seed=seed, **settings)
    data = ganzoo.datasets.load(images, batch_size=batch, seed=seed, verbose=False)
    per_epoch, steps = len(images) // batch, read // batch
    model.fit(data, epochs=steps // per_epoch, verbose=0)
    return model


def table(rows):
    """For each data set and number of images, every switch with its score and its ratio to the
    recipe's."""
    shown = []
    for data, images in dict.fromkeys((row["data"], row["images"]) for row in rows):
        scores = {}
        for row in rows:
            if (row["data"], row["images"]) == (data, images):
                scores.setdefault(row["switch"], {})[row["seed"]] = float(row["frechet"])
        usual = scores.get("the recipe", {})
        for switch, by_seed in scores.items():
            ratios = [value / usual[seed] for seed, value in by_seed.items() if seed in usual]
            shown.append(
                {
                    "data": data,
                    "images": images,
                    "switch": switch,
                    "seeds": len(by_seed),
                    "Fréchet distance": statistics.mean(by_seed.values()),
                    "ratio": statistics.mean(ratios) if ratios else float("nan"),
                    "from": min(ratios, default=float("nan")),
                    "to": max(ratios, default=float("nan")),
                }
            )
    return shown


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", metavar="NAME-COUNT=IMAGES")
    parser.add_argument("--switches", nargs="+", default=list(SWITCHES), choices=list(SWITCHES))
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.table:
        measure.show(table(measure.results("switches", measure.RESULTS)))
        return
    path = measure.RESULTS / "switches.csv"
    before = measure.results("switches", measure.RESULTS) if path.exists() else []
    done = {tuple(row[k] for k in KEY) for row in before}
    for given in args.data:
        name, source = given.split("=", 1)
        images = load(source)
        kept = images[: int(name.rpartition("-")[2])]
        evaluator = ganzoo.evaluation.Evaluator(
            images,
            metrics=("frechet",),
            extractor="efficientnet-lite0",
            samples=SAMPLES,
            repeats=1,
            verbose=False,
        )
        for seed in args.seeds:
            for switch in args.switches:
                what = dict(zip(KEY, (name, switch, args.images, seed)))
                if tuple(map(str, what.values())) in done:
                    continue
                keras.backend.clear_session()
                model = trained(kept, SWITCHES[switch], args.images, seed)
                (score,) = evaluator.judge(model).scores.values()
                row = {**what, "frechet": score.value, **measure.machine()}
                measure.save("switches", [row], replace=KEY)
                measure.show([{k: row[k] for k in (*KEY, "frechet")}])


if __name__ == "__main__":
    main()
