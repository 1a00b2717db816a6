"""A doctor for trainings: says in plain words what goes wrong, and the one thing to change."""

import contextlib
import dataclasses
import math
import operator
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import checks
from ganzoo import losses
from ganzoo import texts
from ganzoo.gan import GAN

# The limits lie between what was measured on healthy runs and on runs broken on purpose. Healthy:
# `dcgan` and `cgan` (16 channels, 100 epochs; 64 channels, 60 epochs) and a small `vanilla` on
# digits, `vanilla` on the ring as in `tests/test_theory.py`; one to three seeds each. Broken: those
# of `tests/test_doctor.py` and some forty more. The columns hold the worst healthy value (over
# three measurements in a row), the limit, and what the broken runs came to.
#
# signal                                          healthy      limit      broken
# diversity, after 1,500 steps                    0.58         0.3        0.14 … 0
# best diversity so far / diversity, below 0.3    1.8          3          3.7 … 10⁸
# missed, points / pictures, after 1,500 steps    0.00 / 0.47  0.2 / 0.6  0.36 … 0.87 / 0.75 … 1
# discriminator's loss / that of a guess          0.11         0.07       0.06 … 10⁻⁵
# slope of the generator's loss                   0.38         0.05       0.04 … 10⁻⁵
# its gradient / the largest so far               0.13         0.01       10⁻³ … 10⁻⁵
# its gradient / the discriminator's              0.15         0.001      0
# distance, where real is told apart below 0.6    0.06         0.1        0.17 … 0.65
# spread of the discriminator's outputs           0.07         10⁻⁴       0
# |its mean output|                               5            100        120 … 10¹⁰
#
# What follows from logs and scores was measured by `benchmarks/alarms.py`, at the ends of trainings
# of nine models on digits (its results say which):
#
# signal                                          healthy      limit      broken
# right about both sides, over 20 epochs          0.93         0.95       0.96
# the same, where the generator's loss rose       0.83         0.95       0.96
# best Fréchet distance / the best before         0.46 … 1.12  0.95       0.98
# the same, where all else held (`dcgan`, seed 1) 0.92         0.95       0.98
# generator's loss / that before                  0.34 … 1.15  1.1        1.22
# recall, at the end                              0.15         0.1        0.01
# training steps, at the end                      920          400        240
#
# None of the first five tells by itself: all must hold. `cgan` with seed 2 is the one in which
# something is found at the end, rightly: a recall of 0.02. In the first 900 steps a recall of 0
# is healthy, and so is a discriminator that is always right.
#
# Early epochs look bad in healthy runs too: the small `cgan` with seed 1 had a diversity of 0.08
# for 700 steps, and of 0.9 after 1,500. Hence the grace.
PATIENCE = 3
"""Measurements in a row that must look bad, or good again, before anything is said."""
LASTING = 200
"""Training steps over which these measurements must spread."""
GRACE = 1500
"""Training steps after which samples should resemble the data."""
FEW = 400
"""Training steps in which hardly any game learns anything."""
ORDINARY = 20
"""Epochs after which one expects to see something."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One diagnosis.

    Attributes:
        name: `"mode_collapse"`, `"low_recall"`, `"few_updates"`, `"discriminator_wins"`,
            `"discriminator_blind"`, `"discriminator_saturates"`,
            `"vanishing_generator_gradient"` or `"divergence"`.
        epoch: the epoch in which it was found, from 1.
        step: the training step, from 1: where numbers ceased to be finite, that very step.
        seen: what was seen, with figures.
        advice: one change to make.
    """

    name: str
    epoch: int
    step: int
    seen: str
    advice: str

    def __str__(self):
        where = f"epoch {self.epoch}, step {self.step}"
        return f"Doctor, {where}: {self.name}. {self.seen} Try this: {self.advice}"


