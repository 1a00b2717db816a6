"""What is shipped, and what it stands on: the wheel, the dependencies and their known holes."""

import ast
import configparser
import datetime
import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest
from packaging import requirements
from packaging import utils
from packaging import version

import ganzoo

HOME = pathlib.Path(__file__).parents[1]
AUDIT = json.loads((HOME / "tests" / "advisories.json").read_text(encoding="utf-8"))


def declared(*extras):
    """Requirements in setup.cfg: those of all users, and of these extras."""
    config = configparser.ConfigParser()
    config.read(HOME / "setup.cfg", encoding="utf-8")
    texts = [config["options"]["install_requires"]]
    texts += [config["options.extras_require"][extra] for extra in extras]
    found = [requirements.Requirement(x) for text in texts for x in text.split("\n") if x.strip()]
    return {utils.canonicalize_name(x.name): x for x in found}


EXTRAS = ("explore", "export", "jax", "sound", "tensorboard", "video")


def test_what_is_imported_is_declared_and_the_reverse():
    found = set()
    for path in (HOME / "ganzoo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            found.update(name.partition(".")[0] for name in names)
    others = found - set(sys.stdlib_module_names) - {"ganzoo"}
    known = importlib.metadata.packages_distributions()
    packages = {utils.canonicalize_name(known.get(x, [x])[0]) for x in others}
    # PyTorch is brought by whoever wants it.
    assert packages - set(declared(*EXTRAS)) == {"torch"}
    # TensorFlow Datasets imports it and declares it for old Pythons only.
    assert set(declared()) - packages == {"importlib-resources"}


def test_every_bound_has_a_reason():
    text = (HOME / "setup.cfg").read_text(encoding="utf-8")
    lines = text.partition("install_requires =")[2].partition("[options.packages")[0].splitlines()
    bounds = [i for i, line in enumerate(lines) if ">=" in line]
    assert len(bounds) > 5
    assert [lines[i] for i in bounds if not lines[i - 1].strip().startswith("#")] == []


@pytest.mark.parametrize("row", AUDIT["advisories"], ids=lambda row: row["ids"][0])
def test_no_version_with_a_known_hole_is_allowed(row):
    """As far as was known on the day in the file; see there for the sources. Anew, with a network:
    `pip-audit`."""
    assert datetime.date.fromisoformat(AUDIT["date"]) <= datetime.date.today()
    fixed = version.Version(row["fixed"])
    (bound,) = declared("explore")[row["package"]].specifier
    assert bound.operator == ">=" and version.Version(bound.version) >= fixed
    assert version.Version(importlib.metadata.version(row["package"])) >= fixed


def test_the_wheel_is_the_same_each_time_and_holds_the_package_only(tmp_path):
    wheels = []
    for name, day in (("a", 1_000_000_000), ("b", 1_500_000_000)):
        copy = tmp_path / name
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HOME / "ganzoo", copy / "ganzoo", ignore=skip)
        for file in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(HOME / file, copy)
        for folder in ("tests", "benchmarks", "runs"):  # that are not to be found
            (copy / folder).mkdir()
            (copy / folder / "__init__.py").touch()
        for path in copy.rglob("*"):
            os.utime(path, (day, day))
        build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
        env = {**os.environ, "SOURCE_DATE_EPOCH": "1600000000"}
        subprocess.run(
            [sys.executable, "-c", build], cwd=copy, env=env, check=True, capture_output=True
        )
        (wheel,) = (copy / "dist").glob("*.whl")
        wheels.append(wheel)
    assert wheels[0].name == wheels[1].name
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as archive:
        names = archive.namelist()
    about = f"ganzoo-{ganzoo.__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"ganzoo", about}
    source = (p for p in (HOME / "ganzoo").rglob("*") if p.is_file() and p.suffix != ".pyc")
    assert {n for n in names if n.startswith("ganzoo/")} == {
        p.relative_to(HOME).as_posix() for p in source
    }
