"""Trainings that go wrong on purpose, for what the doctor says of them on the pages.

    python benchmarks/tools/symptoms.py
    python benchmarks/tools/symptoms.py mode_collapse few_updates

Each is a `ganzoo train` that anyone can repeat. Its first finding of that name replaces the one in
`benchmarks/results/symptoms.csv`.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import measure

from ganzoo.files import json_lines

SMALL = (
    "--set 'generator_units=[32]' --set 'discriminator_units=[32]' --set pieces=2 "
    "--set 'dropout=[0,0]'"
)
SYMPTOMS = {
    "mode_collapse": "vanilla --epochs 40 --set learning_rate=5e-4 --score-every 0",
    "low_recall": "vanilla --image-size 16 --epochs 30",
    "few_updates": "wgan_gp --epochs 20 --set channels=8 --score-every 0",
    "discriminator_wins": "vanilla --epochs 20 --set learning_rate=1e-7 --score-every 0",
    "discriminator_blind": "vanilla --epochs 15 --set discriminator_learning_rate=1e-9 "
    "--score-every 0",
    "discriminator_saturates": "wgan --epochs 15 --batch-size 16 --set channels=8 --set clip=1e-7 "
    "--score-every 0",
    "vanishing_generator_gradient": "vanilla --epochs 15 --set objective=minimax "
    f"--set discriminator_learning_rate=1e-2 {SMALL} --score-every 0",
    "divergence": "vanilla --epochs 2 --set learning_rate=1e12 --score-every 0",
}
"""A finding of the doctor, and the arguments of `ganzoo train` that bring it about on digits."""


def first(name, words, folder):
    """The first finding of this name in a training, as a dict."""
    command = [sys.executable, "-m", "ganzoo", "train", *shlex.split(words), "--out", folder]
    subprocess.run(command, stdout=subprocess.DEVNULL)  # one that diverges fails
    found = json_lines.read(pathlib.Path(folder) / "doctor.jsonl")
    return next(row for row in found if row["name"] == name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*SYMPTOMS], help=f"of {[*SYMPTOMS]}")
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            found = first(name, SYMPTOMS[name], f"{folder}/run")
        row = {key: found[key] for key in ("name", "epoch", "step", "seen", "advice")}
        row = {**row, "command": f"ganzoo train {SYMPTOMS[name]}", **measure.machine()}
        measure.show([row])
        measure.save("symptoms", [row], replace=("name", "backend"))


if __name__ == "__main__":
    main()
