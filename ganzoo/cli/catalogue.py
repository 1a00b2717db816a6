"""`ganzoo list`, `info` and `completion`."""

import dataclasses
import json

import click

from ganzoo import validation
from ganzoo import zoo
from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.startup import load_framework


@main.command("list")
@click.argument("pattern", default="*")
@click.option("--weights", is_flag=True, help="List trained weights instead.")
@click.option(
    "--can",
    type=click.Choice(["generate", "encode", "reconstruct", "translate", "upscale"]),
    help="Only models that can do this.",
)
@imports
@as_json
@debug
def list_command(pattern, weights, can, as_json):
    """List the models. PATTERN may have wildcards: 'ganzoo list "*gan"'."""
    if can:
        load_framework()
    names = zoo.list_models(pattern, weights=weights, can=can)
    if not names:
        raise ValueError(f"No model matches {pattern!r}. `ganzoo list` shows them all.")
    if as_json:
        click.echo(json.dumps(names))
    elif weights:
        _print_weights(names)
    else:
        for name in names:
            click.echo(f"{name:12} {zoo.describe(name)['summary']}")


def _print_weights(names):
    """Print one line per set of weights, in groups whose scores can be compared."""
    from ganzoo.zoo import catalogue

    rows = catalogue.rows()
    groups = catalogue.grouped({name: rows[name] for name in names})
    if len(groups) > 1:
        click.echo(
            "Compare Fréchet distances within a group only: between groups, the data, extractor "
            "or number of samples differ.\n"
        )
    for title, members in groups.items():
        click.echo(title.replace("`", ""))
        for name, row in members.items():
            value = row.frechet[0] if row.frechet else ""
            facts = f"{value:>8}  {row.classes:10}  {row.size / 1e6:5.1f} MB"
            click.echo(f"    {name:24} {facts}  {', '.join(row.remarks)}".rstrip())
    remarks = dict.fromkeys(word for name in names for word in rows[name].remarks)
    if remarks:
        click.echo(f"\n`ganzoo info NAME` explains {', '.join(remarks)}.")


@main.command()
@click.argument("model", required=False, shell_complete=completing(weights=True))
@click.option("--device", is_flag=True, help="Describe what computes here, and its precision.")
@imports
@as_json
@debug
def info(model, device, as_json):
    """Describe a MODEL: its paper, its arguments, its departures from the paper; or trained
    weights: what they are, what they score, and the command that makes them.

    \b
    ganzoo info dcgan
    ganzoo info dcgan.fashion_mnist
    ganzoo info --device
    """
    from ganzoo.zoo import catalogue

    if device == bool(model):
        raise ValueError("Name a MODEL, or give --device, one of the two.")
    if device:
        _print_device(as_json)
        return
    rows = catalogue.rows()
    if model in rows:
        row = rows[model]
        facts = {**dataclasses.asdict(row), "remarks": row.remarks}
        click.echo(json.dumps(facts) if as_json else row.describe())
        return
    if "." in model:
        raise validation.unknown("weights", model, rows)
    facts = zoo.describe(model)
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(facts["doc"] + "\n\nArguments and defaults (--set key=value):")
    for name, default in facts["arguments"].items():
        click.echo(f"    {name} = {default!r}")


def _print_device(as_json):
    """Print what computes, with which framework, and the precision that it trains in."""
    load_framework()
    from ganzoo import backend
    from ganzoo.game import precision

    choice, versions = precision.best(), backend.versions()
    facts = {
        "device": backend.device(),
        "devices": backend.devices(),
        "versions": versions,
        **dataclasses.asdict(choice),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    framework = versions["backend"]
    click.echo(f"{facts['device']}, {framework} {versions[framework]}")
    click.echo(f"for --devices: {', '.join(facts['devices'])}")
    click.echo(f"precision='auto' is {choice.policy}: {choice.reason}")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell):
    """Print the script that makes a SHELL complete ganzoo's commands.

    \b
    ganzoo completion bash >> ~/.bashrc
    ganzoo completion zsh >> ~/.zshrc
    ganzoo completion fish > ~/.config/fish/completions/ganzoo.fish
    """
    from click import shell_completion

    kind = shell_completion.get_completion_class(shell)
    click.echo(kind(main, {}, "ganzoo", "_GANZOO_COMPLETE").source())
