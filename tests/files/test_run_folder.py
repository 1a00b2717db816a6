"""The map of a run folder: every name once, and all files of a run by it."""

import ast
import pathlib

import pytest

import ganzoo
from ganzoo.files import locks
from ganzoo.files import run_folder
from ganzoo.files.published_folder import PublishedFolder
from ganzoo.files.run_folder import CheckpointFiles
from ganzoo.files.run_folder import RunFolder
from ganzoo.files.run_folder import SampleFiles

PACKAGE = pathlib.Path(ganzoo.__file__).parent
NAMES = [
    "config.json",
    "metrics.jsonl",
    "training.gif",
    "checkpoints",
    "best.keras",
    "scores.json",
    "scores-best.json",
    "nearest.png",
    "doctor.jsonl",
    "report.html",
    "README.md",
    "grid.png",
    "model.safetensors",
]
OTHERS = {("zoo/weights.py", "config.json"), ("runs/report.py", "report.html")}
"""A member of Keras's own files and the report's template, which have the same names."""


def strings(path):
    """Every text in a file of code but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.value


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_no_other_module_names_the_files_of_a_run(path):
    place = path.relative_to(PACKAGE).as_posix()
    if place in ("files/run_folder.py", "files/published_folder.py"):
        return
    named = {x for x in strings(path) if x in NAMES or x.lstrip(".-").startswith("epoch-")}
    assert {(place, name) for name in named} <= OTHERS


def test_the_names_are_those_of_runs_made_before():
    run = RunFolder("run")
    files = {
        "config.json": run.config,
        "metrics.jsonl": run.metrics,
        "samples/epoch-0012.png": run.samples.path(12),
        "training.gif": run.animation,
        "checkpoints/epoch-0012.keras": run.checkpoints.path(12),
        "checkpoints/epoch-12345.keras": run.checkpoints.path(12_345),
        "checkpoints/best.keras": run.checkpoints.best,
        "scores.json": run.scores,
        "scores-best.json": run.best_scores,
        "nearest.png": run.nearest,
        "doctor.jsonl": run.findings,
        "tensorboard": run.tensorboard,
        "report.html": run.report,
    }
    assert {name: pathlib.Path("run", name) for name in files} == files
    published = PublishedFolder("out")
    names = "README.md config.json grid.png nearest.png scores.json model.safetensors"
    assert published.files == tuple(pathlib.Path("out", name) for name in names.split())


def test_the_usual_folder_has_the_names_of_the_model_and_the_data():
    assert RunFolder.usual("dcgan", "digits").path == pathlib.Path("runs/dcgan-digits")
    assert RunFolder.usual("cgan", "a/b/faces.zip").path == pathlib.Path("runs/cgan-faces")
    assert RunFolder.usual("cgan", ".").path == pathlib.Path("runs/cgan-data")


def test_the_usual_runs_are_listed_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert RunFolder.usual_ones() == []
    for name in ("runs/b/checkpoints", "runs/a/checkpoints", "runs/empty", "elsewhere/checkpoints"):
        (tmp_path / name).mkdir(parents=True)
    assert list(map(str, RunFolder.usual_ones())) == ["runs/a", "runs/b"]


def test_a_run_folder_is_a_path_and_knows_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = RunFolder("~/run")
    assert pathlib.Path(run) == run.path == tmp_path / "run"
    assert str(run) == str(tmp_path / "run") and repr(run) == f"RunFolder({str(run)!r})"


def test_files_of_epochs_are_in_order_and_nothing_else_is_one_of_them(tmp_path):
    checkpoints = CheckpointFiles(tmp_path / "checkpoints")
    assert checkpoints.by_epoch() == {} and checkpoints.newest == 0
    checkpoints.folder.mkdir()
    for name in ("epoch-0002.keras", "epoch-10000.keras", "epoch-9999.keras", "best.keras"):
        (checkpoints.folder / name).touch()
    for name in ("epoch-.keras", "epoch-last.keras", "epoch-0007.png", "epoch-0008.keras.damaged"):
        (checkpoints.folder / name).touch()
    (checkpoints.folder / ".epoch-10001.partial.keras").touch()
    assert list(checkpoints.by_epoch()) == [2, 9_999, 10_000]
    assert all(path == checkpoints.path(epoch) for epoch, path in checkpoints.by_epoch().items())
    assert checkpoints.newest == 10_000
    assert [path.name for path in checkpoints.partial] == [".epoch-10001.partial.keras"]
    assert list(SampleFiles(checkpoints.folder).by_epoch()) == [7]


def test_a_damaged_checkpoint_is_kept_out_of_the_way(tmp_path):
    checkpoints = CheckpointFiles(tmp_path)
    checkpoints.path(3).write_text("half")
    checkpoints.keep_damaged(checkpoints.path(3))
    assert checkpoints.newest == 0
    assert (tmp_path / "epoch-0003.keras.damaged").read_text() == "half"


def test_a_run_has_begun_with_its_first_result(tmp_path):
    run = RunFolder(tmp_path)
    run.config.write_text("{}")
    assert not run.begun and not run.is_run
    run.checkpoints.folder.mkdir()
    assert not run.begun and run.is_run
    run.checkpoints.path(1).touch()
    assert run.begun
    run.checkpoints.path(1).unlink()
    run.metrics.touch()
    assert run.begun


def test_files_about_the_last_model_are_set_aside_when_it_trains_on(tmp_path):
    run = RunFolder(tmp_path)
    for path in (run.scores, run.best_scores, run.nearest, run.metrics):
        path.write_text(path.name)
    run.set_aside(7)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "scores-epoch-0007.json": "scores.json",
        "scores-best-epoch-0007.json": "scores-best.json",
        "nearest-epoch-0007.png": "nearest.png",
        "metrics.jsonl": "metrics.jsonl",
    }
    run.set_aside(8)  # there is nothing about a model of this epoch
    assert run_folder.of_epoch(run.scores, 7).exists()
    assert not run_folder.of_epoch(run.scores, 8).exists()


def test_the_newest_model_is_the_last_unless_a_training_goes_on(tmp_path):
    run = RunFolder(tmp_path)
    run.checkpoints.folder.mkdir()
    for epoch in (3, 4):
        run.checkpoints.path(epoch).touch()
    assert run.is_last(4) and not run.is_last(3)
    with locks.alone(tmp_path, pytest.fail):
        assert not run.is_last(4)


def test_other_models_have_their_score_sheets_next_to_that_of_the_last(tmp_path):
    sheet = tmp_path / "mine.json"
    assert run_folder.sheet_of(sheet, "last") == sheet
    assert run_folder.sheet_of(sheet, "best") == tmp_path / "mine-best.json"
