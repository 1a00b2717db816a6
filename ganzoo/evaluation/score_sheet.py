"""Scores with their error, floor and protocol."""

import dataclasses
import json
import pathlib
from typing import Any
from typing import Self

from ganzoo import types
from ganzoo import validation
from ganzoo.files import texts

PROTOCOL = (
    "task",
    "extractor",
    "extractor_sha256",
    "resize",
    "samples",
    "truncation",
    "data",
    "train",
)
"""Entries that must agree in two passports for their scores to be comparable."""


@dataclasses.dataclass(frozen=True)
class Score:
    """One score with its error and floor.

    Attributes:
        value: mean over the sets of samples.
        error: standard deviation over the sets of samples, or None for a single one.
        floor: the same score with as many real images in place of the samples; None if that says
            nothing.
        better: `"lower"`, `"higher"` or None.
        baseline: the same score of what the model was given, where its output has a right answer:
            see `passport["baseline"]`.
        settings: arguments of the metric.
    """

    value: float
    error: float | None = None
    floor: float | None = None
    better: str | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    baseline: float | None = None

    def __str__(self) -> str:
        """The value, with its error if it has one: `12.3 ± 0.45`."""
        return f"{self.value:.4g}" + ("" if self.error is None else f" ± {self.error:.2g}")


@dataclasses.dataclass(frozen=True)
class ScoreSheet:
    """Scores by name, such as `"frechet[mnist-classifier-v1]"`, and their passport.

    A name without brackets also finds its score, if there is only one: `sheet["frechet"]`.

    Attributes:
        scores: dict from name to `Score`.
        passport: how they were made: extractor and its hash, resizing, sample counts, data and its
            fingerprint, seed, the weights' hash, versions.
        notes: warnings that a reader should see.
    """

    scores: dict
    passport: dict
    notes: tuple = ()

    def __getitem__(self, name: str) -> Score:
        matches = [n for n in self.scores if n == name or n.partition("[")[0] == name]
        if len(matches) != 1:
            names = {n.partition("[")[0] for n in self.scores}
            raise validation.unknown("score", name, names, error=KeyError)
        return self.scores[matches[0]]

    @property
    def protocol(self) -> dict[str, Any]:
        """The entries of the passport that another one must share for their scores to compare.

        Data is known by its fingerprint, however its path was written.
        """
        protocol = {key: self.passport.get(key) for key in PROTOCOL}
        data = protocol["data"]
        if isinstance(data, dict) and "fingerprint" in data:
            protocol["data"] = {key: x for key, x in data.items() if key != "source"}
        return protocol

    def passport_of(self, name: str) -> dict[str, Any]:
        """The passport of one score: the sheet's, with the metric's own settings."""
        return {**self.passport, "metric": self[name].settings}

    def to_dict(self) -> dict[str, Any]:
        """The sheet as plain data, as `save` writes it."""
        return {
            "scores": {
                name: {k: validation.known_to_json(x) for k, x in dataclasses.asdict(score).items()}
                for name, score in self.scores.items()
            },
            "passport": self.passport,
            "notes": list(self.notes),
        }

    def save(self, path: types.Path) -> pathlib.Path:
        """Write the sheet as JSON. Returns the path."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: types.Path) -> Self:
        """Read a sheet that `save` wrote."""
        try:
            return cls.from_dict(json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
        except OSError:
            raise
        except Exception as error:  # a file may be wrong in any way
            raise ValueError(f"{str(path)!r} is not a score sheet of ganzoo: {error!r}.") from None

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """The sheet from the plain data of `to_dict`."""
        number: Any = lambda x: float(x) if x in ("inf", "-inf", "nan") else x
        scores = {
            name: Score(
                **{k: number(x) for k, x in score.items() if k != "settings"},
                settings=score["settings"],
            )
            for name, score in found["scores"].items()
        }
        for name, score in scores.items():
            others = [x for x in (score.error, score.floor, score.baseline) if x is not None]
            if not all(isinstance(x, (int, float)) for x in (score.value, *others)):
                raise TypeError(f"{name!r} has no number")
            if score.better not in ("lower", "higher", None):
                raise ValueError(f"{name!r} cannot be better when it is {score.better!r}")
        return cls(scores, dict(found["passport"]), tuple(found["notes"]))

    def compare(self, other: Self) -> str:
        """Both sheets side by side, as text.

        Raises:
            ValueError: they were made in different ways; the message says what differs.
        """
        differing = [k for k in PROTOCOL if self.protocol[k] != other.protocol[k]]
        if differing:
            reasons = "; ".join(
                f"{k}: {self.passport.get(k)!r} and {other.passport.get(k)!r}" for k in differing
            )
            raise ValueError(
                f"These scores are not comparable, because they were made in different ways: "
                f"{reasons}. Evaluate both models in the same way."
            )
        both = [name for name in self.scores if name in other.scores]
        uneven = [n for n in both if self.scores[n].settings != other.scores[n].settings]
        if uneven:
            raise ValueError(
                f"These scores are not comparable, because the settings of {', '.join(uneven)} "
                "differ. Evaluate both models in the same way."
            )
        rows = [("score", _title(self), _title(other), "better")]
        for name in both:
            a, b = self.scores[name], other.scores[name]
            rows.append((name, str(a), str(b), a.better or ""))
        return texts.table(rows)

    def __str__(self) -> str:
        p = self.passport
        data = p["data"]
        limit = "baseline" if "baseline" in p else "floor"
        rows = [("score", "value", limit, "better")]
        for name, score in self.scores.items():
            other = getattr(score, limit)
            cell = "" if other is None else f"{other:.4g}"
            rows.append((name, str(score), cell, score.better or ""))
        samples = ""
        if limit == "floor":
            samples = f"{p['samples']:,} samples × {p['repeats']} (seed {p['seed']}) against "
        return "\n".join(
            [
                f"{_title(self)}: {samples}{data['count']:,} of {data['source']}, {data['split']}",
                texts.table(rows),
                *(["±: standard deviation over the sets of samples"] if p["repeats"] > 1 else []),
                f"{limit}: {p[limit]}",
                *(f"Note: {note}" for note in self.notes),
            ]
        )


def _title(sheet):
    weights = sheet.passport["weights_sha256"]
    return sheet.passport["model"] + (f" ({weights[:8]})" if weights else "")
