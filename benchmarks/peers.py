"""The competitors in the benchmarks: the same networks in loops that others would write."""

import itertools
import time

import keras
import numpy as np

from ganzoo import layers
from ganzoo.evaluation import throughput
from ganzoo.networks import dcgan
from ganzoo.networks import mlp

RATE, BETA = 2e-4, 0.5


def networks(name, shape, channels=64, normalize="batch"):
    """`(generator, discriminator)` of the zoo's `dcgan` or `vanilla`, with Keras's own layers."""
    if name == "vanilla":
        return mlp.generator(shape, 100), mlp.discriminator(shape)
    return tuple(
        keras.models.clone_model(network, clone_function=_kerass)
        for network in (
            dcgan.generator(shape, 100, channels),
            dcgan.discriminator(shape, channels, None, normalize),
        )
    )


def _kerass(layer):
    """Keras's own layer for one of ganzoo's, with the same arguments."""
    config = layer.get_config()
    if isinstance(layer, layers.LayerNorm):
        config["groups"] = 1
        return keras.layers.GroupNormalization.from_config(config)
    for ours in (layers.BatchNorm, layers.Conv2D, layers.Conv2DTranspose):
        if isinstance(layer, ours):
            return ours.__base__.from_config(config)
    return type(layer).from_config(config)


def plain_step(generator, discriminator, batch, rate=RATE):
    """The step of a Keras loop as tutorials write it, on TensorFlow: images in [-1, 1] to losses.

    It draws new latents for each player, and takes three passes through the discriminator.
    """
    import tensorflow as tf

    g_optimizer = keras.optimizers.Adam(rate, beta_1=BETA)
    d_optimizer = keras.optimizers.Adam(rate, beta_1=BETA)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    latent_dim = generator.input_shape[-1]

    @tf.function
    def train_step(real):
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((batch, latent_dim)), training=True)
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            d_loss = cross_entropy(tf.ones_like(real_logits), real_logits) + cross_entropy(
                tf.zeros_like(fake_logits), fake_logits
            )
        weights = discriminator.trainable_weights
        d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((batch, latent_dim)), training=True)
            fake_logits = discriminator(fake, training=True)
            g_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
        weights = generator.trainable_weights
        g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return d_loss, g_loss

    return train_step


def plain_step_jax(generator, discriminator, batch, rate=RATE):
    """The same step as in Keras's guide to loops on JAX; it keeps its state."""
    import jax

    networks = (generator, discriminator)
    optimizers = [keras.optimizers.Adam(rate, beta_1=BETA) for _ in networks]
    for optimizer, network in zip(optimizers, networks):
        optimizer.build(network.trainable_variables)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    latent_dim = generator.input_shape[-1]
    values = lambda variables: [v.value for v in variables]
    state = [
        [values(n.trainable_variables), values(n.non_trainable_variables), values(o.variables)]
        for n, o in zip(networks, optimizers)
    ]

    def make(weights, rest, key):
        latents = jax.random.normal(key, (batch, latent_dim))
        return generator.stateless_call(weights, rest, latents, training=True)

    def judge(weights, rest, images, wanted):
        logits, rest = discriminator.stateless_call(weights, rest, images, training=True)
        return cross_entropy(wanted * jax.numpy.ones_like(logits), logits), rest

    def d_loss(weights, rest, fake, real):
        on_real, rest = judge(weights, rest, real, 1.0)
        on_fake, rest = judge(weights, rest, fake, 0.0)
        return on_real + on_fake, rest

    def g_loss(weights, rest, d_weights, d_rest, key):
        fake, rest = make(weights, rest, key)
        loss, d_rest = judge(d_weights, d_rest, fake, 1.0)
        return loss, (rest, d_rest)

    def train_step(state, real, key):
        (g, g_rest, g_state), (d, d_rest, d_state) = state
        first, second = jax.random.split(key)
        fake, g_rest = make(g, g_rest, first)
        grad = jax.value_and_grad(d_loss, has_aux=True)
        (loss, d_rest), gradients = grad(d, d_rest, fake, real)
        d, d_state = optimizers[1].stateless_apply(d_state, gradients, d)
        grad = jax.value_and_grad(g_loss, has_aux=True)
        (other, (g_rest, d_rest)), gradients = grad(g, g_rest, d, d_rest, second)
        g, g_state = optimizers[0].stateless_apply(g_state, gradients, g)
        return [[g, g_rest, g_state], [d, d_rest, d_state]], (loss, other)

    compiled = jax.jit(train_step, donate_argnums=0)
    key = jax.random.key(0)

    def step(real):
        nonlocal state, key
        key, own = jax.random.split(key)
        state, losses = compiled(state, real, own)
        return losses

    return step


