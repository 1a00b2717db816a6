"""`load` and `load_pair`: data sets as batches."""

import functools
import sys
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
from typing import Any
from typing import Literal

from numpy.typing import ArrayLike

from ganzoo import backend
from ganzoo import datasets
from ganzoo import types
from ganzoo import validation
from ganzoo.datasets import pairs
from ganzoo.datasets.finding import find
from ganzoo.datasets.preparing import check_batch
from ganzoo.datasets.preparing import prepare
from ganzoo.datasets.request import Request
from ganzoo.datasets.request import Source
from ganzoo.datasets.request import check
from ganzoo.datasets.request import name_of
from ganzoo.datasets.request import parse_size


def load(
    source: Source,
    *,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    labels: ArrayLike = False,
    shuffle: bool = True,
    seed: int = 0,
    data_dir: types.Path | None = None,
    channels: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    value_range: tuple[float, float] | None = None,
    class_names: Sequence[str] | None = None,
    sample_rate: int | None = None,
    length: int | None = None,
    verbose: bool = True,
) -> Any:
    """Batches of images or of other examples, ready for `fit`.

    Images travel as `uint8`; the model scales them. Data that fits is decoded once and kept
    in memory (`ganzoo.datasets.CACHE_BYTES`), larger data is read again in every epoch, in
    constant memory. The order is a function of `seed` and of the epoch's number alone.

    One line on standard error says what the data holds: number, size and depth of the images, the
    classes, and what was left out. A warning reports anything that is read differently than its
    files suggest.

    Args:
        source: one of the following. A file or folder that exists comes before a name.

            * `"digits"`: 8×8 grey handwritten digits that come with scikit-learn;
            * `"ring"`, `"grid"`: points, `(batch, 2)` float32: eight Gaussians on a ring, 25 on a
              grid (PacGAN's, scaled into [-1, 1]);
            * `"stacked_mnist"`: three digits of `mnist` as the colours of one image, 1,000 modes
              (PacGAN's; labels 0 … 999); `data_dir` as for `mnist`;
            * a name in TensorFlow Datasets: `"mnist"`, `"fashion_mnist"`, `"cifar10"`, …;
            * a folder or a zip of images of any kind and size, up to 8192×8192 pixels.
              Sub-folders are searched, and links followed; the first level at which the folders
              differ are the classes, in natural order (2 before 10);
            * a folder or a zip of sounds: WAV; with `pip install "ganzoo[sound]"` also FLAC, Ogg
              and others. They become clips of one length and rate, int16;
            * an `.npy` file of images, or an `.npz` file (`images` and `labels`, or `x_train`,
              `y_train`, `x_test`, `y_test`, or `x` and `y`, or one array of any name);
            * an array `(count, height, width[, channels])`, or a pair `(images, labels)`; clips of
              sound are `(count, samples, 1 or 2)`, int16, or float if `sample_rate` is passed.
        split: `"train"`, `"test"` or what the source has. A folder has splits if all its images
            lie in sub-folders called 'train', 'test' or 'validation' (or 'training', 'val', …), or
            if 'train' has one of the others next to it; without splits all of it is `"train"`.
            `digits` keeps every sixth image for `"test"`.
        image_size: side, or `(height, width)`, to which images are brought: scaled to cover it,
            then cut at the centre. None: as they are; images of different sizes are an error.
        batch_size: images in a batch. The last batch may be smaller.
        labels: True: yield `(images, labels)`, labels `(batch,)` int32. For an array of images, the
            array of labels may be passed instead.
        shuffle: visit the images in another order each epoch.
        seed: of the shuffling.
        data_dir: for TensorFlow Datasets: the folder of prepared data sets, or a folder (or its
            sub-folder named after the data set) with the original archives, which are then used
            instead of a download.
        channels: 1, 3 or 4 (with transparency), for folders and zips. None: 1 if all images
            are grey, otherwise 3; transparent images are laid on white. Of sounds: 1, the mean of
            all channels, or 2; None: 2 if any sound is stereo, otherwise 1.
        on_error: `"raise"` at a damaged image, or `"skip"` all such, with a warning.
        value_range: `(low, high)`: the values that become 0 and 255, such as `(0, 4095)` for 12
            bits in 16 and `(0, 1)` for masks. None: 8 and 16 bits have their own range; floats and
            32 bits are taken to have the smallest usual one (0..1, -1..1, 0..255, 0..65535) in
            which all values of the data set lie. Arrays stay as they are.
        class_names: for folders and zips with `labels=True`: the classes in the order of their
            numbers, such as those of a trained model; there may be more than the folder has.
            None: all that the folder has.
        sample_rate: of sounds: samples a second; others are resampled. None: the most frequent.
            Of an array, which is not resampled: its rate.
        length: of sounds: samples in a clip; longer sounds are cut at their end, shorter ones are
            followed by silence. None: the length of all if they have one, otherwise one that holds
            95 of 100 whole. Arrays must have it.
        verbose: print the line that says what the data holds.

    Returns:
        A `tf.data.Dataset` (a `keras.utils.PyDataset` with the same batches where TensorFlow is
        not installed) with the attributes `class_names`, a list, or None; `description`, a
        dict of source, split and size; and `contents`, a summary of what it holds, whose text is
        the line that is printed.

    Raises:
        ValueError: unknown name, no or damaged images, or an argument out of range.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> ds = load("digits", batch_size=32)
    >>> tuple(next(iter(ds)).shape)
    (32, 8, 8, 1)
    """
    request = Request(
        split=split,
        image_size=parse_size(image_size),
        labels=labels,
        data_dir=data_dir,
        channels=channels,
        on_error=on_error,
        value_range=value_range,
        class_names=class_names,
        sample_rate=sample_rate,
        length=length,
    )
    check(batch_size, seed)
    examples = find(source, request)
    examples, contents = prepare(source, request, examples, datasets.CACHE_BYTES, batch_size)
    stream = getattr(examples, "stream", None) or functools.partial(backend.stream, examples)
    ds = stream(batch_size=batch_size, shuffle=shuffle, seed=seed)
    ds.class_names = examples.class_names
    ds.contents = contents
    ds.description = {
        "source": name_of(source),
        "split": split,
        "image_shape": list(examples.specs[0][0]),
        **({} if contents.rate is None else {"sample_rate": contents.rate}),
    }
    if verbose:
        print(contents, file=sys.stderr)
    return ds


