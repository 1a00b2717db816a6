"""Score sheets: how good the samples of a model are, and what made each number.

The function stands in a module of another name because `ganzoo.evaluate` is the function.
"""

import collections
import collections.abc
import copy
import dataclasses
import functools
import hashlib
import itertools
import json
import pathlib
import typing
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import Self

import keras
import numpy as np
from PIL import Image

from ganzoo import backend
from ganzoo import checks
from ganzoo import datasets
from ganzoo import hints
from ganzoo import images as images_module
from ganzoo import metrics as all_metrics
from ganzoo.metrics import extractors
from ganzoo.metrics import inception
from ganzoo.metrics.manifold import nearest
from ganzoo.metrics.states import Distinct
from ganzoo.metrics.states import Moments
from ganzoo.metrics.states import keys_of
from ganzoo.pictures import PictureGame

METRICS: dict[str, type[all_metrics.Metric]] = {
    "frechet": all_metrics.FrechetDistance,
    "kernel": all_metrics.KernelDistance,
    "precision_recall": all_metrics.PrecisionRecall,
    "density_coverage": all_metrics.DensityCoverage,
    "class_score": all_metrics.ClassScore,
    "class_agreement": all_metrics.ClassAgreement,
    "intra_class_frechet": all_metrics.IntraClassFrechet,
    "modes": all_metrics.ModeCoverage,
    "diversity": all_metrics.Diversity,
    "memorisation": all_metrics.Memorisation,
}
"""The metrics that `evaluate` knows by name."""

METRIC_OF = {score: name for name, metric in METRICS.items() for score in metric.scores}
"""The metric that gives each score, such as `"precision_recall"` for `"precision"`."""

PROTOCOL = ("extractor", "extractor_sha256", "resize", "samples", "truncation", "data", "train")
"""What must be the same in two passports for their scores to be comparable."""


