"""Draws the architecture from the imports, as `docs/images/house.svg`.

    python benchmarks/tools/house.py
    python benchmarks/tools/house.py --check

The layers come from `LAYERS` in `tests/test_architecture.py`, their descriptions from the table in
`docs/architecture.md`, and the arrows from the `import` statements in `ganzoo/`. An arrow that
follows from others is left out. `--check` writes nothing, and exits with 1 if the drawing is out of
date.
"""

import argparse
import ast
import collections
import html
import itertools
import pathlib
import random
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = ROOT / "ganzoo"
PAGE = ROOT / "docs" / "architecture.md"
DRAWING = ROOT / "docs" / "images" / "house.svg"

# Groups of boxes: colours of line and fill, preferred place from 0 (left) to 1 (right), members.
THEMES = {
    "commands and tools": (
        ("#9a5b13", "#fbeeda"),
        0.5,
        "__main__ cli explore runs doctor callbacks latent export web",
    ),
    "data and scores": (
        ("#14745c", "#dcf3ea"),
        0.1,
        "datasets extractors metrics evaluation images",
    ),
    "models and training": (
        ("#2c5aa8", "#e1ebfb"),
        0.75,
        "losses penalties augmentations layers networks game modalities families models zoo",
    ),
    "foundations": (("#5b6069", "#eceef1"), 0.5, ""),  # everything else
}
ROW, HEIGHT, GAP = 50, 28, 16
GRID, TURNS = 10, 60_000
LEFT, TOP, GRAPH, TEXT = 28, 60, 480, 352
FONT = "font-family=\"-apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif\""
MONO = "font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\""


