"""Images as files: grids, single files, animations."""

import itertools
import math
import os
import pathlib
import shlex
import zipfile
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ganzoo import types


def grid(
    images: ArrayLike, columns: int | None = None, padding: int = 1, least_side: int = 320
) -> Image.Image:
    """Arrange images in a grid, as one image.

    Args:
        images: `(n, height, width, channels)` uint8, channels 1 to 4; or points `(n, 2)` in
            [-1, 1], which are drawn as dots.
        columns: images in a row. None: as square as possible.
        padding: white pixels between images.
        least_side: width in pixels. A smaller grid is enlarged to about it, by a whole factor.

    Returns:
        A `PIL.Image.Image`.
    """
    images = np.asarray(images)
    if images.ndim == 2 and images.shape[1] >= 2:
        return _dots(images, least_side)
    are_images = images.ndim == 4 and images.dtype == np.uint8 and 1 <= images.shape[3] <= 4
    if not are_images or not len(images):
        raise ValueError(
            "`images` must be uint8 of shape (n, height, width, channels), with at least one "
            "image and 1 to 4 channels, or points of shape (n, 2). Received: "
            f"{images.dtype} of shape {images.shape}."
        )
    n, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    cell = (height + padding, width + padding)
    sheet = np.full((rows * cell[0] + padding, columns * cell[1] + padding, channels), 255, "uint8")
    for i, image in enumerate(images):
        y, x = (i // columns) * cell[0] + padding, (i % columns) * cell[1] + padding
        sheet[y : y + height, x : x + width] = image
    small = _to_pil(sheet)
    factor = max(1, round(least_side / small.width))
    return small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)


def _to_pil(image):
    channels = image.shape[-1]
    if channels == 2:  # the only two-channel image in PIL is grey with transparency
        return Image.fromarray(image, "LA")
    return Image.fromarray(image[..., 0] if channels == 1 else image)


def _dots(points, side):
    canvas = np.full((side, side), 255, "uint8")
    places = np.clip(np.round((points[:, :2] + 1) / 2 * (side - 1)), 0, side - 1).astype(int)
    canvas[side - 1 - places[:, 1], places[:, 0]] = 0
    return Image.fromarray(canvas)


def save_grid(images: ArrayLike, path: types.Path, columns: int | None = None) -> pathlib.Path:
    """Save `grid` as a PNG file, creating its folder. Returns the path."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    grid(images, columns).save(path)
    return path


def must_be_empty(folder: types.Path, option: str = "--out", parts: Sequence[str] = ("",)) -> None:
    """Raise a `ValueError` unless an output folder is empty, lest its files be mixed with new ones.

    Args:
        folder: it need not exist. Hidden files do not count.
        option: the option that sets the folder, for the message.
        parts: its sub-folders that the files go to; anything else in it does not count.

    Example:

    >>> must_be_empty("no/such/folder")
    """
    folder = pathlib.Path(folder)
    for place in (folder / part for part in parts):
        if not place.is_dir() or all(path.name.startswith(".") for path in place.iterdir()):
            continue
        whole = folder.parent / folder.name if folder.name else folder.resolve()
        others = (whole.with_name(f"{whole.name}-{i}") for i in itertools.count(2))
        free = next(str(other) for other in others if not other.exists())
        raise ValueError(
            f"{str(place)!r} is not empty: its files would be mixed with the new ones. Empty it, "
            f"or choose another folder, such as `{option} {shlex.quote(free)}/`."
        )


def save_each(
    images: ArrayLike,
    folder: types.Path,
    start: int = 0,
    names: Sequence[types.Path] | None = None,
) -> pathlib.Path:
    """Save each image as a PNG file.

    Args:
        images: `(n, height, width, channels)` uint8.
        folder: it is created if it does not exist.
        start: number of the first file.
        names: paths of the files inside the folder. None: `00000.png` onwards.

    Returns:
        The folder.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            "Single files are for images of shape (n, height, width, channels). Received shape "
            f"{images.shape}: save points as a grid or as arrays."
        )
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if names is None:
        names = [f"{i:05d}.png" for i in range(start, start + len(images))]
    for name, image in zip(names, images, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _to_pil(image).save(path)
    return folder


def save_arrays(path: types.Path, **columns: tuple[int, Iterable[np.ndarray]]) -> pathlib.Path:
    """Write an `.npz` file batch by batch, in constant memory.

    Args:
        path: the file.
        **columns: by name, `(number of rows, iterator over arrays)`.

    Returns:
        The path.

    Raises:
        ValueError: the arrays of a column differ in shape or dtype, or have another number of rows.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (count, batches) in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                written, first = 0, None
                for batch in batches:
                    batch = np.ascontiguousarray(batch)
                    kind = batch.shape[1:], batch.dtype
                    first = first or kind
                    if kind != first:
                        raise ValueError(
                            f"The rows of {name!r} must have one shape and dtype. Received: "
                            f"{first[1]} of shape {first[0]}, then {kind[1]} of shape {kind[0]}."
                        )
                    if not written:
                        header = np.lib.format.header_data_from_array_1_0(batch)
                        header["shape"] = (count, *batch.shape[1:])
                        np.lib.format.write_array_header_1_0(file, header)
                    file.write(batch.tobytes())
                    written += len(batch)
                if written != count:
                    raise ValueError(f"{name!r} should have {count} rows. Received: {written}.")
    return pathlib.Path(path)


def save_film(frames: Iterable[types.Path], path: types.Path, seconds: float = 6.0) -> pathlib.Path:
    """Save image files of one size as an MP4 of about `seconds`, which plays everywhere; the last
    frame stays for a moment.

    At most 30 frames per second are used, evenly spaced. Returns the path.

    Raises:
        ImportError: imageio-ffmpeg is not installed.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ImportError(
            "MP4 files need imageio-ffmpeg: `pip install 'ganzoo[video]'`, or choose a GIF."
        ) from None
    frames = _spread(frames, max(1, round(30 * seconds)))
    rate = max(1.0, len(frames) / seconds)
    frames += [frames[-1]] * math.ceil(1.5 * rate)
    with Image.open(frames[0]) as first:
        # The format requires even sides.
        width, height = (2 * math.ceil(side / 2) for side in first.size)
    size = width, height
    place = os.path.abspath(path)  # ffmpeg would take the `a` of `a:b.mp4` for a protocol
    writer = imageio_ffmpeg.write_frames(place, size, fps=rate, quality=8, macro_block_size=2)
    writer.send(None)
    try:
        for frame in frames:
            canvas = Image.new("RGB", size, "white")
            canvas.paste(Image.open(frame).convert("RGB"))
            writer.send(canvas.tobytes())
    finally:
        writer.close()
    return pathlib.Path(path)


def _spread(frames, most):
    frames = list(frames)
    if not frames:
        raise ValueError("`frames` names no image file: an animation needs at least one.")
    if len(frames) > most:
        frames = [frames[i] for i in np.linspace(0, len(frames) - 1, most).round().astype(int)]
    return frames


def save_gif(
    frames: Iterable[types.Path], path: types.Path, seconds: float = 6.0, most: int = 100
) -> pathlib.Path:
    """Save image files of one size as an endless animation of about `seconds`.

    At most `most` frames are used, evenly spaced. Returns the path.
    """
    frames = _spread(frames, most)
    first, *others = [Image.open(frame).convert("RGB").quantize(64) for frame in frames]
    # The last frame stays, so that the result can be seen.
    pause = [max(20, round(1000 * seconds / len(frames)))] * len(others) + [1500]
    first.save(path, save_all=True, append_images=others, duration=pause, loop=0)
    return pathlib.Path(path)
