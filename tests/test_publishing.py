"""From a run to a folder that others can use."""

import json
import shlex

import numpy as np
import pytest

import ganzoo
from ganzoo import cli
from ganzoo import publishing
from ganzoo import runs

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


def test_a_published_model_makes_the_runs_pictures(run, published):
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
    assert facts["cpu_minutes"] > 0 and facts["gpu_minutes"] is None
    assert facts["versions"]["keras"] and "cores" in facts["device"]
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


def test_it_may_be_published_again_but_nothing_else_is_overwritten(run, published, tmp_path):
    out, _ = published
    publishing.publish(run, out, samples=0, say=str)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="is not empty, and not published before"):
        publishing.publish(run, tmp_path, say=str)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_no_run_is_refused(tmp_path, published):
    for wrong in (tmp_path, published[0], tmp_path / "absent", published[0] / "model.safetensors"):
        with pytest.raises(ValueError, match="no run folder|holds no checkpoint"):
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
