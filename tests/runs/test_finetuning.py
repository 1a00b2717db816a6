"""Runs that begin with trained weights: `ganzoo train --weights`."""

import json

import numpy as np
import pytest
import safetensors as tensors
from click import testing
from PIL import Image
from safetensors import numpy as tensors_numpy

import ganzoo
from ganzoo import cli
from ganzoo import runs
from ganzoo import zoo
from ganzoo.files import safetensors
from ganzoo.files.run_folder import RunFolder
from ganzoo.runs import before_after
from ganzoo.runs import commands
from ganzoo.runs import starting

TINY = {"channels": 2, "latent_dim": 4}


def _call(*words):
    return testing.CliRunner().invoke(cli.main, [str(word) for word in words])


def _train(out, model, data, weights, **kwargs):
    """`runs.train`; gives the model and what was said."""
    said = []
    kwargs = {"epochs": 1, "batch_size": 8, "score_every": 0, "verbose": 0, **kwargs}
    network = runs.train(model, data, out=out, weights=weights, say=said.append, **kwargs)
    return network, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixteen grey images of 20×24 in two classes."""
    folder = tmp_path_factory.mktemp("images")
    images = np.random.default_rng(0).integers(0, 256, (16, 20, 24), dtype="uint8")
    for i, image in enumerate(images):
        path = folder / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A file of weights of a colour model of 16×12, and one of a model of three classes."""
    place = tmp_path_factory.mktemp("weights")
    model = ganzoo.get("dcgan", image_shape=(16, 12, 3), **TINY, seed=1)
    model.step.assign(70)
    safetensors.write(model, place / "colour.safetensors")
    model = ganzoo.get("cgan", image_shape=(8, 8, 1), num_classes=3, **TINY, seed=1)
    safetensors.write(model, place / "classes.safetensors")
    return place


@pytest.fixture(scope="module")
def begun(folder, published, tmp_path_factory):
    """A run from the colour model's weights with grey images, and what was said."""
    out = tmp_path_factory.mktemp("runs") / "begun"
    return out, _train(out, "dcgan", folder, published / "colour.safetensors")[1]


def test_a_run_begins_with_weights_at_their_size_and_colours(begun, folder, published):
    out, said = begun
    weights = published / "colour.safetensors"
    assert said[0] == f"Images are resized to 16×12×3, the size of the weights {weights}."
    settings = json.loads((out / "config.json").read_text())["settings"]
    assert settings["weights"] == str(weights) and settings["image_size"] is None
    row = json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
    assert row["step"] == 72  # two more than the weights have had
    assert row["images"] == 2 * 8  # those of the weights do not count: forecasts rest on it
    # The first grid is of the weights themselves.
    expected = ganzoo.images.grid(ganzoo.get("dcgan", weights=weights).generate(64, seed=0))
    with Image.open(out / "samples" / "epoch-0000.png") as grid:
        difference = np.abs(np.asarray(grid, int) - np.asarray(expected, int))
    assert difference.max() <= 1


def test_it_goes_on_without_the_weights_and_with_the_same_command_only(
    begun, folder, published, tmp_path
):
    out, _ = begun
    gone = tmp_path / "colour.safetensors"
    gone.write_bytes((published / "colour.safetensors").read_bytes())
    again = tmp_path / "again"
    _train(again, "dcgan", folder, gone)
    gone.unlink()
    _, said = _train(again, "dcgan", folder, gone, epochs=2)
    assert any(line.startswith("Training dcgan") and "epochs 2 to 2" in line for line in said)
    for other in (None, "mnist", published / "classes.safetensors"):
        with pytest.raises(ValueError, match="other settings: weights was '.*colour"):
            _train(again, "dcgan", folder, other, epochs=3)
    with pytest.raises(ValueError, match="weights was None, not 'mnist'"):
        _train(tmp_path / "plain", "vanilla", "digits", None, batch_size=64)
        _train(tmp_path / "plain", "vanilla", "digits", "mnist", batch_size=64, epochs=2)


