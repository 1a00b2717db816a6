"""Folders and zips of sounds: what is read, how it is converted, what is refused."""

import struct
import sys
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from ganzoo import datasets
from tests.helpers import fails

RATE = 8000


def tone(samples=4096, hertz=440.0, rate=RATE, level=0.5, channels=1):
    """A sine `(samples, channels)`, float64."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def save(path, clip, rate=RATE, dtype="int16"):
    path.parent.mkdir(parents=True, exist_ok=True)
    full = {"int16": 2**15, "int32": 2**31, "uint8": 2**7}.get(dtype, 1)
    levels = np.clip(np.round(clip * full), -full, full - 1) if full > 1 else clip
    levels = levels + 128 if dtype == "uint8" else levels
    wavfile.write(path, rate, levels.astype(dtype))
    return path


def save_24_bits(path, clip, rate=RATE):
    """By hand: SciPy writes no 24 bits."""
    levels = np.round(clip[:, 0] * 2**23).astype("int32")
    body = levels.astype("<i4").view("uint8").reshape(-1, 4)[:, :3].tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 3, 3, 24)
    chunks = b"WAVE" + form + struct.pack("<4sI", b"data", len(body)) + body
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(chunks)) + chunks)


def load(folder, **options):
    return datasets.load(folder, **{"batch_size": 1, "shuffle": False, "verbose": False, **options})


def clips(ds):
    """All clips of a data set, sorted by their files' names."""
    batches = [np.asarray(x[0] if isinstance(x, tuple) else x) for x in ds]
    return np.concatenate(batches)


def hertz(clip, rate=RATE):
    """The loudest frequency of a clip."""
    spectrum = np.abs(np.fft.rfft(clip[:, 0] * np.hanning(len(clip))))
    return spectrum.argmax() * rate / len(clip)


def test_class_folders_are_labels_and_the_line_says_what_there_is(tmp_path, capsys):
    for name, pitch in (("high", 1000), ("low", 200)):
        for i in range(2):
            save(tmp_path / name / f"{i}.wav", tone(hertz=pitch))
    ds = datasets.load(tmp_path, labels=True, batch_size=4, shuffle=False)
    assert ds.class_names == ["high", "low"] and ds.description["sample_rate"] == RATE
    examples, labels = map(np.asarray, next(iter(ds)))
    assert examples.shape == (4, 4096, 1) and examples.dtype == np.int16
    pitches = {int(label): hertz(clip) for clip, label in zip(examples, labels)}
    assert pitches[0] == pytest.approx(1000, abs=2) and pitches[1] == pytest.approx(200, abs=2)
    assert "4 clips in 4 files, 4,096 values at 8,000 Hz (0.512 s), mono" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float32", "float64", "24 bits"])
def test_all_depths_of_wav_give_the_same_sound(kind, tmp_path):
    path, wave = tmp_path / "one.wav", tone()
    if kind == "24 bits":
        save_24_bits(path, wave)
    else:
        save(path, wave, dtype=kind)
    found = clips(load(tmp_path))[0]
    bits = 2**8 if kind == "uint8" else 1
    assert np.abs(found - wave * 2**15).max() <= bits


def test_other_rates_are_resampled_and_said(tmp_path):
    save(tmp_path / "a.wav", tone(8000))
    save(tmp_path / "b.wav", tone(8000))
    save(tmp_path / "c.wav", tone(44_100, rate=44_100), rate=44_100)
    ds = load(tmp_path)
    assert ds.description["sample_rate"] == RATE and "resampled: 1 of 44,100 Hz" in str(ds.contents)
    a, _, c = clips(ds)
    assert a.shape == c.shape == (8000, 1) and hertz(c) == pytest.approx(440, abs=1)
    middle = slice(100, -100)  # the filter of the resampling needs what is beyond the ends
    assert np.abs(a[middle].astype(float) - c[middle]).max() < 200
    fast = load(tmp_path, sample_rate=16_000)
    assert fast.description["image_shape"] == [16_000, 1]
    assert hertz(clips(fast)[0], 16_000) == pytest.approx(440, abs=1)


def test_stereo_is_kept_or_mixed_and_said(tmp_path):
    left = tone() * [1, 0]
    save(tmp_path / "stereo.wav", left)
    save(tmp_path / "mono.wav", tone())
    both = load(tmp_path)
    assert "mono to both channels: 1" in str(both.contents)
    mono, stereo = clips(both)
    assert np.array_equal(mono[:, 0], mono[:, 1]) and not stereo[:, 1].any()
    mixed = load(tmp_path, channels=1)
    assert "channels mixed: 1" in str(mixed.contents)
    mono, stereo = clips(mixed)
    assert np.abs(mono / 2 - stereo).max() <= 1
    with pytest.raises(ValueError, match=r"1 channel \(mono\) or 2 \(stereo\).*3"):
        load(tmp_path, channels=3)


