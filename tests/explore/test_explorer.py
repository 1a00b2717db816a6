"""What the page shows: points, sliders, walls, walks, sums and files, without the page."""

import dataclasses
import io
import json
import runpy
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from scipy.io import wavfile

import ganzoo
from ganzoo import explore
from ganzoo.explore import points
from ganzoo.explore.answers import Answers
from ganzoo.explore.explorer import FRAMES
from ganzoo.explore.explorer import WALL
from ganzoo.explore.models import Models
from ganzoo.explore.points import KNOWN
from ganzoo.explore.points import Point
from tests.explore.helpers import entry
from tests.explore.helpers import explorer_of
from tests.explore.helpers import tiny

DCGAN, CGAN = "dcgan.fashion_mnist", "cgan.mnist"


@pytest.fixture(scope="module")
def explorer():
    return explorer_of(DCGAN, CGAN)


# Points and sliders -----------------------------------------------------------------------------


def test_a_point_is_what_generate_draws_from_the_seed(explorer):
    with explorer.models.using(CGAN) as model:
        wanted = model.generate(1, seed=5, labels=[7])[0]
        np.testing.assert_array_equal(explorer.picture(CGAN, Point(seed=5, label=7)), wanted)
        limit = points.truncation_of(0.6, of_latents=True)
        wanted = model.generate(1, seed=5, labels=[7], truncation=limit)[0]
    cut = Point(seed=5, label=7, variety=0.6)
    np.testing.assert_array_equal(explorer.picture(CGAN, cut), wanted)
    assert np.abs(explorer.arguments(CGAN, [cut])["latents"]).max() <= limit


@pytest.mark.parametrize("variety", [0.3, 0.6, 0.9])
def test_variety_is_the_spread_of_truncated_latents(variety):
    limit = points.truncation_of(variety, of_latents=True)
    assert stats.truncnorm.std(-limit, limit) == pytest.approx(variety, abs=1e-4)
    assert points.truncation_of(variety, of_latents=False) == variety
    assert points.truncation_of(1.0, of_latents=True) is None
    assert points.truncation_of(1.0, of_latents=False) is None


def test_styles_are_truncated_where_the_model_does_that():
    explorer, model = tiny("stylegan2", max_channels=8, style_dim=8)
    found = explorer.arguments("stylegan2", [Point(seed=1, variety=0.5)])
    assert found["truncation"] == 0.5
    np.testing.assert_array_equal(found["latents"], model.prior(np.random.default_rng(1), 1))
    assert "truncation" not in explorer.arguments("stylegan2", [Point(seed=1)])


@pytest.mark.parametrize("method", explore.METHODS)
def test_sliders_move_along_what_they_are_named_for(explorer, method):
    kind = method.removeprefix("single ").removesuffix("s")
    ways = explorer.ways(DCGAN, method)
    assert all(way.name.startswith(f"{kind} {i}") for i, way in enumerate(ways))
    still = explorer.arguments(DCGAN, [Point(seed=1)])["latents"][0]
    moved = Point(seed=1).moved(method, 3, 1.5)
    difference = explorer.arguments(DCGAN, [moved])["latents"][0] - still
    np.testing.assert_allclose(difference, 1.5 * ways[3].vector, atol=1e-6)
    assert np.linalg.norm(ways[3].vector) == pytest.approx(1, abs=1e-5)
    if method == "single latents":
        assert np.flatnonzero(difference).tolist() == [3]


def test_a_strip_shows_what_its_slider_would_make(explorer):
    point = Point(seed=2, label=4, moves=(("SeFa", 1, 2.0), ("SeFa", 9, -1.0)))
    strips = explorer.strips(CGAN, point, "SeFa", 1)
    assert [strip.number for strip in strips] == list(range(1, 1 + explore.SLIDERS))
    first = strips[0]
    assert first.at == 2.0 and len(first.pictures) == len(first.stops) == points.STOPS
    for stop, picture in zip(first.stops, first.pictures):
        other = explorer.picture(CGAN, point.moved("SeFa", 1, stop)).astype(int)
        assert np.abs(other - picture).max() <= 1
    middle = points.STOPS // 2
    for strip in strips[1:]:  # unmoved sliders show the image itself in the middle
        if strip.at == 0:
            gap = strip.pictures[middle].astype(int) - explorer.picture(CGAN, point)
            assert np.abs(gap).max() <= 1


