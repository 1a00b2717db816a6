"""Batches of samples, from a model, an array or a data set."""

import hashlib
import warnings

import keras
import numpy as np

from ganzoo import datasets
from ganzoo import extractors
from ganzoo import validation
from ganzoo.modalities import Images
from ganzoo.modalities import kind_of


def are_samples(model):
    return not isinstance(model, keras.Model) and not hasattr(model, "generate_batches")


def who(model):
    if are_samples(model):
        return {"model": "samples", "weights_sha256": None}
    samples = hasattr(model, "generate_batches")
    live = getattr(model, model.sampling_network if samples else "generator")
    used = model.sampler if samples else model.in_use("generator")
    return {
        "model": getattr(model, "registry_name", type(model).__name__),
        "weights_sha256": weights_hash(used),
        "generator": "live" if used is live else "averaged",
    }


def weights_hash(network: keras.Model) -> str:
    """SHA-256 of all weights of a network, in its order, in hexadecimal."""
    digest = hashlib.sha256()
    for array in network.get_weights():
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def load_data(batch_size, verbose, class_names, name, **settings):
    """A data set by name, with labels if it has them, however few images it holds."""
    for labels in (True, False):
        for size in (batch_size, 1):
            names = class_names if labels else None
            try:
                # Warnings are shown once, not in each attempt.
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    ds = datasets.load(
                        name,
                        labels=labels,
                        class_names=names,
                        batch_size=size,
                        verbose=verbose,
                        **settings,
                    )
            except ValueError as error:
                last = error
                continue
            for warning in caught:
                warnings.warn(warning.message, stacklevel=5)
            return ds
    raise last


def splits(name, load):
    """`(test, train)` of a data set by name; `(train, None)` if there is no test split."""
    train = load(name, split="train")
    try:
        return load(name, split="test"), train
    except ValueError as error:
        if "split" not in str(error):  # the split exists, and cannot be read
            raise
        return train, None


def batches_of(data):
    """NumPy batches `(images, labels)` of any data that `fit` takes; images as uint8."""
    doubt = None
    for batch in _iterable(data):
        batch = batch if isinstance(batch, (tuple, list)) else (batch,)
        images, labels = (*map(np.asarray, batch), None)[:2]
        if images.size:
            yield quantised(images), labels
        if doubt is None:
            doubt = kind_of(images.shape[1:]).doubt(images)
            if doubt is not None:
                warnings.warn(doubt, stacklevel=2)


def first(batches, most):
    """The first `most` examples of batches of tuples; all of them if it is None."""
    for batch in batches:
        if most is None:
            yield batch
            continue
        yield tuple(None if x is None else x[:most] for x in batch)
        most -= len(batch[0])
        if most <= 0:
            return


def _iterable(data):
    """The batches of a data set, or batches of arrays."""
    if isinstance(data, keras.utils.PyDataset):
        return map(data.__getitem__, range(len(data)))
    if hasattr(data, "shape") or (isinstance(data, tuple) and hasattr(data[0], "shape")):
        columns = data if isinstance(data, tuple) else (data,)
        return (
            tuple(np.asarray(c[i : i + 1000]) for c in columns)
            for i in range(0, len(columns[0]), 1000)
        )
    if isinstance(data, str) or not hasattr(data, "__iter__"):
        raise TypeError(
            "Pass images as a data set, such as from `ganzoo.datasets.load`, as an array, or as a "
            f"pair (images, labels). Received: {data if isinstance(data, str) else type(data)!r}."
        )
    return data


def grouped(batches, size=extractors.BATCH):
    """The same images in batches of multiples of `size`, for extractors; then the rest."""
    held, count = [], 0
    for batch in batches:
        held.append(batch)
        count += len(batch[0])
        if count >= size:
            joined, whole = _joined(held), count - count % size
            yield tuple(None if x is None else x[:whole] for x in joined)
            held, count = [tuple(None if x is None else x[whole:] for x in joined)], count - whole
    if count:
        yield _joined(held)


def _joined(batches):
    shapes = {batch[0].shape[1:] for batch in batches}
    if len(shapes) > 1:
        raise ValueError(
            f"Images must have one shape. Received {' and '.join(map(str, sorted(shapes)))}: "
            "resize them, `ganzoo.datasets.load(…, image_size=…)`."
        )
    return tuple(None if x[0] is None else np.concatenate(x) for x in zip(*batches))


def shape_of(data):
    """The shape of one image in an array or a pair with labels, otherwise None."""
    images = data[0] if isinstance(data, tuple) and data else data
    return list(images.shape[1:]) if hasattr(images, "shape") else None


def must_agree(kind, data, description):
    """Raise a `ValueError` unless data is of a model's kind, as far as both are known.

    Args:
        kind: the `Modality` of the model, or None.
        data, description: see `ganzoo.evaluation.Evaluator`.
    """
    if kind is None:
        return
    kind.adapt(description)
    shape = shape_of(data)
    if shape:
        kind.check_shape(tuple(shape))


def quantised(images):
    """Examples as samples are: images as uint8, sounds as int16, with floats in [-1, 1] rounded as
    `generate` does; points as they are."""
    if images.ndim == 2 and images.dtype.kind == "f":
        return images
    if images.ndim == 3 and images.shape[2] in (1, 2) and images.dtype != np.uint8:
        kind = kind_of(images.shape[1:])
        kind.check_shape(images.shape[1:])
        kind.check_dtype(images.dtype.name)
        kind.check_values(images)
        return images if images.dtype.name == kind.dtype else kind.from_network(images)
    if images.ndim != 4:
        raise ValueError(
            "Images must have the shape (n, height, width, channels). Received shape "
            f"{images.shape}: add a channel axis to grey ones by `images[..., None]`."
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        bad = int((~np.isfinite(images).all(axis=(1, 2, 3))).sum())
        raise ValueError(
            f"{bad} of {len(images)} images of a batch contain NaN or infinity: leave them out, or "
            "train their model again, with a smaller learning rate."
        )
    validation.channels_last(images.shape[1:])
    if images.dtype.kind != "f" or not (images.min() >= -1.001 and images.max() <= 1.001):
        mend = "`images / 127.5 - 1`" if images.dtype.kind == "f" else ""
        raise ValueError(
            "Images must be uint8 in 0..255 or float in [-1, 1]. Received "
            f"{images.dtype} from {images.min():g} to {images.max():g}: scale them, with "
            f"{mend or validation.to_uint8(images.dtype.name)}."
        )
    return Images().from_network(images)
