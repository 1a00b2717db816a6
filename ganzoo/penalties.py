"""Penalties on the gradient of a network with respect to its input: pure functions, in float32."""

from collections.abc import Callable

import keras
from keras import ops
from keras import random

from ganzoo import backend
from ganzoo import types


def squared_slopes(
    discriminate: Callable[[types.Tensor], types.Tensor], images: types.Tensor
) -> types.Tensor:
    """‖∇D(x)‖² at each image.

    Its mean over real images is R1, over fake ones R2 (both with a factor γ/2): Mescheder et al.
    2018, "Which Training Methods for GANs do actually Converge?", equations 9 and 10.

    Args:
        discriminate: function from images to logits.
        images: images, batch first.

    Returns:
        `(batch,)`, float32.
    """
    return with_squared_slopes(lambda x: {"logits": discriminate(x)}, images)["squared_slopes"]


def with_squared_slopes(
    look: Callable[[types.Tensor], types.Tensors], images: types.Tensor
) -> types.Tensors:
    """The discriminator's outputs for images, and ‖∇D(x)‖² at each, from one forward pass.

    Args:
        look: function from images to a dict with the key `"logits"`.
        images: images, batch first.

    Returns:
        That dict with one more key, `"squared_slopes"`: the result of the function of this name.
    """

    def judge(x):
        outputs = look(x)
        return ops.cast(outputs["logits"], "float32"), outputs

    images = ops.cast(images, "float32")
    gradient, outputs = backend.input_gradient(judge, images, has_aux=True)
    gradient = ops.reshape(ops.cast(gradient, "float32"), (ops.shape(images)[0], -1))
    return {**outputs, "squared_slopes": ops.sum(ops.square(gradient), axis=1)}


def gradient_penalty(
    discriminate: Callable[[types.Tensor], types.Tensor],
    real: types.Tensor,
    fake: types.Tensor,
    *,
    seed: keras.random.SeedGenerator,
    target: float = 1.0,
) -> types.Tensor:
    """Mean of (‖∇D(x)‖ − target)² at points x between real and fake images.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation 3 and algorithm 1.
    Each example has its own interpolation weight, uniform in [0, 1].

    Args:
        discriminate: function from images to logits.
        real: real images, batch first.
        fake: generated images, same shape.
        seed: `keras.random.SeedGenerator` that draws the interpolation weights.
        target: the wanted norm of the gradient.

    Returns:
        A float32 scalar.
    """
    real = ops.cast(real, "float32")
    fake = ops.cast(fake, "float32")
    shape = (ops.shape(real)[0],) + (1,) * (len(real.shape) - 1)
    weight = backend.drawn(random.uniform, shape, seed=seed)
    between = fake + weight * (real - fake)
    # Epsilon inside the root: the root's derivative at zero is infinite.
    norm = ops.sqrt(squared_slopes(discriminate, between) + 1e-12)
    return ops.mean(ops.square(norm - target))


def path_lengths(
    render: Callable[[types.Tensor], types.Tensor], styles: types.Tensor, noise: types.Tensor
) -> types.Tensor:
    """‖Jᵀ y‖ for each image: how much it changes with its styles. J is the derivative of the images
    with respect to the styles, and y is noise.

    Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", equation 4.

    Args:
        render: function from styles to images.
        styles: `(batch, layers, length)`; the square is a mean over layers.
        noise: normal, of the images' shape.

    Returns:
        `(batch,)`, float32.
    """
    # Scaled before the gradient is taken, which may be in half precision, not after.
    noise = noise / (noise.shape[1] * noise.shape[2]) ** 0.5
    change = lambda w: ops.sum(ops.cast(render(w), "float32") * noise, axis=(1, 2, 3))
    slopes = ops.cast(backend.input_gradient(change, styles), "float32")
    # Epsilon inside the root: its derivative at zero is infinite.
    return ops.sqrt(ops.mean(ops.sum(ops.square(slopes), axis=2), axis=1) + 1e-12)
