"""Kills trainings with SIGKILL, resumes them and compares the results with undisturbed ones.

    python benchmarks/tools/kills.py
    python benchmarks/tools/kills.py growth --backend jax --precision mixed_float16

One training of each kind of game runs to its end. Another one, by the same command, is killed
twice: once at a random moment after a random epoch, once while it writes a checkpoint; the same
command resumes it each time. In the end losses, weights, optimizers, averages, random states and
images must be the same. Results go to `benchmarks/results/kills.csv`.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import h5py
import measure
import numpy as np

GAMES = {
    "two players, averaged generator": ("dcgan", {"channels": 4, "latent_dim": 6}),
    "critic that moves twice": (
        "wgan_gp",
        {"channels": 4, "latent_dim": 6, "discriminator_steps": 2},
    ),
    "dropout": (
        "vanilla",
        {"generator_units": [8], "discriminator_units": [6], "pieces": 2, "latent_dim": 6},
    ),
    "growth": (
        "progan",
        {"phase_steps": 40, "channels": 4, "max_channels": 6, "latent_dim": 6},
    ),
    "lazy penalties": (
        "stylegan2",
        {"channels": 4, "max_channels": 6, "style_dim": 6, "latent_dim": 6, "mapping_layers": 2},
    ),
    "three players": ("vae_gan", {"channels": 4, "latent_dim": 6}),
    "one player": ("vae", {"channels": 4, "latent_dim": 6}),
}
BACKENDS = ("tensorflow", "jax")
PRECISIONS = ("float32", "mixed_float16")
EPOCHS = 8


def command(game, precision, out):
    """The command of a training that saves after every epoch."""
    model, arguments = GAMES[game]
    given = {**arguments, "precision": precision}
    pairs = [w for k, v in given.items() for w in ("--set", f"{k}={json.dumps(v)}")]
    words = ["--epochs", str(EPOCHS), "--checkpoint-seconds", "0", "--score-every", "0"]
    return [sys.executable, "-m", "ganzoo", "train", model, *words, *pairs, "--out", str(out)]


def start(words, backend):
    """Start a training. Returns its process."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    """Wait for a training to succeed."""
    errors = process.communicate()[1]
    if process.returncode:
        raise RuntimeError(f"{' '.join(process.args)}: {errors}")


def kill(process, out, while_saving, moments):
    """Kill a training. Returns whether it was writing a checkpoint."""
    metrics, after = out / "metrics.jsonl", moments.randrange(1, EPOCHS - 2)
    done = lambda: len(metrics.read_text().splitlines()) if metrics.exists() else 0
    after = max(after, done())  # a resumed training has epochs already
    partial = lambda: list((out / "checkpoints").glob(".*.partial.keras"))
    while done() < after or (while_saving and not partial()):
        if process.poll() is not None:
            raise RuntimeError(f"It ended before it was killed: {process.communicate()[1]}")
        time.sleep(0 if while_saving and done() >= after else 0.001)
    # Writing a file of this size takes some milliseconds; an epoch takes some hundred.
    time.sleep(moments.uniform(0, 0.002 if while_saving else 0.3))
    process.kill()
    process.communicate()
    return bool(partial())


def state(out):
    """All arrays of the last checkpoint, by file and path in it."""
    state = {}
    with zipfile.ZipFile(out / "checkpoints" / f"epoch-{EPOCHS:04d}.keras") as archive:
        for member in archive.namelist():
            if member.endswith(".h5"):
                with archive.open(member) as file, h5py.File(file) as arrays:
                    arrays.visititems(
                        lambda path, x, m=member: (
                            state.update({f"{m}/{path}": x[()]})
                            if isinstance(x, h5py.Dataset)
                            else None
                        )
                    )
    return state


def losses(out):
    """All logged numbers except times, as printed, by epoch and name."""
    rows = [json.loads(x) for x in (out / "metrics.jsonl").read_text().splitlines()]
    return {
        (row["epoch"], name): f"{value:.6g}"
        for row in rows
        for name, value in row.items()
        if "seconds" not in name
    }


def grids(out):
    """The bytes of all grids, by name."""
    return {path.name: path.read_bytes() for path in (out / "samples").iterdir()}


def differing(values, expected, equal=lambda a, b: a == b):
    """`(number of differences, number of values)` of two dicts."""
    names = values.keys() | expected.keys()
    same = [k in values and k in expected and equal(values[k], expected[k]) for k in names]
    return same.count(False), len(same)


def run(game, backend, precision, kills, seed):
    """One row of results."""
    moments = random.Random(f"{seed} {game} {backend} {precision}")
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = pathlib.Path(folder, "whole"), pathlib.Path(folder, "killed")
        finish(start(command(game, precision, whole), backend))
        saving = 0
        for number in range(kills):
            process = start(command(game, precision, killed), backend)
            saving += kill(process, killed, number % 2 == 1, moments)
        finish(start(command(game, precision, killed), backend))
        bad_losses, all_losses = differing(losses(killed), losses(whole))
        same = lambda a, b: np.array_equal(a, b, equal_nan=True)
        bad_arrays, all_arrays = differing(state(killed), state(whole), same)
        bad_grids, all_grids = differing(grids(killed), grids(whole))
    return {
        "game": game,
        "model": GAMES[game][0],
        "precision": precision,
        "kills": kills,
        "while_saving": saving,
        "numbers": all_losses,
        "numbers_lost": bad_losses,
        "arrays": all_arrays,
        "arrays_lost": bad_arrays,
        "pictures": all_grids,
        "pictures_lost": bad_grids,
        "seed": seed,
        **measure.machine(backend),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("games", nargs="*", default=list(GAMES), help=f"of: {', '.join(GAMES)}")
    parser.add_argument("--backend", nargs="+", default=BACKENDS, choices=BACKENDS)
    parser.add_argument("--precision", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--kills", type=int, default=2, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows = []
    for backend in args.backend:
        for precision in args.precision:
            for game in args.games:
                rows.append(run(game, backend, precision, args.kills, args.seed))
                measure.show(rows[-1:])
                measure.save("kills", rows[-1:], replace=("game", "backend", "precision", "seed"))


if __name__ == "__main__":
    main()