def plain_keras(make, images, batch, rate=RATE):
    """A Keras loop as tutorials write it, with its images scaled to floats beforehand.

    Args:
        make: returns `(generator, discriminator)`.
        images: uint8 array.
        batch: batch size.
        rate: learning rate of both players.

    Returns:
        A contender: `steps -> seconds`.
    """
    images = images.astype("float32") / 127.5 - 1
    if keras.backend.backend() == "jax":
        import jax

        train_step = plain_step_jax(*make(), batch, rate)
        starts = range(0, len(images) - batch + 1, batch)
        ready = [jax.device_put(images[i : i + batch]) for i in starts]
        batches = itertools.cycle(ready)
    else:
        import tensorflow as tf

        train_step = plain_step(*make(), batch, rate)
        ds = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images))
        ds = ds.batch(batch, drop_remainder=True).repeat()
        batches = iter(ds.prefetch(tf.data.AUTOTUNE))

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            losses = train_step(next(batches))
        float(losses[0])
        return time.perf_counter() - start

    return run


def fit(model, data, batch):
    """`model.fit` as a contender; its start-up, once per call, does not count."""

    clock = throughput.Clock()

    def run(steps):
        model.fit(data(steps * batch), epochs=1, verbose=0, callbacks=[clock])
        return clock.seconds

    return run


def bare_step(model, images):
    """The model's own compiled step in a loop, on one batch that is ready."""
    model.setup(images.shape[1:])
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
        data = (jax.device_put(images),)

        def one():
            nonlocal state
            logs, state = step(state, data)
            return logs
    else:
        import tensorflow as tf

        step = tf.function(model.train_step, jit_compile=model.jit_compile)
        data = (tf.convert_to_tensor(images),)
        one = lambda: step(data)

    def run(steps):
        start = time.perf_counter()
        for _ in range(steps):
            logs = one()
        float(logs["d_loss"])
        return time.perf_counter() - start

    return run


def torch_dcgan(shape, channels, images, batch, *, channels_last, autocast, compiled, device):
    """The same networks and the same alternating step in PyTorch.

    Returns:
        A contender: `steps -> seconds`.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    height, width, depth = shape
    stages = len(dcgan.sizes(height, width)) - 1
    small = height // 2**stages
    widths = [channels * 2**i for i in range(stages)]

    def init(module):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)

    norm = lambda n: nn.BatchNorm2d(n, eps=1e-2, momentum=0.1)
    up = [
        nn.Linear(100, small * small * widths[-1], bias=False),
        nn.Unflatten(1, (widths[-1], small, small)),
        norm(widths[-1]),
        nn.ReLU(),
    ]
    for i in reversed(range(stages)):
        last = i == 0
        out = depth if last else widths[i - 1]
        up.append(nn.ConvTranspose2d(widths[i], out, 4, 2, 1, bias=last))
        up += [nn.Tanh()] if last else [norm(out), nn.ReLU()]
    down = []
    for i in range(stages):
        down.append(nn.Conv2d(depth if i == 0 else widths[i - 1], widths[i], 4, 2, 1, bias=i == 0))
        down += ([norm(widths[i])] if i else []) + [nn.LeakyReLU(0.2)]
    down += [nn.Flatten(), nn.Linear(small * small * widths[-1], 1)]
    generator, discriminator = nn.Sequential(*up).apply(init), nn.Sequential(*down).apply(init)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for network in (generator, discriminator):
        network.to(device=device, memory_format=layout)
    make = lambda network: torch.optim.Adam(network.parameters(), lr=RATE, betas=(BETA, 0.999))
    g_optimizer, d_optimizer = make(generator), make(discriminator)
    cross_entropy = functional.binary_cross_entropy_with_logits

    def judge(x):
        with torch.autocast(device, torch.bfloat16, enabled=autocast):
            return discriminator(x).float()

    def step(real):
        with torch.autocast(device, torch.bfloat16, enabled=autocast):
            fake = generator(torch.randn(batch, 100, device=device))
        real_logits, fake_logits = judge(real), judge(fake.detach())
        d_loss = cross_entropy(real_logits, torch.ones_like(real_logits)) + cross_entropy(
            fake_logits, torch.zeros_like(fake_logits)
        )
        d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        d_optimizer.step()
        # The generator's turn needs no gradient of the discriminator's weights.
        discriminator.requires_grad_(False)
        fake_logits = judge(fake)
        g_loss = cross_entropy(fake_logits, torch.ones_like(fake_logits))
        g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
        return d_loss

    if compiled:
        # Several networks share this code; past the limit they would run uncompiled.
        torch._dynamo.config.recompile_limit = 64
        judge = torch.compile(judge)
        generator = torch.compile(generator)
    images = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(device)
    images = (images.float() / 127.5 - 1).contiguous(memory_format=layout)

    def run(steps):
        start = time.perf_counter()
        for i in range(steps):
            first = i * batch % (len(images) - batch + 1)
            loss = step(images[first : first + batch])
        float(loss.detach())
        return time.perf_counter() - start

    return run
