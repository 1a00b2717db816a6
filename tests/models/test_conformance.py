"""Every model of the zoo keeps every promise. Rows are in `tests/cases.py`."""

import ast
import functools
import hashlib
import inspect
import math
import re

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import zoo
from ganzoo.files import safetensors
from ganzoo.game import Game
from ganzoo.game import step
from ganzoo.modalities import kind_of
from tests.cases import CASES
from tests.helpers import some_slow

NAMES = sorted(CASES)
each_model = pytest.mark.parametrize("name", NAMES)


def of_each_kind(kinds=("progan", "cyclegan")):
    """What depends on the core rather than on the model, and takes long: the others are slow.
    These two have a penalty, networks that grow, two domains and players of two networks."""
    return some_slow(kinds, [name for name in NAMES if name not in kinds])


def each_that_can(ability):
    return pytest.mark.parametrize(
        "name", [n for n in ganzoo.list_models(can=ability) if n in CASES]
    )


def make(name, **config):
    # Not compiled by XLA, which for networks this small takes most of the time; one test does.
    return ganzoo.get(name, **{"seed": 0, "jit_compile": False, **CASES[name].config, **config})


def pictures(name, n=16, shape=None, seed=0):
    """`images` or `(images, labels)`, arrays that the model can be trained on."""
    case = CASES[name]
    shape = shape or case.shapes[0]
    rng = np.random.default_rng(seed)
    if len(shape) == 3:
        images = rng.integers(0, 256, (n, *shape)).astype("uint8")
    else:
        images = kind_of(shape).from_network(rng.uniform(-0.9, 0.9, (n, *shape)))
    if case.domains:
        return images, 255 - images[rng.permutation(n)]
    return (images,) if case.labels is None else (images, rng.integers(0, case.labels, n))


def made(model, n, seed):
    """Pictures that the model makes: all of them make some."""
    if hasattr(model, "generate"):
        return model.generate(n, seed=seed)
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, *model.image_shape)).astype("uint8")
    return model.trial(images, images).after


def fit(model, data, **options):
    return model.fit(*data, **{"batch_size": 8, "verbose": 0, **options}).history


def assert_same(history, wanted):
    """TensorFlow may add the terms of a logged sum in another order in another trace of the same
    step: one rounding of float32. Weights must be the same to the last bit."""
    assert history.keys() == wanted.keys()
    for key in wanted:
        np.testing.assert_allclose(history[key], wanted[key], rtol=1e-6, atol=1e-7, err_msg=key)


def weights(variables):
    return [ops.convert_to_numpy(v.value) for v in variables]


def made_before(model, count):
    """Have Keras believe that this process has made so many layers of each of the model's kinds,
    and no others."""
    keras.utils.clear_session(free_memory=False)
    kinds = {re.sub(r"_\d+$", "", layer.name) for layer in model._flatten_layers()}
    for kind in kinds:
        for _ in range(count):
            keras.backend.get_uid(kind)


def test_the_cases_are_the_catalogue():
    assert sorted(CASES) == zoo.own_models()


@pytest.mark.parametrize("name, shape", [(n, s) for n in NAMES for s in CASES[n].shapes])
def test_builds_for_a_shape_and_generates_it(name, shape):
    model = make(name, image_shape=shape)
    images = made(model, 3, seed=0)
    assert images.shape == (3, *shape)
    assert images.dtype == kind_of(shape).dtype


@functools.lru_cache(1)  # a model's tests come one after the other, and models take memory
def trained(name):
    """A model after two epochs, and its history. For tests that leave it as it is."""
    model = make(name)
    return model, fit(model, pictures(name), epochs=2)


