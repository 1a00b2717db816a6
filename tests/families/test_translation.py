"""Two domains: their data, the networks against the authors', and games with known answers."""

import importlib.util
import pathlib
import zipfile

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

import ganzoo
from ganzoo import backend
from ganzoo import datasets
from ganzoo import layers
from ganzoo.networks import patch
from ganzoo.networks import translators as networks
from ganzoo.networks import unet


def pictures(n=8, shape=(8, 8, 1), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype("uint8")


def tiny(name, **config):
    own = {"cyclegan": {"blocks": 1}, "cogan": {"latent_dim": 3}, "pix2pix": {}}[name]
    return ganzoo.get(name, **{"channels": 2, "seed": 0, "jit_compile": False, **own, **config})


def digits():
    return np.concatenate([np.asarray(b) for b in datasets.load("digits", shuffle=False)])


# Data of two domains --------------------------------------------------------------------------


def numbered(n, offset=0):
    """Pictures of which each has its own number in all places."""
    return np.broadcast_to((np.arange(n) + offset)[:, None, None, None], (n, 8, 8, 1)).astype(
        "uint8"
    )


def seen(ds):
    """The numbers in all batches, of images and of targets."""
    batches = [[np.asarray(part)[:, 0, 0, 0] for part in batch] for batch in ds]
    return [np.concatenate(parts) for parts in zip(*batches)]


def test_unpaired_arrays_of_different_lengths_wrap_around():
    ds = datasets.load_pair(numbered(10), numbered(4, 100), paired=False, batch_size=5)
    a, b = seen(ds)
    assert sorted(a) == list(range(10))  # an epoch is as long as the longer domain
    assert set(b) == {100, 101, 102, 103}
    assert np.bincount(b - 100).max() <= 3  # 10 = 2·4 + 2
    again = datasets.load_pair(numbered(10), numbered(4, 100), paired=False, batch_size=5)
    for x, y in zip((a, b), seen(again)):
        np.testing.assert_array_equal(x, y)
    assert ds.description["pictures"] == [10, 4]


def test_paired_arrays_stay_together_in_every_epoch():
    ds = datasets.load_pair(numbered(10), numbered(10, 100), paired=True, batch_size=4)
    for _ in range(2):
        a, b = seen(ds)
        assert sorted(a) == list(range(10)) and (b == a + 100).all()


def test_without_tensorflow_the_batches_are_the_same(monkeypatch):
    args = (numbered(10), numbered(4, 100))
    if keras.backend.backend() == "tensorflow":
        with_tf = seen(datasets.load_pair(*args, paired=False, batch_size=5, seed=3))
    find = importlib.util.find_spec
    hidden = lambda name, *a: None if name == "tensorflow" else find(name, *a)
    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    ds = datasets.load_pair(*args, paired=False, batch_size=5, seed=3)
    assert isinstance(ds, keras.utils.PyDataset)
    without = seen([ds[i] for i in range(len(ds))])
    if keras.backend.backend() == "tensorflow":
        for x, y in zip(with_tf, without):
            np.testing.assert_array_equal(x, y)
    with pytest.raises(ValueError, match=r"learns from pairs.*paired=True.*'cyclegan'"):
        tiny("pix2pix").fit(ds, verbose=0)


def test_sources_that_are_read_again_wrap_too():
    a, b = (datasets.source.Resized(datasets.source.Arrays(numbered(n)), (9, 9)) for n in (7, 3))
    both = datasets.pairs.together(a, b)
    assert isinstance(both, backend.SideBySide) and len(both) == 7
    images, targets = both.read(np.array([6, 2]))
    assert images[:, 0, 0, 0].tolist() == [6, 2] and targets[:, 0, 0, 0].tolist() == [0, 2]


def save(folder, names, shape=(8, 8)):
    folder.mkdir(parents=True)
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(np.full(shape, 10 * i, "uint8")).save(folder / name)
    return folder


def test_files_are_matched_by_name(tmp_path):
    a = save(tmp_path / "a", ["one.png", "two.png", "three.png", "four.png"])  # 0, 10, 20, 30
    b = save(tmp_path / "b", ["deep/three.bmp", "two.png", "six.png"])  # 0, 10, 20
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for file in b.rglob("*.*"):
            archive.write(file, file.relative_to(b))
    for other in (b, tmp_path / "b.zip"):
        ds = datasets.load_pair(a, other, paired=True, batch_size=2)
        images, targets = seen(ds)
        assert sorted(zip(images.tolist(), targets.tolist())) == [(10, 10), (20, 0)]
        assert ds.description["pictures"] == [2, 2] and ds.description["left_out"] == [2, 1]


def test_files_are_matched_by_a_key(tmp_path):
    a = save(tmp_path / "a", ["emoji_u1f3c4_200d_2640.png", "emoji_u2764.png"])
    b = save(tmp_path / "b", ["1f3c4-200d-2640-fe0f.png", "2764-fe0f.png"])
    with pytest.raises(ValueError, match=r"No file .* has a partner.*emoji_u1f3c4.*Pass `key`"):
        datasets.load_pair(a, b, paired=True)
    images, targets = seen(datasets.load_pair(a, b, paired=True, key=code_points, batch_size=1))
    assert sorted(zip(images.tolist(), targets.tolist())) == [(0, 0), (10, 10)]


def code_points(name):
    """noto's `emoji_u1f3c4_200d.png` and twemoji's `1f3c4-200d-fe0f.png` as the same."""
    stem = pathlib.PurePosixPath(name).stem
    return stem.removeprefix("emoji_u").replace("_", "-").replace("-fe0f", "")


def test_noto_and_twemoji_share_3555_images(real_data):
    a, b = (real_data / f"{name}-72.zip" for name in ("noto-emoji", "twemoji"))
    ds = datasets.load_pair(a, b, paired=True, key=code_points, image_size=8, channels=3)
    assert ds.description["pictures"] == [3555, 3555]  # as the folder's README says


def load_pair_of(tmp_path):
    save(tmp_path / "twice", ["x/one.png", "y/one.png"])
    save(tmp_path / "files", ["one.png"])
    a = pictures(6)
    return {
        "lengths": ((a, a[:4]), {"paired": True}, r"6 images and 4 targets.*'cyclegan'"),
        "one has names": ((tmp_path / "files", a), {"paired": True}, "by name and arrays by index"),
        "twice the same name": (
            (tmp_path / "twice", tmp_path / "files"),
            {"paired": True},
            r"same key 'one'.*x/one.png.*y/one.png.*Pass `key`",
        ),
        "sizes": ((a, pictures(6, (9, 8, 1))), {"paired": False}, "8×8×1 and 9×8×1.*image_size="),
        "channels": ((a, pictures(6, (8, 8, 3))), {"paired": True}, "8×8×1 and 8×8×3.*channels="),
        "key without pairs": ((a, a), {"paired": False, "key": str}, "paired=True"),
        "key for arrays": ((a, a), {"paired": True, "key": str}, "matched by index"),
        "paired": ((a, a), {"paired": "yes"}, "`paired`"),
        "empty": ((a, a[:0]), {"paired": False}, "empty"),
    }


@pytest.mark.parametrize(
    "what",
    ["lengths", "one has names", "twice the same name", "sizes", "channels"]
    + ["key without pairs", "key for arrays", "paired", "empty"],
)
def test_bad_pairs_of_sources(what, tmp_path):
    sources, options, message = load_pair_of(tmp_path)[what]
    with pytest.raises(ValueError, match=message):
        datasets.load_pair(*sources, **options)


A = pictures(8)
FLOATS = A / 127.5 - 1
BAD = {
    "one domain": ("pix2pix", (A,), r"two domains.*fit\(images, targets\).*paired=True"),
    "labels": ("cyclegan", (A, np.zeros(8, "int32")), r"two domains.*paired=False"),
    "labels for cogan": ("cogan", (A, np.zeros(8, "int32")), "two domains"),
    "shapes": ("cyclegan", (A, pictures(8, (9, 8, 1))), "8×8×1 and 9×8×1.*image_size="),
    "channels": ("cogan", (A, pictures(8, (8, 8, 3))), "8×8×1 and 8×8×3.*channels="),
    "lengths": ("pix2pix", (A, A[:6]), r"Received 8 and 6.*load_pair.*'cyclegan'"),
    "out of range": ("pix2pix", (FLOATS, 2 * FLOATS), r"lie in \[-1, 1\]"),
    "out of range at the end": (
        "cyclegan",
        (FLOATS, np.concatenate([FLOATS, 2 * FLOATS])),
        r"lie in \[-1, 1\]",
    ),
    "too small": ("cogan", (A[:, :4], A[:, :4]), "at least 8×8"),
    "whole numbers": ("pix2pix", (A, A.astype("int64")), "uint8 in 0..255 or float"),
    "empty": ("cyclegan", (A, A[:0]), "empty"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_data(what):
    name, data, message = BAD[what]
    model = tiny(name)
    with pytest.raises(ValueError, match=message):
        model.fit(*data, batch_size=4, verbose=0)
    assert not model.built or int(model.step) == 0


@pytest.mark.parametrize("name", ["cyclegan", "cogan"])
def test_paired_data_for_a_model_without_pairs(name):
    ds = datasets.load_pair(A, 255 - A, paired=True, batch_size=4)
    with pytest.raises(ValueError, match=r"'pix2pix'.*paired=False"):
        tiny(name).fit(ds, verbose=0)


def test_unpaired_data_for_a_model_of_pairs_even_below_a_map():
    ds = datasets.load_pair(A, 255 - A, paired=False, batch_size=4)
    if hasattr(ds, "map"):
        ds = ds.map(lambda a, b: (a, b))
    with pytest.raises(ValueError, match=r"learns from pairs.*paired=True.*'cyclegan'"):
        tiny("pix2pix").fit(ds, verbose=0)


def test_what_translators_and_coupled_models_refuse():
    with pytest.raises(ValueError, match="no way back.*'cyclegan'"):
        tiny("pix2pix", image_shape=(8, 8, 1)).translate(A, reverse=True)
    with pytest.raises(ValueError, match="no networks yet"):
        tiny("cyclegan").translate(A)
    with pytest.raises(AttributeError, match="no `translate`.*cyclegan, pix2pix"):
        tiny("cogan").translate  # noqa: B018
    with pytest.raises(AttributeError, match="no `generate`.*cogan"):
        tiny("pix2pix").generate(4)
    with pytest.raises(ValueError, match="`domain`.*images, targets"):
        tiny("cogan", image_shape=(8, 8, 1)).generate(4, domain="both")
    with pytest.raises(ValueError, match="takes no labels"):
        tiny("cogan", num_classes=3)
    with pytest.raises(ValueError, match="`apart` is at most 2 for images of 8×8"):
        tiny("cogan", apart=3, image_shape=(8, 8, 1))
    model = tiny("cyclegan", image_shape=(8, 8, 1))
    for bad in (A[0], pictures(2, (8, 8, 3)), A[:0]):
        with pytest.raises(ValueError, match=r"shape \(n, height, width, 1\)"):
            model.translate(bad)
    with pytest.raises(ValueError, match="at least 8×8"):
        model.translate(A[:, :7])
    # The innermost normalised layer of a U-Net for 64×64 needs two pixels.
    deep = tiny("pix2pix", image_shape=(64, 64, 1))
    with pytest.raises(ValueError, match="at least 33×33"):
        deep.translate(pictures(1, (32, 40, 1)))
    for name in ("pix2pix", "cyclegan"):
        with pytest.raises(ValueError, match="`patch_layers` must be at most 2 .*8×8.*3"):
            tiny(name, patch_layers=3, image_shape=(8, 8, 1))
        with pytest.raises(ValueError, match="`patch_layers` must be at least 1"):
            tiny(name, patch_layers=0)


def test_fit_takes_arrays_of_two_lengths():
    model = tiny("cogan")
    history = model.fit(pictures(8), pictures(21, seed=1), batch_size=4, epochs=1, verbose=0)
    assert int(model.step) == 5  # 21 // 4
    assert np.isfinite(list(history.history.values())).all()


# Networks -------------------------------------------------------------------------------------


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_papers_networks_have_as_many_parameters_as_the_authors():
    """Counted by hand from the layers of pytorch-CycleGAN-and-pix2pix (models/networks.py)."""
    # UnetGenerator, num_downs 8, batch norm: 4·4 kernels without bias but for the last layer's 3,
    # a scale and an offset for each normalised channel. It prints 54.414 M.
    down = [(3, 64), (64, 128), (128, 256), (256, 512), *4 * [(512, 512)]]
    up = [(512, 512), *3 * [(1024, 512)], (1024, 256), (512, 128), (256, 64), (128, 3)]
    kernels = sum(16 * a * b for a, b in down + up)
    normalised = 128 + 256 + 4 * 512 + 4 * 512 + 256 + 128 + 64
    assert kernels + 2 * normalised + 3 == 54_413_955
    assert parameters(unet.unet((256, 256, 3))) == 54_413_955
    # NLayerDiscriminator, n_layers 3, input 3 + 3, batch norm. It prints 2.769 M.
    assert parameters(patch.patch_discriminator((256, 256, 6), affine=True)) == 2_768_705
    # The same of CycleGAN, input 3, instance norm without scale and offset: 2,764,737, among them
    # the biases of three normalised convolutions, which change nothing and which ours leave out.
    dead = 128 + 256 + 512
    assert parameters(patch.patch_discriminator((256, 256, 3))) == 2_764_737 - dead
    # ResnetGenerator, 9 blocks, instance norm: 11,378,179, likewise (of the 49·64 → 3 layer at the
    # end, which is not normalised, the bias counts).
    dead = 64 + 128 + 256 + 18 * 256 + 128 + 64
    assert parameters(networks.residual((256, 256, 3))) == 11_378_179 - dead
    six = 11_378_179 - dead - 6 * 9 * 256 * 256
    assert parameters(networks.residual((128, 128, 3))) == six


def test_by_default_the_models_have_these_networks():
    model = ganzoo.get("pix2pix", image_shape=(256, 256, 3))
    assert parameters(model.generator) == 54_413_955
    assert parameters(model.discriminator) == 2_768_705
    rate = model.optimizer["generator"]
    assert float(rate.learning_rate) == pytest.approx(2e-4) and rate.beta_1 == 0.5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_logit_sees_a_patch_of_the_size_promised(count):
    side, size = 160, patch.receptive_field(count)
    judge = patch.patch_discriminator((side, side, 1), channels=2, count=count)
    for layer in judge.layers:  # normalisation looks at the whole picture: left out here
        if isinstance(layer, layers.InstanceNorm):
            layer.call = lambda x: x
    places = side // 2**count
    x = ops.convert_to_tensor(pictures(1, (side, side, 1)) / np.float32(255))
    slope = backend.input_gradient(lambda x: judge(x)[:, places // 2, places // 2], x)
    rows, columns = np.nonzero(ops.convert_to_numpy(slope)[0, :, :, 0])
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == size


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 11, 3), (30, 17, 1), (72, 72, 3)])
def test_translators_give_back_the_size_whatever_it_is(shape):
    images = np.zeros((1, *shape), "float32")
    for network in (unet.unet(shape, 2), networks.residual(shape, 2, 1)):
        assert tuple(network(images).shape) == (1, *shape)
        free = np.zeros((1, 13, 50, shape[2]), "float32")
        assert tuple(network(free).shape) == free.shape


def test_a_u_net_of_an_even_size_uses_every_pixel_and_every_level():
    network = unet.unet((32, 32, 1), 4)
    sizes = [layer.output for layer in network.layers if "conv" in layer.name]
    x = ops.convert_to_tensor(pictures(1, (32, 32, 1)) / np.float32(255))
    slope = backend.input_gradient(lambda x: network(x)[:, 16, 16], x)
    assert len(sizes) == 2 * unet.halvings(32, 32) == 10
    assert (ops.convert_to_numpy(slope) != 0).mean() > 0.99


def test_instance_norm_and_its_derivatives():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
    layer = layers.InstanceNorm(epsilon=1e-3)
    mean = x.mean((1, 2), keepdims=True)
    wanted = (x - mean) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), wanted, atol=1e-5)
    weights = ops.convert_to_tensor(x[:1] ** 2)

    def slope(x):  # of something that is not linear in what comes out
        return backend.input_gradient(lambda x: ops.sum(ops.sin(layer(x)) * weights), x)

    # The second derivative along a direction, against differences of the first, in float32:
    # truncation and noise are about 1e-3 of slopes of about 10.
    way = ops.convert_to_tensor(np.random.default_rng(1).standard_normal(x.shape).astype("float32"))
    x, h = ops.convert_to_tensor(x), 1e-2
    got = backend.input_gradient(lambda x: ops.sum(slope(x) * way), x)
    difference = (slope(x + h * way) - slope(x - h * way)) / (2 * h)
    got, difference = map(ops.convert_to_numpy, (got, difference))
    np.testing.assert_allclose(got, difference, atol=0.01 * np.abs(difference).max())


