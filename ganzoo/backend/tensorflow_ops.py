"""TensorFlow: operations that are faster than Keras's own."""

import tensorflow as tf

from ganzoo.backend.tensorflow_devices import accelerated
from ganzoo.backend.tensorflow_devices import average
from ganzoo.backend.tensorflow_devices import replicas


def _is_plain(*tensors):
    """Whether operations for plain float32 variables apply: not among several replicas."""
    return not tf.distribute.has_strategy() and all(x.dtype == "float32" for x in tensors)


def adam(variable, gradient, momentum, velocity, rate, beta_1, beta_2, epsilon):
    """Adam's update of one variable in one pass over memory; False if it does not apply.

    `rate` is the learning rate with the bias corrections.
    """
    if not _is_plain(variable, momentum, velocity):
        return False
    tf.raw_ops.ResourceApplyAdam(
        var=variable.value.handle,
        m=momentum.value.handle,
        v=velocity.value.handle,
        beta1_power=0.0,
        beta2_power=0.0,
        lr=rate,
        beta1=beta_1,
        beta2=beta_2,
        epsilon=epsilon,
        grad=gradient,
    )
    return True


def approach(variable, target, rate):
    """Move a variable the share `rate` of the way to `target`."""
    if _is_plain(variable, target):
        delta = variable.value - tf.convert_to_tensor(target)
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.value.handle, alpha=rate, delta=delta)
    else:
        variable.assign_add(rate * (target - variable))


def batch_norm(x, scale, offset, epsilon):
    """A normalised batch, its mean and variance, in one operation; None if it does not apply.

    Replicas compute mean and variance over the full batch.
    """
    if replicas() > 1:
        wide, axes = tf.cast(x, "float32"), list(range(len(x.shape) - 1))
        mean = tf.reduce_mean(wide, axes)  # `tf.nn.moments` has a wrong second derivative
        square = tf.reduce_mean(tf.math.squared_difference(wide, mean), axes) + tf.square(mean)
        mean, square = tf.unstack(average(tf.stack([mean, square])))
        variance = tf.maximum(square - tf.square(mean), 0.0)
        rate = tf.math.rsqrt(variance + epsilon) * tf.cast(scale, "float32")
        y = (wide - mean) * rate + tf.cast(offset, "float32")
        return tf.cast(y, x.dtype), mean, variance
    fits = x.dtype in (tf.float32, tf.bfloat16) and scale.dtype == offset.dtype == tf.float32
    if len(x.shape) != 4 or not fits:
        return None
    none = tf.zeros([0])
    y, mean, variance, _, _, _ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=none, variance=none, epsilon=epsilon
    )
    # It returns the unbiased variance, but divides by the root of the biased one, as wanted here.
    n = tf.cast(tf.size(x) / tf.shape(x)[-1], "float32")
    return y, mean, variance * ((n - 1) / n)


def _to_image(y, kernel):
    """The transpose of a convolution of stride 2 of images with few channels.

    With the pixels of each 2×2 block as channels, an image is a smaller one and the convolution
    has stride 1: oneDNN, made for many channels, then takes about half the time.
    """
    size, _, channels, width = kernel.shape
    half, border = size // 2, size // 2 - 1
    kernel = tf.reshape(kernel, (half, 2, half, 2, channels, width))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    kernel = tf.reshape(kernel, (half, half, 4 * channels, width))
    height, across = (n + half - 1 for n in y.shape[1:3])
    blocks = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.stack([tf.shape(y)[0], height, across, 4 * channels]),
        filter=kernel,
        out_backprop=y,
        strides=[1, 1, 1, 1],
        padding="VALID",
    )
    pixels = tf.nn.depth_to_space(blocks, 2)
    return pixels[:, border : 2 * height - border, border : 2 * across - border]


def _from_image(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _to_kernel(x, y, kernel):
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=kernel.shape, out_backprop=y, strides=[1, 2, 2, 1], padding="SAME"
    )


# Traced once for each kind of argument, not once for each model: TensorFlow never frees the trace
# of a custom gradient, nor the graph that it is a part of.
def _once(fn):
    return tf.function(tf.custom_gradient(fn), autograph=False)


@_once
def _conv(x, kernel):
    out = _from_image(x, kernel)

    def back(y):
        y = tf.ensure_shape(y, out.shape)
        return _to_image(y, kernel), _to_kernel(x, y, kernel)

    return out, back


def image_conv(x, kernel):
    """A convolution of stride 2 of images with few channels, whose gradient to them is fast; None
    where Keras's own is as fast."""
    if accelerated() or any(n is None or n % 2 for n in x.shape[1:3]):
        return None
    return _conv(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


@_once
def _conv_transpose(x, kernel):
    return _to_image(x, kernel), lambda y: (_from_image(y, kernel), _to_kernel(y, x, kernel))


def image_conv_transpose(x, kernel):
    """A fast transposed convolution of stride 2 to images with few channels; None where Keras's own
    is as fast."""
    if accelerated() or None in x.shape[1:3]:
        return None
    return _conv_transpose(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


def grouped_conv(convolve, x, kernel, groups):
    """On a CPU, a grouped convolution group by group, because Keras leaves it to XLA, whose
    gradients take a hundred times as long; None if there is a GPU."""
    if accelerated():
        return None
    parts = zip(tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1))
    return tf.concat([convolve(*part) for part in parts], axis=-1)


@_once
def _layer_norm(x, scale, offset, epsilon):
    axes = list(range(1, len(x.shape)))
    pixels = axes[:-1]
    spread = lambda v: tf.reshape(v, [-1, *(1 for _ in pixels), v.shape[-1]])
    mean = tf.reduce_mean(x, axes)[:, None]
    variance = tf.reduce_mean(tf.math.squared_difference(x, spread(mean)), axes)[:, None]
    rate = tf.math.rsqrt(variance + epsilon)
    each = rate * scale

    def gradient(dy):
        # Sums over pixels only; the rest of the work is on a number per example and channel.
        first = tf.reduce_sum(dy, pixels)
        second = rate * (tf.reduce_sum(dy * x, pixels) - mean * first)
        count = tf.cast(tf.size(x) / tf.shape(x)[0], "float32")
        slope = rate * tf.reduce_sum(each * second, 1, keepdims=True) / count
        level = tf.reduce_sum(each * first, 1, keepdims=True) / count
        dx = dy * spread(each) - x * spread(slope) + spread(slope * mean - level)
        return dx, tf.reduce_sum(second, 0), tf.reduce_sum(first, 0), None

    return x * spread(each) + spread(offset - mean * each), gradient


def layer_norm(x, scale, offset, epsilon):
    """Normalise each example, then scale each channel.

    The gradient is written out: TensorFlow's own makes far more passes over the batch.
    """
    tensors = map(tf.convert_to_tensor, (x, scale, offset))
    return _layer_norm(*tensors, tf.constant(epsilon, x.dtype))
