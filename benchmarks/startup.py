"""How long commands take to start.

    python benchmarks/startup.py

Each command runs in a process of its own, several times in turn. "First step" is one step on one
batch, from the start of the process until the log has its epoch. Results go to
`benchmarks/results/startup.csv`.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import numpy as np

from ganzoo.zoo import catalogue

GANZOO = str(pathlib.Path(sys.executable).with_name("ganzoo"))
MAKE = "import ganzoo; ganzoo.get('dcgan', image_shape=(28, 28, 1))"


def until(command, path=None):
    """Seconds until a command ends, or until a file exists."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    seconds = None
    while process.poll() is None:
        if seconds is None and path is not None and path.exists():
            seconds = time.perf_counter() - start
        time.sleep(0.002)
    seconds = seconds or time.perf_counter() - start
    message = process.stderr.read()
    if process.returncode:
        raise RuntimeError(f"{command} failed: {message}")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        images = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), "uint8")
        np.save(folder / "images.npy", images)
        train = [GANZOO, "train", "dcgan", "--data", str(folder / "images.npy"), "--epochs", "1"]
        train += ["--score-every", "0"]
        trained = folder / "trained"
        until([*train, "-o", str(trained)])
        runs = {
            "ganzoo --help": lambda i: until([GANZOO, "--help"]),
            "ganzoo list": lambda i: until([GANZOO, "list"]),
            "import tensorflow": lambda i: until([sys.executable, "-c", "import tensorflow"]),
            "import keras": lambda i: until([sys.executable, "-c", "import keras"]),
            "ganzoo train dcgan: first step": lambda i: until(
                [*train, "-o", str(folder / f"run-{i}")], folder / f"run-{i}" / "metrics.jsonl"
            ),
            "ganzoo sample: 64 images": lambda i: until(
                [GANZOO, "sample", str(trained), "-o", str(folder / "grid.png")]
            ),
            "import ganzoo, make dcgan": lambda i: until([sys.executable, "-c", MAKE]),
        }
        if "dcgan.fashion_mnist" in catalogue.rows():
            runs["ganzoo sample dcgan.fashion_mnist: 64 images"] = lambda i: until(
                [GANZOO, "sample", "dcgan.fashion_mnist", "-o", str(folder / "grid.png")]
            )
        times = {what: [] for what in runs}
        for i in range(args.rounds):
            for what, run in runs.items():
                times[what].append(run(i))
    rows = [
        {
            "what": what,
            "seconds": statistics.median(seconds),
            "least": min(seconds),
            "most": max(seconds),
            "rounds": args.rounds,
            **measure.machine(),
        }
        for what, seconds in times.items()
    ]
    measure.show([{k: row[k] for k in list(row)[:4]} for row in rows])
    measure.save("startup", rows)


if __name__ == "__main__":
    main()
