"""Comparing trainings: scores with their spread over seeds, curves and samples on one page."""

from ganzoo.runs.comparison.comparing import Comparison as Comparison
from ganzoo.runs.comparison.comparing import compare as compare
