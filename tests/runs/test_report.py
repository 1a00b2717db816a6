"""The report of a run: everything on one page that needs nothing else."""

import base64
import dataclasses
import io
import json
import re
import shutil
import types
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganzoo import callbacks
from ganzoo import datasets
from ganzoo import evaluation
from ganzoo import images
from ganzoo import runs
from ganzoo.cli import options
from ganzoo.files import json_lines
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import time_budget
from ganzoo.runs import commands
from ganzoo.runs import data_sheet
from ganzoo.runs import forecast
from ganzoo.runs import live
from ganzoo.runs import outlook
from ganzoo.runs import pages
from ganzoo.runs import planning
from ganzoo.runs import report
from tests.helpers import Page

ARGUMENTS = {"generator_units": [8], "discriminator_units": [6], "pieces": 2, "latent_dim": 6}
ODD = '<script>alert("x")</script> & co.npy'
"""A name that a page must not take for its own words."""


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """`runs.train` of a tiny model on pictures with an odd name; gives what was said."""
    data = tmp_path_factory.mktemp("data") / ODD.replace("/", "_")
    np.save(data, np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype="uint8"))

    def train(out, epochs):
        said = []
        runs.train(
            "vanilla",
            data,
            out=out,
            epochs=epochs,
            arguments=ARGUMENTS,
            batch_size=32,
            checkpoint_seconds=0,
            score_every=0,
            say=said.append,
            verbose=0,
        )
        return said

    return train


