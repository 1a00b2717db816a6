"""Networks: functions that return a `keras.Model`, without losses and optimizers."""

import math


def operations(network):
    """Count the floating-point operations of a forward pass for one example, layer by layer.

    Only matrix products and convolutions count, as twice their multiplications.

    Raises:
        ValueError: the shape of a convolution is not fixed.

    Example:

    >>> import keras
    >>> operations(keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
    [30]
    """
    counts = []
    for layer in network._flatten_layers(include_self=False):  # layers inside layers too
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        places = 1
        if len(kernel.shape) > 2:
            # A transposed convolution applies its kernel once at each place of its input.
            side = "input" if "Transpose" in type(layer).__name__ else "output"
            try:
                places = math.prod(getattr(layer, side).shape[1:-1])
            except (AttributeError, TypeError, ValueError):
                raise ValueError(
                    f"The operations of {layer.path} cannot be counted: its {side} has no fixed "
                    "shape."
                ) from None
        counts.append(2 * math.prod(kernel.shape) * places)
    return counts
