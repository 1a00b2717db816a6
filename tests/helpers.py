"""What several test files need."""

import html.parser
import pathlib

import pytest
from click import testing

from ganzoo import cli
from ganzoo import runs

ROOT = pathlib.Path(__file__).parents[1]
"""The repository."""


def some_slow(names, others):
    """The test once for each name; for the others only by `pytest -m slow`."""
    slow = [pytest.param(name, marks=pytest.mark.slow) for name in others]
    return pytest.mark.parametrize("name", [*names, *slow])


def call(*words):
    return testing.CliRunner().invoke(cli.main, [str(word) for word in words])


def done(*words):
    result = call(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*words):
    result = call(*words)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    return result.stderr


def run_quietly(model, data, **options):
    """`runs.train` in small batches, with a checkpoint at every epoch and without scores; gives the
    model and what was said."""
    said = []
    options = {"batch_size": 32, "checkpoint_seconds": 0, "score_every": 0, **options}
    return runs.train(model, data, say=said.append, verbose=0, **options), said


def compiled_gradients(layer, shape, jit):
    """A function, compiled on TensorFlow for batches of any size, of the gradients of the summed
    squares of a layer's outputs: to its input and to its weights."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, *shape))], jit_compile=jit)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) ** 2)
        return tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])

    return run


class Page(html.parser.HTMLParser):
    """What a page shows, what it embeds, and what it would fetch."""

    def __init__(self, path):
        super().__init__()
        self.text, self.pictures, self.sounds, self.elsewhere, self.tags = "", [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "xlink:href", "data", "srcset", "action"):
                if value.startswith("data:image/"):
                    self.pictures.append(value)
                elif value.startswith("data:audio/"):
                    self.sounds.append(value)
                elif not value.startswith("#"):
                    self.elsewhere.append(value)

    def handle_data(self, data):
        self.text += data
