"""Layers against what their papers define."""

import keras
import numpy as np
import pytest
from keras import ops

from ganzoo import backend
from ganzoo import layers

WRAPPED = {
    "Dense": (lambda: keras.layers.Dense(5), (7,)),
    "Conv2D": (lambda: keras.layers.Conv2D(5, 3, padding="same"), (6, 6, 4)),
    "Conv2DTranspose": (lambda: keras.layers.Conv2DTranspose(5, 3, strides=2), (6, 6, 4)),
}


def largest_singular_value(layer):
    kernel = ops.convert_to_numpy(layer.kernel)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        kernel = kernel.swapaxes(-1, -2)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def unit_output(layer, x, **options):
    return ops.convert_to_numpy(layer(x, **options))


@pytest.mark.parametrize("name", WRAPPED)
def test_spectral_norm_divides_by_the_largest_singular_value(name, rng):
    keras.utils.set_random_seed(0)
    make, shape = WRAPPED[name]
    x = rng.normal(size=(3, *shape)).astype("float32")
    layer = layers.SpectralNorm(make(), power_iterations=100)
    layer.build((None, *shape))
    before = np.array(ops.convert_to_numpy(layer.layer.kernel))
    wanted = unit_output(layer.layer, x) / largest_singular_value(layer.layer)
    np.testing.assert_allclose(unit_output(layer, x, training=True), wanted, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(unit_output(layer, x, training=False), wanted, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.layer.kernel), before)
    # The bias is not normalised.
    layer.layer.bias.assign(np.ones(5))
    np.testing.assert_allclose(unit_output(layer, x), wanted + 1, rtol=1e-3, atol=1e-4)


def test_one_iteration_a_call_gets_there(rng):
    keras.utils.set_random_seed(0)
    layer = layers.SpectralNorm(keras.layers.Dense(20, use_bias=False))
    x = np.eye(30, dtype="float32")
    errors = []
    for _ in range(100):
        norm = np.linalg.norm(unit_output(layer, x, training=True), ord=2)
        errors.append(abs(norm - 1))
    assert errors[0] > 0.02 > 0.005 > errors[-1]
    direction = np.array(ops.convert_to_numpy(layer.direction))
    unit_output(layer, x, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.direction), direction)


@pytest.mark.parametrize("name", WRAPPED)
def test_the_gradient_flows_through_the_singular_value(name, rng):
    """A function of W / sigma(W) does not change along W itself."""
    keras.utils.set_random_seed(0)
    make, shape = WRAPPED[name]
    layer = layers.SpectralNorm(make(), power_iterations=100)
    layer.build((None, *shape))
    layer(rng.normal(size=(3, *shape)).astype("float32"), training=True)
    x = ops.convert_to_tensor(rng.normal(size=(3, *shape)).astype("float32"))
    loss = lambda: (ops.sum(ops.square(layer(x))), None)
    kernel, bias = layer.layer.kernel, layer.layer.bias
    _, (gradient, to_bias), _ = backend.value_and_grad(loss, [kernel, bias], None, layer.variables)
    gradient, weight = map(ops.convert_to_numpy, (gradient, kernel))
    cosine = (gradient * weight).sum() / np.linalg.norm(gradient) / np.linalg.norm(weight)
    assert abs(cosine) < 1e-3  # without it, 0.87
    assert np.abs(ops.convert_to_numpy(to_bias)).max() > 0.1


def test_spectral_norm_of_an_embedding(rng):
    layer = layers.SpectralNorm(keras.layers.Embedding(6, 4), power_iterations=100)
    table = unit_output(layer, np.arange(6), training=True)
    assert np.linalg.norm(table, ord=2) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("spectral", [True, False])
def test_self_attention_is_that_of_its_paper(spectral, rng):
    """Against NumPy; by plain convolutions of each kernel, and pooling by reshaping."""
    keras.utils.set_random_seed(0)
    layer = layers.SelfAttention(spectral)
    x = rng.normal(size=(2, 4, 6, 16)).astype("float32")
    layer.build(x.shape)
    projections = [*layer.inward, layer.outward]
    if spectral:
        for projection in projections:
            projection.power_iterations = 100
    np.testing.assert_array_equal(unit_output(layer, x, training=True), x)
    layer.gain.gain.assign(0.7)
    kernels = [ops.convert_to_numpy(getattr(p, "layer", p).kernel)[0, 0] for p in projections]
    if spectral:
        kernels = [k / np.linalg.norm(k, ord=2) for k in kernels]
    to_query, to_key, to_value, outward = kernels
    assert [k.shape for k in kernels] == [(16, 2), (16, 2), (16, 8), (8, 16)]
    pool = lambda y: y.reshape(2, 2, 2, 3, 2, -1).max((2, 4)).reshape(2, 6, -1)
    scores = (x @ to_query).reshape(2, 24, 2) @ pool(x @ to_key).swapaxes(1, 2)
    share = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    wanted = x + 0.7 * ((share @ pool(x @ to_value)).reshape(2, 4, 6, 8) @ outward)
    for training in (True, False):
        made = unit_output(layer, x, training=training)
        np.testing.assert_allclose(made, wanted, rtol=1e-3, atol=1e-4)
    assert np.abs(wanted - x).max() > 0.1


