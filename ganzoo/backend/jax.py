"""JAX: the same stateful step in one stateless scope, which makes it a pure function."""

import contextlib

import jax
import keras

from ganzoo.backend.feeding import part
from ganzoo.backend.feeding import without_none
from ganzoo.backend.jax_devices import apart as apart
from ganzoo.backend.jax_devices import devices as devices
from ganzoo.backend.jax_devices import first as first
from ganzoo.backend.jax_devices import gathered as gathered
from ganzoo.backend.jax_devices import join as join
from ganzoo.backend.jax_devices import leave as leave
from ganzoo.backend.jax_devices import led as led
from ganzoo.backend.jax_devices import processes as processes
from ganzoo.backend.jax_devices import spread as spread
from ganzoo.backend.jax_devices import together as together
from ganzoo.backend.unreplicated import average as average
from ganzoo.backend.unreplicated import drawn as drawn
from ganzoo.backend.unreplicated import own as own
from ganzoo.backend.unreplicated import replicas as replicas
from ganzoo.backend.unreplicated import whole as whole


class Trainer:
    """Gives Keras's JAX `fit` its step: state in, state out."""

    everywhere = contextlib.nullcontext
    at_once = 32
    counting = 1

    @property
    def devices(self):
        """Number of devices that share each batch."""
        distribution = keras.distribution.distribution()
        if distribution is None:
            return 1
        mesh = distribution.device_mesh
        return mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]

    def deal(self, data, turns):
        """The part of the data of `fit` that this process reads."""
        del turns  # of batches one after the other, which JAX then sees as one
        count, distribution = processes(), keras.distribution.distribution()
        if count == 1:
            return data
        if distribution is None or distribution.auto_shard_dataset:
            raise ValueError(
                f"{count} processes must share the batches: call "
                "`keras.distribution.set_distribution(keras.distribution.DataParallel("
                "auto_shard_dataset=False))` before you make the model."
            )
        return part(data, jax.process_index(), count)

    # All processes have the same weights; only the first one writes them.

    def save(self, *args, **kwargs):
        if first():
            with apart():
                super().save(*args, **kwargs)

    def save_weights(self, *args, **kwargs):
        if first():
            with apart():
                super().save_weights(*args, **kwargs)

    def load_weights(self, *args, **kwargs):
        with apart():
            super().load_weights(*args, **kwargs)

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _run(lambda: self.play(without_none(data)), groups, state)

    def test_step(self, state, data):
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        pinned = state[:2]

        def judge():
            with keras.StatelessScope(state_mapping=_mapping(groups[:2], pinned)):
                logs = self.judge(without_none(data))
            return self.track(logs)

        return _run(judge, groups, state)


def _mapping(groups, state):
    return [(v, x) for vs, xs in zip(groups, state) for v, x in zip(vs, xs)]


def _run(fn, groups, state):
    with keras.StatelessScope(state_mapping=_mapping(groups, state)) as scope:
        logs = fn()
    return logs, tuple([scope.get_current_value(v) for v in vs] for vs in groups)


def _is_float(x):
    return jax.numpy.issubdtype(x.dtype, jax.numpy.floating)


def _pure(fn, variables, everything):
    """`fn` as a pure function of `variables`' values that also returns the other variables' values.

    Stateless scopes do not chain, so every variable that `fn` may read is mapped.
    """
    wanted = {id(v) for v in variables}
    rest = [v for v in everything if id(v) not in wanted]
    frozen = [(v, v.value) for v in rest]

    def pure(values, *args):
        with keras.StatelessScope(state_mapping=list(zip(variables, values)) + frozen) as scope:
            outputs = fn(*args)
        return outputs, [scope.get_current_value(v) for v in rest]

    def commit(new):
        for v, (_, old), value in zip(rest, frozen, new):
            if value is not old:
                v.assign(value)

    return pure, commit


def record(fn, variables, everything):
    """Return `fn()` and a function that carries cotangents of its floats back to variables."""
    pure, commit = _pure(fn, variables, everything)
    structure = []

    def floats(values):
        outputs, new = pure(values)
        structure[:] = [outputs]
        leaves = keras.tree.flatten(outputs)
        return [x for x in leaves if _is_float(x)], ([x for x in leaves if not _is_float(x)], new)

    floating, back, (others, new) = jax.vjp(floats, [v.value for v in variables], has_aux=True)
    commit(new)
    kinds = [_is_float(x) for x in keras.tree.flatten(structure[0])]
    floating, others = iter(floating), iter(others)
    leaves = [next(floating if kind else others) for kind in kinds]
    outputs = keras.tree.pack_sequence_as(structure[0], leaves)

    def pullback(cotangents, wrt):
        (gradients,) = back([c for c, kind in zip(cotangents, kinds) if kind])
        by_variable = {id(v): g for v, g in zip(variables, gradients)}
        return [by_variable[id(v)] for v in wrt]

    return outputs, pullback


