"""Run folders: one training with all that belongs to it, resumable by the same command.

config.json       what was asked for, and with what
metrics.jsonl     one line per epoch
samples/          a grid per epoch, always from the same latents
training.gif      these grids, one after the other
checkpoints/      the newest two, whole models; and the best one, where the run was scored
scores.json       what `ganzoo evaluate` found
nearest.png       samples beside the nearest training pictures; by the same, held-out ones as well
doctor.jsonl      what the doctor found
report.html       all of it on one page
"""

from ganzoo.runs.films import film as film
from ganzoo.runs.scoring import SCORES as SCORES
from ganzoo.runs.scoring import evaluate as evaluate
from ganzoo.runs.scoring import mark as mark
from ganzoo.runs.settings import data_of as data_of
from ganzoo.runs.settings import place_of as place_of
from ganzoo.runs.training import train as train
from ganzoo.runs.training import write_report as write_report
