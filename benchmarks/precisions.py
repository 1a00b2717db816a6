"""Whether bfloat16 trains as well as float32: scores after equal steps.

    python benchmarks/precisions.py --data-dir FOLDER

One model of each kind of game: two players, a critic with a gradient penalty, relativistic with R1
and R2, an autoencoder with a prior, a translation. Each trains in both precisions from the same
seeds. Generated samples are scored by Fréchet distance, reconstructions and translations by their
root mean square error in grey levels, on images of the test split. Results go to
`benchmarks/results/precisions.csv`; `train.py` measures the speed.
"""

import argparse

import keras
import measure
import numpy as np

import ganzoo

SMALL = {"channels": 32}
CASES = {
    "dcgan": {**SMALL, "learning_rate": 8e-4},
    "wgan_gp": {**SMALL, "discriminator_steps": 2, "learning_rate": 4e-4},
    "r3gan": {"architecture": "dcgan", "channels": (64,), "learning_rate": 8e-4, "ema_decay": 0.99},
    "vae": SMALL,
    "pix2pix": {"channels": 16},
}


def score(model, images, evaluator):
    """`(name, value)`, lower is better."""
    if hasattr(model, "generate") and not hasattr(model, "encode"):
        return "Fréchet distance", evaluator.judge(model)["frechet"].value
    if hasattr(model, "translate"):
        made, wanted = model.translate(images), 255 - images
    else:
        made, wanted = model.reconstruct(images), images
    error = np.square(made.astype("float64") - wanted).mean()
    return "root mean square error", float(np.sqrt(error))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(CASES))
    parser.add_argument("--data-dir")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--samples", type=int, default=2000)
    args = parser.parse_args()
    load = lambda split: ganzoo.datasets.load(
        "fashion_mnist", split=split, data_dir=args.data_dir, shuffle=False
    )
    train, test = (np.concatenate([np.asarray(x) for x in load(s)]) for s in ("train", "test"))
    evaluator = ganzoo.evaluation.Evaluator(
        "fashion_mnist",
        metrics=("frechet",),
        samples=args.samples,
        repeats=1,
        data_dir=args.data_dir,
    )
    for name in args.models:
        rows = []
        for seed in args.seeds:
            for precision in ("float32", "mixed_bfloat16"):
                keras.backend.clear_session()
                model = ganzoo.get(name, precision=precision, seed=seed, **CASES[name])
                data = (train, 255 - train) if model.paired is not None else (train,)
                model.fit(*data, batch_size=64, steps_per_epoch=args.steps, verbose=0)
                what, value = score(model, test[: args.samples], evaluator)
                rows.append(
                    {
                        "model": name,
                        "precision": precision,
                        "seed": seed,
                        "steps": args.steps,
                        "score": what,
                        "value": value,
                        **measure.machine(),
                    }
                )
                measure.show([{k: rows[-1][k] for k in list(rows[-1])[:6]}])
        measure.save("precisions", rows, replace=("model", "steps", "machine", "backend"))


if __name__ == "__main__":
    main()
