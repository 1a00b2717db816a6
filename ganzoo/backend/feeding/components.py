"""The components of a batch, such as images and labels: their shapes and dtypes, with checks."""

import keras
import numpy as np

EMPTY = "The data set is empty: it yields no image. Check the path, the split and any filter."


def without_none(data):
    """The components of a batch without None, which Keras adds for absent labels."""
    if isinstance(data, (tuple, list)):
        return tuple(part for part in data if part is not None)
    return data


def as_tuple(batch):
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def to_numpy(x):
    """`x` as an array, if Keras can convert it."""
    if isinstance(x, np.ndarray):
        return x
    if not hasattr(x, "shape") and not isinstance(x, (list, tuple)):
        raise TypeError(
            "Data must be a `tf.data.Dataset`, a `keras.utils.PyDataset` or arrays. Received: "
            f"{type(x).__name__}. `ganzoo.datasets.load` makes a data set of a folder, a file or "
            "a name."
        )
    return keras.ops.convert_to_numpy(x)


def specs_of(arrays):
    """`(shape, dtype)` of each component of one example, from a batch of them."""
    if not all(np.ndim(a) for a in arrays):
        raise ValueError("The data set must yield batches. Received single numbers: batch it.")
    for a in arrays:
        if a.dtype.kind in "OSU":
            raise ValueError(
                f"Data must be numbers. Received {a.dtype}: strings, or images that differ in "
                "size. `ganzoo.datasets.load(folder, image_size=…)` reads files of any size."
            )
    shape = np.shape(arrays[0])
    if len(shape) == 1:
        raise ValueError(
            f"Data must come in batches. Received shape {shape}: make batches of single examples "
            "with `ds.batch(64)`, or one of an array with `x[None]`."
        )
    return tuple((tuple(a.shape[1:]), keras.backend.standardize_dtype(a.dtype)) for a in arrays)


def may_be_wrong(specs):
    """Whether values may be out of range; those of raw images without labels cannot."""
    return any(dtype != "uint8" or not shape for shape, dtype in specs)
