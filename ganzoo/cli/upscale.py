"""`ganzoo upscale`."""

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
from ganzoo.cli.options import value_range_option
from ganzoo.cli.options import weights_option
from ganzoo.cli.targets import trained
from ganzoo.cli.writing import target_for
from ganzoo.cli.writing import with_progress
from ganzoo.cli.writing import write


@main.command()
@click.argument("model", shell_complete=completing(weights=True))
@click.argument("originals", metavar="IMAGES", type=click.Path())
@weights_option
@click.option("--batch-size", default=8, show_default=True, help="Parts enlarged at once.")
@skip_damaged_option
@value_range_option
@click.option(
    "--out",
    "-o",
    type=click.Path(),
    help="File or folder. [default: upscaled, or upscaled.png for one image]",
)
@imports
@as_json
@debug
def upscale(model, originals, weights, batch_size, skip_damaged, value_range, out, as_json):
    """Enlarge IMAGES. MODEL is a run folder, a file, name.tag, or a name with --weights.

    IMAGES are a folder or a zip of images (with sub-folders), an image, or an .npy or .npz file.
    They keep their sizes, times the factor of the model, and are converted to its colours. The new
    images have the file names of the originals, as PNG.

    \b
    ganzoo upscale runs/srgan-photos PHOTOS -o large/
    ganzoo upscale runs/srgan-photos photo.jpg -o large.png
    ganzoo upscale srgan --weights model.keras images.npy -o large.npz
    """
    name, source = trained(model, weights)  # first: it loads the framework quietly
    from ganzoo.datasets import image_files
    from ganzoo.zoo import catalogue

    form, out = target_for(originals, None, out, "upscaled")
    if form == "grid":
        raise ValueError(f"--out is a folder or ends in .npz for many images. Received: {out}.")
    if not hasattr(zoo.model_class(name), "upscale"):
        can = [*zoo.list_models(can="upscale"), *zoo.list_models(weights=True, can="upscale")]
        raise ValueError(f"{name!r} upscales no images. Those that do: {', '.join(can)}.")
    network = zoo.get(name, weights=source)
    levels = parse_value_range(value_range) or catalogue.trained_on(source).get("value_range")
    inputs = image_files.open_images(
        originals,
        (None, None, network.image_shape[2]),
        on_error="skip" if skip_damaged else "raise",
        value_range=levels,
    )
    if form == "npz" and not inputs.have_one_size:
        raise ValueError(
            f"An .npz file holds images of one size, and those in {str(originals)!r} differ. Name "
            f"a folder: `-o {shlex.quote(str(out.with_suffix('')))}/`."
        )
    out.parent.mkdir(parents=True, exist_ok=True)  # fails before the work, not after it
    batches = (network.upscale(x, batch_size=batch_size) for x in inputs.batches(batch_size))
    write(with_progress(batches, len(inputs)), len(inputs), form, out, inputs.names)
    count = f"{len(inputs)} image{'s' * (len(inputs) != 1)}"
    line = f"{count} enlarged ×{network.scale}: {out}"
    tell(as_json, line, images=len(inputs), scale=network.scale, path=str(out))
