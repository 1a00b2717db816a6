"""The benchmarks of speed: turns, counted work, peers with the same networks, tables, the chart."""

import html
import pathlib
import re
import sys
import types

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import layers

ROOT = pathlib.Path(__file__).parents[1]
TINY = {
    "dcgan": {"channels": 4},
    "vanilla": {"generator_units": (6,), "discriminator_units": (6,)},
    "r3gan": {"channels": (4, 3, 2), "group_width": 4},
    "pix2pix": {"channels": 2},
}


def row(what, ratio, spread=0.01, **more):
    ratio = {"times_as_fast": str(ratio), "ratio_spread": str(spread), "rounds": "7"}
    return {"what": what, **ratio, **more}


def test_a_ratio_that_fell_is_found(module):
    old = [row("ganzoo, fit", 1.2, model="dcgan"), row("PyTorch", 1.0, model="dcgan")]
    slower = module("check").slower
    assert slower(old, old) == (1, [])
    new = [row("ganzoo, fit", 1.0, model="dcgan"), row("PyTorch", 0.5, model="dcgan")]
    compared, short = slower(old, new)
    assert compared == 1
    assert [(x["what"], x["was"], x["is"]) for x in short] == [("ganzoo, fit", 1.2, 1.0)]
    # Within a tenth, or within the noise, is as fast; a faster one is too. The error of a median of
    # seven is 0.7 of the spread: 3 * 0.07 covers the 0.2.
    for other in (row("ganzoo, fit", 1.1), row("ganzoo, fit", 1.0, 0.1), row("ganzoo, fit", 2.0)):
        assert slower(old, [{**other, "model": "dcgan"}]) == (1, [])
    # Another model, precision or size is another row; a ratio that is no number has fallen.
    assert slower(old, [row("ganzoo, fit", 0.1, model="vanilla")]) == (0, [])
    assert len(slower(old, [row("ganzoo, fit", "nan", model="dcgan")])[1]) == 1


def test_work_of_an_update(module):
    """By hand, for one layer each: forward, to weights and to inputs cost the same."""
    model = ganzoo.get(
        "vanilla",
        image_shape=(2, 2, 1),
        latent_dim=3,
        generator_units=(5,),
        discriminator_units=(6,),
        pieces=1,
        dropout=(0.0, 0.0),
    )
    g, g_first = 2 * (3 * 5 + 5 * 4), 2 * 3 * 5
    d, d_first = 2 * (4 * 6 + 6 * 1), 2 * 4 * 6
    discriminators = 2 * (3 * d - d_first)
    work = discriminators + 2 * d + 3 * g - g_first
    assert module("measure").update_work(model, 7) == 7 * work
    model.update = "one_stage"
    assert module("measure").update_work(model) == discriminators + d_first + 3 * g - g_first


def test_turns_are_taken_and_the_first_call_is_no_round(module, monkeypatch):
    calls, now = [], [0.0]
    clock = types.SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(module("measure"), "time", clock)

    def contender(name, seconds):
        def run(steps):
            calls.append(name)
            if calls.count(name) == 1:
                now[0] += 0.3  # compiling
            return seconds * steps

        return run

    found, compiling = module("measure").take_turns(
        {"a": contender("a", 1e-3), "b": contender("b", 2e-3)}, steps=3, rounds=4
    )
    assert calls[:2] == ["a", "b"]
    assert all(sorted(calls[i : i + 2]) == ["a", "b"] for i in range(0, 10, 2))
    assert ["b", "a"] in [calls[i : i + 2] for i in range(2, 10, 2)]  # in changing order
    assert found == {"a": [1e-3] * 4, "b": [2e-3] * 4}
    assert compiling == pytest.approx({"a": 0.3 - 3e-3, "b": 0.3 - 6e-3})
    assert module("measure").ratios(found, "a", "b") == [2.0] * 4


