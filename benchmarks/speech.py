"""Spoken digits, from the original archive, in folders that are named by the words.

    python benchmarks/speech.py --data-dir FOLDER [--out FOLDER]

writes WAV files for `ganzoo train`, `train/seven/…` and `test/seven/…`, each at full level: the
speakers' recordings differ by up to 40 decibels.
"""

import argparse
import io
import pathlib
import zipfile

import numpy as np
from scipy.io import wavfile

from ganzoo import sounds
from ganzoo.files import atomic

NAME = "spoken-digits"
ARCHIVE = "fsdd.zip"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LEVEL = 0.95
"""The loudest value of each recording."""


def find(folder):
    """The archive in a folder, or in its folder `speech`."""
    for path in (pathlib.Path(folder) / ARCHIVE, pathlib.Path(folder) / "speech" / ARCHIVE):
        if path.exists():
            return path
    raise FileNotFoundError(f"There is no {ARCHIVE} in {folder} (Free Spoken Digit Dataset).")


def levelled(clip):
    """A recording, int16, without its constant offset and at `LEVEL`."""
    x = clip.astype("float64") - clip.mean()
    return sounds.to_int16(LEVEL * x / np.abs(x).max())


def write(data_dir, out):
    """Write the recordings of both splits. Returns the folder."""
    with zipfile.ZipFile(find(data_dir)) as archive, atomic.replacing_whole(out) as work:
        for name in archive.namelist():
            if name.endswith(".wav"):
                split, digit, file = name.split("/")
                rate, clip = wavfile.read(io.BytesIO(archive.read(name)))
                place = work / "made" / split / WORDS[int(digit)] / file
                sounds.write(levelled(clip)[:, None], place, rate)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", required=True, help="where the archive is")
    parser.add_argument("--out", type=pathlib.Path, default=NAME, help="folder to write")
    args = parser.parse_args()
    print(write(args.data_dir, pathlib.Path(args.out)))


if __name__ == "__main__":
    main()
