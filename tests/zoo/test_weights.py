"""Trained weights: safetensors files of them, the catalogue, files from the net."""

import dataclasses
import importlib.util
import json
import os
import pathlib
import struct
import subprocess
import sys

import keras
import numpy as np
import pytest
from safetensors import numpy as safetensors

import ganzoo
from ganzoo.files import downloads
from ganzoo.files import safetensors as tensors
from ganzoo.zoo import catalogue
from ganzoo.zoo import weights

TINY = {"channels": 4, "latent_dim": 6}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of a DCGAN, the model, and three of its pictures."""
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), seed=0, **TINY)
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if len(variable.shape) > 1 and "float" in variable.dtype:
            variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    model.step.assign(7)
    path = tmp_path_factory.mktemp("saved") / "dcgan.safetensors"
    tensors.write(model, path, note="of a test")
    return path, model, model.generate(3, seed=1)


def changed(path, target, change=lambda x: None, metadata=lambda x: None):
    """A copy of a file of weights whose tensors or metadata were changed."""
    content, header = dict(safetensors.load_file(path)), tensors.read_header(path)
    facts = dict(header.metadata)
    change(content)
    metadata(facts)
    safetensors.save_file(content, target, metadata={"ganzoo": json.dumps(facts)})
    return target


def close(a, b):
    """Whether pictures are at most one grey level apart, which half precision may do."""
    return np.abs(a.astype(int) - b.astype(int)).max() <= 1


# A file ---------------------------------------------------------------------------------------


def test_a_file_gives_the_model_back(saved):
    path, model, pictures = saved
    assert pictures.std() > 20
    loaded = ganzoo.get("dcgan", weights=path)
    assert close(loaded.generate(3, seed=1), pictures)
    assert (loaded.channels, loaded.latent_dim, int(loaded.step)) == (4, 6, 7)
    loaded = ganzoo.get("dcgan", weights=str(path), learning_rate=1e-3, name="mine", seed=5)
    assert (loaded.learning_rate, loaded.name, loaded.seed) == (1e-3, "mine", 5)
    assert close(loaded.generate(3, seed=1), pictures)
    # The live generator goes on from the averaged one, and the discriminator is there too.
    for found in (loaded.generator, loaded.ema_generator):
        for a, b in zip(found.get_weights(), model.ema_generator.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
    for a, b in zip(loaded.discriminator.get_weights(), model.discriminator.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


def test_a_file_is_small_and_says_what_it_is(saved):
    path, model, _ = saved
    header = tensors.read_header(path)
    assert (header.model, header.metadata["note"]) == ("DCGAN", "of a test")
    assert header.config["channels"] == 4 and "seed" not in header.config
    count = sum(np.prod(v.shape) for v in tensors.named(model).values())
    assert header.parameters == count
    assert 2 * count < path.stat().st_size < 2 * count + 5000
    assert weights.read(path)[0] == "ganzoo>DCGAN"


def test_the_same_weights_give_the_same_file(saved, tmp_path):
    path, model, _ = saved
    tensors.write(model, tmp_path / "again.safetensors", note="of a test")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_names_do_not_depend_on_what_was_made_before(saved):
    _, model, _ = saved
    again = ganzoo.get("dcgan", image_shape=(8, 8, 1), **TINY)
    assert list(tensors.named(again)) == list(tensors.named(model))


def test_what_half_precision_cannot_hold_stays_whole(tmp_path):
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), ema_decay=None, seed=0, **TINY)
    name = next(name for name in tensors.named(model) if name.endswith("moving_variance"))
    variance = tensors.named(model)[name]
    variance.assign(np.full(variance.shape, 1e6))
    path = tmp_path / "a.safetensors"
    tensors.write(model, path)
    loaded = tensors.named(ganzoo.get("dcgan", weights=path))[name]
    np.testing.assert_array_equal(loaded.numpy(), variance.numpy())


def test_training_goes_on_from_a_file(saved):
    path, _, _ = saved
    model = ganzoo.get("dcgan", weights=path, seed=0)
    before = model.generator.get_weights()
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1)).astype("uint8")
    model.fit(images, batch_size=8, verbose=0)
    assert int(model.step) == 9
    assert any((a != b).any() for a, b in zip(before, model.generator.get_weights()))


def on_backend(backend, program, *arguments):
    """What a program printed that ran with this backend."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_every_backend_makes_the_same_images(saved, tmp_path, backend):
    path, _, pictures = saved
    program = """
import sys, numpy, keras, ganzoo
model = ganzoo.get("dcgan", weights=sys.argv[1])
numpy.save(sys.argv[2], model.generate(3, seed=1))
if keras.backend.backend() == "torch":
    try:
        model.fit(numpy.zeros((64, 8, 8, 1), "uint8"))
    except NotImplementedError as error:
        print(error)
"""
    printed = on_backend(backend, program, path, tmp_path / "pictures.npy")
    assert close(np.load(tmp_path / "pictures.npy"), pictures)
    assert ("trains on TensorFlow and JAX" in printed) == (backend == "torch")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_makes_the_same_images_of_the_catalogue(tmp_path, backend):
    program = """
import sys, numpy, ganzoo
from ganzoo.zoo import catalogue
made = {}
for name, row in catalogue.rows().items():
    model = ganzoo.get(row.model, weights=name.partition(".")[2])
    if hasattr(model, "translate"):
        pictures = numpy.random.default_rng(0).integers(0, 256, (4, *model.image_shape), "uint8")
        made[name] = model.translate(pictures)
    else:
        made[name] = model.generate(16, seed=0)
numpy.savez(sys.argv[1], **made)
"""
    found = {}
    for which in ("tensorflow", backend):
        on_backend(which, program, tmp_path / f"{which}.npz")
        with np.load(tmp_path / f"{which}.npz") as file:
            found[which] = dict(file)
    assert set(found["tensorflow"]) == set(catalogue.rows())
    for name, pictures in found["tensorflow"].items():
        assert close(found[backend][name], pictures), name


