"""The page in a browser: with a mouse, by the keyboard, on a phone, in the dark."""

import io
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.explore.helpers import HANGS
from tests.explore.test_images import png

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser, served):
    """Opens the page at a model and a tab. At the end, nothing went wrong in it, and it asked for
    nothing from elsewhere."""
    asked, wrong, contexts = [], [], []

    def open_it(model="dcgan.fashion_mnist", tab="wall", width=1300, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * HANGS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(f"{served}#model={model}&tab={tab}")
        page.locator(f"#{tab}").wait_for()
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("data:", "blob:", served))] == []
    # A refused request is an answer, and it is shown in words.
    assert [text for text in wrong if "status of 400" not in text] == []


def image_of(page, place="#edit .large"):
    page.locator(f"{place}[src]").first.wait_for()
    return page.locator(place).first.get_attribute("src")


def until_changed(page, before, place="#edit .large"):
    """The image at a place, once it is another one."""
    end = time.monotonic() + HANGS
    while (now := image_of(page, place)) == before:
        assert time.monotonic() < end, "the image stays the same"
        page.wait_for_timeout(5)
    return now


def slide(page, number, value):
    page.locator("#edit .strip input").nth(number).evaluate(
        "(e, v) => { e.value = v;"
        " for (const x of ['input', 'change']) e.dispatchEvent(new Event(x, {bubbles: true})) }",
        value,
    )


def test_from_the_wall_to_an_edited_image_and_back(opened):
    page = opened()
    tiles = page.locator("#wall .wall button")
    tiles.nth(63).wait_for()
    assert tiles.count() == 64
    chosen = tiles.nth(10).locator("img").get_attribute("src")
    assert "seed 10" in tiles.nth(10).locator("img").get_attribute("alt")
    tiles.nth(10).click()
    assert image_of(page) == chosen
    page.locator("#edit .strip input").nth(7).wait_for()
    strips = page.locator("#edit .strip")
    assert strips.count() == 8 and strips.first.locator("img").count() == 7
    slide(page, 0, 3)
    moved = until_changed(page, chosen)
    strips.nth(2).locator("button").first.click()
    further = until_changed(page, moved)
    undo, redo, reset = (
        page.locator("#edit").get_by_role("button", name=name) for name in ("Undo", "Redo", "Reset")
    )
    undo.click()
    assert until_changed(page, further) == moved
    page.keyboard.press("Control+z")
    assert until_changed(page, moved) == chosen
    redo.click()
    assert until_changed(page, chosen) == moved
    reset.click()
    assert until_changed(page, moved) == chosen
    with page.expect_download() as download:
        page.locator("#save").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {"picture.png", "latents.npz", "again.py"} == set(archive.namelist())
    page.get_by_role("tab", name="Wall").click()
    first = tiles.first.locator("img").get_attribute("src")
    page.locator("#wall").get_by_role("button", name="New wall").click()
    until_changed(page, first, "#wall .wall img")


