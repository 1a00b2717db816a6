"""Publishes a run: its weights, with scores, samples and a model card."""

import dataclasses
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from ganzoo import extractors
from ganzoo import runs
from ganzoo import types
from ganzoo import validation
from ganzoo import zoo
from ganzoo.evaluation import ScoreSheet
from ganzoo.files import atomic
from ganzoo.files import safetensors
from ganzoo.files import texts
from ganzoo.files.published_folder import PublishedFolder
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import place_of
from ganzoo.runs import commands
from ganzoo.zoo.catalogue import number
from ganzoo.zoo.catalogue import remarks
from ganzoo.zoo.catalogue import time_of

LICENCES = {
    "digits": "CC BY 4.0",
    "mnist": "CC BY-SA 3.0",
    "stacked_mnist": "CC BY-SA 3.0",
    "fashion_mnist": "MIT",
}
"""Licences of data that ganzoo knows by name, as their sources or Keras's documentation state."""


def publish(
    run: types.Path,
    out: types.Path,
    *,
    licence: str | None = None,
    data_dir: types.Path | None = None,
    samples: int = 10_000,
    repeats: int = 1,
    extractor: str | Callable | None = None,
    say: Callable[[str], object] = texts.say,
) -> dict[str, Any]:
    """Write a folder to publish a run's model, for example as a Hugging Face Hub repository.

    It gets `model.safetensors`, which `ganzoo.get(name, weights=folder)` loads; `config.json`, the
    record of the run; `scores.json`; images; and `README.md`, the model card.

    Args:
        run: the folder of `ganzoo train`.
        out: folder to write; it may exist if it was published before.
        licence: licence of the data. None: that of a named data set.
        data_dir: where TensorFlow Datasets finds or keeps its files.
        samples: number of samples to score. 0: no scores.
        repeats: sets of samples, for error bars.
        extractor: the extractor of the scores: see `ganzoo.metrics.extractor`. None: the one that
            goes with the data.
        say: called with a line of text at each stage.

    Returns:
        The contents of `config.json`, a dict.

    Raises:
        ValueError: the run has no checkpoint, its records are damaged, or `out` holds something
            else.
        OSError: the folder cannot be written.

    Example:

    >>> publish("runs/dcgan-digits", "dcgan-digits")  # doctest: +SKIP
    """
    folder, published = RunFolder(run), PublishedFolder(out)
    validation.integer("samples", samples, least=0)
    validation.integer("repeats", repeats)
    if extractor is not None:  # a wrong name fails before anything is removed
        extractor = extractors.extractor(extractor)
    _check(published)
    epoch, checkpoint = _newest(folder)
    facts = _facts(folder, epoch, licence)
    model = _write_weights(facts, checkpoint, published)
    say(f"Weights: {published.tensors}")
    _write_grid(model, folder, published)
    if samples and hasattr(model, "generate"):
        settings = {"samples": samples, "repeats": repeats, "extractor": extractor}
        facts |= _score(facts, folder, published, say, data_dir=data_dir, **settings)
    describe(facts, published.path)
    say(f"Model card: {published.card}")
    return facts


def _newest(run):
    """`(epoch, path)` of a run's newest checkpoint."""
    checkpoints = run.checkpoints.by_epoch()
    if not checkpoints:
        raise ValueError(
            f"{str(run)!r} is not a run folder, or its first epoch has not ended: name the folder "
            "of `ganzoo train`."
        )
    return list(checkpoints.items())[-1]


def _write_weights(facts, checkpoint, published):
    """Replace what was published by the weights of a checkpoint, and complete the facts.

    Returns:
        The model as others will load it.
    """
    model = zoo.get(facts["model"], weights=checkpoint)
    facts["things"] = model.modality.name
    facts["preprocessing"] = model.modality.preparation()
    published.path.mkdir(parents=True, exist_ok=True)
    for path in published.files:  # files of other weights must not stay next to these
        path.unlink(missing_ok=True)
    with atomic.replacing(published.tensors) as path:
        safetensors.write(model, path)
    # Scores are those of the published file, which has half precision, not of the run.
    model = zoo.get(facts["model"], weights=published.tensors)
    facts["config"] = safetensors.read_header(published.tensors).config
    return model


def _write_grid(model, run, published):
    """Write a grid of samples, or, for a model that translates images, the run's last grid."""
    if hasattr(model, "generate"):
        model.modality.preview(model.generate(64, seed=0)).save(published.grid)
        return
    for path in list(run.samples.by_epoch().values())[-1:]:
        shutil.copyfile(path, published.grid)


def describe(facts: dict[str, Any], out: pathlib.Path) -> None:
    """Write `config.json` and the model card into a published folder."""
    published = PublishedFolder(out)
    atomic.write_atomically(published.config, json.dumps(facts, indent=2) + "\n")
    atomic.write_atomically(published.card, card(facts, out))


def _check(published):
    """Raise a `ValueError` if a folder holds anything but what was published there before."""
    out = published.path
    if out.exists() and not out.is_dir():
        raise ValueError(f"{str(out)!r} is a file. Choose another folder with --out.")
    if not out.exists() or all(path.name.startswith(".") for path in out.iterdir()):
        return
    try:
        safetensors.read_header(published.tensors)
    except (ValueError, OSError):
        raise ValueError(
            f"{str(out)!r} is not empty, and nothing was published there before. Choose another "
            "folder with --out."
        ) from None


