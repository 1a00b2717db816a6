"""Log-mel levels as features of sounds."""

import numpy as np

from ganzoo import extractors

RATE = 8000


def tone(hertz, samples=4096, start=0.0, phase=0.0):
    time = np.arange(samples) / RATE
    wave = 0.5 * np.sin(2 * np.pi * hertz * time + phase) * (time >= start)
    return wave[None, :, None].astype("float32")


def levels(clips):
    return extractors.LogMel(RATE)(clips)["features"].reshape(-1, 8, 20)[0]


def test_features_tell_which_tones_sound_when():
    low, high, late = levels(tone(300)), levels(tone(2500)), levels(tone(300, start=0.3))
    assert (low.argmax(axis=1) < high.argmax(axis=1)).all()
    # From 0.3 s of 0.512 on, which is in the fifth of eight parts.
    assert np.abs(late[:4] + 1).max() < 1e-3 and np.abs(late[6:] - low[6:]).max() < 0.01


def test_phases_are_not_heard_and_int16_is_the_same_sound():
    one = levels(tone(300))
    assert np.abs(one - levels(tone(300, phase=2.0))).max() < 0.15
    assert np.abs(one - levels((tone(300) * 2**15).astype("int16"))).max() < 0.15


def test_a_clip_of_few_windows_has_as_many_features():
    assert extractors.LogMel(RATE)(tone(300, samples=70))["features"].shape == (1, 160)


def test_its_hash_is_that_of_its_settings():
    hashes = {extractors.LogMel(rate).hash for rate in (None, 8000, 16_000)}
    assert len(hashes) == 2
