"""Downloads: each file is fetched once, checked by its hash and kept in a cache folder."""

import contextlib
import hashlib
import http
import os
import pathlib
import sys
import time
import urllib.parse

TIMEOUT = (5, 10)
"""Seconds to wait for a connection, and for the next bytes."""
PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each retry after a connection broke or a server was busy."""
CHUNK = 1 << 16
BUSY = (429, 500, 502, 503, 504)
"""HTTP statuses after which a retry may succeed."""
ABSENT = (401, 403, 404, 410)
"""HTTP statuses of files that do not exist or are not public."""


def folder():
    """The cache folder: `$GANZOO_CACHE`, or the system's place for caches. It need not exist."""
    import platformdirs

    place = os.environ.get("GANZOO_CACHE") or platformdirs.user_cache_dir("ganzoo", False)
    return pathlib.Path(place).expanduser()


def fetch(url, sha256, name, or_else="", most=1 << 31, check=lambda path: None):
    """Download a file, unless it is in the cache folder already.

    If the hash is known, the part received before a connection broke is kept as `NAME.part`, and
    the next attempt continues from there. Several processes may ask at once: one downloads, the
    others wait.

    Args:
        url: address of the file, http or https. Redirections are followed to https only.
        sha256: its hash, in hexadecimal, or None if it is not known: a cached file of this name is
            then used as it is. A cached file with another hash is downloaded again.
        name: its name in the cache folder; slashes make sub-folders.
        or_else: text for error messages: another fix than to fill the cache yourself.
        most: bytes that it may have.
        check: function of a path that raises a `ValueError` if the file there is wrong; called
            before the file is kept.

    Returns:
        Its path.

    Raises:
        OSError: there is no connection, the server does not have the file, or the cache folder
            cannot be written. If nothing answers, after some ten seconds for each address of the
            host.
        ValueError: the server sent another file.

    Example:

    >>> fetch("https://example.org/a.bin", 64 * "0", "a.bin").name  # doctest: +SKIP
    'a.bin'
    """
    path = folder() / name
    if not path.resolve().is_relative_to(folder().resolve()):
        raise ValueError(f"{name!r} would lie outside the cache folder.")
    mend = (
        f"Or download {url} yourself and save it as {str(path)!r} (the environment variable "
        f"GANZOO_CACHE names another folder){or_else}."
    )
    try:
        if _is_complete(path, sha256):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(name):
            if not _is_complete(path, sha256):  # another process may have completed it by now
                _download_checked(url, sha256, path, most, check)
    except _Refused as error:
        raise OSError(f"{name!r} could not be downloaded ({error}). {error.mend} {mend}") from error
    except _WrongFile as error:
        raise ValueError(
            f"{url} sent another file than expected: {error}. Try again later, or through another "
            f"network. {mend}"
        ) from error
    except OSError as error:
        raise OSError(
            f"The cache folder {str(path.parent)!r} cannot be read or written "
            f"({error.strerror or error}). Make it writable, or make room. {mend}"
        ) from error
    return path


def hash_of(path):
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_complete(path, sha256):
    return path.exists() and (sha256 is None or hash_of(path) == sha256.lower())


