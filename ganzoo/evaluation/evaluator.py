"""Evaluation of a model's samples as a score sheet.

This module is not called `evaluate` because `ganzoo.evaluate` is the function.
"""

import collections.abc
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
from ganzoo.evaluation import pairs
from ganzoo.evaluation.census import Census
from ganzoo.evaluation.census import Look
from ganzoo.evaluation.census import require
from ganzoo.evaluation.choosing import Choice
from ganzoo.evaluation.neighbours import likeness
from ganzoo.evaluation.neighbours import save_nearest
from ganzoo.evaluation.reference import reference
from ganzoo.evaluation.registry import EXPORTED
from ganzoo.evaluation.registry import by_default
from ganzoo.evaluation.samples import are_samples
from ganzoo.evaluation.samples import batches_of
from ganzoo.evaluation.samples import grouped
from ganzoo.evaluation.samples import load_data
from ganzoo.evaluation.samples import must_agree
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
    """Score the samples of a model.

    Args:
        model: a trained model from `ganzoo.get`; or samples of any origin, an array
            `(n, height, width, channels)` uint8. The output of an upscaler, or of a translator of
            pairs, is compared with what it should be, and so is the bicubic enlargement, or the
            image as it was given.
        data: images to compare with, preferably held-out ones: a name that `ganzoo.datasets.load`
            knows (its test split is used, and its train split as `train`), a data set as for `fit`,
            or an array or pair `(images, labels)`; for a translator of pairs `(images, targets)`.
        **settings: see `Evaluator`.

    Returns:
        A `ScoreSheet`.

    Raises:
        ValueError, TypeError: data, extractor and model do not fit; the message says what to do.

    Example:

    >>> import ganzoo
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
    >>> sheet = ganzoo.evaluate(model, "digits", samples=300, repeats=1)
    >>> sheet["frechet"].floor < sheet["frechet"].value
    True
    """
    shape = getattr(model, "image_shape", None) or shape_of(model)
    kind = getattr(model, "modality", None)
    if isinstance(data, (str, pathlib.Path)) and shape:
        kind = kind or kind_of(tuple(shape))
        settings = {**{k: x for k, x in kind.reading.items() if k != "channels"}, **settings}
    elif kind is not None:
        settings = {**kind.facts, **settings}
    return Evaluator(data, **settings).judge(model)


