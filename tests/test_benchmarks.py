"""What the benchmarks compute besides time."""

import pathlib
import sys

import pytest

BENCHMARKS = str(pathlib.Path(__file__).parents[1] / "benchmarks")


@pytest.fixture
def module(monkeypatch):
    """A module of `benchmarks/`, by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(BENCHMARKS):
            del sys.modules[name]


def row(what, ratio, spread=0.01, **more):
    return {"what": what, "times_as_fast": str(ratio), "ratio_spread": str(spread), **more}


def test_a_ratio_that_fell_is_found(module):
    old = [row("ganzoo, fit", 1.2, model="dcgan"), row("PyTorch", 1.0, model="dcgan")]
    slower = module("check").slower
    assert slower(old, old) == (1, [])
    new = [row("ganzoo, fit", 1.0, model="dcgan"), row("PyTorch", 0.5, model="dcgan")]
    compared, short = slower(old, new)
    assert compared == 1
    assert [(x["what"], x["was"], x["is"]) for x in short] == [("ganzoo, fit", 1.2, 1.0)]
    # Within a tenth, or within the noise, is as fast; a faster one is too.
    for other in (row("ganzoo, fit", 1.1), row("ganzoo, fit", 1.0, 0.1), row("ganzoo, fit", 2.0)):
        assert slower(old, [{**other, "model": "dcgan"}]) == (1, [])
    # Another model, precision or size is another row; a ratio that is no number has fallen.
    assert slower(old, [row("ganzoo, fit", 0.1, model="vanilla")]) == (0, [])
    assert len(slower(old, [row("ganzoo, fit", "nan", model="dcgan")])[1]) == 1


def test_work_of_an_update(module):
    """By hand, for one layer each: forward, to weights and to inputs cost the same."""
    import ganzoo

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


def test_turns_are_taken_and_the_first_call_is_no_round(module):
    calls = []

    def contender(name, seconds):
        def run(steps):
            calls.append(name)
            return (seconds + (10 if calls.count(name) == 1 else 0)) * steps

        return run

    found, compiling = module("measure").take_turns(
        {"a": contender("a", 1.0), "b": contender("b", 2.0)}, steps=3, rounds=2
    )
    assert calls == ["a", "b"] * 3
    assert found == {"a": [1.0, 1.0], "b": [2.0, 2.0]}
    assert compiling == {"a": 30.0, "b": 30.0}
    assert module("measure").ratios(found, "a", "b") == [2.0, 2.0]
