"""Run folders: one training with everything that belongs to it, resumed by the same command.

`ganzoo.files.run_folder` lists the files in one.
"""

from ganzoo.runs.choosing import auto as auto
from ganzoo.runs.comparison import Comparison as Comparison
from ganzoo.runs.comparison import compare as compare
from ganzoo.runs.films import film as film
from ganzoo.runs.planning import Plan as Plan
from ganzoo.runs.planning import plan as plan
from ganzoo.runs.scoring import SCORES as SCORES
from ganzoo.runs.scoring import evaluate as evaluate
from ganzoo.runs.settings import data_of as data_of
from ganzoo.runs.training import train as train
from ganzoo.runs.training import write_report as write_report
