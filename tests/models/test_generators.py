"""R3GAN, progressive growing and style-based GANs: what their papers say of them."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import layers
from ganzoo import penalties
from ganzoo.datasets import MIXTURES
from ganzoo.networks import dcgan
from ganzoo.networks import progan
from ganzoo.networks import r3gan
from ganzoo.networks import stylegan2


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def values(x):
    return np.array(ops.convert_to_numpy(x))


# Points -----------------------------------------------------------------------------------------


def covered(model, data, n=2500):
    """Share of samples within three sigma of a mode, and for each mode how many those are."""
    centres, sigma = MIXTURES[data]
    distance = np.linalg.norm(model.generate(n, seed=0)[:, None] - centres[None], axis=2)
    near = distance.min(axis=1) < 3 * sigma
    return near.mean(), np.bincount(distance.argmin(axis=1)[near], minlength=len(centres))


# One move of each player, quick learning and a long average: what all three have in common.
QUICK = {"latent_dim": 2, "learning_rate": 1e-3, "ema_decay": 0.999, "seed": 0}
RING = {
    "r3gan": {"channels": (128,), "gamma": 0.01, **QUICK},
    "wgan_gp": {
        "channels": 128,
        "penalty_weight": 0.1,
        "discriminator_steps": 1,
        "discriminator_learning_rate": 2e-3,
        **QUICK,
    },
    "sngan": {
        "channels": 128,
        "discriminator_steps": 1,
        "discriminator_learning_rate": 2e-3,
        **QUICK,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan_gp", "r3gan", "sngan"])
def test_the_ring_is_covered(name):
    """Eight modes; 0.989 of the data themselves are within three sigma."""
    model = ganzoo.get(name, **RING[name])
    model.compile(steps_per_execution=30)
    epochs = 24 if name == "sngan" else 16
    model.fit(ganzoo.datasets.load("ring", batch_size=256), epochs=epochs, verbose=0)
    quality, counts = covered(model, "ring")
    assert quality >= 0.9
    # An eighth of 2,500 is 312; each mode has at least half of its share.
    assert counts.min() > 156


@pytest.mark.slow
def test_r3gan_covers_the_grid():
    model = ganzoo.get("r3gan", channels=(256,), gamma=0.01, **QUICK)
    model.compile(steps_per_execution=30)
    model.fit(ganzoo.datasets.load("grid", batch_size=256), epochs=40, verbose=0)
    quality, counts = covered(model, "grid")
    assert (counts > 0).all(), counts
    assert quality >= 0.7


# R3GAN ------------------------------------------------------------------------------------------


def test_r3gans_networks_have_as_many_parameters_as_the_papers():
    """Table 2 of the paper, configuration E on FFHQ at 256×256: 23.058M and 23.010M."""
    with keras.device("cpu:0"):
        wide, shape = (768, 768, 768, 768), (256, 256, 3)
        assert round(parameters(r3gan.generator(shape, 64, wide)) / 1e6, 3) == 23.058
        assert round(parameters(r3gan.discriminator(shape, wide)) / 1e6, 3) == 23.010


def test_r3gans_configuration_for_cifar10():
    """By arithmetic from the authors' code: eight blocks of 4·768² + 9·16·1536 + 2·1536, a basis
    of 16·768, latents and label's embedding of 64 each."""
    wide, shape = (768, 768, 768, 768), (32, 32, 3)
    blocks = 8 * (4 * 768**2 + 9 * 16 * 1536 + 2 * 1536) + 16 * 768
    made = blocks + 768 * (64 + 64) + 10 * 64 + 3 * 768
    assert parameters(r3gan.generator(shape, 64, wide, num_classes=10)) == made
    judged = blocks + 768 * 64 + 10 * 64 + 3 * 768
    assert parameters(r3gan.discriminator(shape, wide, num_classes=10, embedding=64)) == judged


