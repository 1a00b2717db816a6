"""Formulas of docstrings, which are plain text, as LaTeX.

It knows a short list of signs and refuses all others: a formula is converted rightly or not at all.
"""

import re

FUNCTIONS = ("min", "max", "log", "exp")
OPERATORS = ("mean", "KL")
GREEK = "alpha beta gamma epsilon lambda mu sigma phi psi"
SIGNS = {
    **{letter: f"\\{name} " for letter, name in zip("αβγελμσφψ", GREEK.split())},
    **{sign: sign for sign in "+-=()[]|/,;:.'"},
    "−": "-",
    "·": r"\cdot ",
    "…": r"\ldots ",
    "~": r"\sim ",
    "≤": r"\le ",
    "∇": r"\nabla ",
    "Σ": r"\sum",
    "‖": r"\|",
    "½": r"\tfrac{1}{2}",
    "²": "^{2}",
    "ᵀ": r"^{\top}",
    "ᵗ": "^{t}",
    "₁": "_{1}",
    "₂": "_{2}",
    "ᵢ": "_{i}",
}
ACCENTS = {"\u0302": r"\hat{%s}", "\u0303": r"\tilde{%s}", "": "%s"}
WORD = rf"(?!(?:{'|'.join(FUNCTIONS + OPERATORS)})(?![a-zA-Z]))[a-zA-Z]{{2,}}"
TOKEN = re.compile(
    rf"(?P<half>[α-ω])/2|(?P<text> ?{WORD}(?: {WORD})* ?)|(?P<gap> +)|(?P<name>[a-zA-Z]{{2,}})"
    r"|(?P<letter>[a-zA-Z])(?P<accent>[\u0302\u0303]?)|(?P<number>\d+)"
    r"|_(?:\{(?P<lowered>(?:[^{}]|\{[^{}]*\})+)\}|(?P<low>[a-zA-Z0-9][\u0302\u0303]?))|(?P<sign>.)"
)


def display(block):
    """A block of formulas as Markdown, each line by itself; a line that is indented further than
    the first continues the one before.

    Raises:
        ValueError: it has a sign that is not in the list.
    """
    indent = len(block) - len(block.lstrip())
    lines = []
    for line in block.rstrip().splitlines():
        start = r"\qquad " if line[indent] == " " else ""
        lines.append(f"$${start}{latex(line.strip())}$$")
    return "\n\n".join(lines)


def latex(text):
    """One line as LaTeX. Raises ValueError for a sign that is not in the list."""
    return "".join(_written(match, text[match.end() :]) for match in TOKEN.finditer(text))


def _written(match, rest):
    """One token; `rest` is what follows it."""
    kind, token = match.lastgroup, match[0]
    if kind == "text":
        return rf"\text{{{token}}}"
    if kind == "half":
        return rf"\tfrac{{{SIGNS[match['half']].strip()}}}{{2}}"
    if kind == "gap":
        return " " if len(token) == 1 else r"\quad "
    if kind == "name":
        return f"\\{token}" if token in FUNCTIONS else rf"\operatorname{{{token}}}"
    if kind == "number":
        return token
    if kind in ("lowered", "low"):
        return f"_{{{latex(match[kind])}}}"
    if match["letter"]:
        if token == "E" and rest[:1] in ("_", "[", "|"):
            return r"\mathbb{E}"  # an expectation; `E(x)` is an encoder
        return ACCENTS[match["accent"]] % match["letter"]
    if token not in SIGNS:
        raise ValueError(f"{token!r} in a formula is not in the list of signs.")
    return SIGNS[token]
