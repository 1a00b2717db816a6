"""Trained weights to start from: what they ask of a plan, and which classes they know."""

import keras
import numpy as np

from ganzoo import backend
from ganzoo import zoo
from ganzoo.zoo import catalogue
from ganzoo.zoo import classes
from ganzoo.zoo import owners
from ganzoo.zoo import weights

SAME_NETWORKS = {
    "augment",
    "augment_images",
    "augment_target",
    "beta_1",
    "beta_2",
    "discriminator_learning_rate",
    "discriminator_steps",
    "ema_decay",
    "ema_images",
    "epsilon",
    "flip",
    "freeze",
    "gamma",
    "jit_compile",
    "learning_rate",
    "precision",
    "schedule_images",
    "update",
}
"""Arguments that leave the networks as they are."""


def facts(survey, given):
    """The facts for `recipes.Facts` about trained weights to start from.

    Args:
        survey: of the images.
        given: the settings that are given: their `weights`, or, unless the other settings ask for
            other networks, some for such images that come with ganzoo.
    """
    if "weights" in given:
        model, config = owners.owner(given["weights"])
        start = {"model": model, "weights": given["weights"]}
        return {"start": start, "trained": _with_defaults(model, config), "asked": True}
    if "image_size" in given or given.get("arguments", {}).keys() - SAME_NETWORKS:
        return {}
    for name, row in catalogue.rows().items():
        if row.model == "r3gan" and row.url is None and row.config.get("num_classes") is None:
            if row.config["image_shape"][-1] == survey.channels:
                start = {"model": row.model, "weights": name.partition(".")[2]}
                return {"start": start, "trained": _with_defaults(row.model, row.config)}
    return {}


def _with_defaults(model, config):
    return {**zoo.model_class(model).arguments(), **config}


def arguments(settings):
    """The arguments that weights to start from were saved with; none without weights."""
    if settings.get("weights") is None:
        return {}
    path = weights.find(settings["weights"], settings["model"])
    return {} if path is None else weights.read(path)[1]


def continued(settings, network, ds):
    """Which classes of the weights those of the data continue, as an argument of `zoo.get`; says
    so, unless they are the same."""
    old = owners.class_names(settings.model, settings.weights)
    new = ds.class_names
    by_name = old is not None and new is not None and len(old) == network.num_classes
    if not by_name:
        old, new = ([str(i) for i in range(n)] for n in (network.num_classes, class_count(ds)))
    rows = classes.continued(old, new)
    if not by_name and ds.class_names:
        settings.say("The weights do not name their classes, which therefore continue by number.")
    if rows == list(range(len(old))):
        return {}
    settings.say(classes.sentence(old, new, rows))
    return {"from_classes": rows}


def class_count(ds):
    """Number of classes in a data set of `(images, labels)`."""
    if ds.class_names:
        return len(ds.class_names)
    return 1 + max(int(np.max(labels)) for _, labels in ds)


WARM_UP = 128
"""Training steps in which networks without trained weights learn alone."""


def check_frozen(network, source):
    """Raise a `ValueError` if layers without trained weights would stay as they are."""
    count = getattr(network, "freeze", 0)
    if count and "discriminator" in network.untrained:
        raise ValueError(
            f"The weights {str(source)!r} have no discriminator, and `freeze` is {count}: layers "
            "with random weights would never learn. Set it to 0 (--set freeze=0), or take weights "
            "with a discriminator, such as those of a run folder."
        )


def warm_up(model, ds, say, budget=None):
    """Let networks without trained weights learn alone for `WARM_UP` steps, if there are any: an
    untrained discriminator would undo what a trained generator knows. No checkpoint falls into
    these steps, and so a run that is interrupted begins them again.

    Args:
        model: a game.
        ds: its data set.
        say: called with a line of text.
        budget: a `TimeBudget`, whose end ends them; None: there is none.
    """
    new, model.untrained = model.untrained, ()
    if not new:
        return
    networks = [getattr(model, name) for name in new]
    alone = [p for p in model.players if any(network in p.networks for network in networks)]
    if all(player.resting() for player in alone):  # srgan's discriminator has a later start
        return
    say(f"In the first {WARM_UP} steps only the new {' and '.join(new)} will learn.")
    rates = {}
    for player in model.players:
        if player not in alone:
            rates[player.name] = float(model.optimizer[player.name].learning_rate)
            model.optimizer[player.name].learning_rate = 0.0
    watch = [] if budget is None else [_Until(budget)]
    model.fit(ds, steps_per_epoch=WARM_UP, verbose=0, callbacks=watch)
    for name, rate in rates.items():
        model.optimizer[name].learning_rate = rate


class _Until(keras.callbacks.Callback):
    """Ends the training when a time budget is used up."""

    def __init__(self, budget):
        super().__init__()
        self._budget = budget

    def on_train_batch_end(self, batch, logs=None):
        if backend.led(lambda: not self._budget.left):
            self.model.stop_training = True
