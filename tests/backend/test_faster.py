"""The faster ways to compute something give what the plain ways give."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import layers
from ganzoo.game import optimizers
from tests.helpers import compiled_gradients


def numbers(tensors):
    return [np.array(ops.convert_to_numpy(x)) for x in tensors]


def gradients_of(layer, x, weights):
    """Gradients of a weighted sum of a layer's outputs in training, to its weights and to `x`."""

    def loss(x):
        return ops.sum(ops.square(layer(x, training=True)) * weights), None

    _, own, to_x = backend.value_and_grad(loss, layer.trainable_variables, x, layer.variables)
    return numbers([*own, *to_x])


def test_batch_norm_is_keras_batch_normalization(rng):
    x = ops.convert_to_tensor(rng.normal(3.0, 2.0, (6, 5, 4, 3)).astype("float32"))
    weights = rng.normal(size=(6, 5, 4, 3)).astype("float32")
    pair = [
        cls(momentum=0.9, epsilon=0.01, gamma_initializer="ones")
        for cls in (layers.BatchNorm, keras.layers.BatchNormalization)
    ]
    for layer in pair:
        layer.build(x.shape)
        layer.gamma.assign(np.arange(1.0, 4.0))
        layer.beta.assign(np.arange(3.0))
    ours, theirs = (gradients_of(layer, x, weights) for layer in pair)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)  # sums of 120 terms of up to 100
    for training in (True, False):
        a, b = (ops.convert_to_numpy(layer(x, training=training)) for layer in pair)
        np.testing.assert_allclose(a, b, atol=1e-5)
    for a, b in zip(numbers(pair[0].variables), numbers(pair[1].variables)):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_batch_norm_of_frozen_layers_points_and_half_precision(rng):
    x = rng.normal(3.0, 2.0, (6, 5, 4, 3)).astype("float32")
    frozen = layers.BatchNorm()
    frozen.build(x.shape)
    frozen.trainable = False
    np.testing.assert_allclose(frozen(x, training=True), x, rtol=1e-2)  # as at inference
    points = layers.BatchNorm()(x[:, 0, 0], training=True)
    np.testing.assert_allclose(ops.mean(points, axis=0), 0, atol=1e-5)
    for dtype in ("float16", "bfloat16"):
        half = layers.BatchNorm(dtype=f"mixed_{dtype}")(x * 100, training=True)
        assert keras.backend.standardize_dtype(half.dtype) == dtype
        assert float(ops.std(ops.cast(half, "float32"))) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (6, 7, 3), (6, 3)], ids=str)
def test_layer_norm_is_keras_group_norm_of_one_group(shape, rng):
    x = ops.convert_to_tensor(rng.normal(3.0, 2.0, shape).astype("float32"))
    weights = rng.normal(size=shape).astype("float32")
    found = []
    for layer in layers.LayerNorm(epsilon=0.1), keras.layers.GroupNormalization(1, epsilon=0.1):
        layer.build(x.shape)
        layer.gamma.assign(np.arange(1.0, 4.0))
        layer.beta.assign(np.arange(3.0))
        found.append([*numbers([layer(x)]), *gradients_of(layer, x, weights)])
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)  # sums of 120 terms of up to 100


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_instance_norm_is_keras_group_norm_of_each_channel(affine, dtype, rng):
    x = rng.normal(3.0, 2.0, (6, 5, 4, 3)).astype("float32")
    x = ops.cast(ops.cast(x, dtype), "float32")  # the same for both
    weights = rng.normal(size=x.shape).astype("float32")
    results = []
    policy = "float32" if dtype == "float32" else "mixed_bfloat16"
    for layer in (
        layers.InstanceNorm(affine, epsilon=0.1, dtype=policy),
        keras.layers.GroupNormalization(-1, epsilon=0.1, center=affine, scale=affine),
    ):
        layer.build(x.shape)
        if affine:
            layer.gamma.assign(np.arange(1.0, 4.0))
            layer.beta.assign(np.arange(3.0))

        def loss(x, layer=layer):
            return ops.sum(ops.cast(layer(x), "float32") * weights), None

        _, own, to_x = backend.value_and_grad(loss, layer.trainable_variables, x, layer.variables)
        results.append(numbers([ops.cast(layer(x), "float32"), *own, *to_x]))
    tolerance = 1e-4 if dtype == "float32" else 0.03  # of values up to 10, whose step is 0.03
    for a, b in zip(*results):
        assert b.any()
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