def test_r3gans_blocks_start_as_the_identity():
    """Whatever the depth: the last layer of each block is zero, so depth changes no picture."""
    images = []
    for blocks in (1, 3):
        keras.utils.set_random_seed(0)
        network = r3gan.generator((8, 8, 1), 5, (8,), blocks=blocks, group_width=4)
        for v in network.trainable_variables:
            if v.shape[-1] != 16:  # all but those inside of blocks
                size = int(np.prod(v.shape))
                wave = np.sin(np.arange(size, dtype="float32")).reshape(v.shape)
                v.assign(v if not values(v).any() else wave)
        images.append(values(network(np.ones((2, 5), "float32"))))
    np.testing.assert_allclose(images[0], images[1], rtol=1e-5, atol=1e-6)
    assert images[0].std() > 0


def test_both_penalties_are_means_of_each_examples_own_squared_slope():
    model = ganzoo.get(
        "r3gan", channels=(8, 4), group_width=4, gamma=3.0, image_shape=(8, 8, 1), seed=0
    )
    rng = np.random.default_rng(0)
    for v in model.discriminator.trainable_variables:
        v.assign(v + 0.1 * rng.standard_normal(v.shape))
    real, fake = rng.uniform(-1, 1, (2, 5, 8, 8, 1)).astype("float32")
    batch, drawn = (
        {name: ops.convert_to_tensor(x)} for name, x in (("examples", real), ("fake", fake))
    )
    terms, _ = model.discriminator_loss(batch, drawn)
    for name, images in (("r1", real), ("r2", fake)):
        slopes = [
            # One picture at a time: nothing of the others in it.
            values(backend.input_gradient(model.discriminator, ops.convert_to_tensor(x[None])))
            for x in images
        ]
        wanted = 1.5 * np.mean([np.sum(s**2) for s in slopes])
        assert float(terms[name]) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("shape, wide", [((28, 28, 1), 64), ((64, 64, 3), 32), ((2,), 128)])
def test_r3gans_game_is_played_by_dcgans_networks_too(shape, wide):
    """As wide at the smallest size: 7×7 is one halving from half resolution, 4×4 is three."""
    widest = {64: 128, 32: 256, 128: 128}[wide]
    model = ganzoo.get("r3gan", architecture="dcgan", channels=(widest,), image_shape=shape)
    made = dcgan.generator(shape, 64, wide)
    judged = dcgan.discriminator(shape, wide, normalize=None)
    assert shapes(model.generator) == shapes(made)
    assert shapes(model.discriminator) == shapes(judged)


def shapes(network):
    return [tuple(v.shape) for v in network.variables]


def test_grouped_convolutions_see_their_own_group_only():
    layer = layers.Conv2D(4, 3, padding="same", groups=2, use_bias=False)
    x = np.zeros((1, 5, 5, 4), "float32")
    x[..., 0] = 1
    out = values(layer(x))
    assert (out[..., :2] != 0).all() and (out[..., 2:] == 0).all()


# Equalised learning rates, filters --------------------------------------------------------------


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_equalised_layers_keep_variance_and_learn_at_one_pace(multiplier):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    for fan in (10, 1000):
        layer = layers.EqualizedDense(50, lr_multiplier=multiplier)
        x = rng.standard_normal((500, fan)).astype("float32")
        assert values(layer(x)).std() == pytest.approx(1, rel=0.15)
        assert values(layer.kernel).std() == pytest.approx(1 / multiplier, rel=0.1)
        again = type(layer).from_config(layer.get_config())
        again.build((None, fan))
        assert again.scale == layer.scale
        # Adam's first step is of one size for each weight; the function changes by it times
        # multiplier / √fan.
        before = values(layer(x))
        layer.kernel.assign(layer.kernel + 1.0)
        np.testing.assert_allclose(
            values(layer(x)) - before,
            np.repeat(x.sum(axis=1, keepdims=True), 50, axis=1) * multiplier / fan**0.5,
            atol=1e-3,
        )


@pytest.mark.parametrize("side", [6, 130])
def test_blur_is_the_binomial_filter(side):
    """Small pictures by products of matrices, large ones by sums of neighbours."""
    x = np.zeros((1, side, side, 1), "float32")
    x[0, 3, 3, 0] = 1
    row = np.array([1, 3, 3, 1]) / 8
    out = values(layers.Blur(3, (2, 1))(x))[0, :, :, 0]
    np.testing.assert_allclose(out[2:6, 2:6], np.outer(row, row), atol=1e-6)
    assert out.shape == (side, side) and out.sum() == pytest.approx(1, abs=1e-5)


