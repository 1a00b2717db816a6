"""Sources of examples, the orders they are read in, and batches of them."""

import importlib.util

import keras
import numpy as np

from ganzoo.backend.host_functions import as_written
from ganzoo.backend.host_functions import host_function

# Sources and orders ---------------------------------------------------------------------------


class ArraySource:
    """Examples in arrays (memory-mapped ones too), read by index.

    It is as long as the longest array; shorter ones start again at their end.

    A source has `len()`, `specs` (shape and dtype of each component of one example) and
    `read(indices)`, which returns a tuple of arrays. Anything with these three can be streamed.
    """

    def __init__(self, *arrays):
        self.arrays = tuple(a if isinstance(a, np.memmap) else _native(a) for a in arrays)
        self.specs = tuple((a.shape[1:], a.dtype.name) for a in arrays)

    def __len__(self):
        return max(map(len, self.arrays))

    def read(self, indices):
        return tuple(_native(np.asarray(a[indices % len(a)])) for a in self.arrays)


def _native(array):
    """The same numbers in the machine's byte order, which frameworks assume."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


class SideBySide:
    """Sources as components of one, as long as the longest; others start again at their end."""

    def __init__(self, *sources):
        self.sources = sources
        self.specs = tuple(spec for source in sources for spec in source.specs)

    def __len__(self):
        return max(map(len, self.sources))

    def read(self, indices):
        return tuple(x for source in self.sources for x in source.read(indices % len(source)))


class Order:
    """The order in which one epoch visits the examples: a function of (seed, epoch) alone.

    Every pass over the data advances `epoch`; `fit` sets it, so that epoch 3 of a resumed run is
    epoch 3 of the uninterrupted one. `paired`: whether the two images of an example belong
    together, for data of two domains; None: unknown, or data of one domain.
    """

    def __init__(self, count, shuffle, seed, paired=None):
        self.count = count
        self.paired = paired
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0

    def indices(self, epoch):
        """The visiting order of an epoch, `(count,)` int64."""
        if not self.shuffle:
            return np.arange(self.count)
        return np.random.default_rng([self.seed, epoch]).permutation(self.count)

    def advance(self):
        """Return the visiting order of the current epoch and advance to the next one."""
        indices = self.indices(self.epoch)
        self.epoch += 1
        return indices

    def advance_seed(self):
        """Return a seed for the current epoch and advance to the next, for data without indices."""
        seed = np.random.SeedSequence([self.seed, self.epoch]).generate_state(1)
        self.epoch += 1
        return seed.astype("int64")


class SourceDataset(keras.utils.PyDataset):
    """A source as a `PyDataset` of batches."""

    def __init__(self, source, batch_size, order):
        super().__init__()
        self.source = source
        self.batch_size = batch_size
        self.order = order
        self._indices = (None, None)

    def __len__(self):
        return -(-len(self.source) // self.batch_size)

    def __getitem__(self, i):
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.batch(self.order.epoch, i)

    def batch(self, epoch, i):
        """Batch `i` of any epoch, which need not be the current one."""
        cached_epoch, indices = self._indices
        if cached_epoch != epoch:
            indices = self.order.indices(epoch)
            self._indices = (epoch, indices)
        batch = self.source.read(indices[i * self.batch_size : (i + 1) * self.batch_size])
        return batch if len(batch) > 1 else batch[0]

    def on_epoch_end(self):
        self.order.epoch += 1


def stream(source, *, batch_size, shuffle, seed, paired=None):
    """A source as batches: `tf.data.Dataset` where TensorFlow is installed, otherwise `PyDataset`.

    Nothing is kept in memory beyond a few batches and one index per example. The last batch may
    be smaller. `paired`: see `Order`.
    """
    order = Order(len(source), shuffle, seed, paired)
    check_size(len(source), "examples", batch_size, batch_size, 1)
    if importlib.util.find_spec("tensorflow") is None:
        return SourceDataset(source, batch_size, order)
    return tf_stream(source, batch_size, order)


def stream_tf_data(ds, count, *, batch_size, shuffle, seed, buffer=8192):
    """A `tf.data` of `count` examples as batches, shuffled within a buffer by (seed, epoch)."""
    import tensorflow as tf

    order = Order(count, shuffle, seed)
    check_size(count, "examples", batch_size, batch_size, 1)
    if shuffle:
        epoch_seed = host_function(order.advance_seed, tf.int64)
        unshuffled = ds

        def shuffled(_):
            # Otherwise the order also depends on `tf.random.set_seed`.
            tf.compat.v1.get_default_graph().seed = 1
            return unshuffled.shuffle(buffer, seed=tf.reshape(epoch_seed(), ()))

        ds = tf.data.Dataset.range(1).flat_map(as_written(shuffled))
    ds = ds.apply(tf.data.experimental.assert_cardinality(count)).batch(batch_size)
    return _marked(ds, order, batch_size)


def tf_stream(source, batch_size, order):
    import tensorflow as tf

    dtypes = [tf.as_dtype(dtype) for _, dtype in source.specs]
    permutation = host_function(order.advance, tf.int64)
    arrays = _in_memory(source)
    if arrays is None:
        read = host_function(source.read, dtypes)
    else:  # no Python, which would wait for the thread that runs the training loop
        with tf.device("CPU:0"):
            tensors = [tf.constant(a) for a in arrays]
        read = lambda indices: [tf.gather(t, indices % len(t)) for t in tensors]

    def with_shapes(indices):
        batch = read(indices)
        for component, (shape, _) in zip(batch, source.specs):
            component.set_shape((indices.shape[0], *shape))
        return tuple(batch) if len(batch) > 1 else batch[0]

    def batch_indices(_):
        indices = permutation()
        starts = tf.data.Dataset.range(0, order.count, batch_size)
        return starts.map(as_written(lambda start: indices[start : start + batch_size]))

    ds = tf.data.Dataset.range(1).flat_map(as_written(batch_indices))
    ds = ds.apply(tf.data.experimental.assert_cardinality(-(-order.count // batch_size)))
    ds = ds.map(as_written(with_shapes), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return _marked(ds, order, batch_size)


MEMORY = 2**29
"""Arrays of at most this size, 512 MiB, are passed to TensorFlow, which copies them."""


def _in_memory(source):
    """The arrays of a source if they are small and in memory, otherwise None."""
    arrays = source.arrays if getattr(type(source), "read", None) is ArraySource.read else ()
    small = sum(a.nbytes for a in arrays) <= MEMORY
    plain = all(isinstance(a, np.ndarray) and not isinstance(a, np.memmap) for a in arrays)
    return arrays if arrays and small and plain else None


def _marked(ds, order, batch_size):
    """The batches, with their order attached for `fit`."""
    import tensorflow as tf

    # At the root, so that `fit` finds the order, whatever is mapped on top, and pins its epoch.
    ds.ganzoo_order = order
    final = ds.prefetch(tf.data.AUTOTUNE)
    final.ganzoo_full_batches = order.count // batch_size
    return final


def check_size(have, what, needed, size, turns):
    if have < needed:
        reads = f"a batch of {size}" if turns == 1 else f"{turns} batches of {size}"
        mend = "a smaller `batch_size`" + (" or fewer `discriminator_steps`" if turns > 1 else "")
        raise ValueError(
            f"The data has {have} {what}, fewer than one training step reads ({reads}). Use more "
            f"data or {mend}."
        )