def test_reflection_padding_mirrors():
    x = np.arange(20, dtype="float32").reshape(1, 4, 5, 1)
    got = ops.convert_to_numpy(layers.ReflectionPadding(1, multiple=4)(x))
    np.testing.assert_array_equal(
        got[0, :, :, 0], np.pad(x[0, :, :, 0], [(1, 1), (1, 4)], mode="reflect")
    )


# The history of translations ------------------------------------------------------------------


def test_the_history_gives_back_what_comes_until_it_is_full():
    history = layers.ImageHistory(6)
    for start in (0, 4):
        new = numbered(4, start).astype("float32")
        np.testing.assert_array_equal(ops.convert_to_numpy(history(new)), new)
    # Of the second batch it had room for two.
    assert sorted(ops.convert_to_numpy(history.kept)[:, 0, 0, 0]) == [0, 1, 2, 3, 4, 5]
    assert int(history.count) == 6


def test_a_full_history_exchanges_half_and_loses_nothing():
    history = layers.ImageHistory(8)
    numbers = lambda x: ops.convert_to_numpy(x)[:, 0, 0, 0].tolist()
    history(np.reshape(np.arange(8, dtype="float32"), (8, 1, 1, 1)))
    old, latest, swapped = set(range(8)), 8, 0
    for _ in range(100):
        new = np.reshape(np.arange(latest, latest + 5, dtype="float32"), (5, 1, 1, 1))
        came = numbers(new)
        out, kept = numbers(history(new)), numbers(history.kept)
        # What went in and what was there is what came out and what is there.
        assert sorted([*out, *kept]) == sorted([*came, *old])
        swapped += len(set(out) - set(came))
        for before, after in zip(came, out):
            assert before == after or (after in old and before in kept)
        old, latest = set(kept), latest + 5
    # 500 coins: 250 ± 11; four such deviations are allowed.
    assert abs(swapped - 250) < 45


