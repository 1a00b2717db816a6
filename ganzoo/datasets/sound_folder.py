"""Folders and zips of sound files."""

import collections
import io
import threading
import warnings

import numpy as np

from ganzoo import sounds
from ganzoo.datasets import listing
from ganzoo.datasets.media_folder import MediaFolder

WAV = (".wav", ".wave")
COMPRESSED = (".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
"""Endings of files that the package `soundfile` reads."""
UNREAD = (".m4a", ".aac", ".wma", ".amr", ".ape", ".mid", ".midi", ".ra", ".webm")
MOST_BYTES = 1 << 29
"""Largest file, 512 MiB."""
RATES = range(1_000, 384_001)
"""Sample rates of sounds; a file with another one is damaged."""
STEP = 1024
"""Clips whose length is not asked for have a multiple of this many samples."""
SHARE = 0.95
"""Share of the clips that such a length holds whole."""
LOUDEST = 8.0
"""Floats above this, 18 dB over the full level, are on another scale."""
SILENT = 2**-12
"""Sounds below this level, 72 dB below the full one, are silent."""
OFFSET = 0.2
"""Largest mean of a sound, as a share of its loudest value, that is no constant offset. Two of the
2,700 spoken digits of `fsdd` are above 0.1."""
ONE_AT_A_TIME = threading.Lock()  # the warnings of a process are changed while a file is read


class SoundFolder(MediaFolder):
    """A source of clips of one length and rate, int16 `(samples, channels)`.

    Args:
        path, split, labels, on_error, class_names: see `ganzoo.datasets.load`.
        rate: samples a second; None: the most frequent one.
        length: samples in a clip; longer ones are cut at their end, shorter ones followed by
            silence. None: a length that holds nearly all whole.
        channels: 1: mono, the mean of all channels; 2: stereo; None: stereo if any file is.
    """

    things = "sounds"
    kinds = listing.Kinds("a sound", (*WAV, *COMPRESSED), UNREAD, "WAV")

    def __init__(self, path, split, labels, on_error, class_names=None, *, rate, length, channels):
        self.rate, self.length, self.channels = rate, length, channels
        super().__init__(path, split, labels, on_error, class_names)

    def _check(self, name):
        self._open(name)

    def _open(self, name):
        """`(rate, array)` of a file: `(samples, channels)`, int16 or float32."""
        try:
            with self.files.open(name) as file:
                content = file.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
            rate, clip = read(io.BytesIO(content), name)
        except ImportError:
            raise
        except Exception as error:  # a file may be wrong in any way
            raise self.damaged(name, error) from None
        return rate, clip

    def _read_headers(self):
        rates, channels, lengths = collections.Counter(), collections.Counter(), []
        doubtful = collections.defaultdict(list)
        for name in self.names:
            rate, clip = self._open(name)
            rates[rate] += 1
            channels[clip.shape[1]] += 1
            lengths.append((len(clip), rate))
            for what in doubts(clip):
                doubtful[what].append(name)
        self.rate = self.rate or rates.most_common(1)[0][0]
        self.channels = self.channels or min(max(channels), 2)
        # As many as `sounds.resampled` makes.
        samples = np.array([-(-length * self.rate // rate) for length, rate in lengths])
        self.length = self.length or usual_length(samples)
        self.specs = (((self.length, self.channels), "int16"),)
        self.contents.levels = "16 bits"
        self.contents.rate = self.rate
        self._tell(rates, channels, samples)
        for what, names in sorted(doubtful.items()):
            listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            self.warnings.append(f"{len(names):,} sounds in {str(self.path)!r} {what}: {listed}")

    def _tell(self, rates, channels, samples):
        """Record what is done to the clips."""
        changes = self.contents.changes
        mixed = sum(n for count, n in channels.items() if count > self.channels)
        if mixed:
            changes.append(f"channels mixed: {mixed:,}")
        if self.channels == 2 and channels[1]:
            changes.append(f"mono to both channels: {channels[1]:,}")
        others = {rate: n for rate, n in rates.items() if rate != self.rate}
        if others:
            listed = ", ".join(f"{n:,} of {rate:,} Hz" for rate, n in sorted(others.items()))
            changes.append(f"resampled: {listed}")
        cut, padded = int((samples > self.length).sum()), int((samples < self.length).sum())
        if cut:
            changes.append(f"cut at the end: {cut:,}, the longest from {samples.max():,} values")
        if padded:
            changes.append(f"followed by silence: {padded:,}")

    def _decode(self, name):
        rate, clip = self._open(name)
        mixed = to_channels(sounds.to_float(clip), self.channels)
        clip = sounds.to_int16(sounds.resampled(mixed, rate, self.rate))[: self.length]
        return np.pad(clip, ((0, self.length - len(clip)), (0, 0)))


def read(file, name):
    """`(rate, array)` of an opened sound file: `(samples, channels)`, int16 or float32."""
    compressed = any(name.lower().endswith(ending) for ending in COMPRESSED)
    rate, clip = _read_compressed(file, name) if compressed else _read_wav(file)
    clip = clip[:, None] if clip.ndim == 1 else clip
    if not clip.size:
        raise ValueError("it holds no sound")
    if rate not in RATES:
        raise ValueError(f"its rate is {rate:,} samples a second")
    if clip.dtype.kind == "f" and not np.isfinite(clip).all():
        raise ValueError("it holds NaN or infinity")
    return int(rate), clip


def _read_wav(file):
    from scipy.io import wavfile

    with ONE_AT_A_TIME, warnings.catch_warnings():
        # Chunks of other programs are skipped; a file that ends too early is damaged.
        warnings.simplefilter("ignore", wavfile.WavFileWarning)
        warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
        rate, clip = wavfile.read(file)
    if clip.dtype == np.uint8:
        clip = (clip.astype("int16") - 128) * 256
    elif clip.dtype.kind == "i" and clip.dtype.itemsize == 2:
        clip = clip.astype("int16")  # of either order of bytes
    elif clip.dtype.kind == "i":  # 24 bits are in the upper three bytes of 32
        clip = (clip / np.float64(2 ** (8 * clip.dtype.itemsize - 1))).astype("float32")
    elif clip.dtype.kind == "f":
        clip = clip.astype("float32")
        _check_level(clip)
    return rate, clip


def _check_level(clip):
    """Raise a `ValueError` if floats are on another scale than -1 … 1."""
    loudest = float(np.abs(clip).max(initial=0))
    if np.isfinite(loudest) and loudest > LOUDEST:
        raise ValueError(
            f"its floats reach {loudest:,.6g}, and full level is 1: divide them, such as by 32768"
        )


def _read_compressed(file, name):
    try:
        import soundfile
    except ImportError:
        raise ImportError(
            f"{name!r} is no WAV file: other sounds need soundfile, `pip install "
            "'ganzoo[sound]'`; or convert them to WAV."
        ) from None
    clip, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return rate, clip


def doubts(clip):
    """What is probably wrong with a clip `(samples, channels)`, as words after its name."""
    x = sounds.to_float(clip)
    loudest = float(np.abs(x).max())
    if loudest < SILENT:
        yield "are silent"
        return
    if float(np.abs(x.mean(axis=0)).max()) > OFFSET * loudest:
        yield "have a constant offset, which a high-pass filter removes"
    full = np.abs(x) >= 1 - 2 / sounds.FULL
    if (full[:-2] & full[1:-1] & full[2:]).any():
        yield "are clipped: they stay at full level"


def to_channels(clip, channels):
    """A clip `(samples, …)` float32 with `channels` channels: the mean of all in one, or one in
    both."""
    if clip.shape[1] == channels:
        return clip
    mono = clip.mean(axis=1, keepdims=True)
    return mono if channels == 1 else np.repeat(mono, channels, axis=1)


def usual_length(samples):
    """The length of clips where none is asked for: that of all if they have one, otherwise one
    that holds `SHARE` of them whole.

    >>> usual_length(np.array([16_000] * 3)), usual_length(np.arange(3_000, 5_000))
    (16000, 5120)
    """
    if (samples == samples[0]).all():
        return int(samples[0])
    enough = int(np.quantile(samples, SHARE, method="higher"))
    return max(64, -(-enough // STEP) * STEP)
