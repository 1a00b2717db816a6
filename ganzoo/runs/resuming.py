"""Where a run goes on from."""

import warnings

from ganzoo import zoo


def resume(run, model, say):
    """`(epochs done, model)` of the newest checkpoint that is whole; `(0, None)` without any."""
    checkpoints = run.checkpoints
    damaged = []
    for epoch, path in reversed(checkpoints.by_epoch().items()):
        try:
            with warnings.catch_warnings():
                # Keras would go on with fresh weights, or with an optimizer that has forgotten.
                warnings.filterwarnings("error", message="Skipping")
                network = zoo.resume(model, path)
        except Exception as error:
            say(f"{path} cannot be read ({type(error).__name__}); trying the one before.")
            damaged.append((path, error))
            continue
        for bad, _ in damaged:
            checkpoints.keep_damaged(bad)
        return epoch, network
    if damaged:  # beginning again would overwrite what the run has
        raise ValueError(
            f"No checkpoint in {str(checkpoints.folder)!r} can be read: they are damaged, or of "
            "another version of ganzoo. Choose another folder with --out, or delete this one to "
            "begin again."
        ) from damaged[0][1]
    return 0, None
