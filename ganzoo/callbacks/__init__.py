"""Callbacks: sample grids, checkpoints, logs and scores while a model trains."""

from ganzoo.callbacks.checkpoints import Checkpoints as Checkpoints
from ganzoo.callbacks.evaluate import BEST as BEST
from ganzoo.callbacks.evaluate import Evaluate as Evaluate
from ganzoo.callbacks.evaluate import read_best as read_best
from ganzoo.callbacks.metrics_log import MetricsLog as MetricsLog
from ganzoo.callbacks.sample_grid import SampleGrid as SampleGrid
from ganzoo.callbacks.sample_grid import Show as Show
from ganzoo.callbacks.sample_grid import first_batches as first_batches
from ganzoo.callbacks.sample_grid import first_examples as first_examples
from ganzoo.callbacks.tensorboard import TensorBoard as TensorBoard
from ganzoo.game.time_budget import TimeBudget as TimeBudget