def test_saved_layers_keep_their_state(rng, tmp_path):
    x = inputs = keras.Input((6, 6, 4))
    x = layers.SpectralNorm(keras.layers.Conv2D(5, 3))(x)
    x = layers.MinibatchStddev(2)(layers.PixelNorm()(x))
    x = layers.Gain(0.3)(x)
    model = keras.Model(inputs, x)
    images = rng.normal(size=(4, 6, 6, 4)).astype("float32")
    for _ in range(3):
        model(images, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for network in (model, keras.models.clone_model(model)):
        assert len(network.weights) == 4  # kernel, bias, direction, gain
    for a, b in zip(model.weights, loaded.weights):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (a.value, b.value)))
    np.testing.assert_array_equal(unit_output(model, images), unit_output(loaded, images))


def test_conditional_batch_norm_is_batch_norm_with_each_classes_own_scale(rng):
    x = rng.normal(3.0, 2.0, (6, 5, 4, 3)).astype("float32")
    labels = np.array([0, 1, 2, 0, 1, 2])
    layer = layers.ConditionalBatchNorm(3, momentum=0.9, epsilon=0.01)
    layer.build(((None, 5, 4, 3), (None,)))
    gamma, beta = rng.normal(size=(2, 3, 3)).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    plain = keras.layers.BatchNormalization(momentum=0.9, epsilon=0.01)
    for training in (True, False):
        wanted = unit_output(plain, x, training=training)
        wanted = wanted * gamma[labels][:, None, None] + beta[labels][:, None, None]
        got = ops.convert_to_numpy(layer([x, labels], training=training))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_pixel_norm(rng):
    x = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    got = ops.convert_to_numpy(layers.PixelNorm()(x))
    np.testing.assert_allclose((got**2).mean(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(got, x / np.sqrt((x**2).mean(-1, keepdims=True)), rtol=1e-5)


def test_minibatch_stddev(rng):
    x = rng.normal(size=(8, 3, 4, 5)).astype("float32")
    got = ops.convert_to_numpy(layers.MinibatchStddev(4)(x))
    np.testing.assert_array_equal(got[..., :5], x)
    # Examples i and i + 2, i + 4, i + 6 are a group.
    for i in range(8):
        spread = x[i % 2 :: 2].std(axis=0).mean()
        np.testing.assert_allclose(got[i, :, :, 5], np.full((3, 4), spread), rtol=1e-5)
    same = ops.convert_to_numpy(layers.MinibatchStddev(4)(np.ones((4, 2, 2, 1), "float32")))
    np.testing.assert_allclose(same[..., 1], 1e-4, rtol=1e-3)  # the root of epsilon


def test_minibatch_stddev_takes_the_largest_group_that_divides_the_batch():
    x = np.random.default_rng(0).standard_normal((9, 2, 2, 1)).astype("float32")
    added = ops.convert_to_numpy(layers.MinibatchStddev(4)(x))[..., 1]
    groups = x.reshape(3, 3, 2, 2, 1)  # of three, every third example
    wanted = np.tile(groups.std(axis=0).mean(axis=(1, 2, 3)), 3)
    np.testing.assert_allclose(
        added, np.broadcast_to(wanted[:, None, None], added.shape), rtol=1e-4
    )


def shifts(layer, x, times):
    """The shifts that a layer has made: inputs count upwards, and the middle is never reflected."""
    middle = x.shape[1] // 2
    outputs = [unit_output(layer, x, training=True) for _ in range(times)]
    return [int(y[0, middle, 0] - x[0, middle, 0]) for y in outputs], outputs


def test_phase_shuffle_shifts_by_up_to_n_and_reflects():
    """Donahue et al. 2019, section 3.3."""
    x = np.arange(12.0, dtype="float32").reshape(1, 12, 1) + np.zeros((3, 1, 2), "float32")
    layer = layers.PhaseShuffle(2, seed=0)
    made, outputs = shifts(layer, x, 60)
    assert set(made) == {-2, -1, 0, 1, 2}
    for shift, y in zip(made, outputs):
        places = np.arange(12) + shift
        places = np.where(places < 0, -places, np.where(places > 11, 22 - places, places))
        np.testing.assert_array_equal(y, x[:, places])
    np.testing.assert_array_equal(unit_output(layer, x, training=False), x)
    np.testing.assert_array_equal(unit_output(layers.PhaseShuffle(0), x, training=True), x)


def test_phase_shuffle_is_uniform_and_does_not_join_saved_weights():
    layer = layers.PhaseShuffle(1, seed=0)
    made, _ = shifts(layer, np.arange(8.0, dtype="float32").reshape(1, 8, 1), 300)
    assert min(made.count(n) for n in (-1, 0, 1)) > 70  # 100 ± 8
    assert not layer.weights
    again = layers.PhaseShuffle.from_config(layer.get_config())
    assert (again.most, again.seed) == (1, 0)
    with pytest.raises(ValueError, match="most"):
        layers.PhaseShuffle(-1)
