"""The command line: quick to start, the same words as in Python, errors in one line."""

import html
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
from click import testing
from PIL import Image

import ganzoo
from ganzoo import callbacks
from ganzoo import cli
from ganzoo import zoo
from ganzoo.cli import options
from ganzoo.cli import targets
from ganzoo.files import downloads
from ganzoo.files import locks
from ganzoo.files import safetensors
from ganzoo.files.run_folder import RunFolder
from ganzoo.zoo import catalogue

SCRIPT = pathlib.Path(sys.executable).with_name("ganzoo")
HANGS = 600
"""Seconds after which a program is taken to hang, however busy the machine is."""
TINY = ["--set", "channels=4", "--set", "latent_dim=6", "--batch-size", "32"]
UNSCORED = [*TINY, "--score-every", "0"]
MODULES = 280
"""Twice what a start imports with Python 3.11."""
FRAMEWORKS = {"tensorflow", "keras", "jax", "torch", "numpy", "sklearn", "PIL"}


def _call(*words):
    return testing.CliRunner().invoke(cli.main, [str(word) for word in words])


def _done(*words):
    """What a command prints that must succeed."""
    result = _call(*words)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def _fails(*words):
    """The one line that a command prints that must fail."""
    result = _call(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def _content(folder):
    return {
        p.relative_to(folder): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with 64 pictures, as an array and as arrays with eight classes."""
    folder = tmp_path_factory.mktemp("data")
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype="uint8")
    np.save(folder / "pictures.npy", images)
    np.savez(folder / "labelled.npz", images=images, labels=np.arange(64) % 8)
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A run folder, and what was printed while it was made."""
    out = tmp_path_factory.mktemp("runs") / "dcgan"
    words = ["train", "dcgan", "--data", data / "pictures.npy", "--epochs", 2, *UNSCORED, "-o", out]
    words += ["--checkpoint-seconds", 0]
    return out, _done(*words), words


@pytest.fixture(scope="module")
def conditional_run(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "cgan"
    _done("train", "cgan", "--data", data / "labelled.npz", "--epochs", 1, *UNSCORED, "-o", out)
    return out


# Starting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["list"], "dcgan        DCGAN: all-convolutional"),
        (["--help"], "The GAN zoo for Keras 3."),
        (["info", "dcgan"], "DCGAN (Radford, Metz, Chintala, 2015)"),
        (["--version"], f"ganzoo, version {ganzoo.__version__}"),
    ],
    ids=lambda x: x[0],
)
def test_a_command_that_needs_no_framework_imports_little(words, expected):
    result = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=True)
    assert expected in result.stdout
    assert result.stderr == ""
    # What the start costs, by no clock: the modules that Python reads for it, which it lists.
    command = [sys.executable, "-X", "importtime", SCRIPT, *words]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip() for line in found.splitlines()}
    assert "ganzoo.cli" in imported and len(imported) < MODULES
    assert not FRAMEWORKS & imported


def test_nothing_is_imported_before_it_must():
    program = f"""
import sys
from ganzoo import cli
for words in (["list"], ["list", "--weights"], ["info", "dcgan"], ["train", "--help"]):
    cli.main(words, standalone_mode=False)
print(sorted({FRAMEWORKS!r} & set(sys.modules)))
import numpy
assert {FRAMEWORKS!r} & set(sys.modules) == {{"numpy"}}  # it would be seen
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("fails", "expected"), [(False, "afterwards\n"), (True, "why it fails\nafterwards\n")]
)
def test_the_start_of_a_framework_is_quiet_unless_it_fails(fails, expected):
    program = f"""
import contextlib, os
from ganzoo.cli import startup
with contextlib.suppress(ImportError), startup.quiet_start():
    os.write(2, b"why it fails\\n")
    if {fails}:
        raise ImportError
os.write(2, b"afterwards\\n")
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stderr == expected


QUIET = r"^[IWEF]\d{4} |remapper failed|WARNING: All log messages"
"""Lines that TensorFlow's libraries write to the error output."""


def _without_level():
    return {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}


def _save_noise(folder):
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (32, 16, 16, 3), "uint8")):
        Image.fromarray(image).save(folder / f"{i}.png")


@pytest.mark.parametrize(
    "words",
    [
        ("translate", "cyclegan.apples_oranges", "0.png"),
        ("sample", "dcgan.mnist", "-n", "2"),
        ("export", "dcgan.mnist"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_uses_weights_prints_nothing_of_tensorflows(tmp_path, words):
    _save_noise(tmp_path)
    out = {"export": "x.safetensors"}.get(words[0], "x.png")
    result = subprocess.run(
        [SCRIPT, *words, "-o", out],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=_without_level(),
    )
    assert result.stderr == ""
    assert not re.search(QUIET, result.stdout, re.MULTILINE)


def test_a_training_on_the_command_line_prints_nothing_of_tensorflows(tmp_path):
    """So few channels and such small images are what its optimisations stumble over."""
    _save_noise(tmp_path)
    for model, *words in (
        ("r3gan", "--data", tmp_path, "--set", "channels=(8,4)", "--image-size", 16),
        ("dcgan", "--set", "channels=4", "--score-every", 0),
    ):
        out = ["--epochs", 1, "--batch-size", 16, "-o", tmp_path / f"run-{model}"]
        result = subprocess.run(
            [str(word) for word in (SCRIPT, "train", model, *words, *out)],
            capture_output=True,
            text=True,
            check=True,
            env=_without_level(),
        )
        assert result.stderr == ""
        assert not re.search(QUIET, result.stdout, re.MULTILINE)


def test_a_training_in_python_is_not_interrupted_by_tensorflows_errors(tmp_path):
    program = """
import sys
import ganzoo
model = ganzoo.get("dcgan", channels=4, seed=0)
ds = ganzoo.datasets.load("digits")
print("begin", file=sys.stderr, flush=True)
model.fit(ds, epochs=1, verbose=0)
model.generate(4)
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=_without_level(),
    )
    assert not re.search(QUIET, result.stderr.partition("begin")[2], re.MULTILINE)
    assert not re.search(r"^[EF]\d{4} ", result.stderr, re.MULTILINE)


def test_who_asks_for_tensorflows_messages_gets_them():
    program = "import ganzoo, os; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    for asked, found in (({}, "3"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0")):
        result = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**_without_level(), **asked},
        )
        assert result.stdout.strip() == found


def test_ctrl_c_counts_even_where_an_import_would_swallow_it():
    code = """
import signal
from ganzoo.cli import startup
with startup.quiet_start():
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        pass
print("and on")
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "\nInterrupted.\n")


def test_the_start_works_where_standard_error_is_closed():
    program = "from ganzoo.cli import startup\nwith startup.quiet_start(): print('inside')"
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "inside\n"


# Trained weights --------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A catalogue with one set of weights of digits, and its model's pictures."""
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, latent_dim=6, seed=0)
    path = tmp_path / "dcgan.digits.safetensors"
    safetensors.write(model, path)
    row = {
        "model": "dcgan",
        "file": path.name,
        "size": path.stat().st_size,
        "sha256": downloads.hash_of(path),
        "config": safetensors.read_header(path).config,
        "data": {"name": "digits", "licence": "CC BY 4.0"},
        "preprocessing": "none",
        "epochs": 3,
        "cpu_minutes": 1.5,
        "device": "a CPU",
        "seed": 0,
        "versions": {"keras": "3.15.1"},
        "scores": {"frechet[digits-classifier-v1]": {"value": 12.34, "floor": 1.8}},
        "passport": {"samples": 1000, "extractor": "digits-classifier-v1"},
        "command": "ganzoo train dcgan --data digits",
    }
    (tmp_path / "weights.json").write_text(json.dumps({"dcgan.digits": row}))
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "weights.json")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    return row, model.generate(4, seed=1)


