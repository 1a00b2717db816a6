"""Log-mel spectrograms of sounds as features."""

import hashlib

import numpy as np

from ganzoo import sounds

BANDS, PARTS = 20, 8
"""Mel bands, and parts of a clip over which each is averaged."""


class LogMel:
    """Sounds as the levels of `BANDS` mel bands in each of `PARTS` equal parts of the clip.

    They show which tones sound when, for sounds of any kind, and neither phase nor meaning: scores
    are not those of networks trained on sound, such as the Fréchet audio distance.

    Args:
        rate: samples a second; None: 16,000.

    Example:

    >>> rows = LogMel(8000)(np.zeros((2, 4096, 1), "int16"))
    >>> rows["features"].shape
    (2, 160)
    """

    classes = None
    resize = "none"

    def __init__(self, rate: int | None = None) -> None:
        self.rate = rate or sounds.USUAL_RATE
        self.name = f"log-mel-{BANDS}x{PARTS}"
        settings = f"{BANDS} {PARTS} {self.rate} {sounds.WINDOW} {sounds.FLOOR}"
        self.hash = hashlib.sha256(settings.encode()).hexdigest()

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        levels = sounds.log_mel(images, self.rate, BANDS)
        frames = levels.shape[1]
        if frames < PARTS:  # of a clip of few windows
            levels = np.repeat(levels, -(-PARTS // frames), axis=1)
        parts = [part.mean(axis=1) for part in np.array_split(levels, PARTS, axis=1)]
        rows = np.stack(parts, axis=1).reshape(len(levels), -1) / 100
        return {"features": rows.astype("float32")}
