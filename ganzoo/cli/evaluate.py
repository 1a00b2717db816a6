"""`ganzoo evaluate`."""

import json
import pathlib

import click

from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import data_dir_option
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import parse_value_range
from ganzoo.cli.options import truncation_option
from ganzoo.cli.options import value_range_option
from ganzoo.cli.options import weights_option
from ganzoo.cli.targets import trained
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import of_epoch
from ganzoo.files.run_folder import sheet_of


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@weights_option
@click.option("--data", help="Images to compare with. [default: the run's data]")
@data_dir_option
@click.option("--skip-damaged", is_flag=True, help="Leave damaged images out, as the run did.")
@value_range_option
@click.option("--samples", "-n", default=10_000, show_default=True, help="How many samples.")
@click.option("--repeats", default=3, show_default=True, help="Sets of samples, for error bars.")
@click.option("--metrics", help="Only these: frechet,recall,… [default: all that apply]")
@click.option(
    "--extractor", help="digits, efficientnet-lite0, inception, pixels, … [default: by the data]"
)
@click.option("--seed", default=0, show_default=True, help="Seed of the samples.")
@truncation_option
@click.option("--batch-size", default=256, show_default=True, help="Samples made at once.")
@click.option(
    "--export",
    type=click.Path(),
    help="Folder for samples and data as PNG files, for other evaluators.",
)
@click.option(
    "--out", "-o", type=click.Path(), help="The score sheet. [default: scores.json in a run folder]"
)
@imports
@as_json
@debug
def evaluate(model, weights, data, export, out, as_json, **options):
    """Score a MODEL: a run folder, a file, name.tag, or a name with --weights.

    For a run folder, this scores the last model, and the best one if training kept it. Translators
    of pairs, such as pix2pix, are scored in Python only, by ganzoo.evaluate.

    \b
    ganzoo evaluate runs/dcgan-digits
    ganzoo evaluate runs/dcgan-mnist --samples 50000 -o sheet.json
    ganzoo evaluate model.keras --data IMAGES --extractor inception --export judges
    """
    name, source = trained(model, weights)
    from ganzoo import runs
    from ganzoo.zoo import catalogue

    row = catalogue.rows().get(f"{name}.{source}")
    place = pathlib.Path(source).expanduser()
    run = _Newest(RunFolder(place)) if not row and RunFolder(place).is_run else None
    data, settings = _settings(data, row, place, **options)
    sheets = runs.evaluate(
        {key: (name, path) for key, path in (run.models() if run else {"last": source}).items()},
        data,
        export=export,
        nearest=run.nearest if run else None,
        show=None if as_json else click.echo,
        **settings,
    )
    last = run and run.folder.is_last(run.epoch)
    if run:
        if last and run.nearest.exists():
            run.nearest.replace(run.folder.nearest)
        scores = run.folder.scores
        out = out or (scores if last else of_epoch(scores, run.epoch))
    _report(sheets, out, as_json)
    if last:  # otherwise the training writes its own at the end
        runs.write_report(run.folder, lambda line: click.echo(line, err=True))


class _Newest:
    """The newest model of a run, looked up once: a training may add another meanwhile."""

    def __init__(self, folder):
        self.folder = folder
        self.epoch, self.file = list(folder.checkpoints.by_epoch().items())[-1]
        self.nearest = of_epoch(folder.nearest, self.epoch)

    def models(self):
        """The files to score."""
        best = self.folder.checkpoints.best
        return {"last": self.file, **({"best": best} if best.is_file() else {})}


def _settings(data, row, place, metrics, skip_damaged, value_range, **settings):
    """The data to compare with, and the keyword arguments of `runs.evaluate`.

    Args:
        data: `--data`; None: what the model was trained on.
        row: the catalogue's entry for weights that come with ganzoo; None for others.
        place: path of the weights.
        metrics, skip_damaged, value_range: options as they were typed.
        **settings: options that need no parsing.
    """
    from ganzoo import runs

    if metrics is not None:
        settings["metrics"] = [part.strip() for part in metrics.split(",")]
    if data is None:
        if not row and not place.is_dir():
            raise ValueError("Give the data to compare with by --data: a name, a folder, a file.")
        trained_on = {"data": row.data["name"]} if row else runs.data_of(place)
        data, settings = trained_on.pop("data"), {**settings, **trained_on}
    if skip_damaged:
        settings["on_error"] = "skip"
    if value_range is not None:
        settings["value_range"] = parse_value_range(value_range)
    return data, settings


def _report(sheets, out, as_json):
    """Save the last model's score sheet at `out` and the others next to it, and print them."""
    if out is not None:
        for which, sheet in sheets.items():
            sheet.save(sheet_of(pathlib.Path(out), which))
    if as_json:
        click.echo(json.dumps({which: sheet.to_dict() for which, sheet in sheets.items()}))
    elif out is not None:
        click.echo(f"Score sheet: {out}")
