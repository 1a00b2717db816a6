"""The steps of the plain Keras loops, on TensorFlow and on JAX, as tutorials write them."""

import keras

RATE, BETA = 2e-4, 0.5


def _adams(rate, beta_1, beta_2=0.999):
    """Adam for the generator and for the discriminator."""
    return [keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2) for _ in range(2)]


def dcgan_step(generator, discriminator, batch, rate=RATE):
    """The step of a Keras loop as tutorials write it, on TensorFlow: images in [-1, 1] to losses.

    It draws new latents for each player, and takes three passes through the discriminator.
    """
    import tensorflow as tf

    g_optimizer, d_optimizer = _adams(rate, BETA)
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


def dcgan_step_jax(generator, discriminator, batch, rate=RATE):
    """The same step as in Keras's guide to loops on JAX."""
    import jax

    optimizers = _adams(rate, BETA)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    latent_dim = generator.input_shape[-1]

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

    def train_step(state, key, real):
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

    return _keeping_state(train_step, (generator, discriminator), optimizers)


def _keeping_state(train_step, networks, optimizers):
    """`(*data) -> losses` on JAX, from a pure `(state, key, *data) -> (state, losses)`."""
    import jax

    for optimizer, network in zip(optimizers, networks):
        optimizer.build(network.trainable_variables)
    values = lambda variables: [v.value for v in variables]
    state = [
        [values(n.trainable_variables), values(n.non_trainable_variables), values(o.variables)]
        for n, o in zip(networks, optimizers)
    ]
    compiled = jax.jit(train_step, donate_argnums=0)
    key = jax.random.key(0)

    def step(*data):
        nonlocal state, key
        key, own = jax.random.split(key)
        state, losses = compiled(state, own, *data)
        return losses

    return step


def _alternating_jax(generator, discriminator, optimizers, draw, d_loss, g_loss):
    """A step on JAX in which both players answer the same fakes.

    Args:
        draw: `(key, *data)` to the generator's input.
        d_loss, g_loss: `(judge, fake, *data)` to a loss; `judge` is the discriminator.
    """
    import jax

    def train_step(state, key, *data):
        (g, g_rest, g_state), (d, d_rest, d_state) = state
        inputs = draw(key, *data)
        make = lambda g: generator.stateless_call(g, g_rest, inputs, training=True)
        judging = lambda d: lambda x: discriminator.stateless_call(d, d_rest, x, training=True)[0]
        fake, pull, g_rest = jax.vjp(make, g, has_aux=True)
        loss, gradients = jax.value_and_grad(lambda d: d_loss(judging(d), fake, *data))(d)
        d, d_state = optimizers[1].stateless_apply(d_state, gradients, d)
        other, slope = jax.value_and_grad(lambda fake: g_loss(judging(d), fake, *data))(fake)
        g, g_state = optimizers[0].stateless_apply(g_state, pull(slope)[0], g)
        return [[g, g_rest, g_state], [d, d_rest, d_state]], (loss, other)

    return _keeping_state(train_step, (generator, discriminator), optimizers)


def r3gan_step(generator, discriminator, batch, rate=RATE, gamma=0.1):
    """The step of a loop for `r3gan`, as tutorials write gradient penalties: nested tapes.

    Both players answer the same fakes, as in `pix2pix_step`.
    """
    import tensorflow as tf

    g_optimizer, d_optimizer = _adams(rate, 0.0, 0.99)
    latent_dim = generator.input_shape[-1]

    def with_penalty(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = discriminator(images, training=True)
        squares = tf.square(tape.gradient(logits, images))
        return logits, gamma / 2 * tf.reduce_mean(tf.reduce_sum(squares, axis=[1, 2, 3]))

    @tf.function
    def train_step(real):
        with tf.GradientTape() as g_tape:
            fake = generator(tf.random.normal((batch, latent_dim)), training=True)
        with tf.GradientTape() as d_tape:
            real_logits, r1 = with_penalty(real)
            fake_logits, r2 = with_penalty(fake)
            d_loss = tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits)) + r1 + r2
        weights = discriminator.trainable_weights
        d_optimizer.apply(d_tape.gradient(d_loss, weights), weights)
        with g_tape:
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            g_loss = tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))
        weights = generator.trainable_weights
        g_optimizer.apply(g_tape.gradient(g_loss, weights), weights)
        return d_loss, g_loss

    return train_step


