"""The results of `benchmarks/train.py` in few numbers: a line for each model and size."""

PLAIN = "plain Keras loop"
MOST = 8
"""Lines of a table on a page; the CSV file has all rows."""

COLUMNS = {
    "ganzoo, defaults": lambda what, precision: what == "ganzoo, defaults",
    "ganzoo, float32": lambda what, precision: (what, precision) == ("ganzoo, fit", "float32"),
    "PyTorch, float32": lambda what, precision: _in_pytorch(what) and precision == "float32",
    "PyTorch, bfloat16": lambda what, precision: _in_pytorch(what) and precision != "float32",
}
"""What is shown against the plain loop: the fastest of these rows."""


def _is_plain(what, precision):
    return (what, precision) == (PLAIN, "float32")


def _in_pytorch(what):
    return what.startswith("PyTorch")


BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX"}


def by_processor(rows):
    """The lines to show for each kind of processor.

    Args:
        rows: of `train.csv`, dicts of strings.

    Returns:
        `{(processor, backend): {(model, size, batch): {column: row}}}`, the plain loop's row under
        `PLAIN`.
    """
    groups: dict = {}
    for row in rows:
        cases = groups.setdefault((row["processor"], row["backend"]), {})
        if row["times_as_fast"] and row["against"] == PLAIN:  # not absent
            cases.setdefault((row["model"], row["size"], row["batch"]), []).append(row)
    return {
        kind: {case: _columns(found) for case, found in list(cases.items())[:MOST]}
        for kind, cases in groups.items()
        if cases
    }


def _columns(rows):
    columns = {}
    for column, belongs in {PLAIN: _is_plain, **COLUMNS}.items():
        fitting = [row for row in rows if belongs(row["what"], row["precision"])]
        if fitting:
            columns[column] = max(fitting, key=lambda row: float(row["times_as_fast"]))
    return columns


def named(case):
    """A model, a size and a batch, as text."""
    model, size, batch = case
    return f"{model}, {size}×{size}, {batch}"


def table(rows, link):
    """A table for each kind of processor, and what its numbers mean.

    Args:
        rows: of `train.csv`, dicts of strings.
        link: where the page finds `train.csv`.
    """
    parts = []
    for (processor, backend), cases in by_processor(rows).items():
        own = [row for columns in cases.values() for row in columns.values()]
        machines = " and ".join(sorted({row["machine"] for row in own}))
        versions = ", ".join(dict.fromkeys(v for row in own for v in row["versions"].split(", ")))
        kind = "" if processor == machines else f", {processor}"
        shown = [c for c in COLUMNS if any(c in columns for columns in cases.values())]
        plain = f"{PLAIN}, images per second"
        heads = ["model, images, batch", plain, *shown, "share of limit"]
        lines = [
            f"{BACKENDS[backend]} on {machines}{kind} ({versions}):",
            "",
            f"| {' | '.join(heads)} |",
            "|" + "---|" * len(heads),
        ]
        for case, columns in cases.items():
            cells = [named(case), f"{float(columns[PLAIN]['images_per_second']):,.0f}"]
            cells += [_ratio(columns.get(column), column) for column in shown]
            first = next((columns[c] for c in shown if c in columns), None)
            cells.append(_share(first, rows))
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    measured = {}
    for row in rows:
        measured.setdefault(row["model"], {})[row["size"]] = None
    commands = [f"{model} {' '.join(sizes)}" for model, sizes in measured.items()]
    commands = [f"`python benchmarks/train.py {commands[0]}`", *(f"`… {c}`" for c in commands[1:])]
    return (
        "\n\n".join(parts)
        + "\n\nHow many times as fast as the plain Keras loop in float32. All took turns in each "
        "round; ratios are medians over the\nrounds with half the distance between the quartiles. "
        "PyTorch: the\nfastest of its settings. "
        "Share of limit: of the fastest large matrix product on this machine in the same\n"
        "precision, by the first of ganzoo's columns. "
        f"[All rows]({link}) include one-stage updates, each of PyTorch's settings,\n"
        f"compile times, and what could not run. Made by {', '.join(commands)}.\n"
    )


def brief(rows):
    """A table for each kind of processor that only compares ganzoo's defaults with PyTorch's
    fastest setting, in times as fast as the plain Keras loop."""
    parts = []
    for (processor, backend), cases in by_processor(rows).items():
        lines = [f"| {processor}, {BACKENDS[backend]} | {PLAIN} | ganzoo | PyTorch's best |"]
        lines.append("|" + "---|" * 4)
        for case, columns in cases.items():
            ours = columns.get("ganzoo, defaults")
            theirs = [columns[c] for c in COLUMNS if c.startswith("PyTorch") and c in columns]
            fastest = max(theirs, key=lambda row: float(row["times_as_fast"]), default=None)
            cells = [f"{float(row['times_as_fast']):.1f}" if row else "" for row in (ours, fastest)]
            lines.append(f"| {named(case)} | 1 | {' | '.join(cells)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _share(row, rows):
    """The share of the limit: the largest that was measured on this machine in this precision. In
    a single run, other tenants of a machine may slow down one measurement or the other."""
    if row is None or not row["share_of_peak"]:
        return ""
    alike = [r for r in rows if all(r[k] == row[k] for k in ("machine", "precision", "backend"))]
    rate = float(row["share_of_peak"]) * float(row["peak_gflops"])
    return f"{rate / max(float(r['peak_gflops']) for r in alike):.0%}"


def _ratio(row, column):
    if row is None:
        return ""
    precision = f", {row['precision'].removeprefix('mixed_')}" if "defaults" in column else ""
    return f"{float(row['times_as_fast']):.2f} ± {float(row['ratio_spread']):.2f}{precision}"