def test_a_history_of_none_and_a_batch_larger_than_the_history():
    x = numbered(5).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(layers.ImageHistory(0)(x)), x)
    history = layers.ImageHistory(2)
    history(x)
    out = ops.convert_to_numpy(history(x + 100))[:, 0, 0, 0]
    assert (out[2:] == [102, 103, 104]).all()


# Known answers --------------------------------------------------------------------------------


def error(a, b):
    """Mean absolute difference, in grey levels."""
    return np.abs(a.astype("float32") - b.astype("float32")).mean()


def test_pix2pix_undoes_a_change_of_pixels():
    """Inverted, and with left and right exchanged: known for held-out pictures too."""
    images = digits()
    targets = 255 - images[:, :, ::-1]
    model = ganzoo.get("pix2pix", channels=16, dropout=0.0, learning_rate=1e-3, seed=0)
    model.fit(images[:1200], targets[:1200], batch_size=32, epochs=10, verbose=0)
    held_out, truth = images[1200:], targets[1200:]
    # Measured: 46 grey levels of error for the best constant picture, 178 for no change, 14 to 15
    # here, with six seeds.
    constant = error(np.median(targets, axis=0, keepdims=True), truth)
    found = error(model.translate(held_out), truth)
    assert found < constant / 2, (found, constant)


