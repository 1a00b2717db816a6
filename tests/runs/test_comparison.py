"""Several trainings in one table and on one page."""

import html
import json
import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganzoo import callbacks
from ganzoo import runs
from ganzoo.evaluation import Score
from ganzoo.evaluation import ScoreSheet
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs.comparison import charts
from ganzoo.runs.comparison import entries
from ganzoo.runs.comparison import rows
from ganzoo.runs.comparison import tables
from ganzoo.zoo import catalogue
from tests.helpers import Page
from tests.helpers import call
from tests.helpers import done
from tests.helpers import fails
from tests.helpers import run_quietly

PASSPORT = {
    "extractor": "x",
    "extractor_sha256": "0",
    "resize": "none",
    "samples": 2_000,
    "repeats": 1,
    "truncation": None,
    "data": {
        "source": "/home/ada/photos",
        "split": "test",
        "image_shape": [8, 8, 1],
        "count": 300,
        "fingerprint": "f",
    },
    "train": {"count": 1_498, "fingerprint": "t"},
}


def sheet(values, errors=None, settings=None, **passport):
    """A score sheet: `{name: value}`, recalls being better when they are higher."""
    scores = {
        f"{name}[x]": Score(
            value,
            None if errors is None else errors,
            floor=0.5,
            better="higher" if name == "recall" else "lower",
            settings=settings or {},
        )
        for name, value in values.items()
    }
    return ScoreSheet(scores, {**PASSPORT, **passport})


@pytest.fixture
def make(tmp_path):
    """Makes run folders whose training had some Fréchet distances, one in each epoch."""

    def make(name, distances=(90.0, 50.0), *, seed=0, epochs=None, recall=True, **settings):
        run = RunFolder(tmp_path / name)
        length = {"epochs": epochs or len(distances) or 1}
        arguments = {"channels": settings.pop("channels", 16)}
        length |= {"minutes": settings.pop("minutes")} if "minutes" in settings else {}
        passport = settings.pop("passport", {})
        begun = {"model": "dcgan", "arguments": arguments, "data": "digits", "image_size": None}
        begun |= {"batch_size": 64, "seed": seed, "on_error": "raise", "weights": None}
        config = {
            "settings": {**begun, **settings},
            "directory": str(tmp_path),
            **length,
            "versions": {"keras": "3.15"},
            "device": {"name": "a processor", "gpu": False},
        }
        run.path.mkdir(parents=True)
        run.config.write_text(json.dumps(config))
        for i, distance in enumerate(distances, 1):
            row = {"epoch": i, "step": 20 * i, "images": 1_280 * i, "seconds": 60.0}
            row |= {"cpu_seconds": 30.0, "d_loss": 1.0 / i, "g_loss": 1.0 * i}
            scores = {} if distance is None else {"frechet[x]": distance, "recall[x]": 0.1 * i}
            json_lines.append(run.metrics, {**row, **scores})
        known = [x for x in distances if x is not None]
        if known:
            best = sheet({"frechet": min(known), "recall": 0.2}, **passport)
            contents = {"epoch": 1, "score": "frechet[x]", **best.to_dict()}
            run.checkpoints.folder.mkdir()
            with zipfile.ZipFile(run.checkpoints.best, "w") as archive:
                archive.writestr(callbacks.BEST, json.dumps(contents))
        run.samples.folder.mkdir()
        Image.new("L", (8, 8), 99).save(run.samples.path(len(distances)))
        return run

    return make


def cells(comparison, i=0):
    """The cells of a row by their titles."""
    return dict(zip(comparison.table.titles, comparison.table.rows[i]))


# Rows ---------------------------------------------------------------------------------------------


