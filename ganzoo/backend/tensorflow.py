"""TensorFlow: gradient tapes, and a step that updates variables in place."""

import contextlib

import keras
import tensorflow as tf

from ganzoo.backend.feeding import given
from ganzoo.backend.host_functions import as_written


class Trainer:
    """Gives Keras's TensorFlow `fit` its step: `play` to train, `judge` to evaluate.

    A model made in the scope of a `tf.distribute.MirroredStrategy` trains on all of its devices:
    each has a replica of all variables, which stay equal because whatever is assigned to them is,
    and plays the step with its own part of each batch. See `drawn`, `average`, `whole`, `apply`.
    """

    def __init__(self, *args, **kwargs):
        strategy = tf.distribute.get_strategy()
        known = (tf.distribute.MirroredStrategy, tf.distribute.OneDeviceStrategy)
        if tf.distribute.has_strategy() and not isinstance(strategy, known):
            name = type(strategy).__name__
            name = {"CollectiveAllReduceStrategy": "MultiWorkerMirroredStrategy"}.get(name, name)
            raise ValueError(
                f"ganzoo does not train under {name}: `fit` of Keras 3 does not "
                "work with TensorFlow's strategies for several machines, and the others are "
                "untried. Use `tf.distribute.MirroredStrategy` for the GPUs of one machine, or JAX "
                "with `keras.distribution` for several (docs/several-devices.md)."
            )
        super().__init__(*args, **kwargs)

    def compile(self, *args, **kwargs):
        if self.devices > 1:
            if kwargs["jit_compile"] is True:
                raise ValueError(
                    "On TensorFlow XLA does not compile a step of several replicas: leave "
                    "`jit_compile` at 'auto', or use JAX."
                )
            if kwargs["steps_per_execution"] > 1:
                raise ValueError(
                    "On TensorFlow several replicas make one step at a time: leave "
                    "`steps_per_execution` at 'auto', or use JAX."
                )
            for one in kwargs["optimizer"].optimizers:
                if one._distribution_strategy is not self.distribute_strategy:
                    raise ValueError(
                        "Optimizers must be made where the model was: make them, and call "
                        "`compile`, in the strategy's scope (`with strategy.scope():`)."
                    )
        super().compile(*args, **kwargs)

    @property
    def devices(self):
        """Over how many devices each batch is spread."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def counting(self):
        """How many devices count steps, each for itself."""
        return self.devices

    @property
    def at_once(self):
        """How many steps Keras may run at once, at most: one by several replicas, because
        TensorFlow fails at a loop of such steps."""
        return 1 if self.devices > 1 else 32

    def everywhere(self):
        """A scope in which variables are made on every device that trains."""
        return self.distribute_strategy.scope()

    def deal(self, data, turns):
        """The data of `fit`, such that every replica has its part of the batch of every turn."""
        options = tf.data.Options()
        off = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_distribute.auto_shard_policy = off
        if self.devices > 1 and turns > 1:
            # TensorFlow gives each replica that many examples in a row.
            def dealt(x):
                parts = tf.reshape(x, (turns, self.devices, -1, *x.shape[1:]))
                return tf.reshape(tf.transpose(parts, (1, 0, *range(2, len(parts.shape)))), x.shape)

            data = data.map(as_written(lambda *batch: tuple(map(dealt, batch))))
        return data.with_options(options) if self.devices > 1 else data

    def train_step(self, data):
        # When the data set ends without saying so beforehand, Keras runs the step once more and
        # it fails for want of data, after whatever does not wait for data has run: counters,
        # random state, averages. So everything waits.
        data = given(data)
        with tf.control_dependencies(tf.nest.flatten(data)):
            return self.play(data)

    def test_step(self, data):
        # Losses are judged as they are in training, but nothing may move: a stateless scope
        # swallows every assignment (batch statistics, random state) except the metrics'.
        with keras.StatelessScope():
            logs = self.judge(given(data))
        return self.track(logs)


def replicas():
    """How many replicas play the step of which this is a part."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def own(x):
    """Of what is about all examples of the whole batch, what is about this replica's."""
    if replicas() == 1:
        return x
    parts = tf.reshape(x, (replicas(), -1, *x.shape[1:]))
    size = None if x.shape[0] is None else x.shape[0] // replicas()
    place = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.ensure_shape(parts[place], (size, *x.shape[1:]))


def drawn(draw, shape, **options):
    """Random numbers `draw(shape, **options)`, where `shape` begins with this replica's examples.

    All replicas draw the same for the whole batch, and each takes its own: together they have what
    one device would have drawn.
    """
    count, *rest = shape
    return own(draw((replicas() * count, *rest), **options))


