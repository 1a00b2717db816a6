"""Turns the data passed to `fit` into what a training step reads: full batches, in an order that is
a function of (seed, epoch), as `tf.data` with TensorFlow and as `PyDataset` without it.
"""

from ganzoo.backend.feeding.arrays import one_batch as one_batch
from ganzoo.backend.feeding.components import without_none as without_none
from ganzoo.backend.feeding.dispatch import feed as feed
from ganzoo.backend.feeding.dispatch import part as part
from ganzoo.backend.feeding.inspection import first_epoch as first_epoch
from ganzoo.backend.feeding.request import Feed as Feed
from ganzoo.backend.feeding.request import Request as Request
