"""Exported models make the pictures of `generate`, in the runtimes of others."""

import importlib.util
import re

import ai_edge_litert.interpreter as litert
import keras
import numpy as np
import onnxruntime
import pytest
from click import testing
from scipy import special
from scipy import stats

import ganzoo
from ganzoo import cli
from ganzoo import export
from ganzoo import zoo
from ganzoo.families.prior import quantile
from tests.cases import CASES
from tests.helpers import some_slow

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exports are written on TensorFlow"
)


class SavedModel:
    """Runs a folder of TensorFlow's."""

    def __init__(self, path):
        import tensorflow as tf

        self.loaded, self.constant = tf.saved_model.load(str(path)), tf.constant

    def names(self):
        return set(self.loaded.signatures)

    def __call__(self, name, **feed):
        made = self.loaded.signatures[name](**{k: self.constant(v) for k, v in feed.items()})
        return {k: v.numpy() for k, v in made.items()}


class LiteRT:
    """Runs a `.tflite` file."""

    def __init__(self, path):
        self.interpreter = litert.Interpreter(str(path))

    def names(self):
        return set(self.interpreter.get_signature_list())

    def __call__(self, name, **feed):
        return self.interpreter.get_signature_runner(name)(**feed)


class ONNX:
    """Runs an `.onnx` file, which has one function."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(str(path))

    def __call__(self, name, **feed):
        made = self.session.run(None, feed)
        return {x.name: y for x, y in zip(self.session.get_outputs(), made)}


def moved(name, **config):
    """A small model of the zoo away from its initial weights."""
    case = CASES[name]
    model = ganzoo.get(name, **{"image_shape": case.shapes[0], "seed": 0, **case.config, **config})
    rng = np.random.default_rng(0)
    for v in model.variables:
        if len(v.shape) > 1 and "float" in v.dtype:
            v.assign(v + 0.1 * rng.standard_normal(v.shape))
    return model


def close(a, b):
    """Pictures at most one grey level apart."""
    assert a.shape == b.shape and a.dtype == b.dtype
    if a.dtype == np.float32:
        return np.allclose(a, b, atol=1e-4)
    most = 1 if a.dtype == np.uint8 else 2  # of 65,536 levels of sound
    return np.abs(a.astype(int) - b.astype(int)).max() <= most


def check(run, name, model, truncation=None):
    """One function gives what the model gives."""
    rng = np.random.default_rng(1)
    labels = {}
    if name.startswith("from") and model.num_classes is not None:
        labels = {"labels": np.array([2, 0, 1], "int32") % model.num_classes}
    if name == "from_seed":
        feed = labels or {"count": np.array(3, "int64")}
        made = run(name, seed=np.array(11, "int64"), **feed)
        latents = export.latents(model, 11, 3, truncation)
    elif name == "from_latents":
        latents = rng.standard_normal((3, model.latent_width)).astype("float32")
        made = run(name, latents=latents, **labels)
    else:
        shape = model.small_shape if name == "upscale" else model.image_shape
        images = rng.integers(0, 256, (2, *shape), "uint8")
        made = run(name, images=images)
        if name == "encode":
            return np.testing.assert_allclose(made["codes"], model.encode(images), atol=1e-3)
        reverse = {"reverse": True} if name == "translate_back" else {}
        ability = getattr(model, name.partition("_")[0])
        assert close(made["pictures"], ability(images, **reverse))
        return
    own = {} if model.truncates_latents else {"truncation": truncation}
    for what, pictures in made.items():
        domain = {} if what == "pictures" else {"domain": what}
        assert pictures.std() > 0
        assert close(pictures, model.generate(3, latents=latents, **labels, **domain, **own))


FEW = ("cgan", "infogan", "pix2pix", "r3gan", "stylegan2", "vae", "wavegan")
"""Of each kind one: labels, codes, pictures of pictures, residual, styles, an encoder, sound."""
RUNS = [
    pytest.param(SavedModel, "model", name, marks=() if name in FEW else pytest.mark.slow)
    for name in zoo.own_models()
]
RUNS += [(LiteRT, "model.tflite", name) for name in FEW]


@on_tensorflow
@pytest.mark.parametrize("runtime, file, name", RUNS)
def test_every_model_runs_elsewhere(runtime, file, name, tmp_path):
    model = moved(name)
    run = runtime(export.write(model, tmp_path / file))
    names = [function for function, _, _ in export.functions(model)]
    assert run.names() == set(names) and names
    for function in names:
        check(run, function, model)


@on_tensorflow
@some_slow(["cyclegan", "infogan", "stylegan2", "wavegan"], ["cgan", "r3gan", "vae"])
def test_and_as_onnx(name, tmp_path):
    model = moved(name)
    for function, _, _ in export.functions(model):
        path = export.write(model, tmp_path / "model.onnx", function=function)
        check(ONNX(path), function, model)


@on_tensorflow
@pytest.mark.parametrize("name", ["dcgan", "infogan", "stylegan2"])
def test_truncation_is_inside(name, tmp_path):
    model = moved(name)
    run = SavedModel(export.write(model, tmp_path / "model", truncation=0.5))
    check(run, "from_seed", model, 0.5)
    if name == "dcgan":
        assert np.abs(export.latents(model, 0, 50, 0.5)).max() <= 0.5


def test_weights_go_back(tmp_path):
    model = moved("dcgan")
    path = export.write(model, tmp_path / "new" / "dcgan.safetensors")
    again = ganzoo.get("dcgan", weights=path)
    assert close(again.generate(3, seed=1), model.generate(3, seed=1))


# What is drawn -----------------------------------------------------------------------------------


def numbers(seed, places, width):
    found = export.scramble(seed, np.asarray(places)[:, None], np.arange(width)[None])
    assert found.min() >= 0 and found.max() < export.PRIME
    return found


def test_numbers_are_uniform_and_independent():
    found = numbers(3, np.arange(2000), 50) / export.PRIME
    # Kolmogorov-Smirnov over all; correlations between columns, neighbours and seeds: those of
    # 2,000 independent numbers deviate by 1/√2000, of which 4.5 is beyond chance for 2,500 pairs.
    assert stats.kstest(found.ravel(), "uniform").pvalue > 1e-3
    limit = 4.5 / np.sqrt(2000)
    assert np.abs(np.corrcoef(found.T) - np.eye(50)).max() < limit
    assert np.abs(np.corrcoef(found[1:].T, found[:-1].T)[:50, 50:]).max() < limit
    other = numbers(4, np.arange(2000), 50) / export.PRIME
    assert np.abs(np.corrcoef(found.T, other.T)[:50, 50:]).max() < limit


def test_no_two_seeds_places_or_columns_have_the_same_stream():
    """Three numbers in a row say where one is: of 62 bits, no two are alike by chance."""
    places = numbers(0, np.arange(10_000), 100)
    rows = np.stack([places[:, i : 98 + i].ravel() for i in range(3)], axis=1)
    assert len(np.unique(rows @ [1, 2**20 + 7, 2**40 + 9])) == len(rows)  # modulo 2⁶⁴
    first = np.concatenate([numbers(seed, np.arange(30), 2) for seed in range(7000)])
    assert len(np.unique(first @ [1, 2**31])) == len(first)


def test_a_number_depends_on_seed_place_and_column_alone():
    found = numbers(5, [0, 1, 2], 4)
    np.testing.assert_array_equal(numbers(5, [2], 4), found[2:])
    np.testing.assert_array_equal(numbers(5, [0, 1], 2), found[:2, :2])
    assert (numbers(5 + export.PRIME, [0, 1, 2], 4) != found).all()  # large seeds are others


def by_hand(seed, place, column):
    """The same number by whole numbers of any length, of which none can overflow."""
    a, b = seed % export.PRIME, seed % export.ANOTHER_PRIME
    for added in (0, place, column):
        a += added
        for constant in (0x2545F491, 0x4F6CDD1D, 0x5851F42D, 0x14057B7E):
            a, b = (b + pow(a + constant, 5, export.PRIME)) % export.PRIME, a % export.PRIME
    return a


def test_every_backend_draws_the_same():
    wanted = np.array([[by_hand(10**12, i, j) for j in range(100)] for i in range(3)])
    np.testing.assert_array_equal(numbers(10**12, range(3), 100), wanted)
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=4)
    drawn = export.latents(model, 10**12, 3)
    np.testing.assert_allclose(drawn, special.ndtri((wanted + 0.5) / export.PRIME), atol=3e-4)


def test_the_largest_number_is_below_one():
    last = keras.ops.convert_to_tensor(np.float32([0, export.PRIME - 1]))
    found = np.asarray(keras.ops.convert_to_numpy(export.uniform(last)))
    assert 0 < found[0] and found[1] < 1
    model = ganzoo.get("infogan", image_shape=(8, 8, 1), channels=4, latent_dim=2)
    ends = keras.ops.convert_to_tensor(np.repeat(found[1:], model.latent_prior.draws)[None])
    codes = np.asarray(keras.ops.convert_to_numpy(model.latent_prior.of_uniform(ends)))
    assert np.isfinite(codes).all() and codes[0, 2:12].sum() == 1


def test_quantiles_are_those_of_the_normal_distribution():
    p = np.concatenate([np.geomspace(1e-8, 0.5, 500), 1 - np.geomspace(1e-6, 0.5, 500)])
    p = p.astype("float32")
    found = np.asarray(keras.ops.convert_to_numpy(quantile(keras.ops.convert_to_tensor(p))))
    np.testing.assert_allclose(found, special.ndtri(p.astype("float64")), atol=3e-4)
    cut = np.asarray(keras.ops.convert_to_numpy(quantile(keras.ops.convert_to_tensor(p), 0.7)))
    assert np.abs(cut).max() <= 0.7 + 1e-5 and cut[0] == pytest.approx(-0.7, abs=1e-4)


# Bad input ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny():
    return moved("vanilla")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"form": "pickle"}, "`form`"),
        ({"function": "translate"}, "`function`"),
        ({"truncation": 0.0}, "`truncation`"),
        ({"form": "safetensors", "truncation": 1.0}, "leave out `function`, `truncation`"),
        ({"form": "onnx", "truncation": 1.0}, "or export `function='from_seed'`"),
    ],
)
def test_wrong_arguments_are_refused(tiny, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        export.write(tiny, tmp_path / "a", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_means_nothing_is_asked_about(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"ending '.h5'. Known endings: .onnx, .tflite, .safet"):
        export.write(tiny, tmp_path / "a.h5")
    assert export.plan(tiny, "a.TFLITE")[0] == "litert"


def test_half_precision_says_what_to_do(tmp_path):
    model = moved("vanilla", precision="mixed_float16")
    with pytest.raises(ValueError, match="precision='float32'"):
        export.write(model, tmp_path / "a.tflite")


def test_what_has_nothing_to_export_says_so(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "functions", lambda *_: [])  # as of a game without pictures
    with pytest.raises(ValueError, match="Vanilla.* has nothing that could be exported"):
        export.write(tiny, tmp_path / "a.onnx")


@on_tensorflow
def test_points_stay_points(tmp_path):
    model = moved("aae", image_shape=(2,))
    run = SavedModel(export.write(model, tmp_path / "model"))
    points = np.random.default_rng(0).uniform(-1, 1, (3, 2)).astype("float32")
    found = run("reconstruct", images=points)["pictures"]
    np.testing.assert_allclose(found, model.reconstruct(points), atol=1e-4)
    assert run.names() == {"from_latents", "from_seed", "encode", "reconstruct"}


@on_tensorflow
def test_what_is_there_is_not_overwritten_unless_it_is_an_export(tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("three years of work")
    with pytest.raises(ValueError, match="is no SavedModel"):
        export.write(tiny, tmp_path / "mine")
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
    for _ in range(2):
        path = export.write(tiny, tmp_path / "again")
    assert SavedModel(path).names() == {"from_latents", "from_seed"}


@on_tensorflow
def test_a_place_that_cannot_be_written_is_an_os_error(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("model.tflite", "model.safetensors", "model"):
        with pytest.raises(OSError, match="cannot be written"):
            export.write(tiny, tmp_path / "file" / name)


@on_tensorflow
def test_what_is_not_installed_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'ganzoo\[export\]'"):
        export.write(tiny, tmp_path / "a.onnx")


@on_tensorflow
def test_the_command_line_writes_what_others_run(tmp_path):
    model = moved("cgan")
    weights, out = tmp_path / "cgan.safetensors", tmp_path / "digits.onnx"
    export.write(model, weights)
    words = ["export", "cgan", "--weights", str(weights), "-o", str(out), "--function", "from_seed"]
    result = testing.CliRunner().invoke(cli.main, words)
    assert result.exit_code == 0 and result.output == f"{out}: from_seed\n"
    check(ONNX(out), "from_seed", ganzoo.get("cgan", weights=weights))


def test_a_model_without_networks_says_so(tmp_path):
    with pytest.raises(ValueError, match="has no networks yet"):
        export.write(ganzoo.get("dcgan"), tmp_path / "a.onnx")
