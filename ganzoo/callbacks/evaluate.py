"""Scores during training, and the best model by them."""

import json
import math
import pathlib
import zipfile
from collections.abc import Callable

import keras

from ganzoo import evaluation
from ganzoo import types
from ganzoo import validation
from ganzoo.files import archives
from ganzoo.files import texts
from ganzoo.files.atomic import replacing
from ganzoo.files.run_folder import CheckpointFiles

EARLY = 6
"""With a time budget the first evaluation comes after this part of it."""
BEST = "score.json"
"""The member of `best.keras` that holds its epoch, the name of the score and the sheet."""


class Evaluate(keras.callbacks.Callback):
    """Scores the model while it trains, and keeps the best one by a score of your choice.

    The scores join the logs under their full names, so that `History`, `MetricsLog` and Keras's
    own callbacks see them: list it before those. An error while scoring is reported and does not
    stop the training.

    Args:
        evaluator: a `ganzoo.evaluation.Evaluator`; one with few samples and `repeats=1` takes
            little time. It reads the real images once.
        every: epochs between two evaluations; the last epoch is always evaluated, and with a
            `TimeBudget` the one after a sixth of the time.
        best: name of the score by which the best model is saved, such as `"frechet"`.
        folder: gets `best.keras`, a model file with its epoch and score sheet inside: see
            `best_so_far`.
        say: called with a line of text.
        verbose: 1: a progress bar; 0: none.

    Example:

    >>> import ganzoo
    >>> evaluator = ganzoo.evaluation.Evaluator(
    ...     "digits", metrics=("frechet",), samples=300, repeats=1
    ... )
    >>> model = ganzoo.get("dcgan", channels=8, seed=0)
    >>> history = model.fit(
    ...     ganzoo.datasets.load("digits"),
    ...     epochs=2,
    ...     verbose=0,
    ...     callbacks=[Evaluate(evaluator, verbose=0)],
    ... )
    >>> len(history.history["frechet[digits-classifier-v1]"])
    2
    """

    def __init__(
        self,
        evaluator: evaluation.Evaluator,
        every: int = 1,
        best: str | None = None,
        folder: types.Path | None = None,
        say: Callable[[str], object] = texts.say,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.every = validation.integer("every", every)
        if (best is None) != (folder is None):
            raise ValueError("`best` and `folder` go together: which score, and where to save.")
        self.best = best
        self.folder = None if folder is None else pathlib.Path(folder)
        self.say = say
        self.verbose = verbose
        self.sheet = None
        self._tried = False

    def on_epoch_end(self, epoch, logs=None):
        if not self._due(epoch + 1):
            return
        self._tried = True
        try:
            self.sheet = self._judge()
            if logs is not None:
                logs.update({name: score.value for name, score in self.sheet.scores.items()})
            if self.best is not None:
                self._keep_best(epoch + 1)
        except Exception as error:  # a failed score must not end a training
            self.say(f"Epoch {epoch + 1} could not be scored: {error}")

    def _due(self, epoch):
        last = self.params["epochs"]
        if epoch % self.every == 0 or epoch == last:
            return True
        # Early in a training of minutes, so that it is known how long the last one will take.
        return "budget" in self.params and not self._tried and epoch >= last / EARLY

    def _judge(self):
        if not self.verbose:
            return self.evaluator.judge(self.model)
        total = self.evaluator.samples * self.evaluator.repeats
        bar = keras.utils.Progbar(total, unit_name="sample")
        return self.evaluator.judge(self.model, progress=bar.update)

    def _keep_best(self, epoch):
        score = self.sheet[self.best]
        if not math.isfinite(score.value):
            return
        path = CheckpointFiles(self.folder).best
        if path.exists():
            _, name, before = read_best(path)
            sign = -1 if score.better == "higher" else 1
            # Scores by another extractor do not compare: the run began before it was installed.
            judges = {sheet.passport.get("extractor") for sheet in (before, self.sheet)}
            if len(judges) == 1 and not sign * score.value < sign * before[name].value:
                return
        self.folder.mkdir(parents=True, exist_ok=True)
        contents = {"epoch": epoch, "score": self.best, **self.sheet.to_dict()}
        # In one file: a kill between two would leave a model with the score of another.
        with replacing(CheckpointFiles(self.folder).best) as path:
            self.model.save(path)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(BEST, json.dumps(contents, indent=2, allow_nan=False) + "\n")

    def report(self) -> None:
        """Print the last score and the best one."""
        if self.sheet is None or self.best is None:
            return
        try:
            epoch, value = self.best_so_far()
        except (ValueError, KeyError, TypeError, OSError):  # reported before
            return
        last = self.sheet[self.best].value
        self.say(f"{self.best}: {last:.4g} at the last epoch, {value:.4g} at the best, {epoch}")

    def best_so_far(self) -> tuple[int, float] | None:
        """`(epoch, value)` of the best saved model, including earlier runs in the folder, or
        None."""
        path = CheckpointFiles(self.folder).best  # type: ignore[arg-type]
        if not path.exists():
            return None
        epoch, score, sheet = read_best(path)
        return epoch, sheet[score].value


def read_best(path: types.Path) -> tuple[int, str, evaluation.ScoreSheet]:
    """`(epoch, name of the score, ScoreSheet)` of a `best.keras` that `Evaluate` wrote.

    Raises:
        ValueError: it is not such a file, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents = json.loads(archives.read(archive, BEST, archives.TEXT))
        sheet = evaluation.ScoreSheet.from_dict(contents)
        sheet[contents["score"]]  # raises if there is no such score
        return validation.integer("epoch", contents["epoch"]), contents["score"], sheet
    except Exception as error:  # a file may be wrong in any way
        raise ValueError(f"{str(path)!r} holds no score: {error!r}.") from None