def test_runs_that_differ_in_the_seed_alone_are_one_row_with_mean_and_deviation(make):
    words = [make(f"a{i}", (90.0, x), seed=i) for i, x in enumerate((40.0, 50.0, 60.0))]
    words += [make(f"b{i}", (90.0, x), seed=i, channels=32) for i, x in enumerate((10.0, 12.0))]
    found = runs.compare(words)
    assert [row.seeds for row in found.rows] == [3, 2]
    score = found.rows[0].scores["frechet[x]"]
    assert (score.value, score.error, score.floor) == (50, 10, 0.5)  # n - 1 in the divisor
    assert cells(found) == {
        "run": "a0, a1, a2",
        "setting": "channels=16",
        "epochs": "2",
        "seeds": "3",
        "steps": "40",
        "images": "2,560",
        "minutes": "2",
        "CPU minutes": "1",
        "frechet ↓": "50 ± 10",
        "recall ↑": "0.2 ± 0",
    }
    assert cells(found, 1)["frechet ↓"] == "11.0 ± 1.4" and cells(found, 1)["seeds"] == "2"
    assert cells(found, 2)["run"] == "floor" and cells(found, 2)["frechet ↓"] == "0.5"
    assert "±: standard deviation over the seeds of a row." in found.notes
    assert found.title == "5 trainings of dcgan on digits, in 2 rows"


def test_a_single_run_has_no_error_bar_unless_its_sheet_has_one(make):
    a, b = make("a", (90.0, 40.0)), make("b", (90.0, 50.0), channels=32)
    found = runs.compare([a, b])
    assert cells(found)["frechet ↓"] == "40" and not found.table.best
    assert found.notes[-2:] == (
        "Without ±: one seed, and one set of samples.",
        "No value is marked as best, because without ± nothing tells how far seeds differ.",
    )
    for run, value in ((a, 40.0), (b, 50.0)):
        sheet({"frechet": value}, 2.0, samples=10_000, repeats=3).save(run.scores)
    found = runs.compare([a, b])
    assert cells(found)["frechet ↓"] == "40.0 ± 2.0" and len(found.table.best) == 1
    assert "over the sets of samples" in found.notes[0] and "nothing of other" in found.notes[0]


def test_defaults_that_were_typed_and_paths_written_otherwise_are_the_same_setting(make, tmp_path):
    (tmp_path / "photos").mkdir()
    a = make("a", seed=0, data="photos", channels=64)
    b = make("b", seed=1, data=str(tmp_path / "photos"), channels=64)
    config = json.loads(a.config.read_text())
    config["settings"]["arguments"] = {}  # 64 is the default
    a.config.write_text(json.dumps(config))
    assert [row.seeds for row in runs.compare([a, b]).rows] == [2]
    c = make("c", seed=2, data="photos", channels=64, batch_size=32)
    found = runs.compare([a, b, c])
    assert [tables.setting(row) for row in found.rows] == ["batch_size=64", "batch_size=32"]


def test_runs_of_several_lengths_are_several_rows(make):
    a, b = make("a", seed=0), make("b", (90.0, 50.0, 40.0), seed=1)
    c = make("c", seed=2, minutes=0.1)
    c.time.write_text('{"seconds": 9}')
    found = runs.compare([a, b, c])
    assert [row.epochs for row in found.rows] == ["2", "3", "2"]
    assert [tables.setting(row) for row in found.rows] == ["", "", "minutes=0.1"]


def test_a_run_that_is_not_finished_is_marked_and_has_its_own_row(make):
    a, b = make("a", seed=0, epochs=3), make("b", (90.0, 50.0, 40.0), seed=1)
    c = make("c", seed=2, minutes=3)
    c.time.write_text('{"seconds": 90}')
    found = runs.compare([a, b, c])
    assert [row.epochs for row in found.rows] == [
        "2 of 3, not finished",
        "3",
        "2, 1.5 of 3 minutes, not finished",
    ]
    assert "Not finished: a, c." in found.notes


def test_a_score_of_an_earlier_epoch_says_so(make):
    a, b = make("a", (90.0, 50.0, None), epochs=4), make("b")
    found = runs.compare([a, b])
    assert cells(found)["frechet ↓"] == "50"
    assert "The scores of a are of epoch 2." in found.notes


def test_equal_settings_and_seeds_are_not_averaged(make):
    found = runs.compare([make("a", seed=3), make("b", seed=3), make("c", seed=4)])
    assert [row.seeds for row in found.rows] == [1, 1, 1]
    assert any("a, b, c: their settings are equal, and so are seeds." in x for x in found.notes)