def test_the_keyboard_suffices(opened):
    page = opened("cgan.mnist")
    tiles = page.locator("#wall .wall button")
    tiles.nth(63).wait_for()
    tiles.first.focus()
    for key in ("ArrowRight", "ArrowDown", "End", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    chosen = page.locator("#wall .wall button:focus img").get_attribute("src")
    assert chosen == tiles.nth(54).locator("img").get_attribute("src")
    page.keyboard.press("Enter")
    assert image_of(page) == chosen
    page.locator("#edit .strip input").first.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    until_changed(page, chosen)
    page.wait_for_timeout(2000)
    assert page.evaluate("document.activeElement.type") == "range"  # it kept the focus
    for _ in range(3):  # the moves were quick: they are undone together, or nearly so
        undo = page.locator("#edit").get_by_role("button", name="Undo")
        if undo.is_enabled() and image_of(page) != chosen:
            undo.click()
            page.wait_for_timeout(1000)
    assert image_of(page) == chosen
    page.locator("#tabs [aria-selected=true]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#tabs [aria-selected=true]").inner_text() == "Walk"
    page.keyboard.press("End")
    assert page.locator("#tabs [aria-selected=true]").inner_text() == "Model card"


def test_classes_are_chosen_by_their_images(opened):
    page = opened("cgan.mnist", "edit")
    before = image_of(page)
    seven = page.locator("#edit .choice button").nth(7)
    seven.click()
    after = until_changed(page, before)
    assert seven.locator("img").get_attribute("src") == after
    assert "class 7" in page.locator("#edit .told").inner_text()
    with page.expect_download() as download:
        page.locator("#save").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert np.load(archive.open("latents.npz"))["labels"].tolist() == [7]


def test_walk_arithmetic_and_comparison_show_images_at_once(opened):
    page = opened(tab="walk")
    frames = page.locator("#walk .frames img")
    frames.nth(7).wait_for()
    first = image_of(page, "#walk .large")
    until_changed(page, first, "#walk .large")  # it plays
    with page.expect_download() as download:
        page.locator("#save-film").click()
    with Image.open(download.value.path()) as film:
        assert film.format == "GIF" and film.n_frames > 8
    page.get_by_role("tab", name="Arithmetic").click()
    result = image_of(page, "#arithmetic .result img")
    seeds = page.locator("#arithmetic input").first
    seeds.fill("1, x")
    seeds.press("Enter")
    assert seeds.evaluate("e => e.validationMessage").startswith("Whole numbers")
    seeds.fill("1 2")
    seeds.press("Enter")
    until_changed(page, result, "#arithmetic .result img")
    page.get_by_role("tab", name="Side by side").click()
    page.locator("#compare .sides figure").nth(1).locator("img").nth(15).wait_for()
    page.locator("#compare .sides figure").nth(1).locator("button").nth(3).click()
    page.locator("#edit").wait_for()  # of the other model
    assert page.locator("nav [aria-current=true]").get_attribute("data-title") != (
        "dcgan.fashion_mnist"
    )


def test_an_image_of_ones_own_in_place_of_the_example(opened):
    page = opened("vae.fashion_mnist", "reconstruct")
    before = image_of(page, "#reconstruct .through figure:last-of-type img")
    source = page.locator("#reconstruct .source")
    assert "Example" in source.inner_text()
    field = page.locator("#reconstruct-file")
    field.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_text("unknown format").wait_for()
    page.get_by_label("Close the message").click()
    noise = png(Image.effect_noise((70, 50), 60).convert("CMYK"), "jpeg")
    field.set_input_files({"name": "b.jpg", "mimeType": "image/jpeg", "buffer": noise})
    until_changed(page, before, "#reconstruct .through figure:last-of-type img")
    assert source.inner_text() == "b.jpg"
    page.locator("#reconstruct").get_by_role("button", name="Edit it").click()
    page.locator("#edit .strip input").first.wait_for()
    assert "edited latents" in page.locator("#edit .told").inner_text()


def test_tabs_are_those_of_the_model(opened):
    page = opened("pix2pix.keras", "translate")
    heads = page.locator("#tabs button:visible")
    assert heads.all_inner_texts() == ["Translate", "Model card"]
    page.locator("nav button", has_text="VAE").click()
    page.get_by_role("tab", name="Reconstruct").wait_for()
    assert "Translate" not in heads.all_inner_texts()
    page.reload()  # the address remembers
    page.get_by_role("tab", name="Reconstruct").wait_for()


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window_and_colours_follow_the_system(opened, width, scheme):
    page = opened("cgan.mnist", width=width, color_scheme=scheme)
    page.locator("#wall .wall img").nth(63).wait_for()
    for head in page.locator("#tabs button:visible").all():
        head.click()
        page.wait_for_timeout(300)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, head.inner_text()
        unnamed = page.evaluate(
            "[...document.querySelectorAll('main img')].filter((e) => !e.alt && e.offsetWidth)"
            ".length"
        )
        assert unnamed == 0, head.inner_text()
    picture = Image.open(io.BytesIO(page.screenshot()))
    grey = np.asarray(picture.convert("L"))
    assert (grey.mean() > 128) == (scheme == "light")