# Other networks than those of the file -----------------------------------------------------------


def test_layers_that_are_the_same_are_taken_and_the_others_named(saved):
    path, model, _ = saved
    with pytest.warns(UserWarning, match="New layers, to be trained: (.*)") as caught:
        loaded = ganzoo.get("dcgan", weights=path, image_shape=(8, 8, 3), seed=3)
    new = {"discriminator/conv2d", "generator/conv2d_transpose_1"}
    assert new == set(str(caught[0].message).partition("trained: ")[2].rstrip(".").split(", "))
    ours, theirs = tensors.named(loaded), tensors.named(model)
    for name, variable in ours.items():
        if name.rpartition("/")[0] not in new:
            np.testing.assert_allclose(variable, theirs[name], rtol=1e-3, atol=1e-6)
    assert loaded.generate(2, seed=0).shape == (2, 8, 8, 3)


def test_of_networks_with_little_in_common_nothing_is_taken(saved):
    path, _, _ = saved
    with pytest.raises(ValueError, match="dcgan' with .*: only 3 of 22 arrays match. Leave"):
        ganzoo.get("dcgan", weights=path, channels=8)


def test_classes_continue_begin_as_the_mean_or_end(tmp_path):
    model = ganzoo.get("acgan", image_shape=(8, 8, 1), num_classes=3, seed=0, **TINY)
    model.save(tmp_path / "a.keras")
    tensors.write(model, tmp_path / "a.safetensors")
    axes = {"generator/embedding/embeddings": 0}
    axes |= {"discriminator/dense/kernel": 1, "discriminator/dense/bias": 0}
    # Also where the number of classes stays.
    for file, rows in (("a.keras", [2, None]), ("a.safetensors", [None, 1, 0])):
        loaded = ganzoo.get("acgan", weights=tmp_path / file, from_classes=rows)
        assert loaded.num_classes == len(rows)
        new = tensors.values(loaded)
        for name, old in tensors.values(model).items():
            if name in axes:
                parts = np.moveaxis(old, axes[name], 0)
                parts = [parts.mean(axis=0) if row is None else parts[row] for row in rows]
                old = np.stack(parts, axes[name])
            np.testing.assert_allclose(new[name], old, rtol=2e-3, atol=1e-5)
    with pytest.raises(ValueError, match="`from_classes` is about classes of `weights`"):
        ganzoo.get("acgan", from_classes=[0])


def test_a_generator_alone_gets_a_new_discriminator(saved, tmp_path):
    path, _, pictures = saved
    alone = lambda x: [x.pop(n) for n in list(x) if not n.startswith("generator/")]
    half = changed(path, tmp_path / "half.safetensors", alone)
    for options in ({}, {"learning_rate": 1e-4}):
        with pytest.warns(UserWarning, match="has no discriminator: training starts a new one"):
            model = ganzoo.get("dcgan", weights=half, **options)
        assert close(model.generate(3, seed=1), pictures)
        assert (model.untrained, int(model.step)) == (("discriminator",), 0)
    other = lambda x: [x.pop(n) for n in list(x) if not n.startswith("discriminator/")]
    with pytest.raises(ValueError, match="and .* more are missing"):
        ganzoo.get("dcgan", weights=changed(path, tmp_path / "other.safetensors", other))


