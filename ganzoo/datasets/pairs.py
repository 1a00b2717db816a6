"""Pairs of images from two domains: matched, and read side by side."""

import pathlib

from ganzoo import backend
from ganzoo.datasets.image_folder import ImageFolder
from ganzoo.datasets.source import Arrays


def together(a, b):
    """Two sources as the components of one, as long as the longer: the shorter starts again."""
    if isinstance(a, Arrays) and isinstance(b, Arrays):
        return Arrays(*a.arrays, *b.arrays)
    return backend.SideBySide(a, b)


def match(a, b, *, names, key=None):
    """Two sources whose images with the same index belong together.

    Args:
        a, b: sources; in folders and zips only the files with a partner are kept.
        names: names of both, for errors.
        key: see `ganzoo.datasets.load_pair`.
    """
    files = [isinstance(source, ImageFolder) for source in (a, b)]
    if all(files):
        keyed = [_keyed(source, name, key or _stem) for source, name in zip((a, b), names)]
        shared = sorted(keyed[0].keys() & keyed[1].keys())
        if not shared:
            examples = ["{!r} for {!r}".format(*next(iter(k.items()))) for k in keyed]
            raise ValueError(
                f"No file of {names[0]!r} has a partner in {names[1]!r}: the keys are, for "
                f"example, {examples[0]} and {examples[1]}. Pass `key`, a function from a file's "
                "name to what must be the same in both; or, if there are no pairs, `paired=False`."
            )
        for source, names_by_key in zip((a, b), keyed):
            source.keep([names_by_key[k] for k in shared])
    elif any(files):
        raise ValueError(
            f"Files are matched by name and arrays by index: {names[0]!r} and {names[1]!r} are one "
            "of each. Pass two folders or zips, two arrays, or `paired=False`."
        )
    elif key is not None:
        raise ValueError("`key` matches files; other sources are matched by index. Leave it out.")
    elif len(a) != len(b):
        raise ValueError(
            f"Without files, pairs are matched by index, and there are {len(a)} images and "
            f"{len(b)} targets. Leave out those without a partner, or pass `paired=False` and use "
            "'cyclegan', which needs no pairs."
        )
    return a, b


def _stem(name):
    return pathlib.PurePosixPath(name).stem


def _keyed(source, where, key):
    """`{key: file name}`."""
    names = {}
    for name in map(str, source.names):
        k = key(name)
        if k in names:
            raise ValueError(
                f"Two files of {where!r} have the same key {k!r}: {names[k]!r} and {name!r}. Pass "
                "`key`, a function from a file's name (with its folders) to what only its partner "
                "has too."
            )
        names[k] = name
    return names
