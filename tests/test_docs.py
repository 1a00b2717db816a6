"""What the documentation shows, runs."""

import doctest
import importlib
import pathlib
import pkgutil
import re
import subprocess
import sys
import types

import keras
import pytest

import ganzoo
from ganzoo import zoo
from ganzoo.game import registry

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SKIP = {
    "ganzoo.backend.exporters",
    "ganzoo.backend.jax",
    "ganzoo.backend.tensorflow",
    "ganzoo.backend.tensorflow_convolutions",
    "ganzoo.backend.tensorflow_devices",
    "ganzoo.backend.tensorflow_gradients",
    "ganzoo.backend.tensorflow_kernels",
    "ganzoo.backend.tensorflow_ops",
    "ganzoo.backend.torch",
}
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(ganzoo.__path__, "ganzoo.")
    if m.name not in SKIP and not m.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["ganzoo", *MODULES])
def test_docstring_examples(name):
    module = importlib.import_module(name)
    if keras.backend.backend() != "tensorflow" and name == "ganzoo.datasets":
        pytest.skip("shows a tf.data.Dataset")
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_models_have_examples():
    for name in ganzoo.list_models():
        module = importlib.import_module(f"ganzoo.models.{name}") if _own(name) else None
        if module is not None:
            found = doctest.DocTestFinder().find(module)
            assert sum(len(test.examples) for test in found) > 0, name


def _own(name):
    return name in zoo.own_models()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_blocks_of_pages_run(page, tmp_path, monkeypatch, capsys):
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    # Models that a page registers are gone when it ends.
    monkeypatch.setattr(registry, "_MODELS", registry.registered())
    space = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), space)
    # Links to files of the repository must lead somewhere.
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    command += ["-D", "model_pages=none", ROOT / "docs", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    front = (tmp_path / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert place == "index.html" or f'href="{place}"' in front, f"{place} is in no list"


def test_models_run_in_the_site_where_there_is_npm(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    extension = importlib.import_module("model_pages")
    text = (ROOT / "docs" / "exporting.md").read_text(encoding="utf-8")
    written = []
    monkeypatch.setattr(extension, "_write", lambda name, *_: written.append(name))
    for setting, npm, names in (
        ("none", "npm", []),
        ("auto", None, []),
        ("onnxruntime-web.tgz", None, ["r3gan.mnist", "r3gan.portraits"]),
    ):
        monkeypatch.setattr(extension.shutil, "which", lambda name, npm=npm: npm)
        app = types.SimpleNamespace(
            builder=types.SimpleNamespace(format="html"),
            config=types.SimpleNamespace(model_pages=setting),
            srcdir=ROOT / "docs",
            outdir=tmp_path,
        )
        extension.build(app)
        source = [text]
        extension.place(app, "exporting", source)
        assert written == names and (source == [text]) == (not names)
    for name in names:
        assert f'src="pages/{name}/index.html"' in source[0]
        assert f"images/weights/{name}" not in source[0]


def test_the_reference_has_all_models_and_what_ganzoo_offers():
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    wanted = {f"ganzoo.models.{name}" for name in zoo.own_models()}
    wanted |= {f"ganzoo.{name}" for name in ganzoo.__all__} - {
        "ganzoo.models",
        "ganzoo.networks",  # what models are made of: see their files
        "ganzoo.metrics",
        "ganzoo.report",
        "ganzoo.ScoreSheet",  # in its module
    }
    missing = {
        name for name in wanted if not re.search(rf":: {re.escape(name)}(\(.*)?$", text, re.M)
    }
    assert not missing
