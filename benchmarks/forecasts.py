"""Curves of scores over trainings, and how well forecasts made from their beginnings come true.

    python benchmarks/forecasts.py record --data FOLDER
    python benchmarks/forecasts.py add RUN …
    python benchmarks/forecasts.py judge

`record` trains models of several kinds and sizes on several data sets, one after the other, scores
each as `ganzoo train` does, and adds a curve for each to `benchmarks/results/curves.csv`; curves
that are there already are not made again. `FOLDER` holds the data sets' files. `add` adds the
curves of run folders of `ganzoo train`.

`judge` fits the prior of `ganzoo.runs.forecast` to all curves, and writes it with the curves to
`ganzoo/runs/curves.json`. Then it holds out the runs of each setting in turn (all of its seeds),
fits the prior to the others, cuts the curve off after a part of its images, and forecasts the rest.
It prints how often the 80 % intervals hold the score that came, and writes all forecasts to
`benchmarks/results/forecasts.csv`.
"""

import argparse
import collections
import csv
import dataclasses
import itertools
import json
import math
import statistics
import time

import measure
import numpy as np

import ganzoo
from ganzoo import callbacks
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import forecast
from ganzoo.runs import outlook
from ganzoo.runs import scoring

TOONS, PIXELS = "avatars/avatars-toonhead.zip", "avatars/avatars-pixelart.zip"
DATA = {
    "digits": ("digits", None),
    "mnist": ("mnist", None),
    "fashion_mnist": ("fashion_mnist", None),
    "portraits": (TOONS, 16),
    "pixel_art": (PIXELS, 16),
}
"""Data sets: a name or file, and the side to which images are brought."""
SMALL = {"channels": 8, "learning_rate": 8e-4}
WIDE = {"channels": 16, "learning_rate": 8e-4}
MODELS = (
    ("dcgan", SMALL),
    ("r3gan", {"architecture": "dcgan", "channels": (32,), "learning_rate": 8e-4}),
    ("lsgan", SMALL),
    ("vanilla", {}),
    ("dcgan", WIDE),
    ("dragan", SMALL),
    ("wgan_gp", {"channels": 8, "discriminator_steps": 2, "learning_rate": 4e-4}),
)
"""Models and arguments, small enough for a minute of processor time each."""
PART = 1_024
"""Images of an epoch, after which a model may be scored."""
RATIO = 1.45
"""Ratio of images at two scores that follow each other."""


class Marks(callbacks.Evaluate):
    """Scores a model whenever it has seen `RATIO` times as many images as at the score before."""

    def __init__(self, evaluator, row):
        super().__init__(evaluator, verbose=0)
        self.row, self.rows, self.next = row, [], 4 * PART
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        images = (epoch + 1) * PART
        if images < self.next:
            return
        self.next = max(RATIO * images, images + PART)
        begun = time.perf_counter()
        sheet = self.evaluator.judge(self.model)
        self.start += time.perf_counter() - begun  # scores do not count
        for name, score in sheet.scores.items():
            seconds = round(time.perf_counter() - self.start, 1)
            self.rows.append(
                {
                    **self.row,
                    "images": images,
                    "seconds": seconds,
                    "score": name,
                    "value": score.value,
                    "floor": score.floor,
                    **measure.machine(),
                }
            )


def record(args):
    """Train all settings on all data sets in turn, and add a curve for each."""
    done = {key_of(row) for row in read()}
    evaluators = {}
    for seed in args.seeds:
        for model, arguments in MODELS:
            for name in args.names:
                row = {"data": name, "model": model, "arguments": json.dumps(arguments)}
                row |= {"seed": str(seed), "batch": 32}
                if key_of(row) in done:
                    continue
                source, size = DATA[name]
                path = f"{args.data}/{source}" if "." in source else source
                options = {"image_size": size, "data_dir": f"{args.data}/{name.replace('_', '-')}"}
                ds = ganzoo.datasets.load(path, batch_size=32, seed=seed, verbose=False, **options)
                if name not in evaluators:
                    evaluators[name] = evaluator_of(path, ds, options)
                marks = Marks(evaluators[name], row)
                network = ganzoo.get(model, seed=seed, **arguments)
                steps = PART // 32 // network.discriminator_steps
                epochs = args.images // PART
                network.fit(ds, epochs=epochs, steps_per_epoch=steps, verbose=0, callbacks=[marks])
                shown = ", ".join(f"{r['images']}: {r['value']:.1f}" for r in marks.rows)
                print(f"{name} {model} {arguments} seed {seed}: {shown}", flush=True)
                measure.save("curves", read() + marks.rows)