def test_another_device_in_a_row_is_noted(make):
    a, b = make("a", seed=0), make("b", seed=1)
    b.config.write_text(b.config.read_text().replace("a processor", "a GPU"))
    assert "a, b also differ in device: a processor; a GPU." in runs.compare([a, b]).notes


def test_names_are_the_shortest_ends_of_paths_that_differ(make, tmp_path, monkeypatch):
    words = [make("one/run"), make("two/run", channels=32), make("three/other", channels=8)]
    found = runs.compare(words)
    assert [row.name for row in found.rows] == ["one/run", "two/run", "three/other"]
    monkeypatch.chdir(tmp_path / "one")
    assert [row.name for row in runs.compare(["run", words[2]]).rows] == ["run", "other"]
    many = [make(f"a-very-long-name-{i}", seed=i) for i in range(4)]
    assert runs.compare(many).rows[0].name == "a-very-long-name-0 … a-very-long-name-3"


# The best -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([(10, 1), (13, 1)], 0),
        ([(10, 1), (12, 1)], None),  # the error bars touch
        ([(10, 1), (13, 1), (11, 0.5)], None),  # clear of one alone
        ([(10, 1), (13, 1), (20, 3)], 0),
        ([(10, None), (13, 1)], None),
        ([(10, 1), None], None),
        ([(10, 1)], None),
        ([(float("inf"), 1), (3, 1)], 1),
        ([(float("nan"), 1), (3, 1)], None),
    ],
)
def test_the_best_is_clear_of_all_error_bars(scores, expected):
    made = lambda better, sign: [
        None if x is None else Score(sign * x[0], error=x[1], better=better) for x in scores
    ]
    assert rows.best(made("lower", 1)) == expected
    assert rows.best(made("higher", -1)) == expected
    assert rows.best(made(None, 1)) is None


def test_the_best_values_are_marked_in_every_format(make):
    words = [make(f"a{i}", (90.0, 40.0 + i), seed=i) for i in range(2)]
    words += [make(f"b{i}", (90.0, 10.0 + i), seed=i, channels=32) for i in range(2)]
    found = runs.compare(words)
    assert re.search(r"^b0, b1 .* 10\.50 ± 0\.71 \*", str(found), re.MULTILINE)
    assert "| **10.50 ± 0.71** |" in found.to_markdown()
    assert r"\textbf{10.50 $\pm$ 0.71}" in found.to_latex()
    assert found.to_dict()["best"] == {"frechet[x]": "b0, b1", "recall[x]": None}
    assert "Marked as best: better than all others by more than both error bars together." in (
        found.notes
    )


# What compares ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "reason", "advice"),
    [
        ({"samples": 10_000}, r"samples: 2,000 \(a\) and 10,000 \(b\)", "--samples 10000"),
        ({"extractor": "y"}, r"extractor: x \(a\) and y \(b\)", "--extractor EXTRACTOR"),
        (
            {"data": {**PASSPORT["data"], "count": 301, "fingerprint": "g"}},
            r"data count: 300 \(a\) and 301 \(b\); data fingerprint: f \(a\) and g \(b\)",
            "--data DATA",
        ),
        ({"data": {**PASSPORT["data"], "split": "train"}}, r"data split: test \(a\)", "--data"),
        ({"train": None}, r"train: \{.*\} \(a\) and None \(b\)", "--data DATA"),
    ],
)
def test_scores_made_in_other_ways_are_refused_with_what_differs_and_what_to_do(
    make, other, reason, advice
):
    a, b = make("a"), make("b", channels=32, passport=other)
    with pytest.raises(ValueError, match=reason) as error:
        runs.compare([a, b])
    assert "do not compare" in str(error.value)
    assert re.search(rf"ganzoo evaluate \S*/a {advice}.*; ganzoo evaluate", str(error.value))


