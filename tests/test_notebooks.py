"""The notebooks run, and show what they should."""

import pathlib
import re

import nbclient
import nbformat
import pytest

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "docs" / "notebooks"


def run(notebook, folder, monkeypatch):
    """Its cells, executed."""
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    nbclient.NotebookClient(notebook, timeout=1800).execute(cwd=folder)
    return notebook.cells


def pictures(cell):
    return [x.data["image/png"] for x in cell.outputs if "image/png" in x.get("data", {})]


def said(cell):
    return "".join(x.text for x in cell.outputs if x.output_type == "stream")


@pytest.fixture(scope="module")
def first():
    return nbformat.read(NOTEBOOKS / "first-gan.ipynb", as_version=4)


def test_the_first_notebook_runs(first, tmp_path, monkeypatch):
    assert not any(cell.get("outputs") for cell in first.cells)  # nothing old is kept
    cells = [x for x in run(first, tmp_path, monkeypatch) if x.cell_type == "code"]
    fit = next(i for i, x in enumerate(cells) if ".fit(" in x.source)
    # One picture, which has been brought up to date: the next cell makes it from the same latents.
    assert pictures(cells[fit]) == pictures(cells[fit + 1])
    assert pictures(cells[fit]) != pictures(cells[fit + 2])
    assert sum(len(pictures(x)) for x in cells) == 7
    assert said(cells[fit]) == ""  # Keras's bars would stand below the picture
    assert re.search(
        r"frechet\[digits-classifier-v1\] +[\d.]+ +[\d.]+ +lower", said(cells[fit + 3])
    )
    for link in re.findall(r"\]\(([^)#]+)\)", "".join(x.source for x in first.cells)):
        assert (NOTEBOOKS / link).exists(), link


def test_show_updates_one_image_for_each_training(tmp_path, monkeypatch):
    code = """
import ganzoo

shown = []
show = ganzoo.callbacks.Show(n=4)
grid = show._grid
show._grid = lambda: shown.append(1) or grid()
ds = ganzoo.datasets.load("digits")
model = ganzoo.get("vanilla", generator_units=(8,), discriminator_units=(8,), seed=0)
"""
    trainings = [
        "h = model.fit(ds, epochs=2, verbose=0, callbacks=[show]); print(len(shown))",
        "h = model.fit(ds, epochs=4, initial_epoch=2, callbacks=[show], verbose=0)",
    ]
    cells = map(nbformat.v4.new_code_cell, [code, *trainings])
    _, begun, resumed = run(nbformat.v4.new_notebook(cells=[*cells]), tmp_path, monkeypatch)
    assert said(begun) == "3\n"  # untrained, and after each epoch
    assert len(pictures(begun)) == len(pictures(resumed)) == 1
    assert pictures(begun) != pictures(resumed)
    assert not [*tmp_path.iterdir()]