def add(folders):
    """Add the curves of run folders."""
    for folder in folders:
        run = RunFolder(folder)
        config, log = run.read_config(), json_lines.read(run.metrics)
        settings, versions = config["settings"], config["versions"]
        curve = outlook.curve_of(run, settings, log)
        if curve is None or settings.get("weights") is not None:
            print(f"{folder} has no scores, or starts from trained weights.")
            continue
        row = {"data": curve.data, "model": curve.model}
        row |= {"arguments": json.dumps(settings["arguments"]), "seed": str(settings["seed"])}
        before = [old for old in read() if key_of(old) != key_of(row)]
        row |= {"batch": settings["batch_size"], "score": curve.score, "floor": curve.floor}
        kept = ("python", "keras", versions["backend"])
        row |= {"machine": config["device"]["name"], "processor": "", "backend": kept[-1]}
        row |= {"versions": ", ".join(f"{name} {versions[name]}" for name in kept)}
        passed = itertools.accumulate(line["seconds"] for line in log)
        seconds = dict(zip((line["images"] for line in log), passed))
        rows = [
            {**row, "images": n, "seconds": round(seconds[n], 1), "value": x}
            for n, x in zip(curve.images, curve.values)
        ]
        measure.save("curves", before + rows)


def evaluator_of(path, ds, options):
    """An evaluator as `ganzoo train` has it, for the one score that it forecasts; of data that no
    extractor of its own knows, with fewer samples and real images, to save time."""
    known = ganzoo.evaluation.knows(ds.description) is not None
    samples, _ = scoring.plan(known, ds.contents.images)
    return ganzoo.evaluation.Evaluator(
        path,
        metrics=("frechet",),
        samples=samples if known else samples // 4,
        real=None if known else scoring.REAL // 5,
        repeats=1,
        verbose=False,
        **options,
    )


# What is usual ------------------------------------------------------------------------------------

GUESS = {
    "decay": (math.log(0.7), math.log(0.6)),
    "rest": (-2.0, math.log(1.5)),
    "drift": (math.log(0.3),),
    "early": (math.log(5_000),),
    "noise": (math.log(0.05),),
}
HOLD = 0.3
"""Where the search for the prior begins, and the standard deviation of a normal density that holds
it there: a few curves do not say how different others are."""
LOOSE = 4.0, 2.0, 1.0, 1.0, 1.0
"""The level of a curve, before it is known how curves resemble each other."""


def learn(curves):
    """The `Prior` that makes curves most probable."""
    guess = np.concatenate(list(GUESS.values()))

    def prior_of(x, level=LOOSE):
        d0, d1, r0, r1, drift, early, noise = x
        positive = [math.exp(value) for value in (drift, early, noise)]
        return forecast.Prior((d0, math.exp(d1)), (r0, math.exp(r1)), *positive, level)

    def improbable(x):
        prior, level = prior_of(x), (LOOSE[0], math.hypot(*LOOSE[1:]))
        logs = sum(forecast.Fit(curve, prior, level).evidence for curve in curves)
        return np.square((x - guess) / HOLD).sum() / 2 - logs

    x = search(improbable, guess)
    levels = np.array([forecast.level_of(curve, prior_of(x)) for curve in curves])
    return prior_of(x, resemblance(curves, levels))


def resemblance(curves, levels):
    """The field `level` of a `Prior`, from the levels of curves."""
    guess = np.log([1.0, 0.5, 0.3, 0.3])

    def parts(x):
        deviations = np.exp(x)
        covariance = forecast.alike(curves, curves, deviations)
        covariance += deviations[-1] ** 2 * np.eye(len(curves))
        inverse = np.linalg.inv(covariance)
        mean = (inverse @ levels).sum() / inverse.sum()
        return mean, deviations, covariance, inverse

    def improbable(x):
        mean, _, covariance, inverse = parts(x)
        rest = levels - mean
        likelihood = (rest @ inverse @ rest + np.linalg.slogdet(covariance)[1]) / 2
        return np.square((x - guess) / HOLD).sum() / 2 + likelihood

    mean, deviations, _, _ = parts(search(improbable, guess))
    return (float(mean), *map(float, deviations))


def search(function, start):
    import scipy.optimize

    options = {"xatol": 0.02, "fatol": 0.02, "maxiter": 600}
    return scipy.optimize.minimize(function, start, method="Nelder-Mead", options=options).x


def write(prior, curves):
    """Write the prior and the curves into the package."""
    short = lambda x: float(f"{x:.4g}")
    fields = {k: np.vectorize(short)(x).tolist() for k, x in dataclasses.asdict(prior).items()}
    lines = []
    for curve in curves:
        facts = dataclasses.asdict(curve) | {"floor": short(curve.floor)}
        facts |= {"values": [short(x) for x in curve.values]}
        lines.append(json.dumps(facts))
    text = f'{{"prior": {json.dumps(fields)},\n "curves": [\n' + ",\n".join(lines) + "\n]}\n"
    forecast.RECORDED.write_text(text, encoding="utf-8")
    print(f"Written to {forecast.RECORDED}")


# How often it comes true --------------------------------------------------------------------------

