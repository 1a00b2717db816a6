"""The command line: `ganzoo train`, `sample`, `evaluate` and the others."""

from ganzoo.cli import catalogue  # noqa: F401
from ganzoo.cli import compare  # noqa: F401
from ganzoo.cli import evaluate  # noqa: F401
from ganzoo.cli import explore  # noqa: F401
from ganzoo.cli import publish  # noqa: F401
from ganzoo.cli import sample  # noqa: F401
from ganzoo.cli import train  # noqa: F401
from ganzoo.cli import upscale  # noqa: F401
from ganzoo.cli.group import main as main
