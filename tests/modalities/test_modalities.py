"""Kinds of data: what enters a model and what leaves it."""

import numpy as np
import pytest
from keras import ops
from PIL import Image

import ganzoo
from ganzoo import modalities
from ganzoo.modalities import Images
from ganzoo.modalities import Points
from ganzoo.modalities import Waveforms

LEVELS = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)


def test_all_grey_levels_survive_the_way_into_a_network_and_out_again():
    kind = Images().of((16, 16, 1))
    for inside in (kind.to_network(LEVELS), np.asarray(kind.preprocess(LEVELS))):
        assert inside.dtype == np.float32 and inside.min() == -1 and inside.max() == 1
        np.testing.assert_array_equal(kind.from_network(inside), LEVELS)
        outside, finite = kind.postprocess(ops.convert_to_tensor(inside))
        np.testing.assert_array_equal(ops.convert_to_numpy(outside), LEVELS)
        assert bool(finite)


@pytest.mark.parametrize(
    ("kind", "shape"), [(Images(), (2, 8, 8, 1)), (Points(), (2, 3))], ids=["images", "points"]
)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_reported_and_replaced(kind, shape, wrong):
    outputs = np.zeros(shape, "float32")
    outputs[1] = wrong
    examples, finite = kind.postprocess(ops.convert_to_tensor(outputs))
    assert not bool(finite)
    examples = ops.convert_to_numpy(examples)
    assert examples.dtype == kind.dtype and np.isfinite(examples.astype("float32")).all()


def test_examples_are_of_the_kind_that_their_axes_say():
    assert modalities.kind_of((8, 8, 3)) == Images((8, 8, 3))
    assert modalities.kind_of((2,)) == Points((2,))
    assert modalities.kind_of((64, 2)) == Waveforms((64, 2))
    kinds = r"3 \(images\) or 1 \(points\) or 2 \(clips\) axes"
    with pytest.raises(ValueError, match=rf"{kinds}.*\(8, 8, 8, 3\)"):
        modalities.kind_of((8, 8, 8, 3))


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        (Images(), (28, 28), "height, width, channels"),
        (Images(), (4, 28, 1), "at least 8×8"),
        (Images(least_side=16), (15, 28, 1), "at least 16×16"),
        (Images(), (28, 28, 5), "1 to 4 channels"),
        (Images(), (3, 28, 28), "channels first"),
        (Points(), (8, 8, 1), r"\(length,\)"),
    ],
)
def test_shapes_of_no_example_are_refused(kind, shape, message):
    with pytest.raises(ValueError, match=message):
        kind.of(shape)


def test_a_model_has_the_kind_that_its_data_are_of():
    model = ganzoo.get("vanilla", generator_units=(4,), discriminator_units=(4,), seed=0)
    assert model.modality is None
    model.setup((2,))
    assert model.modality == Points((2,))
    assert ganzoo.get("vanilla", image_shape=(5, 7, 3)).modality.size == (5, 7)
    with pytest.raises(ValueError, match="Images must have shape"):
        ganzoo.get("dcgan", image_shape=(2,))


def test_floats_in_a_half_of_the_range_are_doubted_and_points_are_not():
    half = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    assert "floats in [0, 1]" in Images().doubt(half)
    assert Images().doubt(half * 2 - 1) is None
    assert Images().doubt(LEVELS) is None
    assert Points().doubt(half[:, 0, :, 0]) is None


def test_a_kind_of_data_shows_and_saves_its_examples(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), "uint8")
    folder = Images().save(images, tmp_path / "images")
    with Image.open(folder / "00003.png") as image:
        np.testing.assert_array_equal(np.asarray(image), images[3, :, :, 0])
    points = np.array([[0.25, -0.5], [1.0, 0.0]], "float32")
    path = Points().save(points, tmp_path / "points.csv")
    np.testing.assert_array_equal(np.loadtxt(path, delimiter=","), points)
    for kind, examples in ((Images(), images), (Points(), points)):
        assert isinstance(kind.preview(examples), Image.Image)


def test_rows_for_distances_are_averages_of_large_images():
    images = np.zeros((2, 64, 64, 1), "uint8")
    images[1] = 255
    rows = Images().rows(images)
    assert rows.shape == (2, 32 * 32)
    np.testing.assert_allclose(rows, [[-1.0] * 1024, [1.0] * 1024])
    assert Points().rows(np.eye(3)).tolist() == np.eye(3).tolist()


def test_a_class_that_still_says_accepts_points_takes_them():
    class Old(ganzoo.GAN):
        accepts_points = True

    assert [kind.name for kind in Old.modalities] == ["images", "points"]
