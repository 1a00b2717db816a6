"""Downloads are checked, and fail with a word on what to do; all without the net."""

import hashlib
import http.server
import pathlib
import socket
import threading
import time

import pytest

from ganzoo import downloads

CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/absent":
            self.send_error(404)
            return
        if self.path == "/slow":
            self.server.patience.wait(5)
            return
        content = b"<html>Log in</html>" if self.path == "/login" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: 100 if self.path == "/cut" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.patience = [], threading.Event()
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
    folder = tmp_path / "not" / "yet"
    monkeypatch.setenv("GANZOO_CACHE", str(folder))
    return folder


def left(cache):
    return sorted(path.name for path in cache.rglob("*")) if cache.exists() else []


def test_a_file_is_fetched_once(server, cache):
    path = downloads.fetch(f"{server.url}/good", SHA256, "a.bin")
    assert path == cache / "a.bin" and path.read_bytes() == CONTENT
    assert downloads.fetch(f"{server.url}/good", SHA256.upper(), "a.bin") == path
    assert server.requests == ["/good"] and left(cache) == ["a.bin"]


def test_a_damaged_file_in_the_cache_is_fetched_again(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin").write_bytes(b"half a fi")
    assert downloads.fetch(f"{server.url}/good", SHA256, "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("absent", OSError, "server answered 404"),
        ("login", ValueError, "not the file that is wanted.*SHA-256"),
        ("cut", (OSError, ValueError), "a.bin|SHA-256"),
        ("slow", OSError, "no answer in time"),
    ],
)
def test_a_failure_says_the_mend_and_leaves_nothing(
    server, cache, monkeypatch, what, error, message
):
    monkeypatch.setattr(downloads, "TIMEOUT", (0.5, 0.5))
    url = f"{server.url}/{what}"
    with pytest.raises(error, match=message) as caught:
        downloads.fetch(url, SHA256, "a.bin", or_else=", or set FILE")
    text = str(caught.value)
    assert url in text and str(cache / "a.bin") in text
    assert "GANZOO_CACHE" in text and "or set FILE" in text
    assert left(cache) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/a", "http://no-such-host.invalid/a"])
def test_without_a_connection_it_fails_soon(cache, monkeypatch, url):
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        start = time.monotonic()
        with pytest.raises(OSError, match="could not be downloaded.*Or get .* by hand"):
            downloads.fetch(url.format(port=closed.getsockname()[1]), SHA256, "a.bin")
    assert time.monotonic() - start < 11
    assert left(cache) == []


def test_a_wrong_file_does_not_replace_what_is_there(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin").write_bytes(b"old")
    with pytest.raises(ValueError, match="SHA-256"):
        downloads.fetch(f"{server.url}/login", SHA256, "a.bin")
    assert (cache / "a.bin").read_bytes() == b"old" and left(cache) == ["a.bin"]


def test_a_cache_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match="cache folder .* cannot be read or written.*GANZOO_CACHE"):
        downloads.fetch(f"{server.url}/good", SHA256, "a.bin")
    assert server.requests == []


def test_the_cache_folder(monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", "~/somewhere")
    assert downloads.folder() == pathlib.Path.home() / "somewhere"
    monkeypatch.delenv("GANZOO_CACHE")
    assert downloads.folder().name == "ganzoo"
