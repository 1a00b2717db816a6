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


@pytest.mark.parametrize("kind", [">i2", "<i8", ">i4"])
def test_either_order_of_bytes_and_64_bits(kind, tmp_path):
    full = 2 ** (8 * int(kind[-1]) - 1)
    wavfile.write(tmp_path / "one.wav", RATE, (tone() * full).astype(kind))
    found = clips(load(tmp_path))
    assert found.dtype.isnative and np.abs(found[0] - tone() * 2**15).max() <= 1


def test_floats_on_another_scale_are_an_error_that_says_so(tmp_path):
    save(tmp_path / "one.wav", 32_767 * tone(), dtype="float32")
    with pytest.raises(ValueError, match="its floats reach 16,383.*full level is 1: divide them"):
        load(tmp_path)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100])
def test_a_resampled_clip_is_whole(rate, tmp_path):
    """The resampling rounds up, so that no clip is cut or padded by one value."""
    save(tmp_path / "a.wav", tone(4001, rate=rate), rate)
    ds = load(tmp_path, sample_rate=RATE)
    assert "cut" not in str(ds.contents) and "silence" not in str(ds.contents)
    assert ds.description["image_shape"] == [-(-4001 * RATE // rate), 1]


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


def test_sounds_of_kinds_that_are_not_read(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.m4a").write_bytes(b"ftyp")
    Image.new("L", (8, 8)).save(tmp_path / "cover.png")
    message = r"no sounds in .*\.m4a 3.*\.m4a are not read: convert them to WAV"
    with pytest.raises(ValueError, match=message):
        load(tmp_path)
    save(tmp_path / "a.wav", tone())
    with pytest.warns(UserWarning) as told:
        assert len(clips(load(tmp_path))) == 1
    assert "3 of .m4a. Convert them, for example to WAV" in " ".join(str(w.message) for w in told)


def test_no_sound_at_all(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(ValueError, match=r"no images.*by ending: \.txt 1"):
        load(tmp_path)


def test_what_is_asked_for_decides_between_images_and_sounds(tmp_path):
    save(tmp_path / "a.wav", tone())
    for i in range(2):
        Image.new("L", (8, 8)).save(tmp_path / str(i), "PNG")  # without an ending
        save(tmp_path / "__MACOSX" / f"{i}.wav", tone())
    for options, shape in (
        ({}, (2, 8, 8, 1)),
        ({"image_size": 8}, (2, 8, 8, 1)),
        ({"sample_rate": RATE}, (1, 4096, 1)),
        ({"length": 2048}, (1, 2048, 1)),
    ):
        with pytest.warns(UserWarning, match="They are left out"):
            assert clips(load(tmp_path, **options)).shape == shape
    with pytest.raises(ValueError, match="holds images, for which there is no `length`"):
        load(tmp_path, image_size=8, length=2048)


# Arrays -------------------------------------------------------------------------------------------


def test_arrays_of_clips(tmp_path):
    levels = np.round(tone(256) * 2**15).astype("int16")[None].repeat(3, axis=0)
    for source in (levels, levels.astype(">i2")):
        ds = load(source, sample_rate=RATE)
        np.testing.assert_array_equal(clips(ds), levels)
        assert ds.description == {
            "source": "arrays",
            "split": "train",
            "image_shape": [256, 1],
            "sample_rate": RATE,
        }
    assert "sample_rate" not in load(levels).description
    floats = load(levels / np.float32(2**15), sample_rate=RATE, length=256)
    assert floats.description["image_shape"] == [256, 1] and clips(floats).dtype == np.float32
    both = load((np.repeat(levels, 2, axis=2), np.arange(3)), labels=True, channels=2)
    assert [tuple(x.shape) for x in next(iter(both))] == [(1, 256, 2), (1,)]
    np.savez(tmp_path / "clips.npz", images=levels)
    assert clips(load(tmp_path / "clips.npz", sample_rate=RATE)).shape == (3, 256, 1)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (np.zeros((3, 256, 1), "int16"), {"length": 100}, "`length` is 100, and theirs is 256"),
        (np.zeros((3, 256, 1), "int16"), {"channels": 2}, "`channels` is 2, and theirs is 1"),
        (np.zeros((3, 256, 1), "int16"), {"image_size": 8}, "sounds.*no `image_size`"),
        (np.zeros((3, 32, 1), "int16"), {}, "at least 64 samples"),
        (np.zeros((3, 8, 8, 1), "uint8"), {"sample_rate": RATE}, "no sounds.*`sample_rate`"),
        (np.zeros((3, 256, 1), "uint8"), {"sample_rate": RATE}, "no sounds.*`sample_rate`"),
        ("digits", {"length": 100}, "'digits' holds no sounds.*no `length`"),
    ],
)
def test_arguments_that_do_not_fit_arrays_are_refused(source, options, message):
    with pytest.raises(ValueError, match=message):
        load(source, **options)


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
