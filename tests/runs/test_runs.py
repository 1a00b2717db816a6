"""Run folders: whatever interrupts a training, the same command goes on as if nothing had."""

import dataclasses
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import types
import zipfile

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo import backend
from ganzoo import callbacks
from ganzoo import modalities
from ganzoo import runs
from ganzoo import zoo
from ganzoo.callbacks import checkpoints as checkpoints_module
from ganzoo.files import atomic
from ganzoo.files import locks
from ganzoo.files.run_folder import CheckpointFiles
from ganzoo.files.run_folder import RunFolder
from ganzoo.game import step as training_step
from ganzoo.runs import settings as settings_module
from ganzoo.runs.interrupts import Interrupts
from ganzoo.zoo import weights
from tests.helpers import run_quietly

pytestmark = pytest.mark.usefixtures("graphs_as_users_have_them")

# Dropout and an average: random state and more to be restored than weights.
TINY = {
    "generator_units": [8],
    "discriminator_units": [6],
    "pieces": 2,
    "latent_dim": 6,
    "ema_decay": 0.9,
    "precision": "float32",
}
EPOCHS = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """64 pictures, two steps of 32, in an `.npy` file."""
    path = tmp_path_factory.mktemp("data") / "pictures.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype="uint8"))
    return path


@pytest.fixture(scope="module")
def train(data):
    """`runs.train` of a tiny model; gives the model and what was said."""

    def train(out, epochs, model="vanilla", *, source=data, arguments=TINY, **kwargs):
        options = {"out": out, "epochs": epochs, "arguments": arguments, **kwargs}
        return run_quietly(model, source, **options)

    return train


@pytest.fixture(scope="module")
def whole(train, tmp_path_factory):
    """A run that nothing has interrupted, of `EPOCHS` epochs."""
    out = tmp_path_factory.mktemp("whole")
    train(out, EPOCHS)
    return out


def _assert_same(run, whole, epochs):
    """A run of so many epochs has the numbers and the pictures of the uninterrupted one."""
    assert _rows(run) == _rows(whole)[:epochs]
    pictures = _pictures(whole)
    names = [f"epoch-{i:04d}.png" for i in range(epochs + 1)]
    assert _pictures(run) == {name: pictures[name] for name in names}


