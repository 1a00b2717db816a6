"""From a run to a folder that others can use."""

import json
import shlex
import shutil

import numpy as np
import pytest

import ganzoo
from ganzoo import cli
from ganzoo import runs
from ganzoo.runs import publishing
from ganzoo.zoo import catalogue

TINY = {"channels": 4, "latent_dim": 6, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "dcgan-digits"
    runs.train(
        "dcgan", "digits", out=folder, epochs=2, arguments=TINY, score_every=0, verbose=0, say=str
    )
    return folder


@pytest.fixture(scope="module")
def published(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "gan"
    facts = publishing.publish(run, out, samples=500, say=str)
    return out, facts


def test_a_published_model_makes_the_runs_images(run, published):
    out, _ = published
    expected = ganzoo.get("dcgan", weights=run).generate(20, seed=3).astype(int)
    found = ganzoo.get("dcgan", weights=out).generate(20, seed=3).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_the_folder_says_what_is_in_it(run, published):
    out, facts = published
    names = sorted(path.name for path in out.iterdir())
    texts, pictures = ["README.md", "config.json", "scores.json"], ["grid.png", "nearest.png"]
    assert names == sorted([*texts, *pictures, "model.safetensors"])
    assert json.loads((out / "config.json").read_text()) == json.loads(json.dumps(facts))
    assert facts["data"] == {"name": "digits", "licence": "CC BY 4.0"}
    assert (facts["epochs"], facts["seed"], facts["config"]["channels"]) == (2, 0, 4)
    log = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
    assert facts["cpu_minutes"] == round(sum(row["cpu_seconds"] for row in log) / 60, 2)
    assert facts["gpu_minutes"] is None
    assert facts["versions"]["keras"] and " core" in facts["device"]
    sheet = json.loads((out / "scores.json").read_text())
    assert facts["scores"] == sheet["scores"] and sheet["passport"]["samples"] == 500
    card = (out / "README.md").read_text()
    for text in (facts["command"], "(grid.png)", "(nearest.png)", "CC BY 4.0", 'get("dcgan"'):
        assert text in card
    for name, score in sheet["scores"].items():
        assert f"| {name} | {score['value']:.4g} |" in card
    assert str(out.parent) not in card and str(run.parent) not in card


def test_its_command_makes_the_same_weights(published, tmp_path):
    out, facts = published
    words = shlex.split(facts["command"])
    assert words[:3] == ["ganzoo", "train", "dcgan"]
    cli.main([*words[1:], "--score-every", "0", "-o", tmp_path / "again"], standalone_mode=False)
    again = tmp_path / "published"
    publishing.publish(tmp_path / "again", again, samples=0, say=str)
    name = "model.safetensors"
    assert (again / name).read_bytes() == (out / name).read_bytes()
    assert not (again / "scores.json").exists()


def test_published_again_nothing_old_is_left(run, published, tmp_path):
    out = tmp_path / "gan"
    shutil.copytree(published[0], out)
    publishing.publish(run, out, samples=0, say=str)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["README.md", "config.json", "grid.png", "model.safetensors"]
    card = (out / "README.md").read_text()
    assert "nearest" not in card and "Scores" not in card


def test_a_fresh_clone_of_an_empty_repository_will_do(run, tmp_path):
    (tmp_path / ".git").mkdir()
    publishing.publish(run, tmp_path, samples=0, say=str)
    assert (tmp_path / "model.safetensors").is_file()


@pytest.mark.parametrize("name", ["thesis.txt", "model.safetensors"])
def test_nothing_else_is_overwritten(run, tmp_path, name):
    (tmp_path / name).write_text("years of work")
    with pytest.raises(ValueError, match="is not empty, and nothing was published there before"):
        publishing.publish(run, tmp_path, say=str)
    with pytest.raises(ValueError, match="is a file"):
        publishing.publish(run, tmp_path / name, say=str)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["years of work"]


def test_the_folder_may_be_called_as_a_tag_is(run, tmp_path, monkeypatch):
    """`ganzoo publish RUN -o digits`, while the catalogue has `dcgan.digits`."""
    monkeypatch.chdir(tmp_path)
    absent = catalogue.Row(
        **dict.fromkeys(["file", "sha256", "preprocessing", "device", "command"], "absent"),
        **dict.fromkeys(["config", "data", "versions", "scores", "passport"], {}),
        **dict.fromkeys(["size", "epochs", "seed"], 1),
        model="dcgan",
    )
    monkeypatch.setattr(catalogue, "rows", lambda: {"dcgan.digits": absent})
    facts = publishing.publish(run, "digits", samples=0, say=str)
    assert facts["config"]["channels"] == 4


def test_what_is_told_is_told_of_the_checkpoint(run, tmp_path):
    """Later epochs, of which nothing was kept, are not those of the weights."""
    again = tmp_path / "run"
    shutil.copytree(run, again)
    (again / "checkpoints" / "epoch-0002.keras").rename(again / "checkpoints" / "epoch-0001.keras")
    facts = publishing.publish(again, tmp_path / "out", samples=0, licence="a: b\n# c", say=str)
    first = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])
    assert facts["epochs"] == 1 and "--epochs 1 " in facts["command"]
    assert facts["cpu_minutes"] == round(first["cpu_seconds"] / 60, 2)
    card = (tmp_path / "out" / "README.md").read_text()
    assert 'license_name: "a: b # c"\n' in card


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
@pytest.mark.parametrize("content", [None, "", "{", "[]\n[]\n", "{}\n{}\n"])
def test_damaged_records_are_found_before_anything_is_written(run, tmp_path, name, content):
    again = tmp_path / "run"
    shutil.copytree(run, again)
    (again / name).unlink() if content is None else (again / name).write_text(content)
    with pytest.raises(ValueError, match="records in .* are damaged.*Train again"):
        publishing.publish(again, tmp_path / "out", say=str)
    assert not (tmp_path / "out").exists()


