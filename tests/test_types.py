"""Annotations: the package agrees with them, and a user's checker knows what comes back."""

import ast
import importlib
import inspect
import os
import pathlib
import re
import subprocess
import sys

import ganzoo
from ganzoo import zoo

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "ganzoo"


def mypy(*arguments, folder):
    """What mypy prints, and its exit code."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", folder / "cache", *arguments]
    # Found as if it were installed, in whichever way it is.
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env)
    return run.stdout + run.stderr, run.returncode


def test_the_package_agrees_with_its_annotations(tmp_path):
    said, code = mypy("--config-file", ROOT / "pyproject.toml", PACKAGE, folder=tmp_path)
    assert code == 0, said


PROGRAM = '''
import ganzoo
from ganzoo import latent, models
from ganzoo.metrics import FrechetDistance
from ganzoo.models import DCGAN

model = DCGAN(channels=8, seed=0)
reveal_type(model)
history = model.fit(ganzoo.datasets.load("digits", batch_size=32), epochs=2)
images = model.generate(4, seed=0, truncation=0.7)
reveal_type(images)
for batch in model.generate_batches(10_000, labels=[0] * 10_000):
    reveal_type(batch)
reveal_type(models.VAE().reconstruct(images))
reveal_type(models.CycleGAN().translate(images, reverse=True))
reveal_type(models.ImprovedGAN(classes=10).classify(images))
for name in ganzoo.list_models("*gan", can="generate"):
    reveal_type(ganzoo.get(name))
    ganzoo.get(name).fit(images, epochs=1)
    ganzoo.get(name).generate(4)
sheet = ganzoo.evaluate(model, "digits", samples=300)
reveal_type(sheet)
reveal_type(sheet["frechet"].floor)
ganzoo.images.grid(images).save("grid.png")
reveal_type(latent.interpolate(model, steps=3).strip)
evaluator = ganzoo.evaluation.Evaluator("digits", metrics=["frechet", FrechetDistance()])
model.fit(
    images,
    callbacks=[ganzoo.callbacks.Evaluate(evaluator), ganzoo.doctor.Doctor(say=print)],
    validation_data=images,
)


@ganzoo.register
class Mine(DCGAN):
    """Of a user, who has annotated it."""

    def __init__(self, *, width: int = 3, **kwargs: object) -> None:
        super().__init__(channels=width)

    def build_players(self) -> tuple[ganzoo.Player, ...]:
        discriminator, generator = super().build_players()
        return discriminator, generator


reveal_type(Mine(width=4))
reveal_type(DCGAN(channels=8, image_shape=(8, 8, 1)).generate(1))
'''
ARRAY = "numpy.ndarray[tuple[Any, ...], numpy.dtype[Any]]"
REVEALED = [
    "ganzoo.models.dcgan.DCGAN",
    *[ARRAY] * 5,
    "ganzoo.game.game.Game",
    "ganzoo.evaluation.score_sheet.ScoreSheet",
    "float | None",
    "PIL.Image.Image",
    "program.Mine",
    ARRAY,
]
MISTAKES = """
import ganzoo

model = ganzoo.models.DCGAN()
ganzoo.get(3)  # arg-type
model.generate("4")  # arg-type
ganzoo.models.DCGAN(channels="many")  # arg-type
ganzoo.list_models(weigths=True)  # call-arg
ganzoo.nothing  # attr-defined
ganzoo.evaluate(model)  # call-arg
ganzoo.datasets.load("digits", on_error="ignore")  # arg-type
"""


def test_a_users_program_passes_and_its_mistakes_are_found(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    said, _ = mypy(
        *("--strict", "--follow-imports=silent", "program.py", "mistakes.py"), folder=tmp_path
    )
    assert re.findall(r'^program.py:\d+: note: Revealed type is "(.*)"$', said, re.M) == REVEALED
    found = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", said, re.M)
    expected = [
        ("mistakes.py", str(i), line.rpartition("# ")[2])
        for i, line in enumerate(MISTAKES.splitlines(), 1)
        if "# " in line
    ]
    assert found == expected, said


def test_checkers_know_every_public_name_and_every_model():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    told = next(node for node in tree.body if isinstance(node, ast.If))
    assert sorted(node.names[0].asname for node in told.body) == ganzoo.__all__
    for name in zoo.own_models():
        cls = zoo.model_class(name)
        assert getattr(ganzoo.models, cls.__name__) is cls


MORE = """game game.keras_methods game.registry game.saving zoo metrics runs runs.publishing
    modalities.images families.gan families.adversary families.autoencoding
    families.dcgan_networks families.sampling families.resnet_networks families.translation
    families.image_to_image families.upscaling families.trial
    models.improved_gan.semisupervised
    models.infogan.codes""".split()
"""Beside the modules of which the reference says all: what has the others' base classes."""


def test_what_users_may_call_is_annotated():
    """A strict checker forbids them to call what is not.

    What a class only overrides, such as what Keras calls, is known from where it was said first.
    """
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    named = re.findall(r"automodule:: ganzoo\.(\S+)", reference)
    classes, functions = [], []
    for name in [*named, *MORE]:
        module = importlib.import_module(f"ganzoo.{name}")
        for known, x in vars(module).items():
            own = f"{getattr(x, '__module__', '')}.".startswith(f"ganzoo.{name}.")
            if own and not known.startswith("_"):
                classes += [x] if inspect.isclass(x) else []
                functions += [x] if inspect.isfunction(x) else []
    for cls in classes:
        for name, x in vars(cls).items():
            new = not any(hasattr(base, name) for base in cls.__bases__)
            if name == "__init__" or (new and not name.startswith("_")):
                x = getattr(x, "fget", getattr(x, "__func__", x))
                functions += [inspect.unwrap(x)] if inspect.isfunction(x) else []
    assert len(functions) > 200
    missing = []
    for function in functions:
        signature = inspect.signature(function)
        parameters = [x for x in signature.parameters.values() if x.name not in ("self", "cls")]
        holes = [x.name for x in parameters if x.annotation is x.empty]
        holes += ["return"] if signature.return_annotation is signature.empty else []
        if holes:
            missing.append(f"{function.__module__}.{function.__qualname__}: {', '.join(holes)}")
    assert not missing, "\n".join(missing)
