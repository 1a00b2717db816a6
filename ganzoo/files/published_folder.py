"""The files of a folder that `ganzoo publish` writes, or of a repository with the same content."""

import pathlib

from ganzoo import types
from ganzoo.files.run_folder import CONFIG
from ganzoo.files.run_folder import NEAREST
from ganzoo.files.run_folder import SCORES

TENSORS = "model.safetensors"
"""The weights, in a folder or in a repository."""


class PublishedFolder:
    """The files of one published model. Each property is a path, whether or not the file exists.

    Args:
        path: the folder; it need not exist. `~` is your home folder.

    Example:

    >>> PublishedFolder("dcgan-digits").tensors.name
    'model.safetensors'
    """

    def __init__(self, path: types.Path) -> None:
        self.path = pathlib.Path(path).expanduser()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def tensors(self) -> pathlib.Path:
        """The weights."""
        return self.path / TENSORS

    @property
    def config(self) -> pathlib.Path:
        """The facts about the weights, as JSON."""
        return self.path / CONFIG

    @property
    def card(self) -> pathlib.Path:
        """The model card."""
        return self.path / "README.md"

    @property
    def grid(self) -> pathlib.Path:
        """A grid of samples."""
        return self.path / "grid.png"

    @property
    def nearest(self) -> pathlib.Path:
        """Samples next to the nearest images of the data."""
        return self.path / NEAREST

    @property
    def scores(self) -> pathlib.Path:
        """The score sheet."""
        return self.path / SCORES

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """All files that `ganzoo publish` may write."""
        return self.card, self.config, self.grid, self.nearest, self.scores, self.tensors
