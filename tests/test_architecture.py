"""The house's rules, enforced: layers, frameworks, the catalogue, what an import costs."""

import ast
import importlib
import inspect
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

import ganzoo
from ganzoo import zoo
from ganzoo.game import registry

PACKAGE = pathlib.Path(ganzoo.__file__).parent
# From the bottom up; a module imports only what stands in lines before its own, or its own
# package. The package's front (`ganzoo` itself) is the roof: nobody inside imports it.
LAYERS = [
    ["version", "types", "validation"],
    ["backend"],
    ["files"],
    ["images", "sounds"],
    ["modalities"],
    ["datasets"],
    ["losses", "penalties", "augmentations"],
    ["layers"],
    ["networks"],
    ["extractors"],
    ["metrics"],
    ["game"],
    ["families"],
    ["models"],
    ["zoo"],
    ["latent", "export"],
    ["web"],
    ["evaluation"],
    ["callbacks", "doctor"],
    ["runs"],
    ["explore"],
    ["cli"],
    ["__main__"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FRAMEWORKS = {"tensorflow", "jax", "torch"}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def part_of(path):
    """`backend` for ganzoo/backend/sources.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """`(module, is at the top level)` for every import in a file, as absolute names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.name, id(node) in top) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from ((f"{node.module}.{a.name}", id(node) in top) for a in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_fall_downward(path):
    own = part_of(path)
    for module, at_top in imports(path):
        if module.split(".")[0] != "ganzoo":
            continue
        assert module != "ganzoo", f"{path} imports the front door"
        other = module.split(".")[1]
        assert other in RANK, f"{other} stands in no layer"
        if own == "models":
            home = path.relative_to(PACKAGE / "models").parts[0].removesuffix(".py")
            inside = module.startswith(f"ganzoo.models.{home}.")
            assert other != "models" or home == "__init__" or inside, "models import each other"
        # An import inside a function waits until it is needed; it must still fall downward,
        # but for `zoo` finding the catalogue's loader and `cli` anything.
        assert RANK[other] < RANK[own] or other == own, f"{path}: {module} (top: {at_top})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_backend_imports_a_framework(path):
    for module, at_top in imports(path):
        framework = module.split(".")[0]
        if framework not in FRAMEWORKS or part_of(path) == "backend":
            continue
        assert part_of(path) == "datasets" and not at_top, f"{path} imports {module}"


def test_the_models_folder_is_the_catalogue():
    from ganzoo import models

    files = sorted(p.stem for p in (PACKAGE / "models").glob("[a-z]*"))
    lines = (PACKAGE / "models" / "__init__.py").read_text().splitlines()
    imported = [line.split()[1].split(".")[-1] for line in lines if line.startswith("from ")]
    own = {n for n, c in registry.registered().items() if c.__module__.startswith("ganzoo.models")}
    assert imported == files == sorted(own) == zoo.own_models()
    assert all(hasattr(models, name) for name in files)


def test_no_model_writes_a_step():
    for path in (PACKAGE / "models").rglob("*.py"):
        names = {n.name for n in ast.walk(ast.parse(path.read_text())) if hasattr(n, "name")}
        assert not names & {"train_step", "test_step", "play", "fit", "compile"}, path


def test_every_public_name_exists_and_every_module_has_a_docstring():
    for name in ganzoo.__all__:
        assert getattr(ganzoo, name) is not None
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text())), path
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ganzoo.nothing  # noqa: B018


@pytest.mark.parametrize("name", sorted(ganzoo._MOVED))
def test_modules_are_still_imported_by_their_former_names(name):
    former = importlib.import_module(name)
    assert former is importlib.import_module(ganzoo._MOVED[name])
    assert former.__spec__.name == former.__name__ == ganzoo._MOVED[name]


def run(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **env},
    ).stdout


def test_importing_ganzoo_imports_no_other_package():
    code = (
        "import sys; before = set(sys.modules); import ganzoo;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*new - sys.stdlib_module_names)"
    )
    assert run(code).split() == ["ganzoo"]


def test_on_jax_ganzoo_imports_no_tensorflow():
    """Keras itself imports TensorFlow where it is installed, once it serializes a layer."""
    pytest.importorskip("jax")
    code = (
        "import sys, ganzoo; [getattr(ganzoo, name) for name in ganzoo.__all__];"
        "ganzoo.get('dcgan'); print('tensorflow' in sys.modules)"
    )
    assert run(code, KERAS_BACKEND="jax").split()[-1] == "False"


WITHOUT_A_NETWORK = """
import importlib, pkgutil, sys
import ganzoo
for module in pkgutil.walk_packages(ganzoo.__path__, "ganzoo."):
    if module.name not in ("ganzoo.__main__", "ganzoo.backend.jax", "ganzoo.backend.torch"):
        importlib.import_module(module.name)
ganzoo.get("dcgan", weights="fashion_mnist").generate(2, seed=0)
small = ganzoo.get("vanilla", generator_units=(8,), discriminator_units=(6,), pieces=2)
small.fit(ganzoo.datasets.load("digits"), epochs=1, verbose=0)
print(len([name for name in sys.modules if name.startswith("ganzoo.")]))
import urllib.request
try:
    urllib.request.urlopen("http://192.0.2.1", timeout=1)  # nobody's address
except OSError as error:
    print("out of reach" in str(error))
"""


def test_no_telemetry_and_no_network(tmp_path):
    """Importing all of it, training and sampling reach no other machine; nor does the page, whose
    tests run it in the same way."""
    log = tmp_path / "connections"
    command = [sys.executable, "-m", "tests.offline", log, "-c", WITHOUT_A_NETWORK]
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent, env=env
    )
    modules, refused = found.stdout.split()
    assert int(modules) > len(FILES) - 5 and refused == "True"
    assert log.read_text() == "192.0.2.1\n"  # the last line's, and none before it


def is_abstract(method):
    """Whether it does nothing, returns something empty, or raises an error."""
    body = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0].body
    body = [s for s in body if not isinstance(s, ast.Delete)]
    body = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if len(body) > 1:
        return False
    return not body or isinstance(body[0], ast.Raise) or ast.unparse(body[0]) in EMPTY


EMPTY = ("return {}", "return ()", "return None")


def ancestry(name):
    """The class of a model and those of ganzoo's that it derives from, down to `ganzoo.Game`."""
    importlib.import_module(f"ganzoo.models.{name}")
    cls = registry.registered()[name]
    return [c for c in cls.__mro__ if issubclass(c, ganzoo.Game)]


def overridden():
    """`Base.method <- Class` for each concrete method of ganzoo's that a model replaces."""
    for name in zoo.own_models():
        classes = ancestry(name)
        for i, cls in enumerate(classes):
            for method in vars(cls):
                above = next((c for c in classes[i + 1 :] if method in vars(c)), None)
                what = above and vars(above)[method]
                what = what.fget if isinstance(what, property) else what
                if inspect.isfunction(what) and method != "__init__" and not is_abstract(what):
                    yield f"{above.__name__}.{method} <- {cls.__name__}"


def test_few_concrete_methods_are_overridden():
    """The limit falls, and never rises: what models need, they plug into abstract methods."""
    assert len(set(overridden())) <= 15, sorted(set(overridden()))


def test_dcgan_has_few_ancestors():
    assert len(ancestry("dcgan")) - 1 <= 2
