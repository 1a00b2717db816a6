"""`plan`: what a training will do, with a model and settings chosen by the data and the time."""

import dataclasses
import functools
import math
import shlex
from collections.abc import Mapping
from typing import Any
from typing import Unpack

from ganzoo import backend
from ganzoo import datasets
from ganzoo import types
from ganzoo import zoo
from ganzoo.evaluation import throughput
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from ganzoo.modalities import kind_of
from ganzoo.runs import outlook
from ganzoo.runs import recipes
from ganzoo.runs import starting
from ganzoo.runs import timing
from ganzoo.runs.preparing import check_domains
from ganzoo.runs.preparing import check_reading
from ganzoo.runs.settings import Options
from ganzoo.runs.settings import Settings
from ganzoo.runs.settings import plain

CHOSEN = ("model", "weights", "image_size", "batch_size", "arguments")
"""Settings that the table may choose; a run goes on with those that it began with."""
WRITTEN = (
    *("to", "data_dir", "weights", "minutes", "epochs", "batch_size", "devices", "image_size"),
    *("seed", "value_range", "checkpoint_seconds", "score_every", "on_divergence"),
)
"""Settings that a command gives as an option of the same name with a value."""
MEASURABLE = 3.0
"""In fewer minutes the speed is not measured first: that takes some ten seconds."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training will do.

    Attributes:
        run: its folder.
        settings: keyword arguments of `ganzoo.runs.train`, `model` and `data` among them.
        surveys: of the data of each domain; empty if a run goes on.
        rows: the rows of the table that were applied; empty if there was nothing to choose.
        given: names of settings and arguments of the model that took the place of chosen ones.
        notes: sentences on what to expect, and on what the data suggests.
        speed: images per second that were measured; None: not measured.
        left: seconds to train in; None: epochs are counted.
    """

    run: RunFolder
    settings: dict[str, Any]
    surveys: tuple[datasets.Survey, ...] = ()
    rows: tuple[recipes.Row, ...] = ()
    given: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    speed: float | None = None
    left: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it takes; None: not measured."""
        if self.left is not None or self.speed is None:
            return self.left
        passes = max(0, self._epochs - self.run.checkpoints.newest)
        return passes * self.surveys[0].images / self.speed if self.surveys else None

    @property
    def _epochs(self):
        """Its total number of epochs, if they are counted."""
        return Settings.of("", "", {"epochs": self.settings.get("epochs")}).epochs or 1

    @functools.cached_property
    def expected(self) -> outlook.Outlook | None:
        """How good it will be, by its own scores or the curves of earlier runs; None: not known."""
        if self.speed is None or self.seconds is None:
            return None
        shape = shape_of(self.settings, self.surveys[0])
        length = {"minutes": self.settings.get("minutes"), "epochs": self._epochs}
        begun = outlook.of_run(self.run, length=length)
        return begun or outlook.before(self.run, self.settings, shape, self.speed, self.seconds)

    def choices(self) -> list[str]:
        """What was chosen and why, as lines of text."""
        lines = [f"{row.topic}: {row.choice}. {row.reason}".strip() for row in self.rows]
        if self.given:
            lines.append(f"As you set them: {', '.join(self.given)}.")
        return [line.replace("`", "") for line in (*lines, *self.notes)]

    def lines(self) -> list[str]:
        """All of it, as lines of text."""
        lines = [*(str(survey.contents) for survey in self.surveys), *self.choices()]
        if self.rows:
            lines.append(f"The same without a choice: {self.command()}")
        if self.speed is not None and self.seconds is not None:
            lines.append(timing.forecast(self.speed, self.seconds))
        return lines + outlook.told(lambda: self.expected)

    def command(self) -> str:
        """The command that trains with these settings."""
        s = {"batch_size": Settings.batch_size, **self.settings}
        words = ["ganzoo", "train", s["model"], "--data", s["data"]]
        for name in WRITTEN:
            if s.get(name) is not None:
                value, joint = s[name], "," if name == "value_range" else "x"
                text = joint.join(map(str, value)) if isinstance(value, (list, tuple)) else value
                text = f"{text:g}" if isinstance(text, float) else text
                words += [f"--{name.replace('_', '-')}", text]
        words += ["--skip-damaged"] if s.get("on_error") == "skip" else []
        words += ["--tensorboard"] if s.get("tensorboard") else []
        for word in s.get("imports", ()):
            words += ["--import", word]
        for name, value in (s.get("arguments") or {}).items():
            words += ["--set", f"{name}={value}"]
        return shlex.join([*map(str, words), "--out", str(self.run)])

    def facts(self) -> dict[str, Any]:
        """All of it, as plain data."""
        seconds, images = self.seconds, None
        if self.speed is not None and seconds is not None:
            images = timing.rounded(self.speed * seconds)
        return plain(
            {
                "run": str(self.run),
                "found": [_found(survey) for survey in self.surveys],
                "settings": {name: self.settings.get(name) for name in CHOSEN},
                "choices": [
                    {"topic": row.topic, "choice": row.choice, "reason": row.reason}
                    for row in self.rows
                ],
                "notes": list(self.notes),
                "command": self.command(),
                "images_per_second": self.speed,
                "images": images,
                "seconds": seconds,
                "end": None if seconds is None else timing.end_after(seconds),
                "forecast": [] if self.expected is None else self.expected.facts(),
            }
        )


def _found(survey):
    facts = {field: getattr(survey, field) for field in ("images", "looked_at", "distinct", "size")}
    facts |= {field: getattr(survey, field) for field in ("sizes", "channels", "transparent")}
    return {**facts, "classes": survey.classes, "contents": str(survey.contents)}


def plan(data: types.Path, *, model: str | None = None, **options: Unpack[Options]) -> Plan:
    """What a training of `ganzoo.runs.train` or, without a model, of `auto` will do.

    Args:
        data: a name or path that `ganzoo.datasets.load` takes.
        model: registry name; None: to be chosen, for which `minutes` are needed.
        **options: see `ganzoo.runs.train`.

    Raises:
        ValueError, TypeError: as in `auto`.
    """
    given: dict[str, Any] = {k: value for k, value in options.items() if value is not None}
    Settings.of(model or "", data, given).check()
    if model is None and backend.processes() > 1:
        raise ValueError("Processes that train together must agree on a model: name it.")
    out = given.pop("out", None)
    run = RunFolder.usual(model, data) if out is None else RunFolder(out)
    left = _left(run, given)
    begun = None if model is not None else _begun_with(run)
    if begun is not None:
        settings = _joined({"data": data, **begun}, given)
        return Plan(
            run=run,
            settings=settings,
            notes=(f"{run} goes on as it began, with {begun['model']}.",),
            left=left,
        )
    sources = [source for source in (data, given.get("to")) if source]
    if model is not None:
        settings = {"model": model, "data": data, **given}
        try:
            surveys = tuple(_survey(source, given) for source in sources)
        except datasets.NotImages:  # only a choice is about images
            note = f"{data} holds no images: the speed of the training is not measured."
            return Plan(run=run, settings=settings, notes=(note,), left=left)
        return Plan(
            run=run, settings=settings, surveys=surveys, speed=_speed(settings, surveys), left=left
        )
    surveys = tuple(_survey(source, given) for source in sources)
    if left is None:
        raise ValueError("The choice needs the time: `minutes` (--minutes), or name a model.")
    rows, settings, facts, speed = choose(surveys, given, left)
    return Plan(
        run=run,
        settings={"data": data, **settings},
        surveys=surveys,
        **applied(rows, facts, given),
        notes=tuple(notes_on(facts, settings)),
        speed=speed,
        left=left,
    )


def _left(run, given):
    """Seconds that are left of the minutes; None if epochs are counted."""
    if "minutes" not in given:
        return None
    passed = 0.0 if "since" not in given else time_budget.clock() - given["since"]
    return max(0.0, 60 * given["minutes"] - timing.spent(run) - passed)


def _begun_with(run):
    """The chosen settings with which a run began; None if it has not begun."""
    if not run.begun:
        return None
    try:
        record = run.read_config()["settings"]
        settings = {name: record[name] for name in CHOSEN if record[name] is not None}
    except (OSError, ValueError, KeyError, TypeError):  # damaged: `train` reports it
        return None
    if "weights" in settings:
        settings["weights"] = texts.local(settings["weights"])
    return settings


def _joined(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those that were given in place of chosen ones, the model's arguments too."""
    arguments = {**settings.get("arguments", {}), **given.get("arguments", {})}
    return {**settings, **given, "arguments": arguments}


