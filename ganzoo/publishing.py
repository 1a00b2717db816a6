"""From a run to what others can use: weights with everything that belongs beside them."""

import json
import pathlib
import shlex
import shutil

from ganzoo import callbacks
from ganzoo import images
from ganzoo import runs
from ganzoo import tensors
from ganzoo import weights
from ganzoo import zoo

LICENCES = {
    "digits": "CC BY 4.0",
    "mnist": "CC BY-SA 3.0",
    "stacked_mnist": "CC BY-SA 3.0",
    "fashion_mnist": "MIT",
}
"""Of data that ganzoo knows by name, as their sources or Keras's documentation state them."""


def publish(run, out, *, licence=None, data_dir=None, samples=10_000, repeats=1, say=print):
    """Write the folder that makes a run's model public: a repository of the Hugging Face Hub, say.

    It gets `model.safetensors`, which `ganzoo.get(name, weights=folder)` loads; `config.json`, all
    that is known of the run; `scores.json`; pictures; and `README.md`, the model card.

    Args:
        run: the folder of `ganzoo train`.
        out: folder to write; it may be there already, published before.
        licence: of the data. None: what is known of data that has a name.
        data_dir: where TensorFlow Datasets finds or keeps its files.
        samples: samples that are scored. 0: no scores.
        repeats: sets of samples, for error bars.
        say: called with a line of text at each stage.

    Returns:
        What `config.json` says, a dict.

    Raises:
        ValueError: the run has no checkpoint, or `out` holds something else.
        OSError: the folder cannot be written.

    Example:

    >>> publish("runs/dcgan-digits", "dcgan-digits")  # doctest: +SKIP
    """
    run, out = pathlib.Path(run), pathlib.Path(out)
    if out.is_dir() and any(out.iterdir()) and not (out / weights.TENSORS).is_file():
        raise ValueError(
            f"{str(out)!r} is not empty, and not published before. Choose another folder with "
            "--out."
        )
    checkpoint = weights.find(run)
    if checkpoint is None or checkpoint.suffix != ".keras" or not run.is_dir():
        raise ValueError(f"{str(run)!r} is no run folder: name the folder of `ganzoo train`.")
    record = json.loads((run / "config.json").read_text(encoding="utf-8"))
    settings = record["settings"]
    model = zoo.get(settings["model"], weights=checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    with callbacks.replacing(out / weights.TENSORS) as path:
        tensors.write(model, path)
    say(f"Weights: {out / weights.TENSORS}")
    # What others will load, not what the run has: half precision is part of what is scored.
    model = zoo.get(settings["model"], weights=out)
    sheet = None
    if hasattr(model, "generate"):
        images.save_grid(model.generate(64, seed=0), out / "grid.png")
        if samples:
            sheet = _score(settings, out, data_dir, samples, repeats, say)
    else:  # it makes its pictures of others, which the run has shown
        shutil.copy(list(weights.by_epoch(run / "samples", ".png").values())[-1], out / "grid.png")
    arguments = tensors.read_header(out / weights.TENSORS).config
    facts = _facts(run, record, model, arguments, licence, sheet)
    callbacks.write_atomically(out / "config.json", json.dumps(facts, indent=2) + "\n")
    callbacks.write_atomically(out / "README.md", card(facts, (out / "nearest.png").exists()))
    say(f"Model card: {out / 'README.md'}")
    return facts


def _score(settings, out, data_dir, samples, repeats, say):
    """The score sheet, or None where nothing says against what."""
    try:
        sheets = runs.evaluate(
            {"last": (settings["model"], out)},
            settings["data"],
            data_dir=data_dir,
            samples=samples,
            repeats=repeats,
            nearest=out / "nearest.png",
        )
    except ValueError as error:
        say(f"No scores: {error}")
        return None
    sheets["last"].save(out / "scores.json")
    return sheets["last"].to_dict()


def _facts(run, record, model, config, licence, sheet):
    """What is known of a run, as plain data."""
    settings = record["settings"]
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines]
    minutes = lambda key: round(sum(row.get(key, 0.0) for row in log) / 60, 2)
    on_gpu = record["device"]["gpu"]
    domains = [settings["data"], *([settings["to"]] if "to" in settings else [])]
    return {
        "model": settings["model"],
        "config": config,
        "data": {
            "name": " and ".join(pathlib.Path(name).name for name in domains),
            "licence": licence or LICENCES.get(settings["data"], "not stated"),
        },
        "preprocessing": (
            f"brought to {'×'.join(map(str, model.image_shape))}, 0 … 255 scaled to −1 … 1"
        ),
        "epochs": log[-1]["epoch"],
        "cpu_minutes": None if on_gpu else minutes("cpu_seconds"),
        "gpu_minutes": minutes("seconds") if on_gpu else None,
        "device": record["device"]["name"],
        "seed": settings["seed"],
        "versions": record["versions"],
        "scores": sheet["scores"] if sheet else {},
        "passport": sheet["passport"] if sheet else {},
        "command": command(settings, log[-1]["epoch"]),
    }


