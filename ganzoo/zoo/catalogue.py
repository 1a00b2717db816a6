"""The catalogue of trained weights: what each set is, where it is, and how it was made."""

import dataclasses
import json
import pathlib
from typing import Any

from ganzoo import types
from ganzoo.files import downloads
from ganzoo.files.run_folder import RunFolder

FILE = pathlib.Path(__file__).with_name("weights.json")
FOLDER = pathlib.Path(__file__).with_name("trained")
"""Where the files are that come with the package."""
LOW = 0.5
"""A precision or recall below this part of its floor gets a remark, in every row: see `remarks`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One set of weights.

    Attributes:
        model: registry name.
        file: its name in `FOLDER` or, if it has a `url`, in the cache folder.
        url: where to get it, or None if it comes with the package.
        size: bytes.
        sha256: of the file, in hexadecimal.
        config: arguments of the model.
        data: `{"name", "licence"}`, `class_names` if it was told labels, and whatever else
            identifies it.
        preprocessing: what was done to the pictures.
        epochs: of training.
        cpu_minutes: processor time of all cores together, or None where it ran on a GPU.
        gpu_minutes: or None.
        device: what it was trained on.
        seed: of the training.
        versions: of Python, Keras, the backend and NumPy.
        scores: `{name: {"value", "error", "floor", …}}`, see `ganzoo.evaluation.ScoreSheet`.
        passport: what the scores were measured with.
        command: which makes the run that the weights are from.
    """

    model: str
    file: str
    url: str | None = None
    size: int
    sha256: str
    config: dict
    data: dict
    preprocessing: str
    epochs: int
    cpu_minutes: float | None = None
    gpu_minutes: float | None = None
    device: str
    seed: int | None
    versions: dict
    scores: dict
    passport: dict
    command: str

    @property
    def path(self):
        """The file, fetched if it does not come with the package.

        Raises:
            OSError: it is not in the cache folder and cannot be fetched.
            ValueError: the file is not the one that the catalogue means.
        """
        if self.url is not None:
            return downloads.fetch(self.url, self.sha256, self.file, most=self.size)
        path = FOLDER / self.file
        if not path.is_file() or downloads.hash_of(path) != self.sha256:
            raise ValueError(
                f"{str(path)!r} is missing or damaged: it came with the package. Install ganzoo "
                "again."
            )
        return path

    @property
    def frechet(self):
        """`(value, judge, floor)` as text; None if it was not measured."""
        for name, score in self.scores.items():
            word, _, judge = name.partition("[")
            if word == "frechet":
                return number(score["value"]), judge.rstrip("]"), number(score["floor"])
        return None

    @property
    def shown(self):
        """The data, its licence, and the images' height, width and channels, as text."""
        shape = "×".join(map(str, self.config.get("image_shape") or ["size unknown"]))
        return f"{self.data['name']}, {self.data['licence']}; {shape}"

    @property
    def classes(self):
        """How many classes the model is told, as text; empty if it is told none."""
        count = self.config.get("num_classes") or len(self.data.get("class_names", []))
        return f"{count} classes" if count else ""

    @property
    def group(self):
        """What the Fréchet distances of two rows must share to be comparable, as a title: data,
        shape of the images, judge, number of samples, floor."""
        if self.frechet is None:
            return f"{self.shown}; not scored"
        _, judge, floor = self.frechet
        samples = self.passport.get("samples")
        count = f" of {samples:,} samples" if samples else ""
        return f"{self.shown}; Fréchet distances{count} by `{judge}`, floor {floor}"

    @property
    def remarks(self):
        """What its scores warn of: see `remarks`."""
        return remarks(self.scores)

    @property
    def summary(self):
        """A line: data, images, classes, file size, and the Fréchet distance with its judge."""
        found = [self.shown, *([self.classes] if self.classes else [])]
        found.append(f"{self.size / 1e6:.1f} MB")
        if self.frechet is not None:
            value, judge, floor = self.frechet
            found.append(f"Fréchet distance {value} by {judge} (floor {floor})")
        return "; ".join(found)

    def describe(self):
        """All of it, as text."""
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.config.items())
        minutes = time_of(self.cpu_minutes, self.gpu_minutes)
        lines = [
            f"Weights of {self.model!r}: {self.summary}.",
            *(f"{word.capitalize()}: {told}" for word, told in self.remarks.items()),
            f"Pictures: {self.preprocessing}",
            *(f"Class {i}: {name}" for i, name in enumerate(self.data.get("class_names", []))),
            f"Trained: {self.epochs} epochs, {minutes}, seed {self.seed}, {self.device}",
            f"With: {', '.join(f'{k} {v}' for k, v in self.versions.items())}",
            f"Command: {self.command}",
            f"File: {self.file}, SHA-256 {self.sha256}"
            + (f", from {self.url}" if self.url else ""),
            f"Arguments: {arguments}",
            "Scores:",
            *(f"    {name} = {number(score['value'])}" for name, score in self.scores.items()),
        ]
        if self.passport:
            lines.append(
                f"    of {self.passport['samples']:,} samples, by {self.passport['extractor']}"
            )
        return "\n".join(lines)


