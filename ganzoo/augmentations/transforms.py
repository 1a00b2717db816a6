"""The transformations of adaptive augmentation: one resampling for all that moves pixels, and one
linear change of colour for all others.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B. Names,
order and strengths are those of the authors' code.
"""

import math
from collections.abc import Collection

import keras
from keras import ops
from keras import random

from ganzoo import backend
from ganzoo import types

GEOMETRIC = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac")
COLOR = ("brightness", "contrast", "lumaflip", "hue", "saturation")
TRANSFORMS = GEOMETRIC + COLOR
"""Mirror images; quarter turns; shifts by whole pixels; scale; rotation; one-sided scale; shifts by
fractions of a pixel. Brightness; contrast; luma flipped, with the same colours; hue; saturation."""

# A row of random numbers for each image: whether each transformation applies (rotation comes twice,
# before and after the one-sided scale), and by how much.
_APPLIES = (*TRANSFORMS, "rotate_again")
_UNIFORM = ("xflip", "rotate90", "right", "down", "rotate", "rotate_again", "lumaflip", "hue")
_NORMAL = ("scale", "aniso", "xfrac_right", "xfrac_down", "brightness", "contrast", "saturation")


def apply(
    images: types.Tensor,
    p: types.Tensor,
    names: Collection[str],
    seed: keras.random.SeedGenerator,
    pictures: int = 1,
) -> types.Tensor:
    """Apply each transformation to each image with probability p.

    Args:
        images: `(batch, height, width, channels)`, float32 in [-1, 1]. With 3 or 4 channels, the
            first three are red, green and blue.
        p: a number in [0, 1]. At 0 the images stay the same, bit for bit.
        names: some of `TRANSFORMS`.
        seed: draws the random numbers.
        pictures: number of images in an example, one after the other in its channels.

    Returns:
        A tensor of the same shape.
    """
    chances = _Chances(ops.shape(images)[0], p, names, seed)
    if not set(names).isdisjoint(GEOMETRIC):
        images = _resample(images, _map(chances, *images.shape[1:3]))
    if not set(names).isdisjoint(COLOR):
        tints = _tints(chances)
        changed = [_recolored(x, *tints) for x in ops.split(images, pictures, axis=-1)]
        images = ops.concatenate(changed, axis=-1)
    return images


class _Chances:
    """The random numbers for a batch."""

    def __init__(self, count, p, names, seed):
        self.p, self.names = p, names
        shape = (count, len(_APPLIES) + len(_UNIFORM))
        uniform = ops.unstack(backend.drawn(random.uniform, shape, seed=seed), axis=1)
        normal = backend.drawn(random.normal, (count, len(_NORMAL)), seed=seed)
        self._applies = dict(zip(_APPLIES, uniform))
        self.uniform = dict(zip(_UNIFORM, uniform[len(_APPLIES) :]))
        self.normal = dict(zip(_NORMAL, ops.unstack(normal, axis=1)))

    def pick(self, name, value, identity):
        """`value` for the images that a transformation applies to, `identity` for the others."""
        transform = "rotate" if name == "rotate_again" else name
        if transform not in self.names:
            return identity
        # One of the two rotations applies with probability p.
        p = 1.0 - ops.sqrt(1.0 - self.p) if transform == "rotate" else self.p
        return ops.where(self._applies[name] < p, value, identity)

    def choice(self, name, count):
        """A whole number from 0 to `count` - 1."""
        return ops.floor(self.uniform[name] * count)


# Moving pixels ------------------------------------------------------------------------------------


def _map(chances, height, width):
    """From where a pixel comes: `(a, b, c, d, e, f)`, so that `(x, y)` comes from
    `(a x + b y + e, c x + d y + f)`. Coordinates are in pixels from the centre, x to the right and
    y down."""
    uniform, normal, pick = chances.uniform, chances.normal, chances.pick
    result = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    side = pick("xflip", 1.0 - 2.0 * chances.choice("xflip", 2), 1.0)
    result = _then(result, (side, 0.0, 0.0, 1.0))
    quarters = pick("rotate90", chances.choice("rotate90", 4), 0.0)
    # Exactly 0, 1 or -1, unlike the cosine of a multiple of π/2.
    cos, sin = (ops.abs(quarters - turn) - 1.0 for turn in (2.0, 1.0))
    result = _then(result, (cos, -sin, sin, cos))
    shifts = ((uniform["right"], width), (uniform["down"], height))
    right, down = (pick("xint", ops.round((u - 0.5) * 0.25 * side), 0.0) for u, side in shifts)
    result = _then(result, shift=(right, down))
    scale = pick("scale", 2.0 ** (0.2 * normal["scale"]), 1.0)
    result = _then(result, (scale, 0.0, 0.0, scale))
    result = _then(result, _rotation(chances, "rotate"))
    stretch = pick("aniso", 2.0 ** (0.2 * normal["aniso"]), 1.0)
    result = _then(result, (stretch, 0.0, 0.0, 1.0 / stretch))
    result = _then(result, _rotation(chances, "rotate_again"))
    shifts = ((normal["xfrac_right"], width), (normal["xfrac_down"], height))
    right, down = (pick("xfrac", 0.125 * n * side, 0.0) for n, side in shifts)
    return _then(result, shift=(right, down))