def test_scores_of_evaluate_come_first_if_all_have_them(make):
    a, b = make("a"), make("b", channels=32)
    sheet({"frechet": 5.0}, 1.0, samples=10_000).save(a.scores)
    found = runs.compare([a, b])  # those of the trainings
    assert cells(found)["frechet ↓"] == "50" and found.passport["samples"] == 2_000
    assert any("by ganzoo evaluate, of a, are left out: none of b." in x for x in found.notes)
    sheet({"frechet": 7.0}, 1.0, samples=500).save(b.scores)
    found = runs.compare([a, b])
    assert any("left out: samples: 10,000 (a) and 500 (b)." in note for note in found.notes)
    sheet({"frechet": 7.0}, 1.0, samples=10_000).save(b.scores)
    found = runs.compare([a, b])
    assert cells(found)["frechet ↓"] == "5.0 ± 1.0" and found.passport["samples"] == 10_000
    assert not any("left out" in note for note in found.notes)
    sheet({"frechet": 3.0}, 1.0, samples=10_000).save(a.best_scores)
    sheet({"frechet": 4.0}, 1.0, samples=10_000).save(b.best_scores)
    assert cells(runs.compare([a, b], best=True))["frechet ↓"] == "3.0 ± 1.0"


def test_the_best_models_are_compared_by_their_own_scores(make):
    found = runs.compare([make("a", (30.0, 50.0)), make("b", (90.0, 20.0))], best=True)
    assert [cells(found, i)["frechet ↓"] for i in (0, 1)] == ["30", "20"]
    assert found.protocol.startswith("best models, 2,000 samples")


def test_what_only_some_have_is_left_out_and_named(make):
    a, b = make("a"), make("b", channels=32)
    sheet({"frechet": 5.0, "recall": 0.1, "kernel": 1.0}).save(a.scores)
    sheet({"frechet": 7.0, "recall": 0.1}).save(b.scores)
    found = runs.compare([a, b])
    assert found.names == ("frechet[x]", "recall[x]")
    assert "Left out: kernel[x]; only of a." in found.notes
    sheet({"frechet": 7.0}, settings={"keep": 5}).save(a.scores)
    sheet({"frechet": 7.0, "kernel": 1.0}, settings={"keep": 6}).save(b.scores)
    with pytest.raises(ValueError, match="no score in common. Left out: kernel.*settings differ"):
        runs.compare([a, b])


def test_runs_without_scores_next_to_others_say_how_to_score_them(make):
    a, b, c = make("a", seed=0), make("b", (None, None), seed=1), make("c", channels=32)
    found = runs.compare([a, b, c])
    assert found.rows[0].seeds == 2 and found.rows[0].scored == 1
    assert "No scores: b." in found.notes and "a, b: the scores are of 1 of 2 seeds." in found.notes
    assert found.advice == f"Score them: ganzoo evaluate {b}"
    assert str(found).endswith(found.advice) and found.advice in found.to_dict()["notes"]


def test_without_any_score_losses_are_compared_and_a_note_says_so(make, tmp_path):
    found = runs.compare([make("a", (None, None)), make("b", (None,), channels=32)])
    assert cells(found)["g_loss"] == "2" and cells(found, 1)["g_loss"] == "1"
    assert not found.table.best and found.passport is None and found.protocol == ""
    assert found.notes[0].startswith("There are no scores to compare: the table shows losses")
    text = Page(found.save(tmp_path / "page.html")).text
    assert "Scores over time" not in text and "d_loss" in text
    with pytest.raises(ValueError, match="no scores among which `metrics`.*ganzoo evaluate"):
        runs.compare([tmp_path / "a", tmp_path / "b"], metrics=["frechet"])


def test_a_run_that_has_hardly_begun_compares(make, tmp_path):
    found = runs.compare([make("a", (), epochs=3), make("b")])
    assert cells(found)["epochs"] == "0 of 3, not finished" and cells(found)["frechet ↓"] == ""
    found.save(tmp_path)
    a, b = make("c", (), epochs=3), make("d", (), epochs=4)
    assert runs.compare([a, b]).table.titles == ("run", "epochs", "seeds", "minutes")


