"""Sounds as files and as images."""

import numpy as np
import pytest
from scipy import signal
from scipy.io import wavfile

from ganzoo import sounds

RATE = 8000


def tone(hertz=1000.0, samples=4000, level=1.0):
    wave = level * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return wave.astype("float32")[None, :, None]


def test_all_levels_of_16_bits_survive_the_way_to_floats_and_back():
    levels = np.arange(-(2**15), 2**15).astype("int16")
    floats = sounds.to_float(levels)
    assert floats.dtype == np.float32 and floats.min() == -1 and floats.max() < 1
    np.testing.assert_array_equal(sounds.to_int16(floats), levels)
    assert sounds.to_int16([-3.0, 1.0, 3.0]).tolist() == [-(2**15), 2**15 - 1, 2**15 - 1]


def test_mel_filters_are_triangles_that_cover_all_frequencies():
    filters = sounds.mel_filters(RATE, 256, 32)
    assert filters.shape == (129, 32) and filters.dtype == np.float32
    np.testing.assert_allclose(filters.sum(axis=0), 1, rtol=1e-5)
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) >= 0).all() and filters[1:-1].sum(axis=1).min() > 0
    mel = 2595 * np.log10(1 + peaks * RATE / 256 / 700)
    np.testing.assert_allclose(np.diff(mel)[10:], np.diff(mel)[10:].mean(), rtol=0.5)


def test_a_sine_is_in_its_band_at_its_level():
    for level in (1.0, 0.1):
        image = sounds.log_mel(tone(level=level), RATE)[0]
        bands = image[20:-20].mean(axis=0)
        filters = sounds.mel_filters(RATE, 256, 64)
        wanted = filters[1000 * 256 // RATE].argmax()
        assert abs(int(bands.argmax()) - int(wanted)) <= 1
        # A band's filter has a sum of 1 over several frequencies, of which a sine has one or two.
        assert -14 < bands.max() - 20 * np.log10(level) <= 0


def test_log_mel_is_that_of_scipys_spectrogram():
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 3000, 1)).astype("float32")
    options = {"nperseg": 256, "noverlap": 192, "window": "hann", "boundary": None, "padded": False}
    _, _, spectrum = signal.stft(noise[..., 0], RATE, **options)
    amplitudes = 2 * np.abs(spectrum).transpose(0, 2, 1)
    wanted = 20 * np.log10(np.maximum(amplitudes @ sounds.mel_filters(RATE, 256, 20), 1e-5))
    np.testing.assert_allclose(sounds.log_mel(noise, RATE, 20), wanted, atol=1e-2)


def test_silence_and_clips_shorter_than_a_window_have_a_spectrogram():
    silent = sounds.log_mel(np.zeros((1, 64, 1), "int16"), RATE)
    np.testing.assert_allclose(silent, -100, atol=1e-3)
    assert np.isfinite(sounds.log_mel(tone(samples=70), RATE)).all()


def test_the_sheet_shows_each_clips_waveform_and_tones_at_their_height():
    clips = np.concatenate([tone(500), tone(3000), np.zeros((1, 4000, 1), "float32")])
    sheet = np.asarray(sounds.sheet(clips, RATE, columns=3)).astype(int)
    assert sheet.shape == (4 + 24 + 64 + 4, 3 * 100 + 4, 3)
    low, high, silent = (sheet[28:92, 4 + 100 * i : 100 + 100 * i].sum(axis=2) for i in range(3))
    assert low.mean(axis=1).argmax() > high.mean(axis=1).argmax()  # low tones at the bottom
    assert silent.max() < low.max() / 10
    waves = [(sheet[4:28, 4 + 100 * i : 100 + 100 * i] < 200).any(axis=2) for i in range(3)]
    assert [int(wave.any(axis=1).sum()) for wave in waves] == [24, 24, 1]
    with pytest.raises(ValueError, match="at least one clip"):
        sounds.sheet(clips[:0])


def test_resampling_keeps_the_pitch_and_removes_what_the_new_rate_cannot_hold():
    slow = sounds.resampled(tone(1000)[0], RATE, 4000)
    assert slow.shape == (2000, 1)
    spectrum = np.abs(np.fft.rfft(slow[:, 0]))
    assert spectrum.argmax() * 4000 / 2000 == pytest.approx(1000, abs=2)
    gone = sounds.resampled(tone(3000)[0], RATE, 4000)
    assert np.abs(gone[100:-100]).max() < 0.01
    assert sounds.resampled(tone()[0], RATE, RATE).shape == (4000, 1)


def test_files_hold_the_same_levels(tmp_path):
    clips = np.random.default_rng(0).integers(-(2**15), 2**15, (3, 100, 2)).astype("int16")
    folder = sounds.save_each(clips, tmp_path / "new", RATE, start=7)
    assert sorted(p.name for p in folder.iterdir()) == ["00007.wav", "00008.wav", "00009.wav"]
    for i, clip in enumerate(clips, 7):
        rate, found = wavfile.read(folder / f"{i:05d}.wav")
        assert rate == RATE
        np.testing.assert_array_equal(found, clip)
    path = sounds.write(tone()[0], tmp_path / "deep" / "one.wav")
    assert wavfile.read(path)[0] == sounds.USUAL_RATE
