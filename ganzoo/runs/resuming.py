"""Resuming a run from its newest checkpoint."""

import warnings

from ganzoo import backend
from ganzoo import zoo


def resume(run, model, say):
    """`(epochs done, model)` of the newest undamaged checkpoint; `(0, None)` without any."""
    checkpoints = run.checkpoints
    damaged = []
    for epoch, name in backend.led(lambda: _newest_first(checkpoints)):
        path = checkpoints.folder / name
        visible = backend.gathered(path.is_file())  # to make a model, processes need each other
        if not all(visible):
            raise OSError(
                f"The first process can read {str(path)!r}, process {visible.index(0)} cannot: "
                "all need the run folder, on a file system that they share."
            )
        network, error = _read(model, path)
        if error is None:
            for bad, _ in damaged if backend.first() else ():
                checkpoints.keep_damaged(bad)
            return epoch, network
        say(f"{path} cannot be read ({type(error).__name__}); trying the one before.")
        damaged.append((path, error))
    if damaged:  # starting again would overwrite the run
        raise ValueError(
            f"No checkpoint in {str(checkpoints.folder)!r} can be read: they are damaged, or of "
            "another version of ganzoo. Choose another folder with --out, or delete this one to "
            "start again."
        ) from damaged[0][1]
    return 0, None


def _newest_first(checkpoints):
    return [(epoch, path.name) for epoch, path in reversed(checkpoints.by_epoch().items())]


def _read(model, path):
    """`(model, None)` of a checkpoint, or `(None, error)`."""
    try:
        with warnings.catch_warnings():
            # Keras would go on with new weights, or a new state of the optimizer.
            warnings.filterwarnings("error", message="Skipping")
            return zoo.resume(model, path), None
    except Exception as error:
        return None, error
