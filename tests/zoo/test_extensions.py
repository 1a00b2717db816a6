"""Models of a user's own on the command line: `--import`."""

import json
import pathlib
import re
import shlex
import sys

import keras
import pytest

import ganzoo
from ganzoo import cli
from ganzoo import models  # noqa: F401  (registered before a test puts the registry aside)
from ganzoo.game import registry
from ganzoo.zoo import extensions
from ganzoo.zoo import owners
from ganzoo.zoo import weights
from tests.helpers import done
from tests.helpers import fails

MODEL = '''
import keras
from keras import layers, ops
import ganzoo
{more}

@ganzoo.register
class {name}(ganzoo.GAN):
    """A game of one layer."""

    def __init__(self, *, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def build_generator(self):
        latents = keras.Input((self.latent_dim,))
        x = layers.Dense(self.width, activation="relu")(latents)
        x = layers.Dense(int(ops.prod(self.image_shape)), activation="tanh", dtype="float32")(x)
        return keras.Model(latents, layers.Reshape(self.image_shape)(x))

    def build_discriminator(self):
        images = keras.Input(self.image_shape)
        return keras.Model(images, layers.Dense(1, dtype="float32")(layers.Flatten()(images)))
'''


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder; what is registered and imported in a test is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_MODELS", registry.registered())
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if str(tmp_path) in file:
            del sys.modules[name]


def _write(path, name, more=""):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MODEL.format(name=name, more=more), encoding="utf-8")
    return path


def _forget():
    """What another process would not know."""
    for name, cls in registry.registered().items():
        if not cls.__module__.startswith("ganzoo."):
            del registry._MODELS[name]
            sys.modules.pop(cls.__module__, None)


def test_a_model_of_your_own_trains_goes_on_and_is_used_by_every_command(here):
    _write("home/mine.py", "LoneGAN", "from beside import WIDTH")  # as `python home/mine.py` finds
    pathlib.Path("home/beside.py").write_text("WIDTH = 4\n")
    own = ["--import", "home/mine.py"]
    train = ["train", "lone_gan", *own, "--score-every", 0, "-o", "run", "--set", "width=6"]
    done(*train, "--epochs", 1)
    _forget()
    assert "epochs 2 to 2" in done(*train, "--epochs", 2)
    record = json.loads(pathlib.Path("run/config.json").read_text())
    assert record["imports"] == ["home/mine.py"]
    assert record["settings"]["arguments"] == {"width": 6}
    page = pathlib.Path("run/report.html").read_text(encoding="utf-8")
    assert "ganzoo train lone_gan" in page and "--import mine.py" in page

    refusal = "holds a 'mine>LoneGAN', not one of ganzoo's own models. Add `--import home/mine.py`"
    quick = ["-n", 20, "--repeats", 1, "--metrics", "diversity"]
    for words in (
        ["sample", "run", "-n", 4],
        ["evaluate", "run", *quick],
        ["export", "run", "-o", "lone.safetensors"],
        ["publish", "run", "-o", "published", "-n", 0],
    ):
        _forget()
        assert refusal in fails(*words)
        done(*words, *own)
    card = pathlib.Path("published/README.md").read_text(encoding="utf-8")
    assert "import mine.py first" in card and "--import mine.py" in card
    _forget()
    assert "holds a 'LoneGAN', not one" in fails("sample", "published")
    for words in (["published"], ["lone_gan", "--weights", "run"]):
        _forget()
        assert "64 samples" in done("sample", *words, *own)

    _forget()
    assert done("list", "lone*", *own) == "lone_gan     A game of one layer.\n"
    found = json.loads(done("info", "lone_gan", *own, "--json"))
    assert found["arguments"]["width"] == 4 and found["doc"] == "A game of one layer."
    words = ["--image-size", 8, "--seconds", 0.1]
    assert "lone_gan, 8×8×1" in done("benchmark", "lone_gan", *words, *own)


def test_nothing_in_a_run_folder_is_imported_by_itself(here):
    _write("evil.py", "EvilGAN", "import pathlib; pathlib.Path('was run').touch()")
    train = ["train", "evil_gan", "--epochs", 1, "--score-every", 0, "-o", "run"]
    done(*train, "--import", "evil.py")
    pathlib.Path("was run").unlink()
    for words in (["sample", "run"], ["sample", "evil_gan", "--weights", "run"], train):
        _forget()
        assert "--import" in fails(*words)
        assert not pathlib.Path("was run").exists()
    for record in ('{"imports": ["a\\u001b[2J.py"]}', '{"imports": 3}', "[]", "no json"):
        pathlib.Path("run/config.json").write_text(record)
        assert "Add `--import FILE.py`, the file with its class" in fails("sample", "run")


