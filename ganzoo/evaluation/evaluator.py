"""Score sheets: how good the samples of a model are, and what made each number.

The function stands in a module of another name because `ganzoo.evaluate` is the function.
"""

import collections.abc
import copy
import dataclasses
import functools
import itertools
import pathlib
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import Self

import numpy as np

from ganzoo import backend
from ganzoo import extractors
from ganzoo import images as images_module
from ganzoo import metrics as all_metrics
from ganzoo import types
from ganzoo import validation
from ganzoo.evaluation.census import Census
from ganzoo.evaluation.census import Look
from ganzoo.evaluation.census import Reference
from ganzoo.evaluation.census import require
from ganzoo.evaluation.census import result_or_nothing
from ganzoo.evaluation.neighbours import pixels
from ganzoo.evaluation.neighbours import save_nearest
from ganzoo.evaluation.registry import EXPORTED
from ganzoo.evaluation.registry import METRIC_OF
from ganzoo.evaluation.registry import METRICS
from ganzoo.evaluation.registry import knows
from ganzoo.evaluation.samples import are_samples
from ganzoo.evaluation.samples import batches_of
from ganzoo.evaluation.samples import grouped
from ganzoo.evaluation.samples import load_data
from ganzoo.evaluation.samples import shape_of
from ganzoo.evaluation.samples import splits
from ganzoo.evaluation.samples import who
from ganzoo.evaluation.score_sheet import Score
from ganzoo.evaluation.score_sheet import ScoreSheet
from ganzoo.extractors import inception
from ganzoo.game import Game
from ganzoo.metrics.states import Moments
from ganzoo.metrics.states import keys_of
from ganzoo.modalities import kind_of


def evaluate(model: Game | np.ndarray, data: Any, **settings: Any) -> ScoreSheet:
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
    shape = getattr(model, "image_shape", None) or shape_of(model)
    if isinstance(data, (str, pathlib.Path)) and len(shape or ()) == 3:
        settings = {"image_size": tuple(shape[:2]), **settings}
    return Evaluator(data, **settings).judge(model)


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
        data_dir: types.Path | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        value_range: tuple[float, float] | None = None,
        class_names: Sequence[str] | None = None,
        verbose: bool = True,
    ) -> None:
        self.samples = validation.integer("samples", samples, least=2)
        self.repeats = validation.integer("repeats", repeats)
        self.seed = validation.integer("seed", seed, least=0)
        self.truncation = truncation
        self.batch_size = validation.integer("batch_size", batch_size)
        load = functools.partial(
            load_data,
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
            data, found = splits(data, load)
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
            "image_shape": shape_of(data),
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
            raise validation.unknown("metric or score in `metrics`", metric, {*METRICS, *METRIC_OF})
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
        if kind_of(images.shape[1:]).size:
            rows["pixels"] = pixels(images)
        return Look(images.shape[1:], rows, labels, keys_of(images))

    @functools.cached_property
    def _reference(self):
        """The metrics after the real pictures, the floors, and what the pictures were."""
        looks = (self._look(*batch) for batch in grouped(batches_of(self.data)))
        first = next(looks, None)
        if first is None:
            raise ValueError("`data` is empty: it yields no picture.")
        chosen = self._choose(first)
        real, train = Census(), None
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
            train, standing_in = Census(), 0
            memories = [m for m in [*chosen, *halves] if "train" in m.sides]
            others = [m for m in floors if "train" not in m.sides]
            for images, labels in grouped(batches_of(self.train)):
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
                for images, labels in batches_of(self.train)
                for taken in [keys_of(images) <= last]
                if taken.any()
            )
            for images, labels in grouped(first_ones):
                look = self._look(images, labels)
                others = [m for m in others if labels is not None or not m.labelled]
                look.show("fake", others)
                standing_in += len(images)
            floor = f"{standing_in:,} training pictures in place of the samples"
            if standing_in < self.samples:
                floor += ", which are more: distances at the floor are somewhat too large"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the score itself warns of the same
            limits = {name: x for m in floors for name, x in result_or_nothing(m).items()}
        return Reference(chosen, limits, floor, real, train)

    def _samples(self, model, seed):
        """Batches `(images, labels asked for)` of a model's samples, or of given ones.

        Labels are asked for as the data has them; in turn where it has none.
        """
        if are_samples(model):
            yield from batches_of(model)
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
        self, model: Game | np.ndarray, progress: Callable[[int], object] | None = None
    ) -> ScoreSheet:
        """The score sheet of one model, or of given samples; see `evaluate`.

        `progress` is called with the number of samples seen so far.
        """
        if not are_samples(model) and not hasattr(model, "generate_batches"):
            raise TypeError(
                f"{type(model).__name__} makes no samples: `evaluate` takes a trained GAN, or an "
                "array of samples."
            )
        known = getattr(self.data, "description", {}).get("image_shape")
        made = getattr(model, "image_shape", None)
        if known and made:  # before hours of reading
            require(tuple(made), tuple(known), "The samples have")
        chosen, limits, floor, real, train = self._reference
        found: dict[str, Any] = {}
        notes: list[str] = []
        repeats = 1 if are_samples(model) else self.repeats
        for repeat in range(repeats):
            panel, fake = [m.beside() for m in chosen], Census()
            for images, asked in grouped(self._samples(model, self.seed + repeat)):
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
            **who(model),
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

    def save_nearest(self, model: Game | np.ndarray, path: types.Path, n: int = 12) -> pathlib.Path:
        """The sheet of `save_nearest` for the first samples of a model. Returns the path."""
        samples = itertools.chain.from_iterable(x for x, _ in self._samples(model, self.seed))
        samples = np.stack(list(itertools.islice(samples, n)))
        if self.train is None:
            return save_nearest(samples, self.data, path)
        return save_nearest(samples, self.train, path, held_out=self.data)

    def export(self, model: Game | np.ndarray, folder: types.Path) -> dict[str, int]:
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
            "samples": (images for images, _ in grouped(self._samples(model, self.seed))),
            "data": (images for images, _ in grouped(batches_of(self.data))),
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