def test_only_what_ran_on_the_same_kind_of_processor_is_compared(module):
    check = module("check")
    kind = {"processor": "CPU with a bfloat16 unit", "backend": "tensorflow"}
    old = [row("ganzoo, fit", 1.2, **kind), row("ganzoo, bare step", "", "", **kind)]
    other = {**kind, "processor": "CPU without a bfloat16 unit"}
    assert check.slower(old, [row("ganzoo, fit", 0.1, **other)]) == (0, [])
    # One that is absent now has fallen; there is nothing to say of one that was absent.
    compared, short = check.slower(old, [row(x["what"], "", "", **kind) for x in old])
    assert compared == 1 and short[0]["what"] == "ganzoo, fit" and np.isnan(short[0]["is"])
    about = {"machine": "EPYC", "versions": "python 3"}
    rows = [{**x, **about} for x in old]
    assert check.yardstick(rows, *kind.values()) == "EPYC (python 3)"
    assert check.yardstick(rows, *other.values()) == ""


def test_one_that_cannot_run_is_left_out_with_the_reason(module, capsys):
    def fails(steps):
        raise RuntimeError("no second derivatives\nTraceback")

    runs, absent = {"fails": fails, "runs": lambda steps: 2.0 * steps}, {}
    found, _ = module("measure").take_turns(runs, 3, 2, absent)
    assert found == {"runs": [2.0, 2.0]}
    assert absent == {"fails": "RuntimeError: no second derivatives"}
    assert "Absent: fails, because of RuntimeError" in capsys.readouterr().out
    with pytest.raises(RuntimeError):
        module("measure").take_turns(runs, 3, 2)


def test_work_of_penalties_by_hand(module):
    """For perceptrons of layers 2 → 3 → 3 → 3 → 1 against latents of 4."""
    model = ganzoo.get("r3gan", image_shape=(2,), latent_dim=4, channels=(3,))
    d, d_first, d_last = 2 * (2 * 3 + 3 * 3 + 3 * 3 + 3 * 1), 2 * 2 * 3, 2 * 3 * 1
    g, g_first = 2 * (4 * 3 + 3 * 3 + 3 * 3 + 3 * 2), 2 * 4 * 3
    # Of each image: forward, back to the image; that gradient's to the weights, and to what came
    # back into all layers but the last; the loss's to weights and inputs.
    look = d + d + d + (d - d_last) + d + (d - d_first)
    answer = 2 * d + d + 3 * g - g_first  # fake ones there and back, real ones there
    assert module("measure").update_work(model, 5) == 5 * (2 * look + answer)


def test_work_of_a_translation_by_hand(module):
    """All kernels are 4×4; the numbers are channels and places."""
    model = ganzoo.get("pix2pix", image_shape=(8, 8, 1), channels=1)
    work = lambda *layers: [2 * 16 * a * b * places for a, b, places in layers]
    g = work((1, 1, 16), (1, 2, 4), (2, 4, 1), (4, 2, 1), (4, 1, 4), (2, 1, 16))
    d = work((2, 1, 16), (1, 2, 16), (2, 1, 16))
    alone = 2 * (3 * sum(d) - d[0])
    answer = 2 * sum(d) - d[0] / 2 + 3 * sum(g) - g[0]  # back to one of the two images
    assert module("measure").update_work(model) == alone + answer


def networks_of(name):
    model = ganzoo.get(name, image_shape=(8, 8, 1), **TINY[name])
    return model, (model.generator, model.discriminator)


@pytest.mark.parametrize("name", TINY)
def test_the_plain_loop_has_the_same_networks(module, name, rng):
    _, networks = networks_of(name)
    for network in networks:
        own = module("peers").with_own_layers(network)
        own.set_weights(network.get_weights())
        shape = [n or 8 for n in network.input_shape[1:]]
        x = rng.normal(size=(3, *shape)).astype("float32")
        expected, found = (keras.ops.convert_to_numpy(n(x)) for n in (network, own))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        kinds = {type(x) for x in own._flatten_layers() if type(x).__module__.startswith("ganzoo")}
        assert {kind.__name__ for kind in kinds} <= {"Maxout", "Spread", "Gather", "Conv2D"}
        convolutions = [x for x in own._flatten_layers() if type(x) is layers.Conv2D]
        assert all(x.groups > 1 for x in convolutions)  # as Keras has none that is fast


