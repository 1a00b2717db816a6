"""What the benchmarks compute besides time."""

import functools
import gzip
import json
import pathlib
import re
import sys
import types

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.zoo import catalogue
from tests.helpers import some_slow

ROOT = pathlib.Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
TOOLS = BENCHMARKS / "tools"


def test_scripts_that_measure_import_no_tool_and_share_no_name_with_one():
    tools = {path.stem for path in TOOLS.glob("*.py")}
    assert tools
    for path in BENCHMARKS.glob("*.py"):
        assert path.stem not in tools
        used = re.findall(r"^\s*(?:import|from) (\w+)", path.read_text("utf-8"), re.MULTILINE)
        assert not tools & set(used), path


def test_every_script_that_is_mentioned_exists():
    folders = [ROOT / name for name in ("benchmarks", "docs", "ganzoo", "tests")]
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix in TEXT]
    for path in (*files, *ROOT.glob("*.md")):
        for script in re.findall(r"\bbenchmarks/[\w/]+\.py\b", path.read_text("utf-8")):
            assert (ROOT / script).exists(), f"{path} mentions {script}"


TEXT = (".py", ".md", ".json", ".svg")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's kernels")
@pytest.mark.parametrize("update", ["alternating", "one_stage"])
def test_the_kernels_of_a_step_are_its_counted_work(module, update):
    kernels, measure = module("kernels"), module("measure")
    config = {**kernels.STEPS[update], "image_shape": (8, 8, 1), "channels": 4}
    model, work = ganzoo.get("dcgan", **config), 0
    for network in (model.generator, model.discriminator):
        for i, (_, flop, functions) in enumerate(kernels.kernels(network, 3)):
            for kind, function in zip(kernels.KINDS, functions):
                assert function() is not None
                work += flop * kernels.times(update, network.name, kind, i == 0)
    assert work == measure.update_work(model, 3)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's profiler")
def test_a_profile_counts_the_operations_of_a_step(module, rng):
    script = module("step_profile")
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4, seed=0)
    images = rng.integers(0, 256, (8, 8, 8, 1), "uint8")
    kinds = script.profile(model, images, batch=4, steps=2)
    # Adam updates each trained variable once in a step; the average follows each once.
    trained = len(model.generator.trainable_variables)
    assert kinds["ResourceApplyGradientDescent"][1] >= trained
    trained += len(model.discriminator.trainable_variables)
    assert kinds["ResourceApplyAdam"][1] == trained
    assert all(seconds >= 0 for seconds, _ in kinds.values())
    groups = {kind: script.group(kind) for kind in kinds}
    assert groups["ResourceApplyAdam"] == "optimizers and averages"
    assert {"convolutions", "convolutions, to kernels", "activations"} <= set(groups.values())


