"""What `precision="auto"` means on this machine: decided by a measurement, once."""

import contextlib
import dataclasses
import functools
import json
import math
import statistics
import time
import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo.files import downloads
from ganzoo.files.atomic import replacing

FASTER = 1.2
"""How many times as fast as float32 bfloat16 must be, before it is worth its rounding."""

SLOWER = 0.8
"""Below this speed against float32, bfloat16 is worth a warning."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A precision, and why.

    Attributes:
        policy: name of the dtype policy: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        reason: a sentence.
        times_as_fast: of bfloat16 on this processor, against float32; None if it was not measured.
    """

    policy: str
    reason: str
    times_as_fast: float | None = None


def best() -> Choice:
    """The precision that this device computes training steps best in."""
    policy = backend.best_precision()
    if policy is not None:
        return Choice(policy, f"{backend.device()} computes in {policy.removeprefix('mixed_')}.")
    if not backend.has_bfloat16_unit():
        return Choice("float32", "This processor has no unit for bfloat16.")
    ratio = bfloat16_speed()
    policy = "mixed_bfloat16" if ratio >= FASTER else "float32"
    reason = f"In bfloat16 a training step is {ratio:.1f} times as fast as in float32 here."
    return Choice(policy, reason, ratio)


def kept(config: dict[str, Any]) -> dict[str, Any]:
    """A saved config, with the precision that its model had: files from before the choice was kept
    say "auto", which then was float32 on every processor."""
    if config.get("precision") != "auto":
        return config
    return {**config, "precision": backend.best_precision() or "float32"}


def warn_if_imitated(policy: str) -> None:
    """Warn where bfloat16 was asked for, and a training step takes much longer in it."""
    if policy != "mixed_bfloat16" or backend.best_precision() is not None:
        return
    ratio = bfloat16_speed()
    if ratio < SLOWER:
        warnings.warn(
            f"{keras.backend.backend()} imitates bfloat16 on this processor: a training step takes "
            f"{1 / ratio:.1f} times as long as in float32. Use `precision='float32'` or 'auto'.",
            stacklevel=3,
        )


@functools.cache
def bfloat16_speed() -> float:
    """How many times as fast as in float32 a training step is in bfloat16 on this processor.

    It takes a second to measure, and is kept in the cache folder for this processor, backend and
    versions.
    """
    key = ", ".join([backend.device(), *map(" ".join, backend.versions().items())])
    path = downloads.folder() / "precision.json"
    kept = _read(path)
    if isinstance(kept.get(key), float) and 0 < kept[key] < math.inf:
        return kept[key]
    kept[key] = measure()
    with contextlib.suppress(OSError):  # the next process measures again
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return kept[key]


def _read(path):
    """The measurements in the cache folder; none if the file is missing or broken."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def measure(rounds: int = 7) -> float:
    """Time the core of a DCGAN's step, convolutions and their gradients, in both precisions.

    They take turns, and the result is the median of the rounds' ratios, so that other work on the
    machine slows down both.
    """
    steps = [_step(dtype) for dtype in ("float32", "bfloat16")]
    with backend.channels_last():
        for step in steps:
            step()  # compiles it
    seconds = [[_seconds(step) for step in steps] for _ in range(rounds)]
    return round(statistics.median(full / half for full, half in seconds), 2)


def _seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def _step(dtype):
    """A compiled function that convolves images down and up again, and returns the gradients."""
    images = keras.random.normal((32, 16, 16, 64), seed=0)
    kernels = [0.02 * keras.random.normal((4, 4, 64, 128), seed=i) for i in (1, 2)]

    def loss(inputs):
        x, down, up = (ops.cast(value, dtype) for value in inputs)
        x = ops.leaky_relu(ops.conv(x, down, strides=2, padding="same"))
        x = ops.conv_transpose(x, up, strides=2, padding="same")
        return ops.mean(ops.square(ops.cast(x, "float32")))

    compiled = backend.compiled(lambda *inputs: backend.input_gradient(loss, list(inputs)))
    return lambda: [np.asarray(gradient) for gradient in compiled(images, *kernels)]
