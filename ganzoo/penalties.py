"""Penalties on the discriminator's slope: pure functions, always in float32."""

from keras import ops
from keras import random

from ganzoo import backend


def gradient_penalty(discriminate, real, fake, *, seed, target=1.0):
    """Mean of (‖∇D(x)‖ − target)² at points x between real and fake pictures.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation 3 and algorithm 1.
    Each example has its own interpolation weight, uniform in [0, 1].

    Args:
        discriminate: function from pictures to logits.
        real: real pictures, batch first.
        fake: generated pictures, same shape.
        seed: `keras.random.SeedGenerator` that draws the interpolation weights.
        target: the slope asked for.

    Returns:
        A float32 scalar.
    """
    real = ops.cast(real, "float32")
    fake = ops.cast(fake, "float32")
    shape = (ops.shape(real)[0],) + (1,) * (len(real.shape) - 1)
    weight = random.uniform(shape, seed=seed)
    between = fake + weight * (real - fake)
    gradient = backend.input_gradient(lambda x: ops.cast(discriminate(x), "float32"), between)
    gradient = ops.reshape(ops.cast(gradient, "float32"), (ops.shape(real)[0], -1))
    # Epsilon inside the root: the root's derivative at zero is infinite.
    norm = ops.sqrt(ops.sum(ops.square(gradient), axis=1) + 1e-12)
    return ops.mean(ops.square(norm - target))
