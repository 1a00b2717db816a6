"""Adaptive augmentation: what each transformation does, and how its probability moves."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import augmentations
from ganzoo import backend
from ganzoo import losses
from ganzoo.files import safetensors
from tests.helpers import some_slow

TINY = {"channels": 4, "latent_dim": 6, "seed": 0, "jit_compile": False}


def layer(names=augmentations.TRANSFORMS, p=1.0, **options):
    made = augmentations.AdaptiveAugmentation(names, **options)
    made.p.assign(p)
    return made


def change(names, images, p=1.0, seed=0, **options):
    seed = keras.random.SeedGenerator(seed)
    return ops.convert_to_numpy(layer(names, p, **options)(ops.array(images), seed=seed))


def uniform(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


# What it does -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 12, 3), (8, 7, 4), (8, 8, 6)])
def test_at_probability_zero_images_stay_the_same_bit_for_bit(rng, shape):
    images = uniform(rng, 5, *shape)
    pictures = 2 if shape[-1] == 6 else 1
    changed = change(augmentations.TRANSFORMS, images, 0.0, pictures=pictures)
    np.testing.assert_array_equal(changed, images)


@pytest.mark.parametrize("name", augmentations.TRANSFORMS)
def test_at_p_it_changes_that_share_of_the_images(rng, name):
    images = uniform(rng, 2000, 8, 8, 3)
    changed = change((name,), images, 0.5)
    share = (np.abs(changed - images).max(axis=(1, 2, 3)) > 1e-4).mean()
    # A flip, a turn or a shift that is drawn may be none: of 2, 4 and 3×3 equally likely ones, but
    # for shifts by a pixel either way, which are half as likely as none.
    none = {"xflip": 1 / 2, "lumaflip": 1 / 2, "rotate90": 1 / 4, "xint": 1 / 4}.get(name, 0)
    assert share == pytest.approx(0.5 * (1 - none), abs=0.045)  # four standard deviations


def matching(changed, candidates):
    """Which of the candidates each image is."""
    distances = [np.abs(changed - x).max(axis=(1, 2, 3)) for x in candidates]
    assert np.min(distances, axis=0).max() < 1e-5
    return np.argmin(distances, axis=0)


def test_flips_mirror_left_and_right(rng):
    images = uniform(rng, 100, 6, 5, 2)
    found = matching(change(("xflip",), images), [images, images[:, :, ::-1]])
    assert 0.3 < found.mean() < 0.7


def test_quarter_turns_are_exact(rng):
    images = uniform(rng, 200, 6, 6, 3)
    turned = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    counts = np.bincount(matching(change(("rotate90",), images), turned))
    assert len(counts) == 4 and counts.min() > 25


def test_whole_shifts_are_by_at_most_an_eighth_and_mirror_at_the_border(rng):
    images = uniform(rng, 300, 16, 8, 1)
    padded = np.pad(images, ((0, 0), (2, 2), (1, 1), (0, 0)), mode="reflect")
    shifted = [padded[:, i : i + 16, j : j + 8] for i in range(5) for j in range(3)]
    assert set(matching(change(("xint",), images), shifted)) == set(range(15))


def test_pixels_come_from_where_the_map_says():
    """A ramp, which interpolation leaves exact: the result is the map itself."""
    y, x = np.mgrid[:17, :17].astype("float32") - 8
    ramps = np.repeat(np.stack([x, y], -1)[None], 200, 0)
    middle = lambda changed: changed[:, 7:10, 7:10]  # far from the borders

    def slopes(changed):
        part = middle(changed)
        assert np.abs(part[:, 0] - 2 * part[:, 1] + part[:, 2]).max() < 1e-4  # linear
        right, down = part[:, 1, 2] - part[:, 1, 1], part[:, 2, 1] - part[:, 1, 1]
        return np.stack([right, down], -1)

    still = np.abs(change(("scale", "rotate", "aniso"), ramps)[:, 8, 8]).max()
    assert still < 1e-5  # the centre stays
    scaled = slopes(change(("scale",), ramps))
    np.testing.assert_allclose(scaled, scaled[:, :1, :1] * np.eye(2), atol=1e-5)
    assert np.log2(scaled[:, 0, 0]).std() == pytest.approx(0.2, rel=0.2)
    rotated = slopes(change(("rotate",), ramps))
    np.testing.assert_allclose(
        rotated @ rotated.transpose(0, 2, 1), np.broadcast_to(np.eye(2), (200, 2, 2)), atol=1e-4
    )
    angles = np.arctan2(rotated[:, 0, 1], rotated[:, 0, 0])
    assert np.abs(np.quantile(angles, [0.25, 0.75])) == pytest.approx(np.pi / 2, rel=0.25)
    stretched = slopes(change(("aniso",), ramps))
    assert np.linalg.det(stretched) == pytest.approx(1, abs=1e-4)
    assert np.abs(stretched[:, 0, 1]).max() < 1e-5
    shifted = change(("xfrac",), ramps)[:, 8, 8]
    inside = np.abs(shifted).max(axis=1) < 7
    assert inside.mean() > 0.95 and shifted[inside].std() == pytest.approx(0.125 * 17, rel=0.2)


def test_hue_and_saturation_keep_the_luma(rng):
    images = uniform(rng, 300, 2, 2, 3)
    luma = images.mean(-1, keepdims=True)
    length = lambda x: np.linalg.norm(x - x.mean(-1, keepdims=True), axis=-1)
    hue = change(("hue",), images)
    np.testing.assert_allclose(hue.mean(-1, keepdims=True), luma, atol=1e-5)
    np.testing.assert_allclose(length(hue), length(images), atol=1e-5)
    saturated = change(("saturation",), images)
    np.testing.assert_allclose(saturated.mean(-1, keepdims=True), luma, atol=1e-5)
    ratio = length(saturated) / length(images)
    assert np.log2(ratio[:, 0, 0]).std() == pytest.approx(1, rel=0.2)
    np.testing.assert_allclose(saturated - luma, ratio[..., None] * (images - luma), atol=1e-4)


def test_a_third_of_the_hues_exchanges_red_green_and_blue():
    image = np.array([0.9, -0.5, 0.2], "float32").reshape(1, 1, 1, 3)
    images = np.repeat(image, 4000, 0)
    for order in ([1, 2, 0], [2, 0, 1]):
        nearest = np.abs(change(("hue",), images) - image[..., order]).max(axis=(1, 2, 3))
        assert nearest.min() < 0.01


def test_brightness_contrast_and_flipped_luma_are_the_same_for_grey_and_colour(rng):
    grey = uniform(rng, 300, 2, 2, 1)
    colour = np.repeat(grey, 3, -1)
    for name in ("brightness", "contrast", "lumaflip", "hue", "saturation"):
        one, three = change((name,), grey), change((name,), colour)
        np.testing.assert_allclose(three, np.repeat(one, 3, -1), atol=1e-5)
        if name in ("hue", "saturation"):
            np.testing.assert_array_equal(one, grey)
    brighter = change(("brightness",), grey) - grey
    assert brighter[:, 0, 0].std() == pytest.approx(0.2, rel=0.2)
    assert np.abs(brighter - brighter[:, :1, :1]).max() < 1e-5
    contrast = change(("contrast",), grey) / grey
    assert np.log2(contrast[:, 0, 0]).std() == pytest.approx(0.5, rel=0.2)
    assert set(matching(change(("lumaflip",), grey), [grey, -grey])) == {0, 1}
    images = uniform(rng, 100, 2, 2, 3)
    luma = images.mean(-1, keepdims=True)
    assert set(matching(change(("lumaflip",), images), [images, images - 2 * luma])) == {0, 1}


def test_two_images_in_one_are_changed_together(rng):
    image = uniform(rng, 40, 8, 8, 3)
    both = change(augmentations.TRANSFORMS, np.concatenate([image, image], -1), 0.8, pictures=2)
    np.testing.assert_array_equal(both[..., :3], both[..., 3:])
    assert np.abs(both[..., :3] - image).max() > 0.1


def test_transparency_moves_with_the_image_and_keeps_its_values(rng):
    images = uniform(rng, 60, 6, 6, 4)
    changed = change(("xflip", "brightness", "hue"), images)
    assert set(matching(changed[..., 3:], [images[..., 3:], images[:, :, ::-1, 3:]])) == {0, 1}


def test_its_first_and_second_derivatives_are_right(rng):
    images, weight = (ops.array(uniform(rng, 3, 8, 8, 3)) for _ in range(2))
    augment = layer(p=0.8)
    changed = lambda x: augment(x, seed=keras.random.SeedGenerator(3))
    value = lambda x: ops.sum(changed(x) * weight)
    slope = backend.input_gradient(value, images)
    direction = uniform(rng, 3, 8, 8, 3)
    up, down = (float(value(images + h * direction)) for h in (0.5, -0.5))
    # It is linear in the images, apart from brightness: the difference errs by rounding alone.
    assert float(ops.sum(slope * direction)) == pytest.approx(up - down, rel=1e-3)

    def penalty(x):  # a slope that depends on the images, as R1 does
        cube = lambda y: ops.sum(changed(y) ** 3 * weight)
        return ops.sum(backend.input_gradient(cube, x) ** 2)

    slope = backend.input_gradient(penalty, images)
    up, down = (float(penalty(images + h * direction)) for h in (5e-3, -5e-3))
    assert float(ops.sum(slope * direction)) == pytest.approx((up - down) / 0.01, rel=2e-2)


# How its probability moves ------------------------------------------------------------------------


def test_p_rises_and_falls_by_the_exact_amount():
    augment = augmentations.AdaptiveAugmentation(images=1000)
    wanted = 0.0
    real, none = np.ones((50, 1), "float32"), -np.ones((50, 1), "float32")
    mixed = np.sign(np.arange(50) - 9.5).reshape(-1, 1).astype("float32")  # a mean sign of 0.6
    for margins, move in [(real, 0.05)] * 3 + [(none, -0.05)] * 2 + [(0 * real, -0.05)] * 2:
        wanted = max(0.0, wanted + move)
        assert float(augment.adapt(ops.array(margins))) == pytest.approx(wanted, abs=1e-6)
    for _ in range(20):
        augment.adapt(ops.array(real))
    assert float(augment.p) == pytest.approx(0.8)  # above it, the augmentation leaks
    above = augmentations.AdaptiveAugmentation(target=0.5, images=1000)
    assert float(above.adapt(ops.array(mixed))) == pytest.approx(0.05)
    below = augmentations.AdaptiveAugmentation(target=0.7, images=1000)
    below.p.assign(0.5)
    assert float(below.adapt(ops.array(mixed))) == pytest.approx(0.45)


def test_a_sign_is_that_of_the_side_of_the_boundary_or_of_the_fake_next_to_it():
    real, fake = np.array([[2.0], [0.3]]), np.array([[3.0], [-1.0]])
    margins = lambda name: losses.get(name).margins(real, fake).ravel().tolist()
    assert margins("non_saturating") == margins("minimax") == margins("hinge") == [2.0, 0.3]
    assert margins("least_squares") == pytest.approx([1.5, -0.2])
    assert margins("wasserstein") == margins("relativistic") == pytest.approx([-1.0, 1.3])


def pictures(n=32, shape=(8, 8, 3)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape)).astype("uint8")


@pytest.mark.parametrize("options", [{}, {"update": "one_stage", "objective": "minimax"}])
def test_in_training_it_moves_by_the_images_seen(options):
    model = ganzoo.get("dcgan", augment="ada", augment_target=-0.99, augment_images=1000, **TINY)
    history = model.fit(pictures(), batch_size=16, epochs=3, verbose=0).history
    # In each epoch some real image is on the real side: p rises in every move.
    assert float(model.augmentation.p) == pytest.approx(0.096, abs=1e-6)
    # A log is the mean over the epoch's steps.
    assert history["d_augment_p"] == pytest.approx([0.024, 0.056, 0.088], abs=1e-6)


def test_evaluation_leaves_it_alone():
    model = ganzoo.get("dcgan", augment="ada", augment_images=100, **TINY)
    model.fit(pictures(), batch_size=16, verbose=0)
    p = float(model.augmentation.p)
    model.evaluate(pictures(), batch_size=16, verbose=0)
    assert float(model.augmentation.p) == p


SAVED = {
    "r3gan": {"channels": (8, 4), "group_width": 4, "latent_dim": 6},
    "pix2pix": {"channels": 2},  # pairs of images
    "cyclegan": {"channels": 2, "blocks": 1},  # a dict of images
}


@some_slow(["cyclegan"], ["r3gan", "pix2pix"])
def test_a_saved_model_goes_on_exactly(name, tmp_path):
    options = {"augment": "ada", "augment_images": 200, "seed": 0, "jit_compile": False}
    model = ganzoo.get(name, **options, **SAVED[name])
    model.augmentation.p.assign(0.5)
    data = (pictures(),) if model.paired is None else (pictures(), 255 - pictures())
    fit = lambda one: one.fit(*data, batch_size=16, epochs=1, verbose=0)
    fit(model)
    # Two moves: twice to the same side, or once to each.
    moves = round((float(model.augmentation.p) - 0.5) / 0.08, 4)
    assert moves in (-2, 0, 2)
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    assert float(other.augmentation.p) == float(model.augmentation.p)
    fit(model)
    fit(other)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_of_a_model_without_it_are_taken_and_p_begins_at_zero(tmp_path):
    model = ganzoo.get("dcgan", image_shape=(8, 8, 3), **TINY)
    model.save(tmp_path / "model.keras")
    safetensors.write(model, tmp_path / "model.safetensors")
    for file in ("model.keras", "model.safetensors"):
        other = ganzoo.get("dcgan", weights=tmp_path / file, augment="ada")
        assert float(other.augmentation.p) == 0.0
        other.fit(pictures(), batch_size=16, verbose=0)
        other.save(tmp_path / "augmented.keras")
        ganzoo.get("dcgan", weights=tmp_path / "augmented.keras", augment=None)


def test_half_precision_and_several_moves_train():
    options = {**TINY, "discriminator_steps": 2, "precision": "mixed_bfloat16"}
    model = ganzoo.get("sngan", **{**options, "channels": 8}, augment="ada", augment_images=100)
    history = model.fit(pictures(), batch_size=8, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert str(model.augmentation.p.dtype) == "float32"


def test_what_it_is_not_is_said():
    for wrong, message in (
        ("ada:xflop", "Did you mean 'xflip'"),
        ("ada,color", "goes with no other augmentation"),
        ("aba", "Did you mean 'ada'"),
    ):
        with pytest.raises(ValueError, match=message):
            ganzoo.get("dcgan", augment=wrong)
    model = ganzoo.get("vanilla", augment="ada")
    with pytest.raises(ValueError, match="changes images.*Leave `augment` out"):
        model.fit(np.zeros((64, 2), "float32"), verbose=0)


def test_some_of_its_transformations_can_be_chosen():
    model = ganzoo.get("dcgan", augment="ada: xflip, hue", image_shape=(8, 8, 3), **TINY)
    assert model.augmentation.transforms == ("xflip", "hue")
    assert model.get_config()["augment"] == "ada: xflip, hue"