def _survey(source, given):
    size = given.get("image_size")
    return datasets.survey(
        source,
        image_size=(size, size) if isinstance(size, int) else size,
        data_dir=given.get("data_dir"),
        on_error=given.get("on_error", "raise"),
    )


# The choice ---------------------------------------------------------------------------------------


def choose(surveys, given, seconds):
    """`(rows, settings, facts, speed)` for the data of one or two domains and a time in seconds."""
    facts = recipes.Facts(
        survey=surveys[0],
        paired=_paired(*surveys) if len(surveys) > 1 else None,
        unmeasured=seconds < 60 * MEASURABLE and not backend.accelerated(),
        image_size=_side(given.get("image_size")),
        **starting.facts(surveys[0], given),
    )
    _check(facts, given)
    rows = recipes.decide(facts)
    settings = _joined(recipes.settings_of(rows, facts), given)
    if facts.unmeasured:
        return rows, settings, facts, None
    timed = lambda settings, speed: dataclasses.replace(
        facts,
        steps=int(speed * seconds / settings["batch_size"]),
        batch=settings["batch_size"],
    )
    speed = _speed(settings, surveys)
    rows = recipes.decide(timed(settings, speed))
    chosen = _joined(recipes.settings_of(rows, facts), given)
    was, now = (s["arguments"].get("channels") for s in (settings, chosen))
    if was != now:
        speed = _speed(chosen, surveys)
    else:
        was, now = (math.prod(shape_of(s, surveys[0])) for s in (settings, chosen))
        speed *= was / now
    facts = timed(chosen, speed)
    chosen = _joined(recipes.settings_of(rows, facts), given)
    return rows, chosen, facts, speed


