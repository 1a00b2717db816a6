"""Exports functions of `keras.ops` to formats for deployment. TensorFlow only.

A function is given as `(name, inputs, fn)`: `inputs` is `{name: (shape, dtype)}` with None for
sizes that vary, and `fn` takes tensors by these names and returns a dict of tensors.
"""

import contextlib
import logging

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SHORT = 64
"""Weights of fewer numbers stay as they are: their names would take as much as they save."""


def _signature(inputs, fn):
    specs = [tf.TensorSpec(*spec, name=key) for key, spec in inputs.items()]
    named = lambda *args: fn(**dict(zip(inputs, args)))
    return tf.function(named, input_signature=specs, autograph=False)


def _frozen(name, inputs, fn):
    """The same function with its variables as constants."""
    graph = _signature(inputs, fn).get_concrete_function()
    keys, graph = sorted(graph.structured_outputs), convert_variables_to_constants_v2(graph)
    # Freezing turns the dict into a list, in the order of the names.
    return name, inputs, lambda **tensors: dict(zip(keys, graph(**tensors)))


def savedmodel(functions, path):
    """Write a SavedModel, a folder, with a signature for each function."""
    # Constants, because LiteRT would leave the variables of several functions empty.
    signatures = {
        name: _signature(inputs, fn)
        for name, inputs, fn in [_frozen(*function) for function in functions]
    }
    module = tf.Module()
    module.functions = signatures
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with _quiet():
        tf.saved_model.save(module, str(path), signatures=signatures, options=options)


def litert(functions, folder):
    """The bytes of a LiteRT file with a signature for each function; `folder` is a work folder."""
    savedmodel(functions, folder)
    names = [name for name, _, _ in functions]
    with _quiet():
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=names)
        return converter.convert()


def onnx(function, halve=False):
    """The bytes of an ONNX file of one function; with `halve`, weights that are numbers of 16 bits
    take 16 bits, and the function computes the same in 32."""
    import tf2onnx

    name, inputs, fn = function
    signature = _signature(inputs, fn)
    with _quiet():
        model, _ = tf2onnx.convert.from_function(
            signature, input_signature=signature.input_signature, opset=18
        )
    model.graph.name = name
    if halve:
        _halve(model.graph)
    return model.SerializeToString()


def _halve(graph):
    """Store weights as float16 where that loses nothing, as for published weights; a runtime casts
    them once, when it loads the file."""
    import onnx

    for weights in list(graph.initializer):
        array = onnx.numpy_helper.to_array(weights)
        if array.dtype != np.float32 or array.size < SHORT:
            continue
        with np.errstate(over="ignore"):
            half = array.astype("float16")
        if np.array_equal(half, array):
            short = onnx.numpy_helper.from_array(half, f"{weights.name}/half")
            cast = onnx.helper.make_node("Cast", [short.name], [weights.name], to=1)  # float32
            graph.initializer.remove(weights)
            graph.initializer.append(short)
            graph.node.insert(0, cast)


@contextlib.contextmanager
def _quiet():
    """Silence the progress logs of the converters."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl", "tf2onnx")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before):
            logger.setLevel(level)
