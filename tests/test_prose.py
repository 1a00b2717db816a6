"""Pages and docstrings keep to the words of `docs/style.md`."""

import ast
import re

import pytest

from tests.helpers import ROOT

INSTEAD = {
    r"\banew\b": "again",
    r"\bbeside\b": "next to",
    r"\b(is|are|be) (said|told)\b(?! from)": "is reported",
    r"\bwhoever\b|(?<=[.!?] )Who [a-z]+ [^?]*\.": "you",
    r"\bso many (?!\w+ that)": "the name of the argument",
    r"\bas ever\b": "as before",
    r"(?:^|(?<=[.!?] ))Of [^.?!]{1,60}, (?:what|how|which)\b": "subject, verb, object",
}
"""Patterns, and what to write in their place."""

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "ganzoo").rglob("*.py"))
ASIDE = r"^```.*?^```|^\|.*?$|`[^`\n]*`|<[^>]*>"
"""Code and tables, which a page on style may fill with what not to write."""


def flagged(text):
    return [
        f"{match[0]!r}: {instead}"
        for pattern, instead in INSTEAD.items()
        for match in re.finditer(pattern, text, re.IGNORECASE if "Of " not in pattern else 0)
    ]


def docstrings(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield node.value.value


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_has_none_of_the_phrases_to_avoid(page):
    text = re.sub(ASIDE, "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert flagged(text) == []


def test_docstrings_have_none_of_the_phrases_to_avoid():
    found = {
        f"{path.relative_to(ROOT)}: {line}"
        for path in MODULES
        for text in docstrings(path.read_text("utf-8"))
        for line in flagged(text)
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "Of each file, what it holds.",
        "A folder that is gone is said.",
        "Images beside samples.",
        "Trains for so many steps.",
    ],
)
def test_such_phrases_are_flagged(text):
    assert len(flagged(text)) == 1
