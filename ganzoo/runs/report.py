"""The report of a run: one page of HTML with everything in it, for any browser and no network."""

import ast
import base64
import contextlib
import io
import json
import pathlib
import shlex

import jinja2
from matplotlib.figure import Figure
from PIL import Image

from ganzoo import callbacks
from ganzoo import evaluation
from ganzoo import types
from ganzoo.files import atomic
from ganzoo.files import texts
from ganzoo.files.run_folder import RUNS
from ganzoo.files.run_folder import RunFolder
from ganzoo.zoo import catalogue

TEMPLATE = pathlib.Path(__file__).with_suffix(".html")
GRIDS = 8
"""Grids that show how a training went on."""
MOST = 20_000_000
"""Bytes of a picture, or an animation, that still goes into the page."""
LARGE, SIDE = 500_000, 1024
"""Bytes from which on a still picture is made smaller, and its height and width then at most."""
READING = {
    "Losses": "Each depends on the other player: they need not fall.",
    "The discriminator's mean output": "Of real pictures (d_real) and of samples (d_fake): alike, "
    "it cannot tell them apart; the further apart, the surer it is.",
    "Its share of right answers": "Half of them is guessing; near 1 it is right about almost all.",
    "Fréchet distance": "From samples to real pictures: lower is better.",
    "Shares": "Precision and density: how many samples look real. Recall and coverage: how much of "
    "the data the samples reach. Class agreement: samples of the class asked for. Higher is "
    "better.",
    "Diversity": "How much samples differ from one another: best near the floor, that of the data.",
}
"""How to read the curves of a title."""
ASIDE = ("epoch", "step", "seconds", "cpu_seconds")


def write(run: types.Path) -> pathlib.Path:
    """Write `report.html` into a run folder, from what is there, in place of an older one.

    It has the settings and the command, the time, curves of all that was logged, grids over time
    and the animation, the doctor's notes, and where there are any the scores with their passport
    and the samples beside the nearest training pictures.

    Args:
        run: a folder of `ganzoo train`.

    Returns:
        The path.

    Raises:
        ValueError: it is no run folder.
        OSError: it cannot be written.

    Example:

    >>> import tempfile
    >>> from ganzoo import runs
    >>> folder = tempfile.mkdtemp()
    >>> quiet = {"say": lambda line: None, "verbose": 0, "score_every": 0}
    >>> model = runs.train("vanilla", out=folder, epochs=1, **quiet)
    >>> write(folder).name
    'report.html'
    """
    folder = RunFolder(run)
    try:
        config = folder.read_config()
        settings, asked = dict(config["settings"]), config["epochs"]
        device, versions = config["device"]["name"], dict(config["versions"])
        made_by = command(settings, asked, folder.path, imports=config.get("imports", ()))
    except Exception:  # a file may be wrong in any way
        raise ValueError(f"{str(folder)!r} is no run folder of `ganzoo train`.") from None
    try:
        page = _page(folder, settings, asked, device, versions, made_by)
    except Exception as error:
        raise ValueError(
            f"The records in {str(folder)!r} are damaged, or of an older version of ganzoo "
            f"({type(error).__name__}: {error})."
        ) from error
    atomic.write_atomically(folder.report, page)
    return folder.report


def _page(run, settings, asked, device, versions, made_by):
    """The page as text."""
    log, grids = lines(run.metrics), run.samples.by_epoch()
    floors = floors_of(run)
    done = max((row.get("epoch", 0) for row in log), default=0)
    for key in ("data", "to", "weights"):  # where they are on this machine is nobody's business
        if settings.get(key) is not None:
            settings[key] = _without_folders(settings[key])
    return jinja2.Template(TEMPLATE.read_text(encoding="utf-8"), autoescape=True).render(
        model=settings["model"],
        domains=" and ".join(settings[k] for k in ("data", "to") if k in settings),
        settings=settings,
        asked=asked,
        command=made_by,
        device=device,
        versions=versions,
        done=done,
        finished=done >= asked,
        steps=max((row.get("step", 0) for row in log), default=0),
        minutes=sum(row.get("seconds", 0) for row in log) / 60,
        cpu_minutes=sum(row.get("cpu_seconds", 0) for row in log) / 60,
        curves=[(t, READING.get(t, ""), svg(figure)) for t, figure in curves(log, floors)],
        floors=floors,
        grids=[(epoch, embedded(grids[epoch])) for epoch in some(sorted(grids))],
        animation=embedded(run.animation),
        nearest=embedded(run.nearest),
        notes=lines(run.findings),
        sheets=sheets(run),
        number=catalogue.number,
    )


def lines(path):
    """The objects of a `.jsonl` file, without lines that a kill has cut short; [] without it."""
    found = []
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            found += [row] if isinstance(row, dict) else []
    return found


def some(epochs):
    """The first and the last of some epochs, and those between that are nearest to round numbers,
    closer together where most changes.

    >>> some(range(81))
    [0, 1, 2, 5, 10, 20, 50, 80]
    """
    if len(epochs) <= GRIDS:
        return list(epochs)
    first, last = epochs[0], epochs[-1]
    rounds = (n * 10**k for k in range(len(str(last))) for n in (1, 2, 5))
    between = [n for n in rounds if first < n < 0.75 * last][-(GRIDS - 2) :]
    return sorted({first, last, *(min(epochs, key=lambda e: abs(e - n)) for n in between)})


def floors_of(run):
    """`{score: floor}` of the scores in a run's log, as far as they are known.

    Those of `best.keras`: by the same measure and of as many samples as the log's.
    """
    with contextlib.suppress(ValueError, FileNotFoundError):
        _, _, sheet = callbacks.read_best(run.checkpoints.best)
        return {k: score.floor for k, score in sheet.scores.items() if score.floor is not None}
    return {}