def scenes(n, seed):
    """4×4 red blocks, each with a brightness of its own, which is more often low than high."""
    places = 8 * np.random.default_rng(9).permutation(16).reshape(4, 4)
    grey = places + 130 * np.random.default_rng(seed).random((n, 4, 4)) ** 3
    found = np.zeros((n, 16, 16, 3), "uint8")
    found[..., 0] = grey.repeat(4, axis=1).repeat(4, axis=2)
    return found


def test_cyclegan_finds_the_blue_of_red_without_pairs():
    """Red scenes and blue ones, of which no two belong together: the translation of a red one is
    the same scene in blue, and back."""
    blue = lambda scenes: scenes[..., ::-1]
    red, other, held_out = scenes(600, 0), blue(scenes(450, 1)), scenes(200, 2)
    # Errors in grey levels: 62 for no change, 13 for other scenes, 9.6 for the best constant
    # picture. The game has other solutions, such as blocks exchanged, and which one is found is
    # settled in the first steps: two of three seeds find this one (measured: 3.5 to 4.2), and
    # which of them do differs between processors.
    constant = error(np.median(blue(red), axis=0, keepdims=True), blue(held_out))
    for seed in range(1, 9):
        model = ganzoo.get(
            "cyclegan", channels=8, blocks=1, patch_layers=1, learning_rate=1e-3, seed=seed
        )
        model.fit(red, other, batch_size=16, epochs=6, verbose=0)
        there = error(model.translate(held_out), blue(held_out))
        back = error(model.translate(blue(held_out), reverse=True), held_out)
        if max(there, back) < 0.6 * constant:
            break
    assert max(there, back) < 0.6 * constant < 0.1 * error(held_out, blue(held_out)), (there, back)


