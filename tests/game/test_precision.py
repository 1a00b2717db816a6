"""`precision="auto"`: decided by a measurement, kept, and saved with the model."""

import json
import os

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import backend
from ganzoo.game import precision
from tests.helpers import done
from tests.helpers import fails

has_bfloat16_unit = backend.has_bfloat16_unit  # before they are replaced for all tests
bfloat16_speed = precision.bfloat16_speed
TINY = {"channels": 4, "latent_dim": 6, "seed": 0, "image_shape": (8, 8, 1)}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "bfloat16_speed", bfloat16_speed)
    bfloat16_speed.cache_clear()
    yield tmp_path / "cache" / "precision.json"
    bfloat16_speed.cache_clear()


@pytest.fixture
def processor(monkeypatch, cache):
    """A function that sets what the processor has and measures; it returns the measurements."""
    monkeypatch.setattr(backend, "best_precision", lambda: None)
    made = []

    def have(unit, ratio):
        monkeypatch.setattr(backend, "has_bfloat16_unit", lambda: unit)
        monkeypatch.setattr(precision, "measure", lambda: made.append(ratio) or ratio)
        bfloat16_speed.cache_clear()
        return made

    return have


@pytest.mark.parametrize(
    ("unit", "ratio", "policy"),
    [
        (True, 1.9, "mixed_bfloat16"),
        (True, 1.2, "mixed_bfloat16"),
        (True, 1.1, "float32"),
        (True, 0.4, "float32"),
        (False, 1.9, "float32"),
    ],
)
def test_the_processor_and_a_measurement_decide(processor, unit, ratio, policy):
    made = processor(unit, ratio)
    model = ganzoo.get("dcgan", **TINY)
    assert model.precision == model.dtype_policy.name == policy
    assert len(made) == unit


def test_an_accelerator_decides_without_a_measurement(processor, monkeypatch):
    made = processor(True, 9.0)
    monkeypatch.setattr(backend, "best_precision", lambda: "mixed_float16")
    assert precision.best().policy == "mixed_float16" and made == []


def test_the_measurement_is_kept_for_other_processes(processor, cache):
    made = processor(True, 1.5)
    assert precision.best().times_as_fast == 1.5
    processor(True, 7.0)  # forgets what this process knows
    assert precision.best().times_as_fast == 1.5 and made == [1.5]
    assert len(json.loads(cache.read_text())) == 1


def test_another_processor_measures_for_itself(processor, cache, monkeypatch):
    processor(True, 1.5)
    precision.best()
    monkeypatch.setattr(backend, "device", lambda: "another, 4 cores")
    processor(True, 3.0)
    assert precision.best().times_as_fast == 3.0
    assert len(json.loads(cache.read_text())) == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"x": 1}', b"3", None], ids=str
)
def test_a_broken_cache_is_measured_again_without_an_error(processor, cache, content):
    cache.parent.mkdir()
    if content is None:
        cache.mkdir()
    else:
        cache.write_bytes(content)
    made = processor(True, 1.5)
    assert precision.best().policy == "mixed_bfloat16" and made == [1.5]


@pytest.mark.parametrize("value", ["fast", None, [1.5], {}, 0.0, -1.0, float("nan"), True])
def test_a_broken_entry_is_measured_again(processor, cache, value):
    processor(True, 1.5)
    precision.best()
    kept = json.loads(cache.read_text())
    cache.write_text(json.dumps(dict.fromkeys(kept, value)))
    processor(True, 2.5)
    assert precision.best().times_as_fast == 2.5


def test_a_cache_that_cannot_be_written_is_no_error(processor, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "file" / "cache"))
    processor(True, 1.5)
    assert precision.best().policy == "mixed_bfloat16"


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_real_measurement_is_a_positive_number(data_format):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(data_format)  # as keras.json may say
    try:
        assert 0.01 < precision.measure(rounds=1) < 100
    finally:
        keras.config.set_image_data_format(before)


def test_a_model_keeps_its_precision_where_it_is_loaded(processor, tmp_path):
    processor(True, 2.0)
    ganzoo.get("dcgan", **TINY).save(tmp_path / "model.keras")
    processor(False, 2.0)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.precision == loaded.dtype_policy.name == "mixed_bfloat16"