def test_a_finetuned_run_is_scored_reported_and_used_like_any(begun, folder):
    out, _ = begun
    words = ["-n", 20, "--repeats", 1, "--extractor", "pixels", "--metrics", "diversity"]
    result = _call("evaluate", out, *words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["last"]["passport"]["data"]["count"] == 16
    command = "ganzoo train dcgan --weights colour.safetensors --data"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert command in page and str(out.parent) not in page
    _train(out.with_name("on"), "dcgan", folder, out)  # a run as the source of another


def test_the_command_in_a_record_names_weights_as_they_are_given():
    settings = {"model": "dcgan", "data": "digits", "batch_size": 64, "image_size": None}
    settings |= {"seed": 0, "arguments": {}, "on_error": "raise"}
    for weights, shown in (
        ("mnist", "mnist"),
        ("/far/away/runs/mine", "mine"),
        ("hf://user/repository@v1", "hf://user/repository@v1"),
    ):
        assert f" --weights {shown} " in commands.command({**settings, "weights": weights}, 3)
    assert "--weights" not in commands.command({**settings, "weights": None}, 3)


def test_weights_of_another_model_size_or_shape_are_refused(folder, published, tmp_path):
    colour = published / "colour.safetensors"
    arrays = tmp_path / "grey.npy"
    np.save(arrays, np.zeros((16, 16, 12), "uint8"))
    for model, data, weights, options, message in (
        ("cgan", folder, colour, {}, "holds weights of 'ganzoo>DCGAN', not of 'cgan'"),
        ("dcgan", folder, "cgan.mnist", {}, "holds weights of 'ganzoo>CGAN', not of 'dcgan'"),
        ("dcgan", folder, "mnst", {}, "Did you mean 'mnist'"),
        ("dcgan", folder, colour, {"image_size": 32}, "images of 16×12×3, and --image-size .* 32"),
        ("dcgan", arrays, colour, {}, "examples of 16×12×3, and the data has 16×12×1"),
    ):
        with pytest.raises(ValueError, match=message):
            _train(tmp_path / "no", model, data, weights, **options)
        assert not (tmp_path / "no").exists()
    _train(tmp_path / "same", "dcgan", folder, colour, image_size=(16, 12))


def _stopped(*args, **kwargs):
    raise KeyboardInterrupt


def _begun_with(out, model, data, weights, monkeypatch, **kwargs):
    """The model with which a training begins, and what was said; nothing is trained."""
    begun = []
    fit = lambda self, *args, **kwargs: begun.append(self) or _stopped()
    monkeypatch.setattr(ganzoo.Game, "fit", fit)
    said = []
    with pytest.raises(KeyboardInterrupt):
        runs.train(model, data, out=out, weights=weights, say=said.append, verbose=0, **kwargs)
    monkeypatch.undo()
    return begun[0], said


def _embedding(model):
    return safetensors.values(model)["generator/embedding/embeddings"]


@pytest.mark.filterwarnings("default:.*fits in part")
def test_classes_continue_by_name_or_by_number(folder, published, tmp_path, monkeypatch):
    weights = published / "classes.safetensors"
    old = _embedding(ganzoo.get("cgan", weights=weights))
    begin = lambda name, data, source, **options: _begun_with(
        tmp_path / name, "cgan", data, source, monkeypatch, batch_size=8, score_every=0, **options
    )
    kept, said = begin("kept", folder, weights)  # whose classes have no names
    assert kept.num_classes == 2 and np.array_equal(_embedding(kept), old[:2])
    assert said[1] == "The weights do not name their classes, which therefore continue by number."
    assert said[2] == "Classes: 2 continue (0, 1); 1 ends (2)."
    # A run names its classes. Others of the same number are other classes nevertheless.
    _train(tmp_path / "first", "cgan", folder, weights)
    run = tmp_path / "first"
    (tmp_path / "other" / "dog").mkdir(parents=True)
    (tmp_path / "other" / "eel").mkdir()
    for i, path in enumerate(sorted(folder.rglob("*.png"))):
        name = ("dog", "eel")[i % 2]
        (tmp_path / "other" / name / f"{i}.png").write_bytes(path.read_bytes())
    old = _embedding(ganzoo.get("cgan", weights=run))
    other, said = begin("second", tmp_path / "other", run)
    np.testing.assert_allclose(_embedding(other), [old[1], old.mean(axis=0)], rtol=1e-6)
    assert (
        "Classes: 1 continues (dog); 1 begins as the mean of the old ones (eel); 1 ends (cat)."
        in said
    )
    # Or as the arguments say.
    three, _ = begin("three", folder, weights, arguments={"num_classes": 3})
    assert three.num_classes == 3
    with pytest.warns(UserWarning, match="New layers, to be trained: .*embedding"):
        assert begin("new", folder, weights, arguments={"num_classes": 2})[0].num_classes == 2


def test_optimizers_and_random_states_are_new(begun, folder, tmp_path, monkeypatch):
    run, _ = begun
    begin = lambda seed: _begun_with(
        tmp_path / "a", "dcgan", folder, run, monkeypatch, batch_size=8, score_every=0, seed=seed
    )[0]
    first, second = begin(1), begin(2)
    for optimizer in first.optimizer.optimizers:
        assert int(optimizer.iterations) == 0
    states = [np.asarray(model.seed_generator.state) for model in (first, second)]
    assert not np.array_equal(*states)
    assert first.averages.since == int(first.step) == 72
    # The trained generator continues from its average, from which the samples came.
    for ours, theirs in zip(first.generator.get_weights(), first.ema_generator.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_samples_before_and_after_are_shown_with_real_images(begun):
    out, _ = begun
    with Image.open(out / "before-after.png") as sheet:
        pixels = np.asarray(sheet, int)
    for epoch, left in ((0, 0), (1, None)):
        with Image.open(out / "samples" / f"epoch-{epoch:04d}.png") as grid:
            part = np.asarray(grid.convert("RGB"), int)
        left = part.shape[1] + before_after.GAP if left is None else left
        assert np.array_equal(pixels[-part.shape[0] :, left : left + part.shape[1]], part)
    assert pixels.shape[1] > 3 * part.shape[1]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "72 steps with those of the weights" in page
    assert "<h2>Before and after</h2>" in page and "<figcaption>before</figcaption>" in page


class _Batches(list):
    """Data of one domain in the numbers of a network, as floats from a file are."""

    contents = None


def test_real_images_of_any_numbers_are_shown_with_the_samples(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.samples.folder.mkdir(parents=True)
    for epoch in (0, 1):
        Image.new("L", (8, 8)).save(run.samples.path(epoch))
    data = _Batches([np.full((4, 8, 8, 1), -1, "float32")])
    before_after.show_change(run, data, 4)
    with Image.open(run.change) as sheet:
        assert sheet.getpixel((sheet.width - 100, sheet.height - 100)) == (0, 0, 0)


@pytest.fixture(scope="module")
def alone(published):
    """The colour model's generator without its discriminator, in a file."""
    file = tensors.safe_open(published / "colour.safetensors", "numpy")
    kept = {name: file.get_tensor(name) for name in file.keys() if name.startswith("generator")}
    path = published / "alone.safetensors"
    tensors_numpy.save_file(kept, path, metadata=file.metadata())
    return path


@pytest.mark.filterwarnings("ignore:.*has no discriminator")
def test_a_new_discriminator_learns_alone_first(alone, folder, tmp_path, monkeypatch):
    fits, fit = [], ganzoo.Game.fit

    def watched(self, *args, **kwargs):
        begun = (int(self.step), _trainable(self))
        result = fit(self, *args, **kwargs)
        fits.append((*begun, int(self.step), _trainable(self), kwargs))
        return result

    monkeypatch.setattr(ganzoo.Game, "fit", watched)
    network, said = _train(tmp_path / "run", "dcgan", folder, alone)
    assert "In the first 128 steps only the new discriminator will learn." in said
    (first, before, last, after, _), (start, _, end, trained, _) = fits
    # However many steps an epoch has, here two; no checkpoint falls into these.
    assert (last - first, start, end - start) == (starting.WARM_UP, last, 2)
    same = lambda a, b, name: all(map(np.array_equal, a[name], b[name]))
    assert same(before, after, "generator") and not same(before, after, "discriminator")
    assert not same(after, trained, "generator")
    assert {float(o.learning_rate) for o in network.optimizer.optimizers} == {np.float32(2e-4)}
    _train(tmp_path / "run", "dcgan", folder, alone, epochs=2)
    assert len(fits) == 3  # a run that goes on does not begin again


def test_a_new_discriminator_that_rests_at_first_has_nothing_to_learn_alone():
    model = ganzoo.get("srgan", image_shape=(8, 8, 1), channels=2, blocks=1, content="pixels")
    model.untrained, said = ("discriminator",), []
    model._enter(0)  # as when weights are loaded
    starting.warm_up(model, _no_data(), said.append)
    assert said == [] and int(model.step) == 0


def _no_data():
    raise AssertionError("no image should be read")
    yield


def _trainable(model):
    networks = {"generator": model.generator, "discriminator": model.discriminator}
    return {k: [np.asarray(v) for v in n.trainable_variables] for k, n in networks.items()}


@pytest.mark.filterwarnings("ignore:.*has no discriminator")
def test_layers_of_a_new_discriminator_are_not_frozen(alone, folder, tmp_path):
    with pytest.raises(ValueError, match="no discriminator, and `freeze` is 1: .*--set freeze=0"):
        _train(tmp_path / "run", "dcgan", folder, alone, arguments={"freeze": 1})
    assert not (tmp_path / "run").exists()


def test_the_end_of_the_time_ends_the_steps_of_a_new_network(alone, monkeypatch):
    with pytest.warns(UserWarning, match="has no discriminator"):
        model = ganzoo.get("dcgan", weights=alone)
    over = ganzoo.callbacks.TimeBudget(1, spent=60)
    before, images = int(model.step), np.zeros((8, 16, 12, 3), "uint8")
    ds = ganzoo.datasets.load(images, batch_size=8, verbose=False)
    starting.warm_up(model, ds, say=lambda line: None, budget=over)
    assert 0 < int(model.step) - before < starting.WARM_UP


def _checkpoint(run, epoch):
    return zoo.resume("dcgan", run / "checkpoints" / f"epoch-{epoch:04d}.keras")


def test_learning_rates_that_are_asked_for_replace_those_of_a_checkpoint(begun):
    out, _ = begun
    usual = 2e-4
    for asked, wanted in (
        ({}, [usual, usual]),
        ({"learning_rate": 1e-5}, [1e-5, 1e-5]),
        ({"discriminator_learning_rate": 3e-5}, [3e-5, usual]),
        ({"beta_1": 0.0}, [usual, usual]),
    ):
        model = ganzoo.get("dcgan", weights=out, **asked)
        rates = [
            float(model.optimizer[name].learning_rate) for name in model.optimizer.player_names
        ]
        assert model.optimizer.player_names == ("discriminator", "generator")
        np.testing.assert_allclose(rates, wanted, rtol=1e-6)


def test_the_command_line_takes_a_tag_a_full_name_or_one_in_place_of_the_model(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((16, 28, 28), "uint8"))
    tiny = ["--data", tmp_path / "x.npy", "--epochs", 1, "--batch-size", 8]
    for i, words in enumerate(
        (["dcgan", "--weights", "mnist"], ["dcgan", "--weights", "dcgan.mnist"], ["dcgan.mnist"])
    ):
        result = _call("train", *words, *tiny, "-o", tmp_path / str(i))
        assert result.exit_code == 0, result.output
        settings = json.loads((tmp_path / str(i) / "config.json").read_text())["settings"]
        assert settings["model"] == "dcgan" and settings["weights"].endswith("mnist")
        assert (tmp_path / str(i) / "checkpoints" / "epoch-0001.keras").exists()
    result = _call("train", "dcgan.mnst", *tiny)
    assert result.exit_code == 1 and "Unknown model: 'dcgan.mnst'" in result.stderr
