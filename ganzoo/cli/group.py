"""The command `ganzoo`, and how it reports errors."""

import sys
import traceback
import warnings

import click

from ganzoo import version
from ganzoo.cli.startup import INTERRUPTED
from ganzoo.cli.startup import end
from ganzoo.cli.startup import trains_with_others
from ganzoo.files import texts

USER_ERRORS = (ValueError, TypeError, OSError, ImportError, FloatingPointError)


class _Main(click.Group):
    """Turns user errors into one line; `--debug` shows where they come from."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            end(INTERRUPTED)

    def main(self, args=None, **kwargs):
        words = sys.argv[1:] if args is None else list(args)
        if args is None:  # these streams are ours
            texts.open_up(sys.stdout, sys.stderr)
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn
                return super().main(args=words, **kwargs)
        except Exception as error:
            if isinstance(error, USER_ERRORS) and "--debug" not in words:
                click.secho(f"Error: {error}", err=True, fg="red")
            elif trains_with_others():
                traceback.print_exc()  # Python would wait for the others before it ends
            else:
                raise
            end(1)


def _warn(message, category, filename, lineno, file=None, line=None):
    """Print a warning as one line, without the line of code."""
    click.secho(f"Warning: {message}", err=True, fg="yellow")


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version.__version__, prog_name="ganzoo")
def main():
    """The GAN zoo for Keras 3.

    \b
    ganzoo list
    ganzoo train dcgan
    ganzoo train dcgan --data IMAGES --image-size 64 --epochs 100
    ganzoo sample runs/dcgan-digits -n 100 -o grid.png
    """
