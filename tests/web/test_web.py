"""Pages that run a model in a browser: what is written, and what is refused."""

import base64
import gzip
import hashlib
import importlib.util
import io
import json
import re
import tarfile

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

import ganzoo
from ganzoo import export
from ganzoo import web
from ganzoo.files import downloads
from ganzoo.web import examples
from ganzoo.web import runtime
from tests.helpers import call
from tests.helpers import fails
from tests.test_export import close
from tests.test_export import moved

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exports are written on TensorFlow"
)


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """A folder that stands for onnxruntime-web: tiny files, with hashes of their own."""
    folder = tmp_path / "package" / "dist"
    folder.mkdir(parents=True)
    for name in runtime.HASHES:
        (folder / name).write_bytes(name.encode() * 5)
    digests = {name: hashlib.sha256(name.encode() * 5).hexdigest() for name in runtime.HASHES}
    monkeypatch.setattr(runtime, "HASHES", digests)
    return tmp_path / "package"


@pytest.fixture
def page(engine, tmp_path):
    """Writes the page of a model; returns its folder and its description."""

    def written(model, **options):
        path = web.write(model, tmp_path / "page", runtime=engine, **options)
        assert path == tmp_path / "page" / "index.html"
        return path.parent, json.loads((path.parent / "model.json").read_text(encoding="utf-8"))

    return written


def run(path, **feed):
    """The only output of an ONNX file."""
    (output,) = onnxruntime.InferenceSession(str(path)).run(None, feed)
    return output


# What the files compute ---------------------------------------------------------------------------


def in_the_middle():
    """A ProGAN between two sizes."""
    model = moved("progan")
    model.step.assign(round(1.6 * model.phase_steps))
    assert 0 < model.level and 0 < float(model.settings()[0]) < 1
    return model


GENERATORS = {
    name: (lambda name=name: moved(name))
    for name in ("cgan", "infogan", "r3gan", "stylegan2", "vae")
}
GENERATORS["colour"] = lambda: moved("dcgan", image_shape=(12, 9, 3))
GENERATORS["growing"] = in_the_middle


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=() if kind in ("cgan", "growing", "colour") else pytest.mark.slow)
        for kind in GENERATORS
    ],
)
def test_a_page_makes_the_images_of_generate_from_the_latents_of_its_seeds(kind, page):
    model = GENERATORS[kind]()
    folder, facts = page(model)
    seeds = np.array([0, 7, 999_999])
    latents = run(folder / "latents.onnx", seeds=seeds)
    wanted = np.concatenate([export.latents(model, int(seed), 1) for seed in seeds])
    np.testing.assert_allclose(latents, wanted, atol=1e-6)
    labels = {} if model.num_classes is None else {"labels": np.array([1, 0, 1], "int32")}
    made = run(folder / "model.onnx", latents=latents, **labels)
    assert made.std() > 0
    assert close(made, model.generate(3, latents=wanted, **labels))
    assert facts["kind"] == "generate" and facts["shape"] == list(made.shape[1:])
    assert facts["latent_width"] == model.latent_width
    assert facts["classes"] == [str(i) for i in range(model.num_classes or 0)]


def test_two_domains_are_next_to_each_other(page):
    model = moved("cogan")
    folder, facts = page(model)
    latents = export.latents(model, 3, 2)
    made = run(folder / "model.onnx", latents=latents)
    assert close(made, np.concatenate(model.generate_pairs(2, latents=latents), axis=2))
    assert facts["shape"] == list(made.shape[1:])


def test_truncation_is_inside(page):
    model = moved("dcgan")
    folder, _ = page(model, truncation=0.5)
    latents = run(folder / "latents.onnx", seeds=np.arange(50))
    assert np.abs(latents).max() <= 0.5
    np.testing.assert_allclose(latents[3:4], export.latents(model, 3, 1, 0.5), atol=1e-6)