def test_cogan_couples_digits_and_their_negatives():
    """Half of the digits, and the negatives of the other half: pairs are negatives."""
    images = digits()
    model = ganzoo.get("cogan", channels=16, latent_dim=16, learning_rate=5e-4, seed=0)
    model.fit(images[:750], 255 - images[750:], batch_size=32, epochs=30, verbose=0)
    a, b = model.generate_pairs(256, seed=1)
    # Measured with six seeds: 13 to 23 grey levels between partners, 39 to 56 between others, as
    # 0.25 to 0.58. Without a coupling both would be the same.
    assert error(255 - b, a) < 0.8 * error(255 - b, a[::-1])
    np.testing.assert_array_equal(a, model.generate(256, seed=1))
    np.testing.assert_array_equal(b, model.generate(256, seed=1, domain="targets"))
    # And they are digits: all darker than their negatives, and of many kinds.
    # Measured: 79 to 83, 171 to 179, and 34 to 51.
    assert a.mean() < 100 and b.mean() > 155 and a.std(axis=0).mean() > 20


@pytest.mark.slow
def test_cogan_couples_mnist_and_usps(real_data):
    """Liu, Tuzel 2016, section 6: the digits of two collections, without a label."""
    import gzip

    import h5py
    from sklearn.neighbors import KNeighborsClassifier

    def idx(name, start, shape):
        with gzip.open(real_data / "mnist" / name) as file:
            return np.frombuffer(file.read(), "uint8", offset=start).reshape(shape)

    mnist = idx("train-images-idx3-ubyte.gz", 16, (-1, 28, 28, 1))[:7000, 2:26, 2:26]
    of_mnist = idx("train-labels-idx1-ubyte.gz", 8, (-1,))[:7000]
    with h5py.File(real_data / "usps" / "usps.h5") as file:
        usps = np.round(255 * file["train/data"][:].reshape(-1, 16, 16, 1)).astype("uint8")
        of_usps = file["train/target"][:]
    ds = datasets.load_pair(mnist, usps, paired=False, image_size=16)
    model = ganzoo.get("cogan", channels=32, seed=0)
    model.fit(ds, epochs=25, verbose=0)
    a, b = model.generate_pairs(1000, seed=0)
    small = np.concatenate([np.asarray(x) for x in datasets.load(mnist, image_size=16, shuffle=0)])
    flat = lambda x: x.reshape(len(x), -1) / 255
    judge = lambda x, y: KNeighborsClassifier(3).fit(flat(x), y)
    same = judge(small, of_mnist).predict(flat(a)) == judge(usps, of_usps).predict(flat(b))
    # Measured: 0.49, of a thousand; by chance a tenth would be.
    assert same.mean() > 0.35, same.mean()


