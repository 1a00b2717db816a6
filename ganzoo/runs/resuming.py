"""Resuming a run from its newest checkpoint."""

import warnings

from ganzoo import zoo


def resume(run, model, say):
    """`(epochs done, model)` of the newest undamaged checkpoint; `(0, None)` without any."""
    checkpoints = run.checkpoints
    damaged = []
    for epoch, path in reversed(checkpoints.by_epoch().items()):
        try:
            with warnings.catch_warnings():
                # Keras would go on with new weights, or a new state of the optimizer.
                warnings.filterwarnings("error", message="Skipping")
                network = zoo.resume(model, path)
        except Exception as error:
            say(f"{path} cannot be read ({type(error).__name__}); trying the one before.")
            damaged.append((path, error))
            continue
        for bad, _ in damaged:
            checkpoints.keep_damaged(bad)
        return epoch, network
    if damaged:  # starting again would overwrite the run
        raise ValueError(
            f"No checkpoint in {str(checkpoints.folder)!r} can be read: they are damaged, or of "
            "another version of ganzoo. Choose another folder with --out, or delete this one to "
            "start again."
        ) from damaged[0][1]
    return 0, None