def test_directions_are_those_of_ganzoo(page):
    model = moved("dcgan", latent_dim=12)
    _, facts = page(model)
    found = facts["directions"]
    wanted = ganzoo.latent.directions(model, 8)
    assert found["method"] == "ganspace"
    np.testing.assert_allclose(found["vectors"], wanted.vectors, atol=1e-6)
    np.testing.assert_allclose(found["shares"], wanted.shares, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("pix2pix", {"translate": "model.onnx"}),
        ("cyclegan", {"translate": "model.onnx", "translate_back": "back.onnx"}),
        ("srgan", {"upscale": "model.onnx"}),
        ("autoencoder", {"reconstruct": "model.onnx"}),
    ],
)
def test_a_page_makes_of_images_what_the_model_makes_of_them(name, functions, page):
    model = moved(name)
    folder, facts = page(model)
    assert {f["name"]: f["file"] for f in facts["functions"]} == functions
    assert not (folder / "latents.onnx").exists() and facts["kind"] == "through"
    given = np.stack([opened(address, facts["shape"][2]) for address in facts["examples"]])
    assert list(given.shape[1:]) == facts["shape"] and len(given) == len(examples.drawings())
    for function, file in functions.items():
        ability = getattr(model, function.partition("_")[0])
        reverse = {"reverse": True} if function == "translate_back" else {}
        assert close(run(folder / file, images=given), ability(given, **reverse))


def opened(address, channels):
    """The image in a `data:` address."""
    kind, _, text = address.partition(";base64,")
    assert kind == "data:image/png"
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
    return image if channels > 1 else image[..., None]


def test_examples_are_those_at_a_path(page, tmp_path, rng):
    given = rng.integers(0, 256, (11, 8, 8, 1), "uint8")
    np.save(tmp_path / "given.npy", given)
    _, facts = page(moved("pix2pix"), examples=tmp_path / "given.npy")
    found = [opened(address, 1) for address in facts["examples"]]
    np.testing.assert_array_equal(found, given[: examples.MOST])
    np.save(tmp_path / "given.npy", given / np.float32(127.5) - 1)
    found = examples.of(tmp_path / "given.npy", (8, 8, 1))
    np.testing.assert_array_equal([opened(address, 1) for address in found], given[:8])


def test_published_weights_take_half_the_space_and_compute_the_same(page, tmp_path):
    model = ganzoo.get("dcgan", weights="mnist", precision="float32")
    folder, _ = page(model)
    whole = export.write(model, tmp_path / "whole.onnx")
    assert (folder / "model.onnx").stat().st_size < 0.52 * whole.stat().st_size
    latents = export.latents(model, 1, 16)
    found = run(folder / "model.onnx", latents=latents)
    np.testing.assert_array_equal(found, run(whole, latents=latents))
    onnx.checker.check_model(str(folder / "model.onnx"))


def test_weights_that_need_32_bits_keep_them(page, tmp_path):
    model = moved("dcgan")
    folder, _ = page(model)
    latents = export.latents(model, 1, 16)
    whole = export.write(model, tmp_path / "whole.onnx")
    found = run(folder / "model.onnx", latents=latents)
    np.testing.assert_array_equal(found, run(whole, latents=latents))
    kept = map(onnx.numpy_helper.to_array, onnx.load(folder / "model.onnx").graph.initializer)
    assert {x.dtype.name for x in kept if x.ndim > 1 and x.size > 64} == {"float32"}


# What is written ----------------------------------------------------------------------------------


def inside(html):
    """The files inside a page."""
    found = re.findall(r'<script type="text/plain" data-file="([^"]+)">([^<]*)</script>', html)
    return {name: base64.b64decode(text) for name, text in found}


def test_a_small_page_contains_everything(page):
    folder, _ = page(moved("cgan"))
    html = (folder / "index.html").read_text(encoding="utf-8")
    files = inside(html)
    assert {path.name for path in folder.iterdir()} == {"index.html", *files} - {*runtime.HASHES}
    assert set(files) == {"model.onnx", "latents.onnx", "model.json", *runtime.HASHES}
    assert gzip.decompress(files["model.onnx"]) == (folder / "model.onnx").read_bytes()
    assert gzip.decompress(files[runtime.BINARY]) == runtime.BINARY.encode() * 5
    assert len(html) - sum(len(text) for text in re.findall(r">([^<]*)</script>", html)) < 40_000


