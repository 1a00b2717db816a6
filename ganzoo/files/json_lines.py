"""Files with one JSON object a line."""

import contextlib
import json
import os
import pathlib
from typing import Any

from ganzoo.files.atomic import write_atomically


def append(path: pathlib.Path, *rows: dict[str, Any]) -> None:
    """Add lines of JSON to a file: all of them or, if there is an error, none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))
    except OSError:
        with contextlib.suppress(OSError):
            os.truncate(path, before)
        raise


def forget(path: pathlib.Path, epoch: int) -> None:
    """Remove the lines of later epochs, and lines that were cut short."""
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        kept = "".join(f"{x}\n" for x in text.splitlines() if _epoch_of(x) <= epoch)
        if kept != text:
            write_atomically(path, kept)


def _epoch_of(line):
    """A line's epoch; infinity for a line that was cut short when the process was killed."""
    try:
        return json.loads(line)["epoch"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return float("inf")


def read(path: pathlib.Path) -> list[dict[str, Any]]:
    """The objects in a file, without lines that a kill cut short; [] if there is no file."""
    rows = []
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            rows += [row] if isinstance(row, dict) else []
    return rows
