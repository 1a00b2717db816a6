"""Draws the charts of the speed of training and of the models' scores, from the results.

    python benchmarks/tools/figures.py

It also holds what draws the images of a run for its model's page: its training and its samples.
"""

import pathlib
import shutil
import sys

import matplotlib
import speeds
from matplotlib.figure import Figure
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

from measure import results

import ganzoo
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import report

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "images"
CHART = DOCS / "speed.svg"
MODELS = DOCS / "models.svg"
COLOURS = dict(zip(speeds.COLUMNS, ("#08519c", "#6baed6", "#d95f0e", "#fdae6b")))
"""Of ganzoo's bars and of PyTorch's."""
FOLDER = DOCS / "weights"
MOST_BYTES = 400_000
"""Larger images get a palette: they are in the repository."""
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
    for path in out.glob("*.png"):
        if path.stat().st_size > MOST_BYTES:
            Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
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
    log = json_lines.read(run / "metrics.jsonl")
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


def chart(rows):
    """Images per second relative to the plain Keras loop, as a matplotlib figure: a panel for each
    kind of processor, a group of bars for each model and size."""
    panels = speeds.by_processor(rows)
    heights = [len(cases) + 0.5 for cases in panels.values()]
    figure = Figure(figsize=(8, sum(heights) + 0.9), layout="constrained")
    axes = figure.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0]
    height = 0.85 / len(COLOURS)
    for axis, ((processor, backend), cases) in zip(axes, panels.items()):
        for i, (column, colour) in enumerate(COLOURS.items()):
            bars = {
                y + (i - (len(COLOURS) - 1) / 2) * height: float(columns[column]["times_as_fast"])
                for y, columns in enumerate(cases.values())
                if column in columns
            }
            drawn = axis.barh([*bars], [*bars.values()], height, color=colour, label=column)
            axis.bar_label(drawn, fmt="%.2f×", padding=3, fontsize="small")
        axis.axvline(1, color="black", linewidth=1)
        axis.set_yticks(range(len(cases)), map(speeds.named, cases))
        axis.invert_yaxis()
        axis.margins(x=0.08)
        axis.set_ylabel("model, images, batch")
        axis.set_title(f"{speeds.BACKENDS[backend]}, {processor}")
    axes[-1].set_xlabel(f"times as fast as the {speeds.PLAIN} in float32")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize="small")
    return figure


def models(rows, data="fashion_mnist"):
    """The scores of `benchmarks/zoo.py` on one data set, as a matplotlib figure: Fréchet distances
    as bars, the best above, and precision and recall as dots."""
    rows = [row for row in rows if row["data"] == data and row["frechet"] not in ("", "nan")]
    rows.sort(key=lambda row: float(row["frechet"]))
    number = lambda row, key: float(row[key])
    names = [speeds.PLAIN if row["what"] == "plain" else row["what"] for row in rows]
    labels = [n + " *" * (row["class_agreement"] != "nan") for n, row in zip(names, rows)]
    figure = Figure(figsize=(8, 0.24 * len(rows) + 1), layout="constrained")
    bars, dots = figure.subplots(1, 2, sharey=True)
    colours = ["#08519c" if row["what"] != "plain" else "#888888" for row in rows]
    drawn = bars.barh(labels, [number(row, "frechet") for row in rows], 0.7, color=colours)
    bars.bar_label(drawn, fmt="%.0f", padding=3, fontsize="small")
    bars.invert_yaxis()
    bars.margins(x=0.1, y=0.02)
    bars.set_xlabel("Fréchet distance (lower is better)")
    for key, colour in (("precision", "#6baed6"), ("recall", "#d95f0e")):
        dots.plot([number(row, key) for row in rows], labels, "o", color=colour, label=key)
    dots.set_xlim(0, 1)
    dots.grid(axis="x", alpha=0.3)
    dots.set_xlabel("higher is better; * trained with labels")
    figure.legend(loc="outside upper right", ncols=2, fontsize="small")
    return figure


def main():
    # On white, so that it can be read on a dark page too; text stays text.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ganzoo"}):
        chart(results("train")).savefig(CHART, metadata={"Date": None})
        models(results("zoo")).savefig(MODELS, metadata={"Date": None})


if __name__ == "__main__":
    main()
