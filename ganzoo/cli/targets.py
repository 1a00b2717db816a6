"""The model, run or weights that a word on the command line names."""

import pathlib

from ganzoo import validation
from ganzoo import zoo
from ganzoo.cli.options import must_be_a_model
from ganzoo.cli.startup import load_framework
from ganzoo.files import texts


def trained(model, weights):
    """The registry name and the weights that MODEL and `--weights` mean."""
    from ganzoo.zoo import catalogue
    from ganzoo.zoo import owners
    from ganzoo.zoo import weights as sources

    if weights is None and model in catalogue.rows():
        model, _, weights = model.partition(".")
    source = weights or model
    if weights:
        must_be_a_model(model)
    path = sources.find(source, model if weights else None)
    if weights is None and path is None:
        raise _no_weights(model)
    saved_as = sources.read(path)[0] if path else None
    load_framework()
    return (model if weights else owners.name_of(saved_as, path)), source


def _no_weights(model):
    """The error about a word that names no trained weights."""
    from ganzoo.zoo import catalogue

    name, _, tag = model.partition(".")
    if name in zoo.own_models() and tag not in ("", "keras", "safetensors"):
        return validation.unknown("weights", model, catalogue.rows())
    if model not in zoo.list_models():
        return validation.unknown("run folder, file or model", model, zoo.list_models())
    tags = [n for n in catalogue.rows() if n.startswith(f"{model}.")]
    return ValueError(
        f"{model!r} is a model without weights: name some with --weights, "
        f"{'or ' + ', '.join(tags) + ', ' if tags else ''}or give a run folder."
    )


def word_for(model, source):
    """The one word for weights: their name in the catalogue, or where they are."""
    from ganzoo.zoo import catalogue

    word = f"{model}.{source}"
    return word if word in catalogue.rows() else source


def parse_classes(labels, model, source, say):
    """Class numbers from the names or numbers of `--labels`; `say` reports which class is meant
    where a number is the name of another one."""
    from ganzoo.zoo import catalogue

    names = catalogue.trained_on(word_for(model, source)).get("class_names")
    names = [str(name) for name in names or []]
    return [_number_of(part, names, labels, say) for part in _parts(texts.kept(labels), names)]


def _number_of(part, names, labels, say):
    """The class number that one part of `--labels` means."""
    number = _index_of(part, names)
    if number is not None:
        if part.isdecimal() and int(part) != number:
            say(f"Class {names[number]} is number {number} of 0..{len(names) - 1}.")
        return number
    if not part.isdecimal():
        if names:
            raise validation.unknown("class", part, names)
        raise ValueError(f"--labels takes whole numbers: 7, or 0,1,2. Received: {labels!r}.")
    number = int(part)
    if any(map(str.isdecimal, names)) and number < len(names):
        say(f"No class is called {part}; using number {number}, {names[number]}.")
    return number


def _parts(labels, names):
    """The parts of `--labels` between commas; commas inside a class name do not split it."""
    words, classes = labels.split(","), {name.strip().casefold() for name in names}
    while words:
        joined = (",".join(words[:n]).strip() for n in range(len(words), 0, -1))
        part = next((x for x in joined if x.casefold() in classes), words[0].strip())
        yield part
        words = words[part.count(",") + 1 :]


def _index_of(part, names):
    """The number of the class called `part`, or None.

    An exact match comes first, then the only match without regard to case, or as a number: 2 for
    "02".
    """
    kinds = [str, str.casefold]
    if part.isdecimal():
        kinds.append(lambda name: int(name) if name.isdecimal() else None)
    for kind in kinds:
        matches = [i for i, name in enumerate(names) if kind(name.strip()) == kind(part)]
        if len(matches) > 1:
            alike = ", ".join(repr(names[i]) for i in matches)
            raise ValueError(f"{part!r} matches {alike}: write it as one of them.")
        if matches:
            return matches[0]
    return None


def target(form, out, usual="grid", name="samples"):
    """The form and the path of images, each derived from the other; `usual` if both are None.

    `"png"` is the form of one file each, whatever the files are.
    """
    form = "png" if form == "wav" else form
    if out is None:
        form = form or usual
        return form, pathlib.Path({"grid": f"{name}.png", "png": name, "npz": f"{name}.npz"}[form])
    folder, out = str(out).endswith("/"), pathlib.Path(out)
    endings = {".npz": "npz", **dict.fromkeys([".png", ".jpg", ".jpeg", ".webp"], "grid")}
    valid = folder or out.is_dir() or not out.suffix or out.suffix.lower() in endings
    if form is None and not valid:
        raise ValueError(
            f"--out ends in {', '.join(endings)}, or is a folder. Received: {str(out)!r}. For a "
            f"folder of this name, type {str(out) + '/'!r}."
        )
    if form is None:
        form = "png" if folder or out.is_dir() else endings.get(out.suffix.lower(), "png")
    return form, out
