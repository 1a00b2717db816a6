"""Writes `docs/models`: a page for each entry of the zoo, and the table of all of them.

    python benchmarks/pages.py

What a page says of a model comes from its docstring, what it was measured at from
`benchmarks/results/zoo.csv`, remarks from `recipes.py`.
"""

import csv
import inspect
import json
import math
import pathlib
import re

import recipes

from ganzoo import zoo

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "models"
SECTIONS = ("Args", "Example", "Departures from the paper", "References")
COLUMNS = {
    "Fréchet": ("frechet", "{:.1f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
    "density": ("density", "{:.2f}"),
    "coverage": ("coverage", "{:.2f}"),
    "rarest class": ("rarest_class_share", "{:.1%}"),
    "label as asked": ("class_agreement", "{:.1%}"),
    "CPU minutes": ("cpu_minutes", "{:.1f}"),
    "steps": ("steps", "{:.0f}"),
    "real pictures seen": ("pictures", "{:,.0f}"),
}


def rows():
    """The measured rows, `{(what, data): row}`."""
    path = ROOT / "benchmarks" / "results" / "zoo.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["what"], row["data"]): row for row in csv.DictReader(file)}


def table(found, link=lambda name: f"`{name}`"):
    """Measured rows as a Markdown table."""
    lines = [f"| entry | {' | '.join(COLUMNS)} |", "|" + "---|" * (len(COLUMNS) + 1)]
    for row in found:
        cells = [_cell(row[key], form) for key, form in COLUMNS.values()]
        what = "plain Keras loop" if row["what"] == "plain" else link(row["what"])
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(text, form):
    return "" if text == "" or math.isnan(float(text)) else form.format(float(text))


def made(found):
    """How rows of one data set were made."""
    row = found[0]
    return (
        f"{int(row['samples']):,} samples against the test pictures of {row['data']}, features of "
        f"`{row['extractor']}`; as many training pictures in place of the samples have a Fréchet "
        f"distance of {float(row['frechet_floor']):.2f}.\nOn {row['machine']} ({row['versions']})."
    )


def sections(doc):
    """`{section: text}` of a docstring; what stands before the first one is ``""``."""
    parts = re.split(rf"^({'|'.join(SECTIONS)}):\n", doc, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], map(inspect.cleandoc, parts[2::2])))
    return {"": parts[0].strip(), **found}


def page(name, measured):
    """The page of a model."""
    described = zoo.describe(name)
    told = sections(described["doc"])
    lines = [f"# `{name}`", "", told[""], "", f"Code: [`ganzoo/models/{name}.py`]"]
    lines[-1] += f"(../../ganzoo/models/{name}.py). All models: [the table](README.md)."
    for (what, data), row in measured.items():
        if what != name:
            continue
        beside = [measured[key] for key in (("dcgan", data), ("plain", data)) if key in measured]
        lines += ["", f"## On {data}", "", f"![samples](../images/models/{name}-{data}.png)", ""]
        lines += [table([row, *(r for r in beside if r is not row)]), "", made([row])]
        command = f"python benchmarks/zoo.py {name} --minutes {float(row['cpu_minutes']):.0f}"
        command += "" if data == "fashion_mnist" else f" --data {data}"
        lines.append(f"Made by `{command}`, which trains as")
        arguments = ", ".join(f"{k}={v!r}" for k, v in json.loads(row["arguments"]).items())
        call = f"ganzoo.get({name!r}{', ' if arguments else ''}{arguments})"
        lines.append(f"`{call}`, batches of {row['batch']}.")
    if name in recipes.REMARKS:
        lines += ["", recipes.REMARKS[name]]
    arguments = re.sub(r"^(\*{0,2}\w[\w, ]*):", r"* `\1`:", told["Args"], flags=re.MULTILINE)
    lines += ["", "## Arguments", "", arguments]
    lines += ["", "```text", told["Example"], "```"]
    lines += ["", "## Departures from the paper", "", told["Departures from the paper"]]
    lines += ["", "## References", "", told["References"], ""]
    return "\n".join(lines)


def overview(measured):
    """The page of all models."""
    link = lambda name: f"[`{name}`]({name}.md)"
    lines = ["# The models", "", "| model | what it is |", "|---|---|"]
    for name in zoo.own_models():
        lines.append(f"| {link(name)} | {zoo.describe(name)['summary'].partition(': ')[2]} |")
    for data in dict.fromkeys(data for _, data in measured):
        found = [row for (_, d), row in measured.items() if d == data]
        found.sort(key=lambda row: float(row["frechet"]))
        minutes = sorted(round(float(row["cpu_minutes"])) for row in found)
        lines += ["", f"## {data}, after {minutes[0]} CPU minutes each", ""]
        lines += [table(found, link), "", made(found)]
        lines += ["Settings and samples of each are on its page; `plain Keras loop`: the textbook"]
        lines += [
            "loop around DCGAN's networks in `benchmarks/peers.py`, with the paper's settings."
        ]
        lines += ["Made by `python benchmarks/zoo.py`."]
    return "\n".join([*lines, ""])


def pages():
    """`{path: text}` of all pages."""
    measured = rows()
    found = {FOLDER / f"{name}.md": page(name, measured) for name in zoo.own_models()}
    return {FOLDER / "README.md": overview(measured), **found}


def main():
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