# StyleGAN2 --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_stylegan2s_networks_have_as_many_parameters_as_the_authors():
    """Configuration F at 1024×1024: the authors' code prints 30370060 and 29012513."""
    shape = (1024, 1024, 3)
    made = stylegan2.mapping(512, 512, 8), stylegan2.synthesis(shape, 512, 32, 512)
    assert sum(map(parameters, made)) == 30_370_060
    assert parameters(stylegan2.discriminator(shape, 32, 512)) == 29_012_513


@pytest.mark.parametrize("upsample", [False, True])
def test_modulating_activations_is_modulating_kernels(upsample):
    """Equations 1 and 3 of the paper, on the kernel of each example."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 4, 5)).astype("float32")
    w = rng.standard_normal((3, 7)).astype("float32")
    layer = stylegan2.ModulatedConv2D(6, 3, upsample=upsample)
    got = values(layer([x, w]))
    assert got.shape == (3, 8 if upsample else 4, 8 if upsample else 4, 6)
    styles = values(layer.affine(w))
    kernel = values(layer.kernel)
    kernel = kernel.swapaxes(2, 3) if upsample else kernel  # (…, in, out)
    for i in range(3):
        own = kernel * styles[i][:, None]
        own = own / np.sqrt((own**2).sum(axis=(0, 1, 2)) + 1e-8)
        if upsample:
            y = values(ops.conv_transpose(x[i : i + 1], own.swapaxes(2, 3), 2, "valid"))
            y = 4 * values(layers.Blur(3, (1, 1))(y))
        else:
            y = values(ops.conv(x[i : i + 1], own, padding="same"))
        np.testing.assert_allclose(got[i : i + 1], y, rtol=1e-3, atol=1e-4)


def small(**config):
    config = {"channels": 8, "max_channels": 16, "style_dim": 12, "latent_dim": 12, **config}
    return ganzoo.get("stylegan2", mapping_layers=2, seed=0, **config)


def test_truncation_draws_the_styles_to_their_mean():
    model = small(image_shape=(8, 8, 1))
    spread = [
        model.generate(64, seed=0, truncation=psi).astype("float32").std(axis=0).mean()
        for psi in (1e-6, 0.5, 1.0)
    ]
    assert spread[0] == 0 and 0 < spread[1] < spread[2]
    np.testing.assert_array_equal(
        model.generate(5, seed=0, truncation=1.0), model.generate(5, seed=0)
    )
    with pytest.raises(ValueError, match="truncation"):
        model.generate(1, truncation=-1.0)


def test_the_mean_of_styles_is_learned_in_training_alone():
    keras.utils.set_random_seed(0)
    mapping = stylegan2.mapping(6, 5, 2)
    (mean,) = mapping.non_trainable_variables
    z = np.random.default_rng(0).standard_normal((4000, 6)).astype("float32")
    ones = np.ones((4000, 1), "float32")
    w = values(mapping([z, ones]))
    assert not values(mean).any()
    for _ in range(3):
        mapping([z, ones], training=True)
    np.testing.assert_allclose(values(mean), (1 - 0.995**3) * w.mean(axis=0), rtol=1e-4)
    none = values(mapping([z[:3], 0 * ones[:3]]))
    np.testing.assert_allclose(none, np.repeat(values(mean)[None], 3, axis=0), rtol=1e-6)


def test_mixing_changes_styles_once_on_the_way_up():
    seed = keras.random.SeedGenerator(0)
    first, second = np.zeros((2000, 6, 1), "float32"), np.ones((2000, 6, 1), "float32")
    mixed = values(stylegan2.mix(first, second, 0.9, seed))[:, :, 0]
    assert (np.diff(mixed, axis=1) >= 0).all() and not mixed[:, 0].any()
    # Of those mixed, each of the five places to begin is as likely: 0.18, with an error of 0.009.
    begun = np.bincount(mixed.sum(axis=1).astype(int), minlength=6) / 2000
    np.testing.assert_allclose(begun, [0.1] + [0.18] * 5, atol=0.04)
    assert not values(stylegan2.mix(first, second, 0.0, seed)).any()


def test_path_lengths_of_a_linear_renderer_are_known():
    """Pictures A·w: Jᵀy is Aᵀy, whatever the styles."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((6, 16)).astype("float32")
    noise = rng.standard_normal((3, 4, 4, 1)).astype("float32")
    styles = rng.standard_normal((3, 1, 6)).astype("float32")
    render = lambda w: ops.reshape(ops.matmul(w[:, 0], a), (-1, 4, 4, 1))
    got = values(penalties.path_lengths(render, ops.convert_to_tensor(styles), noise))
    wanted = np.linalg.norm(noise.reshape(3, 16) @ a.T, axis=1) / 4
    np.testing.assert_allclose(got, wanted, rtol=1e-4)