def layers():
    """`LAYERS` in the test that enforces them, from the bottom up."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LAYERS":
            return ast.literal_eval(node.value)
    raise SystemExit("tests/test_architecture.py has no LAYERS.")


def words():
    """The descriptions in the page's table: a dict from the names of a layer to its line."""
    rows = re.findall(r"^\| (`.*?`) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        tuple(name.rstrip("/") for name in re.findall(r"`(.*?)`", names)): line.replace("`", "")
        for names, line in rows
    }


def imports(rank):
    """Pairs `(importer, imported)` of folders and single modules."""
    pairs = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            parts = [name.split(".") for name in names]
            pairs.update((own, p[1]) for p in parts if p[0] == "ganzoo" and len(p) > 1)
    return {(a, b) for a, b in pairs if a in rank and b in rank and a != b}


def needed(pairs):
    """The pairs that do not follow from others: the transitive reduction."""
    after = collections.defaultdict(set)
    for a, b in pairs:
        after[a].add(b)

    def reached(name):
        names, rest = set(), [name]
        while rest:
            new = after[rest.pop()] - names
            names |= new
            rest += new
        return names

    beyond = {name: reached(name) for name in list(after)}
    return sorted(
        (a, b) for a, b in pairs if not any(b in beyond.get(c, ()) for c in after[a] - {b})
    )


class Drawing:
    """Boxes in rows. All lines to a box join in one, which falls straight onto it."""

    def __init__(self, floors, arrows):
        self.floors = floors  # lists of names, from the bottom up
        self.arrows = arrows
        self.row = {name: row for row, names in enumerate(floors) for name in names}
        self.top = dict(self.row)  # the row below which the line to a box begins
        for a, b in arrows:
            self.top[b] = max(self.top[b], self.row[a])
        # Pairs that share a row, and how far apart they must be.
        self.apart = []
        for pair in itertools.combinations(self.row, 2):
            low, high = sorted(pair, key=self.row.get)
            same = self.row[low] == self.row[high]
            if same or self.row[high] < self.top[low]:
                self.apart.append((low, high, (width(high) + same * width(low)) // 2 + GAP))
        # Each line first runs to the side, where it may cross these.
        self.crossed = {
            (a, b): [
                t for t in self.row if t not in (a, b) and self.row[t] < self.row[a] <= self.top[t]
            ]
            for a, b in arrows
        }
        self.x = self._place()
        low = min(x - width(n) // 2 for n, x in self.x.items())
        self.x = {n: LEFT + x - low for n, x in self.x.items()}
        self.width = max(x + width(n) // 2 for n, x in self.x.items()) - LEFT

    def _place(self):
        """A place for each box, with short lines, few crossings and no overlaps.

        Threshold accepting: boxes move at random, and a move that costs more than a falling limit
        is undone. All numbers are whole, so that the result is the same on every machine.
        """
        rng = random.Random(2)
        pick = lambda count: int(rng.random() * count)
        names = list(self.row)
        x = {n: int(GRAPH * anchor(n)) // GRID * GRID for n in names}
        about = {
            n: {
                *(pair for pair in self.apart if n in pair[:2]),
                *(arrow for arrow in self.arrows if n in arrow or n in self.crossed[arrow]),
            }
            for n in names
        }
        cost = best = 0
        best_x = x
        for turn in range(TURNS):
            n, other = names[pick(len(names))], names[pick(len(names))]
            if turn % 3 == 0:
                moved = {n: x[other], other: x[n]}
            elif turn % 3 == 1:
                moved = {n: x[other] + GRID * (pick(5) - 2)}
            else:  # a whole column
                by = GRID * pick(GRAPH // GRID + 1) - x[n]
                moved = {m: x[m] + by for m in names if x[m] == x[n]}
            terms = set().union(*(about[m] for m in moved))
            new = {**x, **moved}
            change = self._cost(new, moved, terms) - self._cost(x, moved, terms)
            if change <= 300 * max(0, TURNS - turn - TURNS // 4) // TURNS:
                x, cost = new, cost + change
                if cost < best:
                    best_x, best = x, cost
        return best_x

    def _cost(self, x, names, terms):
        """The cost of the places of these names, and of these pairs and arrows."""
        total = sum(abs(x[n] - int(GRAPH * anchor(n))) for n in names) // 2
        for a, b, *distance in terms:
            if distance:
                total += 30 * max(0, distance[0] - abs(x[a] - x[b]))
                continue
            low, high = sorted((x[a], x[b]))
            crossings = sum(low < x[t] < high for t in self.crossed[a, b])
            total += high - low + 25 * (low < high) + 70 * crossings
        return total

    def y(self, row):
        return TOP + ROW * (len(self.floors) - 1 - row) + ROW // 2

    def svg(self, descriptions):
        """The drawing as text, with a description of each row."""
        right = LEFT + self.width + 28
        total = right + TEXT
        bottom = TOP + ROW * len(self.floors)
        height = bottom + 46
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" '
            f'width="{total}" height="{height}" role="img">',
            "<title>The folders and modules of ganzoo, in layers</title>",
            "<!-- python benchmarks/tools/house.py -->",
            '<rect width="100%" height="100%" rx="12" fill="#ffffff"/>',
        ]
        for row in range(0, len(self.floors), 2):
            lines.append(
                f'<rect x="12" y="{self.y(row) - ROW // 2}" width="{total - 24}" '
                f'height="{ROW}" rx="6" fill="#f6f7f9"/>'
            )
        lines += self._legend()
        lines.append(
            f'<text x="{LEFT}" y="{bottom + 28}" {FONT} font-size="13" fill="#30343a">'
            "An arrow points to what is imported. "
            "An arrow that follows from others is left out.</text>"
        )
        lines += self._lines()
        for row, names in enumerate(self.floors):
            for name in names:
                lines += self._box(name)
            text = textwrap.wrap(descriptions[row], 48)
            for i, part in enumerate(text):
                y = self.y(row) + 4.5 + 17 * (i - (len(text) - 1) / 2)
                lines.append(
                    f'<text x="{right}" y="{y:.1f}" {FONT} font-size="13" fill="#30343a">'
                    f"{html.escape(part)}</text>"
                )
        return "\n".join([*lines, "</svg>"]) + "\n"

    def _legend(self):
        x = LEFT
        for name, ((line, fill), _, _) in THEMES.items():
            yield (
                f'<rect x="{x}" y="22" width="16" height="16" rx="4" fill="{fill}" '
                f'stroke="{line}" stroke-width="1.5"/>'
            )
            yield (
                f'<text x="{x + 23}" y="34.5" {FONT} font-size="13" fill="#30343a">{name}</text>'
            )
            x += 48 + 7 * len(name)

    def _lines(self):
        """The lines from the lower edge of each box to the side, then down onto another box."""
        for name in self.row:
            line, _ = colours(name)
            to, end = self.x[name], self.y(self.row[name]) - HEIGHT // 2
            joins = []
            for a in (a for a, b in self.arrows if b == name):
                x, y = self.x[a], self.y(self.row[a]) + HEIGHT // 2
                turned = y + ROW - HEIGHT
                if name in self.floors[0] and self._is_free_below(a):
                    yield _arrow(f"M{x} {y}", x, end, line)
                    continue
                middle = (y + turned) // 2
                joins.append((turned, f"M{x} {y}C{x} {middle} {to} {middle} {to} {turned}"))
            for _, path in sorted(joins)[1:]:
                yield f'<path d="{path}" fill="none" stroke="{line}" stroke-width="1.6"/>'
            for _, path in sorted(joins)[:1]:
                yield _arrow(path, to, end, line)

    def _is_free_below(self, name):
        """Whether a line from this box falls onto the lowest layer without touching another."""
        return all(
            abs(self.x[n] - self.x[name]) > width(n) // 2 + 8
            for n, row in self.row.items()
            if 0 < row < self.row[name]
        )

    def _box(self, name):
        line, fill = colours(name)
        y, wide = self.y(self.row[name]), width(name)
        left = self.x[name] - wide // 2
        if not self.row[name]:
            left, wide = LEFT, self.width
        yield (
            f'<rect x="{left}" y="{y - HEIGHT // 2}" width="{wide}" '
            f'height="{HEIGHT}" rx="6" fill="{fill}" stroke="{line}" stroke-width="1.5"/>'
        )
        yield (
            f'<text x="{left + wide // 2}" y="{y + 5}" {MONO} font-size="14" font-weight="600" '
            f'text-anchor="middle" fill="#16181c">{html.escape(name)}</text>'
        )


def _arrow(path, x, end, colour):
    return (
        f'<path d="{path}V{end - 2}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        f'<path d="M{x - 5} {end - 8}h10l-5 8z" fill="{colour}"/>'
    )


def theme(name):
    own = [t for t, (_, _, members) in THEMES.items() if name in members.split()]
    return THEMES[own[0] if own else "foundations"]


def colours(name):
    return theme(name)[0]


def anchor(name):
    return theme(name)[1]


def width(name):
    """The width of a box, an even number."""
    return 26 + 43 * len(name) // 10 * 2


def draw():
    """The up-to-date drawing, as text."""
    floors, lines = layers(), words()
    missing = [", ".join(names) for names in floors if tuple(names) not in lines]
    if missing:
        raise SystemExit(f"The table of {PAGE.name} has no line for: {'; '.join(missing)}.")
    descriptions = [lines[tuple(names)] for names in floors]
    # The lowest layer is one box, because nearly everything imports it.
    slab = " · ".join(floors[0])
    rank = {name: row for row, names in enumerate(floors) for name in names}
    whole = {name: slab if row == 0 else name for name, row in rank.items()}
    pairs = {(whole[a], whole[b]) for a, b in imports(rank) if whole[a] != whole[b]}
    return Drawing([[slab], *floors[1:]], needed(pairs)).svg(descriptions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if out of date")
    check = parser.parse_args().check
    text = draw()
    if not check:
        DRAWING.write_text(text, encoding="utf-8", newline="\n")
    elif not DRAWING.exists() or DRAWING.read_text(encoding="utf-8") != text:
        sys.exit(
            f"{DRAWING.relative_to(ROOT)} is out of date: run python benchmarks/tools/house.py"
        )


if __name__ == "__main__":
    main()
