"""Names of layers, numbered within their model."""

import collections
import contextlib


def number_layers(names):
    """Have Keras number layers by `names`, a count for each kind (None: as before); return the
    counts until now."""
    try:
        from keras.src.backend.common import global_state
    except ImportError:  # another Keras may keep its counts elsewhere, and training needs none
        return None
    nothing = collections.defaultdict(int)
    before = global_state.get_global_attribute("object_name_uids", default=nothing)
    global_state.set_global_attribute("object_name_uids", before if names is None else names)
    return before


@contextlib.contextmanager
def numbering_layers(names=None):
    """Number the layers made inside within their model (None: as before); then as before.

    TensorFlow sorts the terms of a sum by the names of operations, which begin with the names of
    layers, and "conv2d_10" comes before "conv2d_9". Numbered within the process, the second model
    would add in another order than the first, and train to other weights.
    """
    before = number_layers(names)
    try:
        yield
    finally:
        number_layers(before)