def test_lazy_penalties_are_taken_in_their_steps_only_and_as_heavy():
    model = small(image_shape=(8, 8, 1))
    taken = []
    for step in range(6):
        model.step.assign(step)
        taken.append(float(model.lazily(3, lambda: ops.convert_to_tensor(2.0))))
    assert taken == [6, 0, 0, 6, 0, 0]
    assert float(model.lazily(1, lambda: ops.convert_to_tensor(2.0))) == 2
    # Judged, whatever step it is, the loss has the penalty itself.
    model = ganzoo.get("stylegan2", image_shape=(8, 8, 1), gamma_every=4, channels=4, seed=0)
    pictures = tones(8)
    judged = []
    for step in (0, 1):
        model.step.assign(step)
        judged.append(dict(model.judge((pictures,)))["d_r1"])
    a, b = values(ops.stack(judged))
    assert a == pytest.approx(b, rel=1e-4) and a > 0


def tones(n, size=8):
    """Plain pictures in greys of mean 110 and spread 30, with a left half brighter by 40."""
    rng = np.random.default_rng(0)
    grey = rng.normal(110, 30, (n, 1, 1, 1)).clip(0, 215)
    images = np.broadcast_to(grey, (n, size, size, 1)).copy()
    images[:, :, : size // 2] += 40
    return images.astype("uint8")


def judge_tones(images):
    images = images.astype("float32")[..., 0]
    half = images.shape[2] // 2
    left, right = images[:, :, :half].mean(axis=(1, 2)), images[:, :, half:].mean(axis=(1, 2))
    # Errors of 500 samples are about 1; the game itself makes the numbers wander by some times
    # that. A generator that makes one picture, or does not tell the halves apart, is far off.
    assert abs(right.mean() - 110) < 12, right.mean()
    assert 18 < right.std() < 42, right.std()
    assert abs(np.median(left - right) - 40) < 15, np.median(left - right)
    assert np.corrcoef(left, right)[0, 1] > 0.8


@pytest.mark.slow
def test_stylegan2_learns_the_distribution_of_greys():
    model = small(learning_rate=2e-3, ema_decay=0.99)
    model.fit(tones(2048), batch_size=32, epochs=12, verbose=0)
    judge_tones(model.generate(500, seed=0))


# ProGAN -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_progans_networks_have_as_many_parameters_as_the_papers():
    """Table 2 of the paper, 1024×1024: 23.1M each."""
    steps = progan.sizes(1024, 1024)
    assert len(steps) == 9
    made = progan.generator(512, steps, 3, 16, 512)
    judged = progan.discriminator(steps, 3, 16, 512)
    for network in (made, judged):
        used = progan.at_size(network, 8)
        assert round(parameters(used) / 1e6, 1) == 23.1


def growing(**config):
    config = {"phase_steps": 4, "channels": 8, "max_channels": 16, "latent_dim": 8, **config}
    return ganzoo.get("progan", seed=0, **config)


def test_progan_grows_by_its_schedule_and_keeps_what_it_has_learned():
    model = growing(image_shape=(16, 16, 1))
    assert model.sizes == [(4, 4), (8, 8), (16, 16)]
    # Four steps at 4×4; then to each further size four fading in and four settling.
    levels = [model.stage(step) for step in range(24)]
    assert levels == [0] * 4 + [1] * 8 + [2] * 12
    fades = []
    for step in (0, 4, 6, 8, 12, 14, 16):
        model.step.assign(step)
        fades.append(float(model.settings()[0]))
    assert fades == [1, 0, 0.5, 1, 0, 0.5, 1]
    # At the first moment of a size, its pictures are the enlarged ones of the size before.
    model.step.assign(3)
    small = model.generate(4, seed=0)
    model.step.assign(4)
    np.testing.assert_array_equal(model.generate(4, seed=0), small)
    assert (small[:, ::4, ::4] == small[:, 1::4, 3::4]).all()


def test_progan_trains_only_what_the_current_size_has():
    model = growing()
    x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1)).astype("uint8")
    model.setup((8, 8, 1))
    named = lambda: {v.path: values(v) for v in model.generator.trainable_variables}
    moved = lambda a, b: {path for path in a if (a[path] != b[path]).any()}
    start = named()
    model.fit(x[:32], batch_size=8, verbose=0)
    assert model.level == 1 and model.current_stage == 0
    first = named()
    assert moved(start, first) == {p for p in start if "_1" not in p.split("/")[-2]}
    model.fit(x[:16], batch_size=8, verbose=0)
    assert model.current_stage == 1
    assert moved(first, named()) == set(start)


