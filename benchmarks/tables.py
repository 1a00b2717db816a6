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
        "| what | data, epochs | Fréchet distance | floor | precision | recall | rarest class "
        "| label as asked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['what']} | {row['data']}, {row['epochs']} | {float(row['frechet']):.2f} "
        f"| {float(row['frechet_floor']):.2f} | {float(row['precision']):.2f} "
        f"| {float(row['recall']):.2f} | {percent(row['rarest_class_share'])} "
        f"| {percent(row['class_agreement'])} |"
        for row in rows
    ]
    seeds = sorted({row["seed"] for row in rows})
    extractors = sorted({f"`{row['extractor']}`" for row in rows})
    return (
        "\n".join(lines)
        + f"\n\n{int(rows[0]['samples']):,} samples against the 10,000 test pictures, in the "
        f"features of {' and '.join(extractors)}; floor: as "
        "many training\npictures in place of the samples. Numbers compare within one data set "
        f"only. Seed {', '.join(seeds)}. Made by `python benchmarks/quality.py dcgan`\nand "
        "`… cgan`.\n"
    )


def main():
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(MARK.sub(lambda m: m[1] + "\n" + quality() + "\n" + m[2], text), "utf-8")


if __name__ == "__main__":
    main()
