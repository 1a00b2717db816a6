"""`ganzoo.evaluate`: what a sheet says, what made it, and what is refused; scores in training."""

import functools
import gzip
import json
import re
import tracemalloc
import types

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import callbacks
from ganzoo import datasets
from ganzoo import evaluation
from ganzoo import extractors
from ganzoo import metrics
from ganzoo.datasets import stacked_mnist
from ganzoo.datasets.source import Arrays
from ganzoo.evaluation import Evaluator
from ganzoo.evaluation import Score
from ganzoo.evaluation import ScoreSheet
from ganzoo.metrics.states import keys_of

KERNEL = metrics.KernelDistance(subsets=5, subset_size=50)
UNLABELLED = (
    "frechet",
    KERNEL,
    "precision_recall",
    "density_coverage",
    "class_score",
    "modes",
    "diversity",
    "memorisation",
)
LABELLED = (*UNLABELLED, "class_agreement", "intra_class_frechet")
QUICK = {"samples": 200, "repeats": 2}
ONE = "digits-classifier-v1"


@functools.cache
def eyes():
    """The extractor of digits, made once."""
    return metrics.extractor("digits")


def arrays(split):
    count = {"train": 1498, "test": 299}[split]
    ds = datasets.load("digits", split=split, labels=True, batch_size=count, shuffle=False)
    return tuple(map(np.asarray, next(iter(ds))))


@pytest.fixture(scope="module")
def train():
    return arrays("train")


@pytest.fixture(scope="module")
def test():
    return arrays("test")


def tiny(name="dcgan", seed=0, **config):
    """An untrained model of digits: its samples are bad, and all that is asked of them here."""
    config = {"image_shape": (8, 8, 1), "latent_dim": 6, "seed": seed, **config}
    return ganzoo.get(name, **({} if name == "vanilla" else {"channels": 4}), **config)


@pytest.fixture(scope="module")
def dcgan():
    return tiny()


@pytest.fixture(scope="module")
def cgan():
    return tiny("cgan", num_classes=10)


class Oracle:
    """A conditional model that shows real pictures of the classes that it is asked for."""

    num_classes = 10
    image_shape = (8, 8, 1)
    sampling_network = "generator"
    sampler = generator = types.SimpleNamespace(get_weights=lambda: [np.arange(3.0)])

    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        self.asked = []

    def generate_batches(self, n, *, labels, seed, truncation, batch_size):
        assert len(labels) == n and truncation is None
        self.asked.append(labels)
        rng = np.random.default_rng(seed)
        for start in range(0, n, batch_size):
            part = labels[start : start + batch_size]
            which = [rng.choice(np.flatnonzero(self.labels == label)) for label in part]
            yield self.images[which]


def values(sheet):
    return {name: score.value for name, score in sheet.scores.items()}


def floors(sheet):
    return {name: score.floor for name, score in sheet.scores.items()}


def same(sheet, other, rel=1e-6):
    """Scores equal up to rounding, passports exactly."""
    for of in (values, floors):
        assert of(sheet) == pytest.approx(of(other), rel=rel, abs=1e-9)
    assert sheet.passport == other.passport
    assert sheet.notes == other.notes


# What is measured -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sheet(cgan):
    return ganzoo.evaluate(cgan, "digits", metrics=LABELLED, **QUICK)


def test_the_passport_says_what_made_the_scores(sheet, cgan, test):
    passport = sheet.passport
    weights = evaluation.weights_hash(cgan.sampler)
    extractor = metrics.extractor("digits")
    expected = {
        "model": "cgan",
        "weights_sha256": weights,
        "extractor": ONE,
        "extractor_sha256": extractor.hash,
        "resize": extractor.resize,
        "samples": 200,
        "repeats": 2,
        "seed": 0,
        "truncation": None,
    }
    assert {key: passport[key] for key in expected} == expected
    data = passport["data"]
    assert (data["source"], data["split"], data["count"]) == ("digits", "test", 299)
    assert re.fullmatch("[0-9a-f]{16}", data["fingerprint"])
    assert passport["train"]["count"] == 1498
    assert passport["train"]["fingerprint"] != data["fingerprint"]
    assert passport["versions"]["ganzoo"] == ganzoo.__version__
    assert passport["versions"]["backend"] == keras.backend.backend()
    assert set(passport["versions"]) >= {"keras", "numpy", "pillow"}
    of_kernel = sheet.passport_of("kernel")
    assert of_kernel["metric"] == KERNEL.settings() and of_kernel["samples"] == 200
    # The hash is of the weights, and of nothing else.
    other = tiny("cgan", num_classes=10, seed=1)
    assert evaluation.weights_hash(other.sampler) != weights
    other.set_weights(cgan.get_weights())
    assert evaluation.weights_hash(other.sampler) == weights


def test_every_score_has_a_name_a_floor_and_a_direction(sheet):
    names = [name.partition("[")[0] for name in sheet.scores]
    assert {
        *("frechet", "kernel", "precision", "recall", "density", "coverage", "class_score"),
        *("class_agreement", "intra_class_frechet", "intra_class_frechet_worst", "modes"),
        *("modes_kl", "diversity", "memorised", "train_nearer", "copies"),
        *("nearest_train", "nearest_held_out"),
    } <= set(names)
    for name, score in sheet.scores.items():
        assert re.fullmatch(rf"\w+\[({ONE}|pixels)\]", name)
        assert score.error >= 0 and np.isfinite(score.value) and np.isfinite(score.floor)
        assert sheet[name] is score is sheet[name.partition("[")[0]]
    pixels = [name for name in sheet.scores if name.endswith("[pixels]")]
    assert len(pixels) == 5 and all("near" in n or "cop" in n or "memor" in n for n in pixels)
    better = {name: score.better for name, score in zip(names, sheet.scores.values())}
    for name in ("frechet", "kernel", "modes_kl", "intra_class_frechet", "memorised"):
        assert better[name] == "lower"
        assert sheet[name].floor <= sheet[name].value  # the model is untrained
    for name in ("precision", "coverage", "class_score", "class_agreement", "diversity", "modes"):
        assert better[name] == "higher"
        assert sheet[name].floor > sheet[name].value
    assert sheet["class_agreement"].floor > 0.9
    text = str(sheet)
    assert all(name in text for name in sheet.scores)
    assert "200 samples × 2 (seed 0) against 299 of digits, test" in text
    assert "200 training images in place of the samples" in text
    with pytest.raises(KeyError, match="Unknown score: 'frechett'. Did you mean 'frechet"):
        sheet["frechett"]


