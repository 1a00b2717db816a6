"""InceptionV3 against torch-fidelity, pytorch-fid and clean-fid (see fixtures/inception.py)."""

import hashlib
import pathlib

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from ganzoo.extractors import inception
from ganzoo.files import downloads
from tests.fixtures import inception as fixtures

SEEN = np.load(pathlib.Path(fixtures.__file__).with_name("inception.npz"))
NAMES = ["x".join(map(str, shape)) for shape in fixtures.SHAPES]
PICTURES = {name: fixtures.pictures(shape) for name, shape in zip(NAMES, fixtures.SHAPES)}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def graph():
    return inception.build()


@pytest.fixture(scope="module")
def state(graph):
    return fixtures.weights({name: shape for name, (shape, *_) in inception.slots(graph).items()})


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "inception.safetensors"
    save_file(state, path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def extractors(file):
    """Both, made while the user trains with other settings, which must not matter."""
    policy, order = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_image_data_format("channels_first")
    try:
        # The clean one takes its weights from the other: building is slow on JAX.
        tf1 = inception.Inception(file, batch_size=2, sha256=None)
        clean = inception.Inception.__new__(inception.Inception)
        vars(clean).update(vars(tf1), _resize=inception.resize_clean)
        yield {"tf1": tf1, "clean": clean}
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(order)


def assert_close(actual, expected):
    assert actual.shape == expected.shape and actual.dtype == np.float32
    difference = np.abs(actual - expected)
    assert np.linalg.norm(difference) <= TOLERANCE * np.linalg.norm(expected)
    assert difference.max() <= TOLERANCE * np.abs(expected).mean()


def test_the_graph_has_the_names_of_the_published_file(graph):
    assert sorted(inception.slots(graph)) == SEEN["names"].tolist()
    assert not graph.trainable_variables


@pytest.mark.parametrize("name", NAMES)
def test_features_and_logits_are_torch_fidelitys(extractors, name):
    seen = extractors["tf1"](PICTURES[name])
    assert_close(seen["features"], SEEN[f"{name} features"])
    assert_close(seen["logits"], SEEN[f"{name} logits"])


@pytest.mark.parametrize("name", NAMES)
def test_clean_features_are_clean_fids(extractors, name):
    assert_close(extractors["clean"](PICTURES[name])["features"], SEEN[f"{name} clean features"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resize", ["tf1", "clean"])
def test_resized_images(name, resize):
    resized = np.asarray(inception.RESIZES[resize][0](PICTURES[name]))
    assert resized.shape == (2, 299, 299, PICTURES[name].shape[-1]) and resized.dtype == np.float32
    sample = np.broadcast_to(resized[:, ::23, ::23], SEEN[f"{name} {resize}"].shape)
    np.testing.assert_allclose(sample, SEEN[f"{name} {resize}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 299), (298, 300), (640, 7)])
def test_any_size_is_resized_and_a_flat_image_stays_flat(size):
    for function, *_ in inception.RESIZES.values():
        flat = np.asarray(function(np.full((1, *size, 3), 192, "uint8")))
        np.testing.assert_allclose(flat, np.full((1, 299, 299, 3), 0.5), atol=1e-5)


def test_batches_are_of_one_size_and_do_not_matter(extractors, monkeypatch):
    extractor, shapes = extractors["tf1"], []
    predict = extractor._model.predict_on_batch
    record = lambda x: shapes.append(tuple(x.shape)) or predict(x)
    monkeypatch.setattr(extractor._model, "predict_on_batch", record)
    images = PICTURES["40x56x3"]
    seen = extractor(images[[0, 1, 0]])
    assert shapes == 2 * [(2, 299, 299, 3)]
    for name, rows in seen.items():
        np.testing.assert_allclose(rows[2], rows[0], rtol=1e-4, atol=1e-5)
        assert_close(rows[:2], SEEN[f"40x56x3 {name}"])
    nothing = extractor(images[:0])
    assert {k: v.shape for k, v in nothing.items()} == {"features": (0, 2048), "logits": (0, 1008)}


def test_grey_images_are_repeated(extractors):
    grey = PICTURES["28x28x1"]
    for extractor in extractors.values():
        coloured = np.asarray(extractor._resized(np.repeat(grey, 3, axis=-1)))
        np.testing.assert_allclose(np.asarray(extractor._resized(grey)), coloured, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 2), "uint8"), "1 or 3 channels. Received 2 channels"),
        (np.zeros((2, 8, 8, 4), "uint8"), "1 or 3 channels. Received 4 channels"),
        (np.zeros((2, 8, 8, 3), "float32"), "must be uint8.*float32"),
        (np.zeros((2, 8, 8), "uint8"), r"must be uint8.*\(2, 8, 8\)"),
        (np.zeros((2, 0, 8, 3), "uint8"), "must be uint8"),
        (np.zeros((2, 2), "float32"), "must be uint8"),
    ],
)
def test_wrong_images(extractors, images, message):
    with pytest.raises(ValueError, match=message):
        extractors["tf1"](images)


def test_what_an_extractor_says_of_itself(extractors, file, state, monkeypatch):
    extractor = extractors["tf1"]
    assert extractor.name == "inception-2015-12-05"
    assert extractor.hash == hashlib.sha256(file.read_bytes()).hexdigest()
    assert extractor.classes == 1008 and "TensorFlow 1 bilinear" in extractor.resize
    monkeypatch.setattr(inception, "build", lambda: None)
    monkeypatch.setattr(inception, "assign", lambda model, state: None)
    clean = inception.Inception(file, resize="clean", sha256=extractor.hash.upper())
    assert clean.name == "inception-2015-12-05-clean" and "bicubic" in clean.resize


WRONG = {
    "missing": (lambda s: s.pop("Mixed_7c.branch_pool.bn.bias"), "1 names are missing"),
    "unknown": (lambda s: s.update(other=s["fc.bias"]), r"1 are unknown \('other'\)"),
    "renamed": (lambda s: s.update(fc=s.pop("fc.weight")), "1 names are missing.*1 are unknown"),
    "counter of nothing": (
        lambda s: s.update({"Other.bn.num_batches_tracked": np.array(0)}),
        "1 are unknown",
    ),
    "transposed": (lambda s: s.update({"fc.weight": s["fc.weight"].T}), r"of shape \(1008, 2048\)"),
    "torchvision's classes": (
        lambda s: s.update({"fc.bias": s["fc.bias"][:1000]}),
        r"'fc.bias' must be float32 of shape \(1008,\)",
    ),
    "half": (
        lambda s: s.update({"Conv2d_1a_3x3.bn.weight": np.ones(32, "float16")}),
        "must be float32.*float16",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_weights_that_do_not_fit_change_nothing(graph, state, what):
    spoil, message = WRONG[what]
    given = dict(state)
    spoil(given)
    with pytest.raises(ValueError, match=message):
        inception.assign(graph, given)
    first = graph.get_layer("Conv2d_1a_3x3.conv").kernel
    assert not keras.ops.convert_to_numpy(first).any()


def test_counters_of_pytorch_are_passed_over(extractors, state):
    model = extractors["tf1"]._model
    inception.assign(model, {**state, "Mixed_5b.branch1x1.bn.num_batches_tracked": np.array(7)})
    kernel = keras.ops.convert_to_numpy(model.get_layer("Mixed_6b.branch7x7_2.conv").kernel)
    expected = state["Mixed_6b.branch7x7_2.conv.weight"]  # (out, in, 1, 7) in PyTorch
    np.testing.assert_array_equal(kernel[0, 5], expected[:, :, 0, 5].T)


def test_a_file_with_another_hash(file, monkeypatch):
    with pytest.raises(ValueError, match="SHA-256 is .* not 6726825d.*sha256=None"):
        inception.Inception(file)
    monkeypatch.setenv("GANZOO_INCEPTION", str(file))
    with pytest.raises(ValueError, match="SHA-256 is .* not 6726825d"):
        inception.Inception()


def test_where_weights_come_from(tmp_path, monkeypatch):
    asked = []
    small = pathlib.Path(fixtures.__file__).with_name("torch_legacy.pth")

    def fetch(url, sha256, name, or_else):
        asked.append((url, sha256, name, or_else))
        return small

    monkeypatch.setattr(downloads, "fetch", fetch)
    monkeypatch.delenv("GANZOO_INCEPTION", raising=False)
    with pytest.raises(ValueError, match="names are missing"):
        inception.Inception(sha256=None)
    [(url, sha256, name, or_else)] = asked
    assert sha256 == inception.SHA256 and "GANZOO_INCEPTION" in or_else
    assert url.endswith(name) and name.removesuffix(".pth").endswith(sha256[:8])

    with pytest.raises(FileNotFoundError):
        inception.Inception(tmp_path / "absent.pth")
    for ending in (".pth", ".safetensors"):
        path = tmp_path / f"weights{ending}"
        path.write_bytes(b"not weights")
        monkeypatch.setenv("GANZOO_INCEPTION", str(path))
        with pytest.raises(ValueError, match="damaged"):
            inception.Inception(sha256=None)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"resize": "bilinear"}, ValueError), ({"batch_size": 0}, ValueError)],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match="resize|batch_size"):
        inception.Inception(**arguments)
