"""Finding models by name, registering one's own, loading weights."""

import inspect
import json
import math
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

import ganzoo
from ganzoo import zoo
from ganzoo.game import registry
from ganzoo.zoo import weights

TINY = {"channels": 4, "latent_dim": 6}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved DCGAN and three of its pictures."""
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), seed=0, **TINY)
    path = tmp_path_factory.mktemp("saved") / "dcgan.keras"
    model.save(path)
    return path, model.generate(3, seed=1)


def _with_config(path, target, change):
    """A copy of a `.keras` file whose config was changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config)
            new.writestr(name, content)
    return target


# Names ------------------------------------------------------------------------------------------


def test_list_models_is_sorted_and_takes_wildcards():
    names = ganzoo.list_models()
    assert names == sorted(names)
    assert {"cgan", "dcgan", "vanilla"} <= set(names)
    assert ganzoo.list_models("*gan") == [n for n in names if n.endswith("gan")]
    assert ganzoo.list_models("dcga?") == ["dcgan"]
    assert ganzoo.list_models("nothing*") == []


def test_own_models_are_those_that_register():
    from ganzoo import models  # noqa: F401

    own = {n for n, c in registry.registered().items() if c.__module__.startswith("ganzoo.")}
    assert sorted(own) == zoo.own_models()


@pytest.mark.parametrize("name", zoo.own_models())
def test_describe_reads_what_python_knows(name):
    """The command line reads files as text; it must say what importing them would."""
    found = zoo.describe(name)
    cls = zoo.model_class(name)
    defaults = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, ganzoo.Game):
            parameters = inspect.signature(base.__init__).parameters.values()
            defaults.update({p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY})
    assert found["arguments"] == defaults
    assert found["arguments"] == cls.arguments()
    assert found["class"] == cls.__name__
    assert found["doc"] == inspect.getdoc(cls)
    assert 2006 <= found["year"] <= 2024 and str(found["year"]) in found["doc"]
    assert inspect.getmodule(cls).__doc__.startswith(found["summary"])


def test_unknown_names_give_the_nearest():
    with pytest.raises(ValueError, match=r"Unknown model: 'dcgn'\. Did you mean 'dcgan'"):
        ganzoo.get("dcgn")
    with pytest.raises(
        TypeError, match=r"argument of 'dcgan': 'chanels'\. Did you mean 'channels'"
    ):
        ganzoo.get("dcgan", chanels=4)
    with pytest.raises(ValueError, match=r"Unknown model: 'dcgn'"):
        zoo.describe("dcgn")


# Weights ----------------------------------------------------------------------------------------


def test_get_with_weights_restores_the_model(saved):
    path, pictures = saved
    for source in (path, str(path)):
        model = ganzoo.get("dcgan", weights=source)
        assert (model.channels, model.latent_dim, model.seed) == (4, 6, 0)
        np.testing.assert_array_equal(model.generate(3, seed=1), pictures)
    model = ganzoo.get("dcgan", weights=path, learning_rate=1e-3, name="mine")
    assert (model.learning_rate, model.name) == (1e-3, "mine")
    np.testing.assert_array_equal(model.generate(3, seed=1), pictures)


def test_get_with_weights_of_a_run_folder_takes_the_newest_checkpoint(saved, tmp_path):
    path, pictures = saved
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    with pytest.raises(ValueError, match="holds no checkpoint"):
        ganzoo.get("dcgan", weights=tmp_path)
    for name in ("epoch-0002", "epoch-9999"):  # these would not load
        (folder / f"{name}.keras").write_text("an older one")
    (folder / "epoch-10000.keras").write_bytes(path.read_bytes())
    (folder / "epoch-best.keras").write_text("of somebody else")
    assert weights.find(tmp_path).name == "epoch-10000.keras"
    model = ganzoo.get("dcgan", weights=tmp_path)
    np.testing.assert_array_equal(model.generate(3, seed=1), pictures)


def test_weights_of_another_class_are_refused(saved):
    path, _ = saved
    with pytest.raises(ValueError, match=r"weights of 'ganzoo>DCGAN', not of 'cgan' \(CGAN\)"):
        ganzoo.get("cgan", weights=path)


def test_weights_that_do_not_fit_are_refused(saved):
    path, _ = saved
    with pytest.raises(ValueError, match=r"do not fit 'dcgan' with \{") as error:
        ganzoo.get("dcgan", weights=path, channels=8)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_layers_of_a_checkpoint_that_do_not_fit_are_new(saved):
    with pytest.warns(UserWarning, match="New layers, to be trained: generator/dense."):
        ganzoo.get("dcgan", weights=saved[0], latent_dim=7)


def test_files_that_are_not_ours_are_refused(saved, tmp_path):
    path, _ = saved
    text = tmp_path / "text.keras"
    text.write_text("no model at all")
    archive = tmp_path / "archive.keras"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "no model either")
    plain = tmp_path / "plain.keras"
    keras.Sequential([keras.Input((2,)), layers.Dense(1)]).save(plain)
    cut = tmp_path / "cut.keras"
    cut.write_bytes(path.read_bytes()[:-100])
    listed = _with_config(path, tmp_path / "list.keras", lambda c: c.update(config=[1, 2]))
    for wrong in (text, archive, plain, cut, listed):
        with pytest.raises(ValueError, match="is not a model that ganzoo saved, or it is damaged"):
            ganzoo.get("dcgan", weights=wrong)


def test_damaged_weights_are_refused(saved, tmp_path):
    path, _ = saved
    content = bytearray(path.read_bytes())
    middle = content.index(b"model.weights.h5") + 5000
    content[middle] ^= 255
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match="or the file is damaged"):
        ganzoo.get("dcgan", weights=damaged)


