"""Data of games: examples with or without labels, or examples of two domains."""

import warnings

import keras
from keras import ops
from keras import random

from ganzoo import backend
from ganzoo import validation


def check_specs(game, specs):
    """Raise a `ValueError` unless `(shape, dtype)` per component are data of this game."""
    if game.paired is not None:
        _check_domains(game, specs)
        return
    if not 1 <= len(specs) <= 2:
        raise ValueError(
            f"The data must yield `images` or `(images, labels)`. Received {len(specs)} components."
        )
    check_examples(game, *specs[0])
    if game.label_range is None:
        if len(specs) == 2 and len(specs[1][0]) > 1:
            raise ValueError(
                f"{type(game).__name__} learns from one array of images. Received two, of "
                f"shapes {specs[0][0]} and {specs[1][0]}: the second must be labels. Join "
                "the images with `np.concatenate([first, second])`, or pass the first alone."
            )
        return
    if len(specs) == 1:
        kind = "is a conditional model and" if game.num_classes else "with classes"
        raise ValueError(
            f"{type(game).__name__} {kind} needs labels: "
            "`fit(images, labels)`, or a data set of `(images, labels)` batches, such as "
            "`ganzoo.datasets.load(…, labels=True)`."
        )
    _check_label_spec(*specs[1])


def check_examples(game, shape, dtype):
    """Raise a `ValueError` unless examples of this shape and dtype can be trained on."""
    game.check_image_shape(shape)
    game.modality_of(shape).check_dtype(dtype)


def _check_label_spec(shape, dtype):
    if shape:
        mend = "labels.argmax(axis=-1)" if shape != (1,) else "labels[:, 0]"
        raise ValueError(
            "Labels must be one whole number per image, of shape (batch,). Received shape "
            f"(batch, {', '.join(map(str, shape))}): pass `{mend}`."
        )
    if "int" not in dtype:
        raise ValueError(
            f"Labels must be whole numbers. Received {dtype}: pass `labels.astype('int32')`."
        )


def _check_domains(game, specs):
    if len(specs) != 2 or len(specs[1][0]) < 2:
        raise ValueError(
            f"{type(game).__name__} takes images of two domains: `fit(images, targets)`, or "
            "a data set of `(images, targets)` batches, such as "
            f"`ganzoo.datasets.load_pair(a, b, paired={game.paired})`. Received examples of "
            f"{' and '.join(str(shape) for shape, _ in specs)}."
        )
    for shape, dtype in specs:
        check_examples(game, shape, dtype)
    validation.same_shape(*(shape for shape, _ in specs))


def check_values(game, arrays):
    """Raise a `ValueError` unless one batch, a NumPy array per component, is in range."""
    examples = arrays if game.paired is not None else arrays[:1]
    for x in examples:
        game.modality_of(x.shape[1:]).check_values(x)
        warn_of_doubts(game, x)
    allowed = game.label_range
    if allowed is not None:
        low, high = int(arrays[1].min()), int(arrays[1].max())
        if low not in allowed or high not in allowed:
            name = "classes" if game.num_classes is None else "num_classes"
            raise ValueError(
                f"Labels must lie in {allowed[0]}..{allowed[-1]} ({name}={allowed.stop}). "
                f"Received labels from {low} to {high}."
            )


def warn_of_doubts(game, examples):
    """Warn of values that are probably a mistake, once in a `fit`."""
    if game._has_warned:
        return
    # Once known, it judges images of any size, as upscalers take them.
    modality = game.modality or game.modality_of(examples.shape[1:])
    doubt = modality.doubt(examples)
    if doubt is not None:
        game._has_warned = True
        warnings.warn(doubt, stacklevel=3)


def prepare(game, data):
    """The batch that losses see, from what the data set yields, inside the step."""
    first, second = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
    first = first[0] if isinstance(first, (tuple, list)) else first
    examples = game.modality.preprocess(first)
    targets = () if game.paired is None else (game.modality.preprocess(second),)
    if game.flip and not game._judging:
        examples, *targets = _flipped(game, examples, *targets)
    # "images" is the key that models outside the zoo read before there were other kinds of data.
    batch = {"examples": examples, "images": examples}
    if game.paired is not None:
        batch["targets"] = targets[0]
    elif game.label_range is not None:
        batch["labels"] = ops.cast(second, "int32")
    return {**batch, **game.derive(batch)}


def check_flip(flip, kind=None):
    """Raise a `ValueError` unless `flip` is a choice, and examples of this kind can be mirrored."""
    if flip not in (True, False):
        raise ValueError(
            f"`flip` is True or False. Received: {flip!r}. `ganzoo.datasets.mirrored(data).safe` "
            "tells which; 'auto' is for `ganzoo train` and `ganzoo.runs.train`, which ask it."
        )
    if flip and kind is not None and kind.size is None:
        raise ValueError(
            f"`flip=True` mirrors images. Received {kind.name} of {kind.describe()}. Leave `flip` "
            "out."
        )


def _flipped(game, *domains):
    """Half of the examples mirrored, drawn for each; those of paired domains together."""
    flipped, draw = [], None
    for images in domains:
        if draw is None or not game.paired:
            shape = (ops.shape(images)[0], 1, 1, 1)
            draw = backend.drawn(random.uniform, shape, seed=game.seed_generator)
        flipped.append(ops.where(draw < 0.5, images, ops.flip(images, axis=2)))
    return flipped


def batch_spec(game, batch_size):
    """Shapes and dtypes of what `prepare` returns."""
    examples, data = game.modality.spec(batch_size), ()
    if game.paired is not None:
        data = (examples,)
    elif game.label_range is not None:
        data = (keras.KerasTensor((batch_size,), "int32"),)
    batch = backend.trace(game.prepare, (examples, *data))
    spec = lambda x: keras.KerasTensor(x.shape, keras.backend.standardize_dtype(x.dtype))
    return keras.tree.map_structure(spec, batch)
