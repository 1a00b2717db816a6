"""Diagnoses: each checks the signals of a training and returns a finding or None."""

import dataclasses
import math

import numpy as np

from ganzoo import losses
from ganzoo.families.gan import GAN

# The limits lie between values measured on healthy runs and on runs broken on purpose. Healthy:
# `dcgan` and `cgan` (16 channels, 100 epochs; 64 channels, 60 epochs) and a small `vanilla` on
# digits, `vanilla` on the ring as in `tests/models/test_theory.py`; one to three seeds each.
# Broken: those of `tests/doctor/test_doctor.py` and some forty more. The columns hold the worst
# healthy value (over three measurements in a row), the limit, and the values of the broken runs.
#
# signal                                          healthy      limit      broken
# diversity, after 1,500 steps                    0.58         0.3        0.14 … 0
# best diversity so far / diversity, below 0.3    1.8          3          3.7 … 10⁸
# missed, points / images, after 1,500 steps      0.00 / 0.47  0.2 / 0.6  0.36 … 0.87 / 0.75 … 1
# discriminator's loss / that of a guess          0.11         0.07       0.06 … 10⁻⁵
# slope of the generator's loss                   0.38         0.05       0.04 … 10⁻⁵
# its gradient / the largest so far               0.13         0.01       10⁻³ … 10⁻⁵
# its gradient / the discriminator's              0.15         0.001      0
# distance, where told_apart is below 0.6         0.06         0.1        0.17 … 0.65
# spread of the discriminator's outputs           0.07         10⁻⁴       0
# |its mean output|                               5            100        120 … 10¹⁰
#
# Limits on logs and scores were measured by `benchmarks/alarms.py`, at the end of training nine
# models on digits (its results name them):
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
# Where recall was below 0.1, precision was 0.45 or more: below 0.1, samples are far from the data
# altogether, as in the first minutes in features of photographs, where both are 0.
#
# None of the first five is enough by itself: all must hold. Only `cgan` with seed 2 has a finding
# at the end, rightly: a recall of 0.02. In the first 900 steps a recall of 0 is healthy, and so is
# a discriminator that is always right.
#
# Early epochs look bad in healthy runs too: the small `cgan` with seed 1 had a diversity of 0.08
# for 700 steps, and of 0.9 after 1,500. Hence `GRACE`.
PATIENCE = 3
"""Measurements in a row that must look bad, or good again, before anything is reported."""
LASTING = 200
"""Training steps that these measurements must span."""
GRACE = 1500
"""Training steps after which samples should resemble the data."""
FEW = 400
"""Training steps too few for almost any game to learn anything."""
ORDINARY = 20
"""Epochs after which you expect to see something."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One diagnosis.

    Attributes:
        name: `"mode_collapse"`, `"low_recall"`, `"few_updates"`, `"discriminator_wins"`,
            `"discriminator_blind"`, `"discriminator_saturates"`,
            `"vanishing_generator_gradient"` or `"divergence"`.
        epoch: the epoch of the finding, from 1.
        step: the training step, from 1, since trained weights were loaded if there were any; for
            NaN or infinity, the step where it arose.
        seen: the observation, with numbers.
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


class Watch:
    """Tracks whether a condition has lasted, and whether it has gone away again."""

    def __init__(self, hasty=False):
        self.patience, self.lasting = (1, 0) if hasty else (PATIENCE, LASTING)
        self.active = False
        self.bad = []
        self.good = 0

    def starts(self, step, bad):
        """Add a measurement. Returns whether to report the condition now."""
        self.good = 0 if bad else self.good + 1
        self.bad = [*self.bad, step] if bad else []
        if self.good >= PATIENCE:
            self.active = False
        lasts = len(self.bad) >= self.patience and step - self.bad[0] >= self.lasting
        starts = lasts and not self.active
        self.active = self.active or lasts
        return starts


# Diagnoses: `(model, signals now, all signals) -> None or (name, seen, advice)` -------------------


def exploding(model, now, signals):
    outputs = {k: now[k] for k in ("d_real", "d_fake") if k in now} if _is_bounded(model) else {}
    for name, value in outputs.items():
        if 100 < abs(value) < math.inf:
            return (
                "divergence",
                f"The discriminator's outputs explode: {name} is {value:.3g} on average, where "
                "±5 is plenty.",
                slower(model, "discriminator", 10),
            )
    for player in model.players:
        name = f"{player.prefix}loss"
        start, value = abs(signals[0].get(name, 0.0)), abs(now.get(name, 0.0))
        if 1000 * max(start, 1.0) < value < math.inf:
            return (
                "divergence",
                f"{name} explodes: {value:.3g} on average, after {start:.3g} in the first epoch.",
                slower(model, player.name, 10),
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


def collapsed(model, now, signals):
    things = model.modality.name
    diversity, missed = now["diversity"], now["missed"]
    past = [row for row in signals if "diversity" in row]
    mature = now["step"] >= GRACE
    few, limit = diversity < 0.3, model.modality.most_missed
    fell = max(row["diversity"] for row in past) > 3 * diversity
    left = min(row["missed"] for row in past) < limit / 3
    if few and (mature or fell):
        alike = "of the same class " if model.num_classes else ""
        seen = (
            f"Two samples {alike}are on average {diversity:.0%} as far apart as two real {things}."
        )
    elif missed > limit and (mature or left):
        seen = f"{missed:.0%} of the real {things} have no sample near them."
    else:
        return None
    return "mode_collapse", seen, slower(model, "generator", 4)


def score(row, name):
    """A score that `ganzoo.callbacks.Evaluate` has put into the logs; None without one."""
    values = [value for key, value in row.items() if key.startswith(f"{name}[")]
    return values[0] if values else None


def _progress(signals):
    """The best Fréchet distance in the logs before the last `ORDINARY` epochs, and within them:
    `((value, epoch), (value, epoch))`; None if one is missing."""
    parts = signals[:-ORDINARY], signals[-ORDINARY:]
    best = []
    for rows in parts:
        scored = [(score(row, "frechet"), row["epoch"]) for row in rows]
        best.append(min((pair for pair in scored if pair[0] is not None), default=None))
    return None if None in best else best


def _stagnates(progress):
    """Whether the Fréchet distance no longer falls."""
    return progress is not None and progress[1][0] > 0.95 * progress[0][0]


def narrow(model, now, signals):
    """Low recall, twice in a row: after `GRACE` steps without progress, or at the end. Samples that
    all are far from the data, and come closer, do not lack variety: it is too early to tell."""
    scored = [row for row in signals if score(row, "recall") is not None][-2:]
    if len(scored) < 2 or not all(score(row, "recall") < 0.1 for row in scored):
        return None
    progress, ends = _progress(signals), now["epoch"] >= now["epochs"]
    # A short training has no score from before.
    recent = progress or [(score(row, "frechet"), row["epoch"]) for row in scored]
    far = score(now, "precision") is not None and score(now, "precision") < 0.1
    if far and (None in (recent[0][0], recent[1][0]) or not _stagnates(recent)):
        return None
    lasts = scored[0]["step"] >= GRACE and _stagnates(progress)
    if not (lasts or ends and now["step"] >= FEW):
        return None
    recall, precision = score(now, "recall"), score(now, "precision")
    seen = f"The samples reach {recall:.1%} of the real {model.modality.name} (recall {recall:.2g})"
    seen += "." if precision is None else f", and {precision:.0%} of the samples look real."
    (before, epoch), (after, last) = recent
    if None in (before, after) or _stagnates(recent):
        few = "They no longer come closer to the data."
        seen += f" {few if far else 'So little variety is typical of mode collapse.'}"
        return "low_recall", seen, slower(model, "generator", 4)
    advice = (
        f"{_longer(now, 2 * now['epoch'])}: the samples still improve, the Fréchet distance fell "
        f"from {before:.3g} in epoch {epoch} to {after:.3g} in epoch {last}."
    )
    return "low_recall", seen, advice


def _longer(now, epochs, again=False):
    """The argument for a training of this many epochs, in this process or from the start."""
    if "minutes" in now:
        steps = now["step"] * epochs / now["epoch"]
        minutes = 0.0 if again else now["minutes"] - now["step"] / now["pace"]
        return f"`minutes={minutes + steps / now['pace']:.3g}`"
    return f"`epochs={epochs}`"


def brief(model, now, signals):
    """At the end of training: few training steps in an ordinary number of epochs."""
    del signals
    epoch, step = now["epoch"], now["step"]
    if epoch < max(now["epochs"], ORDINARY) or step >= FEW:
        return None
    mover = "generator moved" if isinstance(model, GAN) else f"{model.name} made a step"
    seen = f"The {mover} only {step} times in {epoch} epochs."
    if model.turns > 1:
        busy = max(model.players, key=lambda player: player.steps).name
        seen = f"{seen[:-1]}: the {busy} moves {model.turns} times for each, on as many batches."
    enough = math.ceil(GRACE * epoch / step)
    advice = f"{_longer(now, enough)}, for {GRACE:,} steps"
    size = getattr(model, "examples_per_step", 0) // model.turns
    if size >= 16:
        fewer = _longer(now, math.ceil(enough / 4), again=True)
        advice += f"; `batch_size={size // 4}`, in place of {size}, needs only {fewer}"
    return "few_updates", seen, f"{advice}."


def outpaced(model, now, signals):
    """The discriminator is mostly right over `ORDINARY` epochs, the generator's loss rises, and
    the Fréchet distance no longer falls."""
    window = signals[-ORDINARY:]
    earlier = signals[-2 * ORDINARY : -ORDINARY]
    if len(earlier) < ORDINARY or window[-1]["step"] - window[0]["step"] < 2 * LASTING:
        return None
    if not _is_bounded(model) or losses.get(model.objective).paired:  # accuracies mean nothing
        return None
    mean = lambda rows, key: float(np.mean([row.get(key, math.nan) for row in rows]))
    right = [mean(window, f"d_accuracy_{side}") for side in ("real", "fake")]
    rose = mean(window, "g_loss"), mean(earlier, "g_loss")
    progress = _progress(signals)
    if not (_stagnates(progress) and min(right) > 0.95 and rose[0] > 1.1 * rose[1]):
        return None
    value, at = progress[0]
    seen = (
        f"The discriminator has been right about {right[0]:.1%} of the real and {right[1]:.1%} of "
        f"the generated examples for {ORDINARY} epochs, the generator's loss has risen from "
        f"{rose[1]:.2g} to {rose[0]:.2g}, and the samples do not improve: the Fréchet distance was "
        f"{value:.3g} in epoch {at} and is {score(now, 'frechet'):.3g} now."
    )
    return "discriminator_wins", seen, _weaker_discriminator(model)


def winning(model, now, signals):
    del signals
    right = [now.get("d_accuracy_real", 0.0), now.get("d_accuracy_fake", 0.0)]
    loss = now.get("d_adversarial", now.get("d_loss", math.inf))
    objective = losses.get(model.objective)
    undecided = np.full((1, 1), objective.boundary, "float32")
    guess = float(objective.discriminator(undecided, undecided))
    if not (_is_bounded(model) and min(right) > 0.95 and loss < 0.07 * guess):
        return None
    seen = (
        f"The discriminator is right about {right[0]:.1%} of the real and {right[1]:.1%} of the "
        f"generated examples; its loss is {loss:.2g} (guessing costs {guess:.2g}), the "
        f"generator's {now.get('g_loss', math.nan):.2g}."
    )
    return "discriminator_wins", seen, _weaker_discriminator(model)


def _weaker_discriminator(model):
    """Advice against a discriminator that is too strong."""
    d, g = _rate(model, "discriminator"), _rate(model, "generator")
    usual = GAN.arguments()["learning_rate"]
    if d > 2 * g and abs(math.log(g / usual)) > abs(math.log(d / usual)):
        return f"`learning_rate={d:.2g}`: the generator's is only {g:.2g}."
    if d > 2 * g:
        return f"`discriminator_learning_rate={g:.2g}`, the same as the generator's."
    if model.discriminator_steps > 1:
        return "`discriminator_steps=1`."
    return slower(model, "discriminator", 4)


def vanishing(model, now, signals):
    slope, ours, theirs = (now.get(k, math.nan) for k in ("slope", "g_gradient", "d_gradient"))
    # A float16 gradient may overflow now and then.
    norms = [row["g_gradient"] for row in signals if "g_gradient" in row]
    largest = max((norm for norm in norms if math.isfinite(norm)), default=0.0)
    if slope < 0.05:
        seen = (
            f"The generator's loss hardly depends on the discriminator's output: its slope is "
            f"{slope:.2g} (0.5 if the discriminator cannot tell); fakes get "
            f"{now.get('d_fake', math.nan):.2g} on average."
        )
        if model.objective == "minimax":
            advice = "`objective='non_saturating'`."
        else:
            advice = slower(model, "discriminator", 4)
    elif ours < 0.01 * largest or ours < 0.001 * theirs < math.inf:
        seen = (
            f"The norm of the generator's gradient is {ours:.2g}, was {largest:.2g} before, and "
            f"the discriminator's is {theirs:.2g}. The loss does depend on the discriminator's "
            "output: the generator's units are saturated or dead."
        )
        advice = slower(model, "generator", 10)
    else:
        return None
    return "vanishing_generator_gradient", seen, advice


def saturated(model, now, signals):
    del signals
    if not now["spread"] < 1e-4 * max(1.0, abs(now.get("d_real", 0.0))):
        return None
    seen = (
        f"The discriminator's output is the same for everything, {now.get('d_real', math.nan):.3g} "
        f"± {now['spread']:.1g}: its units are saturated or dead."
    )
    return "discriminator_saturates", seen, slower(model, "discriminator", 10)


def blind(model, now, signals):
    if not (now["told_apart"] < 0.6 and now["distance"] > 0.1) or saturated(model, now, signals):
        return None
    seen = (
        "The discriminator cannot tell: it ranks a real example above a sample in "
        f"{now['told_apart']:.0%} of the cases (50 % is chance), though samples are far from the "
        f"data (energy distance {now['distance']:.2f} of 1)."
    )
    d, g = _rate(model, "discriminator"), _rate(model, "generator")
    if d < g:
        advice = f"`discriminator_learning_rate={g:.2g}`: the discriminator's is only {d:.2g}."
    else:
        advice = f"`discriminator_steps={model.discriminator_steps + 2}`."
    return "discriminator_blind", seen, advice


def _is_bounded(model):
    """Whether the discriminator's loss is bounded below. A critic's is not, so it cannot win."""
    if getattr(type(model), "discriminator_loss", None) is not GAN.discriminator_loss:
        return False
    far = np.full((1, 1), 1e3, "float32")
    return float(losses.get(model.objective).discriminator(far, -far)) > -100


def _rate(model, player):
    """The current learning rate of a player."""
    return float(model.optimizer[player].learning_rate)


def slower(model, player, factor):
    """Advice to divide a player's learning rate."""
    rate = _rate(model, player)
    if isinstance(model, GAN):
        name = {"discriminator": "discriminator_learning_rate"}.get(player, "learning_rate")
        return f"`{name}={rate / factor:.2g}`, in place of {rate:.2g}."
    return (
        f"in `compile`, an optimizer for {player!r} with `learning_rate={rate / factor:.2g}`, in "
        f"place of {rate:.2g}."
    )
