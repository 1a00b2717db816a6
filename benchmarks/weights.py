"""Makes the trained weights that come with ganzoo, each from its recipe.

    python benchmarks/weights.py NAME.TAG … --runs FOLDER [--data-dir FOLDER]

Trains as `ganzoo train` does, and goes on where it stopped; publishes the run as `ganzoo publish`
does; puts the file into `ganzoo/trained` and its row, of which nothing is written by hand, into
`ganzoo/weights.json`. `--help` says which there are to make.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil

from ganzoo import callbacks
from ganzoo import catalogue
from ganzoo import downloads
from ganzoo import publishing
from ganzoo import runs
from ganzoo import weights

QUICK = {"batch_size": 32, "arguments": {"learning_rate": 8e-4}}

RECIPES = {
    "vanilla.mnist": {"epochs": 40},
    "dcgan.mnist": {"epochs": 20, **QUICK},
    "dcgan.fashion_mnist": {"epochs": 20, **QUICK},
    "cgan.mnist": {"epochs": 15, **QUICK},
    "cgan.fashion_mnist": {"epochs": 20, **QUICK},
    "acgan.mnist": {"epochs": 15, **QUICK},
    "vae.fashion_mnist": {"epochs": 15, **QUICK},
}
"""What `ganzoo.runs.train` takes; data are those of the tag."""


def make(name, folder, data_dir):
    """Train, publish and list one set of weights."""
    model, _, tag = name.partition(".")
    recipe = {"data": tag, **RECIPES[name]}
    run, published = folder / name, folder / f"{name}-published"
    runs.train(model, recipe.pop("data"), out=run, data_dir=data_dir, score_every=0, **recipe)
    facts = publishing.publish(run, published, data_dir=data_dir)
    add(name, published, facts)


def add(name, published, facts):
    """Put a published folder into the catalogue."""
    file = f"{name}.safetensors"
    catalogue.FOLDER.mkdir(exist_ok=True)
    shutil.copyfile(published / weights.TENSORS, catalogue.FOLDER / file)
    path = catalogue.FOLDER / file
    found = {"file": file, "size": path.stat().st_size, "sha256": downloads.hash_of(path)}
    fields = {field.name for field in dataclasses.fields(catalogue.Row)}
    row = catalogue.Row(**found, **{k: v for k, v in facts.items() if k in fields})
    entries = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    entries[name] = {k: v for k, v in dataclasses.asdict(row).items() if v is not None}
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    callbacks.write_atomically(catalogue.FILE, text + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "names", nargs="+", choices=RECIPES, metavar="NAME.TAG", help=", ".join(RECIPES)
    )
    parser.add_argument("--runs", type=pathlib.Path, default="runs")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    for name in args.names:
        make(name, args.runs, args.data_dir)


if __name__ == "__main__":
    main()
