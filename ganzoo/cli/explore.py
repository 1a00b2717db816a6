"""`ganzoo explore`."""

import contextlib
import functools
import threading

import click

from ganzoo import zoo
from ganzoo.cli.group import USER_ERRORS
from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import tell
from ganzoo.cli.startup import load_framework
from ganzoo.cli.targets import trained
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder

BEST = "r3gan.portraits"
"""The weights that the page opens with, unless others are named."""


@main.command()
@click.argument("models", nargs=-1, shell_complete=completing(weights=True, models=False))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to serve on: this machine only, or 0.0.0.0 for all that can reach it.",
)
@click.option("--port", default=7860, show_default=True, help="0: any free port.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@imports
@as_json
@debug
def explore(models, host, port, open_browser, as_json):
    """Play with MODELS in a browser: run folders, files or name.tag. [default: all trained weights
    that come with ganzoo, and the runs in ./runs]

    \b
    ganzoo explore
    ganzoo explore runs/dcgan-digits r3gan.mnist --open
    """
    from ganzoo.zoo import catalogue

    load_framework()
    from ganzoo.explore import Entry
    from ganzoo.explore import launch

    def entry(word):
        name, source = trained(word, None)
        code = f"ganzoo.get({name!r}, weights={str(source)!r})"
        return Entry(functools.partial(zoo.get, name, weights=source), code, name)

    title = lambda word: texts.shown(texts.kept(word))
    entries = {title(word): entry(word) for word in models or _best_first(catalogue.rows())}
    for word in [] if models else map(str, RunFolder.usual_ones()):
        try:
            entries[title(word)] = entry(word)
        except USER_ERRORS as error:  # found in ./runs, not requested
            click.echo(f"{word} is left out: {error}", err=True)
    address = launch(entries, host=host, port=port, open_browser=open_browser, block=False)
    tell(as_json, f"{address}  (Ctrl-C ends it)", address=address, models=list(entries))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def _best_first(names):
    """The names of weights; the page opens with the first."""
    return sorted(names, key=lambda name: name != BEST)