def _rows(run):
    """Lines of the metrics without the time they took."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert all(row.pop("seconds") >= 0 and row.pop("cpu_seconds") >= 0 for row in rows)
    return rows


def _pictures(run):
    return {p.name: p.read_bytes() for p in (run / "samples").iterdir()}


def _content(folder):
    """Everything in a folder: path → bytes and time of the last change."""
    return {
        p.relative_to(folder): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


# A run --------------------------------------------------------------------------------------------


def test_a_run_folder_grows_and_equals_one_run_in_one_go(train, whole, tmp_path, data):
    run = tmp_path / "run"
    _, said = train(run, 2)
    assert said[0] == f"Training vanilla on {data}, epochs 1 to 2, in {run}"
    config = json.loads((run / "config.json").read_text())
    assert config["settings"] == {
        "model": "vanilla",
        "arguments": TINY,
        "data": str(data),
        "batch_size": 32,
        "image_size": None,
        "sample_rate": None,
        "length": None,
        "seed": 0,
        "on_error": "raise",
        "value_range": None,
        "weights": None,
    }
    assert config["epochs"] == 2
    assert config["command"] == sys.argv
    assert config["versions"]["ganzoo"] == ganzoo.__version__
    assert config["versions"]["backend"] == keras.backend.backend()
    rows = _rows(run)
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 2), (2, 4)]
    assert all(np.isfinite(row[name]) for row in rows for name in ("d_loss", "g_loss", "d_real"))
    assert sorted(_pictures(run)) == ["epoch-0000.png", "epoch-0001.png", "epoch-0002.png"]
    with Image.open(run / "samples" / "epoch-0002.png") as grid:
        assert grid.width == grid.height  # 8×8
    with Image.open(run / "training.gif") as gif:
        assert gif.n_frames == 3
    assert sorted(p.name for p in (run / "checkpoints").iterdir()) == [
        "epoch-0001.keras",
        "epoch-0002.keras",
    ]

    # Finished: it says so and touches nothing, not even the data.
    before = _content(run)
    for epochs in (2, 1):
        network, said = train(run, epochs)
        assert said == [f"{run} has 2 epochs already. For more: --epochs {2 + epochs}"]
        assert int(network.step) == 4
    assert _content(run) == before

    # More epochs: it goes on.
    lines = (run / "metrics.jsonl").read_text()
    _, said = train(run, 4)
    assert "epochs 3 to 4" in said[0]
    assert (run / "metrics.jsonl").read_text().startswith(lines)
    assert [row["epoch"] for row in _rows(run)] == [1, 2, 3, 4]
    with Image.open(run / "training.gif") as gif:
        assert gif.n_frames == 5
    assert list(RunFolder(run).checkpoints.by_epoch()) == [3, 4]

    _assert_same(run, whole, 4)


def test_other_settings_are_refused_and_nothing_changes(train, whole, tmp_path, data):
    before = _content(whole)
    other = tmp_path / "other.npy"
    np.save(other, np.load(data))
    for change, message in [
        ({"seed": 1}, "seed was 0, not 1"),
        ({"batch_size": 16}, "batch_size was 32, not 16"),
        ({"source": other}, f"data was {str(data)!r}, not {str(other)!r}"),
        ({"image_size": (8, 8)}, r"image_size was None, not [8, 8]"),
        ({"model": "dcgan", "arguments": {}}, "model was 'vanilla', not 'dcgan'"),
        ({"arguments": {**TINY, "pieces": 3}}, f"arguments was {TINY}, not "),
    ]:
        with pytest.raises(ValueError, match="holds a run with other settings") as error:
            train(whole, EPOCHS + 1, **change)
        assert message in str(error.value)
        assert "--out" in str(error.value)
    assert _content(whole) == before


@pytest.fixture
def pictures(tmp_path, data, monkeypatch):
    """The current folder has the same pictures as a folder, a zip and arrays, and a run of each."""
    monkeypatch.chdir(tmp_path)
    images = np.load(data)
    (tmp_path / "pics").mkdir()
    with zipfile.ZipFile("pics.zip", "w") as archive:
        for i, image in enumerate(images):
            Image.fromarray(image[..., 0]).save(f"pics/{i:02}.png")
            archive.write(f"pics/{i:02}.png")
    np.save("pics.npy", images)
    shutil.copytree("pics", "other")
    pathlib.Path("link").symlink_to("pics")
    pathlib.Path("elsewhere").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_data_is_the_same_whatever_path_leads_to_it(train, pictures, monkeypatch):
    for kind in ("pics", "pics.zip", "pics.npy"):
        run = pictures / f"run-{kind}"
        train(run, 1, source=kind)
        spellings = [f"./{kind}", f"elsewhere/../{kind}", f"~/{kind}", pathlib.Path(kind)]
        spellings += [pictures / kind, *(["pics/", "link", "link/"] if kind == "pics" else [])]
        for source in spellings:
            _, said = train(run, 1, source=source)
            assert said == [f"{run} has 1 epochs already. For more: --epochs 2"], source
        monkeypatch.chdir(pictures / "elsewhere")
        for source in (f"../{kind}", str(pictures / kind)):
            train(run, 1, source=source)
        # What was trained on is found from here as well.
        assert runs.data_of(run) == {"data": str(pictures / kind), "on_error": "raise"}
        monkeypatch.chdir(pictures)
        assert runs.data_of(run)["data"] == kind
        for source in ("other", "digits", "ring", "elsewhere", f"elsewhere/{kind}"):
            with pytest.raises(ValueError, match=f"data was '{kind}', not '{source}'"):
                train(run, 2, source=source)
    # And it goes on.
    train(pictures / "run-pics", 2, source="pics/")
    assert [row["epoch"] for row in _rows(pictures / "run-pics")] == [1, 2]


def test_the_same_words_may_mean_other_data(train, pictures, monkeypatch):
    train(pictures / "run", 1, source="pics")
    shutil.copytree("pics", "elsewhere/pics")
    monkeypatch.chdir(pictures / "elsewhere")
    with pytest.raises(ValueError) as error:
        train(pictures / "run", 1, source="pics")
    there, here = str(pictures / "pics"), str(pictures / "elsewhere" / "pics")
    assert f"data was {there!r}, not {here!r}" in str(error.value)
    # Where all of it has moved, they mean the same.
    shutil.rmtree(pictures / "pics")
    train(pictures / "run", 1, source="pics")
    train(pictures / "run", 1, source="./pics/")


def test_a_run_of_an_earlier_version_goes_on(train, pictures):
    train("run", 1, source="pics")
    path = pathlib.Path("run/config.json")
    record = json.loads(path.read_text())
    del record["directory"]
    for name in ("pics", "./pics", str(pictures / "pics")):
        record["settings"]["data"] = name
        path.write_text(json.dumps(record))
        train("run", 1, source="link")
        with pytest.raises(ValueError, match="data was"):
            train("run", 1, source="other")
        assert runs.data_of("run")["data"] == name
    # In a locale without UTF-8 it was written thus.
    pathlib.Path("bilder-ü").symlink_to("pics")
    record["settings"]["data"] = "bilder-\udcc3\udcbc"
    path.write_text(json.dumps(record))
    train("run", 1, source="bilder-ü")


def test_a_folder_named_as_a_built_in_data_set_is_the_data(train, pictures):
    pathlib.Path("pics").rename("digits")
    with pytest.warns(UserWarning, match="'digits' is a folder here"):
        train("run", 1, source="digits")
    for source in ("./digits", pathlib.Path("digits")):
        _, said = train("run", 1, source=source)
        assert said == ["run has 1 epochs already. For more: --epochs 2"]


def test_weights_are_the_same_whatever_path_leads_to_them(train, pictures):
    train("first", 1, source="pics")
    pathlib.Path("link-to-first").symlink_to("first")
    train("next", 1, source="pics", weights="first")
    for path in ("./first", "first/", pathlib.Path("first").resolve(), "link-to-first"):
        _, said = train("next", 1, source="pics", weights=path)
        assert said == ["next has 1 epochs already. For more: --epochs 2"]
    for other in (None, "second", "mnist"):
        with pytest.raises(ValueError, match="weights was 'first'"):
            train("next", 2, source="pics", weights=other)


def test_both_domains_are_the_same_whatever_paths_lead_to_them(train, pictures):
    words = {"model": "cogan", "arguments": {"channels": 2, "latent_dim": 4}}
    train("run", 1, source="pics", to="other", **words)
    train("run", 1, source="link", to="./other/", **words)
    for source, to in (("other", "other"), ("pics", "pics"), ("other", "pics")):
        with pytest.raises(ValueError, match="holds a run with other settings"):
            train("run", 2, source=source, to=to, **words)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"image_size": 8}, {"image_size": (8, 8)}),
        ({"image_size": [8, 8]}, {"image_size": np.int64(8)}),
        ({"image_size": (8, 6)}, {"image_size": [8, 6]}),
        ({"seed": np.int64(3)}, {"seed": 3}),
        ({"batch_size": 16}, {"batch_size": np.int32(16)}),
        ({"arguments": {"generator_units": (8,)}}, {"arguments": {"generator_units": [8]}}),
        (
            {"arguments": {"generator_units": np.array([8])}},
            {"arguments": {"generator_units": (8,)}},
        ),
        ({"arguments": {"learning_rate": 1}}, {"arguments": {"learning_rate": 1.0}}),
        (
            {"arguments": {"pieces": 2, "latent_dim": 4}},
            {"arguments": {"latent_dim": 4, "pieces": 2}},
        ),
        ({"arguments": {}}, {"arguments": {"precision": "auto", "latent_dim": 100}}),
        ({"arguments": {"generator_units": (1200, 1200)}}, {"arguments": None}),
    ],
    ids=str,
)
def test_settings_are_the_same_however_they_are_written(tmp_path, before, now):
    def written(change):
        said = {"arguments": {}, "image_size": None, "batch_size": 32, "seed": 0, **change}
        said["arguments"] = dict(said["arguments"] or {})
        return settings_module.plain({"model": "vanilla", "data": "digits", **said})

    run = RunFolder(tmp_path)
    settings_module.write_config(run, written(before), 1, None)
    run.metrics.touch()
    settings_module.check_settings(run, written(now))
    others = [{"image_size": 9}, {"image_size": (8, 7)}, {"seed": 1}, {"batch_size": 8}]
    others += [{"arguments": {"pieces": 3}}, {"arguments": {"generator_units": (8, 8)}}]
    for other in others:
        with pytest.raises(ValueError, match="holds a run with other settings"):
            settings_module.check_settings(run, written({**now, **other}))


def test_an_argument_that_the_run_was_not_given_is_as_its_model_has_it(
    train, tmp_path, monkeypatch
):
    """Whatever the default is today."""
    run, cls = tmp_path / "run", zoo.model_class("vanilla")
    given = {k: v for k, v in TINY.items() if k != "ema_decay"}
    train(run, 1, arguments=given)
    had = cls.arguments()["ema_decay"]
    today = {**cls.arguments(), "ema_decay": 0.25}
    monkeypatch.setattr(cls, "arguments", classmethod(lambda cls: today))
    settings = json.loads((run / "config.json").read_text())["settings"]
    for arguments in (given, {**given, "ema_decay": had}):
        settings_module.check_settings(RunFolder(run), {**settings, "arguments": arguments})
    with pytest.raises(ValueError, match="other settings"):
        changed = {**settings, "arguments": {**given, "ema_decay": 0.25}}
        settings_module.check_settings(RunFolder(run), changed)


def test_a_second_training_in_a_folder_ends_before_it_writes_anything(train, whole, monkeypatch):
    before = _content(whole)
    with locks.alone(whole, pytest.fail):
        lock = (whole / locks.FILE).read_bytes()
        for out in (whole, str(whole), whole / ".." / whole.name):
            with pytest.raises(BlockingIOError, match="Another training writes to .*--out"):
                train(out, EPOCHS + 1)
        assert (whole / locks.FILE).read_bytes() == lock
    assert _content(whole) == before


def test_a_folder_is_held_while_a_training_writes_there_and_no_longer(train, tmp_path, monkeypatch):
    held = []

    class Look(Exception):
        """Ends the training."""

    def look(self, *args, **kwargs):
        held.append(locks.holder(tmp_path / "run"))
        raise Look

    monkeypatch.setattr(zoo.model_class("vanilla"), "fit", look)
    for out in (tmp_path / "run", tmp_path / "link"):
        with pytest.raises(Look):
            train(out, 1)
        (tmp_path / "link").symlink_to("run") if out.name == "run" else None
    assert len(held) == 2 and all(f"process {os.getpid()} on " in x for x in held)
    assert locks.holder(tmp_path / "run") is None
    assert not (tmp_path / "run" / locks.FILE).exists()


def test_a_lock_that_a_kill_has_left_stops_nobody(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / locks.FILE).write_bytes(b'\n{"pid": 1, "host": "here", "since": 0}')
    train(tmp_path / "run", 1)
    assert [row["epoch"] for row in _rows(tmp_path / "run")] == [1]
    assert not (tmp_path / "run" / locks.FILE).exists()


def test_a_tilde_is_the_home_folder(train, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    train("~/run", 1)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert runs.film("~/run", "~/film.gif") == tmp_path / "film.gif"
    (tmp_path / "run" / "report.html").unlink()
    assert runs.write_report("~/run", pytest.fail) == tmp_path / "run" / "report.html"


def test_what_is_misspelt_leaves_no_folder(train, tmp_path):
    with pytest.raises(FileNotFoundError, match="typo.npy"):
        train(tmp_path / "a" / "run", 1, source=tmp_path / "typo.npy")
    assert not (tmp_path / "a").exists()


def test_a_run_that_has_not_begun_may_begin_with_other_settings(tmp_path):
    run = RunFolder(tmp_path / "run")
    settings_module.write_config(run, {"model": "dcgan"}, 1, None)
    settings_module.check_settings(run, {"model": "vanilla"})
    run.metrics.touch()
    with pytest.raises(ValueError, match="model was 'dcgan', not 'vanilla'"):
        settings_module.check_settings(run, {"model": "vanilla"})


def test_folders_of_others_are_left_alone(train, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    before = _content(foreign)
    with pytest.raises(ValueError, match="is not empty and not a run folder.*--out"):
        train(foreign, 1)
    assert _content(foreign) == before

    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "metrics.jsonl").write_text('{"epoch": 1}\n')
    for config in ("not json", "[]", "{}", '{"settings": 3}'):
        (damaged / "config.json").write_text(config)
        with pytest.raises(ValueError, match=r"config\.json' is damaged"):
            train(damaged, 1)


def test_a_folder_that_cannot_be_written(train, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(OSError, match=r"cannot be written: .*Choose another with --out"):
            train(out, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"checkpoint_seconds": -1}, "`checkpoint_seconds` must be at least 0"),
        ({"arguments": {"seed": 3}}, "Give the seed by --seed"),
        ({"arguments": {"latent_dim": 0}}, "`latent_dim` must be at least 1"),
    ],
    ids=lambda x: str(x),
)
def test_wrong_arguments_leave_no_folder(train, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "run", **{"epochs": 1, **change})
    assert not (tmp_path / "run").exists()


def test_a_misspelt_argument_is_named_with_the_one_that_is_meant(tmp_path):
    message = r"Unknown argument of `train`: 'epoch'\. Did you mean 'epochs'\?"
    with pytest.raises(TypeError, match=message):
        runs.train("vanilla", out=tmp_path / "run", epoch=1)
    assert not (tmp_path / "run").exists()


def test_checkers_know_the_arguments_of_train():
    fields = {field.name: field.type for field in dataclasses.fields(settings_module.Settings)}
    assert list(fields)[:2] == ["model", "data"]
    assert dict(list(fields.items())[2:]) == settings_module.Options.__annotations__


def test_classes_come_from_the_labels(train, tmp_path, rng, monkeypatch):
    class Enough(Exception):
        """Raised where training would begin."""

    fitted = []

    def fit(self, *args, **kwargs):
        fitted.append(self)
        raise Enough

    monkeypatch.setattr(zoo.model_class("cgan"), "fit", fit)
    images = rng.integers(0, 256, (32, 8, 8, 1), dtype="uint8")
    labelled = tmp_path / "labelled.npz"
    np.savez(labelled, images=images, labels=np.arange(32) % 3)
    folder = tmp_path / "pictures"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for i in range(16):
            Image.fromarray(images[i, ..., 0]).save(folder / name / f"{i}.png")
    for source, arguments, classes in (
        (labelled, {}, 3),
        (labelled, {"num_classes": 5}, 5),
        (folder, {}, 2),
    ):
        with pytest.raises(Enough):
            train(tmp_path / "run", 1, "cgan", source=source, arguments=arguments, seed=7)
        assert (fitted[-1].num_classes, fitted[-1].seed) == (classes, 7)


# Interruptions ------------------------------------------------------------------------------------


def test_a_damaged_checkpoint_falls_back_to_the_one_before(train, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    newest = run / "checkpoints" / f"epoch-{EPOCHS:04d}.keras"
    newest.write_bytes(newest.read_bytes()[:5000])
    _, said = train(run, EPOCHS)
    assert said[0] == f"{newest} cannot be read (ValueError); trying the one before."
    assert f"epochs {EPOCHS} to {EPOCHS}" in said[1]
    _assert_same(run, whole, EPOCHS)
    assert newest.with_name(f"{newest.name}.damaged").exists()
    assert list(RunFolder(run).checkpoints.by_epoch()) == [EPOCHS - 1, EPOCHS]

    # None can be read: what the run has is not thrown away by beginning again.
    for path in (run / "checkpoints").glob("*.keras"):
        path.write_text("damaged")
    before = _content(run)
    with pytest.raises(ValueError, match="No checkpoint in .* can be read"):
        train(run, EPOCHS + 1)
    assert _content(run) == before


def test_a_checkpoint_that_another_process_does_not_see_is_not_damaged(
    train, whole, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    before = _content(run)
    monkeypatch.setattr(backend, "gathered", lambda number: [number, 0])
    with pytest.raises(OSError, match="process 1 cannot: all need the run folder, on a file"):
        train(run, EPOCHS + 1)
    assert _content(run) == before


def test_a_checkpoint_of_which_keras_would_skip_a_part_is_refused(train, whole, tmp_path):
    """Keras only warns where an optimizer's state does not fit: the run would not be the same."""
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    for path in list((run / "checkpoints").iterdir()):
        with zipfile.ZipFile(path) as file:
            content = {name: file.read(name) for name in file.namelist()}
        weights_of = io.BytesIO(content["model.weights.h5"])
        with h5py.File(weights_of, "r+") as file:
            del file["optimizer/optimizers/adam/vars/5"]
        with zipfile.ZipFile(path, "w") as file:
            for name, value in {**content, "model.weights.h5": weights_of.getvalue()}.items():
                file.writestr(name, value)
    before = _content(run)
    with pytest.raises(ValueError, match="they are damaged, or of another version of ganzoo"):
        train(run, EPOCHS + 1)
    assert _content(run) == before


