"""Differentiable augmentation: what it does to pictures, and that gradients pass through."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import augmentations
from ganzoo import backend


def change(names, images, seed=0):
    out = augmentations.get(names)(ops.convert_to_tensor(images), keras.random.SeedGenerator(seed))
    return ops.convert_to_numpy(out)


def test_none_changes_nothing(rng):
    images = rng.normal(size=(3, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(change(None, images), images)


def test_translation_moves_by_at_most_an_eighth_and_zeros_come_in(rng):
    images = rng.uniform(1, 2, (400, 16, 8, 1)).astype("float32")
    got = change("translation", images)
    seen = set()
    for before, after in zip(images, got):
        for down in range(-2, 3):
            for right in range(-1, 2):
                moved = np.zeros_like(before)
                rows = slice(max(0, down), 16 + min(0, down))
                columns = slice(max(0, right), 8 + min(0, right))
                source = before[max(0, -down) : 16 - max(0, down)]
                moved[rows, columns] = source[:, max(0, -right) : 8 - max(0, right)]
                if np.array_equal(moved, after):
                    seen.add((down, right))
    # All 15 shifts; that one of them is missed in 400 draws has a chance below 1e-10.
    assert len(seen) == 15


def test_cutout_empties_a_rectangle_of_half_the_sides():
    got = change("cutout", np.ones((200, 8, 12, 2), "float32"))
    sizes = (got[..., 0] == 0).sum(axis=(1, 2))
    assert sizes.max() == 4 * 6 and sizes.min() < 24  # at the borders less of it
    assert ((got == 0) | (got == 1)).all() and (got[..., 0] == got[..., 1]).all()
    for picture in got[..., 0]:
        empty = np.argwhere(picture == 0)
        height, width = empty.max(0) - empty.min(0) + 1
        assert height * width == len(empty) and height <= 4 and width <= 6


def test_color_moves_brightness_saturation_and_contrast_of_each_image(rng):
    images = rng.uniform(-1, 1, (500, 4, 4, 3)).astype("float32")
    got = change("color", images)
    shift = got.mean(axis=(1, 2, 3)) - images.mean(axis=(1, 2, 3))
    # Uniform within ±0.5: standard deviation 0.289, of which 500 show 3 % at most off.
    assert np.abs(shift).max() <= 0.5 + 1e-5 and shift.std() == pytest.approx(0.289, rel=0.1)
    grey = lambda x: x.mean(axis=3, keepdims=True)
    spread = lambda x: x.std(axis=(1, 2, 3))
    contrast = spread(grey(got)) / spread(grey(images))
    assert 0.5 - 1e-4 <= contrast.min() < 0.55 and 1.45 < contrast.max() <= 1.5 + 1e-4
    saturation = spread(got - grey(got)) / spread(images - grey(images)) / contrast
    assert saturation.min() < 0.1 and 1.9 < saturation.max() <= 2 + 1e-3
    # Grey pictures have no saturation.
    assert change("color", images[..., :1]).shape == (500, 4, 4, 1)


def test_the_gradient_passes_through_and_is_that_of_finite_differences(rng):
    images = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    weight = rng.normal(size=(2, 8, 8, 3)).astype("float32")

    def value(x):
        return ops.sum(augmentations.get("diffaugment")(x, keras.random.SeedGenerator(3)) * weight)

    slope = backend.input_gradient(value, ops.convert_to_tensor(images))
    direction = rng.normal(size=images.shape).astype("float32")
    up, down = (float(value(images + h * direction)) for h in (0.5, -0.5))
    # It is linear in the pictures: the difference errs by rounding alone.
    assert float(ops.sum(slope * direction)) == pytest.approx(up - down, rel=1e-3)


def test_real_and_generated_images_are_changed_for_both_players(rng, monkeypatch):
    seen = []

    def spy(images, seed):
        seen.append(images.shape)
        return images

    monkeypatch.setattr(augmentations, "get", lambda *_: spy)
    model = ganzoo.get("dcgan", channels=4, image_shape=(8, 8, 1), augment="color", seed=0)
    batch = model.prepare(rng.integers(0, 255, (4, 8, 8, 1)).astype("uint8"))
    drawn = model.draw(batch)
    model.discriminator_loss(batch, drawn)
    assert len(seen) == 2
    model.generator_loss(batch, drawn)
    assert len(seen) == 3


def test_a_model_trains_with_it_compiled(rng):
    images = rng.integers(0, 255, (16, 9, 8, 3)).astype("uint8")
    model = ganzoo.get("dcgan", channels=4, augment="diffaugment", seed=0)
    history = model.fit(images, batch_size=8, epochs=1, verbose=0).history
    assert np.isfinite(list(history.values())).all()


def test_what_it_is_not_is_said():
    with pytest.raises(ValueError, match=r"`?augment`?.*'diffaugmnt'.*Did you mean 'diffaugment'"):
        ganzoo.get("dcgan", augment="diffaugmnt")
    with pytest.raises(ValueError, match="a string or None"):
        ganzoo.get("dcgan", augment=3)
    model = ganzoo.get("vanilla", augment="diffaugment")
    with pytest.raises(ValueError, match="changes images.*Leave `augment` out"):
        model.fit(np.zeros((64, 2), "float32"), verbose=0)


def test_two_images_in_one_are_coloured_alike_and_each_by_itself():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 5, 8, 8, 3)).astype("float32")
    both = np.concatenate([a, b], axis=3)
    alone, together = (
        ops.convert_to_numpy(augmentations.get("color", n)(x, keras.random.SeedGenerator(1)))
        for n, x in ((1, a), (2, both))
    )
    np.testing.assert_allclose(together[..., :3], alone, atol=1e-5)
    assert np.abs(together[..., 3:] - together[..., :3]).max() > 0.1


def test_diffaugment_among_others_is_all_of_them():
    x = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    changed = [
        ops.convert_to_numpy(augmentations.get(name)(x, keras.random.SeedGenerator(1)))
        for name in ("diffaugment", "cutout, diffaugment")
    ]
    np.testing.assert_array_equal(*changed)
