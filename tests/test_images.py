"""Pictures as files: every pixel where it belongs."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import images


def _numbered(n, channels, side=2):
    """Pictures of one shade each: 10, 20, 30, …"""
    shades = (10 * np.arange(1, n + 1)).astype("uint8")
    return np.broadcast_to(shades[:, None, None, None], (n, side, side, channels)).copy()


@pytest.mark.parametrize(
    ("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")], ids=lambda x: str(x)
)
def test_a_grid_puts_each_image_in_its_cell(channels, mode):
    sheet = images.grid(_numbered(5, channels), columns=3, padding=1, least_side=1)
    assert sheet.mode == mode
    assert sheet.size == (3 * 3 + 1, 2 * 3 + 1)  # width, height
    pixels = np.asarray(sheet).reshape(7, 10, channels)
    expected = np.full((7, 10, channels), 255, "uint8")
    for i, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        y, x = 1 + 3 * row, 1 + 3 * column
        expected[y : y + 2, x : x + 2] = 10 * (i + 1)
    np.testing.assert_array_equal(pixels, expected)


def test_a_grid_of_images_that_are_not_square():
    pictures = np.zeros((2, 4, 7, 3), "uint8")
    assert images.grid(pictures, columns=2, padding=0, least_side=1).size == (14, 4)
    assert images.grid(pictures, columns=1, padding=2, least_side=1).size == (11, 14)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (4, 2), (5, 3), (64, 8)])
def test_a_grid_is_as_square_as_possible(n, columns):
    width, _ = images.grid(_numbered(n, 1), padding=0, least_side=1).size
    assert width == 2 * columns


def test_a_small_grid_is_enlarged_by_a_whole_factor():
    small = images.grid(_numbered(4, 3), least_side=1)  # 7×7
    large = images.grid(_numbered(4, 3), least_side=21)
    assert large.size == (21, 21)
    np.testing.assert_array_equal(
        np.asarray(large), np.asarray(small).repeat(3, axis=0).repeat(3, axis=1)
    )


def test_points_are_dots_with_y_upwards():
    points = np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 1.0], [5.0, -5.0]], "float32")
    sheet = np.asarray(images.grid(points, least_side=101))
    dots = {(int(x), int(y)) for y, x in np.argwhere(sheet == 0)}
    # Bottom left, top right, top centre; what lies outside is drawn at the edge.
    assert dots == {(0, 100), (100, 0), (50, 0), (100, 100)}
    assert set(np.unique(sheet)) == {0, 255}


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 4, 4, 1), "float32"),
        np.zeros((4, 4, 1), "uint8"),
        np.zeros((2, 4, 4, 5), "uint8"),
        np.zeros((0, 4, 4, 1), "uint8"),
        np.zeros((3, 1), "float32"),
    ],
    ids=["floats", "one picture", "five channels", "none", "numbers"],
)
def test_what_is_no_image_is_refused(wrong):
    with pytest.raises(ValueError, match=r"`images` must be uint8") as error:
        images.grid(wrong)
    assert f"{wrong.dtype} of shape {wrong.shape}" in str(error.value)


def test_save_grid_makes_the_folder(tmp_path):
    path = images.save_grid(_numbered(2, 3), tmp_path / "a" / "b" / "grid.png", columns=2)
    assert path == tmp_path / "a" / "b" / "grid.png"
    np.testing.assert_array_equal(
        np.asarray(Image.open(path)), np.asarray(images.grid(_numbered(2, 3), columns=2))
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_save_each_writes_one_exact_file_per_image(tmp_path, rng, channels):
    pictures = rng.integers(0, 256, (3, 5, 4, channels), dtype="uint8")
    folder = images.save_each(pictures, tmp_path / "each", start=98)
    assert sorted(p.name for p in folder.iterdir()) == ["00098.png", "00099.png", "00100.png"]
    for i, picture in enumerate(pictures, 98):
        read = np.asarray(Image.open(folder / f"{i:05d}.png")).reshape(5, 4, channels)
        np.testing.assert_array_equal(read, picture)


def test_points_cannot_be_single_files(tmp_path):
    with pytest.raises(ValueError, match=r"Received shape \(3, 2\): save points as a grid"):
        images.save_each(np.zeros((3, 2), "float32"), tmp_path / "each")
    assert not (tmp_path / "each").exists()


def _frames(folder, n):
    """Picture files of `n` different shades."""
    folder.mkdir()
    paths = [folder / f"{i}.png" for i in range(n)]
    for i, path in enumerate(paths):
        Image.fromarray(np.full((4, 6), 2 * i, "uint8")).save(path)
    return paths


def _shades(path):
    """Shade and duration of each frame of an animation."""
    with Image.open(path) as gif:
        found = []
        for i in range(gif.n_frames):
            gif.seek(i)
            found.append((gif.convert("RGB").getpixel((0, 0))[0], gif.info["duration"]))
        return found, gif.info["loop"], gif.size


def test_a_gif_shows_all_frames_endlessly_and_rests_on_the_last(tmp_path):
    frames = _frames(tmp_path / "frames", 5)
    path = images.save_gif(frames, tmp_path / "a.gif", seconds=1.0)
    shown, loop, size = _shades(path)
    assert shown == [(0, 200), (2, 200), (4, 200), (6, 200), (8, 1500)]
    assert loop == 0  # endless
    assert size == (6, 4)


def test_a_long_gif_takes_frames_evenly_with_first_and_last(tmp_path):
    frames = _frames(tmp_path / "frames", 101)
    shown, _, _ = _shades(images.save_gif(iter(frames), tmp_path / "a.gif", most=5))
    assert [shade for shade, _ in shown] == [0, 50, 100, 150, 200]
    shown, _, _ = _shades(images.save_gif(frames, tmp_path / "b.gif", seconds=0.1))
    assert len(shown) == 100
    assert shown[0] == (0, 20)  # no browser shows them faster


def test_a_gif_of_one_frame_and_of_none(tmp_path):
    frames = _frames(tmp_path / "frames", 1)
    path = images.save_gif(frames, tmp_path / "a.gif")
    assert path == tmp_path / "a.gif"
    with Image.open(path) as gif:
        assert gif.n_frames == 1
    with pytest.raises(ValueError, match="`frames` names no image file"):
        images.save_gif([], tmp_path / "b.gif")


def test_arrays_of_several_shapes_or_dtypes_make_no_file_of_garbage(tmp_path):
    first = np.zeros((1, 3, 4, 1), "uint8")
    for other in (np.zeros((1, 4, 3, 1), "uint8"), first.astype("int8")):
        with pytest.raises(ValueError, match="one shape and dtype.*uint8 of shape .3, 4, 1.*then"):
            images.save_arrays(tmp_path / "a.npz", images=(2, [first, other]))