@pytest.fixture(scope="module")
def trained(train, tmp_path_factory):
    """A run folder of three epochs, and what was said."""
    out = tmp_path_factory.mktemp("run")
    return out, train(out, 3)


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it."""
    return shutil.copytree(trained[0], tmp_path / "run")


def test_a_run_ends_with_a_page_that_needs_no_network(trained):
    out, said = trained
    assert said[-1] == f"Report: {out / 'report.html'}"
    page = Page(out / "report.html")
    assert page.elsewhere == [] and "script" not in page.tags and "link" not in page.tags
    assert "@import" not in page.text and "url(http" not in page.text
    # The data and the newest grid, the animation, the grids of epochs 0 to 3, the nearest pictures.
    assert len(page.pictures) == 2 + 1 + 4 + 1
    assert page.tags.count("svg") == 3  # losses, outputs, right answers


def test_it_says_what_was_done(trained):
    page = Page(trained[0] / "report.html")
    assert "3 of 3 epochs, 6 steps" in page.text
    assert "ganzoo train vanilla" in page.text and "--set latent_dim=6" in page.text
    assert '<script>alert("x")<_script> & co.npy' in page.text  # as text
    assert str(trained[0].parent) not in (trained[0] / "report.html").read_text()  # nobody's
    assert "keras" in page.text and "generator_units" in page.text


def test_curves_show_what_was_logged(trained):
    log = json_lines.read(trained[0] / "metrics.jsonl")
    shown = {
        line.get_label(): line.get_xydata().tolist()
        for _, figure in report.curves(log)
        for line in figure.axes[0].lines
    }
    for key in ("d_loss", "g_loss", "d_real", "d_accuracy_fake"):
        assert shown[key] == [[row["epoch"], row[key]] for row in log]
    assert not set(shown) & set(report.ASIDE)


def test_what_was_scored_in_some_epochs_only_has_dots_there():
    log = [{"epoch": i, "frechet[x]": 5.0 / i} if i % 2 else {"epoch": i} for i in range(1, 6)]
    [(title, figure)] = report.curves(log)
    [line] = figure.axes[0].lines
    assert title == "Fréchet distance" and line.get_xdata().tolist() == [1, 3, 5]
    assert figure.axes[0].get_ylim()[0] == 0


def test_the_doctors_notes_and_the_scores_are_in_it(run):
    note = {
        "name": "mode_collapse",
        "epoch": 2,
        "step": 4,
        "seen": "All alike: 1 < 2.",
        "advice": "A",
    }
    json_lines.append(run / "doctor.jsonl", note)
    score = {"value": 12.5, "error": None, "floor": 0.25, "better": "lower", "settings": {}}
    sheet = {"scores": {"frechet[x]": score}, "passport": {"samples": 77_777}, "notes": []}
    (run / "scores.json").write_text(json.dumps(sheet))
    page = Page(report.write(run))
    assert "mode_collapse, epoch 2, step 4. All alike: 1 < 2." in page.text
    assert re.search(r"frechet\[x\]\s*12.5\s*0.25\s*lower", page.text) and "77777" in page.text


def test_what_the_doctor_has_not_found_is_said_of_a_finished_run(run):
    assert "Nothing found." in Page(report.write(run)).text
    rows = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("\n".join(rows[:2]))
    assert "Nothing found." not in Page(report.write(run)).text


def test_floors_are_dotted_and_explained(run):
    names = ("frechet[x]", "coverage[x]", "recall[x]")
    log = [{"epoch": i, **dict.fromkeys(names, 5.0 / i)} for i in (1, 2, 3)]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, log)))
    assert outlook.floors_of(RunFolder(run)) == {} and "Dotted" not in Page(report.write(run)).text
    score = {"value": 2.5, "error": None, "better": "lower", "settings": {}}
    scores = {"frechet[x]": {**score, "floor": 0.25}, "recall[x]": {**score, "floor": None}}
    best = {"epoch": 2, "score": "frechet[x]", "scores": scores, "passport": {}, "notes": []}
    with zipfile.ZipFile(run / "checkpoints" / "best.keras", "w") as archive:
        archive.writestr(callbacks.BEST, json.dumps(best))
    floors = outlook.floors_of(RunFolder(run))
    assert floors == {"frechet[x]": 0.25}
    drawn = {
        title: [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_linestyle() == ":"]
        for title, figure in report.curves(log, floors)
    }
    assert drawn == {"Fréchet distance": [0.25], "Shares": []}
    text = Page(report.write(run)).text
    assert "Dotted: the floor" in text and report.READING["Shares"] in text


def test_the_page_follows_the_readers_colours_and_so_do_its_drawings(trained):
    page = (trained[0] / "report.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in page
    for variable in set(pages.THEME.values()) - {"currentColor"}:
        assert page.count(f"{variable[4:-1]}: ") == 2  # defined for light and dark
    drawings = page[page.index("<svg") :]
    assert not re.search(r"(fill|stroke): #(000000|ffffff|cccccc)", drawings)
    assert "stroke: currentColor" in drawings and "fill: var(--paper)" in drawings


def test_a_passport_on_the_page_has_no_folders_of_this_machine(run):
    passport = {"data": {"source": "/home/ada/images", "count": 12_345}}
    sheet = {"scores": {}, "passport": passport, "notes": []}
    (run / "scores.json").write_text(json.dumps(sheet))
    text = Page(report.write(run)).text
    assert "12345" in text and "'source': 'images'" in text and "ada" not in text


def test_the_command_names_a_folder_that_is_not_the_usual_one(tmp_path):
    settings = {"model": "dcgan", "data": "digits", "batch_size": 64, "image_size": None}
    settings |= {"seed": 0, "arguments": {}, "on_error": "raise"}
    for place, end in (
        ("runs/dcgan-digits", "--seed 0"),
        ("runs/mine", "--out runs/mine"),
        ("elsewhere/a b", "--out 'a b'"),
    ):
        assert commands.command(settings, 3, tmp_path / place).endswith(end)
    assert "--out" not in commands.command(settings, 3)


def test_lines_cut_short_are_left_out(run):
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 4, "ste')
    assert "3 of 3 epochs" in Page(report.write(run)).text


def test_a_run_that_has_hardly_begun_has_a_page(run):
    for name in ("metrics.jsonl", "training.gif", "nearest.png", "data.png"):
        (run / name).unlink()
    shutil.rmtree(run / "samples")
    page = Page(report.write(run))
    assert "0 of 3 epochs" in page.text and page.pictures == []


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_what_is_no_run_folder_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="is not a run folder of `ganzoo train`"):
        report.write(tmp_path)


def test_a_report_that_cannot_be_written_loses_nothing(train, tmp_path):
    (tmp_path / "run" / "report.html" / "in the way").mkdir(parents=True)
    (tmp_path / "run" / "config.json").write_text("{}")
    said = train(tmp_path / "run", 1)
    assert any("The report could not be written" in line for line in said)
    assert (tmp_path / "run" / "checkpoints" / "epoch-0001.keras").exists()


def test_nearest_images_that_cannot_be_written_lose_nothing(train, tmp_path, monkeypatch):
    def broken(*args, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(evaluation, "save_nearest", broken)
    said = train(tmp_path / "run", 1)
    assert "The nearest images could not be written: No space left on device" in said
    assert said[-1].startswith("Report: ")


def test_scores_of_a_model_that_trains_on_are_set_aside(train, run):
    for name in ("scores.json", "scores-best.json", "nearest.png"):
        (run / name).write_bytes(name.encode())
    train(run, 4)
    for name in ("scores-epoch-0003.json", "scores-best-epoch-0003.json"):
        assert (run / name).read_text() == name.replace("-epoch-0003", "")
    assert not (run / "scores.json").exists()
    assert (run / "nearest.png").read_bytes() != b"nearest.png"


@pytest.mark.parametrize("left", [False, True])
def test_a_run_that_was_killed_at_its_end_gets_its_page(train, run, left):
    report.write(run, running=True) if left else (run / "report.html").unlink()
    (run / "training.gif").unlink()
    assert train(run, 3) == [f"{run} has 3 epochs already. For more: --epochs 6"]
    assert len(Page(run / "report.html").pictures) == 2 + 1 + 4 + 1
    assert live.REFRESHED not in (run / "report.html").read_text()


def test_real_images_stand_beside_samples(run):
    lines = data_sheet.described(RunFolder(run))
    assert lines[0].endswith("co.npy: 64 images, 8×8×1, uint8")
    page = Page(report.write(run))
    assert "64 images, 8×8×1" in page.text and "As the model receives them." in page.text


def scored(run, *values):
    """Give a run scores; the last epoch is the newest."""
    rows = [
        {"epoch": i + 1, "step": i, "images": 5_000 * 2**i, "seconds": 60.0, "frechet[x]": value}
        for i, value in enumerate(values)
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_while_it_trains_the_page_is_loaded_again_and_has_a_forecast(run):
    scored(run, 90.0, 50.0)
    page = report.write(run, running=True)
    assert f'{live.REFRESHED} content="15">' in page.read_text()
    assert live.unfinished(RunFolder(run))
    assert re.search(r"forecast at \d+ \w+\s*\d+ (±|to) \d", Page(page).text)
    assert live.REFRESHED not in report.write(run).read_text()
    assert not live.unfinished(RunFolder(run))
    (run / "report.html").unlink()
    assert live.unfinished(RunFolder(run))


def test_the_outlook_of_a_run_is_over_its_minutes(run):
    scored(run, 90.0, 50.0)
    found = outlook.of_run(run)
    assert found.minutes == (1.0, 2.0) and found.now == (10_000, 2.0)
    assert found.speed == 5_000 and found.end == 3.0  # another 5,000 images of epoch 3
    (end, soon), (longer, late) = found.ahead
    assert (end, longer) == (3.0, 9.0) and late.median < soon.median < 50
    assert [round(one.images) for one in (soon, late)] == [15_000, 45_000]
    assert f"Fréchet distance {soon} at 3 minutes; {late} at 9 minutes" in str(found)
    assert found.facts()[0]["low"] == soon.low
    scored(run, 90.0, 50.0, 40.0)
    assert [minutes for minutes, _ in outlook.of_run(run).ahead] == [9.0]  # it has ended
    scored(run)
    assert outlook.of_run(run) is None and outlook.of_run(run, "frechet[x]") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, "[]", "null", "{}", '{"settings": 5}', "\x00"]
)
def test_a_damaged_run_next_to_it_changes_nothing(run, content):
    scored(run, 90.0, 50.0)
    other = RunFolder(run.parent / "other")
    wanted = outlook.earlier(other)
    damaged = shutil.copytree(run, run.parent / "damaged")
    (damaged / "config.json").write_text(content)
    assert outlook.earlier(other) == wanted != ()


def test_before_a_run_it_is_expected_to_be_like_those_beside_it(run):
    scored(run, 90.0, 50.0)
    settings = {"model": "vanilla", "data": ODD}
    other = RunFolder(run.parent / "other")
    [curve] = outlook.earlier(other)
    assert curve.values == (90.0, 50.0) and outlook.earlier(RunFolder(run)) == ()
    curve = dataclasses.replace(curve, floor=40.0)
    expected = outlook.expected(settings, "frechet[x]", [curve])
    assert expected.floor == 0  # that of another run is not shown as this one's, nor a bound
    levels = [forecast.level(x, [curve], forecast.recorded()[0])[0] for x in (expected, curve)]
    assert levels[0] > levels[1]  # of the whole score, and of what is above the floor
    assert outlook.expected(settings, "frechet[y]", [curve]) is None
    assert outlook.expected({**settings, "weights": "w"}, "frechet[x]", [curve]) is None


def test_minutes_do_not_count_epochs_that_had_none(run):
    scored(run, 90.0, 50.0, 40.0)  # an epoch a minute
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "minutes": 2}))
    found = outlook.of_run(run)
    assert found.minutes == (-2.0, -1.0, 0.0) and found.now == (20_000, 0.0)
    assert [minutes for minutes, _ in found.ahead] == [2.0, 6.0]
    row = {"epoch": 4, "images": 30_000, "seconds": 60.0, "frechet[x]": 30.0}
    json_lines.append(run / "metrics.jsonl", {**row, "spent": 90.0})
    found = outlook.of_run(run)
    assert found.minutes == (-1.5, -0.5, 0.5, 1.5) and found.end == 2.0
    json_lines.append(run / "metrics.jsonl", {**row, "epoch": 5, "images": 90_000, "spent": 600.0})
    assert outlook.of_run(run).ahead == [] and outlook.told(lambda: outlook.of_run(run)) == []
    assert "forecast at" not in Page(report.write(run)).text


def test_a_plan_forecasts_for_its_own_length(run):
    scored(run, 90.0, 50.0)
    survey = types.SimpleNamespace(size=(8, 8), channels=1, images=5_000)
    of = lambda length, left: planning.Plan(
        run=RunFolder(run),
        settings={"model": "vanilla", "data": ODD, **length},
        surveys=(survey,),
        speed=80.0,
        left=left,
    )
    assert of({"minutes": 60}, 3_600.0).expected.end == 60
    assert of({"epochs": 12}, None).expected.end == 12  # the record has 3


def test_a_forecast_for_three_times_the_length_alone_is_drawn():
    curve = forecast.Curve("frechet[x]", ODD, "vanilla")
    others = (forecast.Curve("frechet[x]", ODD, "vanilla", 1.0, (5_000,), (40.0,)),)
    found = outlook.Outlook(curve, (), (600, 1.0), speed=1_000, end=2.0, others=others)
    assert [minutes for minutes, _ in found.ahead] == [6.0]  # at the end there are too few images
    [axis] = report.score_figure(found).axes
    assert max(axis.lines[1].get_xdata()) == 6.0


def test_a_forecast_ends_no_training(run):
    scored(run, 90.0, 50.0)
    rows = [{**row, "images": row["epoch"]} for row in json_lines.read(run / "metrics.jsonl")]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert outlook.of_run(run).ahead == []  # of so few images nothing is known
    assert len(Page(report.write(run)).pictures) == 2 + 1 + 4 + 1
    assert outlook.told(lambda: 1 / 0) == ["The forecast could not be made: division by zero"]


def test_points_of_classes_are_drawn_as_dots(tmp_path):
    ds = datasets.load("ring", labels=True, batch_size=64, verbose=False)
    model = types.SimpleNamespace(num_classes=8, image_shape=(2,))
    run = RunFolder(tmp_path)
    data_sheet.write(types.SimpleNamespace(model=model, data=ds), run)
    with Image.open(run.data) as sheet:
        expected = images.grid(callbacks.first_examples(ds, 64)[0])
        np.testing.assert_array_equal(np.asarray(sheet), np.asarray(expected))
    assert "Row by row" not in " ".join(data_sheet.described(run))


def test_the_last_epoch_leaves_the_page_to_the_end(run, monkeypatch):
    monkeypatch.setattr(time_budget, "clock", lambda: now)
    said, now = [], 0.0
    callback = live.LiveReport(RunFolder(run), said.append)
    callback.set_params({"epochs": 3})
    page, was = run / "report.html", (run / "report.html").read_bytes()
    callback.on_epoch_end(2, {"frechet[x]": 1.0})
    assert page.read_bytes() == was
    scored(run, 90.0, 50.0)
    callback.on_epoch_end(1, {"frechet[x]": 1.0})
    assert live.REFRESHED in page.read_text() and said[0].startswith("Forecast: Fréchet distance ")
    page.unlink()
    now = live.PAUSE - 1
    for logs in ({"g_loss": 1.0}, {"frechet[x]": 1.0}):
        callback.on_epoch_end(1, logs)
    assert not page.exists() and len(said) == 2  # the forecast alone
    now = live.PAUSE
    callback.on_epoch_end(1, {"g_loss": 1.0})
    assert page.exists()
    (run / "config.json").write_text("{")
    now = 2 * live.PAUSE
    callback.on_epoch_end(1, {"frechet[x]": 1.0})
    assert said[-1].startswith("The report could not be written: ")


def test_what_is_damaged_or_old_is_left_out(run):
    (run / "scores.json").write_text("{")
    (run / "checkpoints" / "best.keras").write_text("{")
    rows = json_lines.read(run / "metrics.jsonl")
    old = [{"epoch": row["epoch"], "a_loss$\\b$": 1.0} for row in rows]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, [1, [2], *old])))
    page = Page(report.write(run))
    assert "3 of 3 epochs, 0 steps" in page.text and "Scores" not in page.text


def test_all_that_a_log_has_is_drawn():
    names = ("frechet[a]", "frechet[b]", "kernel[a]", "modes[a]", "learning_rate", "d_gp", "g_loss")
    log = [{"epoch": i, "step": i, **dict.fromkeys(names, i)} for i in (1, 2)]
    drawn = [x.get_label() for _, f in report.curves(log) for x in f.axes[0].lines]
    wanted = {"frechet[a]", "frechet[b]", "kernel", "modes", "learning_rate", "d_gp", "g_loss"}
    assert set(drawn) == wanted and len(drawn) == len(names)


def test_large_grids_are_made_smaller(tmp_path):
    path = tmp_path / "grid.png"
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), "uint8")
    Image.fromarray(noise).save(path)
    kind, _, content = pages.embedded(path).partition(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        assert (kind, picture.size) == ("data:image/webp", (pages.SIDE, pages.SIDE))
    assert len(content) < path.stat().st_size / 4


def test_notes_of_epochs_that_are_trained_again_are_dropped(train, run):
    for epoch in (1, 3):
        json_lines.append(run / "doctor.jsonl", {"epoch": epoch})
    (run / "checkpoints" / "epoch-0003.keras").unlink()
    train(run, 3)
    assert json_lines.read(run / "doctor.jsonl") == [{"epoch": 1}]


def test_epochs_to_show():
    assert report.some([]) == [] and report.some([0, 1, 5]) == [0, 1, 5]
    assert report.some(range(61)) == [0, 1, 2, 5, 10, 20, 60]
    assert report.some(range(0, 301, 3)) == [0, 6, 9, 21, 51, 99, 201, 300]
    for last in (9, 20, 300):
        shown = report.some(range(last + 1))
        assert shown[0] == 0 and shown[-1] == last and len(shown) <= report.GRIDS


@pytest.mark.parametrize("value", ["dcgan", "3", "None", 0.5, [1, 2], None, True, "a b"])
def test_settings_in_a_command_are_read_as_they_were(value):
    word = f"x={commands.literal(value)}"
    assert options.parse_settings([word]) == {"x": value}
    assert commands.literal("dcgan") == "dcgan"
