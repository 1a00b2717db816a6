"""The files around the package: its drawing, changelog, citation and workflow are up to date."""

import importlib
import pathlib
import re
import subprocess
import sys

import pytest

import ganzoo
from ganzoo import zoo
from tests import test_architecture

HOME = pathlib.Path(__file__).parents[1]


def read(*parts):
    return HOME.joinpath(*parts).read_text(encoding="utf-8")


def test_the_page_on_architecture_lists_the_layers_in_their_order():
    section = (
        read("docs", "architecture.md").partition("\n## The layers\n")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| (`.*?`) \| .+ \|$", section, flags=re.MULTILINE)
    names = [re.findall(r"`(.*?)`", row) for row in rows]
    assert [[name.rstrip("/") for name in row] for row in names] == test_architecture.LAYERS
    for name in (name for row in names for name in row):
        place = HOME / "ganzoo" / (name if name.endswith("/") else f"{name}.py")
        assert place.exists(), f"{name} is not in ganzoo/"


def test_the_glossary_defines_each_term_once():
    glossary = read("docs", "architecture.md").partition("\n## Glossary\n")[2].partition("\n## ")[0]
    terms = re.findall(r"^\| (?!term \||---)(.+?) \| .+\. \|$", glossary, flags=re.MULTILINE)
    assert len(terms) >= 30
    assert len(set(terms)) == len(terms)
    # The files and public names that it mentions exist.
    for path in re.findall(r"`(ganzoo/[\w/.]+)`", glossary):
        assert (HOME / path).exists(), path
    for name in re.findall(r"\(`ganzoo\.([\w.]+)`\)", glossary):
        value = ganzoo
        for part in name.split("."):
            value = getattr(value, part)


def test_the_drawing_of_the_package_is_up_to_date():
    command = [sys.executable, HOME / "benchmarks" / "tools" / "house.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "](images/house.svg)" in read("docs", "architecture.md")


def test_the_citation_names_this_version_and_every_models_paper():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == ganzoo.__version__
    urls = {x.get("url", x.get("doi")) for x in citation["references"]}
    for name in zoo.own_models():
        module = importlib.import_module(f"ganzoo.models.{name}")
        model = next(
            cls for cls in vars(module).values() if getattr(cls, "registry_name", None) == name
        )
        paper = re.search(r"(arXiv|doi):([\w./-]+\w)", model.__doc__.partition("References:")[2])
        kind, number = paper.groups()
        wanted = f"https://arxiv.org/abs/{number}" if kind == "arXiv" else number
        assert wanted in urls, f"the paper of {name} is not in CITATION.cff"


def test_the_changelog_has_this_version():
    headings = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert ganzoo.__version__ in headings


def test_the_hosted_workflow_runs_the_script_that_contributors_run():
    workflow = read(".github", "workflows", "ci.yml")
    assert re.search(r"run: \.ci/run$", workflow, flags=re.MULTILINE)
    assert (HOME / ".ci" / "run").stat().st_mode & 0o100  # executable
    oldest = re.search(r"python_requires = >=(\S+)", read("setup.cfg"))[1]
    assert f'"{oldest}"' in workflow


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_of_the_pages_at_the_top_lead_somewhere(page):
    for link, heading in re.findall(r"\]\((?!http)([^)#]+)(?:#([^)]+))?\)", read(page)):
        assert (HOME / link).exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", read(link), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert heading in anchors, f"{link}#{heading}"