def test_every_printed_score_belongs_to_one_metric(sheet, test):
    """What a sheet prints is what `metrics` takes, and nothing else is promised."""
    printed = {name.partition("[")[0] for name in sheet.scores}
    ring = Evaluator("ring", metrics="high_quality", samples=80, repeats=1)
    points = np.random.default_rng(0).normal(size=(80, 2)).astype("float32")
    printed |= {name.partition("[")[0] for name in ring.judge(points).scores}
    assert printed == set(evaluation.METRIC_OF)
    told = [score for metric in evaluation.METRICS.values() for score in metric.scores]
    assert len(told) == len(set(told))
    for metric in evaluation.METRICS.values():
        assert set(metric.better) <= set(metric.scores)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("recall", {"precision", "recall"}),
        (["coverage", "density"], {"density", "coverage"}),
        ([f"diversity[{ONE}]", "diversity"], {"diversity"}),
        (["kernel_std"], {"kernel", "kernel_std"}),
        (("frechet", "precision", metrics.DensityCoverage(2)), {"frechet", "precision", "recall"}),
    ],
    ids=lambda x: "" if isinstance(x, set) else str(x),  # a set has no order
)
def test_a_score_asks_for_its_metric(asked, given, dcgan, test):
    sheet = ganzoo.evaluate(
        dcgan, test[0], extractor=eyes(), metrics=asked, samples=1100, repeats=1
    )
    found = {name.partition("[")[0] for name in sheet.scores}
    own = {"density", "coverage"} if isinstance(asked, tuple) else set()
    assert found == given | own
    assert all(name.endswith(f"[{ONE}]") for name in sheet.scores)


def test_scores_of_pixels_are_asked_for_as_they_are_printed(dcgan, train, test):
    sheets = [
        ganzoo.evaluate(
            dcgan, test[0], train=train[0], extractor=eyes(), metrics=asked, samples=60, repeats=1
        )
        for asked in ("copies", ["nearest_train[pixels]"], "memorisation", ["memorised"])
    ]
    (first, *others) = map(values, sheets)
    assert all(other == pytest.approx(first) for other in others) and "copies[pixels]" in first


@pytest.mark.parametrize(
    ("name", "labelled"), [("dcgan", False), ("cgan", True)], ids=lambda x: str(x)
)
def test_metrics_that_apply_by_themselves(name, labelled, request):
    model = request.getfixturevalue(name)
    sheet = ganzoo.evaluate(model, "digits", samples=60, repeats=1)
    found = {name.partition("[")[0] for name in sheet.scores}
    assert {"frechet", "kernel", "precision", "density", "diversity", "memorised"} <= found
    assert ("class_agreement" in found) is ("intra_class_frechet" in found) is labelled
    assert all(score.error is None for score in sheet.scores.values())


def test_points_have_modes():
    model = ganzoo.get("vanilla", image_shape=(2,), seed=0)
    wanted = ("frechet", "modes", "diversity")
    evaluator = Evaluator("ring", metrics=wanted, samples=2500, repeats=1, batch_size=5000)
    sheet = evaluator.judge(model)
    assert sheet["modes"].value <= sheet["modes"].floor == 8
    assert sheet["high_quality"].value < 0.1
    # A perfect sampler: 98.9 %, four standard errors of 2,500.
    assert sheet["high_quality"].floor == pytest.approx(0.989, abs=0.0085)
    assert "frechet[points]" in sheet.scores and sheet.passport["data"]["count"] == 100_000
    points = datasets.load("ring", split="test", batch_size=2500)
    perfect = evaluator.judge(np.asarray(next(iter(points))))
    assert perfect["modes"].value == 8
    # Points of a user's own have no modes.
    own = np.random.default_rng(0).normal(size=(60, 3))
    sheet = ganzoo.evaluate(own[:30], own[30:])
    assert sheet.passport["extractor"] == "points"
    assert "diversity[points]" in sheet.scores and "modes[points]" not in sheet.scores


def test_sets_of_samples_give_mean_and_error(dcgan):
    def evaluate(**kwargs):
        return values(
            ganzoo.evaluate(
                dcgan, "digits", extractor=eyes(), metrics=UNLABELLED, samples=100, **kwargs
            )
        )

    singles = [evaluate(seed=seed, repeats=1) for seed in (5, 6, 7)]
    sheet = ganzoo.evaluate(
        dcgan, "digits", extractor=eyes(), metrics=UNLABELLED, samples=100, seed=5, repeats=3
    )
    for name, score in sheet.scores.items():
        single = [found[name] for found in singles]
        assert score.value == pytest.approx(np.mean(single), rel=1e-12)
        assert score.error == pytest.approx(np.std(single, ddof=1), rel=1e-6, abs=1e-9)
    assert len({found[f"frechet[{ONE}]"] for found in singles}) == 3


def test_labels_are_asked_for_as_the_data_has_them(train, test):
    oracle = Oracle(*train)
    which = np.flatnonzero(test[1] < 3)[:60]
    held_out = test[0][which], test[1][which]
    evaluator = Evaluator(
        held_out, extractor=eyes(), metrics=("class_agreement", "modes"), samples=120, repeats=2
    )
    sheet = evaluator.judge(oracle)
    for asked in oracle.asked:
        np.testing.assert_array_equal(np.bincount(asked), 2 * np.bincount(held_out[1]))
    assert (oracle.asked[0] != oracle.asked[1]).any()
    # Training pictures, of which the classifier has learned all but a few.
    assert sheet["class_agreement"].value > 0.97
    assert sheet["modes"].value == 3
    # Asked for the wrong ones, it agrees with none.
    sheet = evaluator.judge(Oracle(train[0], (train[1] + 1) % 10))
    assert sheet["class_agreement"].value < 0.03
    # Without labels in the data, all classes in turn.
    Evaluator(held_out[0], extractor=eyes(), metrics="modes", samples=120, repeats=1).judge(oracle)
    np.testing.assert_array_equal(oracle.asked[-1], np.arange(120) % 10)