@contextlib.contextmanager
def _locked(name):
    """A scope in which no other process downloads this file."""
    import filelock

    place = folder() / ".locks" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(place)
    try:
        lock.acquire(timeout=5)
    except filelock.Timeout:
        print(f"Another process is downloading {name}: waiting for it.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Refused(Exception):
    """A download failed; the text says why."""

    mend = "Try again later."


class _Absent(_Refused):
    mend = "Check the address; it may also be private."


class _Broken(_Refused):
    """A download failed, but a retry may succeed."""


class _WrongFile(Exception):
    """The file that was sent is wrong; the text says how."""


def _download_checked(url, sha256, path, most, check):
    part = path.with_name(f"{path.name}.part")
    resumable = sha256 is not None
    try:
        resumed = resumable and part.exists()
        _download(url, part, most, resumable)
        if resumed and not _is_complete(part, sha256):  # it may have begun as an older file
            part.unlink()
            _download(url, part, most, resumable)
        if not _is_complete(part, sha256):
            raise _WrongFile(f"its SHA-256 differs from {sha256}")
        try:
            check(part)
        except ValueError as error:
            raise _WrongFile(error) from error
        os.replace(part, path)
    except BaseException as error:
        if not (resumable and isinstance(error, (_Broken, KeyboardInterrupt))):
            with contextlib.suppress(OSError):
                part.unlink()
        raise


def _download(url, part, most, resumable):
    """Complete `part`, with retries when the connection breaks."""
    for pause in (*PAUSES, None):
        if not resumable:  # nothing would show that the rest belongs to another file
            part.unlink(missing_ok=True)
        try:
            return _attempt(url, part, most)
        except _Broken:
            if pause is None:
                raise
        time.sleep(pause)


def _attempt(url, part, most):
    import requests
    import urllib3

    class Session(requests.Session):
        def get_redirect_target(self, resp):
            """None, because requests would read the whole body of a redirection, of any size."""

    have = part.stat().st_size if part.exists() else 0
    try:
        with Session() as session, _answer(session, url, have) as answer:
            _receive(answer, part, have, most)
    except requests.RequestException as error:
        causes = (error, *error.args)
        stalled = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
        cut = (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)
        if any(isinstance(x, stalled) for x in causes):
            raise _Broken("no answer in time") from error
        if any(isinstance(x, cut) for x in causes):
            raise _Broken("the connection broke") from error
        if isinstance(error, requests.Timeout):
            raise _Refused("no answer in time") from error
        raise _Refused(f"no connection: {type(error).__name__}") from error


def _answer(session, url, have):
    """The server's answer after redirections, whose bodies are not read."""
    import requests

    # Uncompressed: a compressed answer could be neither resumed nor measured.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    for _ in range(10):
        answer = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        if not answer.is_redirect:
            return answer
        answer.close()
        try:
            url = urllib.parse.urljoin(url, requests.utils.requote_uri(answer.headers["Location"]))
            scheme = urllib.parse.urlsplit(url).scheme
        except ValueError as error:
            raise _Refused("the server redirects to an invalid address") from error
        if scheme != "https":
            raise _Refused(f"the server redirects to {url!r}, which is not https")
    raise _Refused("the server redirects without end")


def _receive(answer, part, have, most):
    """Write an answer's body to `part`, after the bytes there if it continues them."""
    resumes = _check_answer(answer, part, have)
    have = have if resumes else 0
    length = _length(answer, have, most)
    with open(part, "ab" if have else "wb") as file, _bar(part.stem, have, length) as bar:
        for chunk in answer.iter_content(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
            if file.tell() > most:
                raise _Refused(f"it has more than {most:,} bytes")
        if length is not None and file.tell() < length:
            raise _Broken("the connection broke")


def _check_answer(answer, part, have):
    """Whether the body continues the bytes in `part`; raises if it is not the file."""
    status = answer.status_code
    if status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
        part.unlink()  # it was complete, or part of another file
        raise _Broken("the server has no more of it")
    if status not in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
        kind = _Broken if status in BUSY else _Absent if status in ABSENT else _Refused
        names = {x.value: x.phrase for x in http.HTTPStatus}
        raise kind(f"the server answered {status} {names.get(status, '')}".rstrip())
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise _Refused("the server sends it compressed")
    resumes = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    if status == http.HTTPStatus.PARTIAL_CONTENT and not resumes:
        raise _Refused("the server sends another part than the one requested")
    return status == http.HTTPStatus.PARTIAL_CONTENT


def _length(answer, have, most):
    """Bytes in the complete file; None if the server does not report it."""
    length = answer.headers.get("Content-Length", "")
    length = have + int(length) if length.isdecimal() else None
    if length is not None and length > most:
        raise _Refused(f"it has {length:,} bytes, more than {most:,}")
    return length


def _bar(name, have, length):
    """A progress bar on terminals; in a log it would fill a thousand lines."""
    import tqdm

    return tqdm.tqdm(
        desc=name,
        initial=have,
        total=length,
        unit="B",
        unit_scale=True,
        disable=not sys.stderr.isatty(),
    )