def test_one_translator_takes_images_of_any_size():
    for name in ("pix2pix", "cyclegan"):
        model = tiny(name, image_shape=(9, 8, 3))
        for shape in ((8, 8, 3), (9, 8, 3), (31, 13, 3), (16, 40, 3)):
            images = pictures(3, shape)
            made = model.translate(images, batch_size=2)
            assert made.shape == images.shape and made.dtype == np.uint8
            np.testing.assert_array_equal(made[2], model.translate(images[2:])[0])
    there, back = model.translate(images), model.translate(images, reverse=True)
    assert (there != back).any()


def test_cyclegan_keeps_translations_and_translates_with_averaged_networks():
    model = tiny("cyclegan", history_size=4, ema_decay=0.9)
    model.fit(A, pictures(13, seed=1), batch_size=4, epochs=3, verbose=0)
    kept = {key: ops.convert_to_numpy(layer.kept) for key, layer in model.kept.items()}
    assert all(np.abs(x).min(axis=0).max() > 0 for x in kept.values())
    assert all(int(layer.count) == 4 for layer in model.kept.values())
    assert (kept["images"] != kept["targets"]).any()
    averaged = model.translate(A)
    for v in model.generator.trainable_variables:
        v.assign(0 * v)
    np.testing.assert_array_equal(model.translate(A), averaged)


