"""Data of two domains, from the original archives.

    python benchmarks/domains.py NAME … --data-dir FOLDER [--out FOLDER]

writes the training images of both domains as `.npy` files, for `ganzoo train`.
"""

import argparse
import pathlib
import tempfile
import zipfile

import numpy as np
from scipy import ndimage

import ganzoo
from ganzoo.files import atomic

SIDE = 64


def edges(images):
    """Edge maps, `uint8`: what a 3×3 dilation adds to each image."""
    return ndimage.maximum_filter(images, (1, 3, 3, 1)) - images


def mnist_edges(folder):
    """Half of MNIST, and the edge maps of the other half, so that there are no pairs."""
    load = lambda split: ganzoo.datasets.load(
        "mnist", split=split, data_dir=folder, batch_size=1000, shuffle=False
    )
    train, test = (np.concatenate([np.asarray(x) for x in load(s)]) for s in ("train", "test"))
    half = len(train) // 2
    return (train[:half], edges(train[half:])), (test, edges(test))


def apples_oranges(folder):
    """Photographs of apples, and of oranges and satsumas."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(pathlib.Path(folder) / "grocery-fruit.zip") as archive:
            archive.extractall(place)
        place = pathlib.Path(place)
        for path in sorted(place.rglob("*.jpg")):
            split = "test" if path.is_relative_to(place / "test") else "train"
            kind = "apples" if "Apple" in path.parts else "oranges"
            (place / split / kind).mkdir(parents=True, exist_ok=True)
            path.rename(place / split / kind / "-".join(path.relative_to(place).parts))
        read = lambda path: ganzoo.datasets.load(path, image_size=SIDE, shuffle=False)
        return tuple(
            tuple(
                np.concatenate(list(read(place / split / kind).as_numpy_iterator()))
                for kind in ("apples", "oranges")
            )
            for split in ("train", "test")
        )


def openmoji(folder):
    """Line drawings of OpenMoji and the same in colour, 128×128."""
    return _unzipped(pathlib.Path(folder) / "openmoji-pairs.zip", "{split}/line", "{split}/colour")


def ink_colour(folder):
    """Portraits drawn in ink and others in colour, 64×64, without pairs."""
    return _unzipped(pathlib.Path(folder) / "avatars-ink-colour.zip", "{split}A", "{split}B")


def _unzipped(archive, *domains):
    """Images of an archive, of its folders for the split `train` and then for `test`."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(place)
        read = lambda path: ganzoo.datasets.load(path, channels=3, shuffle=False, verbose=False)
        return tuple(
            tuple(
                np.concatenate(list(read(f"{place}/{d.format(split=split)}").as_numpy_iterator()))
                for d in domains
            )
            for split in ("train", "test")
        )


DATA = {
    "mnist_edges": mnist_edges,
    "apples_oranges": apples_oranges,
    "ink_colour": ink_colour,
    "openmoji": openmoji,
}
"""`{name: function}` of the folder with the archives. Returns the training images of both domains
and the test images of both, `uint8`."""

DOMAINS = {
    "mnist_edges": ("mnist", "edges"),
    "apples_oranges": ("apples", "oranges"),
    "ink_colour": ("ink", "colour"),
    "openmoji": ("line", "colour"),
}
"""Names of the two domains."""

ARCHIVES = ("apples_oranges", "ink_colour", "openmoji")
"""Names in `DATA` that need archives of their own."""


def write(name, data_dir, out):
    """Write the training images of both domains as two files, `line.npy` and `colour.npy` for
    `openmoji`. Returns the paths."""
    paths = [out / f"{domain}.npy" for domain in DOMAINS[name]]
    train, _ = DATA[name](data_dir)
    out.mkdir(parents=True, exist_ok=True)
    for path, images in zip(paths, train):
        with atomic.replacing(path) as partial:  # a training may be reading it
            np.save(partial, images)
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="+", choices=DATA, metavar="NAME", help=", ".join(DATA))
    parser.add_argument("--data-dir", required=True, help="where the archives are")
    parser.add_argument("--out", type=pathlib.Path, default=".", help="folder to write to")
    args = parser.parse_args()
    for name in args.names:
        print(*write(name, args.data_dir, args.out))


if __name__ == "__main__":
    main()
