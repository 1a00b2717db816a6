"""The training step, written once: players draw, and move in turn, each minimising its own loss."""

import functools
import operator

import keras
from keras import ops

from ganzoo import backend
from ganzoo.game.logs import in_float32
from ganzoo.game.logs import log_items


def play(game, data):
    """One training step on `turns` batches, one after the other along the first axis."""
    logs, images = [], images_read(data)
    if game.schedule is not None:
        game.schedule.follow(game, images)
    for turn, part in enumerate(split(data, game.turns)):
        batch = game.prepare(part)
        movers = [p for p in game.players if turn >= game.turns - p.steps]
        drawing = {id(v): v for p in movers if p.draws for v in p.variables}
        if drawing:
            drawn, pullback = backend.record(
                functools.partial(game.draw, batch), list(drawing.values()), game.variables
            )
        else:
            drawn, pullback = game.draw(batch), None
        by_name = {player.name: player for player in movers}
        while by_name:
            player = by_name.pop(next(iter(by_name)))
            if player.resting():  # its partner then moves by itself
                logs += log_items(player, *losses_of(player, batch, drawn))
                continue
            partner = by_name.pop(player.partner, None)
            if partner is None:
                logs += move(game, player, batch, drawn, pullback if player.draws else None)
            else:
                logs += move_together(game, player, partner, batch, drawn, pullback)
    game.averages.follow(images)
    game.step.assign_add(1)
    return game.track(logs)


def judge(game, data):
    """The players' losses on one batch, with no move made."""
    batch = game.prepare(data)
    drawn = game.draw(batch)
    logs = []
    for player in game.players:
        logs += log_items(player, *losses_of(player, batch, drawn))
    return logs


def images_read(data):
    """Number of examples in the data of a step, on all devices together, in float32."""
    # Where the batches of a data set may differ, it is a tensor of whole numbers.
    return ops.cast(ops.shape(keras.tree.flatten(data)[0])[0] * backend.replicas(), "float32")


def split(data, turns):
    """The batches of a step, one for each turn."""
    if turns == 1:
        return [data]
    parts = keras.tree.map_structure(lambda x: ops.split(x, turns), data)
    return [
        keras.tree.map_structure_up_to(data, operator.itemgetter(turn), parts)
        for turn in range(turns)
    ]


def losses_of(player, batch, drawn):
    """A player's `(terms, signals)`, with the terms of `all_terms`."""
    terms, signals = player.loss(batch, drawn)
    return all_terms(player, terms), signals


def all_terms(player, terms):
    """A player's terms in float32, with that of its regularizers."""
    regularizers = [v.regularizer(v) for v in player.variables if v.regularizer is not None]
    if regularizers:
        terms = {**terms, "regularization": sum(regularizers)}
    return in_float32(terms)


def move(game, player, batch, drawn, pullback):
    """One player's move by its gradient, directly and through what was drawn; what it logs."""
    variables = player.variables
    scale = game.optimizer[player.name].scale_loss(ops.ones(()))

    def loss(drawn=drawn):
        terms, signals = losses_of(player, batch, drawn)
        return sum(terms.values()) * scale, (terms, signals)

    (_, (terms, signals)), gradients, cotangents = backend.value_and_grad(
        loss, variables, drawn if pullback else None, game.variables
    )
    if pullback:
        through = pullback(cotangents, variables)
        gradients = [_sum(g, t) for g, t in zip(gradients, through)]
    _apply(game, player, gradients)
    return log_items(player, terms, signals)


def move_together(game, player, partner, batch, drawn, pullback):
    """Two players' moves from one backward pass; both face the other as it was before."""
    optimizers = [game.optimizer[p.name] for p in (player, partner)]
    scale, partner_scale = (o.scale_loss(ops.ones(())) for o in optimizers)

    def loss(drawn):
        (terms, further, signals), answer, factor = player.joint(batch, drawn)
        terms = all_terms(player, terms)
        return sum(terms.values()) * scale, (terms, further, signals, answer, factor)

    def further_loss(outputs):
        terms, further, *rest = outputs
        more = in_float32(further())
        return sum(more.values()) * scale, ({**terms, **more}, None, *rest)

    (_, (terms, _, signals, answer, factor)), gradients, cotangents = backend.value_and_grad(
        loss, player.variables, drawn, game.variables, further_loss if player.further() else None
    )
    factor = ops.cast(factor, "float32") * (partner_scale / scale)
    through = pullback([_times(c, factor) for c in cotangents], partner.variables)
    _apply(game, player, gradients)
    _apply(game, partner, through)
    return log_items(player, terms, signals) + log_items(partner, *answer)


def _apply(game, player, gradients):
    """Have a player's optimizer move its variables."""
    variables = player.variables
    idle = [v.path for v, g in zip(variables, gradients) if g is None]
    if player.growing:
        # Adam leaves alone what has never had a gradient.
        gradients = [
            ops.zeros_like(v.value) if g is None else g for v, g in zip(variables, gradients)
        ]
    elif idle:
        raise ValueError(
            f"The loss of player {player.name!r} does not depend on {', '.join(idle)}. Leave "
            "these networks out of the player, or set `draws=True` if they run in `draw`."
        )
    optimizer = game.optimizer[player.name]
    moves = optimizer.iterations + 1
    backend.apply(optimizer, gradients, variables)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        # It does not count a step that overflows: a schedule would fall behind other players'.
        optimizer.iterations.assign(moves)


def _times(cotangent, factor):
    """A gradient times one number, or times one number per example."""
    if cotangent is None:
        return None
    shape = (-1,) + (1,) * (len(cotangent.shape) - 1) if len(factor.shape) else ()
    return cotangent * ops.cast(ops.reshape(factor, shape), cotangent.dtype)


def _sum(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b
