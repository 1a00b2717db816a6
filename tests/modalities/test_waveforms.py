"""Clips of sound: what enters a model and what leaves it."""

import numpy as np
import pytest
from keras import ops
from scipy.io import wavfile

import ganzoo
from ganzoo.callbacks import sample_grid
from ganzoo.modalities import Images
from ganzoo.modalities import Points
from ganzoo.modalities import Waveforms

LEVELS = np.arange(-(2**15), 2**15, dtype="int32").astype("int16").reshape(1, -1, 1)


def clips(n=4, samples=256, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (n, samples, channels)).astype("float32")


def test_all_levels_survive_the_way_into_a_network_and_out_again():
    kind = Waveforms().of(LEVELS.shape[1:])
    for inside in (kind.to_network(LEVELS), np.asarray(kind.preprocess(LEVELS))):
        assert inside.dtype == np.float32 and inside.min() == -1
        np.testing.assert_array_equal(kind.from_network(inside), LEVELS)
        outside, finite = kind.postprocess(ops.convert_to_tensor(inside))
        np.testing.assert_array_equal(ops.convert_to_numpy(outside), LEVELS)
        assert bool(finite)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_reported(wrong):
    outputs = clips()
    outputs[1] = wrong
    examples, finite = Waveforms().postprocess(ops.convert_to_tensor(outputs))
    assert not bool(finite) and ops.convert_to_numpy(examples).dtype == np.int16


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((64,), "samples, channels"),
        ((8, 8, 1), "samples, channels"),
        ((64, 3), r"1 channel \(mono\) or 2 \(stereo\)"),
        ((1, 64), "Transpose them"),
        ((63, 1), "at least 64 samples"),
    ],
)
def test_shapes_of_no_clip_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        Waveforms().of(shape)


def test_what_is_not_in_range_is_refused_with_the_mend():
    model = ganzoo.get("wavegan", sample_rate=8000, channels=1, discriminator_steps=1, seed=0)
    fit = lambda x: model.fit(x, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match=r"from 16 bits with `clips / 32768`"):
        fit(clips() * 1000)
    with pytest.raises(ValueError, match=r"NaN or infinity"):
        fit(np.where(clips() > 0, np.nan, clips()))
    with pytest.raises(ValueError, match=r"int16 or float in \[-1, 1\]. Received uint8"):
        fit(clips().astype("uint8"))
    with pytest.raises(ValueError, match=r"`clips\[..., None\]`"):
        fit(clips()[..., 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x / 1e4, "almost silent"),
        (lambda x: np.abs(x), "no negative values"),
        (lambda x: x + 0.1, "constant offset"),
    ],
)
def test_doubtful_clips_are_doubted(change, message):
    assert Waveforms().doubt(clips()) is None
    assert message in Waveforms().doubt(change(clips()))


def test_the_rate_is_that_of_the_data_and_saved_with_the_model(tmp_path):
    model = ganzoo.get("wavegan", channels=1, discriminator_steps=1, seed=0)
    assert model.sample_rate is None
    folder = Waveforms(rate=11_025).save(clips(8), tmp_path / "clips")
    assert wavfile.read(folder / "00000.wav")[0] == 11_025
    ds = ganzoo.datasets.load(folder, batch_size=4, verbose=False)
    model.fit(ds, epochs=1, verbose=0)
    assert model.sample_rate == 11_025 and model.modality == Waveforms((256, 1), 11_025)
    model.save(tmp_path / "model.keras")
    assert ganzoo.get("wavegan", weights=tmp_path / "model.keras").sample_rate == 11_025
    other = ganzoo.get("wavegan", channels=1, sample_rate=8000, seed=0)
    with pytest.raises(ValueError, match=r"8,000 samples a second; the data has 11,025.*load"):
        other.fit(ds, epochs=1, verbose=0)


def test_a_rate_that_nobody_tells_is_warned_of():
    model = ganzoo.get("wavegan", channels=1, discriminator_steps=1, seed=0)
    with pytest.warns(UserWarning, match="saved at 16,000 samples a second.*`sample_rate=`"):
        model.fit(clips(), batch_size=2, verbose=0)
    assert model.sample_rate is None


def test_a_model_takes_no_rate_from_data_that_it_refuses_or_is_judged_on(tmp_path):
    read = lambda rate, **options: ganzoo.datasets.load(
        Waveforms(rate=rate).save(clips(8), tmp_path / str(rate)),
        **{"batch_size": 4, "verbose": False, **options},
    )
    model = ganzoo.get("wavegan", channels=1, discriminator_steps=1, num_classes=2, seed=0)
    with pytest.raises(ValueError, match="needs labels"):
        model.fit(read(11_025), epochs=1, verbose=0)
    assert model.sample_rate is None
    model = ganzoo.get("wavegan", channels=1, discriminator_steps=1, seed=0)
    model.evaluate(read(11_025), verbose=0)
    assert model.sample_rate is None
    with pytest.raises(ValueError, match="8,000 samples a second; the data has 11,025"):
        model.fit(read(8000), validation_data=read(11_025), epochs=1, verbose=0)


@pytest.mark.parametrize("kind", [Waveforms((64, 1), 8000), Images((8, 8, 1)), Points((2,))])
def test_bfloat16_is_a_float(kind):
    fine = np.zeros((2, *kind.shape), "bfloat16")
    kind.check_values(fine)
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\]"):
        kind.check_values(fine + 3)
    (shown,) = sample_grid.first_examples([fine], 2)
    assert shown.dtype == kind.dtype


def test_rows_for_distances_do_not_hear_phases():
    time = np.arange(4096)[None, :, None] / 8000
    sine = lambda hertz, phase: (np.sin(2 * np.pi * hertz * time + phase) / 2).astype("float32")
    kind = Waveforms(rate=8000)
    first, same, other = (kind.rows(sine(*x))[0] for x in ((440, 0), (440, 2), (880, 0)))
    assert np.linalg.norm(first - same) < 0.1 * np.linalg.norm(first - other)
    assert first.dtype == np.float64 and len(first) <= 32 * 32


def test_it_says_how_long_a_clip_is():
    assert Waveforms((8000, 1), 8000).describe() == "8,000 values at 8,000 Hz (1 s), mono"
    assert Waveforms((100, 2)).describe() == "100 values, stereo"
