"""The callback that diagnoses a training, and suggests one change."""

import contextlib
import math
import operator
from collections.abc import Callable
from typing import Any

import keras

from ganzoo import backend
from ganzoo import validation
from ganzoo.doctor.diagnoses import Finding
from ganzoo.doctor.diagnoses import Watch
from ganzoo.doctor.diagnoses import blind
from ganzoo.doctor.diagnoses import brief
from ganzoo.doctor.diagnoses import collapsed
from ganzoo.doctor.diagnoses import exploding
from ganzoo.doctor.diagnoses import narrow
from ganzoo.doctor.diagnoses import outpaced
from ganzoo.doctor.diagnoses import saturated
from ganzoo.doctor.diagnoses import score
from ganzoo.doctor.diagnoses import slower
from ganzoo.doctor.diagnoses import vanishing
from ganzoo.doctor.diagnoses import winning
from ganzoo.doctor.divergence import culprit
from ganzoo.doctor.divergence import finite
from ganzoo.doctor.divergence import listed
from ganzoo.doctor.divergence import not_finite_weights
from ganzoo.doctor.measurements import Real
from ganzoo.doctor.measurements import examples
from ganzoo.doctor.measurements import measurable
from ganzoo.families.gan import GAN
from ganzoo.files import texts


class Doctor(keras.callbacks.Callback):
    """Watches a training, reports in plain words what goes wrong, and suggests one change.

    | finding | what it means |
    |---|---|
    | `divergence` | a number is NaN or infinite, or outputs explode |
    | `mode_collapse` | the samples are much less diverse than the data, or leave much of it out |
    | `low_recall` | by the scores in the logs, samples reach hardly any of the data |
    | `few_updates` | the training ends after many epochs, but few training steps |
    | `discriminator_wins` | it is hardly ever wrong for long, or ahead while no score improves |
    | `discriminator_blind` | it ranks samples as high as real ones, though they are far apart |
    | `discriminator_saturates` | its output is the same for everything |
    | `vanishing_generator_gradient` | hardly any gradient reaches the generator |

    It measures at ends of epochs, on some real examples and as many samples, and changes nothing:
    the losses of a run are the same with and without it. A measurement takes about 0.1 s on a CPU
    and the time to make `n` samples. It reads the scores of a `ganzoo.callbacks.Evaluate` that is
    listed before it. Games other than a `ganzoo.GAN` are only watched for divergence and for few
    training steps. If the doctor itself fails, it reports that once, and training goes on.

    Args:
        data: real examples: a data set of batches, an array, or `(images, labels)`. None: the
            data that the model trains on. The first examples of a data set are read once more
            before training starts; your own data set that shuffles by itself is then a pass ahead.
        every: epochs between two measurements.
        n: number of real examples, and of samples, to measure on.
        seed: whole number, for the samples' latents and the choice among an array's examples.
        stop_on_nan: end the training when a number is NaN or infinite.
        say: called with one line of text per finding.
        found: called with each `Finding`, or None.

    Attributes:
        stopped: the `Finding` that ended the training, or None.
        findings: list of `Finding` in the order of time. A kind is listed again only after it
            has gone away and come back.
        signals: list of dicts, one per epoch: `epoch`, `epochs` (the training's total), `minutes`
            and `pace` (of its `TimeBudget`, if it has one, and training steps a minute), `step`,
            the logs and, where measured, `diversity` (mean distance between two samples, of one
            class if there are classes; 1 is the data's), `missed` (share of real examples without
            a sample near), `distance` (energy distance of samples and data, 0: none, 1: far
            apart), `told_apart` (probability that the discriminator ranks a real example above a
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

    # On JAX, Keras then calls `on_train_batch_end` in a thread of its own, so the next step does
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
        self.every = validation.integer("every", every)
        self.n = validation.integer("n", n, least=2)
        self.seed = validation.integer("seed", seed, least=0)
        self.stop_on_nan = stop_on_nan
        self.say = say
        self.found = found
        self.stopped: Finding | None = None
        self.findings: list[Finding] = []
        self.signals: list[dict[str, Any]] = []
        self._data = data
        self._shown = None
        self._real = None
        self._watches: dict[str, Watch] = {}
        self._failed = False

    def see(self, data: Any) -> None:
        """Called by `fit` with its data."""
        self._shown = data

    # What Keras calls -----------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        # On JAX, `self.model` copies the state of the running step into the model, which only
        # Keras's own thread may do.
        self._training = self.model
        self._real = None
        self._origin = None
        data = self._shown if self._data is None else self._data
        with self._safely():
            if data is not None and measurable(self.model):
                self._real = Real(self.model, *examples(data, self.n, self.seed))

    def on_epoch_begin(self, epoch, logs=None):
        self._steps_before = self._step()
        budget = (self.params or {}).get("budget")
        if budget is not None and self._origin is None:
            self._origin = self._steps_before, budget.spent
        self._earliest = math.inf
        self._not_finite = []
        self._began = None

    def on_train_batch_end(self, batch, logs=None):
        # Logs are running means: from the step at which a value is not finite, its mean is not
        # either. Several threads may be here at once and out of order. A dropped step is always
        # later than one that is kept, so the earliest is never lost.
        if batch < self._earliest and not all(map(finite, (logs or {}).values())):
            self._earliest = batch
            self._not_finite.append((batch, logs))
            # Processes that train together stop together, at the end of the epoch.
            if self.stop_on_nan and backend.processes() == 1:
                self._training.stop_training = True

    def _step(self):
        """Training steps on these data: without those that loaded weights have had."""
        return int(self.model.step.numpy()) - self.model.averages.since

    def on_test_begin(self, logs=None):
        self._began = self.model.not_finite()  # validation resets it

    def on_epoch_end(self, epoch, logs=None):
        params = self.params or {}
        step = self._step()
        now = {
            "epoch": epoch + 1,
            "epochs": params.get("epochs", math.inf),
            **self._time(params.get("budget"), step),
            "step": step,
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

    def _time(self, budget, step):
        if budget is None:
            return {}
        # Only of this call: earlier steps need not belong to the minutes.
        steps, spent = self._origin
        pace = 60 * (step - steps) / max(budget.spent - spent, 1e-3)
        return {"minutes": budget.seconds / 60, "pace": pace}

    @contextlib.contextmanager
    def _safely(self):
        """Suppress errors, and report the first one."""
        try:
            yield
        except Exception as error:
            if not self._failed:
                self._failed = True
                with contextlib.suppress(Exception):
                    text = " ".join(f"{type(error).__name__}: {error}".split())
                    self.say(f"The doctor failed ({text[:300]}). The training goes on.")

    # Findings -------------------------------------------------------------------------------

    def _report(self, now, name, seen, advice, step=None):
        finding = Finding(name, now["epoch"], step or now["step"], seen, advice)
        self.findings.append(finding)
        self.say(str(finding))
        if self.found is not None:
            self.found(finding)

    def _judge(self, now, measured):
        causes = [exploding]
        if isinstance(self.model, GAN):
            causes.append(winning)
        if measured:
            causes += [vanishing, saturated, blind]
        validation = [*causes, *([collapsed] if measured else [])]
        if isinstance(self.model, GAN):  # these look back over several scores by themselves
            scored = (outpaced, "frechet"), (narrow, "recall")
            validation += [check for check, name in scored if score(now, name) is not None]
        for check in [*validation, brief]:
            result = check(self.model, now, self.signals)
            hasty = check in (exploding, outpaced, narrow, brief)
            watch = self._watches.setdefault(check, Watch(hasty))
            # If another finding explains the samples, its advice is the one to follow.
            others = {
                collapsed: [*causes, narrow],
                narrow: [*causes, collapsed, outpaced],
                outpaced: [winning],
            }
            watches = [self._watches[c] for c in others.get(check, ()) if c in self._watches]
            explained = any(other.active for other in watches)
            if watch.starts(now["step"], result is not None and (watch.active or not explained)):
                self._report(now, *result)

    def _diverged(self, now):
        """Whether a log, a weight or an optimizer's state is NaN or infinite."""
        weights = not_finite_weights(self.model)
        diverged = bool(self._not_finite or weights)
        if diverged and self.stop_on_nan:
            self.model.stop_training = True
        watch = self._watches.setdefault("not finite", Watch(hasty=True))
        if watch.starts(now["step"], diverged):
            self._explain(now, weights)
            self.stopped = self.findings[-1] if self.stop_on_nan else None
        return diverged

    def _explain(self, now, weights):
        """Report which player caused a divergence, and at which step."""
        model = self.model
        if not self._not_finite:
            seen = f"The logs are finite, but not the state: {listed(weights.values())}."
            self._report(now, "divergence", seen, slower(model, next(iter(weights)), 10))
            return
        _, logs = min(self._not_finite, key=operator.itemgetter(0))
        # Several steps may lie between two checks: the first value that diverged is the cause.
        began = model.not_finite() if self._began is None else self._began
        first = min(began.values())
        step = self._steps_before + first
        logs = {name: logs[name] if at == first else 0.0 for name, at in began.items()}
        player, what, mend = culprit(model, logs, weights, at_once=now["step"] == step)
        networks = listed(network.name for network in player.networks)
        state = f"not finite now: {listed(weights.values())}" if weights else "all are finite"
        seen = f"At step {step} {what}. The {player.name} moves: {networks}. Weights: {state}."
        if model.dtype_policy.name == "mixed_float16":
            best = backend.best_precision()
            best = best if best == "mixed_bfloat16" else "float32"
            mend = f"`precision={best!r}`, because float16 ends at 65504."
        self._report(now, "divergence", seen, mend or slower(model, player.name, 10), step)
