"""A player: networks with a loss that they minimise."""

import dataclasses
from collections.abc import Callable

import keras


def _never() -> bool:
    return False


@dataclasses.dataclass(frozen=True)
class Player:
    """One side of a game.

    Attributes:
        name: its key among the optimizers.
        networks: what this player alone updates. A layer shared by two of them counts once.
        loss: `(batch, drawn) -> (terms, signals)`, two dicts of scalars. The sum of the terms is
            minimised; terms and signals are both logged. `drawn` is what `Game.draw` returned.
        steps: how many times it moves in one training step. Every move sees a fresh batch.
        draws: whether its networks run in `Game.draw`; its gradient then also flows back through
            what was drawn.
        prefix: put before its names in the logs (`"d_"`).
        partner: name of a player with `draws=True` that moves together with this one, from one
            backward pass through this one's networks; None: each moves by itself.
        joint: with a partner, `(batch, drawn) -> (own, partner's, factor)`: this player's
            `(answered, further, signals)`, which are the terms that the partner answers, a
            function that returns the other terms, and the signals; the partner's `(terms,
            signals)`; and the number (one, or one per example) by which the gradient of the
            answered terms to what was drawn gives that of the partner's loss.
        further: with a partner, `() -> bool`: whether there are other terms. Their gradients move
            this player alone and never reach what was drawn.
        growing: whether there are weights on which the loss does not depend yet, which stay.
        resting: `() -> bool`, read while the step is traced: whether it makes no move in the game's
            current stage. What its loss returns is logged all the same.
    """

    name: str
    networks: tuple
    loss: Callable
    steps: int = 1
    draws: bool = False
    prefix: str = ""
    partner: str | None = None
    joint: Callable | None = None
    further: Callable | None = None
    growing: bool = False
    resting: Callable[[], bool] = _never

    @property
    def variables(self) -> list[keras.Variable]:
        """The trainable variables it moves, each once."""
        each = {id(v): v for network in self.networks for v in network.trainable_variables}
        return list(each.values())