# Runs -----------------------------------------------------------------------------------------


def test_a_run_on_two_domains_shows_sources_beside_translations(tmp_path):
    from ganzoo import runs

    for name, images in (("a", A), ("b", 255 - A)):
        np.save(tmp_path / f"{name}.npy", images)
    options = {"batch_size": 4, "samples": 4, "say": lambda text: None, "verbose": 0}
    options["arguments"] = {"channels": 2, "jit_compile": False}
    a, b = tmp_path / "a.npy", tmp_path / "b.npy"
    model = runs.train("pix2pix", a, to=b, out=tmp_path / "run", epochs=1, **options)
    assert int(model.step) == 2

    def shown(epoch):
        """The first picture and its target."""
        with Image.open(tmp_path / "run" / "samples" / f"epoch-{epoch:04}.png") as grid:
            grid = np.asarray(grid.convert("L"))
        # Three columns, of 9 pixels and a border, enlarged: picture, translation, target.
        factor = grid.shape[1] // (3 * 9 + 1)
        small = grid[factor // 2 :: factor, factor // 2 :: factor]
        return small[1:9, 1:9], small[1:9, 19:27]

    source, target = shown(1)
    np.testing.assert_array_equal(source, 255 - target)
    assert any((source == x[..., 0]).all() for x in A)
    resumed = runs.train("pix2pix", a, to=b, out=tmp_path / "run", epochs=2, **options)
    assert int(resumed.step) == 4
    np.testing.assert_array_equal(shown(2), shown(1))  # the same picture after a restart
    with pytest.raises(ValueError, match="two domains.*--to"):
        runs.train("cyclegan", a, out=tmp_path / "other", **options)
    with pytest.raises(ValueError, match="one domain.*leave out --to"):
        runs.train("dcgan", a, to=b, out=tmp_path / "other", **options)
