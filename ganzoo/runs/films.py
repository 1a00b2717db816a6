"""Films of how a run's samples change."""

import pathlib

from ganzoo import images
from ganzoo import types
from ganzoo import validation
from ganzoo.files import atomic
from ganzoo.files.run_folder import RunFolder


def animate(run):
    """Write the animation of a run's grids. Returns the grids' paths in the order of epochs."""
    grids = list(run.samples.by_epoch().values())
    if grids:
        with atomic.replacing(run.animation) as path:
            images.save_gif(grids, path)
    return grids


def film(folder: types.Path, path: types.Path, seconds: float = 6.0) -> pathlib.Path:
    """Write a run's samples over time as an MP4 or GIF file, by the path's ending.

    Returns:
        The path.

    Raises:
        ValueError: the folder has no samples, or the ending is another.
        ImportError: a package that an MP4 needs is not installed.
    """
    run, path = RunFolder(folder), pathlib.Path(path).expanduser()
    grids = list(run.samples.by_epoch().values())
    if not grids:
        raise ValueError(f"{str(run)!r} is not a run folder with samples.")
    validation.real("seconds", seconds, above=0)
    kinds = {".gif": images.save_gif, ".mp4": images.save_film}
    if path.suffix.lower() not in kinds:
        raise ValueError(f"A film ends in {' or '.join(kinds)}. Received: {str(path)!r}.")
    save = kinds[path.suffix.lower()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as half:
        save(grids, half, seconds)
    return path