PARTS = (0.05, 0.1, 0.2, 0.4)
"""Parts of its images after which a training is forecast; before them, none is known: 0."""
HORIZONS = (1, 2, 4, 8, math.inf)
"""Bounds of the ratios of images at a score and at its forecast."""
HELD_OUT = {
    "its setting": ("data", "model", "arguments"),
    "its data": ("data",),
}
"""Which curves are not known when one is forecast: those of the same …"""


def judge():
    """Forecast each curve from its beginning by the others, and count how often it comes true."""
    groups = collections.defaultdict(list)
    for row in read():
        groups[key_of(row)].append(row)
    runs = [(rows[0], curve_of(rows)) for rows in groups.values()]
    rows = []
    for unknown, names in HELD_OUT.items():
        held = collections.defaultdict(list)
        for run in runs:
            held[tuple(run[0][k] for k in names)].append(run)
        for some in held.values():
            others = [run[1] for run in runs if run not in some]
            prior = learn(others)
            for run in some:
                rows += [{"unknown": unknown, **row} for row in judged(*run, prior, others)]
    measure.show(summary(rows))
    curves = [curve for _, curve in runs]
    write(learn(curves), curves)
    measure.save("forecasts", rows)


def curve_of(rows):
    first = rows[0]
    return forecast.Curve(
        score=first["score"],
        data=DATA.get(first["data"], (first["data"],))[0].rpartition("/")[2],
        model=first["model"],
        floor=float(first["floor"]),
        images=tuple(int(row["images"]) for row in rows),
        values=tuple(float(row["value"]) for row in rows),
    )


def judged(row, curve, prior, others):
    """Yield forecasts of a curve from each of its parts, with what came."""
    setting = {k: row[k] for k in ("data", "model", "arguments", "seed")}
    machine = {k: row[k] for k in ("machine", "processor", "backend", "versions")}
    last = curve.images[-1]
    alike = any(other.score == curve.score for other in others)
    for part in (0, *PARTS) if alike else PARTS:  # as before a training
        seen = curve.until(part * last)
        if not part:  # nobody knows its floor yet
            seen = dataclasses.replace(seen, floor=0.0)
        if part and not seen.images:
            continue
        known = seen.images[-1] if part else 0
        coming = [pair for pair in zip(curve.images, curve.values) if pair[0] > known]
        coming = [pair for pair in coming if part or pair[0] >= PARTS[0] * last]
        found = forecast.forecast(seen, [n for n, _ in coming], prior=prior, others=others)
        for (images, value), one in zip(coming, found):
            yield {
                **setting,
                "score": curve.score,
                "seen": known,
                "scores_seen": len(seen.images),
                "last_seen": seen.values[-1] if part else "",
                "images": images,
                "value": value,
                "median": one.median,
                "low": one.low,
                "high": one.high,
                "within": one.low <= value <= one.high,
                **machine,
            }


def summary(rows):
    """Coverage, width and error of forecasts, rows as `judge` saves them, by horizon."""
    table, numbers = [], ("seen", "images", "value", "median", "low", "high")
    rows = [{**row, **{k: float(row[k]) for k in numbers}} for row in rows]
    for unknown in HELD_OUT:
        mine = [row for row in rows if row["unknown"] == unknown]
        bins = {"before the start": [row for row in mine if not row["seen"]]}
        later = [row for row in mine if row["seen"]]
        for low, high in zip(HORIZONS, HORIZONS[1:]):
            name = f"{low} to {high} times the images" if high < math.inf else f"over {low} times"
            bins[name] = [row for row in later if low < row["images"] / row["seen"] <= high]
        bins["all after a start"] = later
        for name, some in bins.items():
            if some:
                table.append({"unknown": unknown, "horizon": name, **counts(some)})
    return table


def counts(rows):
    error = lambda key: statistics.median(abs(float(r[key]) / r["value"] - 1) for r in rows)
    widths = [(row["high"] - row["low"]) / 2 / row["median"] for row in rows]
    return {
        "forecasts": len(rows),
        "runs": len({key_of(row) for row in rows}),
        "within": statistics.fmean(str(row["within"]) == "True" for row in rows),
        "half_width": statistics.median(widths),
        "error": error("median"),
        "error_of_last": error("last_seen") if rows[0]["seen"] else "",
    }


def key_of(row):
    return tuple(str(row[k]) for k in ("data", "model", "arguments", "seed"))


def read():
    """The rows of the recorded curves."""
    path = measure.RESULTS / "curves.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "add", "judge"])
    parser.add_argument("runs", nargs="*", help="run folders, for `add`")
    parser.add_argument("--data")
    parser.add_argument("--names", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--images", type=int, default=80_000, help="of each training")
    args = parser.parse_args()
    if args.what == "record":
        record(args)
    elif args.what == "add":
        add(args.runs)
    else:
        judge()


if __name__ == "__main__":
    main()
