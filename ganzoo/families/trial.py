"""What a model makes of images, next to what it was given and what it should make."""

from typing import NamedTuple

import numpy as np


class Trial(NamedTuple):
    """Images in three states, uint8 arrays of one shape `(n, height, width, channels)`.

    Attributes:
        before: what the model was given; for an upscaler the bicubic enlargement of it.
        after: what it makes of that.
        targets: what it should make; None if that is not known.
        given: the small images, if the model enlarges.
        baseline: what `before` is, in words.
    """

    before: np.ndarray
    after: np.ndarray
    targets: np.ndarray | None = None
    given: np.ndarray | None = None
    baseline: str = "the images as they were given"