class Doctor(keras.callbacks.Callback):
    """Watches a training, says in plain words when it goes wrong, and suggests one change.

    | finding | what it means |
    |---|---|
    | `divergence` | a number is NaN or infinite, or outputs explode |
    | `mode_collapse` | the samples are much less diverse than the data, or leave much of it out |
    | `low_recall` | the scores in the logs say that samples reach hardly any of the data |
    | `few_updates` | the training ends after many epochs, but few training steps |
    | `discriminator_wins` | it is nearly never wrong for long, or ahead while no score improves |
    | `discriminator_blind` | it ranks samples as high as real ones, though they are far apart |
    | `discriminator_saturates` | it says the same of everything |
    | `vanishing_generator_gradient` | hardly any gradient reaches the generator |

    It measures at ends of epochs, on some real examples and as many samples, and changes nothing:
    the losses of a run are the same with it and without. A measurement takes about 0.1 s on a CPU
    and the time of making `n` samples. It reads the scores of a `ganzoo.callbacks.Evaluate` that
    is listed before it. Games that are no `ganzoo.GAN` are watched for divergence and for few
    training steps only. If the doctor itself fails, it says so once, and training goes on.

    Args:
        data: real examples: a data set of batches, an array, or `(images, labels)`. None: what
            the model is trained on. The first examples of a data set are read once more before
            training starts; one of yours that shuffles by itself is then a pass ahead.
        every: epochs between two measurements.
        n: real examples, and samples, to measure on.
        seed: whole number, of the samples' latents and of the choice among an array's examples.
        stop_on_nan: end the training when a number is NaN or infinite.
        say: called with one line of text per finding.
        found: called with each `Finding`, or None.

    Attributes:
        stopped: the `Finding` for which it ended the training, or None.
        findings: list of `Finding`, in the order of time. A kind is listed again only after it
            has gone away and come back.
        signals: list of dicts, one per epoch: `epoch`, `epochs` (how many the training is to
            have), `step`, the logs and, where measured,
            `diversity` (mean distance between two samples, of one class where there are
            classes; 1 is the data's), `missed` (share of real examples that have no sample
            near), `distance` (energy distance of samples and data, 0: none, 1: far apart),
            `told_apart` (probability that the discriminator ranks a real example above a
            sample), `spread` (standard deviation of its outputs), `slope` (of the generator's
            loss, to the discriminator's output), `d_gradient` and `g_gradient` (norms).

    Raises:
        ValueError, TypeError: an argument is out of range.

    Example:

    >>> import ganzoo
    >>> ds = ganzoo.datasets.load("digits")
    >>> doctor = Doctor(ds)
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(ds, epochs=1, verbose=0, callbacks=[doctor])
    >>> doctor.findings
    []
    """

    # On JAX, Keras then calls `on_train_batch_end` in a thread of its own and the next step need
    # not wait; on TensorFlow it reads the logs after each step anyway.
    async_safe = True

    def __init__(
        self,
        data: Any = None,
        *,
        every: int = 1,
        n: int = 256,
        seed: int = 0,
        stop_on_nan: bool = True,
        say: Callable[[str], object] = texts.say,
        found: Callable[[Finding], object] | None = None,
    ) -> None:
        super().__init__()
        self.every = checks.integer("every", every)
        self.n = checks.integer("n", n, least=2)
        self.seed = checks.integer("seed", seed, least=0)
        self.stop_on_nan = stop_on_nan
        self.say = say
        self.found = found
        self.stopped: Finding | None = None
        self.findings: list[Finding] = []
        self.signals: list[dict[str, Any]] = []
        self._data = data
        self._shown = None
        self._real = None
        self._watches: dict[str, _Watch] = {}
        self._failed = False

    def see(self, data: Any) -> None:
        """Called by `fit` with what it reads."""
        self._shown = data

    # What Keras calls -----------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        # On JAX, `self.model` copies the state of the step that runs into the model: no thread but
        # Keras's own may do that.
        self._training = self.model
        self._real = None
        data = self._shown if self._data is None else self._data
        with self._safely():
            if data is not None and _measurable(self.model):
                self._real = _Real(self.model, *_examples(data, self.n, self.seed))

    def on_epoch_begin(self, epoch, logs=None):
        self._steps_before = int(self.model.step.numpy())
        self._earliest = math.inf
        self._not_finite = []
        self._began = None

    def on_train_batch_end(self, batch, logs=None):
        # Logs are running means: a mean is not finite from the very step on at which a value was
        # not. Several threads may be here at once and out of order. Whatever is dropped is later
        # than something kept, so that the earliest is never lost.
        if batch < self._earliest and not all(map(_finite, (logs or {}).values())):
            self._earliest = batch
            self._not_finite.append((batch, logs))
            if self.stop_on_nan:
                self._training.stop_training = True

    def on_test_begin(self, logs=None):
        self._began = self.model.not_finite()  # which validation forgets

    def on_epoch_end(self, epoch, logs=None):
        now = {
            "epoch": epoch + 1,
            "epochs": (self.params or {}).get("epochs", math.inf),
            "step": int(self.model.step.numpy()),
            **(logs or {}),
        }
        self.signals.append(now)
        with self._safely():
            if self._diverged(now):
                return
        measured = self._real is not None and (epoch + 1) % self.every == 0
        with self._safely():
            if measured:
                now.update(self._real.measure(self.model, self.seed))
        with self._safely():
            self._judge(now, "told_apart" in now)

    @contextlib.contextmanager
    def _safely(self):
        """Errors inside end nothing; the first one is said."""
        try:
            yield
        except Exception as error:
            if not self._failed:
                self._failed = True
                with contextlib.suppress(Exception):
                    text = " ".join(f"{type(error).__name__}: {error}".split())
                    self.say(f"The doctor failed ({text[:300]}). The training goes on.")

    # What is found --------------------------------------------------------------------------

    def _find(self, now, name, seen, advice, step=None):
        finding = Finding(name, now["epoch"], step or now["step"], seen, advice)
        self.findings.append(finding)
        self.say(str(finding))
        if self.found is not None:
            self.found(finding)

    def _judge(self, now, measured):
        causes = [_exploding]
        if isinstance(self.model, GAN):
            causes.append(_winning)
        if measured:
            causes += [_vanishing, _saturated, _blind]
        checks = [*causes, *([_collapsed] if measured else [])]
        if isinstance(self.model, GAN):  # these look back over several scores by themselves
            scored = (_outpaced, "frechet"), (_narrow, "recall")
            checks += [check for check, name in scored if _score(now, name) is not None]
        for check in [*checks, _brief]:
            found = check(self.model, now, self.signals)
            hasty = check in (_exploding, _outpaced, _narrow, _brief)
            watch = self._watches.setdefault(check, _Watch(hasty))
            # Where another finding explains the samples, that one's advice is the one to follow.
            others = {
                _collapsed: [*causes, _narrow],
                _narrow: [*causes, _collapsed, _outpaced],
                _outpaced: [_winning],
            }
            known = [self._watches[c] for c in others.get(check, ()) if c in self._watches]
            explained = any(other.active for other in known)
            if watch.starts(now["step"], found is not None and (watch.active or not explained)):
                self._find(now, *found)

    def _diverged(self, now):
        """Whether something is not finite."""
        weights = _not_finite_weights(self.model)
        diverged = bool(self._not_finite or weights)
        if diverged and self.stop_on_nan:
            self.model.stop_training = True
        watch = self._watches.setdefault("not finite", _Watch(hasty=True))
        if watch.starts(now["step"], diverged):
            self._explain(now, weights)
            self.stopped = self.findings[-1] if self.stop_on_nan else None
        return diverged

    def _explain(self, now, weights):
        """Find out who began it, and when."""
        model = self.model
        if not self._not_finite:
            seen = f"The logs are finite, but not the state: {_list(weights.values())}."
            self._find(now, "divergence", seen, _slower(model, next(iter(weights)), 10))
            return
        _, logs = min(self._not_finite, key=operator.itemgetter(0))
        # Several steps may lie between two looks: what ceased to be finite first is to blame.
        began = model.not_finite() if self._began is None else self._began
        first = min(began.values())
        step = self._steps_before + first
        logs = {name: logs[name] if at == first else 0.0 for name, at in began.items()}
        player, what, mend = _culprit(model, logs, weights, at_once=now["step"] == step)
        networks = _list(network.name for network in player.networks)
        standing = f"not finite now: {_list(weights.values())}" if weights else "all are finite"
        seen = f"At step {step} {what}. The {player.name} moves: {networks}. Weights: {standing}."
        if model.dtype_policy.name == "mixed_float16":
            best = backend.best_precision()
            best = best if best == "mixed_bfloat16" else "float32"
            mend = f"`precision={best!r}`, because float16 ends at 65504."
        self._find(now, "divergence", seen, mend or _slower(model, player.name, 10), step)