def test_modules_are_named_by_path_or_by_name_and_may_move(here):
    _write("first.py", "FirstGAN")
    _write("package/second.py", "SecondGAN")
    pathlib.Path("package/__init__.py").write_text("")
    _write("else where/third-one.py", "ThirdGAN")
    words = [
        *("--import", "first.py", "--import", "package.second"),
        *("--import", "else where/third-one.py", "--import", "first.py"),
    ]
    names = {"first_gan", "second_gan", "third_gan"}
    assert names <= set(json.loads(done("list", *words, "--json")))
    assert extensions.load("first") == ["first_gan"]  # again, by its other name
    done("train", "second_gan", *words[2:4], "--epochs", 1, "--score-every", 0, "-o", "run")
    _forget()
    pathlib.Path("package/second.py").rename("moved.py")
    assert "samples" in done("sample", "run", "--import", "moved.py")


@pytest.mark.parametrize(
    ("word", "text", "message"),
    [
        ("raises.py", "x = 1\n1 / 0\n", "cannot be imported: ZeroDivisionError: .* line 2"),
        ("exits.py", "import sys\nsys.exit(3)\n", "cannot be imported: SystemExit: 3 .* line 2"),
        ("syntax.py", "def f(:\n", "cannot be imported: SyntaxError: .* line 1"),
        ("needs.py", "import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"),
        ("empty.py", "", "'empty.py' registers no model: .*@ganzoo.register"),
        ("other.py", "class Model: pass\n", "registers no model"),
        ("taken.py", MODEL.format(name="DCGAN", more=""), "'dcgan' is registered already"),
        ("numpy.py", "", "has the name of another module, 'numpy'.*Rename the file"),
        ("wave.py", "", "has the name of another module, 'wave'.*Rename the file"),
        ("text.txt", "", "There is no module 'text.txt'"),
        ("./text.txt", "", "is not a Python file"),
        ("gone.py", None, "There is no file 'gone.py' to import"),
        ("gone.module", None, "There is no module 'gone.module' to import.*my_gan.py"),
        ("folder/", None, "It is a folder: name a file in it"),
    ],
)
def test_what_cannot_be_imported_says_why(here, word, text, message):
    pathlib.Path("folder").mkdir()
    if text is not None:
        pathlib.Path(word).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        extensions.load(word)
    assert "Error: " in fails("list", "--import", word)


def test_the_example_of_the_page_on_adding_a_model_runs(here):
    page = pathlib.Path(ganzoo.__file__).parents[1] / "docs" / "adding-a-model.md"
    text = page.read_text(encoding="utf-8")
    written = re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    pathlib.Path("my_gan.py").write_text(written, encoding="utf-8")
    commands = re.search(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1].splitlines()
    assert len(commands) == 4
    for command in commands:
        _forget()
        done(*shlex.split(command.replace("--epochs 5", "--epochs 1"))[1:])
    assert pathlib.Path("grid.png").exists()


def test_names_that_are_not_known_point_to_import(here):
    for words in (
        ["train", "lonely_gan"],
        ["benchmark", "lonely_gan"],
        ["sample", "lonely_gan", "--weights", "x"],
    ):
        message = fails(*words)
        assert "Unknown model: 'lonely_gan'" in message and "--import FILE.py" in message


def test_words_are_completed_without_importing_anything(here):
    _write("slow.py", "SlowGAN", "import pathlib; pathlib.Path('was run').touch()")
    context = cli.main.commands["train"].make_context(
        "train", ["dcgan", "--import", "slow.py"], resilient_parsing=True
    )
    assert context.params["what"] == "dcgan" and not pathlib.Path("was run").exists()


def test_a_file_of_the_own_models_weights_never_means_another_class(here):
    path = here / "dcgan.keras"
    ganzoo.get("dcgan", image_shape=(8, 8, 1), channels=2, latent_dim=4).save(path)
    _write("mine.py", "DcGan")  # whose name in the zoo differs from that of ganzoo's own
    done("list", "--import", "mine.py")
    registered, _ = weights.read(path)
    assert owners.name_of(registered, path) == "dcgan"
    assert keras.saving.get_registered_name(registry.registered()["dc_gan"]) == "mine>DcGan"