@pytest.mark.parametrize("name", TINY)
def test_pytorch_has_the_same_networks(module, name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model, networks = networks_of(name)
    build, _ = module("torch_peers").GAMES[name]
    for network, peer in zip(networks, build(model)):
        count = sum(np.prod(w.shape) for w in network.trainable_weights)
        assert sum(w.numel() for w in peer.parameters() if w.requires_grad) == count
        shape = [n or 8 for n in network.input_shape[1:]]
        images = len(shape) == 3
        x = torch.zeros(2, *([shape[2], *shape[:2]] if images else shape))
        found, expected = peer(x).shape, network(np.zeros((2, *shape), "float32")).shape
        order = [0, *range(2, len(found)), 1] if len(found) == 4 else range(len(found))
        assert [found[i] for i in order] == list(expected)


@pytest.fixture
def measured(module, monkeypatch, tmp_path):
    """The rows of a tiny run of `train.py`."""

    def run(name, *arguments):
        train, measure = module("train"), module("measure")
        monkeypatch.setattr(measure, "RESULTS", tmp_path)
        monkeypatch.setattr(measure, "peaks", lambda dtype: PEAKS[dtype])
        monkeypatch.setitem(train.ARGUMENTS, name, TINY[name])
        monkeypatch.setattr(train, "VARIANTS", {"vanilla": train.VARIANTS["vanilla"]})
        tiny = ("--batch-size", "2", "--rounds", "2", "--seconds", "0.001")
        monkeypatch.setattr(sys, "argv", ["train.py", name, "8", *tiny, *arguments])
        train.main()
        return measure.results("train", tmp_path)

    return run


PEAKS = {"float32": (4e9, 3e9), "bfloat16": (8e9, 6e9)}


@pytest.fixture
def no_pytorch(module, monkeypatch):
    monkeypatch.setattr(module("train"), "has_torch", lambda: False)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("dcgan", marks=pytest.mark.slow),
        pytest.param("r3gan", marks=pytest.mark.slow),
        "pix2pix",
    ],
)
def test_all_that_take_turns_are_measured(measured, module, no_pytorch, name):
    rows = measured(name, "--precision", "float32")
    kinds = [x["what"] for x in rows]
    assert kinds[0] == "plain Keras loop" and {"ganzoo, fit", "ganzoo, bare step"} <= set(kinds)
    for x in rows:
        assert float(x["images_per_second"]) > 0 and float(x["times_as_fast"]) > 0, x["absent"]
        assert bool(x["share_of_peak"]) == x["what"].startswith("ganzoo")
        assert x["precision"] == "float32" and x["peak_gflops"] == "4"
    ours = [kind for kind in kinds if kind.startswith("ganzoo")]
    assert module("check").slower(rows, rows) == (len(ours), [])


@pytest.mark.slow
def test_a_run_has_both_precisions_and_the_defaults(measured, module, no_pytorch, monkeypatch):
    monkeypatch.setattr(module("measure"), "computes_in_bfloat16", lambda: True)
    rows = measured("vanilla")
    whats = ["plain Keras loop", "ganzoo, fit", "ganzoo, bare step", "ganzoo, one_stage"]
    expected = {(what, precision) for what in whats for precision in ("float32", "mixed_bfloat16")}
    found = [(x["what"], x["precision"]) for x in rows]
    # The default precision of a processor without a unit for bfloat16, as all are in tests.
    assert set(found) == expected | {("ganzoo, defaults", "float32")} and found[0][1] == "float32"
    for x in rows:
        peak = PEAKS[x["precision"].removeprefix("mixed_")][0]
        assert float(x["peak_gflops"]) == peak / 1e9
        if x["share_of_peak"]:
            model = ganzoo.get("vanilla", image_shape=(8, 8, 1), **TINY["vanilla"])
            model.update = "one_stage" if "one_stage" in x["what"] else model.update
            work = module("measure").update_work(model, 2)
            share = work / float(x["ms_per_step"]) * 1e3 / peak
            assert float(x["share_of_peak"]) == pytest.approx(share, rel=2e-3)
    # Another run replaces the rows of this one.
    assert {x["precision"] for x in measured("vanilla", "--precision", "float32")} == {"float32"}


