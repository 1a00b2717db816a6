"""Arrays as the data of `fit`."""

import dataclasses

import keras
import numpy as np

from ganzoo.backend.feeding.components import EMPTY
from ganzoo.backend.feeding.components import as_tuple
from ganzoo.backend.feeding.components import may_be_wrong
from ganzoo.backend.feeding.components import specs_of
from ganzoo.backend.feeding.components import to_numpy
from ganzoo.backend.feeding.py_dataset import feed_py_dataset
from ganzoo.backend.feeding.tf_data import feed_tf_data
from ganzoo.backend.sources import ArraySource
from ganzoo.backend.sources import Order
from ganzoo.backend.sources import SourceDataset
from ganzoo.backend.sources import check_size
from ganzoo.backend.sources import tf_stream

_PIECE = 4096
"""Examples that are checked at a time, so that no temporary is as large as the data."""


def feed_arrays(x, y, request):
    """See `feed`."""
    arrays = _components(x, y)
    _check_shapes(x, arrays)
    _check_lengths(arrays, request.paired)
    specs = specs_of(arrays)
    turns, batch_size = request.accept(specs), request.batch_size or 64
    source = ArraySource(*arrays)
    check_size(len(source), "examples", batch_size * turns, batch_size, turns)
    streamed = any(isinstance(a, np.memmap) for a in arrays)
    if request.check is not None and not streamed and may_be_wrong(specs):  # at once
        for start in range(0, len(source), _PIECE):
            request.check(source.read(np.arange(start, min(start + _PIECE, len(source)))))
    order = Order(len(source), request.shuffle, request.seed)
    batched = dataclasses.replace(
        request, accept=lambda specs: 1, check=request.check if streamed else None
    )
    if keras.backend.backend() == "tensorflow":
        return feed_tf_data(tf_stream(source, batch_size * turns, order), batched)
    return feed_py_dataset(SourceDataset(source, batch_size * turns, order), batched)


def one_batch(x, y, accept, check):
    """The arrays `(x, y)` that one step reads, checked; `y` may be None.

    Args:
        x, y: see `feed`.
        accept, check: see `Request`.
    """
    arrays = _components(x, y)
    specs = specs_of(arrays)
    turns = accept(specs)
    lengths = set(map(len, arrays))
    size = max(lengths)
    if len(lengths) > 1 or not size or size % turns:
        batches = "one batch" if turns == 1 else f"{turns} batches of the same size"
        raise ValueError(
            f"One step of this model reads {batches}, and one label per image. Received "
            f"{' and '.join(str(len(a)) for a in arrays)} examples."
        )
    if may_be_wrong(specs):
        check(arrays)
    return (*map(keras.ops.convert_to_tensor, arrays), None)[:2]


def _components(x, y):
    return [to_numpy(component) for component in (*as_tuple(x), *([] if y is None else [y]))]


def _check_shapes(x, arrays):
    if isinstance(x, (list, tuple)) and len(x) > 1 and all(a.ndim == 3 for a in arrays):
        raise ValueError(
            f"Data must be an array of images. Received a {type(x).__name__} of {len(x)} images: "
            "join them with `np.stack(images)`."
        )
    if any(a.ndim == 0 for a in arrays):
        raise ValueError("Data must be arrays of examples. Received a single number.")


def _check_lengths(arrays, paired):
    lengths = [len(a) for a in arrays] or [0]
    if len(set(lengths)) > 1 and paired is not False:
        received = f"Received {' and '.join(map(str, lengths))}."
        if paired:
            raise ValueError(
                f"There must be one target per image. {received} Match them, files by "
                "`ganzoo.datasets.load_pair(…, paired=True)`, or use 'cyclegan', which needs no "
                "pairs."
            )
        raise ValueError(f"There must be one label per image. {received}")
    if min(lengths) == 0:
        raise ValueError(EMPTY)
