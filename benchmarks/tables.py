"""Writes the README's measured tables from `benchmarks/results/*.csv`.

python benchmarks/tables.py
"""

import csv
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
MARK = re.compile(r"(<!-- (\w+) table: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def results(name):
    """The rows of `results/NAME.csv`."""
    path = ROOT / "benchmarks" / "results" / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def quality():
    """The table of `benchmarks/quality.py`."""
    rows = results("quality")
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


def training():
    """The table of `benchmarks/train.py`."""
    rows = results("train")
    lines = [
        "| what | model, pictures | pictures per second | times as fast | as | share of limit |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        share = f"{float(row['share_of_peak']):.0%}" if row["share_of_peak"] else ""
        ratio = f"{float(row['times_as_fast']):.2f} ± {float(row['ratio_spread']):.2f}"
        itself = row["what"] == row["against"]
        cells = [
            row["what"],
            f"{row['model']}, {row['size']}×{row['size']}",
            f"{float(row['pictures_per_second']):,.0f}",
            "" if itself else ratio,
            "" if itself else row["against"],
            share,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    made = " and ".join(sorted({f"{row['machine']} ({row['versions']})" for row in rows}))
    return (
        "\n".join(lines)
        + f"\n\nBatches of {rows[0]['batch']}, {rows[0]['precision']}, on {made}.\n"
        "All took turns in each round; ratios are medians over the rounds with half the distance "
        "of the quartiles. Limit: a\nmatrix product of 2,048, in the same run. Made by `python "
        "benchmarks/train.py`.\n"
    )


def main():
    page = ROOT / "README.md"
    tables = {"quality": quality, "training": training}
    fill = lambda match: f"{match[1]}\n{tables[match[2]]()}\n{match[3]}"
    page.write_text(MARK.sub(fill, page.read_text(encoding="utf-8")), "utf-8")


if __name__ == "__main__":
    main()