@each_model
def test_two_epochs_train_with_finite_losses_and_the_promised_logs(name):
    model, history = trained(name)
    assert model.image_shape == CASES[name].shapes[0]
    promised = {f"{player.prefix}loss" for player in model.players}
    accuracies = set()
    if "discriminator" in model.player_names:
        accuracies = {"d_accuracy_real", "d_accuracy_fake"}
        promised |= {"d_loss", "d_real", "d_fake", *accuracies}
    assert promised <= set(history)
    assert np.isfinite(list(history.values())).all()
    assert int(model.step) == 2 * (16 // 8 // model.turns)
    for signal in accuracies:
        assert 0 <= min(history[signal]) and max(history[signal]) <= 1


@each_model
def test_each_player_moves_all_of_its_weights_and_nobody_elses(name):
    model = make(name, image_shape=CASES[name].shapes[0])
    rng = np.random.default_rng(0)
    moving = [v for v in model.trainable_variables if not v.path.endswith(CASES[name].still)]
    for v in moving:  # away from initial weights where gradients vanish
        v.assign(v + 0.3 * rng.standard_normal(v.shape))
    data = tuple(map(ops.convert_to_tensor, pictures(name)))
    batch = model.prepare(data)
    drawing = [v for p in model.players if p.draws for v in p.variables]
    drawn, pullback = backend.record(lambda: model.draw(batch), drawing, model.variables)
    for player in model.players:
        before = weights(model.trainable_variables)
        step.move(model, player, batch, drawn, pullback if player.draws else None)
        after = weights(model.trainable_variables)
        own = {id(v) for v in player.variables}
        for variable, b, a in zip(model.trainable_variables, before, after):
            moves = id(variable) in own and not variable.path.endswith(CASES[name].still)
            assert (b != a).any() == moves, (player.name, variable.path)


@functools.lru_cache(1)
def trained_again(name):
    """The same once more, in a process that has made other models before."""
    made_before(trained(name)[0], 8)
    model = make(name)
    return model, fit(model, pictures(name), epochs=2)


@each_model
def test_seeded_runs_repeat(name):
    first, wanted = trained(name)
    again, history = trained_again(name)
    assert_same(history, wanted)
    other = make(name, seed=4, image_shape=first.image_shape)
    assert (made(first, 4, seed=0) == made(again, 4, seed=0)).all()
    for a, b in zip(weights(first.variables), weights(again.variables)):
        np.testing.assert_array_equal(a, b)
    initial = make(name, image_shape=first.image_shape)
    a, b = (np.concatenate([w.ravel() for w in weights(m.variables)]) for m in (initial, other))
    assert (a != b).any()


@each_model
def test_layers_have_the_same_names_whatever_the_process_has_made_before(name):
    first = make(name, image_shape=CASES[name].shapes[0])
    made_before(first, 8)
    again = make(name, image_shape=first.image_shape)
    names, others = (
        [layer.name for layer in m._flatten_layers(include_self=False)] for m in (first, again)
    )
    assert names == others
    assert again.name != first.name  # which belongs to the process


@of_each_kind(["dcgan", "vae"])
def test_three_trainings_in_a_process_and_one_that_was_loaded_have_the_same_bits(name, tmp_path):
    data, found = pictures(name), []
    model = make(name, image_shape=CASES[name].shapes[0])
    for count in (0, 8, 3):
        made_before(model, count)
        model = make(name, image_shape=CASES[name].shapes[0])
        found.append(bits(model, fit(model, data)))
    assert found[0] == found[1] == found[2]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    straight, resumed = (bits(m, fit(m, data, epochs=2, initial_epoch=1)) for m in (model, loaded))
    assert resumed == straight != found[0]


def bits(model, history):
    """A hash of all that a training has changed, and of all that it has logged."""
    known = hashlib.sha256(repr(sorted(history.items())).encode())
    for array in weights([*model.variables, *model.optimizer.variables]):
        known.update(np.ascontiguousarray(array).tobytes())
    return known.hexdigest()


@each_model
def test_saved_and_loaded_it_gives_the_same_images_and_goes_on_the_same(name, tmp_path):
    model, _ = trained_again(name)
    trained_again.cache_clear()  # it does not stay as it is
    saved_and_loaded(model, pictures(name), tmp_path)


@of_each_kind()
def test_so_it_does_in_float16_with_more_moves_of_the_discriminator(name, tmp_path):
    config = {"precision": "mixed_float16", "discriminator_steps": 2, "ema_decay": 0.9}
    known = zoo.model_class(name).arguments()
    model = make(name, **{k: v for k, v in config.items() if k in known})
    data = pictures(name, 32)
    fit(model, data, epochs=2)
    saved_and_loaded(model, data, tmp_path)


def saved_and_loaded(model, data, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (made(loaded, 5, seed=1) == made(model, 5, seed=1)).all()
    assert loaded.get_config() == model.get_config()
    resumed, straight = (fit(m, data, epochs=4, initial_epoch=2) for m in (loaded, model))
    assert_same(resumed, straight)
    for a, b in zip(weights(loaded.variables), weights(model.variables)):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(weights(loaded.optimizer.variables), weights(model.optimizer.variables)):
        np.testing.assert_array_equal(a, b)


@each_model
def test_weights_alone_round_trip(name, tmp_path):
    model, _ = trained(name)
    model.save_weights(tmp_path / "model.weights.h5")
    other = make(name, seed=9, image_shape=model.image_shape)
    other.load_weights(tmp_path / "model.weights.h5")
    assert (made(other, 4, seed=0) == made(model, 4, seed=0)).all()
    for a, b in zip(weights(other.variables), weights(model.variables)):
        np.testing.assert_array_equal(a, b)


@each_model
def test_a_file_of_weights_has_all_that_sampling_network(name, tmp_path):
    model = make(name, image_shape=CASES[name].shapes[0])
    for i, variable in enumerate(safetensors.named(model).values()):  # as if it were trained
        if "float" in variable.dtype:
            noise = np.random.default_rng(i).uniform(0, 0.02, variable.shape)
            variable.assign(variable + noise)
    model.step.assign(5)
    path = tmp_path / "model.safetensors"
    safetensors.write(model, path)
    loaded = ganzoo.get(name, weights=path, jit_compile=False)
    assert int(loaded.step) == 5
    levels = lambda m: 127.5 * m.modality.to_network(made(m, 4, 1)).astype(float)
    expected, found = levels(model), levels(loaded)
    # Half precision: relative error 2⁻¹¹ of each weight; a network may add some of them up.
    assert np.abs(found - expected).max() <= 2 and np.abs(found - expected).mean() <= 0.5
    for key in safetensors._networks(model):
        for a, b in zip(model.in_use(key).get_weights(), loaded.in_use(key).get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


@of_each_kind()
def test_float16_trains_with_float32_weights_and_losses(name):
    trains_in_half_precision(name, "mixed_float16")


@of_each_kind()
def test_bfloat16_trains_with_float32_weights_and_losses(name):
    trains_in_half_precision(name, "mixed_bfloat16")


def trains_in_half_precision(name, precision):
    model = make(name, precision=precision, image_shape=CASES[name].shapes[0])
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    for player in model.players:
        for network in player.networks:
            hidden = {layer.compute_dtype for layer in network._flatten_layers()}
            assert precision.removeprefix("mixed_") in hidden, network.name
            for output in keras.tree.flatten(network.output):
                assert output.dtype == "float32", network.name
    history = fit(model, pictures(name), epochs=2)
    assert np.isfinite(list(history.values())).all()
    if precision == "mixed_float16":
        for optimizer in model.optimizer.optimizers:
            assert type(optimizer).__name__ == "LossScaleOptimizer"
            assert int(optimizer.iterations) > 0


def draw_the_same_always(monkeypatch):
    """XLA draws random numbers in a way of its own: in their place, the same ones every time."""
    rng = np.random.default_rng(1)
    normal, uniform = rng.standard_normal(1 << 16), rng.random(1 << 16)

    def drawn(pool, shape):
        return ops.reshape(ops.convert_to_tensor(pool, "float32")[: math.prod(shape)], shape)

    def of_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return minval + (maxval - minval) * drawn(uniform, shape)

    monkeypatch.setattr(keras.random, "normal", lambda shape, **_: drawn(normal, shape))
    monkeypatch.setattr(keras.random, "uniform", of_uniform)


# XLA takes 10 seconds for each of the others.
@of_each_kind(["dcgan"])
def test_compiled_by_xla_or_not_the_losses_agree(name, monkeypatch):
    """Same weights, same draws, no dropout: only the order of sums may differ."""
    draw_the_same_always(monkeypatch)
    losses = {}
    for jit in (False, True):
        model = make(name, jit_compile=jit, **CASES[name].without_noise)
        assert model.jit_compile is jit
        losses[jit] = fit(model, pictures(name), epochs=3)
    for key in losses[True]:
        if "accuracy" in key:
            continue  # it counts signs of numbers near zero
        # float32 sums of ~1e3 terms in another order, over six Adam steps
        np.testing.assert_allclose(losses[True][key], losses[False][key], rtol=2e-3, atol=2e-4)


@each_that_can("generate")
def test_generate_is_a_function_of_the_seed_whatever_the_batch_size(name):
    model = make(name, image_shape=CASES[name].shapes[0], ema_decay=None)
    rng = np.random.default_rng(0)
    for v in model.sampler.trainable_variables:  # so small and young it might paint all the same
        v.assign(v + 0.3 * rng.standard_normal(v.shape))
    images = model.generate(11, seed=5)
    others = [model.generate(11, seed=5, batch_size=size) for size in (1, 4, 256)]
    # Sums of floats in another order may round to the next of 65,536 levels.
    atol = 1 if images.dtype == np.int16 else 0
    for other in (*others, model.generate(4, seed=5)):
        expected = images[: len(other)].astype(float)
        np.testing.assert_allclose(other.astype(float), expected, rtol=0, atol=atol)
    assert (model.generate(11, seed=6) != images).any()
    assert (model.generate(11) != model.generate(11)).any()


@each_that_can("generate")
def test_generate_from_latents_and_truncated(name):
    model, _ = trained(name)
    latents = model.prior(np.random.default_rng(7), 4)
    assert latents.shape == (4, model.latent_width)
    assert (model.generate(4, latents=latents) == model.generate(4, seed=7)).all()
    assert model.generate(4, seed=7, truncation=0.5).shape == (4, *model.image_shape)


def test_truncated_latents_lie_within_and_follow_the_others():
    narrow, wide = (make("dcgan").prior(np.random.default_rng(7), 1000, t) for t in (0.5, None))
    assert np.abs(narrow).max() <= 0.5
    assert np.corrcoef(narrow.ravel(), wide.ravel())[0, 1] > 0.9


@each_model
def test_validation_moves_nothing(name):
    model, history = trained(name)
    before = weights(model.variables) + weights(model.optimizer.variables)
    logs = model.evaluate(*pictures(name, seed=1), batch_size=8, verbose=0, return_dict=True)
    for a, b in zip(before, weights(model.variables) + weights(model.optimizer.variables)):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(list(logs.values())).all()
    assert set(logs) == set(history)


SECTIONS = (
    "When to use:",
    "Args:",
    "Example:",
    "Departures from the paper:",
    "References:",
    "arXiv:",
)


@each_model
def test_the_docstring_says_what_users_need(name):
    cls = zoo.model_class(name)
    doc = inspect.getdoc(cls)
    for section in SECTIONS:
        assert section in doc, section
    told = "".join(c.__doc__ or "" for c in cls.__mro__ if issubclass(c, Game))
    # One argument to a line, or several: "beta_1, beta_2: …".
    names = lambda text, x: re.search(rf"^ +(\w+, )*{x}(, \w+)*:", text, re.MULTILINE)
    for argument in cls.arguments():
        assert names(told, argument), argument
    for parameter in inspect.signature(cls.__init__).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.default is not parameter.empty
            inherited = any(parameter.name in b.arguments() for b in cls.__bases__)
            assert inherited or names(doc, parameter.name), parameter.name
    assert lines_of_code(inspect.getsource(inspect.getmodule(cls))) <= 120, "make it a folder"
    assert "train_step" not in vars(cls) and "play" not in vars(cls)


def lines_of_code(source):
    """Lines beside docstrings, imports, comments and blank ones."""
    tree, aside = ast.parse(source), set()
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if text or isinstance(node, (ast.Import, ast.ImportFrom)):
            aside |= set(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for i, x in lines if i not in aside and x.strip() and x.strip()[0] != "#")


@each_model
def test_what_the_command_line_says_is_what_the_class_has(name):
    described = zoo.describe(name)
    cls = zoo.model_class(name)
    assert described["class"] == cls.__name__
    assert sorted(described["arguments"]) == sorted(cls.arguments())
    model = make(name)
    for argument, default in described["arguments"].items():
        # "auto" is stored as the precision that it was on this device: see `test_precision.py`.
        known = {"seed", "name", "jit_compile", "precision", *CASES[name].config}
        if argument not in known:
            got = getattr(model, argument)
            assert got == default or got == tuple(default), argument
