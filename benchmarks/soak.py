"""Whether memory, open files or threads grow: an hour of training, many short calls, large folders.

    python benchmarks/soak.py run --minutes 60
    python benchmarks/soak.py calls --cycles 200 [--clear]
    python benchmarks/soak.py folder --pictures 10000 100000

"run" is `ganzoo train` with everything that it does besides training: grids of samples, a
checkpoint every 15 seconds, an evaluation every few epochs. "calls" is a notebook that is used all
day: it makes, trains, saves, loads, scores and deletes a model, again and again. TensorFlow keeps
some 35 KB for each new name of a variable, and Keras gives every variable a new one; `--clear`
frees that by `keras.utils.clear_session` after each cycle. "folder" streams PNG files through
`fit`, ten times, in a process of its own for each number of files.

Growth is that of a straight line, fitted by least squares to the resident memory after the
beginning (a twelfth of the minutes, otherwise a quarter), from its first point to its last, in
percent of the first. Results go to `benchmarks/results/soak.csv`.
"""

import argparse
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import data
import keras
import measure
import numpy as np

import ganzoo
from ganzoo import runs

EVERY = 10.0
"""Seconds between two measurements of the process."""


def look():
    """The current megabytes of memory, open files and threads of the process."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "mb": int(fields["VmRSS"].split()[0]) / 1024,
        "files": len(os.listdir("/proc/self/fd")) - 1,  # one of them is the listing's
        "threads": int(fields["Threads"]),
    }


def together(looks):
    """Several measurements as one row: the median of memory, the least of files and threads."""
    least = {name: min(x[name] for x in looks) for name in ("files", "threads")}
    return {"mb": statistics.median(x["mb"] for x in looks), **least}


def growth(at, values):
    """The rise of a line through the values from its first point to its last, in percent."""
    slope, level = np.polyfit(at, values, 1)
    first, last = (slope * x + level for x in (at[0], at[-1]))
    return 100 * (last - first) / first


def say_growth(rows, beginning):
    """Print how memory grew after the beginning, and how files and threads changed."""
    rest = [row for row in rows if row["at"] > beginning]
    if len(rest) < 2:
        return
    percent = growth([row["at"] for row in rest], [row["mb"] for row in rest])
    print(f"Memory grew by {percent:.2f} % from {rest[0]['at']} to {rest[-1]['at']}.")
    for name in ("files", "threads"):
        print(f"{name}: {rest[0][name]} at first, {rest[-1][name]} at last.")


# An hour ----------------------------------------------------------------------------------------


def run(args):
    """A row for each minute of a training."""
    looks, rows, ended = [], [], threading.Event()
    start = time.monotonic()

    def watch():
        while not ended.wait(EVERY):
            looks.append(look())
            minutes = int((time.monotonic() - start) / 60)
            if minutes > len(rows):
                rows.append({"at": minutes, **together(looks)})
                looks.clear()
                print(rows[-1], flush=True)
            if minutes >= args.minutes:
                return os.kill(os.getpid(), signal.SIGINT)  # the run ends after its epoch

    # A program that starts in the background may ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    watching = threading.Thread(target=watch)
    watching.start()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        try:
            runs.train(
                args.model,
                args.data,
                data_dir=args.data_dir,
                out=out,
                epochs=1_000_000,
                score_every=args.score_every,
                verbose=0,
                say=lambda text: None,
            )
        except KeyboardInterrupt:
            pass
        finally:
            ended.set()
            watching.join()
        lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        epochs = len(lines)
        evaluations = sum("frechet[" in line for line in lines)
    print(f"{epochs} epochs, {evaluations} evaluations")
    say_growth(rows, args.minutes / 12)
    what = f"{args.model} on {args.data}: {epochs} epochs, {evaluations} evaluations"
    return [{"what": what, "unit": "minutes", **row} for row in rows]


# Many calls -------------------------------------------------------------------------------------


def cycle(seed, folder):
    """Everything that a notebook does with a model, from making it to deleting it."""
    model = ganzoo.get("dcgan", channels=8, seed=seed)
    model.fit(ganzoo.datasets.load("digits", seed=seed), epochs=1, verbose=0)
    model.generate(16, seed=seed)
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    ganzoo.evaluate(again, "digits", metrics=("frechet",), samples=300, repeats=1)


def calls(args):
    """A row for every few cycles."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(args.cycles):
            cycle(i, pathlib.Path(folder))
            if args.clear:
                keras.utils.clear_session(free_memory=False)
            if (i + 1) % max(1, args.cycles // 40) == 0:
                rows.append({"at": i + 1, **look()})
                print(rows[-1], flush=True)
    say_growth(rows, args.cycles / 4)
    what = "many short calls" + (", each cleared" if args.clear else "")
    return [{"what": what, "unit": "cycles", **row} for row in rows]


# A folder ---------------------------------------------------------------------------------------

PASSES = 10


class Watch(keras.callbacks.Callback):
    """Adds a row after every `batches` batches, several of which may run at once."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches
        self.before = self.seen = 0
        self.rows = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.seen

    def on_train_batch_end(self, batch, logs=None):
        seen, self.seen = self.seen, self.before + batch + 1
        if seen // self.batches < self.seen // self.batches:
            self.rows.append({"at": self.seen * data.BATCH, **look()})


def folder(args):
    """Rows along a pass over each of the folders."""
    if len(args.pictures) > 1:  # a process may keep memory that it has freed
        for count in args.pictures:
            command = [sys.executable, __file__, "folder", "--pictures", str(count)]
            subprocess.run(command, check=True)
        return []
    (count,) = args.pictures
    with tempfile.TemporaryDirectory() as place:
        data.make_folder(pathlib.Path(place) / "train", count, 8)
        ganzoo.datasets.CACHE_BYTES = 0  # do not cache them, small as they are
        model = ganzoo.get("dcgan", channels=8, image_shape=(8, 8, 1), seed=0)
        before = look()["mb"]
        ds = ganzoo.datasets.load(place, batch_size=data.BATCH)
        after = look()["mb"]
        print(f"{count} files: listing them took {after - before:.1f} MB")
        watch = Watch(max(1, count // data.BATCH // 4))
        model.fit(ds, epochs=PASSES, verbose=0, callbacks=[watch])
    say_growth(watch.rows, count * PASSES / 4)
    print(f"At most {data.megabytes():.0f} MB")
    measure.show(watch.rows)
    return [{"what": f"folder of {count} files", "unit": "images", **r} for r in watch.rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    modes = parser.add_subparsers(required=True)
    mode = modes.add_parser("run")
    mode.set_defaults(rows=run)
    mode.add_argument("--minutes", type=int, default=60)
    mode.add_argument("--model", default="dcgan")
    mode.add_argument("--data", default="digits")
    mode.add_argument("--data-dir")
    mode.add_argument("--score-every", type=int, default=5)
    mode = modes.add_parser("calls")
    mode.set_defaults(rows=calls)
    mode.add_argument("--cycles", type=int, default=200)
    mode.add_argument("--clear", action="store_true")
    mode = modes.add_parser("folder")
    mode.set_defaults(rows=folder)
    mode.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000])
    args = parser.parse_args()
    rows = args.rows(args)
    if rows:
        measure.show(rows)
        measure.save("soak", [{**row, **measure.machine()} for row in rows], replace=("what",))


if __name__ == "__main__":
    main()
