"""`ganzoo train`, `film` and `benchmark`."""

import os
import shlex
import sys
import time

import click
from click import core

from ganzoo.cli.group import main
from ganzoo.cli.options import IMPORTS
from ganzoo.cli.options import NAMES
from ganzoo.cli.options import as_json
from ganzoo.cli.options import cluster_option
from ganzoo.cli.options import completing
from ganzoo.cli.options import data_dir_option
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import is_data
from ganzoo.cli.options import must_be_a_model
from ganzoo.cli.options import parse_devices
from ganzoo.cli.options import parse_image_size
from ganzoo.cli.options import parse_settings
from ganzoo.cli.options import parse_value_range
from ganzoo.cli.options import set_option
from ganzoo.cli.options import skip_damaged_option
from ganzoo.cli.options import tell
from ganzoo.cli.options import to_json
from ganzoo.cli.startup import INTERRUPTED
from ganzoo.cli.startup import end
from ganzoo.cli.startup import load_framework
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder


@main.command()
@click.argument(
    "what", metavar="MODEL|IMAGES", required=False, shell_complete=completing(weights=True)
)
@click.option(
    "--weights",
    type=click.Path(),
    help="Weights to start from: name.tag, run folder, file, https:// or hf:// address; with a "
    "MODEL, also a tag.",
)
@click.option(
    "--data",
    default="digits",
    show_default=True,
    shell_complete=completing(*NAMES, models=False),
    help="A folder or zip of images, a .npy or .npz file, or a name: digits, mnist, …",
)
@click.option("--to", help="The second domain, for models such as pix2pix and cyclegan.")
@data_dir_option
@click.option("--epochs", default=60, show_default=True, help="Total number of epochs.")
@click.option(
    "--minutes",
    type=float,
    help="Total time, in place of --epochs; reading the data and the report belong to it.",
)
@click.option("--batch-size", default=64, show_default=True, help="Examples in a batch.")
@click.option(
    "--devices",
    default="1",
    show_default=True,
    metavar="N|all",
    help="Devices that share each batch; with --cluster, of each process.",
)
@cluster_option
@click.option(
    "--image-size",
    help="Resize images to this: 64, or 64x48. [default: as they are, or the size of --weights]",
)
@click.option("--sample-rate", type=int, help="For sounds: samples a second. [default: the usual]")
@click.option("--length", type=int, help="For sounds: samples in a clip. [default: most are whole]")
@click.option("--seed", default=0, show_default=True, help="Fixes all randomness.")
@set_option
@click.option("--out", "-o", type=click.Path(), help="Run folder. [default: runs/MODEL-DATA]")
@skip_damaged_option
@click.option(
    "--value-range",
    metavar="LOW,HIGH",
    help="Values that become black and white: 0,4095 for 12 bits in 16; 0,1 for masks.",
)
@click.option(
    "--checkpoint-seconds",
    default=15.0,
    show_default=True,
    help="Minimum time between two checkpoints; 0: at every epoch.",
)
@click.option(
    "--score-every",
    type=int,
    help="Epochs between two evaluations; 0: none. [default: 10; up to 20 for few images; none "
    "in less than 5 minutes]. The last epoch is always scored, and with --minutes the one after a "
    "sixth of them.",
)
@click.option("--tensorboard", is_flag=True, help="Write OUT/tensorboard for TensorBoard.")
@click.option(
    "--on-divergence",
    type=click.Choice(["stop", "rollback"]),
    default="stop",
    show_default=True,
    help="What to do when numbers become NaN or infinite: rollback goes on from the newest "
    "checkpoint with half the learning rates.",
)
@click.option("--dry-run", is_flag=True, help="Print what it would do, and train nothing.")
@imports
@as_json
@debug
def train(what, weights, data, out, dry_run, as_json, **options):
    """Train a MODEL, or one that suits your IMAGES and the time. After an interruption, the same
    command resumes it.

    \b
    ganzoo train IMAGES --minutes 60
    ganzoo train dcgan
    ganzoo train cgan --data mnist --epochs 10
    ganzoo train dcgan --data IMAGES --image-size 64 --set channels=32
    ganzoo train cyclegan --data APPLES --to ORANGES --image-size 64 --batch-size 4
    ganzoo train dcgan --data IMAGES --image-size 64 --batch-size 256 --devices all
    ganzoo train r3gan --data IMAGES --image-size 64 --minutes 60
    ganzoo train wavegan --data SOUNDS --sample-rate 8000 --length 8192

    With --weights, or a name.tag for MODEL, it starts from trained weights, on other data:

    \b
    ganzoo train IMAGES --minutes 15 --weights r3gan.portraits
    ganzoo train r3gan --weights portraits --data IMAGES --epochs 20
    ganzoo train dcgan --weights runs/dcgan-mnist --data fashion_mnist
    """
    from ganzoo.zoo import catalogue

    settings = {"since": time.monotonic(), **_given(options)}
    model, data = _model_and_data(what, data, settings, weights)
    if weights is None and model in catalogue.rows():
        model, _, weights = model.partition(".")
    if model is not None:  # before a framework is loaded
        must_be_a_model(
            model, "" if os.path.exists(model) else "There are no images of that name. "
        )

    def say(line):
        # `click.echo` would bypass the view that keeps lines of text above its live lines.
        texts.say(line, sys.stderr if as_json else sys.stdout)

    run = RunFolder(out) if out else RunFolder.usual(model, data)
    try:
        load_framework()
        from ganzoo import runs

        settings |= {
            "out": run,
            "weights": weights,
            "imports": click.get_current_context().meta.get(IMPORTS, ()),
            "say": say,
            "file": sys.stderr if as_json else None,
        }
        if dry_run:
            plan = runs.plan(data, model=model, **settings)
            click.echo(to_json(plan.facts()) if as_json else "\n".join(plan.lines()))
            return
        if model is None:
            runs.auto(data, **settings)
        else:
            runs.train(model, data, **settings)
    except KeyboardInterrupt:
        newest = run.checkpoints.newest
        hint = f"goes on after epoch {newest}" if newest else "begins again"
        click.echo(f"\nInterrupted. The same command {hint}.", err=True)
        end(INTERRUPTED)
    from ganzoo import backend

    if as_json and backend.first():
        from ganzoo.files import json_lines
        from ganzoo.runs import outlook

        rows, found = json_lines.read(run.metrics), outlook.of_run(run)
        facts = rows[-1] if rows else {}
        facts |= {"forecast": [] if found is None else found.facts()}
        click.echo(to_json({"run": str(run), **facts}))