# Small inputs and kernels for the beginnings of the operations' names.
SMALL = {
    "1d,": ((16, 3), (25, 3, 5)),
    "1d transpose,": ((4, 3), (25, 5, 3)),
    "3d,": ((4, 4, 6, 3), (4, 4, 4, 3, 5)),
    "3d transpose,": ((2, 2, 3, 3), (4, 4, 4, 5, 3)),
    "depthwise, 3": ((6, 5, 16), (3, 3, 16, 1)),
    "depthwise, 5": ((6, 5, 16), (5, 5, 16, 1)),
    "grouped,": ((4, 4, 32), (3, 3, 2, 32)),
    "up,": ((8, 8, 2), None),
    "down,": ((8, 8, 2), None),
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's kernels")
@pytest.mark.parametrize("start", SMALL)
def test_all_forms_of_an_operation_have_one_result(module, start, rng):
    shapes = [shape for shape in SMALL[start] if shape]
    inputs = [rng.normal(size=shape).astype("float32") for shape in ((2, *shapes[0]), *shapes[1:])]
    inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
    operations = module("operations").OPERATIONS
    chosen = [make() for name, make in operations.items() if name.startswith(start)]
    assert chosen
    for operation in chosen:
        wanted = operation.forms["Keras"](*inputs)
        for name, form in operation.forms.items():
            np.testing.assert_allclose(form(*inputs), wanted, rtol=1e-4, atol=1e-3, err_msg=name)


def test_a_curve_ends_at_the_mark_or_in_time(module):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the plain loop can be sampled on TensorFlow only")
    curve = module("time_to_quality").curve

    def contender():
        scores = iter([9.0, 5.0, 7.0, 3.0, 1.0])
        return (lambda steps: 10.0), (lambda: next(scores))

    sheet = lambda x: types.SimpleNamespace(scores={"frechet": types.SimpleNamespace(value=x)})
    points = [(10.0, 200, 9.0), (20.0, 400, 5.0), (30.0, 600, 7.0), (40.0, 800, 3.0)]
    assert curve(contender(), sheet, 700) == points  # whole rounds of 200 steps
    assert curve(contender(), sheet, 10_000, mark=5.0) == points[:2]
    assert curve(contender(), sheet, 10_000, mark=0.0, limit=25.0) == points[:3]


def test_the_pages_show_the_committed_results(module):
    """What `python benchmarks/tools/tables.py` would write is there already."""
    tables = module("tables")
    for page in tables.PAGES:
        text = page.read_text(encoding="utf-8")
        assert tables.MARK.search(text)
        assert tables.filled(text) == text, f"run python benchmarks/tools/tables.py for {page}"


def test_every_model_has_its_page_as_it_would_be_written_now(module):
    """What `python benchmarks/tools/pages.py` would write is there already, and nothing else."""
    pages = module("pages")
    written = pages.pages()
    assert sorted(written) == sorted(pages.FOLDER.glob("*.md"))
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, "run python benchmarks/tools/pages.py"


def shown_on_its_page(module, name, tmp_path, drawn):
    """The pictures of some weights are there, and so are links to them."""
    assert {path.stem for path in (tmp_path / "images" / name).iterdir()} == drawn
    text = "\n".join(module("pages").trained(name, catalogue.rows()[name]))
    links = re.findall(rf"\]\(\.\./images/weights/{name}/(\w+)\.png\)", text)
    assert set(links) == drawn
    assert catalogue.rows()[name].command in text


def test_weights_are_made_and_listed(module, tmp_path, monkeypatch):
    weights = module("weights")
    tiny = {"channels": 4, "latent_dim": 6}
    recipe = {"epochs": 5, "verbose": 0, "arguments": tiny}
    monkeypatch.setattr(weights, "RECIPES", {"dcgan.digits": recipe})
    (tmp_path / "weights.json").write_text("{}")
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "weights.json")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path / "trained")
    monkeypatch.setattr(module("figures"), "FOLDER", tmp_path / "images")
    weights.make("dcgan.digits", tmp_path / "runs", None)
    drawn = {"grid", "training", "curves", "interpolation", "nearest"}
    monkeypatch.setattr(module("pages"), "IMAGES", tmp_path / "images")
    shown_on_its_page(module, "dcgan.digits", tmp_path, drawn)
    (row,) = catalogue.rows().values()
    assert (row.model, row.file, row.data["name"]) == (
        "dcgan",
        "dcgan.digits.safetensors",
        "digits",
    )
    assert row.scores["frechet[digits-classifier-v1]"]["value"] > 0
    expected = ganzoo.get("dcgan", weights=tmp_path / "runs" / "dcgan.digits").generate(9, seed=0)
    found = ganzoo.get("dcgan", weights="digits").generate(9, seed=0)
    assert abs(found.astype(int) - expected).max() <= 1