def test_shorter_and_longer_ones_are_padded_and_cut_and_said(tmp_path):
    save(tmp_path / "long.wav", tone(3000))
    save(tmp_path / "short.wav", tone(1000))
    ds = load(tmp_path, length=2048)
    assert "cut at the end: 1, the longest from 3,000 values" in str(ds.contents)
    assert "followed by silence: 1" in str(ds.contents)
    long, short = clips(ds)
    np.testing.assert_array_equal(long, np.round(tone(3000)[:2048] * 2**15))
    assert short[:1000].any() and not short[1000:].any()
    assert load(tmp_path).description["image_shape"] == [3072, 1]


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (tone(level=0), "1 sounds in .* are silent: wrong.wav"),
        (tone(level=0.2) + 0.3, "have a constant offset.*wrong.wav"),
        (tone(level=2.0), "are clipped: they stay at full level: wrong.wav"),
    ],
)
def test_doubtful_sounds_are_read_with_a_warning(clip, message, tmp_path):
    save(tmp_path / "good.wav", tone())
    save(tmp_path / "wrong.wav", clip)
    with pytest.warns(UserWarning, match=message):
        assert len(clips(load(tmp_path))) == 2


def spoiled(path, how):
    """A file that is wrong in one way."""
    whole = save(path, tone()).read_bytes()
    if how == "truncated":
        path.write_bytes(whole[:-1001])
    elif how == "without sound":
        save(path, tone(0))
    elif how == "not finite":
        save(path, np.where(tone() > 0.4, np.nan, tone()), dtype="float32")
    elif how == "rate of 0":
        path.write_bytes(whole[:24] + struct.pack("<I", 0) + whole[28:])
    else:
        path.write_bytes(
            {"empty": b"", "an image": b"\x89PNG\r\n\x1a\n", "header": whole[:30]}[how]
        )


WRONG = ("truncated", "without sound", "not finite", "rate of 0", "empty", "an image", "header")


@pytest.mark.parametrize("how", WRONG)
def test_damaged_files_are_named_or_skipped(how, tmp_path):
    save(tmp_path / "good.wav", tone())
    spoiled(tmp_path / "wrong.wav", how)
    with pytest.raises(ValueError, match=r"wrong.wav' cannot be read as a sound .*Mend or remove"):
        load(tmp_path)
    with pytest.warns(UserWarning, match="1 damaged sounds in .*: wrong.wav"):
        assert len(clips(load(tmp_path, on_error="skip"))) == 1


def test_louder_than_full_level_is_clipped_with_a_warning(tmp_path):
    save(tmp_path / "loud.wav", tone(level=1.5), dtype="float32")
    with pytest.warns(UserWarning, match="are clipped"):
        found = clips(load(tmp_path))
    assert found.min() == -(2**15) and found.max() == 2**15 - 1


def test_no_sound_at_all(tmp_path):
    (tmp_path / "song.mid").write_bytes(b"MThd")
    with pytest.raises(ValueError, match=r"no images.*by ending: \.mid 1"):
        load(tmp_path)


def test_images_among_sounds_are_left_out_with_a_warning(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.wav", tone())
    Image.new("L", (8, 8)).save(tmp_path / "cover.png")
    with pytest.warns(UserWarning, match="1 images besides its 3 sounds. They are left out"):
        assert clips(load(tmp_path)).shape == (3, 4096, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (tmp_path / "3.wav").write_bytes(b"")
        assert len(clips(load(tmp_path, on_error="skip"))) == 3


def test_options_of_images_are_refused_for_sounds_and_the_other_way_round(tmp_path):
    save(tmp_path / "sounds" / "a.wav", tone())
    with pytest.raises(ValueError, match="holds sounds, for which there is no `image_size`"):
        load(tmp_path / "sounds", image_size=64)
    (tmp_path / "images").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "images" / "a.png")
    with pytest.raises(ValueError, match="holds images, for which there is no `sample_rate`"):
        load(tmp_path / "images", sample_rate=8000)
    with pytest.raises(ValueError, match=r"3 \(colour\).*2 \(stereo\) is for sounds"):
        load(tmp_path / "images", channels=2)


def test_a_zip_is_read_as_its_folder(tmp_path):
    for i in range(3):
        save(tmp_path / "folder" / f"{i}.wav", tone(hertz=200 + 100 * i))
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        for path in (tmp_path / "folder").iterdir():
            archive.write(path, path.name)
    folder, zipped = load(tmp_path / "folder"), load(tmp_path / "sounds.zip")
    np.testing.assert_array_equal(clips(folder), clips(zipped))


def test_other_kinds_need_an_extra_which_the_error_names(tmp_path, monkeypatch):
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ImportError, match=r"a.flac' is no WAV.*pip install 'ganzoo\[sound\]'"):
        load(tmp_path)
    assert "ganzoo[sound]" in fails("train", "wavegan", "--data", tmp_path, "-o", tmp_path / "run")


@pytest.mark.parametrize("ending", ["flac", "ogg", "aiff"])
def test_other_kinds_are_read_with_it(ending, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / f"a.{ending}", tone(), RATE)
    found = clips(load(tmp_path))[0]
    assert found.shape == (4096, 1) and hertz(found) == pytest.approx(440, abs=2)
    assert np.abs(found - tone() * 2**15).max() < (2 if ending != "ogg" else 2000)