def command(settings, epochs):
    """The command that makes a run, but for where its data and its folder are."""
    words = ["ganzoo", "train", settings["model"], "--data", pathlib.Path(settings["data"]).name]
    if "to" in settings:
        words += ["--to", pathlib.Path(settings["to"]).name]
    words += ["--epochs", epochs, "--batch-size", settings["batch_size"]]
    size = settings["image_size"]
    if size is not None:
        words += ["--image-size", "x".join(map(str, size)) if isinstance(size, list) else size]
    words += ["--seed", settings["seed"]]
    for key, value in settings["arguments"].items():
        words += ["--set", f"{key}={value!r}"]
    if settings["on_error"] == "skip":
        words.append("--skip-damaged")
    return shlex.join(map(str, words))


CARD = """---
license: other
license_name: {licence}
library_name: keras
tags: [gan, ganzoo, {model}]
---
# {model}, trained on {data}

Made with [ganzoo](https://pypi.org/project/ganzoo/), the GAN zoo for Keras 3.

```python
import ganzoo

model = ganzoo.get("{model}", weights="hf://USER/REPOSITORY")  # or this folder
```

![pictures that it makes](grid.png)

## Data

{data}; licence: {licence}. Pictures were {preprocessing}.

## Training

{epochs} epochs, {minutes}; {device}; {versions}.

    {command}

Its arguments: {arguments}.
{scores}{nearest}"""


def card(facts, has_nearest):
    """The model card, as Markdown with the header that the Hub reads."""
    minutes = [
        f"{facts[key]} {kind} minutes"
        for key, kind in (("cpu_minutes", "CPU"), ("gpu_minutes", "GPU"))
        if facts[key] is not None
    ]
    scores = ""
    if facts["scores"]:
        passport = facts["passport"]
        said = lambda x: "" if x is None else f"{float(x):.4g}"
        rows = "\n".join(
            f"| {name} | {said(score['value'])} | {said(score['floor'])} |"
            for name, score in facts["scores"].items()
        )
        scores = (
            "\n## Scores\n\nThe floor is what real pictures have in place of samples.\n\n"
            f"| score | samples | floor |\n|---|---|---|\n{rows}\n\n{passport['samples']:,} "
            f"samples; all settings are in `scores.json`.\n"
        )
    nearest = (
        "\n## Nearest training pictures\n\nIn turn: a sample, the nearest training picture, and the"
        " nearest held-out one where there is any.\n\n![nearest pictures](nearest.png)\n"
    )
    return CARD.format(
        model=facts["model"],
        data=facts["data"]["name"],
        licence=facts["data"]["licence"],
        preprocessing=facts["preprocessing"],
        epochs=facts["epochs"],
        minutes=", ".join(minutes),
        device=facts["device"],
        versions=", ".join(f"{k} {v}" for k, v in facts["versions"].items()),
        command=facts["command"],
        arguments=", ".join(f"`{k}={v!r}`" for k, v in facts["config"].items()),
        scores=scores,
        nearest=nearest if has_nearest else "",
    )