def r3gan_step_jax(generator, discriminator, batch, rate=RATE, gamma=0.1):
    """The same step on JAX."""
    import jax
    from jax import numpy as jnp

    shape = (batch, generator.input_shape[-1])

    def with_penalty(judge, images):
        logits, pull = jax.vjp(judge, images)
        squares = jnp.square(pull(jnp.ones_like(logits))[0])
        return logits, gamma / 2 * jnp.mean(jnp.sum(squares, axis=(1, 2, 3)))

    def d_loss(judge, fake, real):
        real_logits, r1 = with_penalty(judge, real)
        fake_logits, r2 = with_penalty(judge, fake)
        return jnp.mean(jax.nn.softplus(fake_logits - real_logits)) + r1 + r2

    return _alternating_jax(
        generator,
        discriminator,
        _adams(rate, 0.0, 0.99),
        lambda key, real: jax.random.normal(key, shape),
        d_loss,
        lambda judge, fake, real: jnp.mean(jax.nn.softplus(judge(real) - judge(fake))),
    )


def pix2pix_step(generator, discriminator, batch, rate=RATE, distance_weight=100.0):
    """The step of a loop for `pix2pix`, on TensorFlow: images and targets in [-1, 1] to losses."""
    import tensorflow as tf

    del batch
    g_optimizer, d_optimizer = _adams(rate, BETA)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def judge(images, targets, wanted):
        logits = discriminator(tf.concat([images, targets], axis=-1), training=True)
        return cross_entropy(wanted * tf.ones_like(logits), logits)

    @tf.function
    def train_step(images, targets):
        with tf.GradientTape() as g_tape:
            fake = generator(images, training=True)
        with tf.GradientTape() as d_tape:
            d_loss = judge(images, targets, 1.0) + judge(images, fake, 0.0)
        weights = discriminator.trainable_weights
        d_optimizer.apply(d_tape.gradient(d_loss, weights), weights)
        with g_tape:
            distance = tf.reduce_mean(tf.abs(targets - fake))
            g_loss = judge(images, fake, 1.0) + distance_weight * distance
        weights = generator.trainable_weights
        g_optimizer.apply(g_tape.gradient(g_loss, weights), weights)
        return d_loss, g_loss

    return train_step


def pix2pix_step_jax(generator, discriminator, batch, rate=RATE, distance_weight=100.0):
    """The same step on JAX."""
    from jax import numpy as jnp

    del batch
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def look(judge, images, targets, wanted):
        logits = judge(jnp.concatenate([images, targets], axis=-1))
        return cross_entropy(wanted * jnp.ones_like(logits), logits)

    def d_loss(judge, fake, images, targets):
        return look(judge, images, targets, 1.0) + look(judge, images, fake, 0.0)

    def g_loss(judge, fake, images, targets):
        distance = jnp.mean(jnp.abs(targets - fake))
        return look(judge, images, fake, 1.0) + distance_weight * distance

    return _alternating_jax(
        generator,
        discriminator,
        _adams(rate, BETA),
        lambda key, images, targets: images,
        d_loss,
        g_loss,
    )


STEPS = {
    "dcgan": {"tensorflow": dcgan_step, "jax": dcgan_step_jax},
    "vanilla": {"tensorflow": dcgan_step, "jax": dcgan_step_jax},
    "r3gan": {"tensorflow": r3gan_step, "jax": r3gan_step_jax},
    "pix2pix": {"tensorflow": pix2pix_step, "jax": pix2pix_step_jax},
}
"""Of each model: the step of its plain loop, by backend."""