@some_slow(["cyclegan.apples_oranges"], ["pix2pix.openmoji"])
def test_weights_of_translators_are_made_and_scored_on_held_out_images(
    module, tmp_path, monkeypatch, name
):
    weights, domains = module("weights"), module("domains")
    draw = np.random.default_rng(0).integers
    kinds = tuple(draw(0, 256, (16, 16, 16, 3), dtype="uint8") for _ in range(4))
    tag = name.partition(".")[2]
    monkeypatch.setitem(domains.DATA, tag, lambda folder: (kinds[:2], kinds[2:]))
    tiny = {"channels": 2, **({"blocks": 1} if "cycle" in name else {})}
    monkeypatch.setitem(
        weights.RECIPES, name, {"epochs": 1, "batch_size": 8, "verbose": 0, "arguments": tiny}
    )
    (tmp_path / "weights.json").write_text("{}")
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "weights.json")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path / "trained")
    monkeypatch.setattr(module("figures"), "FOLDER", tmp_path / "images")
    monkeypatch.setattr(module("pages"), "IMAGES", tmp_path / "images")
    weights.make(name, tmp_path / "runs", "archives")
    row = catalogue.rows()[name]
    a, b = (f"{kind}.npy" for kind in domains.DOMAINS[tag])
    assert row.data["name"] == f"{a} and {b}"
    prepare, train = row.command.split(" && ")
    assert train.startswith("ganzoo train ")
    monkeypatch.setattr(sys, "argv", [*prepare.split()[1:], "--out", str(tmp_path / "made")])
    domains.main()
    assert (np.load(tmp_path / "made" / b) == kinds[1]).all()
    assert f"--data {a} --to {b} --epochs 1" in row.command
    model = ganzoo.get(row.model, weights=tag)
    to, outputs = module("zoo").distance_to(kinds[3]), model.translate(kinds[2])
    for score, images, key in (("frechet", outputs, "value"), ("kernel", kinds[2], "baseline")):
        found = row.scores[f"{score}[efficientnet-lite0]"][key]
        assert found == pytest.approx(to(images)[score], rel=1e-3)
    assert ("frechet_back[efficientnet-lite0]" in row.scores) == ("cycle" in name)
    assert ("error" in row.scores) == (name == "pix2pix.openmoji")
    for path in [catalogue.FILE, *(tmp_path / "runs" / f"{name}-published").glob("*.[jm][sd]*")]:
        assert str(tmp_path) not in path.read_text("utf-8")
    shown_on_its_page(module, name, tmp_path, {"grid", "training", "curves"})
    assert "its translation" in "\n".join(module("pages").trained(name, row))


# How GANs work ----------------------------------------------------------------------------------


TINY = {
    "game": {"looks": 2, "steps": 3, "shown": (0, 6)},
    "optimum": {"moments": (2, 300)},
    "saturation": {"lead": (0, 150), "looks": 2, "steps": 30},
    "collapse": {"looks": 2, "steps": 2, "seeds": (1,), "units": 8, "n": 100},
    "critics": {"looks": 2, "steps": 50, "n": 200},
    "judging": {"epochs": 2, "every": 1, "samples": 100, "channels": 4},
}


@pytest.fixture
def lesson(module):
    """What a lesson found, in its tiny form: `{(variant, step, quantity): value}`."""

    def run(name):
        notes, pictures = module("lessons").LESSONS[name](**TINY[name])
        page = (ROOT / "docs" / "how-gans-work.md").read_text("utf-8")
        assert all(f"images/lessons/{picture}.png" in page for picture in pictures)
        columns = [x for x in module("tables").LESSONS.values() if x[0] == name]
        shown = {quantity for x in columns for quantity, _ in x[2].values()}
        assert columns and shown <= {row["quantity"] for row in notes} | {"mode_collapse"}
        assert all(np.isfinite(row["value"]) for row in notes)
        return {(row["variant"], row["step"], row["quantity"]): row["value"] for row in notes}

    return run


def test_lesson_of_the_game(lesson):
    found = lesson("game")
    assert found["in theory, at the end", "", "d_loss"] == pytest.approx(1.3863, abs=1e-4)
    # A move of Adam's is about as large as its rate, 1e-3.
    assert 0 < abs(found["measured", 6, "mean"] + 0.4) < 0.02


