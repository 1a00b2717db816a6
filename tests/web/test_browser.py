"""Pages in a browser: they compute what ganzoo computes, and do what one clicks.

They need Chromium, Playwright and onnxruntime-web, as `$GANZOO_TEST_RUNTIME` names it or as npm's
cache has it: `npm pack` with the version below, once.
"""

import contextlib
import functools
import http.server
import os
import pathlib
import shutil
import subprocess
import threading

import keras
import numpy as np
import pytest
from PIL import Image

from ganzoo import export
from ganzoo import latent
from ganzoo import web
from ganzoo.web import runtime
from tests.test_export import close
from tests.test_export import moved

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exports are written on TensorFlow"
)
HANGS = 300_000
"""Milliseconds after which the page is taken to hang, however busy the machine is."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """onnxruntime-web, without asking the network."""
    if os.environ.get("GANZOO_TEST_RUNTIME"):
        return os.environ["GANZOO_TEST_RUNTIME"]
    place = tmp_path_factory.mktemp("npm")
    if shutil.which("npm"):
        words = [shutil.which("npm"), "pack", "--offline", "--silent", *runtime.PACK.split()[2:]]
        if subprocess.run(words, cwd=place, capture_output=True).returncode == 0:
            return next(place.glob("*.tgz"))
    return pytest.skip(f"onnxruntime-web is not in npm's cache: type `{runtime.PACK}` once")


@contextlib.contextmanager
def opened(browser, address):
    """The page at an address, once it is ready; it must ask no other site, and report no error."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(HANGS)
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.evaluate("ganzoo.then(() => null)")
    yield page
    here = ("data:", "blob:", address.rpartition("/")[0])
    assert [url[:200] for url in asked if not url.startswith(here)] == [] and wrong == []
    page.close()


@pytest.fixture(scope="module")
def digits(engine, tmp_path_factory):
    """A conditional model of grey images, and the address of its page, which is one file."""
    model = moved("cgan", image_shape=(12, 12, 1))
    path = web.write(model, tmp_path_factory.mktemp("page") / "digits", runtime=engine)
    lonely = path.rename(tmp_path_factory.mktemp("alone") / "digits.html")
    return model, lonely.as_uri()


def pixels(page, place):
    """What a canvas shows, `(height, width, 4)` uint8."""
    found = page.evaluate(
        """(place) => {
            const canvas = document.querySelector(place), { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return [height, width, Array.from(data)];
        }""",
        place,
    )
    return np.array(found[2], "uint8").reshape(found[0], found[1], 4)


def images(answer):
    return np.array(answer["data"], "uint8").reshape(answer["dims"])


GENERATE = """async ([vectors, labels]) => {
    const page = await ganzoo;
    const made = await page.generate(vectors, labels);
    return { dims: made.dims, data: Array.from(made.data) };
}"""


def test_a_page_opened_as_a_file_makes_the_images_of_generate(browser, digits):
    model, address = digits
    with opened(browser, address) as page:
        drawn = "async (seeds) => (await (await ganzoo).latents(seeds)).map((x) => Array.from(x))"
        seeds = [0, 5, 123_456]
        latents = np.array(page.evaluate(drawn, seeds), "float32")
        wanted = np.concatenate([export.latents(model, seed, 1) for seed in seeds])
        np.testing.assert_allclose(latents, wanted, atol=1e-5)
        labels = [2, 0, 1]
        made = images(page.evaluate(GENERATE, [wanted.tolist(), labels]))
        assert made.std() > 0 and close(made, model.generate(3, latents=wanted, labels=labels))
        # The first image of the wall, and the large one, are those of the first seed.
        first = model.generate(1, latents=export.latents(model, 1, 1), labels=0)[0]
        for place in ("#wall canvas", "#image"):
            shown = pixels(page, place)
            assert close(shown[..., :3], np.repeat(first, 3, axis=2))
            assert (shown[..., 3] == 255).all()


def test_what_one_clicks(browser, digits):
    model, address = digits
    image = lambda seed, label, latents=None: np.repeat(
        model.generate(
            1,
            latents=export.latents(model, seed, 1) if latents is None else latents,
            labels=label,
        )[0],
        3,
        axis=2,
    )

    with opened(browser, address) as page:
        says = lambda text: page.wait_for_function(
            "(text) => document.getElementById('caption').textContent === text", arg=text
        )
        page.fill("#seed", "40")
        page.keyboard.press("Enter")
        says("0, seed 40")
        assert page.evaluate("location.hash") == "#40"
        page.click("#classes button:text-is('2')")
        says("2, seed 40")
        page.click("#wall button:nth-child(4)")
        says("2, seed 43")
        page.click("#class button:text-is('1')")
        says("1, seed 43")
        assert close(pixels(page, "#image")[..., :3], image(43, 1))
        slide = """(e) => { e.value = 2; e.dispatchEvent(new Event('input')) }"""
        page.locator("#sliders input").nth(1).evaluate(slide)
        says("1, seed 43, edited")
        direction = latent.directions(model, 6).vectors[1]
        moved_on = export.latents(model, 43, 1) + 2 * direction
        assert close(pixels(page, "#image")[..., :3], image(43, 1, moved_on))
        page.click("#reset")
        says("1, seed 43")
        with page.expect_download() as download:
            page.click("#keep")
        assert download.value.suggested_filename == "CGAN-1-seed-43.png"
        saved = np.asarray(Image.open(download.value.path()).convert("RGB"))
        assert close(saved, image(43, 1))
        page.click("#roll")
        page.wait_for_function("() => location.hash !== '#40'")


