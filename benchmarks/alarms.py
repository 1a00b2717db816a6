"""What the doctor reports of trainings that go well, and of some that do not.

    python benchmarks/alarms.py
    python benchmarks/alarms.py well --seeds 0 1
    python benchmarks/alarms.py badly --only wgan_gp

All are on digits and scored every five epochs, as `ganzoo train` scores them. A line has the
doctor's findings and its signals at the end of the training: how often the discriminator is right
in the last 20 epochs, how the generator's loss and the best Fréchet distance compare with those
before, recall, and training steps. Results replace those of the same training in
`benchmarks/results/alarms.csv`.
"""

import argparse
import json

import measure
import numpy as np

import ganzoo
from ganzoo import callbacks
from ganzoo import doctor
from ganzoo import evaluation
from ganzoo import runs

SMALL = {"channels": 24}
WELL = (
    # Model, size of the images, epochs, arguments.
    ("vanilla", 8, 100, {}),
    ("dcgan", 8, 100, {"channels": 16}),
    ("dcgan", 16, 80, {"discriminator_learning_rate": 5e-5}),
    ("cgan", 8, 100, {"channels": 16}),
    ("infogan", 16, 60, SMALL),
    ("acgan", 16, 60, SMALL),
    ("lsgan", 16, 60, SMALL),
    ("sngan", 16, 60, {"channels": 16, "discriminator_steps": 1}),
    ("r3gan", 16, 40, {}),
)
BADLY = (
    ("vanilla", 16, 30, {}),  # ends early
    ("dcgan", 16, 80, {}),  # its discriminator memorises the few images
    ("wgan_gp", 16, 30, SMALL),  # five moves of the critic for one of the generator
    ("wgan", 16, 60, SMALL),
    ("sngan", 16, 40, {"channels": 16}),
    ("dragan", 16, 60, SMALL),  # slow: its distance falls, and recall is still 0.01
)


def train(model, size, epochs, arguments, seed, *, samples=2000, every=5):
    """Train a model. Returns the doctor that watched it."""
    network = ganzoo.get(model, seed=seed, **arguments)
    labelled = network.label_range is not None
    if getattr(network, "num_classes", None) is not None:
        network = ganzoo.get(model, seed=seed, num_classes=10, **arguments)
    ds = ganzoo.datasets.load("digits", image_size=size, labels=labelled, seed=seed)
    evaluator = evaluation.Evaluator(
        "digits", image_size=size, metrics=runs.SCORES, samples=samples, repeats=1
    )
    watch = doctor.Doctor(ds, say=lambda line: print(line, flush=True))
    scoring = callbacks.Evaluate(evaluator, every=every, verbose=0)
    network.fit(ds, epochs=epochs, verbose=0, callbacks=[scoring, watch])
    return watch


def last(signals, window=doctor.ORDINARY):
    """The doctor's signals in the logs, at the end; NaN where there are too few epochs."""
    rows, before = signals[-window:], signals[-2 * window : -window]
    mean = lambda part, key: float(np.mean([row.get(key, np.nan) for row in part or [{}]]))
    scores = lambda part, name: [
        x for row in part for k, x in row.items() if k[: len(name)] == name
    ]
    best = lambda part: min(scores(part, "frechet["), default=np.nan)
    return {
        "right": min(mean(rows, "d_accuracy_real"), mean(rows, "d_accuracy_fake")),
        "generator_loss_ratio": mean(rows, "g_loss") / mean(before, "g_loss"),
        "frechet_ratio": float(best(rows) / best(signals[:-window])),
        **{name: scores(signals, f"{name}[")[-1] for name in ("frechet", "precision", "recall")},
        "steps": signals[-1]["step"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", nargs="*", default=["well", "badly"], help="of: well, badly")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", help="a model")
    args = parser.parse_args()
    for how in args.how:
        for model, size, epochs, arguments in {"well": WELL, "badly": BADLY}[how]:
            for seed in args.seeds:
                if args.only not in (None, model):
                    continue
                watch = train(model, size, epochs, arguments, seed)
                row = {
                    "goes": how,
                    "what": model,
                    "arguments": json.dumps(arguments),
                    "size": size,
                    "epochs": epochs,
                    "seed": seed,
                    "found": "; ".join(f"{f.name} ({f.epoch})" for f in watch.findings),
                    **last(watch.signals),
                    **measure.machine(),
                }
                measure.show([row])
                keys = ("what", "arguments", "size", "epochs", "seed", "backend")
                measure.save("alarms", [row], replace=keys)


if __name__ == "__main__":
    main()
