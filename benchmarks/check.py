"""Checks that ganzoo is still as fast as the committed results say, by measuring ratios again.

    python benchmarks/check.py

`train.py` and `sample.py` run again into a folder of their own. A ratio against a peer of the same
run is the same on a slower machine of the same kind: a CPU with a unit for bfloat16, a CPU without,
or a GPU of the same name. It fails if it is below the committed one by more than a tenth and by
more than three errors of the two medians, or if there is none any more. Exits with 1 then, and if
there is nothing to compare with: other kinds of processor and other backends have other ratios, so
commit your own results first.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import measure

HERE = pathlib.Path(__file__).parent
KEY = ("model", "size", "batch", "precision", "what", "processor", "backend")
OURS = ("ganzoo", "generate")
RUNS = (
    ("train.py", "dcgan", "28"),
    ("train.py", "vanilla", "28"),
    ("train.py", "r3gan", "28"),
    ("train.py", "pix2pix", "64"),
    ("sample.py", "dcgan"),
)


def slower(old, new):
    """Rows of `new` whose ratio falls short of that in `old`.

    Args:
        old, new: rows of a result, dicts of strings.

    Returns:
        `(compared, short)`: the number of ganzoo's rows in both, and a list of dicts with both
        ratios.
    """
    key = lambda row: tuple(row.get(k) for k in KEY)
    before = {key(row): row for row in old if row["times_as_fast"]}
    compared, short = 0, []
    for row in new:
        if key(row) not in before or not row["what"].startswith(OURS):
            continue
        compared += 1
        pair = (before[key(row)], row)
        was, now = (float(x["times_as_fast"] or "nan") for x in pair)
        # For normal errors, half the distance between the quartiles is 0.67 sigma, and a median
        # errs by 1.25 sigma / root n.
        spreads = (float(x["ratio_spread"] or 0) / float(x["rounds"]) ** 0.5 for x in pair)
        errors = (1.86 * spread for spread in spreads)
        if not now >= was - max(0.1 * was, 3 * math.hypot(*errors)):
            short.append({**{k: row.get(k) for k in KEY}, "was": was, "is": now})
    return compared, short


def yardstick(rows, processor, backend):
    """The machines and versions of the rows of this kind of processor, as text; empty if there are
    none."""
    own = [row for row in rows if (row["processor"], row["backend"]) == (processor, backend)]
    return "; ".join(dict.fromkeys(f"{row['machine']} ({row['versions']})" for row in own))


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    own = measure.machine()
    kind = f"{own['processor']}, {own['backend']}"
    committed = {name: measure.results(name) for name in ("train", "sample")}
    for name, rows in committed.items():
        found = yardstick(rows, own["processor"], own["backend"])
        print(f"{name}.csv for {kind}: {found or 'no rows'}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for script, *arguments in RUNS:
            subprocess.run(
                [sys.executable, str(HERE / script), *arguments],
                env={**os.environ, "GANZOO_BENCHMARK_RESULTS": folder},
                check=True,
            )
        compared, short = 0, []
        for name, old in committed.items():
            count, rows = slower(old, measure.results(name, pathlib.Path(folder)))
            compared, short = compared + count, short + rows
    if not compared:
        sys.exit(f"The committed results have no rows to compare with for {kind}.")
    if short:
        measure.show(short)
        sys.exit(f"{len(short)} of {compared} ratios fell short.")
    print(f"{compared} ratios compared, none fell short.")


if __name__ == "__main__":
    main()
