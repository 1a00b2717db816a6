"""`flip`: mirror images of the data, drawn in the step."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import runs
from ganzoo import zoo

SMALL = {
    "cogan": {"channels": 4, "latent_dim": 6},
    "dcgan": {"channels": 4, "latent_dim": 6},
    "pix2pix": {"channels": 2},
}


def make(name="dcgan", **options):
    options = {"image_shape": (8, 8, 1), "seed": 0, "jit_compile": False, **options}
    return ganzoo.get(name, **SMALL[name], **options)


def pictures(n=200, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 1)).astype("uint8")


def prepared(model, *data):
    data = tuple(map(ops.convert_to_tensor, data))
    batch = model.prepare(data if len(data) > 1 else data[0])
    return {key: np.rint(ops.convert_to_numpy(x) * 127.5 + 127.5) for key, x in batch.items()}


def mirrored(before, after):
    """Which images are mirrored; each is, or is as it was."""
    same, other = ((after == x).all((1, 2, 3)) for x in (before, before[:, :, ::-1]))
    assert (same ^ other).all()
    return other


def test_half_of_the_images_are_mirrored_and_others_each_time():
    model, x = make(flip=True), pictures()
    first, second = (mirrored(x, prepared(model, x)["examples"]) for _ in range(2))
    assert 70 < first.sum() < 130 and (first != second).any()


def test_images_that_belong_together_are_mirrored_together_and_others_by_themselves():
    x, y = pictures(), pictures(seed=1)
    for name, together in (("pix2pix", True), ("cogan", False)):
        batch = prepared(make(name, flip=True), x, y)
        chosen = mirrored(x, batch["examples"]), mirrored(y, batch["targets"])
        assert 70 < chosen[1].sum() < 130
        assert (chosen[0] == chosen[1]).all() == together


def test_nothing_is_mirrored_where_losses_are_only_judged():
    seen, model, x = [], make(flip=True), pictures(16)
    look = model.look
    model.look = lambda images, batch: seen.append(images) or look(images, batch)
    with keras.StatelessScope():
        model.judge(ops.convert_to_tensor(x))
    real = np.rint(ops.convert_to_numpy(seen[0]) * 127.5 + 127.5)
    np.testing.assert_array_equal(real, x)


def test_a_saved_model_goes_on_with_the_same_mirror_images(tmp_path):
    model, x = make(flip=True), pictures(32)
    model.fit(x, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, other):
        each.fit(x, batch_size=8, verbose=0)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("both_ways", [True, False])
def test_a_run_asks_the_data_and_keeps_the_answer(tmp_path, both_ways):
    x = np.linspace(0, 255, 8).astype("uint8")[None, None, :, None].repeat(64, 0).repeat(8, 1)
    noise = np.random.default_rng(0).integers(0, 256, x.shape)
    x = (x // 2 + noise // 8).astype("uint8")
    if both_ways:
        x[::2] = x[::2, :, ::-1]
    np.save(tmp_path / "x.npy", x)
    said = []

    def train(epochs):
        return runs.train(
            "dcgan",
            tmp_path / "x.npy",
            out=tmp_path / "run",
            epochs=epochs,
            batch_size=16,
            arguments={**SMALL["dcgan"], "flip": "auto"},
            score_every=0,
            say=said.append,
            verbose=0,
        )

    assert train(1).flip == both_ways
    flips = [line for line in said if line.startswith("Flips: ")]
    assert len(flips) == 1 and flips[0].startswith(f"Flips: {'on' if both_ways else 'off'}. ")
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["settings"]
    assert settings["arguments"]["flip"] == "auto"
    said.clear()
    assert train(2).flip == both_ways
    assert not any(line.startswith("Flips: ") for line in said)
    assert zoo.resume("dcgan", tmp_path / "run").flip == both_ways


def test_a_run_from_weights_asks_too(tmp_path):
    model = make()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", pictures(32))  # noise faces both ways
    network = runs.train(
        "dcgan",
        tmp_path / "x.npy",
        out=tmp_path / "run",
        weights=tmp_path / "model.keras",
        epochs=1,
        batch_size=16,
        arguments={"flip": "auto"},
        score_every=0,
        say=lambda line: None,
        verbose=0,
    )
    assert network.flip is True
