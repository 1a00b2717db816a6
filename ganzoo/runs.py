"""Run folders: one training with all that belongs to it, resumable by the same command.

config.json       what was asked for, and with what
metrics.jsonl     one line per epoch
samples/          a grid per epoch, always from the same latents
training.gif      these grids, one after the other
checkpoints/      the newest two, whole models
"""

import json
import pathlib
import sys

import keras
import numpy as np

import ganzoo
from ganzoo import callbacks
from ganzoo import datasets
from ganzoo import images
from ganzoo import weights
from ganzoo import zoo


def default_folder(model, data):
    """`runs/dcgan-digits` for the model `dcgan` and the data `digits`."""
    return pathlib.Path("runs") / f"{model}-{pathlib.Path(data).stem or 'data'}"


def train(
    model,
    data="digits",
    *,
    out=None,
    epochs=60,
    batch_size=64,
    image_size=None,
    data_dir=None,
    on_error="raise",
    seed=0,
    arguments=None,
    samples=64,
    say=print,
    verbose="auto",
):
    """Train a model of the zoo in a run folder; go on where an earlier call was interrupted.

    Args:
        model: registry name.
        data, batch_size, image_size, data_dir, on_error: see `ganzoo.datasets.load`.
        out: the run folder; None: `runs/MODEL-DATA`.
        epochs: epochs in all, those of earlier calls included.
        seed: of weights, latents and order.
        arguments: further arguments of the model.
        samples: pictures in a grid.
        say: called with a line of text at each stage.
        verbose: as in Keras's `fit`.

    Returns:
        The trained model.

    Raises:
        ValueError: the folder holds a run with other settings, or an argument is out of range.
        OSError: the folder cannot be written.
    """
    out = pathlib.Path(out) if out is not None else default_folder(model, data)
    arguments = dict(arguments or {})
    cls = zoo.model_class(model)
    network = zoo.get(model, seed=seed, **arguments)  # finds wrong arguments before data is read
    settings = {
        "model": model,
        "arguments": arguments,
        "data": str(data),
        "batch_size": batch_size,
        "image_size": image_size,
        "seed": seed,
        "on_error": on_error,
    }
    _open(out, settings, epochs)
    ds = datasets.load(
        data,
        image_size=image_size,
        batch_size=batch_size,
        labels=network.num_classes is not None,
        seed=seed,
        data_dir=data_dir,
        on_error=on_error,
    )
    done, network = _resume(out, cls, network, say)
    if done is None:
        done = 0
        if network.num_classes is not None and "num_classes" not in arguments and ds.class_names:
            network = zoo.get(model, seed=seed, num_classes=len(ds.class_names), **arguments)
    if done >= epochs:
        say(f"{out} has {done} epochs already. For more: --epochs {done + epochs}")
        return network
    say(f"Training {model} on {data}, epochs {done + 1} to {epochs}, in {out}")
    try:
        network.fit(
            ds,
            epochs=epochs,
            initial_epoch=done,
            verbose=verbose,
            callbacks=[
                callbacks.MetricsLog(out / "metrics.jsonl"),
                callbacks.SampleGrid(out / "samples", n=samples, seed=seed),
                callbacks.Checkpoints(out / "checkpoints"),
            ],
        )
    finally:  # also when interrupted: what there is, is worth seeing
        grids = sorted((out / "samples").glob("epoch-*.png"))
        if grids:
            images.save_gif(grids, out / "training.gif")
    say(f"Samples: {grids[-1]}")
    say(f"The training as an animation: {out / 'training.gif'}")
    return network


def _open(out, settings, epochs):
    """Make the folder, or check that it holds a run of the same settings."""
    path = out / "config.json"
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))["settings"]
        except (ValueError, KeyError):
            raise ValueError(
                f"{str(path)!r} is damaged. Choose another folder with --out."
            ) from None
        asked = json.loads(json.dumps(settings))
        differing = [k for k in asked if before.get(k) != asked[k]]
        if differing:
            changes = ", ".join(f"{k} was {before.get(k)!r}, not {asked[k]!r}" for k in differing)
            raise ValueError(
                f"{str(out)!r} holds a run with other settings: {changes}. Choose another folder "
                "with --out, or give the settings of that run to go on with it."
            )
    elif out.is_dir() and any(out.iterdir()):
        raise ValueError(
            f"{str(out)!r} is not empty and no run folder. Choose another folder with --out."
        )
    config = {
        "settings": settings,
        "epochs": epochs,
        "command": sys.argv,
        "versions": {
            "ganzoo": ganzoo.__version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
            "python": sys.version.split()[0],
        },
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        callbacks.write_atomically(path, json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise OSError(
            f"The run folder {str(out)!r} cannot be written: {error.strerror}. Choose another with "
            "--out."
        ) from None


def _resume(out, cls, network, say):
    """`(epochs done, model)` from the newest checkpoint that is whole; None if there is none."""
    for path in sorted((out / "checkpoints").glob("epoch-*.keras"), reverse=True):
        try:
            weights.read(path)
            return int(path.stem.split("-")[1]), keras.saving.load_model(path)
        except Exception as error:
            say(f"{path} is damaged ({type(error).__name__}); trying the one before.")
    return None, network
