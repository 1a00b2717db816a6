"""Downloads are checked, and fail with a word on what to do; all without the net."""

import errno
import hashlib
import pathlib
import socket
import subprocess
import sys

import pytest
import requests

from ganzoo.files import downloads

CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def content(server):
    server.content = CONTENT


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
        ("login", ValueError, "sent another file than expected.*SHA-256"),
        ("other", ValueError, "sent another file than expected.*SHA-256"),
        ("slow", OSError, "no answer in time"),
        ("moved", OSError, "'http://127.0.0.1:9/good', which is not https"),
        ("sent_on", OSError, "which is not https"),
        ("nowhere", OSError, "invalid address"),
        ("packed", OSError, "compressed"),
    ],
)
def test_a_failure_says_the_mend_and_leaves_nothing(
    server, cache, what, error, message, monkeypatch
):
    if what == "slow":  # no answer ever comes, so that it need not be waited for
        monkeypatch.setattr(downloads, "TIMEOUT", (60, 0.1))
    url = f"{server.url}/{what}"
    cache.mkdir(parents=True)
    with pytest.raises(error, match=message) as caught:
        downloads.fetch(url, SHA256, "a.bin", or_else=", or set FILE")
    text = str(caught.value)
    assert url in text and str(cache / "a.bin") in text
    assert "GANZOO_CACHE" in text and "or set FILE" in text
    assert left(cache) == []


@pytest.mark.parametrize("what", ["cut_once", "stalls_once"])
def test_a_broken_download_goes_on(server, cache, what, monkeypatch):
    receive = requests.Response.iter_content

    def impatient(self, size):
        """The first answer is waited for no longer once it stalls, and it does for ever."""
        for i, chunk in enumerate(receive(self, size), 1):
            yield chunk
            if what == "stalls_once" and len(server.requests) == 1 and i * size == 100:
                self.raw._fp.fp.raw._sock.settimeout(0.1)

    monkeypatch.setattr(requests.Response, "iter_content", impatient)
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


def test_another_part_than_was_asked_for_is_refused(server, cache):
    cache.mkdir(parents=True)
    (cache / "a.bin.part").write_bytes(CONTENT[:100])
    with pytest.raises(OSError, match="another part"):
        downloads.fetch(f"{server.url}/shifted", SHA256, "a.bin")
    assert left(cache) == []


def test_a_length_that_is_none_does_not_matter(server, cache):
    assert downloads.fetch(f"{server.url}/odd", SHA256, "a.bin").read_bytes() == CONTENT


def test_without_a_known_hash_nothing_is_continued(server, cache):
    assert downloads.fetch(f"{server.url}/cut_once", None, "a.bin").read_bytes() == CONTENT
    assert len(server.requests) == 2 and server.ranges == []


def test_what_is_not_as_it_should_be_is_not_kept(server, cache):
    def check(path):
        raise ValueError("it is no picture")

    with pytest.raises(ValueError, match="sent another file than expected: it is no picture"):
        downloads.fetch(f"{server.url}/good", None, "a.bin", check=check)
    assert left(cache) == []


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
    with pytest.raises(ValueError, match="outside the cache"):
        downloads.fetch(f"{server.url}/good", SHA256, name)
    assert server.requests == []


def test_of_two_who_want_a_file_one_fetches(server, cache):
    code = (
        "import sys; from ganzoo.files import downloads;"
        "downloads.fetch(*sys.argv[1:3], 'sub/a.bin')"
    )
    command = [sys.executable, "-c", code, f"{server.url}/slowly", SHA256]
    both = [subprocess.Popen(command) for _ in range(2)]  # the other asks before the answer
    assert [process.wait(600) for process in both] == [0, 0]
    assert server.requests == ["/slowly"] and left(cache) == ["a.bin", "sub"]


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
    # Neither waits for the answer that will not come, nor asks again.
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: pytest.fail("it waits"))
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="could not be downloaded.*Or download .* yourself"):
            downloads.fetch(url.format(port=closed.getsockname()[1]), SHA256, "a.bin")
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
