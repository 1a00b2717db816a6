"""Keras's own methods, settings and callbacks: each does what it says, or says what to use."""

import copy
import math
import os
import pickle
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

import ganzoo
from tests.cases import CASES
from tests.helpers import some_slow

TINY = {"channels": 4, "latent_dim": 6, "seed": 0}
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data is TensorFlow's"
)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), "uint8")


@pytest.fixture(scope="module")
def fitted(images):
    model = ganzoo.get("dcgan", **TINY)
    model.fit(images, batch_size=8, verbose=0)
    return model


def through_a_file(model, folder):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are saving a model that has not yet been built")
        model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


COPIES = {
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "clone_model": lambda model, folder: keras.models.clone_model(model),
    "from_config": lambda model, folder: type(model).from_config(model.get_config()),
    "to_json": lambda model, folder: keras.models.model_from_json(model.to_json()),
    "save": through_a_file,
}


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_a_model_that_was_never_fitted_can_be_fitted(way, images, fitted, tmp_path):
    model = COPIES[way](ganzoo.get("dcgan", **TINY), tmp_path)
    assert not model.built
    model.fit(images, batch_size=8, verbose=0)
    for ours, theirs in zip(model.get_weights(), fitted.get_weights()):
        np.testing.assert_array_equal(ours, theirs)  # seeded, so it is the same training


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "save"])
def test_a_copy_of_a_fitted_model_goes_on_as_the_model_does(way, images, tmp_path):
    model = ganzoo.get("dcgan", **TINY)
    model.fit(images, batch_size=8, verbose=0)
    other = COPIES[way](model, tmp_path)
    np.testing.assert_array_equal(model.generate(3, seed=0), other.generate(3, seed=0))
    histories = [m.fit(images, batch_size=8, verbose=0).history for m in (model, other)]
    assert histories[0] == histories[1]


def test_a_model_without_networks_says_so_whatever_is_asked_of_it(images):
    model = ganzoo.get("dcgan", **TINY)
    latents = np.zeros((2, 6), "float32")
    for ask in (model, model.predict, model.predict_on_batch):
        with pytest.raises(ValueError, match="has no networks yet.*image_shape="):
            ask(latents)
    with pytest.raises(ValueError, match="has no networks yet"):
        model.build()
    model.fit(images, batch_size=8, verbose=0)  # and is none the worse for it


def test_build_makes_the_networks_for_a_shape_of_batches():
    model = ganzoo.get("dcgan", **TINY)
    model.build((None, 12, 16, 3))
    assert model.image_shape == (12, 16, 3) and model.generate(2).shape == (2, 12, 16, 3)


def test_predict_gives_the_generators_floats(fitted):
    latents = np.random.default_rng(0).standard_normal((4, 6)).astype("float32")
    floats = fitted.predict(latents, verbose=0)
    images = np.clip(np.round(floats * 127.5 + 127.5), 0, 255)
    np.testing.assert_allclose(images, fitted.generate(4, latents=latents), atol=1)
    np.testing.assert_allclose(fitted.predict_on_batch(latents), floats, atol=1e-6)


def test_export_says_what_to_use(fitted, tmp_path):
    with pytest.raises(NotImplementedError, match=r"ganzoo\.export\.write\(model"):
        fitted.export(tmp_path / "exported")
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_called_says_so(images):
    model = ganzoo.get("autoencoder", channels=4, latent_dim=6, image_shape=(8, 8, 1))
    with pytest.raises(NotImplementedError, match=r"cannot be called itself.*model\.encode"):
        model.call(images)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "MODEL.H5"])
def test_saving_in_an_old_format_is_refused_and_leaves_no_file(fitted, tmp_path, name):
    with pytest.raises(ValueError, match=r"saved as a `\.keras` file.*save_weights"):
        fitted.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_weights_alone_are_saved_and_loaded(fitted, images, tmp_path):
    fitted.save_weights(tmp_path / "a.weights.h5")
    other = ganzoo.get("dcgan", image_shape=(8, 8, 1), **TINY | {"seed": 1})
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(fitted.generate(3, seed=0), other.generate(3, seed=0))


# train_on_batch --------------------------------------------------------------------------------


