"""How near convolutions and resizing come to the limits of the processor, and their equivalents.

    python benchmarks/operations.py
    python benchmarks/operations.py 1d depthwise --precision bfloat16 --forms Keras ganzoo

Each operation runs forward, to its inputs and to its weights: Keras's own, ganzoo's, and what was
considered. All of an operation take turns with a large matrix product in the same precision and
with a copy of memory. The limit of an operation is its work at the speed of the product, or the
size of its inputs, weights and outputs at the speed of the copy, whichever takes longer. On
TensorFlow on a CPU only. Results go to `benchmarks/results/operations.csv`.
"""

import argparse
import functools
import math
import sys

import candidates
import keras
import measure
import tensorflow as tf

from ganzoo import backend
from ganzoo.backend import tensorflow_kernels as fast

KINDS = ("forward", "to inputs", "to weights")
SIDE = 2048  # of the matrix product
COPY = 64 * 2**20  # numbers in the copy


class Operation:
    """An operation with all its forms.

    Args:
        shape: of an example.
        kernel: its shape; None if there is none.
        forms: functions of the inputs, and of the kernel if there is one, by name.
        places: how often an example uses each number of the kernel, or what the operation takes
            without a kernel, in multiplications.
    """

    def __init__(self, shape, kernel, places, forms):
        self.shape, self.kernel, self.forms = shape, kernel, forms
        self.work = 2 * places * (math.prod(kernel) if kernel else 1)

    def contenders(self, batch, dtype, names):
        """`{(form, kind): compiled function}`, and the numbers that each has to move."""
        draw = lambda shape: tf.cast(tf.random.normal(shape, stddev=0.1), dtype)
        inputs = [draw((batch, *self.shape))] + ([draw(self.kernel)] if self.kernel else [])
        found, outputs = {}, None
        for name, form in self.forms.items():
            if names and name not in names:
                continue
            if outputs is None:
                outputs = draw(form(*inputs).shape)
            for kind, run in zip(KINDS, _kinds(form, inputs, outputs)):
                try:
                    run.get_concrete_function()
                except TypeError:  # Keras's own, of antialiasing in bfloat16
                    continue
                found[name, kind] = run
        return found, sum(math.prod(x.shape) for x in (*inputs, outputs))


def _kinds(form, inputs, cotangent):
    """A form's forward pass, and its gradients to each of its arguments, compiled."""

    def gradient(target):
        # A linear function's gradient needs no forward pass: TensorFlow leaves it out.
        with tf.GradientTape() as tape:
            tape.watch(target)
            y = form(*inputs)
        return tape.gradient(y, target, output_gradients=cotangent)

    functions = [lambda: form(*inputs)]
    functions += [functools.partial(gradient, target) for target in inputs]
    return [tf.function(function, autograph=False) for function in functions]


def _strided_forms(dimensions, stride, plain, quick, blocks, columns):
    """Forms of a convolution, or of its transpose, with padding "same"."""
    config = (stride,) * dimensions, "same"
    form = lambda function: lambda x, kernel: function(x, kernel, *config)
    forms = {
        "Keras": form(plain),
        "ganzoo": or_else(form(quick), form(plain)),
        "blocks": form(blocks),
    }
    return {**forms, "columns": form(columns)} if dimensions == 1 else forms


