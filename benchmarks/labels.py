"""How well two models know MNIST's digits: `improved_gan` from 100 labels, `infogan` from none.

    python benchmarks/labels.py [NAME …] [--data-dir FOLDER]

Errors are shares of the 10,000 test pictures. `infogan`'s categories have no names: each stands for
one digit, in the way that errs least. Results go to `benchmarks/results/labels.csv`, and
`python benchmarks/pages.py` puts them into the models' pages.
"""

import argparse
import json
import time

import keras
import measure
import numpy as np
import recipes
from scipy import optimize

import ganzoo

RECIPES = {
    "improved_gan": {
        "epochs": 50,
        "batch_size": 125,
        "arguments": {"classes": 10, **recipes.FEW_LABELS},
    },
    "infogan": {
        "epochs": 10,
        "batch_size": 32,
        "arguments": {"channels": 32, "dense_units": (256,)},
    },
}
"""The learning rates are the papers' own; `improved_gan`'s falls to zero in the second half."""


def digits(split, data_dir):
    """`(images, labels)` of MNIST."""
    load = dict(split=split, labels=True, shuffle=False, batch_size=1000, data_dir=data_dir)
    batches = [[np.asarray(x) for x in b] for b in ganzoo.datasets.load("mnist", **load)]
    return tuple(np.concatenate(x) for x in zip(*batches))


def train(name, train_data, test_data, seed=0):
    """One row: what the model's answers to the test pictures are."""
    recipe = RECIPES[name]
    epochs, arguments = recipe["epochs"], recipe["arguments"]
    images, labels = train_data
    model, callbacks, start = ganzoo.get(name, seed=seed, **arguments), [], time.process_time()
    if name == "improved_gan":
        data = ganzoo.datasets.semi_supervised(images, labels, per_class=10)
        rate = arguments["learning_rate"]
        fall = lambda epoch: rate * min(1.0, 2 * (epochs - epoch) / epochs)
        callbacks.append(keras.callbacks.LearningRateScheduler(fall))
    else:
        data = (images,)
    sizes = {"batch_size": recipe["batch_size"], "epochs": epochs}
    model.fit(*data, **sizes, verbose=0, callbacks=callbacks)
    seconds = time.process_time() - start
    images, truth = test_data
    if name == "improved_gan":
        table = counts(model.classify(images), truth)
    else:
        table = counts(model.codes(images)["categories"][0], truth)
        rows, columns = optimize.linear_sum_assignment(-table)
        table = table[rows[np.argsort(columns)]]  # in the order of the digits
    return {
        "what": name,
        "labels": 100 if name == "improved_gan" else 0,
        "epochs": epochs,
        "batch": recipe["batch_size"],
        "arguments": json.dumps(arguments),
        "seed": seed,
        "cpu_minutes": seconds / 60,
        "error": float(1 - np.trace(table) / len(truth)),
        "table": json.dumps(table.tolist()),
        **measure.machine(),
    }


def counts(probabilities, truth):
    """How often each answer (rows) was given to each digit (columns)."""
    table = np.zeros((10, 10), int)
    np.add.at(table, (probabilities.argmax(axis=1), truth), 1)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    data = [digits(split, args.data_dir) for split in ("train", "test")]
    for name in args.names:
        row = train(name, *data, seed=args.seed)
        measure.show([{k: row[k] for k in ("what", "labels", "cpu_minutes", "error")}])
        measure.save("labels", [row], replace=("what", "seed"))


if __name__ == "__main__":
    main()
