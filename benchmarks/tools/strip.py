"""Draws the animation at the top of the README: samples of trained weights that change.

    python benchmarks/tools/strip.py --data-dir FOLDER

Each row but the last walks through the latents of a model, from sample to sample and back to the
first, so that the animation has no end. The last row fades from line drawings to their
translations, and back. `FOLDER` holds the archives of `domains.py`.
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import domains

import ganzoo

OUT = pathlib.Path(__file__).parents[2] / "docs" / "images" / "strip.webp"
SIDE, GAP = 96, 4
"""Height and width of an image, and the distance to the next, in pixels."""
STEPS, STOPS = 12, 4
"""Frames from a sample to the next, and the number of samples that each place shows."""
MILLISECONDS = 80
TRUNCATION = 1.5
"""Latents beyond it are left out: their samples are the least typical."""

PLACES = 10
"""Number of images in a row."""
WALKS = (("r3gan", "portraits", 1), ("r3gan", "pixelart", 0))
"""`(model, tag, seed)` of the generator in each row."""
TRANSLATED = ("pix2pix", "openmoji")


def walk(model, tag, seed):
    """`(frames, PLACES, height, width, channels)`: each place walks through `STOPS` samples and
    ends where it began."""
    network = ganzoo.get(model, weights=tag)
    rng = np.random.default_rng(seed)
    stops = network.prior(rng, PLACES * STOPS, TRUNCATION).reshape(PLACES, STOPS, -1)
    share = np.linspace(0, 1, STEPS, endpoint=False)
    share = share * share * (3 - 2 * share)  # it rests at each sample
    ends = [(stops[:, i], stops[:, (i + 1) % STOPS]) for i in range(STOPS)]
    way = np.stack([ganzoo.latent.slerp(*pair, s) for pair in ends for s in share])
    images = network.generate(PLACES * len(way), latents=way.reshape(-1, way.shape[-1]))
    return images.reshape(len(way), PLACES, *images.shape[1:])


def fade(model, tag, data_dir):
    """As `walk`: test images fade to their translations and back, one place after the other. They
    are evenly chosen from the half that is nearest to its targets."""
    network = ganzoo.get(model, weights=tag)
    _, (images, targets) = domains.DATA[tag](data_dir)
    outputs = network.translate(images).astype("float32")
    error = lambda made: np.abs(made.astype("float32") - targets).mean(axis=(1, 2, 3))
    left = error(outputs) / error(images).clip(1)
    chosen = left.argsort()[np.linspace(0, len(images) // 2, PLACES).astype(int)]
    images, outputs = images[chosen], outputs[chosen]
    frames = STEPS * STOPS
    phase = np.arange(frames)[:, None] / frames - np.arange(PLACES) / PLACES
    share = np.clip(0.5 - 1.5 * np.cos(2 * np.pi * phase), 0, 1)[..., None, None, None]
    return np.round(images + share * (outputs - images)).astype("uint8")


def frame(rows, index):
    """One frame: the images of each row beside each other."""
    height = len(rows) * (SIDE + GAP) - GAP
    canvas = Image.new("RGB", (PLACES * (SIDE + GAP) - GAP, height), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row[index]):
            # Pixels of small images stay visible: they are pixel art.
            how = Image.Resampling.NEAREST if len(image) == 32 else Image.Resampling.BICUBIC
            place = (x * (SIDE + GAP), y * (SIDE + GAP))
            canvas.paste(Image.fromarray(image).resize((SIDE, SIDE), how), place)
    return canvas


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", required=True, help="where the archives are")
    args = parser.parse_args()
    rows = [*(walk(*row) for row in WALKS), fade(*TRANSLATED, args.data_dir)]
    first, *others = (frame(rows, i) for i in range(STEPS * STOPS))
    first.save(
        OUT,
        save_all=True,
        append_images=others,
        duration=MILLISECONDS,
        loop=0,
        quality=70,
        method=6,
    )
    print(OUT, f"{OUT.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
