"""Kinds of data, one file each: how examples are checked, scaled, shown and saved."""

from ganzoo import types
from ganzoo.modalities.base import Modality as Modality
from ganzoo.modalities.images import Images as Images
from ganzoo.modalities.points import Points as Points
from ganzoo.modalities.waveforms import Waveforms as Waveforms

KINDS: tuple[type[Modality], ...] = (Images, Points, Waveforms)


def kind_of(shape: types.Shape) -> Modality:
    """The kind of data for examples of a shape, by its number of axes.

    Raises:
        ValueError: no kind of data has that number of axes.

    Example:

    >>> kind_of((28, 28, 1)).describe(), kind_of((2,)).describe()
    ('28×28×1', '2 numbers each')
    """
    for kind in KINDS:
        if kind.rank == len(shape):
            return kind(tuple(shape))
    ranks = " or ".join(f"{kind.rank} ({kind.name})" for kind in KINDS)
    raise ValueError(f"An example has {ranks} axes. Received shape {tuple(shape)}.")
