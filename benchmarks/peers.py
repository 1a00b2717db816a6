"""The competitors in the benchmarks: the same networks in loops that others would write."""

import itertools
import time

import keras
import keras_loops

from ganzoo import backend
from ganzoo import layers
from ganzoo.evaluation import throughput
from ganzoo.networks import dcgan


def networks(shape, channels=64):
    """`(generator, discriminator)` of the zoo's `dcgan`, with Keras's own layers."""
    generator = dcgan.generator(shape, 100, channels)
    return with_own_layers(generator), with_own_layers(dcgan.discriminator(shape, channels))


def with_own_layers(network):
    """One of ganzoo's networks, built of Keras's own layers, with new weights."""
    return keras.models.clone_model(network, clone_function=_own)


def _own(layer):
    """Keras's own layer for one of ganzoo's, with the same arguments."""
    config = layer.get_config()
    if isinstance(layer, layers.CropLike):  # the sizes here are even: there is nothing to crop
        return keras.layers.Lambda(lambda pair: pair[0], dtype=layer.dtype_policy)
    if isinstance(layer, layers.LayerNorm):
        return keras.layers.GroupNormalization.from_config({**config, "groups": 1})
    if isinstance(layer, layers.InstanceNorm):
        affine = config.pop("affine")
        own = {**config, "groups": -1, "center": affine, "scale": affine}
        return keras.layers.GroupNormalization.from_config(own)
    if config.get("groups", 1) > 1 and not backend.accelerated():
        # Keras leaves its own to XLA on a CPU: a step of `r3gan` takes 60 times as long.
        return type(layer).from_config(config)
    for ours in (
        layers.BatchNorm,
        layers.Conv2D,
        layers.Conv2DTranspose,
        layers.Dropout,
        layers.UpSampling2D,
    ):
        if isinstance(layer, ours):
            own = next(x for x in ours.__mro__ if x.__module__.startswith("keras."))
            return own.from_config(config)
    return type(layer).from_config(config)


def plain_keras(make, data, batch, rate=keras_loops.RATE, name="dcgan"):
    """A Keras loop as tutorials write it, with its images scaled to floats beforehand.

    Args:
        make: returns `(generator, discriminator)`.
        data: uint8 array, or a tuple of them.
        batch: batch size.
        rate: learning rate of both players.
        name: the model whose game it plays, a key of `keras_loops.STEPS`.

    Returns:
        A contender: `steps -> seconds`.
    """
    own = keras.backend.backend()
    train_step = keras_loops.STEPS[name][own](*make(), batch, rate)
    arrays = tuple(x.astype("float32") / 127.5 - 1 for x in together(data))
    if own == "jax":
        import jax

        starts = range(0, len(arrays[0]) - batch + 1, batch)
        ready = [tuple(jax.device_put(x[i : i + batch]) for x in arrays) for i in starts]
        batches = itertools.cycle(ready)
    else:
        import tensorflow as tf

        ds = tf.data.Dataset.from_tensor_slices(arrays).shuffle(len(arrays[0]))
        ds = ds.batch(batch, drop_remainder=True).repeat()
        batches = iter(ds.prefetch(tf.data.AUTOTUNE))

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            losses = train_step(*next(batches))
        float(losses[0])
        return time.perf_counter() - start

    return run


def together(data):
    """An array, or a tuple of arrays, as a tuple."""
    return data if isinstance(data, tuple) else (data,)


def fit(model, data, batch):
    """`model.fit` as a contender; its start-up, once per call, does not count."""
    clock = throughput.Clock()

    def run(steps):
        model.fit(data(steps * batch), epochs=1, verbose=0, callbacks=[clock])
        return clock.seconds

    return run


def bare_step(model, data):
    """The model's own compiled step in a loop, on one batch that is ready."""
    arrays = together(data)
    model.setup(arrays[0].shape[1:])
    model._make_trackers()
    if keras.backend.backend() == "jax":
        import jax

        step = jax.jit(model.train_step, donate_argnums=0)
        values = lambda variables: [v.value for v in variables]
        state = tuple(
            map(
                values,
                (
                    model.trainable_variables,
                    model.non_trainable_variables,
                    model.optimizer.variables,
                    model.metrics_variables,
                ),
            )
        )
        data = tuple(map(jax.device_put, arrays))

        def one():
            nonlocal state
            logs, state = step(state, data)
            return logs
    else:
        import tensorflow as tf

        step = tf.function(model.train_step, jit_compile=model.jit_compile)
        data = tuple(map(tf.convert_to_tensor, arrays))
        one = lambda: step(data)

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            logs = one()
        float(logs["d_loss"])
        return time.perf_counter() - start

    return run