def test_judges_outside_see_the_samples_that_were_scored(train, test, tmp_path):
    images, labels = test
    few = np.flatnonzero((labels == 3) | (np.arange(len(labels)) < 40))  # not all classes alike
    oracle = Oracle(*train)
    evaluator = Evaluator(
        (images[few], labels[few]), extractor=eyes(), metrics="frechet", samples=90, repeats=1
    )
    evaluator.judge(oracle)
    evaluator.export(oracle, tmp_path)
    scored, exported = oracle.asked
    np.testing.assert_array_equal(exported, scored)
    assert (scored == 3).mean() > 0.3
    evaluator.save_nearest(oracle, tmp_path / "nearest.png")
    np.testing.assert_array_equal(oracle.asked[-1], scored)


def test_equal_samples_count_one_by_one(train, test):
    """Beyond `keep` too, where a share of the samples stands for all."""
    collapsed = np.concatenate([train[0][:500], np.repeat(train[0][:1], 500, axis=0)])
    everything = metrics.Diversity(keep=1000)
    everything.update_state(fake=eyes()(collapsed)["features"])
    evaluator = Evaluator(test[0], extractor=eyes(), metrics=metrics.Diversity(keep=300))
    # 300 of 1,000: the mean over pairs is known to within a few per cent. If all 500 were kept or
    # dropped together, it would be wrong by a third.
    true = everything.result()["diversity"]
    assert evaluator.judge(collapsed)["diversity"].value == pytest.approx(true, rel=0.08)


