"""Names of types, for annotations."""

import os
from collections.abc import Sequence
from typing import Any

Path = str | os.PathLike[str]
Shape = tuple[int, ...]
Tensor = Any
"""Of whichever backend; a checker knows none of them."""
Tensors = dict[str, Tensor]
"""By name: a batch, what was drawn of it, what a network says."""
Losses = tuple[Tensors, Tensors]
"""A player's terms, whose sum is minimised, and signals, which are only logged."""
Specs = Sequence[tuple[Shape, str]]
"""Shape of one example and dtype, of each component of data."""
