"""The data sheet of a run: what the model sees."""

import dataclasses
import pathlib

import numpy as np
from PIL import Image
from PIL import PngImagePlugin

from ganzoo import callbacks
from ganzoo.datasets.contents import Contents
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.modalities import kind_of
from ganzoo.runs.preparing import Start

ROWS, COLUMNS = 8, 8
"""Images in a sheet; without classes, as in a grid of samples."""
SEARCHED = 512
"""Most images that are searched for those of all classes."""


def write(start: Start, run: RunFolder) -> None:
    """Write `data.png` of a run: images of its data as the model receives them.

    Half of them are mirrored, if the model mirrors its images. With classes, each row shows images
    of one class; with two domains, each image is followed by one of the other domain. The file's
    `Description` says what there is.

    Args:
        start: the `Start` of the training.
        run: its `RunFolder`.
    """
    conditional = getattr(start.model, "num_classes", None) is not None
    examples = callbacks.first_examples(start.data, SEARCHED if conditional else ROWS * COLUMNS)
    kind = kind_of(examples[0].shape[1:]).adapt(getattr(start.data, "description", None) or {})
    in_rows = conditional and kind.rank > 1  # points have no rows
    sheet, rows = _by_class(kind, *examples[:2]) if in_rows else (_in_turn(examples), [])
    if flip := getattr(start.model, "flip", False):
        sheet[1::2] = sheet[1::2, :, ::-1]
    description = PngImagePlugin.PngInfo()
    text = "\n".join([*_contents(start.data), _reading(start.data, rows, flip)])
    description.add_itxt("Description", texts.shown(text))
    with atomic.replacing(run.data) as path:
        kind.preview(sheet, COLUMNS).save(path, pnginfo=description)
    if kind.kept:
        kind.save(examples[0][: kind.kept], run.data_files)


def described(run: RunFolder) -> list[str]:
    """The lines that describe a run's data; [] if it has no sheet."""
    try:
        with Image.open(run.data) as sheet:
            return sheet.info.get("Description", "").splitlines()
    except OSError:
        return []


def _contents(ds):
    """What each domain holds, without the folders that it lies in."""
    domains = [ds.contents] if isinstance(ds.contents, Contents) else ds.contents
    return [str(dataclasses.replace(x, source=pathlib.PurePath(x.source).name)) for x in domains]


def _reading(ds, rows, flip):
    """How to read a sheet."""
    parts = ["As the model receives them."]
    if rows:
        names = [ds.class_names[i] if ds.class_names else str(i) for i in rows]
        parts.append(f"Row by row: {', '.join(names)}.")
    if not isinstance(ds.contents, Contents):
        parts.append("In turn: an image, and one of the other domain.")
    if flip:
        parts.append("Half of them are mirrored, as in the training.")
    return " ".join(parts)


def _in_turn(examples):
    """Images, or images of several domains in turn, as one array."""
    domains = [x for x in examples if x.ndim > 1]  # without labels, which some models can do
    sheet = np.stack(domains, axis=1).reshape(-1, *domains[0].shape[1:])
    return sheet[: ROWS * COLUMNS].copy()


def _by_class(kind, pictures, labels):
    """A row of examples of each class, blank ones where there are too few; and the classes."""
    rows = []
    shown = np.unique(labels[labels >= 0])[: 2 * ROWS].tolist()  # -1: unlabelled
    for label in shown:
        row = kind.from_network(np.full((COLUMNS, *pictures.shape[1:]), kind.blank))
        found = pictures[labels == label][:COLUMNS]
        row[: len(found)] = found
        rows.append(row)
    return np.concatenate(rows), shown
