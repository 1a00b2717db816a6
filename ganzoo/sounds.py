"""Sounds as files and as images: WAV, log-mel spectrograms, sheets of clips."""

import functools
import io
import math
import pathlib

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import types

FULL = 2**15
"""The level that int16 counts as 1."""
WINDOW = 0.032
"""Length of a spectrogram's window in seconds; windows overlap by three quarters."""
FLOOR = 1e-5
"""Amplitudes below this one count as it: 100 dB below the loudest sound."""
RANGE = 60.0
"""Decibels from black to the brightest colour of a spectrogram."""
GAIN = 30.0
"""Decibels by which a sheet shows quiet clips louder, at most."""
USUAL_RATE = 16_000
"""Samples a second of sounds whose rate is not known."""


def to_float(clips: ArrayLike) -> np.ndarray:
    """int16, or floats in [-1, 1], as float32 in [-1, 1]."""
    clips = np.asarray(clips)
    return (clips / np.float32(FULL) if clips.dtype == np.int16 else clips).astype("float32")


def to_int16(clips: ArrayLike) -> np.ndarray:
    """Floats in [-1, 1] as int16; louder ones are clipped."""
    levels = np.round(np.asarray(clips, "float32") * np.float32(FULL))
    return np.clip(levels, -FULL, FULL - 1).astype("int16")