def test_a_walk_leads_along_the_sphere_and_goes_on(browser, digits):
    model, address = digits
    with opened(browser, f"{address}#7") as page:
        page.click("#walk-tab")
        page.wait_for_function("() => document.querySelector('#to span').textContent")
        start, end = (export.latents(model, seed, 1)[0] for seed in (7, 8))
        here = """async ([start, end, share]) => {
            const { walk } = await ganzoo;
            walk.ends = [{ latents: start, name: 7 }, { latents: end, name: 8 }];
            walk.seek(share);
            return Array.from(walk.here);
        }"""
        for share in (0.0, 0.3, 1.0):
            found = page.evaluate(here, [start.tolist(), end.tolist(), share])
            eased = share**2 * (3 - 2 * share)
            np.testing.assert_allclose(found, latent.slerp(start, end, eased), atol=1e-5)
        page.evaluate(here, [start.tolist(), end.tolist(), 0.9])
        page.click("#go")
        page.wait_for_function("() => document.querySelector('#to span').textContent === '9'")
        page.wait_for_function("() => Number(document.getElementById('way').value) > 0.02")
        page.click("#go")
        assert page.text_content("#from span") == "8" and page.text_content("#go span") == "Play"
        assert page.text_content("#caption").endswith("seed 8 → 9")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


@contextlib.contextmanager
def served(folder):
    """The address of a folder, from a server that knows nothing of the page."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


TRANSLATE = """async ([data, dims, way]) => {
    const page = await ganzoo;
    const made = await page.translate({ data: Uint8Array.from(data), dims }, way);
    return { dims: made.dims, data: Array.from(made.data) };
}"""


def test_a_served_page_translates_what_one_gives_it(browser, engine, tmp_path, rng):
    model = moved("cyclegan", image_shape=(16, 20, 3))
    given = rng.integers(0, 256, (2, 16, 20, 3), "uint8")
    np.save(tmp_path / "given.npy", given)
    options = {"examples": tmp_path / "given.npy", "runtime": engine, "whole": False}
    folder = web.write(model, tmp_path / "page", **options).parent
    (tmp_path / "no.png").write_text("no image")
    Image.fromarray(given[1]).save(tmp_path / "mine.png")
    shows = """(wanted) => {
        const pen = document.querySelector("#made canvas").getContext("2d");
        const { data } = pen.getImageData(0, 0, 1, 1);
        return [0, 1, 2].every((c) => Math.abs(data[c] - wanted[c]) <= 1);
    }"""
    with served(folder) as address, opened(browser, address) as page:
        for way in (0, 1):
            made = page.evaluate(TRANSLATE, [given.ravel().tolist(), list(given.shape), way])
            assert close(images(made), model.translate(given, reverse=bool(way)))
        page.wait_for_function(shows, arg=model.translate(given[:1])[0, 0, 0].tolist())
        np.testing.assert_array_equal(pixels(page, "#given canvas")[..., :3], given[0])
        page.set_input_files("#file", tmp_path / "no.png")
        page.wait_for_selector("#trouble:text('no.png is no image that this browser can read')")
        page.set_input_files("#file", tmp_path / "mine.png")
        page.wait_for_function(shows, arg=model.translate(given[1:])[0, 0, 0].tolist())
        assert not page.is_visible("#trouble")
        np.testing.assert_array_equal(pixels(page, "#given canvas")[..., :3], given[1])
        page.click("#ways button:nth-child(2)")
        wanted = model.translate(given[1:], reverse=True)[0]
        page.wait_for_function(shows, arg=wanted[0, 0].tolist())
        assert close(pixels(page, "#made canvas")[..., :3], wanted)


def test_a_page_that_cannot_start_says_what_to_do(browser, engine, tmp_path):
    page = browser.new_page()
    page.set_default_timeout(HANGS)
    options = {"runtime": engine, "whole": False}
    path = web.write(moved("vanilla"), tmp_path / "page", **options)
    page.goto(path.as_uri())
    page.wait_for_selector("#trouble:text('type `python -m http.server` in their folder')")
    (pathlib.Path(path).parent / "model.onnx").write_bytes(b"damaged")
    with served(path.parent) as address:
        page.goto(address)
        page.wait_for_selector("#trouble:text('The model cannot run here')")
        (path.parent / "model.onnx").unlink()
        page.goto(address)
        page.wait_for_selector("#trouble:text('model.onnx is missing (404)')")
    page.close()
