"""Where a run goes on from."""

import warnings

from ganzoo import zoo
from ganzoo.zoo import weights


def newest_epoch(out):
    """The epoch of the newest checkpoint, 0 without any."""
    return max(weights.by_epoch(out / "checkpoints", ".keras"), default=0)


def resume(out, model, say):
    """`(epochs done, model)` of the newest checkpoint that is whole; `(0, None)` without any."""
    found = weights.by_epoch(out / "checkpoints", ".keras")
    damaged = []
    for epoch, path in reversed(found.items()):
        try:
            with warnings.catch_warnings():
                # Keras would go on with fresh weights, or with an optimizer that has forgotten.
                warnings.filterwarnings("error", message="Skipping")
                network = zoo.resume(model, path)
        except Exception as error:
            say(f"{path} cannot be read ({type(error).__name__}); trying the one before.")
            damaged.append((path, error))
            continue
        for bad, _ in damaged:  # out of the way of later runs, but kept
            bad.rename(bad.with_name(f"{bad.name}.damaged"))
        return epoch, network
    if damaged:  # beginning again would overwrite what the run has
        raise ValueError(
            f"No checkpoint in {str(out / 'checkpoints')!r} can be read: they are damaged, or of "
            "another version of ganzoo. Choose another folder with --out, or delete this one to "
            "begin again."
        ) from damaged[0][1]
    return 0, None


def set_aside(out, done):
    """Rename what is known of the model that the training goes on from: it is of so many epochs."""
    for path in (out / "scores.json", out / "scores-best.json", out / "nearest.png"):
        if path.exists():
            path.replace(path.with_name(f"{path.stem}-epoch-{done:04d}{path.suffix}"))