def test_memory_does_not_grow_with_the_number_of_samples(dcgan, test):
    def peak(samples):
        rng = np.random.default_rng(0)
        mean = lambda images: images.reshape(len(images), -1).mean(axis=1, keepdims=True)
        data = (rng.integers(0, 256, (250, 8, 8, 1), "uint8") for _ in range(samples // 250))
        settings = {"extractor": mean, "metrics": ("frechet", metrics.Diversity(keep=200))}
        evaluator = Evaluator(data, samples=samples, repeats=1, batch_size=250, **settings)
        tracemalloc.start()
        evaluator.judge(dcgan)
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    peak(1000)  # compiles
    # What is kept of each picture to tell how many were distinct is bounded too, at 0.5 MB a side.
    assert peak(16_000) < peak(2000) + 1.5e6


def test_extractors_see_many_images_at_once(test, train):
    """A network made for 256 at a time would do four times the work for data in batches of 64."""
    seen = []

    def watching(images):
        seen.append(len(images))
        return images.reshape(len(images), -1)[:, :3]

    data = [(images,) for images in np.split(train[0][:1000], 20)]
    Evaluator(data, extractor=watching, metrics="diversity").judge(test[0])
    assert seen[:4] == [256, 256, 256, 232]


def test_a_model_that_replays_its_training_images_is_flagged(train, test):
    wanted = ("memorisation", "frechet")
    evaluator = Evaluator("digits", extractor=eyes(), metrics=wanted, samples=300, repeats=1)
    sheet = evaluator.judge(Oracle(*train))
    assert sheet["memorised"].value == 1 and sheet["copies"].value > 0.9
    assert sheet["memorised"].floor == 0
    # Held-out pictures are what an honest model would make at best.
    half = len(test[0]) // 2
    evaluator = Evaluator(
        test[0][:half], train=train[0], extractor=eyes(), metrics=wanted, samples=300
    )
    assert evaluator.judge(test[0][half:])["memorised"].value == 0


def test_progress(dcgan):
    seen = []
    evaluator = Evaluator(
        "digits", extractor=eyes(), metrics="diversity", samples=600, repeats=2, batch_size=64
    )
    evaluator.judge(dcgan, progress=seen.append)
    # As many at a time as an extractor looks at together.
    assert seen == [256, 512, 600, 856, 1112, 1200]


# The same again -------------------------------------------------------------------------------


def test_one_seed_one_sheet(sheet, cgan):
    again = ganzoo.evaluate(cgan, "digits", extractor=eyes(), metrics=LABELLED, **QUICK)
    assert again.to_dict() == sheet.to_dict()
    other = ganzoo.evaluate(cgan, "digits", extractor=eyes(), metrics=LABELLED, seed=7, **QUICK)
    assert other[f"frechet[{ONE}]"] != sheet[f"frechet[{ONE}]"]
    assert floors(other) == floors(sheet)


def test_batch_sizes_change_nothing(sheet, cgan):
    for batch_size in (60, 1000):
        other = ganzoo.evaluate(
            cgan, "digits", extractor=eyes(), metrics=LABELLED, batch_size=batch_size, **QUICK
        )
        same(other, sheet)


def test_the_order_of_the_data_changes_nothing(cgan, train, test):
    """A data set that was trained on comes in another order in every epoch."""
    shuffled = {
        split: datasets.load(pair, labels=True, batch_size=size)
        for split, pair, size in (("train", train, 130), ("test", test, 70))
    }

    def evaluate(data, train):
        return ganzoo.evaluate(cgan, data, train=train, extractor=eyes(), metrics=LABELLED, **QUICK)

    first = evaluate(shuffled["test"], shuffled["train"])
    same(evaluate(shuffled["test"], shuffled["train"]), first)
    # As arrays they are the same pictures, though nobody knows whose.
    plain = evaluate(test, train)
    for of in (values, floors):
        assert of(plain) == pytest.approx(of(first), rel=1e-6, abs=1e-9)
    assert plain.passport["data"]["fingerprint"] == first.passport["data"]["fingerprint"]


def test_models_may_share_an_evaluator(dcgan):
    other = tiny(seed=1)
    evaluator = Evaluator("digits", extractor=eyes(), metrics=UNLABELLED, **QUICK)
    sheets = [evaluator.judge(model).to_dict() for model in (dcgan, other, dcgan)]
    assert sheets[0] == sheets[2] != sheets[1]
    for model, found in zip((dcgan, other), sheets):
        assert (
            ganzoo.evaluate(
                model, "digits", extractor=eyes(), metrics=UNLABELLED, **QUICK
            ).to_dict()
            == found
        )


def test_floats_and_integers_are_the_same_images(test, train):
    images, labels = test
    floats = (images / 127.5 - 1).astype("float32")
    kwargs = {"extractor": eyes(), "metrics": LABELLED}
    expected = ganzoo.evaluate((train[0][:250], train[1][:250]), test, train=train, **kwargs)
    half_floats = (train[0][:250] / 127.5 - 1).astype("float32")
    found = ganzoo.evaluate((half_floats, train[1][:250]), (floats, labels), train=train, **kwargs)
    assert found.to_dict() == expected.to_dict()


class Batches(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return -(-len(self.images) // 50)

    def __getitem__(self, i):
        return self.images[50 * i : 50 * (i + 1)]


def test_kinds_of_data(test):
    images, labels = test
    kwargs = {"extractor": eyes(), "metrics": ("frechet", "precision_recall")}
    expected = ganzoo.evaluate(images[:90], images, **kwargs)
    for data in (
        test,
        datasets.load(images, batch_size=40),
        datasets.load(test, labels=True, batch_size=40),
        Batches(images),
        [images[:100], images[100:100], images[100:]],  # one batch is empty
        (part for part in np.array_split(images, 3)),
        [(images[:100], labels[:100]), (images[100:], labels[100:])],
    ):
        same_scores = ganzoo.evaluate(images[:90], data, **kwargs)
        assert values(same_scores) == pytest.approx(values(expected), rel=1e-6)
        fingerprint = same_scores.passport["data"]["fingerprint"]
        assert fingerprint == expected.passport["data"]["fingerprint"]
    samples = ganzoo.evaluate(datasets.load(images[:90]), images, **kwargs)
    assert values(samples) == pytest.approx(values(expected), rel=1e-6)


# Floors ---------------------------------------------------------------------------------------


def test_the_floor_is_the_score_of_training_images(train, test):
    wanted = tuple(m for m in LABELLED if m != "memorisation")
    evaluator = Evaluator(test, train=train, extractor=eyes(), metrics=wanted, samples=5000)
    # What is drawn by chance from samples is drawn by their numbers, not by what they show.
    drawn = ("kernel", "class_score_std")
    without = lambda scores: {k: x for k, x in scores.items() if not k.startswith(drawn)}
    sheet = evaluator.judge(train)  # there are no more than 1,498 of them
    assert without(floors(sheet)) == pytest.approx(without(values(sheet)), rel=1e-6, abs=1e-9)
    assert sheet.passport["floor"].startswith("1,498 training images")
    assert "somewhat too large" in sheet.passport["floor"]
    # As many as there are samples, if there are enough.
    few = Evaluator(test, train=train, extractor=eyes(), metrics=wanted, samples=150)
    taken = np.argsort(keys_of(train[0]))[:150]
    sheet = few.judge((train[0][taken], train[1][taken]))
    assert without(floors(sheet)) == pytest.approx(without(values(sheet)), rel=1e-6, abs=1e-9)
    assert sheet.passport["floor"] == "150 training images in place of the samples"


def test_without_training_images_halves_of_the_data_give_the_floor(dcgan, test):
    images, _ = test
    wanted = ("frechet", "precision_recall")
    sheet = ganzoo.evaluate(dcgan, images, extractor=eyes(), metrics=wanted, **QUICK)
    even = keys_of(images) % 2 == 0
    assert 100 < even.sum() < 200
    features = metrics.extractor("digits")(images)["features"]
    by_hand = metrics.FrechetDistance(), metrics.PrecisionRecall()
    for metric in by_hand:
        metric.update_state(real=features[even], fake=features[~even])
        for name, value in metric.result().items():
            assert sheet[name].floor == pytest.approx(value, rel=1e-6)
    assert sheet.passport["train"] is None
    assert sheet.passport["floor"] == "one half of the data against the other"
    assert "memorised[pixels]" not in sheet.scores


def test_training_images_without_labels_still_give_the_other_floors(train, test):
    sheet = ganzoo.evaluate(test, test, train=train[0], extractor=eyes(), metrics=LABELLED)
    assert sheet["intra_class_frechet"].floor is None
    assert sheet["class_agreement"].floor is None
    assert sheet["frechet"].floor > 0


# Sheets ---------------------------------------------------------------------------------------


def test_a_sheet_survives_its_file(sheet, tmp_path):
    path = sheet.save(tmp_path / "a" / "b.json")
    again = ScoreSheet.load(path)
    assert again == sheet and str(again) == str(sheet)
    json.loads(path.read_text(), parse_constant=pytest.fail)  # no Infinity or NaN, which JSON lacks
    for text in ("", "[]", "{}", '{"scores": {"a": {"b": 1}}, "passport": {}, "notes": []}'):
        (tmp_path / "damaged.json").write_text(text)
        with pytest.raises(ValueError, match=r"damaged\.json' is not a score sheet of ganzoo"):
            ScoreSheet.load(tmp_path / "damaged.json")


def test_sheets_made_in_one_way_compare(test, train):
    evaluator = Evaluator(test, train=train, extractor=eyes(), metrics=UNLABELLED, **QUICK)
    sheets = [evaluator.judge(tiny(seed=seed)) for seed in (0, 1)]
    lines = sheets[0].compare(sheets[1]).splitlines()
    titles = [f"dcgan ({s.passport['weights_sha256'][:8]})" for s in sheets]
    assert re.fullmatch(rf"score +{re.escape(titles[0])} +{re.escape(titles[1])} +better", lines[0])
    assert len(lines) == 1 + len(sheets[0].scores)
    for line, (name, score) in zip(lines[1:], sheets[0].scores.items()):
        assert line.startswith(name) and f"{score.value:.4g} ± {score.error:.2g}" in line
        assert f"{sheets[1].scores[name].value:.4g} ± " in line
    # Neither another seed nor more sets of samples make another measurement.
    other = Evaluator(
        test, train=train, extractor=eyes(), metrics=UNLABELLED, samples=200, repeats=1, seed=9
    )
    sheets[0].compare(other.judge(tiny()))


def test_sheets_that_do_not_match_are_refused_with_the_reason(dcgan, test, train):
    def made(data=test, model=dcgan, **kwargs):
        kwargs = {"extractor": eyes(), "metrics": ("frechet", KERNEL), **QUICK, **kwargs}
        return ganzoo.evaluate(model, data, **{"train": train, **kwargs})

    sheet = made()
    sheet.compare(made())
    for other, reason in [
        (made(extractor="pixels"), f"extractor: '{ONE}' and 'pixels-16'"),
        (made(samples=150), "samples: 200 and 150"),
        (made((test[0][1:], test[1][1:])), r"data: .*'count': 299.* and .*'count': 298"),
        (made((255 - test[0], test[1])), r"data: .*'fingerprint': "),
        (made(train=(train[0][1:], train[1][1:])), r"train: .*1498.* and .*1497"),
        (made(truncation=0.5), "truncation: None and 0.5"),
        (made(metrics=metrics.KernelDistance(5, 49)), rf"settings of kernel\[{ONE}\], kernel_std"),
    ]:
        for a, b in ((sheet, other), (other, sheet)):
            with pytest.raises(ValueError, match="not comparable.*in the same way"):
                a.compare(b)
        with pytest.raises(ValueError, match=reason):
            sheet.compare(other)
    # The same images from another folder are the same data.
    moved = {**sheet.passport["data"], "source": "/elsewhere/images"}
    sheet.compare(ScoreSheet(sheet.scores, {**sheet.passport, "data": moved}))
    unknown = {"source": "a", "split": "held out"}  # where no fingerprint tells
    first, second = (
        ScoreSheet({}, {**sheet.passport, "data": {**unknown, "source": source}})
        for source in ("a", "b")
    )
    with pytest.raises(ValueError, match="data: "):
        first.compare(second)
    # Other weights of the extractor under the same name.
    forged = ScoreSheet(sheet.scores, {**sheet.passport, "extractor_sha256": "0" * 64})
    with pytest.raises(ValueError, match="extractor_sha256"):
        sheet.compare(forged)


def test_functions_are_told_apart_by_what_they_say(test, train):
    def sheet(function):
        evaluator = Evaluator(test[0], extractor=function, metrics="diversity")
        return evaluator.judge(train[0][:100])

    first = sheet(lambda images: images[:, :3, 0, 0] / 255.0)
    assert "diversity" in first.compare(sheet(lambda pictures: pictures[:, :3, 0, 0] / 255.0))
    with pytest.raises(ValueError, match="extractor_sha256"):
        first.compare(sheet(lambda images: images[:, :3, 1, 0] / 255.0))


def test_a_fingerprint_does_not_depend_on_rounding():
    def centred(images, dtype):
        rows = images.reshape(len(images), -1).astype(dtype)
        rows -= rows.mean(axis=1, keepdims=True)
        return rows / rows.std(axis=1, keepdims=True)

    def of(function):
        return extractors.fingerprint(metrics.extractor(function), (8, 8, 1))

    first = of(lambda images: centred(images, "float32"))
    assert first == of(lambda images: centred(images, "float64"))
    assert first != of(lambda images: centred(images, "float64")[:, ::-1])
    assert first != of(lambda images: 2 * centred(images, "float64"))


def test_the_floor_counts_equal_images_one_by_one(train, test):
    doubled = np.concatenate([train[0], train[0]])
    evaluator = Evaluator(
        test[0], train=doubled, extractor=eyes(), metrics="diversity", samples=300
    )
    # Pairs come together, so that it may be one more.
    assert evaluator.judge(train[0])["diversity"].floor is not None
    count = int(evaluator._reference.floor.split()[0])
    assert count in (300, 301)


def test_an_infinite_score_survives_strict_json(sheet, tmp_path):
    endless = ScoreSheet({"a[b]": Score(float("inf"), 0.5, None, "lower")}, sheet.passport)
    text = endless.save(tmp_path / "s.json").read_text()

    def refuse(constant):
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)
    assert ScoreSheet.load(tmp_path / "s.json") == endless


def test_notes(test, train):
    images = np.repeat(train[0][:4], 25, axis=0)
    sheet = ganzoo.evaluate(images, test[0], extractor=eyes(), metrics=("frechet", "diversity"))
    assert sheet.notes == ("only 4 of 100 samples are distinct images",)
    sheet = ganzoo.evaluate(train[0][:50], test[0], extractor=eyes(), metrics="frechet")
    assert len(sheet.notes) == 1
    assert re.search("frechet: 50 rows for features of length 64.*at least 65", sheet.notes[0])
    assert f"Note: {sheet.notes[0]}" in str(sheet)
    sheet = ganzoo.evaluate(train[0][:150], test[0], extractor=eyes(), metrics="frechet")
    assert sheet.notes == ()
    # What was asked for and cannot be had is said.
    asked = ("class_agreement", "diversity")
    sheet = ganzoo.evaluate(train[0][:150], test, extractor=eyes(), metrics=asked)
    assert sheet.notes == ("class_agreement is left out: no labels were requested",)
    assert set(sheet.scores) == {f"diversity[{ONE}]"}


# Extractors -----------------------------------------------------------------------------------


def brightness(images):
    return images.mean(axis=(1, 2))


def test_a_function_as_extractor(dcgan, test):
    sheet = ganzoo.evaluate(dcgan, test[0], extractor=brightness, **QUICK)
    assert "frechet[brightness]" in sheet.scores
    assert "class_score[brightness]" not in sheet.scores
    assert sheet.passport["extractor"] == "brightness"
    made = np.concatenate([dcgan.generate(200, seed=seed) for seed in (0, 1)])
    real = brightness(test[0])[:, 0]
    found = [
        (real.mean() - x.mean()) ** 2 + (real.std(ddof=1) - x.std(ddof=1)) ** 2
        for x in (brightness(made[:200])[:, 0], brightness(made[200:])[:, 0])
    ]
    # One dimension: (Δμ)² + (Δσ)²; the features are float32.
    assert sheet["frechet"].value == pytest.approx(np.mean(found), rel=1e-5)


def test_an_extractor_of_ones_own(dcgan, test):
    class Corners:
        name, hash, resize, classes = "corners", "abc", "none", None

        def __call__(self, images):
            return {"features": images[:, ::7, ::7, 0].reshape(-1, 4).astype("float32")}

    sheet = ganzoo.evaluate(dcgan, test[0], extractor=Corners(), metrics="frechet", **QUICK)
    assert (sheet.passport["extractor"], sheet.passport["extractor_sha256"]) == ("corners", "abc")


# Stacked-MNIST --------------------------------------------------------------------------------


def mnist(real_data, kind):
    with gzip.open(real_data / "mnist" / f"{kind}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 28, 28, 1)
    with gzip.open(real_data / "mnist" / f"{kind}-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read(), "uint8", offset=8)


def test_stacked_mnist_is_made_of_three_digits(real_data):
    images, digits = mnist(real_data, "t10k")
    source = Arrays(images, digits.astype("int32"))
    found, labels = stacked_mnist.load(source, "test", labels=True).read(np.arange(300))
    assert found.shape == (300, 28, 28, 3) and found.dtype == np.uint8
    assert labels.dtype == np.int32 and 0 <= labels.min() and labels.max() <= 999
    by_picture = {image.tobytes(): digit for image, digit in zip(images, digits)}
    for picture, label in zip(found, labels):
        colours = [by_picture[picture[..., i].tobytes()] for i in range(3)]
        assert label == int("".join(map(str, colours)))
    extractor = metrics.extractor("stacked_mnist")
    modes = extractor(found)["modes"]
    # Right only if all three digits are: the cube of the classifier's accuracy, four errors.
    accuracy = float(extractor.digit.about["test_accuracy"].split()[0]) ** 3
    error = np.sqrt(accuracy * (1 - accuracy) / 300)
    assert (modes == labels).mean() == pytest.approx(accuracy, abs=4 * error)
    train = stacked_mnist.load(source, "train", labels=False)
    assert (len(stacked_mnist.load(source, "test", labels=False)), len(train)) == (26_000, 128_000)
    assert not set(map(tuple, train.triples[:1000])) & set(map(tuple, source_triples(source)))


def source_triples(source):
    return stacked_mnist.load(source, "test", labels=False).triples


@pytest.mark.slow
def test_real_triples_have_all_modes(real_data, tmp_path):
    """PacGAN's protocol on real pictures: 26,000 of them, 1,000 modes."""
    tfds = pytest.importorskip("tensorflow_datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
        load = {"data_dir": real_data / "mnist", "batch_size": 1000, "shuffle": False}
        test = datasets.load("stacked_mnist", split="test", **load)
        train = datasets.load("stacked_mnist", split="train", labels=True, **load)
        images, labels = (
            np.concatenate([np.asarray(part) for part in parts])
            for parts in zip(*(batch for batch, _ in zip(train, range(26))))
        )
    assert len(images) == 26_000
    evaluator = Evaluator(test, metrics=("modes", "diversity"))
    sheet = evaluator.judge(images)
    print(sheet)
    assert sheet.passport["extractor"] == "stacked-mnist-classifier-v1"
    assert sheet["modes"].value >= 995
    # Both shares are of 26,000 draws over 1,000 modes: each adds 999 / (2 · 26,000).
    assert sheet["modes_kl"].value == pytest.approx(999 / 26_000, rel=0.25)
    # One digit in each colour leaves one mode in ten thousand draws of it.
    ones = images[labels == 111]
    assert evaluator.judge(ones)["modes"].value <= 3


# Nearest pictures -----------------------------------------------------------------------------


def test_nearest_images(train, test, tmp_path):
    samples = np.concatenate([train[0][[3, 77]], 255 - test[0][:3]])
    found = evaluation.nearest_pictures(samples, datasets.load(train[0], batch_size=100))
    rows = [x.reshape(len(x), -1).astype(float) for x in (samples, train[0])]
    expected = ((rows[0][:, None] - rows[1][None]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found, train[0][expected])
    np.testing.assert_array_equal(found[:2], samples[:2])
    path = evaluation.save_nearest(samples, train[0], tmp_path / "sheet.png", held_out=test[0])
    assert path.stat().st_size > 0
    for data in ("digits", 3):
        with pytest.raises(TypeError, match="a data set, such as from `ganzoo.datasets.load`"):
            evaluation.nearest_pictures(samples, data)


# Bad input ------------------------------------------------------------------------------------


def test_samples_that_do_not_fit(test):
    images, _ = test
    evaluator = Evaluator(images, extractor=eyes(), metrics=("frechet", "diversity"))
    colour = np.repeat(images, 3, axis=3)
    for samples, message in [
        (images[:, :6], r"The samples have shape \(6, 8, 1\), the data \(8, 8, 1\).*image_size"),
        (images[..., 0], r"Received shape \(299, 8, 8\): add a channel axis.*\[\.\.\., None\]"),
        (images / 255.0 * 2, r"float in \[-1, 1\]\. Received float64 from 0 to 2"),
        (images.astype("int32"), "must be uint8 in 0..255 or float in .*Received int32"),
        (images.astype("float32"), "Received float32 from 0 to 255: scale them"),
        (np.full((5, 8, 8, 1), np.nan, "float32"), "5 of 5 images of a batch contain NaN"),
        (images[:0], "needs at least 2 rows of fake. Received: 0"),
        (images[:1], "needs at least 2 rows of fake. Received: 1"),
        (colour, f"{ONE} takes grey images.*or 'pixels'"),
    ]:
        with pytest.raises(ValueError, match=message):
            evaluator.judge(samples)
    assert evaluator.judge(images)["frechet"].value < 1e-9  # nothing is lost


def test_models_that_do_not_fit(test):
    wide = tiny(image_shape=(16, 16, 1))
    evaluator = Evaluator(test[0], extractor=eyes(), metrics="frechet", samples=20, repeats=1)
    with pytest.raises(ValueError, match=r"The samples have shape \(16, 16, 1\).*image_size"):
        evaluator.judge(wide)
    with pytest.raises(ValueError, match="has no networks yet"):
        evaluator.judge(ganzoo.get("dcgan"))
    # By name, the data comes at the model's size.
    sheet = ganzoo.evaluate(
        wide, "digits", extractor=eyes(), metrics="frechet", samples=100, repeats=1
    )
    assert sheet.passport["data"]["image_shape"] == [16, 16, 1]
    sheet = ganzoo.evaluate(wide.generate(100), "digits", extractor=eyes(), metrics="frechet")
    assert sheet.passport["data"]["image_shape"] == [16, 16, 1]


def test_a_game_that_makes_no_samples(test):
    class Autoencoder(ganzoo.Game):
        def default_optimizers(self):
            return {}

    def untouched(images):
        raise AssertionError("no picture should be looked at before the model is")

    evaluator = Evaluator(test[0], extractor=untouched)
    for model, message in [
        (
            Autoencoder(),
            "Autoencoder makes no samples: `evaluate` takes a trained GAN, an upscaler, a",
        ),
        (keras.Sequential(), "Sequential makes no samples"),
    ]:
        with pytest.raises(TypeError, match=message):
            evaluator.judge(model)
    for samples in (3, "samples.npz"):
        with pytest.raises(TypeError, match="Pass images as a data set.*Received: "):
            Evaluator(test[0], extractor=eyes()).judge(samples)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((0, 8, 8, 1), "uint8"), "`data` is empty"),
        ([], "`data` is empty"),
        (np.full((40, 8, 8, 1), 200.0), r"float in \[-1, 1\]"),
        (np.zeros((40, 8, 8, 3), "uint8"), "takes grey images"),
        (np.zeros((40, 8, 8), "uint8"), r"\[\.\.\., None\]"),
        (np.zeros((40, 64), "uint8"), r"\(height, width, channels\)"),
    ],
    ids=["no pictures", "no batches", "0..200", "colour", "no channels", "flat"],
)
def test_data_that_cannot_be_used(dcgan, data, message):
    with pytest.raises(ValueError, match=message):
        ganzoo.evaluate(dcgan, data, extractor=eyes(), **QUICK)


def test_training_data_that_cannot_be_used(dcgan, test, train):
    wanted = {"extractor": eyes(), "metrics": "memorisation", **QUICK}
    for data, message in [
        (train[0][:, :7], r"`train` has shape \(7, 8, 1\), the data \(8, 8, 1\)"),
        (train[0][:0], "`train` is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            ganzoo.evaluate(dcgan, test[0], train=data, **wanted)
    with pytest.raises(TypeError, match="`train` is read twice"):
        Evaluator(test[0], train=(part for part in [train[0]]), **wanted)
    # A name means its train split, as for `data`.
    named = ganzoo.evaluate(dcgan, test[0], train="digits", **wanted)
    assert named.passport["train"]["count"] == 1498


def test_labels_of_another_length(dcgan, test):
    images, labels = test
    with pytest.raises(ValueError, match="one label per row"):
        ganzoo.evaluate(
            tiny("cgan", num_classes=10), (images, labels[:-1]), extractor=eyes(), **QUICK
        )


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"metrics": ("frechett",)}, ValueError, "`metrics`: 'frechett'. Did you mean 'frechet'"),
        ({"metrics": "fid"}, ValueError, "`metrics`: 'fid'.*coverage.*memorisation.*recall"),
        ({"metrics": ["recal"]}, ValueError, "'recal'. Did you mean 'recall'"),
        ({"metrics": 3}, TypeError, "`metrics` is a name, a metric or a list .* Received: 3"),
        ({"metrics": [["recall"]]}, ValueError, r"in `metrics`: \['recall'\]"),
        ({"metrics": "recall[mnist-x]"}, ValueError, f"'{ONE}' measures 'recall': name"),
        ({"metrics": [f"copies[{ONE}]"]}, ValueError, "'pixels' measures 'copies'"),
        ({"metrics": ["frechet["]}, ValueError, "name 'frechet', or pass another `extractor`"),
        (
            {"metrics": ("precision", metrics.PrecisionRecall(5))},
            ValueError,
            "Each metric may be given once. Received precision_recall, precision_recall",
        ),
        ({"extractor": "mnits"}, ValueError, "Unknown extractor: 'mnits'. Did you mean 'mnist'"),
        ({"extractor": 3}, TypeError, "An extractor is a name, or a function"),
        ({"samples": 1}, ValueError, "`samples` must be at least 2"),
        ({"repeats": 0}, ValueError, "`repeats` must be at least 1"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be at least 1"),
        ({"seed": -1}, ValueError, "`seed` must be at least 0"),
        (
            {"metrics": (metrics.PrecisionRecall(3), metrics.PrecisionRecall(5))},
            ValueError,
            "Each metric may be given once. Received precision_recall, precision_recall",
        ),
    ],
    ids=str,
)
def test_wrong_settings(kwargs, error, message, test):
    with pytest.raises(error, match=message):
        Evaluator(test[0], **{"extractor": eyes(), **kwargs})


def test_metrics_that_the_data_does_not_allow(dcgan, test):
    images, _ = test
    for wanted, kwargs, message in [
        ("class_score", {"extractor": brightness}, "ClassScore needs logits.*'brightness'"),
        ("modes", {"extractor": "pixels"}, "'pixels-16' does not return"),
        ("intra_class_frechet", {}, "IntraClassFrechet needs labels: pass data with them"),
        ("memorisation", {}, "Memorisation needs the training images: pass `train=`"),
    ]:
        with pytest.raises(ValueError, match=message):
            ganzoo.evaluate(
                dcgan, images, metrics=wanted, **{"extractor": eyes(), **QUICK, **kwargs}
            )


def test_names_that_cannot_be_loaded(dcgan, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file or folder"):
        ganzoo.evaluate(dcgan, tmp_path / "nothing.npz")
    # A damaged test split is said, and not taken for none.
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        ganzoo.images.save_each(np.zeros((3, 8, 8, 1), "uint8"), tmp_path / split)
    (tmp_path / "test" / "00001.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"00001\.png"):
        ganzoo.evaluate(dcgan, tmp_path, extractor="pixels")


def test_features_that_are_not_numbers(dcgan, test):
    def broken(images):
        features = images.reshape(len(images), -1).astype("float32")
        features[2, 5] = np.nan
        return features

    with pytest.raises(ValueError, match="of real contain NaN or infinity, first in row 2"):
        ganzoo.evaluate(dcgan, test[0], extractor=broken, **QUICK)


def test_constant_images_are_scored(test):
    black = np.zeros((100, 8, 8, 1), "uint8")
    kwargs = {"extractor": eyes(), "metrics": UNLABELLED[:-1]}
    sheet = ganzoo.evaluate(black, test[0], **kwargs)
    assert sheet["frechet"].value > 10 * sheet["frechet"].floor
    assert (sheet["diversity"].value, sheet["precision"].value) == (0, 0)
    assert "only 1 of 100 samples are distinct images" in sheet.notes
    # And so is constant data.
    sheet = ganzoo.evaluate(black, black, **kwargs)
    assert sheet["frechet"].value == 0 and sheet["kernel"].value == pytest.approx(0, abs=1e-6)


# While it trains ------------------------------------------------------------------------------

VANILLA = {"generator_units": (8,), "discriminator_units": (6,), "pieces": 2, "latent_dim": 6}


def learner():
    return ganzoo.get("vanilla", seed=0, ema_decay=0.9, **VANILLA)


@pytest.fixture(scope="module")
def pupil():
    """One that many tests go on training."""
    return learner()


class Scripted:
    """An evaluator that says what it was told to say, or raises it."""

    samples, repeats = 10, 1

    def __init__(self, script, better="lower"):
        self.script, self.better = iter(script), better

    def judge(self, model, progress=None):
        value = next(self.script)
        if isinstance(value, Exception):
            raise value
        passport = {"weights_sha256": evaluation.weights_hash(model.sampler)}
        return ScoreSheet({"mine[x]": Score(value, better=self.better)}, passport)


@pytest.fixture
def fit(train):
    def fit(model, *with_callbacks, epochs=4, **kwargs):
        return model.fit(
            train[0][:64],
            batch_size=32,
            epochs=epochs,
            verbose=0,
            callbacks=list(with_callbacks),
            **kwargs,
        ).history

    return fit


def test_scores_join_the_history_and_change_nothing_else(fit, test):
    plain = fit(learner())
    evaluator = Evaluator(
        test[0], extractor=eyes(), metrics=("frechet", "diversity"), samples=80, repeats=1
    )
    scoring = callbacks.Evaluate(evaluator, verbose=0)
    model = learner()
    history = fit(model, scoring)
    assert set(history) - set(plain) == {f"frechet[{ONE}]", f"diversity[{ONE}]"}
    assert {name: history[name] for name in plain} == plain
    for name, score in scoring.sheet.scores.items():
        assert len(history[name]) == 4 == len(set(history[name]))
        assert history[name][-1] == score.value
    assert values(evaluator.judge(model)) == values(scoring.sheet)


@pytest.mark.parametrize(
    ("every", "epochs", "expected"), [(1, 3, 3), (2, 5, 3), (3, 7, 3), (9, 4, 1)]
)
def test_every_so_many_epochs_and_at_the_last(fit, pupil, every, epochs, expected):
    scoring = callbacks.Evaluate(Scripted(range(99)), every=every, verbose=0)
    history = fit(pupil, scoring, epochs=epochs)
    assert history["mine[x]"] == list(range(expected))


def test_a_failing_evaluation_does_not_stop_training(fit, pupil, test, tmp_path):
    said = []
    script = [ValueError("no luck"), 3.0, OSError("disk full"), 2.0, RuntimeError("again")]
    scoring = callbacks.Evaluate(
        Scripted(script), best="mine", folder=tmp_path, say=said.append, verbose=0
    )
    history = fit(pupil, scoring, epochs=5)
    assert said == [
        "Epoch 1 could not be scored: no luck",
        "Epoch 3 could not be scored: disk full",
        "Epoch 5 could not be scored: again",
    ]
    assert history["mine[x]"] == [3.0, 2.0]
    assert scoring.best_so_far() == (4, 2.0)

    def broken(images):
        raise RuntimeError("the network is out of order")

    said.clear()
    evaluator = Evaluator(test[0], extractor=broken, samples=20, repeats=1)
    history = fit(pupil, callbacks.Evaluate(evaluator, say=said.append, verbose=0), epochs=2)
    assert said == [f"Epoch {i} could not be scored: the network is out of order" for i in (1, 2)]
    assert len(history["g_loss"]) == 2


def test_an_early_score_of_a_training_of_minutes_is_tried_once():
    said = []
    scoring = callbacks.Evaluate(
        Scripted([ValueError("no luck")] * 9), every=99, say=said.append, verbose=0
    )
    scoring.set_params({"epochs": 12, "budget": None})
    for epoch in range(12):
        scoring.on_epoch_end(epoch)
    assert said == [f"Epoch {i} could not be scored: no luck" for i in (2, 12)]


def test_a_best_score_that_does_not_exist_does_not_stop_training(fit, pupil, tmp_path):
    said = []
    scoring = callbacks.Evaluate(
        Scripted(range(9)), best="fid", folder=tmp_path, say=said.append, verbose=0
    )
    assert len(fit(pupil, scoring)["mine[x]"]) == 4
    assert "Unknown score: 'fid'" in said[0]


def test_a_damaged_record_of_the_best_does_not_stop_training(fit, pupil, tmp_path):
    said = []
    (tmp_path / "best.keras").write_text("{")
    scoring = callbacks.Evaluate(
        Scripted(range(9)), best="mine", folder=tmp_path, say=said.append, verbose=0
    )
    assert len(fit(pupil, scoring)["mine[x]"]) == 4
    assert "best.keras' holds no score" in said[0]


def best_of(folder):
    """`(epoch, value)` of the record, after checking that it is that of the model."""
    assert [p.name for p in folder.iterdir()] == ["best.keras"]
    epoch, score, sheet = callbacks.read_best(folder / "best.keras")
    model = keras.saving.load_model(folder / "best.keras")
    assert evaluation.weights_hash(model.sampler) == sheet.passport["weights_sha256"]
    return epoch, sheet[score].value


@pytest.mark.parametrize(("better", "sign"), [("lower", 1), ("higher", -1)])
def test_the_best_model_is_kept(fit, pupil, better, sign, tmp_path):
    def scoring(*script):
        return callbacks.Evaluate(
            Scripted([sign * x for x in script], better), best="mine", folder=tmp_path, verbose=0
        )

    fit(pupil, scoring(5.0, 3.0, 4.0, 3.0))  # the first of equals
    assert best_of(tmp_path) == (2, sign * 3.0)
    # A run that goes on does not forget the best of before.
    fit(pupil, scoring(3.5, 3.1), initial_epoch=4, epochs=6)
    assert best_of(tmp_path) == (2, sign * 3.0)
    goes_on = scoring(3.5, 2.0, 2.5)
    fit(pupil, goes_on, initial_epoch=6, epochs=9)
    assert best_of(tmp_path) == (8, sign * 2.0) == goes_on.best_so_far()


def test_the_best_model_scores_what_its_record_says(fit, pupil, test, tmp_path):
    evaluator = Evaluator(
        test[0], extractor=eyes(), metrics=("frechet", "precision_recall"), samples=80, repeats=1
    )
    scoring = callbacks.Evaluate(evaluator, best="frechet", folder=tmp_path, verbose=0)
    history = fit(pupil, scoring)[f"frechet[{ONE}]"]
    _, _, recorded = callbacks.read_best(tmp_path / "best.keras")
    assert recorded["frechet"].value == min(history)
    assert scoring.best_so_far() == (1 + int(np.argmin(history)), min(history))
    model = keras.saving.load_model(tmp_path / "best.keras")
    same(evaluator.judge(model), recorded)


def test_a_progress_bar_of_its_own(fit, pupil, test, capsys):
    evaluator = Evaluator(test[0], extractor=eyes(), metrics="diversity", samples=80, repeats=2)
    fit(pupil, callbacks.Evaluate(evaluator), epochs=1)
    assert "160/160" in capsys.readouterr().out


def test_best_and_folder_go_together(tmp_path):
    for kwargs in ({"best": "frechet"}, {"folder": tmp_path}):
        with pytest.raises(ValueError, match="`best` and `folder` go together"):
            callbacks.Evaluate(Scripted([]), **kwargs)
    with pytest.raises(ValueError, match="`every` must be at least 1"):
        callbacks.Evaluate(Scripted([]), every=0)
