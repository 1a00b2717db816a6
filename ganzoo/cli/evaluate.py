"""`ganzoo evaluate`."""

import json
import pathlib

import click

from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import parse_value_range
from ganzoo.cli.targets import trained
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import of_epoch
from ganzoo.files.run_folder import sheet_of


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@click.option(
    "--weights",
    type=click.Path(),
    help="Of a registry name: a tag, file, folder, https:// or hf:// address.",
)
@click.option("--data", help="Pictures to compare with. [default: what the run trained on]")
@click.option(
    "--data-dir", type=click.Path(), help="Where TensorFlow Datasets finds or keeps its files."
)
@click.option("--skip-damaged", is_flag=True, help="Leave damaged pictures out, as the run did.")
@click.option(
    "--value-range",
    metavar="LOW,HIGH",
    help="Values that become black and white. [default: as the run did]",
)
@click.option("--samples", "-n", default=10_000, show_default=True, help="How many samples.")
@click.option("--repeats", default=3, show_default=True, help="Sets of samples, for error bars.")
@click.option("--metrics", help="Some only: frechet,recall,… [default: all that apply]")
@click.option("--extractor", help="digits, mnist, inception, pixels, … [default: by the data]")
@click.option("--seed", default=0, show_default=True, help="Of the samples.")
@click.option("--truncation", type=float, help="Cut latents off at this many deviations.")
@click.option("--batch-size", default=256, show_default=True, help="Samples made at once.")
@click.option(
    "--export",
    type=click.Path(),
    help="Folder for samples and data as PNG files, for other judges.",
)
@click.option(
    "--out", "-o", type=click.Path(), help="The score sheet. [default: scores.json in a run folder]"
)
@imports
@as_json
@debug
def evaluate(
    model,
    weights,
    data,
    data_dir,
    skip_damaged,
    value_range,
    export,
    out,
    as_json,
    debug,
    metrics,
    **settings,
):
    """Score a MODEL: a run folder, a file, name.tag, or a name with --weights.

    Of a run folder the last model is scored, and the best one if training kept it.

    \b
    ganzoo evaluate runs/dcgan-digits
    ganzoo evaluate runs/dcgan-mnist --samples 50000 -o sheet.json
    ganzoo evaluate model.keras --data PICTURES --extractor inception --export judges
    """
    name, source = trained(model, weights)
    from ganzoo import runs
    from ganzoo.zoo import catalogue

    row = catalogue.rows().get(f"{name}.{source}")
    place = pathlib.Path(source).expanduser()
    run = None if row else RunFolder(place)
    run = run if run and run.is_run else None
    best = run and run.checkpoints.best
    if run:  # one file: a training may add another meanwhile
        epoch, source = list(run.checkpoints.by_epoch().items())[-1]
        nearest = of_epoch(run.nearest, epoch)

    if metrics is not None:
        settings["metrics"] = [part.strip() for part in metrics.split(",")]
    if data is None:
        if not row and not place.is_dir():
            raise ValueError("Say with --data what to compare with: a name, a folder, a file.")
        known = {"data": row.data["name"]} if row else runs.data_of(place)
        data, settings = known.pop("data"), {**settings, **known}
    if skip_damaged:
        settings["on_error"] = "skip"
    if value_range is not None:
        settings["value_range"] = parse_value_range(value_range)
    found = runs.evaluate(
        {"last": (name, source), **({"best": (name, best)} if best and best.is_file() else {})},
        data,
        data_dir=data_dir,
        export=export,
        nearest=nearest if run else None,
        show=None if as_json else click.echo,
        **settings,
    )
    if run:
        last = run.is_last(epoch)
        if last and nearest.exists():
            nearest.replace(run.nearest)
        out = out or (run.scores if last else of_epoch(run.scores, epoch))
    if out is not None:
        out = pathlib.Path(out)
        for which, sheet in found.items():
            sheet.save(sheet_of(out, which))
    if as_json:
        click.echo(json.dumps({which: sheet.to_dict() for which, sheet in found.items()}))
    elif out is not None:
        click.echo(f"Score sheet: {out}")
    if run and last:  # otherwise the training writes its own at the end
        runs.write_report(run, lambda line: click.echo(line, err=True))
