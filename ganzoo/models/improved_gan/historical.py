"""Historical averaging: a player is held near the mean of its own past."""

import dataclasses

from ganzoo.game import Player
from ganzoo.layers import ParameterHistory


def held(player: Player, history: ParameterHistory, weight: float) -> Player:
    """The player, which now also pays for moving away from its past.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.3.

    Args:
        player: one side of a game.
        history: of the player's variables.
        weight: of ‖θ − mean of all past θ‖², which the player's loss gains as the term `history`.
    """

    def loss(batch, drawn):
        terms, signals = player.loss(batch, drawn)
        distance = history.distance(player.variables)
        return {**terms, "history": weight * distance}, signals

    return dataclasses.replace(player, loss=loss)