def test_an_interrupt_leaves_what_there_is(train, whole, tmp_path, monkeypatch):
    run = tmp_path / "run"
    save = atomic.save_atomically

    def interrupted(model, path):
        if path.name == "epoch-0002.keras":
            raise KeyboardInterrupt
        save(model, path)

    monkeypatch.setattr(checkpoints_module, "save_atomically", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(run, 3)
    _assert_same(run, whole, 2)
    with Image.open(run / "training.gif") as gif:
        assert gif.n_frames == 3
    assert list(RunFolder(run).checkpoints.by_epoch()) == [1]


@pytest.fixture
def usual_ctrl_c():
    """Python's own way with it, whatever this process was started with."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_the_epoch_then_the_step_then_all(usual_ctrl_c):
    said = []
    with Interrupts(said.append, lambda: 21) as interrupts:
        interrupts.set_model(types.SimpleNamespace(stop_training=False))
        interrupts.on_train_batch_end(0)
        interrupts.on_epoch_end(0)
        assert not interrupts.model.stop_training
        signal.raise_signal(signal.SIGINT)  # is noted, wherever Python is
        assert said[0].startswith("Stopping at the end of this epoch. Ctrl-C again: now")
        assert said[0].endswith("since epoch 21.")
        interrupts.on_train_batch_end(1)
        interrupts.on_epoch_end(1)
        assert interrupts.model.stop_training
        signal.raise_signal(signal.SIGINT)
        assert said[1:] == ["Stopping after this step. Ctrl-C again: at once."]
        with pytest.raises(KeyboardInterrupt):
            interrupts.on_train_batch_end(1)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_one_process_ends_all(monkeypatch):
    monkeypatch.setattr(backend, "gathered", lambda number: [number, 1])
    interrupts = Interrupts(print, lambda: 0)
    interrupts.set_model(types.SimpleNamespace(stop_training=False))
    interrupts.on_epoch_end(0)
    assert interrupts.stopping and interrupts.model.stop_training


def test_ctrl_c_while_processes_wait_for_each_other_is_not_lost(monkeypatch):
    interrupts = Interrupts(lambda line: None, lambda: 0)
    interrupts.set_model(types.SimpleNamespace(stop_training=False))

    def wait(number):
        interrupts._handle(signal.SIGINT, None)
        return [number, 0]

    monkeypatch.setattr(backend, "gathered", wait)
    interrupts.on_epoch_end(0)
    assert not interrupts.model.stop_training  # all agreed on that
    monkeypatch.setattr(backend, "gathered", lambda number: [number, 0])
    interrupts.on_epoch_end(1)
    assert interrupts.model.stop_training


def test_who_ignores_ctrl_c_goes_on_ignoring_it(usual_ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts(print, lambda: 0) as interrupts:
        signal.raise_signal(signal.SIGINT)
        interrupts.on_train_batch_end(0)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


# `ganzoo`, which waits before its last epochs: however late it is killed, it has not ended.
WAITS = f"""
import sys
from ganzoo import callbacks
from ganzoo import cli

write = callbacks.MetricsLog.on_epoch_end

def wait(self, epoch, logs=None):
    write(self, epoch, logs)
    if epoch + 1 == {EPOCHS - 2}:
        sys.stdin.read()

callbacks.MetricsLog.on_epoch_end = wait
cli.main()
"""


def test_killed_twice_equals_uninterrupted(train, whole, tmp_path, data):
    """SIGKILL at random moments of a real process, each time followed by the same command."""
    run = tmp_path / "run"
    words = ["--batch-size", "32", "--epochs", str(EPOCHS), "--checkpoint-seconds", "0"]
    words += [w for k, v in TINY.items() for w in ("--set", f"{k}={v}")] + ["--score-every", "0"]
    command = [sys.executable, "-c", WAITS, "train", "vanilla", "--data", data, *words, "-o", run]
    moments = random.Random(0)
    metrics = run / "metrics.jsonl"
    for lines in (2, 8):
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            deadline = time.monotonic() + 600
            while not metrics.exists() or metrics.read_text().count("\n") < lines:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    pytest.fail(f"It never came to epoch {lines}: {process.stderr.read()}")
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
            process.wait()
        assert process.returncode == -9
        assert len(metrics.read_text().splitlines()) < EPOCHS
    _, said = train(run, EPOCHS)
    assert f"to {EPOCHS}, in" in said[0]
    assert "epochs 1 to" not in said[0]  # it has gone on, not begun again
    _assert_same(run, whole, EPOCHS)


# Callbacks ----------------------------------------------------------------------------------------


class _Model:
    """What callbacks need of a model."""

    step = 7
    examples_per_step = 10
    averages = types.SimpleNamespace(since=0)
    modality = modalities.Images((2, 2, 1))

    variables = ()
    optimizer = types.SimpleNamespace(variables=())

    def __init__(self):
        self.asked = []

    def save(self, path):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("content", "whole")

    def generate(self, n, *, seed):
        self.asked.append((n, seed))
        return np.full((n, 2, 2, 1), 10 * len(self.asked), "uint8")


def _attach(callback, model=None, epochs=10):
    callback.set_model(model or _Model())
    callback.set_params({"epochs": epochs})
    return callback


def test_metrics_log_drops_what_is_trained_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"epoch": i}) + "\n" for i in (1, 2, 3)]
    path.write_text("".join(lines) + '{"epoch": 4, "d_lo')  # cut short by a kill
    log = _attach(callbacks.MetricsLog(path))
    log.on_epoch_begin(2)
    assert path.read_text() == "".join(lines[:2])
    log.on_epoch_end(2, {"d_loss": np.float32(0.5)})
    log.on_epoch_begin(3)
    log.set_params({"budget": types.SimpleNamespace(spent=90.0)})
    log.on_epoch_end(3)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[2].pop("seconds") >= 0 and rows[2].pop("cpu_seconds") >= 0
    assert rows[2] == {"epoch": 3, "step": 7, "images": 70, "d_loss": 0.5}
    assert "spent" not in rows[2] and rows[3]["spent"] == 90.0


def test_metrics_log_mends_a_line_without_an_end(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n3\n{"epoch": 2}')
    log = _attach(callbacks.MetricsLog(path))
    log.on_epoch_begin(2)
    log.on_epoch_end(2)
    assert [json.loads(x)["epoch"] for x in path.read_text().splitlines()] == [1, 2, 3]


def test_sample_grid_always_uses_the_same_latents(tmp_path):
    model = _Model()
    grid = _attach(callbacks.SampleGrid(tmp_path / "samples", n=4, seed=3), model)
    for epoch in range(2):
        grid.on_epoch_begin(epoch)
        grid.on_epoch_end(epoch)
    assert model.asked == [(4, 3)] * 3
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == [
        f"epoch-{i:04d}.png" for i in range(3)
    ]
    # And a real generator that has not been trained makes the same of them.
    network = ganzoo.get("vanilla", image_shape=(8, 8, 1), seed=0, **TINY)
    grid = _attach(callbacks.SampleGrid(tmp_path / "real", n=4, seed=3), network)
    grid.on_epoch_end(0)
    grid.on_epoch_end(1)
    first, second = sorted((tmp_path / "real").iterdir())
    assert first.read_bytes() == second.read_bytes()


def test_sample_grid_never_leaves_half_an_image(tmp_path, monkeypatch):
    grid = _attach(callbacks.SampleGrid(tmp_path, n=1))
    grid.on_epoch_end(0)
    before = _content(tmp_path)

    def fails(picture, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fails)
    grid.say = lambda line: said.append(line)
    said = []
    grid.on_epoch_end(0)
    assert len(said) == 1 and "samples of epoch 1 could not be written: disk full" in said[0]
    assert _content(tmp_path) == before


def test_checkpoints_keep_two(tmp_path):
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0))
    checkpoints.on_train_begin()
    for epoch in range(9_997, 10_001):  # names no longer sort as their numbers do
        checkpoints.on_epoch_end(epoch)
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [10_000, 10_001]
    assert len(list(tmp_path.iterdir())) == 2


def test_checkpoints_of_a_longer_run_do_not_push_out_new_ones(tmp_path):
    for epoch in (59, 60):
        (tmp_path / f"epoch-{epoch:04d}.keras").write_text("older")
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0))
    for epoch in range(3):
        checkpoints.on_epoch_end(epoch)
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [2, 3, 59, 60]


def test_checkpoints_are_rare_but_the_last_epoch_is_saved(tmp_path, monkeypatch):
    now = [100.0]
    clock = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(checkpoints_module, "time", clock)
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=10), epochs=6)
    saved = []
    monkeypatch.setattr(
        checkpoints_module, "save_atomically", lambda model, path: saved.append(path.name)
    )
    for epoch in range(6):
        now[0] += 4
        checkpoints.on_epoch_end(epoch)
    checkpoints.on_train_end()
    assert saved == ["epoch-0003.keras", "epoch-0006.keras"]


def test_checkpoints_save_when_another_callback_ends_the_training(tmp_path):
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=1000), epochs=9)
    checkpoints.on_epoch_end(0)
    checkpoints.on_epoch_end(1)
    assert list(tmp_path.iterdir()) == []
    checkpoints.on_train_end()
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [2]


def test_a_failing_save_leaves_the_checkpoints_before_it(tmp_path):
    model = _Model()
    checkpoints = _attach(callbacks.Checkpoints(tmp_path / "checkpoints", seconds=0), model)
    checkpoints.on_train_begin()
    checkpoints.on_epoch_end(0)
    checkpoints.on_epoch_end(1)
    before = _content(tmp_path)

    def fails(path):
        pathlib.Path(path).write_text("half")
        raise OSError("disk full")

    model.save = fails
    said = []
    checkpoints.say = said.append
    checkpoints.on_epoch_end(2)
    assert said == [
        "The checkpoint of epoch 3 could not be written: disk full. The training goes on and tries "
        "again after the next epoch."
    ]
    assert _content(tmp_path) == before


def test_what_a_kill_leaves_is_no_checkpoint_and_is_cleared_away(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    seen = []

    class Killed(_Model):
        def save(self, path):
            super().save(path)
            seen.append(pathlib.Path(path))

    atomic.save_atomically(Killed(), folder / "epoch-0003.keras")
    partial = seen[0]
    assert partial.parent == folder
    (folder / "epoch-0003.keras").unlink()
    partial.write_text("half")  # as a kill while it is written leaves it
    assert CheckpointFiles(folder).by_epoch() == {}
    with pytest.raises(ValueError, match="holds no checkpoint"):
        weights.find(tmp_path)
    _attach(callbacks.Checkpoints(folder)).on_train_begin()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("seconds", [-1, "often", float("nan")], ids=str)
def test_seconds_between_checkpoints_are_checked(tmp_path, seconds):
    with pytest.raises((ValueError, TypeError), match="`seconds` must be"):
        callbacks.Checkpoints(tmp_path, seconds=seconds)


def test_a_model_that_has_diverged_is_not_saved(tmp_path):
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0), epochs=3)
    checkpoints.on_epoch_end(0, {"d_loss": 1.0})
    checkpoints.on_epoch_end(1, {"d_loss": float("nan")})
    checkpoints.on_epoch_end(2, {"d_loss": 1.0, "g_loss": float("inf")})
    checkpoints.on_train_end()
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [1]


def test_an_infinite_score_is_no_divergence(tmp_path):
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0), epochs=3)
    checkpoints.on_epoch_end(0, {"d_loss": 1.0, "modes_kl[points]": float("inf")})
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [1]


def test_a_model_whose_weights_broke_in_the_last_step_is_not_saved(tmp_path):
    model = ganzoo.get("vanilla", image_shape=(8, 8, 1), seed=0, **TINY)
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0), model, epochs=2)
    checkpoints.on_epoch_end(0, {"d_loss": 1.0})
    weight = model.generator.weights[-1]
    weight.assign(np.full(weight.shape, np.nan))
    checkpoints.on_epoch_end(1, {"d_loss": 1.0})
    checkpoints.on_train_end()
    assert list(CheckpointFiles(tmp_path).by_epoch()) == [1]


def test_a_model_whose_optimizer_broke_is_not_saved(tmp_path):
    model = ganzoo.get("vanilla", image_shape=(8, 8, 1), seed=0, **TINY)
    checkpoints = _attach(callbacks.Checkpoints(tmp_path, seconds=0), model, epochs=2)
    moment = model.optimizer["generator"].variables[-1]
    moment.assign(np.full(moment.shape, np.inf))  # the weight would never move again
    checkpoints.on_epoch_end(0, {"d_loss": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_written_whole_does_not_replace_what_was(tmp_path):
    model = ganzoo.get("vanilla", image_shape=(8, 8, 1), seed=0, **TINY)
    path = tmp_path / "model.keras"
    atomic.save_atomically(model, path)
    before = _content(tmp_path)
    save = model.save

    def wrongly(path):
        save(path)
        content = bytearray(pathlib.Path(path).read_bytes())
        content[len(content) // 2] ^= 1
        pathlib.Path(path).write_bytes(content)

    model.save = wrongly
    with pytest.raises(OSError, match="does not read back as it was written"):
        atomic.save_atomically(model, path)
    assert _content(tmp_path) == before


class _Misfortune(keras.callbacks.Callback):
    """Files and folders of a run are gone for some epochs, with something else in their place."""

    def __init__(self, run, names, epochs):
        super().__init__()
        self.places = [run / name for name in names]
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch + 1 == self.epochs[0]:
            for place in self.places:
                place.rename(place.with_name(f".{place.name}"))
                place.mkdir() if place.suffix else place.write_text("")

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.epochs[-1]:
            for place in self.places:
                place.rmdir() if place.is_dir() else place.unlink()
                place.with_name(f".{place.name}").rename(place)


def test_what_cannot_be_written_for_a_while_ends_no_training(train, whole, tmp_path, monkeypatch):
    run = tmp_path / "run"
    names = ("metrics.jsonl", "samples", "checkpoints")
    misfortune = _Misfortune(run, names, range(4, 7))
    fit = zoo.model_class("vanilla").fit
    monkeypatch.setattr(
        zoo.model_class("vanilla"),
        "fit",
        lambda self, *args, callbacks, **kwargs: fit(
            self, *args, callbacks=[*callbacks, misfortune], **kwargs
        ),
    )
    _, said = train(run, 8)
    for what in ("log", "samples", "checkpoint"):
        lines = [line for line in said if line.startswith(f"The {what} of epoch ")]
        assert len(lines) == 3, said
        assert "The training goes on and tries again" in lines[0]
    assert _rows(run) == _rows(whole)[:8]
    assert list(RunFolder(run).checkpoints.by_epoch()) == [7, 8]
    left_out = {f"epoch-{i:04d}.png" for i in (4, 5, 6)}
    assert {p.name for p in (whole / "samples").iterdir()} - left_out >= set(_pictures(run))


def test_a_last_checkpoint_that_cannot_be_written_goes_elsewhere(train, whole, tmp_path):
    run = tmp_path / "run"
    train(run, 2)
    folder = run / "checkpoints"
    model = weights.load("vanilla", zoo.model_class("vanilla"), run, {})
    checkpoints = _attach(callbacks.Checkpoints(folder), model, epochs=3)
    checkpoints.on_train_begin()
    shutil.move(folder, tmp_path / "moved")
    folder.write_text("")
    model.step.assign(6)
    checkpoints.on_epoch_end(2)
    with pytest.raises(OSError, match="The last checkpoint could not be written") as error:
        checkpoints.on_train_end()
    other = pathlib.Path(str(error.value).partition("It is '")[2].partition("'")[0])
    folder.unlink()
    shutil.move(tmp_path / "moved", folder)
    shutil.move(other, folder)
    other.parent.rmdir()
    assert list(CheckpointFiles(folder).by_epoch()) == [1, 2, 3]
    assert int(weights.load("vanilla", zoo.model_class("vanilla"), run, {}).step) == 6


@pytest.mark.parametrize(
    ("epochs", "more", "batch", "line"),
    [
        (3, {}, 32, "2 training steps an epoch, 6 in 3 epochs."),
        (
            2,
            {"discriminator_steps": 2},
            32,
            "1 training step an epoch, 2 in 2 epochs; in each, the discriminator moves twice and "
            "the generator moves once.",
        ),
        (
            1,
            {"discriminator_steps": 5},
            4,
            "3 training steps an epoch, 3 in 1 epoch; in each, the discriminator moves 5 times "
            "and the generator moves once.",
        ),
    ],
    ids=["one move each", "two moves", "five moves"],
)
def test_how_many_steps_there_will_be_is_said_first(train, tmp_path, epochs, more, batch, line):
    _, said = train(tmp_path / "run", epochs, arguments={**TINY, **more}, batch_size=batch)
    assert said[2] == line


def test_a_run_of_few_updates_says_so_once_and_keeps_it(whole):
    (found,) = [json.loads(x) for x in (whole / "doctor.jsonl").read_text().splitlines()]
    assert (found["name"], found["epoch"], found["step"]) == ("few_updates", EPOCHS, 2 * EPOCHS)
    assert "`epochs=750`" in found["advice"] and "`batch_size=8`" in found["advice"]


# Divergence ---------------------------------------------------------------------------------------


def test_a_training_that_diverges_stops_and_says_why(train, tmp_path):
    run = tmp_path / "run"
    arguments = {**TINY, "learning_rate": 1e30, "discriminator_learning_rate": None}
    with (
        pytest.warns(UserWarning, match="has diverged"),
        pytest.raises(FloatingPointError, match="has diverged in epoch 1") as error,
    ):
        train(run, 5, arguments=arguments)
    assert "There is no checkpoint yet" in str(error.value)
    (found,) = [json.loads(x) for x in (run / "doctor.jsonl").read_text().splitlines()]
    assert found["name"] == "divergence" and "learning_rate" in found["advice"]
    assert not list((run / "checkpoints").iterdir())
    assert (run / "report.html").exists()


@pytest.fixture
def breaks(monkeypatch):
    """`breaks(step, rate)`: a player's loss is NaN in that step where it learns faster than so."""

    def breaks(step, rate):
        def move(game, player, *what):
            def loss(batch, drawn):
                terms, signals = player.loss(batch, drawn)
                fast = keras.ops.convert_to_tensor(game.optimizer[player.name].learning_rate) > rate
                now = keras.ops.logical_and(keras.ops.equal(game.step + 1, step), fast)
                factor = keras.ops.where(now, np.nan, 1.0)
                return {k: v * factor for k, v in terms.items()}, signals

            return original(game, dataclasses.replace(player, loss=loss), *what)

        monkeypatch.setattr(training_step, "move", move)

    original = training_step.move
    return breaks


@pytest.mark.filterwarnings("ignore:.*the model has diverged")
def test_a_training_that_diverges_goes_back_and_on(train, breaks, tmp_path):
    rate = zoo.model_class("vanilla").arguments()["learning_rate"]
    breaks(9, 0.6 * rate)  # in the fifth epoch
    run, again = tmp_path / "run", tmp_path / "again"
    with pytest.raises(FloatingPointError) as error:
        train(run, 8)
    assert "diverged in epoch 5. At step 9 d_loss became nan" in str(error.value)
    assert "The checkpoint of epoch 4 is intact" in str(error.value)
    network, said = train(run, 8, on_divergence="rollback")
    assert "Back to epoch 4, with learning rates divided by 2." in said
    assert [row["epoch"] for row in _rows(run)] == list(range(1, 9))
    assert all(np.isfinite(list(row.values())).all() for row in _rows(run))
    assert float(network.optimizer.learning_rate) == pytest.approx(rate / 2)
    # The same whether it was interrupted or not, before and after.
    for epochs in (2, 6, 8):
        train(again, epochs, on_divergence="rollback")
    assert _rows(again) == _rows(run)


@pytest.mark.filterwarnings("ignore:.*the model has diverged")
def test_a_training_that_diverges_again_and_again_stops(train, breaks, tmp_path):
    breaks(9, 0.0)
    with pytest.raises(FloatingPointError, match="has not helped 3 times"):
        _, said = train(tmp_path / "run", 8, on_divergence="rollback")
    assert list(RunFolder(tmp_path / "run").checkpoints.by_epoch()) == [3, 4]


def test_tensorboard_has_the_logs_and_the_images_also_of_a_run_that_goes_on(train, tmp_path):
    from tensorboard.backend.event_processing import event_accumulator

    train(tmp_path / "run", 2, tensorboard=True)
    train(tmp_path / "run", 3, tensorboard=True)
    board = event_accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    log = [json.loads(x) for x in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    for name in ("d_loss", "g_loss"):
        found = {event.step: event.value for event in board.Scalars(name)}
        assert found == pytest.approx({row["epoch"]: row[name] for row in log}, rel=1e-6)
    assert [event.step for event in board.Images("samples")] == [0, 1, 2, 3]
    last = Image.open(io.BytesIO(board.Images("samples")[-1].encoded_image_string))
    with Image.open(tmp_path / "run/samples/epoch-0003.png") as wanted:
        np.testing.assert_array_equal(np.asarray(last), np.asarray(wanted.convert("RGB")))


def test_tensorboard_without_its_package(train, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'ganzoo\[tensorboard\]'"):
        train(tmp_path / "run", 1, tensorboard=True)


def test_tensorboard_of_a_run_that_begins_again(tmp_path):
    """A run killed before its first checkpoint: its epochs do not stand twice."""
    from tensorboard.backend.event_processing import event_accumulator

    images = np.zeros((8, 8, 8, 1), "uint8")
    for epochs in (2, 1):
        model = zoo.get("vanilla", seed=0, **TINY)
        board = callbacks.TensorBoard(tmp_path, n=1)
        model.fit(images, batch_size=4, epochs=epochs, verbose=0, callbacks=[board])
    found = event_accumulator.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [event.step for event in found.Images("samples")] == [0, 1]
    assert [event.step for event in found.Scalars("d_loss")] == [1]
