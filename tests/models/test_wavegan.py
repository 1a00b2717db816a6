"""WaveGAN on data whose distribution is known: four tones of uniform phase."""

import numpy as np
import pytest

import ganzoo
from ganzoo.layers import PhaseShuffle
from tests.cases import CASES

RATE, LENGTH = 8000, 1024
TONES = np.array([250.0, 500.0, 1000.0, 2000.0])
"""Hertz: whole numbers of periods in a clip."""
BINS = np.round(TONES * LENGTH / RATE).astype(int)


def tones(n, seed):
    """Clips of one of the tones each, all as frequent, with a uniform phase; and the tones."""
    rng = np.random.default_rng(seed)
    which, phases = rng.integers(0, len(TONES), n), rng.uniform(0, 2 * np.pi, (n, 1))
    time = np.arange(LENGTH) / RATE
    clips = 0.5 * np.sin(2 * np.pi * TONES[which, None] * time + phases)
    return clips[..., None].astype("float32"), which


class Heard:
    """What the spectra of clips tell.

    Attributes:
        near: share of the clips that are loudest within one bin of a tone.
        shares: of each tone among them.
        uniform: p-value of Rayleigh's test of each tone's phases.
        rest: median energy beyond three bins of the loudest, relative to that within, in decibels.
    """

    def __init__(self, clips):
        x = clips[..., 0] / (2.0**15 if clips.dtype == np.int16 else 1.0)
        spectra = np.fft.rfft(x * np.hanning(LENGTH), axis=1)
        energies = np.abs(spectra) ** 2
        loudest = energies.argmax(axis=1)
        distances = np.abs(loudest[:, None] - BINS)
        near, which = distances.min(axis=1) <= 1, distances.argmin(axis=1)
        self.near = near.mean()
        self.shares = np.array([(near & (which == i)).mean() for i in range(len(BINS))])
        self.uniform = [
            rayleigh(np.angle(spectra[near & (which == i), place])) for i, place in enumerate(BINS)
        ]
        around = np.abs(np.arange(energies.shape[1]) - loudest[:, None]) <= 3
        within, all_of_it = (energies * around).sum(axis=1), energies.sum(axis=1)
        self.rest = float(np.median(10 * np.log10((all_of_it - within) / within)))


def rayleigh(phases):
    """The p-value of Rayleigh's test: small where phases prefer a direction."""
    length = np.abs(np.exp(1j * phases).mean()) if len(phases) else 1.0
    return float(np.exp(-len(phases) * length**2))


def test_the_judge_hears_what_is_there():
    clips, which = tones(2000, seed=0)
    heard = Heard(clips)
    assert heard.near == 1 and heard.rest < -60 and min(heard.uniform) > 1e-3
    np.testing.assert_allclose(heard.shares, np.bincount(which) / 2000)
    noise = np.random.default_rng(0).normal(0, 0.05, clips.shape)
    # Of the noise's power, 0.0025, that beyond the peak, next to that of the tone, 0.125.
    assert Heard(clips + noise).rest == pytest.approx(10 * np.log10(0.0025 / 0.125), abs=0.3)
    assert Heard(tones(2000, seed=1)[0] / 4).near == 1
    alike = np.repeat(clips[which == 1][:1], 200, axis=0)
    assert Heard(alike).shares.tolist() == [0, 1, 0, 0] and Heard(alike).uniform[1] < 1e-6
    assert Heard(noise).near < 0.2


def test_the_model_of_the_conformance_tests_shifts_phases():
    case = CASES["wavegan"]
    model = ganzoo.get("wavegan", image_shape=case.shapes[0], seed=0, **case.config)
    assert [x.most for x in model.discriminator.layers if isinstance(x, PhaseShuffle)] == [2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_four_tones_of_uniform_phase(seed):
    """A minute of two cores. Without phase shuffle, which moves the critic's features by 4, 16 and
    64 samples, parts of these tones' periods: phases are then what it does not see, and those of
    samples are not uniform (p < 1e-3 for the tones whose period is longer than 4 samples)."""
    model = ganzoo.get(
        "wavegan",
        sample_rate=RATE,
        channels=8,
        latent_dim=4,
        learning_rate=4e-3,
        discriminator_steps=2,
        phase_shuffle=0,
        ema_decay=0.995,
        seed=seed,
    )
    clips, _ = tones(8192, seed=100 + seed)
    model.fit(clips, batch_size=32, epochs=24, verbose=0)  # 3,072 steps
    model.optimizer.learning_rate = 1e-3  # smaller moves around the end, hence less noise
    model.fit(clips, batch_size=32, epochs=28, initial_epoch=24, verbose=0)
    heard = Heard(model.generate(500, seed=1))
    assert heard.near >= 0.95
    assert 0.15 <= heard.shares.min() and heard.shares.max() <= 0.35
    assert min(heard.uniform) > 1e-3
    assert heard.rest < -20
