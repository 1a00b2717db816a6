"""Trains and saves the classifiers whose features `ganzoo.evaluate` compares.

    python benchmarks/classifiers.py digits
    python benchmarks/classifiers.py mnist --data-dir FOLDER
    python benchmarks/classifiers.py fashion_mnist --data-dir FOLDER
    python benchmarks/classifiers.py spoken-digits --data-dir FOLDER

`FOLDER` holds the original archives (see `ganzoo.datasets.load`); with a network leave it out for
images.
The weights go to `ganzoo/extractors/weights/NAME-classifier-v1.safetensors`. Scores are named after
that file: give a changed classifier another version, so that old scores stay correct.
"""

import argparse
import pathlib
import tempfile

import keras
import numpy as np
import speech
from safetensors.numpy import save_file

import ganzoo
from ganzoo import extractors
from ganzoo import sounds
from ganzoo.extractors.classifier import SOUNDS
from ganzoo.extractors.classifier import spectrograms


def arrays(name, split, image_size, data_dir):
    """All images and labels of a split."""
    ds = ganzoo.datasets.load(
        name,
        split=split,
        labels=True,
        shuffle=False,
        batch_size=100,
        image_size=image_size,
        data_dir=data_dir,
    )
    return tuple(np.concatenate(part) for part in zip(*((np.asarray(x), y) for x, y in ds)))


def of_sounds(name, data_dir):
    """`(images, labels)` of the training clips and of those held out, of a data set of sounds."""
    rate, length = SOUNDS[name]
    with tempfile.TemporaryDirectory() as place:
        source = speech.write(data_dir, pathlib.Path(place) / name)
        load = lambda split: ganzoo.datasets.load(
            source, split=split, labels=True, shuffle=False, sample_rate=rate, length=length
        )
        gather = lambda ds: map(np.concatenate, zip(*ds.as_numpy_iterator()))
        parts = []
        for split in ("train", "test"):
            clips, labels = gather(load(split))
            clips = sounds.to_float(clips).mean(axis=2, keepdims=True)
            parts.append((spectrograms(clips, rate), labels))
    return parts


def shifted(images, rng, most):
    """Each image shifted by up to `most` pixels, padded with black."""
    padded = np.pad(images, [(0, 0), (most, most), (most, most), (0, 0)])
    height, width = images.shape[1:3]
    down, right = rng.integers(0, 2 * most + 1, (2, len(images)))
    rows = down[:, None, None] + np.arange(height)[:, None]
    columns = right[:, None, None] + np.arange(width)
    return padded[np.arange(len(images))[:, None, None], rows, columns]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["digits", "mnist", "fashion_mnist", *SOUNDS]
    parser.add_argument("data", choices=names)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int)
    args = parser.parse_args()
    # Larger than the digits are: it also scores generators of 16×16 images, and scaling these down
    # would hide their defects.
    image_size = 16 if args.data == "digits" else None
    epochs = args.epochs or {"digits": 60, "spoken-digits": 40}.get(args.data, 12)
    if args.data in SOUNDS:
        (images, labels), test = of_sounds(args.data, args.data_dir)
    else:
        images, labels = arrays(args.data, "train", image_size, args.data_dir)
        test = arrays(args.data, "test", image_size, args.data_dir)
    classes, batch = int(labels.max()) + 1, min(128, len(images) // 4)

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    network = extractors.classifier(images.shape[1:3], classes)
    model = keras.Model(network.inputs, network.outputs[1])
    steps = len(images) // batch
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    for epoch in range(epochs):
        moved = shifted(images, rng, 3 if args.data in SOUNDS else 1)
        order = rng.permutation(len(images))[: steps * batch]
        logs = model.fit(moved[order], labels[order], batch_size=batch, verbose=0).history
        print(f"epoch {epoch + 1}/{epochs}: {logs}", flush=True)
    # Half precision halves the file; the accuracy below is that of the shipped weights.
    for variable in network.weights:
        variable.assign(np.asarray(variable).astype("float16").astype("float32"))
    accuracy = model.evaluate(*test, batch_size=1000, verbose=0)[1]
    height, width = images.shape[1:3]
    about = {
        "data": f"{args.data}, train split, {len(images)} examples",
        "test_accuracy": f"{accuracy:.4f} on {len(test[0])} examples of the test split",
        "command": f"python benchmarks/classifiers.py {args.data}",
        "epochs": str(epochs),
        "versions": f"ganzoo {ganzoo.__version__}, keras {keras.__version__}, "
        f"{keras.backend.backend()}",
        "height": str(height),
        "width": str(width),
        "classes": str(classes),
    }
    path = extractors.WEIGHTS / f"{args.data}-classifier-v1.safetensors"
    path.parent.mkdir(exist_ok=True)
    state = {extractors.name_of(v): np.asarray(v).astype("float16") for v in network.weights}
    save_file(state, path, about)
    print(f"{path}: {path.stat().st_size} bytes, {about['test_accuracy']}")


if __name__ == "__main__":
    main()