def test_a_large_page_has_its_files_next_to_it(page, monkeypatch):
    monkeypatch.setattr("ganzoo.web.writing.LARGEST", 1000)
    folder, _ = page(moved("cgan"))
    assert inside((folder / "index.html").read_text(encoding="utf-8")) == {}
    assert {path.name for path in (folder / "runtime").iterdir()} == {
        f"{name}.gz" for name in runtime.HASHES
    }
    page(moved("cgan"), whole=True)  # in place of it
    assert not (folder / "runtime").exists()


def test_a_page_asks_other_sites_for_nothing(page):
    folder, _ = page(moved("cgan"))
    html = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert "default-src 'none'" in html and "connect-src 'self' data:" in html


def test_the_title_and_the_classes_are_those_of_the_weights(page, tmp_path):
    model = moved("cgan")
    config = {"settings": {"model": "cgan", "data": "/home/me/shapes.zip"}}
    for names, shown in ((["<b>", "x", "y"], ["<b>", "x", "y"]), (["a"], ["0", "1", "2"])):
        run_folder = tmp_path / "run </script><b>"
        run_folder.mkdir(exist_ok=True, parents=True)
        (run_folder / "config.json").write_text(json.dumps({**config, "class_names": names}))
        folder, facts = page(model, name=run_folder)
        assert facts["classes"] == shown and facts["data"] == ["shapes"]
    html = (folder / "index.html").read_text(encoding="utf-8")
    assert "<title>b&gt;</title>" in html or "&lt;b&gt;" in html
    assert "<b>" not in html and "/home/me" not in html


def test_published_weights_name_their_data_and_licence(page):
    model = ganzoo.get("cyclegan", weights="apples_oranges", precision="float32")
    _, facts = page(model, name="cyclegan.apples_oranges")
    assert facts["title"] == "cyclegan.apples_oranges" and facts["data"] == ["apples", "oranges"]
    assert facts["licence"].startswith("MIT (Grocery")
    assert page(moved("vanilla"))[1]["title"] == "VanillaGAN"


# onnxruntime-web ----------------------------------------------------------------------------------


def archive(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_runtime_is_found_wherever_npm_puts_it(engine, tmp_path):
    found = runtime.find(engine)
    assert found == {name: name.encode() * 5 for name in runtime.HASHES}
    assert runtime.find(engine / "dist") == runtime.find(engine.parent) == found
    packed = archive(tmp_path / "a.tgz", {f"package/dist/{k}": v for k, v in found.items()})
    assert runtime.find(packed) == found
    elsewhere = tmp_path / "project" / "node_modules" / "onnxruntime-web"
    elsewhere.parent.mkdir(parents=True)
    engine.rename(elsewhere)
    assert runtime.find(tmp_path / "project") == found


def test_a_missing_or_damaged_runtime_is_refused_with_the_command_that_fetches_it(engine, tmp_path):
    command = f"`npm pack onnxruntime-web@{runtime.VERSION}`"
    with pytest.raises(FileNotFoundError, match=f"no file or folder.*{command}"):
        runtime.find(tmp_path / "absent")
    with pytest.raises(ValueError, match=f"has no {runtime.SCRIPT}.*{command}"):
        runtime.find(archive(tmp_path / "empty.tgz", {"package/package.json": b"{}"}))
    packed = archive(tmp_path / "a.tgz", {"package/dist/x": bytes(9)})
    (tmp_path / "half.tgz").write_bytes(packed.read_bytes()[:30])
    (tmp_path / "page.tgz").write_text("<html>Not found</html>")
    for name in ("half.tgz", "page.tgz"):
        with pytest.raises(ValueError, match=f"no archive of npm's, or damaged.*{command}"):
            runtime.find(tmp_path / name)
    (engine / "dist" / runtime.BINARY).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=rf"\.wasm in .* is damaged, or not of .*{command}"):
        runtime.find(engine)
    (engine / "dist" / runtime.BINARY).unlink()
    with pytest.raises(ValueError, match=rf"has no {runtime.BINARY}"):
        runtime.find(engine)