def _facts(run, epoch, licence):
    """The record of a run that has reached this epoch, as plain data."""
    try:
        record = run.read_config()
        settings = record["settings"]
        imports = [_line(pathlib.Path(word).name) for word in record.get("imports", ())]
        return {
            "model": settings["model"],
            "data": _data_facts(record, licence),
            "epochs": epoch,
            **_minutes(run, epoch, record["device"]["gpu"]),
            "device": record["device"]["name"],
            "seed": settings["seed"],
            "versions": record["versions"],
            "scores": {},
            "passport": {},
            "command": _line(
                commands.command(settings, epoch, imports=imports, minutes=record.get("minutes"))
            ),
            **({"imports": imports} if imports else {}),
        }
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"The records in {str(run)!r} are damaged, or of an older version of ganzoo "
            f"({type(error).__name__}: {error}). Train again with the same command in another "
            "folder."
        ) from error


def _data_facts(record, licence):
    """Name, licence and classes of the data of a run, from its `config.json`."""
    settings, classes = record["settings"], record.get("class_names")
    domains = [settings["data"], *([settings["to"]] if "to" in settings else [])]
    own = any(place_of(name, record.get("directory")) for name in domains)
    default = None if own or len(domains) > 1 else LICENCES.get(domains[0])
    return {
        "name": " and ".join(_line(pathlib.Path(name).name) for name in domains),
        "licence": _line(licence or default or "not stated"),
        **({"class_names": [_line(x) for x in classes]} if classes else {}),
    }


def _minutes(run, epoch, gpu):
    """The time of a run's first epochs by its log, which must have all of them, in minutes."""
    lines = run.metrics.read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines[:epoch]]
    cpu, clock = (sum(row[key] for row in log) / 60 for key in ("cpu_seconds", "seconds"))
    if [row["epoch"] for row in log] != list(range(1, epoch + 1)):
        raise ValueError("its log does not have all epochs")
    return {
        "cpu_minutes": None if gpu else round(cpu, 2),
        "gpu_minutes": round(clock, 2) if gpu else None,
    }


def _line(text):
    """Text made safe for a line of Markdown or YAML: nothing ends the line or hides the rest."""
    return "".join(x if x.isprintable() else " " for x in texts.shown(str(text))).strip()


def _score(facts, run, published, say, **settings):
    """Scores and passport; neither if the data to compare with cannot be read."""
    try:
        sheets = runs.evaluate(
            {"last": (facts["model"], published.tensors)},
            **runs.data_of(run),
            nearest=published.nearest,
            **settings,
        )
    except (ValueError, OSError) as error:
        say(f"No scores: {error}")
        return {}
    sheet = sheets["last"]
    data = sheet.passport["data"]
    # The path on this machine stays private.
    named = {**data, "source": texts.kept(pathlib.Path(data["source"]).name)}
    sheet = dataclasses.replace(sheet, passport={**sheet.passport, "data": named})
    return keep_scores(sheet, published.path)


def keep_scores(sheet: ScoreSheet, out: pathlib.Path) -> dict[str, Any]:
    """Write a score sheet into a published folder. Returns scores and passport as plain data."""
    sheet.save(PublishedFolder(out).scores)
    contents = sheet.to_dict()
    return {"scores": contents["scores"], "passport": contents["passport"]}


CARD = """---
license: other
license_name: {quoted}
library_name: keras
tags: [gan, ganzoo, {model}]
---
# {model}, trained on {data}

Made with ganzoo, the GAN zoo for Keras 3.

```python
import ganzoo

model = ganzoo.get("{model}", weights="hf://USER/REPOSITORY")  # or this folder
```
{imports}
{grid}## Data

{data}; licence: {licence}. {things} were {preprocessing}.

## Training

{epochs} epochs, {minutes}; {device}; {versions}.

    {command}

Its arguments: {arguments}.
{scores}{nearest}"""
NEAREST = """
## Nearest training images

In turn: a sample, the nearest training image, and the nearest held-out image if there is one.

![nearest images]({file})
"""


def card(facts: dict[str, Any], folder: pathlib.Path) -> str:
    """The model card, as Markdown with the header that the Hub reads."""
    published = PublishedFolder(folder)
    return CARD.format(
        model=facts["model"],
        data=facts["data"]["name"],
        licence=facts["data"]["licence"],
        quoted=json.dumps(facts["data"]["licence"], ensure_ascii=False),
        things=facts.get("things", "images").capitalize(),
        preprocessing=facts["preprocessing"],
        epochs=facts["epochs"],
        minutes=time_of(facts["cpu_minutes"], facts["gpu_minutes"]),
        device=facts["device"],
        versions=", ".join(f"{k} {v}" for k, v in facts["versions"].items()),
        command=facts["command"],
        arguments=", ".join(f"`{k}={v!r}`" for k, v in facts["config"].items()),
        scores=_scores_part(facts, published) if facts["scores"] else "",
        imports=""
        if not facts.get("imports")
        else f"\nIts class is not ganzoo's own: import {', '.join(facts['imports'])} first.\n",
        grid=f"![samples]({published.grid.name})\n\n" if published.grid.exists() else "",
        nearest=NEAREST.format(file=published.nearest.name) if published.nearest.exists() else "",
    )


def _scores_part(facts, published):
    """The scores in the model card."""
    rows = "\n".join(
        f"| {name} | {number(score['value'])} | {number(score['floor'])} |"
        for name, score in facts["scores"].items()
    )
    warnings = "".join(
        f"**{word.capitalize()}**: {text}\n\n" for word, text in remarks(facts["scores"]).items()
    )
    return (
        f"\n## Scores\n\n{warnings}The floor is the score of real examples in place of samples.\n\n"
        f"| score | samples | floor |\n|---|---|---|\n{rows}\n\n"
        f"{facts['passport']['samples']:,} samples; all settings are in "
        f"`{published.scores.name}`.\n"
    )