def mel_filters(rate: int, length: int, bands: int) -> np.ndarray:
    """Triangular filters, equally spaced on the mel scale of O'Shaughnessy (1987).

    Args:
        rate: samples a second.
        length: of the window, in samples.
        bands: number of filters, from 0 Hz to half of `rate`.

    Returns:
        `(length // 2 + 1, bands)` float32; each filter has a sum of 1.
    """
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    edges = 700 * (10 ** (np.linspace(0, mel(rate / 2), bands + 2) / 2595) - 1)
    hertz = np.arange(length // 2 + 1)[:, None] * rate / length
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    filters = np.maximum(np.minimum(rising, falling), 0)
    empty = filters.sum(0) == 0  # narrower than the distance of two frequencies
    nearest = np.abs(hertz - middle).argmin(0)
    filters[nearest[empty], np.flatnonzero(empty)] = 1
    return (filters / filters.sum(0)).astype("float32")


_mel_filters = functools.lru_cache(maxsize=16)(mel_filters)


def log_mel(clips: ArrayLike, rate: int | None = None, bands: int = 64) -> np.ndarray:
    """Log-mel spectrograms: decibels of amplitudes. A sine at full level is at most 0, and lower by
    the share of a band's filter at its frequency.

    Args:
        clips: `(n, samples, channels)`, int16 or float in [-1, 1]; channels are averaged.
        rate: samples a second. None: 16,000.
        bands: number of mel bands.

    Returns:
        `(n, frames, bands)` float32, at least -100.

    Example:

    >>> import numpy as np
    >>> time = np.arange(8000) / 8000
    >>> clip = np.sin(2 * np.pi * 1000 * time).astype("float32")
    >>> image = log_mel(clip[None, :, None], rate=8000)
    >>> image.shape, image[0, 50].argmax() == image[0].mean(0).argmax()
    ((1, 122, 64), np.True_)
    """
    rate = rate or USUAL_RATE
    x = to_float(clips).mean(axis=-1)
    length = min(2 ** round(math.log2(rate * WINDOW)), 2 ** int(math.log2(x.shape[1])))
    hop = max(1, length // 4)
    window = np.hanning(length + 1)[:-1].astype("float32")
    frames = np.lib.stride_tricks.sliding_window_view(x, length, axis=1)[:, ::hop]
    amplitudes = np.abs(np.fft.rfft(frames * (2 / window.sum() * window), axis=-1))
    bands = amplitudes.astype("float32") @ _mel_filters(rate, length, bands)
    return 20 * np.log10(np.maximum(bands, FLOOR))


def sheet(
    clips: ArrayLike, rate: int | None = None, columns: int | None = None, width: int = 96
) -> Image.Image:
    """Arrange clips in a grid, as one image: of each the waveform, and below it the log-mel
    spectrogram, low tones at the bottom. Each clip is shown at its own level, but quiet ones at
    most `GAIN` decibels louder than the loudest, so that silence looks silent.

    Args:
        clips: `(n, samples, channels)`, int16 or float in [-1, 1].
        rate: samples a second. None: 16,000.
        columns: clips in a row. None: as square as possible.
        width: of one clip, in pixels.

    Returns:
        A `PIL.Image.Image`.
    """
    clips = np.asarray(clips)
    if clips.ndim != 3 or not clips.size:
        raise ValueError(
            "`clips` must have shape (n, samples, channels), with at least one clip. Received: "
            f"{clips.dtype} of shape {clips.shape}."
        )
    columns = columns or math.ceil(math.sqrt(len(clips)))
    rows, wave, tall, gap = math.ceil(len(clips) / columns), 24, 64, 4
    height = wave + tall
    canvas = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), "white")
    waves, spectrograms = to_float(clips).mean(axis=-1), log_mel(clips, rate, tall)
    loudest = np.abs(waves).max(axis=1, keepdims=True)
    waves = waves / np.maximum(loudest, max(loudest.max() * 10 ** (-GAIN / 20), FLOOR))
    highest = spectrograms.max(axis=(1, 2), keepdims=True)
    spectrograms = 1 + (spectrograms - np.maximum(highest, highest.max() - GAIN)) / RANGE
    for i, clip in enumerate(waves):
        place = (i % columns) * (width + gap) + gap, (i // columns) * (height + gap) + gap
        canvas.paste(_wave(clip, width, wave), place)
        canvas.paste(_spectrogram(spectrograms[i], width), (place[0], place[1] + wave))
    return canvas


def _wave(clip, width, height):
    """The range of the waveform in each column of pixels."""
    parts = np.array_split(clip, width) if len(clip) >= width else np.split(clip, len(clip))
    to_row = lambda level: np.round((1 - np.clip(level, -1, 1)) / 2 * (height - 1)).astype(int)
    image = np.full((height, len(parts), 3), 255, "uint8")
    for x, part in enumerate(parts):
        image[to_row(part.max()) : to_row(part.min()) + 1, x] = (49, 54, 149)
    return Image.fromarray(image).resize((width, height), Image.Resampling.NEAREST)


def _spectrogram(shares, width):
    """A log-mel spectrogram in colours, from 0 to 1."""
    import matplotlib  # takes time to load, as SciPy's parts below do

    shares = np.clip(shares.T[::-1], 0, 1)
    colours = (matplotlib.colormaps["magma"](shares)[..., :3] * 255).astype("uint8")
    size = width, len(shares)
    return Image.fromarray(colours).resize(size, Image.Resampling.BILINEAR)


def resampled(clip: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """A clip `(samples, channels)` float32 at another rate, low-passed as that needs."""
    if rate == wanted:
        return clip
    from scipy import signal

    common = math.gcd(rate, wanted)
    return signal.resample_poly(clip, wanted // common, rate // common, axis=0).astype("float32")


def write(clip: ArrayLike, path: types.Path, rate: int | None = None) -> pathlib.Path:
    """Write one clip `(samples, channels)`, int16 or float in [-1, 1], as a 16-bit WAV file.

    `rate`: samples a second; None: 16,000. Returns the path.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(clip, rate))
    return path


def content(clip: ArrayLike, rate: int | None = None) -> bytes:
    """What `write` writes, as bytes."""
    from scipy.io import wavfile

    clip, file = np.asarray(clip), io.BytesIO()
    wavfile.write(file, rate or USUAL_RATE, clip if clip.dtype == np.int16 else to_int16(clip))
    return file.getvalue()


def save_each(
    clips: ArrayLike,
    folder: types.Path,
    rate: int | None = None,
    start: int = 0,
) -> pathlib.Path:
    """Save each clip as a WAV file.

    Args:
        clips: `(n, samples, channels)`, int16 or float in [-1, 1].
        folder: it is created if it does not exist.
        rate: samples a second. None: 16,000.
        start: number of the first file: `00000.wav` for 0.

    Returns:
        The folder.
    """
    clips, folder = np.asarray(clips), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for i, clip in enumerate(clips, start):
        write(clip, folder / f"{i:05d}.wav", rate)
    return folder
