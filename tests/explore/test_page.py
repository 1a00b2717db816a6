"""What the page's server answers, and what it refuses: through HTTP, as a browser would ask."""

import asyncio
import json
import re
import socket
import statistics
import sys
import time

import numpy as np
import pytest
import requests
from click import testing
from PIL import Image

from ganzoo import cli
from ganzoo import explore
from ganzoo.explore import answers
from ganzoo.explore import asgi
from ganzoo.explore import cards
from ganzoo.zoo import catalogue
from tests.explore.helpers import HANGS
from tests.explore.helpers import entry
from tests.explore.helpers import explorer_of
from tests.explore.helpers import tiny
from tests.explore.test_images import png

PAGE = sorted(path.name for path in asgi.FOLDER.iterdir())


def get(address, **headers):
    """The reply at an address that is taken as it is: `requests` would tidy it up."""
    with requests.Session() as session:
        request = session.prepare_request(requests.Request("GET", address, headers=headers))
        request.url = address
        return session.send(request, timeout=HANGS, allow_redirects=False)


def post(served, what, fields, **headers):
    headers = {"Content-Type": "application/json", **headers}
    body = fields if isinstance(fields, (str, bytes)) else json.dumps(fields)
    return requests.post(f"{served}ask/{what}", data=body, headers=headers, timeout=HANGS)


def ask(served, what, /, **fields):
    """The answer to a request; or the text of its error."""
    reply = post(served, what, fields)
    assert reply.status_code in (200, 400), reply.text
    return reply.json() if reply.ok else reply.json()["error"]


def upload(served, content, **fields):
    fields = {"model": "vae.fashion_mnist", "what": "reconstruct", **fields}
    return requests.post(f"{served}upload", params=fields, data=content, timeout=HANGS)


def test_the_first_view_needs_two_answers(served):
    listed = ask(served, "models")
    assert [model["title"] for model in listed][:2] == ["dcgan.fashion_mnist", "cgan.mnist"]
    assert listed[1]["name"] == "CGAN" and listed[1]["year"] == "2014" and listed[1]["shipped"]
    assert listed[3]["name"] == "pix2pix" and not listed[3]["shipped"]
    facts = ask(served, "open", model="cgan.mnist")
    assert facts["can"] == ["generate", "project"] and len(facts["classes"]) == 10
    items = ask(served, "wall", model="cgan.mnist", variety=facts["variety"])["items"]
    assert len(items) == 64 and len({item["image"] for item in items}) == 64
    assert items[11]["image"].startswith("data:image/png;base64,")
    point = items[11]["point"]
    assert point["seed"] == 11 and point["label"] == 1
    shown = ask(served, "image", model="cgan.mnist", point=point)["image"]
    moved = {**point, "moves": [["SeFa", 0, 3.0]]}
    assert ask(served, "image", model="cgan.mnist", point=moved)["image"] != shown


def test_every_request_of_the_page_is_answered(served):
    model, point = "vae.fashion_mnist", {"seed": 1}
    for what, fields in (
        ("thumbnail", {}),
        ("card", {}),
        ("strips", {"point": point, "method": "GANSpace"}),
        ("strips", {"point": point, "method": "known"}),
        ("walk", {"start": point, "end": {"seed": 2}}),
        ("arithmetic", {"base": point}),
        ("example", {"what": "reconstruct"}),
        ("example", {"what": "reconstruct", "apply": False}),
    ):
        assert isinstance(ask(served, what, model=model, **fields), dict), what
    for what, fields, start in (
        ("bundle", {"point": point}, b"PK"),
        ("film", {"start": point, "end": {"seed": 2}}, b"GIF8"),
    ):
        assert post(served, what, {"model": model, **fields}).content.startswith(start)
    asked = set(re.findall(r'(?:ask|download)\("(\w+)"', _scripts(served)))
    assert asked == set(answers.REQUESTS) - {"through"}  # which is an upload


def _scripts(served):
    names = [name for name in PAGE if name.endswith(".js")]
    return "".join(requests.get(served + name, timeout=HANGS).text for name in names)