@dataclasses.dataclass(frozen=True)
class Score:
    """One number with what belongs to it.

    Attributes:
        value: mean over the sets of samples.
        error: standard deviation over the sets of samples, or None for a single one.
        floor: the same number with real pictures in place of the samples, as many; None where
            that says nothing.
        better: `"lower"`, `"higher"` or None.
        settings: arguments of the metric.
    """

    value: float
    error: float | None = None
    floor: float | None = None
    better: str | None = None
    settings: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class ScoreSheet:
    """Scores by name, such as `"frechet[mnist-classifier-v1]"`, and their passport.

    A name without brackets finds its score too, if there is only one: `sheet["frechet"]`.

    Attributes:
        scores: dict from name to `Score`.
        passport: what made them: extractor and its hash, resizing, sample counts, data and its
            fingerprint, seed, the weights' hash, versions.
        notes: warnings that a reader should see.
    """

    scores: dict
    passport: dict
    notes: tuple = ()

    def __getitem__(self, name: str) -> Score:
        found = [n for n in self.scores if n == name or n.partition("[")[0] == name]
        if len(found) != 1:
            known = {n.partition("[")[0] for n in self.scores}
            raise checks.unknown("score", name, known, error=KeyError)
        return self.scores[found[0]]

    def passport_of(self, name: str) -> dict[str, Any]:
        """All that made one score: the sheet's passport and the metric's own settings."""
        return {**self.passport, "metric": self[name].settings}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as it is saved."""
        return {
            "scores": {
                name: {k: checks.known_to_json(x) for k, x in dataclasses.asdict(score).items()}
                for name, score in self.scores.items()
            },
            "passport": self.passport,
            "notes": list(self.notes),
        }

    def save(self, path: hints.Path) -> pathlib.Path:
        """Write the sheet as JSON. Returns the path."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: hints.Path) -> Self:
        """Read a sheet that `save` wrote."""
        try:
            return cls.from_dict(json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
        except OSError:
            raise
        except Exception as error:  # a file may be wrong in any way
            raise ValueError(f"{str(path)!r} is no score sheet of ganzoo: {error!r}.") from None

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """The sheet of which `to_dict` gave this plain data."""
        number: Any = lambda x: float(x) if x in ("inf", "-inf", "nan") else x
        scores = {
            name: Score(
                **{k: number(x) for k, x in score.items() if k != "settings"},
                settings=score["settings"],
            )
            for name, score in found["scores"].items()
        }
        for name, score in scores.items():
            known = [x for x in (score.error, score.floor) if x is not None]
            if not all(isinstance(x, (int, float)) for x in (score.value, *known)):
                raise TypeError(f"{name!r} has no number")
            if score.better not in ("lower", "higher", None):
                raise ValueError(f"{name!r} cannot be better when it is {score.better!r}")
        return cls(scores, dict(found["passport"]), tuple(found["notes"]))

    def compare(self, other: Self) -> str:
        """Both sheets side by side, as text.

        Raises:
            ValueError: they were not made in the same way; the message says what differs.
        """
        differing = [k for k in PROTOCOL if self.passport.get(k) != other.passport.get(k)]
        if differing:
            reasons = "; ".join(
                f"{k}: {self.passport.get(k)!r} and {other.passport.get(k)!r}" for k in differing
            )
            raise ValueError(
                f"These scores do not compare, because they were made in different ways: "
                f"{reasons}. Evaluate both models in the same way."
            )
        both = [name for name in self.scores if name in other.scores]
        uneven = [n for n in both if self.scores[n].settings != other.scores[n].settings]
        if uneven:
            raise ValueError(
                f"These scores do not compare, because the settings of {', '.join(uneven)} "
                "differ. Evaluate both models in the same way."
            )
        rows = [("score", _title(self), _title(other), "better")]
        for name in both:
            a, b = self.scores[name], other.scores[name]
            rows.append((name, _number(a), _number(b), a.better or ""))
        return _table(rows)

    def __str__(self) -> str:
        p = self.passport
        data, floor = p["data"], p["floor"]
        rows = [("score", "value", "floor", "better")]
        for name, score in self.scores.items():
            limit = "" if score.floor is None else f"{score.floor:.4g}"
            rows.append((name, _number(score), limit, score.better or ""))
        return "\n".join(
            [
                f"{_title(self)}: {p['samples']:,} samples × {p['repeats']} (seed {p['seed']}) "
                f"against {data['count']:,} of {data['source']}, {data['split']}",
                _table(rows),
                *(["±: standard deviation over the sets of samples"] if p["repeats"] > 1 else []),
                f"floor: {floor}",
                *(f"Note: {note}" for note in self.notes),
            ]
        )


def _title(sheet):
    weights = sheet.passport["weights_sha256"]
    return sheet.passport["model"] + (f" ({weights[:8]})" if weights else "")


def _number(score):
    return f"{score.value:.4g}" + ("" if score.error is None else f" ± {score.error:.2g}")


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    line = lambda row: "  ".join(
        cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))
    )
    return "\n".join(line(row).rstrip() for row in rows)


def evaluate(model: PictureGame | np.ndarray, data: Any, **settings: Any) -> ScoreSheet:
    """How good the samples of a model are: a score sheet.

    Args:
        model: what `ganzoo.get` returns, trained; or samples of any origin, an array
            `(n, height, width, channels)` uint8.
        data: pictures to compare with, best held-out ones: a name that `ganzoo.datasets.load`
            knows (its test split is taken, its train split is `train`), a data set as for `fit`,
            or an array or pair `(images, labels)`.
        **settings: see `Evaluator`.

    Returns:
        A `ScoreSheet`.

    Raises:
        ValueError, TypeError: data, extractor and model do not fit; the message says the mend.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> sheet = ganzoo.evaluate(model, "digits", samples=300, repeats=1)
    >>> sheet["frechet"].floor < sheet["frechet"].value
    True
    """
    shape = getattr(model, "image_shape", None) or _shape_of(model)
    if isinstance(data, (str, pathlib.Path)) and len(shape or ()) == 3:
        settings = {"image_size": tuple(shape[:2]), **settings}
    return Evaluator(data, **settings).judge(model)


