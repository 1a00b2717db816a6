"""Bad input gets a clear error that says the mend, and loses nothing."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo


def tiny(name="dcgan", **config):
    return ganzoo.get(name, **{"channels": 2, "latent_dim": 3, "seed": 0, **config})


def pictures(n=8, shape=(8, 8, 1)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype("uint8")


def fit(model, *data, **options):
    return model.fit(*data, **{"batch_size": 4, "verbose": 0, **options})


NAN = np.zeros((8, 8, 8, 1), "float32")
NAN[5, 0, 0, 0] = np.nan
PICTURES = {
    "floats in 0..255": (pictures().astype("float32"), r"\[-1, 1\].*images / 127.5 - 1"),
    "NaN": (NAN, "NaN or infinity"),
    "infinity": (NAN * 0 + np.inf, "NaN or infinity"),
    "no channel axis": (pictures()[..., 0], r"\(height, width, channels\).*\[\.\.\., None\]"),
    "one picture": (pictures()[0], r"\(height, width, channels\)|batches of images"),
    "int64": (pictures().astype("int64"), "uint8 in 0..255 or float"),
    "bool": (pictures() > 127, "uint8 in 0..255 or float"),
    "too small": (pictures(shape=(7, 9, 1)), "at least 8×8.*image_size=8"),
    "five channels": (pictures(shape=(8, 8, 5)), "1 to 4 channels"),
    "channels first": (pictures(shape=(3, 32, 32)), "channels first.*transpose"),
    "empty": (pictures(0), "empty"),
    "smaller than a batch": (pictures(3), "fewer than one training step reads.*batch_size"),
}


@pytest.mark.parametrize("what", PICTURES)
def test_images(what):
    images, message = PICTURES[what]
    model = tiny()
    with pytest.raises(ValueError, match=message):
        fit(model, images)
    assert int(model.step) == 0
    fit(model, pictures())  # nothing is lost: the model can still be trained
    assert int(model.step) == 2


@pytest.mark.parametrize("what", ["floats in 0..255", "NaN"])
def test_images_in_a_data_set(what):
    images, message = PICTURES[what]

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return images[4 * i : 4 * i + 4]

    with pytest.raises(ValueError, match=message):
        tiny().fit(Batches(), verbose=0)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        ds = tf.data.Dataset.from_tensor_slices(images).batch(4)
        with pytest.raises(ValueError, match=message):
            tiny().fit(ds, verbose=0)


LABELS = {
    "missing": ((), "needs labels.*fit\\(images, labels\\)"),
    "too large": ((np.full(8, 3),), r"0\.\.2.*from 3 to 3"),
    "negative": ((np.full(8, -1),), r"0\.\.2.*from -1 to -1"),
    "float": ((np.zeros(8),), "whole numbers.*astype"),
    "one-hot": ((np.eye(3, dtype=int)[[0, 1] * 4],), "argmax"),
    "a column": ((np.zeros((8, 1), int),), r"labels\[:, 0\]"),
    "of the wrong length": ((np.zeros(7, int),), "one label per.*8 and 7"),
    "text": ((np.array(["cat"] * 8),), "whole numbers|numbers"),
}


@pytest.mark.parametrize("what", LABELS)
def test_labels(what):
    labels, message = LABELS[what]
    model = tiny("cgan", num_classes=3)
    with pytest.raises((ValueError, TypeError), match=message):
        fit(model, pictures(), *labels)
    fit(model, pictures(), np.arange(8) % 3)
    assert int(model.step) == 2


def test_other_images_than_the_model_was_built_for():
    model = tiny()
    fit(model, pictures())
    before = [ops.convert_to_numpy(v.value) for v in model.variables]
    for shape in ((8, 8, 3), (12, 8, 1)):
        with pytest.raises(ValueError, match="built for images of shape"):
            fit(model, pictures(shape=shape))
    for a, v in zip(before, model.variables):
        np.testing.assert_array_equal(a, ops.convert_to_numpy(v.value))


def test_points_go_to_models_of_points_only():
    points = np.zeros((8, 2), "float32")
    with pytest.raises(ValueError, match="height, width, channels"):
        fit(tiny(), points)


def test_points_have_no_mirror_images():
    with pytest.raises(ValueError, match="`flip=True` mirrors images. Received points"):
        fit(ganzoo.get("vanilla", flip=True), np.zeros((8, 2), "float32"))


ARGUMENTS = {
    "latent_dim": (0, -1, 1.5, "10"),
    "channels": (0, 2.0),
    "discriminator_steps": (0, -2, True),
    "learning_rate": (0, -1e-4, float("nan"), "fast"),
    "discriminator_learning_rate": (0.0,),
    "beta_1": (-0.1, 1.0),
    "beta_2": (1.5,),
    "ema_decay": (1.0, -0.1),
    "freeze": (-1, 1.5, True),
    "flip": ("auto", "yes", None),
    "ema_images": (0, -5, "many"),
    "augment_target": (1.0, -1.0, "high"),
    "augment_images": (0, 1.5),
    "precision": ("float64", 16),
    "jit_compile": ("yes",),
    "seed": (-1, 0.5),
    "objective": ("wasserstien", None),
    "num_classes": (0, 2.5),
}


@pytest.mark.parametrize(
    "argument, value", [(a, v) for a, values in ARGUMENTS.items() for v in values]
)
def test_arguments_of_models(argument, value):
    with pytest.raises((ValueError, TypeError), match=argument):
        tiny("cgan", **{argument: value})


@pytest.mark.parametrize("option", ["epochs", "batch_size", "steps_per_epoch"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_arguments_of_fit(option, value):
    with pytest.raises((ValueError, TypeError), match=option):
        fit(tiny(), pictures(), **{option: value})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n": 0}, "`n` must be at least 1"),
        ({"n": -3}, "`n` must be at least 1"),
        ({"n": 2.0}, "`n` must be a whole number"),
        ({"n": 2, "batch_size": 0}, "batch_size"),
        ({"n": 2, "seed": -1}, "seed"),
        ({"n": 2, "truncation": 0}, "truncation"),
        ({"n": 2, "latents": np.zeros((3, 3))}, r"shape \(2, 3\)"),
        ({"n": 2, "latents": np.zeros((2, 3)), "seed": 1}, "leave out `seed`"),
        ({"n": 2, "labels": 1}, "no classes"),
    ],
)
def test_arguments_of_generate(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        tiny(image_shape=(8, 8, 1)).generate(**options)


@pytest.mark.parametrize("labels", [3, -1, [0, 1, 2], 0.5, [[0, 1]]])
def test_labels_of_generate(labels):
    with pytest.raises(ValueError, match="labels"):
        tiny("cgan", num_classes=3, image_shape=(8, 8, 1)).generate(2, labels=labels)


def test_generate_before_the_shape_is_known():
    with pytest.raises(ValueError, match="Call `fit` first.*image_shape"):
        tiny().generate(1)


def test_names():
    with pytest.raises(ValueError, match="Did you mean 'dcgan'"):
        ganzoo.get("dcgn")
    with pytest.raises(TypeError, match="Did you mean 'latent_dim'"):
        ganzoo.get("dcgan", latentdim=3)
    with pytest.raises(ValueError, match="Did you mean 'digits'"):
        ganzoo.datasets.load("digit")


def test_a_file_that_is_not_ours(tmp_path):
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="not a model that ganzoo saved"):
        ganzoo.get("dcgan", weights=tmp_path / "other.keras")
