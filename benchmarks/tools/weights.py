"""Makes the trained weights that come with ganzoo, each from its recipe.

    python benchmarks/tools/weights.py NAME.TAG … --runs FOLDER [--data-dir FOLDER]
    python benchmarks/tools/weights.py NAME.TAG … --scores --data-dir FOLDER  # of translators

Trains as `ganzoo train` does, and resumes where it stopped; publishes the run as `ganzoo publish`
does; puts the file into `ganzoo/zoo/trained` and its automatically written row into
`ganzoo/zoo/weights.json`; and draws the images of its page. `--scores` only scores the translators
in the package again. `--help` lists the recipes.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import domains
import figures
import recipes
import speech
import zoo

import ganzoo
from ganzoo import evaluation
from ganzoo import extractors
from ganzoo import runs
from ganzoo.files import atomic
from ganzoo.files import downloads
from ganzoo.runs import publishing
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights

COLOUR = {"data": "noto-emoji-72.zip", "image_size": 64, "batch_size": 32}

FINE_R3GAN = {**recipes.LIGHT_R3GAN, "channels": (256,), "gamma": 5.0}
"""As `ganzoo.runs.recipes` chooses for colour at 64×64 pixels, and an hour."""

RECIPES = {
    "vanilla.mnist": {
        "epochs": 100,
        "arguments": {"generator_units": (176, 352), "discriminator_units": (120, 120)},
    },
    "dcgan.mnist": {"epochs": 15, **recipes.QUICK},
    "dcgan.fashion_mnist": {"epochs": 20, **recipes.QUICK},
    "cgan.mnist": {"epochs": 15, **recipes.QUICK},
    "cgan.fashion_mnist": {"epochs": 15, **recipes.QUICK},
    "acgan.mnist": {
        "epochs": 12,
        "batch_size": 32,
        "arguments": {"learning_rate": 8e-4, "latent_dim": 48},
    },
    "wgan_gp.fashion_mnist": {"epochs": 15, "batch_size": 32},
    "sngan.fashion_mnist": {
        "epochs": 12,
        "batch_size": 32,
        "arguments": recipes.NARROW_SNGAN,
    },
    "infogan.mnist": {
        "epochs": 15,
        "batch_size": 32,
        "arguments": {"channels": 32, "dense_units": (128,), "categories": (20,)},
    },
    "r3gan.mnist": {
        "epochs": 8,
        "batch_size": 32,
        "arguments": {**recipes.LIGHT_R3GAN, "num_classes": 10},
    },
    "r3gan.fashion_mnist": {
        "epochs": 15,
        "batch_size": 32,
        "arguments": {**recipes.LIGHT_R3GAN, "num_classes": 10},
    },
    "vae.fashion_mnist": {"epochs": 15, **recipes.QUICK},
    "r3gan.emoji": {
        "epochs": 100,
        **COLOUR,
        "arguments": {**recipes.LIGHT_R3GAN, "channels": (192,), "augment": "diffaugment"},
    },
    "r3gan.pixelart": {
        "epochs": 120,
        "data": "avatars-pixelart.zip",
        "batch_size": 32,
        "arguments": {**recipes.LIGHT_R3GAN, "channels": (192,), "schedule_images": 290_000},
    },
    "r3gan.portraits": {
        "epochs": 150,
        "data": "avatars-toonhead.zip",
        "image_size": 64,
        "batch_size": 32,
        "arguments": {**FINE_R3GAN, "schedule_images": 600_000},
    },
    "cyclegan.apples_oranges": {"epochs": 60, "batch_size": 4, "arguments": {"channels": 12}},
    "cyclegan.ink_colour": {
        "epochs": 120,
        "batch_size": 4,
        "arguments": {
            "channels": 20,
            "blocks": 4,
            "patch_layers": 2,
            "identity_weight": 0.0,
            "learning_rate": 4e-4,
            "ema_images": 10_000,
        },
    },
    "pix2pix.openmoji": {
        "epochs": 32,
        "batch_size": 8,
        "arguments": recipes.OPENMOJI,
    },
    "wavegan.digits": {
        "epochs": 120,
        "batch_size": 32,
        "sample_rate": 8000,
        "length": 6144,
        "arguments": recipes.SPOKEN,
    },
}
"""Arguments of `ganzoo.runs.train`; the tag is the data, unless given. The networks are narrow
where that costs least: all files together must stay below 40 MB."""

LICENCES = {
    "portraits": "CC BY 4.0 (ToonHead by Johan Melin)",
    "pixelart": "CC0 1.0 (Pixel Art of DiceBear)",
    "openmoji": "CC BY-SA 4.0 (All emojis designed by OpenMoji)",
    "digits": "CC BY-SA 4.0 (Free Spoken Digit Dataset, Jakobovski and contributors)",
    "emoji": "OFL 1.1 / Apache 2.0 (Noto Emoji, Google)",
    "apples_oranges": "MIT (Grocery Store Dataset, Marcus Klasson)",
}
"""Licences of data that ganzoo does not know by name."""


def make(name, folder, data_dir):
    """Train, publish and list one set of weights."""
    model, _, tag = name.partition(".")
    recipe = {"data": tag, **RECIPES[name]}
    if tag in domains.ARCHIVES:
        folder.mkdir(parents=True, exist_ok=True)
        recipe["data"], recipe["to"] = domains.write(tag, data_dir, folder / tag)
    elif name == "wavegan.digits":
        recipe["data"] = speech.write(data_dir, folder / speech.NAME)
    elif recipe["data"] != tag:
        recipe["data"] = pathlib.Path(data_dir) / recipe["data"]
    run, published = folder / name, folder / f"{name}-published"
    has_extractor = tag in extractors.shipped()
    every = recipe["epochs"] // 5 if has_extractor else 0  # for the curve, if scores are quick
    runs.train(model, recipe.pop("data"), out=run, data_dir=data_dir, score_every=every, **recipe)
    facts = publishing.publish(
        run,
        published,
        data_dir=data_dir,
        licence=LICENCES.get(tag),
    )
    if tag in domains.ARCHIVES:
        facts |= translation(ganzoo.get(model, weights=published), published, tag, data_dir)
        prepare = f"python benchmarks/domains.py {tag} --data-dir FOLDER"
        facts["command"] = f"{prepare} && {facts['command']}"
        publishing.describe(facts, published)
    if name == "wavegan.digits":
        facts["command"] = f"python benchmarks/speech.py --data-dir FOLDER && {facts['command']}"
        publishing.describe(facts, published)
    add(name, published, facts)
    figures.draw(name, run, published, ganzoo.get(model, weights=tag))


def translation(network, published, tag, data_dir):
    """Scores of a translator on held-out images, with their passport."""
    row, images = zoo.translations(network, *domains.DATA[tag](data_dir))
    ganzoo.images.save_grid(images, published / "grid.png", 12)
    scores = {
        score: evaluation.Score(
            row[key],
            floor=row.get(f"{key}_floor"),
            baseline=row[f"{key}_before"],
            better="lower",
        )
        for key, score in SCORES.items()
        if key in row
    }
    passport = {
        "samples": row["samples"],
        "extractor": zoo.EXTRACTOR,
        "data": {"source": tag, "split": "held out"},
        "floor": f"{row['samples']} training images in place of the translations",
        "baseline": "the images without translation",
    }
    return publishing.keep_scores(evaluation.ScoreSheet(scores, passport), published)


SCORES = {
    **{
        f"{kind}{way}": f"{kind}{way}[{zoo.EXTRACTOR}]"
        for kind in ("frechet", "kernel")
        for way in ("", "_back")
    },
    "error": "error",
}
"""Columns of `zoo.translations` and the names of the scores: `_back` is the reverse direction."""


def add(name, published, facts):
    """Put a published folder into the catalogue."""
    file = f"{name}.safetensors"
    catalogue.FOLDER.mkdir(exist_ok=True)
    path = catalogue.FOLDER / file
    with atomic.replacing(path) as partial:
        shutil.copyfile(published / weights.TENSORS, partial)
    about = {"file": file, "size": path.stat().st_size, "sha256": downloads.hash_of(path)}
    fields = {field.name for field in dataclasses.fields(catalogue.Row)}
    row = catalogue.Row(**about, **{k: v for k, v in facts.items() if k in fields})
    enter(name, {k: v for k, v in dataclasses.asdict(row).items() if v is not None})


def score(name, data_dir):
    """Score a translator of the catalogue again."""
    model, _, tag = name.partition(".")
    with tempfile.TemporaryDirectory() as place:
        network = ganzoo.get(model, weights=tag)
        facts = translation(network, pathlib.Path(place), tag, data_dir)
    entries = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    enter(name, {**entries[name], **facts})


def enter(name, entry):
    """Write an entry of the catalogue."""
    entries = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    entries[name] = entry
    text = json.dumps(dict(sorted(entries.items())), indent=1, ensure_ascii=False)
    atomic.write_atomically(catalogue.FILE, text + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "names", nargs="+", choices=RECIPES, metavar="NAME.TAG", help=", ".join(RECIPES)
    )
    parser.add_argument("--runs", type=pathlib.Path, default="runs")
    parser.add_argument("--data-dir")
    parser.add_argument("--scores", action="store_true", help="only score translators again")
    args = parser.parse_args()
    for name in args.names:
        tag = name.partition(".")[2]
        archive = tag in domains.ARCHIVES or RECIPES[name].get("data", tag) != tag
        if archive and not (args.data_dir and pathlib.Path(args.data_dir).is_dir()):
            parser.error(f"{name} needs archives that are not downloaded: --data-dir FOLDER")
        if args.scores and tag not in domains.ARCHIVES:
            parser.error(f"--scores is for translators: {name} is scored by `ganzoo evaluate`")
    for name in args.names:
        if args.scores:
            score(name, args.data_dir)
        else:
            make(name, args.runs, args.data_dir)


if __name__ == "__main__":
    main()
