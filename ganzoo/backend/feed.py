"""From what a user hands to `fit` to what the step reads: whole batches, in an order that is a
function of (seed, epoch), as `tf.data` where TensorFlow is and as `PyDataset` elsewhere.
"""

import dataclasses
import sys
from collections.abc import Callable

import keras
import numpy as np

from ganzoo.backend.host_functions import as_written
from ganzoo.backend.host_functions import host_function
from ganzoo.backend.sources import ArraySource
from ganzoo.backend.sources import Order
from ganzoo.backend.sources import SourceDataset
from ganzoo.backend.sources import check_size
from ganzoo.backend.sources import tf_stream

# Feeding `fit` --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Feed:
    """What Keras's `fit` reads, and the orders of the sources in it."""

    data: object
    orders: tuple
    size: int
    """Examples that one step reads."""
    seek: Callable | None = None
    """For data that repeats: called before it is read with the steps that earlier epochs took."""

    def pin(self):
        """A callback that makes what an epoch reads a function of the epoch's number."""
        orders, seek = self.orders, self.seek

        class PinOrder(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.sought = False

            def on_epoch_begin(self, epoch, logs=None):
                if seek is None:  # every epoch is one pass
                    for order in orders:
                        order.epoch = epoch
                elif not self.sought:  # the passes go on from epoch to epoch
                    seek(epoch * self.params["steps"])
                    self.sought = True

        return PinOrder()


def feed(
    x,
    y=None,
    *,
    accept,
    check=None,
    batch_size=None,
    shuffle=False,
    seed=0,
    repeat=False,
    paired=None,
    endless=None,
):
    """Whole batches of as many examples as one training step reads, checked as they are read.

    Args:
        x: `tf.data.Dataset`, `keras.utils.PyDataset`, array, or tuple of arrays.
        y: array of labels beside an array `x`, or None.
        accept: called once with the `(shape, dtype)` of each component of an example; raises if
            they do not suit, and returns how many batches one training step reads (its turns).
            `tf.data` and `PyDataset` batches are put together, never cut.
        check: called with the arrays of every batch in which values may be out of range; raises
            if they are. None: no check.
        batch_size: examples in one turn's batch, for arrays (64 if None).
        shuffle: visit arrays in an order derived from (`seed`, epoch).
        seed: see `shuffle`.
        repeat: whether the data starts again at its end, because the user says how many steps an
            epoch has: an epoch then goes on in the data where the one before stopped.
        paired: None: components of an example belong together. True: they are pictures of two
            domains that do. False: they are pictures of two domains that need not; of arrays the
            shorter one then starts again at its end.
        endless: name of the argument that would say how much of data without an end to read; None:
            it was given.

    Raises:
        TypeError: `x` is none of these.
        ValueError: the data is empty or smaller than what one step reads.
    """
    if not (_is_tf_data(x) or isinstance(x, keras.utils.PyDataset)):
        return _feed_arrays(x, y, accept, check, batch_size or 64, shuffle, seed, repeat, paired)
    for name, value in (("y", y), ("batch_size", batch_size)):
        if value is not None:
            raise ValueError(
                f"`{name}` goes with arrays only: a {type(x).__name__} yields whole batches of "
                "`images` or `(images, labels)`."
            )
    _check_pairing(x, paired)
    if endless is not None and _has_no_end(x):
        raise ValueError(
            f"The data set never ends. Pass `{endless}=…`, or leave out what repeats it: "
            "`repeat()` of `tf.data`, or a `PyDataset` without `__len__`."
        )
    if isinstance(x, keras.utils.PyDataset):
        return _feed_py_dataset(x, accept, check, repeat)
    return _feed_tf_data(x, accept, check, repeat)


def _check_pairing(ds, paired):
    """Raise a `ValueError` if a data set is known to be paired, or not, and should be otherwise."""
    known = {order.paired for order in _find_orders(ds)}
    if paired is True and False in known:
        raise ValueError(
            "This model learns from pairs, and the data set is unpaired. If its pictures can be "
            "matched: `ganzoo.datasets.load_pair(…, paired=True)`; if not, 'cyclegan' needs no "
            "pairs."
        )
    if paired is False and True in known:
        raise ValueError(
            "This model learns from two domains without pairs, and would make no use of those of "
            "this data set. Use 'pix2pix', or `ganzoo.datasets.load_pair(…, paired=False)`."
        )


def _has_no_end(ds):
    """Whether a data set is known to go on for ever."""
    if isinstance(ds, keras.utils.PyDataset):
        return ds.num_batches is None
    return int(ds.cardinality()) == sys.modules["tensorflow"].data.INFINITE_CARDINALITY


def one_batch(x, y, accept, check):
    """Arrays `(x, y)` that one step reads, checked; `y` is None where there is none.

    Args:
        x, y, accept, check: see `feed`.
    """
    parts = [_to_numpy(part) for part in (*_tuple(x), *([] if y is None else [y]))]
    specs = _specs(parts)
    turns = accept(specs)
    lengths = set(map(len, parts))
    size = max(lengths)
    if len(lengths) > 1 or not size or size % turns:
        batches = "one batch" if turns == 1 else f"{turns} batches of the same size"
        raise ValueError(
            f"One step of this model reads {batches}, and one label per image. Received "
            f"{' and '.join(str(len(part)) for part in parts)} examples."
        )
    if _may_be_wrong(specs):
        check(parts)
    return (*map(keras.ops.convert_to_tensor, parts), None)[:2]


def given(data):
    """The components of a batch that there are: Keras's methods for one add None."""
    if isinstance(data, (tuple, list)):
        return tuple(part for part in data if part is not None)
    return data


def _is_tf_data(x):
    tf = sys.modules.get("tensorflow")
    return tf is not None and isinstance(x, tf.data.Dataset)


def _tuple(batch):
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def _specs(arrays):
    if not all(np.ndim(a) for a in arrays):
        raise ValueError("The data set must yield batches. Received single numbers: batch it.")
    for a in arrays:
        if a.dtype.kind in "OSU":
            raise ValueError(
                f"Data must be numbers. Received {a.dtype}: strings, or pictures that differ in "
                "size. `ganzoo.datasets.load(folder, image_size=…)` reads files of any size."
            )
    shape = np.shape(arrays[0])
    if len(shape) == 1 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
        raise ValueError(
            f"Data must come in batches of pictures. Received shape {shape}: make batches of "
            "single pictures with `ds.batch(64)`, or one of an array with `x[None]`."
        )
    return tuple((tuple(a.shape[1:]), keras.backend.standardize_dtype(a.dtype)) for a in arrays)


def _may_be_wrong(specs):
    """Raw pictures without labels cannot be out of range."""
    return any(dtype != "uint8" or not shape for shape, dtype in specs)


_EMPTY = "The data set is empty: it yields no picture. Check the path, the split and any filter."


def _feed_arrays(x, y, accept, check, batch_size, shuffle, seed, repeat, paired):
    arrays = [_to_numpy(part) for part in (*_tuple(x), *([] if y is None else [y]))]
    if isinstance(x, (list, tuple)) and len(x) > 1 and all(a.ndim == 3 for a in arrays):
        raise ValueError(
            f"Data must be an array of images. Received a {type(x).__name__} of {len(x)} images: "
            "join them with `np.stack(images)`."
        )
    if any(a.ndim == 0 for a in arrays):
        raise ValueError("Data must be arrays of examples. Received a single number.")
    lengths = [len(a) for a in arrays] or [0]
    if len(set(lengths)) > 1 and paired is not False:
        received = f"Received {' and '.join(map(str, lengths))}."
        if paired:
            raise ValueError(
                f"There must be one target per picture. {received} Match them, files by "
                "`ganzoo.datasets.load_pair(…, paired=True)`, or use 'cyclegan', which needs no "
                "pairs."
            )
        raise ValueError(f"There must be one label per picture. {received}")
    if min(lengths) == 0:
        raise ValueError(_EMPTY)
    specs = _specs(arrays)
    turns = accept(specs)
    source = ArraySource(*arrays)
    check_size(len(source), "examples", batch_size * turns, batch_size, turns)
    streamed = any(isinstance(a, np.memmap) for a in arrays)
    if check is not None and not streamed and _may_be_wrong(specs):
        # At once, and in pieces, so that no temporary is as large as the data.
        for start in range(0, len(source), 4096):
            check(source.read(np.arange(start, min(start + 4096, len(source)))))
    order = Order(len(source), shuffle, seed)
    make, finish = (
        (tf_stream, _feed_tf_data)
        if keras.backend.backend() == "tensorflow"
        else (SourceDataset, _feed_py_dataset)
    )
    whole = make(source, batch_size * turns, order)
    return finish(whole, lambda specs: 1, check if streamed else None, repeat)


def _to_numpy(x):
    if isinstance(x, np.ndarray):
        return x
    if not hasattr(x, "shape") and not isinstance(x, (list, tuple)):
        raise TypeError(
            "Data must be a `tf.data.Dataset`, a `keras.utils.PyDataset` or arrays. Received: "
            f"{type(x).__name__}. `ganzoo.datasets.load` makes a data set of a folder, a file or "
            "a name."
        )
    return keras.ops.convert_to_numpy(x)


def _feed_tf_data(ds, accept, check, repeat):
    import tensorflow as tf

    elements = _tuple(ds.element_spec)
    if not all(isinstance(e, tf.TensorSpec) for e in elements):
        raise ValueError(
            f"The data set must yield `images` or `(images, labels)`. Received: {ds.element_spec}. "
            "Change that with `map`, for example `ds.map(lambda e: (e['image'], e['label']))`."
        )
    count = int(ds.cardinality())
    if count == 0:
        raise ValueError(_EMPTY)
    if count > 0 and all(e.shape.rank and e.shape.is_fully_defined() for e in elements):
        zero = [np.zeros((), e.dtype.as_numpy_dtype) for e in elements]
        specs = _specs([np.broadcast_to(z, e.shape) for z, e in zip(zero, elements)])
        size = elements[0].shape[0]
        turns = accept(specs)
        check_size(count, "batches", turns, size, turns)
    else:  # look at what one step would read
        full = getattr(ds, "ganzoo_full_batches", None)
        # The first batch may be a partial one, where batches were shuffled.
        first = list(map(_tuple, ds.take(1 if full is not None else 3).as_numpy_iterator()))
        if not first:
            raise ValueError(_EMPTY)
        specs = _specs(first[0])
        size = max(len(batch[0]) for batch in first)
        turns = accept(specs)
        if full is not None:  # the partial one is the last
            ds = ds.filter(as_written(lambda *batch: tf.shape(batch[0])[0] == size))
            ds = ds.apply(tf.data.experimental.assert_cardinality(full))
        else:  # whole batches stay whole up to the first one that is smaller
            ds = ds.rebatch(size, drop_remainder=True)
        if turns > 1:
            found = sum(1 for _ in ds.take(turns))
            check_size(found, "full batches", turns, size, turns)

    examine = None
    if check is not None and _may_be_wrong(specs):

        def checked(*arrays):
            check(arrays)
            return arrays

        examine = host_function(checked, [e.dtype for e in elements])

    def settle(*batch):
        batch = examine(*batch) if examine else batch
        return tuple(tf.ensure_shape(b, (size, *shape)) for b, (shape, _) in zip(batch, specs))

    orders = tuple(_find_orders(ds))
    ds = ds.map(as_written(settle), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if turns > 1:
        ds = ds.batch(turns, drop_remainder=True).map(
            as_written(lambda *batch: tuple(tf.reshape(b, (-1, *b.shape[2:])) for b in batch))
        )
    if not repeat:
        return Feed(ds.prefetch(tf.data.AUTOTUNE), orders, size * turns)

    length = int(ds.cardinality())
    skipped = [0]

    def seek(step):
        # Whole passes need not be read to be skipped, if it is known how long they are.
        passes, skipped[0] = divmod(step, length) if length > 0 else (0, step)
        for order in orders:
            order.epoch = passes

    count = host_function(lambda: np.int64(skipped[0]), tf.int64)
    ds = tf.data.Dataset.range(1).flat_map(
        as_written(lambda _, ds=ds: ds.repeat().skip(tf.reshape(count(), ())))
    )
    return Feed(ds.prefetch(tf.data.AUTOTUNE), orders, size * turns, seek)


def _find_orders(ds):
    """Orders of the sources from which a data set was made."""
    if isinstance(ds, keras.utils.PyDataset):
        yield from (ds.order,) if isinstance(ds, SourceDataset) else ()
        return
    order = getattr(ds, "ganzoo_order", None)
    if order is not None:
        yield order
    for parent in ds._inputs():
        yield from _find_orders(parent)


def part(data, place, count):
    """The part of each batch that one of several processes has: the `place`-th of `count`."""

    def cut(x):
        size = x.shape[0] // count
        return x[place * size : (place + 1) * size]

    if _is_tf_data(data):
        import tensorflow as tf

        return data.map(as_written(lambda *batch: tuple(map(cut, batch)))).prefetch(
            tf.data.AUTOTUNE
        )
    data.cut = cut
    return data


class _TurnsDataset(keras.utils.PyDataset):
    """A `PyDataset` whose batches are checked and put together, `turns` at a time."""

    first = 0
    """The step that is read first, where the data repeats."""
    cut = staticmethod(lambda x: x)
    """What is kept of each array that a step would read."""

    def __init__(self, inner, turns, size, count, check, repeat):
        super().__init__(
            workers=inner.workers,
            use_multiprocessing=inner.use_multiprocessing,
            max_queue_size=inner.max_queue_size,
        )
        self.inner = inner
        self.turns = turns
        self.size = size
        self.count = count
        self.check = check
        self.repeat = repeat

    @property
    def num_batches(self):
        return None if self.repeat else self.count

    def _read(self, step):
        passes, step = divmod(step, self.count) if self.repeat and self.count else (0, step)
        for i in range(step * self.turns, (step + 1) * self.turns):
            # In a pass of its own number, which need not be the epoch's.
            own = self.repeat and isinstance(self.inner, SourceDataset)
            batch = self.inner.batch(passes, i) if own else self.inner[i]
            yield _to_arrays(batch)

    def __getitem__(self, i):
        batches = list(self._read(self.first + i))
        for batch in batches:
            if len(batch[0]) != self.size:
                raise ValueError(
                    f"Batches must have the same size; one has {len(batch[0])} examples and the "
                    f"first has {self.size}."
                )
            if self.check is not None:
                self.check(batch)
        parts = (x if self.turns == 1 else [np.concatenate(x)] for x in zip(*batches))
        return tuple(self.cut(x) for (x,) in parts)

    def on_epoch_begin(self):
        self.inner.on_epoch_begin()

    def on_epoch_end(self):
        self.inner.on_epoch_end()


def _to_arrays(batch):
    parts = _tuple(batch)
    if any(part is None or isinstance(part, (dict, tuple)) for part in parts):
        raise ValueError(
            "The data set must yield `images` or `(images, labels)`. Received: "
            f"{' and '.join(type(part).__name__ for part in parts)}."
        )
    return tuple(np.asarray(part) for part in parts)


def _feed_py_dataset(ds, accept, check, repeat):
    count = ds.num_batches
    if count == 0:
        raise ValueError(_EMPTY)
    first = _to_arrays(ds[0])
    specs = _specs(first)
    turns = accept(specs)
    size = len(first[0])
    if count is not None:
        if len(_tuple(ds[count - 1])[0]) != size:
            count -= 1  # the last batch is a partial one
        check_size(count, "full batches", turns, size, turns)
        count //= turns
    orders = tuple(_find_orders(ds))
    check = check if _may_be_wrong(specs) else None
    data = _TurnsDataset(ds, turns, size, count, check, repeat)

    def seek(step):
        data.first = step

    return Feed(data, orders, size * turns, seek if repeat else None)
