"""The site: `python -m sphinx -W docs site`."""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # `model_pages`
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ganzoo

project = "ganzoo"
author = "the authors of ganzoo"
release = ganzoo.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "model_pages"]
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
html_theme = "furo"
html_title = "ganzoo"
html_show_sourcelink = False
# Keras and TensorFlow are written about, not copied here.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
napoleon_use_rtype = False


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


def setup(app):
    app.connect("autodoc-process-docstring", _as_rst, priority=400)  # before Napoleon