SECOND = {
    "BatchNorm": lambda: layers.BatchNorm(epsilon=0.1),
    "LayerNorm": lambda: layers.LayerNorm(epsilon=0.1),
    "InstanceNorm": lambda: layers.InstanceNorm(True, epsilon=0.1),
    "Conv2D": lambda: layers.Conv2D(3, 4, strides=2, padding="same", activation="tanh"),
    "grouped Conv2D": lambda: layers.Conv2D(6, 3, groups=3, padding="same", activation="tanh"),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(
        3, 4, strides=2, padding="same", activation="tanh"
    ),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name, rng):
    """Those of the squared slope to the input, which gradient penalties need."""
    keras.utils.set_random_seed(0)
    layer = SECOND[name]()
    layer.build((None, 2, 2, 3))
    v = rng.normal(size=(4, *layer.compute_output_shape((4, 2, 2, 3))[1:])).astype("float32")

    def slope(x):
        def f(x):
            with keras.StatelessScope():  # JAX lets no moving average out of a derivative
                return ops.sum(ops.tanh(layer(x, training=True)) * v)

        return ops.sum(ops.square(backend.input_gradient(f, x)))

    x = rng.normal(size=(4, 2, 2, 3)).astype("float32")
    got = ops.convert_to_numpy(backend.input_gradient(slope, ops.convert_to_tensor(x)))
    h, places = 1e-2, [(0, 0, 0, 0), (1, 1, 0, 2), (3, 0, 1, 1)]
    for place in places:
        step = np.zeros_like(x)
        step[place] = h
        up, down = (float(slope(ops.convert_to_tensor(x + s))) for s in (step, -step))
        # Central differences err by h² and by float32 noise / h.
        assert got[place] == pytest.approx((up - down) / (2 * h), rel=0.02, abs=2e-2)


