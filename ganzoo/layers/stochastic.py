"""Layers that add noise or drop units."""

import math
from typing import Any

import keras
from keras import ops

from ganzoo import backend
from ganzoo import validation


@keras.saving.register_keras_serializable(package="ganzoo")
class Dropout(keras.layers.Dropout):
    """Keras's dropout, but several replicas together drop the units that a single one would.

    Arguments and result are the same.

    Example:

    >>> y = Dropout(0.5, seed=0)(keras.ops.ones((8, 8)), training=True)
    >>> sorted({float(v) for v in keras.ops.convert_to_numpy(y).ravel()})
    [0.0, 2.0]
    """

    def call(self, inputs, training=False):
        if not training or not self.rate or backend.replicas() == 1:
            return super().call(inputs, training=training)

        def mask(shape):
            ones = ops.ones(shape, inputs.dtype)
            return keras.random.dropout(ones, self.rate, seed=self.seed_generator)

        return inputs * backend.drawn(mask, ops.shape(inputs))


@keras.saving.register_keras_serializable(package="ganzoo")
class GaussianNoise(keras.layers.GaussianNoise):
    """Keras's Gaussian noise, but several replicas together add the noise that a single one would.

    Arguments and result are the same.

    Example:

    >>> y = GaussianNoise(0.1, seed=0)(keras.ops.zeros((100, 100)), training=True)
    >>> round(float(keras.ops.std(y)), 2)
    0.1
    """

    def call(self, inputs, training=False):
        if not training or not self.stddev or backend.replicas() == 1:
            return super().call(inputs, training=training)
        options = {"stddev": self.stddev, "dtype": self.compute_dtype, "seed": self.seed_generator}
        return inputs + backend.drawn(keras.random.normal, ops.shape(inputs), **options)


@keras.saving.register_keras_serializable(package="ganzoo")
class Noise(keras.layers.Layer):
    """Adds the same noise to all channels, with a learned strength: fresh noise in training,
    constant noise outside it, so that images are a function of the latents.

    Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial
    Networks", section 3.2. Inputs are `(batch, height, width, channels)`.

    Example:

    >>> x = keras.ops.ones((2, 4, 4, 3))
    >>> bool(keras.ops.all(Noise()(x) == x))  # the strength starts at zero
    True
    """

    def build(self, input_shape):
        self.seed_generator = keras.random.SeedGenerator()
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")
        self.still = self.add_weight(
            shape=(*input_shape[1:-1], 1), initializer=normal, trainable=False, name="still"
        )

    def call(self, inputs, training=False):
        noise = ops.convert_to_tensor(self.still)
        if training:
            shape = (ops.shape(inputs)[0], *inputs.shape[1:-1], 1)
            options = {"dtype": "float32", "seed": self.seed_generator}
            noise = backend.drawn(keras.random.normal, shape, **options)
        return inputs + ops.cast(noise, inputs.dtype) * self.strength

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="ganzoo")
class Spread(keras.layers.Layer):
    """Returns means unchanged, and holds the standard deviation of the noise around them.

    Args:
        initial: the standard deviation, or its initial value.
        learned: whether it is trained.

    Example:

    >>> layer = Spread(0.5)
    >>> float(layer(keras.ops.ones((1,)))[0]), round(float(keras.ops.exp(layer.log_scale)), 3)
    (1.0, 0.5)
    """

    def __init__(self, initial: float = 1.0, learned: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = validation.real("initial", initial, above=0)
        self.learned = learned

    def build(self, input_shape):
        self.log_scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(math.log(self.initial)),
            trainable=self.learned,
            name="log_scale",
        )

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial, "learned": self.learned}


@keras.saving.register_keras_serializable(package="ganzoo")
class PhaseShuffle(keras.layers.Layer):
    """Shifts a sequence by a random number of places in training, so that a discriminator cannot
    tell samples by the phase of the artefacts that strides leave. What the shift uncovers is
    filled by reflection. Outside training it does nothing.

    Donahue, McAuley, Puckette 2019, "Adversarial Audio Synthesis", section 3.3. One shift is drawn
    for each batch, as in the authors' code.

    Args:
        most: n; the shift is uniform in -n … n. Inputs `(batch, length, channels)` are longer.
        seed: of the shifts; None: any.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(8.0), (1, 8, 1))
    >>> y = PhaseShuffle(2, seed=1)(x, training=True)
    >>> abs(float(y[0, 4, 0]) - 4) <= 2
    True
    """

    def __init__(self, most: int = 2, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = validation.integer("most", most, least=0)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_jit = True

    def call(self, inputs, training=False):
        n, length = self.most, inputs.shape[1]
        if not training or not n:
            return inputs
        shift = keras.random.randint((), 0, 2 * n + 1, dtype="int32", seed=self.seed_generator)
        padded = ops.pad(inputs, ((0, 0), (n, n), (0, 0)), mode="reflect")
        return ops.take(padded, shift + ops.arange(length), axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "most": self.most, "seed": self.seed}