def _is_term(key):
    """Whether a log is a term of a loss, or another signal of a player."""
    if "[" in key or "accuracy" in key or key.endswith("loss"):
        return False
    return key not in (*OUTPUTS, RATE)


OUTPUTS, RATE = ("d_real", "d_fake"), "learning_rate"
SHARES = ("precision", "recall", "density", "coverage", "class_agreement")
CURVES = {
    "Losses": lambda key: key.endswith("loss"),
    "The discriminator's mean output": lambda key: key in OUTPUTS,
    "Its share of right answers": lambda key: "accuracy" in key,
    "Other terms of the losses": _is_term,
    "Fréchet distance": lambda key: "[" in key and key.startswith("frechet"),
    "Shares": lambda key: "[" in key and key.startswith(SHARES),
    "Diversity": lambda key: "[" in key and key.startswith("diversity"),
    "Learning rate": lambda key: key == RATE,
}
"""Which logs are drawn together, by the title. A score has its extractor's name in brackets."""


def curves(log, floors=()):
    """`(title, matplotlib figure)` of everything that a log has.

    Args:
        log: rows of `metrics.jsonl`, one for each epoch.
        floors: `{score: floor}`, drawn as dotted lines.
    """
    keys = [k for k in dict.fromkeys(k for row in log for k in row) if k not in ASIDE]
    parts = [(title, [k for k in keys if belongs(k)]) for title, belongs in CURVES.items()]
    shown = {k for _, together in parts for k in together}
    # Others have scales of their own.
    parts += [(k.partition("[")[0], [k]) for k in keys if k not in shown]
    figures = []
    for title, together in parts:
        if together:
            figure = Figure(figsize=(5, 3), layout="constrained")
            curve(figure.subplots(), log, together, floors)
            figures.append((title, figure))
    return figures


def curve(axis, log, keys, floors=()):
    """Draw what some logs were in each epoch, and dotted the floors of those that have one."""
    short = [key.partition("[")[0] for key in keys]
    for key, name in zip(keys, short):
        known = [(row["epoch"], row[key]) for row in log if row.get(key) is not None]
        label = name if short.count(name) == 1 else key
        dots = "." if len(known) < 20 else None
        (line,) = axis.plot(*zip(*known), label=label.replace("$", r"\$"), marker=dots)
        if key in floors:
            axis.axhline(floors[key], color=line.get_color(), linestyle=":")
    axis.set(xlabel="epoch")
    if all("[" in key for key in keys):  # of scores it matters how far they are from zero
        axis.set_ylim(bottom=0)
    axis.legend(fontsize="small")


def svg(figure):
    """A matplotlib figure as text that stands in a page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()[file.getvalue().index("<svg") :]


def embedded(path):
    """A picture file as an address that holds it whole; None if it is not there, or too large."""
    if not path.exists() or path.stat().st_size > MOST:
        return None
    kind, content = path.suffix.removeprefix("."), path.read_bytes()
    if kind == "png" and len(content) > LARGE:
        file = io.BytesIO()
        with Image.open(path) as picture:
            smaller = picture.convert("RGB")
            smaller.thumbnail((SIDE, SIDE))
            smaller.save(file, "webp", quality=80)
        kind, content = "webp", file.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def sheets(run):
    """`{title: score sheet as a dict}`, of `ganzoo evaluate` and of the best model so far."""
    found, missing = {}, (ValueError, FileNotFoundError)  # what is damaged is not shown either
    for title, path in (("The last model", run.scores), ("The best model", run.best_scores)):
        with contextlib.suppress(*missing):
            found[title] = evaluation.ScoreSheet.load(path)
    with contextlib.suppress(*missing):
        epoch, score, found_best = callbacks.read_best(run.checkpoints.best)
        found[f"The best by {score}: epoch {epoch}"] = found_best
    return {title: sheet.to_dict() for title, sheet in found.items()}


def _literal(value):
    """As `--set` reads it: words need no quotes, unless they look like something else."""
    if isinstance(value, str):
        try:
            ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    return repr(value)


def _without_folders(name):
    """The last part of a path; names, and addresses of the net, as they are."""
    return name if "://" in name else pathlib.Path(name).name


def command(settings, epochs, run=None, imports=()):
    """The command that makes a run, but for where its data are; and, of the folder `run`, its name,
    where that is not the usual one. `imports`: what makes its model known."""
    words = ["ganzoo", "train", settings["model"]]
    for key in ("weights", "data", "to"):
        if settings.get(key) is not None:
            words += [f"--{key}", _without_folders(settings[key])]
    words += ["--epochs", epochs, "--batch-size", settings["batch_size"]]
    size = settings["image_size"]
    if size is not None:
        words += ["--image-size", "x".join(map(str, size)) if isinstance(size, list) else size]
    words += ["--seed", settings["seed"]]
    for key, value in settings["arguments"].items():
        words += ["--set", f"{key}={_literal(value)}"]
    if settings["on_error"] == "skip":
        words.append("--skip-damaged")
    if settings.get("value_range") is not None:
        words += ["--value-range", ",".join(f"{x:g}" for x in settings["value_range"])]
    for word in imports:
        words += ["--import", _without_folders(word)]
    if run is not None:
        place, usual = run.resolve(), RunFolder.usual(settings["model"], settings["data"])
        name = texts.kept(place.name)
        if name != usual.path.name:
            words += ["--out", f"{RUNS}/{name}" if place.parent.name == RUNS else name]
    return shlex.join(map(str, words))