def test_classes_are_a_slider_with_a_name_and_an_image_each():
    explorer = explorer_of("cgan.fashion_mnist")
    (strip,) = explorer.strips("cgan.fashion_mnist", Point(seed=3, label=5), KNOWN)
    assert strip.way.name == "class" and strip.way.words[7] == "7: Sneaker" and strip.at == 5
    with explorer.models.using("cgan.fashion_mnist") as model:
        latents = model.prior(np.random.default_rng(3), 1)
        wanted = model.generate(10, latents=np.repeat(latents, 10, axis=0))
    np.testing.assert_array_equal(strip.pictures, wanted)


def test_of_very_many_classes_the_strip_shows_those_near_the_current_one():
    explorer, _ = tiny("cgan", num_classes=50)
    for label, first in ((0, 0), (25, 15), (49, 30)):
        (strip,) = explorer.strips("cgan", Point(label=label), KNOWN)
        assert len(strip.pictures) == points.MOST_STOPS
        assert strip.stops[0] == first and label in strip.stops


def test_latent_codes_are_sliders_that_are_set():
    explorer, model = tiny("infogan", dense_units=(8,), categories=(3,), continuous=2)
    names = [way.name for way in explorer.ways("infogan", KNOWN)]
    assert names == ["category", "code 0", "code 1"]
    known = Point(seed=4, moves=((KNOWN, 0, 2.0), (KNOWN, 2, -1.5)))
    latents = explorer.arguments("infogan", [known])["latents"][0]
    assert latents[-5:-2].tolist() == [0, 0, 1] and latents[-1] == -1.5
    start = explorer.arguments("infogan", [Point(seed=4)])["latents"][0]
    np.testing.assert_array_equal(latents[: model.latent_dim], start[: model.latent_dim])
    category, one, two = explorer.strips("infogan", Point(seed=4), KNOWN)
    assert category.at == start[-5:-2].argmax()
    assert (one.at, two.at) == (start[-2], start[-1])


def test_fewer_latents_than_sliders():
    explorer, _ = tiny(latent_dim=3)
    for method in explore.METHODS:
        assert len(explorer.strips("dcgan", Point(), method)) == 3
        with pytest.raises(ValueError, match=r"0\.\.2\. Received: 3"):
            explorer.strips("dcgan", Point(), method, 3)


def test_moves_beyond_a_slider_are_refused(explorer):
    for move, said in (
        (("SeFa", 0, 99.0), r"slider of SeFa 0 .* must be -4\.\.4\. Received: 99"),
        (("SeFa", 999, 0.0), r"must be 0\.\.99"),
        ((KNOWN, 0, 0.0), "number of a slider"),
    ):
        with pytest.raises(ValueError, match=said):
            explorer.picture(DCGAN, Point(moves=(move,)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([], "must be an object"),
        ({"sead": 1}, "Did you mean 'seed'"),
        ({"seed": -1}, "at least 0"),
        ({"seed": 2**53}, "at most"),
        ({"seed": 1.5}, "whole number"),
        ({"variety": 0}, "greater than 0"),
        ({"variety": 1.1}, "at most 1"),
        ({"variety": float("nan")}, "Received: nan"),
        ({"label": "x"}, "whole number"),
        ({"latents": [[0.0]]}, "list of finite numbers"),
        ({"latents": [float("inf")]}, "list of finite numbers"),
        ({"moves": {}}, "list of at most"),
        ({"moves": [["SeFa", 0]]}, r"\[method, number, amount\]"),
        ({"moves": [["PCA", 0, 1]]}, "Unknown value of `method`"),
        ({"moves": [["SeFa", -1, 1]]}, "at least 0"),
        ({"moves": [["SeFa", 0, float("nan")]]}, "finite"),
        ({"moves": [["SeFa", i, 0] for i in range(501)]}, "at most 500"),
    ],
    ids=str,
)
def test_fields_of_a_point_are_checked(fields, said):
    with pytest.raises((ValueError, TypeError), match=said):
        Point.of(fields)


# Several points -----------------------------------------------------------------------------------


