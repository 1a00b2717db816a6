"""Downloads are checked, and fail with a word on what to do; all without the net."""

import errno
import hashlib
import http.server
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from ganzoo import downloads

CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """`/good`; and whatever else a server may do."""

    def do_GET(self):
        self.server.requests.append(self.path)
        what, patience = self.path[1:], self.server.patience
        first = self.server.requests.count(self.path) == 1
        if what in ("absent", "broken", "busy") and (first or what != "busy"):
            return self.send_error({"absent": 404, "broken": 500, "busy": 503}[what])
        if what == "slow":
            return patience.wait(5)
        if what in ("moved", "sent_on"):
            self.send_response(302)
            place = "http://127.0.0.1:9/good" if what == "moved" else "//127.0.0.1:9/good"
            self.send_header("Location", place)
            return self.end_headers()
        content = {"login": b"<html>Log in</html>", "other": CONTENT[::-1]}.get(what, CONTENT)
        start = 0
        if "Range" in self.headers and what != "no_ranges":
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.server.ranges.append(start)
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if what != "endless":
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = None
        if what == "cut" or (what in ("cut_once", "no_ranges", "stalls_once") and first):
            stop = start + 100
        self.wfile.write(content[start:stop])
        if what == "stalls_once" and first:
            self.wfile.flush()
            patience.wait(5)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.ranges, server.patience = [], [], threading.Event()
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


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr(downloads, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(downloads, "CHUNK", 50)


def left(cache):
    """What is in the cache, but for the locks."""
    found = [path for path in cache.rglob("*") if ".locks" not in path.parts]
    return sorted(path.name for path in found)


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
        ("broken", OSError, "server answered 500"),
        ("login", ValueError, "not the file that is wanted.*SHA-256"),
        ("other", ValueError, "not the file that is wanted.*SHA-256"),
        ("slow", OSError, "no answer in time"),
        ("moved", OSError, "http://127.0.0.1:9/good, which is not https"),
        ("sent_on", OSError, "which is not https"),
    ],
)
def test_a_failure_says_the_mend_and_leaves_nothing(server, cache, what, error, message):
    url = f"{server.url}/{what}"
    with pytest.raises(error, match=message) as caught:
        downloads.fetch(url, SHA256, "a.bin", or_else=", or set FILE")
    text = str(caught.value)
    assert url in text and str(cache / "a.bin") in text
    assert "GANZOO_CACHE" in text and "or set FILE" in text
    assert left(cache) == []


@pytest.mark.parametrize("what", ["cut_once", "stalls_once"])
def test_a_broken_download_goes_on(server, cache, what):
    path = downloads.fetch(f"{server.url}/{what}", SHA256, "a.bin")
    assert path.read_bytes() == CONTENT and left(cache) == ["a.bin"]
    assert len(server.requests) == 2 and server.ranges == [100]


def test_so_does_one_that_an_earlier_call_gave_up(server, cache):
    with pytest.raises(OSError, match="could not be downloaded"):
        downloads.fetch(f"{server.url}/cut", SHA256, "a.bin")
    assert left(cache) == ["a.bin.part"] and server.ranges == [100, 200]
    assert downloads.fetch(f"{server.url}/good", SHA256, "a.bin").read_bytes() == CONTENT
    assert server.ranges == [100, 200, 300] and left(cache) == ["a.bin"]


def test_a_server_that_cannot_go_on_begins_again(server, cache):
    assert downloads.fetch(f"{server.url}/no_ranges", SHA256, "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("begun", [b"of another file", CONTENT + b"and more", CONTENT])
def test_what_was_begun_is_not_trusted(server, cache, begun):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(begun)
    assert downloads.fetch(f"{server.url}/good", SHA256, "a.bin").read_bytes() == CONTENT
    assert left(cache) == ["a.bin"]


def test_a_busy_server_is_asked_again(server, cache):
    assert downloads.fetch(f"{server.url}/busy", SHA256, "a.bin").read_bytes() == CONTENT
    assert server.requests == ["/busy", "/busy"]


def test_without_a_known_hash_what_is_there_is_taken(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(b"of another file")
    path = downloads.fetch(f"{server.url}/good", None, "a.bin")
    assert path.read_bytes() == CONTENT and server.ranges == []
    assert downloads.fetch(f"{server.url}/absent", None, "a.bin") == path


@pytest.mark.parametrize("what", ["good", "endless"])
def test_a_file_too_large_is_refused(server, cache, what):
    with pytest.raises(OSError, match="more than 1,000"):
        downloads.fetch(f"{server.url}/{what}", SHA256, "a.bin", most=1000)
    assert left(cache) == []


@pytest.mark.parametrize("name", ["../a.bin", "/a.bin", "a/../../b"])
def test_names_stay_in_the_cache_folder(server, cache, name):
    with pytest.raises(ValueError, match="not be in the cache"):
        downloads.fetch(f"{server.url}/good", SHA256, name)
    assert server.requests == []


def test_of_two_who_want_a_file_one_fetches(server, cache):
    code = "import sys; from ganzoo import downloads; downloads.fetch(*sys.argv[1:3], 'sub/a.bin')"
    command = [sys.executable, "-c", code, f"{server.url}/good", SHA256]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert server.requests == ["/good"] and left(cache) == ["a.bin", "sub"]


def test_a_full_disk(server, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads.os, "replace", full)
    with pytest.raises(OSError, match="No space left on device.*make room"):
        downloads.fetch(f"{server.url}/good", SHA256, "a.bin")
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
