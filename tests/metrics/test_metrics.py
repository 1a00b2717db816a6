"""Metrics against plain implementations, known answers and the public packages; how they stream."""

import gzip
import itertools
import json
import pickle
import re
import time
import tracemalloc
import warnings

import keras
import numpy as np
import pytest
from scipy import linalg
from scipy.spatial import distance
from scipy.special import softmax

from ganzoo import datasets
from ganzoo import metrics
from ganzoo.extractors import BATCH
from ganzoo.extractors import shipped
from ganzoo.extractors.classifier import SOUNDS
from ganzoo.metrics import manifold
from ganzoo.metrics.states import Distinct
from ganzoo.metrics.states import Rows
from ganzoo.metrics.states import keys_of
from tests.fixtures import prdc as fixtures

# Fréchet distance -----------------------------------------------------------------------------


def moments(rows):
    return rows.mean(axis=0), np.cov(rows, rowvar=False)


def frechet_by_sqrtm(x, y):
    """Heusel et al. 2017, equation 6, with SciPy's root of the product."""
    (mean_x, cov_x), (mean_y, cov_y) = moments(x), moments(y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Matrix is singular", linalg.LinAlgWarning)
        root = linalg.sqrtm(cov_x @ cov_y).real
    return ((mean_x - mean_y) ** 2).sum() + np.trace(cov_x + cov_y - 2 * root)


def frechet_by_rows(x, y):
    """The same without any covariance: tr (Σ_x Σ_y)^½ is the nuclear norm of XYᵀ."""
    (x, mean_x), (y, mean_y) = ((rows - rows.mean(axis=0), rows.mean(axis=0)) for rows in (x, y))
    n, m = len(x) - 1, len(y) - 1
    cross = linalg.svdvals(x @ y.T).sum() / np.sqrt(n * m)
    return ((mean_x - mean_y) ** 2).sum() + (x**2).sum() / n + (y**2).sum() / m - 2 * cross


def _feature_pairs():
    rng = np.random.default_rng(0)
    mix, other = rng.normal(size=(2, 32, 32))
    few = rng.normal(size=(20, 32)) @ mix, 0.3 + rng.normal(size=(15, 32)) @ other
    flat = rng.normal(size=(200, 5)) @ mix[:5], 1 + rng.normal(size=(150, 7)) @ other[:7]
    part = rng.normal(size=(300, 9)), 2 * rng.normal(size=(300, 9))
    for rows, value in zip(part, (1.0, 4.0)):
        rows[:, 6:] = value
    rectified = np.maximum(rng.normal(size=(300, 40)) - 1.5, 0)
    return {
        "well-conditioned": (rng.normal(size=(500, 32)) @ mix, rng.normal(size=(400, 32)) @ other),
        "fewer rows than features": few,
        "rank-deficient": flat,
        "some features constant": part,
        "mostly zero": (rectified, 1.3 * np.roll(rectified, 7, axis=1)),
        "one side constant": (rng.normal(size=(300, 6)), np.ones((300, 6))),
        "both sides constant": (np.zeros((30, 6)), np.full((20, 6), 2.0)),
    }


PAIRS = _feature_pairs()


@pytest.mark.parametrize("case", PAIRS)
def test_frechet_distance_equals_scipy(case):
    x, y = PAIRS[case]
    found = metrics.frechet_distance(*moments(x), *moments(y))
    assert found == pytest.approx(frechet_by_sqrtm(x, y), rel=1e-6)
    # SciPy's root of a singular matrix is good to eight digits; this reference to all.
    assert found == pytest.approx(frechet_by_rows(x, y), rel=1e-8)
    assert found == pytest.approx(metrics.frechet_distance(*moments(y), *moments(x)), rel=1e-8)


@pytest.mark.parametrize("case", PAIRS)
def test_frechet_distance_to_itself_is_zero(case):
    for rows in PAIRS[case]:
        scale = np.trace(moments(rows)[1])
        assert 0 <= metrics.frechet_distance(*moments(rows), *moments(rows)) <= 1e-12 * scale


def test_frechet_distance_of_known_gaussians(rng):
    a, b = rng.uniform(0.1, 3, (2, 7))
    mean_a, mean_b = rng.normal(size=(2, 7))
    # Diagonal: each direction by itself, (Δμ)² + (σ_a − σ_b)².
    expected = ((mean_a - mean_b) ** 2 + (a - b) ** 2).sum()
    turn = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    for q in (np.eye(7), turn):  # turning both changes nothing
        covariances = (q @ np.diag(s**2) @ q.T for s in (a, b))
        found = metrics.frechet_distance(
            q @ mean_a, next(covariances), q @ mean_b, next(covariances)
        )
        assert found == pytest.approx(expected, rel=1e-12)
    # Scaled by s: (1 − s)² tr Σ.
    root = rng.normal(size=(7, 7))
    sigma = root @ root.T
    found = metrics.frechet_distance(mean_a, sigma, mean_a, 9 * sigma)
    assert found == pytest.approx(4 * np.trace(sigma), rel=1e-12)


def test_frechet_metric_is_the_function_of_numpys_moments(rng):
    x, y = rng.normal(size=(80, 5)), rng.normal(1, 2, (70, 5))
    metric = metrics.FrechetDistance()
    metric.update_state(real=x, fake=y)
    expected = metrics.frechet_distance(*moments(x), *moments(y))
    assert metric.result() == {"frechet": pytest.approx(expected, rel=1e-12)}


def test_frechet_metric_keeps_precision_far_from_the_origin(rng):
    """Sums of squares in float64 would lose all digits of a variance of 1 at 10⁸."""
    metric = metrics.FrechetDistance()
    x, y = rng.normal(size=(200, 3)), rng.normal(0.5, 1, (200, 3))
    for start in range(0, 200, 20):
        part = slice(start, start + 20)
        metric.update_state(real=x[part] + 1e8, fake=y[part] + 1e8)
    expected = frechet_by_rows(x, y)
    # The rows themselves are rounded to 1.5e-8 there.
    assert metric.result()["frechet"] == pytest.approx(expected, rel=1e-6)


def test_frechet_memory_does_not_grow_with_the_rows(rng):
    def size(batches):
        metric = metrics.FrechetDistance()
        for _ in range(batches):
            metric.update_state(real=rng.normal(size=(100, 8)), fake=rng.normal(size=(100, 8)))
        return len(pickle.dumps(metric.states))

    assert size(50) <= size(1) + 16  # the counts' digits


def test_frechet_of_few_rows_says_how_many_are_needed(rng):
    metric = metrics.FrechetDistance()
    metric.update_state(real=rng.normal(size=(50, 8)), fake=rng.normal(size=(8, 8)))
    with pytest.warns(UserWarning, match="8 rows for features of length 8.*at least 9 rows"):
        metric.result()
    metric.update_state(fake=rng.normal(size=(1, 8)))
    metric.result()  # without a warning, which would be an error


@pytest.mark.slow
def test_frechet_distance_of_long_features_is_that_of_sqrtm():
    """At the length of Inception's features; how long both take is printed, the best of two."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(2048, 2048)) / 45
    x, y = rng.normal(size=(3000, 2048)), 1.1 * rng.normal(size=(3000, 2048)) @ mix
    pairs = (*moments(x), *moments(y))
    ours, theirs = [], []
    for _ in range(2):
        start = time.perf_counter()
        found = metrics.frechet_distance(*pairs)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        root = linalg.sqrtm(pairs[1] @ pairs[3]).real
        theirs.append(time.perf_counter() - start)
    expected = ((pairs[0] - pairs[2]) ** 2).sum() + np.trace(pairs[1] + pairs[3] - 2 * root)
    assert found == pytest.approx(expected, rel=1e-6)
    print(f"frechet_distance {min(ours):.2f} s, sqrtm {min(theirs):.2f} s")


# Kernel distance ------------------------------------------------------------------------------


def naive_kernel_distance(x, y):
    """Bińkowski et al. 2018, equation 4, term by term."""
    kernel = lambda a, b: (sum(p * q for p, q in zip(a, b)) / len(a) + 1) ** 3
    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j)
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j)
    across = sum(kernel(a, b) for a in x for b in y)
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * across / (n * m)


def test_kernel_distance_equals_the_double_loop(rng):
    x, y = rng.normal(size=(14, 5)), rng.normal(0.7, 1.2, (14, 5))
    mean, deviation = metrics.kernel_distance(x, y, subsets=3)
    assert mean == pytest.approx(naive_kernel_distance(x.tolist(), y.tolist()), rel=1e-10)
    # Each subset is all of the rows, so that there is no deviation to speak of.
    assert np.isnan(deviation)
    metric = metrics.KernelDistance()
    metric.update_state(real=x, fake=y)
    assert metric.result() == {"kernel": pytest.approx(mean)}


class Watched(np.ndarray):
    """Rows that note in `drawn` which of them were taken."""

    def __getitem__(self, which):
        if isinstance(which, np.ndarray) and which.dtype.kind == "i":
            self.drawn.append(which)
        return np.asarray(self)[which]


def watched(rows):
    rows = rows.view(Watched)
    rows.drawn = []
    return rows


def test_kernel_distance_draws_subsets_without_replacement(rng):
    x, y = watched(rng.normal(size=(30, 3))), watched(rng.normal(size=(40, 3)))
    mean, deviation = metrics.kernel_distance(x, y, subsets=50, subset_size=10)
    for rows in (x, y):
        assert len(rows.drawn) == 50
        assert all(len(set(drawn)) == len(drawn) == 10 for drawn in rows.drawn)
        assert len(set(map(tuple, rows.drawn))) == 50
        assert set(np.concatenate(rows.drawn)) == set(range(len(rows)))
    values = [
        naive_kernel_distance(np.asarray(x)[a].tolist(), np.asarray(y)[b].tolist())
        for a, b in zip(x.drawn, y.drawn)
    ]
    assert (mean, deviation) == pytest.approx((np.mean(values), np.std(values)), rel=1e-9)
    # Drawn anew from the seed each time, so that one set of rows has one distance.
    again = metrics.kernel_distance(x, y, subsets=50, subset_size=10)
    assert again == (mean, deviation)
    assert metrics.kernel_distance(x, y, subsets=50, subset_size=10, seed=1) != again


def test_kernel_distance_is_unbiased():
    """In one dimension MMD² is Σ C(3,k) (difference of the k-th moments)²."""
    rng = np.random.default_rng(0)
    draw = lambda shift: rng.normal(shift, 1, (20, 1))
    third = lambda mu: np.array([mu, 1 + mu**2, mu**3 + 3 * mu])
    for shift in (0.0, 0.5):
        expected = ([3, 3, 1] * (third(shift) - third(0.0)) ** 2).sum()
        found = [metrics.kernel_distance(draw(shift), draw(0.0), subsets=1)[0] for _ in range(2000)]
        error = np.std(found) / np.sqrt(len(found))
        assert np.mean(found) == pytest.approx(expected, abs=4 * error)
        if not shift:
            # With the diagonals it would not be: each adds E[(x² + 1)³] / 20 = 28 / 20, less
            # E[k(x, y)] / 20 = 5 / 20.
            assert 40 * error < 2 * 23 / 20
            assert min(found) < 0 < max(found)


# Precision, recall, density, coverage ---------------------------------------------------------

FIXTURE = json.loads(fixtures.PATH.read_text(encoding="utf-8"))
NAMES = ("precision", "recall", "density", "coverage")


def naive_prdc(real, fake, k):
    """Naeem et al. 2020, equations 1 to 4, on the matrix of all distances."""
    radius = lambda rows: np.sort(distance.cdist(rows, rows), axis=1)[:, k]  # [:, 0] is itself
    between = distance.cdist(real, fake)
    inside = between < radius(real)[:, None]
    return (
        inside.any(axis=0).mean(),
        (between < radius(fake)).any(axis=1).mean(),
        inside.sum(axis=0).mean() / k,
        inside.any(axis=1).mean(),
    )


def both(real, fake, k):
    return (*metrics.precision_recall(real, fake, k), *metrics.density_coverage(real, fake, k))


@pytest.mark.parametrize(("real", "fake", "k"), [(40, 60, 3), (1500, 90, 5), (90, 1200, 1)])
def test_prdc_equals_the_naive_one(real, fake, k, rng):
    real, fake = rng.normal(size=(real, 6)), rng.normal(0.4, 0.8, (fake, 6))
    found = both(real, fake, k)
    assert found == pytest.approx(naive_prdc(real, fake, k), abs=1e-12)
    # Ours is computed in float32. Were it not moved to the origin, distances would be off by 4
    # here, as squares of 10³ are rounded to 1e-1.
    assert both(real + 1000, fake + 1000, k) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("found", FIXTURE[: len(fixtures.SMALL)], ids=lambda f: str(f["case"][:3]))
def test_prdc_equals_the_public_package(found):
    case = found["case"]
    scores = both(*fixtures.pair(*case), case[4])
    assert scores == pytest.approx([found[name] for name in NAMES], abs=1e-4)
    metric, other = metrics.PrecisionRecall(k=case[4]), metrics.DensityCoverage(k=case[4])
    real, fake = fixtures.pair(*case)
    for m in (metric, other):
        m.update_state(real=real, fake=fake)
    assert {**metric.result(), **other.result()} == pytest.approx(dict(zip(NAMES, scores)))


README = {"precision": 0.477, "recall": 0.471, "density": 1.056, "coverage": 0.974}
"""Of prdc: two sets from N(0, I), 10,000 × 1,000, k = 5, of unknown seed."""


@pytest.mark.slow
def test_prdc_at_the_size_of_its_readme():
    large = {found["case"][0]: found for found in FIXTURE[len(fixtures.SMALL) :]}
    seen = []
    for seed in range(5):
        case = (seed, *fixtures.LARGE[0][1:])
        scores = manifold.manifold(*(x.astype("float32") for x in fixtures.pair(*case)), 5)
        print(seed, scores)
        seen.append(scores)
        if seed in large:
            assert scores == pytest.approx([large[seed][name] for name in NAMES], abs=1e-3)
    assert len(large) == 2
    # In 1,000 dimensions a few rows lie in the balls of very many others: the numbers vary by
    # several hundredths from seed to seed, and the README's are a draw like these.
    # Three standard deviations of one draw less the mean of five.
    for name, values in zip(NAMES, zip(*seen)):
        spread = 3 * np.std(values, ddof=1) * np.sqrt(1 + 1 / 5)
        assert README[name] == pytest.approx(np.mean(values), abs=spread), name


def test_perfect_and_hopeless_samples(rng):
    real = rng.normal(size=(200, 4))
    assert both(real, real + 1000, 5) == (0, 0, 0, 0)
    precision, recall, density, coverage = both(real, real.copy(), 5)
    assert (precision, recall, coverage) == (1, 1, 1)
    # Each real row lies in the balls of those that have it among their 4 nearest, and in its own.
    assert density == pytest.approx(1, abs=0.01)
    one = np.repeat(real[:1], 100, axis=0)  # collapsed onto a real one
    precision, recall, density, coverage = both(real, one, 5)
    assert precision == 1 and coverage < 0.1 and recall == 0


@pytest.mark.parametrize("function", [metrics.precision_recall, metrics.density_coverage])
def test_prdc_needs_more_rows_than_neighbours(function, rng):
    rows = rng.normal(size=(6, 2))
    function(rows, rows, k=5)
    for pair, side in (((rows[:5], rows), "real"), ((rows, rows[:5]), "fake")):
        with pytest.raises(ValueError, match=f"k=5 needs more than 5 rows of {side}"):
            function(*pair, k=5)


def test_prdc_memory_does_not_grow_with_the_square(rng):
    def peak(n):
        real, fake = rng.normal(size=(2, n, 8)).astype("float32")
        tracemalloc.start()
        try:
            manifold.manifold(real, fake, 5)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Linear is 4, quadratic is 16.
    assert peak(8000) < 5 * peak(2000)


def test_nearest_neighbours(rng):
    rows, among = rng.normal(size=(1100, 5)) + 50, rng.normal(size=(300, 5)) + 50
    rows[7] = among[211]
    indices, distances = metrics.nearest(rows, among)
    expected = distance.cdist(rows, among)
    np.testing.assert_array_equal(indices, expected.argmin(axis=1))
    np.testing.assert_allclose(distances, expected.min(axis=1), rtol=1e-4)  # float32 near 50
    assert (indices[7], distances[7]) == (211, 0)
    whole = rng.integers(0, 256, (2, 20, 64), dtype="uint8")
    np.testing.assert_allclose(
        metrics.nearest(*whole)[1], distance.cdist(*whole.astype(float)).min(axis=1), rtol=1e-6
    )


# What classifiers say -------------------------------------------------------------------------


def test_class_score(rng):
    assert metrics.class_score(1000 * np.eye(7)) == pytest.approx(7, rel=1e-9)  # sure, all classes
    assert metrics.class_score(1000 * np.eye(7)[[3] * 9]) == pytest.approx(1, rel=1e-9)  # sure, one
    assert metrics.class_score(np.zeros((9, 7))) == pytest.approx(1, rel=1e-9)  # unsure
    logits = 2 * rng.normal(size=(50, 7))
    p = softmax(logits, axis=1)
    divergence = (p * np.log(p / p.mean(axis=0))).sum(axis=1)
    assert metrics.class_score(logits) == pytest.approx(np.exp(divergence.mean()), rel=1e-12)
    metric = metrics.ClassScore()
    metric.update_state(fake=logits)
    found = metric.result()
    assert found["class_score"] == pytest.approx(metrics.class_score(logits), rel=1e-12)
    parts = keys_of(logits) % 10
    scores = [metrics.class_score(logits[parts == i]) for i in np.unique(parts)]
    assert found["class_score_std"] == pytest.approx(np.std(scores), rel=1e-9)


def test_class_agreement():
    metric = metrics.ClassAgreement()
    logits = np.eye(4)[[0, 1, 2, 3, 0, 0, 0, 0]]
    metric.update_state(fake=logits[:5], labels=np.array([0, 1, 2, 3, 1]))
    metric.update_state(fake=logits[5:], labels=np.array([0, 3, 3], "uint8"))
    assert metric.result() == {"class_agreement": 5 / 8}
    with pytest.raises(ValueError, match="needs `labels`"):
        metric.update_state(fake=logits)


def classes_with_one_collapsed(rng, count=400):
    """Five clouds far apart, labels, and the same with the first one collapsed onto its mean."""
    labels = np.repeat(np.arange(5), count)
    centres = 10 * rng.normal(size=(5, 4))
    real, fake = (centres[labels] + rng.normal(size=(len(labels), 4)) for _ in range(2))
    collapsed = fake.copy()
    collapsed[labels == 0] = centres[0]
    return labels, real, fake, collapsed


def test_a_class_that_collapsed_shows_within_classes(rng):
    labels, real, fake, collapsed = classes_with_one_collapsed(rng)

    def scores(fake):
        inner, outer = metrics.IntraClassFrechet(), metrics.FrechetDistance()
        inner.update_state(real=real, labels=labels)
        inner.update_state(fake=fake, labels=labels)
        outer.update_state(real=real, fake=fake)
        return {**inner.result(), **outer.result()}

    healthy, sick = scores(fake), scores(collapsed)
    # To a single point at the mean, the distance is the trace of the covariance: 4 for σ = 1;
    # the error of the mean is (|Δμ|² ≈ 4/400) and of the trace √(8/400).
    assert sick["intra_class_frechet_worst"] == pytest.approx(4, abs=0.6)
    assert healthy["intra_class_frechet_worst"] < 0.2
    assert sick["intra_class_frechet"] > 10 * healthy["intra_class_frechet"]
    # All classes together hardly notice: their spread is that of the centres.
    assert sick["frechet"] < 0.1 * sick["intra_class_frechet_worst"]
    by_hand = [frechet_by_rows(real[labels == i], collapsed[labels == i]) for i in range(5)]
    assert sick["intra_class_frechet"] == pytest.approx(np.mean(by_hand), rel=1e-9)
    assert sick["intra_class_frechet_worst"] == pytest.approx(max(by_hand), rel=1e-9)


def test_within_classes_all_are_needed(rng):
    metric = metrics.IntraClassFrechet()
    rows = rng.normal(size=(40, 2))
    with pytest.raises(ValueError, match="pass `labels`"):
        metric.update_state(real=rows)
    metric.update_state(real=rows, labels=np.arange(40) % 4)
    metric.update_state(fake=rows, labels=np.arange(40) % 3)
    with pytest.raises(ValueError, match=r"no samples of the classes \[3\]"):
        metric.result()
    metric.update_state(fake=rows, labels=np.full(40, 3))
    metric.result()
    metric.update_state(real=rows[:1], labels=np.array([9]))
    metric.update_state(fake=rows, labels=np.full(40, 9))
    with pytest.raises(ValueError, match=r"only one real image of the classes \[9\]"):
        metric.result()


def test_within_classes_few_rows_are_said_once(rng):
    metric = metrics.IntraClassFrechet()
    for side, rows in (("real", 60), ("fake", 50)):
        metric.update_state(
            **{side: rng.normal(size=(rows, 8))}, labels=np.sort(np.arange(rows) % 8)
        )
    with pytest.warns(UserWarning, match="6 rows for features of length 8") as caught:
        metric.result()
    assert len(caught) == 1


def test_diversity(rng):
    rows = rng.normal(size=(50, 3))
    metric = metrics.Diversity()
    metric.update_state(fake=rows)
    expected = np.mean([np.linalg.norm(a - b) for a, b in itertools.combinations(rows, 2)])
    assert metric.result() == {"diversity": pytest.approx(expected, rel=1e-12)}
    metric.reset_state()
    metric.update_state(fake=np.repeat(rows[:1], 50, axis=0))
    assert metric.result() == {"diversity": 0}


# Modes ----------------------------------------------------------------------------------------

PERFECT = 1 - np.exp(-9 / 2)
"""Share of a two-dimensional Gaussian within three standard deviations: 98.9 %."""


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_a_perfect_sampler_reaches_all_modes(name):
    """PacGAN's protocol, 2,500 samples; Lin et al. 2018, section 4.1."""
    centres, sigma = datasets.MIXTURES[name]
    points = np.asarray(next(iter(datasets.load(name, split="test", batch_size=2500))))
    metric = metrics.ModeCoverage(len(centres))
    metric.update_state(fake=metrics.modes_of(points, centres, sigma))
    found = metric.result()
    assert found["modes"] == len(centres) == {"ring": 8, "grid": 25}[name]
    error = np.sqrt(PERFECT * (1 - PERFECT) / 2500)
    assert found["high_quality"] == pytest.approx(PERFECT, abs=4 * error)
    # 2n·KL of a uniform sample follows χ² with modes − 1 degrees of freedom.
    freedom = len(centres) - 1
    assert found["modes_kl"] < (freedom + 4 * np.sqrt(2 * freedom)) / (2 * 2400)
    assert 0.5 < found["rarest_mode_share"] * len(centres) < 1


def test_one_mode(rng):
    centres, sigma = datasets.MIXTURES["ring"]
    points = centres[3] + sigma * rng.normal(size=(2500, 2))
    metric = metrics.ModeCoverage(8)
    metric.update_state(fake=metrics.modes_of(points, centres, sigma))
    found = metric.result()
    assert found["modes"] == 1 and found["rarest_mode_share"] == 0
    assert found["modes_kl"] == pytest.approx(np.log(8))
    error = np.sqrt(PERFECT * (1 - PERFECT) / 2500)
    assert found["high_quality"] == pytest.approx(PERFECT, abs=4 * error)


def test_modes_of_points():
    centres = np.array([[0.0, 0.0], [1.0, 0.0]])
    points = [[0.29, 0], [0.31, 0], [0.5, 0], [1, 0.29], [1, -0.31], [0.9, 0.1]]
    found = metrics.modes_of(points, centres, 0.1)
    np.testing.assert_array_equal(found, [0, -1, -1, 1, -1, 1])


def test_shares_of_modes():
    metric = metrics.ModeCoverage(4)
    metric.update_state(fake=np.array([0, 0, 0, 1, -1]))
    found = metric.result()
    assert (found["modes"], found["high_quality"], found["rarest_mode_share"]) == (2, 0.8, 0)
    # Among the samples in a mode, against ¼ each.
    assert found["modes_kl"] == pytest.approx(0.75 * np.log(3) + 0.25 * np.log(1))
    # Against the data's own shares, which has two modes only.
    metric.update_state(real=np.array([0, 1, 1, 1]))
    found = metric.result()
    assert found["modes_kl"] == pytest.approx(0.75 * np.log(3) - 0.25 * np.log(3))
    assert found["rarest_mode_share"] == pytest.approx(0.2)
    metric.update_state(fake=np.array([2], "uint8"))
    assert metric.result()["modes_kl"] == np.inf  # where the data has nothing
    metric.reset_state()
    metric.update_state(fake=np.array([-1, -1]))
    found = metric.result()
    assert (found["modes"], found["high_quality"], found["modes_kl"]) == (0, 0, np.inf)


# Memorisation ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    return np.round(load_digits().images * (255 / 16)).astype("uint8").reshape(-1, 64)


def noisy(rows, rng, sigma):
    return np.clip(np.round(rows + rng.normal(0, sigma, rows.shape)), 0, 255).astype("uint8")


def cut(digits, seed, train, held_out):
    """A generator of random numbers, and digits trained on, held out, and left over."""
    rng = np.random.default_rng(seed)
    return rng, *np.split(rng.permutation(digits), [train, train + held_out])


def judged(fake, train, held_out):
    metric = metrics.Memorisation()
    metric.update_state(real=held_out, fake=fake, train=train)
    return metric.result()


SIZES = [(500, 500), (900, 300), (300, 900)]


@pytest.mark.parametrize(("train", "held_out"), SIZES)
def test_replayed_training_images_are_memorised(digits, train, held_out):
    rng, trained, held, _ = cut(digits, 0, train, held_out)
    replayed = trained[rng.integers(train, size=400)]
    found = judged(noisy(replayed, rng, 8), trained, held)
    assert found["memorised"] == 1
    # Noise of 8 grey levels is far below half the distance of two digits, about 40.
    assert found["copies"] > 0.95
    assert found["nearest_train"] < 8 < 30 < found["nearest_held_out"]
    # With as much noise as digits differ they are no copies any more, but still nearer.
    found = judged(noisy(replayed, rng, 60), trained, held)
    assert found["copies"] < 0.05
    assert found["memorised"] == 1
    assert found["train_nearer"] > 0.6


@pytest.mark.parametrize(("train", "held_out"), SIZES)
def test_a_part_of_replayed_images_is_found(digits, train, held_out):
    rng, trained, held, others = cut(digits, 0, train, held_out)
    fake = np.concatenate([trained[rng.integers(train, size=100)], others[:300]])
    found = judged(fake, trained, held)
    assert found["memorised"] == 1
    # Of 300 others one in a hundred has a twin by chance, here or there.
    assert found["copies"] == pytest.approx(0.25, abs=0.03)


HONEST = {
    "other digits": lambda rng, trained, others: others[:400],
    "noise": lambda rng, trained, others: rng.integers(0, 256, (400, 64), dtype="uint8"),
    "a blurred mean": lambda rng, trained, others: noisy(
        np.repeat(trained.mean(axis=0)[None], 400, axis=0), rng, 8
    ),
    "one picture": lambda rng, trained, others: np.repeat(others[:1], 400, axis=0),
    "ten pictures": lambda rng, trained, others: noisy(others[rng.integers(10, size=400)], rng, 8),
}


@pytest.mark.parametrize(("train", "held_out"), [*SIZES, (1000, 70)])
@pytest.mark.parametrize("kind", HONEST)
def test_what_was_not_memorised_is_not_flagged(digits, kind, train, held_out):
    """Good, bad and collapsed samples. Many of them have the same few nearest pictures, which
    are of the one set or of the other by the toss of a coin: hence some seeds."""
    nearer = []
    for seed in range(12):
        rng, trained, held, others = cut(digits, seed, train, held_out)
        found = judged(HONEST[kind](rng, trained, others), trained, held)
        assert found["memorised"] == 0, (seed, found)
        nearer.append(found["train_nearer"])
    if kind == "other digits":
        assert np.mean(nearer) == pytest.approx(0.5, abs=4 * np.std(nearer) / np.sqrt(12))


def discs(rng, count):
    """Pictures that vary in three ways only, so that near twins are common."""
    x, y = rng.uniform(4, 12, (2, count, 1, 1))
    radius = rng.uniform(2, 4, (count, 1, 1))
    rows, columns = np.mgrid[:16, :16]
    outside = np.hypot(rows - y, columns - x) - radius
    return np.clip(255 * (0.5 - outside), 0, 255).astype("uint8").reshape(count, -1)


@pytest.mark.parametrize(("train", "held_out"), [(1000, 1000), (3000, 500)])
def test_chance_twins_are_no_copies(train, held_out):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        trained, held = discs(rng, train), discs(rng, held_out)
        found = judged(discs(rng, 500), trained, held)
        assert found["memorised"] == 0, found
        copied = judged(trained[rng.integers(train, size=500)], trained, held)
        assert copied["memorised"] == 1, copied
        assert copied["copies"] > 0.7


def test_distances_to_the_nearest_images(digits):
    _, trained, held, others = cut(digits, 0, 120, 50)
    found = judged(others[:30], trained, held)
    for side, rows in (("train", trained), ("held_out", held)):
        between = distance.cdist(others[:30].astype(float), rows.astype(float)) / 8  # √64: RMS
        assert found[f"nearest_{side}"] == pytest.approx(between.min(axis=1).mean(), rel=1e-6)


# Streaming ------------------------------------------------------------------------------------


def _rows(seed, count=900, length=6, scale=1.0):
    """A third of the rows are there more than once."""
    rng = np.random.default_rng(seed)
    rows = scale * rng.normal(size=(count, length)) + seed / 10
    rows[: count // 3] = rows[rng.integers(count // 3, count, size=count // 3)]
    return rng.permutation(rows).astype("float32")


def _sides(*names, labels=False, **kwargs):
    def make():
        found = {}
        for seed, name in enumerate(names):
            rows = _rows(seed, **kwargs)
            column = np.random.default_rng(9 + seed).integers(3, size=len(rows))
            found[name] = (rows, column if labels else None)
        return found

    return make


def _modes():
    rng = np.random.default_rng(0)
    return {"fake": (rng.integers(-1, 5, 900), None), "real": (rng.integers(0, 6, 900), None)}


def _pictures():
    sides = _sides("real", "fake", "train", length=20, scale=40.0)()
    return {
        name: (np.clip(x + 100, 0, 255).astype("uint8"), None) for name, (x, _) in sides.items()
    }


STREAMED = {
    "frechet": (metrics.FrechetDistance, _sides("real", "fake")),
    "kernel": (lambda: metrics.KernelDistance(10, 200), _sides("real", "fake")),
    "kernel, a share": (lambda: metrics.KernelDistance(10, 50, 100), _sides("real", "fake")),
    "precision": (metrics.PrecisionRecall, _sides("real", "fake")),
    "precision, a share": (lambda: metrics.PrecisionRecall(keep=150), _sides("real", "fake")),
    "density": (metrics.DensityCoverage, _sides("real", "fake")),
    "density, a share": (lambda: metrics.DensityCoverage(keep=150), _sides("real", "fake")),
    "class score": (metrics.ClassScore, _sides("fake")),
    "class agreement": (metrics.ClassAgreement, _sides("fake", labels=True)),
    "within classes": (metrics.IntraClassFrechet, _sides("real", "fake", labels=True)),
    "modes": (lambda: metrics.ModeCoverage(6), _modes),
    "diversity": (metrics.Diversity, _sides("fake")),
    "diversity, a share": (lambda: metrics.Diversity(keep=100), _sides("fake")),
    "memorisation": (metrics.Memorisation, _pictures),
    "memorisation, a share": (lambda: metrics.Memorisation(keep=150), _pictures),
}


def batches_of(sides, size, order=None):
    """`(side, rows, labels)` batches of all sides."""
    for side, (rows, labels) in sides.items():
        order = np.arange(len(rows)) if order is None else order
        for start in range(0, len(rows), size):
            which = order[start : start + size]
            yield side, rows[which], None if labels is None else labels[which]


def fed(make, batches):
    metric = make()
    for side, rows, labels in batches:
        metric.update_state(**{side: rows}, labels=labels)
    return metric


@pytest.mark.parametrize("name", STREAMED)
def test_values_depend_on_neither_batches_nor_order_nor_shards(name):
    make, sides = STREAMED[name]
    sides = sides()
    expected = pytest.approx(fed(make, batches_of(sides, 900)).result(), rel=1e-6, abs=1e-9)
    order = np.random.default_rng(5).permutation(900)
    for size in (7, 64, 500):
        assert fed(make, batches_of(sides, size)).result() == expected
        assert fed(make, batches_of(sides, size, order)).result() == expected
    for count in (2, 5):
        shards = [
            fed(make, itertools.islice(batches_of(sides, 31, order), i, None, count))
            for i in range(count)
        ]
        kept = [pickle.dumps(shard.states) for shard in shards]
        for sequence in (shards, shards[::-1]):
            metric = make()
            metric.merge_state(sequence[:1])
            metric.merge_state(sequence[1:])
            assert metric.result() == expected
            assert metric.result() == expected  # which may be asked for again
        # The shards themselves are as they were, and go on counting.
        assert [pickle.dumps(shard.states) for shard in shards] == kept
        first, *others = shards
        first.merge_state(others)
        assert first.result() == expected
    assert set(metric.better) <= set(metric.result())


@pytest.mark.parametrize("name", STREAMED)
def test_reset_and_differing_values(name):
    make, sides = STREAMED[name]
    sides = sides()
    metric = fed(make, batches_of(sides, 900))
    first = metric.result()
    half = {side: (rows[:400], None if y is None else y[:400]) for side, (rows, y) in sides.items()}
    for side, rows, labels in batches_of(half, 400):
        metric.update_state(**{side: rows}, labels=labels)
    assert metric.result() != first  # what is seen later counts
    metric.reset_state()
    with pytest.raises(ValueError, match=r"needs at least \d+ rows of (real|fake)\. Received: 0"):
        metric.result()
    for side, rows, labels in batches_of(sides, 900):
        metric.update_state(**{side: rows}, labels=labels)
    assert metric.result() == first


@pytest.mark.parametrize("name", STREAMED)
def test_an_empty_batch_changes_nothing(name):
    make, sides = STREAMED[name]
    sides = sides()
    first = fed(make, batches_of(sides, 900)).result()
    nothing = [(side, rows[:0], y if y is None else y[:0]) for side, (rows, y) in sides.items()]
    metric = fed(make, [*nothing, *batches_of(sides, 900), *nothing])
    assert metric.result() == first


def test_distinct_keys_are_counted(rng):
    keys = keys_of(np.arange(50_000))
    few, many = Distinct(keep=1024), Distinct(keep=1024)
    for part in np.array_split(rng.permutation(np.repeat(keys[:900], 3)), 7):
        few.update(part)
    assert few.number == 900
    np.testing.assert_array_equal(np.sort(keys[:900])[:10], [few.first(r) for r in range(1, 11)])
    assert few.first(901) == 2**64 - 1
    for part in np.array_split(rng.permutation(np.repeat(keys, 2)), 30):
        many.update(part)
    # Four standard errors of an estimate from 1,024 of them.
    assert many.number == pytest.approx(50_000, rel=4 / 32)
    assert many.first(1024) == np.sort(keys)[1023]
    assert (keys <= many.first(20_000)).sum() == pytest.approx(20_000, rel=4 / 32)
    assert len(many.kept) == 1024


def test_a_share_of_rows():
    rows = _rows(0)
    state = Rows(keep=100)
    for part in np.array_split(rows, 9):
        state.update(part)
    kept = state.rows()
    assert state.count == 900 and len(kept) == 100
    assert set(map(bytes, kept)) <= set(map(bytes, rows))
    # Exactly those whose keys come first, as often as they came, as far as there is room.
    keys = keys_of(rows)
    first = np.unique(keys)[:100]
    assert set(keys_of(kept)) <= set(first)
    assert len(np.unique(kept, axis=0)) < 100 < np.isin(keys, first).sum()
    whole = Rows(keep=900)
    whole.update(rows)
    np.testing.assert_array_equal(np.sort(whole.rows(), axis=0), np.sort(rows, axis=0))


def test_a_share_of_rows_is_held_in_bounded_memory(rng):
    state = Rows(keep=100)
    for _ in range(50):
        state.update(rng.normal(size=(60, 4)))
    # Twice what is kept, and the last batch.
    assert sum(len(rows) for rows, *_ in state._pending) <= 200 + 60
    assert state.count == 3000


def test_rows_are_told_apart_by_keys_where_they_are_given(rng):
    rows = np.repeat(rng.normal(size=(1, 3)), 6, axis=0)
    given = Rows(keep=4)
    given.update(rows, keys=np.arange(6, dtype="uint64"))
    assert len(given.rows()) == 4
    metric = metrics.Diversity(keep=3)
    metric.update_state(
        fake=np.arange(12.0).reshape(6, 2), keys=np.arange(6)[::-1].astype("uint64")
    )
    metric.update_state(fake=np.arange(4.0).reshape(2, 2), keys=np.arange(7, 9).astype("uint64"))
    expected = distance.pdist(np.arange(6.0, 12).reshape(3, 2)).mean()  # keys 0, 1, 2
    assert metric.result()["diversity"] == pytest.approx(expected)


# Bad input ------------------------------------------------------------------------------------

ON_FEATURES = sorted(set(STREAMED) - {"modes", "memorisation, a share"} - {"memorisation"})


@pytest.mark.parametrize("name", ON_FEATURES)
def test_wrong_rows_are_refused_and_leave_no_trace(name):
    make, sides = STREAMED[name]
    sides = sides()
    metric = fed(make, batches_of(sides, 900))
    expected = metric.result()
    labels = np.zeros(8, int)
    good = sides["fake"][0][:8]
    spoilt = good.copy()
    spoilt[3, 1], spoilt[5, 0] = np.nan, np.inf
    for rows, message in [
        (spoilt, r"of fake contain NaN or infinity, first in row 3 of this batch \(2 of 8 rows\)"),
        (good[:, :5], "All rows must have the same length. Received 5 after 6"),
        (
            good[..., None],
            r"float arrays of shape \(n, length\).* fake: float32 of shape \(8, 6, 1",
        ),
        (good[:, 0], r"fake: float32 of shape \(8,\)"),
        (good.astype(int), "fake: int64 of shape.*`ganzoo.metrics.extractor"),
        (good.astype("uint8"), "fake: uint8 of shape"),
        (good.astype(complex), "fake: complex128 of shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            metric.update_state(fake=rows, labels=labels)
    if "real" in metric.sides and not metric.labelled:
        with pytest.raises(ValueError, match="of fake contain NaN"):
            metric.update_state(real=good, fake=spoilt)
    assert metric.result() == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(7, int), r"one label per row.*int64 of shape \(7,\) for 8 rows"),
        (np.eye(8, dtype=int), r"one label per row.*of shape \(8, 8\)"),
        (np.zeros(8), "a whole number. Received float64"),
        (["a"] * 8, "a whole number. Received <U1"),
    ],
)
def test_wrong_labels(labels, message, rng):
    for metric in (metrics.IntraClassFrechet(), metrics.ClassAgreement()):
        with pytest.raises(ValueError, match=message):
            metric.update_state(fake=rng.normal(size=(8, 3)), labels=labels)


def test_wrong_keys_and_columns_for_two_sides(rng):
    rows = rng.normal(size=(8, 3))
    metric = metrics.KernelDistance()
    with pytest.raises(ValueError, match=r"one key per row.*shape \(3,\) for 8 rows"):
        metric.update_state(real=rows, keys=np.arange(3, dtype="uint64"))
    for column in ({"labels": np.zeros(8, int)}, {"keys": np.arange(8, dtype="uint64")}):
        with pytest.raises(ValueError, match="pass one side per call"):
            metric.update_state(real=rows, fake=rows, **column)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([0, 8]), r"Mode numbers must lie in -1\.\.7.*Received fake: from 0 to 8"),
        (np.array([-2, 3]), "from -2 to 3"),
        (np.array([0.0, 1.0]), r"whole numbers of shape \(n,\)\. Received fake: float64"),
        (np.zeros((4, 2), int), r"of shape \(4, 2\)"),
    ],
)
def test_wrong_modes(rows, message):
    with pytest.raises(ValueError, match=message):
        metrics.ModeCoverage(8).update_state(fake=rows)


