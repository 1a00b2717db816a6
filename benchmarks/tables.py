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
    percent = lambda share: f"{100 * float(share):.1f} %" if share else ""
    lines = [
        "| what | Fréchet distance | rarest of ten classes | made what was asked |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['what']} | {float(row['frechet_to_test']):.2f} "
        f"| {percent(row['rarest_class_share'])} | {percent(row['asked_class_share'])} |"
        for row in rows
    ]
    accuracies = sorted({percent(row["classifier_test_accuracy"]) for row in rows})
    return (
        "\n".join(lines)
        + "\n\nFréchet distances between 10,000 samples and the 10,000 test pictures, in the "
        "features of a small classifier trained on the\ntraining split (test accuracy "
        f"{', '.join(accuracies)}); lower is better, and they mean something only beside each\n"
        "other within one data set. One run each, seed 0. Made by `python benchmarks/quality.py "
        "dcgan` and `… cgan`.\n"
    )


def main():
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(MARK.sub(lambda m: m[1] + "\n" + quality() + "\n" + m[2], text), "utf-8")


if __name__ == "__main__":
    main()