class _Watch:
    """Whether a condition has lasted, and whether it has gone away again."""

    def __init__(self, hasty=False):
        self.patience, self.lasting = (1, 0) if hasty else (PATIENCE, LASTING)
        self.active = False
        self.bad = []
        self.good = 0

    def starts(self, step, bad):
        """Note one measurement, and return whether the condition is to be reported now."""
        self.good = 0 if bad else self.good + 1
        self.bad = [*self.bad, step] if bad else []
        if self.good >= PATIENCE:
            self.active = False
        lasts = len(self.bad) >= self.patience and step - self.bad[0] >= self.lasting
        starts = lasts and not self.active
        self.active = self.active or lasts
        return starts


# Diagnoses: `(model, signals now, all signals) -> None or (name, seen, advice)` -------------------


def _exploding(model, now, signals):
    outputs = {k: now[k] for k in ("d_real", "d_fake") if k in now} if _judges(model) else {}
    for name, value in outputs.items():
        if 100 < abs(value) < math.inf:
            return (
                "divergence",
                f"The discriminator's outputs explode: {name} is {value:.3g} on average, where "
                "±5 is plenty.",
                _slower(model, "discriminator", 10),
            )
    for player in model.players:
        name = f"{player.prefix}loss"
        start, value = abs(signals[0].get(name, 0.0)), abs(now.get(name, 0.0))
        if 1000 * max(start, 1.0) < value < math.inf:
            return (
                "divergence",
                f"{name} explodes: {value:.3g} on average, after {start:.3g} in the first epoch.",
                _slower(model, player.name, 10),
            )
    for name, optimizer in model.optimizer.items():
        scale = getattr(optimizer, "dynamic_scale", None)
        if scale is not None and float(scale) < 1:
            return (
                "divergence",
                f"The loss scale of the {name} has fallen to {float(scale):.1g}: its gradients "
                "are not finite in float16, and its steps are skipped.",
                "`precision='float32'`.",
            )
    return None