def average(x):
    """The mean, over the replicas, of a mean over examples; gradients flow through it."""
    if replicas() == 1:
        return x
    return tf.distribute.get_replica_context().all_reduce("MEAN", tf.convert_to_tensor(x))


def whole(x):
    """Of all examples of the whole batch what `x` is of this replica's; gradients flow through it.

    Not inside `ops.cond`: replicas cannot wait for each other there.
    """
    if replicas() == 1:
        return x
    size = None if x.shape[0] is None else x.shape[0] * replicas()
    every = tf.distribute.get_replica_context().all_gather(tf.convert_to_tensor(x), axis=0)
    return tf.ensure_shape(every, (size, *x.shape[1:]))


def _values(variables):
    return [v.value for v in variables]


def _dense(gradient):
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def record(fn, variables, everything):
    """Return `fn()` and a function that carries cotangents of its floats back to variables."""
    del everything
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(_values(variables))
        outputs = fn()

    def pullback(cotangents, wrt):
        targets = [(o, c) for o, c in zip(keras.tree.flatten(outputs), cotangents) if c is not None]
        gradients = tape.gradient(
            [o for o, _ in targets],
            _values(wrt),
            output_gradients=[c for _, c in targets],
        )
        return [_dense(g) for g in gradients]

    return outputs, pullback


