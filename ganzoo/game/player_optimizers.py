"""The optimizers of all players, as one."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from ganzoo.game.player import Player


class PlayerOptimizers(keras.optimizers.Optimizer):
    """One optimizer per player, in a container that Keras sees as a single optimizer.

    Keras then saves, restores, donates and shards the state of all of them without further code.

    Args:
        optimizers: dict from player name to `keras.optimizers.Optimizer`.
    """

    def __init__(
        self, optimizers: dict[str, keras.optimizers.Optimizer], name: str = "player_optimizers"
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.player_names = tuple(optimizers)
        # A list of this name is where Keras's callbacks look for inner optimizers.
        self.optimizers = list(optimizers.values())
        for player, optimizer in optimizers.items():
            optimizer.name = player  # as these callbacks log it: `learning_rate_generator`

    def __getitem__(self, player: str) -> keras.optimizers.Optimizer:
        return self.optimizers[self.player_names.index(player)]

    def items(self) -> Iterable[tuple[str, keras.optimizers.Optimizer]]:
        return zip(self.player_names, self.optimizers)

    def build_for(self, players: Iterable[Player]) -> None:
        """Create the state of each player's optimizer."""
        for player in players:
            self[player.name].build(player.variables)
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    # Keras saves the inner optimizers by itself, because it walks attributes.
    def save_own_variables(self, store: Any) -> None:
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        for i, variable in enumerate(self._variables):
            variable.assign(store[str(i)])

    @property
    def learning_rate(self) -> Any:
        """The first player's learning rate. Setting it scales every player's by the same ratio,
        so that two time scales stay two."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        first = float(ops.convert_to_numpy(self.learning_rate))
        for optimizer in self.optimizers:
            rate = float(ops.convert_to_numpy(optimizer.learning_rate))
            ratio = rate / first if first else 1.0
            optimizer.learning_rate = value * ratio

    def finalize_variable_values(self, var_list: Any) -> None:
        del var_list
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        raise TypeError("PlayerOptimizers only holds optimizers: each player's is applied in turn.")

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizers": {
                name: keras.saving.serialize_keras_object(optimizer)
                for name, optimizer in self.items()
            },
            "name": self.name,
        }
