"""Names of types, for annotations."""

import os
from collections.abc import Sequence
from typing import Any

Path = str | os.PathLike[str]
Shape = tuple[int, ...]
Tensor = Any
"""A tensor of any backend; type checkers know none of them."""
Tensors = dict[str, Tensor]
"""Tensors by name: a batch, what was drawn for it, a network's outputs."""
Losses = tuple[Tensors, Tensors]
"""A player's terms, whose sum is minimised, and signals, which are only logged."""
Specs = Sequence[tuple[Shape, str]]
"""Shape of one example and dtype, of each component of data."""
