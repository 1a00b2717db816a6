"""Options that several commands share, and how their values are parsed."""

import ast
import json
import os

import click

from ganzoo import validation
from ganzoo import zoo
from ganzoo.cli.startup import join_others
from ganzoo.cli.startup import load_framework


def parse_settings(pairs):
    """`key=value` words as a dict. Values are Python literals; anything else is a string."""
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


def parse_image_size(text):
    """`64` as a side, or `64x48` as `(height, width)`; None for None."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(p.isdigit() for p in parts):
        raise ValueError(f"--image-size takes 64 or 64x48 (height x width). Received: {text!r}.")
    size = [int(p) for p in parts]
    return size[0] if len(size) == 1 else tuple(size)


def parse_devices(text):
    """A number of devices, or `"all"`."""
    if text != "all" and not text.isdecimal():
        raise ValueError(f"--devices takes a number, or all. Received: {text!r}.")
    return text if text == "all" else int(text)


def parse_value_range(text):
    """`LOW,HIGH` as two numbers, or None."""
    try:
        return None if text is None else tuple(float(x) for x in text.split(","))
    except ValueError:
        raise ValueError(
            "--value-range takes the values that become black and white, such as 0,4095. Received: "
            f"{text!r}."
        ) from None


def completing(*others, weights=False, models=True):
    """A function that completes model names, weights and `others`; any other word as a file."""

    def complete(context, parameter, begun):
        from click import shell_completion

        names = [*others]
        names += zoo.list_models() if models else []
        names += zoo.list_models(weights=True) if weights else []
        items = [shell_completion.CompletionItem(n) for n in names if n.startswith(begun)]
        return items or [shell_completion.CompletionItem(begun, type="file")]

    return complete


debug = click.option(  # `group` reads it from the words of the command line
    "--debug", is_flag=True, expose_value=False, help="Show where an error comes from."
)
weights_option = click.option(
    "--weights",
    type=click.Path(),
    help="Weights for a registry name: a tag, file, folder, https:// or hf:// address.",
)
data_dir_option = click.option(
    "--data-dir", type=click.Path(), help="Where TensorFlow Datasets finds or keeps its files."
)
truncation_option = click.option(
    "--truncation", type=float, help="Cut latents off at this many standard deviations."
)
set_option = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Argument of the model."
)
skip_damaged_option = click.option("--skip-damaged", is_flag=True, help="Leave damaged images out.")
value_range_option = click.option(  # of images for a trained model
    "--value-range",
    metavar="LOW,HIGH",
    help="Values that become black and white. [default: as the run did]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _imported(context, parameter, words):
    """Register the models in the modules of `--import`; completion imports nothing."""
    if not words or context.resilient_parsing:
        return
    load_framework(keep_compiled=context.info_name != "benchmark")
    from ganzoo.zoo import extensions

    words = list(dict.fromkeys(words))
    for word in words:
        extensions.load(word)
    context.meta[IMPORTS] = words


IMPORTS = f"{__name__}.imports"
"""The key under which click's context keeps the values of `--import`."""
imports = click.option(
    "--import",
    multiple=True,
    expose_value=False,
    callback=_imported,
    metavar="FILE|MODULE",
    help="Python code with your own model, registered by @ganzoo.register: my_gan.py.",
)


def _joined(context, parameter, cluster):
    """Find the other processes of `--cluster`; completion looks for none."""
    if cluster and not context.resilient_parsing:
        join_others()


cluster_option = click.option(
    "--cluster",
    is_flag=True,
    is_eager=True,  # before `--import`, which loads a framework
    expose_value=False,
    callback=_joined,
    help="This command runs once in each of several processes, which train together.",
)


NAMES = ("digits", "mnist", "fashion_mnist", "cifar10")
"""Data sets that may stand where a command takes a model or images."""


def is_data(word):
    """Whether a word in the place of a model names data. A model's name never does, even if a file
    has that name: `./dcgan` is the file.

    Raises:
        FileNotFoundError: it is the path of a file that does not exist.
    """
    if word in zoo.list_models() or word in zoo.list_models(weights=True):
        return False
    if word in NAMES or os.path.exists(os.path.expanduser(word)):
        return True
    if os.path.dirname(word) or word.lower().endswith((".zip", ".npy", ".npz")):
        raise FileNotFoundError(f"There is no file or folder {word!r}.")
    return False


def must_be_a_model(name, other=""):
    """Raise a `ValueError` unless there is a model of that name; `other`: what else it is not."""
    if name not in zoo.list_models():
        unknown = validation.unknown("model", name, zoo.list_models())
        raise ValueError(f"{unknown} {other}Load your own with --import FILE.py.")


def tell(as_json, line, **facts):
    """Print the result of a command: a line of text, or JSON."""
    click.echo(to_json(facts) if as_json else line)


def to_json(facts):
    """A dict as one line of JSON; an infinite number is the text "inf", as in a score sheet."""
    strict = {key: validation.known_to_json(value) for key, value in facts.items()}
    return json.dumps(strict, allow_nan=False)
