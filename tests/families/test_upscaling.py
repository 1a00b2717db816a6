"""Upscaling: small images as files have them, parts that fit together, the schedule, scores."""

import json

import numpy as np
import pytest
from keras import ops
from PIL import Image

import ganzoo
from ganzoo import backend
from ganzoo import layers
from ganzoo.extractors import efficientnet
from ganzoo.families import upscaling
from ganzoo.files import safetensors
from ganzoo.files.run_folder import RunFolder
from ganzoo.networks import srgan as networks
from tests.helpers import done
from tests.helpers import fails


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8")


def tiny(**config):
    own = {"channels": 2, "blocks": 1, "content": "pixels", "seed": 0, "jit_compile": False}
    return ganzoo.get("srgan", **{**own, **config})


def levels(images):
    return np.rint(ops.convert_to_numpy(images) * 127.5 + 127.5).astype(int)


def moved(model):
    """The model with weights at which every layer counts."""
    rng = np.random.default_rng(0)
    for v in model.in_use("generator").trainable_variables:
        v.assign(v + 0.1 * rng.standard_normal(v.shape))
    return model


@pytest.fixture(scope="module")
def doubling():
    return moved(tiny(image_shape=(16, 16, 3)))


# Layers and networks --------------------------------------------------------------------------


def test_pixel_shuffle_puts_channels_into_blocks_and_its_gradient_takes_them_back():
    x = np.arange(2 * 3 * 2 * 8, dtype="float32").reshape(2, 3, 2, 8)
    y = ops.convert_to_numpy(layers.PixelShuffle(2)(x))
    for (n, i, j), block in np.ndenumerate(np.empty((2, 3, 2))):
        del block
        part = y[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        np.testing.assert_array_equal(part.reshape(-1), x[n, i, j])
    weights = noise(*y.shape).astype("float32")
    sums = lambda x: ops.sum(weights * layers.PixelShuffle(2)(x))
    slope = ops.convert_to_numpy(backend.input_gradient(sums, ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(ops.convert_to_numpy(layers.PixelShuffle(2)(slope)), weights)


@pytest.mark.parametrize("scale", [2, 4])
def test_enlarge_is_pillows_bicubic_away_from_the_border(scale):
    x = np.random.default_rng(0).uniform(-1, 1, (1, 9, 7, 1)).astype("float32")
    size = (7 * scale, 9 * scale)
    wanted = Image.fromarray(x[0, ..., 0]).resize(size, Image.Resampling.BICUBIC)
    found = ops.convert_to_numpy(layers.Enlarge(scale)(x))[0, ..., 0]
    inside = slice(2 * scale, -2 * scale)
    np.testing.assert_allclose(found[inside, inside], np.asarray(wanted)[inside, inside], atol=1e-6)


@pytest.mark.parametrize("block, scale", [("residual", 2), ("residual", 4), ("dense", 4)])
def test_no_pixel_beyond_the_margin_decides(block, scale):
    margin = networks.margin(1, block)
    network = networks.generator(1, scale, channels=2, blocks=1, block=block)
    for v in network.trainable_variables:  # so that nothing cancels, and all units are active
        v.assign(0.1 * ops.ones_like(v))
    side = 2 * margin + 5
    x = ops.ones((1, side, side, 1))
    places = side // 2 * scale, side // 2 * scale + scale - 1
    slope = backend.input_gradient(lambda x: network(x)[:, places[0] : places[1] + 1, places[0]], x)
    rows = np.nonzero(ops.convert_to_numpy(slope)[0, ..., 0].any(axis=1))[0]
    reach = max(side // 2 - rows.min(), rows.max() - side // 2)
    assert margin - 1 <= reach <= margin


# Data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 4])
def test_the_step_makes_the_small_images_that_files_would_hold(scale):
    model = tiny(scale=scale, image_shape=(19, 17, 3))
    images = noise(4, 19, 17, 3) // 2 + 64  # Pillow also clips between both axes
    batch = model.prepare(images)
    small = levels(batch["small"])
    assert small.shape == (4, 19 // scale, 17 // scale, 3)
    assert np.abs(small - model.shrink(images)).max() <= 1  # and rounds there


def test_crops_are_parts_of_their_images_at_all_places():
    model = tiny(crop=8, image_shape=(10, 11, 1))
    images = np.arange(110, dtype="uint8").reshape(1, 10, 11, 1) + np.zeros((256, 1, 1, 1), "uint8")
    crops = levels(model.prepare(images)["examples"])[..., 0]
    corners = {divmod(int(crop[0, 0]), 11) for crop in crops}
    assert corners == {(i, j) for i in range(3) for j in range(4)}
    for crop in crops:
        i, j = divmod(int(crop[0, 0]), 11)
        np.testing.assert_array_equal(crop, images[0, i : i + 8, j : j + 8, 0])
    model._judging = True
    assert (levels(model.prepare(images)["examples"])[:, 0, 0, 0] == 1 * 11 + 1).all()


# Enlarging ------------------------------------------------------------------------------------


def test_images_enlarged_in_parts_are_as_if_enlarged_whole(doubling, monkeypatch):
    images = noise(2, 70, 40, 3)
    whole = doubling.upscale(images)
    assert whole.shape == (2, 140, 80, 3) and whole.dtype == np.uint8
    monkeypatch.setattr(upscaling, "TILE", 32)
    parts = doubling.upscale(images, batch_size=4)
    assert np.abs(whole.astype(int) - parts).max() <= 1  # sums in another order


def test_a_list_of_images_of_any_size_is_enlarged_one_by_one(doubling):
    images = [noise(5, 9, 3), noise(1, 1, 3)]
    large = doubling.upscale(images)
    assert [x.shape for x in large] == [(10, 18, 3), (2, 2, 3)]
    np.testing.assert_array_equal(large[0], doubling.upscale(images[0][None])[0])


def test_a_new_model_enlarges_as_bicubic_interpolation_does():
    model = tiny(image_shape=(16, 16, 3), channels=8)
    small = model.shrink(noise(2, 32, 32, 3))
    difference = model.upscale(small).astype(int) - model.enlarge(small)
    assert np.abs(difference[:, 4:-4, 4:-4]).max() <= 1  # Pillow rounds between both axes


def test_what_upscalers_refuse(doubling):
    with pytest.raises(ValueError, match="`crop` must be a multiple of `scale`.*crop=12"):
        tiny(scale=4, crop=10)
    with pytest.raises(ValueError, match="`crop=32` is larger than the images, 16×20.*crop=None"):
        tiny(crop=32, image_shape=(16, 20, 1))
    with pytest.raises(ValueError, match="compares images of 3 channels.*Pass `content='pixels'`"):
        tiny(content="efficientnet-lite0", image_shape=(16, 16, 1))
    for bad in (noise(8, 8, 3), noise(2, 8, 8, 1), noise(0, 8, 8, 3)):
        with pytest.raises(ValueError, match=r"images of shape \(n, height, width, 3\), or a list"):
            doubling.upscale(bad)
    with pytest.raises(ValueError, match=r"lie in \[-1, 1\]"):
        doubling.upscale(noise(1, 8, 8, 3).astype("float32"))
    with pytest.warns(UserWarning, match=r"\[0, 1\]"):
        doubling.upscale([noise(8, 8, 3).astype("float32") / 255])
    with pytest.raises(ValueError, match="no networks yet"):
        tiny().upscale(noise(1, 8, 8, 3))
    with pytest.raises(AttributeError, match="no `translate`.*cyclegan, pix2pix"):
        doubling.translate  # noqa: B018


# Training -------------------------------------------------------------------------------------


class _Loud(ganzoo.losses.Objective):
    def signals(self, real_logits, fake_logits):
        return {"loud": ops.mean(ops.ones_like(real_logits))}


def test_the_discriminator_rests_while_the_generator_learns_by_pixels(tmp_path):
    # An objective with logs of its own, and those of the augmentation, in both stages.
    quiet = ganzoo.losses.get("non_saturating")
    objective = _Loud(quiet.discriminator, quiet.generator)
    augment = {"augment": "ada", "objective": objective}
    model = tiny(image_shape=(8, 8, 1), pretraining_steps=3, **augment)
    values = lambda: [ops.convert_to_numpy(v.value) for v in model.discriminator.weights]
    images, before = noise(16, 8, 8, 1), values()
    history = model.fit(images, batch_size=8, verbose=0).history
    assert all((a == b).all() for a, b in zip(before, values()))
    assert history["d_loss"] == history["g_adversarial"] == history["d_loud"] == [0.0]
    assert history["d_augment_p"] == [0.0]
    assert history["g_loss"] == history["g_pixels"] != [0.0]
    assert int(model.optimizer["discriminator"].iterations) == 0
    history = model.fit(images, batch_size=8, epochs=2, initial_epoch=1, verbose=0).history
    assert any((a != b).any() for a, b in zip(before, values()))
    # Steps 3 and 4: the discriminator moves in the second one only.
    assert int(model.optimizer["discriminator"].iterations) == 1
    assert history["d_loss"][0] > 0 and history["g_adversarial"][0] > 0
    assert history["d_loud"] == [0.5]  # of the second step alone


def test_without_adversarial_weight_the_discriminator_never_moves():
    model = tiny(adversarial_weight=0, pretraining_steps=0)
    history = model.fit(noise(8, 8, 8, 1), batch_size=8, verbose=0).history
    assert int(model.optimizer["discriminator"].iterations) == 0 and history["d_loss"] == [0.0]


def test_the_content_loss_compares_features_and_the_choice_is_saved(tmp_path, monkeypatch):
    pytest.importorskip(efficientnet.PACKAGE)
    config = {"content": "auto", "pretraining_steps": 0, "adversarial_weight": 0}
    colour = tiny(image_shape=(16, 16, 3), **config)
    assert colour.get_config()["content"] == "efficientnet-lite0"
    assert tiny(image_shape=(16, 16, 1), **config).content == "pixels"
    colour.load_for_training()
    batch = colour.prepare(noise(2, 16, 16, 3))
    terms, _ = colour.generator_loss(batch, {"fake": batch["examples"]})
    assert float(terms["content"]) == float(terms["pixels"]) == 0
    terms, _ = colour.generator_loss(batch, {"fake": -batch["examples"]})
    assert float(terms["content"]) > 0
    colour.save(tmp_path / "model.keras")
    monkeypatch.setattr(efficientnet, "pretrained", lambda: pytest.fail("it is not needed here"))
    loaded = ganzoo.get("srgan", weights=tmp_path / "model.keras")
    assert loaded.content == "efficientnet-lite0"
    assert loaded.upscale(noise(1, 4, 4, 3)).shape == (1, 8, 8, 3)


# Scores ---------------------------------------------------------------------------------------


@pytest.fixture
def without_features(monkeypatch):
    """As if the perceptual distance, which takes seconds, were not installed."""
    monkeypatch.setattr(efficientnet, "is_installed", lambda: False)


def test_evaluate_compares_with_the_original_beside_bicubic(without_features):
    model = tiny(image_shape=(16, 16, 1))
    images = noise(3, 16, 16, 1)
    sheet = ganzoo.evaluate(model, images)
    large, small = images, model.shrink(images)
    wanted = ganzoo.metrics.psnr(large, model.upscale(small)).mean()
    assert sheet["psnr"].value == pytest.approx(wanted)
    bicubic = model.enlarge(small)
    assert sheet["psnr"].baseline == pytest.approx(ganzoo.metrics.psnr(large, bicubic).mean())
    assert sheet["ssim"].baseline == pytest.approx(ganzoo.metrics.ssim(large, bicubic).mean())
    consistency = ganzoo.metrics.psnr(small, model.shrink(bicubic)).mean()
    assert sheet["consistency"].baseline == pytest.approx(consistency)
    assert sheet.passport["samples"] == 3 and "bicubic" in sheet.passport["baseline"]
    assert any("ganzoo[features]" in note for note in sheet.notes)
    assert "baseline: the bicubic enlargement" in str(sheet)
    again = ganzoo.evaluation.ScoreSheet.from_dict(json.loads(json.dumps(sheet.to_dict())))
    assert again == sheet
    flat = np.full((1, 16, 16, 1), 99, "uint8")  # of which bicubic makes an exact copy
    with_flat = ganzoo.evaluate(model, np.concatenate([images, flat]))
    assert with_flat["psnr"] == sheet["psnr"]
    assert any(note.startswith("psnr is the mean over 3 images: of 1,") for note in with_flat.notes)
    small = ganzoo.evaluate(model, images[:, :12, :10])
    assert "ssim" not in small.scores and small["psnr"].value > 0
    with pytest.raises(ValueError, match="no networks yet"):
        ganzoo.evaluate(tiny(), images)
    with pytest.raises(ValueError, match="not comparable.*task: 'upscale ×2' and 'upscale ×4'"):
        sheet.compare(ganzoo.evaluate(tiny(image_shape=(16, 16, 1), scale=4), images))
    for name, value in (("metrics", "frechet"), ("extractor", "pixels")):
        with pytest.raises(ValueError, match=f"scored by psnr, ssim.*leave out `{name}`"):
            ganzoo.evaluate(model, images, **{name: value})


def test_evaluate_compares_translations_with_their_targets(without_features):
    model = ganzoo.get("pix2pix", image_shape=(8, 8, 1), channels=2, seed=0, jit_compile=False)
    images, targets = noise(3, 8, 8, 1), noise(3, 8, 8, 1, seed=1)
    sheet = ganzoo.evaluate(model, (images, targets))
    wanted = ganzoo.metrics.psnr(targets, model.translate(images)).mean()
    assert sheet["psnr"].value == pytest.approx(wanted)
    assert sheet["psnr"].baseline == pytest.approx(ganzoo.metrics.psnr(targets, images).mean())
    assert "consistency" not in sheet.scores and any("ssim is left out" in x for x in sheet.notes)
    with pytest.raises(ValueError, match=r"pass `\(images, targets\)`.*paired=True"):
        ganzoo.evaluate(model, images)


def test_a_run_of_an_upscaler_is_scored_on_other_images(tmp_path, without_features):
    place, others = tmp_path / "run", tmp_path / "others"
    config = {"image_shape": (8, 8, 1), "channels": 2, "blocks": 1, "content": "pixels"}
    run = RunFolder(place)
    run.checkpoints.folder.mkdir(parents=True)
    ganzoo.get("srgan", **config).save(run.checkpoints.path(1))
    others.mkdir()
    for i, image in enumerate(noise(2, 8, 8)):
        Image.fromarray(image).save(others / f"{i}.png")
    message = fails("evaluate", place, "--data", others, "--export", tmp_path / "export")
    assert "'srgan' makes none of its own. Leave it out" in message
    done("evaluate", place, "--data", others)
    assert "psnr" in ganzoo.evaluation.ScoreSheet.load(next(place.glob("scores*.json"))).scores


# On the command line --------------------------------------------------------------------------


def test_files_are_enlarged_at_their_own_sizes(tmp_path):
    path, folder = tmp_path / "model.safetensors", tmp_path / "in"
    safetensors.write(moved(tiny(image_shape=(16, 16, 3))), path)
    model = ganzoo.get("srgan", weights=path)
    (folder / "deep").mkdir(parents=True)
    first, second = noise(12, 20, 3), noise(9, 5, seed=1)
    Image.fromarray(first).save(folder / "a.png")
    Image.fromarray(second).save(folder / "deep" / "b.bmp")
    out = tmp_path / "out"
    said = done("upscale", path, folder, "-o", f"{out}/")
    assert said == f"2 images enlarged ×2: {out}\n"
    read = lambda name: np.asarray(Image.open(name)).astype(int)
    assert np.abs(read(out / "a.png") - model.upscale(first[None])[0]).max() <= 1
    grey = np.repeat(second[..., None], 3, axis=-1)
    assert np.abs(read(out / "deep" / "b.png") - model.upscale(grey[None])[0]).max() <= 1
    done("upscale", path, folder / "a.png", "-o", tmp_path / "one.png")
    assert (read(tmp_path / "one.png") == read(out / "a.png")).all()
    np.save(tmp_path / "two.npy", np.stack([first, first]))
    done("upscale", path, tmp_path / "two.npy", "-o", tmp_path / "two.npz")
    with np.load(tmp_path / "two.npz") as arrays:
        assert arrays["images"].shape == (2, 24, 40, 3)
    message = fails("upscale", path, folder, "-o", tmp_path / "many.npz")
    assert "images of one size" in message and f"-o {tmp_path / 'many'}/" in message
    assert not (tmp_path / "many.npz").exists()
    message = fails("upscale", path, folder, "-o", tmp_path / "grid.png")
    assert "--out is a folder or ends in .npz for many images" in message
    message = fails("upscale", "dcgan.mnist", folder)
    assert "'dcgan' upscales no images. Those that do: srgan" in message