def test_weights_are_listed_and_told_about(listed):
    row, _ = listed
    title, line = _done("list", "--weights").splitlines()
    judge = "Fréchet distances of 1,000 samples by digits-classifier-v1, floor 1.8"
    assert title == f"digits, CC BY 4.0; 8×8×1; {judge}"
    assert line.split() == ["dcgan.digits", "12.34", "0.0", "MB"]
    assert json.loads(_done("list", "--weights", "--json")) == ["dcgan.digits"]
    found = json.loads(_done("info", "dcgan.digits", "--json"))
    assert row.items() <= found.items()
    text = _done("info", "dcgan.digits")
    for part in (
        row["command"],
        row["sha256"],
        "frechet[digits-classifier-v1] = 12.34",
        "channels=4",
    ):
        assert part in text
    assert "Did you mean 'dcgan.digits'" in _fails("info", "dcgan.digit")


def _also(tmp_path, row, name, value, judge, *, shape=(8, 8, 1), floor=1.8, **more):
    """Put another row into the catalogue of `listed`."""
    path = tmp_path / "weights.json"
    frechet = {f"frechet[{judge}]": {"value": value, "floor": floor}}
    config = {**row["config"], "image_shape": list(shape), **more.pop("config", {})}
    changes = {"scores": {**frechet, **more.pop("scores", {})}, "config": config, **more}
    entries = {**json.loads(path.read_text()), name: {**row, **changes}}
    path.write_text(json.dumps(entries))


def test_only_distances_that_compare_are_listed_together(listed, tmp_path):
    row, own = listed[0], "digits-classifier-v1"
    _also(tmp_path, row, "dcgan.best", 3.5, own, config={"num_classes": 10})
    _also(tmp_path, row, "dcgan.eyes", 0.01, "pixels-16", floor=0.001)
    _also(tmp_path, row, "dcgan.large", 7.0, own, shape=(16, 16, 3))
    _also(tmp_path, row, "dcgan.few", 99.0, own, passport={"samples": 50})
    first, _, *lines = _done("list", "--weights").splitlines()
    assert first.startswith("Compare Fréchet distances within a group only")
    groups = {}
    for line in lines:
        if line.startswith(" "):
            groups[title].append(line.split())  # noqa: F821
        else:
            title = line
            groups[title] = []
    names = {title: [words[0] for words in members] for title, members in groups.items()}
    assert sorted(names.values()) == [
        ["dcgan.best", "dcgan.digits"],  # the best first
        ["dcgan.eyes"],
        ["dcgan.few"],
        ["dcgan.large"],
    ]
    for title, (first, *_) in names.items():
        assert ("16×16×3" in title) == (first == "dcgan.large")
        assert ("pixels-16, floor 0.001" in title) == (first == "dcgan.eyes")
        assert ("of 50 samples" in title) == (first == "dcgan.few")
    (best,) = [words for members in groups.values() for words in members if "classes" in words]
    assert best[:4] == ["dcgan.best", "3.5", "10", "classes"]
    # A pattern that leaves one group needs no warning.
    assert "compare" not in _done("list", "dcgan.[bd]*", "--weights")


def test_what_scores_warn_of_is_listed_and_told(listed, tmp_path):
    scores = {"recall[pixels-16]": {"value": 0.2, "floor": 0.8}}
    _also(tmp_path, listed[0], "dcgan.one", 3.5, "digits-classifier-v1", scores=scores)
    lines = _done("list", "--weights").splitlines()
    assert [line.split()[0] for line in lines if line.endswith("low variety")] == ["dcgan.one"]
    assert lines[-1] == "`ganzoo info NAME` explains low variety."
    assert "\nLow variety: recall 0.20, real images have 0.80;" in _done("info", "dcgan.one")
    found = json.loads(_done("info", "dcgan.one", "--json"))
    assert list(found["remarks"]) == ["low variety"]
    assert json.loads(_done("info", "dcgan.digits", "--json"))["remarks"] == {}


def test_publish_and_use(digits_run, tmp_path):
    out = tmp_path / "published"
    _done("publish", digits_run[0], "-o", out, "-n", 200)
    content = _content(out)
    _done("sample", out, "-n", 4, "-o", tmp_path / "grid.png")
    sheet = json.loads(_done("evaluate", out, "-n", 200, "--repeats", 1, "--json"))
    assert sheet["last"]["scores"] == json.loads((out / "scores.json").read_text())["scores"]
    assert _content(out) == content
    assert "not a run folder" in _fails("publish", out, "-o", tmp_path / "again")