def test_the_scores_of_the_table_can_be_chosen(make):
    words = [make("a"), make("b", channels=32)]
    assert runs.compare(words, metrics=["recall"]).names == ("recall[x]",)
    assert runs.compare(words, metrics="recall").names == ("recall[x]",)
    assert runs.compare(words, metrics=["recall[x]", "frechet", "recall"]).names == (
        "recall[x]",
        "frechet[x]",
    )
    with pytest.raises(ValueError, match="Unknown score: 'fid'.*Known: frechet, recall"):
        runs.compare(words, metrics=["fid"])


def test_scores_of_pairs_stand_above_their_baseline(make):
    words = [make("a", (None,)), make("b", (None,), channels=32)]
    for run, value in zip(words, (30.0, 31.0)):
        score = Score(value, better="higher", baseline=28.5)
        ScoreSheet({"psnr": score}, {**PASSPORT, "task": "upscale ×2"}).save(run.scores)
    found = runs.compare(words)
    assert cells(found)["psnr ↑"] == "30"
    assert cells(found, 2)["run"] == "baseline" and cells(found, 2)["psnr ↑"] == "28.5"


def test_models_of_a_users_own_need_not_be_imported(make):
    words = [make(name, seed=i, model="nobodys_gan") for i, name in enumerate("ab")]
    assert [row.seeds for row in runs.compare(words).rows] == [2]


def test_weights_that_come_with_ganzoo_compare_by_their_catalogue(make):
    found = runs.compare(["dcgan.mnist", "r3gan.mnist"])
    row = catalogue.rows()["r3gan.mnist"]
    assert (
        found.rows[1].scores["frechet[mnist-classifier-v1]"].value
        == (row.scores["frechet[mnist-classifier-v1]"]["value"])
    )
    assert cells(found, 1)["CPU minutes"] == "13.6" and "steps" not in found.table.titles
    # A run on the same data, scored in the same way.
    a = make("a", (None,), data="mnist")
    ScoreSheet.from_dict({"scores": row.scores, "passport": row.passport, "notes": []}).save(
        a.scores
    )
    found = runs.compare([a, "r3gan.mnist"])
    assert [x.model for x in found.rows] == ["dcgan", "r3gan"] and found.advice == ""
    passport = {**row.passport, "samples": 2_000}
    ScoreSheet.from_dict({"scores": row.scores, "passport": passport, "notes": []}).save(a.scores)
    with pytest.raises(ValueError, match=r"2,000 \(a\) and 10,000 \(r3gan.mnist\).*es 10000$"):
        runs.compare([a, "r3gan.mnist"])
    with pytest.raises(ValueError, match="data count: 3,583 .* and 4,000 .*list"):
        shapes = {n: r.config["image_shape"] for n, r in catalogue.rows().items()}
        assert shapes["r3gan.emoji"] == shapes["r3gan.portraits"]
        runs.compare(["r3gan.emoji", "r3gan.portraits"])


# Bad input ----------------------------------------------------------------------------------------


