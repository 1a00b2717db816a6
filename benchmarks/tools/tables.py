"""Writes the tables of README.md and of the pages in docs, from the results and the catalogue.

    python benchmarks/tools/tables.py

The results are in `benchmarks/results`; the catalogue is the list of trained weights.
"""

import ast
import functools
import json
import math
import pathlib
import re
import statistics
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import forecasts as forecasting
import speeds
import switches as switching
from measure import results

from ganzoo import zoo
from ganzoo.zoo import catalogue

ROOT = pathlib.Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "benchmarks",
            "choosing",
            "doctor",
            "faq",
            "few-images",
            "forecasts",
            "how-gans-work",
            "own-pictures",
            "reliability",
            "several-devices",
            "speed",
            "teach",
            "weights",
        )
    ),
)
MARK = re.compile(r"(<!-- (\w+) table: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def quality():
    """The table of `benchmarks/quality.py`."""
    rows = results("quality")
    lines = [
        "| what | data, epochs | seeds | Fréchet distance | floor | precision | recall "
        "| rarest class | label as requested |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for what in dict.fromkeys((row["what"], row["data"], row["epochs"]) for row in rows):
        group = [row for row in rows if (row["what"], row["data"], row["epochs"]) == what]
        cells = [
            what[0],
            f"{what[1]}, {what[2]}",
            ", ".join(row["seed"] for row in group),
            _mean(group, "frechet", "{:.1f}"),
            _mean(group, "frechet_floor", "{:.2f}"),
            _mean(group, "precision", "{:.2f}"),
            _mean(group, "recall", "{:.2f}"),
            _mean(group, "rarest_class_share", "{:.1%}"),
            _mean(group, "class_agreement", "{:.1%}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    extractors = sorted({f"`{row['extractor']}`" for row in rows})
    return (
        "\n".join(lines)
        + f"\n\nMeans over the seeds, with the range in brackets. {int(rows[0]['samples']):,} "
        "samples against the 10,000 test images, in the features of\n"
        f"{' and '.join(extractors)}; floor: as many training images in place of the samples. "
        "Numbers\nare comparable within one data set only. Made by `python benchmarks/quality.py "
        "dcgan --seeds 0 1`, `… cgan`\nand `… plain --epochs 20`.\n"
    )


def _mean(rows, key, form):
    """Mean of a column, and its range if the values differ as printed."""
    if not rows[0][key]:
        return ""
    values = sorted(float(row[key]) for row in rows)
    low, high = form.format(values[0]), form.format(values[-1])
    mean = form.format(sum(values) / len(values))
    return mean if low == high else f"{mean} ({low} … {high})"


def training():
    """The tables of `benchmarks/train.py`."""
    return speeds.table(results("train"), "../benchmarks/results/train.csv")


def speed():
    """The tables of `benchmarks/train.py` in a few columns."""
    return speeds.brief(results("train"))


def best():
    """The best weights of each group of the catalogue, and what a plain Keras loop reaches."""
    lines = ["| images | weights | training | Fréchet distance | of real images |"]
    lines.append("|" + "---|" * 5)
    rows = {name: catalogue.rows()[name] for name in zoo.list_models(weights=True, can="generate")}
    firsts = [next(iter(group.items())) for group in catalogue.grouped(rows).values()]
    for name, row in sorted(firsts, key=lambda one: _over_floor(one[1])):
        value, _, floor = row.frechet
        trained = catalogue.time_of(row.cpu_minutes, row.gpu_minutes)
        shape = "×".join(map(str, row.config["image_shape"]))
        labels = f", {row.classes}" if row.classes else ""
        what = f"[`{name}`](docs/models/{row.model}.md)"
        data = row.data["name"].removesuffix(".zip")
        lines.append(f"| {data}, {shape}{labels} | {what} | {trained} | {value} | {floor} |")
        plain = [r for r in results("quality") if r["what"] == PLAIN and r["data"] == data]
        if plain:
            longest = max(plain, key=lambda r: int(r["epochs"]))
            minutes = f"{longest['epochs']} epochs, {float(longest['training_seconds']) / 60:.0f}"
            cells = ["", f"a {PLAIN}, no labels", f"{minutes} minutes"]
            cells += [catalogue.number(float(longest["frechet"])), floor]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _over_floor(row):
    value, _, floor = row.frechet
    return float(value) / float(floor)


PLAIN = "plain Keras DCGAN"


def _made(rows):
    """The machines and versions of some rows, as text."""
    machines = " and ".join(sorted({row["machine"] for row in rows}))
    versions = dict.fromkeys(v for row in rows for v in row["versions"].split(", "))
    return f"{machines} ({', '.join(versions)})"


def time_to_quality():
    """The table of `benchmarks/time_to_quality.py`."""
    rows = results("time_to_quality")
    lines = ["| what | reached | seconds of training | times as fast |", "|---|---|---|---|"]
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        # One that did not reach the mark is slower than all that did.
        ratios = sorted(float(row["times_as_fast"] or 0) for row in group)
        middle = statistics.median_low(ratios)
        cells = [
            f"{sum(x > 0 for x in ratios)} of {len(group)}",
            ", ".join(
                f"{float(row['seconds']):.0f}" if row["times_as_fast"] else "–" for row in group
            ),
            f"{middle:.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f})" if middle else "",
        ]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    first = [row for row in rows if row["what"] == rows[0]["what"]]
    marks = ", ".join(f"{float(row['mark']):.1f}" for row in first)
    return (
        "\n".join(lines) + "\n\nUntil the Fréchet distance to Fashion-MNIST's test images is as "
        "small as the plain Keras loop's smallest in its first\n"
        f"{float(rows[0]['epochs']):g} epochs ({marks} with seeds "
        f"{', '.join(row['seed'] for row in first)}); seconds in the order of the seeds. Ratio: "
        "the median, and its range.\nMeasured every 200 steps; compilation counts, scoring does "
        f"not. On {_made(rows)}.\nMade by `python benchmarks/time_to_quality.py`.\n"
    )


def scaling():
    """The table of `benchmarks/scaling.py`."""
    rows = [row for row in results("scaling") if row["what"] == "ganzoo, fit"]
    lines = [
        "| what | value | ms per step | images per second | share of limit "
        "| times as fast as the plain Keras loop |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = ""
        if row["times_as_fast"]:
            ratio = f"{float(row['times_as_fast']):.2f} ± {float(row['ratio_spread']):.2f}"
        cells = [
            row["axis"].replace("pictures", "images"),
            f"{int(row['value']):,}",
            f"{float(row['ms_per_step']):.3g}",
            f"{float(row['images_per_second']):,.0f}",
            f"{float(row['share_of_peak']):.0%}",
            ratio,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + f"\n\nOn {_made(rows)}.\nMade by `python benchmarks/scaling.py`.\n"


def parallel():
    """The tables of `benchmarks/parallel.py`: one for each device."""
    rows = results("parallel")
    counts = list(dict.fromkeys(row["devices"] for row in rows))
    heads = ["model, images", "ms per step", "link", *(f"{n} devices" for n in counts)]
    parts = []
    for device in dict.fromkeys((row["device"], row["basis"]) for row in rows):
        lines = [f"{device[0]} ({device[1]}):", "", f"| {' | '.join(heads)} |"]
        lines.append("|" + "---|" * len(heads))
        groups: dict = {}
        for row in rows:
            if (row["device"], row["basis"]) == device:
                groups.setdefault((row["model"], row["size"], row["link"]), []).append(row)
        last = None
        for (model, size, link), group in groups.items():
            what = f"`{model}`, {size}×{size}", f"{float(group[0]['ms_per_step']):.3g}"
            efficiencies = (f"{float(one['efficiency']):.0%}" for one in group)
            cells = [*(("", "") if what == last else what), link, *efficiencies]
            last = what
            lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    messages = dict.fromkeys(
        f"`{row['model']}` at {row['size']}×{row['size']}: {float(row['megabytes']):.1f} MB in "
        f"{row['messages']} messages"
        for row in rows
    )
    links = dict.fromkeys(
        f"{row['link']}: {float(row['gigabytes_per_second']):g} GB/s one way, "
        f"{float(row['latency_us']):g} µs to the next device"
        for row in rows
    )
    batches = " and ".join(sorted({row["batch"] for row in rows}, key=int))
    return (
        "\n\n".join(parts)
        + f"\n\nEfficiencies, all extrapolated. Batches of {batches} per device. Links: "
        f"{'; '.join(links)}.\nA step sends, {', '.join(messages)}, counted on {_made(rows)}.\n"
        "Made by `python benchmarks/parallel.py`.\n"
    )


def plain(name, columns, arguments=""):
    """The table of a result by its columns `{heading: (key, format)}`; `arguments`: its
    script's."""
    rows = results(name)
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [
            (form.format(float(row[key])) if form else row[key].replace("pictures", "images"))
            if row[key]
            else ""
            for key, form in columns.values()
        ]
        lines.append(f"| {' | '.join(cells)} |")
    command = f"python benchmarks/{name}.py {arguments}".strip()
    return "\n".join(lines) + f"\n\nOn {_made(rows)}.\nMade by `{command}`.\n"


def sampling():
    """The table of `benchmarks/sample.py`."""
    return plain(
        "sample",
        {
            "model": ("model", ""),
            "what": ("what", ""),
            "images per second": ("images_per_second", "{:,.0f}"),
            "times as fast as the bare one": ("times_as_fast", "{:.2f}"),
            "MB more for 50,000": ("mb_more_for_50000", "{:.2f}"),
        },
        "dcgan vanilla",
    )


def startup():
    """The table of `benchmarks/startup.py`."""
    return plain(
        "startup",
        {
            "what": ("what", ""),
            "seconds (median)": ("seconds", "{:.1f}"),
            "min": ("least", "{:.1f}"),
            "max": ("most", "{:.1f}"),
        },
    )


def data():
    """The table of `benchmarks/data.py`."""
    return plain(
        "data",
        {
            "what": ("what", ""),
            "images per second": ("images_per_second", "{:,.0f}"),
            "times as fast as from memory": ("times_as_fast", "{:.2f}"),
            "±": ("ratio_spread", "{:.2f}"),
            "MB more while reading all": ("mb_more_for_all", "{:.1f}"),
        },
    )


def forecasts():
    """The table of `benchmarks/forecasts.py`."""
    lines = ["| curves that are known | forecast | forecasts | within the 80% interval |"]
    lines[0] += " half the interval, of the forecast | error of the forecast | of the last score |"
    lines.append("|" + "---|" * 7)
    rows = results("forecasts")
    percent = lambda x: "" if x == "" else f"{x:.0%}"
    for row in forecasting.summary(rows):
        shown = [percent(row[k]) for k in ("within", "half_width", "error", "error_of_last")]
        known, horizon = f"all but those of {row['unknown']}", row["horizon"]
        lines.append(f"| {' | '.join([known, horizon, str(row['forecasts']), *shown])} |")
    runs = len({forecasting.key_of(row) for row in rows})
    return "\n".join(lines) + f"\n\nFrom {runs} runs. On {_made(rows)}.\n"


def switches():
    """The table of `benchmarks/switches.py`."""
    rows = results("switches")
    lines = ["| data | images read | change of the recipe | Fréchet distance | of the recipe's |"]
    lines[0] += " seeds |"
    lines.append("|" + "---|" * 6)
    last = None
    for row in switching.table(rows):
        data = (row["data"], f"{int(row['images']):,}")
        shown = ("", "") if data == last else data
        last = data
        ratio = f"{row['ratio']:.2f}"
        if row["seeds"] > 1:
            ratio += f" ({row['from']:.2f} to {row['to']:.2f})"
        cells = [*shown, row["switch"], f"{row['Fréchet distance']:.0f}", ratio, str(row["seeds"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + f"\n\nOn {_made(rows)}.\n"


def faults():
    """The table of `benchmarks/tools/kills.py` and `benchmarks/tools/faults.py`."""
    lines = ["| fault in a training | times | survived | lost | made by |"]
    lines.append("|" + "---|" * 5)
    kills, counts = results("kills"), {}
    for place, what in (
        ("", "killed at a random moment"),
        ("while_saving", "killed while it saved"),
    ):
        for row in kills:
            saving = int(row["while_saving"])
            times = saving if place else int(row["kills"]) - saving
            lost = any(int(row[f"{x}_lost"]) for x in ("numbers", "arrays", "pictures"))
            before = counts.get(what, (0, 0))
            counts[what] = before[0] + times, before[1] + times * lost
    rows = [(what, *count, "kills.py") for what, count in counts.items()]
    rows += [
        (
            row["what"][0].lower() + row["what"][1:],
            int(row["injected"]),
            int(row["lost"]),
            "faults.py",
        )
        for row in results("faults")
    ]
    for what, times, lost, script in rows:
        command = f"`python benchmarks/tools/{script}`"
        lines.append(f"| {what} | {times} | {times - lost} | {lost} | {command} |")
    games, backends, precisions = (
        sorted({row[key] for row in kills}) for key in ("game", "backend", "precision")
    )
    numbers, arrays, grids = (
        sum(int(row[key]) for row in kills) for key in ("numbers", "arrays", "pictures")
    )
    return (
        "\n".join(lines) + f"\n\n{len(kills)} runs were killed, of {len(games)} kinds of games "
        f"({'; '.join(games)}),\non {' and '.join(backends)}, in {' and '.join(precisions)}. "
        f"Compared with undisturbed\nruns: {numbers:,} logged numbers as printed, "
        f"{arrays:,} arrays bit by bit, {grids:,} grids byte by\nbyte. On {_made(kills)}.\n"
    )


def fuzz():
    """The table of `benchmarks/tools/fuzz.py`."""
    rows = results("fuzz")
    lines = ["| kind of file | inputs | refused | accepted | faults |", "|---|---|---|---|---|"]
    keys = ("inputs", "rejected", "accepted", "faults")
    sums = {"kind": "all", **{key: sum(int(row[key]) for row in rows) for key in keys}}
    for row in [*rows, sums]:
        lines.append(f"| {row['kind']} | {' | '.join(f'{int(row[key]):,}' for key in keys)} |")
    slowest = max(float(row["slowest_seconds"]) for row in rows)
    most = max(float(row["most_memory_mib"]) for row in rows)
    return (
        "\n".join(lines)
        + f"\n\nAt most {slowest:.2g} s of processor time and {most:.0f} MiB for one. On "
        f"{_made(rows)}.\nMade by `python benchmarks/tools/fuzz.py`.\n"
    )


def soak():
    """The table of `benchmarks/soak.py`, without the beginning, as described there."""
    lines = ["| what | from, to | MB | open files | threads |", "|---|---|---|---|---|"]
    rows = results("soak")
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        unit, end = group[0]["unit"].replace("pictures", "images"), float(group[-1]["at"])
        begin = end / (12 if unit == "minutes" else 4)
        first, last = next(row for row in group if float(row["at"]) > begin), group[-1]
        change = float(last["mb"]) / float(first["mb"]) - 1
        cells = [
            what,
            f"{unit} {float(first['at']):,.0f}, {end:,.0f}",
            f"{float(first['mb']):,.1f}, {float(last['mb']):,.1f} ({change:+.2%})",
            *(f"{first[key]}, {last[key]}" for key in ("files", "threads")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return (
        "\n".join(lines)
        + f"\n\nOn {_made(rows)}.\nMade by `python benchmarks/soak.py run --minutes 60`, "
        "`… calls --cycles 200`, `… calls --cycles 200 --clear` and\n`… folder`.\n"
    )


def kernels(most=6):
    """The table of `benchmarks/kernels.py`: the kernels that take longest, and their sum."""
    rows = results("kernels")
    columns = {
        "size": ("size", ""),
        "what": ("what", ""),
        "ms alone": ("ms", "{:.1f}"),
        "share of limit": ("share_of_peak", "{:.0%}"),
        "times, alternating": ("alternating_times", ""),
        "ms, alternating": ("alternating_ms", "{:.1f}"),
        "times, one_stage": ("one_stage_times", ""),
        "ms, one_stage": ("one_stage_ms", "{:.1f}"),
    }
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for size in dict.fromkeys(row["size"] for row in rows):
        *each, total, step = (row for row in rows if row["size"] == size)
        each.sort(key=lambda row: -float(row["alternating_ms"]))
        for row in (*each[:most], total, step):
            cells = [
                form.format(float(row[key])) if form and row[key] else row[key]
                for key, form in columns.values()
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + (
        f"\n\nThe {most} kernels that take longest at each size;\n"
        f"[all of them](../benchmarks/results/kernels.csv). On {_made(rows)}.\n"
        "Made by `python benchmarks/kernels.py 28 64`.\n"
    )


def step_profile(most=8):
    """The table of `benchmarks/step_profile.py`: the shares of each kind of operation."""
    rows = results("step_profile")
    name = lambda row: f"{row['model']}, {row['size']}×{row['size']}"
    shares = {}
    for row in rows:
        shares.setdefault(row["what"], {})[name(row)] = float(row["share"])
    steps = list(dict.fromkeys(map(name, rows)))
    shares.pop("other", None)
    order = sorted(shares, key=lambda what: -sum(shares[what].values()))[:most]
    lines = [f"| kind of operation | {' | '.join(steps)} |", "|" + "---|" * (len(steps) + 1)]
    for what in order:
        cells = (f"{shares[what].get(step, 0):.0%}" for step in steps)
        lines.append(f"| {what} | {' | '.join(cells)} |")
    (precision,) = {row["precision"] for row in rows}
    return "\n".join(lines) + (
        f"\n\nShares of the time of all operations, batches of {rows[0]['batch']};\n"
        f"[all kinds](../benchmarks/results/step_profile.csv). On {_made(rows)}.\n"
        f"Made by `python benchmarks/step_profile.py dcgan 28 --precision {precision}`, "
        "`… dcgan 64 …`\nand `… pix2pix 64 …`.\n"
    )


def models():
    """The table of the zoo's models."""
    lines = ["| name | what it is |", "|---|---|"]
    for name in zoo.own_models():
        title, _, what = zoo.describe(name)["summary"].partition(": ")
        lines.append(f"| [`{name}`](docs/models/{name}.md) | {title}: {what} |")
    return "\n".join(lines) + "\n"


def _columns(lines):
    """A table of lines, dicts with the same keys, without the columns in which nothing is."""
    shown = [key for key in lines[0] if any(line[key] for line in lines)]
    text = [f"| {' | '.join(shown)} |", "|" + "---|" * len(shown)]
    text += [f"| {' | '.join(line[key] for key in shown)} |" for line in lines]
    return "\n".join(text) + "\n"


def weights():
    """The catalogue of weights: a table for each group of comparable Fréchet distances."""
    groups = catalogue.grouped(catalogue.rows())
    return "\n".join(
        f"{title}:\n\n{_columns([_facts(name, row) for name, row in rows.items()])}"
        for title, rows in groups.items()
    )


def _facts(name, row):
    """A line about a set of weights."""
    scores = {key.partition("[")[0]: score["value"] for key, score in row.scores.items()}
    share = lambda key, form: format(scores[key], form) if key in scores else ""
    on_cpu = row.gpu_minutes is None
    minutes = row.cpu_minutes if on_cpu else row.gpu_minutes
    return {
        "weights": f"[`{name}`](models/{row.model}.md)",
        "Fréchet": row.frechet[0] if row.frechet else "",
        "precision": share("precision", ".2f"),
        "recall": share("recall", ".2f"),
        "label as requested": share("class_agreement", ".1%"),
        "remark": ", ".join(row.remarks),
        "minutes": f"{minutes:.0f} {'CPU' if on_cpu else 'GPU'}",
        "MB": f"{row.size / 1e6:.1f}",
    }


def benchmarks():
    """The table of the scripts that measure, then of the tools, from their docstrings."""
    lines = ["| script | what it does | run |", "|---|---|---|"]
    folder = ROOT / "benchmarks"
    for path in (*sorted(folder.glob("*.py")), *sorted(folder.glob("tools/*.py"))):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        runs = re.findall(r"^    (python .*)$", doc, flags=re.MULTILINE)
        if runs:
            what = " ".join(doc.partition("\n\n")[0].split())
            run = "<br>".join(f"`{line.partition('  #')[0]}`" for line in runs)
            script = path.relative_to(folder).as_posix()
            lines.append(f"| `{script}` | {what} | {run} |")
    return "\n".join(lines) + "\n"


WISHES = (
    # The wish; the data, the column and the better end of `zoo.csv`; the format.
    ("samples like the data, soon", "fashion_mnist", "frechet", min, "{:.1f}"),
    ("all the variety of the data", "fashion_mnist", "coverage", max, "{:.0%}"),
    ("the requested class", "fashion_mnist", "class_agreement", max, "{:.1%}"),
    ("all of a thousand modes", "stacked_mnist", "modes", max, "{:.0f}"),
    ("images to codes and back", "fashion_mnist", "reconstruction", min, "{:.1f}"),
    ("translation, from pairs", "openmoji", "error", min, "{:.1f}"),
    ("translation, without pairs", "apples_oranges", "frechet", min, "{:.1f}"),
    ("translation back", "apples_oranges", "frechet_back", min, "{:.1f}"),
    ("pairs of images, without pairs", "mnist_edges", "error", min, "{:.1f}"),
)
MEASURES = {
    "frechet": "Fréchet distance",
    "frechet_back": "Fréchet distance",
    "coverage": "coverage",
    "class_agreement": "label as requested",
    "modes": "modes reached",
    "reconstruction": "root mean square error, grey levels",
    "error": "error, grey levels",
}


def choosing(most=3):
    """The best entries of `zoo.csv` and `labels.csv` at each task, compared with `dcgan`."""
    lines = [
        "| you want | measured on | measure | the best | compare |",
        "|---|---|---|---|---|",
    ]
    for wish, data, column, better, form in WISHES:
        rows = [r for r in results("zoo") if r["data"] == data and r[column] not in ("", "nan")]
        rows.sort(key=lambda row: float(row[column]), reverse=better is max)
        note_labels = column != "class_agreement" and data == "fashion_mnist"
        entries = [
            f"{_link(row['what'])} {form.format(float(row[column]))}"
            + (" with labels" if note_labels and row["class_agreement"] not in ("", "nan") else "")
            for row in rows
        ]
        others = [text for text, row in zip(entries, rows) if row["what"] == "dcgan"]
        before = float(rows[0][f"{column}_before"]) if f"{column}_before" in rows[0] else math.nan
        if math.isfinite(before):
            worse = better(float(rows[0][column]), before) == before
            others.append(f"baseline {form.format(before)}{', which is better' * worse}")
        others = [text for text in others if text not in entries[:most]]
        cells = [wish, data, MEASURES[column], ", ".join(entries[:most]), ", ".join(others)]
        lines.append(f"| {' | '.join(cells)} |")
    wishes = {"improved_gan": "classes, from few labels", "infogan": "classes, without labels"}
    for row in results("labels"):
        what, categories = row["what"], json.loads(row["arguments"]).get("categories")
        of = f" of {categories[0]} categories, each named by labels" if categories else ""
        labels = f"mnist, {row['labels']} labels"
        error = f"{_link(what)} {float(row['error']):.1%}{of}"
        lines.append(f"| {wishes[what]} | {labels} | error | {error} | |")
    return "\n".join(lines) + "\n"


def _link(what):
    return f"[`{what}`](models/{what}.md)" if what in zoo.own_models() else "a plain Keras loop"


def lesson(experiment, index, columns, steps, variant="", always=()):
    """A table of `benchmarks/tools/lessons.py`.

    Args:
        experiment: name of the lesson.
        index: `{heading: key}` that identify a line.
        columns: `{heading: (quantity, form)}`; a cell joins several values of a line.
        steps: the steps to show; values without a step are always shown.
        variant: regular expression for the variants to show.
        always: quantities to show at any step.
    """
    wanted, lines = {"", *map(str, steps)}, {}
    rows = [row for row in results("lessons") if row["experiment"] == experiment]
    for row in rows:
        shown = row["step"] in wanted or row["quantity"] in always
        if shown and re.search(variant, row["variant"]):
            cells = lines.setdefault(tuple(row[key] for key in index.values()), {})
            cells.setdefault(row["quantity"], []).append(float(row["value"]))
    text = [f"| {' | '.join([*index, *columns])} |", "|" + "---|" * (len(index) + len(columns))]
    for line, cells in lines.items():
        values = [", ".join(map(form.format, cells.get(k, []))) for k, form in columns.values()]
        text.append(f"| {' | '.join([*line, *values])} |")
    return "\n".join(text) + "\n"


def lessons():
    """The machine of `benchmarks/tools/lessons.py`."""
    return f"On {_made(results('lessons'))}.\n"


LESSONS = {
    "game": (
        "game",
        {"": "variant", "step": "step"},
        {
            "mean of the fakes": ("mean", "{:.2f}"),
            "their deviation": ("deviation", "{:.2f}"),
            "discriminator's loss": ("d_loss", "{:.3f}"),
            "generator's loss": ("g_loss", "{:.3f}"),
        },
        (100, 300, 600, 1000, 2000),
    ),
    "optimum": (
        "optimum",
        {"discriminator": "variant", "step": "step"},
        {
            "its loss": ("d_loss", "{:.4f}"),
            "largest error between −0.6 and 0.6": ("error", "{:.3f}"),
        },
        (2, 10, 2000),
    ),
    "stalling": (
        "saturation",
        {"the generator's loss, optimizer": "variant"},
        {
            "mean of the fakes after 100, 500, 1,000 and 2,000 steps": ("mean", "{:.2f}"),
            "their deviation": ("deviation", "{:.2f}"),
        },
        (100, 500, 1000, 2000),
        ", ",
    ),
    "collapse": (
        "collapse",
        {"game": "variant"},
        {
            "modes": ("modes", "{:.0f}"),
            "share of samples on a mode": ("high_quality", "{:.1%}"),
            "`mode_collapse` reported at step": ("mode_collapse", "{:.0f}"),
        },
        (4000,),
        "",
        ("mode_collapse",),
    ),
    "critics": (
        "critics",
        {"critic": "variant"},
        {
            "median slope": ("slope", "{:#.3g}"),
            "5 %": ("low", "{:.3g}"),
            "95 %": ("high", "{:.3g}"),
            "mean on data minus mean on fakes": ("gap", "{:#.3g}"),
            "lower between two modes, by": ("dip", "{:.0%}"),
        },
        (2000,),
    ),
    "judging": (
        "judging",
        {"epoch": "step"},
        {
            "discriminator's loss": ("d_loss", "{:.2f}"),
            "generator's loss": ("g_loss", "{:.2f}"),
            "Fréchet distance": ("frechet", "{:.0f}"),
            "floor": ("floor", "{:.1f}"),
        },
        (5, 10, 20, 40, 60),
    ),
}
"""Tables of docs/how-gans-work.md: the arguments of `lesson`."""


def choice():
    """The table by which `ganzoo train IMAGES --minutes N` chooses."""
    from ganzoo.runs import recipes  # loads a framework, which the other tables do not need

    lines, topics = ["| what | for | is | because |", "|---|---|---|---|"], set()
    for row in recipes.TABLE:
        topic = "" if row.topic in topics else row.topic
        topics.add(row.topic)
        lines.append(f"| {topic} | {row.when or 'all others'} | {row.choice} | {row.reason} |")
    return "\n".join(lines) + "\n"


def said(name):
    """What the doctor said of a training that went wrong in this way, and the command of it."""
    row = next(row for row in results("symptoms") if row["name"] == name)
    text = f"Doctor, epoch {row['epoch']}, step {row['step']}: {name}. {row['seen']}"
    lines = textwrap.wrap(f"{text} Try this: {row['advice']}", 86, break_on_hyphens=False)
    return "\n".join(["```text", *lines, "```", "", f"That was `{row['command']}`."]) + "\n"


def teach():
    """The table of `benchmarks/tools/teaching.py`."""
    rows = results("teach")
    lines = ["| command | processor seconds |", "|---|---|"]
    lines += [f"| {row['command']} | {float(row['cpu_seconds']):.0f} |" for row in rows]
    return "\n".join(lines) + (
        f"\n\nOn {_made(rows)}.\nMade by `python benchmarks/tools/teaching.py`.\n"
    )


def licences():
    """The licences of the data that the trained weights come from."""
    groups: dict = {}
    for name, row in catalogue.rows().items():
        groups.setdefault((row.data["licence"], row.data["name"]), []).append(f"`{name}`")
    lines = ["| licence of the data | data | weights |", "|---|---|---|"]
    lines += [
        f"| {' | '.join([*key, ', '.join(names)])} |" for key, names in sorted(groups.items())
    ]
    return "\n".join(lines) + "\n"


FINDINGS = (
    "mode_collapse low_recall few_updates discriminator_wins discriminator_blind "
    "discriminator_saturates vanishing_generator_gradient divergence"
).split()
"""Of the doctor, in the order of its page."""


TABLES = {
    "benchmarks": benchmarks,
    "licences": licences,
    "teach": teach,
    **{name: functools.partial(said, name) for name in FINDINGS},
    "choice": choice,
    "choosing": choosing,
    "models": models,
    "weights": weights,
    "time_to_quality": time_to_quality,
    "scaling": scaling,
    "parallel": parallel,
    "data": data,
    "forecasts": forecasts,
    "switches": switches,
    "kernels": kernels,
    "faults": faults,
    "fuzz": fuzz,
    "soak": soak,
    "quality": quality,
    "best": best,
    "speed": speed,
    "training": training,
    "sampling": sampling,
    "startup": startup,
    "step_profile": step_profile,
    "lessons": lessons,
    **{name: functools.partial(lesson, *arguments) for name, arguments in LESSONS.items()},
}


def filled(text):
    """A page's text with its tables up to date."""
    return MARK.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}", text)


def main():
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), "utf-8")


if __name__ == "__main__":
    main()
