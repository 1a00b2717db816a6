"""Models that the tests of the page explore."""

import ganzoo
from ganzoo import explore

HANGS = 600
"""Seconds after which the page is taken to hang, however busy the machine is."""


def entry(word):
    """The entry of weights of the catalogue."""
    name, _, tag = word.partition(".")
    code = f"ganzoo.get({name!r}, weights={tag!r})"
    return explore.Entry(lambda: ganzoo.get(name, weights=tag), code, name)


def explorer_of(*words):
    return explore.Explorer({word: entry(word) for word in words})


def tiny(name="dcgan", **config):
    """An explorer of one untrained model, under its own name."""
    config = {"image_shape": (8, 8, 1), "channels": 4, "seed": 0, **config}
    model = ganzoo.get(name, **config)
    return explore.Explorer({name: explore.Entry(lambda: model, "", name)}), model