def _things(model):
    return "points" if len(model.image_shape) == 1 else "pictures"


def _collapsed(model, now, signals):
    points = len(model.image_shape) == 1
    things = _things(model)
    diversity, missed = now["diversity"], now["missed"]
    past = [row for row in signals if "diversity" in row]
    ripe = now["step"] >= GRACE
    few, limit = diversity < 0.3, 0.2 if points else 0.6
    fell = max(row["diversity"] for row in past) > 3 * diversity
    left = min(row["missed"] for row in past) < limit / 3
    if few and (ripe or fell):
        alike = "of the same class " if model.num_classes else ""
        seen = (
            f"Two samples {alike}are on average {diversity:.0%} as far apart as two real {things}."
        )
    elif missed > limit and (ripe or left):
        seen = f"{missed:.0%} of the real {things} have no sample anywhere near them."
    else:
        return None
    return "mode_collapse", seen, _slower(model, "generator", 4)


def _score(row, name):
    """A score that `ganzoo.callbacks.Evaluate` has put into the logs; None without one."""
    found = [value for key, value in row.items() if key.startswith(f"{name}[")]
    return found[0] if found else None


def _progress(signals):
    """The best Fréchet distance in the logs before the last `ORDINARY` epochs, and in these:
    `((value, epoch), (value, epoch))`; None where one is missing."""
    parts = signals[:-ORDINARY], signals[-ORDINARY:]
    best = []
    for rows in parts:
        scored = [(_score(row, "frechet"), row["epoch"]) for row in rows]
        best.append(min((pair for pair in scored if pair[0] is not None), default=None))
    return None if None in best else best


def _stands(progress):
    """Whether the Fréchet distance no longer falls."""
    return progress is not None and progress[1][0] > 0.95 * progress[0][0]