def test_weights_by_their_names(listed, tmp_path):
    row, pictures = listed
    for i, words in enumerate((["dcgan.digits"], ["dcgan", "--weights", "digits"])):
        out = tmp_path / f"{i}.npz"
        _done("sample", *words, "-n", 4, "--seed", 1, "-o", out)
        difference = np.load(out)["images"].astype(int) - pictures
        assert np.abs(difference).max() <= 1
        sheet = json.loads(_done("evaluate", *words, "-n", 200, "--repeats", 1, "--json"))
        assert sheet["last"]["passport"]["samples"] == 200
    assert "Did you mean 'dcgan.digits'" in _fails("sample", "dcgan.digts")
    assert "'dcgan.safetensors'" in _fails("sample", "dcgan.safetensors")
    assert "--weights, or dcgan.digits, or give a run" in _fails("sample", "dcgan")


# Looking around ---------------------------------------------------------------------------------


def test_list_what_can_and_what_there_is_not():
    found = json.loads(_done("list", "--can", "translate", "--json"))
    assert found == ganzoo.list_models(can="translate")
    assert "No model matches 'zzz'" in _fails("list", "zzz")


def test_list_agrees_with_python():
    assert json.loads(_done("list", "--json")) == ganzoo.list_models()
    lines = _done("list").splitlines()
    assert [line.split() for line in lines] == [
        [name, *zoo.describe(name)["summary"].split()] for name in ganzoo.list_models()
    ]
    assert json.loads(_done("list", "*gan", "--json")) == ganzoo.list_models("*gan")
    lines = _done("list", "*gan").splitlines()
    assert [line.split()[0] for line in lines] == ganzoo.list_models("*gan")
    assert json.loads(_done("list", "--weights", "--json")) == ganzoo.list_models(weights=True)


def test_info_tells_of_every_argument():
    found = json.loads(_done("info", "dcgan", "--json"))
    assert found == json.loads(json.dumps(zoo.describe("dcgan")))
    assert found["arguments"]["channels"] == 64
    text = _done("info", "dcgan")
    assert found["doc"] in text
    for name, default in zoo.describe("dcgan")["arguments"].items():
        assert f"    {name} = {default!r}\n" in text


def test_wrong_words_exit_with_two():
    for words in (["trian"], ["list", "--colour"], ["sample"], ["train", "dcgan", "--epochs", "x"]):
        result = _call(*words)
        assert result.exit_code == 2
        assert "Usage: " in result.stderr
        assert "Traceback" not in result.output


def test_debug_shows_where_an_error_comes_from():
    assert "Did you mean 'dcgan'" in _fails("info", "dcgn")
    result = _call("info", "dcgn", "--debug")
    assert isinstance(result.exception, ValueError)
    process = subprocess.run([SCRIPT, "info", "dcgn", "--debug"], capture_output=True, text=True)
    assert process.returncode == 1
    assert "Traceback" in process.stderr
    assert "Did you mean 'dcgan'" in process.stderr.splitlines()[-1]
    process = subprocess.run([SCRIPT, "info", "dcgn"], capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stderr == _fails("info", "dcgn")


# Words ------------------------------------------------------------------------------------------


def test_settings_are_literals_or_else_words():
    assert options.parse_settings(
        [
            "channels=32",
            "ema_decay=None",
            "beta_1=0.5",
            "units=(8, 4)",
            "precision=float32",
            "a=b=c",
        ]
    ) == {
        "channels": 32,
        "ema_decay": None,
        "beta_1": 0.5,
        "units": (8, 4),
        "precision": "float32",
        "a": "b=c",
    }
    with pytest.raises(ValueError, match="--set takes key=value. Received: 'channels'"):
        options.parse_settings(["channels"])


def test_image_sizes():
    assert options.parse_image_size(None) is None
    assert options.parse_image_size("64") == 64
    assert options.parse_image_size("64x48") == options.parse_image_size("64X48") == (64, 48)
    for wrong in ("", "big", "64x", "64x48x3", "-64", "6.4"):
        with pytest.raises(ValueError, match=r"--image-size takes 64 or 64x48"):
            options.parse_image_size(wrong)


@pytest.mark.parametrize(
    ("form", "out", "expected"),
    [
        (None, None, ("grid", "samples.png")),
        ("png", None, ("png", "samples")),
        ("npz", None, ("npz", "samples.npz")),
        (None, "a/b.PNG", ("grid", "a/b.PNG")),
        (None, "a.jpg", ("grid", "a.jpg")),
        (None, "a.npz", ("npz", "a.npz")),
        (None, "folder", ("png", "folder")),
        (None, "folder.v1/", ("png", "folder.v1")),
        ("grid", "folder.v1", ("grid", "folder.v1")),
    ],
    ids=str,
)
def test_the_form_of_samples_follows_from_the_file(form, out, expected):
    assert targets.target(form, out) == (expected[0], pathlib.Path(expected[1]))
    with pytest.raises(ValueError, match=r"For a folder of this name, type 'a\.gif/'"):
        targets.target(None, "a.gif")


# train ------------------------------------------------------------------------------------------


def test_train_writes_a_run_folder(run, data):
    out, printed, _ = run
    assert f"epochs 1 to 2, in {out}" in printed
    assert "d_loss" in printed
    assert f"Samples: {out / 'samples' / 'epoch-0002.png'}" in printed
    settings = json.loads((out / "config.json").read_text())["settings"]
    assert settings["arguments"] == {"channels": 4, "latent_dim": 6}
    assert settings["data"] == str(data / "pictures.npy")
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 2), (2, 4)]
    assert sorted(p.name for p in out.iterdir()) == [
        "checkpoints",
        "config.json",
        "data.png",
        "metrics.jsonl",
        "nearest.png",
        "report.html",
        "samples",
        "training.gif",
    ]
    names = ["epoch-0001.keras", "epoch-0002.keras"]
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == names


