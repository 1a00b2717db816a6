"""Sources from TensorFlow Datasets, with or without a network."""

import contextlib
import io
import logging
import pathlib

import numpy as np

from ganzoo import backend
from ganzoo import validation
from ganzoo.datasets.source import Arrays
from ganzoo.datasets.source import fit

ARCHIVES = (".gz", ".zip", ".tar", ".tgz", ".npz", ".bz2", ".xz")


def load(name, split, image_size, labels, data_dir, built_in, limit):
    """A source of the TensorFlow data set `name`, in memory if it takes at most `limit` bytes."""
    builder = _builder(name, data_dir, built_in)
    _prepare(builder, name, data_dir)
    splits = builder.info.splits
    if split not in splits and "[" not in split and "+" not in split:
        raise validation.unknown(f"split of {name!r}", split, splits)
    features = builder.info.features
    if "image" not in features:
        raise ValueError(f"{name!r} has no images; its features are {', '.join(features)}.")
    if labels and "label" not in features:
        raise ValueError(f"{name!r} has no labels: leave `labels=True` out.")
    return _Examples(builder, split, image_size, labels).settled(limit)


def _builder(name, data_dir, built_in):
    try:
        import tensorflow  # noqa: F401  without it, the next line half succeeds
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"{name!r} is not a file, folder or built-in data set ({', '.join(built_in)}). To look "
            "it up in TensorFlow Datasets, install these: pip install tensorflow "
            f"tensorflow-datasets importlib_resources ({error})"
        ) from None
    home = None if data_dir is None or _archives(name, data_dir) else data_dir
    try:
        return tfds.builder(name, data_dir=home)
    except tfds.core.registered.DatasetNotFoundError:
        raise validation.unknown(
            "data set (and there is no such file or folder)",
            name,
            {*tfds.list_builders(with_community_datasets=False), *built_in},
        ) from None
    except (ValueError, AssertionError) as error:  # no such version or config, or not even a name
        raise ValueError(
            f"{name!r} is neither a file, a folder nor a TensorFlow data set: {error}"
        ) from None


def _archives(name, data_dir):
    """The folder in `data_dir` that holds the data set's original archives, or None."""
    base = pathlib.Path(data_dir).expanduser()
    if not base.is_dir():
        raise FileNotFoundError(f"`data_dir`: there is no folder {str(base)!r}.")
    for folder in (base / name, base / name.replace("_", "-"), base):
        if folder.is_dir() and any(f.suffix in ARCHIVES for f in folder.iterdir()):
            return folder
    return None


def _prepare(builder, name, data_dir):
    import tensorflow_datasets as tfds

    archives = None if data_dir is None else _archives(name, data_dir)
    config = tfds.download.DownloadConfig(manual_dir=archives)
    if archives is not None:
        # A folder of its own: TensorFlow Datasets reuses an unpacked archive of the same name, and
        # those of MNIST and Fashion-MNIST have the same names.
        home = pathlib.Path(builder.data_dir).parents[builder.info.full_name.count("/")]
        config.extract_dir = home / "downloads" / "extracted" / name
    if not builder.is_prepared():
        try:
            # It prints notices to standard output, where a command's own output belongs.
            with contextlib.redirect_stdout(io.StringIO()), _quiet("urllib3"):
                builder.download_and_prepare(download_config=config)
        except Exception as error:
            raise OSError(
                f"The data set {name!r} could not be prepared: {type(error).__name__}: {error}\n"
                "Without a network, put its original archives into a folder and pass that as "
                "`data_dir`."
            ) from error


@contextlib.contextmanager
def _quiet(name):
    """Keep a library's warnings, such as one for each of a hundred retries, off the terminal."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class _Examples:
    """A TensorFlow data set as a source; it cannot be read by index, so it streams by itself."""

    def __init__(self, builder, split, image_size, labels):
        self.builder = builder
        self.split = split
        self.labels = labels
        self.count = builder.info.splits[split].num_examples
        features = builder.info.features
        self.class_names = getattr(features["label"], "names", None) if labels else None
        shape = features["image"].shape
        if image_size is None and None in shape[:2]:
            raise ValueError(
                f"The images of {builder.name!r} have different sizes. Pass `image_size`, for "
                "example 64."
            )
        self.resize = None if image_size in (None, shape[:2]) else image_size
        self.specs = (((*(image_size or shape[:2]), shape[2]), "uint8"),)
        if labels:
            self.specs += (((), "int32"),)

    def __len__(self):
        return self.count

    def settled(self, limit):
        """The examples as arrays if they take at most `limit` bytes, otherwise this stream."""
        if self.count * int(np.prod(self.specs[0][0])) > limit:
            return self
        batches = self._examples().batch(1024).as_numpy_iterator()
        parts = [b if isinstance(b, tuple) else (b,) for b in batches]
        return Arrays(*map(np.concatenate, zip(*parts)), class_names=self.class_names)

    def _examples(self):
        import tensorflow as tf

        resize = backend.host_function(lambda image: fit(image, self.resize), tf.uint8)

        def example(features):
            image = features["image"]
            if self.resize:
                image = resize(image)
            image = tf.ensure_shape(image, self.specs[0][0])
            return (image, tf.cast(features["label"], tf.int32)) if self.labels else image

        ds = self.builder.as_dataset(split=self.split, shuffle_files=False)
        return ds.map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def stream(self, *, batch_size, shuffle, seed):
        return backend.stream_tf_data(
            self._examples(), self.count, batch_size=batch_size, shuffle=shuffle, seed=seed
        )