def value_and_grad(fn, variables, inputs, everything, further=None):
    """Return `fn(inputs)`'s `(loss, aux)`, and gradients to `variables` and to `inputs`' leaves.

    `inputs` may be None: `fn` is then called without arguments and the second list is empty.

    `further`, if given, is called with `aux` and returns another `(loss, aux)`. Gradients to
    `variables` are then of the sum of both losses, those to `inputs` of the first one alone.
    """
    leaves = [] if inputs is None else keras.tree.flatten(inputs)
    kinds = [_is_float(x) for x in leaves]

    def call(floating):
        if inputs is None:
            return fn()
        floating = iter(floating)
        full = [next(floating) if kind else x for x, kind in zip(leaves, kinds)]
        return fn(keras.tree.pack_sequence_as(inputs, full))

    def both_losses(floating):
        loss, aux = call(floating)
        if further is None:
            return (loss,), aux
        more, aux = further(aux)
        return (loss, more), aux

    pure, commit = _pure(both_losses, variables, everything)

    def losses_first(values, floating):
        (losses, aux), new = pure(values, floating)
        return losses, (aux, new)

    values = [v.value for v in variables]
    floating = [x for x, kind in zip(leaves, kinds) if kind]
    (loss, *more), back, (aux, new) = jax.vjp(losses_first, values, floating, has_aux=True)
    commit(new)
    one, zeros = jax.numpy.ones_like(loss), [jax.numpy.zeros_like(x) for x in more]
    gradients, cotangents = back((one, *(one for _ in more)))
    if more:
        # If the other loss does not depend on the inputs, XLA sees that this is the same as above.
        _, cotangents = back((one, *zeros))
    cotangents = iter(cotangents)
    return (loss, aux), gradients, [next(cotangents) if kind else None for kind in kinds]


def input_gradient(fn, x, has_aux=False):
    """Gradient of `sum(fn(x))` to `x`, differentiable once more; with `has_aux`, `fn` returns a
    pair, whose second item is returned next to the gradient of the first."""

    def total(x):
        y, aux = fn(x) if has_aux else (fn(x), None)
        return jax.numpy.sum(y), aux

    gradient, aux = jax.grad(total, has_aux=True)(x)
    return (gradient, aux) if has_aux else gradient


def apply(optimizer, gradients, variables):
    """One step of `optimizer`; `variables` must be those it was built with."""
    # `stateless_apply`, because the loss-scaling optimizer branches with a traced condition.
    new_variables, new_state = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], gradients, [v.value for v in variables]
    )
    for v, value in zip([*variables, *optimizer.variables], [*new_variables, *new_state]):
        v.assign(value)


def adam(*_):
    """Return False: XLA compiles Keras's own update to one pass."""
    return False


def approach(variable, target, rate):
    """Move a variable the share `rate` of the way to `target`."""
    variable.assign(variable + rate * (target - variable))


def batch_norm(*_):
    """Return None: XLA compiles Keras's own to one operation."""
    return None


def conv(*_):
    """Return None: Keras's own is as fast."""
    return None


conv_transpose = strided_conv = strided_conv_transpose = conv
depthwise_conv = resize = conv


def grouped_conv(convolve, x, kernel, groups):
    """On a CPU, a grouped convolution as an ordinary one with zeros between groups, because XLA's
    gradient of a grouped one takes some ten times as long; None if there is a GPU."""
    if accelerated():
        return None
    inputs, outputs = kernel.shape[-2:]
    group = lambda count: jax.numpy.arange(count * groups) // count
    same = group(inputs)[:, None] == jax.numpy.arange(outputs) // (outputs // groups)
    return convolve(x, jax.numpy.tile(kernel, (1, 1, groups, 1)) * same.astype(kernel.dtype))


def layer_norm(x, scale, offset, epsilon):
    """Normalise each example, then scale each channel."""
    axes = tuple(range(1, x.ndim))
    x = x - jax.numpy.mean(x, axes, keepdims=True)
    x = x * jax.lax.rsqrt(jax.numpy.mean(x * x, axes, keepdims=True) + epsilon)
    return x * scale + offset


def instance_norm(x, scale, offset, epsilon):
    """Normalise each channel of each image, then scale it; statistics are in float32."""
    wide = x.astype("float32")  # squares overflow float16
    wide = wide - jax.numpy.mean(wide, (1, 2), keepdims=True)
    square = jax.numpy.mean(wide * wide, (1, 2), keepdims=True)
    return (wide * jax.lax.rsqrt(square + epsilon) * scale + offset).astype(x.dtype)


def inference(network, jit_compile, finish):
    """A compiled `(*inputs) -> finish(network(inputs))`, on NumPy arrays."""
    del jit_compile  # JAX always compiles
    variables = network.variables
    several = processes() > 1
    # Every process has all of the weights and needs no other to use them.
    values = lambda: [v.value.addressable_data(0) if several else v.value for v in variables]

    @jax.jit
    def run(values, *inputs):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))):
            return finish(network(inputs if len(inputs) > 1 else inputs[0], training=False))

    return lambda *inputs: jax.device_get(run(values(), *inputs))


def compiled(fn):
    """`fn` of tensors, compiled at its first call."""
    return jax.jit(fn)


def trace(fn, *specs):
    """Shapes and dtypes of what `fn` returns for arrays of these specs; nothing is computed."""

    def traced(*args):
        with keras.StatelessScope():
            return fn(*args)

    specs = keras.tree.map_structure(lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype), specs)
    return jax.eval_shape(traced, *specs)


def best_precision():
    """bfloat16 on a GPU or TPU that computes in it, float16 on an older GPU; None: only a CPU."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return None
    capability = getattr(device, "compute_capability", None)
    if capability is None:  # a TPU
        return "mixed_bfloat16"
    return "mixed_bfloat16" if float(capability) >= 8.0 else "mixed_float16"


def keep_compiled(folder):
    """Cache compiled steps in a folder for the next process, unless the user has chosen another.

    Not on a CPU: code compiled for one may not run on another that shares the folder.
    """
    if accelerated() and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))


def accelerated():
    """Whether there is a GPU or TPU."""
    return jax.devices()[0].platform != "cpu"


def accelerator():
    """Name of the GPU or TPU."""
    return jax.devices()[0].device_kind
