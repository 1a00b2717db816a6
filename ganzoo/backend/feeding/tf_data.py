"""`tf.data` as the data of `fit`."""

import numpy as np

from ganzoo.backend.feeding.components import EMPTY
from ganzoo.backend.feeding.components import as_tuple
from ganzoo.backend.feeding.components import may_be_wrong
from ganzoo.backend.feeding.components import specs_of
from ganzoo.backend.feeding.inspection import find_orders
from ganzoo.backend.feeding.request import Batches
from ganzoo.backend.feeding.request import Feed
from ganzoo.backend.host_functions import as_written
from ganzoo.backend.host_functions import host_function
from ganzoo.backend.sources import check_size


def feed_tf_data(ds, request):
    """See `feed`."""
    import tensorflow as tf

    elements = _elements(ds)
    count = int(ds.cardinality())
    if count == 0:
        raise ValueError(EMPTY)
    if count > 0 and all(e.shape.rank and e.shape.is_fully_defined() for e in elements):
        batches = _declared_batches(elements, count, request.accept)
    else:
        ds, batches = _observed_batches(ds, request.accept)
    orders = tuple(find_orders(ds))
    ds = _checked(ds, batches, request.check)
    size = batches.size * batches.turns
    if batches.turns > 1:
        ds = _joined(ds, batches.turns)
    if not request.repeat:
        return Feed(ds.prefetch(tf.data.AUTOTUNE), orders, size)
    ds, seek = _repeated(ds, orders)
    return Feed(ds.prefetch(tf.data.AUTOTUNE), orders, size, seek)


def cut_tf_data(ds, cut):
    """The data set with `cut` applied to each component of each batch."""
    import tensorflow as tf

    ds = ds.map(as_written(lambda *batch: tuple(map(cut, batch))))
    return ds.prefetch(tf.data.AUTOTUNE)


def _elements(ds):
    """The components of a batch, as `tf.TensorSpec`."""
    import tensorflow as tf

    elements = as_tuple(ds.element_spec)
    if not all(isinstance(e, tf.TensorSpec) for e in elements):
        raise ValueError(
            f"The data set must yield `images` or `(images, labels)`. Received: {ds.element_spec}. "
            "Change that with `map`, for example `ds.map(lambda e: (e['image'], e['label']))`."
        )
    return elements


def _declared_batches(elements, count, accept):
    """Batches whose shapes are known before one is read."""
    zeros = [np.zeros((), e.dtype.as_numpy_dtype) for e in elements]
    specs = specs_of([np.broadcast_to(zero, e.shape) for zero, e in zip(zeros, elements)])
    size = elements[0].shape[0]
    turns = accept(specs)
    check_size(count, "batches", turns, size, turns)
    return Batches(specs, size, turns)


def _observed_batches(ds, accept):
    """Batches whose shapes are learned from the first ones; and the data set, full batches only."""
    import tensorflow as tf

    full = getattr(ds, "ganzoo_full_batches", None)
    # The first batch may be a partial one, where batches were shuffled.
    first = list(map(as_tuple, ds.take(1 if full is not None else 3).as_numpy_iterator()))
    if not first:
        raise ValueError(EMPTY)
    specs = specs_of(first[0])
    size = max(len(batch[0]) for batch in first)
    turns = accept(specs)
    if full is not None:  # the partial one is the last
        ds = ds.filter(as_written(lambda *batch: tf.shape(batch[0])[0] == size))
        ds = ds.apply(tf.data.experimental.assert_cardinality(full))
    else:  # full batches stay as they are up to the first one that is smaller
        ds = ds.rebatch(size, drop_remainder=True)
    if turns > 1:
        have = sum(1 for _ in ds.take(turns))
        check_size(have, "full batches", turns, size, turns)
    return ds, Batches(specs, size, turns)


def _checked(ds, batches, check):
    """The data set with batches of known shape, checked if values may be out of range."""
    import tensorflow as tf

    examine = None
    if check is not None and may_be_wrong(batches.specs):

        def checked(*arrays):
            check(arrays)
            return arrays

        examine = host_function(checked, [e.dtype for e in _elements(ds)])

    def with_shapes(*batch):
        batch = examine(*batch) if examine else batch
        return tuple(
            tf.ensure_shape(component, (batches.size, *shape))
            for component, (shape, _) in zip(batch, batches.specs)
        )

    return ds.map(as_written(with_shapes), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _joined(ds, turns):
    """The data set with every `turns` batches joined into one."""
    import tensorflow as tf

    return ds.batch(turns, drop_remainder=True).map(
        as_written(lambda *batch: tuple(tf.reshape(x, (-1, *x.shape[2:])) for x in batch))
    )


def _repeated(ds, orders):
    """The data set repeated without end, and a function that moves its start to a step."""
    import tensorflow as tf

    length = int(ds.cardinality())
    skipped = [0]

    def seek(step):
        # Whole passes are skipped without being read, if their length is known.
        passes, skipped[0] = divmod(step, length) if length > 0 else (0, step)
        for order in orders:
            order.epoch = passes

    count = host_function(lambda: np.int64(skipped[0]), tf.int64)
    endless = tf.data.Dataset.range(1).flat_map(
        as_written(lambda _: ds.repeat().skip(tf.reshape(count(), ())))
    )
    return endless, seek