def test_fewer_than_two_say_what_to_do(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("runs/a"), make("runs/b")
    RunFolder("runs/b").checkpoints.folder.mkdir(exist_ok=True)
    with pytest.raises(ValueError, match="ganzoo compare runs/a runs/b. Received one, 'runs/a'"):
        runs.compare(["runs/a"])
    with pytest.raises(ValueError, match="Name two runs or more.*Received none"):
        runs.compare([])
    with pytest.raises(TypeError, match="`runs` is a list of run folders. Received: 'runs/a'"):
        runs.compare("runs/a")


def test_what_is_no_run_is_refused(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("runs/a")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.keras").touch()
    for word, message in (
        ("empty", "'empty' is not a run folder of `ganzoo train`.$"),
        ("file.keras", "'file.keras' is not a run folder"),
        ("runs", "'runs' is not a run folder .* It holds some: ganzoo compare runs/a"),
        ("runs/c", "Unknown run folder or weights: 'runs/c'. Did you mean 'runs/a'"),
        ("r3gan.mnis", "Did you mean 'r3gan.mnist'"),
        ("", "Unknown run folder or weights: ''|is not a run folder"),
    ):
        with pytest.raises(ValueError, match=message):
            runs.compare(["runs/a", word])


def test_the_same_run_twice_is_refused(make, tmp_path):
    a = make("a")
    (tmp_path / "link").symlink_to(a.path)
    for again in (a, f"{a}/../a/", tmp_path / "link"):
        with pytest.raises(ValueError, match="are the same. Leave one of them out"):
            runs.compare([a, again])
    with pytest.raises(ValueError, match="'dcgan.mnist' and 'dcgan.mnist' are the same"):
        runs.compare(["dcgan.mnist", "dcgan.mnist"])


def test_images_of_several_sizes_are_refused(make):
    small = {"data": {**PASSPORT["data"], "image_shape": [16, 16, 3]}}
    words = [make("a"), make("b", passport=small), make("c", channels=32)]
    with pytest.raises(ValueError, match=r"8×8×1 \(a, c\) and 16×16×3 \(b\).*--image-size"):
        runs.compare(words)


def test_records_that_are_damaged_name_the_run(make):
    a, b = make("a"), make("b")
    for content in ("", "[]", "{}", '{"settings": 3}'):
        (b.path / "config.json").write_text(content)
        with pytest.raises(ValueError, match="/b' is not a run folder"):
            runs.compare([a, b])
    config = json.loads(a.config.read_text())
    for change in ({"model": 3}, {"arguments": []}, {"batch_size": None, "image_size": "x"}):
        b.config.write_text(json.dumps({**config, "settings": {**config["settings"], **change}}))
        try:
            runs.compare([a, b])
        except ValueError as error:
            assert str(b) in str(error)
    b.config.write_text(json.dumps(config))
    b.metrics.write_text('{"epoch": "x", "seconds": 1}\n')
    with pytest.raises(ValueError, match="records in '.*/b' are damaged"):
        runs.compare([a, b])


def test_lines_cut_short_and_damaged_sheets_are_left_out(make):
    a, b = make("a"), make("b", channels=32)
    with b.metrics.open("a") as file:
        file.write('{"epoch": 3, "fre')
    b.scores.write_text("{")
    assert cells(runs.compare([a, b]), 1)["frechet ↓"] == "50"
    b.checkpoints.best.write_text("{")
    found = runs.compare([a, b])
    assert "No scores: b." in found.notes
    assert any("No curves of b: checkpoints/best.keras" in note for note in found.notes)


# The formats --------------------------------------------------------------------------------------


def test_columns_that_do_not_fit_a_terminal_follow_below(make):
    words = [make("a0", seed=0), make("a1", (90.0, 49.0), seed=1), make("b", channels=32)]
    table = runs.compare(words).table
    assert len(table.to_text().splitlines()) == 4
    text = table.to_text(60)
    assert all(len(line) <= 60 for line in text.splitlines())
    blocks = [block.splitlines() for block in text.split("\n\n")]
    assert len(blocks) > 1
    assert all(lines[0].startswith("run") and lines[1].startswith("a0, a1") for lines in blocks)
    assert [any(line.startswith("floor") for line in x) for x in blocks] == [
        "frechet" in x[0] for x in blocks
    ]


def test_markdown_and_latex_escape_what_they_would_take_for_their_own():
    table = tables.Table(("run", "a_b ↓"), (("x|y*", "1 ± 2"), ("50% & #", "3")), frozenset(), 1)
    assert table.to_markdown().splitlines() == [
        r"| run | a\_b ↓ |",
        "| --- | ---: |",
        r"| x\|y\* | 1 ± 2 |",
        "| 50% & # | 3 |",
    ]
    assert table.to_latex().splitlines()[2:6] == [
        r"run & a\_b $\downarrow$ \\",
        r"\midrule",
        r"x|y* & 1 $\pm$ 2 \\",
        r"50\% \& \# & 3 \\",
    ]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score(222.87, error=48.53), "223 ± 49"),
        (Score(1234.5, error=149.0), "1,234 ± 149"),
        (Score(0.0301, error=0.0142), "0.030 ± 0.014"),
        (Score(0.2, error=0.0), "0.2 ± 0"),
        (Score(float("inf")), "inf"),
        (Score(1.0, error=float("nan")), "1 ± nan"),
        (None, ""),
    ],
)
def test_a_cell_has_the_digits_that_its_error_allows(score, expected):
    assert tables.cell(score) == expected