def test_epochs_that_end_soon_after_one_another_are_not_all_saved(data, tmp_path):
    words = ["train", "dcgan", "--data", data / "pictures.npy", "--epochs", 2, *UNSCORED]
    _done(*words, "-o", tmp_path / "run", "--checkpoint-seconds", 1e9)
    assert list(RunFolder(tmp_path / "run").checkpoints.by_epoch()) == [2]


def test_train_again_does_nothing_or_refuses(run, tmp_path):
    out, _, words = run
    before = _content(out)
    assert _done(*words) == f"{out} has 2 epochs already. For more: --epochs 4\n"
    assert "other settings: seed was 0, not 5" in _fails(*words, "--seed", 5)
    assert _content(out) == before


def test_train_refuses_in_one_line(data, tmp_path):
    pictures = ["--data", data / "pictures.npy"]
    assert "Did you mean 'dcgan'" in _fails("train", "dcgn")
    out = ["-o", tmp_path / "run"]
    assert "'chanels'" in _fails("train", "dcgan", *pictures, *out, "--set", "chanels=3")
    assert "`epochs` must be at least 1" in _fails("train", "dcgan", *out, "--epochs", 0)
    assert "`seed` must be at least 0" in _fails("train", "dcgan", *out, "--seed", -1)
    assert "there are no labels" in _fails("train", "cgan", *pictures, *out)
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        message = _fails("train", "dcgan", *pictures, *TINY, "-o", place)
        assert f"The run folder {str(place)!r} cannot be written: " in message
    assert "not empty and not a run folder" in _fails("train", "dcgan", *pictures, "-o", tmp_path)