def test_a_wrong_extractor_is_found_before_anything_is_removed(run, tmp_path):
    publishing.publish(run, tmp_path / "gan", samples=100, say=str)
    before = {path.name: path.read_bytes() for path in (tmp_path / "gan").iterdir()}
    with pytest.raises(ValueError, match="digits"):
        publishing.publish(run, tmp_path / "gan", extractor="digit", say=str)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "gan").iterdir()}


def test_what_is_written_says_nothing_of_this_machine(tmp_path):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), "u1"))
    out, options = tmp_path / "run", {"arguments": TINY, "score_every": 0, "verbose": 0}
    runs.train("dcgan", tmp_path / "noise.npy", out=out, epochs=1, **options)
    publishing.publish(tmp_path / "run", tmp_path / "gan", samples=100, extractor="pixels", say=str)
    sheet = json.loads((tmp_path / "gan" / "scores.json").read_text())
    assert sheet["passport"]["data"]["source"] == "noise.npy"
    for path in (tmp_path / "gan").glob("*.[jm][sd]*"):
        assert str(tmp_path) not in path.read_text("utf-8")


def test_what_is_no_run_is_refused(tmp_path, published):
    for wrong in (tmp_path, published[0], tmp_path / "absent", published[0] / "model.safetensors"):
        with pytest.raises(ValueError, match="not a run folder"):
            publishing.publish(wrong, tmp_path / "out", say=str)
    assert not (tmp_path / "out").exists()


def test_a_translator_is_published_with_what_it_made(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    np.save(tmp_path / "a.npy", images)
    np.save(tmp_path / "b.npy", 255 - images)
    runs.train(
        "pix2pix",
        tmp_path / "a.npy",
        to=tmp_path / "b.npy",
        out=tmp_path / "run",
        epochs=1,
        batch_size=4,
        arguments={"channels": 2},
        verbose=0,
        say=str,
    )
    facts = publishing.publish(tmp_path / "run", tmp_path / "out", licence="CC0", say=str)
    assert facts["data"] == {"name": "a.npy and b.npy", "licence": "CC0"}
    assert "--data a.npy --to b.npy" in facts["command"] and facts["scores"] == {}
    shown = (tmp_path / "run" / "samples" / "epoch-0001.png").read_bytes()
    assert (tmp_path / "out" / "grid.png").read_bytes() == shown
    model = ganzoo.get("pix2pix", weights=tmp_path / "out")
    expected = ganzoo.get("pix2pix", weights=tmp_path / "run").translate(images).astype(int)
    assert np.abs(model.translate(images).astype(int) - expected).max() <= 2
