"""What the page tells about a model: a line for the switcher, and its card."""

import contextlib
import functools
import importlib.metadata
import re
from typing import Any

from ganzoo import zoo
from ganzoo.evaluation.score_sheet import ScoreSheet
from ganzoo.explore.models import Entry
from ganzoo.families.autoencoding import Autoencoding
from ganzoo.families.gan import GAN
from ganzoo.families.translation import Translator
from ganzoo.families.upscaling import Upscaler
from ganzoo.files import texts
from ganzoo.files.run_folder import RunFolder
from ganzoo.zoo import catalogue

KINDS = {Translator: "translator", Upscaler: "upscaler", Autoencoding: "autoencoder", GAN: "GAN"}
"""What the models of a family are called."""


@functools.cache
def about(model: str) -> dict[str, Any]:
    """The name, kind, year and description of a model of the registry.

    >>> about("r3gan")["name"], about("r3gan")["kind"], about("r3gan")["year"]
    ('R3GAN', 'GAN', '2024')
    """
    facts = zoo.describe(model)
    name, colon, summary = facts["summary"].rstrip(".").partition(": ")
    if " " in name and facts["class"].isupper():  # VAE rather than Variational autoencoder
        name = facts["class"]
    text = facts["doc"]
    references = text.partition("References:")[2]
    cls = zoo.model_class(model)
    return {
        "name": name if colon else model,
        "summary": summary if colon else name,
        "year": str(facts["year"] or ""),
        "kind": next((kind for family, kind in KINDS.items() if issubclass(cls, family)), ""),
        "references": _paragraphs(references),
        "description": _paragraphs(text.partition("Args:")[0]),
    }


def _paragraphs(text):
    """Paragraphs, and items of lists, each as one line without marks of Markdown."""
    text = re.sub(r"(?<!\w)\*(\S[^*]*)\*(?!\w)", r"\1", text)
    parts = re.split(r"\n\s*\n|\n\s*\* |^\s*\* ", text)
    return [" ".join(part.split()).replace("`", "") for part in parts if part.strip()]


def line(title: str, entry: Entry) -> dict[str, Any]:
    """What the switcher shows of a model."""
    facts = about(entry.model) if entry.model else {}
    row = catalogue.rows().get(title)
    data = title.partition(".")[2].replace("_", " ") if row else title
    return {
        "title": title,
        "name": facts.get("name", title),
        "data": data,
        "shipped": row is not None,
        "size": row.config.get("image_shape", []) if row else [],
        "makes": not entry.model or hasattr(zoo.model_class(entry.model), "generate"),
        **{key: facts.get(key, "") for key in ("kind", "year", "summary")},
    }


def card(title: str, entry: Entry) -> dict[str, Any]:
    """All that the page tells about a model, as JSON can hold it.

    Of weights of the catalogue: their scores, data, licence and training. Of a run or a published
    folder: its scores, if it has any.
    """
    facts = dict(line(title, entry), code=entry.code, model=entry.model)
    if entry.model:
        more = about(entry.model)
        facts |= {key: more[key] for key in ("references", "description")}
        facts["docs"] = {"page": f"docs/models/{entry.model}.md", "address": _site(entry.model)}
    row = catalogue.rows().get(title)
    if row is None:
        return facts | {"scores": _scores_of(texts.local(title))}
    spent = catalogue.time_of(row.cpu_minutes, row.gpu_minutes)
    passport = row.passport
    return facts | {
        "scores": _scores(row.scores),
        "remarks": row.remarks,
        "measured": f"{passport['samples']:,} samples by {passport['extractor']}. Floor: "
        f"{passport['floor']}."
        if passport
        else "",
        "facts": {
            "Data": row.data["name"],
            "Licence of the data": row.data["licence"],
            "Images": row.preprocessing,
            "Classes": ", ".join(row.data.get("class_names", [])),
            "Training": f"{row.epochs} epochs, {spent}, {row.device}, seed {row.seed}",
            "Size": f"{row.size / 1e6:.1f} MB",
        },
        "command": row.command,
    }


def _site(model):
    """The address of a model's page, if the package declares one of its documentation."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for url in importlib.metadata.metadata("ganzoo").get_all("Project-URL") or []:
            name, _, address = url.partition(", ")
            if name.lower() == "documentation":
                return f"{address.rstrip('/')}/models/{model}.html"
    return ""


def _scores(scores):
    """Scores by name, each with `value`, `error`, `floor` and `better`, as rows of text."""
    return [
        {
            "name": name.partition("[")[0].replace("_", " "),
            "by": name.partition("[")[2].rstrip("]"),
            "better": score["better"] or "",
            **{key: _number(score[key]) for key in ("value", "error", "floor")},
        }
        for name, score in scores.items()
    ]


def _number(value):
    return "" if value is None else catalogue.number(value)


def _scores_of(word):
    """The scores in a run folder or a published one; empty if there are none."""
    try:
        return _scores(ScoreSheet.load(RunFolder(word).scores).to_dict()["scores"])
    except (OSError, ValueError):
        return []