def test_json_has_all_of_it_and_no_number_that_json_lacks(make, tmp_path):
    words = [make("a"), make("b", (90.0, float("inf")), channels=32)]
    found = runs.compare(words).to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert found["rows"][1]["scores"]["frechet[x]"]["value"] == "inf"
    assert found["rows"][0]["runs"] == [str(words[0])] and found["rows"][0]["seeds"] == [0]
    assert found["rows"][0]["steps"] == 40 and found["rows"][0]["setting"] == {"channels": 16}


# The page -----------------------------------------------------------------------------------------


def test_the_page_needs_nothing_else_and_keeps_folders_private(make, tmp_path):
    words = [make("a0", seed=0), make("a1", seed=1), make('<b>"&', channels=32)]
    path = runs.compare(words).save(tmp_path / "new" / "page.html")
    page, content = Page(path), path.read_text(encoding="utf-8")
    assert page.elsewhere == [] and "script" not in page.tags and "link" not in page.tags
    assert str(tmp_path) not in html.unescape(content) and "/home/ada" not in content
    assert '<b>"&' in page.text  # as text
    assert len(page.pictures) == 3  # the newest grid of each run
    # Over steps, images and minutes; the other score; two losses.
    assert page.tags.count("svg") == 3 + 1 + 2
    assert "prefers-color-scheme: dark" in content
    assert "2,000 samples" in page.text and "'source': 'photos'" in page.text
    assert "ganzoo train dcgan" in page.text and "--seed 1" in page.text


def test_a_page_in_a_folder_has_the_usual_name_and_replaces_an_older_one(make, tmp_path):
    found = runs.compare([make("a"), make("b", channels=32)])
    (tmp_path / "comparison.html").write_text("old")
    assert found.save(tmp_path) == tmp_path / "comparison.html"
    assert "old" not in (tmp_path / "comparison.html").read_text()
    assert found.save(f"{tmp_path}/new/") == tmp_path / "new" / "comparison.html"
    with pytest.raises(ValueError, match=r"ends in \.html, or is a folder. Received: 'a\.png'"):
        found.save("a.png")
    with pytest.raises(OSError, match="cannot be written: .*Choose another with --out"):
        found.save(tmp_path / "comparison.html" / "page.html")


def test_curves_of_a_row_have_their_mean_and_deviation():
    places, means, spread = charts.together([([1, 3], [10, 30]), ([1, 2, 4], [20, 40, 60])])
    np.testing.assert_allclose(places, [1, 2, 3])
    np.testing.assert_allclose(means, [15, 30, 40])
    np.testing.assert_allclose(spread, np.std([[10, 20, 30], [20, 40, 50]], axis=0, ddof=1))
    assert charts.together([([1, 2], [1, 1]), ([3, 4], [1, 1])]) is None


def test_a_chart_shows_each_run_over_steps_images_and_minutes_with_the_floor_dotted(make):
    words = [make("a0", seed=0), make("a1", (80.0, 30.0), seed=1), make("b", channels=32)]
    found = runs.compare(words)
    groups = [row.entries for row in found.rows]
    for over, xs in (("steps", [20, 40]), ("images", [1_280, 2_560]), ("minutes", [1, 2])):
        [axis] = charts.chart(groups, "frechet[x]", over, floor=0.5, better="lower").axes
        drawn = [(list(x.get_xdata()), list(x.get_ydata())) for x in axis.lines[:-1]]
        assert drawn == [(xs, [90, 50]), (xs, [80, 30]), (xs, [85, 40]), (xs, [90, 50])]
        assert axis.lines[-1].get_linestyle() == ":" and axis.lines[-1].get_ydata()[0] == 0.5
        assert axis.get_xlabel() == over and len(axis.collections) == 1  # the band
        assert [line.get_color() for line in axis.lines[:4]] == [charts.colour(0)] * 3 + [
            charts.colour(1)
        ]
    assert charts.chart(groups, "kernel[x]", "steps") is None


