"""`freeze`: the discriminator's first layers keep their loaded weights."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import runs
from ganzoo.files import safetensors

SMALL = {
    "cgan": {"channels": 4, "latent_dim": 6, "num_classes": 3},
    "dcgan": {"channels": 4, "latent_dim": 6},
    "r3gan": {"channels": (8, 4), "group_width": 4, "latent_dim": 6},
    "sngan": {"channels": 8, "latent_dim": 6, "discriminator_steps": 1},
}


def pictures(n=32, shape=(8, 8, 1)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype("uint8")


def trained(name, place):
    """A model after an epoch, in two files."""
    model = ganzoo.get(name, image_shape=(8, 8, 1), seed=0, jit_compile=False, **SMALL[name])
    fit(model)
    model.save(place / "model.keras")
    safetensors.write(model, place / "model.safetensors")
    return model


def fit(model):
    labels = () if model.num_classes is None else (np.arange(32) % model.num_classes,)
    model.fit(pictures(), *labels, batch_size=16, verbose=0)


def counted(model):
    """Weights by layer, of the discriminator's layers that count; last those of the others. The
    direction of spectral normalisation is not one: it is an estimate that all steps improve."""
    layers = [x for x in model.discriminator.layers if x.weights]
    others = [x for x in layers if isinstance(getattr(x, "layer", x), keras.layers.Embedding)]
    layers = [x for x in layers if x not in others]
    mine = lambda layer: [v.numpy() for v in layer.weights if v.name != "direction"]
    return [mine(layer) for layer in [*layers, *others]]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize(
    "name, count, file",
    [
        ("cgan", 1, "model.keras"),
        pytest.param("sngan", 2, "model.safetensors", marks=pytest.mark.slow),
        pytest.param("r3gan", 4, "model.keras", marks=pytest.mark.slow),
    ],
)
def test_the_first_layers_keep_their_loaded_weights_and_all_others_learn(
    tmp_path, name, count, file
):
    trained(name, tmp_path)
    model = ganzoo.get(name, weights=tmp_path / file, freeze=count)
    loaded = counted(model)
    fit(model)
    stays = [same(*pair) for pair in zip(loaded, counted(model))]
    assert stays == [True] * count + [False] * (len(stays) - count)


def test_a_saved_model_goes_on_exactly(tmp_path):
    before = counted(trained("dcgan", tmp_path))
    model = ganzoo.get("dcgan", weights=tmp_path / "model.keras", freeze=2)
    assert all(same(*pair) for pair in zip(before, counted(model)))
    fit(model)
    model.save(tmp_path / "half.keras")
    other = keras.saving.load_model(tmp_path / "half.keras")
    assert other.freeze == 2
    for each in (model, other):
        fit(each)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_can_freeze(tmp_path):
    trained("dcgan", tmp_path)
    np.save(tmp_path / "x.npy", pictures())
    network = runs.train(
        "dcgan",
        tmp_path / "x.npy",
        out=tmp_path / "run",
        weights=tmp_path / "model.keras",
        arguments={"freeze": 1},
        epochs=1,
        batch_size=16,
        score_every=0,
        say=lambda line: None,
        verbose=0,
    )
    loaded = counted(ganzoo.get("dcgan", weights=tmp_path / "model.keras"))
    assert [same(*pair) for pair in zip(loaded, counted(network))][:2] == [True, False]


def test_the_last_layer_must_learn():
    model = ganzoo.get("dcgan", **SMALL["dcgan"], image_shape=(8, 8, 1))
    most = len(counted(model)) - 1
    ganzoo.get("dcgan", **SMALL["dcgan"], image_shape=(8, 8, 1), freeze=most)
    with pytest.raises(ValueError, match=f"`freeze` is at most {most}. Received: {most + 1}"):
        ganzoo.get("dcgan", **SMALL["dcgan"], image_shape=(8, 8, 1), freeze=most + 1)