def test_a_wall_has_seeds_and_classes_in_turn(explorer):
    wall = explorer.wall(CGAN, page=2, variety=0.7)
    assert [p.seed for p in wall] == list(range(2 * WALL, 3 * WALL))
    assert [p.label for p in wall] == [i % 10 for i in range(WALL)]
    assert {p.variety for p in wall} == {0.7}
    assert {p.label for p in explorer.wall(CGAN, label=3)} == {3}
    assert {p.label for p in explorer.wall(DCGAN)} == {None}


def test_a_walk_goes_along_the_sphere_from_one_point_to_the_other(explorer):
    start, end = Point(seed=3, label=2), Point(seed=4, label=7)
    walk = explorer.walk(CGAN, start, end)
    assert len(walk) == FRAMES and {p.label for p in walk} == {2, 7}
    for point, wanted in zip((walk[0], walk[-1]), (start, end)):
        gap = explorer.picture(CGAN, point).astype(int) - explorer.picture(CGAN, wanted)
        assert np.abs(gap).max() <= 1
    lengths = [np.linalg.norm(p.latents) for p in walk]
    assert min(lengths) >= min(lengths[0], lengths[-1]) - 1e-4  # a straight line is shorter
    for steps in (1, 1000):
        with pytest.raises(ValueError, match="`steps`"):
            explorer.walk(CGAN, start, end, steps)


def test_arithmetic_is_that_of_the_means(explorer):
    base = Point(label=2)
    members, results = explorer.arithmetic(CGAN, ([0, 1], [2], [3, 4, 5]), base)
    assert [[p.seed for p in group] for group in members] == [[0, 1], [2], [3, 4, 5]]
    with explorer.models.using(CGAN) as model:
        drawn = [model.prior(np.random.default_rng(s), 1)[0] for s in range(6)]
    wanted = np.mean(drawn[:2], 0) - drawn[2] + np.mean(drawn[3:], 0)
    np.testing.assert_allclose(results[3].latents, wanted, atol=1e-6)
    assert {p.label for p in results} == {2}
    for groups, said in (
        (([], [1], [2]), "a list of"),
        (([0] * 1001, [1], [2]), r"1\.\.1000"),
        (([-1], [1], [2]), "at least 0"),
        (("12", [1], [2]), "a list of"),
        (([0], [1]), "three groups"),
    ):
        with pytest.raises(ValueError, match=said):
            explorer.arithmetic(CGAN, groups, base)


def test_the_first_groups_lie_far_apart_along_the_first_direction(explorer):
    groups = explorer.groups(DCGAN, Point())
    assert sorted(map(len, groups)) == [3, 3, 3] and len({s for g in groups for s in g}) == 9
    vector = explorer.ways(DCGAN, "GANSpace")[0].vector
    all_seeds = [Point(seed=s) for s in range(WALL)]
    places = explorer.arguments(DCGAN, all_seeds)["latents"] @ vector
    high, low, other = (places[group] for group in groups)
    assert high.min() >= np.sort(places)[-3] and low.max() <= np.sort(places)[2]
    assert other.max() < np.median(places)
    _, results = explorer.arithmetic(DCGAN, groups, Point())
    assert results[3].latents @ vector > np.median(places)  # the third group has come over


# Files ----------------------------------------------------------------------------------------


def test_what_is_downloaded_makes_the_image_again(explorer, tmp_path, monkeypatch):
    point = Point(seed=9, moves=(("GANSpace", 0, 2.0), ("GANSpace", 1, -1.0)))
    with zipfile.ZipFile(io.BytesIO(explorer.bundle(DCGAN, point))) as archive:
        archive.extractall(tmp_path)
    shown = np.asarray(Image.open(tmp_path / "picture.png"))
    np.testing.assert_array_equal(shown, explorer.picture(DCGAN, point)[..., 0])
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path("again.py")
    again = made["model"].generate(1, **made["point"])[0, ..., 0]
    assert np.abs(again.astype(int) - shown).max() <= 1
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "again.png")), again)


def test_a_film_goes_there_and_back(explorer):
    walk = explorer.walk(DCGAN, Point(seed=1), Point(seed=2), steps=4)
    with Image.open(io.BytesIO(explorer.film(DCGAN, walk))) as film:
        assert film.format == "GIF" and film.n_frames == 6 and film.info["loop"] == 0


