"""Players that are held near the mean of their own past."""

from typing import Any

from ganzoo import types
from ganzoo import validation
from ganzoo.families.gan import GAN
from ganzoo.game import Player
from ganzoo.layers import ParameterHistory


class HistoricalAveraging(GAN):
    """A game in which each player also pays for moving away from its past.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.3.

    Args:
        historical_averaging: weight of ‖θ − mean of all past θ‖² in each player's loss; 0: none.
        **kwargs: see `ganzoo.GAN`.
    """

    def __init__(self, *, historical_averaging: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.historical_averaging = validation.real(
            "historical_averaging", historical_averaging, least=0
        )

    def build_players(self) -> tuple[Player, ...]:
        players = super().build_players()
        if self.historical_averaging:
            self.histories = [ParameterHistory(player.variables) for player in players]
        return players

    def discriminator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, real: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        return {**super().discriminator_terms(batch, drawn, real, fake), **self._history(0)}

    def generator_terms(
        self, batch: types.Tensors, drawn: types.Tensors, fake: types.Tensors
    ) -> types.Tensors:
        return {**super().generator_terms(batch, drawn, fake), **self._history(1)}

    def _history(self, player):
        if not self.historical_averaging:
            return {}
        distance = self.histories[player].distance(self.players[player].variables)
        return {"history": self.historical_averaging * distance}
