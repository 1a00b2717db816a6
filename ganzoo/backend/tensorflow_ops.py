"""TensorFlow: operations that are faster than Keras's own."""

import tensorflow as tf

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


# Traced once for each kind of argument, not once for each model: TensorFlow never frees the trace
# of a custom gradient, nor the graph that it is a part of.
def once(fn):
    """A function of tensors that returns its value and the function of its gradients, compiled."""
    return tf.function(tf.custom_gradient(fn), autograph=False)


@once
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


@once
def _instance_norm(x, scale, offset, epsilon):
    axes = [1, 2]
    wide = tf.cast(x, "float32")
    mean = tf.reduce_mean(wide, axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), axes, keepdims=True)
    rate = tf.math.rsqrt(variance + epsilon)
    each = rate * scale

    def gradient(dy):
        dy = tf.cast(dy, "float32")
        first = tf.reduce_mean(dy, axes, keepdims=True)
        second = rate * (tf.reduce_mean(dy * wide, axes, keepdims=True) - mean * first)
        slope = each * rate * second
        dx = dy * each - (wide * slope + (each * first - mean * slope))
        count = tf.cast(tf.reduce_prod(tf.shape(x)[1:3]), "float32")
        total = lambda v: count * tf.reduce_sum(v, [0, 1, 2])
        return tf.cast(dx, x.dtype), total(second), total(first), None

    return tf.cast(wide * each + (offset - mean * each), x.dtype), gradient


def instance_norm(x, scale, offset, epsilon):
    """Normalise each channel of each image, then scale it; statistics are in float32.

    Like that of `layer_norm` the gradient is written out.
    """
    tensors = map(tf.convert_to_tensor, (x, scale, offset))
    return _instance_norm(*tensors, tf.constant(epsilon, "float32"))
