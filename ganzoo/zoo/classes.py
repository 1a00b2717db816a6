"""Classes of trained weights on data with other classes: which of them continue."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

SHOWN = 4
"""Most classes that are named in a sentence, of each kind."""


def continued(old: Sequence[str], new: Sequence[str]) -> list[int | None]:
    """For each new class the number of the old one of the same name, or None.

    >>> continued(["bag", "coat", "boot"], ["boot", "hat"])
    [2, None]
    """
    numbers = {name: number for number, name in enumerate(old)}
    return [numbers.get(name) for name in new]


def sentence(old: Sequence[str], new: Sequence[str], rows: Sequence[int | None]) -> str:
    """What becomes of the classes, in one line.

    >>> sentence(["bag", "coat", "boot"], ["boot", "hat"], [2, None])
    'Classes: 1 continues (boot); 1 begins as the mean of the old ones (hat); 2 end (bag, coat).'
    """
    parts = [
        ("continues", "continue", [new[i] for i, row in enumerate(rows) if row is not None]),
        ("begins", "begin", [new[i] for i, row in enumerate(rows) if row is None]),
        ("ends", "end", [name for i, name in enumerate(old) if i not in rows]),
    ]
    told = []
    for one, many, names in parts:
        if names:
            what = f"{len(names)} {one if len(names) == 1 else many}"
            what += " as the mean of the old ones" if one == "begins" else ""
            more = ", …" if len(names) > SHOWN else ""
            told.append(f"{what} ({', '.join(names[:SHOWN])}{more})")
    return f"Classes: {'; '.join(told)}."


def moved(
    tensors: Mapping[str, Any],
    shapes: Mapping[str, Sequence[int]],
    wider: Mapping[str, Sequence[int]],
    rows: Sequence[int | None],
) -> dict[str, Any]:
    """Tensors in which each class has what another one had, or the mean of all of them.

    Args:
        tensors: `{name: array}`, of weights.
        shapes: shapes of the same tensors of a model with `len(rows)` classes.
        wider: those of a model with one class more: they tell which axis the classes are on.
        rows: for each class the number of an old one, or None.
    """
    result = dict(tensors)
    for name, value in tensors.items():
        pairs = enumerate(zip(shapes.get(name, ()), wider.get(name, ())))
        axes = [axis for axis, (size, more) in pairs if size != more]
        if len(axes) == 1 and np.ndim(value) == len(shapes[name]):
            mean = np.mean(value, axis=axes[0], dtype="float64")
            parts = [mean if row is None else np.take(value, row, axes[0]) for row in rows]
            result[name] = np.stack(parts, axes[0]).astype(value.dtype)
    return result
