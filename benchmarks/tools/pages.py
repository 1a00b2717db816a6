"""Writes `docs/models`: a page for each entry of the zoo, and a table of all of them.

    python benchmarks/tools/pages.py

A page's text comes from the model's docstring, its measurements from `benchmarks/results/zoo.csv`
and `labels.csv`, its trained weights from the catalogue, its remarks from `recipes.py`.
"""

import csv
import inspect
import json
import math
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import domains
import recipes

from ganzoo import zoo
from ganzoo.zoo import catalogue

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "models"
IMAGES = ROOT / "docs" / "images" / "weights"
SECTIONS = ("Args", "Example", "Departures from the paper", "References")
COLUMNS = {
    "Fréchet": ("frechet", "{:.1f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
    "density": ("density", "{:.2f}"),
    "coverage": ("coverage", "{:.2f}"),
    "modes": ("modes", "{:.0f}"),
    "rarest class": ("rarest_mode_share", "{:.1%}"),
    "label as requested": ("class_agreement", "{:.1%}"),
    "Fréchet, untranslated": ("frechet_before", "{:.1f}"),
    "Fréchet, back": ("frechet_back", "{:.1f}"),
    "back, untranslated": ("frechet_back_before", "{:.1f}"),
    "error": ("error", "{:.1f}"),
    "error, before": ("error_before", "{:.1f}"),
    "reconstruction error": ("reconstruction", "{:.1f}"),
    "CPU minutes": ("cpu_minutes", "{:.1f}"),
    "minutes by the clock": ("wall_minutes", "{:.1f}"),
    "steps": ("steps", "{:.0f}"),
    "real images seen": ("pictures", "{:,.0f}"),
}


def rows(name, *key):
    """The rows of `results/NAME.csv`, by their values of these keys."""
    path = ROOT / "benchmarks" / "results" / f"{name}.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {tuple(row[k] for k in key): row for row in csv.DictReader(file)}


def table(measured, link=lambda name: f"`{name}`"):
    """Measured rows as a Markdown table."""
    columns = {k: c for k, c in COLUMNS.items() if any(_cell(row[c[0]], c[1]) for row in measured)}
    lines = [f"| entry | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for row in measured:
        cells = [_cell(row[key], form) for key, form in columns.values()]
        what = "plain Keras loop" if row["what"] == "plain" else link(row["what"])
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(text, form):
    return "" if text == "" or math.isnan(float(text)) else form.format(float(text))


def made(measured):
    """A description of how the rows of one data set were made."""
    row = max(measured, key=lambda row: bool(_cell(row["frechet_floor"], "{}")))
    floor = f"have a Fréchet\ndistance of {float(row['frechet_floor']):.2f}."
    if _cell(row["frechet_before"], "{}"):
        text = (
            "Translated test images against the test images of the other domain: features of\n"
            f"`{row['extractor']}`, in which as many training images of that domain " + floor
        )
        if _cell(row["frechet_back"], "{}"):
            text += (
                "\nThe grid, in turn: an image, its translation, one of the other domain, and its "
                "translation back."
            )
        if _cell(row["error"], "{}"):
            text += (
                "\nTranslations have their partners among these, and may come nearer than that."
                "\nError: mean absolute difference from the partner, in grey levels. The grid, in "
                "turn: an image, its translation, its partner."
            )
    else:
        text = (
            f"{int(float(row['samples'])):,} samples against the test images of "
            f"{row['data'].partition('_edges')[0]}, features of\n`{row['extractor']}`; as many "
            f"training images in place of the samples {floor}"
        )
        if _cell(row["error"], "{}"):
            text += (
                "\nError: mean absolute difference of a pair's second image from the edge map "
                "of its first, in grey levels;\nbefore: from that of another pair's."
            )
        if any(_cell(row["reconstruction"], "{}") for row in measured):
            text += "\nReconstruction error: root mean square over test images, in grey levels."
    return f"{text}\nOn {row['machine']} ({row['versions']})."


def sections(doc):
    """`{section: text}` of a docstring; the text before the first section has the key ``""``."""
    parts = re.split(rf"^({'|'.join(SECTIONS)}):\n", doc, flags=re.MULTILINE)
    named = dict(zip(parts[1::2], map(inspect.cleandoc, parts[2::2])))
    return {"": parts[0].strip(), **named}


def page(name, measured):
    """The page of a model."""
    text = sections(zoo.describe(name)["doc"])
    code = f"ganzoo/models/{name}.py"
    if not (ROOT / code).exists():
        code = f"ganzoo/models/{name}/__init__.py"
    lines = [f"# `{name}`", "", text[""], ""]
    lines.append(f"Code: [`{code}`](../../{code}). All models: [the table](README.md).")
    for (what, data), row in measured.items():
        if what != name:
            continue
        peers = [measured[key] for key in (("dcgan", data), ("plain", data)) if key in measured]
        lines += ["", f"## On {data}", "", f"![samples](../images/models/{name}-{data}.png)", ""]
        shown = [row, *(r for r in peers if r is not row)]
        lines += [table(shown), "", made(shown)]
        usual, recipe = recipes.recipe(name), recipes.recipe(name, data)
        minutes = float(row["cpu_minutes"])
        command = f"python benchmarks/zoo.py {name}"
        command += "" if data == usual["data"] else f" --data {data}"
        command += " --data-dir FOLDER" if data in domains.ARCHIVES else ""
        command += "" if round(minutes) == recipe["minutes"] else f" --minutes {minutes:.0f}"
        lines.append(f"Made by `{command}`, which trains as")
        arguments = ", ".join(f"{k}={v!r}" for k, v in json.loads(row["arguments"]).items())
        call = f"ganzoo.get({name!r}{', ' if arguments else ''}{arguments})"
        lines.append(f"`{call}`, batches of {row['batch']}.")
    classified = [
        r for (what, *_), r in rows("labels", "what", "arguments", "seed").items() if what == name
    ]
    if classified:
        lines += ["", "## Classifying MNIST's digits"]
        lines += [line for row in classified for line in ("", *knowledge(row))]
    for weights, row in catalogue.rows().items():
        if row.model == name:
            lines += ["", *trained(weights, row)]
    if name in recipes.REMARKS:
        lines += ["", recipes.REMARKS[name]]
    arguments = re.sub(r"^(\*{0,2}\w[\w, ]*):", r"* `\1`:", text["Args"], flags=re.MULTILINE)
    lines += ["", "## Arguments", "", arguments]
    lines += ["", "```text", text["Example"], "```"]
    lines += ["", "## Departures from the paper", "", text["Departures from the paper"]]
    lines += ["", "## References", "", text["References"], ""]
    return "\n".join(lines)


def knowledge(row):
    """The lines of a page about a row of `labels.py`."""
    table, error = json.loads(row["table"]), f"{float(row['error']):.1%}"
    arguments = json.loads(row["arguments"])
    if row["labels"] == "0":
        lines = [
            f"Without labels, a code of {arguments['categories'][0]} categories, each named after "
            f"the most frequent digit among\nits training images, errs on {error} of the test "
            "images."
        ]
    else:
        result = f"`classify` errs on {error} of the test images."
        lines = [f"From {row['labels']} labels, ten of each digit, {result}"]
    lines += ["", f"| | {' | '.join(map(str, range(10)))} |", "|" + "---|" * 11]
    for digit, counts in enumerate(table):
        lines.append(f"| answer: {digit} | {' | '.join(map(str, counts))} |")
    arguments = ", ".join(f"{k}={v!r}" for k, v in arguments.items())
    lines += ["", f"{row['epochs']} epochs, {float(row['cpu_minutes']):.0f} CPU minutes, seed "]
    lines[-1] += f"{row['seed']}. On {row['machine']} ({row['versions']})."
    lines.append(f"Made by `python benchmarks/labels.py {row['what']}`, which trains as")
    lines.append(f"`ganzoo.get({row['what']!r}, {arguments})`, batches of {row['batch']}.")
    return lines


SHOWN = {
    "grid": "Samples.",
    "training": "From the same latents: from the untrained networks (above) to the last epoch.",
    "curves": "Losses and, if the run was scored, the Fréchet distance of 2,000 samples.",
    "interpolation": "From the latents on the left to those on the right.",
    "nearest": (
        "In turn: a sample, the nearest training image, and the nearest held-out image if there "
        "is one."
    ),
}
"""Captions of the images that `figures.py` makes."""

OF_TRANSLATORS = {
    True: "Held-out images, in turn: one, its translation, its partner.",
    False: (
        "Held-out images, in turn: one, its translation, one of the other domain, its translation "
        "back."
    ),
}
"""Captions of the grid of a translator, by whether it learns from pairs."""


def trained(name, row):
    """The lines of a page about a set of weights."""
    model, _, tag = name.partition(".")
    rows = catalogue.rows()
    compared = {name: row, **{k: rows[k] for k in (f"dcgan.{tag}",) if k in rows}}
    lines = [f"## The weights `{tag}`", ""]
    lines += ["```text", f'model = ganzoo.get("{model}", weights="{tag}")', "```", ""]
    if row.scores:
        ends = {"floor": "floor"}
        if "baseline" in row.passport:
            ends["baseline"] = row.passport["baseline"]
        lines += [f"| score | {' | '.join([f'`{k}`' for k in compared] + [*ends.values()])} |"]
        lines += ["|" + "---|" * (1 + len(compared) + len(ends))]
        for score, own in row.scores.items():
            values = [r.scores.get(score, {}).get("value") for r in compared.values()]
            values += [own.get(end) for end in ends]
            cells = ["" if v is None else catalogue.number(v) for v in values]
            lines.append(f"| {score} | {' | '.join(cells)} |")
        judged = "{samples:,} samples by `{extractor}`; floor: {floor}.".format(**row.passport)
        lines += ["", judged]
        for word, text in row.remarks.items():
            lines += ["", f"**{word.capitalize()}**: {text}"]
        lines += [""] if row.remarks else []
    lines += [
        f"{row.data['name']}, {row.data['licence']}; {row.preprocessing}. {row.epochs} epochs,",
        f"{catalogue.time_of(row.cpu_minutes, row.gpu_minutes)}, {row.device}; "
        f"{row.size / 1e6:.1f} MB. Made by",
        "",
        f"    {row.command}",
    ]
    kind = zoo.model_class(model)
    shown = dict(SHOWN)
    if hasattr(kind, "translate"):
        shown["grid"] = OF_TRANSLATORS[kind.paired]
        shown["training"] = shown["training"].replace("latents", "images")
    for image, caption in shown.items():
        if (IMAGES / name / f"{image}.png").exists():
            path = f"../images/weights/{name}/{image}.png"
            lines += ["", caption, "", f"![{image} of {name}]({path})"]
    return lines


def overview(measured):
    """The page of all models."""
    link = lambda name: f"[`{name}`]({name}.md)"
    lines = ["# The models", "", "| model | what it is |", "|---|---|"]
    for name in zoo.own_models():
        lines.append(f"| {link(name)} | {zoo.describe(name)['summary'].partition(': ')[2]} |")
    for data in dict.fromkeys(data for _, data in measured):
        group = [row for (_, d), row in measured.items() if d == data]
        group.sort(key=lambda row: float(row["frechet"] if _cell(row["frechet"], "{}") else "inf"))
        minutes = sorted(round(float(row["cpu_minutes"])) for row in group)
        span = f"{minutes[0]} CPU minutes each"
        if minutes[-1] != minutes[0]:
            span = f"{minutes[0]} to {minutes[-1]} CPU minutes"
        lines += ["", f"## {data}, after {span}", ""]
        lines += [table(group, link), "", made(group)]
        lines += [
            "Settings and samples of each are on its page. Made by `python benchmarks/zoo.py`."
        ]
        if any(row["what"] == "plain" for row in group):
            lines += [
                "Plain Keras loop: the textbook loop around DCGAN's networks in "
                "`benchmarks/peers.py`, with the paper's settings."
            ]
    return "\n".join([*lines, ""])


def pages():
    """`{path: text}` of all pages."""
    measured = rows("zoo", "what", "data")
    each = {FOLDER / f"{name}.md": page(name, measured) for name in zoo.own_models()}
    return {FOLDER / "README.md": overview(measured), **each}


def main():
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