def knows(description: dict[str, Any]) -> extractors.Extractor | None:
    """The extractor that comes with ganzoo and knows this data; None if there is none.

    Args:
        description: the attribute of a data set from `ganzoo.datasets.load`.
    """
    source = description["source"]
    if source in datasets.MIXTURES:
        return extractors.Points(*datasets.MIXTURES[source])
    if len(description.get("image_shape") or ()) == 1:
        return extractors.Points()
    if source in [*extractors.shipped(), "stacked_mnist"]:
        return extractors.extractor(source)
    return None


EXPORTED = ("samples", "data")
"""Sub-folders that `Evaluator.export` fills."""


class Evaluator:
    """What `evaluate` does, with the work on the real pictures done once for many models.

    Args:
        data: see `evaluate`.
        train: the pictures trained on, as `data`: for the floor and for memorisation. None: for a
            name, its train split; else none, and halves of `data` give the floor.
        metrics: names in `ganzoo.evaluation.METRICS`, names of scores as a sheet prints them, such
            as `"precision"` or `"recall[digits-classifier-v1]"`, and metrics; None: all that apply.
            A score's name stands for the metric that gives it, with all of that metric's scores.
        extractor: see `ganzoo.metrics.extractor`; None: the one that knows the data, else
            `"inception"`.
        samples: how many samples.
        repeats: sets of samples, from the seeds `seed`, `seed + 1`, …, whose spread is the error.
        seed: of the samples.
        truncation: see `GAN.generate`.
        batch_size: samples made at once; bounds memory and changes no score.
        image_size, channels, data_dir, on_error, value_range, class_names, verbose: see
            `ganzoo.datasets.load`, for data by name; `evaluate` takes the model's size.

    Example:

    >>> import ganzoo, numpy as np
    >>> evaluator = Evaluator("digits", metrics=("frechet",), samples=300, repeats=1)
    >>> digits, _ = next(iter(ganzoo.datasets.load("digits", labels=True, batch_size=300)))
    >>> sheet = evaluator.judge(np.asarray(digits))
    >>> sorted(sheet.scores)
    ['frechet[digits-classifier-v1]']
    """

    def __init__(
        self,
        data: Any,
        *,
        train: Any = None,
        metrics: str | all_metrics.Metric | Sequence[str | all_metrics.Metric] | None = None,
        extractor: str | Callable | None = None,
        samples: int = 10_000,
        repeats: int = 3,
        seed: int = 0,
        truncation: float | None = None,
        batch_size: int = 256,
        image_size: int | tuple[int, int] | None = None,
        channels: int | None = None,
        data_dir: hints.Path | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        value_range: tuple[float, float] | None = None,
        class_names: Sequence[str] | None = None,
        verbose: bool = True,
    ) -> None:
        self.samples = checks.integer("samples", samples, least=2)
        self.repeats = checks.integer("repeats", repeats)
        self.seed = checks.integer("seed", seed, least=0)
        self.truncation = truncation
        self.batch_size = checks.integer("batch_size", batch_size)
        load = functools.partial(
            _load,
            self.batch_size,
            verbose,
            class_names,
            image_size=image_size,
            channels=channels,
            data_dir=data_dir,
            on_error=on_error,
            value_range=value_range,
        )
        if isinstance(data, (str, pathlib.Path)):
            data, found = _splits(data, load)
            train = found if train is None else train
        if isinstance(train, (str, pathlib.Path)):
            train = load(train, split="train")
        if isinstance(train, collections.abc.Iterator):
            raise TypeError("`train` is read twice: pass a data set or an array, no iterator.")
        self.data, self.train = data, train
        self.found = [str(x.contents) for x in (train, data) if hasattr(x, "contents")]
        self.description = getattr(data, "description", None) or {
            "source": "data",
            "split": "given",
            "image_shape": _shape_of(data),
        }
        self.extractor = (
            knows(self.description) or extractors.extractor("inception")
            if extractor is None
            else extractors.extractor(extractor)
        )
        if isinstance(metrics, (str, all_metrics.Metric)):
            metrics = (metrics,)
        if not isinstance(metrics, (collections.abc.Iterable, type(None))):
            raise TypeError(
                "`metrics` is a name, a metric or a list of these, such as ['frechet', 'recall']. "
                f"Received: {metrics!r}."
            )
        # Two scores of one metric ask for it once.
        self.wanted = None if metrics is None else tuple(dict.fromkeys(map(self._named, metrics)))
        names = [getattr(metric, "name", metric) for metric in self.wanted or ()]
        if len(set(names)) < len(names):
            raise ValueError(
                f"Each metric gives its scores once. Received {', '.join(names)}: evaluate twice "
                "for two settings of one."
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: what copies of a callback share, such as KerasTuner's, looks at the real
        pictures once."""
        return self

    # Metrics --------------------------------------------------------------------------------

    def _named(self, metric):
        """The name in `METRICS` that a word means; a metric as it is."""
        if isinstance(metric, all_metrics.Metric):
            return metric
        word, bracket, judge = str(metric).partition("[")
        name = METRIC_OF.get(word, word)
        if name not in METRICS or not isinstance(metric, str):
            raise checks.unknown("metric or score in `metrics`", metric, {*METRICS, *METRIC_OF})
        own = "pixels" if METRICS[name].uses == "pixels" else self.extractor.name
        if bracket and judge != f"{own}]":
            raise ValueError(
                f"`metrics` asks for {metric!r}, and here {word!r} is measured by {own!r}: ask for "
                f"{word!r}, or pass another `extractor`."
            )
        return name

    @property
    def _modes(self):
        """How many modes the extractor tells apart, or None."""
        centres = getattr(self.extractor, "centres", None)
        return self.extractor.classes if centres is None else len(centres)

    def _choose(self, look):
        """The metrics: those asked for, or all that pictures such as these allow."""
        if self.wanted is not None:
            for metric in self.wanted:
                self._check(METRICS[metric] if isinstance(metric, str) else type(metric), look)
            return [
                copy.deepcopy(m) if not isinstance(m, str) else self._make(m) for m in self.wanted
            ]
        classes_known = self.extractor.name.startswith(f"{self.description['source']}-")
        apply = {
            name: cls.uses in look.rows
            and not (cls.labelled and look.labels is None)
            and not ("train" in cls.sides and self.train is None)
            for name, cls in METRICS.items()
        }
        apply["class_agreement"] &= classes_known
        apply["modes"] &= self._modes is not None
        return [self._make(name) for name, use in apply.items() if use]

    def _make(self, name):
        if name != "modes":
            return METRICS[name]()
        # Who knows where the modes lie can say that a sample is far from all of them.
        strays = getattr(self.extractor, "centres", None) is not None
        return all_metrics.ModeCoverage(self._modes, strays=strays)

    def _check(self, metric, look):
        name = metric.__name__
        if metric.uses not in look.rows:
            raise ValueError(
                f"{name} looks at {metric.uses}, which the extractor {self.extractor.name!r} does "
                "not give. Leave it out or choose another extractor."
            )
        if metric.labelled and look.labels is None:
            raise ValueError(f"{name} needs labels: pass data with them, `load(…, labels=True)`.")
        if "train" in metric.sides and self.train is None:
            raise ValueError(f"{name} needs the pictures trained on: pass `train=`.")

    # Looking --------------------------------------------------------------------------------

    def _look(self, images, labels, features=True):
        rows = dict(self.extractor(images)) if features else {}
        if images.ndim == 4:
            rows["pixels"] = _pixels(images)
        return _Look(images.shape[1:], rows, labels, keys_of(images))

    @functools.cached_property
    def _reference(self):
        """The metrics after the real pictures, the floors, and what the pictures were."""
        looks = (self._look(*batch) for batch in _grouped(_batches(self.data)))
        first = next(looks, None)
        if first is None:
            raise ValueError("`data` is empty: it yields no picture.")
        chosen = self._choose(first)
        real, train = _Census(), None
        # Floors: real pictures in place of the samples. These are training pictures; where there
        # are none, or where the metric tells those apart, one half of the data stands in for the
        # samples.
        split = [m for m in chosen if self.train is None or "train" in m.sides]
        halves = copy.deepcopy(split)
        for look in itertools.chain([first], looks):
            real.add(look)
            look.show("real", chosen)
            if halves:
                even = look.keys % np.uint64(2) == 0
                look.take(even).show("real", halves)
                look.take(~even).show("fake", halves)
        floors = [*halves, *(m.beside() for m in chosen if m not in split)]
        floor = "one half of the data against the other"
        if self.train is not None:
            train, standing_in = _Census(), 0
            memories = [m for m in [*chosen, *halves] if "train" in m.sides]
            others = [m for m in floors if "train" not in m.sides]
            for images, labels in _grouped(_batches(self.train)):
                look = self._look(images, labels, features=False)
                look.must_be(real.shape, "`train` has")
                train.add(look)
                look.show("train", memories)
            if not train.count:
                raise ValueError("`train` is empty: it yields no picture.")
            # As many as there are samples, whatever the order in which they come.
            rank = self.samples * train.distinct.number / train.count  # equal ones come together
            last = train.distinct.first(max(round(rank), 1))
            first_ones = (
                (images[taken], None if labels is None else labels[taken])
                for images, labels in _batches(self.train)
                for taken in [keys_of(images) <= last]
                if taken.any()
            )
            for images, labels in _grouped(first_ones):
                look = self._look(images, labels)
                others = [m for m in others if labels is not None or not m.labelled]
                look.show("fake", others)
                standing_in += len(images)
            floor = f"{standing_in:,} training pictures in place of the samples"
            if standing_in < self.samples:
                floor += ", which are more: distances at the floor are somewhat too large"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the score itself warns of the same
            limits = {name: x for m in floors for name, x in _result_or_nothing(m).items()}
        return _Reference(chosen, limits, floor, real, train)

    def _samples(self, model, seed):
        """Batches `(images, labels asked for)` of a model's samples, or of given ones.

        Labels are asked for as the data has them; in turn where it has none.
        """
        if _are_samples(model):
            yield from _batches(model)
            return
        labels = None
        if getattr(model, "num_classes", None) is not None:
            known = self._reference.real.labels
            known = (
                np.arange(model.num_classes)
                if known is None
                else np.random.default_rng(seed).permutation(known)
            )
            labels = np.resize(known, self.samples)
        start = 0
        for images in model.generate_batches(
            self.samples,
            labels=labels,
            seed=seed,
            truncation=self.truncation,
            batch_size=self.batch_size,
        ):
            end = start + len(images)
            yield images, None if labels is None else labels[start:end]
            start = end

    def judge(
        self, model: PictureGame | np.ndarray, progress: Callable[[int], object] | None = None
    ) -> ScoreSheet:
        """The score sheet of one model, or of given samples; see `evaluate`.

        `progress` is called with the number of samples seen so far.
        """
        if not _are_samples(model) and not hasattr(model, "generate_batches"):
            raise TypeError(
                f"{type(model).__name__} makes no samples: `evaluate` takes a trained GAN, or an "
                "array of samples."
            )
        known = getattr(self.data, "description", {}).get("image_shape")
        made = getattr(model, "image_shape", None)
        if known and made:  # before hours of reading
            _must_be(tuple(made), tuple(known), "The samples have")
        chosen, limits, floor, real, train = self._reference
        found: dict[str, Any] = {}
        notes: list[str] = []
        repeats = 1 if _are_samples(model) else self.repeats
        for repeat in range(repeats):
            panel, fake = [m.beside() for m in chosen], _Census()
            for images, asked in _grouped(self._samples(model, self.seed + repeat)):
                look = self._look(images, asked)
                look.must_be(real.shape, "The samples have")
                numbers = np.arange(fake.count, fake.count + len(images))
                fake.add(look)
                # Samples may be equal: each counts by itself.
                look = dataclasses.replace(look, keys=keys_of(numbers))
                panel = [m for m in panel if asked is not None or not m.labelled]
                look.show("fake", panel)
                if progress is not None:
                    progress(repeat * self.samples + fake.count)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for metric in panel:
                    try:
                        result = metric.result()
                    except ValueError as error:
                        if self.wanted is not None:
                            raise
                        notes.append(f"{metric.name} is left out: {error}")
                        continue
                    for name, value in result.items():
                        found.setdefault(name, (metric, []))[1].append(value)
            notes += [str(w.message) for w in caught]
            if self.wanted is not None:
                left_out = {m.name for m in chosen} - {m.name for m in panel}
                notes += [f"{name} is left out: no labels were asked for" for name in left_out]
            distinct = fake.distinct.number
            if distinct < 0.9 * fake.count:
                notes.append(f"only {distinct:,} of {fake.count:,} samples are distinct pictures")
        scores = {
            f"{name}[{'pixels' if metric.uses == 'pixels' else self.extractor.name}]": Score(
                value=float(np.mean(values)),
                error=float(np.std(values, ddof=1))
                if repeats > 1 and np.isfinite(values).all()
                else None,
                floor=limits.get(name),
                better=metric.better.get(name),
                settings=metric.settings(),
            )
            for name, (metric, values) in found.items()
        }
        passport = {
            **_who(model),
            "extractor": self.extractor.name,
            "extractor_sha256": extractors.fingerprint(self.extractor, real.shape),
            "resize": self.extractor.resize,
            "samples": fake.count,
            "repeats": repeats,
            "seed": self.seed,
            "truncation": self.truncation,
            "data": {**self.description, **real.passport()},
            "train": None if train is None else train.passport(),
            "floor": floor,
            "versions": backend.versions("scipy", "pillow"),
        }
        return ScoreSheet(scores, passport, tuple(dict.fromkeys(notes)))

    def save_nearest(
        self, model: PictureGame | np.ndarray, path: hints.Path, n: int = 12
    ) -> pathlib.Path:
        """The sheet of `save_nearest` for the first samples of a model. Returns the path."""
        samples = itertools.chain.from_iterable(x for x, _ in self._samples(model, self.seed))
        samples = np.stack(list(itertools.islice(samples, n)))
        if self.train is None:
            return save_nearest(samples, self.data, path)
        return save_nearest(samples, self.train, path, held_out=self.data)

    def export(self, model: PictureGame | np.ndarray, folder: hints.Path) -> dict[str, int]:
        """Write the samples and the data as outside judges read them.

        One PNG file per picture in `folder/samples` and `folder/data`, quantised once:
        clean-fid, torch-fidelity and pytorch-fid take such folders. Grey pictures stay grey in
        the file, and all three repeat them to three channels as ganzoo does. With the extractor
        `"inception"` also `samples.npz` and `data.npz`, mean `mu` and covariance `sigma` of the
        features, which pytorch-fid takes in place of folders.

        Returns:
            A dict with the numbers of files in both.
        """
        folder = pathlib.Path(folder)
        sides = {
            "samples": (images for images, _ in _grouped(self._samples(model, self.seed))),
            "data": (images for images, _ in _grouped(_batches(self.data))),
        }
        images_module.must_be_empty(folder, "--export", EXPORTED)
        counts = {}
        for side, batches in sides.items():
            moments, counts[side] = Moments(), 0
            for images in batches:
                images_module.save_each(images, folder / side, start=counts[side])
                counts[side] += len(images)
                if self.extractor.classes == inception.CLASSES:
                    moments.update(self.extractor(images)["features"])
            if moments.count:
                np.savez(folder / f"{side}.npz", mu=moments.mean, sigma=moments.covariance)
        return counts


class _Reference(typing.NamedTuple):
    """What is known before any sample: see `Evaluator._reference`."""

    chosen: list
    limits: dict
    floor: str
    real: "_Census"
    train: "_Census | None"


@dataclasses.dataclass
class _Look:
    """What is known of a batch of pictures: rows for the metrics, labels, identities."""

    shape: tuple
    rows: dict
    labels: np.ndarray | None
    keys: np.ndarray

    def take(self, which):
        rows = {name: x[which] for name, x in self.rows.items()}
        labels = None if self.labels is None else self.labels[which]
        return _Look(self.shape, rows, labels, self.keys[which])

    def show(self, side, among):
        for metric in among:
            labels = self.labels if metric.labelled else None
            metric.update_state(**{side: self.rows[metric.uses]}, labels=labels, keys=self.keys)

    def must_be(self, shape, whose):
        _must_be(self.shape, shape, whose)


def _must_be(shape, wanted, whose):
    if shape != wanted:
        raise ValueError(
            f"{whose} shape {shape}, the data {wanted}: they must be the same. Load the data at "
            "the model's size: `ganzoo.datasets.load(…, image_size=…)`."
        )


class _Census:
    """How many pictures there were, and which: whatever the order, the same fingerprint."""

    def __init__(self):
        self.count = 0
        self.fingerprint = 0
        self.distinct = Distinct()
        self.shape = None
        self.classes = collections.Counter()

    def add(self, look):
        self.shape = look.shape
        self.count += len(look.keys)
        self.fingerprint = (self.fingerprint + int(look.keys.sum(dtype="uint64"))) % 2**64
        self.distinct.update(look.keys)
        if look.labels is not None:
            self.classes.update(look.labels.tolist())

    @property
    def labels(self):
        """All labels, sorted; None if there were none."""
        if not self.classes:
            return None
        classes, counts = zip(*sorted(self.classes.items()))
        return np.repeat(classes, counts)

    def passport(self):
        return {"count": self.count, "fingerprint": f"{self.fingerprint:016x}"}


def _result_or_nothing(metric):
    """A floor that cannot be had, such as of too few pictures, is left out."""
    try:
        return metric.result()
    except ValueError:
        return {}


def _are_samples(model):
    return not isinstance(model, keras.Model) and not hasattr(model, "generate_batches")


def _who(model):
    if _are_samples(model):
        return {"model": "samples", "weights_sha256": None}
    return {
        "model": getattr(model, "registry_name", type(model).__name__),
        "weights_sha256": weights_hash(model.sampler),
        "generator": "live"
        if model.sampler is getattr(model, model.makes_pictures)
        else "averaged",
    }


def weights_hash(network: keras.Model) -> str:
    """sha256 of all weights of a network, in the order in which it has them."""
    found = hashlib.sha256()
    for array in network.get_weights():
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _load(batch_size, verbose, class_names, name, **settings):
    """A data set by name, with labels where it has them, however few pictures it holds."""
    for labels in (True, False):
        for size in (batch_size, 1):
            names = class_names if labels else None
            try:
                with warnings.catch_warnings(record=True) as caught:  # once, not in each attempt
                    warnings.simplefilter("always")
                    ds = datasets.load(
                        name,
                        labels=labels,
                        class_names=names,
                        batch_size=size,
                        verbose=verbose,
                        **settings,
                    )
            except ValueError as error:
                last = error
                continue
            for warning in caught:
                warnings.warn(warning.message, stacklevel=5)
            return ds
    raise last


def _splits(name, load):
    """`(test, train)` of a data set by name; `(train, None)` where there is no test split."""
    train = load(name, split="train")
    try:
        return load(name, split="test"), train
    except ValueError as error:
        if "split" not in str(error):  # there is one, and something is wrong with it
            raise
        return train, None


def nearest_pictures(samples: np.ndarray, data: Any) -> np.ndarray:
    """The picture of `data` nearest to each sample, by pixels brought to at most 32×32.

    Args:
        samples: `(n, height, width, channels)` uint8.
        data: see `evaluate`; read once, in constant memory.

    Returns:
        An array like `samples`.
    """
    rows = _pixels(samples)
    best, distances = np.zeros_like(samples), np.full(len(samples), np.inf)
    for images, _ in _batches(data):
        indices, found = nearest(rows, _pixels(images))
        nearer = found < distances
        best[nearer], distances[nearer] = images[indices[nearer]], found[nearer]
    return best


def save_nearest(
    samples: np.ndarray, train: Any, path: hints.Path, held_out: Any = None
) -> pathlib.Path:
    """A sheet to look at: each sample, its nearest training picture, its nearest held-out one.

    Args:
        samples: `(n, height, width, channels)` uint8; a dozen is enough.
        train, held_out: see `nearest_pictures`; `held_out` may be None.
        path: the PNG file.

    Returns:
        The path.
    """
    columns = [samples, nearest_pictures(samples, train)]
    if held_out is not None:
        columns.append(nearest_pictures(samples, held_out))
    sheet = np.stack(columns, axis=1).reshape(-1, *samples.shape[1:])
    return images_module.save_grid(sheet, path, columns=len(columns) * 4)


def _pixels(images):
    """Rows of pixel values, 0 … 255, of pictures brought to at most 32×32."""
    size = tuple(min(32, side) for side in images.shape[1:3])
    return extractors.resized(images, size, Image.Resampling.BOX).reshape(len(images), -1)


def _batches(data):
    """`(images, labels)` NumPy batches of what `fit` takes too; pictures as uint8."""
    if isinstance(data, keras.utils.PyDataset):
        data = map(data.__getitem__, range(len(data)))
    elif hasattr(data, "shape") or (isinstance(data, tuple) and hasattr(data[0], "shape")):
        columns = data if isinstance(data, tuple) else (data,)
        data = (
            tuple(np.asarray(c[i : i + 1000]) for c in columns)
            for i in range(0, len(columns[0]), 1000)
        )
    elif isinstance(data, str) or not hasattr(data, "__iter__"):
        raise TypeError(
            "Pictures come as a data set, such as of `ganzoo.datasets.load`, as an array, or as a "
            f"pair (images, labels). Received: {data if isinstance(data, str) else type(data)!r}."
        )
    doubt = None
    for batch in data:
        batch = batch if isinstance(batch, (tuple, list)) else (batch,)
        images, labels = (*map(np.asarray, batch), None)[:2]
        if images.size:
            yield _quantised(images), labels
        if doubt is None and images.ndim == 4 and images.dtype.kind == "f":
            doubt = checks.doubtful_range(images)
            if doubt is not None:
                warnings.warn(doubt, stacklevel=2)


def _grouped(batches, size=extractors.BATCH):
    """The same pictures in whole multiples of `size`, as extractors look at them; then the rest."""
    held, count = [], 0
    for batch in batches:
        held.append(batch)
        count += len(batch[0])
        if count >= size:
            joined, whole = _joined(held), count - count % size
            yield tuple(None if x is None else x[:whole] for x in joined)
            held, count = [tuple(None if x is None else x[whole:] for x in joined)], count - whole
    if count:
        yield _joined(held)


def _joined(batches):
    shapes = {batch[0].shape[1:] for batch in batches}
    if len(shapes) > 1:
        raise ValueError(
            f"Pictures must have one shape. Received {' and '.join(map(str, sorted(shapes)))}: "
            "bring them to one size, `ganzoo.datasets.load(…, image_size=…)`."
        )
    return tuple(None if x[0] is None else np.concatenate(x) for x in zip(*batches))


def _shape_of(data):
    """The shape of one picture in an array or a pair with labels, else None."""
    images = data[0] if isinstance(data, tuple) and data else data
    return list(images.shape[1:]) if hasattr(images, "shape") else None


def _quantised(images):
    """uint8 as it is; floats in [-1, 1] rounded to it, as `generate` does; points as they are."""
    if images.ndim == 2 and images.dtype.kind == "f":
        return images
    if images.ndim != 4:
        raise ValueError(
            "Pictures must come as (n, height, width, channels). Received shape "
            f"{images.shape}: grey ones without a channel axis get one by `images[..., None]`."
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        bad = int((~np.isfinite(images).all(axis=(1, 2, 3))).sum())
        raise ValueError(
            f"{bad} of {len(images)} pictures of a batch contain NaN or infinity: leave those out, "
            "or train the model that made them anew, with a smaller learning rate."
        )
    checks.channels_last(images.shape[1:])
    if images.dtype.kind != "f" or not (images.min() >= -1.001 and images.max() <= 1.001):
        mend = "`images / 127.5 - 1`" if images.dtype.kind == "f" else ""
        raise ValueError(
            "Pictures must be uint8 in 0..255 or float in [-1, 1]. Received "
            f"{images.dtype} from {images.min():g} to {images.max():g}: scale them, with "
            f"{mend or checks.to_uint8(images.dtype.name)}."
        )
    return np.clip(np.round((images + 1.0) * 127.5), 0, 255).astype("uint8")