@some_slow(["dcgan", "wgan_gp"], ["cgan", "pix2pix", "vae"])
def test_train_on_batch_is_a_step_of_fit(name):
    case = CASES[name]
    rng = np.random.default_rng(0)
    models = [ganzoo.get(name, seed=0, ema_decay=None, **case.config) for _ in range(2)]
    for model in models:
        model.build((None, 8, 8, 1))
    size = 8 * models[0].turns
    x = rng.integers(0, 256, (size, 8, 8, 1), "uint8")
    y = np.arange(size) % case.labels if case.labels else x[::-1].copy() if case.domains else None
    history = models[0].fit(x, y, batch_size=8, shuffle=False, verbose=0).history
    logs = models[1].train_on_batch(x, y, return_dict=True)
    assert logs == pytest.approx({k: v[0] for k, v in history.items()}, rel=1e-5, abs=1e-6)
    for ours, theirs in zip(models[0].get_weights(), models[1].get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_train_on_batch_tells_each_step_by_itself(images):
    model = ganzoo.get("dcgan", **TINY)
    rows = [model.train_on_batch(images[:8], return_dict=True) for _ in range(3)]
    assert int(model.step.numpy()) == 3
    assert len({row["d_loss"] for row in rows}) == 3
    assert model.train_on_batch(images[:8]) != list(rows[-1].values())  # a list without names


def test_test_on_batch_moves_nothing(images):
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), **TINY)
    before = model.get_weights()
    logs = model.test_on_batch(images[:8], return_dict=True)
    assert math.isfinite(logs["d_loss"]) and math.isfinite(logs["g_loss"])
    for ours, theirs in zip(before, model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_train_on_batch_refuses_what_fit_refuses(images):
    model = ganzoo.get("wgan_gp", **TINY)
    with pytest.raises(ValueError, match="reads 5 batches of the same size.*Received 24 examples"):
        model.train_on_batch(images)
    model = ganzoo.get("cgan", num_classes=3, **TINY)
    with pytest.raises(ValueError, match="needs labels"):
        model.train_on_batch(images)
    with pytest.raises(ValueError, match=r"Labels must lie in 0\.\.2"):
        model.train_on_batch(images, np.arange(24))
    with pytest.raises(ValueError, match="one label per image. Received 24 and 3 examples"):
        model.train_on_batch(images, np.arange(3))
    with pytest.raises(ValueError, match="`train_on_batch` of a game knows no weights"):
        model.train_on_batch(images, np.arange(24) % 3, sample_weight=np.ones(24))
    with pytest.raises(ValueError, match="must lie in"):
        model.train_on_batch(images.astype("float32"), np.arange(24) % 3)


# Callbacks and settings ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dcgan", "wgan", "vae"])
def test_terminate_on_nan_ends_a_training_that_diverges(images, name):
    model = ganzoo.get(name, **TINY)
    model.fit(images, batch_size=4, verbose=0)  # so that there is something to spoil
    first = next(v for p in model.players for v in p.variables)
    first.assign(np.full(first.shape, np.nan, "float32"))
    callback = keras.callbacks.TerminateOnNaN()
    with pytest.warns(UserWarning, match="Training ends at batch .* NaN or infinity") as record:
        history = model.fit(images, batch_size=4, epochs=5, verbose=0, callbacks=[callback])
    assert len(history.epoch) == 1 and model.stop_training
    (message,) = [str(w.message) for w in record if "Training ends" in str(w.message)]
    assert "loss" in message


def test_terminate_on_nan_leaves_a_healthy_training_in_peace(images):
    model = ganzoo.get("dcgan", **TINY)
    callback = keras.callbacks.TerminateOnNaN()
    history = model.fit(images, batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    assert len(history.epoch) == 2


@pytest.mark.parametrize("floatx", ["float64", "float16"])
def test_another_floatx_is_refused_with_what_to_type(floatx, images):
    model = ganzoo.get("dcgan", **TINY)
    keras.config.set_floatx(floatx)
    try:
        for ask in (
            lambda: ganzoo.get("vanilla"),
            lambda: model.fit(images, verbose=0),
            lambda: model.train_on_batch(images),
            lambda: model.evaluate(images, verbose=0),
        ):
            with pytest.raises(ValueError, match=rf"'{floatx}'.*set_floatx\('float32'\)"):
                ask()
    finally:
        keras.config.set_floatx("float32")


@some_slow(["dcgan", "cyclegan"], ["sagan", "stylegan2", "progan", "r3gan"])
def test_channels_first_in_keras_json_changes_nothing(name):
    case = CASES[name]
    x = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), "uint8")
    y = np.arange(16) % case.labels if case.labels else x[::-1].copy() if case.domains else None
    found = []
    for order in ("channels_last", "channels_first"):
        keras.config.set_image_data_format(order)
        try:
            model = ganzoo.get(name, seed=0, **case.config)
            model.compile(run_eagerly=True)  # for two steps quicker than to compile them
            model.fit(x, y, batch_size=4 if model.paired is None else 8, verbose=0)
            assert keras.config.image_data_format() == order  # which is the user's
        finally:
            keras.config.set_image_data_format("channels_last")
        found.append(model.get_weights())
    for ours, theirs in zip(*found):
        np.testing.assert_array_equal(ours, theirs)


