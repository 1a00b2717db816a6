"""FastGAN: what its paper says of it."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import ganzoo
from ganzoo.networks import fastgan


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def values(x):
    return np.array(ops.convert_to_numpy(x))


def conv(a, b, side=3):
    return side * side * a * b


def gated(a, b):
    """A convolution without bias to twice as many channels, scales and offsets of these."""
    return conv(a, 2 * b) + 2 * 2 * b


def test_the_networks_have_as_many_parameters_as_the_authors_code():
    """At 256×256, by arithmetic from their code, without its second output and what looks at it."""
    shape = (256, 256, 3)
    two = lambda a, b: gated(a, b) + gated(b, b) + 2  # with two strengths of noise
    scale = lambda a, b: conv(a, b, 4) + conv(b, b, 1)
    made = 256 * 16 * 2048 + 2 * 2048
    made += two(1024, 512) + gated(512, 256) + two(256, 128)
    made += gated(128, 128) + two(128, 64) + gated(64, 32)
    made += scale(1024, 128) + scale(512, 64) + scale(256, 32) + conv(32, 3)
    down = lambda a, b: conv(a, b, 4) + conv(b, b) + conv(a, b, 1) + 3 * 2 * b
    judged = conv(3, 16) + sum(down(16 * 2**i, 32 * 2**i) for i in range(5))
    judged += conv(512, 1024, 1) + 2 * 1024 + conv(1024, 1, 4)
    decoded = gated(128, 64) + gated(64, 64) + gated(64, 32) + conv(32, 3)
    with keras.device("cpu:0"):
        assert parameters(fastgan.generator(shape, 256, 64)) == made
        judge = fastgan.discriminator(shape, 64)
        assert parameters(judge) == judged
        for name, side, wide in (("coarse", 8, 512), ("fine", 16, 256)):
            features = judge.output[name].shape[1:]
            assert features == (side, side, wide)
            quarter = (8, 8, wide)
            decoder = fastgan.decoder(quarter, 3, 4, 64)
            assert decoder.output.shape == (None, 128, 128, 3)
            assert parameters(decoder) == gated(wide, 128) + decoded


@pytest.mark.parametrize(
    "side, excited",
    [(8, [8]), (16, [16]), (32, [32]), (64, [64]), (128, [64, 128]), (256, [64, 128, 256])],
)
def test_excitation_reaches_over_four_doublings_or_all_there_are(side, excited):
    network = fastgan.generator((side, side, 3), 5, 1)
    found = [x.output.shape[1] for x in network.layers if isinstance(x, layers.Multiply)]
    assert found == excited
    assert network.output.shape == (None, side, side, 3)


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
def test_there_are_5_by_5_logits_whatever_the_size(side):
    output = fastgan.discriminator((side, side, 1), 1).output
    assert output["logits"].shape == (None, 5, 5, 1)
    assert [output[name].shape[1:3] for name in ("coarse", "fine")] == [(8, 8), (16, 16)]


def test_excitation_scales_whole_channels_by_the_features_below(rng):
    keras.utils.set_random_seed(0)
    low, high = keras.Input((8, 8, 6)), keras.Input((32, 32, 3))
    network = keras.Model([low, high], fastgan.excite(low, high, 2))
    x, y = (rng.uniform(1, 2, (2, *k.shape[1:])).astype("float32") for k in (low, high))
    factors = values(network([x, y])) / y
    assert np.ptp(factors, axis=(1, 2)).max() < 1e-6
    assert 0 < factors.min() and factors.max() < 1
    assert np.abs(factors[0] - factors[1]).min() > 1e-6
    # Only means over 2×2 pixels count.
    swapped = x.reshape(2, 4, 2, 4, 2, 6)[:, :, ::-1, :, ::-1].reshape(x.shape)
    np.testing.assert_allclose(values(network([swapped, y])) / y, factors, rtol=1e-5)


def test_gated_units_are_values_times_the_sigmoid_of_gates(rng):
    x = rng.standard_normal((2, 3, 3, 8)).astype("float32")
    wanted = x[..., :4] / (1 + np.exp(-x[..., 4:]))
    np.testing.assert_allclose(values(fastgan.GatedUnits()(x)), wanted, rtol=1e-5)


def test_each_image_has_a_quadrant_of_its_own():
    places = np.stack(np.meshgrid(range(4), range(6), indexing="ij"), axis=-1)
    x = np.repeat(places[None], 4, axis=0)
    lower, right = (np.reshape(b, (4, 1, 1, 1)) for b in ([0, 0, 1, 1], [0, 1, 0, 1]))
    parts = values(fastgan.quadrant(x, (lower == 1, right == 1), (2, 3)))
    assert parts.shape == (4, 2, 3, 2)
    assert parts[:, 0, 0].tolist() == [[0, 0], [0, 3], [2, 0], [2, 3]]
    assert parts[:, 1, 2].tolist() == [[1, 2], [1, 5], [3, 2], [3, 5]]


def model_of(shape, **config):
    config = {"width": 1, "latent_dim": 6, "seed": 0, "jit_compile": False, **config}
    return ganzoo.get("fastgan", image_shape=shape, **config)


@pytest.mark.parametrize("shape", [(16, 16, 1), (32, 32, 3), (30, 35, 1), (50, 64, 1)])
def test_a_quarter_of_the_features_is_compared_with_that_quarter_of_the_image(shape, rng):
    """Decoders that only copy what they see make no mistake, but for an offset of the whole."""
    model = model_of(shape, reconstruction_weight=3.0)
    times = 2**model._doublings
    height, width = (-(-side // times) for side in shape[:2])
    fine = rng.uniform(-1, 1, (6, height, width, shape[-1])).astype("float32")
    images = fine.repeat(times, axis=1).repeat(times, axis=2)[:, : shape[0], : shape[1]]
    half = ops.average_pool(images, 2, 2, padding="same", data_format="channels_last")
    model.decoder = lambda x, training: half + 0.25
    model.part_decoder = lambda x, training: ops.repeat(ops.repeat(x, times, 1), times, 2)
    real = {"images": images, "coarse": fine, "fine": fine}
    real = {name: ops.convert_to_tensor(x) for name, x in real.items()}
    found = model.discriminator_terms({}, {}, real, {})
    assert float(found["reconstruction"]) == pytest.approx(3 * 0.25, rel=1e-4)
    # Another quarter would be far off.
    real["fine"] = real["fine"][:, ::-1, ::-1]
    assert float(model.discriminator_terms({}, {}, real, {})["reconstruction"]) > 1


def test_without_reconstruction_there_are_no_decoders(rng):
    networks = lambda model: {p.name: [n.name for n in p.networks] for p in model.players}
    judging = ["discriminator", "decoder", "part_decoder"]
    assert networks(model_of((8, 8, 1))) == {"discriminator": judging, "generator": ["generator"]}
    model = model_of((8, 8, 1), reconstruction_weight=0)
    assert networks(model)["discriminator"] == judging[:1]
    images = rng.integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    logs = model.fit(images, batch_size=8, verbose=0).history
    assert "d_reconstruction" not in logs and np.isfinite(logs["d_loss"]).all()


def test_decoders_see_what_the_discriminator_sees(rng):
    """Real images are augmented once, and it is these that are reconstructed."""
    model = model_of((16, 16, 3))
    images = ops.convert_to_tensor(rng.uniform(-1, 1, (4, 16, 16, 3)).astype("float32"))
    seen = model.look(images, {"examples": images})["images"]
    assert seen.shape == images.shape and np.abs(values(seen - images)).max() > 0.1
    plain = model_of((16, 16, 3), augment=None)
    np.testing.assert_array_equal(values(plain.look(images, {})["images"]), values(images))


def test_one_stage_is_refused_with_hinge_and_allowed_where_it_is_exact(rng):
    with pytest.raises(ValueError, match="slope is zero where.*update='alternating'"):
        model_of((8, 8, 1), update="one_stage")
    model = model_of((8, 8, 1), update="one_stage", objective="minimax")
    images = rng.integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    logs = model.fit(images, batch_size=8, verbose=0).history
    assert np.isfinite(logs["d_reconstruction"]).all()
    with pytest.raises(ValueError, match="takes no labels"):
        model_of((8, 8, 1), num_classes=3)


def shapes(n, side=32):
    """A disc or a square of one of three colours, anywhere on black."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    colours = np.array([[230, 60, 60], [60, 200, 80], [70, 90, 240]])
    images = np.zeros((n, side, side, 3), "uint8")
    for image in images:
        centre, radius = rng.integers(10, side - 10, 2), rng.integers(5, 10)
        away = np.abs(np.stack([y - centre[0], x - centre[1]]))
        inside = (
            away.max(axis=0) <= radius
            if rng.random() < 0.5
            else ((away**2).sum(axis=0) <= radius**2)
        )
        image[inside] = colours[rng.integers(3)]
    return images


@pytest.mark.slow
def test_from_200_images_it_learns_to_reconstruct_and_what_there_is():
    images = shapes(200)
    model = ganzoo.get("fastgan", width=4, latent_dim=32, ema_decay=0.99, seed=0)
    logs = model.fit(images, batch_size=8, epochs=16, verbose=0).history
    assert logs["d_reconstruction"][-1] < 0.5 * logs["d_reconstruction"][0]
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        assert np.ptp(logs[name]) > 0.05 and np.isfinite(logs[name]).all(), name
    made = model.generate(200, seed=0)
    # Untrained it makes grey, of mean 127; the data has 23.
    assert abs(made.mean() - images.mean()) < 30
    # Something bright on something dark, not everywhere the same.
    assert made.max(axis=(1, 2, 3)).mean() > 150
    assert np.median(made) < 40
    assert made.astype("float").mean(axis=(1, 2)).std(axis=0).min() > 2
