"""`ganzoo compare`."""

import json
import shutil
import sys

import click

from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.startup import load_framework


@main.command()
@click.argument("runs", nargs=-1, shell_complete=completing(weights=True, models=False))
@click.option("--metrics", help="Scores in the table: frechet,recall,… [default: the usual ones]")
@click.option("--best", is_flag=True, help="Compare the best models, not the last ones.")
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    default="comparison.html",
    show_default=True,
    help="The page, or a folder for it.",
)
@click.option("--markdown", is_flag=True, help="Print the table in Markdown.")
@click.option("--latex", is_flag=True, help="Print the table in LaTeX, for booktabs.")
@imports
@as_json
@debug
def compare(runs, metrics, best, out, markdown, latex, as_json):
    """Compare RUNS: their scores, curves and samples, in a table and on a page. Runs that differ
    in nothing but the seed are one row. Names of trained weights, such as r3gan.mnist, also count.

    \b
    ganzoo compare runs/*
    ganzoo compare runs/small-0 runs/small-1 runs/large-0 runs/large-1 -o page.html
    ganzoo compare runs/dcgan-mnist r3gan.mnist --metrics frechet,recall --latex
    """
    if markdown + latex + as_json > 1:
        raise click.UsageError("Choose one of --markdown, --latex and --json.")
    load_framework()
    from ganzoo.runs import comparison
    from ganzoo.runs.comparison import comparing

    comparing.place(out)  # a wrong one fails before anything is read
    wanted = None if metrics is None else [word.strip() for word in metrics.split(",")]
    found = comparison.compare(runs, metrics=wanted, best=best)
    path = str(found.save(out))
    if as_json:
        click.echo(json.dumps({"path": path, **found.to_dict()}, allow_nan=False))
        return
    if markdown or latex:
        click.echo(found.to_markdown() if markdown else found.to_latex())
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(found.to_text(width))
    click.echo(f"Page: {path}", err=markdown or latex)