def test_progan_may_grow_at_the_end_of_an_epoch_with_validation():
    model = growing()
    x = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1)).astype("uint8")
    model.fit(x, batch_size=8, epochs=2, validation_data=x[:8], verbose=0)
    assert int(model.step) == 8 and model.current_stage == 1


def test_progan_grows_at_the_very_step_however_short_steps_are():
    small = {"channels": 4, "max_channels": 6, "latent_dim": 6}
    model = ganzoo.get("progan", seed=0, phase_steps=3, **small)
    stages = []
    seen = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: stages.append(model.current_stage)
    )
    images = np.zeros((32, 8, 8, 1), "uint8")
    model.fit(images, batch_size=4, epochs=1, verbose=0, callbacks=[seen])
    assert stages == [0, 0, 0, 1, 1, 1, 1, 1]


def test_progan_saved_in_the_middle_of_growth_goes_on_as_if_it_had_not(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 1)).astype("uint8")
    model = growing()
    fit = lambda m, **options: m.fit(x, batch_size=8, verbose=0, **options).history
    fit(model)
    assert int(model.step) == 6 and 0 < float(model.settings()[0]) < 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.level == 1
    np.testing.assert_array_equal(loaded.generate(4, seed=0), model.generate(4, seed=0))
    resumed, straight = (fit(m, epochs=3, initial_epoch=1) for m in (loaded, model))
    assert resumed == straight
    for a, b in zip(loaded.variables, model.variables):
        np.testing.assert_array_equal(values(a), values(b))


def test_growth_past_the_datas_size_is_refused():
    with pytest.raises(ValueError, match="allow growth through 2 sizes.*levels=3"):
        growing(levels=3, image_shape=(8, 8, 1))
    assert growing(levels=1, image_shape=(8, 8, 1)).sizes == [(8, 8)]


def test_real_images_fade_in_as_the_generators_do():
    steps = [(3, 4), (5, 7)]
    x = np.random.default_rng(0).uniform(-1, 1, (2, 5, 7, 1)).astype("float32")
    halved = values(progan.reduced(x, steps, 0, 1.0))
    assert halved.shape == (2, 3, 4, 1)
    np.testing.assert_allclose(halved[:, 0, 0], x[:, :2, :2].mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(values(progan.reduced(x, steps, 1, 1.0)), x, atol=1e-6)
    coarse = values(progan.reduced(x, steps, 1, 0.0))
    np.testing.assert_allclose(coarse[:, 1, 1], halved[:, 0, 0], rtol=1e-5)


@pytest.mark.slow
def test_progan_learns_the_distribution_of_greys():
    model = growing(phase_steps=150, channels=16, max_channels=32, ema_decay=0.99)
    model.fit(tones(2048), batch_size=32, epochs=24, verbose=0)
    assert model.level == 1 and float(model.settings()[0]) == 1
    judge_tones(model.generate(500, seed=0))
