"""Images that commands write, batch by batch."""

from ganzoo.cli.targets import target


def target_for(originals, form, out, name):
    """The form and the path of what is made of the images at a path.

    `name`: of the file or folder, if `out` is None.
    """
    from ganzoo import images
    from ganzoo.datasets import image_files

    is_one, given = image_files.is_image(originals), form
    form, out = target(form, out, "grid" if is_one else "png", name)
    if is_one and form == "grid" and given is None:
        form = "image"
    if out.exists() and out.samefile(originals):
        raise ValueError(f"--out {str(out)!r} is where the originals are: choose another place.")
    if form == "png":
        images.must_be_empty(out)
    return form, out


def with_progress(batches, count):
    """Yield the batches, with a progress bar on a terminal."""
    import tqdm

    with tqdm.tqdm(total=count, unit=" images", disable=None, leave=False) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))


def write(batches, count, form, out, names=None):
    """Write images batch by batch: in constant memory, except for a grid."""
    import numpy as np

    from ganzoo import images
    from ganzoo.files import atomic

    if form == "npz":
        with atomic.replacing(out) as path:
            images.save_arrays(path, images=(count, batches))
    elif form == "grid":
        images.save_grid(np.concatenate(list(batches)), out)
    elif form == "image":
        images.grid(np.concatenate(list(batches)), padding=0, least_side=1).save(out)
    else:
        written = 0
        for batch in batches:
            batch_names = names and names[written : written + len(batch)]
            images.save_each(batch, out, start=written, names=batch_names)
            written += len(batch)
