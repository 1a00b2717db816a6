"""Checks of arguments. Each error names the argument, the value received and the fix."""

import difflib
import math
import numbers


def unknown(kind, name, allowed, error=ValueError):
    """An error for a name that is not among `allowed`, with the nearest matches first."""
    allowed = sorted(map(str, allowed))
    lower = str(name).lower()
    near = [lower] if lower in allowed else difflib.get_close_matches(lower, allowed, cutoff=0.6)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    listed = f"Known: {', '.join(allowed)}." if len(allowed) <= 40 else f"{len(allowed)} are known."
    return error(f"Unknown {kind}: {name!r}.{hint} {listed if allowed else 'None is known.'}")


def one_of(name, value, allowed):
    """`value`, if it is among `allowed`."""
    if value not in allowed:
        raise unknown(f"value of `{name}`", value, allowed)
    return value


def integer(name, value, *, least=1):
    """`value` as an int, if it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"`{name}` must be a whole number of at least {least}. Received: {value!r}."
        )
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}. Received: {value}.")
    return int(value)


def optional(check, name, value, **bounds):
    """None if `value` is None, otherwise `check(name, value)`."""
    return value if value is None else check(name, value, **bounds)


def known_to_json(value):
    """`value`, or the text of a float that JSON lacks: "inf", "-inf" or "nan"."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def integers(name, values, *, least=1):
    """`values` as a tuple of ints, if it is a list of whole numbers of at least `least`."""
    if not isinstance(values, (list, tuple)):
        example = values if isinstance(values, numbers.Integral) else max(least, 1)
        raise TypeError(
            f"`{name}` must be a list of whole numbers, such as ({example},). Received: {values!r}."
        )
    return tuple(integer(name, value, least=least) for value in values)


def real(name, value, *, least=None, above=None, most=None, below=None):
    """`value` as a float, if it lies within the bounds given."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"`{name}` must be a number. Received: {value!r}.")
    bounds = [
        (least is not None and not value >= least, f"at least {least}"),
        (above is not None and not value > above, f"greater than {above}"),
        (most is not None and not value <= most, f"at most {most}"),
        (below is not None and not value < below, f"less than {below}"),
        (not math.isfinite(value), "finite"),
    ]
    for failed, wanted in bounds:
        if failed:
            raise ValueError(f"`{name}` must be {wanted}. Received: {value}.")
    return float(value)


def channels_last(shape):
    """Raise a `ValueError` if the shape of an image, `(channels, height, width)`, has its axes in
    PyTorch's order."""
    if len(shape) == 3 and shape[0] in (1, 3, 4) and shape[2] > 4 and shape[1] > 4:
        raise ValueError(
            f"Images must have shape (height, width, channels). Received {tuple(shape)}, which has "
            "the channels first, as in PyTorch. Move them to the end: `images.transpose(0, 2, 3, "
            "1)` for an array, `ds.map(lambda x: tf.transpose(x, (0, 2, 3, 1)))` for a `tf.data` "
            "data set of batches."
        )


def image_batch(name, value, shape):
    """Raise a `ValueError` unless `shape` is that of a batch of images, which the argument `name`
    works on."""
    if len(shape) != 4:
        raise ValueError(
            f"`{name}={value!r}` changes images, (batch, height, width, channels). Received: "
            f"{shape}. Leave `{name}` out."
        )


def doubtful_range(images):
    """A warning if float images seem to lie in [0, 1] instead of [-1, 1], otherwise None."""
    if images.dtype.kind != "f" or not images.size:
        return None
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1 and high - low >= 0.1):
        return None
    return (
        "The images are floats in [0, 1], and models take floats in [-1, 1]. Scale them with "
        "`images * 2 - 1`, or pass uint8."
    )


def to_uint8(dtype):
    """The code that converts images of this dtype to uint8."""
    if dtype == "bool":
        return "`images * np.uint8(255)`"
    if dtype == "uint16":
        return (
            "`np.uint8(images // 257)` for values from 0 to 65535, `np.uint8(images // 16)` for 12 "
            "bits, from 0 to 4095"
        )
    if dtype in ("complex64", "complex128"):
        return "`abs(images)`, scaled to -1..1"
    return (
        "`images.astype('uint8')` if its values lie in 0..255; otherwise "
        "`ganzoo.datasets.load(images, value_range=(low, high))` scales them"
    )


def same_shape(images, targets):
    """Raise a `ValueError` if the images of two domains differ in shape."""
    if images != targets:
        argument = "image_size" if images[:2] != targets[:2] else "channels"
        raise ValueError(
            "The images of both domains must have the same shape. Received "
            f"{' and '.join('×'.join(map(str, shape)) for shape in (images, targets))}: load them "
            f"with `ganzoo.datasets.load_pair(…, {argument}=…)`."
        )
