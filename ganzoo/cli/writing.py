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


def with_progress(batches, count, things="images"):
    """Yield the batches, with a progress bar on a terminal."""
    import tqdm

    with tqdm.tqdm(total=count, unit=f" {things}", disable=None, leave=False) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))


def write(batches, count, form, out, names=None, kind=None):
    """Write examples batch by batch: in constant memory, except for a grid.

    `kind`: the `Modality` of the examples; None: images.
    """
    import numpy as np

    from ganzoo import images
    from ganzoo.files import atomic
    from ganzoo.modalities import Images

    kind = kind or Images()
    if form == "npz":
        with atomic.replacing(out) as path:
            facts = {name: (1, [np.array([n])]) for name, n in kind.facts.items()}
            images.save_arrays(path, images=(count, batches), **facts)
    elif form == "grid":
        out.parent.mkdir(parents=True, exist_ok=True)
        kind.preview(np.concatenate(list(batches))).save(out)
    elif form == "image":
        images.grid(np.concatenate(list(batches)), padding=0, least_side=1).save(out)
    else:
        written = 0
        for batch in batches:
            if names is None:
                kind.save(batch, out, written)
            else:
                images.save_each(batch, out, names=names[written : written + len(batch)])
            written += len(batch)
