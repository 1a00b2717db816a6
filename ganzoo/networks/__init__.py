"""Networks: functions that return a `keras.Model`. They know no losses and no optimizers."""

import math

import keras


def operations(network):
    """Floating-point operations of a forward pass for one example, layer by layer.

    Matrix products and convolutions alone: twice their multiplications.

    Example:

    >>> operations(keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
    [30]
    """
    found = []
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            found += operations(layer)
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        # A transposed convolution uses its kernel once at each place of its input.
        side = layer.input if "Transpose" in type(layer).__name__ else layer.output
        places = math.prod(side.shape[1:-1]) if len(kernel.shape) > 2 else 1
        found.append(2 * math.prod(kernel.shape) * places)
    return found