@pytest.mark.parametrize("name", TINY)
def test_pytorch_takes_turns(module, name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    peers, (model, _) = module("torch_peers"), networks_of(name)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), "uint8")
    arrays = (images, 255 - images) if name == "pix2pix" else (images,)
    makers = peers.makers(model, arrays, 2)
    assert list(makers) == list(peers.SETTINGS)
    for (what, _), make in makers.items():
        if "compiled" not in what:
            torch.manual_seed(0)
            assert make()(3) > 0
    build, step = peers.GAMES[name]
    players = peers.Players(model, build(model), peers.Setting(), "cpu")
    before = [[w.detach().clone() for w in n.parameters()] for n in players.optimizers]
    batch = [torch.rand(2, 1, 8, 8) * 2 - 1 for _ in arrays]
    assert torch.isfinite(step(players, *batch))
    for network, old in zip(players.optimizers, before):  # both have moved
        assert all(w.requires_grad for w in network.parameters())
        assert any(not torch.equal(a, b) for a, b in zip(network.parameters(), old))


# The pages --------------------------------------------------------------------------------------


def result(what, ratio, precision="float32", model="dcgan", **more):
    """A row of `train.csv`."""
    return {
        **{"model": model, "size": "28", "batch": "64", "precision": precision, "what": what},
        **{"against": "plain Keras loop", "images_per_second": "1000", "share_of_peak": "0.5"},
        **{"times_as_fast": ratio, "ratio_spread": "0.1", "machine": "EPYC", "versions": "v 1"},
        **{"processor": "CPU with a bfloat16 unit", "backend": "tensorflow"},
        "peak_gflops": "100",
        **more,
    }


ROWS = [
    result("plain Keras loop", "1"),
    result("plain Keras loop", "1.9", "mixed_bfloat16"),
    result("ganzoo, defaults", "2.5", "mixed_bfloat16"),
    result("ganzoo, fit", "1.25"),
    result("PyTorch", "1.125"),
    result("PyTorch, channels last", "1.375"),
    result("PyTorch, channels last, compiled", ""),
]


def test_a_table_shows_the_best_of_each_kind_and_few_lines(module):
    speeds = module("speeds")
    lines = speeds.table(ROWS, "train.csv").splitlines()
    assert lines[0] == "TensorFlow on EPYC, CPU with a bfloat16 unit (v 1):"
    assert "| ganzoo, defaults | ganzoo, float32 | PyTorch, float32 | share" in lines[2]
    assert lines[4] == (
        "| dcgan, 28×28, 64 | 1,000 | 2.50 ± 0.10, bfloat16 | 1.25 ± 0.10 | 1.38 ± 0.10 | 50% |"
    )
    assert "[All rows](train.csv)" in "\n".join(lines)
    # The limit is the same machine's largest in this precision, of whichever run.
    peak = {"size": "64", "peak_gflops": "200"}
    faster = [result(what, "1", "mixed_bfloat16", **peak) for what in ("ganzoo, fit", "PyTorch")]
    rows = [*ROWS, result("plain Keras loop", "1", **peak), *faster]
    assert "| 25% |" in speeds.table(rows, "train.csv").splitlines()[4]
    many = [result("plain Keras loop", "1", size=str(size)) for size in range(8, 20)]
    other = [{**x, "processor": "CPU without a bfloat16 unit"} for x in many]
    text = speeds.table([*many, *other], "train.csv")
    assert text.count("\n| dcgan, ") == 2 * speeds.MOST == 16
    assert text.count("TensorFlow on EPYC") == 2


def test_the_chart_has_a_bar_for_each_ratio(module):
    figure = module("figures").chart([*ROWS, result("plain Keras loop", "1", processor="GPU")])
    assert [axis.get_title() for axis in figure.axes] == [
        "TensorFlow, CPU with a bfloat16 unit",
        "TensorFlow, GPU",
    ]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [2.5, 1.25, 1.375]


def test_the_committed_chart_shows_the_committed_results(module):
    text = (ROOT / "docs" / "images" / "speed.svg").read_text("utf-8")
    shown = [html.unescape(x) for x in re.findall(r">([^<>]+)</text>", text)]
    labels = [x.get_text() for axis in drawn_axes(module) for x in axis.texts]
    assert labels and sorted(x for x in shown if x.endswith("×")) == sorted(labels)
    assert "](images/speed.svg)" in (ROOT / "docs" / "speed.md").read_text("utf-8")


def drawn_axes(module):
    return module("figures").chart(module("measure").results("train")).axes