def _side(size):
    """The longer side of an `image_size`."""
    return max(size) if isinstance(size, (list, tuple)) else size


def applied(rows, facts, given):
    """The fields `rows` and `given` of a plan: the rows of which not all that they choose is
    given."""
    names = {*given, *given.get("arguments", {})} - {"arguments"}
    chosen, kept = set(), []
    for row in rows:
        settings = row.chosen(facts)
        mine = {*settings, *settings.get("arguments", {})} - {"arguments"}
        chosen |= mine
        if not mine or mine - names:
            kept.append(row)
    return {"rows": tuple(kept), "given": tuple(sorted(names & chosen))}


def _paired(a, b):
    """Whether the files of two folders have the same names, for the most part."""
    if a.names is None or b.names is None:
        return a.names is b.names is None and a.images == b.images and a.images > 0
    return len(a.names & b.names) >= 0.9 * min(len(a.names), len(b.names))


def _check(facts, given):
    survey, source = facts.survey, facts.survey.contents.source
    if survey.distinct <= 1:
        same = "" if survey.images == 1 else f" {survey.images:,} times"
        raise ValueError(
            f"{source} holds one image{same}, and a GAN learns what many have in common: use "
            f"{recipes.FEW} different ones or more, better a thousand."
        )
    if not facts.asked:
        return
    model, weights = facts.start["model"], facts.start["weights"]
    check_domains(zoo.model_class(model), Settings.of(model, source, given))
    shape = facts.trained["image_shape"] or ()
    if len(shape) == 1:
        raise ValueError(f"The weights {str(weights)!r} are of points, and {source} holds images.")
    if shape:
        kind = kind_of(tuple(shape))
        check_reading(kind, {"image_size": given.get("image_size")}, weights)
    known = facts.trained.get("num_classes")
    if known is not None and not survey.classes:
        raise ValueError(
            f"The weights {str(weights)!r} know {known} classes, and {source} has "
            "none: put its images into one sub-folder for each class; one alone will do."
        )


def notes_on(facts, settings):
    """Yield what the data and the time suggest, as sentences."""
    survey = facts.survey
    if survey.distinct < survey.looked_at:
        yield f"Of {survey.looked_at:,} images that were compared, {survey.distinct:,} differ."
    if facts.distinct < recipes.FEW:
        yield (
            f"{facts.distinct:,} different images are few: expect samples that resemble them "
            f"closely. {recipes.FEW} are the least to learn from, a thousand are better."
        )
    yield from _about_classes(facts)
    height, width, channels = shape_of(settings, survey)
    if survey.alike < 0.9:
        others = f"{1 - survey.alike:.0%} of the images have another aspect than most"
        others = others if survey.alike > 0.5 else "The images have many aspects"
        yield f"{others}: all are cropped to {height}×{width} in the middle."
    if channels == 1 and facts.colour:
        yield "The images become grey, as those of the weights are."
    if facts.hasty and (facts.colour or facts.side > 32):  # small grey images take few steps
        steps = "few" if facts.steps is None else f"about {facts.steps:,}"
        expected = "samples between those of the weights and your images"
        expected = expected if facts.tuned else "colours and rough shapes"
        yield f"There is time for {steps} training steps: expect {expected}."


def _about_classes(facts):
    counts = facts.survey.classes
    known = facts.trained.get("num_classes") is not None
    if not counts or len(counts) < 2 or facts.labelled or not facts.one_domain:
        return
    name, count = min(counts.items(), key=lambda item: item[1])
    if not facts.tuned:
        yield (
            f"The {len(counts)} classes are not learned: {name!r} has {count:,} images, and each "
            f"needs {recipes.PER_CLASS}."
        )
    elif not known:
        yield f"The {len(counts)} classes are not learned: the weights know none."
    elif count < recipes.PER_CLASS:
        yield f"The class {name!r} has {count:,} images: expect samples that resemble them closely."


# Speed ------------------------------------------------------------------------------------------


def shape_of(settings, survey):
    """The shape of the images that a model with these settings trains on."""
    shape = starting.arguments(settings).get("image_shape")
    if shape is not None:
        return tuple(shape)
    size = settings.get("image_size")
    height, width = survey.size if size is None else (size, size) if isinstance(size, int) else size
    return (height, width, survey.channels)


def _speed(settings, surveys):
    """Images per second that training with these settings is measured to take."""
    model = settings["model"]
    arguments = Settings(model=model, arguments=settings.get("arguments")).model_arguments
    known = zoo.model_class(model).arguments().keys() - {"image_shape", "seed", "name"}
    trained = {name: value for name, value in starting.arguments(settings).items() if name in known}
    return throughput.training_speed(
        model,
        image_shape=shape_of(settings, surveys[0]),
        batch_size=settings.get("batch_size", Settings.batch_size),
        **{**trained, **arguments},
    )