def load_pair(
    a: Source,
    b: Source,
    *,
    paired: bool,
    key: Callable[[str], Hashable] | None = None,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
    data_dir: types.Path | None = None,
    channels: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    value_range: tuple[float, float] | None = None,
    verbose: bool = True,
) -> Any:
    """Batches of images from two domains, `(images, targets)`.

    Args:
        a, b: images and targets, each anything that `load` takes.
        paired: True for pairs, as 'pix2pix' learns from. Files are matched by name, and those
            without a partner left out; arrays are matched by index. False for domains without
            pairs, as 'cyclegan' and 'cogan' take: an epoch is as long as the larger one, the
            smaller starts again at its end.
        key: a function from a file's name (its path inside the folder or zip) to what must be the
            same in both domains. None: the name without folders and ending.
        split, image_size, batch_size, shuffle, seed, data_dir: see `load`.
        channels, on_error, value_range, verbose: see `load`.

    Returns:
        As `load`, but `contents` is a pair; `description` has the numbers of images and, if paired,
        of those without a partner.

    Raises:
        ValueError: nothing can be matched, the domains' shapes differ, or as in `load`.
        FileNotFoundError: no file or folder of that name.

    Example:

    >>> digits = next(iter(load("digits", batch_size=200))).numpy()
    >>> ds = load_pair(digits, 255 - digits, paired=True, batch_size=32)
    >>> [tuple(images.shape) for images in next(iter(ds))]
    [(32, 8, 8, 1), (32, 8, 8, 1)]
    """
    request = Request(
        split=split,
        image_size=parse_size(image_size),
        data_dir=data_dir,
        channels=channels,
        on_error=on_error,
        value_range=value_range,
    )
    check(batch_size, seed)
    validation.one_of("paired", paired, (True, False))
    sources = (a, b)
    domains = _find_domains(sources, request)
    counts = [len(domain) for domain in domains]
    if paired:
        domains = pairs.match(*domains, names=(name_of(a), name_of(b)), key=key)
    elif key is not None:
        raise ValueError("`key` matches files: it goes with `paired=True`.")
    examples, contents, limit = [], [], datasets.CACHE_BYTES // 2
    for source, domain in zip(sources, domains):
        prepared = prepare(source, request, domain, limit, batch_size)
        examples.append(prepared[0])
        contents.append(prepared[1])
    check_batch(batch_size, *examples)
    validation.same_shape(*(domain.specs[0][0] for domain in examples))
    ds = backend.stream(
        pairs.together(*examples), batch_size=batch_size, shuffle=shuffle, seed=seed, paired=paired
    )
    ds.class_names = None
    ds.contents = tuple(contents)
    kept = [len(domain) for domain in examples]
    ds.description = {
        "source": name_of(a),
        "targets": name_of(b),
        "split": split,
        "image_shape": list(examples[0].specs[0][0]),
        "paired": paired,
        "pictures": kept,
        "left_out": [count - n for count, n in zip(counts, kept)],
    }
    if verbose:
        print(*contents, sep="\n", file=sys.stderr)
    return ds


def _find_domains(sources, request):
    domains = [find(source, request) for source in sources]
    for source, domain in zip(sources, domains):
        if not hasattr(domain, "read"):
            raise ValueError(
                f"{name_of(source)!r} is too large to be kept in memory and cannot be read by "
                "index. Save its images as files and load that folder."
            )
    return domains