def test_lesson_of_the_optimum(lesson):
    found = lesson("optimum")
    errors = [found["learned", step, "error"] for step in (2, 300)]
    assert errors[1] < 0.1 < errors[0]
    losses = [found["learned", step, "d_loss"] for step in (2, 300)]
    assert losses[0] > losses[1] > found["p / (p + q)", "", "d_loss"]


@pytest.mark.slow
def test_lesson_of_saturation(lesson, module):
    slopes = {name: module("lessons").slopes(name, (-10, 0)) for name in module("lessons").LOGS}
    np.testing.assert_allclose(slopes["minimax"], [4.5398e-5, 0.5], rtol=1e-4)
    np.testing.assert_allclose(slopes["non_saturating"], [0.99995, 0.5], rtol=1e-4)
    found = lesson("saturation")
    assert found["alone", 150, "judged"] < 0.01
    # Each fake's gradients differ by the factor D / (1 - D).
    ratio = found["alone", 150, "minimax"] / found["alone", 150, "non_saturating"]
    assert ratio < 0.01 < 0.5 < found["alone", 0, "minimax"] / found["alone", 0, "non_saturating"]
    moved = [found[f"{name}, SGD", 60, "mean"] + 0.5 for name in slopes]
    assert abs(moved[0]) < 0.01 < 0.3 < moved[1]


@pytest.mark.slow
def test_lesson_of_collapse(lesson, module, monkeypatch):
    games = dict([*module("lessons").GAMES.items()][:2])
    monkeypatch.setattr(module("lessons"), "GAMES", games)
    found = lesson("collapse")
    assert {variant for variant, *_ in found} == {*games, "as many training points"}
    assert found["as many training points", "", "modes"] == 8


def test_lesson_of_critics(lesson):
    found = lesson("critics")
    slopes = lambda name: [found[name, step, "slope"] for step in (50, 100)]
    free, clipped = slopes("no constraint"), slopes("weights within ±0.01")
    penalised = slopes("gradient penalty")
    assert free[1] > 2 * free[0] > 20 and clipped[1] < 0.01
    assert penalised[1] == pytest.approx(1, abs=0.5)


def test_lesson_of_judging(lesson):
    found = lesson("judging")
    assert 0 < found["dcgan", 2, "floor"] < found["dcgan", 2, "frechet"]


# What is known of digits ------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1, 2])
def test_answers_are_counted_and_shown(module, which):
    labels, pages = module("labels"), module("pages")
    tiny = {
        "improved_gan": {"generator_units": (16,), "discriminator_units": (32, 16)},
        "infogan": {"channels": 4, "dense_units": (16,), "code_units": (16,)},
    }
    recipe = labels.RECIPES[which]
    arguments = {**recipe["arguments"], **tiny[recipe["model"]], "latent_dim": 4}
    load = lambda split: ganzoo.datasets.load("digits", split=split, labels=True, batch_size=23)
    data = [
        tuple(np.concatenate(x) for x in zip(*([np.asarray(p) for p in b] for b in load(split))))
        for split in ("train", "test")
    ]
    row = labels.train({**recipe, "epochs": 2, "arguments": arguments}, *data)
    row = {k: str(v) for k, v in row.items()}
    table = np.array(json.loads(row["table"]))
    assert (table.sum(axis=0) == np.bincount(data[1][1])).all()
    assert float(row["error"]) == pytest.approx(1 - np.trace(table) / table.sum())
    text = "\n".join(pages.knowledge(row))
    assert f"{float(row['error']):.1%} of the test" in text
    assert "| answer: 9 | " + " | ".join(map(str, table[9])) + " |" in text
    if which:
        assert f"a code of {(10, 20)[which - 1]} categories" in text


