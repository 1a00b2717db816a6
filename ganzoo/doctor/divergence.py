"""Finds where in a model NaN or infinity arose."""

import math

from keras import ops

from ganzoo import backend
from ganzoo.game.step import losses_of

# What is not finite -------------------------------------------------------------------------------


def finite(value):
    return not isinstance(value, float) or math.isfinite(value)


def not_finite_weights(model):
    """`{player: text}`: the networks and optimizers that hold NaN or infinity, and in how many
    arrays."""
    texts = {}
    for player in model.players:
        groups = {network.name: network.weights for network in player.networks}
        groups[f"optimizer of the {player.name}"] = model.optimizer[player.name].variables
        for name, arrays in groups.items():
            bad = [a for a in arrays if not bool(ops.all(ops.isfinite(a)))]
            if bad:
                text = f"{name} ({len(bad)} of {len(arrays)}: {bad[0].path}, …)"
                texts[player.name] = (
                    f"{texts[player.name]}; {text}" if player.name in texts else text
                )
    return texts


def culprit(model, logs, weights, at_once):
    """The player whose move caused NaN or infinity, from the logs of the first such step.

    Args:
        model: the game.
        logs: logs of that step.
        weights: see `not_finite_weights`.
        at_once: whether the weights are still those right after that step.

    Returns:
        `(player, what happened, advice or None)`
    """
    terms = backend.trace(
        lambda batch: {p.name: losses_of(p, batch, model.draw(batch))[0] for p in model.players},
        model.batch_spec(8),
    )
    for i, player in enumerate(model.players):
        logged = {
            term: player.prefix + (term if len(terms[player.name]) > 1 else "loss")
            for term in terms[player.name]
        }
        bad = {term: log for term, log in logged.items() if not finite(logs.get(log, 0.0))}
        if bad:
            # Players move in order; each faces those that have moved in this step.
            before = [p for p in model.players[:i] if at_once and p.name in weights]
            return _cause(model, logs, player, before, bad, len(bad) < len(logged))
    names = listed(name for name, value in logs.items() if not finite(value))
    return model.players[0], f"{names} became NaN or infinite", None


def _cause(model, logs, player, before, bad, some):
    """The result of `culprit` for a player with terms that are NaN or infinite.

    Args:
        model, logs: see `culprit`.
        player: the first whose loss was not finite.
        before: players that moved before it, whose weights are no longer finite.
        bad: `{term: its log}` of the terms that were not finite.
        some: whether other terms were finite.
    """
    values = listed(f"{log} became {logs[log]}" for log in bad.values())
    drawing = [p for p in model.players if p.draws]
    if drawing and finite(logs.get("d_real", 0.0)) and not finite(logs.get("d_fake", 0.0)):
        what = (
            f"{values} because the samples were not finite, while the outputs for real "
            "examples were"
        )
        return drawing[0], what, None
    if before:
        what = (
            f"{values} after a move of the {before[0].name}, whose loss was finite and whose "
            "gradient was not"
        )
        return before[0], what, None
    terms = listed(map(repr, bad))
    mend = (
        f"fix the term {terms}: the others are finite. A root or a logarithm needs an epsilon "
        "inside."
    )
    what = f"{values}: the term {terms} of the {player.name}'s loss"
    return player, what, mend if some else None


def listed(names):
    return ", ".join(names)