def test_shipped_weights_work_whatever_keras_json_says(tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    code = "import ganzoo; print(ganzoo.get('dcgan', weights='mnist').generate(2, seed=0).mean())"
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **env},
        ).stdout
        for env in ({}, {"KERAS_HOME": str(tmp_path)})
    ]
    assert found[0] == found[1] != ""


@on_tensorflow
def test_many_models_in_a_process_are_no_reason_for_a_warning(caplog):
    import tensorflow as tf

    images = np.zeros((16, 8, 8, 1), "uint8")
    for _ in range(6):
        model = ganzoo.get("vanilla", generator_units=(4,), discriminator_units=(4,), seed=0)
        model.fit(images, batch_size=8, verbose=0)
        model.generate(2, seed=0)
    assert "retracing" not in caplog.text

    for _ in range(8):  # of functions of the user's own it is still told

        @tf.function
        def own(x):
            return x

        own(tf.zeros(()))
    assert "retracing" in caplog.text


# Batches ---------------------------------------------------------------------------------------


@on_tensorflow
@pytest.mark.parametrize(
    ("sizes", "steps"),
    [((3, 8, 8, 8), 3), ((8, 3, 8, 8), 3), ((5, 5, 8, 6), 3), ((8, 8, 8, 3), 3), ((1, 8), 1)],
)
def test_no_batch_is_thrown_away_for_its_size(sizes, steps, images):
    import tensorflow as tf

    data = np.resize(images, (sum(sizes), 8, 8, 1))
    cuts = np.cumsum((0, *sizes))

    def generate():
        for begin, end in zip(cuts, cuts[1:]):
            yield data[begin:end]

    spec = tf.TensorSpec((None, 8, 8, 1), tf.uint8)
    model = ganzoo.get("dcgan", **TINY)
    model.fit(tf.data.Dataset.from_generator(generate, output_signature=spec), verbose=0)
    assert int(model.step.numpy()) == steps == sum(sizes) // 8


@on_tensorflow
def test_data_without_an_end_is_refused_with_the_argument_to_give(images):
    import tensorflow as tf

    model = ganzoo.get("dcgan", **TINY)
    ds = tf.data.Dataset.from_tensor_slices(images).batch(8)
    endless = ds.repeat()
    with pytest.raises(ValueError, match="never ends. Pass `steps_per_epoch=…`"):
        model.fit(endless, verbose=0)
    with pytest.raises(ValueError, match="never ends. Pass `validation_steps=…`"):
        model.fit(ds, validation_data=endless, verbose=0)
    with pytest.raises(ValueError, match="never ends. Pass `steps=…`"):
        model.evaluate(endless, verbose=0)
    model.fit(endless, steps_per_epoch=2, validation_data=endless, validation_steps=1, verbose=0)
    assert int(model.step.numpy()) == 2
    model.evaluate(endless, steps=1, verbose=0)


def test_a_py_dataset_without_a_length_is_refused_with_the_argument_to_give(images):
    class Endless(keras.utils.PyDataset):
        def __getitem__(self, i):
            return images[:8]

        @property
        def num_batches(self):
            return None

    with pytest.raises(ValueError, match="never ends. Pass `steps_per_epoch=…`"):
        ganzoo.get("dcgan", **TINY).fit(Endless(), verbose=0)