def _narrow(model, now, signals):
    """Low recall, twice in a row: after `GRACE` where nothing gets better, or at the end."""
    scored = [row for row in signals if _score(row, "recall") is not None][-2:]
    if len(scored) < 2 or not all(_score(row, "recall") < 0.1 for row in scored):
        return None
    progress, ends = _progress(signals), now["epoch"] >= now["epochs"]
    lasts = scored[0]["step"] >= GRACE and _stands(progress)
    if not (lasts or ends and now["step"] >= FEW):
        return None
    if progress is None:  # a short training has no score from before
        progress = [(_score(row, "frechet"), row["epoch"]) for row in scored]
    recall, precision = _score(now, "recall"), _score(now, "precision")
    seen = f"The samples reach {recall:.1%} of the real {_things(model)} (recall {recall:.2g})"
    seen += "." if precision is None else f", and {precision:.0%} of the samples look real."
    (before, epoch), (after, last) = progress
    if None in (before, after) or _stands(progress):
        seen += " So few kinds of samples are the mark of mode collapse."
        return "low_recall", seen, _slower(model, "generator", 4)
    advice = (
        f"`epochs={2 * now['epoch']}`: the samples still get better, the Fréchet distance has "
        f"come from {before:.3g} in epoch {epoch} to {after:.3g} in epoch {last}."
    )
    return "low_recall", seen, advice


def _brief(model, now, signals):
    """Where the training ends: few training steps in an ordinary number of epochs."""
    del signals
    epoch, step = now["epoch"], now["step"]
    if epoch < max(now["epochs"], ORDINARY) or step >= FEW:
        return None
    mover = "generator has moved" if isinstance(model, GAN) else f"{model.name} has made a step"
    seen = f"The {mover} only {step} times in {epoch} epochs."
    if model.turns > 1:
        busy = max(model.players, key=lambda player: player.steps).name
        seen = f"{seen[:-1]}: the {busy} moves {model.turns} times for each, on as many batches."
    enough = math.ceil(GRACE * epoch / step)
    advice = f"`epochs={enough}`, which makes {GRACE:,} of it"
    size = getattr(model, "examples_per_step", 0) // model.turns
    if size >= 16:
        fewer = math.ceil(enough / 4)
        advice += f"; `batch_size={size // 4}`, in place of {size}, needs `epochs={fewer}` only"
    return "few_updates", seen, f"{advice}."


def _outpaced(model, now, signals):
    """The discriminator is mostly right over `ORDINARY` epochs, the generator's loss rises, and
    the Fréchet distance no longer falls."""
    window = signals[-ORDINARY:]
    earlier = signals[-2 * ORDINARY : -ORDINARY]
    if len(earlier) < ORDINARY or window[-1]["step"] - window[0]["step"] < 2 * LASTING:
        return None
    if not _judges(model) or losses.get(model.objective).paired:  # accuracies mean nothing
        return None
    mean = lambda rows, key: float(np.mean([row.get(key, math.nan) for row in rows]))
    right = [mean(window, f"d_accuracy_{side}") for side in ("real", "fake")]
    rose = mean(window, "g_loss"), mean(earlier, "g_loss")
    progress = _progress(signals)
    if not (_stands(progress) and min(right) > 0.95 and rose[0] > 1.1 * rose[1]):
        return None
    value, at = progress[0]
    seen = (
        f"The discriminator has been right about {right[0]:.1%} of the real and {right[1]:.1%} of "
        f"the generated examples for {ORDINARY} epochs, the generator's loss has risen from "
        f"{rose[1]:.2g} to {rose[0]:.2g}, and the samples get no better: the Fréchet distance was "
        f"{value:.3g} in epoch {at} and is {_score(now, 'frechet'):.3g} now."
    )
    return "discriminator_wins", seen, _held(model)


def _winning(model, now, signals):
    del signals
    right = [now.get("d_accuracy_real", 0.0), now.get("d_accuracy_fake", 0.0)]
    loss = now.get("d_adversarial", now.get("d_loss", math.inf))
    objective = losses.get(model.objective)
    undecided = np.full((1, 1), objective.boundary, "float32")
    guess = float(objective.discriminator(undecided, undecided))
    if not (_judges(model) and min(right) > 0.95 and loss < 0.07 * guess):
        return None
    seen = (
        f"The discriminator is right about {right[0]:.1%} of the real and {right[1]:.1%} of the "
        f"generated examples; its loss is {loss:.2g} (a guess costs {guess:.2g}), the "
        f"generator's {now.get('g_loss', math.nan):.2g}."
    )
    return "discriminator_wins", seen, _held(model)


