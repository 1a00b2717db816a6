"""Distances between two images that belong together."""

import numpy as np
import pytest

from ganzoo import metrics
from ganzoo.extractors import efficientnet
from ganzoo.metrics import pairs
from ganzoo.networks.efficientnet_lite0 import efficientnet_lite0
from tests.extractors.test_efficientnet import shapes
from tests.fixtures import efficientnet as fixtures


def example():
    """Two similar images of 24×20 in colour, the same everywhere."""
    y, x, c = np.meshgrid(np.arange(24), np.arange(20), np.arange(3), indexing="ij")
    real = np.abs((7 * y + 3 * x * (c + 1) + 50 * c) % 510 - 255)
    fake = (3 * real + 2 * ((11 * x + 5 * y + c) % 64)) // 4
    return real[None].astype("uint8"), fake[None].clip(0, 255).astype("uint8")


@pytest.mark.parametrize(
    ("channels", "similarity", "decibels"),
    # scikit-image 0.26: structural_similarity(…, channel_axis=-1, gaussian_weights=True, sigma=1.5,
    # use_sample_covariance=False, data_range=255) and peak_signal_noise_ratio.
    [(3, 0.7437627838229379, 22.27016863071249), (1, 0.7230779836776294, 19.635688151578055)],
)
def test_ssim_and_psnr_are_scikit_images(channels, similarity, decibels):
    real, fake = (images[..., :channels] for images in example())
    np.testing.assert_allclose(metrics.ssim(real, fake), [similarity], rtol=1e-12)
    np.testing.assert_allclose(metrics.psnr(real, fake), [decibels], rtol=1e-12)


def test_ssim_of_flat_images_is_that_of_their_brightness():
    dark, light = np.full((1, 16, 16, 1), 50, "uint8"), np.full((1, 16, 16, 1), 100, "uint8")
    expected = (2 * 50 * 100 + 6.5025) / (50**2 + 100**2 + 6.5025)
    np.testing.assert_allclose(metrics.ssim(dark, light), [expected], rtol=1e-9)


@pytest.fixture
def random_weights(monkeypatch):
    """In place of the published ones."""
    network = efficientnet_lite0()
    efficientnet.assign(network, fixtures.weights(shapes(network)))
    monkeypatch.setattr(pairs, "_network", lambda: network)


def test_each_pair_has_a_distance_of_its_own(random_weights):
    real, fake = map(np.concatenate, zip(example(), example()[::-1]))
    fake[1] = real[1]
    for metric, best in (
        (metrics.psnr, np.inf),
        (metrics.ssim, 1.0),
        (metrics.efficientnet_distance, 0.0),
    ):
        values = metric(real, fake)
        assert values.shape == (2,) and values.dtype == np.float64
        assert values[1] == pytest.approx(best) and values[0] != pytest.approx(best)
        np.testing.assert_allclose(metric(fake, real), values, rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(metric(real[:1], fake[:1]), values[:1], rtol=1e-3)
        assert metric(real[:0], fake[:0]).shape == (0,)


def test_the_perceptual_distance_grows_with_the_difference(random_weights):
    real, _ = example()
    noise = np.random.default_rng(0).integers(-20, 20, real.shape)
    noisy = [np.clip(real + k * noise, 0, 255).astype("uint8") for k in (1, 3)]
    near, far = (metrics.efficientnet_distance(real, images)[0] for images in noisy)
    assert 0.001 < near < far < 4
    grey = real[..., :1], noisy[0][..., :1]
    repeated = (np.repeat(images, 3, axis=-1) for images in grey)
    np.testing.assert_allclose(
        metrics.efficientnet_distance(*grey), metrics.efficientnet_distance(*repeated), rtol=1e-5
    )


@pytest.mark.parametrize("metric", [metrics.psnr, metrics.ssim, metrics.efficientnet_distance])
def test_wrong_pairs(metric):
    images = np.zeros((2, 12, 12, 3), "uint8")
    with pytest.raises(ValueError, match=r"`fake` must be uint8.*float32"):
        metric(images, images.astype("float32"))
    with pytest.raises(ValueError, match=r"one shape. Received \(2, 12, 12, 3\) and \(1, 12"):
        metric(images, images[:1])
    with pytest.raises(ValueError, match="`real` must be uint8"):
        metric(images[0], images)


def test_images_smaller_than_the_window():
    images = np.zeros((1, 10, 20, 3), "uint8")
    with pytest.raises(ValueError, match="11×11 pixels. Received images of 10×20"):
        metrics.ssim(images, images)