def test_two_arrays_of_images_are_refused_where_one_is_meant(images):
    model = ganzoo.get("dcgan", **TINY)
    for data in ([images[:12], images[12:]], (images, images)):
        with pytest.raises(ValueError, match=r"learns from one array.*np\.concatenate"):
            model.fit(data, verbose=0)
    with pytest.raises(ValueError, match=r"list of 24 images: join them with `np\.stack"):
        model.fit(list(images), verbose=0)
    model.fit([images], batch_size=8, verbose=0)  # one array is meant
    model.fit((images, np.eye(4)[np.arange(24) % 4]), batch_size=8, verbose=0)  # labels, unused


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 28, 28), (4, 8, 12)])
def test_channels_first_images_are_recognised_wherever_they_come_in(shape, fitted):
    images = np.zeros((8, *shape), "uint8")
    for ask in (
        lambda: ganzoo.get("dcgan", **TINY).fit(images, verbose=0),
        lambda: ganzoo.get("vae", channels=4, latent_dim=6).fit(images, verbose=0),
        lambda: ganzoo.get("dcgan", **TINY).train_on_batch(images),
        lambda: ganzoo.get("dcgan", image_shape=shape, **TINY),
    ):
        with pytest.raises(ValueError, match="channels first, as in PyTorch.*transpose"):
            ask()


# Ranges ----------------------------------------------------------------------------------------


def floats_from_0_to_1(dtype="float32"):
    return np.random.default_rng(0).random((16, 8, 8, 1)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_floats_from_0_to_1_are_a_warning_once_in_each_fit(dtype):
    model = ganzoo.get("dcgan", **TINY)
    for _ in range(2):
        with pytest.warns(UserWarning) as record:
            model.fit(floats_from_0_to_1(dtype), batch_size=4, epochs=2, verbose=0)
        assert sum("images * 2 - 1" in str(w.message) for w in record) == 1
    model.fit(floats_from_0_to_1() * 2 - 1, batch_size=4, verbose=0)
    model.fit(np.zeros((8, 8, 8, 1), "float32"), batch_size=4, verbose=0)  # grey is no range


@on_tensorflow
def test_floats_from_0_to_1_are_a_warning_in_a_data_set():
    import tensorflow as tf

    ds = tf.data.Dataset.from_tensor_slices(floats_from_0_to_1()).batch(4)
    with pytest.warns(UserWarning, match=r"floats in \[0, 1\]"):
        ganzoo.get("dcgan", **TINY).fit(ds, epochs=2, verbose=0)


@pytest.mark.parametrize("side", ["samples", "data", "train"])
def test_floats_from_0_to_1_are_a_warning_in_evaluate(side):
    sets = {name: floats_from_0_to_1() * 2 - 1 for name in ("samples", "data", "train")}
    sets[side] = floats_from_0_to_1()
    with pytest.warns(UserWarning, match=r"floats in \[0, 1\]"):
        ganzoo.evaluate(
            sets["samples"],
            sets["data"],
            train=sets["train"],
            extractor="pixels",
            metrics=["diversity"],
        )


def test_floats_from_0_to_1_are_a_warning_where_images_are_encoded():
    model = ganzoo.get("vae", channels=4, latent_dim=6, image_shape=(8, 8, 1))
    with pytest.warns(UserWarning, match=r"floats in \[0, 1\]"):
        model.reconstruct(floats_from_0_to_1())


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (np.array([False, True]), "images * np.uint8(255)"),
        (np.array([0, 65535], "uint16"), "np.uint8(images // 257)"),
        (np.array([0, 255]), "images.astype('uint8')"),
    ],
    ids=["bool", "uint16", "int64"],
)
def test_the_advice_for_a_dtype_gives_what_it_promises(values, advice):
    images = np.resize(values, (8, 8, 8, 1))
    with pytest.raises(ValueError, match="uint8 in 0..255") as error:
        ganzoo.get("dcgan", **TINY).fit(images, batch_size=8, verbose=0)
    assert f"`{advice}`" in str(error.value)
    made = eval(advice)
    assert made.dtype == np.uint8 and made.shape == images.shape
    assert (made.min(), made.max()) == (0, 255)
    ganzoo.get("dcgan", **TINY).fit(made, batch_size=8, verbose=0)