def value_and_grad(fn, variables, inputs, everything, further=None):
    """Return `fn(inputs)`'s `(loss, aux)`, and gradients to `variables` and to `inputs`' leaves.

    `inputs` may be None: `fn` is then called with nothing and the second list is empty.

    `further`, if given, is called with `aux` and returns another `(loss, aux)`. Gradients to
    `variables` are then of the sum of both losses, those to `inputs` of the first one alone.
    """
    del everything
    leaves = [] if inputs is None else keras.tree.flatten(inputs)
    floating = [x for x in leaves if x.dtype.is_floating]
    second = None
    if further and _reaches(fn, further, inputs):
        # Not always: where two tapes watch a function, TensorFlow adds operations to it.
        second = tf.GradientTape(watch_accessed_variables=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(_values(variables))
        tape.watch(floating)
        with second or contextlib.nullcontext():
            if second:
                second.watch(floating)
            loss, aux = fn() if inputs is None else fn(inputs)
        total = loss
        if further:
            more, aux = further(aux)
            total = loss + more
    if second:
        gradients = tape.gradient(total, _values(variables))
        cotangents = second.gradient(loss, floating)
    else:
        gradients, cotangents = tape.gradient(total, (_values(variables), floating))
    cotangents = iter(cotangents)
    cotangents = [next(cotangents) if x.dtype.is_floating else None for x in leaves]
    return (loss, aux), [_dense(g) for g in gradients], cotangents


def _reaches(fn, further, inputs):
    """Whether a gradient of the further loss may reach any of the inputs.

    Read off a graph of the losses that nothing runs. Yes, where there can be no such graph.
    """
    if tf.executing_eagerly() or replicas() > 1:
        return True
    leaves = keras.tree.flatten(inputs)

    @tf.function(autograph=False)
    def traced(*leaves):
        with keras.StatelessScope():
            return further(fn(keras.tree.pack_sequence_as(inputs, leaves))[1])[0]

    graph = traced.get_concrete_function(*(tf.TensorSpec(x.shape, x.dtype) for x in leaves)).graph
    sources = {x.op.name for x in graph.inputs[: len(leaves)] if x.dtype.is_floating}
    seen, ahead = set(), [x.op for x in graph.outputs]
    while ahead:
        op = ahead.pop()
        if op.name not in seen and op.type != "StopGradient":
            seen.add(op.name)
            ahead += [x.op for x in op.inputs]
    return bool(seen & sources)


def input_gradient(fn, x, has_aux=False):
    """Gradient of `sum(fn(x))` to `x`, differentiable once more; with `has_aux`, `fn` returns a
    pair, of which the first is meant, and the second is returned beside the gradient."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, aux = fn(x) if has_aux else (fn(x), None)
    gradient = tape.gradient(y, x)
    return (gradient, aux) if has_aux else gradient


def apply(optimizer, gradients, variables):
    """One step of `optimizer`; `variables` must be those it was built with."""
    if replicas() > 1:
        # Once and for all, before the gradients are looked at, clipped or summed up over steps:
        # Keras would add those of the replicas up later.
        gradients = tf.distribute.get_replica_context().all_reduce("MEAN", gradients)
        for one in (optimizer, getattr(optimizer, "inner_optimizer", optimizer)):
            one._all_reduce_sum_gradients = lambda pairs: pairs
    optimizer.apply(gradients, variables)


def _whole(*tensors):
    """Whether operations on whole float32 variables may be used: not among several replicas."""
    return not tf.distribute.has_strategy() and all(x.dtype == "float32" for x in tensors)


def adam(variable, gradient, momentum, velocity, rate, beta_1, beta_2, epsilon):
    """Adam's update of one variable in one pass over memory; False if it was not made.

    `rate` is the learning rate with the bias corrections.
    """
    if not _whole(variable, momentum, velocity):
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
    if _whole(variable, target):
        delta = variable.value - tf.convert_to_tensor(target)
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.value.handle, alpha=rate, delta=delta)
    else:
        variable.assign_add(rate * (target - variable))


def batch_norm(x, scale, offset, epsilon):
    """A normalised batch, its mean and variance, in one operation; None where there is none.

    The mean and variance are those of the whole batch, where replicas have its parts.
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
    # It gives the unbiased variance, and divides by the root of the other one, as is meant here.
    n = tf.cast(tf.size(x) / tf.shape(x)[-1], "float32")
    return y, mean, variance * ((n - 1) / n)


def _to_picture(y, kernel):
    """The transpose of a convolution of stride 2 of pictures of few channels.

    With the pixels of each 2×2 block as channels, a picture is a smaller one and the convolution
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


def _from_picture(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _to_kernel(x, y, kernel):
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=kernel.shape, out_backprop=y, strides=[1, 2, 2, 1], padding="SAME"
    )


# Traced once for each kind of argument, not once for each model: TensorFlow keeps every trace of a
# custom gradient for ever, and with it the whole graph that it is a part of.
def _once(fn):
    return tf.function(tf.custom_gradient(fn), autograph=False)


@_once
def _conv(x, kernel):
    out = _from_picture(x, kernel)

    def back(y):
        y = tf.ensure_shape(y, out.shape)
        return _to_picture(y, kernel), _to_kernel(x, y, kernel)

    return out, back


def picture_conv(x, kernel):
    """A convolution of stride 2 of pictures of few channels whose gradient to them is quick;
    None where Keras's own is as quick."""
    if accelerated() or any(n is None or n % 2 for n in x.shape[1:3]):
        return None
    return _conv(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


@_once
def _conv_transpose(x, kernel):
    return _to_picture(x, kernel), lambda y: (_from_picture(y, kernel), _to_kernel(y, x, kernel))


def picture_conv_transpose(x, kernel):
    """A quick transposed convolution of stride 2 to pictures of few channels; None where Keras's
    own is as quick."""
    if accelerated() or None in x.shape[1:3]:
        return None
    return _conv_transpose(tf.convert_to_tensor(x), tf.convert_to_tensor(kernel))


def grouped_conv(convolve, x, kernel, groups):
    """A grouped convolution, group by group, on a CPU, where Keras has XLA make it, whose gradients
    take a hundred times as long; None where there is a GPU."""
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
    """Each example normalised, then scaled per channel.

    The gradient is written out, because that of the operations goes far more often over a batch.
    """
    tensors = map(tf.convert_to_tensor, (x, scale, offset))
    return _layer_norm(*tensors, tf.constant(epsilon, x.dtype))


def inference(network, jit_compile, finish):
    """A compiled `(*inputs) -> finish(network(inputs))`, on NumPy arrays."""

    @tf.function(jit_compile=jit_compile, autograph=False, reduce_retracing=False)
    def run(*inputs):
        return finish(network(inputs if len(inputs) > 1 else inputs[0], training=False))

    return lambda *inputs: tf.nest.map_structure(
        lambda x: x.numpy(), run(*map(tf.convert_to_tensor, inputs))
    )


def trace(fn, *specs):
    """What `fn` returns for tensors of these shapes and dtypes, without computing anything."""

    @tf.function(autograph=False)
    def traced(*args):
        with keras.StatelessScope():
            return fn(*args)

    specs = keras.tree.map_structure(lambda s: tf.TensorSpec(s.shape, s.dtype), specs)
    return traced.get_concrete_function(*specs).structured_outputs


def best_precision():
    """bfloat16 on a GPU that computes in it, float16 on an older one, float32 on a CPU."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "float32"
    capability = tf.config.experimental.get_device_details(gpus[0]).get(
        "compute_capability", (0, 0)
    )
    return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16"


def keep_compiled(folder):
    """TensorFlow keeps nothing that is worth it."""
    del folder


def accelerated():
    """Whether there is a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def accelerator():
    """Name of the GPU."""
    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu)["device_name"]
