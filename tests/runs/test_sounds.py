"""Sounds on every path that images have: from files to samples that can be heard."""

import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

import ganzoo
from ganzoo import sounds
from ganzoo.modalities import Waveforms
from ganzoo.runs import publishing
from tests.helpers import Page
from tests.helpers import call
from tests.helpers import done
from tests.helpers import fails

RATE, LENGTH = 8000, 1024
WAVES = Waveforms((LENGTH, 1), RATE)
SMALL = ("channels=2", "discriminator_steps=1", "num_classes=2", "jit_compile=False")


def words(kind):
    """Sixty-four tones of a kind, of which no two are alike."""
    rng = np.random.default_rng(len(kind))
    pitch = {"low": 200, "seven": 1500}[kind] * rng.uniform(0.9, 1.1, (64, 1))
    time = np.arange(LENGTH) / RATE
    return (0.5 * np.sin(2 * np.pi * pitch * time))[..., None]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    for kind in ("low", "seven"):
        sounds.save_each(words(kind), folder / kind, RATE)
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The folder of a run, which is scored, and what was said."""
    folder = tmp_path_factory.mktemp("runs") / "words"
    pairs = [word for pair in SMALL for word in ("--set", pair)]
    said = done(
        *("train", "wavegan", "--data", data, "--length", 512, "--epochs", 2, "--batch-size", 16),
        *(*pairs, "--score-every", 1, "--checkpoint-seconds", 0, "--out", folder),
    )
    return folder, said


def test_it_says_what_it_trains_on_and_its_scores(run):
    folder, said = run
    assert "128 clips in 128 files, 512 values at 8,000 Hz" in said
    assert "cut at the end: 128" in said and " clips/s, " in said and "images" not in said
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(row["frechet[log-mel-20x8]"] > 0 for row in rows)
    assert not any(key.startswith("class_agreement") for key in rows[0])


def test_the_model_knows_the_rate_and_the_run_goes_on(run, data):
    folder, _ = run
    model = ganzoo.get("wavegan", weights=folder)
    assert model.sample_rate == RATE and model.image_shape == (512, 1) and model.num_classes == 2
    again = ["train", "wavegan", "--data", data, "--batch-size", 16, "--epochs", 2, "--out", folder]
    pairs = [word for pair in SMALL for word in ("--set", pair)]
    assert "length was 512, not 600" in fails(*again, *pairs, "--length", 600)
    assert "has 2 epochs already" in done(*again, *pairs, "--length", 512)


def test_samples_are_wav_files_of_the_class_asked_for(run, tmp_path):
    folder, _ = run
    out = tmp_path / "sevens"
    done("sample", folder, "-n", 8, "--labels", "seven", "--seed", 3, "-o", f"{out}/")
    files = sorted(out.iterdir())
    assert [path.name for path in files] == [f"{i:05d}.wav" for i in range(8)]
    wanted = ganzoo.get("wavegan", weights=folder).generate(8, labels=1, seed=3)
    for path, clip in zip(files, wanted):
        rate, found = wavfile.read(path)
        assert rate == RATE and found.dtype == np.int16
        np.testing.assert_array_equal(found, clip[:, 0])
    done("sample", folder, "-n", 4, "--seed", 3, "-o", tmp_path / "deep" / "sheet.png")
    with Image.open(tmp_path / "deep" / "sheet.png") as sheet:
        assert sheet.size == (2 * 100 + 4, 2 * 92 + 4)
    done("sample", folder, "-n", 4, "-o", tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert arrays["images"].shape == (4, 512, 1) and arrays["images"].dtype == np.int16
    ds = ganzoo.datasets.load(tmp_path / "arrays.npz", batch_size=4, verbose=False)
    assert ds.description["image_shape"] == [512, 1] and ds.description["sample_rate"] == RATE
    with pytest.raises(ValueError, match="are at 8,000 samples a second"):
        ganzoo.datasets.load(tmp_path / "arrays.npz", sample_rate=4000, verbose=False)
    said = fails("sample", folder, "--format", "png", "-o", f"{tmp_path / 'images'}/")
    assert "are clips, whose files end in .wav" in said


def test_images_have_no_wav_files(tmp_path):
    said = fails("sample", "dcgan.mnist", "-n", 2, "--format", "wav", "-o", f"{tmp_path / 'a'}/")
    assert "are images, whose files end in .png" in said


def test_the_report_shows_sheets_and_plays_real_clips_and_samples(run):
    folder, _ = run
    page = Page(folder / "report.html")
    assert not page.elsewhere and "Real clips" in page.text and "real images" not in page.text
    assert page.tags.count("audio") == len(page.sounds) == 32
    contents = [base64.b64decode(sound.partition(",")[2]) for sound in page.sounds]
    clips = [wavfile.read(io.BytesIO(content)) for content in contents]
    assert {rate for rate, _ in clips} == {RATE} and {len(clip) for _, clip in clips} == {512}
    made = ganzoo.get("wavegan", weights=folder).generate(64, seed=0)
    np.testing.assert_array_equal(clips[16][1], made[0, :, 0])
    every = sounds.to_int16(np.concatenate([words("low"), words("seven")]))[:, :512, 0]
    real = {tuple(clip) for clip in every}
    assert {tuple(clip) for _, clip in clips[:16]} <= real
    with Image.open(folder / "data.png") as sheet:  # a row of each class
        assert sheet.size == (8 * 100 + 4, 2 * 92 + 4)


def test_evaluate_reads_the_data_at_the_models_rate_and_length(run, data, tmp_path):
    folder, _ = run
    said = done(
        "evaluate", folder, "--samples", 64, "--repeats", 1, "--export", tmp_path / "judges"
    )
    assert "frechet[log-mel-20x8]" in said
    assert len(list((tmp_path / "judges" / "samples").glob("*.wav"))) == 64
    assert wavfile.read(next((tmp_path / "judges" / "data").glob("*.wav")))[0] == RATE
    model = ganzoo.get("wavegan", weights=folder)
    settings = {"metrics": ("frechet",), "samples": 64, "repeats": 1}
    mine = ganzoo.evaluate(model, str(data), verbose=False, **settings)
    arrays = np.concatenate([words("low"), words("seven")])[:, :512].astype("float32")
    given = ganzoo.evaluate(sounds.to_int16(arrays), arrays, **settings)
    assert given["frechet"].value < 1e-6 < mine["frechet"].value


def test_evaluate_compares_rates_and_kinds(run, data, tmp_path):
    folder, _ = run
    model = ganzoo.get("wavegan", weights=folder)
    settings = {"metrics": ("frechet",), "samples": 64, "repeats": 1}
    arrays = np.concatenate([words("low"), words("seven")])[:, :512].astype("float32")
    sheet = ganzoo.evaluate(model, arrays, **settings)
    assert sheet.passport["data"]["sample_rate"] == RATE  # the model's
    sounds.save_each(arrays, tmp_path, 2 * RATE)
    other = ganzoo.datasets.load(tmp_path, batch_size=64, verbose=False)
    with pytest.raises(ValueError, match="8,000 samples a second; the data has 16,000"):
        ganzoo.evaluate(model, other, **settings)
    images = ganzoo.get("vanilla", image_shape=(64, 64, 1), seed=0)
    with pytest.raises(ValueError, match="batches of images"):
        ganzoo.evaluate(images, np.zeros((64, 64, 1), "float32"), **settings)
    with pytest.raises(ValueError, match=r"\(n, height, width, channels\)"):
        ganzoo.evaluate(np.zeros((64, 64, 1), "uint8"), np.zeros((9, 64, 64, 1), "uint8"))


def test_samples_are_shown_next_to_the_nearest_clips(run, tmp_path):
    folder, _ = run
    with Image.open(folder / "nearest.png") as sheet:  # twelve pairs, four in a row
        assert sheet.size == (8 * 100 + 4, 3 * 92 + 4)
    turns = np.geomspace(200, 3000, 24)[:, None, None] * np.arange(LENGTH)[:, None] / RATE
    tones = lambda level, phase: sounds.to_int16(level * np.sin(2 * np.pi * (turns + phase)))
    # The same sounds at other phases and a little softer.
    found = ganzoo.evaluation.nearest_pictures(tones(0.4, 0.3)[::7], tones(0.5, 0), WAVES)
    np.testing.assert_array_equal(found, tones(0.5, 0)[::7])


def test_clips_of_the_training_set_are_recognised():
    clips = sounds.to_int16(np.concatenate([words("low"), words("seven")]))
    train, held_out = clips[::2], clips[1::2]
    judge = ganzoo.evaluation.Evaluator(
        held_out, train=train, metrics="memorisation", samples=64, repeats=1
    ).judge
    assert judge(train)["memorised"].value == 1
    assert judge(held_out)["memorised"].value == 0


def test_it_is_published_with_a_sheet_and_words_for_sounds(run, tmp_path):
    folder, _ = run
    out = tmp_path / "shared"
    publishing.publish(folder, out, samples=64, say=lambda line: None)
    card = (out / "README.md").read_text()
    assert "Clips were cut or followed by silence to 512 values at 8,000 Hz" in card
    with Image.open(out / "grid.png") as grid:
        assert grid.size == (8 * 100 + 4, 8 * 92 + 4)
    assert ganzoo.get("wavegan", weights=out).sample_rate == RATE


def test_plans_name_a_model_of_sounds_or_say_what_is_not_measured(data):
    assert "Name a model that takes them, such as 'wavegan'" in fails(
        "train", data, "--minutes", 30
    )
    said = done("train", "wavegan", "--data", data, "--dry-run")
    assert "the speed of the training is not measured" in said


def test_runs_are_compared(run, tmp_path):
    folder, _ = run
    shutil.copytree(folder, tmp_path / "other")
    said = done("compare", folder, tmp_path / "other", "-o", tmp_path / "page.html")
    assert "wavegan" in said
    assert len(Page(tmp_path / "page.html").pictures) >= 2


def test_a_page_without_python_is_refused_clearly(run, tmp_path):
    folder, _ = run
    said = fails("export", folder, "-o", tmp_path / "page", "--format", "web")
    assert "A page shows images, and this model is one of clips" in said


def test_fine_tuning_takes_the_rate_and_length_of_the_weights(run, tmp_path):
    folder, _ = run
    for kind in ("low", "seven"):
        sounds.save_each(words(kind)[:16], tmp_path / "data" / kind, 2 * RATE)
    more = ["--set", "discriminator_steps=1", "--set", "jit_compile=False"]
    result = call(
        *("train", "wavegan", "--weights", folder, "--data", tmp_path / "data", "--epochs", 1),
        *("--batch-size", 16, *more, "--score-every", 0, "--out", tmp_path / "run"),
    )
    assert result.exit_code == 0, result.output
    assert "resampled: 32 of 16,000 Hz" in result.output
    assert "Clips are cut or followed by silence to 512 values at 8,000 Hz" in result.output
    assert (tmp_path / "run" / "before-after.png").exists()
    again = ["train", "wavegan", "--weights", folder, "--data", tmp_path / "data", "--epochs", 1]
    for asked in (("--sample-rate", 16_000), ("--length", 600)):
        said = fails(*again, *asked, "--out", tmp_path / "other")
        assert f"mono, and {asked[0]}" in said and f"is {asked[1]}: leave it out" in said
    assert "no `image_size`" in fails(*again, "--image-size", 32, "--out", tmp_path / "other")


def test_weights_without_a_rate_take_the_one_that_is_asked_for(data, tmp_path):
    model = ganzoo.get("wavegan", image_shape=(512, 1), channels=1, discriminator_steps=1, seed=0)
    model.save(tmp_path / "model.keras")
    done(
        *("train", "wavegan", "--weights", tmp_path / "model.keras", "--data", data),
        *("--sample-rate", 4000, "--epochs", 1, "--batch-size", 16, "--score-every", 0),
        *("--set", "discriminator_steps=1", "--set", "channels=1", "--out", tmp_path / "run"),
    )
    assert ganzoo.get("wavegan", weights=tmp_path / "run").sample_rate == 4000
