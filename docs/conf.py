"""The site: `python -m sphinx -W docs site`."""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # `model_pages`
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from docutils import nodes
from latex2mathml import converter

import ganzoo

project = "ganzoo"
author = "the authors of ganzoo"
release = ganzoo.__version__
extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "model_pages",
]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath", "colon_fence"]
nb_execution_mode = "off"  # notebooks are shown as they are; a test runs them
html_theme = "furo"
html_title = "ganzoo"
html_logo = html_favicon = "images/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_copyright = False
html_math_renderer = "mathml"
# Keras and TensorFlow are written about, not copied here.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
napoleon_use_rtype = False


def _repository():
    """The address of the repository, if whoever builds the site knows one: for links to edit."""
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    address = f"{server}/{name}" if server and name else ""
    return os.environ.get("READTHEDOCS_GIT_CLONE_URL", address).removesuffix(".git")


html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6577", "color-brand-content": "#0b6577"},
    "dark_css_variables": {"color-brand-primary": "#55bdd3", "color-brand-content": "#55bdd3"},
}
if _repository().startswith(("https://github.com/", "https://gitlab.com/")):
    html_theme_options |= {
        "source_repository": f"{_repository()}/",
        "source_branch": "main",
        "source_directory": "docs/",
    }


def _mathml(self, node):
    """A formula as MathML, which browsers draw without scripts, fonts or a network."""
    block = node.tagname == "math_block"
    text = converter.convert(node.astext(), display="block" if block else "inline")
    # The space between a logarithm and its argument.
    text = re.sub(r"(<mi>log</mi>)(?!<mo[^>]*>&#x00028;)", r'\1<mspace width="0.17em"/>', text)
    self.body.append(f'<div class="math">{text}</div>' if block else text)
    raise nodes.SkipNode


def _as_rst(app, what, name, obj, options, lines):
    """Docstrings are Markdown, where it differs: code in single backticks; formulas, which are
    indented after an empty line; tables of bars."""
    goes_on = None  # whether a line is still of the block that stays as it is
    before = 0
    found = []
    for i, line in enumerate(lines):
        bare = line.lstrip()
        indent = len(line) - len(bare)
        bars = bare.startswith("|")
        if bare and goes_on and not goes_on(bare, indent):
            goes_on = None
        if bare and not goes_on:
            if bars:
                goes_on, start = (lambda bare, _: bare.startswith("|")), indent
            elif i and not lines[i - 1] and indent > before + 3:
                goes_on, start = (lambda _, now, least=indent: now >= least), before
            if goes_on:
                found += ["", " " * start + "::", ""]
        if not goes_on and not bare.startswith(">>>"):
            line = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
            line = re.sub(r"(?<![\w`])\*\*(?=\w)", r"\\*\\*", line)
        found.append("    " * bars + line)
        before = indent if bare else before
    lines[:] = found


def _below_the_gallery(app, name, source):
    """The models' pages are below their gallery in the sidebar. A directive in the page itself
    would be shown as text where the repository is read."""
    if name == "models/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n[a-z]*\n```\n"


def setup(app):
    app.connect("source-read", _below_the_gallery)
    app.add_html_math_renderer("mathml", (_mathml, None), (_mathml, None))
    app.connect("autodoc-process-docstring", _as_rst, priority=400)  # before Napoleon