@pytest.mark.parametrize(
    "name", ["LayerNorm", "InstanceNorm", "Conv2D", "grouped Conv2D", "Conv2DTranspose"]
)
def test_second_derivatives_to_the_weights(name, rng):
    """Those of the squared slope, by which a penalty moves the discriminator."""
    keras.utils.set_random_seed(0)
    layer = SECOND[name]()
    layer.build((None, 2, 2, 3))
    v = rng.normal(size=(4, *layer.compute_output_shape((4, 2, 2, 3))[1:])).astype("float32")
    x = ops.convert_to_tensor(rng.normal(size=(4, 2, 2, 3)).astype("float32"))
    weight = layer.trainable_variables[0]

    def slope():
        f = lambda x: ops.sum(ops.tanh(layer(x)) * v)
        return ops.sum(ops.square(backend.input_gradient(f, x))), None

    _, (got,), _ = backend.value_and_grad(slope, [weight], None, layer.variables)
    start, h = np.array(ops.convert_to_numpy(weight.value)), 1e-2
    for place in [tuple(n // 2 for n in start.shape), (*(n // 2 for n in start.shape[:-1]), 0)]:
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * h
            weight.assign(moved)
            values.append(float(slope()[0]))
        weight.assign(start)
        difference = (values[0] - values[1]) / (2 * h)
        assert float(got[place]) == pytest.approx(difference, rel=0.02, abs=2e-2)
        assert abs(difference) > 0.05  # else the check above would say nothing


@pytest.mark.parametrize(
    "config",
    [{}, {"beta_1": 0.0}, {"clipnorm": 0.1}, {"weight_decay": 0.1}, {"amsgrad": True}],
    ids=str,
)
def test_adam_is_keras_adam(config, rng):
    shapes = [(4, 3), (3,), (2, 2, 1, 5)]
    start = [rng.normal(size=s).astype("float32") for s in shapes]
    ends = []
    for cls in (optimizers.Adam, keras.optimizers.Adam):
        variables = [keras.Variable(x) for x in start]
        optimizer = cls(0.01, **{"beta_1": 0.5, **config})
        optimizer.build(variables)
        noise = np.random.default_rng(1)
        for _ in range(7):
            gradients = [noise.normal(size=s).astype("float32") for s in shapes]
            backend.apply(optimizer, list(map(ops.convert_to_tensor, gradients)), variables)
        ends.append(numbers([*variables, *optimizer.variables]))
    for a, b in zip(*ends):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert all((a != b).any() for a, b in zip(ends[0], start))


def test_half_of_the_way():
    v = keras.Variable([0.0, 4.0])
    backend.approach(v, keras.Variable([2.0, 0.0]), ops.convert_to_tensor(0.5))
    np.testing.assert_allclose(ops.convert_to_numpy(v.value), [1.0, 2.0])


def test_samples_are_those_of_the_network():
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    latents = np.random.default_rng(0).normal(size=(5, 100)).astype("float32")
    floats = ops.convert_to_numpy(model.ema_generator(latents, training=False))
    wanted = np.round((floats + 1) * 127.5)
    got = model.generate(5, latents=latents).astype(int)
    assert np.abs(got - wanted).max() <= 1
    # What the network is now, not what it was when it was compiled.
    weight = model.ema_generator.weights[0]
    weight.assign(weight * 0)
    assert len(np.unique(model.generate(5, latents=latents), axis=0)) == 1
    model.ema_decay = None
    assert len(np.unique(model.generate(5, latents=latents), axis=0)) == 5


CONVOLUTIONS = {"Conv2D": ((8, 12, 2), (4, 6, 7)), "Conv2DTranspose": ((4, 6, 7), (8, 12, 2))}


def convolution(home, name, size=4, **config):
    return getattr(home, name)(
        CONVOLUTIONS[name][1][-1],
        size,
        strides=2,
        padding="same",
        kernel_initializer=keras.initializers.RandomNormal(seed=0),
        bias_initializer="ones",
        activation="tanh",
        **config,
    )


@pytest.mark.parametrize("size", [2, 4, 6])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_at_the_images_are_keras_convolutions(name, size, rng):
    shape, out = CONVOLUTIONS[name]
    x = ops.convert_to_tensor(rng.normal(size=(3, *shape)).astype("float32"))
    weights = rng.normal(size=(3, *out)).astype("float32")
    found = []
    for home in layers, keras.layers:
        layer = convolution(home, name, size)
        layer.build(x.shape)
        found.append([*numbers([layer(x)]), *gradients_of(layer, x, weights)])
    for a, b in zip(*found):
        assert a.any()
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)  # sums of up to 250 terms


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("jit", [True, False], ids=["jit", "no jit"])
def test_convolutions_at_the_images_compiled_for_any_batch(name, jit, rng):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's own form of them")
    import tensorflow as tf

    shape, _ = CONVOLUTIONS[name]
    pair = [convolution(home, name) for home in (layers, keras.layers)]
    for layer in pair:
        layer.build((None, *shape))

    runs = [compiled_gradients(layer, shape, jit) for layer in pair]
    for count in (2, 5):
        x = tf.constant(rng.normal(size=(count, *shape)).astype("float32"))
        for a, b in zip(*(run(x) for run in runs)):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    if not tf.config.list_physical_devices("GPU"):
        made_of = [str(run.get_concrete_function().graph.as_graph_def()) for run in runs]
        # Or both would be Keras's.
        assert [text.count('op: "DepthToSpace"') > 0 for text in made_of] == [True, False]


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("odd", [{"strides": 1}, {"padding": "valid"}, {"kernel_size": 3}], ids=str)
def test_other_convolutions_are_keras_own(name, odd, rng):
    x = ops.convert_to_tensor(rng.normal(size=(2, 7, 9, 3)).astype("float32"))
    config = {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same", **odd}
    pair = [getattr(home, name)(**config) for home in (layers, keras.layers)]
    for layer in pair:
        layer.build(x.shape)
    pair[1].set_weights(pair[0].get_weights())
    a, b = (ops.convert_to_numpy(layer(x)) for layer in pair)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX's cache of compiled functions")
def test_jax_keeps_what_it_compiled_on_a_gpu_unless_told_where(monkeypatch, tmp_path):
    import jax

    from ganzoo.backend import jax as impl

    set_to = []
    monkeypatch.setattr(jax.config, "update", lambda *pair: set_to.append(pair))
    backend.keep_compiled(tmp_path)
    assert not set_to or backend.accelerated()
    monkeypatch.setattr(impl, "accelerated", lambda: True)
    set_to.clear()
    backend.keep_compiled(tmp_path)
    assert set_to == [("jax_compilation_cache_dir", str(tmp_path))]


def test_groups_with_the_channels_first_are_left_to_keras(rng):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's own form of them")
    import tensorflow as tf

    made = []
    for home in (layers, keras.layers):
        layer = home.Conv2D(4, 3, groups=2, data_format="channels_first", name="one")
        layer.build((None, 4, 6, 8))
        made.append(tf.function(layer).get_concrete_function(tf.TensorSpec((2, 4, 6, 8))))
    assert made[0].output_shapes == made[1].output_shapes == (2, 4, 4, 6)
    kinds = [[op.type for op in function.graph.get_operations()] for function in made]
    assert "Split" not in kinds[0] and kinds[0] == kinds[1]


SHORT = {
    "stride 2": ((4, 4), {"kernel_size": 4, "strides": 2, "padding": "same"}),
    "one row": ((1, 1), {"kernel_size": 4, "strides": 2, "padding": "same"}),
    "odd sides": ((5, 7), {"kernel_size": 3, "strides": 2, "padding": "same"}),
    "stride 1": ((6, 8), {"kernel_size": 3, "strides": 1, "padding": "same"}),
    "sides differ": ((6, 4), {"kernel_size": (3, 5), "strides": (1, 2), "padding": "same"}),
    "valid": ((9, 6), {"kernel_size": (4, 3), "strides": (3, 1), "padding": "valid"}),
}


def derivatives(layer, x, weights):
    """Outputs, gradients to the input and the kernel, and those of the gradients' squared norm."""
    import tensorflow as tf

    both = [x, layer.kernel.value]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(tf.square(y) * weights)
        first = inner.gradient(loss, both)
        norm = sum(tf.reduce_sum(tf.square(g)) / tf.cast(tf.size(g), g.dtype) for g in first)
    return numbers([y, *first, *outer.gradient(norm, both)])


@pytest.mark.parametrize("case", SHORT)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_of_short_rows_are_keras_own(name, case, rng, monkeypatch):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's own form of them")
    from ganzoo.backend import tensorflow_convolutions

    calls = []
    original = tensorflow_convolutions._of_short_rows
    # In float32, whose errors are small.
    monkeypatch.setattr(tensorflow_convolutions, "_is_short", lambda *_: True)
    monkeypatch.setattr(
        tensorflow_convolutions, "_of_short_rows", lambda *a: calls.append(a) or original(*a)
    )
    sides, config = SHORT[case]
    x = ops.convert_to_tensor(rng.normal(size=(3, *sides, 5)).astype("float32"))
    results = []
    for home in (layers, keras.layers):
        initializer = keras.initializers.RandomNormal(seed=0)
        layer = getattr(home, name)(6, kernel_initializer=initializer, **config)
        layer.build(x.shape)
        shape = layer.compute_output_shape(x.shape)
        weights = np.random.default_rng(1).normal(size=shape).astype("float32")
        results.append(derivatives(layer, x, weights))
    if (name, case) != ("Conv2DTranspose", "valid"):  # which is left to Keras
        assert calls
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_of_short_rows_in_bfloat16(name, rng):
    """Within the rounding of a product of numbers of 8 bits; other sizes and types are Keras's."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow's own form of them")
    import tensorflow as tf

    def products(layer, sides):
        def gradient(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.cast(layer(x), "float32"))
            return tape.gradient(loss, layer.kernel.value)

        spec = tf.TensorSpec((None, *sides, 5))
        graph = tf.function(gradient).get_concrete_function(spec).graph
        functions = graph.as_graph_def(use_pybind11_proto=False).library.function
        nodes = [node.op for f in functions for node in f.node_def]
        return nodes.count("MatMul")

    layer = lambda dtype: getattr(layers, name)(6, 4, strides=2, padding="same", dtype=dtype)
    short = (8, 8) if name == "Conv2D" else (4, 4)
    if not tf.config.list_physical_devices("GPU"):
        assert products(layer("mixed_bfloat16"), short) > 0
    assert products(layer("float32"), short) == 0
    assert products(layer("mixed_bfloat16"), (64, 64)) == 0
    x = ops.cast(ops.cast(rng.normal(size=(16, *short, 5)), "bfloat16"), "float32")
    results = []
    for dtype in ("mixed_bfloat16", "float32"):
        one = layer(dtype)
        one.build(x.shape)
        kernel = np.random.default_rng(1).normal(size=one.kernel.shape)
        one.kernel.assign(ops.cast(ops.cast(kernel, "bfloat16"), "float32"))
        weights = np.random.default_rng(2).normal(size=one.compute_output_shape(x.shape))
        results.append(gradients_of(one, x, weights.astype("float32")))
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=0.05, atol=0.02 * np.abs(b).max())
