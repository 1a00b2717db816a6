"""Layers that Keras lacks."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import checks
from ganzoo import hints


@keras.saving.register_keras_serializable(package="ganzoo")
class Maxout(keras.layers.Layer):
    """The largest of several affine maps, for each unit.

    Goodfellow et al. 2013, "Maxout Networks", section 3.

    Args:
        units: length of the output.
        pieces: affine maps for each unit.
        kernel_initializer: of the affine maps.

    Example:

    >>> tuple(Maxout(3, pieces=5)(keras.ops.ones((2, 4))).shape)
    (2, 3)
    """

    def __init__(
        self, units: int, pieces: int = 2, kernel_initializer: str = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = checks.integer("units", units)
        self.pieces = checks.integer("pieces", pieces)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units * self.pieces),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units * self.pieces,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        maps = ops.matmul(inputs, self.kernel) + self.bias
        return ops.max(ops.reshape(maps, (-1, self.units, self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        config = super().get_config()
        config.update(
            units=self.units,
            pieces=self.pieces,
            kernel_initializer=keras.initializers.serialize(self.kernel_initializer),
        )
        return config


@keras.saving.register_keras_serializable(package="ganzoo")
class LayerNorm(keras.layers.Layer):
    """Each example brought to mean 0 and variance 1 by itself, then scaled per channel.

    Ba, Kiros, Hinton 2016, "Layer Normalization". Unlike batch normalisation it couples no
    examples, so that a penalty on the slope at each example means what it says (Gulrajani et al.
    2017, section 4). On TensorFlow the second derivative through Keras's own is wrong.

    Args:
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> y = LayerNorm()(x)[0]
    >>> abs(round(float(keras.ops.mean(y)), 3)), round(float(keras.ops.std(y)), 3)
    (0.0, 1.0)
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = checks.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # squares overflow float16
        gamma, beta = (ops.cast(v, "float32") for v in (self.gamma, self.beta))
        return ops.cast(backend.layer_norm(x, gamma, beta, self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ganzoo")
class BatchNorm(keras.layers.BatchNormalization):
    """Keras's batch normalisation (Ioffe, Szegedy 2015), in one operation where there is one.

    Keras's own is made of some ten on TensorFlow. Arguments, weights and result are the same; the
    second derivative, which Keras's has wrong on TensorFlow, is right.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> round(abs(float(keras.ops.mean(BatchNorm()(x, training=True)))), 4)
    0.0
    """

    def call(self, inputs, training=None, mask=None):
        plain = mask is None and not self.renorm
        plain = plain and self.axis in (-1, len(inputs.shape) - 1) and not self.synchronized
        found = None
        if training and self.trainable and plain:
            inputs = ops.convert_to_tensor(inputs)
            width = inputs.shape[-1:]
            gamma = ops.convert_to_tensor(self.gamma) if self.scale else ops.ones(width)
            beta = ops.convert_to_tensor(self.beta) if self.center else ops.zeros(width)
            found = backend.batch_norm(inputs, gamma, beta, self.epsilon)
        if found is None:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = found
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1.0 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable(package="ganzoo")
class Dropout(keras.layers.Dropout):
    """Keras's dropout; where several replicas train, each drops others, as one alone would.

    Arguments and result are the same.

    Example:

    >>> y = Dropout(0.5, seed=0)(keras.ops.ones((8, 8)), training=True)
    >>> sorted({float(v) for v in keras.ops.convert_to_numpy(y).ravel()})
    [0.0, 2.0]
    """

    def call(self, inputs, training=False):
        if not training or not self.rate or backend.replicas() == 1:
            return super().call(inputs, training=training)

        def kept(shape):
            ones = ops.ones(shape, inputs.dtype)
            return keras.random.dropout(ones, self.rate, seed=self.seed_generator)

        return inputs * backend.drawn(kept, ops.shape(inputs))


@keras.saving.register_keras_serializable(package="ganzoo")
class GaussianNoise(keras.layers.GaussianNoise):
    """Keras's noise; where several replicas train, each adds its own, as one alone would.

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


def _at_the_pictures(layer, channels):
    """Whether a convolution is of the kind that stands at the pictures' end of a GAN."""
    rows, columns = layer.kernel_size
    return (
        channels <= 4
        and layer.strides == (2, 2)
        and rows == columns
        and rows % 2 == 0
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
    )


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2D(keras.layers.Conv2D):
    """Keras's convolution; on a CPU its gradient to pictures of few channels takes less time, and
    so do grouped ones.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2D(8, 4, strides=2, padding="same")(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 4, 4, 8)
    """

    def convolution_op(self, inputs, kernel):
        found = None
        if _at_the_pictures(self, inputs.shape[-1]) and self.groups == 1:
            found = backend.picture_conv(inputs, kernel)
        if self.groups > 1:
            convolve = super().convolution_op
            kernel = ops.convert_to_tensor(kernel)
            found = backend.grouped_conv(convolve, inputs, kernel, self.groups)
        return super().convolution_op(inputs, kernel) if found is None else found


@keras.saving.register_keras_serializable(package="ganzoo")
class UpSampling2D(keras.layers.UpSampling2D):
    """Keras's, by which each pixel becomes four; height and width of the result stay known where
    the batch size is not, which other runtimes need. For channels last.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> keras.ops.convert_to_numpy(UpSampling2D()(x))[0, :, :, 0].astype(int).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size=2, **kwargs)

    def call(self, inputs):
        _, height, width, channels = inputs.shape
        # Each pixel beside itself, then each row below itself. By one operation each: a gradient of
        # more than two terms may be summed in any order.
        rows = ops.reshape(ops.tile(inputs, (1, 1, 1, 2)), (-1, height, 2 * width * channels))
        return ops.reshape(ops.tile(rows, (1, 1, 2)), (-1, 2 * height, 2 * width, channels))

    def get_config(self):
        config = super().get_config()
        return {
            k: v for k, v in config.items() if k not in ("size", "data_format", "interpolation")
        }


@keras.saving.register_keras_serializable(package="ganzoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's transposed convolution; to pictures of few channels it takes less time on a CPU.

    Arguments, weights and result are the same.

    Example:

    >>> tuple(Conv2DTranspose(3, 4, strides=2, padding="same")(keras.ops.ones((2, 4, 4, 8))).shape)
    (2, 8, 8, 3)
    """

    def call(self, inputs):
        found = None
        if _at_the_pictures(self, self.filters) and self.output_padding is None:
            found = backend.picture_conv_transpose(inputs, self.kernel)
        if found is None:
            return super().call(inputs)
        outputs = found + self.bias if self.use_bias else found
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="ganzoo")
class ConditionalBatchNorm(keras.layers.Layer):
    """Batch normalisation whose scale and offset depend on the class.

    Dumoulin, Shlens, Kudlur 2017, "A Learned Representation for Artistic Style", section 2.2.
    Called with `[inputs, labels]`.

    Args:
        num_classes: number of classes; labels are whole numbers below it.
        momentum, epsilon: as in `keras.layers.BatchNormalization`.

    Example:

    >>> x, labels = keras.ops.ones((2, 4, 4, 3)), keras.ops.zeros((2,), "int32")
    >>> tuple(ConditionalBatchNorm(10)([x, labels], training=True).shape)
    (2, 4, 4, 3)
    """

    def __init__(
        self, num_classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = checks.integer("num_classes", num_classes)
        self.momentum = checks.real("momentum", momentum, least=0, most=1)
        self.epsilon = checks.real("epsilon", epsilon, above=0)
        self.norm = BatchNorm(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        shape, _ = input_shape
        self.norm.build(shape)
        table = (self.num_classes, shape[-1])
        self.gamma = self.add_weight(shape=table, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=table, initializer="zeros", name="beta")

    def call(self, inputs, training=None):
        x, labels = inputs
        x = self.norm(x, training=training)
        shape = (-1, *(1 for _ in x.shape[2:]), x.shape[-1])
        gamma, beta = (
            ops.reshape(ops.take(ops.convert_to_tensor(t), labels, axis=0), shape)
            for t in (self.gamma, self.beta)
        )
        return x * gamma + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def _unit_vector(shape, dtype=None):
    vector = keras.initializers.RandomNormal(stddev=1.0)(shape, dtype)
    return vector / ops.norm(vector)


@keras.saving.register_keras_serializable(package="ganzoo")
class SpectralNorm(keras.layers.Wrapper):
    """A layer with a kernel, divided by the kernel's largest singular value.

    Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative Adversarial
    Networks", section 2.1 and algorithm 1. The value comes from a power iteration that goes on with
    each call in training; the gradient flows through it, and it holds at inference too. Keras's own
    layer overwrites the kernel, lets no gradient through on TensorFlow and normalises nothing at
    inference.

    Args:
        layer: a `Dense`, `Conv2D`, `Conv2DTranspose` or `Embedding` layer.
        power_iterations: steps of the iteration in each call in training.

    Example:

    >>> layer = SpectralNorm(keras.layers.Dense(3, use_bias=False), power_iterations=50)
    >>> _ = layer(keras.ops.eye(3), training=True)
    >>> round(float(keras.ops.norm(layer(keras.ops.eye(3)), ord=2)), 3)
    1.0
    """

    def __init__(self, layer: keras.layers.Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = checks.integer("power_iterations", power_iterations)

    @property
    def _weight(self):
        return self.layer.kernel if hasattr(self.layer, "kernel") else self.layer.embeddings

    def _matrix(self):
        """The kernel in float32, `(everything else, outputs)`."""
        kernel = ops.cast(self._weight, "float32")
        if isinstance(self.layer, keras.layers.Conv2DTranspose):
            kernel = ops.swapaxes(kernel, -1, -2)
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def build(self, input_shape=None):
        super().build(input_shape)
        self.direction = self.add_weight(
            shape=(self._matrix().shape[-1],),
            initializer=_unit_vector,
            trainable=False,
            dtype="float32",
            autocast=False,
            name="direction",
        )

    def normalized(self, training: bool = False) -> hints.Tensor:
        """The kernel divided by its largest singular value, in the kernel's shape and dtype."""
        matrix = self._matrix()
        still = ops.stop_gradient(matrix)
        right = ops.convert_to_tensor(self.direction)
        for _ in range(self.power_iterations if training else 0):
            right = ops.matmul(ops.matmul(still, right), still)
            right = right * ops.rsqrt(ops.sum(ops.square(right)) + 1e-24)
        if training:
            self.direction.assign(right)
        # Along a fixed unit vector: the gradient is that of the singular value.
        largest = ops.sqrt(ops.sum(ops.square(ops.matmul(matrix, ops.stop_gradient(right)))))
        return ops.cast(ops.cast(self._weight, "float32") / largest, self._weight.dtype)

    def call(self, inputs, training=False):
        values = {id(v): v.value for v in self.layer.variables}
        values[id(self._weight)] = self.normalized(training)
        # All of its variables: a scope hides what an outer one says of those it does not name.
        mapping = [(v, values[id(v)]) for v in self.layer.variables]
        with keras.StatelessScope(state_mapping=mapping):
            return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


@keras.saving.register_keras_serializable(package="ganzoo")
class PixelNorm(keras.layers.Layer):
    """The channels of each pixel brought to a mean square of 1.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.2.

    Example:

    >>> y = PixelNorm()(keras.ops.convert_to_tensor([[3.0, 4.0]]))
    >>> round(float(keras.ops.mean(keras.ops.square(y))), 3)
    1.0
    """

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-8)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="ganzoo")
class MinibatchStddev(keras.layers.Layer):
    """A further channel that says how much the examples of a group differ.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 3.

    Args:
        group_size: examples compared with each other; the batch is cut into groups of that size,
            or of the largest size below it that divides the batch.

    Example:

    >>> tuple(MinibatchStddev()(keras.ops.ones((8, 4, 4, 3))).shape)
    (8, 4, 4, 4)
    """

    def __init__(self, group_size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group_size = checks.integer("group_size", group_size)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        count = x.shape[0]
        sizes = range(min(count or self.group_size, self.group_size), 0, -1)
        size = next(n for n in sizes if not count or count % n == 0)
        groups = ops.reshape(x, (size, -1, *x.shape[1:]))
        # Epsilon inside the root: its derivative at zero is infinite.
        spread = ops.sqrt(ops.var(groups, axis=0) + 1e-8)
        spread = ops.mean(spread, axis=tuple(range(1, len(x.shape))), keepdims=True)
        spread = ops.tile(spread, (size, *(1 for _ in x.shape[1:])))
        plane = ops.broadcast_to(spread, (*ops.shape(x)[:-1], 1))
        return ops.concatenate([inputs, ops.cast(plane, self.compute_dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}


@keras.saving.register_keras_serializable(package="ganzoo")
class SelfAttention(keras.layers.Layer):
    """Each place of a feature map looks at all others, and adds what it found there, times a factor
    that starts at zero.

    Zhang, Goodfellow, Metaxas, Odena 2019, "Self-Attention Generative Adversarial Networks",
    section 3; with the pooled keys and values of the authors' code.

    Args:
        spectral: whether the four projections are spectrally normalised, each by itself.

    Example:

    >>> x = keras.random.normal((2, 4, 4, 8), seed=0)
    >>> y = SelfAttention()(x)
    >>> bool(keras.ops.all(x == y))  # the factor is zero
    True
    """

    def __init__(self, spectral: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spectral = bool(spectral)

    def build(self, input_shape):
        channels = input_shape[-1]
        narrow, wide = max(1, channels // 8), max(1, channels // 2)

        def project(inputs, outputs, name):
            options = {"name": name, "dtype": self.dtype_policy}
            layer = keras.layers.Conv2D(outputs, 1, use_bias=False, **options)
            layer = SpectralNorm(layer, **options) if self.spectral else layer
            layer.build((*input_shape[:-1], inputs))
            return layer

        names = {"queries": narrow, "keys": narrow, "values": wide}
        self.inward = [project(channels, n, name) for name, n in names.items()]
        self.outward = project(wide, channels, "found")
        self.gain = Gain(dtype=self.dtype_policy)
        self.gain.build(input_shape)
        self.built = True

    def call(self, inputs, training=False):
        # One convolution for three, and the gradient to the inputs is a sum of two terms: of more
        # TensorFlow gives another last bit when its threads come in another order.
        kernels = [p.normalized(training) if self.spectral else p.kernel for p in self.inward]
        kernel = ops.cast(ops.concatenate(kernels, axis=-1), inputs.dtype)
        last = {"data_format": "channels_last"}  # whatever keras.json says
        queries, *others = ops.split(
            ops.conv(inputs, kernel, **last),
            [kernels[0].shape[-1], 2 * kernels[0].shape[-1]],
            axis=-1,
        )
        flat = lambda x: ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[-1]))
        # On JAX Keras needs the strides said.
        pool = lambda x: ops.max_pool(x, (2, 2), strides=(2, 2), padding="same", **last)
        keys, values = (flat(pool(x)) for x in others)
        scores = ops.matmul(flat(queries), ops.swapaxes(keys, 1, 2))
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32")), inputs.dtype)
        found = ops.reshape(ops.matmul(weights, values), (-1, *inputs.shape[1:3], values.shape[-1]))
        outward = {"training": training} if self.spectral else {}
        return inputs + self.gain(self.outward(found, **outward))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "spectral": self.spectral}


@keras.saving.register_keras_serializable(package="ganzoo")
class Gain(keras.layers.Layer):
    """One learned factor.

    Args:
        initial: its first value.

    Example:

    >>> keras.ops.convert_to_numpy(Gain(0.5)(keras.ops.ones((2,)))).tolist()
    [0.5, 0.5]
    """

    def __init__(self, initial: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = checks.real("initial", initial)

    def build(self, input_shape):
        self.gain = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(self.initial), name="gain"
        )

    def call(self, inputs):
        return inputs * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}


@keras.saving.register_keras_serializable(package="ganzoo")
class Spread(keras.layers.Layer):
    """Passes on means, and holds the standard deviation of the noise around them.

    Args:
        initial: the standard deviation, or its first value.
        learned: whether it is moved in training.

    Example:

    >>> layer = Spread(0.5)
    >>> float(layer(keras.ops.ones((1,)))[0]), round(float(keras.ops.exp(layer.log_scale)), 3)
    (1.0, 0.5)
    """

    def __init__(self, initial: float = 1.0, learned: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = checks.real("initial", initial, above=0)
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
class InstanceNorm(keras.layers.Layer):
    """Each channel of each picture brought to mean 0 and variance 1 by itself.

    Ulyanov, Vedaldi, Lempitsky 2016, "Instance Normalization". What batch normalisation is for
    batches of one picture.

    Args:
        affine: whether a learned scale and offset per channel follow.
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.reshape(keras.ops.arange(16.0), (2, 2, 2, 2))
    >>> y = InstanceNorm()(x)[0, ..., 0]
    >>> abs(round(float(keras.ops.mean(y)), 3)), round(float(keras.ops.std(y)), 3)
    (0.0, 1.0)
    """

    def __init__(self, affine: bool = False, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.affine = affine
        self.epsilon = checks.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        if self.affine:
            around_one = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
            shape = (input_shape[-1],)
            self.gamma = self.add_weight(shape=shape, initializer=around_one, name="gamma")
            self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # squares overflow float16
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=(1, 2), keepdims=True) + self.epsilon)
        if self.affine:
            x = x * ops.cast(self.gamma, "float32") + ops.cast(self.beta, "float32")
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "affine": self.affine, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ganzoo")
class ReflectionPadding(keras.layers.Layer):
    """A border that mirrors the picture.

    Args:
        padding: pixels on each side.
        multiple: as many more are added below and on the right as it takes to make height and
            width without `padding` multiples of it.

    Example:

    >>> tuple(ReflectionPadding(3, multiple=4)(keras.ops.ones((1, 9, 8, 3))).shape)
    (1, 18, 14, 3)
    """

    def __init__(self, padding: int, multiple: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = checks.integer("padding", padding)
        self.multiple = checks.integer("multiple", multiple)

    def _after(self, side):
        return self.padding + -side % self.multiple

    def call(self, inputs):
        sides = [(self.padding, self._after(side)) for side in ops.shape(inputs)[1:3]]
        return ops.pad(inputs, [(0, 0), *sides, (0, 0)], mode="reflect")

    def compute_output_shape(self, input_shape):
        sides = (n and self.padding + n + self._after(n) for n in input_shape[1:3])
        return (input_shape[0], *sides, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "multiple": self.multiple}


@keras.saving.register_keras_serializable(package="ganzoo")
class CropLike(keras.layers.Layer):
    """Pictures cut, below and on the right, to the height and width of others.

    Called with `[inputs, like]`.

    Example:

    >>> tuple(CropLike()([keras.ops.ones((1, 8, 8, 3)), keras.ops.ones((1, 7, 5, 1))]).shape)
    (1, 7, 5, 3)
    """

    def call(self, inputs):
        x, like = inputs
        height, width = ops.shape(like)[1:3]
        return x[:, :height, :width]

    def compute_output_shape(self, input_shape):
        shape, like = input_shape
        return (shape[0], *like[1:3], shape[-1])


@keras.saving.register_keras_serializable(package="ganzoo")
class ImageHistory(keras.layers.Layer):
    """Pictures that were made a while ago, in place of half of the new ones.

    Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial
    Training", section 2.3; as in CycleGAN. While it has room it keeps what comes and gives it
    back. Once it is full, each new picture, with probability one half, takes the place of one of
    those kept, which comes out instead. What it keeps are weights, so that it is saved. Pictures of
    one batch take different places; of a larger batch than it has room for, the rest passes.

    Args:
        size: how many it keeps; 0: none, everything passes.

    Example:

    >>> history = ImageHistory(4)
    >>> old = history(keras.ops.zeros((4, 1, 1, 1)))
    >>> new = history(keras.ops.ones((4, 1, 1, 1)))
    >>> float(keras.ops.sum(new)) + float(keras.ops.sum(history.kept))
    4.0
    """

    def __init__(self, size: int = 50, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = checks.integer("size", size, least=0)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        options = {"initializer": "zeros", "trainable": False, "autocast": False}
        self.kept = self.add_weight(
            shape=(self.size, *input_shape[1:]), dtype="float32", name="kept", **options
        )
        self.count = self.add_weight(shape=(), dtype="int32", name="count", **options)

    def call(self, inputs):
        if not self.size:
            return inputs
        new = backend.whole(ops.stop_gradient(ops.cast(inputs, "float32")))
        old, count = ops.convert_to_tensor(self.kept), ops.convert_to_tensor(self.count)
        batch, size = new.shape[0], self.size
        full = count >= size
        # Which picture of the batch may come to each place, and to which place each may go.
        shuffled = ops.argsort(keras.random.uniform((size,), seed=self.seed_generator))
        picture = ops.where(full, ops.cast(shuffled, "int32"), ops.arange(size) - count)
        place = ops.argsort(shuffled)[: min(batch, size)]
        coins = keras.random.uniform((batch,), seed=self.seed_generator) < 0.5
        swaps = ops.logical_and(full, coins)
        there = ops.logical_and(picture >= 0, picture < batch)
        picture = ops.clip(picture, 0, batch - 1)
        comes = ops.logical_and(there, ops.logical_or(count < size, ops.take(swaps, picture)))
        each = lambda mask: ops.reshape(mask, (-1, 1, 1, 1))
        first = ops.where(each(swaps[: min(batch, size)]), ops.take(old, place, axis=0), new[:size])
        kept = ops.where(each(comes), ops.take(new, picture, axis=0), old)
        count = ops.minimum(count + batch, size)
        # Last, because on TensorFlow what was read from a variable is still the variable.
        self.kept.assign(kept)
        self.count.assign(count)
        return backend.own(ops.concatenate([first, new[size:]]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class _Equalized:
    """Weights from N(0, 1), multiplied each time they are used by what He's initialisation would
    have drawn them with, so that an optimizer such as Adam moves all layers at the same pace.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.1.
    """

    def __init__(self, *args, gain=1.0, lr_multiplier=1.0, **kwargs):
        self.gain = checks.real("gain", gain, above=0)
        self.lr_multiplier = checks.real("lr_multiplier", lr_multiplier, above=0)
        # Also when it is made anew from its configuration.
        kwargs["kernel_initializer"] = keras.initializers.RandomNormal(stddev=1 / lr_multiplier)
        super().__init__(*args, **kwargs)

    @property
    def scale(self):
        """What the kernel is multiplied by."""
        return self.gain * self.lr_multiplier / math.sqrt(math.prod(self.kernel.shape[:-1]))

    def get_config(self):
        config = {**super().get_config(), "gain": self.gain, "lr_multiplier": self.lr_multiplier}
        del config["kernel_initializer"]
        return config


@keras.saving.register_keras_serializable(package="ganzoo")
class EqualizedDense(_Equalized, keras.layers.Dense):
    """A dense layer with an equalised learning rate.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", section 4.1: weights from
    N(0, 1) are multiplied, each time they are used, by what He's initialisation would have drawn
    them with. Adam then moves all layers at the same pace.

    Args:
        *args, **kwargs: see `keras.layers.Dense`.
        gain: √2 before rectified units that do not make up for it themselves.
        lr_multiplier: how much faster than others it learns.

    Example:

    >>> layer = EqualizedDense(100, lr_multiplier=0.01)
    >>> round(float(keras.ops.std(layer(keras.random.normal((200, 50), seed=0)))), 1)
    1.0
    >>> 90 < float(keras.ops.std(layer.kernel)) < 110
    True
    """

    def call(self, inputs):
        # Not the kernel: TensorFlow would move the factor out of the sum of several calls'
        # gradients, in an order that depends on names, and a loaded model has others.
        x = ops.matmul(inputs * self.scale, self.kernel)
        if self.use_bias:
            x = x + self.bias * self.lr_multiplier
        return x if self.activation is None else self.activation(x)


@keras.saving.register_keras_serializable(package="ganzoo")
class EqualizedConv2D(_Equalized, keras.layers.Conv2D):
    """A convolution with an equalised learning rate: see `EqualizedDense`.

    Args:
        *args, **kwargs: see `keras.layers.Conv2D`.
        gain: √2 before rectified units that do not make up for it themselves.
        lr_multiplier: how much faster than others it learns.

    Example:

    >>> layer = EqualizedConv2D(64, 3, padding="same")
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 8, 8, 64)
    """

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel * self.scale)


def _means(length, times, padding):
    """The matrix that pads with zeros and takes means of neighbours, so many times."""
    matrix = np.pad(np.eye(length), (padding, (0, 0)))
    for _ in range(times):
        matrix = (matrix[1:] + matrix[:-1]) / 2
    return matrix


@keras.saving.register_keras_serializable(package="ganzoo")
class Blur(keras.layers.Layer):
    """A low-pass filter: the mean of two neighbours, so many times over, along both axes.

    Three times are (1, 3, 3, 1) / 8. Karras et al. 2019, "A Style-Based Generator Architecture for
    Generative Adversarial Networks", section 2, use (1, 2, 1).

    Args:
        times: how often; each makes the picture one pixel smaller.
        padding: zeros put around it before, `(before, after)` along both axes.

    Example:

    >>> y = Blur(2, padding=(1, 1))(keras.ops.ones((1, 3, 3, 1)))
    >>> keras.ops.convert_to_numpy(y)[0, :, :, 0].tolist()
    [[0.5625, 0.75, 0.5625], [0.75, 1.0, 0.75], [0.5625, 0.75, 0.5625]]
    """

    def __init__(self, times: int, padding: Sequence[int] = (0, 0), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.times = checks.integer("times", times)
        self.padding = tuple(padding)

    def call(self, inputs):
        return self.filter(inputs, self.times, self.padding)

    @staticmethod
    def filter(x: hints.Tensor, times: int, padding: Any) -> hints.Tensor:
        """The mean of neighbours along both axes."""
        _, height, width, channels = x.shape
        if max(height, width) > 128:
            x = ops.pad(x, ((0, 0), padding, padding, (0, 0)))
            for _ in range(times):
                x = (x[:, 1:] + x[:, :-1]) * 0.5
            for _ in range(times):
                x = (x[:, :, 1:] + x[:, :, :-1]) * 0.5
            return x
        # Two products of matrices are fewer and quicker operations on small pictures.
        means = [_means(n, times, padding) for n in (height, width)]
        rows, columns = (ops.convert_to_tensor(matrix, x.dtype) for matrix in means)
        x = ops.matmul(rows, ops.reshape(x, (-1, height, width * channels)))
        x = ops.matmul(columns, ops.reshape(x, (-1, width, channels)))
        return ops.reshape(x, (-1, *map(len, means), channels))

    def compute_output_shape(self, input_shape):
        batch, *places, channels = input_shape
        change = sum(self.padding) - self.times
        return (batch, *(n + change for n in places), channels)

    def get_config(self):
        return {**super().get_config(), "times": self.times, "padding": self.padding}


@keras.saving.register_keras_serializable(package="ganzoo")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example's features how close it is to the others of its batch.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.2: features are mapped
    to `kernels` vectors of length `dimension`; for each kernel, the sum over the batch of
    exp(−L1 distance) is a further feature.

    Args:
        kernels: features added.
        dimension: length of the vectors that are compared.

    Example:

    >>> print(keras.ops.convert_to_numpy(MinibatchDiscrimination(1)(keras.ops.ones((3, 2)))[0]))
    [1. 1. 3.]
    """

    def __init__(self, kernels: int = 100, dimension: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernels = checks.integer("kernels", kernels)
        self.dimension = checks.integer("dimension", dimension)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.kernels * self.dimension),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
            name="kernel",
        )

    def call(self, inputs):
        vectors = ops.reshape(ops.matmul(inputs, self.kernel), (-1, self.kernels, self.dimension))
        vectors = ops.cast(vectors, "float32")
        distance = ops.sum(ops.abs(vectors[:, None] - backend.whole(vectors)[None]), axis=-1)
        near = ops.sum(ops.exp(-distance), axis=1)
        return ops.concatenate([inputs, ops.cast(near, self.compute_dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        return {**super().get_config(), "kernels": self.kernels, "dimension": self.dimension}


@keras.saving.register_keras_serializable(package="ganzoo")
class WithReference(keras.layers.Layer):
    """Puts before each batch the same normal examples, drawn when the layer is made.

    Args:
        count: how many.

    Example:

    >>> tuple(WithReference(5)(keras.ops.ones((2, 3))).shape)
    (7, 3)
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = checks.integer("count", count)

    def build(self, input_shape):
        self.reference = self.add_weight(
            shape=(self.count, *input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="reference",
        )

    def call(self, inputs):
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)

    def compute_output_shape(self, input_shape):
        count = None if input_shape[0] is None else input_shape[0] + self.count
        return (count, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="ganzoo")
class WithoutReference(keras.layers.Layer):
    """Takes the first examples away again: the other end of `WithReference`.

    Args:
        count: how many.

    Example:

    >>> tuple(WithoutReference(5)(keras.ops.ones((7, 3))).shape)
    (2, 3)
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = checks.integer("count", count)

    def call(self, inputs):
        return inputs[self.count :]

    def compute_output_shape(self, input_shape):
        count = None if input_shape[0] is None else input_shape[0] - self.count
        return (count, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="ganzoo")
class VirtualBatchNorm(keras.layers.Layer):
    """Batch normalisation by the statistics of a reference batch and the example itself.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.5. It couples no
    examples of a batch. The first `count` examples are the reference batch (see `WithReference`)
    and are normalised by their own statistics; each other one by those of the `count` + 1 examples
    that the reference batch and it are together.

    Args:
        count: examples in the reference batch.
        epsilon: added to the variance.

    Example:

    >>> x = keras.ops.convert_to_tensor([[1.0], [3.0], [2.0]])
    >>> [round(float(y[0])) for y in VirtualBatchNorm(2)(x)]
    [-1, 1, 0]
    """

    def __init__(self, count: int, epsilon: float = 1e-2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = checks.integer("count", count)
        self.epsilon = checks.real("epsilon", epsilon, above=0)

    def build(self, input_shape):
        shape = input_shape[-1:]
        self.gamma = self.add_weight(
            shape=shape,
            initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
            name="gamma",
        )
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        # Moments of each example by itself; then of the reference batch, of equally many places.
        places = tuple(range(1, len(x.shape) - 1))
        moments = [ops.mean(m, places, keepdims=True) if places else m for m in (x, ops.square(x))]
        whole = [ops.mean(m[: self.count], axis=0, keepdims=True) for m in moments]
        share = 1.0 / (self.count + 1)
        mean, square = (
            ops.concatenate(
                [
                    ops.broadcast_to(w, (self.count, *w.shape[1:])),
                    (1.0 - share) * w + share * m[self.count :],
                ]
            )
            for w, m in zip(whole, moments)
        )
        variance = ops.maximum(square - ops.square(mean), 0.0)
        gamma, beta = (ops.cast(v, "float32") for v in (self.gamma, self.beta))
        scale = ops.rsqrt(variance + self.epsilon) * gamma
        return ops.cast(x * scale + (beta - mean * scale), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "count": self.count, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="ganzoo")
class UnitDense(keras.layers.Layer):
    """A dense layer whose units have weights of length one: weight normalisation.

    Salimans, Kingma 2016, "Weight Normalization", sections 2 and 3. With the length not learned, as
    here unless said, what noise on the inputs does to the units is bounded for good.

    Args:
        units: length of the output.
        learned_length: whether the length is learned after all, starting from one.
        first_deviation: the standard deviation that each unit, its mean taken off, is scaled to
            have on the first batch of training, and from then on by the same factor; None: units
            are as they come.

    Example:

    >>> layer = UnitDense(3)
    >>> y = layer(keras.ops.eye(4))  # zero biases, so this is the weights
    >>> bool(keras.ops.all(abs(keras.ops.sum(y * y, axis=0) - 1) < 1e-6))
    True
    """

    def __init__(
        self,
        units: int,
        learned_length: bool = False,
        first_deviation: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = checks.integer("units", units)
        self.learned_length = learned_length
        checks.optional(checks.real, "first_deviation", first_deviation, above=0)
        self.first_deviation = first_deviation

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="kernel",
        )
        add = functools.partial(self.add_weight, shape=(self.units,))
        self.bias = add(initializer="zeros", name="bias")
        self.length = add(initializer="ones", name="length") if self.learned_length else None
        if self.first_deviation is not None:
            add = functools.partial(add, trainable=False, dtype="float32", autocast=False)
            self.mean = add(initializer="zeros", name="mean")
            self.factor = add(initializer="zeros", name="factor")  # zero: not yet known

    def call(self, inputs, training=False):
        kernel = ops.cast(self.kernel, "float32")
        factor = ops.rsqrt(ops.sum(ops.square(kernel), axis=0) + 1e-12)
        if self.first_deviation is not None:
            return self._scaled(inputs, kernel * factor, training)
        if self.length is not None:
            factor = factor * ops.cast(self.length, "float32")
        return ops.matmul(inputs, ops.cast(kernel * factor, inputs.dtype)) + self.bias

    def _scaled(self, inputs, kernel, training):
        y = ops.cast(ops.matmul(inputs, ops.cast(kernel, inputs.dtype)), "float32")
        mean, factor = (ops.convert_to_tensor(v) for v in (self.mean, self.factor))
        if training:
            axes = list(range(len(y.shape) - 1))
            center = backend.average(ops.mean(ops.stop_gradient(y), axes))
            variance = backend.average(ops.mean(ops.square(ops.stop_gradient(y) - center), axes))
            scale = self.first_deviation * ops.rsqrt(ops.maximum(variance, 1e-8))
            mean = ops.where(factor == 0, center, mean)
            factor = ops.where(factor == 0, scale, factor)
            self.mean.assign(mean)
            self.factor.assign(factor)
        # Before training there is no first batch: as if it had mean 0 and variance 1.
        factor = ops.where(factor == 0, self.first_deviation, factor)
        if self.length is not None:
            factor = factor * ops.cast(self.length, "float32")
        y = (y - mean) * factor + ops.cast(self.bias, "float32")
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        settings = {
            "units": self.units,
            "learned_length": self.learned_length,
            "first_deviation": self.first_deviation,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="ganzoo")
class ParameterHistory(keras.layers.Layer):
    """The mean of what some variables were so far.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.3.

    Args:
        variables: those variables.

    Example:

    >>> v = keras.Variable([1.0])
    >>> history = ParameterHistory([v])
    >>> _ = v.assign([4.0])
    >>> float(history.distance([v])), float(history.means[0][0])
    (9.0, 2.5)
    """

    def __init__(self, variables: Sequence[keras.Variable], **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        # The variables themselves stay outside, or they would be this layer's too.
        self.means = [
            self.add_weight(shape=v.shape, initializer="zeros", trainable=False, name=f"mean_{i}")
            for i, v in enumerate(variables)
        ]
        for mean, variable in zip(self.means, variables):
            mean.assign(ops.copy(variable))  # its own memory, which JAX may give away
        self.count = self.add_weight(shape=(), initializer="ones", trainable=False, name="count")
        self.built = True

    def distance(self, variables: Sequence[keras.Variable]) -> hints.Tensor:
        """Sum of the squared distances to the mean, which then takes in the present values."""
        total = 0.0
        share = 1.0 / (self.count + 1.0)
        for mean, variable in zip(self.means, variables):
            ahead = ops.convert_to_tensor(variable) - ops.convert_to_tensor(mean)
            total = total + ops.sum(ops.square(ahead))
            mean.assign_add(share * ops.stop_gradient(ahead))
        self.count.assign_add(1.0)
        return total