def test_thumbnails_are_made_once_and_keep_no_model():
    opened = []
    made = entry(CGAN)

    def open_it():
        opened.append(1)
        return made.open()

    explorer = explore.Explorer({"it": dataclasses.replace(made, open=open_it)})
    first, again = explorer.thumbnail("it"), explorer.thumbnail("it")
    assert len(first) == 9 and first is again and len(opened) == 1
    explorer.picture("it", Point())
    explorer.picture("it", Point())
    assert len(opened) == 2  # the thumbnail's model is gone; this one is kept


# Models -----------------------------------------------------------------------------------------


def test_the_models_used_longest_ago_are_forgotten():
    opened = []
    entries = {name: explore.Entry(lambda n=name: opened.append(n) or n, "") for name in "abc"}
    models = Models(entries, kept=2)
    for name in "abacab":
        with models.using(name) as model, models.using(name) as same:
            assert model is same == name
    assert opened == ["a", "b", "c", "b"]
    with pytest.raises(ValueError, match="Unknown model: 'd'"), models.using("d"):
        pass
    with pytest.raises(ValueError, match="no model to explore"):
        Models({})


def test_classes_are_called_by_their_names(tmp_path):
    made = entry("cgan.fashion_mnist")
    names = [f"kind {i}" for i in range(9)] + ["<b>"]
    records = {
        "run": {"settings": {"data": "mine"}, "class_names": names},
        "published": {"data": {"name": "mine", "class_names": names}},
        "few": {"settings": {"data": "mine"}, "class_names": names[:2]},
        "none": {"settings": {"data": "mine"}, "class_names": None},
        "wrong": {"settings": {"data": "mine"}, "class_names": [1, 2]},
        "elsewhere": None,
    }
    for name, record in records.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(record))
    titles = {name: str(tmp_path / name) for name in records}
    models = Models(dict.fromkeys(["cgan.fashion_mnist", *titles.values()], made))
    assert models.classes("cgan.fashion_mnist")[7] == "7: Sneaker"
    numbers = [str(i) for i in range(10)]
    for name, title in titles.items():
        told = [f"{i}: {kind}" for i, kind in enumerate(names)]
        assert models.classes(title) == (told if name in ("run", "published") else numbers)
    other = explorer_of(CGAN, DCGAN).models
    assert other.classes(CGAN) == numbers and other.classes(DCGAN) == []


def test_a_model_of_points_is_drawn():
    model = ganzoo.get("vanilla", image_shape=(2,), generator_units=(4,), seed=0)
    explorer = explore.Explorer({"points": explore.Entry(lambda: model, "", "vanilla")})
    pictures = explorer.pictures("points", explorer.wall("points"))
    assert len(pictures) == WALL and pictures[0].shape[2] == 1 and pictures[0].dtype == np.uint8
    assert not explorer.models.can("points", "project")
    assert "takes points, not images" in explorer.models.wants("points")
    assert len(explorer.thumbnail("points")) == 9


def test_a_sound_is_drawn_played_and_made_again(tmp_path, monkeypatch):
    model = ganzoo.get("wavegan", image_shape=(256, 1), channels=2, sample_rate=8000, seed=0)
    model.save(tmp_path / "model.keras")
    code = f"ganzoo.get('wavegan', weights={str(tmp_path / 'model.keras')!r})"
    explorer = explore.Explorer({"words": explore.Entry(lambda: model, code, "wavegan")})
    point = Point(seed=3)
    (picture,) = explorer.pictures("words", [point])
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    rate, clip = wavfile.read(io.BytesIO(explorer.sound("words", point)))
    wanted = model.generate(1, **explorer.arguments("words", [point]))[0, :, 0]
    assert rate == 8000
    np.testing.assert_array_equal(clip, wanted)
    answer = Answers(explorer)("image", {"model": "words", "point": {"seed": 3}})
    assert answer["sound"].startswith("data:audio/wav;base64,UklGR")
    with zipfile.ZipFile(io.BytesIO(explorer.bundle("words", point))) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    runpy.run_path("again.py")
    assert (tmp_path / "again" / "00000.wav").read_bytes() == (tmp_path / "sound.wav").read_bytes()
    assert len(explorer.strips("words", point, "SeFa")) > 0
    assert "takes clips, not images" in explorer.models.wants("words")


def test_an_image_has_no_sound(explorer):
    answer = Answers(explorer)("image", {"model": DCGAN, "point": {"seed": 3}})
    assert answer["sound"] is None
