"""Forecasts of scores: they come true as often as they say, and say no more than is known."""

import csv
import dataclasses
import statistics

import numpy as np
import pytest

from ganzoo.runs import forecast
from tests import helpers

PRIOR = forecast.Prior(
    decay=(-0.7, 0.4),
    rest=(-2.0, 1.0),
    drift=0.15,
    early=3_000.0,
    noise=0.05,
    level=(4.0, 1.0, 0.5, 0.2, 0.2),
)
IMAGES = tuple(4_000 * 1.5**i for i in range(12))


def _curve(rng, level=4.0, floor=3.0):
    """A curve as the prior describes it."""
    c = np.exp(rng.normal(*PRIOR.decay))
    r = 1 / (1 + np.exp(-rng.normal(*PRIOR.rest)))
    t = np.array(IMAGES)
    steps = rng.normal(0, PRIOR.drift * np.sqrt(np.log(1.5)), len(t)).cumsum()
    excess = np.exp(level + steps) * (r + (1 - r) * (t / forecast.REFERENCE) ** -c)
    values = (floor + excess) * np.exp(rng.normal(0, PRIOR.noise, len(t)))
    return forecast.Curve("frechet[x]", "mine", "dcgan", floor, IMAGES, tuple(values))


def _ahead(curve, seen, **known):
    return forecast.forecast(curve.until(IMAGES[seen - 1]), IMAGES[seen:], prior=PRIOR, **known)


@pytest.mark.parametrize("seen", [1, 4, 8])
def test_four_of_five_intervals_hold_the_score_that_comes(seen):
    rng, within, below = np.random.default_rng(seen), [], []
    for _ in range(60):
        curve = _curve(rng)
        last = _ahead(curve, seen, others=())[-1]
        within.append(last.low <= curve.values[-1] <= last.high)
        below.append(curve.values[-1] < last.median)
    # Three standard deviations of 60 draws.
    assert abs(statistics.fmean(within) - 0.8) < 0.16
    assert abs(statistics.fmean(below) - 0.5) < 0.2


def test_a_forecast_is_the_surer_the_nearer_it_is_and_the_more_is_known():
    curve = _curve(np.random.default_rng(0))
    width = lambda one: (one.high - one.low) / one.median
    near, *_, far = map(width, _ahead(curve, 4, others=()))
    assert near < far
    few, more = (width(_ahead(curve, n, others=())[-1]) for n in (1, 9))
    assert more < few


def test_before_a_training_it_is_expected_to_resemble_others_of_its_data():
    rng = np.random.default_rng(1)
    others = [dataclasses.replace(_curve(rng, 6.0), data="theirs") for _ in range(3)]
    others += [_curve(rng, 3.0) for _ in range(3)]
    new = dataclasses.replace(others[-1], model="wgan", images=(), values=())
    of = lambda curve: forecast.forecast(curve, [5e4], prior=PRIOR, others=others)[0]
    known, unknown = of(new), of(dataclasses.replace(new, data="new"))
    assert known.low < 3.0 + np.exp(3.0) < known.high < 3.0 + np.exp(6.0)
    assert known.high / known.low < unknown.high / unknown.low
    assert unknown.low < 3.0 + np.exp(4.5) < unknown.high


def test_no_forecast_is_below_the_floor_and_an_outlier_does_not_break_it():
    curve = dataclasses.replace(
        _curve(np.random.default_rng(2)), floor=20.0, values=(90, 19, 5e5, *[21] * 9)
    )
    for one in _ahead(curve, 8, others=()):
        assert 20 < one.low < one.median < one.high < np.inf


def test_a_forecast_is_printed_by_its_ends_if_these_are_lopsided():
    shown = lambda *numbers: str(forecast.Forecast(5e4, *numbers))
    assert shown(24, 20, 28) == "24 ± 4"
    assert shown(239, 93, 400) == "93 to 400" and shown(239, 130, 665) == "130 to 665"


def test_scores_of_hardly_any_images_break_no_forecast():
    start = forecast.Curve("frechet[x]", "mine", "dcgan", 0.0, (2,), (900.0,))
    [one] = forecast.forecast(start, [3.0], prior=PRIOR, others=())
    assert 0 < one.low < one.median < one.high < np.inf


def test_the_recorded_forecasts_came_true_as_often_as_they_say():
    with (helpers.ROOT / "benchmarks/results/forecasts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for unknown in {row["unknown"] for row in rows}:
        within = [r["within"] == "True" for r in rows if r["unknown"] == unknown]
        assert 0.65 <= statistics.fmean(within) <= 0.95


def test_curves_that_come_with_ganzoo_are_small_and_the_recorded_ones():
    prior, curves = forecast.recorded()
    assert forecast.RECORDED.stat().st_size < 20_000
    with (helpers.ROOT / "benchmarks/results/curves.csv").open(encoding="utf-8") as file:
        values = [float(row["value"]) for row in csv.DictReader(file)]
    kept = [x for curve in curves for x in curve.values]
    np.testing.assert_allclose(sorted(kept), sorted(values), rtol=1e-3)
    assert prior.drift > 0 and prior.noise > 0
