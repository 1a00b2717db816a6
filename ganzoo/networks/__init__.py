"""Networks: functions that return a `keras.Model`. They know no losses and no optimizers."""

import math


def operations(network):
    """Floating-point operations of a forward pass for one example, layer by layer.

    Matrix products and convolutions alone: twice their multiplications.

    Raises:
        ValueError: a convolution's shape is not known before it is called.

    Example:

    >>> import keras
    >>> operations(keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
    [30]
    """
    found = []
    for layer in network._flatten_layers(include_self=False):  # those inside of layers too
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        places = 1
        if len(kernel.shape) > 2:
            # A transposed convolution uses its kernel once at each place of its input.
            side = "input" if "Transpose" in type(layer).__name__ else "output"
            try:
                places = math.prod(getattr(layer, side).shape[1:-1])
            except (AttributeError, TypeError, ValueError):
                raise ValueError(
                    f"The operations of {layer.path} cannot be counted: its {side} has no fixed "
                    "shape."
                ) from None
        found.append(2 * math.prod(kernel.shape) * places)
    return found
