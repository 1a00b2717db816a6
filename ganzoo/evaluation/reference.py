"""The results on real examples alone: metrics after the real examples, and floors."""

import copy
import itertools
import warnings

import numpy as np

from ganzoo.evaluation.census import Census
from ganzoo.evaluation.census import Reference
from ganzoo.evaluation.census import result_or_nothing
from ganzoo.evaluation.samples import batches_of
from ganzoo.evaluation.samples import first
from ganzoo.evaluation.samples import grouped
from ganzoo.metrics.states import keys_of

HALVES = "one half of the data against the other"


def reference(data, train, samples, metrics_for, look_at, real=None):
    """The metrics after the real examples, the floors, and the census of the examples.

    A floor is the score of real examples in place of samples. These are training examples; if there
    are none, or if the metric itself uses them, one half of the data replaces the samples.

    Args:
        data, train: see `ganzoo.evaluation.Evaluator`.
        samples: number of samples that each model will make.
        metrics_for: `(look) -> metrics`, given the first batch of the data.
        look_at: `(images, labels, features=True) -> Look`.
        real: most examples of `data`, the first ones; None: all.
    """
    looks = (look_at(*batch) for batch in grouped(first(batches_of(data), real)))
    look = next(looks, None)
    if look is None:
        raise ValueError("`data` is empty: it yields no image.")
    chosen = metrics_for(look)
    in_halves = [m for m in chosen if train is None or "train" in m.sides]
    halves = copy.deepcopy(in_halves)
    real = _show_real(itertools.chain([look], looks), chosen, halves)
    floors = [*halves, *(m.beside() for m in chosen if m not in in_halves)]
    census, floor = None, HALVES
    if train is not None:
        memories = [m for m in [*chosen, *halves] if "train" in m.sides]
        census = _show_train(train, memories, real.shape, look_at)
        others = [m for m in floors if "train" not in m.sides]
        floor = _show_in_place(train, census, samples, others, look_at)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the score itself gives the same warning
        limits = {name: x for m in floors for name, x in result_or_nothing(m).items()}
    return Reference(chosen, limits, floor, real, census)


def _show_real(looks, chosen, halves):
    """Show the real examples to the metrics, and to `halves` one half of them as samples. Returns
    their census."""
    census = Census()
    for look in looks:
        census.add(look)
        look.show("real", chosen)
        if halves:
            even = look.keys % np.uint64(2) == 0
            look.take(even).show("real", halves)
            look.take(~even).show("fake", halves)
    return census


def _show_train(train, memories, shape, look_at):
    """Show the training examples to the metrics that use them. Returns their census."""
    census = Census()
    for images, labels in grouped(batches_of(train)):
        look = look_at(images, labels, features=False)
        look.must_be(shape, "`train` has")
        census.add(look)
        look.show("train", memories)
    if not census.count:
        raise ValueError("`train` is empty: it yields no image.")
    return census


def _show_in_place(train, census, samples, floors, look_at):
    """Show training examples in place of samples. Returns a description, for the passport."""
    # As many as there are samples, independent of the order of the data.
    rank = samples * census.distinct.number / census.count  # equal ones come together
    last = census.distinct.first(max(round(rank), 1))
    chosen = (
        (images[taken], None if labels is None else labels[taken])
        for images, labels in batches_of(train)
        for taken in [keys_of(images) <= last]
        if taken.any()
    )
    count = 0
    for images, labels in grouped(chosen):
        look = look_at(images, labels)
        floors = [m for m in floors if labels is not None or not m.labelled]
        look.show("fake", floors)
        count += len(images)
    floor = f"{count:,} training images in place of the samples"
    if count < samples:
        floor += ", which are more: the floor's distances are somewhat too large"
    return floor
