"""Passes data of any kind to the function that feeds that kind."""

import keras

from ganzoo.backend.feeding.arrays import feed_arrays
from ganzoo.backend.feeding.inspection import check_pairing
from ganzoo.backend.feeding.inspection import has_no_end
from ganzoo.backend.feeding.inspection import is_tf_data
from ganzoo.backend.feeding.py_dataset import feed_py_dataset
from ganzoo.backend.feeding.request import Request
from ganzoo.backend.feeding.tf_data import cut_tf_data
from ganzoo.backend.feeding.tf_data import feed_tf_data


def feed(x, y=None, **request):
    """Full batches of as many examples as one training step reads, checked as they are read.

    Args:
        x: `tf.data.Dataset`, `keras.utils.PyDataset`, array, or tuple of arrays.
        y: array of labels next to an array `x`, or None.
        **request: the fields of `Request`, of which `accept` has no default.

    Returns:
        A `Feed`.

    Raises:
        TypeError: `x` is none of these.
        ValueError: the data is empty or smaller than what one step reads.
    """
    request = Request(**request)
    if not (is_tf_data(x) or isinstance(x, keras.utils.PyDataset)):
        return feed_arrays(x, y, request)
    for name, value in (("y", y), ("batch_size", request.batch_size)):
        if value is not None:
            raise ValueError(
                f"`{name}` goes with arrays only: a {type(x).__name__} yields whole batches of "
                "`images` or `(images, labels)`."
            )
    check_pairing(x, request.paired)
    if request.endless is not None and has_no_end(x):
        raise ValueError(
            f"The data set never ends. Pass `{request.endless}=…`, or leave out what repeats it: "
            "`repeat()` of `tf.data`, or a `PyDataset` without `__len__`."
        )
    if isinstance(x, keras.utils.PyDataset):
        return feed_py_dataset(x, request)
    return feed_tf_data(x, request)


def part(data, index, count):
    """The share of each batch that one of several processes reads: the `index`-th of `count`."""

    def cut(x):
        size = x.shape[0] // count
        return x[index * size : (index + 1) * size]

    if is_tf_data(data):
        return cut_tf_data(data, cut)
    data.cut = cut
    return data