def test_without_strays_no_share_of_high_quality(rng):
    rows = rng.integers(0, 8, 100)
    sure, unsure = metrics.ModeCoverage(8, strays=False), metrics.ModeCoverage(8)
    for metric in (sure, unsure):
        metric.update_state(fake=rows)
    found = unsure.result()
    assert found.pop("high_quality") == 1.0
    assert sure.result() == found
    with pytest.raises(ValueError, match=r"lie in 0\.\.7"):
        sure.update_state(fake=np.array([-1]))


def test_wrong_rows_for_memorisation(digits):
    metric = metrics.Memorisation()
    metric.update_state(real=digits[:9], train=digits[9:20])
    for rows, message in [
        (digits[:5].astype(int), "fake: int64"),
        (digits[:5, :9], "the same length. Received 9 after 64"),
        (digits[:5, :9].astype(float), "the same length. Received 9 after 64"),
        (np.full((5, 64), np.nan), "NaN or infinity"),
        (digits[:5].reshape(-1, 8, 8), r"of shape \(5, 8, 8\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            metric.update_state(fake=rows)


def test_only_equal_metrics_merge(rng):
    for a, b in [
        (metrics.KernelDistance(subsets=10), metrics.KernelDistance(subsets=11)),
        (metrics.PrecisionRecall(k=3), metrics.PrecisionRecall(k=5)),
        (metrics.PrecisionRecall(k=5, keep=10_000), metrics.DensityCoverage(k=5)),
        (metrics.Memorisation(keep=10), metrics.Memorisation(keep=11)),
        (metrics.ModeCoverage(8), metrics.ModeCoverage(25)),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"same settings merge. Received {b!r}")):
            a.merge_state([b])
    short, long = metrics.FrechetDistance(), metrics.FrechetDistance()
    short.update_state(real=rng.normal(size=(9, 1)))
    long.update_state(real=rng.normal(size=(9, 4)))
    with pytest.raises(ValueError, match="the same length. Received 4 after 1"):
        short.merge_state([long])
    merged = metrics.FrechetDistance()
    merged.merge_state([short])
    with pytest.raises(ValueError, match="the same length. Received 4 after 1"):
        merged.update_state(fake=rng.normal(size=(9, 4)))


def test_too_few_rows(rng):
    rows = rng.normal(size=(3, 2))
    for metric, least in [
        (metrics.FrechetDistance(), 2),
        (metrics.KernelDistance(), 2),
        (metrics.PrecisionRecall(k=3), 4),
        (metrics.DensityCoverage(k=5), 6),
    ]:
        metric.update_state(real=np.tile(rows, (4, 1)), fake=rows[: least - 1])
        message = f"needs at least {least} rows of fake. Received: {min(3, least - 1)}"
        with pytest.raises(ValueError, match=message):
            metric.result()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.KernelDistance(subsets=0), "`subsets` must be at least 1"),
        (lambda: metrics.KernelDistance(subset_size=1), "`subset_size` must be at least 2"),
        (lambda: metrics.PrecisionRecall(k=0), "`k` must be at least 1"),
        (lambda: metrics.DensityCoverage(k=2.5), "`k` must be a whole number"),
        (lambda: metrics.Memorisation(keep=-1), "`keep` must be at least 1"),
        (lambda: metrics.ModeCoverage(0), "`modes` must be at least 1"),
        (lambda: metrics.Diversity(keep=1), "`keep` must be at least 2"),
    ],
)
def test_wrong_settings(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


# Extractors -----------------------------------------------------------------------------------


def stated_accuracy(extractor):
    """`(accuracy, pictures)` that the file of a shipped classifier states."""
    pattern = r"([\d.]+) on (\d+) \w+ of the test split"
    accuracy, count = re.fullmatch(pattern, extractor.about["test_accuracy"]).groups()
    return float(accuracy), int(count)


def check_accuracy(name, images, labels, least):
    extractor = metrics.extractor(name)
    accuracy, count = stated_accuracy(extractor)
    assert count == len(images)
    assert accuracy >= least
    found = (extractor(images)["logits"].argmax(axis=1) == labels).mean()
    assert found == pytest.approx(accuracy, abs=1e-3)


def test_accuracy_of_the_digits_classifier():
    ds = datasets.load("digits", split="test", labels=True, batch_size=299)
    images, labels = map(np.asarray, next(iter(ds)))
    check_accuracy("digits", images, labels, 0.9)


@pytest.mark.parametrize(("name", "least"), [("mnist", 0.98), ("fashion_mnist", 0.88)])
def test_accuracy_of_the_other_classifiers(name, least, real_data):
    folder = real_data / name.replace("_", "-")
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), "uint8", offset=8)
    check_accuracy(name, images, labels, least)