def _held(model):
    """Advice against a discriminator that is too good."""
    d, g = _rate(model, "discriminator"), _rate(model, "generator")
    usual = GAN.arguments()["learning_rate"]
    if d > 2 * g and abs(math.log(g / usual)) > abs(math.log(d / usual)):
        return f"`learning_rate={d:.2g}`: the generator moves at {g:.2g} only."
    if d > 2 * g:
        return f"`discriminator_learning_rate={g:.2g}`, that of the generator."
    if model.discriminator_steps > 1:
        return "`discriminator_steps=1`."
    return _slower(model, "discriminator", 4)


def _vanishing(model, now, signals):
    slope, ours, theirs = (now.get(k, math.nan) for k in ("slope", "g_gradient", "d_gradient"))
    # A float16 gradient may overflow now and then.
    norms = [row["g_gradient"] for row in signals if "g_gradient" in row]
    largest = max((norm for norm in norms if math.isfinite(norm)), default=0.0)
    if slope < 0.05:
        seen = (
            f"The generator's loss hardly depends on what the discriminator says: its slope is "
            f"{slope:.2g}, and 0.5 where the discriminator cannot tell; fakes get "
            f"{now.get('d_fake', math.nan):.2g} on average."
        )
        if model.objective == "minimax":
            advice = "`objective='non_saturating'`."
        else:
            advice = _slower(model, "discriminator", 4)
    elif ours < 0.01 * largest or ours < 0.001 * theirs < math.inf:
        seen = (
            f"The generator's gradient has the norm {ours:.2g}, where it had {largest:.2g} "
            f"before, and the discriminator's {theirs:.2g}, though the discriminator does tell "
            "it where to go: its units are saturated or dead."
        )
        advice = _slower(model, "generator", 10)
    else:
        return None
    return "vanishing_generator_gradient", seen, advice


def _saturated(model, now, signals):
    del signals
    if not now["spread"] < 1e-4 * max(1.0, abs(now.get("d_real", 0.0))):
        return None
    seen = (
        f"The discriminator says the same of everything, {now.get('d_real', math.nan):.3g} ± "
        f"{now['spread']:.1g}: its units are saturated or dead."
    )
    return "discriminator_saturates", seen, _slower(model, "discriminator", 10)


def _blind(model, now, signals):
    if not (now["told_apart"] < 0.6 and now["distance"] > 0.1) or _saturated(model, now, signals):
        return None
    seen = (
        "The discriminator cannot tell: it ranks a real example above a sample in "
        f"{now['told_apart']:.0%} of the cases (50 % is chance), though samples are far from the "
        f"data (energy distance {now['distance']:.2f} of 1)."
    )
    d, g = _rate(model, "discriminator"), _rate(model, "generator")
    if d < g:
        advice = f"`discriminator_learning_rate={g:.2g}`: the discriminator moves at {d:.2g} only."
    else:
        advice = f"`discriminator_steps={model.discriminator_steps + 2}`."
    return "discriminator_blind", seen, advice


def _measurable(model):
    """Whether samples can be held against the data: those of one domain."""
    return isinstance(model, GAN) and model.paired is None


def _judges(model):
    """Whether the discriminator's loss has a floor: a critic's, without one, cannot win."""
    if getattr(type(model), "discriminator_loss", None) is not GAN.discriminator_loss:
        return False
    far = np.full((1, 1), 1e3, "float32")
    return float(losses.get(model.objective).discriminator(far, -far)) > -100


def _rate(model, player):
    """A player's learning rate now."""
    return float(model.optimizer[player].learning_rate)


def _slower(model, player, factor):
    """Advice to divide a player's learning rate."""
    rate = _rate(model, player)
    if isinstance(model, GAN):
        name = {"discriminator": "discriminator_learning_rate"}.get(player, "learning_rate")
        return f"`{name}={rate / factor:.2g}`, in place of {rate:.2g}."
    return (
        f"in `compile`, an optimizer for {player!r} with `learning_rate={rate / factor:.2g}`, in "
        f"place of {rate:.2g}."
    )


# What is not finite -------------------------------------------------------------------------------


def _finite(value):
    return not isinstance(value, float) or math.isfinite(value)