def test_it_listens_here_only_and_gives_no_other_files(served, tmp_path):
    assert served.startswith("http://127.0.0.1:")
    for name in ("", *PAGE):
        assert requests.get(served + name, timeout=HANGS).ok, name
    port = int(served.rstrip("/").rpartition(":")[2])
    with socket.socket() as elsewhere:  # the same port at another of the machine's addresses
        elsewhere.bind(("127.0.0.2", port))
    # The model lies in the folder that the page was started in.
    paths = ["/etc/passwd", "pix2pix.keras", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd"]
    paths += ["../../../../etc/passwd", "runs/mine/config.json", __file__, str(tmp_path / "x.png")]
    paths += ["../server.py", "..%2fserver.py", "server.py", "page/index.html", "."]
    for path in paths:
        for prefix in ("", "ask/", "upload/", "static/", "file="):
            assert get(served + prefix + path).status_code in (404, 405), (prefix, path)


def test_other_sites_get_nothing(served):
    port = served.rstrip("/").rpartition(":")[2]
    for name in ("localhost", "127.0.0.1", "[::1]"):
        reply = get(served, Host=f"{name}:{port}", Origin=f"http://{name}:{port}")
        assert reply.status_code == 200, name
    for odd in (
        {"Host": f"evil.example:{port}"},  # a name that has been made to stand for 127.0.0.1
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert get(served, **odd).status_code == 403, odd
        assert post(served, "models", {}, **odd).status_code == 403, odd
    # What a form of another site can send without being asked for permission first.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        reply = post(served, "models", {}, **{"Content-Type": kind})
        assert reply.status_code == 400 and "application/json" in reply.text
    here = ("127.0.0.1", "localhost", "::1", "127.1.2.3")
    elsewhere = ("0.0.0.0", "::", "192.0.2.1", "example.org", "", None)
    found = [asgi.is_here(x) for x in here + elsewhere]
    assert found == [True] * 4 + [False] * 6


def test_the_browser_is_told_to_load_nothing_from_elsewhere(served):
    for reply in (get(served), get(served + "main.js"), post(served, "models", {})):
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "http" not in policy and "unsafe" not in policy and "*" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
    text = "".join(requests.get(served + name, timeout=HANGS).text for name in PAGE)
    places = set(re.findall(r"(?:https?:)?//[a-z][\w.]+", text)) - {"//www.w3.org"}
    assert {p for p in places if "w3.org" not in p} == set()  # the namespace of SVG is no address


def test_visitors_choose_among_the_models_that_were_named(served, tmp_path):
    for word in ("pix2pix.keras/../style.keras", "dcgan.mnist", str(tmp_path), "hf://some/model"):
        assert ask(served, "open", model=word).startswith("Unknown model")
    for word in ({"path": "/etc/passwd"}, ["cgan.mnist"], None, 3):
        assert isinstance(ask(served, "open", model=word), str)
    # No field takes a path, and a file's content comes in an upload only.
    for fields in ({"path": "/etc/passwd"}, {"content": "x"}):
        said = ask(served, "example", model="vae.fashion_mnist", what="reconstruct", **fields)
        assert said.startswith("Unknown field of example")
    assert ask(served, "through", model="vae.fashion_mnist").startswith("Unknown request")
    assert ask(served, "__init__").startswith("Unknown request")


def test_uploads_are_checked(served):
    big = upload(served, bytes(explore.MOST_BYTES + 1))
    assert big.status_code == 413 and "maximum allowed size is 20 MB" in big.text
    side = int((2 * explore.MOST_PIXELS) ** 0.5)
    for content, said in (
        (b"words", "unknown format"),
        (b"", "unknown format"),
        (b"\x7fELF" + bytes(99), "unknown format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown format"),
        (png(Image.effect_noise((90, 60), 50))[:2000], "cannot be used"),
        (png(Image.new("1", (side, side))), "pixels, more than"),
        (png(Image.new("1", (30_000, 30_000))), "decompression bomb"),
        (png(Image.new("L", (90, 60), 9)), None),  # after all of that
    ):
        assert len(content) < 200_000
        reply = upload(served, content)
        if said is None:
            assert set(reply.json()) == {"taken", "made", "point", "error"}
        else:
            assert reply.status_code == 400 and said in reply.json()["error"]
    good = png(Image.new("L", (9, 9)))
    for fields, said in (
        ({"what": "generate"}, "Unknown value of `what`"),
        ({"what": "upscale"}, "does not upscale"),
        ({"model": "/etc/passwd"}, "Unknown model"),
        ({"path": "/etc/passwd"}, "Unknown field"),
        ({"model": "pix2pix.keras", "what": "translate", "reverse": "true"}, "no way back"),
    ):
        reply = upload(served, good, **fields)
        assert reply.status_code == 400 and said in reply.json()["error"], fields


def test_requests_that_the_page_does_not_make(served):
    model, nan = "dcgan.fashion_mnist", float("nan")
    for fields, said in (
        ({"seed": -1}, "at least 0"),
        ({"variety": nan}, "Received: nan"),
        ({"label": 99}, None),  # of a model without classes
        ({"moves": [["SeFa", 0, 1e300]]}, "must be -4..4"),
        ({"moves": [["SeFa", 10**9, 0]]}, "must be 0..99"),
        ({"moves": [["SeFa", 0, nan]]}, "finite"),
        ({"latents": [0.0] * 99}, "shape"),
        ({"latents": [1e300] * 100}, "finite numbers"),
    ):
        found = ask(served, "image", model=model, point=fields)
        assert isinstance(found, dict) if said is None else said in found, fields
    assert "0..9" in ask(served, "image", model="cgan.mnist", point={"label": 99})
    assert "needs model, point" in ask(served, "image")
    groups = [[7] * 1001, [1], [2]]
    assert "1..1000 seeds" in ask(served, "arithmetic", model=model, base={}, groups=groups)
    for body in ("", "{", "[]", "null", '{"model": ' + "9" * 5000 + "}", "[" * 100_000):
        reply = post(served, "image", body)
        assert reply.status_code == 400 and len(reply.text) < 400, body[:20]
    assert post(served, "image", "[" + "1," * 600_000).status_code == 413
    assert ask(served, "image", model=model, point={})["sound"] is None


def test_a_fault_of_ours_is_told_without_its_details(caplog):
    async def read():
        return "image", {}

    page = asgi._Page(lambda *_: 1 / 0)
    reply = asyncio.run(page._reply(read))
    assert reply.status_code == 500 and b"division" not in reply.body
    assert "division by zero" in caplog.text


def test_an_image_is_compiled_once_whatever_its_sliders():
    explorer, model = tiny(latent_dim=6)
    answer = answers.Answers(explorer)
    traced = []
    whole = type(model.modality).postprocess

    class Counting(type(model.modality)):
        def postprocess(self, outputs):
            traced.append(1)
            return whole(self, outputs)

    object.__setattr__(model, "modality", Counting(model.modality.shape))
    images = set()
    for amount in np.linspace(-4, 4, 9):
        point = {"seed": 1, "moves": [["SeFa", 0, amount]]}
        images.add(answer("image", {"model": "dcgan", "point": point})["image"])
    assert len(images) > 3 and len(traced) == 1


@pytest.mark.slow
def test_a_slider_waits_for_little_else_than_the_model(served):
    """By ratio: to the time of an empty request and of the generator alone, in turn."""
    explorer = explorer_of("dcgan.fashion_mnist")
    seconds = {"slider": [], "empty": [], "model": []}

    def timed(what, run):
        start = time.perf_counter()
        run()
        seconds[what].append(time.perf_counter() - start)

    with explorer.models.using("dcgan.fashion_mnist") as model:
        for i in range(60):
            point = {"seed": 0, "moves": [["SeFa", 0, i / 20]]}
            timed(
                "slider", lambda p=point: ask(served, "image", model="dcgan.fashion_mnist", point=p)
            )
            timed("empty", lambda: ask(served, "models"))
            timed("model", lambda: model.generate(1, seed=0))
    median = {what: statistics.median(times[10:]) for what, times in seconds.items()}
    assert median["slider"] <= 3 * (median["empty"] + median["model"]), median


def test_a_card_tells_scores_data_and_how_to_train():
    title = "r3gan.mnist"
    card = cards.card(title, entry(title))
    row = catalogue.rows()[title]
    assert card["command"] == row.command and card["code"] == entry(title).code
    assert card["facts"]["Licence of the data"] == row.data["licence"]
    first = card["scores"][0]
    assert first["name"] == "frechet" and first["better"] == "lower"
    assert (first["value"], first["floor"]) == (row.frechet[0], row.frechet[2])
    assert card["docs"] == {"page": "docs/models/r3gan.md", "address": ""}
    told = " ".join(cards.card("cgan.mnist", entry("cgan.mnist"))["description"])
    assert "real one of its class, so" in told and "`" not in told
    assert card["year"] == "2024" and "arXiv:2501.05441" in card["references"][0]
    low = cards.card("r3gan.portraits", entry("r3gan.portraits"))
    assert "low fidelity" in low["remarks"]


@pytest.mark.parametrize(
    ("model", "kind"),
    [("bigan", "GAN"), ("vae", "autoencoder"), ("pix2pix", "translator"), ("srgan", "upscaler")],
)
def test_models_are_called_by_their_family(model, kind):
    assert cards.about(model)["kind"] == kind


def test_a_card_links_to_the_documentation_that_the_package_declares(monkeypatch):
    declared = {"Project-URL": ["Documentation, https://example.org/docs/"]}
    found = type("Metadata", (), {"get_all": lambda self, key: declared[key]})()
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: found)
    card = cards.card("r3gan.mnist", entry("r3gan.mnist"))
    assert card["docs"]["address"] == "https://example.org/docs/models/r3gan.html"


def test_a_card_of_a_run_has_its_scores(tmp_path):
    made = explore.Entry(lambda: None, "ganzoo.get('dcgan', …)", "dcgan")
    assert cards.card(str(tmp_path), made)["scores"] == []
    (tmp_path / "scores.json").write_text("broken")
    assert cards.card(str(tmp_path), made)["scores"] == []
    score = {"value": 1.5, "error": None, "floor": float("inf"), "better": "lower", "settings": {}}
    sheet = {"scores": {"frechet[pixels]": score}, "passport": {}, "notes": []}
    (tmp_path / "scores.json").write_text(json.dumps(sheet).replace("Infinity", '"inf"'))
    (row,) = cards.card(str(tmp_path), made)["scores"]
    assert (row["by"], row["value"], row["error"], row["floor"]) == ("pixels", "1.5", "", "inf")


# The command ------------------------------------------------------------------------------------


def test_no_models_and_nothing_to_serve_with(monkeypatch):
    with pytest.raises(ValueError, match="no model"):
        explore.Explorer({})
    made = {"dcgan": entry("dcgan.mnist")}
    for package, run in (("starlette", explore.application), ("uvicorn", explore.launch)):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ImportError, match=r"pip install 'ganzoo\[explore\]'"):
            run(made)


def test_the_best_weights_come_first_and_half_written_runs_are_left_out(tmp_path, monkeypatch):
    (tmp_path / "runs" / "broken" / "checkpoints").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    served = {}

    def launch(entries, **options):
        served.update(entries)
        raise ValueError("that was enough")

    monkeypatch.setattr(explore, "launch", launch)
    found = testing.CliRunner().invoke(cli.main, ["explore"])
    assert sorted(served) == sorted(catalogue.rows())
    assert next(iter(served)) == "r3gan.portraits"
    assert "broken is left out" in found.stderr and "that was enough" in found.stderr
    found = testing.CliRunner().invoke(cli.main, ["explore", "runs/broken"])
    assert found.exit_code == 1 and "that was enough" not in found.stderr


def test_a_port_in_use(served):
    port = int(served.rstrip("/").rpartition(":")[2])
    made = {"dcgan": entry("dcgan.mnist")}
    with pytest.raises(OSError, match=f":{port} cannot be served.*choose another with --port"):
        explore.launch(made, port=port)
    with pytest.raises(ValueError, match="65535"):
        explore.launch(made, port=70_000)