@pytest.mark.parametrize("name", [*shipped(), "pixels"])
def test_what_is_said_of_an_image_does_not_depend_on_the_others(name, rng):
    images = rng.integers(0, 256, (BATCH + 3, 18, 20, 1), dtype="uint8")
    if name in SOUNDS:
        images = rng.integers(-(2**15), 2**15, (BATCH + 3, 700, 1), dtype="int16")
    extractor = metrics.extractor(name)
    whole = extractor(images)
    for which in (slice(1), slice(-1, None), slice(5, 9), slice(None, None, -1)):
        for key, rows in extractor(images[which]).items():
            np.testing.assert_array_equal(rows, whole[key][which])


def test_shipped_classifiers(rng):
    assert {"digits", "mnist", "fashion_mnist"} <= set(shipped())
    images = rng.integers(0, 256, (3, 30, 25, 1), dtype="uint8")
    for name in sorted({*shipped()} - {*SOUNDS}):
        extractor = metrics.extractor(name)
        assert extractor.name == f"{name}-classifier-v1"
        assert re.fullmatch("[0-9a-f]{64}", extractor.hash)
        rows = extractor(images)
        assert {k: (x.shape, x.dtype.kind) for k, x in rows.items()} == {
            "features": ((3, 64), "f"),
            "logits": ((3, 10), "f"),
            "modes": ((3,), "i"),
        }
        np.testing.assert_array_equal(rows["modes"], rows["logits"].argmax(axis=1))
    stacked = metrics.extractor("stacked_mnist")(np.repeat(images, 3, axis=3))
    one = metrics.extractor("mnist")(images)
    np.testing.assert_array_equal(stacked["modes"], 111 * one["modes"])
    np.testing.assert_array_equal(stacked["features"], np.tile(one["features"], 3))