def _not_finite_weights(model):
    """Player name → which of its networks, or whether its optimizer, hold a NaN or infinity, and
    in how many arrays."""
    found = {}
    for player in model.players:
        groups = {network.name: network.weights for network in player.networks}
        groups[f"optimizer of the {player.name}"] = model.optimizer[player.name].variables
        for name, arrays in groups.items():
            bad = [a for a in arrays if not bool(ops.all(ops.isfinite(a)))]
            if bad:
                text = f"{name} ({len(bad)} of {len(arrays)}: {bad[0].path}, …)"
                found[player.name] = (
                    f"{found[player.name]}; {text}" if player.name in found else text
                )
    return found


def _culprit(model, logs, weights, at_once):
    """Who began it, from the logs of the first step that was not finite.

    Args:
        model: the game.
        logs: of that step.
        weights: see `_not_finite_weights`.
        at_once: whether the weights are still those right after that step.

    Returns:
        `(player, what happened, advice or None)`
    """
    terms = backend.trace(
        lambda batch: {
            p.name: model._terms_of(p, batch, model.draw(batch))[0] for p in model.players
        },
        model.batch_spec(8),
    )
    for i, player in enumerate(model.players):
        names = {
            term: player.prefix + (term if len(terms[player.name]) > 1 else "loss")
            for term in terms[player.name]
        }
        bad = {term: log for term, log in names.items() if not _finite(logs.get(log, 0.0))}
        if not bad:
            continue
        values = _list(f"{log} became {logs[log]}" for log in bad.values())
        what = f"{values}: the term {_list(map(repr, bad))} of the {player.name}'s loss"
        drawing = [p for p in model.players if p.draws]
        if drawing and _finite(logs.get("d_real", 0.0)) and not _finite(logs.get("d_fake", 0.0)):
            return (
                drawing[0],
                f"{values} because the samples were not finite, while the outputs for real "
                "examples were",
                None,
            )
        # Players move in order, each facing those who already moved in this step.
        before = [p for p in model.players[:i] if at_once and p.name in weights]
        if before:
            return (
                before[0],
                f"{values} after a move of the {before[0].name}, whose loss was finite and whose "
                "gradient was not",
                None,
            )
        if len(bad) < len(names):
            mend = (
                f"mend the term {_list(map(repr, bad))}: the others are finite. A root or a "
                "logarithm needs an epsilon inside."
            )
            return player, what, mend
        return player, what, None
    names = _list(name for name, value in logs.items() if not _finite(value))
    return model.players[0], f"{names} ceased to be finite", None


def _list(names):
    return ", ".join(names)


# Measuring ----------------------------------------------------------------------------------------


class _Real:
    """Real examples, and how samples and gradients look beside them.

    Args:
        model: the GAN; conditional ones need labels.
        images: `(n, height, width, channels)` or `(n, length)`.
        labels: `(n,)` or None.
    """

    batch = 64
    """Examples of which gradients are taken: always the same ones."""

    def __init__(self, model, images, labels=None):
        if model.label_range is None:
            labels = None
        elif labels is None:
            raise ValueError("this model needs data of (images, labels)")
        self.data = (images,) if labels is None else (images, labels)
        if model.num_classes is None:
            labels = None  # its samples are of no class
        self.labels = labels
        self.flat = _flat(images)
        # Like is compared with like: pairs of one class, where there are classes.
        n = len(images)
        same = np.ones((n, n), bool) if labels is None else labels[:, None] == labels[None]
        np.fill_diagonal(same, False)
        self.pairs = same if same.any() else ~np.eye(n, dtype=bool)
        self.apart = _distances(self.flat, self.flat)

    def measure(self, model, seed):
        """The signals that need real examples: see `Doctor`."""
        labels = {} if self.labels is None else {"labels": self.labels}
        samples = _flat(model.generate(len(self.flat), seed=seed, **labels))
        return {**self.compare(samples), **self.probe(model)}

    def compare(self, samples):
        """Samples beside the real examples."""
        n = len(samples)
        real, fake = self.apart, _distances(samples, samples)
        cross = _distances(self.flat, samples)
        mean = lambda d: d.sum() / (n * (n - 1))
        nearest = np.median((real + np.diag(np.full(n, np.inf))).min(axis=1))
        # Near: within half of what lies between a real example's neighbour and any other one.
        near = (nearest + mean(real)) / 2
        return {
            "diversity": float(fake[self.pairs].mean() / max(real[self.pairs].mean(), 1e-12)),
            "missed": float((cross.min(axis=1) > near).mean()),
            # Székely, Rizzo 2013, "Energy statistics": the coefficient of inhomogeneity.
            "distance": float(1 - (mean(real) + mean(fake)) / (2 * cross.mean())),
        }

    def probe(self, model):
        """The players' gradients and the discriminator's outputs, on examples that stay the same.

        Within a stateless scope, so that whatever is assigned (batch statistics, random state)
        is forgotten.
        """
        with keras.StatelessScope():
            batch = self._batch(model, self.batch)
            found = {
                f"{player.prefix}gradient": _gradient_norm(model, player, batch)
                for player in model.players
            }
            batch = self._batch(model, len(self.flat))
            fake = model.draw(batch)["fake"]
            real, fake = (
                ops.cast(model.discriminate(x, batch), "float32") for x in (batch["images"], fake)
            )
            found["slope"] = _slope(model, fake)
        real, fake = (ops.convert_to_numpy(x).reshape(len(x), -1).mean(1) for x in (real, fake))
        wins = np.sign(real[:, None] - fake[None])
        found["told_apart"] = float((wins.mean() + 1) / 2)
        found["spread"] = float(np.std([*real, *fake]))
        return found

    def _batch(self, model, count):
        data = tuple(ops.convert_to_tensor(part[:count]) for part in self.data)
        return model.prepare(data)


