"""Writes the README's measured tables from `benchmarks/results/*.csv`.

python benchmarks/tables.py
"""

import csv
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
MARK = re.compile(r"(<!-- quality table: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def quality():
    """The table of `benchmarks/quality.py`."""
    with (ROOT / "benchmarks" / "results" / "quality.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| what | data, epochs | seeds | Fréchet distance | floor | precision | recall "
        "| rarest class | label as asked |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for what in dict.fromkeys((row["what"], row["data"], row["epochs"]) for row in rows):
        group = [row for row in rows if (row["what"], row["data"], row["epochs"]) == what]
        cells = [
            what[0],
            f"{what[1]}, {what[2]}",
            ", ".join(row["seed"] for row in group),
            _mean(group, "frechet", "{:.1f}"),
            _mean(group, "frechet_floor", "{:.2f}"),
            _mean(group, "precision", "{:.2f}"),
            _mean(group, "recall", "{:.2f}"),
            _mean(group, "rarest_class_share", "{:.1%}"),
            _mean(group, "class_agreement", "{:.1%}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    extractors = sorted({f"`{row['extractor']}`" for row in rows})
    return (
        "\n".join(lines)
        + f"\n\nMeans over the seeds, in brackets the range. {int(rows[0]['samples']):,} samples "
        "against the 10,000 test pictures, in the features of\n"
        f"{' and '.join(extractors)}; floor: as many training pictures in place of the samples. "
        "Numbers\ncompare within one data set only. Made by `python benchmarks/quality.py dcgan "
        "--seeds 0 1` and `… cgan`.\n"
    )


def _mean(rows, key, form):
    """Mean of a column, and its range where the values differ as printed."""
    if not rows[0][key]:
        return ""
    values = sorted(float(row[key]) for row in rows)
    low, high = form.format(values[0]), form.format(values[-1])
    mean = form.format(sum(values) / len(values))
    return mean if low == high else f"{mean} ({low} … {high})"


def main():
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(MARK.sub(lambda m: m[1] + "\n" + quality() + "\n" + m[2], text), "utf-8")


if __name__ == "__main__":
    main()