def number(value):
    """A score, which may be the text "inf", or a floor, which may be None, as text."""
    return "unknown" if value is None else f"{float(value):.4g}"


def remarks(scores: dict[str, Any]) -> dict[str, str]:
    """What scores warn of, by one rule for all weights: a precision or recall below half its floor.

    Args:
        scores: as a `Row` has them.

    Returns:
        A dict of none, one or both of `"low variety"` and `"low fidelity"`, each with the figures.
    """
    known: dict[str, tuple[float, float]] = {}
    for name, score in scores.items():
        value, floor = (float("nan" if x is None else x) for x in (score["value"], score["floor"]))
        known.setdefault(name.partition("[")[0], (value, floor))
    found, missing = {}, (float("nan"),) * 2
    for word, score, meaning in (
        ("low variety", "recall", "most of the data is out of the samples' reach"),
        ("low fidelity", "precision", "most samples do not look real"),
    ):
        value, floor = known.get(score, missing)
        if value < LOW * floor:  # not where one is unknown
            found[word] = f"{score} {value:.2f}, real images have {floor:.2f}; {meaning}."
    agreement, limit = known.get("class_agreement", missing)
    if "low variety" in found and agreement > LOW * limit:
        # Right classes and little variety: it is within the classes that variety is missing.
        found["low variety"] += " Samples of one class are much alike."
    return found


def grouped(names: dict[str, Row]) -> dict[str, dict[str, Row]]:
    """Rows by what makes their Fréchet distances comparable: `{title: {name: Row}}`, see
    `Row.group`; in a group the best first."""
    groups: dict[str, dict[str, Row]] = {}
    best = lambda item: float(item[1].frechet[0]) if item[1].frechet else 0.0
    for name, row in sorted(names.items(), key=lambda item: (item[1].group, best(item), item[0])):
        groups.setdefault(row.group, {})[name] = row
    return groups


def time_of(cpu_minutes, gpu_minutes):
    """The time of a training, of which one is None, as text."""
    if gpu_minutes is None:
        return f"{number(cpu_minutes)} CPU minutes"
    return f"{number(gpu_minutes)} GPU minutes"


def rows():
    """All sets of weights, `{"model.tag": Row}`, in order of their names."""
    try:
        entries = json.loads(FILE.read_text(encoding="utf-8"))
        return {name: Row(**entry) for name, entry in sorted(entries.items())}
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{str(FILE)!r} is missing or damaged: it came with the package. Install ganzoo again."
        ) from error


def trained_on(word: types.Path) -> dict[str, Any]:
    """What weights were trained on, as far as it is known.

    Args:
        word: a name in the catalogue, a run folder or a published one.

    Returns:
        A dict with `data`, a list of what `ganzoo.datasets.load` takes, of a translator both
        domains; `class_names` if it was told labels; and of a run `on_error`, `value_range` and
        `directory`, the folder from which relative paths lead. An empty one if nothing is known.
    """
    row = rows().get(str(word))
    try:
        if row is None:
            record = RunFolder(word).read_config()  # a published folder has one, too
            settings, data = record.get("settings"), record.get("data")
        else:
            settings, data = None, row.data
        if settings is None:
            known = {"data": [data["name"]]}
            names = data.get("class_names")
        else:
            known = {"data": [settings[key] for key in ("data", "to") if key in settings]}
            names = record.get("class_names")
            known.update({k: settings[k] for k in ("on_error",) if k in settings})
            known.update({k: record[k] for k in ("directory",) if k in record})
            if settings.get("value_range") is not None:
                low, high = map(float, settings["value_range"])
                known["value_range"] = [low, high]
        if names is not None:
            known["class_names"] = list(names)
        words = [*known["data"], *known.get("class_names", [])]
        words += [known.get(key, "") for key in ("on_error", "directory")]
        return known if all(isinstance(x, str) for x in words) else {}
    except Exception:  # a file may be wrong in any way, and there may be none
        return {}
