"""`keras.utils.PyDataset` as the data of `fit`."""

import keras
import numpy as np

from ganzoo.backend.feeding.components import EMPTY
from ganzoo.backend.feeding.components import as_tuple
from ganzoo.backend.feeding.components import may_be_wrong
from ganzoo.backend.feeding.components import specs_of
from ganzoo.backend.feeding.inspection import find_orders
from ganzoo.backend.feeding.request import Batches
from ganzoo.backend.feeding.request import Feed
from ganzoo.backend.sources import SourceDataset
from ganzoo.backend.sources import check_size


def feed_py_dataset(ds, request):
    """See `feed`."""
    count = ds.num_batches
    if count == 0:
        raise ValueError(EMPTY)
    first = _to_arrays(ds[0])
    specs = specs_of(first)
    turns = request.accept(specs)
    size = len(first[0])
    if count is not None:
        if len(as_tuple(ds[count - 1])[0]) != size:
            count -= 1  # the last batch is a partial one
        check_size(count, "full batches", turns, size, turns)
        count //= turns
    orders = tuple(find_orders(ds))
    check = request.check if may_be_wrong(specs) else None
    data = _TurnsDataset(ds, Batches(specs, size, turns), count, check, request.repeat)

    def seek(step):
        data.first = step

    return Feed(data, orders, size * turns, seek if request.repeat else None)


def _to_arrays(batch):
    components = as_tuple(batch)
    if any(x is None or isinstance(x, (dict, tuple)) for x in components):
        raise ValueError(
            "The data set must yield `images` or `(images, labels)`. Received: "
            f"{' and '.join(type(x).__name__ for x in components)}."
        )
    return tuple(np.asarray(x) for x in components)


class _TurnsDataset(keras.utils.PyDataset):
    """A `PyDataset` whose batches are checked and joined, one for each turn of a step."""

    first = 0
    """The step that is read first, where the data repeats."""
    cut = staticmethod(lambda x: x)
    """Takes this process's part of each array that a step reads."""

    def __init__(self, inner, batches, count, check, repeat):
        super().__init__(
            workers=inner.workers,
            use_multiprocessing=inner.use_multiprocessing,
            max_queue_size=inner.max_queue_size,
        )
        self.inner = inner
        self.size = batches.size
        self.turns = batches.turns
        self.count = count
        self.check = check
        self.repeat = repeat

    @property
    def num_batches(self):
        return None if self.repeat else self.count

    def _read(self, step):
        passes, step = divmod(step, self.count) if self.repeat and self.count else (0, step)
        for i in range(step * self.turns, (step + 1) * self.turns):
            # By the number of the pass, which need not be that of the epoch.
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
        columns = (x if self.turns == 1 else [np.concatenate(x)] for x in zip(*batches))
        return tuple(self.cut(x) for (x,) in columns)

    def on_epoch_begin(self):
        self.inner.on_epoch_begin()

    def on_epoch_end(self):
        self.inner.on_epoch_end()
