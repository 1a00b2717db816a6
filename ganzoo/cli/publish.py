"""`ganzoo publish` and `export`."""

import functools
import shlex

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
from ganzoo.cli.targets import word_for


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
    type=click.Choice(["savedmodel", "onnx", "litert", "safetensors", "web"]),
    help="[default: by the ending of --out]",
)
@click.option("--function", help="For ONNX: from_latents, from_seed, translate, …")
@truncation_option
@click.option(
    "--runtime",
    type=click.Path(),
    help="For web: what `npm pack onnxruntime-web` wrote. [default: a download, kept in the cache]",
)
@click.option(
    "--examples",
    metavar="IMAGES",
    type=click.Path(),
    help="For web: images to translate, a folder, zip or file. [default: drawings]",
)
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
def export(model, weights, form, out, as_json, runtime, examples, **settings):
    """Write a MODEL in a format that runs without ganzoo. MODEL is a run folder, a file, name.tag,
    or a name with --weights.

    \b
    ganzoo export runs/dcgan-digits -o dcgan.onnx
    ganzoo export cgan.mnist -o digits.tflite
    ganzoo export cgan.mnist -o digits.onnx --function from_seed
    ganzoo export cgan.mnist -o digits --format savedmodel
    ganzoo export r3gan.mnist -o page --format web
    """
    if form == "web" and settings["function"] is not None:
        raise ValueError("A page needs all of its functions: leave out --function.")
    if form != "web" and (runtime, examples) != (None, None):
        raise ValueError("--runtime and --examples are for pages: add --format web.")
    model, source = trained(model, weights)
    network = zoo.get(model, weights=source, precision="float32")
    from ganzoo import export as exporting
    from ganzoo import web

    if form == "web":
        with quiet_start():
            path = web.write(
                network,
                out,
                name=word_for(model, source),
                truncation=settings["truncation"],
                examples=examples,
                runtime=runtime,
            )
        size = path.stat().st_size
        line = f"{path}: {size / 1e6:.1f} MB. {_how_to_open(path)}"
        tell(as_json, line, path=str(path), format=form, bytes=size)
        return
    form, planned = exporting.plan(network, out, form=form, **settings)
    with quiet_start():
        path = exporting.write(network, out, form=form, **settings)
    functions = [name for name, _, _ in planned]
    line = f"{path}{': ' if planned else ''}{', '.join(functions)}"
    tell(as_json, line, path=str(path), format=form, functions=functions)


def _how_to_open(page):
    if not (page.parent / "runtime").is_dir():
        return "Open it in a browser; it needs no other file and no network."
    return f"Serve its folder: `python -m http.server -d {shlex.quote(str(page.parent))}`."
