"""Whether ganzoo is still as fast as the committed results say: ratios measured anew, compared.

    python benchmarks/check.py

`train.py` and `sample.py` run again into a folder of their own. A ratio against a peer of the same
run says the same on a slower machine; it fails where it lies further below the committed one than
a tenth and three times the spreads of both. Exits with 1 then. Other processors have other ratios:
commit results of your own first.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import measure
import tables

HERE = pathlib.Path(__file__).parent
OURS = ("ganzoo", "generate")
RUNS = (("train.py", "dcgan", "28"), ("train.py", "vanilla", "28"), ("sample.py", "dcgan"))


def slower(old, new):
    """Rows of `new`, with the ratio they had, whose ratio fell short of that in `old`.

    Args:
        old, new: rows of a result, dicts of strings, with `times_as_fast` and `ratio_spread`.

    Returns:
        `(compared, short)`: how many rows of ganzoo's are in both, and a list of dicts.
    """
    key = lambda row: tuple(row.get(k) for k in ("model", "size", "batch", "precision", "what"))
    before = {key(row): row for row in old}
    compared, short = 0, []
    for row in new:
        if key(row) not in before or not row["what"].startswith(OURS):
            continue
        compared += 1
        was, now = (
            {k: float(x[k]) for k in ("times_as_fast", "ratio_spread")}
            for x in (before[key(row)], row)
        )
        noise = 3 * math.hypot(was["ratio_spread"], now["ratio_spread"])
        least = 0.9 * was["times_as_fast"] - noise
        if not now["times_as_fast"] >= least:
            names = {k: row.get(k) for k in ("model", "size", "what")}
            short.append({**names, "was": was["times_as_fast"], "is": now["times_as_fast"]})
    return compared, short


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for script, *arguments in RUNS:
            subprocess.run(
                [sys.executable, str(HERE / script), *arguments],
                env={**os.environ, "GANZOO_BENCHMARK_RESULTS": folder},
                check=True,
            )
        compared, short = 0, []
        for name in ("train", "sample"):
            count, found = slower(tables.results(name), tables.results(name, pathlib.Path(folder)))
            compared, short = compared + count, short + found
    if short:
        measure.show(short)
        sys.exit(f"{len(short)} of {compared} ratios fell short.")
    print(f"{compared} ratios compared, none fell short.")


if __name__ == "__main__":
    main()
