"""Twenty training losses of models from fixed weights and random numbers, as JSON. Run by
`test_parity.py` on each backend."""

import json
import sys
import zlib

import keras
import numpy as np
from keras import ops

import ganzoo
from ganzoo import zoo
from tests.cases import CASES

STEPS, BATCH = 20, 8


def fixed(draw):
    """A random function of Keras's whose numbers NumPy makes, the same on each backend."""

    def drawn(shape, *args, seed=None, **kwargs):
        shape = tuple(BATCH if isinstance(n, str) or not isinstance(n, int) else n for n in shape)
        rng = np.random.default_rng(zlib.crc32(repr((draw, shape)).encode()))
        low, high = (*args, 0.0, 1.0)[:2] if draw != "normal" else (0.0, 1.0)
        numbers = rng.standard_normal(shape) if draw == "normal" else rng.uniform(low, high, shape)
        if draw == "randint":
            return ops.convert_to_tensor(numbers.astype("int32"))
        return ops.convert_to_tensor(numbers.astype("float32"))

    return drawn


def losses(name):
    case = CASES[name]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2 * STEPS * BATCH, 12, 12, 1)).astype("uint8")
    labels = rng.integers(0, case.labels or 1, len(images))
    latents = rng.standard_normal((STEPS, BATCH, 64)).astype("float32")
    # Of the random numbers only those of dropout are not `fixed`.
    without = {k: v for k, v in case.without_noise.items() if k == "dropout"}
    config = {"image_shape": (12, 12, 1), "seed": 0, "precision": "float32"}
    config |= {**case.config, **without}
    if zoo.describe(name)["arguments"]["discriminator_steps"] > 2:
        config["discriminator_steps"] = 2  # as many moves as show that several are the same
    model = ganzoo.get(name, **config)
    # The backends' random numbers differ: weights and latents come from NumPy instead.
    for player in model.players:
        still = [w for n in player.networks for w in n.non_trainable_variables]
        # What the power iteration of spectral normalisation starts from is drawn too.
        for weight in [*player.variables, *(w for w in still if w.name == "direction")]:
            weight.assign(0.1 * rng.standard_normal(weight.shape).astype("float32"))
    type(model).sample_latents = lambda self, n: ops.take(
        ops.convert_to_tensor(latents), self.step.value, axis=0
    )[:, : self.latent_width]
    found = []
    keys = [f"{player.prefix}loss" for player in model.players]
    size = BATCH * model.turns
    for step in range(STEPS):
        part = slice(step * size, (step + 1) * size)
        data = (images[part],) if case.labels is None else (images[part], labels[part])
        logs = model.train_on_batch(*data, return_dict=True)
        found.append([float(logs[key]) for key in keys])
    return found


if __name__ == "__main__":
    for function in ("uniform", "normal", "randint"):
        setattr(keras.random, function, fixed(function))
    print(json.dumps({name: losses(name) for name in sys.argv[1:]}))
