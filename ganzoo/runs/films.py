"""Films of a run: how its samples changed."""

import pathlib

from ganzoo import images
from ganzoo import types
from ganzoo import validation
from ganzoo.files import atomic
from ganzoo.zoo import weights


def animate(out):
    """Make the animation of a run's grids, and return these, in the order of the epochs."""
    grids = list(weights.by_epoch(out / "samples", ".png").values())
    if grids:
        with atomic.replacing(out / "training.gif") as path:
            images.save_gif(grids, path)
    return grids


def film(folder: types.Path, path: types.Path, seconds: float = 6.0) -> pathlib.Path:
    """A run's samples over time as an MP4 or GIF file, by the path's ending. Returns the path.

    Raises:
        ValueError: the folder has no samples, or the ending is another.
        ImportError: an MP4 needs what is not installed.
    """
    folder, path = (pathlib.Path(p).expanduser() for p in (folder, path))
    grids = list(weights.by_epoch(folder / "samples", ".png").values())
    if not grids:
        raise ValueError(f"{str(folder)!r} is no run folder with samples in it.")
    validation.real("seconds", seconds, above=0)
    kinds = {".gif": images.save_gif, ".mp4": images.save_film}
    if path.suffix.lower() not in kinds:
        raise ValueError(f"A film ends in {' or '.join(kinds)}. Received: {str(path)!r}.")
    save = kinds[path.suffix.lower()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as half:
        save(grids, half, seconds)
    return path
