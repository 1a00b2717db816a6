"""Whether data may be mirrored: sets with known answers."""

import numpy as np
import pytest

from ganzoo import datasets
from ganzoo.datasets import mirroring


def half_mirrored(rng, images):
    chosen = rng.random(len(images)) < 0.5
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def blobs(rng, n, size=24):
    """Bright spots anywhere, dark at the left end and bright at the right: a mean image that is not
    its mirror image."""
    images = rng.normal(size=(n, 6, 6, 3)).repeat(size // 6, 1).repeat(size // 6, 2)
    ramp = np.linspace(-1, 1, size)[None, None, :, None]
    return np.clip(127 + 40 * (images + ramp), 0, 255).astype("uint8")


def strokes(rng, n, size=16):
    """Lines of one slant at random places: the mean image is the same from both sides."""
    y, x = np.mgrid[:size, :size]
    offset = rng.integers(0, size, n)[:, None, None]
    return (255 * ((x + y + offset) % size < 3))[..., None].astype("uint8")


@pytest.mark.parametrize("kind", [blobs, strokes])
@pytest.mark.parametrize("n", [60, 1000])
def test_a_set_that_faces_one_way_is_told_from_one_that_faces_both(rng, kind, n):
    images = kind(rng, n)
    one, both = datasets.mirrored(images), datasets.mirrored(half_mirrored(rng, images))
    assert one.images == both.images == n
    assert not one and one.recognised > 0.9
    assert both and abs(both.recognised - 0.5) < (0.2 if n < 100 else 0.06)


@pytest.mark.parametrize("shape", [(500, 8, 8, 1), (200, 37, 50, 3), (80, 5, 3, 4)])
def test_noise_faces_no_way(rng, shape):
    found = datasets.mirrored(rng.integers(0, 256, shape).astype("uint8"))
    assert found.safe and found.images == shape[0]


def test_images_that_are_their_own_mirror_images_tell_nothing(rng):
    half = rng.integers(0, 256, (50, 9, 7, 1)).astype("uint8")
    images = np.concatenate([half, half[:, :, ::-1]], axis=2)
    assert datasets.mirrored(images).recognised == 0.5


def test_a_set_with_each_mirror_image_may_be_mirrored(rng):
    images = strokes(rng, 300)
    assert datasets.mirrored(np.concatenate([images, images[:, :, ::-1]])).safe


def test_digits_face_one_way_however_they_are_passed():
    ds = datasets.load("digits", labels=True, batch_size=100, verbose=False)
    found = datasets.mirrored(ds)
    assert found.images == 1000 and not found
    images = np.concatenate([np.asarray(x) for x, _ in ds])
    assert not datasets.mirrored(images, images=50)
    assert datasets.mirrored(images, images=50).images == 50
    text = str(found)
    assert text.startswith("Flips: off. 9") and "of 1,000 images" in text
    assert text.endswith("a guess tells 50%, and flips are safe up to 60%.")


def test_few_images_need_more_evidence():
    assert mirroring.Mirroring(0.65, 50).safe and not mirroring.Mirroring(0.65, 500).safe


def test_boxes_average_all_pixels_the_same_from_both_ends():
    for side in (1, 8, 16, 17, 37, 100):
        matrix = mirroring._boxes(side)
        np.testing.assert_allclose(matrix.sum(1), 1, rtol=1e-6)
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-7)
        # Every pixel counts as much.
        np.testing.assert_allclose(matrix.sum(0), min(side, 16) / side, rtol=1e-5)


def test_what_cannot_be_mirrored_is_said(rng):
    with pytest.raises(ValueError, match="only one image"):
        datasets.mirrored(np.zeros((1, 8, 8, 1), "uint8"))
    with pytest.raises(ValueError, match="Only images can be mirrored"):
        datasets.mirrored(datasets.load("ring", verbose=False))
    with pytest.raises(ValueError, match="`images` must be at least 2"):
        datasets.mirrored(np.zeros((8, 8, 8, 1), "uint8"), images=1)
