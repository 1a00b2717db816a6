"""`ganzoo sample` and `translate`."""

import functools
import shlex

import click

from ganzoo import zoo
from ganzoo.cli.group import main
from ganzoo.cli.options import as_json
from ganzoo.cli.options import completing
from ganzoo.cli.options import debug
from ganzoo.cli.options import imports
from ganzoo.cli.options import parse_value_range
from ganzoo.cli.options import skip_damaged_option
from ganzoo.cli.options import tell
from ganzoo.cli.options import truncation_option
from ganzoo.cli.options import value_range_option
from ganzoo.cli.options import weights_option
from ganzoo.cli.targets import parse_classes
from ganzoo.cli.targets import target
from ganzoo.cli.targets import trained
from ganzoo.cli.writing import target_for
from ganzoo.cli.writing import with_progress
from ganzoo.cli.writing import write


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@weights_option
@click.option("-n", "count", default=64, show_default=True, help="How many samples.")
@click.option(
    "--labels",
    help="Classes for a conditional model, by number or by name: 7, or Sneaker,Bag,…",
)
@click.option("--seed", type=int, help="The same seed gives the same samples.")
@truncation_option
@click.option("--batch-size", default=256, show_default=True, help="Samples made at once.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["grid", "png", "wav", "npz"]),
    help="One image of all, one file each (png or, of sounds, wav), or arrays. [default: by the "
    "ending of --out]",
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
def sample(model, weights, count, labels, form, out, as_json, **options):
    """Make samples. MODEL is a run folder, a file, name.tag, or a name with --weights.

    \b
    ganzoo sample runs/dcgan-digits -n 100 -o grid.png
    ganzoo sample runs/cgan-mnist --labels 7 -n 16 -o sevens.png
    ganzoo sample cgan.fashion_mnist --labels Sneaker,Bag -n 16 -o both.png
    ganzoo sample dcgan --weights model.keras -n 1000 -o folder/
    ganzoo sample runs/wavegan-speech -n 8 -o words/
    """
    from ganzoo import images

    wanted = form
    form, out = target(form, out)
    if form == "png":
        images.must_be_empty(out)
    name, source = trained(model, weights)
    say = functools.partial(click.echo, err=as_json)
    numbers = None if labels is None else parse_classes(labels, name, source, say)
    out.parent.mkdir(parents=True, exist_ok=True)  # fails before the work, not after it
    network = zoo.get(name, weights=source)
    if not hasattr(network, "generate_batches"):
        words = [model, *(["--weights", weights] if weights else [])]
        ways = [way for way in ("translate", "upscale") if hasattr(network, way)]
        mend = "".join(f": `ganzoo {way} {shlex.join(words)} IMAGES` {way}s others" for way in ways)
        raise ValueError(
            f"{name!r} makes no images of its own{mend}. "
            f"Models that do: {', '.join(zoo.list_models(can='generate'))}."
        )
    kind = network.modality
    if wanted in ("png", "wav") and kind.ending != f".{wanted}":
        raise ValueError(
            f"--format {wanted}: the samples of {name!r} are {kind.name}, whose files end in "
            f"{kind.ending}. Leave it out, and name a folder: -o folder/"
        )
    batches = network.generate_batches(count, labels=_labels_for(numbers, count), **options)
    write(with_progress(batches, count, kind.name), count, form, out, kind=kind)
    tell(as_json, f"{count} samples: {out}", samples=count, path=str(out))


def _labels_for(numbers, count):
    """Class numbers for `count` samples, repeated in turn; a single number stays one number."""
    if not numbers or len(numbers) == 1:
        return numbers[0] if numbers else None
    return numbers if len(numbers) == count else [numbers[i % len(numbers)] for i in range(count)]


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@click.argument("originals", metavar="IMAGES", type=click.Path())
@weights_option
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
@skip_damaged_option
@value_range_option
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    help="File or folder. [default: translated, or translated.png for one image]",
)
@imports
@as_json
@debug
def translate(model, originals, weights, form, out, as_json, **options):
    """Translate IMAGES from one domain to the other. MODEL is a run folder, a file, name.tag, or a
    name with --weights.

    IMAGES are a folder or a zip of images (with sub-folders), an image, or an .npy or .npz file.
    Each is converted to the model's size and colours, as in training: scaled to cover the size,
    then cropped at the centre. A folder of translations has the file names of the originals, as
    PNG.

    \b
    ganzoo translate cyclegan.apples_oranges APPLES -o oranges/
    ganzoo translate cyclegan.apples_oranges orange.jpg -o apple.png --reverse
    ganzoo translate runs/pix2pix-maps MAPS --format grid -o side-by-side.png
    ganzoo translate pix2pix --weights model.keras images.npy -o translated.npz
    """
    options = _Translation(**options)
    name, source = trained(model, weights)  # first: it loads the framework quietly
    form, out = target_for(originals, form, out, "translated")
    if not hasattr(zoo.model_class(name), "translate"):
        can = [*zoo.list_models(can="translate"), *zoo.list_models(weights=True, can="translate")]
        raise ValueError(f"{name!r} translates no images. Those that do: {', '.join(can)}.")
    network = zoo.get(name, weights=source)
    network.translator(options.reverse)  # fails before an image is read
    inputs = options.open_images(originals, network.image_shape, source)
    out.parent.mkdir(parents=True, exist_ok=True)  # fails before the work, not after it
    batches = options.translations(network, inputs, next_to_originals=form == "grid")
    write(with_progress(batches, len(inputs)), len(inputs), form, out, inputs.names)
    size = "×".join(map(str, network.image_shape))
    count = f"{len(inputs)} image{'s' * (len(inputs) != 1)}"
    line = f"{count} translated at {size}: {out}"
    tell(as_json, line, images=len(inputs), shape=list(network.image_shape), path=str(out))


class _Translation:
    """Reads and translates images by the options of `ganzoo translate`."""

    def __init__(self, reverse, batch_size, skip_damaged, value_range):
        self.reverse = reverse
        self.batch_size = batch_size
        self.on_error = "skip" if skip_damaged else "raise"
        self.value_range = parse_value_range(value_range)

    def open_images(self, path, shape, source):
        """The originals, in the model's shape and the range of its weights."""
        from ganzoo.datasets import image_files
        from ganzoo.zoo import catalogue

        value_range = self.value_range or catalogue.trained_on(source).get("value_range")
        return image_files.open_images(path, shape, on_error=self.on_error, value_range=value_range)

    def translations(self, network, inputs, next_to_originals):
        """Batches of translated images."""
        from ganzoo.datasets import image_files

        for batch in inputs.batches(self.batch_size):
            outputs = network.translate(batch, reverse=self.reverse, batch_size=self.batch_size)
            yield image_files.side_by_side(batch, outputs) if next_to_originals else outputs
