"""Exponential moving averages of networks."""

import keras
from keras import ops

from ganzoo import backend
from ganzoo.game.building import dtype_policy


class Averages:
    """The averages of a game's networks: `game.ema_…` for each that `game.averaged` names.

    Args:
        game: a `ganzoo.Game`. Without an `ema_decay` or `ema_images` it has no averages.
    """

    def __init__(self, game):
        self.game = game
        self.since = 0
        """The step at which they began; 0: with the training."""

    @property
    def names(self):
        """The networks that have an average."""
        kept = (self.game.ema_decay, self.game.ema_images) != (None, None)
        return self.game.averaged if kept else ()

    def create(self):
        """Begin with copies of the networks."""
        for name in self.names:
            network = getattr(self.game, name)
            average = in_float32(network)
            average.set_weights(network.get_weights())
            average.trainable = False
            setattr(self.game, f"ema_{name}", average)

    def in_use(self, name):
        """The network of this name that is used outside training: its average if it has one."""
        return getattr(self.game, f"ema_{name}" if name in self.names else name)

    def follow(self, images):
        """Move the averages towards the networks, after a step that read `images` images.

        Batch statistics too: those of the live network belong to its weights of this moment, and
        the means of a first layer are linear in its weights.
        """
        if not self.names:
            return
        half_life = self.game.ema_images
        usual = self.game.ema_decay if half_life is None else 0.5 ** (images / half_life)
        step = ops.cast(self.game.step - self.since, "float32")
        # New data changes loaded weights more than early weights change from step to step.
        reach = 30.0 if self.since else 10.0
        decay = ops.minimum(usual, (1.0 + step) / (reach + step))
        for name in self.names:
            live, average = getattr(self.game, name), getattr(self.game, f"ema_{name}")
            for a, v in zip(average.weights, live.weights):
                backend.approach(a, v, 1.0 - decay)

    def restart(self):
        """Begin again at this step, from the values that they have now."""
        self.since = int(self.game.step.numpy())
        self.game.train_function = None  # it was compiled with the former step


def in_float32(network: keras.Model) -> keras.Model:
    """A copy of the network's layers that computes in float32, whatever it trained in.

    So samples and scores are the same in every precision of training.
    """
    with dtype_policy("float32"):
        return keras.models.clone_model(
            network, clone_function=lambda layer: layer.from_config(_full(layer.get_config()))
        )


def _full(config):
    """A config with float32 in place of each mixed policy."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _full(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_full(value) for value in config)
    return config