class Evaluator:
    """Scores many models like `evaluate`, but processes the real images only once.

    Args:
        data: see `evaluate`.
        train: the training images, as `data`: for the floor and for memorisation. None: the train
            split if `data` is a name; otherwise none, and halves of `data` give the floor.
        metrics: names in `ganzoo.evaluation.METRICS`, names of scores as a sheet prints them, such
            as `"precision"` or `"recall[digits-classifier-v1]"`, and metrics; None: all that apply.
            A score's name stands for the metric that gives it, with all of that metric's scores.
        extractor: see `ganzoo.metrics.extractor`; None: the one that knows the data, otherwise
            `"efficientnet-lite0"`, and `"pixels"`, with a note, if its weights are not installed.
        samples: number of samples; for an upscaler or a translator of pairs, the most images of
            `data`, the first ones.
        repeats: sets of samples, from the seeds `seed`, `seed + 1`, …, whose spread is the error;
            1 for an upscaler or a translator of pairs, which draw nothing.
        seed: seed of the samples.
        truncation: see `GAN.generate`.
        batch_size: samples made at once; bounds memory and changes no score.
        real: most images of `data` to compare with, the first in its order, which is shuffled for
            data by name; None: all.
        image_size, channels, data_dir, on_error, value_range, class_names, verbose: see
            `ganzoo.datasets.load`, for data by name; `evaluate` takes the model's size.
        sample_rate, length: likewise, of sounds; the rate also of arrays.

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
        real: int | None = None,
        image_size: int | tuple[int, int] | None = None,
        sample_rate: int | None = None,
        length: int | None = None,
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
        self.real = validation.optional(validation.integer, "real", real, least=2)
        load = functools.partial(
            load_data,
            self.batch_size,
            verbose,
            class_names,
            image_size=image_size,
            sample_rate=sample_rate,
            length=length,
            channels=channels,
            data_dir=data_dir,
            on_error=on_error,
            value_range=value_range,
        )
        if isinstance(data, (str, pathlib.Path)):
            data, train_split = splits(data, load)
            train = train_split if train is None else train
        if isinstance(train, (str, pathlib.Path)):
            train = load(train, split="train")
        if isinstance(train, collections.abc.Iterator):
            raise TypeError("`train` is read twice: pass a data set or an array, not an iterator.")
        self.data, self.train = data, train
        self.contents = [str(x.contents) for x in (train, data) if hasattr(x, "contents")]
        rate = {} if sample_rate is None else {"sample_rate": sample_rate}
        given = {"source": "data", "split": "given", "image_shape": shape_of(data), **rate}
        self.description = getattr(data, "description", None) or given
        self._chooses_extractor = extractor is not None
        self.extractor, self.notes = (
            by_default(self.description)
            if extractor is None
            else (extractors.extractor(extractor), ())
        )
        self.choice = Choice(
            metrics, self.extractor, self.description["source"], self.train is not None
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself, so that copies of a callback, such as KerasTuner's, process the real images only
        once."""
        return self

    # Looking --------------------------------------------------------------------------------

    def _look(self, images, labels, features=True):
        rows = dict(self.extractor(images)) if features else {}
        kind = kind_of(images.shape[1:]).adapt(self.description)
        if kind.rank > 1:
            rows["pixels"] = likeness(images, kind)
        return Look(images.shape[1:], rows, labels, keys_of(images))

    @functools.cached_property
    def _reference(self):
        return reference(
            self.data, self.train, self.samples, self.choice.metrics_for, self._look, self.real
        )

    def prepare(self) -> None:
        """Process the real images now, in place of in the first `judge`."""
        self._reference  # noqa: B018

    def _samples(self, model, seed):
        """Batches `(images, requested labels)` of a model's samples, or of given ones.

        Labels are requested in the proportions of the data, or all in turn if it has none.
        """
        if are_samples(model):
            yield from batches_of(model)
            return
        labels = None
        if getattr(model, "num_classes", None) is not None:
            labels = self._reference.real.labels
            labels = (
                np.arange(model.num_classes)
                if labels is None
                else np.random.default_rng(seed).permutation(labels)
            )
            labels = np.resize(labels, self.samples)
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
            return self._judge_pairs(model, progress)
        must_agree(getattr(model, "modality", None), self.data, self.description)
        expected = getattr(self.data, "description", {}).get("image_shape")
        shape = getattr(model, "image_shape", None)
        if expected and shape:  # before hours of reading
            require(tuple(shape), tuple(expected), "The samples have")
        values: dict[str, Any] = {}
        notes = list(self.notes)
        repeats = 1 if are_samples(model) else self.repeats
        for repeat in range(repeats):
            panel, fake = self._measure(model, repeat, progress)
            results, more = self._results(panel)
            for name, (metric, value) in results.items():
                values.setdefault(name, (metric, []))[1].append(value)
            notes += more
            distinct = fake.distinct.number
            if distinct < 0.9 * fake.count:
                notes.append(f"only {distinct:,} of {fake.count:,} samples are distinct images")
        scores = {
            f"{name}[{'pixels' if metric.uses == 'pixels' else self.extractor.name}]": self._score(
                name, metric, each
            )
            for name, (metric, each) in values.items()
        }
        passport = self._passport(model, fake.count, repeats)
        return ScoreSheet(scores, passport, tuple(dict.fromkeys(notes)))

    def _judge_pairs(self, model, progress):
        """The score sheet of a model whose output has a right answer."""
        if not pairs.applies(model):
            raise TypeError(
                f"{type(model).__name__} makes no samples: `evaluate` takes a trained GAN, an "
                "upscaler, a translator of pairs, or an array of samples."
            )
        given = {"metrics": self.choice.wanted is not None, "extractor": self._chooses_extractor}
        for name in (name for name, is_given in given.items() if is_given):
            raise ValueError(
                f"{type(model).__name__} is scored by {', '.join(pairs.BETTER)}, as far as they "
                f"apply: leave out `{name}`."
            )
        most = min(self.real or self.samples, self.samples)
        return pairs.judge(model, self.data, self.description, most, progress)

    def _measure(self, model, repeat, progress):
        """The metrics after one set of samples, and the samples' `Census`."""
        panel, fake = [m.beside() for m in self._reference.chosen], Census()
        for images, labels in grouped(self._samples(model, self.seed + repeat)):
            look = self._look(images, labels)
            look.must_be(self._reference.real.shape, "The samples have")
            numbers = np.arange(fake.count, fake.count + len(images))
            fake.add(look)
            # Equal samples count separately.
            look = dataclasses.replace(look, keys=keys_of(numbers))
            panel = [m for m in panel if labels is not None or not m.labelled]
            look.show("fake", panel)
            if progress is not None:
                progress(repeat * self.samples + fake.count)
        return panel, fake

    def _results(self, panel):
        """`{name: (metric, value)}`, and notes on doubtful or missing values."""
        results, notes = {}, []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for metric in panel:
                try:
                    result = metric.result()
                except ValueError as error:
                    if self.choice.wanted is not None:
                        raise
                    notes.append(f"{metric.name} is left out: {error}")
                    continue
                results.update((name, (metric, value)) for name, value in result.items())
        notes += [str(w.message) for w in caught]
        if self.choice.wanted is not None:
            left_out = {m.name for m in self._reference.chosen} - {m.name for m in panel}
            notes += [f"{name} is left out: no labels were requested" for name in left_out]
        return results, notes

    def _score(self, name, metric, values):
        spread = len(values) > 1 and np.isfinite(values).all()
        return Score(
            value=float(np.mean(values)),
            error=float(np.std(values, ddof=1)) if spread else None,
            floor=self._reference.limits.get(name),
            better=metric.better.get(name),
            settings=metric.settings(),
        )

    def _passport(self, model, count, repeats):
        """The record of how the scores were made."""
        real, train = self._reference.real, self._reference.train
        return {
            **who(model),
            "extractor": self.extractor.name,
            "extractor_sha256": extractors.fingerprint(self.extractor, real.shape),
            "resize": self.extractor.resize,
            "samples": count,
            "repeats": repeats,
            "seed": self.seed,
            "truncation": self.truncation,
            "data": {**self.description, **real.passport()},
            "train": None if train is None else train.passport(),
            "floor": self._reference.floor,
            "versions": backend.versions("scipy", "pillow"),
        }

    def save_nearest(self, model: Game | np.ndarray, path: types.Path, n: int = 12) -> pathlib.Path:
        """The sheet of `save_nearest` for the first samples of a model. Returns the path."""
        samples = itertools.chain.from_iterable(x for x, _ in self._samples(model, self.seed))
        samples = np.stack(list(itertools.islice(samples, n)))
        kind = kind_of(samples.shape[1:]).adapt(self.description)
        if self.train is None:
            return save_nearest(samples, self.data, path, modality=kind)
        return save_nearest(samples, self.train, path, held_out=self.data, modality=kind)

    def export(self, model: Game | np.ndarray, folder: types.Path) -> dict[str, int]:
        """Write the samples and the data as other evaluators read them.

        One PNG file per image in `folder/samples` and `folder/data`, quantised once:
        clean-fid, torch-fidelity and pytorch-fid take such folders. Grey images stay grey in
        the file, and all three repeat them to three channels as ganzoo does. With the extractor
        `"inception"` also `samples.npz` and `data.npz`, mean `mu` and covariance `sigma` of the
        features, which pytorch-fid takes in place of folders.

        Returns:
            A dict with the number of files in each.
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
                kind = kind_of(images.shape[1:]).adapt(self.description)
                kind.save(images, folder / side, start=counts[side])
                counts[side] += len(images)
                if self.extractor.classes == inception.CLASSES:
                    moments.update(self.extractor(images)["features"])
            if moments.count:
                np.savez(folder / f"{side}.npz", mu=moments.mean, sigma=moments.covariance)
        return counts
