"""Every model of the zoo keeps every promise. Rows are in `tests/cases.py`."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import zoo
from tests.cases import CASES

NAMES = sorted(CASES)
each_model = pytest.mark.parametrize("name", NAMES)


def make(name, **config):
    return ganzoo.get(name, **{"seed": 0, **CASES[name].config, **config})


def pictures(name, n=16, shape=None, seed=0):
    """`images` or `(images, labels)`, arrays that the model can be trained on."""
    case = CASES[name]
    shape = shape or case.shapes[0]
    rng = np.random.default_rng(seed)
    if len(shape) == 1:
        images = rng.uniform(-0.9, 0.9, (n, *shape)).astype("float32")
    else:
        images = rng.integers(0, 256, (n, *shape)).astype("uint8")
    return (images,) if case.labels is None else (images, rng.integers(0, case.labels, n))


def fit(model, data, **options):
    return model.fit(*data, **{"batch_size": 8, "verbose": 0, **options}).history


def weights(variables):
    return [ops.convert_to_numpy(v.value) for v in variables]


def test_the_cases_are_the_catalogue():
    assert sorted(CASES) == zoo.own_models()


@pytest.mark.parametrize("name, shape", [(n, s) for n in NAMES for s in CASES[n].shapes])
def test_builds_for_a_shape_and_generates_it(name, shape):
    model = make(name, image_shape=shape)
    images = model.generate(3, seed=0)
    assert images.shape == (3, *shape)
    assert images.dtype == (np.uint8 if len(shape) == 3 else np.float32)


@each_model
def test_takes_the_shape_from_the_data(name):
    model = make(name)
    fit(model, pictures(name))
    assert model.image_shape == CASES[name].shapes[0]


@each_model
def test_an_epoch_trains_with_finite_losses_and_the_promised_logs(name):
    model = make(name)
    history = fit(model, pictures(name), epochs=2)
    promised = {"d_loss", "g_loss", "d_real", "d_fake", "d_accuracy_real", "d_accuracy_fake"}
    assert promised <= set(history)
    assert np.isfinite(list(history.values())).all()
    assert int(model.step) == 4
    for signal in ("d_accuracy_real", "d_accuracy_fake"):
        assert 0 <= min(history[signal]) and max(history[signal]) <= 1


@each_model
def test_each_player_moves_all_of_its_weights_and_nobody_elses(name):
    model = make(name, image_shape=CASES[name].shapes[0])
    data = tuple(map(ops.convert_to_tensor, pictures(name)))
    batch = model.prepare(data)
    drawing = [v for p in model.players if p.draws for v in p.variables]
    drawn, pullback = backend.record(lambda: model.draw(batch), drawing, model.variables)
    # Two moves each: the very first gradient of some weights may be exactly zero.
    for player in model.players * 2:
        before = weights(model.trainable_variables)
        model._move(player, batch, drawn, pullback if player.draws else None)
        after = weights(model.trainable_variables)
        own = {id(v) for v in player.variables}
        for variable, b, a in zip(model.trainable_variables, before, after):
            assert (b != a).any() == (id(variable) in own), (player.name, variable.path)


@each_model
def test_seeded_runs_repeat(name):
    histories, images = [], []
    for seed in (3, 3, 4):
        model = make(name, seed=seed)
        histories.append(fit(model, pictures(name), epochs=2))
        images.append(model.generate(4, seed=0))
    assert histories[0] == histories[1] != histories[2]
    assert (images[0] == images[1]).all() and (images[0] != images[2]).any()


@each_model
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize("steps", [1, 2])
def test_saved_and_loaded_it_gives_the_same_pictures_and_goes_on_the_same(
    name, precision, steps, tmp_path
):
    model = make(name, precision=precision, discriminator_steps=steps, ema_decay=0.9)
    data = pictures(name, 32)
    fit(model, data, epochs=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.generate(5, seed=1) == model.generate(5, seed=1)).all()
    assert loaded.get_config() == model.get_config()
    resumed, straight = (fit(m, data, epochs=4, initial_epoch=2) for m in (loaded, model))
    assert resumed == straight
    for a, b in zip(weights(loaded.variables), weights(model.variables)):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(weights(loaded.optimizer.variables), weights(model.optimizer.variables)):
        np.testing.assert_array_equal(a, b)


@each_model
def test_weights_alone_round_trip(name, tmp_path):
    model = make(name)
    fit(model, pictures(name))
    model.save_weights(tmp_path / "model.weights.h5")
    other = make(name, seed=9, image_shape=model.image_shape)
    assert (other.generate(4, seed=0) != model.generate(4, seed=0)).any()
    other.load_weights(tmp_path / "model.weights.h5")
    assert (other.generate(4, seed=0) == model.generate(4, seed=0)).all()


@each_model
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_with_float32_weights_and_losses(name, precision):
    model = make(name, precision=precision, image_shape=CASES[name].shapes[0])
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    inputs = np.zeros((1, model.latent_dim), "float32")
    inputs = inputs if CASES[name].labels is None else [inputs, np.zeros(1, "int32")]
    hidden = {layer.compute_dtype for layer in model.generator.layers}
    assert precision.removeprefix("mixed_") in hidden
    assert ops.convert_to_numpy(model.generator(inputs)).dtype == np.float32
    history = fit(model, pictures(name), epochs=3)
    assert np.isfinite(list(history.values())).all()
    if precision == "mixed_float16":
        for optimizer in model.optimizer.optimizers:
            assert type(optimizer).__name__ == "LossScaleOptimizer"
            assert int(optimizer.iterations) > 0


@each_model
def test_compiled_by_xla_or_not_the_losses_agree(name, monkeypatch):
    """Same weights, same latents, no dropout: only the order of sums may differ."""
    config = {"dropout": (0.0, 0.0)} if name == "vanilla" else {}
    latents = np.random.default_rng(1).standard_normal((8, 6)).astype("float32")
    losses = {}
    for jit in (False, True):
        model = make(name, jit_compile=jit, **config)
        sample = lambda self, n: ops.convert_to_tensor(latents)
        monkeypatch.setattr(type(model), "sample_latents", sample)
        assert model.jit_compile is jit
        losses[jit] = fit(model, pictures(name), epochs=3)
    for key in losses[True]:
        # float32 sums of ~1e3 terms in another order, over six Adam steps
        np.testing.assert_allclose(losses[True][key], losses[False][key], rtol=2e-3, atol=2e-4)


@each_model
def test_generate_is_a_function_of_the_seed_whatever_the_batch_size(name):
    model = make(name)
    fit(model, pictures(name))
    images = model.generate(11, seed=5)
    for batch_size in (1, 4, 256):
        other = model.generate(11, seed=5, batch_size=batch_size)
        np.testing.assert_array_equal(other, images)
    assert (model.generate(4, seed=5) == images[:4]).all()
    assert (model.generate(11, seed=6) != images).any()
    assert (model.generate(11) != model.generate(11)).any()


@each_model
def test_generate_from_latents_and_truncated(name):
    model = make(name, image_shape=CASES[name].shapes[0])
    latents = next(model._latents(4, None, 7, None, 4))
    assert (model.generate(4, latents=latents) == model.generate(4, seed=7)).all()
    narrow, wide = (next(model._latents(1000, None, 7, t, 1000)) for t in (0.5, None))
    assert np.abs(narrow).max() <= 0.5
    assert np.corrcoef(narrow.ravel(), wide.ravel())[0, 1] > 0.9


@each_model
def test_validation_moves_nothing(name):
    model = make(name)
    data = pictures(name)
    fit(model, data)
    before = weights(model.variables) + weights(model.optimizer.variables)
    logs = model.evaluate(*pictures(name, seed=1), batch_size=8, verbose=0, return_dict=True)
    for a, b in zip(before, weights(model.variables) + weights(model.optimizer.variables)):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(list(logs.values())).all()
    images, *labels = pictures(name, seed=1)
    held_out = (images, *labels) if labels else images
    history = fit(model, data, validation_data=held_out)
    assert {f"val_{key}" for key in logs} <= set(history)


@each_model
def test_the_docstring_says_what_users_need(name):
    cls = zoo.model_class(name)
    doc = inspect.getdoc(cls)
    for section in ("Args:", "Example:", "Departures from the paper:", "References:", "arXiv:"):
        assert section in doc, section
    own = inspect.signature(cls.__init__).parameters.values()
    for parameter in own:
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert f"{parameter.name}:" in doc
            assert parameter.default is not parameter.empty
    lines = inspect.getsource(inspect.getmodule(cls)).splitlines()
    assert len(lines) <= 120, "a model file shows only how the model differs"
    assert "train_step" not in vars(cls) and "play" not in vars(cls)


@each_model
def test_what_the_command_line_says_is_what_the_class_has(name):
    described = zoo.describe(name)
    cls = zoo.model_class(name)
    assert described["class"] == cls.__name__
    assert sorted(described["arguments"]) == sorted(cls.arguments())
    model = make(name)
    for argument, default in described["arguments"].items():
        known = {"seed", "name", "jit_compile", *CASES[name].config}
        if argument not in known:
            got = getattr(model, argument)
            assert got == default or got == tuple(default), argument