# Wrong files ------------------------------------------------------------------------------------


def first(tensors_of_file):
    return next(name for name in tensors_of_file if name.endswith("kernel"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.update({"game/step": np.array(-2, "int32")}), "a negative count"),
        (lambda x: x.update({"game/step": np.array(2, "float32")}), "has type F32"),
        (lambda x: x.update({first(x): x[first(x)].astype("int32")}), "has type I32"),
        (lambda x: x.pop(first(x)), "kernel' is missing"),
        (lambda x: [x.pop(n) for n in list(x)[:3]], "and 2 more are missing"),
        (lambda x: x.update(more=np.zeros(3, "float16")), "'more' is too many"),
        (lambda x: x.update({first(x): np.zeros((2, 2), "float16")}), r"has shape \(2, 2\)"),
        (lambda x: x[first(x)].flat.__setitem__(0, np.nan), "NaN or infinity"),
        (lambda x: x[first(x)].flat.__setitem__(3, np.inf), "NaN or infinity"),
    ],
)
def test_a_file_with_other_tensors_changes_nothing(saved, tmp_path, change, message):
    path, _, _ = saved
    wrong = changed(path, tmp_path / "wrong.safetensors", change)
    with pytest.raises(ValueError, match=f"do not fit 'dcgan': .*{message}.*Get the file again"):
        ganzoo.get("dcgan", weights=wrong)
    model = ganzoo.get("dcgan", image_shape=(8, 8, 1), seed=0, **TINY)
    before = model.get_weights()
    with pytest.raises(ValueError):
        header = tensors.read_header(wrong)
        tensors.compare(model, header)
        tensors.assign(model, tensors.read(header))
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    # Nor is it taken in part, whatever else is asked for.
    with pytest.raises(ValueError, match=message):
        ganzoo.get("dcgan", weights=wrong, learning_rate=1e-3)


def test_weights_of_another_model_are_refused(saved):
    path, _, _ = saved
    with pytest.raises(ValueError, match=r"weights of 'ganzoo>DCGAN', not of 'cgan' \(CGAN\)"):
        ganzoo.get("cgan", weights=path)


@pytest.mark.parametrize(
    "config",
    [
        {"channels": 10**6},
        {"image_shape": [8, 8, 10**9]},
        {"image_shape": [2**30, 2**30, 1]},
        {"latent_dim": 10**12},
    ],
    ids=str,
)
def test_arguments_that_would_take_all_memory_are_refused(saved, tmp_path, config):
    path, _, _ = saved
    hide = lambda x: x["config"].update(config)
    wrong = changed(path, tmp_path / "wrong.safetensors", metadata=hide)
    with pytest.raises(ValueError, match="do not fit 'dcgan': .*(far more weights than|channels)"):
        ganzoo.get("dcgan", weights=wrong)


def test_arguments_that_would_take_all_day_are_refused(tmp_path):
    model = ganzoo.get("r3gan", image_shape=(8, 8, 1), channels=(8,), group_width=4, seed=0)
    path = tmp_path / "r3gan.safetensors"
    tensors.write(model, path)
    slow = lambda x: x["config"].update(blocks=10**6)
    wrong = changed(path, tmp_path / "wrong.safetensors", metadata=slow)
    with pytest.raises(ValueError, match="far more (arrays of )?weights than the file"):
        ganzoo.get("r3gan", weights=wrong)


def test_a_history_of_images_may_be_larger_than_the_weights(tmp_path):
    model = ganzoo.get("cyclegan", image_shape=(64, 64, 3), channels=2, blocks=1, history_size=900)
    assert 20 * sum(np.prod(v.shape) for v in tensors.named(model).values()) < 900 * 64 * 64 * 3
    tensors.write(model, tmp_path / "a.safetensors")
    assert ganzoo.get("cyclegan", weights=tmp_path / "a.safetensors").history_size == 900


def test_wrong_arguments_of_ones_own_say_so(saved):
    path, _, _ = saved
    with pytest.raises(
        ValueError, match=r"with \{'learning_rate': -1\}: `learning_rate`.*Leave out"
    ):
        ganzoo.get("dcgan", weights=path, learning_rate=-1)
    model = ganzoo.get("dcgan", weights=path, seed=np.int64(3))
    assert model.seed == 3