def _model_and_data(what, data, settings, weights):
    """The model, or None to choose one, and the data; before a framework is loaded."""
    named = click.get_current_context().get_parameter_source("data")
    named = named is not core.ParameterSource.DEFAULT
    if what is not None and (named or not is_data(what)):
        if os.path.exists(what) and not named and "minutes" in settings:
            click.echo(f"{what!r} is the model. For the images of that name: ./{what}", err=True)
        return what, data
    if what is None and not named:
        raise click.UsageError("Name a MODEL, or your IMAGES.")
    images = data if what is None else what
    if RunFolder(images).config.exists():
        raise ValueError(f"{images!r} is a run, not images. {_going_on(RunFolder(images))}")
    if "minutes" not in settings and weights is not None:
        raise ValueError(
            "The settings for weights without a MODEL are chosen for your time: add --minutes 15, "
            f"or name the model: ganzoo train MODEL --weights {weights} --data {images}"
        )
    if "minutes" not in settings:
        raise ValueError(
            "Without a MODEL one is chosen for your images and your time: add --minutes 60, or "
            "name a MODEL (`ganzoo list` shows them) and its --data."
        )
    return None, images


def _going_on(run):
    """How to go on with a run, as a sentence."""
    try:
        config = run.read_config()
        begun, minutes, epochs = config["settings"], config.get("minutes"), config["epochs"]
        length = f"--minutes {2 * minutes:g}" if minutes else f"--epochs {2 * epochs}"
        words = ["ganzoo", "train", begun["model"], "--data", begun["data"], "--out", str(run)]
    except (OSError, ValueError, KeyError, TypeError):  # it is damaged
        return "Name your images."
    return (
        f"To go on with it, repeat its options and give it more time: {shlex.join(words)} {length}"
    )


PARSED = {
    "devices": ("devices", parse_devices),
    "image_size": ("image_size", parse_image_size),
    "pairs": ("arguments", parse_settings),
    "value_range": ("value_range", parse_value_range),
    "skip_damaged": ("on_error", lambda skip: "skip" if skip else "raise"),
}
"""For some options: their name as an argument of `runs.train`, and how they are parsed."""


def _given(options):
    """The arguments of `runs.train` that the command names; the others have the same defaults."""
    context, settings = click.get_current_context(), {}
    for option, value in options.items():
        if context.get_parameter_source(option) is not core.ParameterSource.DEFAULT:
            name, parse = PARSED.get(option, (option, lambda x: x))
            settings[name] = parse(value)
    return settings


@main.command()
@click.argument("model", shell_complete=completing())
@click.option("--image-size", default="28", show_default=True, help="64, or 64x48.")
@click.option("--channels", default=1, show_default=True, help="1 for grey, 3 for colour.")
@click.option("--batch-size", default=64, show_default=True, help="Examples in a batch.")
@click.option("--seconds", default=10.0, show_default=True, help="Duration of each measurement.")
@set_option
@imports
@as_json
@debug
def benchmark(model, image_size, channels, batch_size, seconds, pairs, as_json):
    """Measure how fast a MODEL of the zoo trains and samples on this machine, on images of noise.

    \b
    ganzoo benchmark dcgan
    ganzoo benchmark dcgan --image-size 64 --channels 3 --set precision=mixed_bfloat16
    """
    size, arguments = parse_image_size(image_size), parse_settings(pairs)
    size = size if isinstance(size, tuple) else (size, size)
    must_be_a_model(model)  # before a framework is loaded
    load_framework(keep_compiled=False)  # compiling is part of what is measured
    from ganzoo.evaluation import throughput

    shape = (*size, channels)
    speeds = throughput.measure(
        model, image_shape=shape, batch_size=batch_size, seconds=seconds, **arguments
    )
    if as_json:
        click.echo(to_json(speeds))
        return
    click.echo(
        f"{model}, {'×'.join(map(str, shape))}, batch {batch_size}, {speeds['precision']}, "
        f"{speeds['versions']['backend']}: {speeds['parameters']:,} parameters"
    )
    for what, first in (("training", "first_step"), ("sampling", "first_samples")):
        click.echo(
            f"{what}: {speeds[what]:,.0f} ± {speeds[what + '_spread']:,.0f} images per second; "
            f"the first after {speeds[first]:.1f} s"
        )


@main.command()
@click.argument("run", type=click.Path())
@click.option("--seconds", default=6.0, show_default=True, help="Approximate length.")
@click.option("--out", "-o", type=click.Path(), required=True, help="An .mp4 or .gif file.")
@as_json
@debug
def film(run, seconds, out, as_json):
    """Make a film of a RUN's samples, from the first epoch to the last.

    \b
    ganzoo film runs/dcgan-digits -o training.mp4
    """
    load_framework()
    from ganzoo import runs

    path = str(runs.film(run, out, seconds))
    tell(as_json, path, path=path)
