"""TensorFlow: gradients, by tapes."""

import contextlib

import keras
import tensorflow as tf

from ganzoo.backend.tensorflow_devices import replicas


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

    `inputs` may be None: `fn` is then called without arguments and the second list is empty.

    `further`, if given, is called with `aux` and returns another `(loss, aux)`. Gradients to
    `variables` are then of the sum of both losses, those to `inputs` of the first one alone.
    """
    del everything
    leaves = [] if inputs is None else keras.tree.flatten(inputs)
    floating = [x for x in leaves if x.dtype.is_floating]
    second = None
    if further and _reaches(fn, further, inputs):
        # Only if needed: TensorFlow adds operations to a function that two tapes watch.
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

    Decided from a graph of the losses that is never run; True where there can be no such graph.
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
    pair, whose second item is returned next to the gradient of the first."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, aux = fn(x) if has_aux else (fn(x), None)
    gradient = tape.gradient(y, x)
    return (gradient, aux) if has_aux else gradient