def test_a_name_in_the_working_folder_is_no_tag(listed, saved, tmp_path, monkeypatch):
    listed()
    other = ganzoo.get("dcgan", image_shape=(8, 8, 1), seed=4, **TINY)
    (tmp_path / "tiny").mkdir()
    tensors.write(other, tmp_path / "tiny" / weights.TENSORS)
    monkeypatch.chdir(tmp_path)
    for source, expected in (("tiny", saved[2]), (pathlib.Path("tiny"), other.generate(3, seed=1))):
        assert close(ganzoo.get("dcgan", weights=source).generate(3, seed=1), expected)


@pytest.mark.parametrize("config", ["[", [1], {"chanels": 4}, {"channels": "4"}, None], ids=str)
def test_arguments_that_are_none_are_refused(saved, tmp_path, config):
    path, _, _ = saved
    target = tmp_path / "wrong.safetensors"
    wrong = changed(path, target, metadata=lambda x: x.update(config=config))
    with pytest.raises(ValueError, match="do not fit|does not hold weights"):
        ganzoo.get("dcgan", weights=wrong)


def header_of(**tensor):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **tensor}
    facts = json.dumps({"model": "DCGAN", "config": {}})
    header = {"a": entry, "__metadata__": {"ganzoo": facts}}
    content = json.dumps(header).encode()
    return struct.pack("<Q", len(content)) + content + bytes(8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Log in</html>",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 1 << 20) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        header_of()[:-1],
        header_of() + b"\0",
        header_of(shape=[1 << 40]),
        header_of(shape=[1 << 62, 1 << 62]),
        header_of(shape=[-2]),
        header_of(shape=[2.0]),
        header_of(shape="2"),
        header_of(dtype="F64", shape=[1]),
        header_of(dtype="object"),
        header_of(data_offsets=[4, 12]),
        header_of(data_offsets=[0, 1 << 50]),
        header_of(data_offsets=None),
        header_of(data_offsets=[0.0, 8.0]),
        header_of(shape=[0, 1 << 62, 8], data_offsets=[0, 0])[:-8],
        header_of().replace(b'"dtype"', b'"shape"'),
        header_of().replace(b'"__metadata__": {', b'"__metadata__": {"x": 1, ')[:-7] + bytes(7),
        header_of().replace(b"{}", b"NaN"),
    ],
    ids=lambda x: repr(x[:12]),
)
def test_what_is_no_file_of_weights_is_refused(tmp_path, content):
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not hold weights of ganzoo, or it is damaged"):
        ganzoo.get("dcgan", weights=path)


def test_cut_anywhere_it_is_refused(saved, tmp_path):
    path, _, _ = saved
    content = path.read_bytes()
    wrong = tmp_path / "wrong.safetensors"
    for length in np.linspace(0, len(content) - 1, 40).astype(int):
        wrong.write_bytes(content[:length])
        with pytest.raises(ValueError, match="does not hold weights of ganzoo, or it is damaged"):
            tensors.read_header(wrong)


# The catalogue ----------------------------------------------------------------------------------


@pytest.fixture
def listed(saved, tmp_path, monkeypatch, server):
    """A function that puts the file into a catalogue of its own, with changes to its row."""
    path, _, _ = saved
    server.content = path.read_bytes()

    def put(**changes):
        row = {
            **dataclasses.asdict(ROW),
            "size": path.stat().st_size,
            "sha256": downloads.hash_of(path),
            **changes,
        }
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        file.write_text(json.dumps({"dcgan.tiny": row}))
        monkeypatch.setattr(catalogue, "FILE", file)
        monkeypatch.setattr(catalogue, "FOLDER", path.parent)

    return put


ROW = catalogue.Row(
    model="dcgan",
    file="dcgan.safetensors",
    size=0,
    sha256="",
    config={},
    data={"name": "noise", "licence": "CC0"},
    preprocessing="none",
    epochs=1,
    device="CPU",
    seed=0,
    versions={},
    scores={},
    passport={},
    command="",
)


def test_each_row_is_what_its_file_is():
    for name, row in catalogue.rows().items():
        assert name.startswith(f"{row.model}.")
        header = tensors.read_header(row.path)  # which compares the hash
        assert (row.path.stat().st_size, header.config) == (row.size, row.config)
        model = ganzoo.get(row.model, weights=name.partition(".")[2])
        if hasattr(model, "generate"):
            assert model.generate(16, seed=0).std() > 10
        if hasattr(model, "translate"):
            noise = np.random.default_rng(0).integers(0, 256, (2, *model.image_shape), "uint8")
            assert model.translate(noise).std() > 10
        assert row.command and row.data["licence"] and row.epochs


