"""Fixtures for all tests. `KERAS_BACKEND=jax pytest` runs the same tests on JAX."""

import gc
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest

# Graphs are millions of objects, and few of them garbage: look for cycles less often.
gc.set_threshold(100_000, 20, 100)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A file's tests run in one process, where they share what was made; of the conformance tests,
    which are most of the work, those of one model."""
    for item in items:
        group = item.nodeid.partition("::")[0]
        if group.endswith("test_conformance.py") and hasattr(item, "callspec"):
            group += f"-{item.callspec.params.get('name')}"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real pictures; tests that need it skip where it is absent."""
    default = pathlib.Path(__file__).parents[2] / "shared" / "data"
    folder = pathlib.Path(os.environ.get("GANZOO_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real pictures are absent: {folder} (set GANZOO_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def tfds_dir(tmp_path_factory):
    """A folder of prepared TensorFlow data sets that lives as long as the session."""
    return tmp_path_factory.mktemp("tensorflow_datasets")
