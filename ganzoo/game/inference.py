"""Trained networks, compiled for use outside training."""

import math
import warnings

import numpy as np

from ganzoo import backend
from ganzoo import validation
from ganzoo.game import data


class Inference:
    """A game's networks, each compiled once, run on arrays batch by batch.

    Args:
        game: a `ganzoo.Game`.
    """

    def __init__(self, game):
        self.game = game
        self._compiled = {}

    def run(self, network, parts, size, finish):
        """Finished outputs of a network for one batch, which may be smaller than `size`.

        Smaller batches are padded, so that few shapes are compiled; the padding is cut off.

        Args:
            network: a `keras.Model`.
            parts: an array for each of its inputs.
            size: of a whole batch.
            finish: function from the network's outputs to the result and whether it is finite,
                compiled with the network.
        """
        short = size - len(parts[0])
        if short:
            parts = [np.concatenate([x, np.repeat(x[-1:], short, axis=0)]) for x in parts]
        key = (id(network), self.game.jit_compile, finish)
        if key not in self._compiled:
            # With the network itself, so that no other gets its id.
            run = backend.inference(network, self.game.jit_compile, finish)
            self._compiled[key] = (network, run)
        outputs, finite = self._compiled[key][1](*parts)
        if not finite:
            warnings.warn(
                f"Network {network.name!r} makes NaN or infinity: the model has diverged. Load a "
                "checkpoint from before, or train again with a smaller learning rate.",
                stacklevel=2,
            )
        return outputs[: size - short]

    def on_examples(self, network, examples, batch_size, finish, any_size=False):
        """Finished outputs of a network for examples that a user has.

        Args:
            network: a `keras.Model`.
            examples: an array, as data sets hold them.
            batch_size: examples in a batch, at most.
            finish: see `run`.
            any_size: whether the network takes images of any height and width.
        """
        validation.integer("batch_size", batch_size)
        game = self.game
        game.must_be_built()
        examples = np.asarray(examples)
        free = any_size and examples.ndim == 4
        wanted = (*examples.shape[1:3], game.image_shape[2]) if free else game.image_shape
        if examples.shape[1:] != wanted or not len(examples):
            self._refuse(examples, any_size)
        data.check_examples(game, examples.shape[1:], examples.dtype.name)
        size = batch_size_for(len(examples), batch_size)
        game._has_warned = False
        results = []
        for start in range(0, len(examples), size):
            part = examples[start : start + size]
            game.modality.check_values(part)
            data.warn_of_doubts(game, part)
            results.append(self.run(network, [game.modality.to_network(part)], size, finish))
        return np.concatenate(results)

    def _refuse(self, examples, any_size):
        shape = self.game.image_shape
        size = ("height", "width") if any_size else shape[:-1]
        mend = "; others are resized by `ganzoo.datasets.load(…, image_size=…)`"
        raise ValueError(
            "This model takes images of shape "
            f"({', '.join(map(str, ('n', *size, shape[-1])))}), "
            f"n at least 1. Received: {examples.shape}. One image is a batch of one: "
            f"`image[None]`{'' if any_size else mend}."
        )


def batch_size_for(count: int, most: int) -> int:
    """The batch size for `count` examples: the power of two that holds them, at most `most`."""
    return min(most, 2 ** math.ceil(math.log2(count)))
