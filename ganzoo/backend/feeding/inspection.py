"""Properties of a data set that are known before it is read."""

import contextlib
import sys

import keras

from ganzoo.backend.sources import SourceDataset


def is_tf_data(x):
    tf = sys.modules.get("tensorflow")
    return tf is not None and isinstance(x, tf.data.Dataset)


def find_orders(ds):
    """Yield the orders of the sources of a data set."""
    if isinstance(ds, keras.utils.PyDataset):
        yield from (ds.order,) if isinstance(ds, SourceDataset) else ()
        return
    order = getattr(ds, "ganzoo_order", None)
    if order is not None:
        yield order
    for parent in ds._inputs():
        yield from find_orders(parent)


@contextlib.contextmanager
def first_epoch(ds):
    """A scope in which a data set is read in the order of its first epoch. Afterwards it is in the
    epoch that it was in; data of other kinds stays as it is."""
    known = is_tf_data(ds) or isinstance(ds, keras.utils.PyDataset)
    orders = list(find_orders(ds)) if known else []
    epochs = [order.epoch for order in orders]
    for order in orders:
        order.epoch = 0
    try:
        yield
    finally:
        for order, epoch in zip(orders, epochs):
            order.epoch = epoch


def check_pairing(ds, paired):
    """Raise a `ValueError` if a data set is paired and must not be, or the reverse."""
    pairings = {order.paired for order in find_orders(ds)}
    if paired is True and False in pairings:
        raise ValueError(
            "This model learns from pairs, and the data set is unpaired. If its images can be "
            "matched: `ganzoo.datasets.load_pair(…, paired=True)`; if not, 'cyclegan' needs no "
            "pairs."
        )
    if paired is False and True in pairings:
        raise ValueError(
            "This model learns from two domains without pairs, and would make no use of those of "
            "this data set. Use 'pix2pix', or `ganzoo.datasets.load_pair(…, paired=False)`."
        )


def has_no_end(ds):
    """Whether a data set is known to be endless."""
    if isinstance(ds, keras.utils.PyDataset):
        return ds.num_batches is None
    return int(ds.cardinality()) == sys.modules["tensorflow"].data.INFINITE_CARDINALITY