def _then(outer, matrix=(1.0, 0.0, 0.0, 1.0), shift=(0.0, 0.0)):
    """`outer` of a linear map with a shift."""
    a, b, c, d, e, f = outer
    p, q, r, s = matrix
    right, down = shift
    linear = a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s
    return (*linear, a * right + b * down + e, c * right + d * down + f)


def _rotation(chances, name):
    angle = _angle(chances, name)
    cos, sin = chances.pick(name, ops.cos(angle), 1.0), chances.pick(name, ops.sin(angle), 0.0)
    return cos, -sin, sin, cos


def _angle(chances, name):
    """From -π to π."""
    return (2.0 * chances.uniform[name] - 1.0) * math.pi


def _resample(images, coefficients):
    """Images whose pixels come from where `_map` says, interpolated between the nearest four;
    beyond the borders the image is mirrored."""
    count, (height, width, depth) = ops.shape(images)[0], images.shape[1:]
    coefficients = [ops.convert_to_tensor(v, "float32") for v in coefficients]
    a, b, c, d, e, f = (ops.reshape(v, (-1, 1, 1)) for v in coefficients)
    middle, centre = (height - 1) / 2, (width - 1) / 2
    y = ops.reshape(ops.arange(height, dtype="float32") - middle, (1, -1, 1))
    x = ops.reshape(ops.arange(width, dtype="float32") - centre, (1, 1, -1))
    rows = _neighbours(c * x + d * y + f + middle, height)
    columns = _neighbours(a * x + b * y + e + centre, width)
    first = ops.reshape(ops.arange(count) * (height * width), (-1, 1, 1))
    places, weights = [], []
    for row, down in rows:
        for column, across in columns:
            places.append(first + row * width + column)
            weights.append(down * across)
    # One gather of all corners, so that its gradient is one scatter.
    corners = ops.take(ops.reshape(images, (-1, depth)), ops.stack(places), axis=0)
    return ops.sum(corners * ops.stack(weights)[..., None], axis=0)


def _neighbours(places, size):
    """The whole numbers below and above each place, mirrored into 0 … `size` - 1, and the weight
    of each."""
    most = max(size - 1, 1)
    places = ops.abs(ops.mod(places + most, 2.0 * most) - most)
    below = ops.floor(places)
    share = places - below
    below = ops.minimum(ops.cast(below, "int32"), size - 1)
    above = ops.minimum(below + 1, size - 1)
    return (below, 1.0 - share), (above, share)


# Changing colours ---------------------------------------------------------------------------------


def _tints(chances):
    """What changes in each image: gain and offset of the luma, and of the rest, by which it is
    scaled in its own direction and across."""
    normal, pick, angle = chances.normal, chances.pick, _angle(chances, "hue")
    brightness = pick("brightness", 0.2 * normal["brightness"], 0.0)
    contrast = pick("contrast", 2.0 ** (0.5 * normal["contrast"]), 1.0)
    flip = pick("lumaflip", 1.0 - 2.0 * chances.choice("lumaflip", 2), 1.0)
    cos, sin = pick("hue", ops.cos(angle), 1.0), pick("hue", ops.sin(angle), 0.0)
    saturation = pick("saturation", 2.0 ** normal["saturation"], 1.0)
    gain, strength = flip * contrast, saturation * contrast
    tints = gain, gain * brightness, strength * cos, strength * sin
    return [ops.reshape(ops.convert_to_tensor(v, "float32"), (-1, 1, 1, 1)) for v in tints]


def _recolored(image, gain, offset, along, across):
    """One image with another luma and other colours.

    Differences are added to the image, so that it stays exactly the same where nothing changes.
    """
    if image.shape[-1] not in (3, 4):
        return image + (gain - 1.0) * image + offset
    color, rest = image[..., :3], image[..., 3:]
    luma = ops.mean(color, axis=-1, keepdims=True)
    chroma = color - luma
    # Hue is a rotation about the axis of grey: its sine goes with the cross product.
    turned = (ops.roll(chroma, 1, axis=-1) - ops.roll(chroma, -1, axis=-1)) / 3**0.5
    color = color + ((gain - 1.0) * luma + offset) + ((along - 1.0) * chroma + across * turned)
    return ops.concatenate([color, rest], axis=-1) if image.shape[-1] > 3 else color