def test_a_model_saved_before_the_choice_was_kept_stays_in_float32(processor):
    processor(True, 2.0)
    config = {**ganzoo.get("dcgan", **TINY, precision="float32").get_config(), "precision": "auto"}
    assert ganzoo.models.DCGAN.from_config(config).dtype_policy.name == "float32"


def test_imitated_bfloat16_is_warned_of_with_its_cost(processor, tmp_path):
    processor(False, 0.4)
    with pytest.warns(UserWarning, match="takes 2.5 times as long as in float32. Use `precision="):
        model = ganzoo.get("dcgan", **TINY, precision="mixed_bfloat16")
    assert model.dtype_policy.name == "mixed_bfloat16"  # as it was asked for
    model.save(tmp_path / "model.keras")
    with pytest.warns(
        UserWarning, match="imitates bfloat16 on this processor"
    ):  # it goes on, and says so
        keras.saving.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("name", ["dcgan", "stylegan2", "vae", "bigan"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_samples_are_those_of_float32_whatever_it_trained_in(processor, name, policy):
    processor(True, 2.0)
    small = {"channels": 4, "latent_dim": 6, "image_shape": (8, 8, 1)}
    model, plain = (ganzoo.get(name, seed=0, precision=p, **small) for p in (policy, "float32"))
    for ours, theirs in zip(plain.weights, model.weights, strict=True):
        ours.assign(theirs)
    for network in model.averages.names:
        assert model.in_use(network).compute_dtype == "float32"
        assert getattr(model, network).compute_dtype == policy.removeprefix("mixed_")
    np.testing.assert_array_equal(model.generate(4, seed=0), plain.generate(4, seed=0))


def test_what_computes_is_printed(processor):
    processor(True, 1.84)
    text = done("info", "--device")
    assert backend.device() in text and keras.backend.backend() in text
    assert "precision='auto' is mixed_bfloat16: In bfloat16 a training step is 1.8 times" in text
    facts = json.loads(done("info", "--device", "--json"))
    assert facts["policy"] == "mixed_bfloat16" and facts["times_as_fast"] == 1.84
    processor(False, 0.5)
    assert "is float32: This processor has no unit for bfloat16." in done("info", "--device")


@pytest.mark.parametrize("words", [[], ["dcgan", "--device"]])
def test_info_needs_a_model_or_the_device(words):
    assert "Name a MODEL, or give --device" in fails("info", *words)


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="Linux tells it there")
def test_the_unit_is_read_from_the_processors_flags(monkeypatch):
    for flags, has in (("fma amx_bf16", True), ("avx512_bf16", True), ("bf16x avx2", False)):
        monkeypatch.setattr(backend, "_cpuinfo", lambda flags=flags: {"flags": flags})
        assert has_bfloat16_unit() is has


@pytest.mark.parametrize("name", ["dcgan.fashion_mnist", "vanilla.mnist", "pix2pix.openmoji"])
def test_shipped_weights_make_the_same_samples_on_every_processor(processor, name):
    model, tag = name.split(".")

    def made():
        loaded = ganzoo.get(model, weights=tag)
        if hasattr(loaded, "generate"):
            return loaded.generate(4, seed=0)
        rng = np.random.default_rng(0)
        return loaded.translate(rng.integers(0, 256, (2, *loaded.image_shape), "uint8"))

    processor(False, 2.0)
    plain = made()
    processor(True, 2.0)
    np.testing.assert_array_equal(made(), plain)


def test_a_checkpoint_from_before_the_choice_was_kept_goes_on_in_float32(processor, tmp_path):
    processor(True, 2.0)
    model = ganzoo.get("dcgan", **TINY, precision="float32")
    model.precision = "auto"  # as it was saved then
    model.save(tmp_path / "model.keras")
    for load in (
        lambda: ganzoo.get("dcgan", weights=tmp_path / "model.keras"),
        lambda: keras.saving.load_model(tmp_path / "model.keras"),
    ):
        assert load().dtype_policy.name == load().precision == "float32"
