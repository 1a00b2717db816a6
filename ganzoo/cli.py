"""The command line: a thin layer over the Python calls, quick to start."""

import ast
import atexit
import contextlib
import dataclasses
import functools
import gc
import json
import os
import pathlib
import shlex
import signal
import sys
import tempfile
import threading
import warnings

import click

from ganzoo import checks
from ganzoo import texts
from ganzoo import version
from ganzoo import zoo

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

_USER_ERRORS = (ValueError, TypeError, OSError, ImportError, FloatingPointError)


class _Main(click.Group):
    """Turns user errors into one line; `--debug` shows where they come from."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            sys.exit(INTERRUPTED)

    def main(self, args=None, **kwargs):
        words = sys.argv[1:] if args is None else list(args)
        if args is None:  # these streams are ours
            texts.open_up(sys.stdout, sys.stderr)
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn
                return super().main(args=words, **kwargs)
        except _USER_ERRORS as error:
            if "--debug" in words:
                raise
            click.secho(f"Error: {error}", err=True, fg="red")
            sys.exit(1)


def _warn(message, category, filename, lineno, file=None, line=None):
    """One line, without those of the code."""
    click.secho(f"Warning: {message}", err=True, fg="yellow")


@contextlib.contextmanager
def _quiet_start():
    """Keep what TensorFlow's libraries print while they load out of the terminal.

    They write to the file descriptor, whatever Python's logging says. If loading fails, all of
    it is shown.
    """
    try:
        saved = os.dup(2)
    except OSError:  # it is closed, so nothing is printed anyway
        yield
        return

    def leave(*_):
        os.write(saved, b"\nInterrupted.\n")
        os._exit(INTERRUPTED)

    with tempfile.TemporaryFile() as kept, _on_interrupt(leave):
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            kept.seek(0)
            click.echo(kept.read().decode(errors="replace"), nl=False, err=True)
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def _on_interrupt(handler):
    """Ctrl-C calls a handler meanwhile. `KeyboardInterrupt` would be lost in some of the libraries'
    imports, and the command would go on."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # whoever runs this in the background ignores Ctrl-C, and may go on doing so
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _little_garbage():
    """Do not look for garbage among the many objects that a framework's import makes and keeps,
    neither meanwhile nor at the end of the command: that is a third of a short command's time."""
    if "keras" in sys.modules:  # whose program this is does not end with the command
        yield
        return
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _load_framework(keep_compiled=True):
    with _quiet_start(), _little_garbage():
        import keras

        from ganzoo import backend
        from ganzoo import gan  # noqa: F401

        if keep_compiled:
            from ganzoo import downloads

            backend.keep_compiled(downloads.folder() / "compiled")
        # The first operation looks for devices, which also talks.
        keras.ops.convert_to_numpy(keras.ops.zeros(()))


def _settings(pairs):
    """`key=value` words as a dict; values are Python literals, or else strings."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--set takes key=value. Received: {pair!r}.")
        try:
            settings[key.strip()] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[key.strip()] = value
    return settings


def _image_size(text):
    if text is None:
        return None
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(p.isdigit() for p in parts):
        raise ValueError(f"--image-size takes 64 or 64x48 (height x width). Received: {text!r}.")
    size = [int(p) for p in parts]
    return size[0] if len(size) == 1 else tuple(size)


def _value_range(text):
    """`LOW,HIGH` as two numbers, or None."""
    try:
        return None if text is None else tuple(float(x) for x in text.split(","))
    except ValueError:
        raise ValueError(
            "--value-range takes the values that become black and white, such as 0,4095. Received: "
            f"{text!r}."
        ) from None


def _names(*others, weights=False, models=True):
    """Completes names of the catalogue, and others; what is none of them, as a file."""

    def complete(context, parameter, begun):
        from click import shell_completion

        found = zoo.list_models() if models else []
        found = [*others, *found, *(zoo.list_models(weights=True) if weights else [])]
        items = [shell_completion.CompletionItem(n) for n in found if n.startswith(begun)]
        return items or [shell_completion.CompletionItem(begun, type="file")]

    return complete


debug = click.option("--debug", is_flag=True, help="Show where an error comes from.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _imported(context, parameter, words):
    """Make known the models in modules that were named; nothing is imported to complete a word."""
    if not words or context.resilient_parsing:
        return
    _load_framework(keep_compiled=context.info_name != "benchmark")
    from ganzoo import extensions

    words = list(dict.fromkeys(words))
    for word in words:
        extensions.load(word)
    context.meta[IMPORTS] = words


IMPORTS = f"{__name__}.imports"
"""Where click's context keeps what was given with `--import`."""

