"""Draws the images of a run for its model's page: its training and its samples."""

import pathlib
import shutil

from matplotlib.figure import Figure
from PIL import Image

import ganzoo
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import report

FOLDER = pathlib.Path(__file__).parents[2] / "docs" / "images" / "weights"
ROWS = 8
"""Number of rows in a run's grids of 64 images."""


def draw(name, run, published, network):
    """Write all images of one set of weights to `FOLDER/NAME/`, replacing older ones.

    Args:
        name: `model.tag`.
        run: the folder of `ganzoo train`.
        published: the folder of `ganzoo publish`, with a grid and, if it was scored, the nearest
            images.
        network: the model with its weights.
    """
    out = FOLDER / f".{name}.partial"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for file in ("grid.png", "nearest.png"):
        if (published / file).exists():
            shutil.copyfile(published / file, out / file)
    training(run).save(out / "training.png", optimize=True)
    curves(run, out / "curves.png")
    if hasattr(network, "generate"):
        ganzoo.latent.interpolate(network, rows=5, steps=10).strip.save(out / "interpolation.png")
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    out.rename(FOLDER / name)


def training(run):
    """The first row of the grids of some epochs, one below the other."""
    grids = RunFolder(run).samples.by_epoch()
    rows = []
    for epoch in report.some(sorted(grids)):
        with Image.open(grids[epoch]) as grid:
            rows.append(grid.convert("RGB").crop((0, 0, grid.width, grid.height // ROWS)))
    strip = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    for i, row in enumerate(rows):
        strip.paste(row, (0, i * row.height))
    return strip


def curves(run, path):
    """Plot each player's loss by epoch and, if the run was scored, its Fréchet distance."""
    log = report.lines(run / "metrics.jsonl")
    keys = {k for row in log for k in row}
    losses = sorted(k for k in keys if k.endswith("loss") and not k.startswith("val_"))
    scores = sorted(k for k in keys if k.startswith("frechet"))
    parts = [("loss", losses), ("Fréchet distance", scores)][: 1 + bool(scores)]
    figure = Figure(figsize=(4 * len(parts), 3), layout="constrained")
    axes = figure.subplots(1, len(parts), squeeze=False)
    for axis, (what, keys) in zip(axes[0], parts):
        report.curve(axis, log, keys)
        axis.set_ylabel(what)
    figure.savefig(path, dpi=100, metadata={"Software": None})
