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


def noto_twemoji(folder):
    """The same emoji by two artists. A tenth of the first code points is held out, so that no
    variant of a test emoji, such as another skin tone, is in the training data."""
    files = [pathlib.Path(folder) / f"{name}-72.zip" for name in ("noto-emoji", "twemoji")]
    ds = ganzoo.datasets.load_pair(
        *files, paired=True, key=code_points, image_size=SIDE, channels=3, shuffle=False
    )
    both = [np.concatenate(domain) for domain in zip(*ds.as_numpy_iterator())]
    keys = [{code_points(n) for n in zipfile.ZipFile(f).namelist() if _is_emoji(n)} for f in files]
    firsts = [key.partition("-")[0] for key in sorted(keys[0] & keys[1])]  # the pairs' order
    held_out = np.isin(firsts, sorted(set(firsts))[::10])
    return tuple(tuple(domain[which] for domain in both) for which in (~held_out, held_out))


def code_points(name):
    """The code points of an emoji, by the name of its file in either set."""
    stem = pathlib.PurePosixPath(name).stem.removeprefix("emoji_u").replace("_", "-")
    return "-".join(part.lstrip("0") for part in stem.split("-") if part != "fe0f")


def _is_emoji(name):
    return name.endswith(".png") and not pathlib.PurePosixPath(name).name.startswith(".")


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
    return _folders(
        pathlib.Path(folder) / "openmoji-pairs.zip",
        [[f"{split}/{kind}" for kind in DOMAINS["openmoji"]] for split in ("train", "test")],
    )


def ink_colour(folder):
    """Portraits drawn in ink, and others in colour."""
    return _folders(
        pathlib.Path(folder) / "avatars-ink-colour.zip",
        [[f"{split}{letter}" for letter in "AB"] for split in ("train", "test")],
    )


def _folders(archive, names):
    """The images in folders of a zip."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(archive) as file:
            file.extractall(place)
        read = lambda name: ganzoo.datasets.load(
            pathlib.Path(place) / name, channels=3, shuffle=False, verbose=False
        )
        return tuple(
            tuple(np.concatenate(list(read(name).as_numpy_iterator())) for name in split)
            for split in names
        )


DATA = {
    "mnist_edges": mnist_edges,
    "noto_twemoji": noto_twemoji,
    "apples_oranges": apples_oranges,
    "openmoji": openmoji,
    "ink_colour": ink_colour,
}
"""`{name: function}` of the folder with the archives. Returns the training images of both domains
and the test images of both, `uint8`."""

DOMAINS = {
    "mnist_edges": ("mnist", "edges"),
    "noto_twemoji": ("noto", "twemoji"),
    "apples_oranges": ("apples", "oranges"),
    "openmoji": ("line", "colour"),
    "ink_colour": ("ink", "colour"),
}
"""Names of the two domains."""

ARCHIVES = ("noto_twemoji", "apples_oranges", "openmoji", "ink_colour")
"""Names in `DATA` that need archives of their own."""


def write(name, data_dir, out):
    """Write the training images of both domains as two files, `noto.npy` and `twemoji.npy` for
    `noto_twemoji`. Returns the paths."""
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
