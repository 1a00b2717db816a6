"""A judge for the drawn portraits, which knows what each of them shows, and scores by it.

    python benchmarks/portraits.py judge avatars-toonhead.zip
    python benchmarks/portraits.py score avatars-toonhead.zip RUN NAME.TAG SAMPLES.npy …

The judge is a convolutional classifier of the recorded attributes (hair, mouth, eyes, clothes, …),
trained on nine tenths of the real images; no model is ever trained against it. It is kept in the
cache folder. `score` prints for each run, weights or array of samples, and for half of the real
images: the Fréchet distance to the other half of the real images in the judge's features; the
share of samples in which the judge sees one hair style and one mouth with a confidence of at least
0.9; the share of the rarest value of any attribute; and the share of samples that are nearer to a
training image than 99 of 100 held-out images are. Results go to `benchmarks/results/portraits.csv`.
"""

import argparse
import io
import json
import zipfile

import keras
import measure
import numpy as np
from PIL import Image
from safetensors.numpy import load_file
from safetensors.numpy import save_file

import ganzoo
from ganzoo import metrics
from ganzoo.cli import targets
from ganzoo.extractors.base import in_batches
from ganzoo.extractors.base import name_of
from ganzoo.files import downloads

ATTRIBUTES = ("hair", "rearHair", "mouth", "eyes", "eyebrows", "clothes", "skinColor", "hairColor")
SURE = ("hair", "mouth")
"""Attributes in which a sample must show one thing clearly."""
HELD_OUT, SAMPLES, EPOCHS, BATCH = 400, 2_000, 20, 64


def read(path):
    """`(images, labels)`: `(n, 64, 64, 3)` uint8, and a dict from attribute to class numbers."""
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("attributes.jsonl").decode().splitlines()
        rows = [json.loads(line) for line in lines]
        files = [io.BytesIO(archive.read(f"images/{row['file']}")) for row in rows]
    images = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    labels = {}
    for name in ATTRIBUTES:
        values = sorted({str(row.get(name)) for row in rows})
        labels[name] = np.array([values.index(str(row.get(name))) for row in rows])
    return images, labels


def split(images, labels):
    """`(train, test)`, each `(images, labels)`; the same at every call."""
    order = np.random.default_rng(0).permutation(len(images))
    parts = order[HELD_OUT:], order[:HELD_OUT]
    return [(images[part], {k: v[part] for k, v in labels.items()}) for part in parts]


def network(counts):
    """The judge: images `(64, 64, 3)` to `[features, logits of each attribute, …]`."""
    layers = keras.layers
    inputs = keras.Input((64, 64, 3), dtype="float32")
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    for i, width in enumerate((32, 64, 96, 128)):
        x = layers.Conv2D(width, 4, 2, padding="same", use_bias=False, name=f"conv_{i}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"norm_{i}")(x))
    # Where something is matters: a mouth on a forehead is none.
    x = layers.Dropout(0.3, seed=0)(layers.Flatten()(x))
    features = layers.Dense(128, "relu", name="features")(x)
    heads = [layers.Dense(count, name=name)(features) for name, count in counts.items()]
    return keras.Model(inputs, [features, *heads])


def train(images, labels):
    """Train a judge; prints its accuracy on the held-out images and returns it."""
    keras.utils.set_random_seed(0)
    (x, y), (held, wanted) = split(images, labels)
    judge = network({name: int(v.max()) + 1 for name, v in labels.items()})
    model = keras.Model(judge.inputs, dict(zip(ATTRIBUTES, judge.outputs[1:])))
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * (len(x) // BATCH))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), {name: loss for name in ATTRIBUTES})
    model.fit(x.astype("float32"), y, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    logits = model.predict(held.astype("float32"), batch_size=BATCH, verbose=0)
    for name in ATTRIBUTES:
        print(f"{name}: {np.mean(logits[name].argmax(1) == wanted[name]):.1%} of held-out images")
    return judge


def kept():
    return downloads.folder() / "portraits-judge.safetensors"


def save(judge):
    path = kept()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name_of(v): np.asarray(v) for v in judge.weights}, path)
    print(f"Kept in {path}")


def load(labels):
    judge = network({name: int(v.max()) + 1 for name, v in labels.items()})
    state = load_file(kept())
    for variable in judge.weights:
        variable.assign(state[name_of(variable)])
    return judge


def look(judge, images):
    """`(features, {attribute: probabilities})` of images."""
    features, *logits = in_batches(judge, images.astype("float32"))
    softmax = lambda x: np.exp(x - x.max(1, keepdims=True))
    parts = {name: softmax(x) for name, x in zip(ATTRIBUTES, logits)}
    return features, {name: x / x.sum(1, keepdims=True) for name, x in parts.items()}


def nearest(images, train):
    """Root mean square difference to the nearest training image, in grey levels."""
    flat = lambda x: x[:, ::2, ::2].reshape(len(x), -1).astype("float32")
    a, b = flat(images), flat(train)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares.min(1), 0) / a.shape[1])


def moments(features):
    return features.mean(0), np.cov(features, rowvar=False)


def score(judge, samples, real, train, held):
    """The numbers of some samples, as a dict."""
    features, seen = look(judge, samples)
    wanted, _ = look(judge, real)
    sure = np.all([seen[name].max(1) >= 0.9 for name in SURE], axis=0)
    shares = [np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p) for p in seen.values()]
    close = np.quantile(nearest(held, train), 0.01)
    return {
        "frechet": metrics.frechet_distance(*moments(wanted), *moments(features)),
        "sure": float(sure.mean()),
        "least_share": float(min(s.min() for s in shares)),
        "copies": float(np.mean(nearest(samples, train) < close)),
    }


def samples_of(source):
    """Samples from a `.npy` file, a run folder or weights."""
    if str(source).endswith(".npy"):
        return np.load(source)[:SAMPLES]
    name, weights = targets.trained(source, None)
    return ganzoo.get(name, weights=weights).generate(SAMPLES, seed=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["judge", "score"])
    parser.add_argument("data", help="avatars-toonhead.zip")
    parser.add_argument("sources", nargs="*")
    args = parser.parse_args()
    images, labels = read(args.data)
    if args.task == "judge":
        save(train(images, labels))
        return
    judge = load(labels)
    (train_images, _), (held, _) = split(images, labels)
    half, other = np.split(np.random.default_rng(0).permutation(len(images)), 2)
    rows = []

    def add(what, samples, **more):
        numbers = {**score(judge, samples, images[other], train_images, held), **more}
        rows.append({"what": what, "n": len(samples), **numbers, **measure.machine()})

    add("the other half of the real images", images[half], copies="")
    for source in args.sources:
        add(source, samples_of(source))
    measure.show([{k: row[k] for k in list(row)[:6]} for row in rows])
    measure.save("portraits", rows, replace=("what",))


if __name__ == "__main__":
    main()
