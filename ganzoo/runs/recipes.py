"""Which model and settings suit which data, as a table: for `ganzoo train IMAGES --minutes N`.

Each row belongs to a topic, and of each topic the first row applies whose condition holds. To teach
the choice something new, add a row; `docs/own-pictures.md` shows the table as it is here.
"""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from ganzoo.datasets import Survey

FEW_STEPS = 1_500
"""Training steps before which samples rarely resemble the data, as the doctor takes it."""
BRIEF = 5_000
"""Training steps for which an average over a thousand of them is too slow."""
FEW = 50
"""Images too few to learn from without a start."""
PER_CLASS = 50
"""Images that each class needs at least."""
LONG = 15_000
"""Training steps that are worth wider networks: the weights for portraits took 18,750."""
MANY = 200
"""Times that each image may be read before it is augmented. A guess: it is not measured yet."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What the choice depends on.

    Attributes:
        survey: of the images; of the first domain, if there are two.
        paired: whether the images of two domains belong together; None: there is one domain.
        steps: training steps that there is time for, by a measurement; None: not measured.
        batch: examples in a step.
        image_size: the longer side of the images to train on, if it was given.
        unmeasured: whether the time is too short to measure the speed first.
        start: trained weights for such images, as the settings `model` and `weights`: those that
            were asked for, or some that come with ganzoo; None: there are none.
        asked: whether they were asked for.
        trained: the arguments of the model of these weights.
    """

    survey: Survey
    paired: bool | None = None
    steps: int | None = None
    batch: int = 32
    image_size: int | None = None
    unmeasured: bool = False
    start: dict[str, Any] | None = None
    asked: bool = False
    trained: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def one_domain(self) -> bool:
        """Whether samples come from latents, and not from images of another domain."""
        return self.paired is None

    @property
    def colour(self) -> bool:
        return self.survey.channels > 1

    @property
    def side(self) -> int:
        """The longer side of the median image."""
        return max(self.survey.size)

    @property
    def distinct(self) -> int:
        """Number of different images, estimated where not all were compared."""
        return round(self.survey.images * self.survey.distinct / self.survey.looked_at)

    @property
    def tuned(self) -> bool:
        """Whether the training starts from trained weights."""
        if self.asked:
            return True
        return self.one_domain and self.distinct < FEW and self.start is not None

    def takes(self, argument: str) -> bool:
        """Whether the model has this argument; those that are chosen without weights have."""
        return not self.tuned or argument in self.trained

    def without(self, argument: str) -> dict[str, Any]:
        """The settings that leave out what the weights to start from were trained with."""
        used = self.tuned and self.trained.get(argument) is not None
        return {"arguments": {argument: None}} if used else {}

    @property
    def hasty(self) -> bool:
        """Whether there is time for few steps only."""
        return self.unmeasured or (self.steps is not None and self.steps < FEW_STEPS)

    @property
    def brief(self) -> bool:
        return self.unmeasured or (self.steps is not None and self.steps < BRIEF)

    @property
    def large(self) -> bool:
        """Whether the images to train on are larger than 40 pixels."""
        if self.image_size is not None:
            return self.image_size > 40
        return self.side > 40 and not self.hasty

    @property
    def reads(self) -> int:
        """Images that there is time to read, to two digits; 0: not measured yet."""
        steps = FEW_STEPS if self.unmeasured else self.steps or 0
        return int(float(f"{steps * self.batch:.2g}"))

    @property
    def labelled(self) -> bool:
        """Whether there are classes to learn."""
        if not self.one_domain or self.tuned or not self.survey.classes:
            return False
        counts = self.survey.classes.values()
        return len(counts) > 1 and min(counts) >= PER_CLASS

    def scaled(self, side: int) -> dict[str, Any]:
        """Images whose longer side has `side` pixels: with the median image's aspect if nearly all
        have that one, otherwise square."""
        longer, shorter = self.side, min(self.survey.size)
        if self.survey.alike < 0.9 or longer < 1.25 * shorter:
            return {"image_size": side}
        short = max(side // 4, 8 * round(side * shorter / longer / 8))
        height, width = self.survey.size
        return {"image_size": (side, short) if height > width else (short, side)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes:
        topic: what it chooses: of each topic, one row applies.
        when: the condition in words; "" for all other data.
        holds: the condition.
        settings: what it chooses: keyword arguments of `ganzoo.runs.train`, or a function of the
            facts that returns them. `arguments` of all topics are joined.
        choice: the choice in words.
        reason: why, in words.
    """

    topic: str
    when: str = ""
    holds: Callable[[Facts], bool] = lambda facts: True
    settings: dict[str, Any] | Callable[[Facts], dict[str, Any]]
    choice: str
    reason: str

    def chosen(self, facts: Facts) -> dict[str, Any]:
        """The settings that this row chooses."""
        return dict(self.settings(facts) if callable(self.settings) else self.settings)


TABLE = (
    Row(
        topic="model",
        when="trained weights that you name by `--weights`",
        holds=lambda facts: facts.asked,
        settings=lambda facts: facts.start or {},
        choice="that of the weights",
        reason="",
    ),
    Row(
        topic="model",
        when="two folders whose files have the same names",
        holds=lambda facts: facts.paired is True,
        settings={"model": "pix2pix"},
        choice="`pix2pix`",
        reason="It learns from pairs.",
    ),
    Row(
        topic="model",
        when="two folders",
        holds=lambda facts: facts.paired is False,
        settings={"model": "cyclegan"},
        choice="`cyclegan`",
        reason="It needs no pairs.",
    ),
    Row(
        topic="model",
        when=f"fewer than {FEW} different images, and trained weights of their colours",
        holds=lambda facts: facts.tuned,
        settings=lambda facts: facts.start or {},
        choice="that of trained weights",
        reason="From so few images a new network learns hardly anything but these.",
    ),
    Row(
        topic="model",
        settings={
            "model": "r3gan",
            "arguments": {"architecture": "dcgan", "learning_rate": 8e-4},
        },
        choice="`r3gan` with DCGAN's networks, learning rate 0.0008",
        reason="Of the trained weights that come with ganzoo, those of `r3gan` have the lowest "
        "Fréchet distances, and these networks are quick on a processor.",
    ),
    Row(
        topic="size",
        when="a start from trained weights",
        holds=lambda facts: facts.tuned,
        settings={},
        choice="that of the weights",
        reason="",
    ),
    Row(
        topic="size",
        when="all images have one size of 8 to 32 pixels",
        holds=lambda facts: (
            facts.survey.sizes == 1 and 8 <= min(facts.survey.size) and facts.side <= 32
        ),
        settings={},
        choice="as they are",
        reason="",
    ),
    Row(
        topic="size",
        when="originals of at most 40 pixels",
        holds=lambda facts: facts.side <= 40,
        settings=lambda facts: facts.scaled(32),
        choice="32",
        reason="More pixels would show nothing more.",
    ),
    Row(
        topic="size",
        when=f"time for fewer than {FEW_STEPS:,} steps at 64, or less than 3 minutes",
        holds=lambda facts: facts.hasty,
        settings=lambda facts: facts.scaled(32),
        choice="32",
        reason="A step computes a quarter of the pixels, so there is time for more of them.",
    ),
    Row(
        topic="size",
        settings=lambda facts: facts.scaled(64),
        choice="64",
        reason="The weights for emoji, of this size, took 30 minutes of processor time.",
    ),
    Row(
        topic="width",
        when="two folders, or a start from trained weights",
        holds=lambda facts: facts.tuned or not facts.one_domain,
        settings={},
        choice="that of the model",
        reason="",
    ),
    Row(
        topic="width",
        when="grey images of at most 40 pixels, or colour ones below 32",
        holds=lambda facts: facts.side < 32 or (facts.side <= 40 and not facts.colour),
        settings={},
        choice="128, the model's",
        reason="The weights for MNIST were trained with it.",
    ),
    Row(
        topic="width",
        when=f"images of more than 40 pixels, and time for {LONG:,} steps or more",
        holds=lambda facts: facts.large and (facts.steps or 0) >= LONG,
        settings={"arguments": {"channels": (256,)}},
        choice="256",
        reason="The weights for portraits were trained with it.",
    ),
    Row(
        topic="width",
        settings={"arguments": {"channels": (192,)}},
        choice="192",
        reason="The weights for emoji were trained with it.",
    ),
    Row(
        topic="penalty",
        when="images of more than 40 pixels, unless a start from trained weights",
        holds=lambda facts: facts.one_domain and not facts.tuned and facts.large,
        settings={"arguments": {"gamma": 5.0}},
        choice="γ 5",
        reason="The weights for portraits were trained with it.",
    ),
    Row(
        topic="penalty",
        settings={},
        choice="that of the model",
        reason="",
    ),
    Row(
        topic="batch",
        when="two folders of pairs",
        holds=lambda facts: facts.paired is True,
        settings=lambda facts: {"batch_size": at_most(8, facts.survey.images)},
        choice="8",
        reason="The weights of `pix2pix` were trained with it.",
    ),
    Row(
        topic="batch",
        when="two folders",
        holds=lambda facts: facts.paired is False,
        settings=lambda facts: {"batch_size": at_most(4, facts.survey.images)},
        choice="4",
        reason="The weights of `cyclegan` were trained with it.",
    ),
    Row(
        topic="batch",
        when="fewer than 32 images",
        holds=lambda facts: facts.survey.images < 32,
        settings=lambda facts: {"batch_size": at_most(32, facts.survey.images)},
        choice="the largest power of two that the images fill",
        reason="A step reads a whole batch.",
    ),
    Row(
        topic="batch",
        settings={"batch_size": 32},
        choice="32",
        reason="The trained weights of `r3gan` were made with it.",
    ),
    Row(
        topic="labels",
        when="trained weights that know classes",
        holds=lambda facts: facts.tuned and facts.trained.get("num_classes") is not None,
        settings={},
        choice="learned: classes of the same name continue, others are new",
        reason="",
    ),
    Row(
        topic="labels",
        when=f"sub-folders, or labels: two classes or more, of {PER_CLASS} images or more each",
        holds=lambda facts: facts.labelled,
        settings=lambda facts: {"arguments": {"num_classes": facts.survey.num_classes}},
        choice="learned: samples of the class that you ask for",
        reason="Labels make the training easier, and the samples better.",
    ),
    Row(
        topic="labels",
        settings={},
        choice="none",
        reason="",
    ),
    Row(
        topic="augmentation",
        when=f"time to read each image more than {MANY} times",
        holds=lambda facts: (
            facts.one_domain and facts.reads > MANY * facts.distinct and facts.takes("augment")
        ),
        settings={"arguments": {"augment": "diffaugment"}},
        choice="`diffaugment`",
        reason="The discriminator may know the images by heart then.",
    ),
    Row(
        topic="augmentation",
        settings=lambda facts: facts.without("augment"),
        choice="none",
        reason="It slows training down until images have been read many times.",
    ),
    Row(
        topic="schedule",
        when=f"time for {BRIEF:,} steps or more, unless a start from trained weights",
        holds=lambda facts: facts.one_domain and not facts.tuned and (facts.steps or 0) >= BRIEF,
        settings=lambda facts: {"arguments": {"schedule_images": facts.reads}},
        choice="γ and learning rate fall over the first 60 % of the time",
        reason="So do the authors of R3GAN.",
    ),
    Row(
        topic="schedule",
        settings=lambda facts: facts.without("schedule_images"),
        choice="none",
        reason="",
    ),
    Row(
        topic="average",
        when=f"time for fewer than {BRIEF:,} steps, or less than 3 minutes",
        holds=lambda facts: facts.one_domain and facts.brief,
        settings={"arguments": {"ema_decay": 0.99}},
        choice="over 100 steps",
        reason="An average over more would show outdated weights.",
    ),
    Row(
        topic="average",
        settings={},
        choice="that of the model",
        reason="",
    ),
)
"""The rows, in order: of each topic the first one applies whose condition holds."""


def at_most(size: int, images: int) -> int:
    """The largest power of two that is at most `size` and the number of images."""
    return min(size, 2 ** int(math.log2(images)))


def decide(facts: Facts) -> list[Row]:
    """The row of each topic that applies, in the order of the table."""
    rows: dict[str, Row] = {}
    for row in TABLE:
        if row.topic not in rows and row.holds(facts):
            rows[row.topic] = row
    return list(rows.values())


def settings_of(rows: list[Row], facts: Facts) -> dict[str, Any]:
    """The settings that rows choose, as keyword arguments of `ganzoo.runs.train`."""
    settings: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    for row in rows:
        chosen = row.chosen(facts)
        arguments |= chosen.pop("arguments", {})
        settings |= chosen
    return {**settings, "arguments": arguments}