def scored(**values):
    """Scores as a row has them, from `name=(value, floor)`."""
    return {
        f"{name}[a-judge]": {"value": value, "floor": floor}
        for name, (value, floor) in values.items()
    }


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"recall": (0.2, 0.5), "precision": (0.6, 0.9)}, ["low variety"]),
        ({"recall": (0.26, 0.5), "precision": (0.46, 0.9)}, []),
        ({"recall": (0.5, 0.9), "precision": (0.1, 0.9)}, ["low fidelity"]),
        ({"recall": (0.1, 0.9), "precision": (0.1, 0.9)}, ["low variety", "low fidelity"]),
        ({"recall": (0.0, 0.9), "precision": (0.09, 0.9)}, ["low fidelity"]),
        ({"recall": (0.0, None)}, []),
        ({"recall": ("nan", 0.9), "frechet": ("inf", 1.0)}, []),
        ({}, []),
    ],
    ids=str,
)
def test_one_rule_says_what_scores_warn_of(scores, words):
    found = catalogue.remarks(scored(**scores))
    assert list(found) == words
    for word, score in (("low variety", "recall"), ("low fidelity", "precision")):
        if word in found:
            value, floor = scores[score]
            assert found[word].startswith(f"{score} {value:.2f}, real images have {floor:.2f};")
        assert "one class" not in found.get(word, "")


@pytest.mark.parametrize(("agreement", "alike"), [(0.9, True), (0.1, False)])
def test_little_variety_with_right_labels_is_little_within_a_class(agreement, alike):
    scores = scored(recall=(0.1, 0.8), class_agreement=(agreement, 0.95))
    assert ("one class are much alike" in catalogue.remarks(scores)["low variety"]) == alike


def test_a_translator_that_leads_away_from_the_data_says_so():
    frechet = lambda value: {"value": value, "floor": 2.0, "baseline": 20.0}
    assert catalogue.remarks({"frechet[x]": frechet(19.0)}) == {}
    (told,) = catalogue.remarks({"frechet[x]": frechet(30.0)}).values()
    assert told == "Fréchet distance 30; without translation it is 20."


def test_the_rows_whose_samples_have_little_variety_say_so():
    marked = {name for name, row in catalogue.rows().items() if "low variety" in row.remarks}
    assert marked == {"sngan.fashion_mnist", "r3gan.emoji"}
    told = catalogue.rows()["sngan.fashion_mnist"].describe()
    assert "Low variety: recall 0.19" in told and "Samples of one class are much alike." in told


def test_what_comes_with_the_package_is_small():
    assert sum(path.stat().st_size for path in catalogue.FOLDER.glob("*")) < 40e6
    listed = {row.file for row in catalogue.rows().values() if row.url is None}
    assert {path.name for path in catalogue.FOLDER.glob("*")} == {*listed, "NOTICE"}


def test_a_tag_of_the_catalogue(saved, listed):
    listed()
    assert ganzoo.list_models(weights=True) == ["dcgan.tiny"]
    assert close(ganzoo.get("dcgan", weights="tiny").generate(3, seed=1), saved[2])
    with pytest.raises(ValueError, match="'tinny'. Did you mean 'tiny'"):
        ganzoo.get("dcgan", weights="tinny")


def test_a_tag_that_is_fetched(saved, listed, server, cache):
    listed(url=f"{server.url}/good")
    for _ in range(2):
        assert close(ganzoo.get("dcgan", weights="tiny").generate(3, seed=1), saved[2])
    assert server.requests == ["/good"]


def test_a_damaged_file_of_the_package_is_refused(listed, tmp_path):
    listed(sha256=64 * "0")
    with pytest.raises(ValueError, match="comes with the package, is missing or damaged"):
        ganzoo.get("dcgan", weights="tiny")
    listed(file="absent.safetensors")
    with pytest.raises(ValueError, match="comes with the package, is missing or damaged"):
        ganzoo.get("dcgan", weights="tiny")


@pytest.mark.parametrize("what", ["login", "other"])
def test_another_file_than_the_catalogues_is_never_read(listed, server, cache, monkeypatch, what):
    listed(url=f"{server.url}/{what}")
    monkeypatch.setattr(tensors, "read_header", lambda path: pytest.fail("it was read"))
    with pytest.raises((ValueError, OSError), match="sent another file than expected|more than"):
        ganzoo.get("dcgan", weights="tiny")
    assert not [p for p in cache.rglob("*") if p.is_file() and ".locks" not in p.parts]