def _gradient_norm(model, player, batch):
    # Scaled as in training: a float16 gradient that is not would be zero.
    scale = model.optimizer[player.name].scale_loss(ops.ones(()))

    def loss():
        terms, _ = player.loss(batch, model.draw(batch))
        return sum(ops.cast(term, "float32") for term in terms.values()) * scale, None

    _, gradients, _ = backend.value_and_grad(loss, player.variables, None, model.variables)
    squares = [
        ops.sum(ops.square(ops.cast(g, "float32") / scale)) for g in gradients if g is not None
    ]
    return math.sqrt(sum(float(square) for square in squares))


def _slope(model, fake):
    """Mean |derivative| of the generator's loss to the discriminator's outputs for samples."""
    objective = losses.get(model.objective)
    if objective.paired or type(model).generator_loss is not GAN.generator_loss:
        return math.nan  # it depends on something else too
    each = backend.input_gradient(lambda x: objective.generator(x) * len(fake), fake)
    return float(np.abs(ops.convert_to_numpy(each)).mean())


def _examples(data, n, seed):
    """`(images,)` or `(images, labels)` of up to `n` examples."""
    parts = data if isinstance(data, tuple) else (data,)
    if all(hasattr(part, "shape") for part in parts):
        count = len(parts[0])
        # An array may be sorted by class.
        chosen = np.random.default_rng(seed).permutation(count)[:n] if count > n else slice(None)
        return tuple(np.asarray(part[chosen]) for part in parts)
    found, count = [], 0
    for batch in _batches(data):
        batch = batch if isinstance(batch, (tuple, list)) else (batch,)
        found.append([np.asarray(part) for part in batch])
        count += len(found[-1][0])
        if count >= n:
            break
    return tuple(np.concatenate(column)[:n] for column in zip(*found))


def _batches(data):
    if isinstance(data, keras.utils.PyDataset):
        i = 0
        while data.num_batches is None or i < data.num_batches:
            yield data[i]
            i += 1
    else:
        yield from data


def _flat(images, side=32):
    """`(n, numbers)` float64 in [-1, 1]; pictures larger than `side` are averaged down to it."""
    x = np.asarray(images)
    x = x / 127.5 - 1.0 if x.dtype == np.uint8 else x.astype("float64")
    if x.ndim == 4:
        n, height, width, channels = x.shape
        fh, fw = -(-height // side), -(-width // side)
        x = x[:, : height // fh * fh, : width // fw * fw]
        x = x.reshape(n, height // fh, fh, width // fw, fw, channels).mean(axis=(2, 4))
    return x.reshape(len(x), -1)


def _distances(a, b):
    """`(len(a), len(b))` Euclidean distances."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))
