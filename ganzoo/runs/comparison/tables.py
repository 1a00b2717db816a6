"""The table of a comparison, and how it is written."""

import dataclasses
import math
import re
from collections.abc import Sequence

from ganzoo.evaluation import Score
from ganzoo.files import texts
from ganzoo.runs.commands import literal
from ganzoo.runs.comparison import rows as comparing
from ganzoo.runs.comparison.rows import Row

MEASURES = {
    "steps": "steps",
    "images": "images",
    "minutes": "minutes",
    "cpu_minutes": "CPU minutes",
}
"""What a table says of the length of trainings, and the titles."""
ARROWS = {"lower": "↓", "higher": "↑", None: ""}


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells of text.

    Attributes:
        titles: of the columns.
        rows: of cells. The last one may be that of the floors.
        best: `(row, column)` of the best cells.
        left: number of columns of words, which begin at the left; the others are numbers.
    """

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]]
    left: int

    def to_text(self, width: int | None = None) -> str:
        """In columns; the best cells have a star.

        Args:
            width: of the terminal: columns that do not fit follow below, next to the first one
                again. None: it has no end.
        """
        cells = [self.titles, *(self._marked(i, "{} *") for i in range(len(self.rows)))]
        starred = {j for _, j in self.best}
        columns = [  # numbers stay one below the other where some have a star
            [c if j not in starred or c.endswith(" *") else f"{c}  " for c in column]
            for j, column in enumerate(zip(*cells))
        ]
        return "\n\n".join(self._block(columns, block) for block in _blocks(columns, width))

    def _block(self, columns, block):
        """Some of the columns, without rows that have nothing in them."""
        lines = [[columns[j][i] for j in block] for i in range(len(columns[0]))]
        lines = [line for line in lines if any(cell.strip() for cell in line[1:])]
        return texts.table(lines, sum(j < self.left for j in block))

    def to_markdown(self) -> str:
        """As Markdown; the best cells are bold."""
        escaped = lambda cell: re.sub(r"([\\`*_|<>\[\]])", r"\\\1", cell)
        line = lambda cells: f"| {' | '.join(cells)} |"
        rule = ["---"] * self.left + ["---:"] * (len(self.titles) - self.left)
        rows = [self._marked(i, "**{}**", escaped) for i in range(len(self.rows))]
        return "\n".join([line(map(escaped, self.titles)), line(rule), *map(line, rows)])

    def to_latex(self) -> str:
        """As a `tabular` of LaTeX, for the package booktabs; the best cells are bold."""
        line = lambda cells: f"{' & '.join(cells)} \\\\"
        rows = [line(self._marked(i, r"\textbf{{{}}}", latex)) for i in range(len(self.rows))]
        return "\n".join(
            [
                rf"\begin{{tabular}}{{{'l' * self.left}{'r' * (len(self.titles) - self.left)}}}",
                r"\toprule",
                line(map(latex, self.titles)),
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
            ]
        )

    def _marked(self, i, mark, escaped=lambda cell: cell):
        """The cells of a row, escaped; the best ones marked."""
        return tuple(
            mark.format(escaped(cell)) if (i, j) in self.best else escaped(cell)
            for j, cell in enumerate(self.rows[i])
        )


def _blocks(columns, width):
    """The numbers of the columns in each block that fits into a width, the first one in all."""
    blocks, widths = [[0]], [max(map(len, column)) + 2 for column in columns]
    for j in range(1, len(columns)):
        needed = sum(widths[k] for k in (*blocks[-1], j)) - 2
        if width is not None and needed > width and len(blocks[-1]) > 1:
            blocks.append([0])
        blocks[-1].append(j)
    return blocks


SPECIAL = {
    **{x: f"\\{x}" for x in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "…": r"\dots{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\n": " ",
}


def latex(text: str) -> str:
    """Text with LaTeX's special characters escaped.

    >>> latex("a_b ± 5%")
    'a\\\\_b $\\\\pm$ 5\\\\%'
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def make(rows: Sequence[Row], names: Sequence[str], lengths: bool = True) -> Table:
    """The table of some scores.

    Args:
        rows: its rows. Columns that say nothing are left out.
        names: of the scores.
        lengths: whether it says how long the trainings lasted.
    """
    models = [row.model for row in rows]
    words = [
        ("run", [row.name for row in rows]),
        ("model", models if len(set(models)) > 1 else []),
        ("setting", [setting(row) for row in rows]),
    ]
    numbers = [("seeds", [str(row.seeds) for row in rows])]
    if lengths:
        words.append(("epochs", [row.epochs for row in rows]))
        numbers += [
            (title, [_length(row.mean(what)) for row in rows]) for what, title in MEASURES.items()
        ]
    columns = [x for x in (*words, *numbers) if any(x[1])]
    left, first = sum(any(cells) for _, cells in words), len(columns)
    scores = [[row.scores.get(name) for row in rows] for name in names]
    titles = _titles(names, scores)
    columns += [(title, [cell(x) for x in each]) for title, each in zip(titles, scores)]
    cells = list(zip(*(cells for _, cells in columns)))
    winners = [(comparing.best(each), first + j) for j, each in enumerate(scores)]
    limits = [limit(each) for each in scores]
    if any(limits):
        kind = "baseline" if any(x and x.baseline is not None for x in sum(scores, [])) else "floor"
        cells.append((kind, *[""] * (first - 1), *limits))
    return Table(
        tuple(title for title, _ in columns),
        tuple(cells),
        frozenset((i, j) for i, j in winners if i is not None),
        left,
    )


def cell(score: Score | None) -> str:
    """A score as text, to the second digit of its error; "" for None.

    >>> cell(Score(222.87, error=48.53)), cell(Score(0.0301, error=0.0142)), cell(Score(1.2345))
    ('223 ± 49', '0.030 ± 0.014', '1.234')
    """
    if score is None:
        return ""
    error = score.error
    if not error or not math.isfinite(error) or not 1e-6 < error < 1e6:
        return str(score)
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{score.value:,.{digits}f} ± {error:,.{digits}f}"


def limit(scores: Sequence[Score | None]) -> str:
    """The floor of some scores, or their baseline; both ends where it differs; "" if there is
    none."""
    found = [x.floor if x.baseline is None else x.baseline for x in scores if x is not None]
    ends = [f"{x:.4g}" for x in sorted(x for x in found if x is not None)]
    return " to ".join(dict.fromkeys([*ends[:1], *ends[-1:]]))


def setting(row: Row) -> str:
    """The settings that tell a row from others, as `--set` takes them, without the epochs, which
    have a column."""
    return ", ".join(f"{k}={literal(x)}" for k, x in row.setting.items() if k != "epochs")


def _titles(names, scores):
    """The names of scores, without the extractor where that is clear, and which end is better."""
    short = [name.partition("[")[0] for name in names]
    better = [next((x.better for x in each if x is not None), None) for each in scores]
    return [
        f"{s if short.count(s) == 1 else name} {ARROWS[b]}".strip()
        for name, s, b in zip(names, short, better)
    ]


def _length(value):
    if value is None:
        return ""
    if value >= 100 or value.is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"
