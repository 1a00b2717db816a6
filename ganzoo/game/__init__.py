"""Games: players, each with a loss of its own, and the training step they share."""

from ganzoo.game.game import Game as Game
from ganzoo.game.logs import Untracked as Untracked
from ganzoo.game.player import Player as Player
