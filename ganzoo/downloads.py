"""Files from the net: fetched once, checked by their hash, kept in a cache folder."""

import contextlib
import hashlib
import os
import pathlib
import sys
import time
import urllib.parse

TIMEOUT = (5, 10)
"""Seconds to wait for a connection, and for the next bytes."""
PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each further attempt after a connection broke or a server was busy."""
CHUNK = 1 << 16


def folder():
    """The cache folder: `$GANZOO_CACHE`, or the system's place for caches. It need not exist."""
    import platformdirs

    place = os.environ.get("GANZOO_CACHE") or platformdirs.user_cache_dir("ganzoo", False)
    return pathlib.Path(place).expanduser()


def fetch(url, sha256, name, or_else="", most=1 << 31, check=lambda path: None):
    """A file from the net, or from the cache folder if it is there already.

    What a broken connection leaves is kept as `NAME.part`, and a further attempt goes on from
    there. Several processes may ask at once: one fetches, the others wait.

    Args:
        url: where it is, http or https. Redirections are followed to https only.
        sha256: its hash, in hexadecimal, or None if it is not known; then a file of this name in
            the cache is taken as it is. A cached file with another hash is fetched again.
        name: what to call it in the cache folder; slashes make sub-folders.
        or_else: words for the error messages: another mend than to fill the cache by hand.
        most: bytes that it may have.
        check: function of a path that raises a `ValueError` unless the file there is as it should
            be; called before the file is kept.

    Returns:
        Its path.

    Raises:
        OSError: there is no connection, the server does not have it, or the cache folder cannot
            be written. Without a connection that takes some ten seconds at most.
        ValueError: the net has another file than the one that is wanted.

    Example:

    >>> fetch("https://example.org/a.bin", 64 * "0", "a.bin")  # doctest: +SKIP
    PosixPath('/home/me/.cache/ganzoo/a.bin')
    """
    import filelock
    import requests

    path = folder() / name
    if not path.resolve().is_relative_to(folder().resolve()):
        raise ValueError(f"{name!r} would not be in the cache folder.")
    mend = (
        f"Or get {url} by hand and put it at {str(path)!r} (the environment variable GANZOO_CACHE "
        f"names another folder){or_else}."
    )
    part = path.with_name(f"{path.name}.part")
    lock = folder() / ".locks" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    try:
        if _is_whole(path, sha256):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(lock):
            if _is_whole(path, sha256):  # by now, by another process
                return path
            if sha256 is None:  # nothing would tell if the rest is of another file
                part.unlink(missing_ok=True)
            begun = part.exists()
            _download(url, part, most)
            if begun and not _is_whole(part, sha256):  # begun, perhaps, when it was another file
                part.unlink()
                _download(url, part, most)
            if not _is_whole(part, sha256):
                part.unlink()
                raise ValueError(
                    f"What {url} sent is not the file that is wanted: its SHA-256 differs from "
                    f"{sha256}. Try again later, or through another network. {mend}"
                )
            try:
                check(part)
            except ValueError:
                part.unlink()
                raise
            os.replace(part, path)
    except (requests.RequestException, _Refused) as error:
        if isinstance(error, _Refused):
            part.unlink(missing_ok=True)
        raise OSError(
            f"{name!r} could not be downloaded ({_reason(error)}). Try again later. {mend}"
        ) from error
    except OSError as error:
        with contextlib.suppress(OSError):  # half a file makes a full disk no better
            part.unlink()
        raise OSError(
            f"The cache folder {str(path.parent)!r} cannot be read or written "
            f"({error.strerror or error}). Make it writable, or make room. {mend}"
        ) from error
    return path


def hash_of(path):
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(path, sha256):
    return path.exists() and (sha256 is None or hash_of(path) == sha256.lower())


class _Refused(Exception):
    """Why a server's answer is not taken."""


def _download(url, part, most):
    """Make `part` whole, however often the connection breaks in between."""
    import requests

    for pause in (*PAUSES, None):
        try:
            return _attempt(url, part, most)
        except requests.RequestException as error:
            if pause is None or not _may_pass(error):
                raise
        time.sleep(pause)


def _attempt(url, part, most):
    import requests
    import tqdm

    have = part.stat().st_size if part.exists() else 0
    # As it is: a compressed answer could be neither continued nor counted.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with (
        _session() as session,
        session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer,
    ):
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # it is whole, or of something else
            return _attempt(url, part, most)
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            have = 0
        length = int(answer.headers.get("Content-Length", 0))
        if have + length > most:
            raise _Refused(f"it has {have + length:,} bytes, more than {most:,}")
        bar = tqdm.tqdm(
            desc=part.stem,
            initial=have,
            total=have + length or None,
            unit="B",
            unit_scale=True,
            # The bar is for people; in a log it would be a thousand lines.
            disable=not sys.stderr.isatty(),
        )
        with open(part, "ab" if have else "wb") as file, bar:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                if file.tell() > most:
                    raise _Refused(f"it has more than {most:,} bytes")


def _session():
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp):
            target = super().get_redirect_target(resp)
            if target is not None:
                place = urllib.parse.urljoin(resp.url, target)
                if urllib.parse.urlsplit(place).scheme != "https":
                    resp.close()
                    raise _Refused(f"the server sends on to {place}, which is not https")
            return target

    return Session()


def _may_pass(error):
    """Whether it is worth another attempt: not where there is no connection to begin with."""
    import requests
    import urllib3

    if error.response is not None:
        return error.response.status_code in (429, 500, 502, 503, 504)
    stalled = any(isinstance(x, urllib3.exceptions.ReadTimeoutError) for x in error.args)
    kinds = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ReadTimeout)
    return stalled or isinstance(error, kinds)


def _reason(error):
    """A few words for an error of `requests`, whose own text is a chain of objects."""
    import requests

    if getattr(error, "response", None) is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return f"no connection: {type(error).__name__}"
    return str(error)