imports = click.option(
    "--import",
    multiple=True,
    expose_value=False,
    callback=_imported,
    metavar="FILE|MODULE",
    help="Python with a model of yours, registered by @ganzoo.register: my_gan.py.",
)


def _must_be_a_model(name):
    """Raise a `ValueError` unless there is a model of that name."""
    if name not in zoo.list_models():
        raise ValueError(
            f"{checks.unknown('model', name, zoo.list_models())} One of your own is made known by "
            "--import FILE.py."
        )


def _tell(as_json, line, **found):
    """Say what a command has done, to people or to programs."""
    click.echo(_json(found) if as_json else line)


def _json(found):
    """One line; an infinite number is the text "inf", as in a score sheet."""
    strict = {key: checks.known_to_json(value) for key, value in found.items()}
    return json.dumps(strict, allow_nan=False)


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version.__version__, prog_name="ganzoo")
def main():
    """The GAN zoo for Keras 3.

    \b
    ganzoo list
    ganzoo train dcgan
    ganzoo train dcgan --data PICTURES --image-size 64 --epochs 100
    ganzoo sample runs/dcgan-digits -n 100 -o grid.png
    """


@main.command("list")
@click.argument("pattern", default="*")
@click.option("--weights", is_flag=True, help="List trained weights instead.")
@click.option(
    "--can",
    type=click.Choice(["generate", "encode", "reconstruct", "translate"]),
    help="Only those that can.",
)
@imports
@as_json
@debug
def list_command(pattern, weights, can, as_json, debug):
    """List the models. PATTERN may have wildcards: 'ganzoo list "*gan"'."""
    if can:
        _load_framework()
    names = zoo.list_models(pattern, weights=weights, can=can)
    if not names:
        raise ValueError(f"None is like {pattern!r}. `ganzoo list` has all.")
    if as_json:
        click.echo(json.dumps(names))
    elif weights:
        from ganzoo import catalogue

        rows = catalogue.rows()
        groups = catalogue.grouped({name: rows[name] for name in names})
        if len(groups) > 1:
            click.echo(
                "Fréchet distances compare within a group only: between groups, data, judge or "
                "number of samples differ.\n"
            )
        for title, members in groups.items():
            click.echo(title.replace("`", ""))
            for name, row in members.items():
                value = row.frechet[0] if row.frechet else ""
                facts = f"{value:>8}  {row.classes:10}  {row.size / 1e6:5.1f} MB"
                click.echo(f"    {name:24} {facts}  {', '.join(row.remarks)}".rstrip())
        remarks = dict.fromkeys(word for name in names for word in rows[name].remarks)
        if remarks:
            verb = "rests" if len(remarks) == 1 else "rest"
            click.echo(f"\nWhat {' and '.join(remarks)} {verb} on: `ganzoo info NAME`.")
    else:
        for name in names:
            click.echo(f"{name:12} {zoo.describe(name)['summary']}")


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
@imports
@as_json
@debug
def info(model, as_json, debug):
    """Tell about a MODEL: its paper, its arguments, its departures from the paper; or about
    trained weights: what they are, what they score, and the command that makes them.

    \b
    ganzoo info dcgan
    ganzoo info dcgan.fashion_mnist
    """
    from ganzoo import catalogue

    rows = catalogue.rows()
    if model in rows:
        row = rows[model]
        facts = {**dataclasses.asdict(row), "remarks": row.remarks}
        click.echo(json.dumps(facts) if as_json else row.describe())
        return
    if "." in model:
        raise checks.unknown("weights", model, rows)
    found = zoo.describe(model)
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(found["doc"] + "\n\nArguments and defaults (--set key=value):")
    for name, default in found["arguments"].items():
        click.echo(f"    {name} = {default!r}")


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
@click.option(
    "--weights",
    type=click.Path(),
    help="Begin with these: a tag, name.tag, run folder, file, https:// or hf:// address.",
)
@click.option(
    "--data",
    default="digits",
    show_default=True,
    shell_complete=_names("digits", "mnist", "fashion_mnist", "cifar10", models=False),
    help="A folder or zip of pictures, a .npy or .npz file, or a name: digits, mnist, …",
)
@click.option("--to", help="The second domain, for models of two, such as pix2pix and cyclegan.")
@click.option(
    "--data-dir", type=click.Path(), help="Where TensorFlow Datasets finds or keeps its files."
)
@click.option("--epochs", default=60, show_default=True, help="Epochs in all.")
@click.option("--batch-size", default=64, show_default=True, help="Pictures in a batch.")
@click.option(
    "--image-size",
    help="Bring pictures to this size: 64, or 64x48. [default: as they are, or that of --weights]",
)
@click.option("--seed", default=0, show_default=True, help="Fixes all randomness.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Argument of the model.")
@click.option("--out", "-o", type=click.Path(), help="Run folder. [default: runs/MODEL-DATA]")
@click.option("--skip-damaged", is_flag=True, help="Leave damaged pictures out.")
@click.option(
    "--value-range",
    metavar="LOW,HIGH",
    help="Values that become black and white: 0,4095 for 12 bits in 16; 0,1 for masks.",
)
@click.option(
    "--checkpoint-seconds",
    default=15.0,
    show_default=True,
    help="Least time between two checkpoints; 0: at every epoch.",
)
@click.option(
    "--score-every",
    type=int,
    help="Epochs between two evaluations; 0: none. [default: 10 for data with an extractor]",
)
@click.option("--tensorboard", is_flag=True, help="Write OUT/tensorboard for TensorBoard.")
@click.option(
    "--on-divergence",
    type=click.Choice(["stop", "rollback"]),
    default="stop",
    show_default=True,
    help="Where numbers are no longer finite: rollback goes on from the newest checkpoint with "
    "half the learning rates.",
)
@imports
@as_json
@debug
def train(
    model,
    weights,
    data,
    to,
    data_dir,
    epochs,
    batch_size,
    image_size,
    seed,
    pairs,
    out,
    skip_damaged,
    value_range,
    checkpoint_seconds,
    score_every,
    tensorboard,
    on_divergence,
    as_json,
    debug,
):
    """Train a MODEL. Run it again after an interruption, and it goes on.

    \b
    ganzoo train dcgan
    ganzoo train cgan --data mnist --epochs 10
    ganzoo train dcgan --data PICTURES --image-size 64 --set channels=32
    ganzoo train cyclegan --data APPLES --to ORANGES --image-size 64 --batch-size 4

    With --weights, or a name.tag for MODEL, it goes on from trained weights with other data:

    \b
    ganzoo train r3gan --weights emoji --data PICTURES --epochs 20
    ganzoo train dcgan --weights runs/dcgan-mnist --data fashion_mnist
    """
    from ganzoo import catalogue
    from ganzoo import weights as sources

    size, arguments = _image_size(image_size), _settings(pairs)
    values = _value_range(value_range)
    if weights is None and model in catalogue.rows():
        model, _, weights = model.partition(".")
    _must_be_a_model(model)  # before a framework is loaded

    def say(line):
        # Not `click.echo`: it goes around what keeps lines of text above those that stay in place.
        texts.say(line, sys.stderr if as_json else sys.stdout)

    out = pathlib.Path(out).expanduser() if out else sources.default_run(model, data)
    try:
        _load_framework()
        from ganzoo import runs

        runs.train(
            model,
            data,
            to=to,
            out=out,
            weights=weights,
            epochs=epochs,
            batch_size=batch_size,
            image_size=size,
            data_dir=data_dir,
            on_error="skip" if skip_damaged else "raise",
            value_range=values,
            seed=seed,
            arguments=arguments,
            checkpoint_seconds=checkpoint_seconds,
            score_every=score_every,
            tensorboard=tensorboard,
            on_divergence=on_divergence,
            imports=click.get_current_context().meta.get(IMPORTS, ()),
            say=say,
            file=sys.stderr if as_json else None,
        )
    except KeyboardInterrupt:
        found = sources.by_epoch(out / "checkpoints", ".keras")
        hint = f"goes on after epoch {max(found)}" if found else "begins again"
        click.echo(f"\nInterrupted. The same command {hint}.", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        from ganzoo import report

        rows = report.lines(out / "metrics.jsonl")
        click.echo(_json({"run": str(out), **(rows[-1] if rows else {})}))


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
@click.option(
    "--weights",
    type=click.Path(),
    help="Of a registry name: a tag, file, folder, https:// or hf:// address.",
)
@click.option("-n", "count", default=64, show_default=True, help="How many pictures.")
@click.option(
    "--labels",
    help="Classes for a conditional model: numbers, or names if its data had some: 7, or "
    "Sneaker,Bag,…",
)
@click.option("--seed", type=int, help="The same seed gives the same pictures.")
@click.option("--truncation", type=float, help="Cut latents off at this many deviations.")
@click.option("--batch-size", default=256, show_default=True, help="Pictures made at once.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["grid", "png", "npz"]),
    help="One picture of all, one file each, or arrays. [default: by the ending of --out]",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    help="File or folder. [default: samples.png, .npz or a folder]",
)
@imports
@as_json
@debug
def sample(model, weights, count, labels, seed, truncation, batch_size, form, out, as_json, debug):
    """Make pictures. MODEL is a run folder, a file, name.tag, or a name with --weights.

    \b
    ganzoo sample runs/dcgan-digits -n 100 -o grid.png
    ganzoo sample runs/cgan-mnist --labels 7 -n 16 -o sevens.png
    ganzoo sample cgan.fashion_mnist --labels Sneaker,Bag -n 16 -o both.png
    ganzoo sample dcgan --weights model.keras -n 1000 -o folder/
    """
    from ganzoo import images

    form, out = _target(form, out)
    if form == "png":
        images.must_be_empty(out)
    name, source = _trained(model, weights)
    say = functools.partial(click.echo, err=as_json)
    numbers = None if labels is None else _classes(labels, name, source, say)
    if numbers and len(numbers) not in (1, count):
        numbers = [numbers[i % len(numbers)] for i in range(count)]
    out.parent.mkdir(parents=True, exist_ok=True)  # finds what is wrong with it before the work
    network = zoo.get(name, weights=source)
    numbers = numbers[0] if numbers and len(numbers) == 1 else numbers
    if not hasattr(network, "generate_batches"):
        words = [model, *(["--weights", weights] if weights else [])]
        mend = f": `ganzoo translate {shlex.join(words)} IMAGES` translates others"
        raise ValueError(
            f"{name!r} makes no images of its own{mend if hasattr(network, 'translate') else ''}. "
            f"Models that do: {', '.join(zoo.list_models(can='generate'))}."
        )
    batches = network.generate_batches(
        count, labels=numbers, seed=seed, truncation=truncation, batch_size=batch_size
    )
    _write(_watched(batches, count), count, form, out)
    _tell(as_json, f"{count} samples: {out}", samples=count, path=str(out))


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
@click.argument("originals", metavar="IMAGES", type=click.Path())
@click.option(
    "--weights",
    type=click.Path(),
    help="Of a registry name: a tag, file, folder, https:// or hf:// address.",
)
@click.option(
    "--reverse",
    "--back",
    is_flag=True,
    help="From the second domain to the first, as cyclegan can.",
)
@click.option("--batch-size", default=64, show_default=True, help="Images translated at once.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["png", "grid", "npz"]),
    help="One file each, one image of all, each next to its original, or arrays. [default: by the "
    "ending of --out]",
)
@click.option("--skip-damaged", is_flag=True, help="Leave damaged images out.")
@click.option(
    "--value-range",
    metavar="LOW,HIGH",
    help="Values that become black and white. [default: as the run did]",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    help="File or folder. [default: translated, or translated.png for one image]",
)
@imports
@as_json
@debug
def translate(
    model,
    originals,
    weights,
    reverse,
    batch_size,
    form,
    skip_damaged,
    value_range,
    out,
    as_json,
    debug,
):
    """Translate IMAGES by a MODEL of two domains: a run folder, a file, name.tag, or a name with
    --weights.

    IMAGES are a folder or a zip of images (its sub-folders too), an image, or an .npy or .npz file.
    Each is brought to the size and the colours that the model was trained on, as training does it:
    scaled to cover the size, then cut at the centre. A folder of translations has the file names of
    the originals, as PNG.

    \b
    ganzoo translate cyclegan.apples_oranges APPLES -o oranges/
    ganzoo translate cyclegan.apples_oranges orange.jpg -o apple.png --reverse
    ganzoo translate runs/pix2pix-maps MAPS --format grid -o side-by-side.png
    ganzoo translate pix2pix --weights model.keras images.npy -o translated.npz
    """
    values = _value_range(value_range)
    name, source = _trained(model, weights)  # first: it loads the framework quietly
    from ganzoo import catalogue
    from ganzoo import files
    from ganzoo import images

    one, asked = files.is_image(originals), form
    form, out = _target(form, out, "grid" if one else "png", "translated")
    if one and form == "grid" and asked is None:
        form = "image"
    if out.exists() and out.samefile(originals):
        raise ValueError(f"--out {str(out)!r} is where the originals are: choose another place.")
    if form == "png":
        images.must_be_empty(out)
    if not hasattr(zoo.model_class(name), "translate"):
        can = [*zoo.list_models(can="translate"), *zoo.list_models(weights=True, can="translate")]
        raise ValueError(f"{name!r} translates no images. Those that do: {', '.join(can)}.")
    network = zoo.get(name, weights=source)
    network.translator(reverse)  # says if there is no way back, before an image is read
    found = files.open_images(
        originals,
        network.image_shape,
        on_error="skip" if skip_damaged else "raise",
        value_range=values or catalogue.trained_on(source).get("value_range"),
    )
    out.parent.mkdir(parents=True, exist_ok=True)  # finds what is wrong with it before the work

    def batches():
        for batch in found.batches(batch_size):
            made = network.translate(batch, reverse=reverse, batch_size=batch_size)
            yield files.side_by_side(batch, made) if form == "grid" else made

    _write(_watched(batches(), len(found)), len(found), form, out, found.names)
    size = "×".join(map(str, network.image_shape))
    count = f"{len(found)} image{'s' * (len(found) != 1)}"
    line = f"{count}, brought to {size}, translated: {out}"
    _tell(as_json, line, images=len(found), shape=list(network.image_shape), path=str(out))


@main.command()
@click.argument("model", shell_complete=_names())
@click.option("--image-size", default="28", show_default=True, help="64, or 64x48.")
@click.option("--channels", default=1, show_default=True, help="1 for grey, 3 for colour.")
@click.option("--batch-size", default=64, show_default=True, help="Pictures in a batch.")
@click.option("--seconds", default=10.0, show_default=True, help="To measure each for.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Argument of the model.")
@imports
@as_json
@debug
def benchmark(model, image_size, channels, batch_size, seconds, pairs, as_json, debug):
    """How fast a MODEL of the zoo trains and samples on this machine, on pictures of noise.

    \b
    ganzoo benchmark dcgan
    ganzoo benchmark dcgan --image-size 64 --channels 3 --set precision=mixed_bfloat16
    """
    size, arguments = _image_size(image_size), _settings(pairs)
    size = size if isinstance(size, tuple) else (size, size)
    _must_be_a_model(model)  # before a framework is loaded
    _load_framework(keep_compiled=False)  # compiling is part of what is measured
    from ganzoo import throughput

    shape = (*size, channels)
    found = throughput.measure(
        model, image_shape=shape, batch_size=batch_size, seconds=seconds, **arguments
    )
    if as_json:
        click.echo(_json(found))
        return
    click.echo(
        f"{model}, {'×'.join(map(str, shape))}, batch {batch_size}, {found['precision']}, "
        f"{found['versions']['backend']}: {found['parameters']:,} parameters"
    )
    for what, first in (("training", "first_step"), ("sampling", "first_samples")):
        click.echo(
            f"{what}: {found[what]:,.0f} ± {found[what + '_spread']:,.0f} pictures per second; "
            f"the first after {found[first]:.1f} s"
        )


def _trained(model, weights):
    """The registry name and the weights that two words of the command line mean."""
    from ganzoo import catalogue
    from ganzoo import weights as sources

    if weights is None and model in catalogue.rows():
        model, _, weights = model.partition(".")
    source = weights or model
    if weights:
        _must_be_a_model(model)
    path = sources.find(source, model if weights else None)
    if weights is None and path is None:
        name, _, tag = model.partition(".")
        if name in zoo.own_models() and tag not in ("", "keras", "safetensors"):
            raise checks.unknown("weights", model, catalogue.rows())
        if model not in zoo.list_models():
            raise checks.unknown("run folder, file or model", model, zoo.list_models())
        tags = [n for n in catalogue.rows() if n.startswith(f"{model}.")]
        raise ValueError(
            f"{model!r} is a model without weights: name some with --weights, "
            f"{'or ' + ', '.join(tags) + ', ' if tags else ''}or give a run folder."
        )
    saved_as = sources.read(path)[0] if path else None
    _load_framework()
    return (model if weights else _name_of(saved_as, path)), source


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
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
    name, source = _trained(model, weights)
    from ganzoo import catalogue
    from ganzoo import runs
    from ganzoo import weights as sources

    row = catalogue.rows().get(f"{name}.{source}")
    place = pathlib.Path(source).expanduser()
    folder = place if not row and (place / "checkpoints").is_dir() else None
    best = folder and folder / "checkpoints" / "best.keras"
    if folder:  # one file: a training may add another meanwhile
        epoch, source = list(sources.by_epoch(folder / "checkpoints", ".keras").items())[-1]
        nearest = folder / f"nearest-epoch-{epoch:04d}.png"

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
        settings["value_range"] = _value_range(value_range)
    found = runs.evaluate(
        {"last": (name, source), **({"best": (name, best)} if best and best.is_file() else {})},
        data,
        data_dir=data_dir,
        export=export,
        nearest=nearest if folder else None,
        show=None if as_json else click.echo,
        **settings,
    )
    if folder:
        mark = runs.mark(folder, epoch)
        if nearest.exists():
            nearest.replace(folder / f"nearest{mark}.png")
        out = out or folder / f"scores{mark}.json"
    if out is not None:
        out = pathlib.Path(out)
        for which, sheet in found.items():
            sheet.save(out if which == "last" else out.with_name(f"{out.stem}-{which}.json"))
    if as_json:
        click.echo(json.dumps({which: sheet.to_dict() for which, sheet in found.items()}))
    elif out is not None:
        click.echo(f"Score sheet: {out}")
    if folder and not mark:  # otherwise the training writes its own at the end
        runs.write_report(folder, lambda line: click.echo(line, err=True))


@main.command()
@click.argument("run", type=click.Path())
@click.option("--out", "-o", type=click.Path(), required=True, help="Folder to write.")
@click.option("--licence", help="Of the data. [default: what is known of data that has a name]")
@click.option(
    "--data-dir", type=click.Path(), help="Where TensorFlow Datasets finds or keeps its files."
)
@click.option("--samples", "-n", default=10_000, show_default=True, help="To score; 0: no scores.")
@click.option("--repeats", default=1, show_default=True, help="Sets of samples, for error bars.")
@click.option("--extractor", help="mnist, inception, pixels, … [default: by the data]")
@imports
@as_json
@debug
def publish(run, out, as_json, debug, **settings):
    """Make a RUN folder's model ready for others: weights, model card, scores, pictures.

    \b
    ganzoo publish runs/dcgan-digits -o dcgan-digits
    ganzoo sample dcgan --weights dcgan-digits
    """
    _trained(run, None)  # says how to make its class known
    from ganzoo import publishing

    say = functools.partial(click.echo, err=as_json)
    found = publishing.publish(run, out, say=say, **settings)
    if as_json:
        click.echo(_json({"path": str(out), **found}))


@main.command()
@click.argument("model", shell_complete=_names(weights=True))
@click.option(
    "--weights",
    type=click.Path(),
    help="Of a registry name: a tag, file, folder, https:// or hf:// address.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["savedmodel", "onnx", "litert", "safetensors"]),
    help="[default: by the ending of --out]",
)
@click.option("--function", help="For ONNX: from_latents, from_seed, translate, …")
@click.option("--truncation", type=float, help="Cut latents off at this many deviations.")
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    required=True,
    help=".onnx, .tflite or .safetensors; else a folder.",
)
@imports
@as_json
@debug
def export(model, weights, form, out, as_json, debug, **settings):
    """Write a MODEL for others to run: a run folder, a file, name.tag, or a name with --weights.

    \b
    ganzoo export runs/dcgan-digits -o dcgan.onnx
    ganzoo export cgan.mnist -o digits.tflite
    ganzoo export cgan.mnist -o digits.onnx --function from_seed
    ganzoo export cgan.mnist -o digits --format savedmodel
    """
    model, source = _trained(model, weights)
    network = zoo.get(model, weights=source, precision="float32")
    from ganzoo import export as forms

    form, found = forms.plan(network, out, form=form, **settings)
    with _quiet_start():
        path = forms.write(network, out, form=form, **settings)
    functions = [name for name, _, _ in found]
    line = f"{path}{': ' if found else ''}{', '.join(functions)}"
    _tell(as_json, line, path=str(path), format=form, functions=functions)


