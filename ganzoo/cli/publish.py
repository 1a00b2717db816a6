"""`ganzoo publish` and `export`."""

import functools

import click

from ganzoo import zoo
from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import data_dir_option
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import tell
from ganzoo.cli.options import to_json
from ganzoo.cli.options import truncation_option
from ganzoo.cli.options import weights_option
from ganzoo.cli.startup import quiet_start
from ganzoo.cli.targets import trained


@main.command()
@click.argument("run", type=click.Path())
@click.option("--out", "-o", type=click.Path(), required=True, help="Folder to write.")
@click.option("--licence", help="Licence of the data. [default: that of a named data set]")
@data_dir_option
@click.option("--samples", "-n", default=10_000, show_default=True, help="To score; 0: none.")
@click.option("--repeats", default=1, show_default=True, help="Sets of samples, for error bars.")
@click.option("--extractor", help="mnist, efficientnet-lite0, inception, … [default: by the data]")
@imports
@as_json
@debug
def publish(run, out, as_json, **settings):
    """Make a RUN folder's model ready for others: weights, model card, scores, images.

    \b
    ganzoo publish runs/dcgan-digits -o dcgan-digits
    ganzoo sample dcgan --weights dcgan-digits
    """
    trained(run, None)  # raises an error that names the --import a model of your own needs
    from ganzoo.runs import publishing

    say = functools.partial(click.echo, err=as_json)
    facts = publishing.publish(run, out, say=say, **settings)
    if as_json:
        click.echo(to_json({"path": str(out), **facts}))


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@weights_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["savedmodel", "onnx", "litert", "safetensors"]),
    help="[default: by the ending of --out]",
)
@click.option("--function", help="For ONNX: from_latents, from_seed, translate, …")
@truncation_option
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    required=True,
    help=".onnx, .tflite or .safetensors; otherwise a folder.",
)
@imports
@as_json
@debug
def export(model, weights, form, out, as_json, **settings):
    """Write a MODEL in a format that runs without ganzoo. MODEL is a run folder, a file, name.tag,
    or a name with --weights.

    \b
    ganzoo export runs/dcgan-digits -o dcgan.onnx
    ganzoo export cgan.mnist -o digits.tflite
    ganzoo export cgan.mnist -o digits.onnx --function from_seed
    ganzoo export cgan.mnist -o digits --format savedmodel
    """
    model, source = trained(model, weights)
    network = zoo.get(model, weights=source, precision="float32")
    from ganzoo import export as exporting

    form, planned = exporting.plan(network, out, form=form, **settings)
    with quiet_start():
        path = exporting.write(network, out, form=form, **settings)
    functions = [name for name, _, _ in planned]
    line = f"{path}{': ' if planned else ''}{', '.join(functions)}"
    tell(as_json, line, path=str(path), format=form, functions=functions)
