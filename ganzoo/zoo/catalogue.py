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
"""The folder of the files that come with the package."""
LOW = 0.5
"""A precision or recall below this fraction of its floor gets a remark: see `remarks`."""
FAR = 0.1
"""Precision below which recall says nothing, as in `ganzoo.doctor.diagnoses`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One set of weights.

    Attributes:
        model: registry name.
        file: file name in `FOLDER` or, with a `url`, in the cache folder.
        url: address of the file, or None if it comes with the package.
        size: file size in bytes.
        sha256: hash of the file, in hexadecimal.
        config: arguments of the model.
        data: `{"name", "licence"}`, `class_names` if the model takes labels, and anything else that
            identifies the data.
        preprocessing: how the images were prepared.
        epochs: epochs of training.
        cpu_minutes: processor time of all cores together, or None if it ran on a GPU.
        gpu_minutes: time on a GPU, or None.
        device: device of the training.
        seed: seed of the training.
        versions: versions of Python, Keras, the backend and NumPy.
        scores: `{name: {"value", "error", "floor", …}}`, see `ganzoo.evaluation.ScoreSheet`.
        passport: how the scores were measured.
        command: the command that repeats the training.
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
        """The file, downloaded if it does not come with the package.

        Raises:
            OSError: it is not in the cache folder and cannot be downloaded.
            ValueError: its hash is not the catalogue's.
        """
        if self.url is not None:
            return downloads.fetch(self.url, self.sha256, self.file, most=self.size)
        path = FOLDER / self.file
        if not path.is_file() or downloads.hash_of(path) != self.sha256:
            raise ValueError(
                f"{str(path)!r}, which comes with the package, is missing or damaged. Install "
                "ganzoo again."
            )
        return path

    @property
    def frechet(self):
        """`(value, extractor, floor)` of the Fréchet distance as text; None if not measured."""
        for name, score in self.scores.items():
            metric, _, extractor = name.partition("[")
            if metric == "frechet":
                return number(score["value"]), extractor.rstrip("]"), number(score["floor"])
        return None

    @property
    def shown(self):
        """The data, its licence, and the images' height, width and channels, as text."""
        shape = "×".join(map(str, self.config.get("image_shape") or ["size unknown"]))
        return f"{self.data['name']}, {self.data['licence']}; {shape}"

    @property
    def classes(self):
        """The number of classes as text; empty for an unconditional model."""
        count = self.config.get("num_classes") or len(self.data.get("class_names", []))
        return f"{count} classes" if count else ""

    @property
    def group(self):
        """What the Fréchet distances of two rows must share to be comparable, as a title: data,
        shape of the images, extractor, number of samples, floor."""
        if self.frechet is None:
            return f"{self.shown}; not scored"
        _, extractor, floor = self.frechet
        samples = self.passport.get("samples")
        count = f" of {samples:,} samples" if samples else ""
        return f"{self.shown}; Fréchet distances{count} by `{extractor}`, floor {floor}"

    @property
    def remarks(self):
        """Warnings from its scores: see `remarks`."""
        return remarks(self.scores)

    @property
    def summary(self):
        """One line: data, images, classes, file size, Fréchet distance with its extractor."""
        facts = [self.shown, *([self.classes] if self.classes else [])]
        facts.append(f"{self.size / 1e6:.1f} MB")
        if self.frechet is not None:
            value, extractor, floor = self.frechet
            facts.append(f"Fréchet distance {value} by {extractor} (floor {floor})")
        return "; ".join(facts)

    def describe(self):
        """The whole row, as text."""
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.config.items())
        minutes = time_of(self.cpu_minutes, self.gpu_minutes)
        lines = [
            f"Weights of {self.model!r}: {self.summary}.",
            *(f"{word.capitalize()}: {text}" for word, text in self.remarks.items()),
            f"Images: {self.preprocessing}",
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
    """A number as text: a score, which may be the text "inf", or a floor, which may be None."""
    return "unknown" if value is None else f"{float(value):.4g}"


def remarks(scores: dict[str, Any]) -> dict[str, str]:
    """Warnings from scores, by one rule for all weights: a precision or recall below half its
    floor. With a precision below 0.1, recall says nothing: no sample is near enough to reach an
    image, however much samples vary.

    Args:
        scores: as a `Row` has them.

    Returns:
        A dict with none or some of `"low variety"`, `"low fidelity"` and `"far from the data"`, a
        translator whose output is farther from the other domain than its input; each explained in
        numbers.
    """
    pairs: dict[str, tuple[float, float]] = {}
    for name, score in scores.items():
        value, floor = (float("nan" if x is None else x) for x in (score["value"], score["floor"]))
        pairs.setdefault(name.partition("[")[0], (value, floor))
    texts, missing = {}, (float("nan"),) * 2
    for word, score, meaning in (
        ("low variety", "recall", "most of the data is out of the samples' reach"),
        (
            "low fidelity",
            "precision",
            "most samples differ from all real images, if only in detail",
        ),
    ):
        value, floor = pairs.get(score, missing)
        far = score == "recall" and pairs.get("precision", missing)[0] < FAR
        if value < LOW * floor and not far:  # False where one of them is NaN
            texts[word] = f"{score} {value:.2f}, real images have {floor:.2f}; {meaning}."
    agreement, limit = pairs.get("class_agreement", missing)
    if "low variety" in texts and agreement > LOW * limit:
        # Right classes with little variety: variety is missing within the classes.
        texts["low variety"] += " Samples of one class are much alike."
    for name, score in scores.items():
        before = score.get("baseline")
        if name.startswith("frechet[") and before is not None and score["value"] > before:
            texts["far from the data"] = (
                f"Fréchet distance {number(score['value'])}; without translation it is "
                f"{number(before)}."
            )
    return texts


def grouped(names: dict[str, Row]) -> dict[str, dict[str, Row]]:
    """Rows in groups of comparable Fréchet distances: `{title: {name: Row}}`, see `Row.group`; the
    best first in each."""
    groups: dict[str, dict[str, Row]] = {}
    best = lambda item: float(item[1].frechet[0]) if item[1].frechet else 0.0
    for name, row in sorted(names.items(), key=lambda item: (item[1].group, best(item), item[0])):
        groups.setdefault(row.group, {})[name] = row
    return groups


def time_of(cpu_minutes, gpu_minutes):
    """The time of a training as text; one of the two is None."""
    if gpu_minutes is None:
        return f"{number(cpu_minutes)} CPU minutes"
    return f"{number(gpu_minutes)} GPU minutes"


def rows():
    """All sets of weights, `{"model.tag": Row}`, sorted by name."""
    try:
        entries = json.loads(FILE.read_text(encoding="utf-8"))
        return {name: Row(**entry) for name, entry in sorted(entries.items())}
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(
            f"{str(FILE)!r}, which comes with the package, is missing or damaged. Install ganzoo "
            "again."
        ) from error


def trained_on(word: types.Path) -> dict[str, Any]:
    """The data that weights were trained on, as far as it is recorded.

    Args:
        word: a name in the catalogue, a run folder or a published one.

    Returns:
        A dict with `data`, a list of what `ganzoo.datasets.load` takes, one for each domain;
        `class_names` if the model takes labels; `licence` if weights are published; and for a run
        `on_error`, `value_range` and `directory`, the folder that relative paths start from. Empty
        if nothing is recorded.
    """
    row = rows().get(str(word))
    try:
        if row is None:
            record = RunFolder(word).read_config()  # a published folder has one, too
            settings, data = record.get("settings"), record.get("data")
        else:
            settings, data = None, row.data
        if settings is None:
            facts = {"data": [data["name"]]}
            facts.update({k: data[k] for k in ("licence",) if data.get(k)})
            names = data.get("class_names")
        else:
            facts = {"data": [settings[key] for key in ("data", "to") if key in settings]}
            names = record.get("class_names")
            facts.update({k: settings[k] for k in ("on_error",) if k in settings})
            facts.update({k: record[k] for k in ("directory",) if k in record})
            if settings.get("value_range") is not None:
                low, high = map(float, settings["value_range"])
                facts["value_range"] = [low, high]
        if names is not None:
            facts["class_names"] = list(names)
        words = [*facts["data"], *facts.get("class_names", [])]
        words += [facts.get(key, "") for key in ("on_error", "directory", "licence")]
        return facts if all(isinstance(x, str) for x in words) else {}
    except Exception:  # a file may be wrong in any way, and there may be none
        return {}
