"""The page as a program of its own, for tests that ask it or look at it."""

import json
import os
import subprocess
import sys

import pytest

import ganzoo
from tests.cases import CASES
from tests.helpers import ROOT


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The address of `ganzoo explore`, which runs as a program that cannot reach other machines."""
    folder = tmp_path_factory.mktemp("explore")
    model = ganzoo.get("pix2pix", channels=4, image_shape=(32, 32, 3), seed=0)
    model.save(folder / "pix2pix.keras")
    style = ganzoo.get("stylegan2", image_shape=(8, 8, 1), seed=0, **CASES["stylegan2"].config)
    style.save(folder / "style.keras")
    words = ["dcgan.fashion_mnist", "cgan.mnist", "vae.fashion_mnist"]
    words += ["pix2pix.keras", "style.keras"]
    log, temporary = folder / "connections", folder / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "tests.offline", log, "explore", *words]
    options = {
        "cwd": folder,
        "stdout": subprocess.PIPE,
        "text": True,
        "env": {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
    }
    before = sorted(folder.rglob("*"))
    with (
        (folder / "terminal").open("w") as terminal,
        subprocess.Popen([*command, "--port", "0", "--json"], stderr=terminal, **options) as page,
    ):
        try:
            found = json.loads(page.stdout.readline())
            assert found["models"] == words
            yield found["address"]
        finally:
            page.kill()  # not SIGINT, which a program started in the background may ignore
    assert not log.exists(), f"it wanted to reach {log.read_text()}"
    left = set(folder.rglob("*")) - set(before)
    assert left == {folder / "terminal"}  # neither uploads nor results
    said = (folder / "terminal").read_text()  # nothing of what visitors got wrong
    assert "Traceback" not in said and "retracing" not in said