def test_without_a_path_the_runtime_is_downloaded_once(engine, tmp_path, monkeypatch):
    asked = []

    def fetch(url, sha256, name, most):
        asked.append((url, sha256, most))
        return engine / "dist" / name.rpartition("/")[2]

    monkeypatch.setattr(downloads, "fetch", fetch)
    assert runtime.find() == runtime.find(engine)
    wanted = [(runtime.ADDRESS + n, runtime.HASHES[n], runtime.MOST) for n in runtime.HASHES]
    assert asked == wanted and runtime.VERSION in runtime.ADDRESS

    def broken(*_, **__):
        raise OSError("no connection")

    monkeypatch.setattr(downloads, "fetch", broken)
    model = moved("dcgan")
    with pytest.raises(OSError, match=r"Type `npm pack .*--runtime.*no connection"):
        web.write(model, tmp_path / "page")
    assert not (tmp_path / "page").exists()


# Bad input ----------------------------------------------------------------------------------------


def test_other_files_are_not_overwritten(page, engine, tmp_path):
    model = moved("dcgan")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("my own page")
    with pytest.raises(ValueError, match="no page that ganzoo wrote: it has 'index.html'"):
        page(model)
    (tmp_path / "page" / "index.html").unlink()
    folder, _ = page(model)
    page(model)
    (folder / "thesis.txt").write_text("three years of work")
    with pytest.raises(ValueError, match="it has 'thesis.txt'. Choose another folder"):
        page(model)
    assert (folder / "thesis.txt").read_text() == "three years of work"
    with pytest.raises(OSError, match="cannot be written"):
        web.write(model, folder / "thesis.txt", runtime=engine)


def test_what_a_page_cannot_show_is_refused(engine, tmp_path, monkeypatch):
    place = tmp_path / "page"
    write = lambda model, **options: web.write(model, place, runtime=engine, **options)
    with pytest.raises(ValueError, match="shows images, and this model is one of points"):
        write(moved("aae", image_shape=(2,)))
    with pytest.raises(ValueError, match="has no networks yet"):
        write(ganzoo.get("dcgan"))
    with pytest.raises(ValueError, match="precision='float32'"):
        write(moved("vanilla", precision="mixed_float16"))
    with pytest.raises(ValueError, match="`truncation`"):
        write(moved("vanilla"), truncation=-1.0)
    with pytest.raises(ValueError, match="leave out `examples`"):
        write(moved("vanilla"), examples=tmp_path)
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        write(moved("pix2pix"), examples=tmp_path / "absent")
    model = moved("vanilla")
    encode = [("encode", {}, None)]
    monkeypatch.setattr(export, "functions", lambda *_: encode)  # as of a game that only encodes
    with pytest.raises(ValueError, match="VanillaGAN has nothing that a page could show"):
        write(model)
    assert not place.exists()


def test_what_is_not_installed_is_named(engine, tmp_path, monkeypatch):
    model = moved("vanilla")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'ganzoo\[export\]'"):
        web.write(model, tmp_path / "page", runtime=engine)


# The command --------------------------------------------------------------------------------------


def test_the_command_writes_a_page(engine, tmp_path, monkeypatch):
    out = tmp_path / "digits"
    words = ["export", "dcgan.mnist", "-o", out, "--format", "web", "--runtime", engine]
    said = json.loads(call(*words, "--json").stdout)
    size = (out / "index.html").stat().st_size
    assert said == {"path": str(out / "index.html"), "format": "web", "bytes": size}
    facts = json.loads((out / "model.json").read_text(encoding="utf-8"))
    assert facts["title"] == "dcgan.mnist" and facts["licence"] == "CC BY-SA 3.0"
    monkeypatch.setattr("ganzoo.web.writing.LARGEST", 1000)
    line = call(*words).stdout
    assert re.fullmatch(
        r".*index.html: 0.0 MB. Serve its folder: `python -m http.server -d .*\n", line
    )


def test_options_that_do_not_belong_together_are_refused(tmp_path):
    words = ["export", "dcgan.mnist", "-o", tmp_path / "a"]
    assert "leave out --function" in fails(*words, "--format", "web", "--function", "from_seed")
    for option in ("--runtime", "--examples"):
        assert "add --format web" in fails(*words, "--format", "onnx", option, "x")