def test_first_distances_that_are_far_above_the_others_are_cut_off(make):
    words = [make("a", (9_000.0, 50.0, 40.0)), make("b", (90.0, 60.0, 30.0), channels=32)]
    groups = [row.entries for row in runs.compare(words).rows]
    top = lambda groups: (
        charts.chart(groups, "frechet[x]", "steps", 1.0, "lower").axes[0].get_ylim()
    )
    assert top(groups) == (0, 3 * 60)
    assert 90 <= top(groups[1:])[1] < 100


def test_a_training_that_has_diverged_is_drawn_as_far_as_it_can_be(make, tmp_path):
    a, b = make("a", (90.0, float("nan"), 1e308)), make("b", (90.0, float("inf"), 50.0), seed=1)
    found = runs.compare([a, b])
    assert charts.series(found.entries[0], "frechet[x]", "step") == ([20.0], [90.0])
    assert charts.series(found.entries[1], "frechet[x]", "step") == ([20.0, 60.0], [90.0, 50.0])
    assert "svg" in Page(found.save(tmp_path)).tags


def test_curves_made_in_other_ways_are_not_in_one_chart(make, tmp_path):
    a, b = make("a"), make("b", channels=32, passport={"samples": 500})
    for run in (a, b):
        sheet({"frechet": 5.0}, 1.0, samples=10_000).save(run.scores)
    found = runs.compare([a, b])
    assert any("No curves of scores" in x and "500 (b)" in x for x in found.notes)
    assert "Scores over time" not in Page(found.save(tmp_path)).text


# The command --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two short trainings, scored at the end, that differ in the seed."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = {"generator_units": [8], "discriminator_units": [6], "pieces": 2, "latent_dim": 6}
    for seed in (0, 1):
        options = {"out": folder / f"a{seed}", "epochs": 1, "seed": seed, "score_every": 1}
        run_quietly("vanilla", "digits", arguments=arguments, **options)
    return folder


def test_trainings_of_two_seeds_compare_on_the_command_line(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [trained / name for name in ("a0", "a1")]
    text = done("compare", *words)
    assert "2 trainings of vanilla on digits, in 1 row: last models, 2,000 samples" in text
    assert re.search(r"^a0, a1 +1 +2 .* ± ", text, re.MULTILINE)
    assert text.endswith("Page: comparison.html\n")
    assert len(Page(tmp_path / "comparison.html").pictures) == 2 + 1  # and the data
    assert "| run | epochs | seeds |" in done("compare", *words, "--markdown", "--best")


def test_tables_for_programs_are_all_that_is_printed(make, tmp_path):
    words = [make("a"), make("b", channels=32), "-o", tmp_path / "page.html"]
    facts = json.loads(done("compare", *words, "--json"))
    assert facts["path"] == str(tmp_path / "page.html") and len(facts["rows"]) == 2
    result = call("compare", *words, "--latex", "--metrics", "recall, frechet")
    assert result.stdout.rstrip().endswith(r"\end{tabular}") and "Page: " in result.stderr
    assert re.search(r"CPU minutes & recall .* & frechet .* \\\\\n", result.stdout)


def test_the_command_refuses_wrong_words_before_it_reads_anything(make, tmp_path):
    assert "--out ends in .html" in fails("compare", "nowhere", "-o", "a.png")
    assert "Name two runs or more" in fails("compare", make("a"))
    assert call("compare", "a", "b", "--json", "--latex").exit_code == 2


def test_a_published_model_is_not_a_run(make, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "config.json").write_text('{"model": "dcgan", "data": {"name": "digits"}}')
    with pytest.raises(ValueError, match="published' is not a run folder"):
        runs.compare([make("a"), folder])


def test_a_run_that_lost_its_checkpoints_and_pictures_still_compares(make, tmp_path):
    a, b = make("a"), make("b", channels=32)
    for run in (a, b):
        shutil.rmtree(run.samples.folder)
        shutil.rmtree(run.checkpoints.folder)
    assert entries.read([a, b])[0].shape is None
    assert "Samples" not in Page(runs.compare([a, b]).save(tmp_path)).text
