"""How well two models classify MNIST's digits: `improved_gan` by 100 labels, `infogan` by none.

    python benchmarks/labels.py [NAME …] [--data-dir FOLDER]

Errors are shares of the 10,000 test images. `infogan`'s categories have no names: each stands for
the most frequent digit among the training images that Q assigns to it. There is a row for ten of
them, as in the paper, and one for twenty. Results go to `benchmarks/results/labels.csv`, and
`python benchmarks/tools/pages.py` puts them into the models' pages.
"""

import argparse
import json
import time

import keras
import measure
import numpy as np
import recipes

import ganzoo

INFOGAN = {
    "model": "infogan",
    "epochs": 10,
    "batch_size": 32,
    "arguments": {"channels": 32, "dense_units": (256,)},
}

RECIPES = [
    {
        "model": "improved_gan",
        "epochs": 50,
        "batch_size": 125,
        "arguments": {"classes": 10, **recipes.FEW_LABELS},
    },
    {**INFOGAN, "arguments": {**INFOGAN["arguments"], "categories": (10,)}},
    {**INFOGAN, "arguments": {**INFOGAN["arguments"], "categories": (20,)}},
]
"""The learning rates are the papers' own; `improved_gan`'s falls to zero in the second half."""


def digits(split, data_dir):
    """`(images, labels)` of MNIST."""
    load = dict(split=split, labels=True, shuffle=False, batch_size=1000, data_dir=data_dir)
    batches = [[np.asarray(x) for x in b] for b in ganzoo.datasets.load("mnist", **load)]
    return tuple(np.concatenate(x) for x in zip(*batches))


def train(recipe, train_data, test_data, seed=0):
    """Train a model and classify the test images. Returns a row of results."""
    name, epochs, arguments = (recipe[k] for k in ("model", "epochs", "arguments"))
    images, labels = train_data
    model, callbacks, start = ganzoo.get(name, seed=seed, **arguments), [], time.process_time()
    few = name == "improved_gan"
    if few:
        data = ganzoo.datasets.semi_supervised(images, labels, per_class=10)
        rate = arguments["learning_rate"]
        fall = lambda epoch: rate * min(1.0, 2 * (epochs - epoch) / epochs)
        callbacks.append(keras.callbacks.LearningRateScheduler(fall))
    else:
        data = (images,)
    sizes = {"batch_size": recipe["batch_size"], "epochs": epochs}
    model.fit(*data, **sizes, verbose=0, callbacks=callbacks)
    seconds = time.process_time() - start
    if few:
        answer = lambda images: model.classify(images).argmax(axis=1)
    else:
        category = lambda images: model.codes(images)["categories"][0].argmax(axis=1)
        names = counts(category(images), labels, arguments["categories"][0]).argmax(axis=1)
        answer = lambda images: names[category(images)]
    table = counts(answer(test_data[0]), test_data[1])
    return {
        "what": name,
        "labels": 100 if few else 0,
        "epochs": epochs,
        "batch": recipe["batch_size"],
        "arguments": json.dumps(arguments),
        "seed": seed,
        "cpu_minutes": seconds / 60,
        "error": float(1 - np.trace(table) / table.sum()),
        "table": json.dumps(table.tolist()),
        **measure.machine(),
    }


def counts(answers, truth, kinds=10):
    """How often each answer (rows) was given for each digit (columns)."""
    table = np.zeros((kinds, 10), int)
    np.add.at(table, (answers, truth), 1)
    return table


def main():
    names = list(dict.fromkeys(recipe["model"] for recipe in RECIPES))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=names)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if unknown := set(args.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. There are: {', '.join(names)}")
    data = [digits(split, args.data_dir) for split in ("train", "test")]
    for recipe in RECIPES:
        if recipe["model"] in args.names:
            row = train(recipe, *data, seed=args.seed)
            measure.show([{k: row[k] for k in ("what", "labels", "cpu_minutes", "error")}])
            measure.save("labels", [row], replace=("what", "arguments", "seed"))


if __name__ == "__main__":
    main()
