"""Commands that make runs."""

import ast
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

from ganzoo.files import texts
from ganzoo.files.run_folder import RUNS
from ganzoo.files.run_folder import RunFolder


def literal(value: Any) -> str:
    """A value as `--set` reads it: strings need no quotes unless they look like other literals."""
    if isinstance(value, str):
        try:
            ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    return repr(value)


def command(
    settings: dict[str, Any],
    epochs: int | None,
    run: pathlib.Path | None = None,
    imports: Sequence[str] = (),
    minutes: float | None = None,
) -> str:
    """The command that makes a run, without the folders of its data.

    Args:
        settings: the run's settings, see `Settings.record`.
        epochs: total number of epochs.
        run: path of the run folder, whose name is given unless it is the usual one; None: no name.
        imports: values of `--import`.
        minutes: total time, in place of `epochs`; None: none.
    """
    words = ["ganzoo", "train", settings["model"]]
    for key in ("weights", "data", "to"):
        if settings.get(key) is not None:
            words += [f"--{key}", texts.without_folders(settings[key])]
    words += ["--epochs", epochs] if minutes is None else ["--minutes", f"{minutes:g}"]
    words += ["--batch-size", settings["batch_size"]]
    size = settings["image_size"]
    if size is not None:
        words += ["--image-size", "x".join(map(str, size)) if isinstance(size, list) else size]
    for key in ("sample_rate", "length"):
        if settings.get(key) is not None:
            words += [f"--{key.replace('_', '-')}", settings[key]]
    words += ["--seed", settings["seed"]]
    for key, value in settings["arguments"].items():
        words += ["--set", f"{key}={literal(value)}"]
    if settings["on_error"] == "skip":
        words.append("--skip-damaged")
    if settings.get("value_range") is not None:
        words += ["--value-range", ",".join(f"{x:g}" for x in settings["value_range"])]
    for word in imports:
        words += ["--import", texts.without_folders(word)]
    if run is not None:
        place, usual = run.resolve(), RunFolder.usual(settings["model"], settings["data"])
        name = texts.kept(place.name)
        if name != usual.path.name:
            words += ["--out", f"{RUNS}/{name}" if place.parent.name == RUNS else name]
    return shlex.join(map(str, words))
