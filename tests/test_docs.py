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
import numpy as np
import pytest
from PIL import Image

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


def test_the_front_page_counts_the_models():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    counts = re.findall(r"^\*\*(\d+) GANs and|^\| models \| (\d+) ", text, flags=re.MULTILINE)
    assert [int(a or b) for a, b in counts] == [len(zoo.own_models())] * 2


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


def sections(text):
    """The headings of a page, as links name them."""
    return {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_the_page_of_the_doctor_has_a_message_for_each_finding():
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    names = re.findall(r"`\"(\w+)\"`", ganzoo.doctor.Finding.__doc__.partition("epoch:")[0])
    assert len(names) == 8
    for name in names:
        part = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert f": {name}. " in part and "Try this: `" in " ".join(part.split()), name
        assert re.search(r"That was `ganzoo train \w+ ", part), name


def test_the_glossary_of_the_field_explains_each_term_once_and_leads_on():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!term \||---)(.+?) \| (.+?) \[.+?\]\((.+?)\) \|$", page, re.MULTILINE)
    terms = [term for term, *_ in rows]
    assert len(terms) >= 40 and len(terms) == page.count("\n|") - 2
    assert terms == sorted(set(terms), key=lambda term: term.lower().replace("é", "e"))
    for term, meaning, link in rows:
        assert meaning.endswith(".") and meaning.count(". ") == 0, term
        file, _, heading = link.partition("#")
        text = (ROOT / "docs" / file).read_text(encoding="utf-8")
        assert not heading or heading in sections(text), link


def test_every_question_has_its_cause_or_its_call():
    page = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    first, *questions = re.split(r"^## ", page, flags=re.MULTILINE)
    assert len(questions) >= 12
    for question in questions:
        title = question.partition("\n")[0]
        (heading,) = sections(f"## {title}")
        assert f"(#{heading})" in first, f"{title} is not in the list at the top"
        said = re.search(r"^\*\*(Cause|What to type|What ganzoo shows)\.\*\*", question, re.M)
        assert said or "<!-- licences table" in question, title


def test_tables_are_not_wider_than_a_page():
    for page in PAGES[1:]:
        for row in re.findall(r"^\|(?:---\|)+$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert row.count("---") <= 11, page  # narrow columns: the answers for each digit


def test_formulas_become_latex_or_are_refused(module):
    latex = module("formulas").latex
    assert latex("E_x[log D(x)]") == r"\mathbb{E}_{x}[\log D(x)]"
    assert latex("E(x)") == "E(x)"  # an encoder
    assert latex("λ E_x\u0302[‖∇D(x\u0302)‖²]") == (
        r"\lambda  \mathbb{E}_{\hat{x}}[\|\nabla D(\hat{x})\|^{2}]"
    )
    assert latex("γ/2 xᵢ") == r"\tfrac{\gamma}{2} x_{i}"
    assert latex("min_{D_B}  −P(real | x)") == r"\min_{D_{B}}\quad -P(\text{real }| x)"
    assert latex("mean_l KL(q)") == r"\operatorname{mean}_{l} \operatorname{KL}(q)"
    block = "    a = 1\n      + 2"
    assert module("formulas").display(block) == "$$a = 1$$\n\n$$\\qquad + 2$$"
    for wrong in ("a ∈ b", "x^2", "a_"):
        with pytest.raises(ValueError, match="in a formula is not in the list of signs"):
            latex(wrong)


def test_all_formulas_of_models_are_set():
    for page in (ROOT / "docs" / "models").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        formulas = re.findall(r"^ {4}(?:min|max)_.*$", text, re.MULTILINE)
        assert not formulas, page
        assert "$$" in text or page.name == "README.md"


def test_the_gallery_has_every_model_with_its_newest_image(module):
    gallery = module("gallery")
    text = (ROOT / "docs" / "models" / "README.md").read_text(encoding="utf-8")
    used = [gallery.THUMBNAILS / f"{name}.png" for name in re.findall(r"bnails/(\w+)\.png", text)]
    assert sorted(used) == sorted(gallery.THUMBNAILS.iterdir())
    assert sum(path.stat().st_size for path in used) < 2**21
    for name in zoo.own_models():
        assert f"**[{gallery.title(name)}]({name}.md)** {gallery.year(name)}<br>`{name}`" in text
        wanted = gallery.thumbnail(name)
        if wanted is None:
            assert gallery.THUMBNAILS / f"{name}.png" not in used
            continue
        with Image.open(gallery.THUMBNAILS / f"{name}.png") as shown:
            message = "run python benchmarks/tools/gallery.py"
            assert (np.asarray(shown) == np.asarray(wanted)).all(), message


def test_models_are_sorted_by_what_they_can_do(module):
    kinds = {name: module("gallery").kind_of(name) for name in zoo.own_models()}
    assert set(kinds.values()) == set(module("gallery").KINDS)
    wanted = {"dcgan": "Unconditional", "cgan": "Conditional", "vae": "Autoencoders"}
    wanted |= {"improved_gan": "Semi-supervised", "cyclegan": "Translation", "srgan": "Upscaling"}
    assert {name: kinds[name] for name in wanted} == wanted


def test_the_lesson_has_commands_that_exist_and_fit_into_it(module):
    teaching, measure = module("teaching"), module("measure")
    lesson = dict(teaching.commands(teaching.PAGE.read_text(encoding="utf-8")))
    measured = {row["command"]: float(row["cpu_seconds"]) for row in measure.results("teach")}
    assert set(measured) == set(lesson), "run python benchmarks/tools/teaching.py"
    # On one slow core: the plan has 13 and 9 minutes for trainings, and less for the others.
    for command, seconds in measured.items():
        assert seconds < (300 if " train " in command else 60), command
