"""The classifier of spoken digits."""

import numpy as np
import pytest

from ganzoo import datasets
from ganzoo import extractors
from ganzoo import sounds
from ganzoo.extractors.classifier import SOUNDS


def some(rng, n=3, samples=2_000, channels=1):
    """Noise whose loudness and colour change."""
    noise = np.cumsum(rng.standard_normal((n, samples, channels)), axis=1)
    noise = (noise - noise.mean(axis=1, keepdims=True)) / np.abs(noise).max() * 0.9
    return sounds.to_int16(noise)


@pytest.mark.parametrize("name", SOUNDS)
def test_it_gives_features_and_classes(name, rng):
    extractor = extractors.extractor(name)
    assert extractor.name == f"{name}-classifier-v1"
    rows = extractor(some(rng))
    assert rows["features"].shape == (3, 64) and rows["logits"].shape == (3, extractor.classes)
    np.testing.assert_array_equal(rows["modes"], rows["logits"].argmax(axis=1))


@pytest.mark.parametrize("name", SOUNDS)
def test_loudness_and_channels_change_little_and_silence_at_the_end_nothing(name, rng):
    extractor, clips = extractors.extractor(name), some(rng)
    rows = extractor(clips)["features"]
    scale = np.abs(rows).max()
    silence = np.zeros((3, 500, 1), "int16")
    longer = extractor(np.concatenate([clips, silence], axis=1))["features"]
    np.testing.assert_array_equal(longer, rows)
    stereo = extractor(np.repeat(clips, 2, axis=2))["features"]
    np.testing.assert_allclose(stereo, rows, atol=1e-5 * scale)
    assert np.abs(extractor(clips // 8)["features"] - rows).max() < 0.1 * scale


def test_clips_of_another_rate_are_resampled(rng):
    clips = some(rng)
    twice = np.stack([sounds.resampled(sounds.to_float(x), 8_000, 16_000) for x in clips])
    at_its_rate = extractors.SoundClassifier("spoken-digits")(clips)["features"]
    of_another = extractors.SoundClassifier("spoken-digits", 16_000)(sounds.to_int16(twice))
    assert np.abs(of_another["features"] - at_its_rate).max() < 0.2 * np.abs(at_its_rate).max()


def test_images_and_floats_are_refused(rng):
    extractor = extractors.extractor("spoken-digits")
    for wrong in (np.zeros((2, 8, 8, 1), "uint8"), np.zeros((2, 500, 1), "float32")):
        with pytest.raises(ValueError, match="takes clips of sound, int16"):
            extractor(wrong)


def test_it_hears_the_digits_of_real_recordings(real_data):
    extractor = extractors.extractor("spoken-digits")
    ds = datasets.load(
        real_data / "speech" / "fsdd.zip",
        split="test",
        labels=True,
        shuffle=False,
        verbose=False,
        sample_rate=extractor.rate,
        length=extractor.length,
    )
    clips, labels = map(np.concatenate, zip(*ds.as_numpy_iterator()))
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    # The archive's folders are digits, those that it was trained on are words.
    classes = np.array([sorted(words).index(word) for word in words])
    assert (extractor(clips)["modes"] == classes[labels]).mean() > 0.95
