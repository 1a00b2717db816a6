"""What a process that goes on for days must not gather: models, graphs, open files, threads."""

import gc
import os
import pathlib
import weakref

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import callbacks
from tests.cases import CASES

CYCLES = 2


def held():
    """Open files, threads, and graphs that TensorFlow has traced."""
    gc.collect()
    own = pathlib.Path("/proc/self")
    if not own.is_dir():
        pytest.skip("there is no /proc to look into")
    return {
        "files": len(os.listdir(own / "fd")),
        "threads": len(os.listdir(own / "task")),
        "graphs": sum(type(x).__name__ == "FuncGraph" for x in gc.get_objects()),
    }


def cycle(name, folder, seed):
    """Everything that one does with a model; returns a weak reference to it."""
    images = np.random.default_rng(seed).integers(0, 256, (32, 8, 8, 1), "uint8")
    model = ganzoo.get(name, seed=seed, **CASES[name].config)
    watching = [
        callbacks.SampleGrid(folder / "samples", n=4),
        callbacks.MetricsLog(folder / "metrics.jsonl"),
        callbacks.Checkpoints(folder / "checkpoints", seconds=0),
    ]
    ds = ganzoo.datasets.load(images, batch_size=8)
    model.fit(ds, epochs=1, verbose=0, callbacks=watching)
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    scoring = {"metrics": ("diversity",), "extractor": "pixels", "samples": 16, "repeats": 1}
    ganzoo.evaluate(again, images, **scoring)
    return weakref.ref(model)


def test_what_was_used_is_given_back(tmp_path):
    cycle("dcgan", tmp_path, 0)  # what is made once, such as pools of threads
    before = held()
    models = [cycle("dcgan", tmp_path, seed) for seed in range(1, 1 + CYCLES)]
    after = held()
    assert [model() for model in models] == [None] * CYCLES
    # What leaks, leaks in each cycle; a pool may still have taken its last thread.
    assert {k: after[k] - before[k] < CYCLES for k in after} == dict.fromkeys(after, True), (
        before,
        after,
    )


def test_saving_again_makes_nothing_new(tmp_path, monkeypatch):
    """Keras makes an optimizer at each save, of which TensorFlow never lets go."""
    model = ganzoo.get("vanilla", **CASES["vanilla"].config, image_shape=(8, 8, 1))
    model.save(tmp_path / "model.keras")
    made = []
    monkeypatch.setattr(keras.Variable, "__init__", lambda *args, **kwargs: made.append(args))
    model.save(tmp_path / "model.keras")
    assert made == []
