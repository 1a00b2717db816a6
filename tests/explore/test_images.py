"""Images that visitors upload or that the package makes, and what models make of them."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from ganzoo import explore
from ganzoo.explore import uploads
from ganzoo.explore.examples import example_for
from ganzoo.explore.models import Models
from ganzoo.zoo import catalogue
from tests.explore.helpers import entry
from tests.explore.helpers import explorer_of
from tests.explore.helpers import tiny


def png(picture, kind="png"):
    """An image as the content of a file."""
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a*b*", "a*b*"),
        ("<b>&amp;", "<b>&amp;"),
        ("two\nlines \udcff", "two lines �"),
        ("folder/fashion_mnist.zip", "fashion_mnist"),
    ],
    ids=ascii,
)
def test_names_of_data_stand_in_sentences_as_they_are(name, shown, tmp_path):
    settings = {"model": "dcgan", "data": name}
    (tmp_path / "config.json").write_text(json.dumps({"settings": settings}))
    models = Models({str(tmp_path): entry("dcgan.fashion_mnist")})
    assert models.wants(str(tmp_path)).endswith(f"trained on images of {shown}.")


def test_images_of_any_kind_are_brought_to_the_models_format():
    red = png(Image.new("CMYK", (50, 40), "red"), "jpeg")
    for name, what, shape in (
        ("pix2pix", "translate", (32, 32, 3)),
        ("vae", "reconstruct", (16, 16, 1)),
    ):
        explorer, model = tiny(name, image_shape=shape)
        image = explorer.read(name, what, red)
        assert image.shape == shape
        passage = explorer.through(name, what, image)
        wanted = getattr(model, what)(image[None])[0]
        np.testing.assert_array_equal(passage.made, wanted)
        with pytest.raises(ValueError, match="does not upscale"):
            explorer.through(name, "upscale", image)
    assert explorer.models.wants("vae").endswith("resized to 16×16 pixels, without colours.")
    assert not tiny("pix2pix", image_shape=(32, 32, 3))[0].models.can("pix2pix", "generate")


def test_a_reconstruction_can_be_edited():
    explorer, model = tiny("vae", image_shape=(16, 16, 1))
    image, _ = explorer.example("vae", "reconstruct")
    passage = explorer.through("vae", "reconstruct", image)
    np.testing.assert_allclose(passage.point.latents, model.encode(image[None])[0])
    gap = explorer.picture("vae", passage.point).astype(int) - passage.made
    assert np.abs(gap).max() <= 1
    wanted = np.sqrt(np.square(passage.made.astype(float) - image).mean())
    assert passage.error == pytest.approx(wanted)


def test_a_projection_can_be_edited():
    explorer, _ = tiny("cgan", num_classes=3, latent_dim=4)
    image = explorer.picture("cgan", explore.Point(seed=1, label=2))
    passage = explorer.through("cgan", "project", image)
    np.testing.assert_array_equal(explorer.picture("cgan", passage.point), passage.made)
    assert passage.point.label in range(3) and passage.error >= 0


def test_an_upscaler_takes_images_of_any_size():
    explorer, _ = tiny("srgan", image_shape=(32, 32, 3), blocks=1, scale=2)
    assert "enlarged ×2" in explorer.models.wants("srgan")
    image = explorer.read("srgan", "upscale", png(Image.new("RGB", (30, 20))))
    assert explorer.through("srgan", "upscale", image).made.shape == (40, 60, 3)
    image, _ = explorer.example("srgan", "upscale")
    assert image.shape == (16, 16, 3)  # small, or nothing would be gained


def test_the_way_back_is_there_where_a_model_has_one():
    words = ("pix2pix.openmoji", "cyclegan.apples_oranges", "dcgan.mnist")
    models = explorer_of(*words).models
    assert [models.can(word, "reverse") for word in words] == [False, True, False]
    for word, said in (
        (words[0], "128×128 pixels. This model turns images of line into colour."),
        (words[1], "64×64 pixels. This model turns images of apples into oranges, or in reverse."),
    ):
        assert models.wants(word).endswith(said)


@pytest.mark.parametrize(
    ("title", "data", "shape", "maker"),
    [
        ("one title", "noto", (64, 64, 3), "r3gan.emoji"),
        ("pix2pix.openmoji", "line", (128, 128, 3), "r3gan.portraits"),
        ("vae.fashion_mnist", "fashion_mnist", (28, 28, 1), "r3gan.fashion_mnist"),
        ("r3gan.mnist", "mnist", (28, 28, 1), "cgan.mnist"),  # not its own
        ("mine", "", (48, 40, 3), "r3gan.portraits"),
        ("mine", "", (16, 16, 4), None),
    ],
)
def test_examples_resemble_the_models_data(title, data, shape, maker):
    image, found = example_for(title, data, shape, seed=1)
    assert image.shape == shape and image.dtype == np.uint8
    assert found == maker or maker is None
    other, _ = example_for(title, data, shape, seed=2)
    assert (image != other).any()


def test_an_example_of_the_way_back_is_of_the_other_domain(monkeypatch):
    asked = []
    found = lambda title, data, shape, seed: asked.append(data) or (np.zeros(shape, "uint8"), "")
    monkeypatch.setattr(explore.explorer, "example_for", found)
    explorer = explorer_of("cyclegan.apples_oranges")
    for reverse in (False, True):
        explorer.example("cyclegan.apples_oranges", "translate", 0, reverse)
    assert asked == ["apples", "oranges"]


def test_weights_that_must_be_downloaded_make_no_examples(monkeypatch):
    rows = catalogue.rows()
    elsewhere = dataclasses.replace(rows["r3gan.emoji"], url="https://example.org/x")
    monkeypatch.setattr(catalogue, "rows", lambda: {**rows, "r3gan.emoji": elsewhere})
    _, maker = example_for("another title", "noto", (64, 64, 3))
    assert maker == "r3gan.portraits"


# Files of visitors ------------------------------------------------------------------------------

ODD = {
    "16 bit": lambda: Image.fromarray(np.full((9, 7), 40_000, "uint16")),
    "one pixel": lambda: Image.new("RGB", (1, 1), "blue"),
    "palette": lambda: Image.new("P", (9, 7), 3),
    "transparent": lambda: Image.new("RGBA", (9, 7), (0, 0, 0, 0)),
    "black and white": lambda: Image.new("1", (9, 7), 1),
    "float": lambda: Image.new("F", (9, 7), 0.5),
    "long": lambda: Image.new("L", (3000, 1), 9),
}


@pytest.mark.parametrize("kind", ODD)
def test_images_of_any_mode_and_size(kind):
    content = png(ODD[kind](), "tiff")
    for channels in (1, 3, 4):
        image = explore.read_picture(io.BytesIO(content), (8, 6), channels)
        assert image.shape == (8, 6, channels) and image.dtype == np.uint8


def test_files_that_are_no_images(tmp_path, monkeypatch):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "half.png").write_bytes(png(Image.effect_noise((60, 60), 50))[:900])
    for name in ("text.png", "half.png", "absent.png"):
        with pytest.raises(ValueError, match="cannot be used.*Use a PNG"):
            explore.read_picture(tmp_path / name, (8, 8), 1)
    Image.new("L", (9, 9)).save(tmp_path / "script.eps")
    with pytest.raises(ValueError, match="unknown format"):
        explore.read_picture(tmp_path / "script.eps", (8, 8), 1)
    Image.new("1", (3000, 3000)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(uploads, "MOST_PIXELS", 8_000_000)
    with pytest.raises(ValueError, match="3000×3000 pixels, more than 8 million"):
        explore.read_picture(tmp_path / "bomb.png", (8, 8), 1)


def test_a_message_tells_no_path(tmp_path):
    (tmp_path / "secret.png").write_text("no picture")
    with pytest.raises(ValueError) as caught:
        explore.read_picture(tmp_path / "secret.png", (8, 8), 1)
    assert "secret" not in str(caught.value)
