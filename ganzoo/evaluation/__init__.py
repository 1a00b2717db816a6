"""Evaluation: a model's scores, with their error, floor and protocol, and its speed."""

from ganzoo.evaluation.evaluator import Evaluator as Evaluator
from ganzoo.evaluation.evaluator import evaluate as evaluate
from ganzoo.evaluation.neighbours import nearest_pictures as nearest_pictures
from ganzoo.evaluation.neighbours import save_nearest as save_nearest
from ganzoo.evaluation.registry import EXPORTED as EXPORTED
from ganzoo.evaluation.registry import METRIC_OF as METRIC_OF
from ganzoo.evaluation.registry import METRICS as METRICS
from ganzoo.evaluation.registry import knows as knows
from ganzoo.evaluation.samples import weights_hash as weights_hash
from ganzoo.evaluation.score_sheet import Score as Score
from ganzoo.evaluation.score_sheet import ScoreSheet as ScoreSheet