# Anybody's weights ------------------------------------------------------------------------------


def test_a_repository_of_the_hub(saved, server, cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.content = saved[0].read_bytes()
    for source in ("hf://me/my.gan", "hf://me/my.gan", "hf://me/my.gan@v1"):
        assert close(ganzoo.get("dcgan", weights=source).generate(3, seed=1), saved[2])
    assert server.requests == [
        "/me/my.gan/resolve/main/model.safetensors",
        "/me/my.gan/resolve/v1/model.safetensors",
    ]


def test_what_the_net_has_is_checked_before_it_is_kept(saved, server, cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.content = b"<html>Log in</html>"
    with pytest.raises(ValueError, match="another file than expected: .*not begin with a header"):
        ganzoo.get("dcgan", weights="hf://me/gan")
    server.content = saved[0].read_bytes()  # and is not in the way of the right one
    assert close(ganzoo.get("dcgan", weights="hf://me/gan").generate(3, seed=1), saved[2])


def test_what_was_fetched_and_does_not_fit_says_what_to_delete(
    saved, server, cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    broken = lambda x: x[first(x)].flat.__setitem__(0, np.nan)
    server.content = changed(saved[0], tmp_path / "nan.safetensors", broken).read_bytes()
    with pytest.raises(ValueError, match="Delete the file to download it again"):
        ganzoo.get("dcgan", weights="hf://me/gan")


@pytest.mark.parametrize(
    "source",
    [
        "hf://me",
        "hf://me/../../etc",
        "hf://../a",
        "hf://",
        "hf://a/b/c",
        "http://example.org/a",
        "s3://a/b",
    ],
)
def test_addresses_that_are_none(source, cache):
    with pytest.raises(ValueError, match="hf://user/repository"):
        ganzoo.get("dcgan", weights=source)


def test_a_published_folder(saved, tmp_path):
    path, _, pictures = saved
    (tmp_path / weights.TENSORS).write_bytes(path.read_bytes())
    assert close(ganzoo.get("dcgan", weights=tmp_path).generate(3, seed=1), pictures)


# Going on from weights ---------------------------------------------------------------------------


def _of_one_grey(level):
    return np.full((64, 8, 8, 1), level, "uint8")


@pytest.fixture(scope="module")
def long_trained(tmp_path_factory):
    """A DCGAN that has long learned bright images."""
    config = {"channels": 8, "latent_dim": 6, "ema_decay": 0.999, "learning_rate": 2e-3}
    model = ganzoo.get("dcgan", seed=0, **config)
    model.fit(_of_one_grey(230), batch_size=16, epochs=20, verbose=0)
    model.step.assign(10_000)
    path = tmp_path_factory.mktemp("long") / "model.keras"
    model.save(path)
    return path


def _learn_dark_images(model):
    """Mean grey levels that the live generator gives after each epoch, and the averaged one's."""
    latents = np.random.default_rng(0).standard_normal((64, 6)).astype("float32")
    mean = lambda network: float(np.asarray(network(latents, training=False)).mean())
    live = []
    log = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: live.append(mean(model.generator))
    )
    model.fit(_of_one_grey(25), batch_size=16, epochs=12, verbose=0, callbacks=[log])
    return live, mean(model.ema_generator)


def test_fine_tuning_soon_shows_in_what_is_generated(long_trained):
    """Over five seeds the average was 4 to 6 grey levels darker than the live one an epoch ago."""
    live, average = _learn_dark_images(ganzoo.get("dcgan", weights=long_trained))
    assert average <= live[-2] < 0 < live[0]


def test_a_loaded_model_goes_on_with_the_average_that_it_had(long_trained):
    live, average = _learn_dark_images(keras.saving.load_model(long_trained))
    assert average > 0.7 > 0 > live[-1]  # which at a decay of 0.999 is as bright as it was


def test_averages_that_began_anew_are_saved_as_such(long_trained, tmp_path):
    model = ganzoo.get("dcgan", weights=long_trained)
    model.fit(_of_one_grey(25), batch_size=16, epochs=2, verbose=0)
    model.save(tmp_path / "half.keras")
    other = keras.saving.load_model(tmp_path / "half.keras")
    for each in (model, other):
        each.fit(_of_one_grey(25), batch_size=16, epochs=2, verbose=0)
    for ours, theirs in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