@main.command()
@click.argument("run", type=click.Path())
@click.option("--seconds", default=6.0, show_default=True, help="How long it takes, about.")
@click.option("--out", "-o", type=click.Path(), required=True, help="An .mp4 or .gif file.")
@as_json
@debug
def film(run, seconds, out, as_json, debug):
    """A RUN's samples from the first epoch to the last, as a film.

    \b
    ganzoo film runs/dcgan-digits -o training.mp4
    """
    _load_framework()
    from ganzoo import runs

    path = str(runs.film(run, out, seconds))
    _tell(as_json, path, path=path)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell):
    """What makes a SHELL complete ganzoo's words.

    \b
    ganzoo completion bash >> ~/.bashrc
    ganzoo completion zsh >> ~/.zshrc
    ganzoo completion fish > ~/.config/fish/completions/ganzoo.fish
    """
    from click import shell_completion

    kind = shell_completion.get_completion_class(shell)
    click.echo(kind(main, {}, "ganzoo", "_GANZOO_COMPLETE").source())


@main.command()
@click.argument("models", nargs=-1, shell_complete=_names(weights=True, models=False))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to serve: this machine only, or 0.0.0.0: whoever can reach it.",
)
@click.option("--port", default=7860, show_default=True, help="0: any that is free.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@imports
@as_json
@debug
def explore(models, host, port, open_browser, as_json, debug):
    """Play with MODELS in a browser: run folders, files or name.tag. [default: all trained weights
    that come with ganzoo, and the runs in ./runs]

    \b
    ganzoo explore
    ganzoo explore runs/dcgan-digits r3gan.mnist --open
    """
    from ganzoo import catalogue

    _load_framework()
    from ganzoo import explore as pages

    def entry(word):
        name, source = _trained(word, None)
        code = f"ganzoo.get({name!r}, weights={str(source)!r})"
        return pages.Entry(functools.partial(zoo.get, name, weights=source), code)

    title = lambda word: texts.shown(texts.kept(word))
    entries = {title(word): entry(word) for word in models or catalogue.rows()}
    runs = [] if models else sorted(pathlib.Path("runs").glob("*/checkpoints"))
    for word in (str(run.parent) for run in runs):
        try:
            entries[title(word)] = entry(word)
        except _USER_ERRORS as error:  # nobody asked for this one
            click.echo(f"{word} is left out: {error}", err=True)
    address = pages.launch(entries, host=host, port=port, open_browser=open_browser, block=False)
    _tell(as_json, f"{address}  (Ctrl-C ends it)", address=address, models=list(entries))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def _classes(labels, model, source, say):
    """Class numbers from what `--labels` says, in names or in numbers; `say` tells which is meant
    where a number is the name of another class."""
    from ganzoo import catalogue

    word = f"{model}.{source}"
    names = catalogue.trained_on(word if word in catalogue.rows() else source).get("class_names")
    names = [str(name) for name in names or []]
    numbers = []
    for part in _parts(texts.kept(labels), names):
        number = _named(part, names)
        if number is None and not part.isdecimal():
            if names:
                raise checks.unknown("class", part, names)
            raise ValueError(f"--labels takes whole numbers: 7, or 0,1,2. Received: {labels!r}.")
        if number is None:
            number = int(part)
            if any(map(str.isdecimal, names)) and number < len(names):
                say(f"No class is called {part}: number {number} is meant, {names[number]}.")
        elif part.isdecimal() and int(part) != number:
            say(f"Class {names[number]} is number {number} of 0..{len(names) - 1}.")
        numbers.append(number)
    return numbers


def _parts(labels, names):
    """What stands between commas, but for those in a name."""
    words, known = labels.split(","), {name.strip().casefold() for name in names}
    while words:
        joined = (",".join(words[:n]).strip() for n in range(len(words), 0, -1))
        part = next((x for x in joined if x.casefold() in known), words[0].strip())
        yield part
        words = words[part.count(",") + 1 :]


def _named(part, names):
    """The number of the class of a name; None if there is none.

    As it is written, or else the only one that is the same but for capitals, or as a number: 2 for
    "02".
    """
    kinds = [str, str.casefold]
    if part.isdecimal():
        kinds.append(lambda name: int(name) if name.isdecimal() else None)
    for kind in kinds:
        found = [i for i, name in enumerate(names) if kind(name.strip()) == kind(part)]
        if len(found) > 1:
            alike = ", ".join(repr(names[i]) for i in found)
            raise ValueError(f"{part!r} may be any of {alike}: write it as one of them.")
        if found:
            return found[0]
    return None


def _target(form, out, usual="grid", name="samples"):
    """The form and the path of images, where one follows from the other; `usual` where neither is
    given."""
    if out is None:
        form = form or usual
        return form, pathlib.Path({"grid": f"{name}.png", "png": name, "npz": f"{name}.npz"}[form])
    folder, out = str(out).endswith("/"), pathlib.Path(out)
    endings = {".npz": "npz", **dict.fromkeys([".png", ".jpg", ".jpeg", ".webp"], "grid")}
    known = folder or out.is_dir() or not out.suffix or out.suffix.lower() in endings
    if form is None and not known:
        raise ValueError(
            f"--out ends in {', '.join(endings)}, or is a folder. Received: {str(out)!r}. If a "
            f"folder is to have this name, say {str(out) + '/'!r}."
        )
    if form is None:
        form = "png" if folder or out.is_dir() else endings.get(out.suffix.lower(), "png")
    return form, out


def _name_of(registered_name, path):
    """The name in the zoo of a class that a file holds."""
    import keras

    from ganzoo import models  # noqa: F401
    from ganzoo import registry

    known = registry.registered()
    names = {keras.saving.get_registered_name(c): n for n, c in known.items()}
    if registered_name in names:
        return names[registered_name]
    # A class of yours may have been in another module, and files of `publish` do not say which.
    names = {c.__name__: n for n, c in known.items() if n not in zoo.own_models()}
    cls = registered_name.split(">")[1]
    if cls in names:
        return names[cls]
    words = _imports_of(path)
    option = shlex.join(x for word in words or ["FILE.py"] for x in ("--import", word))
    told = "as its folder says; the file's code is run" if words else "the file that has its class"
    raise ValueError(
        f"{str(path)!r} holds a {registered_name.removeprefix('ganzoo>')!r}, none of ganzoo's own "
        f"models. Add `{option}`, {told}."
    )


def _imports_of(path):
    """What the folder of weights says was given with `--import`, which may be by anybody."""
    for folder in path.parents[:2]:
        with contextlib.suppress(Exception):  # a file may be wrong in any way
            record = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            words = record.get("imports") or []
            if all(isinstance(word, str) and word.isprintable() for word in words):
                return words
    return []


def _watched(batches, count):
    """The batches, with a progress bar where somebody may look at it."""
    import tqdm

    with tqdm.tqdm(total=count, unit=" pictures", disable=None, leave=False) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))


def _write(batches, count, form, out, names=None):
    """Write images as they come: in constant memory, but for a grid."""
    import numpy as np

    from ganzoo import callbacks
    from ganzoo import images

    if form == "npz":
        with callbacks.replacing(out) as path:
            images.save_arrays(path, images=(count, batches))
    elif form == "grid":
        images.save_grid(np.concatenate(list(batches)), out)
    elif form == "image":
        images.grid(np.concatenate(list(batches)), padding=0, least_side=1).save(out)
    else:
        written = 0
        for batch in batches:
            those = names and names[written : written + len(batch)]
            images.save_each(batch, out, start=written, names=those)
            written += len(batch)
