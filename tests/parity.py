"""Twenty training losses from fixed weights and latents, as JSON. Run by `test_parity.py`."""

import json
import sys

import keras
import numpy as np
from keras import ops

import ganzoo

STEPS, BATCH = 20, 8


def main(name):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * BATCH, 12, 12, 1)).astype("uint8")
    labels = rng.integers(0, 3, STEPS * BATCH)
    latents = rng.standard_normal((STEPS, BATCH, 16)).astype("float32")
    config = {
        "cgan": {"num_classes": 3, "channels": 8},
        "dcgan": {"channels": 8},
        "vanilla": {
            "generator_units": (32,),
            "discriminator_units": (16,),
            "dropout": (0.0, 0.0),
        },
    }[name]
    model = ganzoo.get(name, image_shape=(12, 12, 1), latent_dim=16, seed=0, **config)
    # The backends' random numbers differ: weights and latents come from NumPy instead.
    for network in (model.generator, model.discriminator):
        for weight in network.trainable_weights:
            weight.assign(0.1 * rng.standard_normal(weight.shape).astype("float32"))
    type(model).sample_latents = lambda self, n: ops.take(
        ops.convert_to_tensor(latents), self.step.value, axis=0
    )
    losses = []
    log = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: losses.append([logs["d_loss"], logs["g_loss"]])
    )
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        data = (images[part], labels[part]) if name == "cgan" else (images[part],)
        model.fit(*data, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[log])
    print(json.dumps(losses))


if __name__ == "__main__":
    main(sys.argv[1])