def test_what_a_user_has_set_for_keras_changes_no_score(rng):
    images = rng.integers(0, 256, (4, 16, 16, 1), dtype="uint8")
    expected = metrics.extractor("digits")(images)["logits"]
    policy, layout = keras.config.dtype_policy(), keras.config.image_data_format()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        keras.config.set_image_data_format("channels_first")
        found = metrics.extractor("digits")(images)["logits"]
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(layout)
    np.testing.assert_array_equal(found, expected)


def test_pixels_and_functions_as_extractors():
    images = np.zeros((2, 32, 64, 3), "uint8")
    images[0, :16, :32] = 255
    found = metrics.extractor("pixels")(images)["features"].reshape(2, 16, 16, 3)
    expected = np.zeros((2, 16, 16, 3))
    expected[0, :8, :8] = 1
    np.testing.assert_array_equal(found, expected)

    def brightness(images):
        return images.mean(axis=(1, 2))

    extractor = metrics.extractor(brightness)
    assert extractor.name == "brightness" and metrics.extractor(extractor) is extractor
    np.testing.assert_allclose(extractor(images)["features"], [[63.75] * 3, [0] * 3])
    for wrong in (lambda x: x.mean(), lambda x: x[:1, 0, 0], lambda x: [["a"]] * len(x)):
        with pytest.raises(ValueError, match=r"must return \(n, d\) numbers for n images"):
            metrics.extractor(wrong)(images)


def test_wrong_extractors():
    with pytest.raises(ValueError, match="Unknown extractor: 'mnits'. Did you mean 'mnist'"):
        metrics.extractor("mnits")
    with pytest.raises(TypeError, match="a name, or a function.*Received: int"):
        metrics.extractor(3)
    grey, colour = np.zeros((2, 8, 8, 1), "uint8"), np.zeros((2, 8, 8, 3), "uint8")
    for name, images, message in [
        ("digits", colour, r"digits-classifier-v1 takes grey images.*\(2, 8, 8, 3\).*'pixels'"),
        ("digits", grey / 255, "uint8.*Received float64"),
        ("digits", grey[0], r"of shape \(8, 8, 1\)"),
        ("stacked_mnist", grey, r"three digits.*\(2, 8, 8, 1\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            metrics.extractor(name)(images)