def test_an_interrupt_says_how_to_go_on(data, tmp_path):
    out = tmp_path / "run"
    words = ["train", "dcgan", "--data", data / "pictures.npy", *UNSCORED, "-o", out]
    process = subprocess.Popen(
        [SCRIPT, *words, "--epochs", "1000000", "--checkpoint-seconds", "1e9"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background are started with Ctrl-C ignored, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + HANGS
        while not (out / "samples" / "epoch-0002.png").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=HANGS)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert process.returncode == 130
    (saved,) = RunFolder(out).checkpoints.by_epoch()
    hint = f"Interrupted. The same command goes on after epoch {saved}."
    assert errors.splitlines()[-1] == hint
    # The epoch in which it came is the last that was trained, and it is kept.
    assert len((out / "metrics.jsonl").read_text().splitlines()) == saved >= 2
    assert "Traceback" not in errors
    if keras.backend.backend() == "tensorflow":
        assert "absl::InitializeLog" not in errors  # chatter of the start
    with Image.open(out / "training.gif") as gif:
        assert gif.n_frames >= 3


# benchmark --------------------------------------------------------------------------------------


def test_benchmark():
    words = ["benchmark", "cgan", *TINY[:4], "--image-size", "8", "--seconds", "0.2"]
    said = _done(*words)
    assert "cgan, 8×8×1, batch 64, float32" in said
    assert "training: " in said and "sampling: " in said
    found = json.loads(_done(*words, "--json", "--batch-size", "16"))
    assert found["batch_size"] == 16 and found["config"] == {"channels": 4, "latent_dim": 6}
    for what, first in (("training", "first_step"), ("sampling", "first_samples")):
        assert found[what] > 0 and found[first] > 0
    assert "Unknown model: 'dcgam'" in _fails("benchmark", "dcgam")
    assert "at least 8×8" in _fails("benchmark", "dcgan", "--image-size", "4")


# sample -----------------------------------------------------------------------------------------


def test_sample_a_grid(run, tmp_path):
    out, _, _ = run
    first, again, other = (tmp_path / name for name in ("a/1.png", "2.png", "3.png"))
    sample = ["sample", out, "-n", 9]
    assert _done(*sample, "--seed", 3, "-o", first) == f"9 samples: {first}\n"
    _done(*sample, "--seed", 3, "--batch-size", 4, "-o", again)
    _done(*sample, "--seed", 4, "-o", other)
    with Image.open(first) as grid:
        factor = grid.width // 28  # three cells of 8 pixels, four lines
        assert grid.size == (28 * factor, 28 * factor)
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_sample_arrays_and_single_files_hold_the_same(run, tmp_path):
    """From a run folder, its checkpoint, and a name with weights, in any form."""
    out, _, _ = run
    checkpoint = out / "checkpoints" / "epoch-0002.keras"
    expected = ganzoo.get("dcgan", weights=out).generate(5, seed=2)
    words = ["-n", 5, "--seed", 2]
    _done("sample", checkpoint, *words, "-o", tmp_path / "samples.npz")
    with np.load(tmp_path / "samples.npz") as file:
        np.testing.assert_array_equal(file["images"], expected)
    _done("sample", "dcgan", "--weights", out, *words, "-o", tmp_path / "folder")
    names = [f"{i:05d}.png" for i in range(5)]
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == names
    for name, image in zip(names, expected):
        with Image.open(tmp_path / "folder" / name) as picture:
            np.testing.assert_array_equal(np.asarray(picture), image[..., 0])
    words += ["--truncation", 0.5, "--format", "npz", "-o", tmp_path / "no ending"]
    _done("sample", "dcgan", "--weights", checkpoint, *words)
    with np.load(tmp_path / "no ending") as file:
        assert file["images"].shape == expected.shape
        assert not np.array_equal(file["images"], expected)


def test_sample_classes(conditional_run, tmp_path):
    model = ganzoo.get("cgan", weights=conditional_run)
    assert model.num_classes == 8  # of the labels in the file, not the model's ten
    for words, labels in (("7", 7), ("0,1", [0, 1, 0, 1]), ("3,2,1,0", [3, 2, 1, 0])):
        out = tmp_path / f"{words}.npz"
        _done("sample", conditional_run, "-n", 4, "--seed", 0, "--labels", words, "-o", out)
        with np.load(out) as file:
            np.testing.assert_array_equal(file["images"], model.generate(4, labels=labels, seed=0))
    out = ["-o", tmp_path / "no.png"]
    assert "0..7. Received labels from 8" in _fails("sample", conditional_run, "--labels", 8, *out)
    for wrong in ("seven", "1,,2", "", "1.5"):
        message = _fails("sample", conditional_run, "--labels", wrong, *out)
        assert f"--labels takes whole numbers: 7, or 0,1,2. Received: {wrong!r}." in message
    assert not (tmp_path / "no.png").exists()


def test_sample_classes_by_name(tmp_path):
    model = ganzoo.get("cgan", weights="fashion_mnist")
    for words, labels in (("Sneaker", 7), (" bag, 7 ,T-shirt/TOP", [8, 7, 0])):
        out = tmp_path / "named.npz"
        _done("sample", "cgan.fashion_mnist", "-n", 3, "--labels", words, "--seed", 1, "-o", out)
        with np.load(out) as file:
            np.testing.assert_array_equal(file["images"], model.generate(3, labels=labels, seed=1))
    message = _fails("sample", "cgan", "--weights", "fashion_mnist", "--labels", "sneakr")
    assert "Unknown class: 'sneakr'. Did you mean 'Sneaker'? Known: Ankle boot, Bag," in message
    assert "Class 7: Sneaker" in _done("info", "cgan.fashion_mnist")


def test_classes_of_a_folder_are_called_as_its_folders(tmp_path):
    for i, name in enumerate(("cat", "dog")):
        (tmp_path / "animals" / name).mkdir(parents=True)
        for k in range(8):
            picture = np.full((8, 8), 200 * i + k, "uint8")
            Image.fromarray(picture).save(tmp_path / "animals" / name / f"{k}.png")
    run, tiny = tmp_path / "run", [*UNSCORED, "--batch-size", 8]
    _done("train", "cgan", "--data", tmp_path / "animals", "--out", run, "--epochs", 1, *tiny)
    _done("publish", run, "-o", tmp_path / "gan", "--samples", 0)
    for place in (run, tmp_path / "gan"):
        out = tmp_path / "dogs.npz"
        words = ["--labels", "dog", "--seed", 0]
        _done("sample", "cgan", "--weights", place, "-n", 2, *words, "-o", out)
        with np.load(out) as file:
            expected = ganzoo.get("cgan", weights=place).generate(2, labels=1, seed=0)
            np.testing.assert_array_equal(file["images"], expected)
    facts = json.loads((tmp_path / "gan" / "config.json").read_text())
    assert facts["data"]["class_names"] == ["cat", "dog"]


def _named_run(folder, names, model):
    """What stands in for a run of a model of these classes: `--labels` looks at its record."""
    model.save(folder.joinpath("checkpoints", "epoch-0001.keras"))
    settings = {"data": "pictures"}
    (folder / "config.json").write_text(json.dumps({"settings": settings, "class_names": names}))
    return folder


@pytest.mark.parametrize(
    ("names", "asked", "numbers", "said"),
    [
        (["1", "2", "3"], "2", [1], ["Class 2 is number 1 of 0..2."]),
        (["1", "10", "2"], "2,10", [2, 1], ["Class 10 is number 1 of 0..2."]),
        (["0", "1", "2"], "2,0", [2, 0], []),
        (["1", "2", "3"], "0", [0], ["No class is called 0; using number 0, 1."]),
        (["2019", "2020"], "1, 2019", [1, 0], ["No class is called 1", "Class 2019 is number 0"]),
        (["01", "02", "11"], "2", [1], ["Class 02 is number 1"]),
        (["1", "2", "3"], "02", [1], ["Class 2 is number 1"]),
        (["02", "2"], "2,02", [1, 0], ["Class 2 is number 1", "Class 02 is number 0"]),
        (["cat", "Cat", "dog"], "Cat,cat,DOG,2", [1, 0, 2, 2], []),
        (["red, ripe", "red", "green"], "red, ripe,red,Green", [0, 1, 2], []),
    ],
)
def test_names_of_classes_come_before_their_numbers(names, asked, numbers, said, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(
        json.dumps({"settings": {"data": "pictures"}, "class_names": names})
    )
    lines = []
    assert targets.parse_classes(asked, "cgan", str(run), lines.append) == numbers
    assert len(lines) == len(said) and all(map(str.startswith, lines, said))


def test_names_of_classes_that_may_be_several_or_none_are_refused(tmp_path):
    for names, asked, message in (
        (["02", "2"], "002", "'002' matches '02', '2'"),
        (["cat", "Cat"], "CAT", "'CAT' matches 'cat', 'Cat'"),
        (["1", "2"], "two", "Unknown class: 'two'"),
        (["a,b", "c"], "a", "Unknown class: 'a'"),
    ):
        (tmp_path / "config.json").write_text(
            json.dumps({"settings": {"data": "pictures"}, "class_names": names})
        )
        with pytest.raises(ValueError, match=message):
            targets.parse_classes(asked, "cgan", str(tmp_path), print)


def test_what_a_label_means_is_said_beside_the_json(tmp_path):
    model = ganzoo.get("cgan", image_shape=(8, 8, 1), num_classes=3, channels=4, latent_dim=6)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    run = _named_run(tmp_path / "run", ["1", "2", "3"], model)
    words = ["sample", run, "-n", 2, "--seed", 0, "--labels", "2", "-o", tmp_path / "s.npz"]
    result = _call(*words, "--json")
    assert json.loads(result.stdout)["samples"] == 2
    assert result.stderr == "Class 2 is number 1 of 0..2.\n"
    with np.load(tmp_path / "s.npz") as file:
        np.testing.assert_array_equal(file["images"], model.generate(2, labels=1, seed=0))


def test_samples_are_not_mixed_with_what_is_in_the_folder(run, conditional_run, tmp_path):
    out = tmp_path / "out"
    _done("sample", run[0], "-n", 6, "-o", f"{out}/")
    before = _content(out)
    for words in (["-o", out], ["-o", f"{out}/"], ["-o", out, "--format", "png"]):
        message = _fails("sample", conditional_run, "--labels", 1, "-n", 2, *words)
        assert f"{str(out)!r} is not empty" in message and f"--out {out}-2/" in message
    assert _content(out) == before
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").write_text("")
    _done("sample", run[0], "-n", 2, "-o", tmp_path / "empty")
    assert "2 samples" in _done("sample", run[0], "-n", 2, "-o", tmp_path / "pictures.png/")
    for i in (3, 2):  # a file of all is replaced
        _done("sample", run[0], "-n", i, "-o", tmp_path / "some.npz")
    with np.load(tmp_path / "some.npz") as file:
        assert len(file["images"]) == 2


def test_sample_refuses_in_one_line(run, tmp_path):
    out, _, _ = run
    target = ["-o", tmp_path / "no.png"]
    assert "`n` must be at least 1. Received: 0" in _fails("sample", out, "-n", 0, *target)
    assert "`n` must be at least 1. Received: -3" in _fails("sample", out, "-n", -3, *target)
    assert "leave `labels` out" in _fails("sample", out, "--labels", 1, *target)
    assert "`truncation` must be" in _fails("sample", out, "--truncation", 0, *target)
    assert "Did you mean 'dcgan'" in _fails("sample", "dcgn", *target)
    assert "'gone.keras'" in _fails("sample", "gone.keras", *target)
    assert "without weights" in _fails("sample", "dcgan", *target)
    assert "'gone.keras'" in _fails("sample", "dcgan", "--weights", "gone.keras", *target)
    assert "not of 'cgan'" in _fails("sample", "cgan", "--weights", out, *target)
    assert "holds no checkpoint" in _fails("sample", tmp_path, *target)
    (tmp_path / "file").write_text("")
    _fails("sample", out, "-o", tmp_path / "file" / "no.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
    result = _call("sample", tmp_path, "--debug")
    assert isinstance(result.exception, ValueError)


def test_sample_refuses_files_that_are_not_ours(run, tmp_path):
    plain = tmp_path / "plain.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(plain)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("picture.png", b"")
    text = tmp_path / "text.txt"
    text.write_text("words")
    for path in (plain, archive, text):
        for words in ([path], ["dcgan", "--weights", path]):
            message = _fails("sample", *words, "-o", tmp_path / "no.png")
            assert f"{str(path)!r} is not a model that ganzoo saved" in message
    foreign = tmp_path / "foreign.keras"
    with zipfile.ZipFile(foreign, "w") as file:
        file.writestr("config.json", '{"registered_name": "mine>MyGAN", "config": {}}')
    message = _fails("sample", foreign, "-o", tmp_path / "no.png")
    assert "holds a 'mine>MyGAN', not one of ganzoo's own models" in message
    assert not (tmp_path / "no.png").exists()


# evaluate --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "digits"
    words = ["train", "cgan", "--epochs", 2, "--score-every", 1, *TINY, "--set", "num_classes=10"]
    return out, _done(*words, "-o", out)


QUICK = ["-n", 200, "--repeats", 2]


def test_train_scores_the_run_and_keeps_the_best(digits_run):
    out, said = digits_run
    lines = [json.loads(x) for x in (out / "metrics.jsonl").read_text().splitlines()]
    frechet = [line["frechet[digits-classifier-v1]"] for line in lines]
    assert all("class_agreement[digits-classifier-v1]" in line for line in lines)
    epoch, score, sheet = callbacks.read_best(out / "checkpoints" / "best.keras")
    assert epoch == 1 + int(np.argmin(frechet))
    assert sheet[score].value == min(frechet)
    expected = f"frechet: {frechet[-1]:.4g} at the last epoch, {min(frechet):.4g} at the best"
    assert expected in said


def test_evaluate_a_run_folder_scores_the_last_and_the_best(digits_run):
    out, _ = digits_run
    shown = _done("evaluate", out, *QUICK)
    assert "last: cgan" in shown and "best: cgan" in shown
    for name in ("scores.json", "scores-best.json"):
        sheet = ganzoo.ScoreSheet.load(out / name)
        assert sheet.passport["data"]["split"] == "test"
        assert sheet.passport["data"]["source"] == "digits"
        assert sheet["frechet"].error is not None and sheet["frechet"].floor is not None
    # Twelve samples, each beside its nearest training and held-out picture: 12 × 3 cells of 8 + 1.
    with Image.open(out / "nearest.png") as sheet:
        assert round(sheet.width / sheet.height, 2) == round(109 / 28, 2)
    # The command says what Python says.
    model = ganzoo.get("cgan", weights=out)
    again = ganzoo.evaluate(model, "digits", samples=200, repeats=2)
    assert again.to_dict() == ganzoo.ScoreSheet.load(out / "scores.json").to_dict()


def test_scores_while_a_training_runs_are_not_those_of_the_last_model(digits_run, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(digits_run[0], out, ignore=shutil.ignore_patterns("scores*", "nearest*"))
    before = _content(out)
    with locks.alone(out, pytest.fail):
        said = _done("evaluate", out, *QUICK, "--metrics", "diversity")
    assert str(out / "scores-epoch-0002.json") in said
    after = _content(out)
    assert {k: after[k] for k in before} == before  # the report is the training's to write
    new = ["nearest-epoch-0002.png", "scores-epoch-0002-best.json", "scores-epoch-0002.json"]
    assert sorted(map(str, set(after) - set(before))) == new


def test_scores_of_a_model_that_training_has_left_behind_are_of_their_epoch(
    digits_run, tmp_path, monkeypatch
):
    from ganzoo import runs

    out = tmp_path / "run"
    shutil.copytree(digits_run[0], out, ignore=shutil.ignore_patterns("scores*", "nearest*"))
    evaluate = runs.evaluate

    def meanwhile(*args, **kwargs):
        found = evaluate(*args, **kwargs)
        newest = out / "checkpoints" / "epoch-0002.keras"
        shutil.copy(newest, newest.with_name("epoch-0003.keras"))
        return found

    monkeypatch.setattr(runs, "evaluate", meanwhile)
    _done("evaluate", out, *QUICK, "--metrics", "diversity")
    assert (out / "scores-epoch-0002.json").exists() and not (out / "scores.json").exists()
    assert (out / "nearest-epoch-0002.png").exists() and not (out / "nearest.png").exists()
    monkeypatch.undo()
    _done("evaluate", out, *QUICK, "--metrics", "diversity")
    assert (out / "scores.json").exists() and (out / "nearest.png").exists()


def test_a_run_is_read_while_a_training_writes_to_it(digits_run, tmp_path):
    out, _ = digits_run
    with locks.alone(out, pytest.fail):
        _done("sample", out, "-n", 4, "-o", tmp_path / "samples.png")
        _done("film", out, "-o", tmp_path / "film.gif")
        _done("export", out, "-o", tmp_path / "weights.safetensors")
        _done("publish", out, "-o", tmp_path / "public", "-n", 0)
        error = _fails("train", "cgan", "--epochs", 3, *TINY, "--set", "num_classes=10", "-o", out)
    assert "Another training writes to" in error and f"process {os.getpid()} on " in error
    assert not [p for p in tmp_path.rglob("*") if p.name == locks.FILE]


# Names ------------------------------------------------------------------------------------------

WITHOUT_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("bilder-ü 字 😀".encode(), "bilder-ü 字 😀", marks=pytest.mark.slow),
        pytest.param(b"bad\xff\xfe", "bad��", marks=pytest.mark.slow),
        ("-a\nb'\"<i>%s&[red] 字 ".encode() + b"\xff", "-a\nb'\"<i>%s&[red] 字 �"),
    ],
    ids=["no-ascii", "no-utf-8", "all of it"],
)
def test_a_run_with_any_name_in_a_locale_without_utf_8(tmp_path, data, name, shown, monkeypatch):
    folder = os.path.join(os.fsencode(tmp_path), name)
    for kind in ("a", "b"):
        os.makedirs(os.path.join(folder, kind.encode()))
    for i, image in enumerate(np.load(data / "pictures.npy")):
        place = os.path.join(folder, b"ab"[i % 2 :][:1], b"\xff%d.png" % i)
        with open(place, "wb") as file:
            Image.fromarray(image[..., 0]).save(file, "png")
    run = b"runs/" + name

    def call(*words, **env):
        done = subprocess.run(
            [SCRIPT, *words], capture_output=True, cwd=tmp_path, env={**os.environ, **env}
        )
        assert done.returncode == 0, done
        assert b"could not" not in done.stdout + done.stderr
        return done.stdout

    train = [b"train", b"cgan", b"--data", name, *map(os.fsencode, UNSCORED), b"-o", run]
    said = call(*train, "--epochs", "1", **WITHOUT_UTF8)
    assert b"in " + run + b"\n" in said  # as it is
    monkeypatch.chdir(tmp_path)
    _done(*map(os.fsdecode, train), "--epochs", "2")
    scoring = ["-n", "16", "--extractor", "pixels"]
    call("publish", run, "-o", b"public" + name, *scoring, "--repeats", "1", **WITHOUT_UTF8)
    page = (tmp_path / os.fsdecode(run) / "report.html").read_text(encoding="utf-8")
    assert f"<h1>cgan on {html.escape(shown)}</h1>" in page.replace("&#34;", "&quot;").replace(
        "&#39;", "&#x27;"
    )
    card = (tmp_path / os.fsdecode(b"public" + name) / "README.md").read_text(encoding="utf-8")
    assert f"# cgan, trained on {shown}".replace("\n", " ") in card.splitlines()


@pytest.mark.parametrize("words", [["list"], ["list", "--weights"], ["info", "cgan.mnist"]])
def test_what_ganzoo_says_can_be_said_in_a_locale_without_utf_8(words):
    there, here = (
        subprocess.run([SCRIPT, *words], capture_output=True, check=True, env={**os.environ, **env})
        for env in (WITHOUT_UTF8, {"PYTHONUTF8": "1"})
    )
    assert there.stdout == here.stdout and there.stdout.decode("utf-8")
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    found = subprocess.run([SCRIPT, *words], capture_output=True, check=True, env=latin).stdout
    assert found == here.stdout.decode("utf-8").encode("latin-1", "replace")


def test_evaluate_as_json_with_some_metrics(digits_run, tmp_path):
    out, _ = digits_run
    words = ["--metrics", "frechet, diversity", "--extractor", "pixels", "-o", tmp_path / "s.json"]
    found = json.loads(_done("evaluate", out, *QUICK, *words, "--json"))
    assert sorted(found["last"]["scores"]) == ["diversity[pixels-16]", "frechet[pixels-16]"]
    saved = ganzoo.ScoreSheet.load(tmp_path / "s.json").to_dict()
    assert saved == found["last"]


def test_evaluate_exports_for_other_judges(digits_run, tmp_path):
    out, _ = digits_run
    words = ["evaluate", out, "-n", 30, "--repeats", 1, "--metrics", "diversity"]
    _done(*words, "--export", tmp_path / "judges")
    samples = sorted((tmp_path / "judges" / "samples").iterdir())
    # Of the labels that were asked for when it was scored: as the data has them.
    held_out = ganzoo.datasets.load("digits", split="test", labels=True, shuffle=False)
    known = np.sort(np.concatenate([np.asarray(labels) for _, labels in held_out]))
    labels = np.random.default_rng(0).permutation(known)[:30]
    expected = ganzoo.get("cgan", weights=out).generate(30, labels=labels, seed=0)
    assert len(samples) == 30
    for file, image in zip(samples, expected):
        np.testing.assert_array_equal(np.asarray(Image.open(file))[..., None], image)
    test = ganzoo.datasets.load("digits", split="test", shuffle=False)
    real = np.concatenate([np.asarray(batch) for batch in test])
    data = sorted((tmp_path / "judges" / "data").iterdir())
    read = np.stack([np.asarray(Image.open(file))[..., None] for file in data])
    order = lambda x: x[np.lexsort(x.reshape(len(x), -1).T)]
    np.testing.assert_array_equal(order(read), order(real))
    # Before anything is scored, and whichever of the two is there.
    (tmp_path / "half" / "data").mkdir(parents=True)
    (tmp_path / "half" / "data" / "other.png").write_bytes(b"")
    before = (out / "scores.json").stat().st_mtime_ns
    for place in ("judges", "half"):
        message = _fails(*words, "--export", tmp_path / place)
        assert "is not empty" in message and f"--export {tmp_path / place}-2/" in message
    assert not (tmp_path / "half" / "samples").exists()
    assert (out / "scores.json").stat().st_mtime_ns == before


@pytest.mark.filterwarnings("default:.* left out")
def test_what_a_training_left_out_is_left_out_when_it_is_judged(tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "run"
    folder.mkdir()
    for i, image in enumerate(np.random.default_rng(0).integers(0, 256, (64, 8, 8), "uint8")):
        Image.fromarray(image).save(folder / f"{i}.png")
    (folder / "damaged.png").write_bytes(b"no picture")
    begun = ["train", "dcgan", "--data", folder, "--epochs", 1, *UNSCORED, "-o", out]
    pixels = ["-n", 50, "--extractor", "pixels"]
    other = ["evaluate", out / "checkpoints" / "epoch-0001.keras", "--data", folder, *pixels]
    assert "damaged.png" in _fails(*begun)
    for words in (
        [*begun, "--skip-damaged"],
        ["evaluate", out, *pixels],
        ["publish", out, *pixels, "-o", tmp_path / "published"],
        [*other, "-o", tmp_path / "sheet.json", "--skip-damaged"],
    ):
        said = _call(*words)
        assert said.exit_code == 0
        left_out = f"Warning: 1 damaged images in {str(folder)!r} are left out: damaged.png"
        assert set(said.stderr.splitlines()) == {left_out}
    assert "damaged.png" in _fails(*other)
    for place in (out / "scores.json", tmp_path / "published" / "scores.json"):
        assert ganzoo.ScoreSheet.load(place).passport["data"]["count"] == 64


def test_evaluate_refuses_in_one_line(digits_run, run, tmp_path):
    out, _ = digits_run
    assert "Did you mean 'frechet'" in _fails("evaluate", out, "--metrics", "frechett")
    assert "Did you mean 'inception'" in _fails("evaluate", out, "--extractor", "incepton")
    assert "`samples` must be at least 2" in _fails("evaluate", out, "-n", 1)
    assert "is a model without weights" in _fails("evaluate", "dcgan")
    checkpoint = out / "checkpoints" / "epoch-0002.keras"
    assert "--data" in _fails("evaluate", checkpoint)
    assert "There is no file or folder" in _fails("evaluate", out, "--data", "./nowhere")


def test_completion_of_commands_and_names():
    for shell in ("bash", "zsh", "fish"):
        assert "_GANZOO_COMPLETE" in _done("completion", shell)
    environment = {**os.environ, "_GANZOO_COMPLETE": "bash_complete"}
    for words, wanted in (
        ("ganzoo tra", {"train", "translate"}),
        ("ganzoo train vae_", {"vae_gan"}),
        ("ganzoo train dcgan.f", {"dcgan.fashion_mnist"}),
        ("ganzoo sample dcgan.f", {"dcgan.fashion_mnist"}),
        ("ganzoo explore dcgan.f", {"dcgan.fashion_mnist"}),
        ("ganzoo train dcgan --data fash", {"fashion_mnist"}),
        ("ganzoo train dcgan --data pictures/", {"pictures/"}),  # the shell knows the files
    ):
        settings = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        found = subprocess.run(
            [SCRIPT], env={**environment, **settings}, capture_output=True, text=True, check=True
        )
        assert {line.split(",")[1] for line in found.stdout.split()} == wanted, words


@pytest.mark.parametrize("name", sorted(cli.main.commands))
def test_help_has_an_example_of_each_command(name):
    assert f"ganzoo {name}" in _done(name, "--help").split("Options:")[0].partition("\n")[2]


def test_json_is_all_that_is_printed(data, tmp_path):
    run = tmp_path / "run"
    words = ["--data", data / "pictures.npy", "--epochs", 2, *UNSCORED, "-o", run, "--json"]
    result = _call("train", "dcgan", *words)
    found, last = json.loads(result.stdout), (run / "metrics.jsonl").read_text().splitlines()[-1]
    assert found == {"run": str(run), "forecast": [], **json.loads(last)} and found["epoch"] == 2
    assert "Epoch 2/2: " in result.stderr and "\x1b" not in result.stderr
    assert json.loads(options.to_json({"a": float("nan"), "b": 1.5})) == {"a": "nan", "b": 1.5}
    # Again, when there is nothing left to do.
    assert json.loads(_call("train", "dcgan", *words).stdout) == found

    out = tmp_path / "some.npz"
    found = json.loads(_done("sample", run, "-n", 5, "-o", out, "--json"))
    assert found == {"samples": 5, "path": str(out)} and out.exists()
    out = tmp_path / "film.gif"
    assert json.loads(_done("film", run, "-o", out, "--json")) == {"path": str(out)}
    out = tmp_path / "weights.safetensors"
    found = json.loads(_done("export", run, "-o", out, "--json"))
    assert found == {"path": str(out), "format": "safetensors", "functions": []}
    result = _call("publish", run, "-o", tmp_path / "published", "-n", 0, "--json")
    facts = json.loads((tmp_path / "published" / "config.json").read_text())
    assert json.loads(result.stdout) == {"path": str(tmp_path / "published"), **facts}


def test_a_film_of_a_run(run, tmp_path, monkeypatch):
    import imageio_ffmpeg

    run, _, _ = run
    monkeypatch.chdir(tmp_path)
    for name in ("new/film.mp4", "film.gif", "a:b.mp4", "-y.mp4", f"{'f' * 251}.gif"):
        assert _done("film", run, "-o", name, "--seconds", "2").strip() == name
        assert (tmp_path / name).stat().st_size
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "new/film.mp4"))
    assert frames >= 3 and 2 <= seconds <= 5  # the last one stays
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames >= 2
    for words, wrong in (
        ([run, "-o", tmp_path / "film.avi"], ".mp4"),
        ([tmp_path, "-o", tmp_path / "film.mp4"], "not a run folder"),
    ):
        result = _call("film", *words)
        assert result.exit_code == 1 and wrong in result.stderr


def test_a_film_without_ffmpeg(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    result = _call("film", run[0], "-o", tmp_path / "film.mp4")
    assert result.exit_code == 1 and "pip install 'ganzoo[video]'" in result.stderr
    assert list(tmp_path.iterdir()) == []