def strided(shape, size, width, stride):
    """A convolution with padding "same"."""
    *sides, channels = shape
    forms = _strided_forms(
        len(sides),
        stride,
        keras.ops.conv,
        fast.strided_conv,
        candidates.strided_blocks,
        candidates.columns,
    )
    places = math.prod(side // stride for side in sides)
    return Operation(shape, (*[size] * len(sides), channels, width), places, forms)


def transposed(shape, size, width, stride):
    """A transposed convolution with padding "same"."""
    *sides, channels = shape
    forms = _strided_forms(
        len(sides),
        stride,
        keras.ops.conv_transpose,
        fast.strided_conv_transpose,
        candidates.strided_blocks_transpose,
        candidates.columns_transpose,
    )
    return Operation(shape, (*[size] * len(sides), width, channels), math.prod(sides), forms)


def or_else(function, plain):
    """`function`, and `plain` where it returns None."""

    def run(*inputs):
        found = function(*inputs)
        return plain(*inputs) if found is None else found

    return run


def depthwise(side, channels, size):
    """A convolution of each channel by itself."""
    plain = lambda x, kernel: keras.ops.depthwise_conv(x, kernel, 1, "same")
    forms = {
        "Keras": plain,
        "ganzoo": or_else(lambda x, k: fast.depthwise_conv(x, k, (1, 1), "same"), plain),
        "blocks": lambda x, kernel: candidates.blocks(x, kernel, "same"),
    }
    return Operation((side, side, channels), (size, size, channels, 1), side**2, forms)


def grouped(side, channels, groups):
    """A 3×3 convolution of groups of channels."""
    form = lambda function, *args: lambda x, kernel: function(x, kernel, groups, *args)
    plain = lambda x, kernel: keras.ops.conv(x, kernel, 1, "same")
    forms = {
        "Keras": plain,
        "ganzoo": lambda x, kernel: backend.grouped_conv(plain, x, kernel, groups),
        "4 at once": form(candidates.grouped, 4),
        "all at once": form(candidates.grouped, groups),
        "columns": form(candidates.grouped_columns),
    }
    kernel = (3, 3, channels // groups, channels)
    return Operation((side, side, channels), kernel, side**2, forms)


def resize(work, side, channels, interpolation, antialias, factor, others):
    """A change of the size of images; `work`: multiplications for each number of the input."""
    config = (interpolation, antialias, factor)
    forms = {
        "Keras": candidates.keras_resize(*config),
        "ganzoo": candidates.ganzoo_resize(*config),
        "matrices": candidates.matrices(*config),
        **others,
    }
    return Operation((side, side, channels), None, work * side**2 * channels, forms)


OPERATIONS = {
    # WaveGAN's, from sound to logits and from latents to sound.
    "1d, 16384×1 to 64": lambda: strided((16384, 1), 25, 64, 4),
    "1d, 4096×64 to 128": lambda: strided((4096, 64), 25, 128, 4),
    "1d, 256×256 to 512": lambda: strided((256, 256), 25, 512, 4),
    "1d, 64×512 to 1024": lambda: strided((64, 512), 25, 1024, 4),
    "1d transpose, 16×1024 to 512": lambda: transposed((16, 1024), 25, 512, 4),
    "1d transpose, 256×256 to 128": lambda: transposed((256, 256), 25, 128, 4),
    "1d transpose, 4096×64 to 1": lambda: transposed((4096, 64), 25, 1, 4),
    # Of 16 frames.
    "3d, 16×64×64×3 to 64": lambda: strided((16, 64, 64, 3), 4, 64, 2),
    "3d, 8×32×32×64 to 128": lambda: strided((8, 32, 32, 64), 4, 128, 2),
    "3d, 2×8×8×256 to 512": lambda: strided((2, 8, 8, 256), 4, 512, 2),
    "3d transpose, 1×4×4×512 to 256": lambda: transposed((1, 4, 4, 512), 4, 256, 2),
    "3d transpose, 4×16×16×128 to 64": lambda: transposed((4, 16, 16, 128), 4, 64, 2),
    "3d transpose, 8×32×32×64 to 3": lambda: transposed((8, 32, 32, 64), 4, 3, 2),
    "depthwise, 3×3, 64×64×192": lambda: depthwise(64, 192, 3),
    "depthwise, 5×5, 64×64×192": lambda: depthwise(64, 192, 5),
    "grouped, 16 groups, 32×32×256": lambda: grouped(32, 256, 16),
    "up, nearest, 64×64×128": lambda: resize(
        0,
        64,
        128,
        "nearest",
        False,
        2.0,
        {"tiled": candidates.tiled, "repeated": candidates.repeated},
    ),
    "up, bilinear, 64×64×128": lambda: resize(
        12, 64, 128, "bilinear", False, 2.0, {"stencil": candidates.stencil_up}
    ),
    "down, nearest, 64×64×128": lambda: resize(
        0, 64, 128, "nearest", False, 0.5, {"picked": candidates.picked}
    ),
    "down, bilinear, 64×64×128": lambda: resize(
        1, 64, 128, "bilinear", False, 0.5, {"pooled": candidates.pooled}
    ),
    "down, antialiased, 64×64×128": lambda: resize(
        3, 64, 128, "bilinear", True, 0.5, {"stencil": candidates.stencil_down}
    ),
}


def repeated(function):
    """A function that calls `function` n times and discards its outputs."""

    def run(n):
        for _ in range(n):
            function()

    return run


def limits(dtype):
    """A matrix product and a copy, by name."""
    draw = lambda *shape: tf.random.normal(shape)
    a, memory = tf.cast(draw(SIDE, SIDE), dtype), draw(COPY)
    runs = {"product": lambda: tf.matmul(a, a), "copy": lambda: memory + 1.0}
    return {name: tf.function(run, autograph=False) for name, run in runs.items()}


def rows_of(name, batch, dtype, forms, steps, rounds):
    """The rows of an operation."""
    operation = OPERATIONS[name]()
    functions, numbers = operation.contenders(batch, dtype, forms)
    contenders = {**limits(dtype), **functions}
    contenders = {key: measure.timed(repeated(run)) for key, run in contenders.items()}
    seconds, _ = measure.take_turns(contenders, steps, rounds)
    product = 2 * SIDE**3 / measure.middle(seconds["product"])[0]
    copy = 2 * 4 * COPY / measure.middle(seconds["copy"])[0]
    work = batch * operation.work
    least = max(work / product, numbers * tf.as_dtype(dtype).size / copy)
    for form, kind in functions:
        taken = measure.middle(seconds[form, kind])[0]
        ratio = spread = math.nan
        if ("Keras", kind) in functions:
            found = measure.ratios(seconds, (form, kind), ("Keras", kind))
            ratio, spread = measure.middle(found)
        yield {
            "operation": name,
            "precision": dtype,
            "kind": kind,
            "form": form,
            "ms": taken * 1e3,
            "share_of_product": work / taken / product,
            "share_of_limit": least / taken,
            "times_as_fast": ratio,
            "ratio_spread": spread,
            "batch": batch,
            "rounds": rounds,
            "product_gflops": product / 1e9,
            "copy_gb_s": copy / 1e9,
            **measure.machine(),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="beginnings of the operations' names; none: all")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--forms", nargs="+", help="such as Keras ganzoo; none: all")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    if backend.accelerated():
        sys.exit("On a GPU TensorFlow would not wait for the operations.")
    for name in OPERATIONS:
        if args.names and not name.startswith(tuple(args.names)):
            continue
        for dtype in args.precision:
            rows = list(rows_of(name, args.batch_size, dtype, args.forms, args.steps, args.rounds))
            measure.show([{k: row[k] for k in list(row)[:9]} for row in rows])
            key = ("operation", "precision", "form", "batch", "machine", "backend")
            measure.save("operations", rows, replace=key)


if __name__ == "__main__":
    main()