def mnist(folder, split):
    """Pictures and labels from the original files."""

    def read(name):
        with gzip.open(folder / "mnist" / f"{name}.gz") as file:
            return np.frombuffer(file.read(), "uint8")

    prefix = {"train": "train", "test": "t10k"}[split]
    images = read(f"{prefix}-images-idx3-ubyte")[16:].reshape(-1, 28, 28, 1)
    return images, read(f"{prefix}-labels-idx1-ubyte")[8:].astype("int32")


@pytest.mark.slow
def test_a_hundred_labels_of_mnist_are_nearly_enough(module, real_data):
    """Salimans et al. 2016, table 1: 0.93 % ± 0.065 after 300 epochs."""
    data = [mnist(real_data, split) for split in ("train", "test")]
    labels = module("labels")
    assert labels.train(labels.RECIPES[0], *data)["error"] <= 0.02


@pytest.mark.slow
def test_infogan_separates_digits_without_labels(module, real_data):
    """Chen et al. 2016, section 7.2: ten categories as a classifier err 5 %. Here twenty do."""
    data = [mnist(real_data, split) for split in ("train", "test")]
    labels = module("labels")
    assert labels.train(labels.RECIPES[2], *data)["error"] <= 0.10


def test_growth_is_that_of_a_line_after_the_beginning(module, capsys):
    soak = module("soak")
    assert soak.growth([6, 8, 10], [100.0, 101.0, 102.0]) == pytest.approx(2.0)
    assert soak.growth([6, 8, 10], [50.0, 50.0, 50.0]) == pytest.approx(0.0, abs=1e-9)
    looks = [{"mb": mb, "files": files, "threads": 3} for mb, files in ((5, 4), (9, 6), (6, 4))]
    assert soak.together(looks) == {"mb": 6, "files": 4, "threads": 3}
    row = lambda at, mb, files: {"at": at, "mb": mb, "files": files, "threads": 3}
    soak.say_growth([row(1, 10, 9), row(6, 100, 4), row(7, 101, 5)], 5)
    said = capsys.readouterr().out
    assert "grew by 1.00 % from 6 to 7" in said and "files: 4 at first, 5 at last" in said


def test_alarms_are_counted_of_trainings_that_go_well_and_badly(module, tmp_path, monkeypatch):
    alarms = module("alarms")
    monkeypatch.setattr(module("measure"), "RESULTS", tmp_path)
    monkeypatch.setattr(alarms, "WELL", ())
    tiny = {"generator_units": (4,), "discriminator_units": (4,), "pieces": 2, "latent_dim": 2}
    monkeypatch.setattr(alarms, "BADLY", (("vanilla", 8, 21, {**tiny, "discriminator_steps": 9}),))
    small = functools.partial(alarms.train, samples=60, every=7)
    monkeypatch.setattr(alarms, "train", small)
    monkeypatch.setattr(sys, "argv", ["alarms.py"])
    alarms.main()
    (found,) = module("measure").results("alarms", tmp_path)
    assert found["goes"] == "badly" and found["found"] == "few_updates (21)"
    assert found["steps"] == "42" and 0 <= float(found["right"]) <= 1
    assert np.isnan(float(found["frechet_ratio"])) and float(found["recall"]) <= 1


def test_an_alarm_looks_at_the_last_epochs_and_those_before(module):
    signals = [
        {"step": e, "d_accuracy_real": 0.5, "d_accuracy_fake": 0.9, "g_loss": 1.0 + (e > 20)}
        for e in range(1, 41)
    ]
    signals[9]["frechet[x]"], signals[39]["frechet[x]"], signals[39]["recall[x]"] = 8.0, 6.0, 0.25
    signals[39]["precision[x]"] = 0.5
    found = module("alarms").last(signals)
    assert (found["right"], found["generator_loss_ratio"], found["frechet_ratio"]) == (0.5, 2, 0.75)
    assert (found["steps"], found["recall"], found["frechet"]) == (40, 0.25, 6.0)
