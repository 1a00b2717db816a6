"""Fixtures for all tests. `KERAS_BACKEND=jax pytest` runs the same tests on JAX."""

import gc
import http.server
import itertools
import os
import pathlib
import re
import shutil
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Each worker of several computes with its share of the cores: threads that wait for a core which
# another worker holds spin. Programs that tests start inherit this.
os.environ.update(
    dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"),
        str(max(1, os.cpu_count() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))),
    )
    | dict(os.environ)
)

import keras
import numpy as np
import pytest

from ganzoo import backend
from ganzoo.files import downloads
from ganzoo.game import precision


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests run in one process, where they share what was made; of the conformance tests,
    which are most of the work, those of one model.

    xdist 3.8 has groups for that, but under pytest 9.2 ignores them without a word.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            model = re.search(r"\[(\w+)", test) if file.endswith("test_conformance.py") else None
            return f"{file}-{model[1]}" if model else file

    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def the_same_precision_on_every_processor():
    """Known answers and margins belong to one precision; `test_precision.py` tests the choice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "has_bfloat16_unit", lambda: False)
        patch.setattr(precision, "bfloat16_speed", lambda: 1.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def collecting_between_tests():
    """Graphs are millions of objects in cycles. Python would look at all of them again and again
    while a test runs, or, with higher thresholds, hold gigabytes."""
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.disable()
    yield
    gc.enable()


TESTS = itertools.count(1)


@pytest.fixture(autouse=True)
def collect(collecting_between_tests):
    yield
    if next(TESTS) % 8 == 0:
        gc.collect()


def rewrite_graphs(yes):
    """Whether TensorFlow rewrites each graph before its first run."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not yes})


@pytest.fixture(scope="session", autouse=True)
def graphs_as_they_were_written():
    """Rewriting takes a fifth of a short training's time. Programs that tests start in a process of
    their own keep it, as users do."""
    rewrite_graphs(False)


@pytest.fixture(scope="module")
def graphs_as_users_have_them():
    """For files of tests that compare with another process to the last bit."""
    rewrite_graphs(True)
    yield
    rewrite_graphs(False)


@pytest.fixture
def module(monkeypatch):
    """A module of `benchmarks/` or `benchmarks/tools/`, by name."""
    benchmarks = pathlib.Path(__file__).parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(benchmarks / "tools")
    monkeypatch.syspath_prepend(benchmarks)
    before = set(sys.modules)
    yield __import__
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(benchmarks)):
            del sys.modules[name]


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


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.content` at any path, but for those that are misfortunes."""

    def do_GET(self):
        self.server.requests.append(self.path)
        what, patience = self.path[1:], self.server.patience
        first = self.server.requests.count(self.path) == 1
        if what in ("absent", "broken", "busy") and (first or what != "busy"):
            return self.send_error({"absent": 404, "broken": 500, "busy": 503}[what])
        if what == "slow":
            return patience.wait()
        if what in ("moved", "sent_on", "nowhere"):
            self.send_response(302)
            places = {"moved": "http://127.0.0.1:9/good", "sent_on": "//127.0.0.1:9/good"}
            self.send_header("Location", places.get(what, "https://["))
            return self.end_headers()
        if what == "slowly":
            patience.wait(4)
        whole = self.server.content
        content = {"login": b"<html>Log in</html>", "other": whole[::-1]}.get(what, whole)
        start = 0
        if "Range" in self.headers and what != "no_ranges":
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.server.ranges.append(start)
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            shift = what == "shifted"
            self.send_header("Content-Range", f"bytes {start + shift}-*/{len(content)}")
        if what == "packed":
            self.send_header("Content-Encoding", "gzip")
        if what != "endless":
            length = "many" if what == "odd" else str(len(content) - start)
            self.send_header("Content-Length", length)
        self.end_headers()
        stop = None
        if what == "cut" or (what in ("cut_once", "no_ranges", "stalls_once") and first):
            stop = start + 100
        self.wfile.write(content[start:stop])
        if what == "stalls_once" and first:
            self.wfile.flush()
            patience.wait()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server on this machine, and downloads that soon ask again."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(downloads, "TIMEOUT", (60, 60))  # a busy machine is no broken connection
    monkeypatch.setattr(downloads, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(downloads, "CHUNK", 50)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.ranges, server.patience = [], [], threading.Event()
    server.content = b""
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.patience.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("GANZOO_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def browser():
    """A browser for pages, of those that are installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()