def test_a_model_saved_without_networks_has_no_weights(saved, tmp_path):
    path, _ = saved
    unbuilt = _with_config(
        path, tmp_path / "unbuilt.keras", lambda c: c["config"].update(image_shape=None)
    )
    with pytest.raises(ValueError, match="holds no weights: the model was saved before"):
        ganzoo.get("dcgan", weights=unbuilt)


def test_a_file_cannot_run_code(saved, tmp_path, monkeypatch):
    """Nothing that a file names is imported or called: its weights are read as numbers."""
    path, pictures = saved
    marker = tmp_path / "it ran"
    module = tmp_path / "ganzoo_test_evil.py"
    module.write_text(f"open({str(marker)!r}, 'w')\nclass DCGAN: pass\nOptimizer = DCGAN\n")
    monkeypatch.syspath_prepend(tmp_path)

    def poison(config):
        config["module"] = "ganzoo_test_evil"
        config["registered_name"] = "ganzoo_test_evil>DCGAN"
        config["compile_config"]["optimizer"] = {
            "module": "ganzoo_test_evil",
            "class_name": "Optimizer",
            "config": {},
            "registered_name": None,
        }

    poisoned = _with_config(path, tmp_path / "poisoned.keras", poison)
    model = ganzoo.get("dcgan", weights=poisoned)
    np.testing.assert_array_equal(model.generate(3, seed=1), pictures)
    assert not marker.exists()
    assert "ganzoo_test_evil" not in sys.modules


# Registering one's own --------------------------------------------------------------------------


@pytest.fixture
def unregister():
    """Takes what a test registers out again: other tests go through the registry."""
    before = registry.registered()
    yield
    for name in set(registry.registered()) - set(before):
        cls = registry._MODELS.pop(name)
        keras.saving.get_custom_objects().pop(keras.saving.get_registered_name(cls))


class MyTinyGAN(ganzoo.GAN):
    def __init__(self, *, units=5, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build_generator(self):
        latents = keras.Input((self.latent_dim,))
        x = layers.Dense(math.prod(self.image_shape), activation="tanh")(latents)
        return keras.Model(latents, layers.Reshape(self.image_shape)(x))

    def build_discriminator(self):
        images = keras.Input(self.image_shape)
        x = layers.Dense(self.units, activation="relu")(layers.Flatten()(images))
        return keras.Model(images, layers.Dense(1)(x))


def test_a_registered_gan_is_one_of_the_zoo(unregister, tmp_path, rng):
    assert ganzoo.register(MyTinyGAN) is MyTinyGAN
    assert "my_tiny_gan" in ganzoo.list_models()
    with pytest.raises(ValueError, match="Did you mean 'my_tiny_gan'"):
        ganzoo.get("my_tiny_gn")
    with pytest.raises(TypeError, match=r"'unit'\. Did you mean 'units'"):
        ganzoo.get("my_tiny_gan", unit=3)

    model = ganzoo.get("my_tiny_gan", units=3, latent_dim=4, seed=0)
    assert type(model) is MyTinyGAN
    assert model.units == 3
    model.fit(rng.integers(0, 256, (16, 8, 8, 1), dtype="uint8"), batch_size=8, verbose=0)
    pictures = model.generate(2, seed=0)

    path = tmp_path / "mine.keras"
    model.save(path)
    for loaded in (keras.saving.load_model(path), ganzoo.get("my_tiny_gan", weights=path)):
        assert type(loaded) is MyTinyGAN
        assert loaded.units == 3
        np.testing.assert_array_equal(loaded.generate(2, seed=0), pictures)
    with pytest.raises(
        ValueError, match=r"tests.zoo.test_zoo>MyTinyGAN', not of 'dcgan' \(DCGAN\)"
    ):
        ganzoo.get("dcgan", weights=path)

    # Written in a script, now imported from a module: still the same class.
    script = _with_config(
        path, tmp_path / "script.keras", lambda c: c.update(registered_name="__main__>MyTinyGAN")
    )
    loaded = ganzoo.get("my_tiny_gan", weights=script)
    np.testing.assert_array_equal(loaded.generate(2, seed=0), pictures)


def test_a_name_belongs_to_one_class(unregister):
    ganzoo.register(MyTinyGAN)
    ganzoo.register(MyTinyGAN)  # as when a notebook's cell runs again
    other = type("MyTinyGAN", (ganzoo.GAN,), {"__qualname__": "Elsewhere.MyTinyGAN"})
    with pytest.raises(ValueError, match="'my_tiny_gan' is registered already") as error:
        ganzoo.register(other)
    assert "tests.zoo.test_zoo.MyTinyGAN" in str(error.value)
    assert registry.registered()["my_tiny_gan"] is MyTinyGAN


def test_names_of_the_package_are_taken_before_it_is_imported(unregister, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", {})
    mine = type("DCGAN", (ganzoo.GAN,), {})
    with pytest.raises(ValueError, match=r"already \(ganzoo\.models\.dcgan\)"):
        ganzoo.register(mine)
    assert registry.registered() == {}


@pytest.mark.parametrize("wrong", [keras.Model, len, 3], ids=str)
def test_only_games_can_be_registered(wrong):
    before = registry.registered()
    with pytest.raises(TypeError, match="subclass of `ganzoo.GAN` or `ganzoo.Game`"):
        ganzoo.register(wrong)
    assert registry.registered() == before


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("MyFirstGAN", "my_first_gan"),
        ("WGANGP", "wgangp"),
        ("GAN2", "gan2"),
        ("StyleGAN2Small", "style_gan2_small"),
        ("VAEGAN", "vaegan"),
        ("tiny", "tiny"),
    ],
)
def test_names_are_in_snake_case(cls, name):
    assert registry.snake_case(cls) == name
